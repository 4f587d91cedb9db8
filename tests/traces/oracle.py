"""What the recorded calls really were, and how a trace is compared with that."""

import json
from collections import Counter, defaultdict

from rft_widgets.model.message import to_json

OTLP = "traces/openllmetry_0.62.otlp.jsonl"
OPENINFERENCE = "traces/openinference_0.1.66.spans.jsonl"


def load(path):
    return [json.loads(line) for line in path.read_bytes().split(b"\n") if line.strip()]


def calls_by_span(data):
    """Real calls of the OTLP file by span id."""
    return {c["span_id"]: c for c in load(data / "traces/oracle.openllmetry_0.62.jsonl")}


def calls_by_openinference_span(data):
    """Real calls of the OpenInference file by span id: the n-th call of a recording is its n-th."""
    recordings = defaultdict(list)
    for call in calls_by_span(data).values():
        recordings[call["cassette"]].append(call)
    seen = Counter()
    paired = {}
    for row in load(data / "traces/oracle_ids.openinference_0.1.66.jsonl"):
        calls, n = recordings[row["cassette"]], seen[row["cassette"]]
        paired[row["span_id"]] = calls[n] if n < len(calls) else None
        seen[row["cassette"]] += 1
    return paired


def said(message, *, without=()):
    """What a message in the chat shape says, as one comparable value."""
    content = message.get("content")
    if isinstance(content, list) and [part["type"] for part in content] == ["text"]:
        content = content[0]["text"]
    calls = [
        (call.get("id"), call["function"]["name"], json.loads(call["function"]["arguments"]))
        for call in message.get("tool_calls") or []
    ]
    if old := message.get("function_call"):
        calls.append((None, old["name"], json.loads(old["arguments"])))
    value = {
        "role": message["role"],
        "content": content,
        "calls": calls,
        "answers": message.get("tool_call_id"),
        "name": message.get("name"),
        "refusal": message.get("refusal"),
    }
    return {key: inner for key, inner in value.items() if key not in without}


def prompt(trace, **options):
    return [said(to_json(message), **options) for message in trace.messages]


def answers(trace, **options):
    return [said(to_json(choice.message), **options) for choice in trace.choices]


def any_value(value):
    """Encode a plain value as OTLP-JSON does."""
    if value is None:
        return {}
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    if isinstance(value, str):
        return {"stringValue": value}
    if isinstance(value, list):
        return {"arrayValue": {"values": [any_value(element) for element in value]}}
    return {"kvlistValue": {"values": pairs(value)}}


def pairs(mapping):
    return [{"key": key, "value": any_value(value)} for key, value in mapping.items()]


def envelope(*spans, logs=()):
    """One OTLP-JSON export."""
    document = {}
    if spans:
        document["resourceSpans"] = [{"resource": {}, "scopeSpans": [{"spans": list(spans)}]}]
    if logs:
        document["resourceLogs"] = [{"resource": {}, "scopeLogs": [{"logRecords": list(logs)}]}]
    return document


def span(attributes, *, span_id="b7ad6b7169203331", events=(), **more):
    """One OTLP-JSON span."""
    return {
        "traceId": "0af7651916cd43dd8448eb211c80319c",
        "spanId": span_id,
        "name": "chat m",
        "startTimeUnixNano": "1700000000000000000",
        "endTimeUnixNano": "1700000001500000000",
        "attributes": pairs(attributes),
        "events": [{"name": name, "attributes": pairs(held)} for name, held in events],
        **more,
    }


def log(name, body=None, attributes=None, *, span_id="b7ad6b7169203331"):
    """One OTLP-JSON log record."""
    return {
        "timeUnixNano": "1700000000000000000",
        "eventName": name,
        "traceId": "0af7651916cd43dd8448eb211c80319c",
        "spanId": span_id,
        "attributes": pairs(attributes or {}),
        "body": any_value(body),
    }
