"""Records out and in again: equal records, and the forms for training and analysis."""

from __future__ import annotations

import csv
import gzip
import io
import json
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from builders import (
    assistant,
    call,
    chat_line,
    content,
    data_folder,
    errors,
    message,
    tool,
    tool_message,
    user,
    write_jsonl,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import rft_widgets as rft
from rft_widgets.errors import InvalidArgument
from rft_widgets.model.message import Message
from rft_widgets.model.record import RecordInput, RecordOutput

QUESTION = "A question that is long enough"
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA==", "detail": "low"}}


def written(dataset: rft.OptimizationDataset, folder: Path, form: str = "jsonl") -> list[Any]:
    """Values of the lines that an export writes."""
    path = folder / f"{uuid.uuid4().hex}.jsonl"
    count = dataset.export_records(path, format=form)  # type: ignore[arg-type]
    lines = [json.loads(line) for line in path.read_bytes().split(b"\n")[:-1]]
    assert len(lines) == count
    return lines


def again(workspace: rft.Workspace, dataset: rft.OptimizationDataset, folder: Path) -> None:
    """Export, import and compare; then once more, which must write the same file."""
    first = folder / f"{uuid.uuid4().hex}.jsonl"
    dataset.export_records(first)
    copy = workspace.create("copy")
    result = copy.import_records(first)
    assert result.refused == 0
    assert [content(r) for r in copy.iterate()] == [content(r) for r in dataset.iterate()]
    assert [errors(r) for r in copy.iterate()] == [errors(r) for r in dataset.iterate()]
    second = folder / f"{uuid.uuid4().hex}.jsonl"
    copy.export_records(second)
    assert second.read_bytes() == first.read_bytes()


ALL_FIELDS = {
    "input": {
        "messages": [message("system", "Be kind", name="rules"), user(QUESTION)],
        "tools": [tool("lookup", q={"type": "string"})],
        "tool_choice": {"type": "function", "function": {"name": "lookup"}},
    },
    "output": {"messages": [assistant("First"), assistant("Second")], "finish_reason": "length"},
    "item": {"reference_answer": "42", "n": 1.5, "nested": {"a": [None, True]}},
    "metadata": {"source": "test", "tags": ["a", "b"]},
    "id": "record-1",
    "span_id": "00f067aa0ba902b7",
    "thread_id": "thread-1",
    "topic": "Support/Refunds",
    "topic_confidence": 0.83,
    "topic_method": "similarity",
    "is_generated": True,
    "source_record_id": "record-0",
    "dry_run_score": 0.25,
}


def test_every_field_comes_back(workspace: rft.Workspace, tmp_path: Path):
    dataset = workspace.create("fields")
    dataset.import_records(write_jsonl(tmp_path, [ALL_FIELDS]))
    (record,) = dataset.iterate()
    for name in (
        "item",
        "metadata",
        "id",
        "span_id",
        "thread_id",
        "topic",
        "topic_confidence",
        "topic_method",
        "is_generated",
        "source_record_id",
        "dry_run_score",
    ):
        assert getattr(record, name) == ALL_FIELDS[name], name
    assert record.output.finish_reason == "length"
    assert len(record.output.messages) == 2
    assert record.input.tool_choice == ALL_FIELDS["input"]["tool_choice"]
    again(workspace, dataset, tmp_path)


SHAPES: dict[str, dict[str, Any]] = {
    "plain": chat_line(QUESTION),
    "answered": chat_line(QUESTION, "An answer"),
    "unknown keys of messages": {
        "messages": [
            user(QUESTION) | {"x": 1, "cache_control": {"a": []}},
            assistant("a", refusal=None, audio={"id": "1"}),
        ]
    },
    "unknown keys of calls": {
        "messages": [
            user(QUESTION),
            assistant(
                None,
                tool_calls=[
                    call("1") | {"index": 0},
                    {"id": "2", "type": "custom", "custom": {"name": "n", "input": "i"}},
                ],
            ),
            tool_message("1"),
            tool_message("2"),
        ]
    },
    "unknown keys of functions": {
        "messages": [
            user(QUESTION),
            assistant(
                None,
                tool_calls=[
                    {
                        "id": "1",
                        "type": "function",
                        "function": {"name": "f", "arguments": "{}", "x": [1]},
                    }
                ],
            ),
        ]
    },
    "unknown keys of tools": chat_line(
        QUESTION,
        tools=[
            {"type": "function", "x": 1, "function": {"name": "f", "y": 2, "strict": True}},
            {"type": "web_search", "filters": {"a": ["b"]}},
        ],
    ),
    "unknown keys at the top": chat_line(
        QUESTION, reference_answer="x", weight=0.5, nested={"a": {}}
    ),
    "item keys that chat lines use": {
        "input": {"messages": [user(QUESTION)]},
        "item": {
            "messages": [1],
            "tools": "x",
            "id": 7,
            "topic": None,
            "metadata": [],
            "data": {},
            "input": 1,
            "output": 2,
            "tool_choice": "auto",
            "rft_widgets": {"span_id": "mine"},
        },
    },
    "item keys that records use": chat_line(
        QUESTION,
        item={"a": 1},
        span_id="s",
        thread_id=5,
        is_generated=1,
        dry_run_score="high",
        is_valid=False,
        topic_method="mine",
        created_at="now",
        version=3,
    ),
    "an input key beside messages": chat_line(QUESTION, input={"a": 1}, output="text", data=[1]),
    "our key with something else": chat_line(QUESTION, rft_widgets={"foreign": True}),
    "answer kept in the input": {
        "input": {"messages": [user(QUESTION), assistant("a")]},
        "output": {"messages": [assistant("b")]},
    },
    "several messages in the output": {
        "input": {"messages": [user(QUESTION)]},
        "output": {
            "messages": [
                assistant(None, tool_calls=[call("1")]),
                tool_message("1"),
                assistant("done"),
            ]
        },
    },
    "output that ends in a tool": {
        "input": {"messages": [user(QUESTION)]},
        "output": {"messages": [assistant(None, tool_calls=[call("1")]), tool_message("1")]},
    },
    "input that is empty": {"input": {"messages": []}, "output": {"messages": [assistant("a")]}},
    "output that is empty, with a reason": {
        "input": {"messages": [user(QUESTION)]},
        "output": {"finish_reason": "content_filter"},
    },
    "ends in a tool": {
        "messages": [user(QUESTION), assistant(None, tool_calls=[call("1")]), tool_message("1")]
    },
    "no messages": {"messages": []},
    "content null, empty and missing": {
        "messages": [
            user(QUESTION),
            assistant(None),
            assistant(""),
            {"role": "assistant"},
            assistant([]),
        ]
    },
    "parts": {
        "messages": [
            user(
                [
                    {"type": "text", "text": "What is on this picture?"},
                    IMAGE,
                    {"type": "x", "rft_widgets.extra": {"type": "y"}},
                ]
            )
        ]
    },
    "arguments as an object": {
        "messages": [
            user(QUESTION),
            assistant(None, tool_calls=[call("1", arguments={"ä": [1, 2.5]})]),
        ]
    },
    "arguments that are no JSON": {
        "messages": [
            user(QUESTION),
            assistant(None, tool_calls=[call("1", arguments="{broken \\")]),
        ]
    },
    "a call without an id": {
        "messages": [user(QUESTION), assistant(None, tool_calls=[call(None)])]
    },
    "tool_choice none": chat_line(QUESTION, tool_choice="none"),
    "tool_choice of no keys": chat_line(QUESTION, tool_choice={}),
    "every kind of character": chat_line(
        '\u0001\u2028\u0085\ufeff\ufffe\U0010ffff 👩‍👩‍👧 \\ " \\u0000 /'
    ),
    "zeros and falses": {
        "input": {"messages": [user(QUESTION)]},
        "is_generated": False,
        "topic": "t",
        "topic_confidence": 0.0,
        "dry_run_score": 0,
    },
    "empty names": {
        "input": {"messages": [user(QUESTION)]},
        "id": "",
        "topic": "",
        "span_id": "",
        "thread_id": "",
        "source_record_id": "",
    },
    "long numbers": chat_line(QUESTION, big=2**80, exact=0.1 + 0.2, small=5e-324),
    "a score without a topic": {"input": {"messages": [user(QUESTION)]}, "topic_confidence": 0.4},
}


@pytest.mark.parametrize("name", SHAPES)
def test_every_shape_comes_back(sqlite_workspace: rft.Workspace, tmp_path: Path, name: str):
    dataset = sqlite_workspace.create("shape")
    result = dataset.import_records(write_jsonl(tmp_path, [SHAPES[name]]))
    assert result.imported == 1
    again(sqlite_workspace, dataset, tmp_path)


def test_all_shapes_in_one_file(workspace: rft.Workspace, tmp_path: Path):
    dataset = workspace.create("shapes")
    lines = [*SHAPES.values(), ALL_FIELDS]
    assert dataset.import_records(write_jsonl(tmp_path, lines)).imported == len(lines)
    again(workspace, dataset, tmp_path)


def test_unknown_keys_are_written_where_they_stood(sqlite_workspace: rft.Workspace, tmp_path: Path):
    lines = [
        SHAPES[name]
        for name in (
            "unknown keys of messages",
            "unknown keys of calls",
            "unknown keys of functions",
            "unknown keys at the top",
        )
    ]
    dataset = sqlite_workspace.create("unknown")
    dataset.import_records(write_jsonl(tmp_path, lines))
    for line, found in zip(lines, written(dataset, tmp_path, "chat"), strict=True):
        assert without_nulls(found) == without_nulls(line)


def without_nulls(value: Any) -> Any:
    """Drop nulls, and tools that are none: they say the same as keys that are missing."""
    if isinstance(value, dict):
        left = {k: v for k, v in value.items() if v is not None and (k, v) != ("tools", [])}
        return {k: without_nulls(v) for k, v in left.items()}
    return [without_nulls(v) for v in value] if isinstance(value, list) else value


def test_drafts_come_back(sqlite_workspace: rft.Workspace, tmp_path: Path):
    """Records that were made in Python and not from a file."""
    prompt = RecordInput((Message("user", QUESTION),))
    drafts = [
        rft.RecordDraft(input=prompt, topic="t"),
        rft.RecordDraft(input=prompt, topic_method="keyword"),
        rft.RecordDraft(input=prompt, output=RecordOutput((), "stop"), item={"messages": 1}),
        rft.RecordDraft(input=prompt, is_generated=True, source_record_id="x", span_id="y"),
    ]
    dataset = sqlite_workspace.create("drafts")
    assert dataset.add_records(drafts).imported == 4
    again(sqlite_workspace, dataset, tmp_path)


def test_a_taken_id_is_kept_as_metadata(workspace: rft.Workspace, tmp_path: Path):
    path = write_jsonl(tmp_path, [chat_line(f"{QUESTION} {n}", id="same") for n in range(3)])
    dataset = workspace.create("ids")
    dataset.import_records(path)
    found = list(dataset.iterate())
    assert found[0].id == "same"
    assert [r.metadata.get("original_id") for r in found] == [None, "same", "same"]
    assert len({r.id for r in found}) == 3
    again(workspace, dataset, tmp_path)


def test_a_selection_is_written_in_order(workspace: rft.Workspace, tmp_path: Path):
    dataset = workspace.create("selection")
    dataset.add_records([chat_line(f"{QUESTION} {n}", id=f"r{n}", odd=n % 2) for n in range(20)])
    path = tmp_path / "some.jsonl"
    chosen = dataset.select(ids=["r7", "r3", "r11"], except_ids=["r3"])
    assert dataset.export_records(path, selection=chosen) == 2
    assert [json.loads(line)["id"] for line in path.read_text().splitlines()] == ["r7", "r11"]


def test_a_failed_export_leaves_the_old_file(workspace: rft.Workspace, tmp_path: Path):
    dataset = workspace.create("failed")
    dataset.add_records(
        [chat_line(QUESTION), {"messages": [user(QUESTION), message("system", "s")]}]
    )
    path = tmp_path / "out" / "export.jsonl"
    path.parent.mkdir()
    path.write_text("old")
    with pytest.raises(InvalidArgument):
        dataset.export_records(path, format="training")
    assert path.read_text() == "old"
    assert [p.name for p in path.parent.iterdir()] == ["export.jsonl"]
    with pytest.raises(InvalidArgument, match="parquet"):
        dataset.export_records(path, format="xlsx")  # type: ignore[arg-type]


# -- any record ------------------------------------------------------------------------------------

TEXTS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\x00")
    | st.sampled_from('"\\\u2028\u0085\ufeff{}[]:,'),
    max_size=20,
)
NAMES = TEXTS | st.sampled_from(
    [
        "messages",
        "tools",
        "id",
        "topic",
        "metadata",
        "input",
        "output",
        "data",
        "item",
        "role",
        "rft_widgets",
        "content",
        "tool_calls",
        "function",
        "name",
        "type",
        "extra",
        "tool_choice",
    ]
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | TEXTS
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)
OBJECTS = st.dictionaries(NAMES, VALUES, max_size=3)


def with_unknown(known: st.SearchStrategy[Any], *names: str) -> st.SearchStrategy[Any]:
    """Object with more keys than the known ones."""
    unknown = OBJECTS.map(
        lambda more: {k: v for k, v in more.items() if k not in {*names, "rft_widgets.extra"}}
    )
    return st.tuples(unknown, known).map(lambda pair: pair[0] | pair[1])


FUNCTIONS = with_unknown(
    st.fixed_dictionaries({"name": TEXTS, "arguments": TEXTS | OBJECTS}), "name", "arguments"
)
CALLS = with_unknown(
    st.fixed_dictionaries(
        {"type": st.just("function"), "function": FUNCTIONS}, optional={"id": TEXTS}
    ),
    "type",
    "function",
    "id",
)
PARTS = st.fixed_dictionaries({"type": TEXTS}, optional={"text": TEXTS, "more": VALUES}) | TEXTS
MESSAGES = with_unknown(
    st.fixed_dictionaries(
        {"role": st.sampled_from(["system", "user", "assistant", "tool", "bot", ""])},
        optional={
            "content": st.none() | TEXTS | st.lists(PARTS, max_size=3),
            "name": TEXTS,
            "tool_calls": st.lists(CALLS, max_size=2),
            "tool_call_id": TEXTS,
        },
    ),
    "role",
    "content",
    "name",
    "tool_calls",
    "tool_call_id",
)
TOOLS = with_unknown(
    st.fixed_dictionaries(
        {
            "type": st.just("function"),
            "function": with_unknown(
                st.fixed_dictionaries(
                    {"name": TEXTS},
                    optional={"description": TEXTS, "parameters": OBJECTS, "strict": st.booleans()},
                ),
                "name",
                "description",
                "parameters",
                "strict",
            ),
        }
    ),
    "type",
    "function",
)
FRACTIONS = st.none() | st.floats(0, 1)
INPUTS = st.fixed_dictionaries(
    {"messages": st.lists(MESSAGES, max_size=4)},
    optional={"tools": st.lists(TOOLS, max_size=2), "tool_choice": st.none() | TEXTS | OBJECTS},
)
RECORDS = st.fixed_dictionaries(
    {"input": INPUTS},
    optional={
        "output": st.fixed_dictionaries(
            {},
            optional={
                "messages": st.lists(MESSAGES, max_size=2),
                "finish_reason": st.none() | TEXTS,
            },
        ),
        "item": OBJECTS,
        "metadata": OBJECTS,
        "id": st.none() | TEXTS,
        "topic": st.none() | TEXTS,
        "span_id": st.none() | TEXTS,
        "thread_id": st.none() | TEXTS,
        "topic_confidence": FRACTIONS,
        "topic_method": st.sampled_from([None, "keyword", "similarity", "llm", "manual", "import"]),
        "is_generated": st.booleans(),
        "source_record_id": st.none() | TEXTS,
        "dry_run_score": FRACTIONS,
    },
)
CHATS = with_unknown(
    st.fixed_dictionaries(
        {"messages": st.lists(MESSAGES, max_size=4)},
        optional={
            "tools": st.lists(TOOLS, max_size=2),
            "metadata": OBJECTS,
            "topic": st.none() | TEXTS,
            "id": st.none() | TEXTS | st.integers(),
        },
    ),
    "messages",
    "tools",
    "tool_choice",
    "metadata",
    "id",
    "topic",
    "rft_widgets",
)


@settings(
    deadline=None,
    max_examples=30,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(RECORDS | CHATS, min_size=1, max_size=8))
def test_any_record_comes_back(
    sqlite_workspace: rft.Workspace, tmp_path: Path, lines: list[dict[str, Any]]
):
    dataset = sqlite_workspace.create("any")
    result = dataset.import_records(
        write_jsonl(tmp_path, [json.dumps(line).encode() for line in lines])
    )
    assert (result.imported, result.refused) == (len(lines), 0), result.errors
    again(sqlite_workspace, dataset, tmp_path)


# -- real data -------------------------------------------------------------------------------------

REAL = [
    "datasets/azure_toolcall/stock_toolcall_training.jsonl",
    "datasets/azure_rft_countdown/countdown_train_100.jsonl",
    "datasets/azure_rft_countdown/countdown_valid_50.jsonl",
    "traces/eval_protocol_function_calling.jsonl",
]


@pytest.mark.parametrize("name", REAL)
def test_real_data_comes_back(workspace: rft.Workspace, tmp_path: Path, name: str):
    source = data_folder() / name
    lines = [json.loads(line) for line in source.read_bytes().splitlines() if line.strip()]
    dataset = workspace.create_from_file(source)
    records = list(dataset.iterate())
    assert len(records) == len(lines)
    for line, record in zip(lines, records, strict=True):
        assert [m.content for m in record.messages] == [m.get("content") for m in line["messages"]]
        calls = [c for m in line["messages"] for c in m.get("tool_calls") or ()]
        assert [
            c.function.arguments for m in record.messages for c in m.tool_calls if c.function
        ] == [c["function"]["arguments"] for c in calls]
        known = {"messages", "tools", "tool_choice", "metadata", "id", "topic"}
        assert record.item == {k: v for k, v in line.items() if k not in known}
    assert [without_nulls(line) for line in written(dataset, tmp_path, "chat")] == [
        without_nulls(line) for line in lines
    ]
    again(workspace, dataset, tmp_path)


def test_a_file_of_numbers_alone_is_refused_line_by_line(
    sqlite_workspace: rft.Workspace, tmp_path: Path
):
    """The evaluation file of that data set holds no conversations."""
    source = data_folder() / "datasets/azure_rft_countdown/countdown_eval_100.jsonl"
    dataset = sqlite_workspace.create("eval")
    result = dataset.import_records(source)
    assert (result.imported, result.refused) == (0, result.lines)
    assert {error.code for error in result.errors} == {"missing_input"}


# -- training and chat -----------------------------------------------------------------------------


def test_training_lines_end_in_the_prompt(workspace: rft.Workspace, tmp_path: Path):
    lines = [
        {
            "messages": [message("system", "s"), user(QUESTION), assistant("The recorded answer")],
            "tools": [tool()],
            "reference_answer": "42",
            "topic": "t",
            "id": "a",
            "metadata": {"x": 1},
        },
        {
            "messages": [
                user(QUESTION + "?"),
                assistant(None, tool_calls=[call("1")]),
                tool_message("1"),
            ],
            "nested": {"a": [1]},
        },
        chat_line("short"),
    ]
    dataset = workspace.create("training")
    dataset.import_records(write_jsonl(tmp_path, lines))
    first, second = written(dataset, tmp_path, "training")
    assert first == {
        "messages": lines[0]["messages"][:2],
        "tools": lines[0]["tools"],
        "reference_answer": "42",
    }
    assert [m["role"] for m in second["messages"]] == ["user", "assistant", "tool"]
    assert second["nested"] == {"a": [1]}


@pytest.mark.parametrize(
    "messages",
    [
        [user(QUESTION), message("system", "s")],
        [user(QUESTION), assistant("a"), assistant("b")],
        [user(QUESTION), message("developer", "d")],
    ],
    ids=["system", "assistant", "developer"],
)
def test_training_refuses_a_prompt_that_ends_otherwise(
    sqlite_workspace: rft.Workspace, tmp_path: Path, messages: list[Any]
):
    dataset = sqlite_workspace.create("training")
    line = {"messages": messages, "id": "the-bad-one"}
    result = dataset.import_records(write_jsonl(tmp_path, [chat_line(QUESTION + "?"), line]))
    assert result.warnings == {"last_message_not_user": 1}
    path = tmp_path / "training.jsonl"
    with pytest.raises(InvalidArgument, match="the-bad-one"):
        dataset.export_records(path, format="training")
    assert not path.exists()
    chosen = dataset.select(except_ids=["the-bad-one"])
    assert dataset.export_records(path, format="training", selection=chosen) == 1


def test_training_refuses_an_item_that_would_hide_the_prompt(
    sqlite_workspace: rft.Workspace, tmp_path: Path
):
    dataset = sqlite_workspace.create("training")
    for field in ("messages", "tools"):
        line = {
            "input": {"messages": [user(f"{QUESTION} {field}")]},
            "item": {field: []},
            "id": "bad",
        }
        dataset.add_records([line], mode="replace")
        with pytest.raises(InvalidArgument, match="bad"):
            dataset.export_records(tmp_path / "training.jsonl", format="training")


def test_chat_lines_hold_nothing_of_ours(workspace: rft.Workspace, tmp_path: Path):
    dataset = workspace.create("chat")
    dataset.import_records(write_jsonl(tmp_path, [ALL_FIELDS, chat_line(QUESTION + "?", "a", x=1)]))
    first, second = written(dataset, tmp_path, "chat")
    assert set(first) == {
        "messages",
        "tools",
        "tool_choice",
        "metadata",
        "reference_answer",
        "n",
        "nested",
    }
    assert [m["role"] for m in first["messages"]] == ["system", "user", "assistant", "assistant"]
    assert second == {"messages": [user(QUESTION + "?"), assistant("a")], "x": 1}


# -- tables ----------------------------------------------------------------------------------------

FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "＝1+1", "＋1", "－1", "＠x"]
HARMLESS = ["1+1", "a=b", "x", " =1", "😀", "'quoted", "two\nlines", 'a "quote", and a comma']


def table_lines(prompts: Iterable[str]) -> list[dict[str, Any]]:
    return [
        chat_line(
            prompt + " " * 10 + str(n), answer=prompt, topic=prompt.strip() or "t", reference=prompt
        )
        for n, prompt in enumerate(prompts)
    ]


def test_csv_runs_no_formulas(workspace: rft.Workspace, tmp_path: Path):
    dataset = workspace.create("csv")
    dataset.add_records(table_lines([*FORMULAS, *HARMLESS]))
    path = tmp_path / "records.csv"
    assert dataset.export_records(path, format="csv") == len(FORMULAS) + len(HARMLESS)
    rows = list(csv.DictReader(io.StringIO(path.read_bytes().decode(), newline="")))
    assert len(rows) == len(FORMULAS) + len(HARMLESS)
    for row, text in zip(rows, [*FORMULAS, *HARMLESS], strict=True):
        dangerous = text in FORMULAS
        assert row["response"] == (f"'{text}" if dangerous else text)
        assert row["prompt"].startswith(f"'{text}" if dangerous else text)
    for row in rows:
        for cell in row.values():
            assert not cell.startswith(tuple("=+-@\t\r＝＋－＠")), cell
    assert [r["id"] for r in rows] == [r.id for r in dataset.iterate()]


def test_csv_and_an_id_that_is_a_formula(sqlite_workspace: rft.Workspace, tmp_path: Path):
    dataset = sqlite_workspace.create("csv")
    dataset.add_records([chat_line(QUESTION, id='=HYPERLINK("http://evil","x")')])
    path = tmp_path / "records.csv"
    dataset.export_records(path, format="csv")
    (row,) = csv.DictReader(io.StringIO(path.read_bytes().decode(), newline=""))
    assert row["id"].startswith("'=")


def tabled(workspace: rft.Workspace) -> rft.OptimizationDataset:
    dataset = workspace.create("table")
    lines = [ALL_FIELDS, chat_line("short"), chat_line(QUESTION, "＝An answer", topic="t")]
    dataset.add_records(lines)
    return dataset


def check_table(frame: pd.DataFrame, dataset: rft.OptimizationDataset) -> None:
    records = list(dataset.iterate())
    assert frame["id"].tolist() == [r.id for r in records]
    assert frame["is_valid"].tolist() == [True, False, True]
    assert frame["is_generated"].tolist() == [True, False, False]
    assert frame["dry_run_score"].isna().tolist() == [False, True, True]
    assert frame["dry_run_score"].iloc[0] == 0.25
    assert frame["topic_confidence"].iloc[0] == 0.83
    assert frame["tokens"].tolist() == [r.tokens for r in records]
    assert frame["turns"].tolist() == [1, 1, 1]
    assert frame["validation_errors"].tolist() == ["", "user_message_too_short", ""]
    assert frame["response"].tolist() == ["First\nSecond", "", "＝An answer"]
    assert json.loads(frame["item"].iloc[0]) == ALL_FIELDS["item"]
    assert json.loads(frame["messages"].iloc[0]) == ALL_FIELDS["input"]["messages"]
    assert json.loads(frame["tools"].iloc[0]) == ALL_FIELDS["input"]["tools"]
    assert [t.to_pydatetime() for t in frame["created_at"]] == [r.created_at for r in records]


def test_parquet_has_types(workspace: rft.Workspace, tmp_path: Path):
    pq = pytest.importorskip("pyarrow.parquet")
    dataset = tabled(workspace)
    path = tmp_path / "records.parquet"
    assert dataset.export_records(path, format="parquet") == 3
    schema = pq.read_schema(path)
    types = {name: str(schema.field(name).type) for name in schema.names}
    assert types["is_valid"] == types["is_generated"] == "bool"
    assert types["dry_run_score"] == types["topic_confidence"] == "double"
    assert types["tokens"] == types["turns"] == "int64"
    assert types["created_at"] == types["updated_at"] == "timestamp[us, tz=UTC]"
    assert types["id"] == types["messages"] == types["topic"] == "string"
    check_table(pd.read_parquet(path), dataset)


def test_pandas_has_types(workspace: rft.Workspace):
    dataset = tabled(workspace)
    frame = dataset.to_pandas()
    assert frame["is_valid"].dtype == bool
    assert str(frame["created_at"].dtype).startswith("datetime64[")
    assert pd.api.types.is_float_dtype(frame["dry_run_score"])
    assert pd.api.types.is_integer_dtype(frame["tokens"])
    check_table(frame, dataset)


def test_tables_of_nothing(sqlite_workspace: rft.Workspace, tmp_path: Path):
    dataset = sqlite_workspace.create("empty")
    frame = dataset.to_pandas()
    assert len(frame) == 0
    assert "messages" in frame.columns
    for form in ("jsonl", "chat", "training", "csv", "parquet"):
        path = tmp_path / f"empty.{form}"
        assert dataset.export_records(path, format=form) == 0
        assert path.exists()
    assert len(pd.read_parquet(tmp_path / "empty.parquet")) == 0
    assert sqlite_workspace.create("again").import_records(tmp_path / "empty.jsonl").lines == 0


def test_a_compressed_export_reads_back(sqlite_workspace: rft.Workspace, tmp_path: Path):
    dataset = sqlite_workspace.create("compressed")
    dataset.add_records([chat_line(f"{QUESTION} {n}") for n in range(50)])
    path = tmp_path / "export.jsonl"
    dataset.export_records(path)
    packed = tmp_path / "export.jsonl.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    copy = sqlite_workspace.create_from_file(packed)
    assert [content(r) for r in copy.iterate()] == [content(r) for r in dataset.iterate()]


def test_unknown_keys_beside_the_messages_are_kept(sqlite_workspace: rft.Workspace, tmp_path: Path):
    line = {
        "input": {"messages": [user("A question that is long enough")], "locale": "de"},
        "output": {"messages": [assistant("An answer")], "latency": 3},
    }
    dataset = sqlite_workspace.create_from_file(write_jsonl(tmp_path, [line]))
    (record,) = dataset.iterate()
    assert record.metadata == {"input_fields": {"locale": "de"}, "output_fields": {"latency": 3}}
