"""Grading chosen records, and what is known of their grades."""

from __future__ import annotations

import json
import sys

import pytest
from builders import draft

import rft_widgets as rft
from rft_widgets.errors import InvalidArgument, RunInterrupted

SAME = {
    "type": "string_check",
    "name": "same",
    "input": "{{ sample.output_text }}",
    "reference": "{{ item.reference }}",
    "operation": "eq",
}


def line(number: int, answer: str = "yes") -> rft.RecordDraft:
    prompt = f"Question number {number} is this"
    return draft(prompt, answer, id=f"r{number}", item={"reference": "yes"})


@pytest.fixture
def ds(workspace) -> rft.OptimizationDataset:
    made = workspace.create("Graded")
    invalid = draft("no", "yes", id="r4", item={"reference": "yes"})
    made.add_records([line(0), line(1, "no"), line(2), line(3, ""), invalid])
    made.set_grader(SAME)
    return made


def scores(ds: rft.OptimizationDataset) -> dict[str, float | None]:
    return {record.id: record.dry_run_score for record in ds.iterate()}


def test_chosen_records_get_their_scores(ds):
    before = ds.info.revision
    told = []
    done = ds.evaluate(ds.select(), progress=lambda share, doing: told.append((share, doing)))
    assert (done.graded, done.failed, done.invalid, done.unanswered) == (3, 0, 1, 1)
    assert done.mean == pytest.approx(2 / 3)
    assert done.sentence == (
        "3 graded, mean 0.67; 1 invalid left out; 1 without an answer left out."
    )
    assert scores(ds) == {"r0": 1.0, "r1": 0.0, "r2": 1.0, "r3": None, "r4": None}
    assert ds.info.revision > before, "views have to follow"
    assert told[-1] == (1.0, "5 of 5")


def test_others_keep_theirs(ds):
    ds.evaluate("r1")
    assert scores(ds) == {"r0": None, "r1": 0.0, "r2": None, "r3": None, "r4": None}
    nothing = ds.evaluate(ds.select(ids=[]))
    assert (nothing.graded, nothing.mean, nothing.sentence) == (0, None, "0 graded.")


def test_a_failure_is_counted_and_is_no_zero(ds):
    ds.evaluate(ds.select())
    ds.edit_record("r0", item={"other": 1})  # the grader's template names a field that is gone
    done = ds.evaluate(ds.select(ids=["r0", "r1"]))
    assert (done.graded, done.failed) == (1, 1)
    assert done.mean == 0.0
    assert "1 failed (" in done.sentence
    assert scores(ds)["r0"] == 1.0, "what it was"


def test_what_was_graded_before_a_stop_stays(workspace):
    made = workspace.create("Stopped")
    made.add_records([line(number) for number in range(60)])
    made.set_grader(SAME)
    asked = []
    with pytest.raises(RunInterrupted, match="their scores stay") as caught:
        made.evaluate(made.select(), cancelled=lambda: len(asked) >= 30 or asked.append(1))
    kept = [score for score in scores(made).values() if score is not None]
    assert 0 < len(kept) < 60
    assert f"after {len(kept)} of 60" in caught.value.message


def test_without_a_grader_there_is_nothing_to_do(workspace):
    made = workspace.create("None")
    with pytest.raises(InvalidArgument, match="no grader"):
        made.evaluate(made.select())


def test_the_log_repeats_it(ds, tmp_path):
    ds.evaluate(ds.select(rft.RecordFilter(valid=True), except_ids=["r1"], also_ids=["r4"]))
    script = ds.to_script()
    assert "ds.evaluate(rft.Selection(where=rft.RecordFilter(valid=True)" in script
    compile(script, "again.py", "exec")
    namespace: dict = {"__name__": "again"}
    exec(script, namespace)
    with rft.Workspace(tmp_path / "again.db") as other:
        again = namespace["replay"](other)
        assert again.content_hash == ds.content_hash
        assert scores(again) == scores(ds)


def test_the_last_dry_run_tells_of_a_record(ds):
    assert ds.graded_answers("r0") == ()
    ds.dry_run(n=10, probes=False)
    found = ds.graded_answers("r1")
    assert [(one.record_id, one.reward) for one in found] == [("r1", 0.0)]
    assert ds.graded_answers("r3") == ()
    assert ds.graded_answers("r") == ()
    assert ds.graded_answers('%"') == ()
    assert ds.graded_answers("\ud800") == ()


def test_a_check_says_what_an_edit_would(ds):
    for change in (
        {"messages": [{"role": "user", "content": "no"}]},
        {"messages": [{"role": "user", "content": "Question number 2 is this"}]},
        {"output": [{"role": "robot", "content": "x"}]},
        {"item": {"reference": "no"}},
    ):
        before = ds.record("r3")
        check = ds.check_record("r3", **change)
        assert ds.record("r3") == before, "nothing is changed"
        after = ds.edit_record("r3", **change)
        assert check.issues == after.validation_errors
        assert check.tokens == after.tokens
        ds.edit_record("r3", messages=before.input.messages, output=before.output.messages)
    assert ds.check_record(ds.record("r4")).issues == ds.record("r4").validation_errors
    with pytest.raises(InvalidArgument, match=r"messages\[0\]: role is missing"):
        ds.check_record("r3", messages=[{"content": "x"}])
    with pytest.raises(InvalidArgument):
        ds.check_record("r3", item={"a": float("nan")})


def test_a_script_grader_is_confined_and_closed(workspace):
    if sys.platform != "linux":
        pytest.skip("scripts need a jail")
    made = workspace.create("Script")
    made.add_records([line(number) for number in range(3)])
    source = "def grade(sample, item):\n    return 0.5\n"
    made.set_grader({"type": "python", "name": "half", "source": source})
    assert made.evaluate(made.select()).mean == 0.5
    assert json.loads(json.dumps(scores(made))) == {"r0": 0.5, "r1": 0.5, "r2": 0.5}
