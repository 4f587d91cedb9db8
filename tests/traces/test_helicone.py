"""Requests of Helicone; expected values are written by hand from its API reference."""

from datetime import UTC, datetime

import pytest

from rft_widgets.model.message import Message
from rft_widgets.model.trace import Choice, Score, Trace, Usage
from rft_widgets.traces import helicone
from rft_widgets.traces.reader import Document

ROW = {
    "request_id": "11111111-aaaa",
    "request_created_at": "2025-03-01 10:00:00.250",
    "request_body": {
        "model": "gpt-4o-mini",
        "temperature": 0.5,
        "messages": [
            {"role": "system", "content": "You are a chess tutor."},
            {"role": "user", "content": "How do I fork with a knight?"},
        ],
    },
    "request_path": "https://oai.helicone.ai/v1/chat/completions",
    "request_user_id": "u-7",
    "request_properties": {"Helicone-Session-Id": "s-1", "app": "chess"},
    "request_model": "gpt-4o-mini",
    "response_id": "22222222-bbbb",
    "response_created_at": "2025-03-01 10:00:01",
    "response_body": {
        "id": "chatcmpl-9",
        "object": "chat.completion",
        "created": 1740823201,
        "model": "gpt-4o-mini-2024-07-18",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Attack two pieces at once."},
                "finish_reason": "stop",
            }
        ],
    },
    "response_status": 200,
    "response_model": "gpt-4o-mini-2024-07-18",
    "model_override": None,
    "helicone_user": None,
    "provider": "OPENAI",
    "delay_ms": 750,
    "time_to_first_token": None,
    "prompt_tokens": 24,
    "completion_tokens": 6,
    "total_tokens": 30,
    "scores": {"accuracy": 90, "safe-hcone-bool": 1, "depth": {"value": 3, "valueType": "number"}},
    "feedback_rating": False,
    "signed_body_url": "https://assets.example/abc?signature=private",
    "cost": 0.0000072,
}
PLACEHOLDER = {"helicone_message": "fetching body from signed_url"}


def read(*values):
    return list(helicone.read(Document(f"line {i}", v) for i, v in enumerate(values, start=1)))


def test_request_with_scores_and_feedback():
    assert helicone.matches(ROW)
    assert read(ROW) == [
        Trace(
            format="helicone",
            location="line 1",
            messages=(
                Message("system", "You are a chess tutor."),
                Message("user", "How do I fork with a knight?"),
            ),
            choices=(Choice(Message("assistant", "Attack two pieces at once."), "stop"),),
            span_id="11111111-aaaa",
            thread_id="s-1",
            started_at=datetime(2025, 3, 1, 10, 0, 0, 250_000, tzinfo=UTC),
            latency_ms=750.0,
            model="gpt-4o-mini",
            response_model="gpt-4o-mini-2024-07-18",
            provider="openai",
            params={"temperature": 0.5},
            usage=Usage(input_tokens=24, output_tokens=6, total_tokens=30),
            cost_usd=0.0000072,
            scores=(
                Score(name="accuracy", value=90.0),
                Score(name="safe", value=1.0, label="true"),
                Score(name="depth", value=3.0),
                Score(name="feedback", value=0.0, label="negative"),
            ),
            metadata={
                "properties": {"Helicone-Session-Id": "s-1", "app": "chess"},
                "user_id": "u-7",
            },
        )
    ]


def test_page_of_the_query_api():
    page = {"data": [ROW, ROW | {"request_id": "3"}], "error": None}
    assert helicone.matches(page)
    assert [(trace.span_id, trace.location) for trace in read(page)] == [
        ("11111111-aaaa", "line 1, item 0"),
        ("3", "line 1, item 1"),
    ]


def test_anthropic_bodies():
    row = ROW | {
        "provider": "ANTHROPIC",
        "request_path": "https://anthropic.helicone.ai/v1/messages",
        "request_body": {
            "model": "claude-3-5-haiku",
            "max_tokens": 64,
            "system": "Be brief.",
            "messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}],
        },
        "response_body": {
            "type": "message",
            "role": "assistant",
            "content": [{"type": "text", "text": "Hello."}],
            "stop_reason": "end_turn",
            "usage": {"input_tokens": 9, "output_tokens": 2},
        },
    }
    (trace,) = read(row)
    assert trace.messages == (Message("system", "Be brief."), Message("user", "Hi"))
    assert trace.choices == (Choice(Message("assistant", "Hello."), "stop"),)
    assert trace.provider == "anthropic"
    assert trace.usage == Usage(input_tokens=9, output_tokens=2)


@pytest.mark.parametrize("missing", [None, "", {}, PLACEHOLDER])
def test_bodies_kept_elsewhere_are_a_loss_that_names_no_signature(missing):
    (loss,) = read(ROW | {"request_body": missing, "response_body": missing})
    assert (loss.code, loss.span_id) == ("no_content", "11111111-aaaa")
    assert "signed_body_url" in loss.message
    assert "private" not in loss.message


def test_row_that_only_has_the_url():
    row = {"request_id": "1", "signed_body_url": "https://x", "response_status": 200}
    assert helicone.matches(row)
    assert [loss.code for loss in read(row)] == ["no_content"]


def test_fetched_bodies():
    fetched = {"request": ROW["request_body"], "response": ROW["response_body"]}
    row = ROW | {"request_body": "", "response_body": "", "signed_body_content": fetched}
    assert read(row) == read(ROW)


def test_response_kept_elsewhere_is_told():
    loss, trace = read(ROW | {"response_body": PLACEHOLDER})
    assert (loss.code, loss.span_id) == ("no_content", trace.span_id)
    assert trace.choices == ()


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        (429, {"error": {"message": "Rate limit"}}, "the service answered 429: Rate limit"),
        (500, "", "the service answered 500"),
        (-3, None, "the call was cancelled"),
    ],
)
def test_failed_calls(status, body, message):
    (loss,) = read(ROW | {"response_status": status, "response_body": body})
    assert (loss.code, loss.message) == ("failed_call", message)


def test_embedding_is_no_chat():
    row = ROW | {
        "request_path": "https://oai.helicone.ai/v1/embeddings",
        "request_body": {"model": "text-embedding-3-small", "input": "a"},
        "response_body": {"helicone_message": "embeddings response omitted"},
    }
    assert [loss.code for loss in read(row)] == ["unsupported_call"]


def test_streamed_response():
    chunks = [
        {"id": "c", "choices": [{"index": 0, "delta": {"role": "assistant", "content": "A"}}]},
        {"id": "c", "choices": [{"index": 0, "delta": {"content": "B"}, "finish_reason": "stop"}]},
    ]
    (trace,) = read(ROW | {"response_body": {"streamed_data": chunks}})
    assert trace.choices == (Choice(Message("assistant", "AB"), "stop"),)


def test_images_that_helicone_stores():
    def asked(url):
        part = {"type": "image_url", "image_url": {"url": url}}
        return {"model": "gpt-4o", "messages": [{"role": "user", "content": [part]}]}

    named = '<helicone-asset-id key="a1"/>'
    row = ROW | {"request_body": asked(named), "asset_urls": {"a1": "https://assets.example/a1"}}
    (trace,) = read(row)
    assert trace.messages[0].content == (
        {"type": "image_url", "image_url": {"url": "https://assets.example/a1"}},
    )
    loss, _ = read(ROW | {"request_body": asked(named)})
    assert loss.code == "image_without_data"
