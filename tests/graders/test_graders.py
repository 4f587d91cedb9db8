"""Graders as a whole: the public JSON, combinations, presets, versions, samples."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from builders import assistant, call, data_folder, tool, tool_message, user

from rft_widgets.errors import GraderInvalid, InvalidArgument
from rft_widgets.graders import (
    PRESETS,
    Sample,
    canonical_json,
    check_grader,
    compile_grader,
    dump_grader,
    from_config,
    grader_hash,
    item_of,
    load_grader,
    preset,
    sample_of,
)
from rft_widgets.graders.formula import Formula
from rft_widgets.graders.sandbox import host
from rft_widgets.model.grader import (
    GradingErrors,
    Multi,
    PythonGrader,
    ScoreModel,
    StringCheck,
    grader_to_json,
    reward_range,
)
from rft_widgets.model.llm import ModelAnswer
from rft_widgets.model.message import message_from_json, tool_from_json
from rft_widgets.model.record import RecordDraft, RecordInput, RecordOutput

Json = dict[str, Any]

EXAMPLES: dict[str, Json] = {
    "string_check": {
        "type": "string_check", "name": "s", "input": "{{response}}", "reference": "{{item.a}}",
        "operation": "eq",
    },
    "text_similarity": {
        "type": "text_similarity", "name": "t", "input": "{{sample.output_text}}",
        "reference": "{{item.a}}", "evaluation_metric": "rouge_l", "pass_threshold": 0.5,
    },
    "score_model": {
        "type": "score_model", "name": "m", "model": "judge", "range": [0.0, 1.0],
        "input": [{"role": "user", "content": "{{response}}", "type": "message"}],
        "sampling_params": {"temperature": 0.0, "seed": 1, "odd": [1]},
    },
    "label_model": {
        "type": "label_model", "name": "l", "model": "judge", "labels": ["y", "n"],
        "passing_labels": ["y"],
        "input": [{"role": "user", "content": [{"type": "input_text", "text": "{{response}}"}]}],
    },
    "python": {
        "type": "python", "name": "p", "source": "def grade(sample, item):\n    return 1.0\n",
        "image_tag": "2025-05-08",
    },
    "multi": {
        "type": "multi", "name": "both", "calculate_output": "0.5 * a + 0.5 * b",
        "graders": {
            "a": {"type": "string_check", "name": "a", "input": "{{response}}", "reference": "x",
                  "operation": "like", "vendor": {"key": None}},
            "b": {"type": "python", "name": "b", "source": "def grade(s, i): return 0.5"},
        },
        "vendor_note": "kept",
    },
}  # fmt: skip


@pytest.mark.parametrize("name", EXAMPLES)
def test_json_comes_back_unchanged(name: str) -> None:
    value = EXAMPLES[name]
    grader = load_grader(value)
    assert grader_to_json(grader) == value
    assert load_grader(dump_grader(grader)) == grader
    assert load_grader(canonical_json(grader)) == grader


def test_the_azure_file_loads_and_comes_back_unchanged() -> None:
    path = data_folder() / "datasets" / "azure_rft_countdown" / "grader_config_aoai.json"
    grader = load_grader(path.read_bytes())
    assert isinstance(grader, ScoreModel)
    assert json.loads(dump_grader(grader)) == json.loads(path.read_text())
    assert grader.pass_threshold == 5
    assert reward_range(grader) == (0.0, 5.0)
    asked: list[Any] = []

    def judge(model: str, messages: Any, **options: Any) -> ModelAnswer:
        asked.append((model, messages, options))
        return ModelAnswer(text="Score: 4\nReasoning: off by one")

    row = {"target": "95", "nums": "[1, 95]"}
    result = compile_grader(grader, model_call=judge).grade(Sample(output_text="95 * 1"), row)
    assert (result.reward, result.metadata.out_of_range) == (4.0, True)
    model, messages, options = asked[0]
    assert model == "o3-mini"
    assert messages[1]["content"] == '{ "target": 95, "numbers": [1, 95], "output": 95 * 1}'
    assert options["temperature"] is None


def test_the_rows_of_the_azure_file_fill_its_templates() -> None:
    folder = data_folder() / "datasets" / "azure_rft_countdown"
    grader = load_grader((folder / "grader_config_aoai.json").read_bytes())
    compiled = compile_grader(
        grader, model_call=lambda *_, **__: ModelAnswer(text='{"result": 5, "steps": []}')
    )
    lines = (folder / "countdown_train_100.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    results = list(compiled.grade_many((Sample(output_text="1+1"), row) for row in rows))
    assert [result.reward for result in results] == [5.0] * len(rows)


def test_equal_graders_have_equal_hashes() -> None:
    value = EXAMPLES["score_model"]
    turned = dict(reversed(value.items())) | {"range": [0, 1]}
    assert grader_hash(load_grader(value)) == grader_hash(load_grader(turned))
    assert len(grader_hash(load_grader(value))) == 64
    other = load_grader(value | {"range": [0, 2]})
    assert grader_hash(other) != grader_hash(load_grader(value))


@pytest.mark.parametrize(
    ("value", "where", "words"),
    [
        (3, "", "JSON object"),
        ({}, "type", "missing"),
        ({"type": "lambda"}, "type", "no grader type 'lambda'"),
        (EXAMPLES["string_check"] | {"operation": "neq"}, "operation", "Invalid enum"),
        (EXAMPLES["string_check"] | {"input": 3}, "input", "expected text"),
        ({"type": "string_check", "inputt": "x"}, "", "no key 'inputt' Did you mean 'input'?"),
        (EXAMPLES["text_similarity"] | {"evaluation_metric": "x"}, "evaluation_metric", "Invalid"),
        (EXAMPLES["text_similarity"] | {"input": "{{x}}"}, "input", "there is no 'x'"),
        (EXAMPLES["multi"] | {"calculate_output": "a + c"}, "calculate_output", "no grader 'c'"),
        (EXAMPLES["multi"] | {"calculate_output": "1"}, "calculate_output", "names no grader"),
        (EXAMPLES["multi"] | {"graders": {}}, "graders", "at least one"),
        (EXAMPLES["multi"] | {"graders": {"a": EXAMPLES["multi"]}}, "graders.a", "another comb"),
        (EXAMPLES["multi"] | {"graders": {"a-b": EXAMPLES["python"]}}, "graders", "cannot be"),
        (EXAMPLES["multi"] | {"graders": {"max": EXAMPLES["python"]}}, "graders", "cannot be"),
        (EXAMPLES["multi"] | {"graders": {"a": {"type": "python", "source": 1}},
                              "calculate_output": "a"}, "graders.a.source", "expected text"),
        (EXAMPLES["multi"] | {"graders": {"a": {**EXAMPLES["string_check"], "input": "{{q}}"}},
                              "calculate_output": "a"}, "graders.a.input", "there is no 'q'"),
        ('{"type": "python", "type": "python"}', "", "given twice"),
        ('{"type": "score_model", "range": [0, NaN]}', "", "not JSON"),
        ("[" * 100_000, "", "not JSON"),
        (b"\xff", "", "not JSON"),
    ],
)  # fmt: skip
def test_graders_that_are_refused(value: Any, where: str, words: str) -> None:
    with pytest.raises(GraderInvalid) as caught:
        load_grader(value)
    assert words in str(caught.value)
    assert caught.value.where == where


@pytest.mark.parametrize(
    ("operation", "text", "reference", "reward"),
    [
        ("eq", "a", "a", 1), ("eq", "a", "A", 0), ("eq", "a ", "a", 0), ("ne", "a", "b", 1),
        ("ne", "a", "a", 0), ("like", "xay", "a", 1), ("like", "xAy", "a", 0),
        ("ilike", "xAy", "a", 1), ("ilike", "STRASSE", "straße", 1), ("ilike", "x", "a", 0),
    ],
)  # fmt: skip
def test_string_checks(operation: str, text: str, reference: str, reward: float) -> None:
    grader = compile_grader(EXAMPLES["string_check"] | {"operation": operation})
    assert grader.grade(Sample(output_text=text), {"a": reference}).reward == reward


def test_a_combination_and_its_result() -> None:
    with compile_grader(EXAMPLES["multi"]) as grader:
        result = grader.grade(Sample(output_text="has x"), {})
    assert result.reward == 0.75
    assert result.sub_rewards == {"a": 1.0, "b": 0.5}
    assert result.metadata.scores == {"a": 1.0, "b": 0.5}
    assert (result.metadata.name, result.metadata.type) == ("both", "multi")
    assert str(result.metadata.isolation).startswith("seccomp")
    value = msgspec.to_builtins(result)
    assert value["metadata"]["errors"] == {}
    assert {
        "reward",
        "sub_rewards",
        "metadata",
        "model_grader_token_usage_per_model",
    } <= value.keys()


def test_a_part_that_fails_fails_the_whole_and_not_the_next() -> None:
    value = EXAMPLES["multi"] | {
        "graders": {
            "a": EXAMPLES["string_check"],
            "b": {"type": "python", "source": "def grade(s, i): return 1 / i['n']"},
            "shown": {**EXAMPLES["string_check"], "reference": "{{item.zzz}}"},
        },
        "calculate_output": "a / b",
    }
    with compile_grader(value) as grader:
        item = {"a": "x", "n": 0}
        result = grader.grade(Sample(output_text="x"), item)
        assert result.failed
        assert result.sub_rewards == {"a": 1.0, "b": None, "shown": None}
        assert result.metadata.errors == GradingErrors(
            python_grader_runtime_error=True,
            python_grader_runtime_error_details="ZeroDivisionError: division by zero (line 1)",
        )
        assert result.error == "b: ZeroDivisionError: division by zero (line 1)"
        assert grader.grade(Sample(output_text="x"), {"a": "x", "n": 2}).reward == 2.0
        # The formula's own fault is flagged as such.
        empty = grader.grade(Sample(output_text="x"), {"a": "x", "n": float("inf")})
        assert empty.failed
    value["graders"]["b"] = {**EXAMPLES["string_check"], "reference": "{{item.n}}"}
    result = compile_grader(value).grade(Sample(output_text="x"), {"a": "x", "n": "y"})
    assert result.metadata.errors == GradingErrors(formula_parse_error=True)
    assert result.error == "a / b: division by zero"


def test_checking_needs_no_model_and_no_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "_start_nursery", lambda: pytest.fail("started"))
    for value in EXAMPLES.values():
        check_grader(load_grader(value))


# Presets

WEIGHTS = {
    "correctness": {"accuracy": 0.7, "completeness": 0.3},
    "tool_use": {"tool_selected": 0.3, "parameters_valid": 0.3, "result_used": 0.4},
    "format": {"valid_json": 0.5, "required_fields": 0.5},
    "conciseness": {"answers": 0.6, "brief": 0.4},
}


@pytest.mark.parametrize("name", WEIGHTS)
def test_presets_are_valid_and_weigh_as_they_say(name: Any) -> None:
    assert dict(PRESETS[name].weights) == WEIGHTS[name]
    assert sum(PRESETS[name].weights.values()) == pytest.approx(1)
    grader = preset(name, model="judge", reference="reference_answer", required_fields=["a"])
    assert load_grader(dump_grader(grader)) == grader
    assert isinstance(grader, Multi)
    for part, weight in WEIGHTS[name].items():
        scores = {other: float(other == part) for other in WEIGHTS[name]}
        assert Formula(grader.calculate_output, scores)(scores) == pytest.approx(weight)


def test_presets_grade() -> None:
    def judge(model: str, messages: Any, **_: Any) -> ModelAnswer:
        high = "true" in messages[0]["content"]  # the question about accuracy
        return ModelAnswer(text=json.dumps({"reasoning": "r", "score": 1.0 if high else 0.5}))

    grader = compile_grader(preset("correctness", model="j", reference="ref"), model_call=judge)
    result = grader.grade(Sample(output_text="x"), {"ref": "y"})
    assert result.reward == pytest.approx(0.85)
    assert result.reasoning == "accuracy: r\ncompleteness: r"
    with compile_grader(preset("format", required_fields=["a", 'q"\n'])) as form:
        for text, reward in (("{}", 0.5), ('{"a": 1}', 0.75), ('{"a": 1, "q\\"\\n": 2}', 1.0),
                             ("[]", 0.5), ("no", 0.0)):  # fmt: skip
            assert form.grade(Sample(output_text=text), {}).reward == reward, text
    with compile_grader(preset("format")) as form:
        listed = form.grade(Sample(output_text='{"a": 1}'), {"required_fields": ["a", "b"]})
        assert listed.reward == 0.75
        assert form.grade(Sample(output_text='{"a": 1}'), {}).failed


def test_presets_that_are_refused() -> None:
    with pytest.raises(InvalidArgument, match="no preset"):
        preset("speed")  # type: ignore[arg-type]
    with pytest.raises(InvalidArgument, match="asks a judge"):
        preset("correctness")


# The simple form


def test_simple_judge() -> None:
    grader = from_config(
        {
            "type": "llm-judge",
            "prompt": "Grade {{response}} for {{lastUserMessage}}",
            "model": "m",
            "temperature": 0.2,
            "maxTokens": 100,
            "outputSchema": {
                "properties": {
                    "why": {"type": "string"},
                    "s": {"type": "number", "minimum": 0, "maximum": 10},
                }
            },
            "weight": 1,
        }
    )
    assert isinstance(grader, ScoreModel)
    assert grader.range == (0.0, 10.0)
    assert grader.sampling_params is not None
    assert grader.sampling_params.max_completions_tokens == 100
    assert [message.role for message in grader.input] == ["user"]
    check_grader(grader)
    plain = from_config({"type": "llm-judge", "prompt": "Be strict.", "model": "m"})
    assert isinstance(plain, ScoreModel)
    assert "{{response}}" in str(plain.input[1].content)
    check_grader(plain)


def test_simple_script_and_weights() -> None:
    script = {"type": "script", "script": "def grade(s, i): return 1"}
    assert isinstance(from_config(script), PythonGrader)
    both = from_config([script | {"weight": 3}, script | {"script": "def grade(s, i): return 0"}])
    with compile_grader(both) as grader:
        assert grader.grade(Sample(), {}).reward == 0.75


@pytest.mark.parametrize(
    "config",
    [
        {}, {"type": "vibes"}, {"type": "llm-judge", "model": "m"},
        {"type": "llm-judge", "prompt": "x"}, {"type": "script"}, [],
        {"type": "script", "script": "def grade", "prompt": "x"},
        {"type": "llm-judge", "prompt": "x", "model": "m", "temperature": "hot"},
        {"type": "llm-judge", "prompt": "x", "model": "m", "maxTokens": 0.5},
        {"type": "llm-judge", "prompt": "x", "model": "m", "outputSchema": 3},
        [{"type": "script", "script": "def grade", "weight": 0}],
        [{"type": "script", "script": "def grade", "weight": -1}],
    ],
)  # fmt: skip
def test_simple_forms_that_are_refused(config: Any) -> None:
    with pytest.raises(GraderInvalid):
        from_config(config)


# Samples and items


def _draft(*output: Json) -> RecordDraft:
    prompt = [{"role": "system", "content": "S"}, user("hello there")]
    return RecordDraft(
        input=RecordInput(
            messages=tuple(message_from_json(m) for m in prompt), tools=(tool_from_json(tool()),)
        ),
        output=RecordOutput(messages=tuple(message_from_json(m) for m in output)),
        item={"reference_answer": "r", "messages": "mine"},
        metadata={"secret": 1},
        topic="t",
    )


def test_sample_of_an_answer() -> None:
    draft = _draft(assistant("hi"))
    sample = sample_of(draft.input, draft.output.messages)
    assert sample.output_text == "hi"
    assert sample.choices == (
        {"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"},
    )
    assert sample.system_prompt == "S"
    assert sample.last_user_message == "hello there"
    assert sample.tools[0]["function"]["name"] == "lookup"


def test_sample_of_an_answer_that_called_tools_on_the_way() -> None:
    draft = _draft(
        assistant(None, tool_calls=[call("1")]), tool_message("1"), assistant("It is done")
    )
    sample = sample_of(draft.input, draft.output.messages)
    assert sample.output_text == "It is done"
    assert [made["id"] for made in sample.output_tools] == ["1"]
    calls_only = sample_of(draft.input, draft.output.messages[:1])
    assert calls_only.output_text == ""
    assert calls_only.choices[0]["finish_reason"] == "tool_calls"


def test_sample_without_an_answer() -> None:
    draft = _draft()
    sample = sample_of(draft.input, ())
    assert (sample.output_text, sample.choices, sample.output_tools) == ("", (), ())


def test_item_is_the_training_row_and_no_more() -> None:
    item = item_of(_draft(assistant("secret answer")))
    assert item.keys() == {"messages", "tools", "reference_answer"}
    assert item["messages"][1]["content"] == "hello there"
    assert "secret answer" not in json.dumps(item)


def test_string_check_struct_can_be_built_in_python() -> None:
    grader = StringCheck(input="{{response}}", reference="x", operation="eq")
    assert compile_grader(grader).grade(Sample(output_text="x"), {}).reward == 1.0
    assert grader_to_json(grader) == {
        "type": "string_check", "input": "{{response}}", "reference": "x", "operation": "eq",
    }  # fmt: skip


def test_importing_graders_is_light() -> None:
    code = (
        "import sys, rft_widgets.graders; "
        "print([m for m in ('openai', 'numpy', 'nltk', 'pandas') if m in sys.modules])"
    )
    root = Path(__file__).parents[2]
    shown = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root
    ).stdout
    assert "openai" not in shown
    assert "nltk" not in shown
