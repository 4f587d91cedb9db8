"""Plain chat files, made ones and the published ones beside the repository."""

import json

import pytest

from rft_widgets.model.message import FunctionCall, FunctionDefinition, Message, Tool, ToolCall
from rft_widgets.model.trace import Choice, Trace, TraceLoss
from rft_widgets.traces import chat_jsonl
from rft_widgets.traces.reader import Document

ASKED = [
    {"role": "system", "content": "You are a tutor."},
    {"role": "user", "content": "What is a fork?"},
]
ANSWER = {"role": "assistant", "content": "An attack on two pieces."}
MESSAGES = (Message("system", "You are a tutor."), Message("user", "What is a fork?"))
CHOICES = (Choice(Message("assistant", "An attack on two pieces.")),)


def read(*values):
    return list(chat_jsonl.read(Document(f"line {i}", v) for i, v in enumerate(values, start=1)))


def lines(path):
    with path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]


@pytest.mark.parametrize(
    "value",
    [
        {"messages": [*ASKED, ANSWER]},
        {"input": {"messages": ASKED}, "output": {"messages": [ANSWER]}},
        {"data": {"messages": [*ASKED, ANSWER]}},
        {"data": {"input": {"messages": ASKED}, "output": {"messages": [ANSWER]}}},
    ],
)
def test_the_three_shapes(value):
    assert chat_jsonl.matches(value)
    assert read(value) == [
        Trace(format="chat_jsonl", location="line 1", messages=MESSAGES, choices=CHOICES)
    ]


@pytest.mark.parametrize("last", [ASKED[1], {"role": "tool", "content": "1", "tool_call_id": "c"}])
def test_only_a_trailing_assistant_message_is_the_answer(last):
    (trace,) = read({"messages": [ASKED[1], ANSWER, last]})
    assert [message.role for message in trace.messages] == ["user", "assistant", last["role"]]
    assert trace.choices == ()


def test_fields_of_their_own_go_to_the_item():
    value = {
        "data": {
            "messages": ASKED,
            "ground_truth": "two pieces",
            "input": "plain text",
            "item": {"level": 2},
            "metadata": {"run": 7},
        },
        "topic": "tactics",
        "id": "row-1",
        "reward": 1.0,
    }
    (trace,) = read(value)
    assert trace.metadata == {
        "run": 7,
        "id": "row-1",
        "topic": "tactics",
        "item": {
            "level": 2,
            "ground_truth": "two pieces",
            "input": "plain text",
            "reward": 1.0,
        },
    }


def test_tools_and_the_reason_to_stop():
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
    value = {
        "input": {"messages": ASKED, "tools": [tool], "tool_choice": "required"},
        "output": {
            "messages": [
                {"role": "assistant", "tool_calls": [
                    {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
                {"role": "tool", "tool_call_id": "c", "content": "1"},
                ANSWER,
            ],
            "finish_reason": "stop",
        },
        "span_id": "s",
        "thread_id": "t",
    }  # fmt: skip
    (trace,) = read(value)
    call = ToolCall("function", "c", FunctionCall("f", "{}"))
    assert trace.messages[2:] == (
        Message("assistant", tool_calls=(call,)),
        Message("tool", "1", tool_call_id="c"),
    )
    assert trace.choices == (Choice(Message("assistant", ANSWER["content"]), "stop"),)
    assert trace.tools == (Tool("function", FunctionDefinition("f", None, {"type": "object"})),)
    assert (trace.tool_choice, trace.span_id, trace.thread_id) == ("required", "s", "t")
    assert trace.metadata == {}


def test_old_functions_are_tools():
    (trace,) = read({"messages": ASKED, "functions": [{"name": "f", "description": "d"}]})
    assert trace.tools == (Tool("function", FunctionDefinition("f", "d")),)


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ({"messages": []}, "no_content"),
        ({"messages": [ANSWER]}, "no_request"),
        ({"messages": [{"content": "no role"}]}, "undecodable"),
        ({"messages": ["text"]}, "undecodable"),
        ({"messages": ASKED, "tools": 3}, "undecodable"),
        ({"input": {"messages": [{"role": "user", "content": 3}]}}, "undecodable"),
    ],
)
def test_lines_that_hold_no_call(value, code):
    assert chat_jsonl.matches(value)
    (loss,) = read(value)
    assert isinstance(loss, TraceLoss)
    assert (loss.code, loss.location) == (code, "line 1")


@pytest.mark.parametrize(
    "value", [None, 3, "x", [], {}, {"messages": "x"}, {"input": "x"}, {"data": [{"messages": []}]}]
)
def test_other_shapes_do_not_match(value):
    assert not chat_jsonl.matches(value)


def test_eval_protocol_file(data):
    values = lines(data / "traces" / "eval_protocol_function_calling.jsonl")
    assert all(chat_jsonl.matches(value) for value in values)
    traces = read(*values)
    assert len(traces) == 13
    assert all(isinstance(trace, Trace) for trace in traces)
    first = traces[0]
    assert first.messages == (Message("user", "What's the weather in London?"),)
    arguments = '{"location": "London", "unit": "celsius"}'
    call = ToolCall("function", function=FunctionCall("get_weather", arguments))
    assert first.choices == (Choice(Message("assistant", tool_calls=(call,))),)
    assert [tool.function.name for tool in first.tools] == ["get_weather"]
    assert sorted(first.metadata["item"]) == ["evaluation_result", "ground_truth", "input_metadata"]


def test_azure_tool_calls(data):
    values = lines(data / "datasets" / "azure_toolcall" / "stock_toolcall_training.jsonl")
    traces = read(*values)
    assert len(traces) == 86
    for trace, value in zip(traces, values, strict=True):
        assert isinstance(trace, Trace)
        whole = value["messages"]
        ends_in_answer = whole[-1]["role"] == "assistant"
        assert len(trace.messages) == len(whole) - ends_in_answer
        assert len(trace.choices) == ends_in_answer
        assert [tool.function.name for tool in trace.tools] == [
            tool["function"]["name"] for tool in value["tools"]
        ]


def test_azure_countdown(data):
    values = lines(data / "datasets" / "azure_rft_countdown" / "countdown_valid_50.jsonl")
    traces = read(*values)
    assert len(traces) == 50
    for trace, value in zip(traces, values, strict=True):
        assert trace.messages[-1].content == value["messages"][-1]["content"]
        assert trace.choices == ()
        known = {"messages", "tools"}
        assert trace.metadata["item"] == {k: v for k, v in value.items() if k not in known}
