import gzip
import json
import sqlite3

import pytest
from oracle import OPENINFERENCE, OTLP, envelope, load, span

from rft_widgets.errors import ImportRejected, InvalidArgument, NotFound, UnknownFormat
from rft_widgets.model.settings import LIMITS
from rft_widgets.model.trace import Trace, TraceLoss
from rft_widgets.traces import detect, documents
from rft_widgets.traces.documents import Undecodable, decode
from rft_widgets.traces.reader import Document

CHAT = {
    "messages": [{"role": "user", "content": "Hello?"}, {"role": "assistant", "content": "Hi."}]
}
CALL = {
    "request": {"model": "m", "messages": CHAT["messages"][:1]},
    "response": {
        "object": "chat.completion",
        "choices": [{"index": 0, "message": CHAT["messages"][1], "finish_reason": "stop"}],
    },
}


def readings(source):
    return list(detect.readings(detect.origin_of(source)))


def traces(source):
    return [reading for reading in readings(source) if isinstance(reading, Trace)]


def losses(source):
    return [reading for reading in readings(source) if isinstance(reading, TraceLoss)]


@pytest.mark.parametrize(
    ("file", "name"),
    [
        (OTLP, "otel_genai"),
        (OPENINFERENCE, "openinference"),
        ("traces/litellm_1.106_standard_logging.jsonl", "litellm"),
        ("traces/langfuse/pydantic-ai-tools-2025-12-04.trace.json", "langfuse"),
        ("traces/vllora_sample.db", "vllora"),
        ("datasets/azure_toolcall/stock_toolcall_training.jsonl", "chat_jsonl"),
    ],
)
def test_real_files_are_told_by_their_content(data, file, name):
    assert detect.formats(detect.origin_of(data / file)) == name


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ({"resourceSpans": []}, "otel_genai"),
        ({"resourceLogs": []}, "otel_genai"),
        (span({"gen_ai.request.model": "m"}), "otel_genai"),
        (span({"openinference.span.kind": "LLM"}), "openinference"),
        (span({"http.request.method": "POST"}), "otel_genai"),
        ({"attributes.llm.input_messages": [], "context.span_id": "a"}, "openinference"),
        ({"request_body": {}, "response_body": {}, "request_id": "1"}, "helicone"),
        ({"call_type": "acompletion", "response_cost": 0.1}, "litellm"),
        ({"operation_name": "openai", "start_time_us": 1}, "vllora"),
        ({"id": "1", "type": "GENERATION", "traceId": "2"}, "langfuse"),
        ({"schemaType": "ModelInvocationLog", "modelId": "m"}, "bedrock"),
        ({"object": "chat.completion", "choices": []}, "openai_chat"),
        ({"object": "response", "output": []}, "openai_responses"),
        (CALL, "request_log"),
        (CHAT, "chat_jsonl"),
        ({"hello": 1}, None),
        (["a"], None),
        (None, None),
        (3, None),
    ],
)
def test_shapes(value, name):
    assert detect.detect(value) == name


@pytest.mark.parametrize("first", detect.READERS)
def test_the_reader_of_the_last_document_does_not_take_what_is_not_its(first):
    for value, name in ((CHAT, "chat_jsonl"), (CALL, "request_log"), ({"x": 1}, None)):
        assert detect.detect(value, first) == name
    for raw, name in ((span({}), "otel_genai"), (envelope(span({})), "otel_genai")):
        assert detect.detect(raw, first) == name


# Files ------------------------------------------------------------------------------------------


def write(path, *values, end="\n"):
    path.write_text(end.join(json.dumps(value) for value in values) + end, encoding="utf-8")
    return path


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("wrap", ["lines", "list", "data"])
@pytest.mark.parametrize("compress", [False, True])
def test_the_same_traces_from_every_layout_of_a_file(data, tmp_path, indent, wrap, compress):
    values = load(data / OPENINFERENCE)[:20]
    if wrap == "lines":
        text = "\n".join(json.dumps(value) for value in values)
    else:
        text = json.dumps(values if wrap == "list" else {"data": values}, indent=indent)
    path = tmp_path / "traces.bin"
    content = text.encode()
    path.write_bytes(gzip.compress(content) if compress else content)
    expected = [trace.span_id for trace in traces(data / OPENINFERENCE)][:20]
    assert [trace.span_id for trace in traces(path)] == expected


def test_a_pretty_printed_export_is_one_document(tmp_path):
    held = {"gen_ai.operation.name": "chat", "gen_ai.prompt.0.content": "Hello?"}
    path = tmp_path / "one.json"
    path.write_text(json.dumps(envelope(span(held)), indent=4), encoding="utf-8")
    (trace,) = traces(path)
    assert trace.location == "document, span b7ad6b7169203331"


def test_a_list_with_one_element_a_line_is_one_document(tmp_path):
    path = tmp_path / "list.json"
    path.write_text(f"[\n{json.dumps(CHAT)}\n]\n", encoding="utf-8")
    assert len(traces(path)) == 1
    assert losses(path) == []


def test_lines_that_do_not_parse_are_reported_by_number_and_the_rest_is_read(tmp_path):
    path = tmp_path / "some.jsonl"
    good = json.dumps(CHAT).encode()
    deep = b'{"messages": ' + b"[" * 70 + b"]" * 70 + b"}"
    path.write_bytes(
        b"\xef\xbb\xbf" + b"\r\n".join([good, b"", b'{"a": ', b'"\xff"', deep, b"NaN", good])
    )
    assert [trace.location for trace in traces(path)] == ["line 1", "line 7"]
    found = [(loss.location, loss.code) for loss in losses(path)]
    assert found == [(f"line {number}", "undecodable") for number in (3, 4, 5, 6)]


def test_a_damaged_first_line_costs_one_line(tmp_path):
    path = tmp_path / "cut.jsonl"
    path.write_text('ges": []}\n' + f"{json.dumps(CHAT)}\n" * 2, encoding="utf-8")
    assert (len(traces(path)), len(losses(path))) == (2, 1)


def test_only_a_newline_ends_a_line(tmp_path):
    text = "one\u2028two\u0085three\x0bfour"
    value = {"messages": [{"role": "user", "content": text}]}
    path = tmp_path / "odd.jsonl"
    path.write_bytes(json.dumps(value, ensure_ascii=False).encode().replace(b"\\u000b", b"\\u000b"))
    assert traces(path)[0].messages[0].content == text


def test_a_line_over_the_limit_is_reported_and_passed_over(tmp_path):
    path = tmp_path / "long.jsonl"
    long = json.dumps({"messages": [{"role": "user", "content": "x" * LIMITS.max_line_bytes}]})
    path.write_text(f"{json.dumps(CHAT)}\n{long}\n{json.dumps(CHAT)}", encoding="utf-8")
    assert [trace.location for trace in traces(path)] == ["line 1", "line 3"]
    (loss,) = losses(path)
    assert loss.location == "line 2"
    assert "longer than 10,000,000 bytes" in loss.message


def test_documents_of_unknown_shape_are_reported_with_their_keys(tmp_path):
    path = write(tmp_path / "mixed.jsonl", CHAT, {"hello": 1, "world": 2}, CHAT)
    assert len(traces(path)) == 2
    (loss,) = losses(path)
    assert (loss.code, loss.location) == ("undecodable", "line 2")
    assert "hello, world" in loss.message


def test_a_file_of_several_formats_is_read_by_all_their_readers(tmp_path):
    asked = {"gen_ai.operation.name": "chat", "gen_ai.prompt.0.content": "Hello?"}
    spans = [span(asked, span_id=f"{i:016x}") for i in (1, 2)]
    path = write(tmp_path / "mixed.jsonl", CHAT, spans[0], CALL, "?", CHAT, spans[1])
    found = [(trace.format, trace.location.partition(",")[0]) for trace in traces(path)]
    assert sorted(found) == [
        ("chat_jsonl", "line 1"),
        ("chat_jsonl", "line 5"),
        ("otel_genai", "line 2"),
        ("otel_genai", "line 6"),
        ("request_log", "line 3"),
    ]
    assert [loss.location for loss in losses(path)] == ["line 4"]


def test_unknown_formats_name_the_keys_and_what_is_supported(tmp_path):
    path = write(tmp_path / "other.jsonl", {"alpha": 1}, {"alpha": 1, "beta": 2})
    with pytest.raises(UnknownFormat, match=r"alpha, beta.*Langfuse"):
        detect.formats(detect.origin_of(path))


def test_files_without_any_json_say_where_they_fail(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(UnknownFormat, match="line 1"):
        detect.formats(detect.origin_of(path))
    path.write_text("", encoding="utf-8")
    with pytest.raises(UnknownFormat, match="is empty"):
        detect.formats(detect.origin_of(path))


def test_a_folder_is_read_file_by_file(tmp_path):
    (tmp_path / "b").mkdir()
    write(tmp_path / "b" / "two.jsonl", CHAT)
    write(tmp_path / "one.jsonl", CHAT, CHAT)
    (tmp_path / "notes.txt").write_text("not this", encoding="utf-8")
    assert [trace.location for trace in traces(tmp_path)] == [
        "b/two.jsonl line 1",
        "one.jsonl line 1",
        "one.jsonl line 2",
    ]


def test_damaged_archives_are_refused_as_a_whole(tmp_path):
    whole = gzip.compress(b"\n".join([json.dumps(CHAT).encode()] * 1000))
    path = tmp_path / "traces.jsonl.gz"
    for damaged in (whole[:-12], whole[:-8] + b"\x00" * 8, whole[:20] + b"\xff\xff" + whole[22:]):
        path.write_bytes(damaged)
        with pytest.raises(ImportRejected, match=r"traces\.jsonl\.gz"):
            detect.origin_of(path)


def test_an_archive_that_unfolds_to_too_much_is_refused(tmp_path):
    path = tmp_path / "bomb.json.gz"
    path.write_bytes(gzip.compress(b" " * 70_000_000))
    with pytest.raises(ImportRejected, match="unfolds"):
        detect.origin_of(path)


def test_a_document_over_the_limit_is_not_taken_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(documents, "MAX_DOCUMENT_BYTES", 100)
    path = tmp_path / "big.json"
    path.write_text(json.dumps([CHAT] * 10, indent=1), encoding="utf-8")
    with pytest.raises(UnknownFormat):
        detect.formats(detect.origin_of(path))


# Other sources ----------------------------------------------------------------------------------


def test_a_sqlite_file_goes_to_the_gateway_store_whatever_its_name(data, tmp_path):
    path = tmp_path / "copy.backup"
    path.write_bytes((data / "traces/vllora_sample.db").read_bytes())
    assert len(traces(path)) == 1


def test_an_empty_gateway_store_is_no_unknown_format(tmp_path):
    path = tmp_path / "vllora.db"
    with sqlite3.connect(path) as db:
        db.execute(
            "CREATE TABLE traces (trace_id TEXT, span_id TEXT, thread_id TEXT, parent_span_id TEXT,"
            " operation_name TEXT, start_time_us BIGINT, finish_time_us BIGINT, attribute TEXT,"
            " run_id TEXT, project_id TEXT)"
        )
    db.close()
    assert detect.formats(detect.origin_of(path)) == "vllora"
    assert traces(path) == []


def test_values_in_memory():
    assert len(traces(CHAT)) == 1
    assert len(traces([CHAT, CHAT])) == 2
    assert len(traces([Document("here", CHAT)])) == 1
    origin = detect.origin_of(value for value in [CHAT, CHAT])
    assert [len(list(detect.readings(origin))) for _ in range(2)] == [2, 2]


def test_what_is_no_source():
    with pytest.raises(NotFound):
        detect.origin_of("/no/such/file.jsonl")
    with pytest.raises(InvalidArgument):
        detect.origin_of(3)


@pytest.mark.parametrize("text", ["", "{", "NaN", "1e999", '{"a": "\\ud800"}', "[" * 65 + "]" * 65])
def test_text_that_is_no_value(text):
    for data in (text, text.encode()):
        with pytest.raises(Undecodable):
            decode(data)


def test_nesting_is_counted_outside_text_only():
    assert decode(json.dumps("[" * 100)) == "[" * 100
    assert decode('["\\"' + "[" * 100 + '"]') == ['"' + "[" * 100]
    assert decode("[" * 64 + "]" * 64)
