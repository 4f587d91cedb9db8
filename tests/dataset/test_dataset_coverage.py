"""Coverage of a dataset: counts from the store, targets, near-duplicates."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from builders import chat_line, data_folder, draft

import rft_widgets as rft
from rft_widgets.dataset import coverage as module
from rft_widgets.dataset.coverage import coverage_now
from rft_widgets.errors import InvalidArgument, NotFound
from rft_widgets.model.topic import hierarchy, topic
from tests.steps import banking77


def labelled(workspace: rft.Workspace, counts: dict[str | None, int]) -> rft.OptimizationDataset:
    dataset = workspace.create("labelled")
    dataset.add_records(
        chat_line(f"A question number {n} of {label}", id=f"{label} {n}", topic=label)
        for label, count in counts.items()
        for n in range(count)
    )
    return dataset


def test_only_valid_records_count(workspace: rft.Workspace) -> None:
    dataset = labelled(workspace, {"A": 3, "B": 1, None: 1})
    dataset.add_records([
        chat_line("short", topic="A"),
        chat_line("A question number 0 of A", topic="A"),
        draft("A question of a generated record", topic="B", is_generated=True),
    ])  # fmt: skip
    report = dataset.coverage()
    assert {row.topic: row.count for row in report.topics} == {"A": 3, "B": 2}
    assert (report.total_records, report.uncategorized_records) == (6, 1)
    assert report.balance_score == pytest.approx(2 / 3)
    assert dataset.stats.balance_score == report.balance_score
    assert dataset.stats.topics_count == 2
    assert report.near_duplicate_percentage == 0
    with dataset._store.read() as connection:
        now = coverage_now(connection, dataset.id)
    assert now.near_duplicate_percentage is None
    assert now.topics == report.topics
    assert report.what_if({"B": 1}).balance_score == 1


def test_targets(workspace: rft.Workspace) -> None:
    dataset = labelled(workspace, {"A": 6, "B": 2, "C": 2})
    assert dataset.targets == pytest.approx(dict.fromkeys("ABC", 100 / 3))
    assert dataset.set_targets({"A": 50, "B": 50}) == {"A": 50, "B": 50, "C": 0}
    assert dataset.targets == {"A": 50, "B": 50, "C": 0}
    assert dataset.coverage().distribution["A"].target_percentage == 50
    assert dataset.events[-1].details == {"targets": {"A": 50, "B": 50}}
    assert dataset.set_targets("traffic") == {"A": 60, "B": 20, "C": 20}
    assert dataset.coverage().balance_score == pytest.approx(1)
    # The word is kept: what traffic there is decides, and generated records are none.
    dataset.add_records(
        draft(f"Another question {n}", topic="B", is_generated=n % 2 == 0) for n in range(20)
    )
    assert dataset.targets == {"A": 30, "B": 60, "C": 10}
    assert dataset.set_targets("uniform") == pytest.approx(dict.fromkeys("ABC", 100 / 3))
    assert dataset.events[-1].details == {"targets": "uniform"}


def test_wrong_targets_change_nothing(workspace: rft.Workspace) -> None:
    dataset = labelled(workspace, {"A": 6, "B": 2})
    before = (dataset.info, len(dataset.events))
    for wrong in ({"A": 50}, {"X": 100}, {"A": -1, "B": 101}, {"A": True, "B": 99}, "even"):
        with pytest.raises(InvalidArgument):
            dataset.set_targets(wrong)  # type: ignore[arg-type]
    assert (dataset.info, len(dataset.events)) == before
    empty = workspace.create("empty")
    with pytest.raises(InvalidArgument, match="no topics"):
        empty.set_targets({"A": 100})
    assert empty.set_targets("uniform") == {}
    assert empty.coverage().topics == ()
    workspace.delete(empty.id)
    for call in (empty.coverage, lambda: empty.targets, lambda: empty.topics):
        with pytest.raises(NotFound):
            call()


def test_targets_do_not_change_what_the_data_are(workspace: rft.Workspace) -> None:
    from rft_widgets.store.datasets import records_revision

    dataset = labelled(workspace, {"A": 6, "B": 2})
    with dataset._store.read() as connection:
        before = records_revision(connection, dataset.id)
    revision = dataset.info.revision
    dataset.set_targets({"A": 75, "B": 25})
    assert dataset.info.revision > revision
    with dataset._store.read() as connection:
        assert records_revision(connection, dataset.id) == before


def test_targets_of_labels_that_are_gone(workspace: rft.Workspace) -> None:
    dataset = labelled(workspace, {"A": 1, "B": 2, "C": 2})
    dataset.set_targets({"A": 50, "B": 30, "C": 20})
    dataset.delete_records("A 0")
    assert dataset.targets == pytest.approx({"B": 60, "C": 40})
    dataset.assign_topic(dataset.select(), "D")
    assert dataset.targets == {"D": 100}


def test_banking77(sqlite_workspace: rft.Workspace) -> None:
    texts, gold = banking77.load("train")
    dataset = sqlite_workspace.create("banking77")
    dataset.add_records(
        chat_line(text, id=f"r{n}", topic=intent)
        for n, (text, intent) in enumerate(zip(texts, gold, strict=True))
    )
    repeats = dataset.repeated_prompts()
    assert (repeats.compared, repeats.exact) == (len(texts), 31)
    report = dataset.coverage()
    assert report.entropy == pytest.approx(0.992, abs=5e-4)
    assert report.balance_score == pytest.approx(0.187, abs=5e-4)
    assert len(report.topics) == 77
    counts = Counter(r.topic for r in dataset.iterate() if r.is_valid)
    assert {row.topic: row.count for row in report.topics} == counts
    assert report.near_duplicate_percentage is not None
    # None is the same to the letter, so all are valid; 31 are but for case and punctuation.
    assert dataset.health.duplicates == 0
    assert 31 <= report.near_duplicate_percentage / 100 * len(texts) <= 50


def test_near_duplicates_are_measured_once_a_change(
    sqlite_workspace: rft.Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = sqlite_workspace.create("near")
    dataset.set_topics(hierarchy([topic("A")]))
    words = " ".join(f"word{n}" for n in range(40))
    dataset.add_records(chat_line(f"{words} number {n}") for n in range(4))
    dataset.add_records(
        chat_line(f"quite another question: {n * 7} {n} things to be asked of {n + 3}")
        for n in range(4)
    )
    measured: list[int] = []
    groups = module.near_duplicate_groups

    def counted(texts: list[str]) -> list[int]:
        measured.append(len(texts))
        return groups(texts)

    monkeypatch.setattr(module, "near_duplicate_groups", counted)
    share = dataset.coverage().near_duplicate_percentage
    assert share == pytest.approx(100 * 3 / 8)
    assert dataset.coverage(near_duplicates=False).near_duplicate_percentage is None
    dataset.set_targets("traffic")
    assert dataset.coverage().near_duplicate_percentage == share
    assert measured == [8]
    dataset.add_records([chat_line("one more question that is new")])
    dataset.coverage()
    assert measured == [8, 9]


def test_countdown_prompts_are_no_duplicates(sqlite_workspace: rft.Workspace) -> None:
    path = data_folder() / "datasets" / "azure_rft_countdown" / "countdown_train_100.jsonl"
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    dataset = sqlite_workspace.create("countdown")
    dataset.add_records(lines)
    assert dataset.stats.valid_records == 100
    assert dataset.coverage().near_duplicate_percentage == 0
