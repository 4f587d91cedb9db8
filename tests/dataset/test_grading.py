"""The grader of a dataset: what is refused when it is saved, versions, tests on samples."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from builders import ManyAtOnce, chat_line, data_folder

import rft_widgets as rft
from rft_widgets.errors import (
    GraderInvalid,
    ImportRejected,
    InvalidArgument,
    NotFound,
    RunInterrupted,
)

EXACT = {
    "type": "string_check",
    "name": "exact",
    "input": "{{ sample.output_text }}",
    "reference": "{{ item.reference_answer }}",
    "operation": "eq",
}


@pytest.fixture
def dataset(workspace: rft.Workspace) -> rft.OptimizationDataset:
    made = workspace.create("Graded")
    made.add_records(
        chat_line(f"What is {n} plus {n}, please?", str(2 * n + n % 2), reference_answer=str(2 * n))
        for n in range(40)
    )
    return made


def test_without_a_grader(dataset: rft.OptimizationDataset):
    assert dataset.grader is None
    assert dataset.grader_versions == ()
    with pytest.raises(InvalidArgument, match="no grader"):
        dataset.test_grader()
    with pytest.raises(InvalidArgument, match="no grader"):
        dataset.dry_run()


def test_every_saved_grader_is_a_version(dataset: rft.OptimizationDataset):
    first = dataset.set_grader(EXACT)
    assert (first.version, dataset.grader, len(first.hash)) == (1, first.grader, 64)
    again = dataset.set_grader(json.dumps(EXACT))
    assert again == first, "the same grader is the same version"
    second = dataset.set_grader(EXACT | {"operation": "ne"})
    assert [version.version for version in dataset.grader_versions] == [1, 2]
    assert dataset.grader_version == second
    dataset.set_grader(1)
    assert dataset.grader == first.grader
    with pytest.raises(NotFound, match="no grader version 7"):
        dataset.set_grader(7)
    kinds = [event.details["version"] for event in dataset.events if event.kind == "set_grader"]
    assert kinds == [1, 1, 2, 1]
    assert dataset.pipeline.nodes[3].status == "configured"


@pytest.mark.parametrize(
    ("grader", "words"),
    [
        (EXACT | {"input": "{{ sample.output }}"}, "sample has no 'output'"),
        (EXACT | {"reference": "{{ item.refrence }}"}, "no record has the item field 'refrence'"),
        (EXACT | {"operation": "equals"}, "operation"),
        (
            {"type": "python", "name": "x", "source": "def grade(sample, item)\n  return 1"},
            "line 1",
        ),
        ({"type": "python", "name": "x", "source": "import os\ndef grade(s, i): return 1"}, "os"),
        ({"type": "magic"}, "no grader type 'magic'"),
        ("{", "not JSON"),
        (
            {"type": "multi", "graders": {"a": EXACT}, "calculate_output": "a + b"},
            "b",
        ),
    ],
)
def test_a_bad_grader_is_refused_when_it_is_saved(
    dataset: rft.OptimizationDataset, grader: Any, words: str
):
    with pytest.raises(GraderInvalid, match=words):
        dataset.set_grader(grader)
    assert dataset.grader_versions == ()


def test_the_simple_form_of_the_dialog_is_taken(dataset: rft.OptimizationDataset):
    script = "def grade(sample, item):\n    return 0.5\n"
    dataset.set_grader({"type": "script", "script": script})
    assert dataset.test_grader().mean == 0.5
    dataset.set_grader([
        {"type": "script", "script": script, "weight": 3},
        {"type": "script", "script": script.replace("0.5", "1.0"), "weight": 1},
    ])  # fmt: skip
    assert dataset.test_grader().mean == pytest.approx(0.625)
    assert dataset.pipeline.nodes[3].summary == "2 graders"


def test_a_grader_is_read_from_a_file(dataset: rft.OptimizationDataset, tmp_path: Path):
    path = tmp_path / "exact.json"
    path.write_text(json.dumps(EXACT), encoding="utf-8")
    assert dataset.set_grader(path).grader.name == "exact"
    script = tmp_path / "half.py"
    script.write_text("def grade(sample, item):\n    return 0.5\n", encoding="utf-8")
    assert dataset.set_grader(script).grader.name == "half"
    assert dataset.test_grader().mean == 0.5
    script.write_bytes(b"def grade(sample, item):\n    return '\xff'")
    with pytest.raises(GraderInvalid, match="no text"):
        dataset.set_grader(script)
    with pytest.raises(ImportRejected, match="cannot be read"):
        dataset.set_grader(tmp_path)
    with pytest.raises(NotFound, match="no file"):
        dataset.set_grader(tmp_path / "nothing.json")


def test_a_test_shows_prompt_response_and_score(dataset: rft.OptimizationDataset):
    dataset.set_grader(EXACT)
    found = dataset.test_grader(n=10)
    assert len(found.answers) == 10
    assert found.sentence == "Good variance - the grader differentiates"
    for one in found.answers:
        record = dataset.record(one.record_id)
        assert one.response == record.output.messages[0].text
        assert record.input.messages[0].text in one.prompt
        assert one.reward == float(one.response == record.item["reference_answer"])
    assert found == dataset.test_grader(n=10), "the same records for the same seed"
    assert found != dataset.test_grader(n=10, seed=1)


def test_a_published_grader_and_its_data_load_unchanged(sqlite_workspace: rft.Workspace):
    folder = data_folder() / "datasets/azure_rft_countdown"
    dataset = sqlite_workspace.create_from_file(folder / "countdown_train_100.jsonl")
    text = (folder / "grader_config_aoai.json").read_text(encoding="utf-8")
    version = dataset.set_grader(text)
    assert dataset.pipeline.nodes[3].summary == f"Judge: {json.loads(text)['model']}"
    assert dataset.grader == version.grader
    with pytest.raises(GraderInvalid, match="no model connection"):
        dataset.compiled_grader()


# -- judges ---------------------------------------------------------------------------------------


@pytest.fixture
def judge() -> Iterator[str]:
    """Address of a server that gives every answer the score 7 of 10."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            verdict = json.dumps({"reasoning": "seven of ten", "result": 7})
            message = {"role": "assistant", "content": verdict}
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            body = json.dumps({"id": "c", "object": "chat.completion", "choices": [choice]})
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ManyAtOnce(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


JUDGE = {
    "type": "score_model",
    "name": "judge",
    "model": "some-judge",
    "range": [0, 10],
    "input": [{"role": "user", "content": "Grade this: {{ response }}"}],
}


def test_a_judge_is_asked_where_it_was_saved_with(dataset: rft.OptimizationDataset, judge: str):
    dataset.set_grader(JUDGE, connection=rft.ModelConnection(base_url=judge, api_key_env=None))
    found = dataset.test_grader(n=3)
    assert [one.reward for one in found.answers] == [0.7] * 3, "rescaled from 0..10"
    assert [one.raw_reward for one in found.answers] == [7.0] * 3
    assert found.answers[0].reasoning == "seven of ten"
    report = dataset.dry_run(n=20, probes=False)
    assert report.mean is not None
    assert report.mean.estimate == pytest.approx(0.7)
    assert dataset.pipeline.nodes[3].summary == "Judge: some-judge"


def test_a_grader_is_tried_before_it_is_saved(dataset: rft.OptimizationDataset, judge: str):
    asked = rft.ModelConnection(base_url=judge, api_key_env=None)
    found = dataset.test_grader(n=3, grader=JUDGE, connection=asked)
    assert [one.reward for one in found.answers] == [0.7] * 3
    compared = dataset.compare_graders(JUDGE, EXACT, connection=asked, n=10)
    assert compared.overall.before_mean == pytest.approx(0.7)
    assert compared.matched == 10
    assert dataset.grader_versions == ()


def test_what_takes_long_can_be_stopped(dataset: rft.OptimizationDataset):
    for stopped in (
        lambda: dataset.test_grader(grader=EXACT, cancelled=lambda: True),
        lambda: dataset.compare_graders(EXACT, EXACT, cancelled=lambda: True),
    ):
        with pytest.raises(RunInterrupted):
            stopped()
    told: list[float] = []
    dataset.compare_graders(EXACT, EXACT, progress=lambda share, _: told.append(share))
    assert told == sorted(told)
    assert told[-1] == 1.0


@pytest.mark.parametrize(
    ("grader", "places"),
    [
        (EXACT, []),
        (EXACT | {"input": "{{ a }}", "reference": "{{ item.b }}"}, ["input"]),
        (EXACT | {"input": "{{ item.a }}", "reference": "{{ item.b }}"}, ["input", "reference"]),
        ("{", [""]),
    ],
)
def test_a_check_tells_all_that_is_wrong(
    dataset: rft.OptimizationDataset, grader: Any, places: list[str]
):
    found = dataset.check_grader(grader)
    assert [problem.where for problem in found.problems] == places
    assert (found.hash is None) == (grader == "{")
    assert dataset.grader_versions == ()


def test_no_key_is_stored_or_sent_in_the_open(dataset: rft.OptimizationDataset):
    with pytest.raises(InvalidArgument, match="in the open"):
        dataset.set_grader(JUDGE, connection=rft.ModelConnection(base_url="http://example.com/v1"))
    assert dataset.grader_versions == ()
