"""The labelling dialog: what a labeller is shown, what is kept, and the card."""

from __future__ import annotations

import json
import time

import pytest
from builders import chat_line
from widgets.wire import Page

from rft_widgets.widgets.dialogs.labelling import LabellingDialog

SECRET = "judged-for-this-reason"


@pytest.fixture
def page(dataset):
    dataset.add_records(
        chat_line(
            f"What is {n} plus {n}, please?",
            str(2 * n if n % 3 else n),
            reference_answer=str(2 * n),
            human_reward=float(n % 3 != 0),
            metadata={"reason": SECRET},
        )
        for n in range(1, 31)
    )
    dataset.set_grader(
        {
            "type": "string_check",
            "name": "exact",
            "input": "{{ sample.output_text }}",
            "reference": "{{ item.reference_answer }}",
            "operation": "eq",
        }
    )
    dataset.evaluate(dataset.select())
    view = LabellingDialog(dataset)
    yield Page(view)
    view.close()


def test_a_labeller_sees_the_conversation_and_nothing_else(page):
    view = page.ask("load")
    assert (view["labellers"], view["fields"], view["wanted"]) == ((), ("human_reward",), 50)
    assert view["versions"] == (
        {"version": 1, "name": "exact", "in_use": True, "asks_model": False},
    )
    batch = page.ask("batch", {"labeller": "ada", "n": 10})
    assert batch["done"] == 0
    assert len(batch["record_ids"]) == 10
    shown = page.ask("answer", {"record_id": batch["record_ids"][0]})
    assert shown.keys() == {"record_id", "prompt", "answer", "tools"}
    assert shown["prompt"][0]["parts"][0]["text"].startswith("What is ")
    state = json.dumps(page.widget.get_state(), default=str)
    for text in (json.dumps([view, batch, shown]), state):
        assert "score" not in text
        assert "human_reward" not in text.replace('"fields": ["human_reward"]', "")
        assert SECRET not in text
        assert "reference" not in text


def test_labels_are_kept_taken_back_and_gone_on_with(page):
    first, second, *_ = page.ask("batch", {"labeller": "ada", "n": 10})["record_ids"]
    said = {"labeller": "ada", "scale": "pass_fail"}
    page.ask("label", {"record_id": first, "value": 1, "note": "right", **said})
    page.ask("label", {"record_id": second, "value": 0, **said})
    assert page.ask("unlabel", {"record_id": second, "labeller": "ada"}) is True
    left = page.ask("batch", {"labeller": "ada", "n": 10})
    assert (left["done"], len(left["record_ids"]), left["record_ids"][0]) == (1, 9, second)
    assert [one.note for one in page.widget._dataset.labels] == ["right"]
    wrong = page.refused("label", {"record_id": first, "value": 4, **said})
    assert "is no label on the scale" in wrong["message"]
    assert page.refused("answer", {"record_id": "nowhere"})["code"] == "not_found"


def test_a_card_is_made_by_a_job_and_shown(page):
    assert page.ask("card") is None
    taken = page.ask("import_labels", {"field": "human_reward"})
    assert (taken["imported"], taken["without"]) == (30, 0)
    assert page.ask("estimate", {"version": 1}) is None
    page.call("start_card", {"version": 1})
    for _ in range(1_000):
        if card := page.ask("card"):
            break
        time.sleep(0.01)
    assert card["labels"] == 30
    assert card["passed"]["kappa"]["estimate"] == 1.0
    assert [one["count"] for one in card["cells"]] == [10, 20]
