"""The conversations as an OpenTelemetry collector exports them, with what else is in such exports.

Every model call is a span with the GenAI attributes. What a grader needs is in the attribute
``rft.item`` (JSON text); what is known about the traffic is under
``traceloop.association.properties.``, which becomes metadata.
"""

from __future__ import annotations

import json
import random
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, NamedTuple

from rft_widgets.sample.dialogues import Dialogue, Step, chance, compact, stable_id
from rft_widgets.sample.knowledge import DAYS, END

ITEM = "rft.item"
"""Attribute that holds the fields for graders, as JSON text."""

PROPERTIES = "traceloop.association.properties."


class Export(NamedTuple):
    """One line of the file, when it was sent, and what a reader has to find in it."""

    at: datetime
    trace_id: str
    value: dict[str, Any]
    counts: dict[str, int]


def exports(made: list[Dialogue], seed: int) -> list[Export]:
    """All exports in the order in which they were sent, one for each turn of a conversation."""
    rng = chance(seed, "spans")
    total = len(made)
    failing = set(rng.sample(range(total), k=min(total, -(-total // 80))))
    found = [
        _turn(rng, dialogue, list(steps), fails=number in failing and turn == 0)
        for number, dialogue in enumerate(made)
        for turn, steps in groupby(dialogue.steps, key=lambda step: step.turn)
    ]
    found += [_without_content(rng, seed, i) for i in range(-(-total // 100))]
    found += [_embedding(rng, seed, i) for i in range(-(-total // 100))]
    return sorted(found, key=lambda export: (export.at, export.trace_id))


class _Trace:
    """Spans of one trace; ids come from the trace's name."""

    def __init__(self, service: str, *name: object) -> None:
        self.service = service
        self.id = _digits(32, *name)
        self.spans: list[dict[str, Any]] = []

    def add(
        self,
        name: str,
        start: datetime,
        milliseconds: float,
        attributes: dict[str, Any],
        *,
        parent: str | None = None,
        kind: int = 3,
        error: str | None = None,
    ) -> str:
        span_id = _digits(16, self.id, len(self.spans))
        span: dict[str, Any] = {"traceId": self.id, "spanId": span_id}
        if parent is not None:
            span["parentSpanId"] = parent
        span |= {
            "name": name,
            "kind": kind,
            "startTimeUnixNano": _nanoseconds(start),
            "endTimeUnixNano": _nanoseconds(start + timedelta(milliseconds=milliseconds)),
            "attributes": _pairs(attributes),
            "status": {"code": 2, "message": error} if error else {},
        }
        self.spans.append(span)
        return span_id

    def export(self, at: datetime, **counts: int) -> Export:
        resource = {
            "service.name": self.service,
            "deployment.environment.name": "production",
            "telemetry.sdk.language": "python",
        }
        group = {
            "resource": {"attributes": _pairs(resource)},
            "scopeSpans": [
                {"scope": {"name": "larkfell.support", "version": "2.3.1"}, "spans": self.spans}
            ],
        }
        return Export(at, self.id, {"resourceSpans": [group]}, counts)


def _turn(rng: random.Random, dialogue: Dialogue, steps: list[Step], *, fails: bool) -> Export:
    """Make the export of one turn: the agent, its model calls, and the tools between them."""
    first, last = steps[0], steps[-1]
    trace = _Trace("larkfell-support", dialogue.id, first.turn)
    start = first.at - timedelta(milliseconds=40)
    end = last.at + timedelta(milliseconds=last.latency_ms)
    agent = {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": f"support-{dialogue.channel}",
        "gen_ai.conversation.id": _thread(dialogue),
    }
    length = (end - start) / timedelta(milliseconds=1)
    root = trace.add(f"invoke_agent support-{dialogue.channel}", start, length, agent, kind=1)
    others = 1
    if fails:
        attributes = _request(rng, dialogue, first)
        error_type, text = rng.choice(_FAILURES)
        attributes["error.type"] = error_type
        trace.add(
            f"chat {dialogue.model}", start, 35, attributes, parent=root, error=text
        )  # fmt: skip
    for step in steps:
        attributes = _request(rng, dialogue, step) | _response(dialogue, step)
        trace.add(f"chat {dialogue.model}", step.at, step.latency_ms, attributes, parent=root)
        if "tool_calls" in step.output and step is not last:
            call = step.output["tool_calls"][0]
            called = {
                "gen_ai.operation.name": "execute_tool",
                "gen_ai.tool.name": call["function"]["name"],
                "gen_ai.tool.call.id": call["id"],
            }
            ended = step.at + timedelta(milliseconds=step.latency_ms)
            name = f"execute_tool {call['function']['name']}"
            tool = trace.add(name, ended, 60, called, parent=root, kind=1)
            asked = {"http.request.method": "GET", "url.full": "https://orders.larkfell.example/v2"}
            trace.add("GET", ended, 45, asked, parent=tool)
            others += 2
    return trace.export(end, traces=len(steps), failed_call=int(fails), other_spans=others)


def _without_content(rng: random.Random, seed: int, number: int) -> Export:
    """Make a call of another service, which records no messages."""
    trace = _Trace("larkfell-search", seed, "search", number)
    at = _any_moment(rng)
    attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4.1-nano",
        "gen_ai.response.model": "gpt-4.1-nano",
        "gen_ai.response.finish_reasons": ["stop"],
        "gen_ai.usage.input_tokens": rng.randint(180, 420),
        "gen_ai.usage.output_tokens": rng.randint(4, 20),
    }
    trace.add("chat gpt-4.1-nano", at, rng.randint(200, 600), attributes)
    return trace.export(at, no_content=1)


def _embedding(rng: random.Random, seed: int, number: int) -> Export:
    """Make an embedding of the product search: a model call that is no chat."""
    trace = _Trace("larkfell-search", seed, "embedding", number)
    at = _any_moment(rng)
    attributes = {
        "gen_ai.operation.name": "embeddings",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "text-embedding-3-small",
        "gen_ai.usage.input_tokens": rng.randint(4, 30),
    }
    trace.add("embeddings text-embedding-3-small", at, rng.randint(30, 90), attributes)
    return trace.export(at, unsupported_call=1)


# Attributes -------------------------------------------------------------------------------------

_FAILURES = (
    ("RateLimitError", "Error code: 429 - Rate limit reached for requests"),
    ("APITimeoutError", "Request timed out."),
    ("InternalServerError", "Error code: 503 - The engine is currently overloaded"),
)
_PROVIDERS = {"gpt-4.1-mini": "openai"}


def _request(rng: random.Random, dialogue: Dialogue, step: Step) -> dict[str, Any]:
    system, *said = step.messages
    attributes: dict[str, Any] = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": _PROVIDERS.get(dialogue.model, "groq"),
        "gen_ai.request.model": dialogue.model,
        "gen_ai.request.temperature": rng.choice((0.2, 0.2, 0.7)),
        "gen_ai.request.max_tokens": 600,
        "gen_ai.conversation.id": _thread(dialogue),
        "gen_ai.system_instructions": compact([{"type": "text", "content": system["content"]}]),
        "gen_ai.input.messages": compact([_parts(message) for message in said]),
        "user.id": f"u-{stable_id(dialogue.id, 'user')[:8]}",
        ITEM: compact(step.item),
    }
    if dialogue.tools:
        attributes["gen_ai.tool.definitions"] = compact(
            [{"type": "function", **tool["function"]} for tool in dialogue.tools]
        )
    known = truths(dialogue, step) | {"channel": dialogue.channel}
    return attributes | {PROPERTIES + key: value for key, value in known.items() if value}


def truths(dialogue: Dialogue, step: Step) -> dict[str, Any]:
    """What is known about a model call because it was made up; to judge what is found out."""
    return {
        "true_topic": dialogue.topic,
        "true_intent": step.intent,
        "true_quality": step.quality or step.flaw,
        "true_tool_flaw": dialogue.flaw_until(step),
        "tone": dialogue.tone,
    }


def _response(dialogue: Dialogue, step: Step) -> dict[str, Any]:
    reason = "tool_call" if step.finish_reason == "tool_calls" else step.finish_reason
    asked = compact(step.messages) + compact(dialogue.tools)
    return {
        "gen_ai.response.id": f"chatcmpl-{stable_id(dialogue.id, len(step.messages), 'answer')}",
        "gen_ai.response.model": dialogue.model,
        "gen_ai.response.finish_reasons": [step.finish_reason],
        "gen_ai.output.messages": compact([_parts(step.output) | {"finish_reason": reason}]),
        "gen_ai.usage.input_tokens": len(asked) // 4,
        "gen_ai.usage.output_tokens": max(1, len(compact(step.output)) // 4),
    }


def _parts(message: dict[str, Any]) -> dict[str, Any]:
    """Make of a chat message one that is written in parts."""
    if message["role"] == "tool":
        result = {
            "type": "tool_call_response",
            "id": message["tool_call_id"],
            "name": message["name"],
            "response": message["content"],
        }
        return {"role": "tool", "parts": [result]}
    parts: list[dict[str, Any]] = []
    if message["content"]:
        parts.append({"type": "text", "content": message["content"]})
    for call in message.get("tool_calls", ()):
        function = call["function"]
        arguments = json.loads(function["arguments"])
        parts.append(
            {"type": "tool_call", "id": call["id"], "name": function["name"],
             "arguments": arguments}
        )  # fmt: skip
    return {"role": message["role"], "parts": parts}


def _thread(dialogue: Dialogue) -> str:
    return f"conv_{dialogue.id}"


def _any_moment(rng: random.Random) -> datetime:
    return END - timedelta(days=DAYS) + timedelta(seconds=rng.randrange((DAYS - 1) * 86400))


def _digits(count: int, *parts: object) -> str:
    return "".join(stable_id(*parts, i) for i in range(3))[:count]


def _nanoseconds(moment: datetime) -> str:
    epoch = datetime(1970, 1, 1, tzinfo=moment.tzinfo)
    return str((moment - epoch) // timedelta(microseconds=1) * 1000)


def _pairs(attributes: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": _any_value(value)} for key, value in attributes.items()]


def _any_value(value: Any) -> dict[str, Any]:
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    if isinstance(value, list):
        return {"arrayValue": {"values": [_any_value(element) for element in value]}}
    return {"stringValue": value}
