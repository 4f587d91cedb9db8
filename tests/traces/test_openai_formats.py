"""Chat completions, Responses, request logs and batches; expected values are written by hand."""

import json
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rft_widgets.errors import ImportInterrupted, ImportRejected, InvalidArgument
from rft_widgets.model.message import (
    FunctionCall,
    FunctionDefinition,
    Message,
    Tool,
    ToolCall,
)
from rft_widgets.model.trace import Choice, Trace, TraceLoss, Usage
from rft_widgets.traces import (
    bedrock,
    chat_jsonl,
    helicone,
    openai_chat,
    openai_responses,
    request_log,
)
from rft_widgets.traces.reader import Document

COMPLETION = {
    "object": "chat.completion",
    "id": "chatcmpl-1",
    "model": "gpt-4o-2024-08-06",
    "created": 1738960610,
    "request_id": "req_1",
    "choices": [
        {
            "index": 0,
            "message": {
                "role": "assistant",
                "content": "Mind of circuits hum",
                "tool_calls": None,
                "function_call": None,
                "refusal": None,
                "annotations": [],
            },
            "finish_reason": "stop",
            "logprobs": None,
        }
    ],
    "usage": {
        "prompt_tokens": 18,
        "completion_tokens": 31,
        "total_tokens": 49,
        "prompt_tokens_details": {"cached_tokens": 4},
        "completion_tokens_details": {"reasoning_tokens": 7},
    },
    "tools": None,
    "tool_choice": None,
    "temperature": 1.0,
    "top_p": 1.0,
    "metadata": {"topic": "haiku"},
    "response_format": None,
}
ASKED = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Write a haiku"}]}
USAGE = Usage(
    input_tokens=18, output_tokens=31, total_tokens=49, cached_tokens=4, reasoning_tokens=7
)


def read(module, *values):
    documents = [Document(f"line {i}", value) for i, value in enumerate(values, start=1)]
    return list(module.read(documents))


def test_stored_completion_with_its_messages():
    stored = {
        "completion": COMPLETION,
        "messages": [
            {"id": "chatcmpl-1-0", "role": "user", "content": "", "name": None,
             "content_parts": [
                 {"type": "text", "text": "Write a haiku about"},
                 {"type": "image_url", "image_url": {"url": "https://x.org/a.png"}},
             ]},
        ],
    }  # fmt: skip
    assert openai_chat.matches(stored)
    assert read(openai_chat, stored) == [
        Trace(
            format="openai_chat",
            location="line 1",
            messages=(
                Message(
                    "user",
                    (
                        {"type": "text", "text": "Write a haiku about"},
                        {"type": "image_url", "image_url": {"url": "https://x.org/a.png"}},
                    ),
                ),
            ),
            choices=(Choice(Message("assistant", "Mind of circuits hum"), "stop"),),
            span_id="chatcmpl-1",
            started_at=datetime(2025, 2, 7, 20, 36, 50, tzinfo=UTC),
            model="gpt-4o-2024-08-06",
            response_model="gpt-4o-2024-08-06",
            provider="openai",
            params={"temperature": 1.0, "top_p": 1.0},
            usage=USAGE,
            metadata={"topic": "haiku"},
        )
    ]


def test_answer_listed_among_the_messages_is_not_asked():
    messages = [
        {"id": "chatcmpl-1-0", "role": "user", "content": "Write a haiku"},
        {"id": "chatcmpl-1-1", "role": "assistant", "content": "Mind of circuits hum"},
    ]
    (trace,) = read(openai_chat, {"completion": COMPLETION, "messages": messages})
    assert trace.messages == (Message("user", "Write a haiku"),)


def test_completion_without_its_messages_is_a_loss():
    assert openai_chat.matches(COMPLETION)
    page = {"object": "list", "data": [COMPLETION, COMPLETION], "has_more": False}
    assert openai_chat.matches(page)
    losses = read(openai_chat, COMPLETION, page)
    assert [(loss.code, loss.location, loss.span_id) for loss in losses] == [
        ("no_request", "line 1", "chatcmpl-1"),
        ("no_request", "line 2, item 0", "chatcmpl-1"),
        ("no_request", "line 2, item 1", "chatcmpl-1"),
    ]


@pytest.mark.parametrize("messages", [True, 3, "text", {"data": "x"}, [None], [{"content": "a"}]])
def test_messages_of_the_wrong_shape_are_a_loss(messages):
    (loss,) = read(openai_chat, {"completion": COMPLETION, "messages": messages})
    assert (loss.code, loss.span_id) == ("undecodable", "chatcmpl-1")


RESPONSE = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1741476542,
    "status": "completed",
    "error": None,
    "incomplete_details": None,
    "instructions": "You are a weather bot.",
    "max_output_tokens": None,
    "model": "gpt-4.1-2025-04-14",
    "output": [
        {"type": "reasoning", "id": "rs_1", "summary": []},
        {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "weather",
         "arguments": '{"city":"Paris"}', "status": "completed"},
    ],
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "temperature": 1.0,
    "tool_choice": "auto",
    "tools": [{"type": "function", "name": "weather", "description": "Weather of a city",
               "parameters": {"type": "object"}, "strict": True}],
    "usage": {"input_tokens": 36, "input_tokens_details": {"cached_tokens": 0},
              "output_tokens": 87, "output_tokens_details": {"reasoning_tokens": 5},
              "total_tokens": 123},
    "metadata": {},
}  # fmt: skip


def test_response_beside_its_input_items():
    items = {
        "object": "list",
        "data": [
            {"id": "msg_1", "type": "message", "role": "user",
             "content": [{"type": "input_text", "text": "Weather in Paris?"}]},
        ],
        "has_more": False,
    }  # fmt: skip
    value = {"response": RESPONSE, "input_items": items}
    assert openai_responses.matches(value)
    assert read(openai_responses, value) == [
        Trace(
            format="openai_responses",
            location="line 1",
            messages=(
                Message("system", "You are a weather bot."),
                Message("user", "Weather in Paris?"),
            ),
            choices=(
                Choice(
                    Message(
                        "assistant",
                        tool_calls=(
                            ToolCall("function", "c1", FunctionCall("weather", '{"city":"Paris"}')),
                        ),
                    ),
                    "tool_calls",
                ),
            ),
            tools=(
                Tool(
                    "function",
                    FunctionDefinition(
                        "weather", "Weather of a city", {"type": "object"}, strict=True
                    ),
                ),
            ),
            tool_choice="auto",
            span_id="resp_1",
            started_at=datetime(2025, 3, 8, 23, 29, 2, tzinfo=UTC),
            model="gpt-4.1-2025-04-14",
            response_model="gpt-4.1-2025-04-14",
            provider="openai",
            params={"temperature": 1.0, "parallel_tool_calls": True},
            usage=Usage(
                input_tokens=36,
                output_tokens=87,
                total_tokens=123,
                reasoning_tokens=5,
                cached_tokens=0,
            ),
        )
    ]


def test_response_beside_its_request():
    request = {"model": "gpt-4.1", "input": "Weather in Paris?", "temperature": 0.2}
    (trace,) = read(openai_responses, {"request": request, "response": RESPONSE})
    assert trace.messages[1] == Message("user", "Weather in Paris?")
    assert (trace.model, trace.response_model) == ("gpt-4.1", "gpt-4.1-2025-04-14")
    assert trace.params["temperature"] == 0.2
    (same,) = read(request_log, {"request": request, "response": json.dumps(RESPONSE)})
    assert same.messages == trace.messages
    assert same.choices == trace.choices


def test_response_alone_or_failed_or_unfinished():
    assert openai_responses.matches(RESPONSE)
    (alone,) = read(openai_responses, RESPONSE)
    assert (alone.code, alone.span_id) == ("no_request", "resp_1")
    failed = RESPONSE | {
        "status": "failed",
        "output": [],
        "error": {"code": "server_error", "message": "The model failed."},
    }
    (loss,) = read(openai_responses, {"request": {"input": "Hello"}, "response": failed})
    assert (loss.code, loss.message) == ("failed_call", "server_error: The model failed.")
    queued = RESPONSE | {"status": "queued", "output": []}
    (trace,) = read(openai_responses, {"request": {"input": "Hello"}, "response": queued})
    assert trace.choices == ()


def test_what_a_response_refers_to_is_told():
    chained = RESPONSE | {"previous_response_id": "resp_0"}
    loss, trace = read(
        openai_responses,
        {"request": {"input": [{"role": "user", "content": "And Rome?"}]}, "response": chained},
    )
    assert (loss.code, loss.span_id) == ("no_request", "resp_1")
    assert "resp_0" in loss.message
    assert trace.span_id == "resp_1"
    assert trace.metadata == {"previous_response_id": "resp_0"}


@pytest.mark.parametrize(
    ("request_body", "response_body"),
    [
        (ASKED, COMPLETION),
        (json.dumps(ASKED), json.dumps(COMPLETION)),
        (
            {"method": "POST", "url": "/v1/chat/completions", "body": json.dumps(ASKED)},
            {"status": 200, "headers": {}, "body": COMPLETION},
        ),
    ],
)
def test_request_log(request_body, response_body):
    log = {
        "id": "call-7",
        "timestamp": "2025-02-07T20:36:50Z",
        "latency_ms": 812,
        "session_id": "s1",
        "request": request_body,
        "response": response_body,
        "metadata": {"team": "a"},
    }
    assert request_log.matches(log)
    assert read(request_log, log) == [
        Trace(
            format="request_log",
            location="line 1",
            messages=(Message("user", "Write a haiku"),),
            choices=(Choice(Message("assistant", "Mind of circuits hum"), "stop"),),
            span_id="call-7",
            thread_id="s1",
            started_at=datetime(2025, 2, 7, 20, 36, 50, tzinfo=UTC),
            latency_ms=812.0,
            model="gpt-4o",
            response_model="gpt-4o-2024-08-06",
            provider="openai",
            usage=USAGE,
            metadata={"topic": "haiku", "team": "a"},
        )
    ]


def test_request_log_of_other_apis():
    anthropic = {
        "request": {
            "model": "claude-3-5-haiku",
            "max_tokens": 10,
            "system": "Be brief.",
            "messages": [{"role": "user", "content": "Hi"}],
        },
        "response": {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": "claude-3-5-haiku-20241022",
            "content": [{"type": "text", "text": "Hello."}],
            "stop_reason": "end_turn",
            "usage": {
                "input_tokens": 9,
                "cache_read_input_tokens": 5,
                "cache_creation_input_tokens": 2,
                "output_tokens": 3,
            },
        },
    }
    gemini = {
        "request": {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}],
                    "generationConfig": {"temperature": 0.1}},
        "response": {
            "candidates": [{"content": {"parts": [{"text": "Hello."}], "role": "model"},
                            "finishReason": "STOP"}],
            "modelVersion": "gemini-2.0-flash",
            "usageMetadata": {"promptTokenCount": 2, "candidatesTokenCount": 3,
                              "thoughtsTokenCount": 4, "totalTokenCount": 9},
        },
    }  # fmt: skip
    first, second = read(request_log, anthropic, gemini)
    assert first.messages == (Message("system", "Be brief."), Message("user", "Hi"))
    assert first.usage == Usage(input_tokens=16, output_tokens=3, cached_tokens=5)
    assert (first.provider, first.params) == ("anthropic", {"max_tokens": 10})
    assert second.choices == first.choices == (Choice(Message("assistant", "Hello."), "stop"),)
    assert second.usage == Usage(
        input_tokens=2, output_tokens=7, total_tokens=9, reasoning_tokens=4
    )
    assert (second.response_model, second.params) == ("gemini-2.0-flash", {"temperature": 0.1})


@pytest.mark.parametrize(
    ("log", "code"),
    [
        ({"request": ASKED, "response": {"error": {"message": "no", "code": 400}}}, "failed_call"),
        ({"request": ASKED, "response": {"status": 429, "body": "slow down"}}, "failed_call"),
        ({"request": ASKED, "response": None, "error": "timeout"}, "failed_call"),
        ({"request": None, "response": COMPLETION}, "no_request"),
        ({"request": {"model": "gpt-4o", "messages": []}, "response": COMPLETION}, "no_content"),
        ({"request": {"messages": 3}, "response": COMPLETION}, "undecodable"),
        ({"request": "{not json", "response": COMPLETION}, "undecodable"),
        (
            {
                "request": {"model": "text-embedding-3-small", "input": "a"},
                "response": {"object": "list", "data": [{"object": "embedding", "embedding": []}]},
            },
            "unsupported_call",
        ),
        (
            {
                "request": {"contents": [{"parts": [{"text": "x"}]}]},
                "response": {"promptFeedback": {"blockReason": "SAFETY"}},
            },
            "failed_call",
        ),
    ],
)
def test_calls_that_are_lost(log, code):
    assert request_log.matches(log)
    (loss,) = read(request_log, log)
    assert isinstance(loss, TraceLoss)
    assert (loss.code, loss.location) == (code, "line 1")
    assert loss.message


def test_image_without_data_is_told_and_the_call_stays():
    parts = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"helicone_message": "left out"}},
    ]
    log = {"request": {"messages": [{"role": "user", "content": parts}]}, "response": COMPLETION}
    loss, trace = read(request_log, log)
    assert (loss.code, loss.span_id) == ("image_without_data", trace.span_id)
    assert trace.messages == (Message("user", ({"type": "text", "text": "What is this?"},)),)


def batch_input(name, question):
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": question}]}
    return {"custom_id": name, "method": "POST", "url": "/v1/chat/completions", "body": body}


def batch_output(name, answer):
    body = {
        "id": f"chatcmpl-{name}",
        "object": "chat.completion",
        "model": "gpt-4o-2024-08-06",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": answer},
                     "finish_reason": "stop"}],
    }  # fmt: skip
    return {
        "id": f"batch_req_{name}",
        "custom_id": name,
        "response": {"status_code": 200, "request_id": "r", "body": body},
        "error": None,
    }


def test_batch_files_are_joined_whatever_the_order():
    lines = [
        batch_output("b", "B!"),
        batch_input("a", "a?"),
        batch_input("b", "b?"),
        batch_output("a", "A!"),
    ]
    assert all(request_log.matches(line) for line in lines)
    second, first = read(request_log, *lines)
    assert (first.messages[0].content, first.choices[0].message.content) == ("a?", "A!")
    assert (second.messages[0].content, second.choices[0].message.content) == ("b?", "B!")
    assert (first.span_id, first.metadata) == ("batch_req_a", {"custom_id": "a"})
    assert first.location == "line 4, request in line 2"


def test_batch_lines_without_their_other_half():
    expired = {
        "id": "batch_req_c",
        "custom_id": "c",
        "response": None,
        "error": {"code": "batch_expired", "message": "This request could not be executed."},
    }
    refused = {
        "id": "batch_req_d",
        "custom_id": "d",
        "response": {"status_code": 400, "body": {"error": {"message": "bad"}}},
        "error": None,
    }
    readings = read(
        request_log,
        batch_input("a", "a?"),
        batch_output("b", "B!"),
        batch_input("c", "c?"),
        expired,
        refused,
    )
    assert [getattr(each, "code", "trace") for each in readings] == [
        "failed_call",
        "trace",
        "no_request",
        "failed_call",
    ]
    assert readings[0].message == "batch_expired: This request could not be executed."
    assert readings[1].messages == (Message("user", "a?"),)
    assert readings[1].choices == ()
    assert readings[3].message == "the service answered 400 bad"


def test_batches_of_responses_and_of_anthropic():
    asked = {
        "custom_id": "r",
        "method": "POST",
        "url": "/v1/responses",
        "body": {"model": "gpt-4.1", "input": "Weather in Paris?"},
    }
    answered = {"custom_id": "r", "response": {"status_code": 200, "body": RESPONSE}, "error": None}
    (trace,) = read(request_log, asked, answered)
    assert trace.choices[0].finish_reason == "tool_calls"
    message = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "content": [{"type": "text", "text": "Hello."}],
        "stop_reason": "end_turn",
    }
    params = {"model": "claude", "max_tokens": 5, "messages": [{"role": "user", "content": "Hi"}]}
    first, second = read(
        request_log,
        {"custom_id": "x", "params": params},
        {"custom_id": "x", "result": {"type": "succeeded", "message": message}},
        {"custom_id": "y", "result": {"type": "expired"}},
    )
    assert first.choices == (Choice(Message("assistant", "Hello."), "stop"),)
    assert (second.code, second.message) == ("failed_call", "expired")


class _Stored(ThreadingHTTPServer):
    """A service that stores three completions and keeps what it was asked."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked = []
        self.fault = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


class _Handler(BaseHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def do_GET(self):
        parts = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        self.server.asked.append((parts.path, query, self.headers.get("Authorization")))
        if self.server.fault is not None and self.server.fault(self, parts.path, query):
            return
        if parts.path == "/v1/chat/completions":
            ids = [f"c{i}" for i in range(3)]
            items = [COMPLETION | {"id": each} for each in ids]
        else:
            name = parts.path.split("/")[-2]
            ids = [f"{name}-{i}" for i in range(2)]
            roles = ("system", "user")
            items = [
                {"id": each, "role": role, "content": f"{role} of {name}", "content_parts": None}
                for each, role in zip(ids, roles, strict=True)
            ]
        start = ids.index(query["after"]) + 1 if "after" in query else 0
        size = min(int(query["limit"]), 2)
        page = items[start : start + size]
        self.reply(
            200,
            {
                "object": "list",
                "data": page,
                "last_id": page[-1]["id"] if page else None,
                "has_more": start + size < len(items),
            },
        )

    def reply(self, status, value, **headers):
        data = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.send_response(status)
        for key, each in headers.items():
            self.send_header(key.replace("_", "-"), each)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@pytest.fixture
def stored():
    server = _Stored()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


KEY = "sk-test-1234"


def test_stored_completions_are_paged(stored):
    documents = list(openai_chat.read_stored_completions(stored.url + "/", KEY, model="gpt-4o"))
    assert [document.location for document in documents] == [
        "completion c0",
        "completion c1",
        "completion c2",
    ]
    traces = list(openai_chat.read(documents))
    assert [trace.messages for trace in traces] == [
        (Message("system", f"system of c{i}"), Message("user", f"user of c{i}")) for i in range(3)
    ]
    pages = [query for path, query, _ in stored.asked if path == "/v1/chat/completions"]
    assert pages == [
        {"limit": "100", "order": "asc", "model": "gpt-4o"},
        {"limit": "100", "order": "asc", "model": "gpt-4o", "after": "c1"},
    ]
    assert {key for _, _, key in stored.asked} == {f"Bearer {KEY}"}


def test_limit_of_stored_completions(stored):
    documents = list(openai_chat.read_stored_completions(stored.url, KEY, limit=1))
    assert len(documents) == 1
    assert stored.asked[0][1]["limit"] == "1"
    assert list(openai_chat.read_stored_completions(stored.url, KEY, limit=0)) == []


def fail(status, value, **headers):
    def fault(handler, path, query):
        handler.reply(status, value, **headers)
        return True

    return fault


def test_refusal_names_no_key(stored):
    stored.fault = fail(401, {"error": {"message": f"Incorrect API key provided: {KEY}"}})
    with pytest.raises(ImportRejected, match="401") as error:
        list(openai_chat.read_stored_completions(stored.url, KEY))
    assert KEY not in str(error.value)
    assert "[key]" in str(error.value)
    assert error.value.__cause__ is None


def test_redirect_is_not_followed(stored):
    other = _Stored()
    stored.fault = fail(302, b"", Location=other.url + "/chat/completions")
    thread = threading.Thread(target=other.serve_forever, daemon=True)
    thread.start()
    try:
        with pytest.raises(ImportRejected, match="redirects are not followed"):
            list(openai_chat.read_stored_completions(stored.url, KEY))
        assert other.asked == []
    finally:
        other.shutdown()
        thread.join()
        other.server_close()


def test_proxies_of_the_environment_are_not_used(stored, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    assert len(list(openai_chat.read_stored_completions(stored.url, KEY))) == 3


def test_busy_service_is_asked_again(stored, monkeypatch):
    waits = []
    monkeypatch.setattr(openai_chat, "_sleep", waits.append)
    busy = iter([429, 503])

    def fault(handler, path, query):
        status = next(busy, None)
        if status is None:
            return False
        handler.reply(status, {}, Retry_After="7")
        return True

    stored.fault = fault
    assert len(list(openai_chat.read_stored_completions(stored.url, KEY))) == 3
    assert waits == [7.0, 7.0]
    stored.fault = fail(429, {})
    with pytest.raises(ImportRejected, match="429"):
        list(openai_chat.read_stored_completions(stored.url, KEY))
    assert waits == [7.0, 7.0, 1.0, 2.0, 4.0]


def test_fault_later_on_keeps_what_came_before(stored):
    def fault(handler, path, query):
        if path != "/v1/chat/completions" or "after" not in query:
            return False
        handler.reply(200, b"not json")
        return True

    stored.fault = fault
    documents = openai_chat.read_stored_completions(stored.url, KEY)
    assert [next(documents).location, next(documents).location] == [
        "completion c0",
        "completion c1",
    ]
    with pytest.raises(ImportInterrupted, match="no answer that can be read"):
        next(documents)


def test_messages_that_are_gone_make_a_loss(stored):
    def fault(handler, path, query):
        if not path.endswith("c1/messages"):
            return False
        handler.reply(404, {"error": {"message": "not found"}})
        return True

    stored.fault = fault
    readings = list(openai_chat.read(openai_chat.read_stored_completions(stored.url, KEY)))
    assert [getattr(each, "code", "trace") for each in readings] == ["trace", "no_request", "trace"]


def test_pages_that_repeat_end(stored):
    page = {"data": [COMPLETION | {"id": "c0"}], "last_id": "c0", "has_more": True}

    def fault(handler, path, query):
        if path != "/v1/chat/completions":
            return False
        handler.reply(200, page)
        return True

    stored.fault = fault
    with pytest.raises(ImportInterrupted, match="repeats a page"):
        list(openai_chat.read_stored_completions(stored.url, KEY))


def test_service_that_is_not_there():
    server = _Stored()
    url = server.url
    server.server_close()
    with pytest.raises(ImportRejected, match="cannot be reached"):
        list(openai_chat.read_stored_completions(url, KEY))


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("http://api.example.com/v1", KEY),
        ("ftp://127.0.0.1/v1", KEY),
        ("https://", KEY),
        ("https://me:secret@api.example.com/v1", KEY),
        ("https://[::1/v1", KEY),
        ("https://api.example.com/v1", ""),
        ("https://api.example.com/v1", "sk-secret\nX-Other: 1"),
        ("https://api.example.com/v1", "sk-secreté"),
    ],
)
def test_addresses_and_keys_that_cannot_be_used(url, key):
    # Refused at once, before anything is read; what is secret is not repeated.
    with pytest.raises(InvalidArgument) as error:
        openai_chat.read_stored_completions(url, key)
    assert "secret" not in str(error.value)


READERS = (openai_chat, openai_responses, request_log, helicone, bedrock, chat_jsonl)
KEYS = st.sampled_from(
    ["object", "completion", "messages", "choices", "message", "role", "content", "request",
     "response", "body", "custom_id", "error", "status_code", "output", "input", "input_items",
     "data", "type", "id", "usage", "created", "tools", "function", "request_body",
     "response_body", "scores", "feedback", "request_id", "signed_body_url", "schemaType",
     "inputBodyJson", "outputBodyJson", "modelId", "metadata", "item", "instructions", "result",
     "prompt", "contents", "system", "model", "timestamp", "response_status", "asset_urls",
     "streamed_data", "previous_response_id", "generationConfig", "functions", "tool_choice",
     "toolConfig", "events", "tool_calls", "function_call", "parts", "text", "status", "name"]
)  # fmt: skip
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=8)
    | st.sampled_from(
        ["chat.completion", "response", "user", "assistant", "message", "function_call", "text",
         "ModelInvocationLog", '{"messages": [{"role": "user"}]}', "data: {}", "{", "completed"]
    )
)  # fmt: skip
JSON = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(KEYS, inner, max_size=5)
        | st.dictionaries(st.text(max_size=4), inner, max_size=2)
    ),
    max_leaves=30,
)


@given(st.lists(JSON | st.dictionaries(KEYS, JSON, max_size=6), max_size=4))
def test_no_value_makes_a_reader_raise(values):
    for reader in READERS:
        for value in values:
            assert isinstance(reader.matches(value), bool)
        for reading in read(reader, *values):
            assert isinstance(reading, (Trace, TraceLoss))


MUTABLE = (
    {"completion": COMPLETION, "messages": [{"role": "user", "content": "Hello there"}]},
    {"request": ASKED, "response": COMPLETION},
    {"request": {"input": "Hello"}, "response": RESPONSE},
    batch_output("a", "A"),
    batch_input("a", "a?"),
)


@given(st.sampled_from(MUTABLE), st.randoms(use_true_random=False), JSON)
def test_no_damage_makes_a_reader_raise(value, random, damage):
    copy = json.loads(json.dumps(value))
    node, path = copy, []
    while isinstance(node, (dict, list)) and node:
        key = random.choice(list(node) if isinstance(node, dict) else range(len(node)))
        path.append((node, key))
        node = node[key]
    holder, key = random.choice(path)
    holder[key] = damage
    for reader in READERS:
        reader.matches(copy)
        assert read(reader, copy)
