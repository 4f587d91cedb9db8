"""Templates: what they reach, what they refuse, and that records are never templates."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rft_widgets.errors import GraderInvalid
from rft_widgets.graders import Sample
from rft_widgets.graders.templates import RenderFault, compile_template

CALLS = ({"id": "c", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}},)
SAMPLE = Sample(
    output_text='{"a": {"b": [1, 2.5, null, "ü"]}}',
    output_tools=CALLS,
    choices=({"index": 0, "message": {"role": "assistant", "content": "hi"}},),
    messages=(
        {"role": "system", "content": "Be brief"},
        {
            "role": "user",
            "content": [{"type": "text", "text": "one"}, {"type": "text", "text": "2"}],
        },
        {"role": "assistant", "content": "and"},
        {"role": "user", "content": "last"},
    ),
    tools=({"type": "function", "function": {"name": "f"}},),
)
ITEM: dict[str, Any] = {
    "answer": "42",
    "deep": {"list": [{"x": "y"}], "a.b": 1, 'q"]': "quoted", "": "empty"},
    "flag": True,
    "none": None,
    "reference-answer": "dash",
    "größe": "unicode",
}


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("plain", "plain"),
        ("", ""),
        ("{{item.answer}}", "42"),
        ("{{ item.answer }}!", "42!"),
        ("{{\n item.answer\t}}", "42"),
        ('{ "n": {{item.answer}}}', '{ "n": 42}'),
        ("{{item.deep.list[0].x}}{{item['answer']}}", "y42"),
        ('{{item["deep"]["a.b"]}}', "1"),
        ('{{item.deep["q\\"]"]}}', "quoted"),
        ("{{item.deep['']}}", "empty"),
        ("{{item.reference-answer}} {{item.größe}}", "dash unicode"),
        ("{{item.flag}} {{item.none}}", "true null"),
        ("{{item.deep.list}}", '[{"x":"y"}]'),
        ("{{sample.output_text}}", SAMPLE.output_text),
        ("{{sample.output_json}}", '{"a":{"b":[1,2.5,null,"ü"]}}'),
        ("{{sample.output_json.a.b[3]}}", "ü"),
        ("{{sample.output_tools[0].function.name}}", "f"),
        ("{{sample.output_tools}}", msgspec.json.encode(CALLS).decode()),
        ("{{sample.choices[0].message.content}}", "hi"),
        ("{{response}}", SAMPLE.output_text),
        ("{{lastUserMessage}}", "last"),
        ("{{systemPrompt}}", "Be brief"),
        ("{{toolCalls[0].id}}", "c"),
        ("{{tools[0].function.name}}", "f"),
        ("{{messages[0].role}}", "system"),
        ("}} } {", "}} } {"),
        ("{ {item.answer} }", "{ {item.answer} }"),
    ],
)
def test_renders(template: str, expected: str) -> None:
    assert compile_template(template).render(SAMPLE, ITEM) == expected


@pytest.mark.parametrize(
    ("template", "words", "line", "column"),
    [
        ("{{ nothing }}", "there is no 'nothing'", 1, 4),
        ("a\nbb {{env.HOME}}", "there is no 'env'", 2, 6),
        ("{{item.a", "never closed", 1, 1),
        ("x {{ }}", "name is missing", 1, 6),
        ("{{ sample }}", "sample alone", 1, 4),
        ("{{sample.output_audio}}", "sample has no 'output_audio'", 1, 3),
        ("{{sample['reward']}}", "sample has no 'reward'", 1, 3),
        ("{{sample[0]}}", "sample has no 0", 1, 3),
        ("{{sample.output_text.x}}", "is text", 1, 3),
        ("{{response[0]}}", "is text", 1, 3),
        ("{{item.}}", "cannot be read", 1, 7),
        ("{{item..a}}", "cannot be read", 1, 7),
        ("{{item[-1]}}", "cannot be read", 1, 7),
        ("{{item[x]}}", "cannot be read", 1, 7),
        ("{{item.a b}}", "cannot be read", 1, 9),
        ("{{item.a | upper}}", "cannot be read", 1, 9),
        ("{{item.a()}}", "cannot be read", 1, 9),
        ("{{item['\\q']}}", "cannot be read", 1, 7),
        ('{{item["\\q"]}}', "not quoted JSON", 1, 7),
        ("{{item" + ".a" * 65 + "}}", "cannot be read", 1, 135),
        ("{% if x %}{{ 7*7 }}", "name is missing", 1, 14),
        ("{{self.__class__}}", "there is no 'self'", 1, 3),
    ],
)
def test_refuses_when_compiled(template: str, words: str, line: int, column: int) -> None:
    with pytest.raises(GraderInvalid) as caught:
        compile_template(template, "input[0].content")
    error = caught.value
    assert words in str(error)
    assert (error.where, error.line, error.column) == ("input[0].content", line, column)
    assert str(error).startswith("input[0].content: ")


@pytest.mark.parametrize(
    ("template", "flag"),
    [
        ("{{item.missing}}", "invalid_variable_error"),
        ("{{item.deep.list[1]}}", "invalid_variable_error"),
        ("{{item.answer.x}}", "invalid_variable_error"),
        ("{{item.deep[0]}}", "invalid_variable_error"),
        ("{{item.__class__}}", "invalid_variable_error"),
        ("{{sample.output_json.zzz}}", "invalid_variable_error"),
        ("{{sample.output_tools[1]}}", "invalid_variable_error"),
    ],
)
def test_missing_at_run_time(template: str, flag: str) -> None:
    with pytest.raises(RenderFault) as caught:
        compile_template(template).render(SAMPLE, ITEM)
    assert getattr(caught.value.errors, flag)


@pytest.mark.parametrize("text", ["", "not json", "{", "NaN", "[" * 100_000, "\ud800"])
def test_output_json_of_text_that_is_none(text: str) -> None:
    with pytest.raises(RenderFault) as caught:
        compile_template("{{sample.output_json}}").render(Sample(output_text=text), {})
    assert caught.value.errors.sample_parse_error


def test_prompt_without_user_message() -> None:
    with pytest.raises(RenderFault) as caught:
        compile_template("{{lastUserMessage}}").render(Sample(), {})
    assert caught.value.errors.invalid_variable_error
    assert compile_template("{{systemPrompt}}").render(Sample(), {}) == ""


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text() | st.floats(-1e9, 1e9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(text=st.text(st.sampled_from("{}item. sampleoutpx[]0'\"\n")))
def test_record_text_is_never_expanded(text: str) -> None:
    found = compile_template("<{{item.a}}|{{response}}>").render(
        Sample(output_text=text), {"a": text}
    )
    assert found == f"<{text}|{text}>"


@given(key=st.text(min_size=1), value=JSON)
def test_any_key_and_value_is_reached(key: str, value: Any) -> None:
    template = (
        compile_template(f"{{{{ item[{json.dumps(key, ensure_ascii=False)}] }}}}")
        if ("}}" not in json.dumps(key, ensure_ascii=False))
        else compile_template("{{item.x}}")
    )
    item = {key: value, "x": value}
    found = template.render(Sample(), item)
    assert found == value if isinstance(value, str) else json.loads(found) == value


@given(text=st.text(st.sampled_from("{} item.sample_output[]0'\"\\-a\n")))
def test_any_text_compiles_or_is_refused_with_its_place(text: str) -> None:
    with contextlib.suppress(GraderInvalid):
        compile_template(text)
        return
    with pytest.raises(GraderInvalid) as caught:
        compile_template(text)
    line, column = caught.value.line, caught.value.column
    assert line is not None
    assert column is not None
    lines = text.split("\n")
    assert 1 <= line <= len(lines)
    assert 1 <= column <= len(lines[line - 1]) + 1
