"""Training in the worker: what trains outlives it, and a later worker follows it again."""

from __future__ import annotations

import pytest
from child_worker import ChildWorker
from digits import config, fill, has_step, is_running, until

import rft_widgets as rft
from rft_widgets.jobs.running import JOBS_VARIABLE

pytestmark = [pytest.mark.training, pytest.mark.slow]
pytest.importorskip("trl")

from rft_widgets.testing.tiny_model import make_tiny_model  # noqa: E402


def test_a_killed_worker_is_followed_by_another_one(tmp_path, monkeypatch):
    model = make_tiny_model(tmp_path / "tiny")
    monkeypatch.setenv(JOBS_VARIABLE, "worker")
    database = tmp_path / "store.db"
    with rft.Workspace(database) as workspace, ChildWorker(database) as worker:
        job = fill(workspace.create("Digits")).train(config(model, max_steps=40))
        until(has_step(job, 3), "some steps")
        pid = int((job.folder / "control/locks/rank-0").read_text())
        worker.kill()
        assert is_running(pid), "it goes on without the worker"
        worker.start()
        job.wait(300)
        assert (job.status, job.error) == ("completed", None)
        assert int((job.folder / "control/locks/rank-0").read_text()) == pid, "the same process"
        words = [words for _, words in job.log]
        assert "The training went on meanwhile; it is followed again." in words
        assert job.report.outcome == "improved"
        assert job.rollout_steps == tuple(range(1, 41))
        steps = [one.step for one in job.report.curve]
        assert steps == list(range(41))
