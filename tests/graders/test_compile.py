"""Graders compiled for elsewhere grade there as they do here, and need nothing of this package."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from builders import assistant, user
from compiling import (
    EVERYTHING,
    LABEL,
    SCORE,
    SCRIPT,
    STANDALONE,
    WITHOUT_MODELS,
    check,
    multi,
    recorded_answers,
    similar,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from rft_widgets.errors import InvalidArgument, RftError
from rft_widgets.graders import compile_grader, load_grader
from rft_widgets.graders.compile import TARGETS, service_form, standalone, write_grader
from rft_widgets.graders.compile.reading import read_sample, text_of
from rft_widgets.llm.direct import DirectModel, JudgePlace
from rft_widgets.model.connection import ConnectionSettings
from rft_widgets.model.llm import ModelConnection
from rft_widgets.model.message import FunctionCall, Message, ToolCall, to_json
from rft_widgets.model.parity import ParityReport
from rft_widgets.steps.parity import check_parity, parity_outputs, repeats_of
from rft_widgets.testing.openai_server import ChatRequest, OpenAIServer

Json = dict[str, Any]


def held(grader: Json, target: str, folder: Path, n: int = 1_000, **more: Any) -> ParityReport:
    """The report of a grader and its compiled form, on real outputs."""
    loaded = load_grader(grader)
    files = write_grader(loaded, folder, target=target, connections=more.pop("connections", ()))
    outputs = parity_outputs(recorded_answers(), n)
    with compile_grader(loaded, **more) as compiled:
        return check_parity(compiled, files, outputs, environment={"JUDGE_KEY": "k"})


def covers(report: ParityReport, n: int) -> None:
    """All were compared, or could not be handed over; failing is no way to be equal."""
    assert report.holds, report.differences[:5]
    assert report.n + report.not_carried == n
    assert report.n > 0.75 * n
    assert report.failed < 0.8 * report.n


def alone(folder: Path, code: str, **environment: str) -> Any:
    """What a program prints as JSON that has a compiled folder and not this package."""
    before = f"import sys; sys.modules['rft_widgets'] = None; sys.path.insert(0, {str(folder)!r})"
    done = subprocess.run(
        [sys.executable, "-I", "-B", "-c", f"{before}\n{code}"],
        capture_output=True, text=True, check=False, env=environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("target", STANDALONE)
def test_a_compiled_grader_gives_the_same_rewards(target: str, tmp_path: Path) -> None:
    covers(held(EVERYTHING, target, tmp_path), 1_000)


def test_failed_gradings_fail_there_too(tmp_path: Path) -> None:
    report = held(WITHOUT_MODELS["multi"], "trl", tmp_path)
    covers(report, 1_000)
    assert report.failed


@pytest.mark.slow
@pytest.mark.parametrize("target", STANDALONE)
@pytest.mark.parametrize("name", WITHOUT_MODELS)
def test_every_type_of_grader_for_every_target(name: str, target: str, tmp_path: Path) -> None:
    covers(held(WITHOUT_MODELS[name], target, tmp_path), 1_000)


def judge(request: ChatRequest) -> str:
    """A judge whose verdict follows from all that it is shown."""
    shown = request.question
    value = sum(map(ord, shown)) % 11
    if value == 0 or "cannot be used" in shown:
        return "I would rather not say."
    if "label" in json.dumps(request.body["response_format"]):
        return json.dumps({"reasoning": "so", "label": "good" if value > 5 else "bad"})
    return json.dumps({"reasoning": "so", "score": value / 2})


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    with OpenAIServer(key="k") as opened:
        opened.script(judge)
        yield opened


def judged(
    server: OpenAIServer, grader: Json, target: str, folder: Path, n: int,
    monkeypatch: pytest.MonkeyPatch,
) -> ParityReport:  # fmt: skip
    monkeypatch.setenv("JUDGE_KEY", "k")
    connection = ModelConnection(base_url=server.base_url, api_key_env="JUDGE_KEY")
    place = ConnectionSettings(connection=connection, model="judge-1", concurrency=16)
    model = DirectModel(JudgePlace(connection=connection))
    report = held(grader, target, folder, n, connections=[place], model_call=model)
    covers(report, n)
    return report


@pytest.mark.parametrize(("grader", "target"), [(SCORE, "trl"), (LABEL, "verl")])
def test_judges_are_asked_there_as_here(
    grader: Json, target: str, tmp_path: Path, server: OpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = judged(server, grader, target, tmp_path, 150, monkeypatch)
    bodies = sorted(json.dumps(one.body, sort_keys=True) for one in server.paid)
    assert bodies[::2] == bodies[1::2]  # each was asked twice, word for word
    assert report.failed  # the judge that would rather not say
    assert "k\n" not in "".join(f.read_text() for f in tmp_path.glob("*.*"))


@pytest.mark.slow
@pytest.mark.parametrize("target", STANDALONE)
@pytest.mark.parametrize("grader", [SCORE, LABEL, multi(score=SCORE, label=LABEL, s=SCRIPT)])
def test_every_judge_for_every_target(
    grader: Json, target: str, tmp_path: Path, server: OpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged(server, grader, target, tmp_path, 1_000, monkeypatch)


def test_a_difference_is_listed_with_its_record(tmp_path: Path) -> None:
    loaded = load_grader(check("ilike"))
    files = write_grader(loaded, tmp_path, target="trl")
    (tmp_path / "grader.json").write_text(json.dumps(check("eq", input="{{item.other}}")))
    outputs = parity_outputs(recorded_answers(40), 60)
    with compile_grader(loaded) as compiled:
        report = check_parity(compiled, files, outputs)
    assert not report.holds
    assert report.equal + len(report.differences) == report.n == 60
    one = report.differences[0]
    assert (one.record_id, one.kind, one.compiled) == (outputs[0].record_id, "recorded", None)
    assert "other" in (one.compiled_error or "")
    assert one.record_id in report._repr_html_()


def test_a_folder_that_does_not_run_is_an_error(tmp_path: Path) -> None:
    loaded = load_grader(check("eq"))
    files = write_grader(loaded, tmp_path, target="verl")
    files.entry.write_text("import rft_widgets")
    with (
        compile_grader(loaded) as compiled,
        pytest.raises(RftError, match=r"does not run.*rft_widgets"),
    ):
        check_parity(compiled, files, parity_outputs(recorded_answers(10), 5))


def test_the_copy_needs_msgspec_and_rapidfuzz_alone() -> None:
    standard = frozenset(sys.stdlib_module_names) | {"worker", "jail_linux"}
    assert standalone.third_parties(standalone.ROOTS, standard) == {"msgspec", "rapidfuzz"}
    copied = standalone.standalone_files()
    assert not [
        path
        for path, text in copied.items()
        if re.search(r"^\s*(from|import) rft_w", text, re.MULTILINE)
    ]
    assert "graders/sandbox/jail_linux.py" in copied


@settings(max_examples=60)
@given(st.lists(st.sampled_from([
    "import rft_widgets.llm", "from rft_widgets.model.llm import (\n    STAND_IN,\n)",
    "import json", 'TEXT = "import rft_widgets.llm"', "# from rft_widgets.errors import RftError",
    "def f():\n    from rft_widgets.errors import RftError\n    return RftError",
    'NAME = f"rft_widgets.{1}"',
])))  # fmt: skip
def test_only_imports_are_rewritten(statements: list[str]) -> None:
    source = "\n".join(statements)
    made = standalone.rewritten(source)
    changed = [
        (a, b) for a, b in zip(source.splitlines(), made.splitlines(), strict=True) if a != b
    ]
    for before, after in changed:
        assert before.lstrip().startswith(("import rft_widgets.", "from rft_widgets."))
        assert before.replace("rft_widgets", "rft_grader") == after
    wanted = [s for s in statements if re.match(r"(import|from) rft_w|def f", s)]
    assert len(changed) == len(wanted)


def test_a_folder_grades_whatever_a_framework_hands_over(tmp_path: Path) -> None:
    grader = multi(like=check("ilike"), script=SCRIPT)
    for target in ("trl", "verl", "openrlhf", "bedrock"):
        write_grader(load_grader(grader), tmp_path / target, target=target)
    item = {"want": "blue", "messages": [user("Which colour?")]}
    found = alone(
        tmp_path / "trl",
        f"""
import json, rft_grader, reward
item = {item!r}
logged = []
kept = reward.reward(
    prompts=["p"] * 3,
    completions=["Blue!", [{assistant("Blue!")!r}], "red\\u202e"],
    item=[json.dumps(item)] * 3,
    log_metric=lambda *one: logged.append(one),
)
print(json.dumps([kept, rft_grader.grade("Blue!", item), rft_grader.grade([], item), logged]))
""",
    )
    rewards, once, nothing, logged = found
    assert rewards[0] == rewards[1] == once > 0.2
    assert rewards[2] is None
    assert nothing < once
    assert logged == [["grader/error_rate", pytest.approx(1 / 3)]]

    code = f"""
import json, reward
print(json.dumps(reward.compute_score("d", "x\\u202e", {json.dumps(item)!r})))
"""
    assert alone(tmp_path / "verl", code) == {
        "score": 0.0, "failed": 1.0, "part/like": 0.0, "part/script": 0.0,
    }  # fmt: skip

    code = f"""
import json, reward_func
query = "<s>user: hi assistant:" + "Blue!<|im_end|>\\n"
graded = reward_func.grade_queries([query], ["user: hi assistant:"], [{json.dumps(item)!r}])
print(json.dumps(graded[0].reward))
"""
    assert alone(tmp_path / "openrlhf", code) == once


def test_lambda_reads_both_shapes_of_an_event(tmp_path: Path) -> None:
    write_grader(load_grader(multi(like=check("ilike"))), tmp_path, target="bedrock")
    prompt, answer = [user("Which colour?")], assistant("It is blue.")
    event = [
        {"id": "1", "messages": [*prompt, answer], "metadata": {"want": "BLUE"}},
        {"id": "2", "messages": [*prompt, answer], "want": "blue"},
        {"id": "3", "messages": [*prompt, answer], "metadata": {}},
        {"id": "4", "messages": prompt, "metadata": {"want": "blue"}},
    ]
    code = (
        f"import json, lambda_function as f; print(json.dumps(f.lambda_handler({event!r}, None)))"
    )
    first, second, third, fourth = alone(tmp_path, code)
    weight = 1 / 4.7
    assert first == {
        "id": "1",
        "aggregate_reward_score": pytest.approx(weight),
        "metrics_list": [
            {"name": "reward", "value": pytest.approx(weight), "type": "Reward"},
            {"name": "like", "value": 1.0, "type": "Metric"},
            {"name": "grading_failed", "value": 0.0, "type": "Metric"},
        ],
    }
    assert second["aggregate_reward_score"] == first["aggregate_reward_score"]
    assert third["aggregate_reward_score"] == 0
    assert third["metrics_list"][-1]["value"] == 1
    assert fourth["aggregate_reward_score"] == 0
    assert fourth["metrics_list"][-1]["value"] == 0


@given(
    st.text(),
    st.lists(st.tuples(st.text(max_size=20), st.dictionaries(st.text(), st.integers()))),
)
def test_calls_of_tools_survive_as_text(text: str, calls: list[tuple[str, Json]]) -> None:
    if "<tool_call>" in text:
        return
    made = tuple(
        ToolCall("function", f"call_{place}", FunctionCall(name, json.dumps(given)))
        for place, (name, given) in enumerate(calls)
    )
    message = Message("assistant", text.strip() or None if made else text, tool_calls=made)
    said = text_of(message)
    assert said is not None
    tools = [{"type": "function", "function": {"name": "f"}}]
    sample = read_sample(said, {"tools": tools})
    if "</tool_call>" in json.dumps(to_json(message)):
        return
    assert sample.choices[0]["message"] == to_json(message)


ASK = """
import json, rft_grader
try:
    made = rft_grader.grade("blue", {"messages": [{"role": "user", "content": "Which?"}]})
except Exception as error:
    made = str(error)
print(json.dumps(made))
"""


def test_keys_and_addresses_of_judges(
    tmp_path: Path, server: OpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RFT_TEST_KEY", "k")
    connection = ModelConnection(base_url="https://api.example.com/v1", api_key_env="RFT_TEST_KEY")
    place = ConnectionSettings(connection=connection, model="judge-1")
    files = write_grader(load_grader(SCORE), tmp_path, target="trl", connections=[place])
    assert "RFT_TEST_KEY" in (tmp_path / "README.md").read_text()
    assert "judges.json" in files.files
    server.script(lambda _: '{"reasoning": "so", "score": 2.5}')
    here = {"RFT_JUDGE_BASE_URL": server.base_url}
    assert alone(tmp_path, ASK, RFT_TEST_KEY="k", **here) == 0.5
    assert "RFT_TEST_KEY is not set" in alone(tmp_path, ASK, **here)
    said = alone(tmp_path, ASK, RFT_TEST_KEY="sk-wrong-0123", **here)
    assert "refuses" in said
    assert "sk-wrong" not in said


def test_services_get_json_in_their_own_names() -> None:
    form = service_form(load_grader(multi(
        a=similar("cosine"), b=SCRIPT, c=check("eq", input="{{messages[0].content}}"),
    )), TARGETS["openai"], "orders")  # fmt: skip
    assert form.value["name"] == "orders"
    assert (
        form.value["graders"]["a"]["input"] == "{{ sample.output_text }} {{ sample.output_tools }}"
    )
    assert (
        form.value["graders"]["a"]["reference"]
        == "{{ item.want }} {{ item.rft_last_user_message }}"
    )
    assert form.value["graders"]["b"]["source"] == SCRIPT["source"]
    assert form.value["graders"]["c"]["input"] == "{{ item.messages[0].content }}"
    words = "\n".join(form.warnings)
    assert "cosine" in words
    assert "rft_last_user_message" in words
    label = service_form(load_grader(LABEL), TARGETS["azure"]).value
    assert label["type"] == "multi"
    assert load_grader(label)
    assert "0 to 5" in "\n".join(service_form(load_grader(SCORE), TARGETS["azure"]).warnings)
    long = {**SCRIPT, "source": SCRIPT["source"] + "#" * 257_000}
    assert "256 kB" in "\n".join(service_form(load_grader(long), TARGETS["openai"]).warnings)


def test_what_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument, match="Use one of openai"):
        write_grader(load_grader(check("eq")), tmp_path, target="nobody")
    grader = load_grader(check("eq"))
    with (
        pytest.raises(InvalidArgument, match="reads the grader's JSON itself"),
        compile_grader(grader) as compiled,
    ):
        check_parity(compiled, write_grader(grader, tmp_path, target="openai"), [])
    with pytest.raises(InvalidArgument, match="no recorded answer"):
        parity_outputs([], 10)
    assert repeats_of(load_grader(multi(a=SCORE, b=SCORE, c=LABEL))) == 2
