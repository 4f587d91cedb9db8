"""Coverage and generation: what the dialogs say, and what they take."""

from __future__ import annotations

import json

import pytest
from builders import user
from widgets.wire import Page

import rft_widgets as rft
from rft_widgets.widgets.dialogs import dialog

TOPICS = {"Returns": 30, "Shipping": 10, "Billing": 0}


@pytest.fixture
def labelled(dataset, tmp_path):
    lines = [
        {"messages": [user(f"Question {n} on {topic}, please help")], "topic": topic}
        for topic, count in TOPICS.items()
        for n in range(count)
    ] + [{"messages": [user("Something else that nobody sorted")]}]
    path = tmp_path / "labelled.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    dataset.import_records(path)
    dataset.set_topics([*TOPICS])
    return dataset


@pytest.fixture
def page(labelled):
    made = dialog(labelled, "coverage")
    yield Page(made)
    made.close()


def test_the_page_gets_what_python_gets(page, labelled):
    shown = page.ask("load")
    report = labelled.coverage(near_duplicates=False)
    assert shown["balance_score"] == report.balance_score == 0.0
    assert {one["topic"]: one["count"] for one in shown["topics"]} == TOPICS
    assert shown["uncategorized_records"] == 1
    assert shown["near_duplicate_percentage"] is None
    assert page.ask("load", {"near_duplicates": True})["near_duplicate_percentage"] is not None


def test_targets_are_set_or_refused_in_words(page, labelled):
    def targets(**percents):
        return {"targets": [{"topic": name, "percent": n} for name, n in percents.items()]}

    page.ask("set_targets", targets(Returns=75, Shipping=25, Billing=0))
    assert labelled.targets == {"Returns": 75, "Shipping": 25, "Billing": 0}
    assert page.ask("load")["balance_score"] == 1.0
    error = page.refused("set_targets", targets(Returns=75, Shipping=75, Billing=0))
    assert error["code"] == "invalid_argument"
    assert "150" in error["message"]
    assert labelled.targets["Shipping"] == 25
    page.ask("follow", {"targets": "traffic"})
    assert labelled.targets == {"Returns": 75, "Shipping": 25, "Billing": 0}
    page.ask("follow", {"targets": "uniform"})
    assert labelled.targets["Billing"] == pytest.approx(100 / 3)
    assert page.call("follow", {"targets": "by chance"})["error"]["code"] == "invalid_params"


def test_what_if_changes_nothing(page, labelled):
    added = [{"topic": "Billing", "count": 30}, {"topic": "Shipping", "count": 20}]
    assert page.ask("what_if", {"added": added})["balance_score"] == 1.0
    assert labelled.coverage(near_duplicates=False).balance_score == 0.0
    error = page.refused("what_if", {"added": [{"topic": "Nothing", "count": 1}]})
    assert "no topic 'Nothing'" in error["message"]


def test_selected_records_are_varied(labelled):
    some = [record.id for record in labelled.records(topic="Shipping", limit=4).records]
    plan = labelled.plan_generation(
        rft.GenerationConfig(
            source="selected", selection=labelled.select(ids=some), variations_per_record=2
        )
    )
    assert [(one.topic, one.wanted) for one in plan.topics] == [("Shipping", 8)]
    found = labelled.plan_generation(
        {"source": "selected", "selection": {"where": {"search": "Returns"}}}
    )
    assert [(one.topic, one.wanted) for one in found.topics] == [("Returns", 90)]
    with pytest.raises(rft.RftError, match="cannot be"):
        labelled.plan_generation({"temperature": 9})


def test_without_topics_both_say_so(dataset):
    for name in ("coverage", "generate"):
        made = dialog(dataset, name)
        page = Page(made)
        assert page.opened_with()["node"]["status"] == "waiting"
        assert page.ask("load")["topics"] in ([], ())
        made.close()
