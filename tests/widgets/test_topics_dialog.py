"""The topics dialog and the import of topics, as a page uses them."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from widgets.wire import Page

import rft_widgets as rft
from rft_widgets.model.topic import hierarchy, topic
from rft_widgets.model.topic_settings import TOPIC_LIMITS
from rft_widgets.steps.topics.exchange import topics_json
from rft_widgets.testing.openai_server import OpenAIServer
from rft_widgets.widgets.dialogs import dialog
from tests.dataset.themed import PATHS, TREE, labels, themed


@pytest.fixture
def workspace(tmp_path):
    with rft.Workspace(tmp_path / "store.db") as made:
        yield made


@pytest.fixture
def dataset(workspace):
    made = themed(workspace)
    made.set_topics(TREE)
    for theme, path in PATHS.items():
        for n in range(6):
            made.confirm_topic(f"{theme.lower()}{n}", path)
    made.categorize()
    return made


@pytest.fixture
def page(dataset):
    widget = dialog(dataset, "topics")
    yield Page(widget)
    widget.close()


@pytest.fixture
def importer(dataset):
    widget = dialog(dataset, "import-topics")
    yield Page(widget)
    widget.close()


def refusal(page: Page, method: str, params: Any = None, data: bytes | None = None) -> Any:
    """What a call in the background is refused with."""
    with pytest.raises(AssertionError) as caught:
        page.ask(method, params, **({} if data is None else {"data": data}))
    error = caught.value.args[0]
    return error if isinstance(error, dict) else _error(page)


def _error(page: Page) -> Any:
    return [one["error"] for one in page.custom() if one.get("ok") is False][-1]


def ended(dataset: rft.OptimizationDataset) -> Any:
    ends = time.monotonic() + 20
    while (state := dataset.job_states[-1]).status in ("queued", "running"):
        assert time.monotonic() < ends
        time.sleep(0.01)
    return state


# -- the report -----------------------------------------------------------------------------------


def test_a_parent_has_the_sum_of_its_children(page):
    report = page.ask("load")
    rows = {row["path"]: row for row in report["topics"]}
    assert list(rows) == ["Leisure", "Leisure/Travel", "Leisure/Cooking", "Coding"]
    assert [rows[path]["records"] for path in rows] == [20, 10, 10, 10]
    assert rows["Leisure"]["share"] == pytest.approx(2 / 3)
    assert [rows[path]["level"] for path in rows] == [1, 2, 2, 1]
    assert [rows[path]["is_leaf"] for path in rows] == [False, True, True, True]
    assert (report["records"], report["categorized"], report["uncategorized"]) == (30, 30, 0)
    assert report["decided"] == 18
    assert sum(report["bands"].values()) == 30
    assert report["bands"]["high"] >= 18


# -- edits ----------------------------------------------------------------------------------------


def test_edits_return_where_the_topic_is(page, dataset):
    assert page.ask("add_topic", {"parent": "", "name": "Music"}) == "Music"
    assert page.ask("rename_topic", {"path": "Leisure", "name": "Fun"}) == "Fun"
    assert page.ask("move_topic", {"path": "Music", "parent": "Fun", "position": 0}) == "Fun/Music"
    described = {"path": "Fun/Music", "description": "Songs", "keywords": ["song", "band"]}
    assert page.ask("describe_topic", described) == "Fun/Music"
    assert dataset.topics.find("Fun/Music").keywords == ("song", "band")
    assert dataset.topics.paths == ("Fun/Music", "Fun/Travel", "Fun/Cooking", "Coding")
    assert page.ask("merge_topics", {"path": "Fun/Travel", "into": "Fun/Cooking"}) == "Fun/Cooking"
    assert page.ask("delete_topic", {"path": "Coding", "into": "Fun/Music"}) == "Fun/Music"
    assert set(labels(dataset).values()) == {"Fun/Cooking", "Fun/Music"}
    assert page.ask("delete_topic", {"path": "Fun/Music"}) == "Fun"
    assert set(labels(dataset).values()) == {"Fun/Cooking", None}


def test_an_edit_of_what_vanished_is_refused_in_words(page, dataset):
    dataset.delete_topic("Coding")
    error = refusal(page, "rename_topic", {"path": "Coding", "name": "Code"})
    assert error["code"] == "not_found"
    assert "'Coding'" in error["message"]
    error = refusal(page, "add_topic", {"parent": "Leisure", "name": "travel"})
    assert error["code"] == "invalid_argument"
    assert "Two topics" in error["message"]


# -- long work ------------------------------------------------------------------------------------


def test_regenerating_says_what_is_at_risk_and_puts_records_under_topics(page, dataset):
    assert page.ask("at_risk") == {"labelled": 30, "by_hand": 18}
    assert page.call("regenerate", {"method": "template", "template": "support"})["ok"]
    state = ended(dataset)
    assert (state.status, state.title) == ("succeeded", "Generate topics")
    assert state.outcome.startswith(f"{len(dataset.topics.paths)} topics. ")
    assert dataset.topics.method == "template"
    assert dataset.events[-1].kind == "categorize"
    assert page.call("regenerate", {"method": "auto", "n_topics": 3, "depth": 1})["ok"]
    assert ended(dataset).status == "succeeded"
    assert (len(dataset.topics.paths), dataset.topics.depth) == (3, 1)


def test_a_model_names_topics_at_a_price_that_is_told_before(page, workspace, dataset):
    with OpenAIServer() as server:
        workspace.add_connection(
            "writer", server.base_url, "m", input_usd_per_million=1, output_usd_per_million=1
        )
        takes = page.ask("estimate", {"model": "writer"}, timeout_s=60)
        assert takes["naming"]["calls"] > 0
        assert takes["naming"]["cost_micro_usd"] > 0
        assert takes["deciding"] is not None
        assert not server.requests
        words = "By what people do in their time"
        asked = {"model": "writer", "instructions": words, "max_cost_usd": 1.0}
        assert page.call("regenerate", {"method": "auto", "n_topics": 3, "depth": 1, **asked})["ok"]
        assert ended(dataset).status == "succeeded"
        assert dataset.topics_naming.by_model > 0
        assert words in json.dumps([one.body for one in server.requests])
        assert 0 < dataset.costs["topics"].calls <= takes["naming"]["calls"]
    assert (
        page.call("categorize", {"mode": "unlabeled_only", "max_cost_usd": 0})["error"]["code"]
        == "invalid_params"
    )


def test_what_a_person_decided_stays(page, dataset):
    dataset.confirm_topic("coding9", "Leisure/Travel")
    assert page.call("categorize", {"mode": "recategorize_all"})["ok"]
    assert ended(dataset).status == "succeeded"
    assert labels(dataset)["coding9"] == "Leisure/Travel"


def test_one_work_at_a_time_and_it_can_be_stopped(page, dataset, monkeypatch):
    before = (labels(dataset), len(dataset.events))
    monkeypatch.setenv("RFT_WIDGETS_JOBS", "worker")  # and there is none: it waits
    assert page.call("categorize", {"mode": "recategorize_all"})["ok"]
    for call, params in (
        ("categorize", {"mode": "unlabeled_only"}),
        ("regenerate", {"method": "auto"}),
    ):
        again = page.call(call, params)
        assert again["error"]["code"] == "already_at_work"
        assert "Recategorize all waits for its turn" in again["error"]["message"]
    (state,) = dataset.job_states
    assert page.call("cancel_job", {"job": state.id})["value"] is True
    assert page.call("cancel_job", {"job": state.id})["value"] is False
    state = ended(dataset)
    assert (state.status, state.title) == ("cancelled", "Recategorize all")
    assert (labels(dataset), len(dataset.events)) == before


def test_a_leaf_is_split(page, dataset):
    dataset.set_topics(hierarchy([topic("All")]))
    for record in dataset.iterate():
        dataset.assign_topic(record.id, "All")
    assert page.call("split_topic", {"path": "All", "n_topics": 3})["ok"]
    state = ended(dataset)
    assert (state.status, state.outcome) == ("succeeded", "All has 3 topics below it.")
    assert len(dataset.topics.paths) == 3


def test_templates_are_listed_as_they_are(page):
    found = {one["name"]: one for one in page.ask("templates")}
    assert len(found) == 6
    assert found["support"]["topics"][0] == "Billing"
    assert all(one["leaves"] >= len(one["topics"]) for one in found.values())


# -- review ---------------------------------------------------------------------------------------


def test_a_decision_can_be_taken_back(page, dataset):
    dataset.set_topics(TREE, assignments="clear")
    dataset.categorize()
    first = page.ask("review", {"order": "confidence", "limit": 5})[0]
    key = first["record_id"]
    before = dataset.record(key)
    assert page.ask("confirm", {"record_id": key, "topic": "Coding"}) == "Coding"
    assert dataset.record(key).topic_method == "manual"
    assert page.ask("undo_confirm", {"record_id": key}) == before.topic
    after = dataset.record(key)
    for name in ("topic", "topic_confidence", "topic_method", "topic_runner_up"):
        assert getattr(after, name) == getattr(before, name)
    assert page.ask("review", {"order": "confidence", "limit": 5})[0] == first
    assert refusal(page, "undo_confirm", {"record_id": key})["code"] == "stale_edit"


# -- import and export ----------------------------------------------------------------------------

NESTED = {
    "version": "1.0",
    "topics": [
        {"name": "Trips", "children": [{"name": "Travel"}, {"name": "Hotels"}]},
        {"name": "Coding", "description": "Programs"},
    ],
}
FLAT = {
    "Trips": {"description": "", "subtopics": ["Travel", "Hotels"], "keywords": []},
    "Travel": {"parentTopic": "Trips"},
    "Hotels": {"parentTopic": "Trips"},
    "Coding": {"description": "Programs"},
}


@pytest.mark.parametrize("content", [NESTED, {"topics": FLAT}, FLAT])
def test_a_preview_says_what_an_import_does(importer, dataset, content):
    data = json.dumps(content).encode()
    before = (dataset.topics, labels(dataset), len(dataset.events))
    found = importer.ask("preview", data=data)
    assert (found["topics"], found["leaves"], found["depth"], found["more"]) == (4, 3, 2, 0)
    assert [(one["name"], one["level"], one["below"]) for one in found["shown"]] == [
        ("Trips", 1, 2), ("Travel", 2, 0), ("Hotels", 2, 0), ("Coding", 1, 0),
    ]  # fmt: skip
    assert found["impact"] == {
        "replaced": 4, "labelled": 30, "by_hand": 18, "kept": 20, "kept_by_hand": 12,
    }  # fmt: skip
    assert (dataset.topics, labels(dataset), len(dataset.events)) == before
    done = importer.ask("apply", {"assignments": "keep"}, data=data)
    assert done == {"leaves": 3, "kept": 20, "lost": 10}
    assert labels(dataset)["travel0"] == "Trips/Travel"
    assert labels(dataset)["cooking0"] is None


def test_an_import_may_clear_assignments(importer, dataset):
    data = json.dumps(NESTED).encode()
    done = importer.ask("apply", {"assignments": "clear"}, data=data)
    assert done == {"leaves": 3, "kept": 0, "lost": 30}
    assert set(labels(dataset).values()) == {None}


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is no JSON"),
        (b'{"topics": [', "Line 1, column"),
        (b'{"topics": 3}', "topics is a number"),
        (b'{"topics": [{"name": 4}]}', "topics[0].name is a number"),
        (b'{"topics": [{"name": "a"}, {"name": "A"}]}', "Two topics"),
        (b"\xff\xfe{}", "not text in UTF-8"),
        (b"[" * 100_000, "nests too deep"),
        (
            json.dumps({f"t{n}": {"subtopics": [f"u{n}"]} for n in range(45_000)}).encode(),
            "45,000 topics",
        ),  # at once: looking names up takes no time of their square
        (b" " * (TOPIC_LIMITS.max_upload_bytes + 1), "at most 2,000,000"),
    ],
)
def test_a_bad_file_is_refused_in_words(importer, dataset, data, words):
    before = dataset.topics
    for method, params in (("preview", {}), ("apply", {"assignments": "keep"})):
        error = refusal(importer, method, params, data)
        assert error["code"] == "import_rejected"
        assert words in error["message"]
    assert dataset.topics == before


def test_a_preview_of_many_topics_is_short(importer):
    many = [{"name": f"t{n}", "children": [{"name": "a"}, {"name": "b"}]} for n in range(1_000)]
    found = importer.ask("preview", data=json.dumps({"topics": many}).encode())
    assert (found["topics"], len(found["shown"]), found["more"]) == (3_000, 200, 2_800)


@pytest.mark.parametrize("form", ["nested", "flat"])
def test_a_download_reads_back_to_the_same_topics(page, dataset, form):
    text = page.ask("export", {"form": form})
    assert text == topics_json(dataset.topics, form)
    before = dataset.topics.topics
    dataset.set_topics(json.loads(text))
    assert dataset.topics.topics == before
