"""Native requests and answers; expected values are written by hand from the APIs' documentation."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rft_widgets.model.message import (
    FunctionCall,
    FunctionDefinition,
    Message,
    MessageShapeError,
    Tool,
    ToolCall,
)
from rft_widgets.model.trace import Choice
from rft_widgets.traces import foreign, streams
from rft_widgets.traces.foreign import native, responses

PIXEL = "iVBORw0KGgo="


def call(name, arguments, call_id=None, **extra):
    return ToolCall("function", id=call_id, function=FunctionCall(name, arguments), extra=extra)


def test_anthropic_conversation_with_tools_images_and_thinking():
    request = {
        "model": "claude-sonnet-4-5",
        "max_tokens": 1024,
        "system": [
            {"type": "text", "text": "You are a weather bot."},
            {"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}},
        ],
        "messages": [
            {"role": "user", "content": "Weather in Paris and Rome?"},
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "Two calls.", "signature": "sig1"},
                    {"type": "text", "text": "I will look."},
                    {"type": "tool_use", "id": "t1", "name": "weather", "input": {"city": "Paris"}},
                    {"type": "tool_use", "id": "t2", "name": "weather", "input": {"city": "Rome"}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "t1", "content": "rain"},
                    {
                        "type": "tool_result",
                        "tool_use_id": "t2",
                        "is_error": True,
                        "content": [{"type": "text", "text": "no such city"}],
                    },
                    {"type": "text", "text": "And in this picture?"},
                    {
                        "type": "image",
                        "source": {"type": "base64", "media_type": "image/png", "data": PIXEL},
                    },
                    {"type": "image", "source": {"type": "url", "url": "https://x.org/a.jpg"}},
                ],
            },
        ],
    }
    assert foreign.anthropic_messages(request) == (
        Message(
            "system",
            (
                {"type": "text", "text": "You are a weather bot."},
                {"type": "text", "text": "Be brief."},
            ),
        ),
        Message("user", "Weather in Paris and Rome?"),
        Message(
            "assistant",
            "I will look.",
            tool_calls=(
                call("weather", '{"city":"Paris"}', "t1"),
                call("weather", '{"city":"Rome"}', "t2"),
            ),
            extra={
                "reasoning_content": "Two calls.",
                "thinking_blocks": [
                    {"type": "thinking", "thinking": "Two calls.", "signature": "sig1"}
                ],
            },
        ),
        Message("tool", "rain", tool_call_id="t1"),
        Message("tool", "no such city", tool_call_id="t2", extra={"is_error": True}),
        Message(
            "user",
            (
                {"type": "text", "text": "And in this picture?"},
                {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}},
                {"type": "image_url", "image_url": {"url": "https://x.org/a.jpg"}},
            ),
        ),
    )


@pytest.mark.parametrize(
    ("reason", "word"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("tool_use", "tool_calls"),
        ("refusal", "content_filter"),
        ("pause_turn", "pause_turn"),
        (None, None),
    ],
)
def test_anthropic_stop_reasons(reason, word):
    answer = foreign.anthropic_answer(
        {"type": "message", "role": "assistant", "content": [], "stop_reason": reason}
    )
    assert answer == Choice(Message("assistant"), word)


def test_anthropic_answer_cut_at_citations_is_one_text():
    answer = foreign.anthropic_answer(
        {
            "content": [
                {"type": "text", "text": "The grass is "},
                {"type": "text", "text": "green", "citations": [{"type": "char_location"}]},
                {"type": "text", "text": "."},
                {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"q": "a"}},
            ],
            "stop_reason": "end_turn",
        }
    )
    assert answer.message.content == "The grass is green."
    assert answer.message.extra["content_blocks"] == [
        {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"q": "a"}}
    ]


def test_anthropic_tools_and_choice():
    request = {
        "tools": [
            {
                "name": "weather",
                "description": "Weather of a city",
                "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}},
            },
            {"type": "web_search_20250305", "name": "web_search", "max_uses": 5},
        ],
        "tool_choice": {"type": "tool", "name": "weather"},
    }
    schema = {"type": "object", "properties": {"city": {"type": "string"}}}
    assert foreign.anthropic_tools(request) == (
        Tool("function", FunctionDefinition("weather", "Weather of a city", schema)),
        Tool("web_search_20250305", extra={"name": "web_search", "max_uses": 5}),
    )
    assert foreign.anthropic_tool_choice(request) == {
        "type": "function",
        "function": {"name": "weather"},
    }
    assert foreign.anthropic_tool_choice({"tool_choice": {"type": "any"}}) == "required"
    assert foreign.anthropic_tool_choice({}) is None


def test_gemini_conversation_numbers_calls_without_ids():
    request = {
        "systemInstruction": {"parts": [{"text": "You are a chess tutor."}]},
        "contents": [
            {"role": "user", "parts": [{"text": "Best move?"}, {"inlineData": {
                "mimeType": "image/png", "data": PIXEL}}]},
            {"role": "model", "parts": [
                {"text": "Hm.", "thought": True},
                {"functionCall": {"name": "engine", "args": {"fen": "8/8"}},
                 "thoughtSignature": "c2ln"},
                {"functionCall": {"name": "book", "args": {}}},
            ]},
            {"role": "user", "parts": [
                {"functionResponse": {"name": "book", "response": {"line": "e4"}}},
                {"functionResponse": {"name": "engine", "response": {"move": "Nf3"}}},
            ]},
        ],
    }  # fmt: skip
    assert foreign.gemini_messages(request) == (
        Message("system", "You are a chess tutor."),
        Message(
            "user",
            (
                {"type": "text", "text": "Best move?"},
                {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}},
            ),
        ),
        Message(
            "assistant",
            tool_calls=(
                call("engine", '{"fen":"8/8"}', "call_0", thought_signature="c2ln"),
                call("book", "{}", "call_1"),
            ),
            extra={"reasoning_content": "Hm."},
        ),
        Message("tool", '{"line":"e4"}', name="book", tool_call_id="call_1"),
        Message("tool", '{"move":"Nf3"}', name="engine", tool_call_id="call_0"),
    )


def test_gemini_answer():
    response = {
        "candidates": [
            {
                "content": {"role": "model", "parts": [{"text": "Play "}, {"text": "Nf3."}]},
                "finishReason": "STOP",
            },
            {
                "content": {"parts": [{"functionCall": {"name": "engine", "args": {"d": 3}}}]},
                "finishReason": "STOP",
            },
            {"finishReason": "SAFETY"},
        ]
    }
    assert foreign.gemini_answer(response) == Choice(Message("assistant", "Play Nf3."), "stop")
    assert foreign.gemini_answers(response, calls_before=2)[1:] == (
        Choice(
            Message("assistant", tool_calls=(call("engine", '{"d":3}', "call_2"),)), "tool_calls"
        ),
        Choice(Message("assistant"), "content_filter"),
    )
    with pytest.raises(MessageShapeError, match=r"blocked \(SAFETY\)"):
        foreign.gemini_answer({"promptFeedback": {"blockReason": "SAFETY"}})


def test_gemini_in_the_spelling_of_its_sdk():
    request = {
        "contents": "Hello there",
        "config": {
            "system_instruction": "Be kind.",
            "tools": [{"function_declarations": [{"name": "f", "parameters": {
                "type": "OBJECT", "properties": {"type": {"type": "STRING"}}}}]}],
            "tool_config": {"function_calling_config": {"mode": "ANY"}},
        },
    }  # fmt: skip
    assert foreign.gemini_messages(request) == (
        Message("system", "Be kind."),
        Message("user", "Hello there"),
    )
    schema = {"type": "object", "properties": {"type": {"type": "string"}}}
    assert foreign.gemini_tools(request) == (
        Tool("function", FunctionDefinition("f", None, schema)),
    )
    assert foreign.gemini_tool_choice(request) == "required"
    dumped = {"contents": [{"role": "user", "parts": [
        {"text": None, "function_call": None, "inline_data": None, "thought": None,
         "function_response": {"id": "c9", "name": "f", "response": {"ok": 1}}}]}]}  # fmt: skip
    assert foreign.gemini_messages(dumped) == (
        Message("tool", '{"ok":1}', name="f", tool_call_id="c9"),
    )


def test_converse():
    request = {
        "system": [{"text": "You help."}, {"cachePoint": {"type": "default"}}],
        "messages": [
            {"role": "user", "content": [
                {"text": "See:"},
                {"image": {"format": "png", "source": {"bytes": PIXEL}}},
                {"image": {"format": "png", "source": {"s3Location": {"uri": "s3://b/k.png"}}}},
                {"document": {"format": "pdf", "name": "d", "source": {"bytes": "AAA="}}},
            ]},
            {"role": "assistant", "content": [
                {"reasoningContent": {"reasoningText": {"text": "Look it up.", "signature": "s"}}},
                {"toolUse": {"toolUseId": "u1", "name": "find", "input": {"q": "x"}}},
            ]},
            {"role": "user", "content": [
                {"toolResult": {"toolUseId": "u1", "content": [{"json": {"n": 1}}],
                                "status": "error"}},
            ]},
        ],
        "toolConfig": {
            "tools": [{"toolSpec": {"name": "find", "description": "Finds",
                                    "inputSchema": {"json": {"type": "object"}}}}],
            "toolChoice": {"any": {}},
        },
    }  # fmt: skip
    reasoning = {"reasoningContent": {"reasoningText": {"text": "Look it up.", "signature": "s"}}}
    assert foreign.converse_messages(request) == (
        Message("system", "You help."),
        Message(
            "user",
            (
                {"type": "text", "text": "See:"},
                {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}},
                {"type": "image_url", "image_url": {"url": "s3://b/k.png"}},
                {
                    "type": "file",
                    "file": {"file_data": "data:application/pdf;base64,AAA=", "filename": "d"},
                },
            ),
        ),
        Message(
            "assistant",
            tool_calls=(call("find", '{"q":"x"}', "u1"),),
            extra={"reasoning_content": "Look it up.", "thinking_blocks": [reasoning]},
        ),
        Message("tool", '{"n":1}', tool_call_id="u1", extra={"is_error": True}),
    )
    assert foreign.converse_tools(request) == (
        Tool("function", FunctionDefinition("find", "Finds", {"type": "object"})),
    )
    assert foreign.converse_tool_choice(request) == "required"
    answer = foreign.converse_answer(
        {
            "output": {"message": {"role": "assistant", "content": [{"text": "Done."}]}},
            "stopReason": "max_tokens",
        }
    )
    assert answer == Choice(Message("assistant", "Done."), "length")


def test_responses_items_of_one_go_are_one_message():
    request = {
        "instructions": "You are terse.",
        "input": [
            {"role": "user", "content": [
                {"type": "input_text", "text": "What is this?"},
                {"type": "input_image", "image_url": "https://x.org/a.png", "detail": "low"},
            ]},
            {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Look."}]},
            {"type": "function_call", "call_id": "c1", "name": "see", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c1", "output": "a cat"},
            {"type": "message", "role": "assistant",
             "content": [{"type": "output_text", "text": "A cat."}]},
            {"role": "user", "content": "Sure?"},
        ],
        "tools": [
            {"type": "function", "name": "see", "parameters": {"type": "object"}, "strict": True},
            {"type": "web_search_preview"},
        ],
        "tool_choice": {"type": "function", "name": "see"},
    }  # fmt: skip
    assert foreign.responses_messages(request) == (
        Message("system", "You are terse."),
        Message(
            "user",
            (
                {"type": "text", "text": "What is this?"},
                {
                    "type": "image_url",
                    "image_url": {"url": "https://x.org/a.png", "detail": "low"},
                },
            ),
        ),
        Message(
            "assistant",
            tool_calls=(call("see", "{}", "c1"),),
            extra={"reasoning_content": "Look."},
        ),
        Message("tool", "a cat", tool_call_id="c1"),
        Message("assistant", "A cat."),
        Message("user", "Sure?"),
    )
    assert foreign.responses_tools(request) == (
        Tool("function", FunctionDefinition("see", None, {"type": "object"}, strict=True)),
        Tool("web_search_preview"),
    )
    assert foreign.responses_tool_choice(request) == {
        "type": "function",
        "function": {"name": "see"},
    }


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"status": "completed"}, "stop"),
        ({"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}, "length"),
        (
            {"status": "incomplete", "incomplete_details": {"reason": "content_filter"}},
            "content_filter",
        ),
        ({}, None),
    ],
)
def test_responses_answer_says_why_it_ended(fields, word):
    output = [{"type": "message", "content": [{"type": "refusal", "refusal": "No."}],
               "role": "assistant"}]  # fmt: skip
    answer = foreign.responses_answer({"output": output, **fields})
    assert answer == Choice(Message("assistant", extra={"refusal": "No."}), word)


def test_items_are_put_in_the_order_of_the_conversation():
    called = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
    result = {"type": "function_call_output", "call_id": "c", "output": "1"}
    user, system = {"role": "user", "content": "a"}, {"role": "system", "content": "b"}
    assert responses.in_order([result, called, user], newest_first=False) == [user, called, result]
    assert responses.in_order([user, called, result], newest_first=True) == [user, called, result]
    assert responses.in_order([user, system], newest_first=False) == [system, user]
    assert responses.in_order([user, user | {"content": "z"}], newest_first=True)[0] != user


def test_native_bodies():
    llama = {"generation": "Khartoum.", "stop_reason": "stop", "prompt_token_count": 15}
    assert native.native_answers(llama) == (Choice(Message("assistant", "Khartoum."), "stop"),)
    titan = {"results": [{"outputText": "Yes", "completionReason": "LENGTH", "tokenCount": 1}]}
    assert native.native_answers(titan) == (Choice(Message("assistant", "Yes"), "length"),)
    mistral = {"outputs": [{"text": "Oui", "stop_reason": "stop"}]}
    assert native.native_answers(mistral) == (Choice(Message("assistant", "Oui"), "stop"),)
    cohere = {
        "preamble": "Be brief.",
        "chat_history": [
            {"role": "USER", "message": "Hi"},
            {"role": "CHATBOT", "message": "Hello"},
        ],
        "message": "A joke?",
    }
    assert native.native_messages(cohere) == (
        Message("system", "Be brief."),
        Message("user", "Hi"),
        Message("assistant", "Hello"),
        Message("user", "A joke?"),
    )
    answer = {"text": "No.", "finish_reason": "COMPLETE"}
    assert native.native_answers(answer) == (Choice(Message("assistant", "No."), "stop"),)
    with pytest.raises(MessageShapeError):
        native.native_answers({"some_field": 1})


def test_anthropic_stream_is_put_together():
    events = [
        {"type": "message_start", "message": {"id": "msg_1", "role": "assistant", "content": [],
                                              "usage": {"input_tokens": 50, "output_tokens": 1}}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0,
         "delta": {"type": "text_delta", "text": "I'll "}},
        {"type": "content_block_delta", "index": 0,
         "delta": {"type": "text_delta", "text": "read."}},
        {"type": "content_block_stop", "index": 0},
        {"type": "content_block_start", "index": 1,
         "content_block": {"type": "tool_use", "id": "t1", "name": "Read", "input": {}}},
        {"type": "content_block_delta", "index": 1,
         "delta": {"type": "input_json_delta", "partial_json": '{"path": '}},
        {"type": "content_block_delta", "index": 1,
         "delta": {"type": "input_json_delta", "partial_json": '"a"}'}},
        {"type": "message_delta", "delta": {"stop_reason": "tool_use"},
         "usage": {"output_tokens": 30}},
        {"type": "message_stop"},
    ]  # fmt: skip
    body = streams.assembled(events)
    assert body["usage"] == {"input_tokens": 50, "output_tokens": 30}
    assert foreign.anthropic_answer(body) == Choice(
        Message("assistant", "I'll read.", tool_calls=(call("Read", '{"path": "a"}', "t1"),)),
        "tool_calls",
    )


def test_openai_stream_from_server_sent_events():
    text = (
        'data: {"id":"c1","model":"gpt-4o","choices":[{"index":0,"delta":{"role":"assistant",'
        '"content":"Hel"}}]}\n\n'
        'data: {"id":"c1","choices":[{"index":0,"delta":{"content":"lo"}}]}\n\n'
        'data: {"id":"c1","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"t",'
        '"function":{"name":"f","arguments":"{\\"a\\""}}]}}]}\n\n'
        'data: {"id":"c1","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,'
        '"function":{"arguments":":1}"}}]},"finish_reason":"tool_calls"}]}\n\n'
        'data: {"id":"c1","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2}}\n\n'
        "data: [DONE]\n"
    )
    assert streams.assembled(streams.parse_server_sent_events(text)) == {
        "object": "chat.completion",
        "id": "c1",
        "model": "gpt-4o",
        "usage": {"prompt_tokens": 3, "completion_tokens": 2},
        "choices": [
            {
                "message": {
                    "role": "assistant",
                    "content": "Hello",
                    "tool_calls": [
                        {
                            "type": "function",
                            "id": "t",
                            "function": {"name": "f", "arguments": '{"a":1}'},
                        }
                    ],
                },
                "finish_reason": "tool_calls",
            }
        ],
    }


def test_converse_and_gemini_streams():
    converse = [
        {"messageStart": {"role": "assistant"}},
        {"contentBlockDelta": {"delta": {"text": "Hi "}, "contentBlockIndex": 0}},
        {"contentBlockDelta": {"delta": {"text": "you"}, "contentBlockIndex": 0}},
        {"contentBlockStart": {"start": {"toolUse": {"toolUseId": "u", "name": "f"}},
                               "contentBlockIndex": 1}},
        {"contentBlockDelta": {"delta": {"toolUse": {"input": "{}"}}, "contentBlockIndex": 1}},
        {"messageStop": {"stopReason": "tool_use"}},
        {"metadata": {"usage": {"inputTokens": 4, "outputTokens": 2}}},
    ]  # fmt: skip
    body = streams.assembled(converse)
    assert body["usage"] == {"inputTokens": 4, "outputTokens": 2}
    assert foreign.converse_answer(body) == Choice(
        Message("assistant", "Hi you", tool_calls=(call("f", "{}", "u"),)), "tool_calls"
    )
    gemini = [
        {"candidates": [{"content": {"role": "model", "parts": [{"text": "A"}]}}]},
        {"candidates": [{"content": {"parts": [{"text": "B"}]}, "finishReason": "MAX_TOKENS"}]},
    ]
    assert foreign.gemini_answer(streams.assembled(gemini)) == Choice(
        Message("assistant", "AB"), "length"
    )
    with pytest.raises(MessageShapeError):
        streams.assembled([{"type": "chunk", "output": {"partial": "hello"}}])


@pytest.mark.parametrize(
    ("convert", "value"),
    [
        (foreign.anthropic_messages, {}),
        (foreign.anthropic_messages, {"messages": [{"content": "x"}]}),
        (foreign.anthropic_messages, {"messages": [{"role": "user", "content": [3]}]}),
        (foreign.anthropic_answer, {}),
        (foreign.anthropic_tools, {"tools": [{"description": "no name"}]}),
        (foreign.gemini_messages, {"contents": 3}),
        (foreign.gemini_answer, {"candidates": []}),
        (foreign.converse_messages, {"messages": [{"role": "user", "content": [{"text": 1}]}]}),
        (foreign.converse_answer, {"output": None}),
        (foreign.responses_messages, {"input": 3}),
        (foreign.responses_answer, {}),
    ],
)
def test_wrong_shapes_are_named(convert, value):
    with pytest.raises(MessageShapeError):
        convert(value)


KEYS = st.sampled_from(
    ["messages", "contents", "content", "parts", "role", "text", "type", "output", "message",
     "candidates", "system", "tools", "toolConfig", "toolUse", "toolResult", "input", "name",
     "functionCall", "functionResponse", "inlineData", "data", "source", "image", "choices",
     "tool_use", "index", "delta", "contentBlockDelta", "functionDeclarations", "toolSpec",
     "toolChoice", "tool_choice", "config", "reasoningContent", "citationsContent", "response",
     "call_id", "id", "results", "generations", "parameter_definitions", "chat_history", "prompt",
     "status", "candidates", "finishReason", "event", "outputs"]
)  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(
        ["user", "assistant", "text", "tool_use", "tool_result", "thinking", "image", "message",
         "function_call", "reasoning", "content_block_delta", "model"]
    ) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=25,
)  # fmt: skip


@given(st.dictionaries(KEYS, VALUES, max_size=5))
def test_converters_give_messages_or_say_what_is_wrong(value):
    for convert in (
        foreign.anthropic_messages,
        foreign.anthropic_answer,
        foreign.anthropic_tools,
        foreign.anthropic_tool_choice,
        foreign.gemini_messages,
        foreign.gemini_answers,
        foreign.gemini_tools,
        foreign.gemini_tool_choice,
        foreign.converse_messages,
        foreign.converse_answer,
        foreign.converse_tools,
        foreign.converse_tool_choice,
        foreign.responses_messages,
        foreign.responses_answer,
        foreign.responses_tools,
        foreign.responses_tool_choice,
        native.native_messages,
        native.native_answers,
        native.native_tools,
    ):
        with suppress(MessageShapeError):
            convert(value)


@given(st.lists(VALUES | st.dictionaries(KEYS, VALUES, max_size=4), max_size=6))
def test_streams_add_up_or_are_refused(chunks):
    with suppress(MessageShapeError):
        assert isinstance(streams.assembled(chunks), dict)
