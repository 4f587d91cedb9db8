"""Invocation logs of Bedrock; expected values are written by hand from AWS's documentation."""

import json
from datetime import UTC, datetime

import pytest

from rft_widgets.model.message import FunctionCall, Message, ToolCall
from rft_widgets.model.trace import Choice, Trace, Usage
from rft_widgets.traces import bedrock
from rft_widgets.traces.reader import Document


def log(operation, model, request, response, **more):
    return {
        "schemaType": "ModelInvocationLog",
        "schemaVersion": "1.0",
        "timestamp": "2025-03-11T00:38:02Z",
        "accountId": "123456789012",
        "identity": {"arn": "arn:aws:iam::123456789012:user/x"},
        "region": "us-east-1",
        "requestId": "req-1",
        "operation": operation,
        "modelId": model,
        "input": {
            "inputContentType": "application/json",
            "inputBodyJson": request,
            "inputTokenCount": 4,
        },
        "output": {
            "outputContentType": "application/json",
            "outputBodyJson": response,
            "outputTokenCount": 38,
        },
        **more,
    }


CONVERSE = log(
    "ConverseStream",
    "amazon.nova-lite-v1:0",
    {
        "messages": [{"role": "user", "content": [{"text": "hello how are you"}]}],
        "inferenceConfig": {"maxTokens": 512, "temperature": 0.7},
        "additionalModelRequestFields": {},
    },
    {
        "output": {"message": {"role": "assistant", "content": [{"text": "I'm doing well."}]}},
        "stopReason": "end_turn",
        "metrics": {"latencyMs": 302},
        "usage": {"inputTokens": 4, "outputTokens": 38, "totalTokens": 42},
    },
    requestMetadata={"team": "a"},
)


def read(*values):
    return list(bedrock.read(Document(f"line {i}", v) for i, v in enumerate(values, start=1)))


def test_converse():
    assert bedrock.matches(CONVERSE)
    assert read(CONVERSE) == [
        Trace(
            format="bedrock",
            location="line 1",
            messages=(Message("user", "hello how are you"),),
            choices=(Choice(Message("assistant", "I'm doing well."), "stop"),),
            span_id="req-1",
            started_at=datetime(2025, 3, 11, 0, 38, 2, tzinfo=UTC),
            latency_ms=302.0,
            model="amazon.nova-lite-v1:0",
            provider="bedrock",
            params={
                "maxTokens": 512,
                "temperature": 0.7,
                "additionalModelRequestFields": {},
            },
            usage=Usage(input_tokens=4, output_tokens=38, total_tokens=42),
            metadata={"team": "a"},
        )
    ]


def test_cloudwatch_events():
    event = {"timestamp": 1741653482000, "message": json.dumps(CONVERSE), "eventId": "1"}
    assert bedrock.matches(event)
    assert read(event) == read(CONVERSE)
    export = {"events": [event, {"message": "{"}]}
    assert bedrock.matches(export)
    trace, loss = read(export)
    assert trace.location == "line 1, event 0"
    assert (loss.code, loss.location) == ("undecodable", "line 1, event 1")


ANTHROPIC = {
    "anthropic_version": "bedrock-2023-05-31",
    "max_tokens": 200,
    "system": "You are a coding assistant.",
    "messages": [{"role": "user", "content": "Read config.yaml"}],
}


@pytest.mark.parametrize("encode", [lambda value: value, json.dumps])
def test_invoke_model_with_anthropic_bodies(encode):
    response = {
        "id": "msg_bdrk_01",
        "type": "message",
        "role": "assistant",
        "model": "claude-3-5-sonnet-20240620",
        "content": [{"type": "text", "text": "Done."}],
        "stop_reason": "max_tokens",
        "usage": {"input_tokens": 20, "output_tokens": 3, "cache_read_input_tokens": 10},
    }
    value = log("InvokeModel", "anthropic.claude-3-5", encode(ANTHROPIC), encode(response))
    (trace,) = read(value)
    assert trace.messages == (
        Message("system", "You are a coding assistant."),
        Message("user", "Read config.yaml"),
    )
    assert trace.choices == (Choice(Message("assistant", "Done."), "length"),)
    assert trace.usage == Usage(input_tokens=30, output_tokens=3, cached_tokens=10)
    assert trace.model == "anthropic.claude-3-5"
    assert trace.response_model == "claude-3-5-sonnet-20240620"


def test_streamed_anthropic_chunks():
    chunks = [
        {"type": "message_start", "message": {"id": "m", "role": "assistant", "content": [],
                                              "usage": {"input_tokens": 50, "output_tokens": 0}}},
        {"type": "content_block_start", "index": 0,
         "content_block": {"type": "thinking", "thinking": ""}},
        {"type": "content_block_delta", "index": 0,
         "delta": {"type": "thinking_delta", "thinking": "Read the file."}},
        {"type": "content_block_start", "index": 1,
         "content_block": {"type": "tool_use", "id": "t1", "name": "Read", "input": {}}},
        {"type": "content_block_delta", "index": 1,
         "delta": {"type": "input_json_delta", "partial_json": '{"path":"config.yaml"}'}},
        {"type": "message_delta", "delta": {"stop_reason": "tool_use"},
         "usage": {"output_tokens": 30}},
        {"type": "message_stop", "amazon-bedrock-invocationMetrics": {
            "inputTokenCount": 50, "outputTokenCount": 30, "invocationLatency": 2200}},
    ]  # fmt: skip
    (trace,) = read(log("InvokeModelWithResponseStream", "anthropic.claude", ANTHROPIC, chunks))
    call = ToolCall("function", "t1", FunctionCall("Read", '{"path":"config.yaml"}'))
    assert trace.choices == (
        Choice(
            Message("assistant", tool_calls=(call,), extra={"reasoning_content": "Read the file."}),
            "tool_calls",
        ),
    )
    assert trace.usage == Usage(input_tokens=50, output_tokens=30)
    assert trace.latency_ms == 2200.0


@pytest.mark.parametrize(
    ("model", "request_body", "response_body", "choice"),
    [
        (
            "meta.llama3-70b-instruct-v1:0",
            {"prompt": "Capital of Sudan?", "max_gen_len": 9},
            {"generation": "Khartoum.", "stop_reason": "stop", "prompt_token_count": 15},
            Choice(Message("assistant", "Khartoum."), "stop"),
        ),
        (
            "amazon.titan-text-express-v1",
            {"inputText": "Capital of Sudan?", "textGenerationConfig": {"topP": 1}},
            {"results": [{"outputText": "Khartoum.", "completionReason": "FINISH"}]},
            Choice(Message("assistant", "Khartoum."), "stop"),
        ),
        (
            "cohere.command-r-plus-v1:0",
            {"message": "Capital of Sudan?", "max_tokens": 9},
            {"text": "Khartoum.", "finish_reason": "MAX_TOKENS"},
            Choice(Message("assistant", "Khartoum."), "length"),
        ),
        (
            "meta.llama3-70b-instruct-v1:0",
            {"prompt": "Capital of Sudan?"},
            [{"generation": "Khar"}, {"generation": "toum.", "stop_reason": "length"}],
            Choice(Message("assistant", "Khartoum."), "length"),
        ),
        (
            "openai.gpt-oss-120b-1:0",
            {"messages": [{"role": "user", "content": "Capital of Sudan?"}]},
            {"choices": [{"message": {"role": "assistant", "content": "Khartoum."},
                          "finish_reason": "stop"}]},
            Choice(Message("assistant", "Khartoum."), "stop"),
        ),
    ],
)  # fmt: skip
def test_other_native_bodies(model, request_body, response_body, choice):
    (trace,) = read(log("InvokeModel", model, request_body, response_body))
    assert trace.messages == (Message("user", "Capital of Sudan?"),)
    assert trace.choices == (choice,)
    assert trace.usage == Usage(input_tokens=4, output_tokens=38)  # what the log itself counts


def test_bodies_in_s3():
    value = log("Converse", "amazon.nova-lite-v1:0", None, None)
    value["input"] = {"inputBodyS3Path": "s3://b/in.json.gz", "inputTokenCount": 9}
    value["output"] = {"outputBodyS3Path": "s3://b/out.json.gz"}
    assert bedrock.matches(value)
    (loss,) = read(value)
    assert (loss.code, loss.span_id) == ("no_content", "req-1")
    assert "s3://b/in.json.gz" in loss.message
    value["input"] = CONVERSE["input"]
    loss, trace = read(value)
    assert (loss.code, loss.span_id) == ("no_content", trace.span_id)
    assert "s3://b/out.json.gz" in loss.message
    assert trace.choices == ()


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (CONVERSE | {"errorCode": "ThrottlingException", "status": "429"}, "failed_call"),
        (
            log("InvokeModel", "amazon.titan-embed-text-v2:0", {"inputText": "a"},
                {"embedding": [0.1], "inputTextTokenCount": 1}),
            "unsupported_call",
        ),
        (
            log("InvokeModel", "amazon.titan-image-generator-v1", {"taskType": "TEXT_IMAGE"},
                {"images": ["AAA="]}),
            "unsupported_call",
        ),
        (log("InvokeModel", "x.unknown", {"strange": 1}, {"odd": 2}), "no_content"),
        (log("InvokeModel", "meta.llama", {"prompt": "Hi"}, {"odd": 2}), "undecodable"),
        (log("InvokeModel", "x.unknown", None, None), "no_content"),
        ({"schemaType": "ModelInvocationLog", "input": 3, "output": []}, "no_content"),
    ],
)  # fmt: skip
def test_lost_calls(value, code):
    assert bedrock.matches(value)
    (loss,) = read(value)
    assert loss.code == code
