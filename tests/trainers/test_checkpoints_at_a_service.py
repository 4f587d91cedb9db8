"""Checkpoints of a model that a service trained: asked there, with tokens, prices and a limit."""

from __future__ import annotations

import pytest
from fine_tuned import BASE, KEY, KEY_ENV, config, dataset_at, service, words_of

from rft_widgets.errors import BudgetReached


def test_checkpoints_are_asked_at_the_service_and_paid_once(tmp_path, monkeypatch):
    monkeypatch.setenv(KEY_ENV, KEY)
    prices = {"input_usd_per_million": 1.0, "output_usd_per_million": 2.0}
    with service() as server, dataset_at(server, tmp_path, 60, **prices) as dataset:
        job = dataset.train(config()).wait(60)
        assert job.status == "completed", words_of(job)
        steps = [one.step for one in job.checkpoints]
        with pytest.raises(BudgetReached):
            dataset.compare_checkpoints(seed=1, max_cost_usd=0.000001)
        found = dataset.compare_checkpoints(seed=1, max_cost_usd=1.0)
        assert [one.step for one in found.checkpoints] == [0, *steps]
        assert found.length_unit == "tokens"
        for one in found.checkpoints:
            assert one.answers == found.prompts
            assert one.cost_micro_usd is not None
            assert one.cost_micro_usd > 0
        asked = [one.body["model"] for one in server.requests if one.path.endswith("/completions")]
        assert {BASE, *(one.model for one in job.checkpoints[:-1])} <= set(asked)
        again = dataset.compare_checkpoints(seed=1)
        assert len(asked) == sum(one.path.endswith("/completions") for one in server.requests)
        assert [one.seconds for one in again.checkpoints] == [None] * len(again.checkpoints)
        assert [one.reward for one in again.checkpoints] == [
            one.reward for one in found.checkpoints
        ]
        card = job.run_card()
        assert card.service_job.startswith("ftjob")
        assert card.base_model == BASE
        assert card.connection == "tuning"
        assert {one.model for one in card.checkpoints} == {one.model for one in job.checkpoints}
        text = card.to_html() + card.to_json()
        assert card.service_job in text
        assert KEY not in text
        assert "service trained is not known" in " ".join(card.not_measured)
