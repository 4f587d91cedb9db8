"""Streamed answers: chunks put together to the body that the call would have had unstreamed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from rft_widgets.model.message import MessageShapeError


def parse_server_sent_events(text: str) -> list[Any]:
    """JSON values of the ``data:`` lines of a recorded event stream."""
    chunks = []
    # Only these ends: JSON texts may hold U+2028 and others that `splitlines` splits at.
    for line in re.split(r"\r\n|\n|\r", text):
        if line.startswith("data:"):
            data = line.removeprefix("data:").strip()
            if data and data != "[DONE]":
                chunks.append(_decoded(data))
    return chunks


def assembled(chunks: Iterable[Any]) -> dict[str, Any]:
    """Body that chunks of a stream add up to.

    Known are the events of OpenAI (chat and Responses), Anthropic, Bedrock Converse and Gemini, and
    the chunks of Llama, Titan, Mistral and Cohere on Bedrock.

    Raises
    ------
    MessageShapeError
        If they are chunks of none of these, or hold an error.
    """
    values = [_unwrapped(chunk) for chunk in chunks]
    events = [value for value in values if isinstance(value, dict)]
    for build in (_responses, _anthropic, _openai, _converse, _gemini, _cohere, _plain_text):
        body = build(events)
        if body is not None:
            return body
    failed = next((event for event in events if event.get("error")), None)
    if failed is not None:
        return failed
    raise MessageShapeError("chunks of a stream that is not known")


def _unwrapped(chunk: Any) -> Any:
    # Some loggers keep the envelope of the event, some the text of its data.
    if isinstance(chunk, dict) and isinstance(chunk.get("data"), (dict, str)) and "event" in chunk:
        chunk = chunk["data"]
    return _decoded(chunk) if isinstance(chunk, str) and chunk.lstrip()[:1] == "{" else chunk


def _responses(events: list[dict[str, Any]]) -> dict[str, Any] | None:
    for event in reversed(events):
        response = event.get("response")
        if str(event.get("type")).startswith("response.") and isinstance(response, dict):
            return response
    return None


def _anthropic(events: list[dict[str, Any]]) -> dict[str, Any] | None:
    if not any(str(event.get("type")).startswith("content_block_") for event in events):
        return None
    body: dict[str, Any] = {"type": "message", "role": "assistant", "stop_reason": None}
    usage: dict[str, Any] = {}
    blocks: dict[Any, dict[str, Any]] = {}
    arguments: dict[Any, list[str]] = {}
    for event in events:
        kind, index = event.get("type"), str(event.get("index"))
        if kind == "message_start":
            start = _dict(event.get("message"))
            body |= {key: start[key] for key in start if key not in ("content", "usage")}
            usage |= _dict(start.get("usage"))
        elif kind == "content_block_start":
            blocks[index] = dict(_dict(event.get("content_block")))
        elif kind == "content_block_delta":
            _add_delta(
                blocks.setdefault(index, {"type": "text"}),
                _dict(event.get("delta")),
                arguments.setdefault(index, []),
            )
        elif kind == "message_stop":
            body |= {key: value for key, value in event.items() if key != "type"}
        elif kind == "message_delta":
            body |= {key: value for key, value in _dict(event.get("delta")).items() if value}
            usage |= {key: value for key, value in _dict(event.get("usage")).items() if value}
    for index, pieces in arguments.items():
        # A call that was cut off keeps the text that there is; arguments are text in the end.
        if pieces:
            blocks[index]["input"] = "".join(pieces)
    return body | {"content": list(blocks.values()), "usage": usage}


def _add_delta(block: dict[str, Any], delta: Mapping[str, Any], arguments: list[str]) -> None:
    kind = delta.get("type")
    if kind == "input_json_delta":
        arguments.append(str(delta.get("partial_json", "")))
    for key in ("text", "thinking", "signature"):
        if isinstance(delta.get(key), str):
            block[key] = str(block.get(key) or "") + delta[key]


def _openai(events: list[dict[str, Any]]) -> dict[str, Any] | None:
    deltas = [event for event in events if isinstance(event.get("choices"), list)]
    if not any("delta" in _dict(each) for event in deltas for each in event["choices"]):
        return None
    body: dict[str, Any] = {"object": "chat.completion"}
    choices: dict[Any, dict[str, Any]] = {}
    for event in deltas:
        for key in ("id", "model", "created", "usage"):
            if event.get(key):
                body[key] = event[key]
        for value in event["choices"]:
            each = _dict(value)
            index = str(each.get("index", 0))
            choice = choices.setdefault(index, {"message": {"role": "assistant"}})
            _add_openai_delta(choice["message"], _dict(each.get("delta")))
            if each.get("finish_reason"):
                choice["finish_reason"] = each["finish_reason"]
    for choice in choices.values():
        calls = choice["message"].get("tool_calls")
        if calls:
            choice["message"]["tool_calls"] = list(calls.values())
    return body | {"choices": list(choices.values())}


def _add_openai_delta(message: dict[str, Any], delta: Mapping[str, Any]) -> None:
    for key in ("content", "refusal", "reasoning_content"):
        if isinstance(delta.get(key), str):
            message[key] = str(message.get(key) or "") + delta[key]
    pieces = delta.get("tool_calls")
    for piece in pieces if isinstance(pieces, list) else []:
        new = _dict(piece)
        calls = message.setdefault("tool_calls", {})
        call = calls.setdefault(
            str(new.get("index", 0)),
            {"type": "function", "function": {"name": "", "arguments": ""}},
        )
        if new.get("id"):
            call["id"] = new["id"]
        function = _dict(new.get("function"))
        for key in ("name", "arguments"):
            if isinstance(function.get(key), str):
                call["function"][key] += function[key]


def _converse(events: list[dict[str, Any]]) -> dict[str, Any] | None:
    if not any("contentBlockDelta" in event or "messageStop" in event for event in events):
        return None
    body: dict[str, Any] = {}
    blocks: dict[str, dict[str, Any]] = {}
    for event in events:
        start, delta = _dict(event.get("contentBlockStart")), _dict(event.get("contentBlockDelta"))
        index = str((start or delta).get("contentBlockIndex", 0))
        if "toolUse" in _dict(start.get("start")):
            blocks[index] = {"toolUse": dict(_dict(start["start"]["toolUse"])) | {"input": ""}}
        if delta:
            _add_converse_delta(blocks.setdefault(index, {}), _dict(delta.get("delta")))
        body |= {
            key: _dict(event.get("messageStop"))[key] for key in _dict(event.get("messageStop"))
        }
        body |= {key: _dict(event.get("metadata"))[key] for key in _dict(event.get("metadata"))}
    message = {"role": "assistant", "content": [block for block in blocks.values() if block]}
    return body | {"output": {"message": message}}


def _add_converse_delta(block: dict[str, Any], delta: Mapping[str, Any]) -> None:
    if isinstance(delta.get("text"), str):
        block["text"] = block.get("text", "") + delta["text"]
    use = _dict(delta.get("toolUse"))
    if isinstance(use.get("input"), str):
        call = block.setdefault("toolUse", {"input": ""})
        call["input"] += use["input"]
    thought = _dict(delta.get("reasoningContent"))
    for key in ("text", "signature"):
        if isinstance(thought.get(key), str):
            reasoning = block.setdefault("reasoningContent", {"reasoningText": {}})["reasoningText"]
            reasoning[key] = reasoning.get(key, "") + thought[key]


def _gemini(events: list[dict[str, Any]]) -> dict[str, Any] | None:
    if not any(isinstance(event.get("candidates"), list) for event in events):
        return None
    body: dict[str, Any] = {}
    candidates: dict[str, dict[str, Any]] = {}
    for event in events:
        body |= {key: value for key, value in event.items() if key != "candidates"}
        listed = event.get("candidates")
        for value in listed if isinstance(listed, list) else []:
            each = _dict(value)
            whole = candidates.setdefault(str(each.get("index", 0)), {"content": {"parts": []}})
            parts = _dict(each.get("content")).get("parts")
            whole["content"]["parts"] += parts if isinstance(parts, list) else []
            whole |= {key: inner for key, inner in each.items() if key != "content"}
    return body | {"candidates": list(candidates.values())}


def _cohere(events: list[dict[str, Any]]) -> dict[str, Any] | None:
    end = next((event for event in events if event.get("event_type") == "stream-end"), None)
    return None if end is None else _dict(end.get("response"))


def _plain_text(events: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Chunks of Llama, Titan, old Claude and Mistral: a piece of text each, a reason at the end."""
    pieces = []
    body: dict[str, Any] = {}
    for event in events:
        outputs = event.get("outputs")
        inner = _dict(outputs[0]) if isinstance(outputs, list) and outputs else event
        texts = (inner.get(key) for key in ("generation", "outputText", "completion", "text"))
        pieces += [text for text in texts if isinstance(text, str)]
        for key in ("stop_reason", "completionReason"):
            if inner.get(key):
                body["stop_reason"] = inner[key]
    return body | {"generation": "".join(pieces)} if pieces else None


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _decoded(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except ValueError as error:
        raise MessageShapeError(f"a chunk of a stream is no JSON: {error}") from None
