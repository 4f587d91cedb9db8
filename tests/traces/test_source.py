import json
from datetime import UTC, datetime, timedelta

import pytest
from oracle import OPENINFERENCE, OTLP, calls_by_span, envelope, load, span

from rft_widgets.errors import InvalidArgument, UnknownFormat
from rft_widgets.model.message import to_json
from rft_widgets.traces import source as source_module
from rft_widgets.traces.source import open_traces

NOW = datetime.now(UTC)


def message(role, text):
    return {"role": role, "parts": [{"type": "text", "content": text}]}


def call(asked, answer=None, *, n, model="m", thread=None, at=NOW, **attributes):
    """An exported call: ``asked`` alternates user and assistant texts."""
    roles = ("user", "assistant")
    held = {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": model,
        "gen_ai.input.messages": [message(roles[i % 2], t) for i, t in enumerate(asked)],
        **attributes,
    }
    if answer is not None:
        held["gen_ai.output.messages"] = [message("assistant", answer)]
    if thread:
        held["gen_ai.conversation.id"] = thread
    raw = span(held, span_id=f"{n:016x}")
    if at is None:
        del raw["startTimeUnixNano"]
    else:
        raw["startTimeUnixNano"] = str(int(at.timestamp() * 10**9))
    return envelope(raw)


def ids(source):
    return [int(trace.span_id, 16) for trace in source]


def record_ids(source, mode="every_turn", **options):
    return [int(draft.span_id, 16) for draft in source.to_records(mode, **options)]


CALLS = [
    call(["Hello there"], "Hi.", n=1, at=NOW - timedelta(hours=1)),
    call(["a", "b", "STRASSE"], "Four", n=2, model="big", at=NOW - timedelta(days=3)),
    call(["a"], n=3, model="big", at=NOW - timedelta(days=20)),
    call(["a", "b", "c", "d", "e"], "ok", n=4, at=NOW - timedelta(days=90)),
    call(["timeless"], "ok", n=5, at=None),
]


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ({}, [1, 2, 3, 4, 5]),
        ({"since": "all"}, [1, 2, 3, 4, 5]),
        ({"since": "24h"}, [1]),
        ({"since": "7d"}, [1, 2]),
        ({"since": "30d"}, [1, 2, 3]),
        ({"since": NOW - timedelta(days=100), "until": NOW - timedelta(days=2)}, [2, 3, 4]),
        ({"until": (NOW - timedelta(days=10)).replace(tzinfo=None)}, [3, 4]),
        ({"model": "big"}, [2, 3]),
        ({"model": ["big", "m"]}, [1, 2, 3, 4, 5]),
        ({"model": "none"}, []),
        ({"min_turns": 2}, [2, 4]),
        ({"min_turns": 3}, [4]),
        ({"has_response": True}, [1, 2, 4, 5]),
        ({"has_response": False}, [3]),
        ({"search": "hello THERE"}, [1]),
        ({"search": "straße"}, [2]),
        ({"search": "four"}, [2]),
        ({"search": "gen_ai"}, []),
        ({"search": "a", "model": "big", "has_response": True}, [2]),
    ],
)
def test_filters(where, expected):
    matching = open_traces(CALLS).filter(**where)
    # A call that still lacks its answer waits for the end: a later line may bring it.
    assert sorted(ids(matching)) == expected
    assert matching.count() == len(expected)
    assert matching.total() == 5
    assert matching.models() == {"m": 3, "big": 2}
    assert sorted(record_ids(matching)) == expected


def test_filters_add_up_and_leave_their_source_alone():
    everything = open_traces(CALLS)
    big = everything.filter(model="big")
    assert ids(big.filter(has_response=True)) == [2]
    assert ids(big.filter(model="m")) == []
    assert ids(big.filter(search="a").filter(search="four")) == [2]
    assert ids(big.filter(has_response=True).filter(has_response=False)) == []
    assert ids(everything.filter(min_turns=2).filter(min_turns=1)) == [2, 4]
    recent = everything.filter(since="7d").filter(since="30d")
    assert ids(recent) == [1, 2]
    chosen = everything.select([f"{n:016x}" for n in (1, 4, 9)])
    assert ids(chosen) == [1, 4]
    assert ids(chosen.filter(min_turns=2)) == [4]
    assert ids(chosen.select([f"{4:016x}"])) == [4]
    assert ids(big) == [2, 3]
    assert len(everything.preview(2)) == 2
    assert everything.preview(0) == ()


def test_unknown_ranges_and_modes_are_refused():
    everything = open_traces(CALLS)
    with pytest.raises(InvalidArgument, match="24h"):
        everything.filter(since="3 days")
    with pytest.raises(InvalidArgument, match="every_turn"):
        everything.to_records("all")
    with pytest.raises(UnknownFormat):
        open_traces([{"x": 1}])


def test_the_source_is_not_read_again_for_what_is_known(monkeypatch):
    passes = []
    read = source_module.detect.readings
    monkeypatch.setattr(
        source_module.detect, "readings", lambda origin: passes.append(1) or read(origin)
    )
    everything = open_traces(CALLS)
    assert everything.total() == 5
    assert everything.filter(model="big").count() == 2
    assert everything.losses.traces == 5
    assert everything.models()
    assert len(passes) == 1


# Losses -----------------------------------------------------------------------------------------


def test_losses_add_up():
    picture = {"type": "blob", "modality": "image", "mime_type": "image/png"}
    partial = {"gen_ai.input.messages": [{"role": "user", "parts": [picture, picture, "?"]}]}
    documents = [
        *CALLS,
        call([], n=6, **partial),
        call(["x"], n=7, **{"error.type": "timeout"}),
        envelope(span({"gen_ai.operation.name": "invoke_agent"})),
        envelope(span({"gen_ai.operation.name": "embeddings"})),
        {"what": "is this"},
    ]
    report = open_traces(documents).losses
    assert report.format == "otel_genai"
    assert (report.traces, report.model_calls, report.other_spans) == (6, 9, 1)
    assert report.partial == 2
    assert report.by_code == {
        "image_without_data": 2, "failed_call": 1, "unsupported_call": 1, "undecodable": 1,
    }  # fmt: skip
    assert report.model_calls + report.partial == report.traces + sum(report.by_code.values())
    assert open_traces(documents).filter(model="big").losses == report


def test_a_report_lists_a_thousand_losses_and_counts_all():
    calls = [CALLS[0]] + [call(["x"], n=n, **{"error.type": "e"}) for n in range(1, 1201)]
    report = open_traces(calls).losses
    assert (len(report.losses), report.by_code) == (1000, {"failed_call": 1200})


@pytest.mark.parametrize(("file", "traces", "lost"), [(OTLP, 214, 16), (OPENINFERENCE, 221, 9)])
def test_real_files(data, file, traces, lost):
    everything = open_traces(data / file)
    report = everything.losses
    assert (report.traces, report.model_calls, report.partial) == (traces, traces + lost, 0)
    assert everything.total() == everything.count() == traces
    assert sum(everything.models().values()) == traces
    assert len(list(everything.to_records())) == traces
    joke = everything.filter(search="OPENTELEMETRY", has_response=True)
    assert 0 < joke.count() < traces
    for trace in joke:
        said = [*trace.messages, *(choice.message for choice in trace.choices)]
        assert any("opentelemetry" in message.text.lower() for message in said)


# Records ----------------------------------------------------------------------------------------


def test_a_record_holds_the_request_the_answer_and_where_they_are_from():
    raw = call(
        ["Weather?"],
        n=1,
        thread="t-1",
        at=datetime(2026, 1, 2, tzinfo=UTC),
        **{
            "gen_ai.output.messages": [
                message("assistant", "Rain.") | {"finish_reason": "stop"},
                message("assistant", "Sun.") | {"finish_reason": "length"},
            ],
            "gen_ai.tool.definitions": [{"type": "function", "name": "f"}],
            "gen_ai.provider.name": "openai",
            "gen_ai.response.model": "m-1",
            "gen_ai.usage.input_tokens": 3,
            "gen_ai.request.temperature": 0.5,
            "traceloop.association.properties.trace": "theirs",
            "traceloop.association.properties.tenant": "x",
        },
    )
    (draft,) = open_traces([raw]).to_records()
    assert to_json(draft.input.messages) == [{"role": "user", "content": "Weather?"}]
    assert to_json(draft.input.tools) == [{"type": "function", "function": {"name": "f"}}]
    assert to_json(draft.output.messages) == [{"role": "assistant", "content": "Rain."}]
    assert draft.output.finish_reason == "stop"
    assert (draft.span_id, draft.thread_id) == ("0" * 15 + "1", "t-1")
    trace = draft.metadata.pop("trace")
    assert draft.metadata == {"tenant": "x"}
    # The end of the made-up span lies before its start, which tells no latency.
    assert "latency_ms" not in trace
    assert trace == {
        "trace_id": "0af7651916cd43dd8448eb211c80319c",
        "span_id": "0" * 15 + "1",
        "model": "m",
        "response_model": "m-1",
        "provider": "openai",
        "usage": {"input_tokens": 3},
        "started_at": "2026-01-02T00:00:00+00:00",
        "params": {"temperature": 0.5},
        "format": "otel_genai",
        "location": "item 1, span 0000000000000001",
        "other_choices": [
            {"message": {"role": "assistant", "content": "Sun."}, "finish_reason": "length"}
        ],
        "metadata": {"trace": "theirs"},
    }
    json.dumps(draft.metadata)


def test_a_call_without_an_answer_and_one_that_ends_in_an_assistant_message():
    prefilled, unanswered = open_traces([call(["a", "b"], "c", n=1), call(["a"], n=2)]).to_records()
    assert [message.role for message in prefilled.input.messages] == ["user", "assistant"]
    assert unanswered.output.messages == ()


THREADS = [
    call(["q1"], "a1", n=1, thread="s", at=NOW),
    call(["q1", "a1", "q2"], "a2", n=2, thread="s", at=NOW + timedelta(seconds=1)),
    call(["q1", "a1", "q2"], "other", n=3, thread="s", at=NOW + timedelta(seconds=2)),
    call(["q1"], "another", n=4, thread="s", at=NOW + timedelta(seconds=3)),
    call(["q1"], "a1", n=5, thread="t", at=NOW),
    call(["q1"], "a1", n=6, at=NOW),
    call(["q1"], "a1", n=7, at=NOW),
]


@pytest.mark.parametrize("order", [1, -1])
def test_the_last_turn_of_a_thread_is_the_longest_and_latest(order):
    everything = open_traces(THREADS[::order])
    assert sorted(record_ids(everything, "last_turn_per_thread")) == [3, 5, 6, 7]
    unanswered = everything.filter(until=NOW + timedelta(seconds=1, milliseconds=500))
    assert sorted(record_ids(unanswered, "last_turn_per_thread")) == [2, 5, 6, 7]


@pytest.mark.parametrize("order", [1, -1])
def test_calls_that_a_later_one_repeats_are_left_out(order):
    everything = open_traces(THREADS[::order])
    assert sorted(record_ids(everything, collapse_prefixes=True)) == [2, 3, 4, 5, 6, 7]


def test_an_answer_that_comes_back_with_other_spacing_is_the_same():
    def with_call(arguments, **more):
        part = {"type": "tool_call", "id": "c", "name": "f", "arguments": arguments}
        return {"role": "assistant", "parts": [part]} | more

    asked = message("user", "go")
    result = {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c", "response": 1}]}
    first = {"gen_ai.input.messages": [asked], "gen_ai.output.messages": [with_call('{"a":  1}')]}
    then = {"gen_ai.input.messages": [asked, with_call({"a": 1}), result]}
    calls = [
        call([], n=1, thread="s", **first),
        call([], n=2, thread="s", at=NOW + timedelta(seconds=1), **then),
    ]
    assert record_ids(open_traces(calls), collapse_prefixes=True) == [2]


def test_records_of_the_real_calls_hold_what_was_asked(data):
    oracle = calls_by_span(data)
    for draft in open_traces(data / OTLP).to_records():
        call = oracle[draft.span_id]
        assert [m.role for m in draft.input.messages] == [
            m["role"] for m in call["request"]["messages"]
        ]
        others = draft.metadata["trace"].get("other_choices", [])
        assert 1 + len(others) == len(call["expected_choices"])


def test_memory_stays_bounded_and_documents_are_read_as_they_are_needed(data, tmp_path):
    path = tmp_path / "many.jsonl"
    lines = [json.dumps(document) for document in load(data / OTLP)[:50]]
    path.write_text("\n".join(lines * 20), encoding="utf-8")
    everything = open_traces(path)
    with path.open("a", encoding="utf-8") as file:
        file.write("\nnot json")
    # The first rows come without the end of the file being looked at.
    assert len(everything.preview(5)) == 5
    assert everything._shared._found is None
    assert everything.losses.by_code == {"undecodable": 1}
