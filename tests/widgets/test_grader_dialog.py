"""The grader dialog: what the page is told of a draft, and what it may do with one."""

from __future__ import annotations

import io
import json
import time
import typing
import zipfile
from typing import Any

import pytest
from builders import chat_line
from widgets.wire import Page

import rft_widgets as rft
from rft_widgets.graders.presets import GraderType
from rft_widgets.llm.allowed import CONNECTIONS_VARIABLE
from rft_widgets.model.grader import GRADER_TYPES
from rft_widgets.widgets.dialogs.grader import GraderDialog

EXACT = {
    "type": "string_check",
    "name": "exact",
    "input": "{{ sample.output_text }}",
    "reference": "{{ item.reference_answer }}",
    "operation": "eq",
}
JUDGE = {
    "type": "score_model",
    "name": "judge",
    "model": "some-judge",
    "input": [{"role": "user", "content": "Grade this: {{ response }}"}],
}
LOCAL = {"base_url": "http://127.0.0.1:9/v1", "api_key_env": None}


@pytest.fixture
def page(dataset):
    dataset.add_records(
        chat_line(
            f"What is {n} plus {n}, please?",
            str(2 * n if n % 3 else n),
            reference_answer=str(2 * n),
            human_reward=float(n % 3 != 0),
            metadata={"rating": n % 2, "cost": 4.5},
        )
        for n in range(30)
    )
    view = GraderDialog(dataset)
    yield Page(view)
    view.close()


def check(page: Page, grader: Any, **more: Any) -> Any:
    text = grader if isinstance(grader, str) else json.dumps(grader)
    return page.ask("check", {"grader": text, **more})


def done(page: Page, kind: str) -> Any:
    """Wait for the end of long work, and give how it ended."""

    for _ in range(2_000):
        found = [one for one in page.widget._dataset.job_states if one.kind == kind]
        if found and found[-1].status not in ("queued", "running"):
            return found[-1]
        time.sleep(0.005)
    raise AssertionError(f"{kind} did not end")


def test_it_opens_with_what_graders_can_be_written_with(page):
    view = page.ask("load")
    assert view["versions"] == []
    assert [field["name"] for field in view["fields"]["item"]] == [
        "human_reward", "reference_answer",
    ]  # fmt: skip
    assert view["fields"]["labels"] == ["human_reward", "metadata.rating"]
    names = [one["name"] for one in view["variables"]]
    assert names[:3] == ["item.human_reward", "item.reference_answer", "sample.output_text"]
    assert {one["type"] for one in view["starts"]} == set(GRADER_TYPES)
    assert set(typing.get_args(GraderType)) == set(GRADER_TYPES)


def test_every_start_is_taken_as_it_stands_but_for_the_model_of_a_judge(page):
    for start in page.ask("load")["starts"]:
        found = check(page, start["grader"])
        places = [problem["where"] for problem in found["problems"]]
        asks = start["type"] in ("score_model", "label_model")
        assert places == (["model"] if asks else []), start["type"]


def test_all_that_is_wrong_is_told_at_once_with_places(page, dataset):
    wrong = {
        "type": "multi",
        "name": "both",
        "graders": {
            "near": EXACT | {"input": "{{ sample.output }}", "reference": "a\n {{ itm.x }}"},
            "judge": JUDGE | {"model": "", "input": [{"role": "user", "content": "{{ nothing }}"}]},
        },
        "calculate_output": "0.5 * near + judg",
    }
    found = check(page, wrong)
    places = [(one["where"], one["line"], one["column"]) for one in found["problems"]]
    assert places == [
        ("calculate_output", 1, 14),
        ("graders.near.input", 1, 4),
        ("graders.near.reference", 2, 5),
        ("graders.judge.model", None, None),
        ("graders.judge.input[0].content", 1, 4),
    ]
    first = found["problems"][0]
    assert first["message"] == "there is no grader 'judg'; there are: judge, near"
    assert dataset.grader is None


@pytest.mark.parametrize(
    ("grader", "where", "line", "words"),
    [
        (EXACT | {"reference": "{{ item.refrence }}"}, "reference", 1, "'refrence'"),
        ({"type": "python", "source": "def grade(sample, item):\n  return ("}, "source", 2, ""),
        ({"type": "python", "source": "import os\ndef grade(s, i): return 1"}, "source", 1, "os"),
        ('{"type": "python",\n "source": }', "", 2, "not JSON"),
        ('{"type": "magic"}', "type", None, "magic"),
    ],
)
def test_places_are_told_as_exactly_as_they_are_known(page, grader, where, line, words):
    (problem,) = check(page, grader)["problems"]
    assert (problem["where"], problem["line"]) == (where, line)
    assert words in problem["message"]
    assert "(line" not in problem["message"], "the place stands beside the words"


def test_a_check_and_a_save_say_the_same(page, dataset):
    wrong = json.dumps(EXACT | {"input": "{{ sample.output }}"})
    (problem,) = check(page, wrong)["problems"]
    call = page.call("save", {"grader": wrong}, id="save-1")
    while call is None:
        call = page.reply("save-1")
    assert not call["ok"]
    assert problem["message"] in call["error"]["message"]
    assert dataset.grader_versions == ()


def test_a_judge_is_saved_without_a_connection_and_says_what_it_lacks(page, dataset, monkeypatch):
    found = check(page, JUDGE)
    assert not found["problems"]
    assert "some-judge" in found["missing"][0]
    assert page.ask("save", {"grader": json.dumps(JUDGE)})["version"] == 1
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    known = {"base_url": "https://api.openai.com/v1", "api_key_env": "OPENAI_API_KEY"}
    assert "OPENAI_API_KEY" in check(page, JUDGE, connection=known)["missing"][0]
    assert not check(page, JUDGE, connection=LOCAL)["missing"]


@pytest.mark.parametrize(
    "connection",
    [
        {"base_url": "https://evil.example/v1", "api_key_env": "OPENAI_API_KEY"},
        {"base_url": "https://evil.example/v1", "api_key_env": None},
        {"base_url": "https://api.openai.com.evil.example/v1", "api_key_env": "OPENAI_API_KEY"},
        {"base_url": "https://api.openai.com/v1", "api_key_env": "AWS_SECRET_ACCESS_KEY"},
        {"base_url": "http://127.0.0.1:9/v1", "api_key_env": "AWS_SECRET_ACCESS_KEY"},
    ],
)
def test_a_page_sends_no_key_and_no_record_where_nobody_allowed_it(page, dataset, connection):
    problem = check(page, JUDGE, connection=connection)["problems"][0]
    assert problem["where"] == "connection"
    assert "was not allowed for pages" in problem["message"]
    assert CONNECTIONS_VARIABLE in problem["hint"]
    given = {"grader": json.dumps(JUDGE), "connection": connection}
    assert page.call("start_test", given)["error"]["code"] == "invalid_argument"


def test_operators_and_python_allow_connections(page, dataset, monkeypatch):
    judge = {"base_url": "https://judge.example/v1", "api_key_env": "JUDGE_KEY"}
    assert check(page, JUDGE, connection=judge)["problems"]
    monkeypatch.setenv(CONNECTIONS_VARIABLE, "https://judge.example/v1=JUDGE_KEY https://b/v1=")
    assert not check(page, JUDGE, connection=judge)["problems"]
    free = {"base_url": "https://b/v1", "api_key_env": None}
    assert not check(page, JUDGE, connection=free)["problems"]
    assert check(page, JUDGE, connection=judge | {"api_key_env": "OTHER"})["problems"]


def test_a_draft_is_tried_before_it_is_saved(page, dataset):
    page.call("start_test", {"grader": json.dumps(EXACT)})
    job = done(page, "test_grader")
    assert (job.status, job.outcome) == ("succeeded", "Good variance - the grader differentiates")
    test = page.ask("results")["test"]
    assert test["hash"] == check(page, EXACT)["hash"]
    assert len(test["rows"]) == 5
    assert test["differentiates"] is True
    for row in test["rows"]:
        record = dataset.record(row["record_id"])
        assert row["reward"] == float(row["response"] == record.item["reference_answer"])
    assert dataset.grader_versions == ()


def test_what_was_tried_is_there_after_a_restart(page, dataset, show_dialog):
    page.call("start_test", {"grader": json.dumps(EXACT)})
    done(page, "test_grader")
    page.call("start_labels", {"grader": json.dumps(EXACT), "field": "human_reward"})
    done(page, "grader_labels")
    before = page.ask("results")
    with rft.Workspace(dataset._store.path) as workspace:
        later = show_dialog("grader", workspace.dataset(dataset.id))
        assert later.ask("results") == before
        assert before["labels"]["against"] == "human_reward"
        later.widget.close()


def test_gradings_that_fail_are_no_zeros(page):
    source = "def grade(sample, item):\n    return 1 / (len(sample['output_text']) - 2)\n"
    combined = {
        "type": "multi",
        "name": "both",
        "graders": {"code": {"type": "python", "source": source}, "exact": EXACT},
        "calculate_output": "code * 0.5 + 0.5 * exact",
    }
    page.call("start_test", {"grader": json.dumps(combined)})
    assert done(page, "test_grader").status == "succeeded"
    test = page.ask("results")["test"]
    failed = [row for row in test["rows"] if row["reward"] is None]
    assert 0 < len(failed) == test["failures"] < 5
    assert "ZeroDivisionError" in failed[0]["error"]
    assert failed[0]["flags"] == ["python_grader_runtime_error"]
    parts = {part["name"]: part["reward"] for part in failed[0]["parts"]}
    assert parts["code"] is None
    assert parts["exact"] is not None
    rewards = [row["reward"] for row in test["rows"] if row["reward"] is not None]
    assert test["mean"] == pytest.approx(sum(rewards) / len(rewards))


def test_a_test_that_cannot_begin_ends_in_words(page):
    page.call("start_test", {"grader": json.dumps(JUDGE)})
    job = done(page, "test_grader")
    assert job.status == "failed"
    assert "no model connection" in job.problem.message


def test_held_against_labels(page):
    for field in ("human_reward", "metadata.rating"):
        page.call("start_labels", {"grader": json.dumps(EXACT), "field": field})
        assert done(page, "grader_labels").status == "succeeded"
        found = page.ask("results")["labels"]
        assert found["against"] == field
        figures = {one["name"]: one["value"] for one in found["figures"]}
        assert figures["Labelled answers"] == "30"
        if field == "human_reward":
            assert figures["Agreement"] == "97%"  # 0 + 0 is right however it is answered
            assert "kappa" in found["sentence"]
    page.call("start_labels", {"grader": json.dumps(EXACT), "field": "nothing"})
    job = done(page, "grader_labels")
    assert job.status == "failed"
    assert "'nothing'" in job.problem.message


def test_held_against_a_version_and_back_to_it(page, dataset):
    assert page.ask("save", {"grader": json.dumps(EXACT)})["version"] == 1
    lenient = json.dumps({"type": "python", "source": "def grade(sample, item):\n    return 1.0\n"})
    page.call("start_comparison", {"grader": lenient, "version": 1})
    assert done(page, "compare_graders").status == "succeeded"
    found = page.ask("results")["versions"]
    assert found["against"] == "version 1"
    figures = {one["name"]: one["value"] for one in found["figures"]}
    assert figures["Mean of this grader"] == "1.00"
    assert figures["Same answers"] == "30"
    assert page.ask("save", {"grader": lenient})["version"] == 2
    assert page.ask("restore", {"version": 1})["version"] == 1
    versions = page.ask("load")["versions"]
    assert [(one["version"], one["in_use"]) for one in versions] == [(2, False), (1, True)]
    assert versions[1]["grader"] == EXACT


def test_what_becomes_stale_is_told(page, dataset):
    page.ask("save", {"grader": json.dumps(EXACT)})
    dataset.dry_run(n=20)
    saved = page.ask("save", {"grader": json.dumps(EXACT | {"operation": "ilike"})})
    assert any("grader" in reason for reason in saved["stale"])


def test_presets(page):
    made = page.call(
        "preset", {"name": "correctness", "model": "m", "reference": "reference_answer"}
    )
    assert not check(page, made["value"])["problems"]
    refused = page.call("preset", {"name": "conciseness"})
    assert "asks a judge" in refused["error"]["message"]
    fields = page.call("preset", {"name": "format", "required_fields": ["a", "b"]})
    assert not check(page, fields["value"])["problems"]


def test_a_saved_notebook_holds_nothing_of_it(page):
    page.ask("save", {"grader": json.dumps(EXACT)})
    page.call("start_test", {"grader": json.dumps(EXACT)})
    done(page, "test_grader")
    state = json.dumps(page.widget.get_state(), default=str)
    assert "sample.output_text" not in state
    assert "What is" not in state


def test_a_judge_is_asked_at_a_named_connection_and_makes_a_panel(page):
    nowhere = "http://127.0.0.1:9/v1"
    with rft.Workspace(page.widget._dataset._store.url) as ws:
        prices = {"input_usd_per_million": 1.0, "output_usd_per_million": 2.0}
        ws.add_connection("careful", nowhere, "judge-1", **prices)
        ws.add_connection("quick", nowhere, "judge-2")
    found = check(page, JUDGE | {"model": ""}, connection="careful")
    assert not found["problems"]
    assert not found["missing"]
    assert found["grader"]["model"] == "judge-1"
    lost = check(page, JUDGE, connection="gone")
    assert [one["where"] for one in lost["problems"]] == ["connection"]

    text = json.dumps(JUDGE)
    estimate = page.ask("estimate", {"grader": text, "connection": "careful"})
    assert estimate["calls"] == 5
    assert estimate["cost_micro_usd"] > 0
    assert page.ask("estimate", {"grader": "{", "connection": "careful"}) is None
    assert page.ask("estimate", {"grader": json.dumps(EXACT)}) is None

    given = {"connections": ["careful", "quick"], "repeats": 2, "combine": "median"}
    panel = page.ask("panel", {"grader": text, **given})
    assert [part["model"] for part in panel["graders"].values()] == ["judge-1"] * 2 + [
        "judge-2"
    ] * 2
    saved = page.ask("save", {"grader": json.dumps(panel), "connection": ["careful", "quick"]})
    assert saved["version"] == 1
    view = page.ask("load")["versions"][0]
    assert list(view["connection"]) == ["careful", "quick"]


def test_a_draft_is_exported_for_elsewhere(page):
    assert {one["name"] for one in page.ask("load")["targets"]} >= {"openai", "trl", "bedrock"}
    made = page.ask("export", {"target": "verl", "grader": json.dumps(EXACT)})
    told = page.ask("read_download", {"download": made["id"], "offset": 0})
    assert made["name"].endswith("-grader-verl.zip")
    with zipfile.ZipFile(io.BytesIO(told)) as archive:
        assert {"reward.py", "README.md", "requirements.txt"} <= set(archive.namelist())
        assert json.loads(archive.read("grader.json")) == EXACT
    assert page.refused("export", {"target": "nobody", "grader": json.dumps(EXACT)})
