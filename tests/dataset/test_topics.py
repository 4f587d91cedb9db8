"""Topics of a dataset: finding, setting and editing them, with the records that follow."""

from __future__ import annotations

import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from builders import chat_line
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import rft_widgets as rft
from rft_widgets.errors import (
    ImportRejected,
    InvalidArgument,
    NotFound,
    RunInterrupted,
)
from rft_widgets.model.topic import TopicHierarchy, hierarchy, topic
from rft_widgets.steps.topics.exchange import topics_json
from tests.dataset.themed import PATHS, THEMES, TREE, labels, last, leaves_hold_all, methods, themed

# -- generating -----------------------------------------------------------------------------------


def test_topics_are_found_and_hold_the_records(workspace: rft.Workspace) -> None:
    dataset = themed(workspace)
    dataset.add_records([chat_line("???!!! ???!!!", id="odd"), chat_line("short", id="invalid")])
    told: list[tuple[float, str]] = []
    found = dataset.generate_topics(
        seed=3, progress=lambda share, words: told.append((share, words))
    )
    assert found == dataset.topics
    assert len(found.paths) == 3
    assert (found.method, found.seed) == ("auto", 3)
    records = {record.id: record for record in dataset.iterate()}
    for theme in THEMES:
        assert len({records[f"{theme.lower()}{n}"].topic for n in range(10)}) == 1
    assert records["travel0"].topic_method == "similarity"
    assert 0 < (records["travel0"].topic_confidence or 0) <= 1
    assert records["travel0"].topic_runner_up in found.paths
    odd = records["odd"]
    assert (odd.topic, odd.topic_method, odd.topic_confidence) == (None, "similarity", 0.0)
    assert (records["invalid"].topic, records["invalid"].topic_method) == (None, None)
    shares = [share for share, _ in told]
    assert shares == sorted(shares)
    assert 0 <= shares[0] < shares[-1] <= 1
    details = last(dataset)
    assert (details["categorized"], details["other"], details["topics"]) == (30, 1, 3)
    assert details["inputs"].keys() == {"data", "topics"}
    assert dataset.stats.topics_count == 3
    assert dataset.stats.balance_score == pytest.approx(1.0)


def test_records_put_by_hand_stay_or_remember(workspace: rft.Workspace) -> None:
    dataset = themed(workspace)
    first = dataset.generate_topics()
    mine, other = first.paths[0], first.paths[1]
    dataset.confirm_topic("travel0", mine)
    dataset.rename_topic(other, "Special")
    dataset.confirm_topic("coding0", "Special")
    assert (dataset.topics_at_risk().labelled, dataset.topics_at_risk().by_hand) == (30, 2)
    dataset.generate_topics()
    stayed, lost = dataset.record("travel0"), dataset.record("coding0")
    assert (stayed.topic, stayed.topic_method, stayed.topic_confidence) == (mine, "manual", 1.0)
    assert (lost.topic, lost.topic_method, lost.previous_topic) == (None, None, "Special")
    assert (last(dataset)["kept_by_hand"], last(dataset)["unlabelled"]) == (1, 1)
    leaves_hold_all(dataset)


def test_templates(workspace: rft.Workspace) -> None:
    dataset = themed(workspace, 2)
    dataset.assign_topic("travel0", "Billing/Refunds")
    dataset.assign_topic("travel1", "Trips")
    found = dataset.generate_topics("template", template="support")
    assert "Billing/Refunds" in found.paths
    assert dataset.topics == found
    assert labels(dataset)["travel0"] == "Billing/Refunds"
    lost = dataset.record("travel1")
    assert (lost.topic, lost.previous_topic) == (None, "Trips")
    assert (last(dataset)["moved"], last(dataset)["unlabelled"]) == (0, 1)
    with pytest.raises(NotFound):
        dataset.generate_topics("template", template="nothing")


@pytest.mark.parametrize(
    "options",
    [
        {"method": "template"},
        {"method": "template", "template": "support", "n_topics": 3},
        {"method": "auto", "template": "support"},
        {"method": "manual"},
        {"depth": 6},
        {"n_topics": 0},
    ],
)
def test_options_are_checked(sqlite_workspace: rft.Workspace, options: dict[str, Any]) -> None:
    dataset = themed(sqlite_workspace, 2)
    with pytest.raises(InvalidArgument):
        dataset.generate_topics(**options)
    assert [event.kind for event in dataset.events] == ["create", "import_records"]


def test_nothing_to_find_topics_in(sqlite_workspace: rft.Workspace) -> None:
    dataset = sqlite_workspace.create("empty")
    with pytest.raises(InvalidArgument, match="no valid record"):
        dataset.generate_topics()
    with pytest.raises(InvalidArgument, match="no topics"):
        dataset.categorize()
    dataset.add_records([chat_line("?????????? ???")])
    with pytest.raises(InvalidArgument, match="No record says anything"):
        dataset.generate_topics()
    assert not dataset.topics.topics
    assert dataset.review_queue() == ()
    assert dataset.coverage().balance_score is None


def test_a_namer_names_and_what_it_said_can_be_said_again(sqlite_workspace: rft.Workspace) -> None:
    one, other = themed(sqlite_workspace), themed(sqlite_workspace)
    found = one.generate_topics(namer=lambda drafts: [(f"N{d.size} {d.name}", "D") for d in drafts])
    assert all(path.startswith("N10") for path in found.paths)
    assert other.generate_topics(namer=last(one)["namer"]) == found


@pytest.mark.parametrize("what", ["generate_topics", "categorize"])
def test_cancelled_runs_change_nothing(sqlite_workspace: rft.Workspace, what: str) -> None:
    dataset = themed(sqlite_workspace)
    dataset.set_topics(TREE)
    before = (labels(dataset), dataset.topics, len(dataset.events), dataset.info)
    calls = 0

    def cancelled() -> bool:
        nonlocal calls
        calls += 1
        return calls > stop

    stop = 0
    while True:
        calls = 0
        try:
            getattr(dataset, what)(cancelled=cancelled)
        except RunInterrupted:
            assert (labels(dataset), dataset.topics, len(dataset.events), dataset.info) == before
            stop += 1
        else:
            break
    assert stop > 3
    assert dataset.pipeline.nodes[1].status != "processing"


# -- labels that came with the data ---------------------------------------------------------------


def test_labels_of_the_data_make_the_topics(workspace: rft.Workspace) -> None:
    dataset = workspace.create("labelled")
    given_ = ["b", "a/x", "a/y", "a/x", "A/z", "bad//path", " ", "1/2/3/4/5/6", "a"]
    dataset.add_records(
        chat_line(f"The question number {n}", id=f"r{n}", topic=label)
        for n, label in enumerate(given_)
    )
    found = dataset.topics
    assert found.paths == ("a/x", "a/y", "b")
    assert found.method == "import"
    report = dataset.coverage()
    assert {row.topic: row.count for row in report.topics} == {"a/x": 2, "a/y": 1, "b": 1}
    assert report.uncategorized_records == len(given_) - 4
    # The first operation keeps the tree; labels beside it become none, and are remembered.
    dataset.add_topic("", "c")
    assert dataset.topics.paths == ("a/x", "a/y", "b", "c")
    leaves_hold_all(dataset)
    assert dataset.record("r8").previous_topic == "a"
    assert dataset.record("r1").topic == "a/x"


def test_labels_of_the_data_are_learned_from_and_kept(sqlite_workspace: rft.Workspace) -> None:
    dataset = sqlite_workspace.create("labelled")
    dataset.add_records(
        chat_line(text.format(n), id=f"{theme}{n}", **({"topic": theme} if n < 10 else {}))
        for n in range(20)
        for theme, text in THEMES.items()
    )
    summary = dataset.categorize()
    assert (summary.records, summary.categorized) == (30, 30)
    assert (summary.members, summary.confirmed) == (30, 30)
    assert all(
        label is not None and key.startswith(label) for key, label in labels(dataset).items()
    )
    again = dataset.categorize("recategorize_all")
    assert again.records == 30
    assert methods(dataset)["import"] == 30
    # Topics that are found take their place, and they are remembered.
    dataset.generate_topics(n_topics=3)
    assert dataset.record("Travel0").previous_topic == "Travel"
    assert methods(dataset) == {"similarity": 60}


def test_an_import_after_the_topics_adds_no_topic(workspace: rft.Workspace) -> None:
    dataset = themed(workspace, 2)
    dataset.set_topics(TREE)
    dataset.add_records([
        chat_line("a flight to another city", id="known", topic="Leisure/Travel"),
        chat_line("a soup with other vegetables", id="unknown", topic="Soups"),
    ])  # fmt: skip
    assert dataset.topics == TREE
    assert dataset.coverage().categorized_records == 1
    dataset.categorize()
    leaves_hold_all(dataset)
    record = dataset.record("unknown")
    assert record.topic in TREE.paths
    assert record.previous_topic == "Soups"
    assert dataset.record("known").topic_method == "import"


# -- setting and exchanging -----------------------------------------------------------------------


def test_set_topics_keeps_or_clears_assignments(workspace: rft.Workspace) -> None:
    dataset = themed(workspace, 2)
    dataset.set_topics(TREE)
    for theme, path in PATHS.items():
        dataset.assign_topic(dataset.select(ids=[f"{theme.lower()}{n}" for n in (0, 1)]), path)
    dataset.set_targets({"Leisure/Travel": 50, "Leisure/Cooking": 30, "Coding": 20})
    value = {"topics": {"Travel": {"description": "Trips"}, "Coding": {}, "New": {}}}
    found = dataset.set_topics(value)
    assert found.paths == ("Travel", "Coding", "New")
    assert Counter(labels(dataset).values()) == {"Travel": 2, "Coding": 2, None: 2}
    assert dataset.record("cooking0").previous_topic == "Leisure/Cooking"
    assert (last(dataset)["moved"], last(dataset)["unlabelled"]) == (2, 2)
    assert dataset.targets == pytest.approx({"Travel": 500 / 7, "Coding": 200 / 7, "New": 0})
    dataset.set_topics(found, assignments="clear")
    assert set(labels(dataset).values()) == {None}
    assert dataset.record("coding0").previous_topic == "Coding"
    assert dataset.record("cooking0").previous_topic == "Leisure/Cooking"
    with pytest.raises(InvalidArgument, match="'keep' or 'clear'"):
        dataset.set_topics(TREE, assignments="drop")  # type: ignore[arg-type]
    for wrong in ({"topics": 3}, {"topics": {"a": {1, 2}}}, {"topics": {"a": {"keywords": 1}}}):
        with pytest.raises(ImportRejected):
            dataset.set_topics(wrong)
    assert dataset.topics == found


@pytest.mark.parametrize("form", ["nested", "flat"])
def test_topics_go_through_a_file(sqlite_workspace: rft.Workspace, tmp_path: Path, form: Any):
    one, other = themed(sqlite_workspace, 1), themed(sqlite_workspace, 1)
    one.generate_topics("template", template="education")
    path = tmp_path / "topics.json"
    one.export_topics(path, form)
    assert other.import_topics(path) == one.topics == other.topics
    event = other.events[-1]
    assert (event.kind, event.details["file"]) == ("set_topics", str(path))
    path.write_text("{")
    with pytest.raises(ImportRejected):
        other.import_topics(path)
    with pytest.raises(NotFound):
        other.import_topics(tmp_path / "nothing.json")


def test_what_no_record_can_be_under_is_no_topic(workspace: rft.Workspace) -> None:
    dataset = themed(workspace, 1)
    deep = topic("x" * 200, children=[topic("y" * 200, children=[topic("z" * 200)])])
    with pytest.raises(InvalidArgument, match="602 characters"):
        dataset.set_topics(hierarchy([deep]))
    for odd in ("\0", "\ud800"):
        with pytest.raises(InvalidArgument):
            dataset.add_topic("", "name", description=odd)
        with pytest.raises(InvalidArgument):
            dataset.add_topic("", "name", keywords=[odd])
    assert not dataset.topics.topics


# -- editing --------------------------------------------------------------------------------------


@pytest.fixture
def edited(workspace: rft.Workspace) -> rft.OptimizationDataset:
    dataset = themed(workspace, 10)
    dataset.set_topics(TREE)
    for theme, path in PATHS.items():
        ids = [f"{theme.lower()}{n}" for n in range(10)]
        dataset.assign_topic(dataset.select(ids=ids), path)
    dataset.set_targets({"Leisure/Travel": 50, "Leisure/Cooking": 30, "Coding": 20})
    return dataset


def shares(dataset: rft.OptimizationDataset) -> dict[str, tuple[int, float]]:
    report = dataset.coverage(near_duplicates=False)
    return {row.topic: (row.count, round(row.target_percentage, 6)) for row in report.topics}


def test_records_and_targets_follow_edits(edited: rft.OptimizationDataset) -> None:
    ds = edited
    ds.rename_topic("Leisure", "Fun")
    assert shares(ds) == {"Fun/Travel": (10, 50), "Fun/Cooking": (10, 30), "Coding": (10, 20)}
    assert (last(ds)["moved"], last(ds)["unlabelled"]) == (20, 0)
    ds.move_topic("Coding", "Fun/Travel", position=0)
    assert shares(ds) == {
        "Fun/Travel/Coding": (10, 20), "Fun/Travel/General": (10, 50), "Fun/Cooking": (10, 30),
    }  # fmt: skip
    ds.merge_topics(["Fun/Travel/Coding", "Fun/Cooking"], name="Things")
    assert shares(ds) == {"Fun/Travel/Things": (20, 50), "Fun/Travel/General": (10, 50)}
    ds.add_topic("Fun/Travel/Things", "Small", keywords=["tiny"], rest=None)
    assert shares(ds) == {"Fun/Travel/Things/Small": (0, 0), "Fun/Travel/General": (10, 100)}
    assert ds.record("coding3").previous_topic == "Fun/Travel/Things"
    ds.describe_topic("Fun/Travel/Things/Small", description="What is small")
    assert ds.topics.find("Fun/Travel/Things/Small").keywords == ("tiny",)
    assert ds.topics.find("Fun/Travel/Things/Small").description == "What is small"
    ds.delete_topic("Fun/Travel/General", into="Fun/Travel/Things/Small")
    assert shares(ds) == {"Fun/Travel/Things/Small": (10, 100)}
    assert methods(ds) == {"manual": 10, None: 20}
    ds.delete_topic("Fun")
    assert set(labels(ds).values()) == {None}
    assert ds.topics.topics == ()
    kinds = [event.kind for event in ds.events[-7:]]
    assert kinds == [
        "rename_topic", "move_topic", "merge_topics", "add_topic", "describe_topic",
        "delete_topic", "delete_topic",
    ]  # fmt: skip


def test_a_refused_edit_changes_nothing(edited: rft.OptimizationDataset) -> None:
    before = (edited.info, edited.topics, labels(edited), len(edited.events))
    for attempt in (
        lambda: edited.rename_topic("Coding", "Leisure"),
        lambda: edited.add_topic("Nowhere", "x"),
        lambda: edited.merge_topics(["Coding"]),
        lambda: edited.split_topic("Leisure"),
        lambda: edited.delete_topic("Leisure", into="Leisure/Travel"),
        lambda: edited.assign_topic("coding0", "Leisure"),
        lambda: edited.assign_topic("coding0", "Code"),
        lambda: edited.confirm_topic("coding0", "Code"),
        lambda: edited.confirm_topic("nobody"),
    ):
        with pytest.raises((InvalidArgument, NotFound)):
            attempt()
        assert (edited.info, edited.topics, labels(edited), len(edited.events)) == before
    with pytest.raises(InvalidArgument, match="'Leisure/Travel', 'Leisure/Cooking', 'Coding'"):
        edited.assign_topic("coding0", "Code")


def test_a_leaf_is_split_by_what_its_records_say(workspace: rft.Workspace) -> None:
    dataset = themed(workspace, 10)
    dataset.set_topics(hierarchy([topic("All"), topic("Rest")]))
    dataset.assign_topic(dataset.select(), "All")
    dataset.set_targets({"All": 90, "Rest": 10})
    dataset.split_topic("All", n_topics=3)
    found = labels(dataset)
    for theme in THEMES:
        assert len({found[f"{theme.lower()}{n}"] for n in range(10)}) == 1
    assert set(found.values()) == set(dataset.topics.paths) - {"Rest"}
    assert sorted(dataset.targets.values()) == pytest.approx([10, 30, 30, 30])
    assert methods(dataset) == {"similarity": 30}
    assert sorted(last(dataset)["sizes"].values()) == [10, 10, 10]
    leaves_hold_all(dataset)


def test_deleted_records_follow_too(edited: rft.OptimizationDataset) -> None:
    deletion = edited.delete_records(edited.select(ids=["travel0", "cooking0"]))
    edited.rename_topic("Leisure/Travel", "Trips")
    edited.delete_topic("Leisure/Cooking")
    edited.undo_delete(deletion)
    assert edited.record("travel0").topic == "Leisure/Trips"
    cooking = edited.record("cooking0")
    assert (cooking.topic, cooking.previous_topic) == (None, "Leisure/Cooking")
    leaves_hold_all(edited)


def test_the_second_choice_follows(workspace: rft.Workspace) -> None:
    dataset = themed(workspace)
    one, two, three = dataset.generate_topics(depth=1).paths
    seconds = Counter(record.topic_runner_up for record in dataset.iterate())
    dataset.rename_topic(one, "First")
    after = Counter(record.topic_runner_up for record in dataset.iterate())
    assert after == {"First" if path == one else path: n for path, n in seconds.items()}
    dataset.merge_topics(["First", two])
    for record in dataset.iterate():
        assert record.topic_runner_up != record.topic
        assert record.topic_runner_up in {None, "First", three}


def test_an_edit_applies_to_the_tree_of_the_moment(store_url: str) -> None:
    with rft.Workspace(store_url) as mine, rft.Workspace(store_url) as theirs:
        one = themed(mine, 2)
        one.set_topics(TREE)
        other = theirs.dataset(one.id)
        seen = other.topics
        one.rename_topic("Coding", "Programs")
        other.add_topic("Leisure", "Sports")  # made from a page that shows Coding
        assert other.topics.paths == (
            "Leisure/Travel", "Leisure/Cooking", "Leisure/Sports", "Programs",
        )  # fmt: skip
        assert "Coding" in seen.paths
        with pytest.raises(NotFound, match="'Coding'"):
            other.rename_topic("Coding", "Software")


def test_many_edits_at_once_are_all_kept(store_url: str) -> None:
    with rft.Workspace(store_url) as workspace:
        dataset = themed(workspace, 2)
        dataset.set_topics(TREE)
        failed: list[BaseException] = []

        def add(worker: int) -> None:
            try:
                with rft.Workspace(store_url) as own:
                    for n in range(5):
                        own.dataset(dataset.id).add_topic("", f"w{worker} {n}")
            except BaseException as error:
                failed.append(error)

        threads = [threading.Thread(target=add, args=(n,)) for n in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert not failed
        assert len(dataset.topics.paths) == len(TREE.paths) + 15


OPERATIONS = ("add", "rename", "move", "merge", "delete", "into", "split", "set", "assign", "trash")


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_no_edit_loses_a_record(sqlite_workspace: rft.Workspace, data: st.DataObject) -> None:
    """Whatever is done, each record is under one leaf or under none, and none is lost."""
    dataset = themed(sqlite_workspace, 4)
    dataset.set_topics(TREE)
    for theme, path in PATHS.items():
        dataset.assign_topic(dataset.select(ids=[f"{theme.lower()}{n}" for n in range(4)]), path)
    dataset.set_targets({"Leisure/Travel": 50, "Leisure/Cooking": 30, "Coding": 20})
    deletions = []
    for _ in range(data.draw(st.integers(1, 8))):
        tree = dataset.topics
        nodes = [node.id for node in tree.walk()]
        if not nodes:
            break
        pick = st.sampled_from(nodes)
        before = dataset.coverage(near_duplicates=False)
        what = data.draw(st.sampled_from(OPERATIONS))
        try:
            if what == "add":
                rest = data.draw(st.sampled_from(["General", None]))
                dataset.add_topic(data.draw(st.sampled_from(["", *nodes])), "Added", rest=rest)
            elif what == "rename":
                dataset.rename_topic(data.draw(pick), data.draw(st.sampled_from(["A", "B", "C"])))
            elif what == "move":
                dataset.move_topic(data.draw(pick), data.draw(st.sampled_from(["", *nodes])))
            elif what == "merge":
                name = data.draw(st.sampled_from([None, "A", "Coding"]))
                dataset.merge_topics([data.draw(pick), data.draw(pick)], name=name)
            elif what == "delete":
                dataset.delete_topic(data.draw(pick))
            elif what == "into":
                into = data.draw(st.sampled_from(tree.paths))
                dataset.delete_topic(data.draw(pick), into=into)
            elif what == "split":
                dataset.split_topic(data.draw(pick), n_topics=2)
            elif what == "set":
                dataset.set_topics(data.draw(st.sampled_from([TREE, hierarchy([topic("Coding")])])))
            elif what == "assign":
                dataset.assign_topic("coding0", data.draw(st.sampled_from(tree.paths)))
            elif deletions:
                dataset.undo_delete(deletions.pop())
            else:
                deletions.append(dataset.delete_records("travel0"))
        except (InvalidArgument, NotFound):
            continue
        report = dataset.coverage(near_duplicates=False)
        leaves_hold_all(dataset)
        if what in ("add", "rename", "move", "merge", "split"):
            assert report.total_records == before.total_records == 12 - len(deletions)
        if what in ("rename", "merge", "into", "split", "move"):
            assert report.categorized_records == before.categorized_records
        assert report.categorized_records == sum(row.count for row in report.topics)
        if report.topics:
            assert sum(dataset.targets.values()) == pytest.approx(100)


def test_a_tree_of_many_topics(sqlite_workspace: rft.Workspace) -> None:
    dataset = themed(sqlite_workspace, 2)
    big = hierarchy(
        [topic(f"t{i}", children=[topic(f"u{j}") for j in range(99)]) for i in range(100)]
    )
    began = time.monotonic()
    dataset.set_topics(big)
    dataset.assign_topic("coding0", "t7/u7")
    dataset.rename_topic("t7", "seven")
    dataset.set_topics(TopicHierarchy(topics=big.topics[:5]))
    assert dataset.record("coding0").topic is None
    assert time.monotonic() - began < 20
    assert len(topics_json(dataset.topics)) > 0
