"""How topics stand: counts, how they were measured, what an import does, decisions taken back."""

from __future__ import annotations

import pytest

import rft_widgets as rft
from rft_widgets.errors import NotFound, RunInterrupted, StaleEdit
from rft_widgets.model.topic import hierarchy, topic
from tests.dataset.themed import PATHS, TREE, labels, themed


@pytest.fixture
def dataset(workspace: rft.Workspace) -> rft.OptimizationDataset:
    made = themed(workspace)
    made.set_topics(TREE)
    for theme, path in PATHS.items():
        for n in range(6):
            made.confirm_topic(f"{theme.lower()}{n}", path)
    made.categorize()
    return made


def test_a_parent_has_the_sum_of_its_children(dataset: rft.OptimizationDataset) -> None:
    report = dataset.topics_report
    assert [row.path for row in report.topics] == [
        "Leisure", "Leisure/Travel", "Leisure/Cooking", "Coding",
    ]  # fmt: skip
    assert [row.records for row in report.topics] == [20, 10, 10, 10]
    assert report.topics[0].share == pytest.approx(2 / 3)
    assert (report.categorized, report.uncategorized, report.decided) == (30, 0, 18)
    bands = report.bands
    assert bands.high + bands.medium + bands.needs_review + bands.unknown == 30
    dataset.assign_topic("coding0", None)
    assert dataset.topics_report.uncategorized == 1


def test_a_fit_of_other_topics_is_foretold(dataset: rft.OptimizationDataset) -> None:
    after = hierarchy([topic("Trips", children=[topic("Travel"), topic("Hotels")])])
    impact = dataset.topics_impact(after)
    assert (impact.replaced, impact.labelled, impact.by_hand) == (4, 30, 18)
    assert (impact.kept, impact.kept_by_hand) == (10, 6)
    dataset.set_topics(after)
    assert sum(one is not None for one in labels(dataset).values()) == impact.kept


def test_the_report_says_how_confidences_were_measured(workspace: rft.Workspace) -> None:
    dataset = themed(workspace)
    assert dataset.topics_report.measure is None
    dataset.set_topics(TREE)
    dataset.categorize()
    estimate = dataset.topics_report.measure
    assert (estimate.basis, estimate.records, estimate.accuracy) == ("estimate", 0, None)
    dataset.confirm_topic("coding0", "Coding")
    dataset.categorize("recategorize_all")
    estimate = dataset.topics_report.measure  # one record measures nothing
    assert (estimate.basis, estimate.records, estimate.accuracy) == ("estimate", 1, None)
    dataset.generate_topics()
    assert dataset.topics_report.measure.basis == "clustering"
    dataset.set_topics(TREE)
    assert dataset.topics_report.edits_since == 1
    for theme, path in PATHS.items():
        for n in range(6):
            dataset.confirm_topic(f"{theme.lower()}{n}", path)
    assert dataset.topics_report.confirmed_since == 18
    dataset.categorize("recategorize_all")
    report = dataset.topics_report
    assert report.measure.basis == "confirmed"
    assert report.measure.records == 18
    assert (report.edits_since, report.confirmed_since) == (0, 0)
    dataset.reset_pipeline()
    assert dataset.topics_report.measure is None


def test_low_confidence_is_counted_as_records_are_filtered(
    workspace: rft.Workspace,
) -> None:
    dataset = themed(workspace, 3)
    dataset.set_topics(TREE)
    dataset.categorize()
    report = dataset.topics_report
    low = dataset.count(rft.RecordFilter(low_confidence=True, valid=True))
    assert report.low_confidence == report.to_review == low > 0
    assert len(dataset.review_queue()) == low
    dataset.assign_topic("travel0", "Leisure/Travel")
    dataset.add_topic("", "Leisure time")  # begins like a parent, and is none
    for row in dataset.topics_report.topics:
        where = rft.RecordFilter(topic=row.path, valid=True)
        assert row.records == dataset.count(where), row.path
        where = rft.RecordFilter(topic=row.path, low_confidence=True, valid=True)
        assert row.low_confidence == dataset.count(where), row.path


def test_regenerating_that_is_stopped_half_way_says_so(dataset: rft.OptimizationDataset) -> None:
    with pytest.raises(RunInterrupted, match="new topics are there"):
        dataset.regenerate_topics(
            "template",
            template="support",
            cancelled=lambda: dataset.topics.method == "template",
        )
    assert dataset.topics.method == "template"


def test_what_was_changed_since_is_not_taken_back(dataset: rft.OptimizationDataset) -> None:
    dataset.confirm_topic("coding9", "Leisure/Travel")
    dataset.assign_topic("coding9", "Leisure/Cooking")
    with pytest.raises(StaleEdit, match="changed since"):
        dataset.undo_confirm_topic("coding9")
    dataset.confirm_topic("coding9", "Leisure/Travel")
    dataset.delete_topic("Leisure/Cooking")
    with pytest.raises(StaleEdit, match="no more"):
        dataset.undo_confirm_topic("coding9")
    with pytest.raises(NotFound):
        dataset.undo_confirm_topic("nobody")
    assert labels(dataset)["coding9"] == "Leisure/Travel"
