"""The seven nodes, as what is done to a dataset moves them."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import msgspec
import pytest
from builders import chat_line

import rft_widgets as rft
from rft_widgets import pipeline
from rft_widgets.model.settings import PIPELINE
from rft_widgets.pipeline import DATA_CHANGED, GRADER_CHANGED, TOPICS_CHANGED
from rft_widgets.steps.parse import draft_from_json
from rft_widgets.store import activity, history, job_queue
from rft_widgets.store.activity import working

LENGTH = {
    "type": "python",
    "name": "length",
    "source": "def grade(sample, item):\n    return min(1.0, len(sample['output_text']) / 60)\n",
}
WAITING_FOR = {
    2: "Import data first",
    3: "Import data first",
    4: "Import data first",
    5: "Import data first",
    6: "Import data first",
    7: "Complete training first",
}


def lines(count: int = 90) -> Iterator[dict]:
    topics = ("parcels", "refunds", "sizes")
    for n in range(count):
        answer = "x" * (6 + 37 * n % 41)
        yield chat_line(f"Question {n} about my {topics[n % 3]}", answer, topic=topics[n % 3])


@pytest.fixture
def dataset(sqlite_workspace: rft.Workspace) -> rft.OptimizationDataset:
    made = sqlite_workspace.create("Pipe")
    made.add_records(lines())
    return made


def node(dataset: rft.OptimizationDataset, step: int):
    return dataset.pipeline.nodes[step - 1]


def test_an_empty_dataset_waits_and_says_why(workspace: rft.Workspace):
    dataset = workspace.create("Empty", source="gateway")
    nodes = dataset.pipeline.nodes
    assert [one.id for one in nodes] == [1, 2, 3, 4, 5, 6, 7]
    assert [one.status for one in nodes] == ["ready", *["waiting"] * 6]
    assert {one.id: one.blocked_reason for one in nodes if one.blocked_reason} == WAITING_FOR
    assert dataset.pipeline.current_step == 1
    assert dataset.pipeline.list_status == "in_progress"


def test_the_way_from_records_to_a_verdict(workspace: rft.Workspace):
    dataset = workspace.create("Way")
    dataset.add_records([line | {"topic": None} for line in lines()])
    assert node(dataset, 1).status == "active"
    assert node(dataset, 1).summary == "Source: Uploaded file • 90 records"
    assert (node(dataset, 2).status, dataset.pipeline.current_step) == ("ready", 2)
    assert node(dataset, 3).blocked_reason == "Configure topics first"

    for topic in ("parcels", "refunds", "sizes", "other"):
        dataset.add_topic("", topic)
    assert node(dataset, 2).status == "attention"
    assert node(dataset, 2).summary == "4 topics • 90 records have no topic yet"
    for topic in ("parcels", "refunds"):
        dataset.assign_topic(dataset.select(rft.RecordFilter(search=topic)), topic)
    rest = dataset.select(rft.RecordFilter(search="sizes"))
    assert node(dataset, 2).summary == "4 topics • 30 records have no topic yet"
    dataset.assign_topic(rest, "sizes")
    assert node(dataset, 2).status == "complete"
    assert node(dataset, 2).summary == "4 topics • 90 records"
    assert (node(dataset, 3).status, node(dataset, 3).summary) == (
        "attention", "Balance: 0.00 (Poor)",
    )  # fmt: skip
    dataset.delete_topic("other")
    assert (node(dataset, 3).status, node(dataset, 3).summary) == ("complete", "Balance: 1.00")

    assert (node(dataset, 4).status, node(dataset, 4).summary) == ("ready", "No grader yet")
    assert node(dataset, 5).blocked_reason == "Configure the grader first"
    dataset.set_grader(LENGTH)
    assert (node(dataset, 4).status, node(dataset, 4).summary) == ("configured", "Python script")
    assert (node(dataset, 5).status, node(dataset, 6).status) == ("ready", "ready")
    assert dataset.stats.dry_run_status == "pending"

    report = dataset.dry_run()
    words = f"Mean: {report.mean.estimate:.2f} • {report.verdict}"
    assert node(dataset, 5).summary == words
    assert node(dataset, 5).status == {"GO": "passed", "CAUTION": "attention"}[report.verdict]
    assert dataset.stats.dry_run_mean == report.mean.estimate
    assert dataset.stats.dry_run_status == report.verdict.lower()


def test_low_confidence_wants_attention(sqlite_workspace: rft.Workspace):
    dataset = sqlite_workspace.create("Unsure")
    unsure = round(100 * PIPELINE.uncertain_share)

    def drafts(count: int) -> Iterator[rft.RecordDraft]:
        for n, line in enumerate(lines(100)):
            draft = draft_from_json(line)
            sure = 0.4 if n < count else 0.95
            yield msgspec.structs.replace(draft, topic_confidence=sure, topic_method="similarity")

    dataset.add_records(drafts(unsure))
    assert node(dataset, 2).status == "attention"
    assert node(dataset, 2).summary == f"{unsure} records (5%) have low confidence"
    dataset.add_records(drafts(unsure - 1), mode="replace")
    assert node(dataset, 2).status == "complete"


@pytest.mark.parametrize(
    ("grader", "summary"),
    [
        (LENGTH, "Python script"),
        (
            {
                "type": "text_similarity", "name": "s", "input": "{{response}}",
                "reference": "{{lastUserMessage}}", "evaluation_metric": "rouge_l",
            },
            "Text similarity: rouge_l",
        ),
        (
            {
                "type": "string_check", "name": "c", "input": "{{response}}", "reference": "yes",
                "operation": "eq",
            },
            "String check",
        ),
        (
            {"type": "score_model", "name": "j", "model": "some/judge",
             "input": [{"role": "user", "content": "{{response}}"}]},
            "Judge: some/judge",
        ),
        (
            {"type": "multi", "graders": dict.fromkeys("abc", LENGTH), "calculate_output": "a+b+c"},
            "3 graders",
        ),
    ],
)  # fmt: skip
def test_the_grader_in_words(dataset: rft.OptimizationDataset, grader: dict, summary: str):
    dataset.set_grader(grader)
    assert node(dataset, 4).summary == summary


# -- what is stale --------------------------------------------------------------------------------


def test_changes_make_a_dry_run_stale_and_taking_them_back_does_not(
    dataset: rft.OptimizationDataset,
):
    dataset.set_grader(LENGTH)
    dataset.dry_run()
    fresh = node(dataset, 5)
    assert fresh.stale == ()

    deletion = dataset.delete_records(dataset.records(limit=1).records[0].id)
    assert node(dataset, 5).status == "attention"
    assert (node(dataset, 5).status_label, node(dataset, 5).stale) == ("Stale", (DATA_CHANGED,))
    assert node(dataset, 5).summary == fresh.summary, "the result stays to be read"
    dataset.undo_delete(deletion)
    assert node(dataset, 5) == fresh

    record = dataset.records(limit=1).records[0]
    dataset.edit_record(record, item={"more": 1})
    assert node(dataset, 5).stale == (DATA_CHANGED,)
    dataset.edit_record(record.id, item=record.item)
    assert node(dataset, 5) == fresh

    dataset.assign_topic(record.id, "sizes" if record.topic != "sizes" else "refunds")
    changed = node(dataset, 5)
    assert changed.stale == (TOPICS_CHANGED,)
    assert changed.status == fresh.status, "only the part by topic is of before"

    dataset.set_grader(LENGTH | {"name": "another"})
    assert set(node(dataset, 5).stale) == {GRADER_CHANGED, TOPICS_CHANGED}
    assert node(dataset, 5).status_label == "Stale"
    dataset.set_grader(1)
    dataset.rename("Another name")
    dataset.set_targets("traffic")
    assert node(dataset, 5).stale == (TOPICS_CHANGED,)


def test_a_large_dataset_is_stale_by_count_alone(
    dataset: rft.OptimizationDataset, monkeypatch: pytest.MonkeyPatch
):
    small = msgspec.structs.replace(PIPELINE, exact_stale_records=10)
    monkeypatch.setattr(pipeline, "PIPELINE", small)
    dataset.set_grader(LENGTH)
    dataset.dry_run()
    assert node(dataset, 5).stale == ()
    deletion = dataset.delete_records(dataset.records(limit=1).records[0].id)
    dataset.undo_delete(deletion)
    assert node(dataset, 5).stale == (DATA_CHANGED,)


# -- at work --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("step", "doing", "words"),
    [
        (1, "Extracting", "Extracting... 52%"),
        (2, "Categorizing", "Categorizing... 52%"),
        (5, "Dry run", "Dry run... 52%"),
    ],
)
def test_a_step_at_work_is_seen_from_elsewhere(
    dataset: rft.OptimizationDataset, step: int, doing: str, words: str
):
    dataset.set_grader(LENGTH)
    before = node(dataset, step)
    with (
        working(dataset._store, dataset.id, step, doing) as tell,
        rft.Workspace(dataset._store.path) as elsewhere,
    ):
        other = elsewhere.dataset(dataset.id)
        assert node(other, step).status == "processing"
        assert node(other, step).summary == f"{doing}..."
        threading.Event().wait(0.6)
        tell(0.52, doing)
        assert (node(other, step).summary, node(other, step).progress) == (words, 0.52)
    assert node(dataset, step) == before


@pytest.mark.parametrize("end", ["silent", "ended"])
def test_a_step_of_a_job_is_at_work_as_long_as_the_job(
    dataset: rft.OptimizationDataset, monkeypatch: pytest.MonkeyPatch, end: str
):
    store, owner = dataset._store, job_queue.new_owner("worker")
    job = job_queue.create(
        store, dataset.id, kind="categorize", title="Categorize", params="{}", excludes=(),
        owner=owner,
    )  # fmt: skip
    before = node(dataset, 2)
    token = history.current_job.set(job)
    try:
        with working(store, dataset.id, 2, "Categorizing"):
            assert node(dataset, 2).status == "processing"
            if end == "silent":  # its process was killed, and could take nothing back
                monkeypatch.setattr(activity, "SILENT_S", 0.0)
            else:
                job_queue.end(store, job, owner, "failed")
            assert node(dataset, 2) == before
    finally:
        history.current_job.reset(token)


def test_long_steps_show_that_they_are_at_work(dataset: rft.OptimizationDataset):
    dataset.set_grader(LENGTH)
    seen: dict[int, set[str]] = {1: set(), 2: set(), 5: set()}
    dataset.dry_run(progress=lambda *_: seen[5].add(node(dataset, 5).status))
    dataset.add_records(
        (chat_line(f"One more question {n}", "An answer") for n in range(30)),
        progress=lambda *_: seen[1].add(node(dataset, 1).status),
    )
    dataset.generate_topics(progress=lambda *_: seen[2].add(node(dataset, 2).status))
    assert seen == {1: {"processing"}, 2: {"processing"}, 5: {"processing"}}


# -- reset, list, copy ----------------------------------------------------------------------------


def test_a_reset_clears_the_steps_and_keeps_records_and_history(trained, sample_workspace):
    copy = sample_workspace.duplicate(trained.id)
    assert copy.topics == trained.topics
    assert copy.grader_version.hash == trained.grader_version.hash
    assert copy.training_jobs == (), "history stays behind"
    copy.dry_run(n=40)
    copy.add_topic("", "By hand")
    record = copy.records(limit=1).records[0]
    copy.assign_topic(record.id, "By hand")
    job = copy.train().wait(60)
    deployment = copy.deploy(start=False)
    assert [n.status for n in copy.pipeline.nodes[5:]] == ["complete", "complete"]
    assert copy.pipeline.list_status == "attention"
    count = copy.count()

    copy.reset_pipeline()
    assert copy.count() == count
    assert copy.topics.paths == ()
    assert copy.grader is None
    assert copy.dry_runs == ()
    assert copy.record(record.id).previous_topic == "By hand"
    assert copy.count(rft.RecordFilter(min_score=0.0)) == 0
    assert [n.status for n in copy.pipeline.nodes] == [
        "active", "ready", "waiting", "ready", "waiting", "waiting", "waiting",
    ]  # fmt: skip
    assert [one.id for one in copy.training_jobs] == [job.id]
    assert [one.id for one in copy.deployments] == [deployment.id]
    copy.set_grader(1)
    assert copy.pipeline.nodes[5].status == "ready", "a run from before is history"


def test_the_list_filters_by_status(trained, sample, sample_workspace):
    def ids(status: str) -> set[str]:
        return {one.id for one in sample_workspace.datasets(status=status)}

    everything = {one.id for one in sample_workspace.datasets()}
    statuses = ("in_progress", "attention", "training", "complete")
    assert set.union(*map(ids, statuses)) == everything
    assert sample.id in ids("in_progress")
    with pytest.raises(rft.RftError, match="no status 'new'"):
        sample_workspace.datasets(status="new")
