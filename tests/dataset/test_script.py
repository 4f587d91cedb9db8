"""The log of a dataset as a script: run in another store it comes to the same content."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from builders import assistant, chat_line, draft, user, write_jsonl

import rft_widgets as rft
from rft_widgets.sample.support import write_sample

LENGTH = {
    "type": "python",
    "name": "length",
    "source": "def grade(sample, item):\n    return min(1.0, len(sample['output_text']) / 60)\n",
}


def replayed(dataset: rft.OptimizationDataset, folder: Path, *, status: int = 0) -> Any:
    """What a process prints that runs the dataset's script in a store of its own."""
    script = folder / "again.py"
    script.write_text(dataset.to_script(), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error", script, folder / "again.db"],
        capture_output=True,
        text=True,
        timeout=120,
        encoding="utf-8",
    )
    assert done.returncode == status, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout.split() if status == 0 else done.stderr


def lines(count: int = 60, prefix: str = "Question") -> list[dict[str, Any]]:
    words = ("parcel late delivery", "refund money card", "size shoe wide")
    return [chat_line(f"{prefix} {n} on my {words[n % 3]}", f"Answer {n}") for n in range(count)]


def test_everything_that_was_done_is_done_again(workspace: rft.Workspace, tmp_path: Path):
    dataset = workspace.create("Première 'quoted' \"name\"", objective="Aim\nin two lines")
    bad = [b"no json", chat_line("Short"), *lines(), lines()[0]]
    dataset.import_records(write_jsonl(tmp_path, bad))
    dataset.add_records(
        [*lines(20, "More"), draft("From memory: ünïcode 😡 \\ '", "Yes", item={"a": 1})]
    )
    first, second, third, *_ = dataset.records(limit=10).records
    dataset.edit_record(
        first, messages=[user("An edited question\nof two lines")], output=[assistant("Edited")]
    )
    dataset.edit_record(second.id, item={"deep": [{"x": None}, 1.5]}, metadata={"who": "me"})
    dataset.delete_records(third.id)
    gone = dataset.delete_records(dataset.select(rft.RecordFilter(search="More"), except_ids=[]))
    dataset.undo_delete(gone)
    dataset.delete_records(dataset.select(rft.RecordFilter(valid=False)))
    dataset.generate_topics(n_topics=3, seed=4)
    leaves = dataset.topics.paths
    dataset.rename_topic(leaves[0], "Renamed 'topic'")
    dataset.add_topic("", "Extra", description="More", keywords=["x", "y"])
    dataset.assign_topic(dataset.select(rft.RecordFilter(search="shoe")), "Extra")
    dataset.confirm_topic(first.id, "Renamed 'topic'")
    dataset.delete_topic(leaves[1])
    dataset.categorize("unlabeled_only", seed=2)
    rest = dataset.topics.paths
    dataset.merge_topics(rest[:2], name="Merged")
    dataset.set_targets(dict(zip(dataset.topics.paths, (30, 70), strict=True)))
    dataset.set_grader(LENGTH)
    dataset.set_grader(LENGTH | {"name": "second"})
    dataset.set_grader(1)
    dataset.dry_run(n=20, seed=3)
    run = dataset.dry_runs[-1].id
    dataset.delete_records(dataset.select(rft.RecordFilter(dry_run=run, max_score=0.1)))
    dataset.update(name="Second name", objective="Other")
    _, found = replayed(dataset, tmp_path)
    assert found == dataset.content_hash
    with rft.Workspace(tmp_path / "again.db") as again:
        (copy,) = again.datasets()
        assert copy.content_hash == dataset.content_hash
        assert (copy.name, copy.objective) == ("Second name", "Other")
        assert copy.topics == dataset.topics
        assert copy.targets == dataset.targets
        kinds = [event.kind for event in dataset.events]
        assert [event.kind for event in copy.events] == kinds
        assert {r.id for r in copy.iterate()} == {r.id for r in dataset.iterate()}
        report = dataset.dry_runs[-1].report
        assert copy.dry_runs[-1].report == report


def test_traces_are_read_again_with_their_filters(sqlite_workspace: rft.Workspace, tmp_path: Path):
    path = write_sample(tmp_path / "spans.jsonl", n=60).path
    traces = rft.open_traces(path).filter(has_response=True, min_turns=1).filter(search="order")
    ids = [trace.id for trace in traces][:25]
    dataset = sqlite_workspace.create_from_traces(
        traces.select(ids), name="Chosen", mode="last_turn_per_thread", collapse_prefixes=True
    )
    assert 0 < dataset.count() <= 25
    assert replayed(dataset, tmp_path)[1] == dataset.content_hash


def test_training_and_deployment_are_part_of_the_log(trained, sample_workspace, tmp_path):
    trained.deploy("ab_test", ratio=25, model="mine", base_model="theirs", start=False).roll_back()
    script = trained.to_script()
    compile(script, "script", "exec")
    assert "ds.train({" in script
    assert "mode='ab_test', ratio=25.0, model='mine', base_model='theirs'" in script
    assert ".roll_back()" in script
    # It began as a copy, which no script can make again.
    assert "began as a copy" in replayed(trained, tmp_path, status=1)


def test_what_cannot_be_repeated_is_said(sqlite_workspace: rft.Workspace, tmp_path: Path):
    dataset = sqlite_workspace.create("Large")
    dataset.add_records(chat_line(f"Question {n}: {'long ' * 400}") for n in range(200))
    assert "200 records came from memory" in replayed(dataset, tmp_path, status=1)


def test_a_changed_input_is_noticed(sqlite_workspace: rft.Workspace, tmp_path: Path):
    path = write_jsonl(tmp_path, lines())
    dataset = sqlite_workspace.create("Changed")
    dataset.import_records(path)
    write_jsonl(tmp_path, lines(59))
    assert "an input has changed" in replayed(dataset, tmp_path, status=1)


def test_hashes_follow_the_content_alone(workspace: rft.Workspace):
    one, other = workspace.create("One"), workspace.create("Other")
    one.add_records(lines())
    other.add_records(reversed(lines()))
    assert one.content_hash == other.content_hash, "order does not matter"
    before = one.content_hash
    record = one.records(limit=1).records[0]
    one.edit_record(record, item={"x": 1})
    assert one.content_hash != before
    one.edit_record(record.id, item={})
    assert one.content_hash == before
    deletion = one.delete_records(record.id)
    assert one.content_hash != before
    one.undo_delete(deletion)
    one.rename("Another")
    assert one.content_hash == before
    one.assign_topic(record.id, "topic")
    labelled = one.content_hash
    assert labelled != before
    one.set_targets("traffic")
    assert one.content_hash != labelled
    one.set_grader(LENGTH)
    graded = one.content_hash
    assert graded != labelled
    one.dry_run(n=5)
    assert one.content_hash == graded, "runs and scores are no content"


@pytest.mark.parametrize("name", ["a'b", 'a"b', "a\\b", "a\nb", "a{b}", "a\u2028b", '"""'])
def test_no_text_breaks_the_script(workspace: rft.Workspace, name: str):
    dataset = workspace.create(name, objective=name)
    dataset.add_records([chat_line(f"A question with {name}", name)])
    dataset.assign_topic(dataset.records().records[0].id, name.replace("\n", " ").replace("/", " "))
    dataset.delete_records(dataset.select(rft.RecordFilter(search=name)))
    compile(dataset.to_script(), "script", "exec")
    scope: dict[str, Any] = {"__name__": "script"}
    exec(dataset.to_script(), scope)
    again = scope["replay"](workspace)
    assert again.content_hash == dataset.content_hash
