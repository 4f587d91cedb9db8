"""The rules of a valid record, one by one and together, and the health they add up to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from builders import (
    assistant,
    call,
    chat_line,
    errors,
    message,
    sums,
    tool_message,
    user,
    write_jsonl,
)

import rft_widgets as rft
from rft_widgets.model.record import ImportResult

QUESTION = "A question that is long enough"
IMAGE = {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}
AUDIO = {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}


def text_part(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


def chat(*messages: Any) -> dict[str, Any]:
    return {"messages": list(messages)}


def asks(*calls: Any) -> dict[str, Any]:
    return message("assistant", None, tool_calls=list(calls))


JUDGED: dict[str, tuple[dict[str, Any], list[str]]] = {
    "a question": (chat(user(QUESTION)), []),
    "a question of ten characters": (chat(user("0123456789")), []),
    "white space does not count": (chat(user("  012345678\n")), ["user_message_too_short"]),
    "ten characters beyond the first plane": (chat(user("😀" * 10)), []),
    "no messages": (chat(), ["empty_messages"]),
    "no messages in a record": ({"input": {"messages": []}}, ["empty_messages"]),
    "an answer without a prompt": (chat(assistant("An answer")), ["no_user_message"]),
    "only a system prompt": (chat(message("system", QUESTION)), ["no_user_message"]),
    "every role": (
        chat(message("system", "s"), message("developer", "d"), user(QUESTION),
             asks(call("1")), tool_message("1")),
        [],
    ),
    "an unknown role": (chat(user(QUESTION), message("human", "hello")), ["invalid_role"]),
    "a role in capitals": (chat(message("User", QUESTION)), ["invalid_role", "no_user_message"]),
    "the legacy role of functions": (
        chat(user(QUESTION), message("function", "x", name="f")), ["invalid_role"]),
    "an unknown role in the output": (
        {"input": chat(user(QUESTION)), "output": chat(message("bot", "hello"))},
        ["invalid_role"],
    ),
    "an empty question": (chat(user("")), ["empty_user_message"]),
    "a question of white space": (chat(user(" \n\t ")), ["empty_user_message"]),
    "a question that is null": (chat(user(None)), ["empty_user_message"]),
    "a question without parts": (chat(user([])), ["empty_user_message"]),
    "a question of one empty part": (chat(user([text_part("")])), ["empty_user_message"]),
    "a short question": (chat(user("Hi")), ["user_message_too_short"]),
    "a short part": (chat(user([text_part("Hi")])), ["user_message_too_short"]),
    "parts that are long enough together": (
        chat(user([text_part("01234"), text_part("56789")])), []),
    "an image": (chat(user([IMAGE])), []),
    "an image and a word": (chat(user([text_part("Why?"), IMAGE])), []),
    "a recording": (chat(user([AUDIO])), []),
    "the last question counts": (
        chat(user("Hi"), assistant("Hello"), user(QUESTION)), []),
    "a short last question": (
        chat(user(QUESTION), assistant("Hello"), user("Thanks")), ["user_message_too_short"]),
    "a tool result without its id": (
        chat(user(QUESTION), asks(call("1")), tool_message(None)), ["missing_tool_call_id"]),
    "a tool result with an empty id": (
        chat(user(QUESTION), asks(call("1")), {"role": "tool", "content": "x", "tool_call_id": ""}),
        ["missing_tool_call_id"],
    ),
    "a tool result of no call": (
        chat(user(QUESTION), asks(call("1")), tool_message("2")), ["orphan_tool_result"]),
    "a tool result before its call": (
        chat(user(QUESTION), tool_message("1"), asks(call("1"))), ["orphan_tool_result"]),
    "two results of two calls": (
        chat(user(QUESTION), asks(call("1"), call("2")), tool_message("2"), tool_message("1")), []),
    "a chain of calls": (
        chat(user(QUESTION), asks(call("1")), tool_message("1"), asks(call("2")),
             tool_message("2")),
        [],
    ),
    "a result in the output": (
        {"input": chat(user(QUESTION)),
         "output": chat(asks(call("1")), tool_message("1"), assistant("Done"))},
        [],
    ),
    "an orphan in the output": (
        {"input": chat(user(QUESTION)), "output": chat(tool_message("1"), assistant("Done"))},
        ["orphan_tool_result"],
    ),
    "8,000 tokens": (chat(user("x" * 32_000)), []),
    "a character more": (chat(user("x" * 32_001)), ["exceeds_max_tokens"]),
    "8,000 tokens with the answer": (chat(user("x" * 31_990), assistant("y" * 10)), []),
    "too many with the answer": (
        chat(user("x" * 31_990), assistant("y" * 11)), ["exceeds_max_tokens"]),
    "too many with the arguments": (
        chat(user("x" * 20_000), asks(call("1", "f", "y" * 12_000))), ["exceeds_max_tokens"]),
    "definitions of tools do not count": (
        chat(user(QUESTION)) | {"tools": [{"type": "function", "function": {
            "name": "f", "description": "y" * 40_000}}]}, []),
}  # fmt: skip


@pytest.mark.parametrize("name", JUDGED)
def test_each_rule(sqlite_workspace: rft.Workspace, tmp_path: Path, name: str):
    line, expected = JUDGED[name]
    dataset = sqlite_workspace.create("judged")
    result = dataset.import_records(write_jsonl(tmp_path, [line]))
    sums(result)
    (record,) = dataset.iterate()
    assert errors(record) == expected
    assert record.is_valid is (not expected)
    assert (result.valid, result.invalid) == ((1, 0) if not expected else (0, 1))
    assert all(issue.message for issue in record.validation_errors)
    health = dataset.health
    assert health.errors_by_code == dict.fromkeys(expected, 1)
    for code in expected:
        assert dataset.count(rft.RecordFilter(code=code)) == 1  # type: ignore[arg-type]


def test_all_that_apply_are_kept_in_order(workspace: rft.Workspace, tmp_path: Path):
    """One record that breaks every rule that can be broken together."""
    line = chat(
        user("Hi"), message("bot", "hello"), tool_message(None), tool_message("9"),
        assistant("y" * 40_000),
    )  # fmt: skip
    dataset = workspace.create("together")
    dataset.import_records(write_jsonl(tmp_path, [line, line]))
    first, second = dataset.iterate()
    expected = [
        "invalid_role", "user_message_too_short", "missing_tool_call_id", "orphan_tool_result",
        "exceeds_max_tokens",
    ]  # fmt: skip
    assert errors(first) == expected
    assert errors(second) == [*expected, "duplicate"]
    assert first.id in second.validation_errors[-1].message
    # The order is the same when it is made again by an edit, and when the flag comes later.
    edited = dataset.edit_record(second, metadata={"seen": True})
    assert errors(edited) == [*expected, "duplicate"]
    empty = chat(message("bot", ""), user(""))
    dataset.import_records(write_jsonl(tmp_path, [empty]), mode="replace")
    (record,) = dataset.iterate()
    assert errors(record) == ["invalid_role", "empty_user_message"]


def test_first_of_equal_inputs_stays_valid(workspace: rft.Workspace, tmp_path: Path):
    lines = [
        chat_line(QUESTION, "First answer", id="a"),
        chat_line(QUESTION, "Second answer", id="b"),
        chat_line(QUESTION + "!", id="c"),
        chat_line(QUESTION, id="d", tools=[{"type": "function", "function": {"name": "f"}}]),
        b'{"id":"e","messages":[{"content":"%s","role":"user"}],"metadata":{"x":1}}'
        % QUESTION.encode(),
    ]
    dataset = workspace.create("equal")
    result = dataset.import_records(write_jsonl(tmp_path, lines))
    assert (result.valid, result.duplicates) == (3, 2)
    found = {record.id: errors(record) for record in dataset.iterate()}
    # The output is no part of the comparison, the tools are, the order of keys is not.
    assert found == {"a": [], "b": ["duplicate"], "c": [], "d": [], "e": ["duplicate"]}


def test_equal_span_is_a_duplicate_whatever_it_holds(workspace: rft.Workspace):
    lines = [
        {"input": chat(user(f"{QUESTION} {n}")), "span_id": span, "id": str(n)}
        for n, span in enumerate(["s1", "s1", "s2", None, None])
    ]
    dataset = workspace.create("spans")
    assert dataset.add_records(lines).duplicates == 1
    assert dataset.add_records([lines[2] | {"id": "again"}]).duplicates == 1
    found = {record.id: errors(record) for record in dataset.iterate()}
    assert found.pop("1") == found.pop("again") == ["duplicate"]
    assert not any(found.values())


def test_duplicates_are_found_across_batches_and_imports(workspace: rft.Workspace, tmp_path: Path):
    lines = [chat_line(f"{QUESTION} {n % 1_500}") for n in range(2_500)]
    dataset = workspace.create("batches")
    result = dataset.import_records(write_jsonl(tmp_path, lines))
    assert (result.valid, result.duplicates) == (1_500, 1_000)
    again = dataset.import_records(write_jsonl(tmp_path, lines[:10]))
    assert (again.valid, again.duplicates) == (0, 10)
    flags = [record.is_valid for record in dataset.iterate()]
    assert flags == [True] * 1_500 + [False] * 1_010
    assert dataset.health.duplicates == 1_010


LAST_MESSAGES = {
    "user": ([user(QUESTION)], 1, 0, 0),
    "assistant moves": ([user(QUESTION), assistant("An answer")], 1, 1, 0),
    "assistant with calls moves": ([user(QUESTION), asks(call("1"))], 1, 1, 0),
    "tool stays": ([user(QUESTION), asks(call("1")), tool_message("1")], 3, 0, 1),
    "answer after a tool moves": (
        [user(QUESTION), asks(call("1")), tool_message("1"), assistant("Done")], 3, 1, 1),
    "one of two answers moves": (
        [user(QUESTION), assistant("An"), assistant("answer")], 2, 1, 1),
    "system last": ([user(QUESTION), message("system", "Be brief")], 2, 0, 1),
    "user after an answer stays": (
        [user("Hello there"), assistant("Hello"), user(QUESTION)], 3, 0, 0),
}  # fmt: skip


@pytest.mark.parametrize("name", LAST_MESSAGES)
@pytest.mark.parametrize("form", ["chat", "record", "wrapped"])
def test_where_the_prompt_ends(
    sqlite_workspace: rft.Workspace, tmp_path: Path, name: str, form: str
):
    messages, prompt, answer, warned = LAST_MESSAGES[name]
    line = {
        "chat": {"messages": messages},
        "record": {"input": {"messages": messages}},
        "wrapped": {"data": {"messages": messages}},
    }[form]
    dataset = sqlite_workspace.create("ends")
    result = dataset.import_records(write_jsonl(tmp_path, [line]))
    (record,) = dataset.iterate()
    assert (len(record.input.messages), len(record.output.messages)) == (prompt, answer)
    assert result.warnings.get("last_message_not_user", 0) == warned
    assert record.is_valid


def test_a_given_output_is_left_alone(sqlite_workspace: rft.Workspace, tmp_path: Path):
    line = {
        "input": chat(user(QUESTION), assistant("Part of the prompt")),
        "output": chat(assistant("The answer")) | {"finish_reason": "length"},
    }
    dataset = sqlite_workspace.create("output")
    result = dataset.import_records(write_jsonl(tmp_path, [line]))
    (record,) = dataset.iterate()
    assert [m.text for m in record.input.messages] == [QUESTION, "Part of the prompt"]
    assert [m.text for m in record.output.messages] == ["The answer"]
    assert record.output.finish_reason == "length"
    assert result.warnings == {"last_message_not_user": 1}
    assert record.is_valid


@pytest.mark.parametrize(
    ("messages", "tokens"),
    [
        ([user("x" * 12)], 3),
        ([user("x" * 13)], 4),
        ([user("ä" * 12)], 3),
        ([user("😀" * 12)], 3),
        ([message("system", "xx"), user("x" * 10), assistant("x" * 5)], 5),
        ([user("x" * 12), asks(call("ignored", "abcd", "12345678"))], 6),
        ([user([text_part("x" * 10), IMAGE])], 3),
        ([user("x" * 10), assistant("")], 3),
    ],
    ids=str,
)
def test_tokens(sqlite_workspace: rft.Workspace, messages: list[Any], tokens: int):
    dataset = sqlite_workspace.create("tokens")
    dataset.add_records([chat(*messages)])
    (record,) = dataset.iterate()
    assert record.tokens == tokens


def fill(dataset: rft.OptimizationDataset, **counts: int) -> ImportResult:
    """Import so many records of each kind, none like another."""
    kinds = {
        "good": lambda n: chat(user(f"{QUESTION} {n}")),
        "short": lambda n: chat(user(f"{n:x}")),
        "empty": lambda n: chat(message("system", str(n)), user("")),
        "orphan": lambda n: chat(user(f"{QUESTION} {n}"), tool_message(str(n))),
        "unnamed": lambda n: chat(user(f"{QUESTION} {n}"), tool_message(None)),
    }
    lines = [
        kinds[kind](1_000 * i + n) for i, (kind, count) in enumerate(counts.items())
        for n in range(count)
    ]  # fmt: skip
    return dataset.add_records(lines)


@pytest.mark.parametrize(
    ("counts", "status"),
    [
        ({}, "empty"),
        ({"good": 1}, "healthy"),
        ({"good": 99, "short": 1}, "attention"),
        ({"good": 80, "short": 20}, "attention"),
        ({"good": 79, "short": 21}, "warning"),
        ({"short": 1}, "warning"),
    ],
    ids=str,
)
def test_status_of_health(sqlite_workspace: rft.Workspace, counts: dict[str, int], status: str):
    dataset = sqlite_workspace.create("health")
    fill(dataset, **counts)
    health = dataset.health
    assert health.status == status
    assert health.total == sum(counts.values()) == health.valid + health.invalid
    assert health.invalid == counts.get("short", 0)
    stats = dataset.stats
    assert (stats.total_records, stats.invalid_records) == (health.total, health.invalid)


def advice(dataset: rft.OptimizationDataset) -> str:
    return "\n".join(dataset.health.recommendations)


def test_recommendations(workspace: rft.Workspace):
    five_percent = workspace.create("5 %")
    fill(five_percent, good=95, short=5)
    assert advice(five_percent) == ""
    more = workspace.create("6 %")
    fill(more, good=94, short=6)
    assert "short" in advice(more)
    assert "6 records" in advice(more)
    for kind in ("orphan", "unnamed"):
        broken = workspace.create(kind)
        fill(broken, good=199, **{kind: 1})
        assert "call" in advice(broken), "any broken tool chain is named"
        assert "1 record" in advice(broken)
    both = workspace.create("both")
    fill(both, good=10, short=3, empty=7)
    first, second = both.health.recommendations
    assert "empty" in first, "the most frequent comes first"
    assert "short" in second


def test_health_follows_edits_and_deletions(workspace: rft.Workspace):
    dataset = workspace.create("health")
    fill(dataset, good=8, short=2)
    assert dataset.health.errors_by_code == {"user_message_too_short": 2}
    bad, worse = dataset.records(valid=False).records
    dataset.edit_record(bad, messages=[user("Now it is long enough")])
    assert (dataset.health.status, dataset.health.invalid) == ("attention", 1)
    deletion = dataset.delete_records(worse.id)
    assert (dataset.health.status, dataset.health.total) == ("healthy", 9)
    assert dataset.health.errors_by_code == {}
    dataset.undo_delete(deletion)
    assert dataset.health.errors_by_code == {"user_message_too_short": 1}


def test_refused_lines_are_told_apart(workspace: rft.Workspace, tmp_path: Path):
    dataset = workspace.create("refused")
    good = [chat_line(f"{QUESTION} {n}") for n in range(10)]
    dataset.import_records(write_jsonl(tmp_path, [*good, b"bad", b"[1]"]))
    health = dataset.health
    assert (health.status, health.total, health.refused_lines) == ("healthy", 10, 2)
    assert "2 lines" in advice(dataset)
    dataset.import_records(write_jsonl(tmp_path, [b"bad", chat_line("Another good question")]))
    assert (dataset.health.total, dataset.health.refused_lines) == (11, 3)
    dataset.import_records(write_jsonl(tmp_path, good), mode="replace")
    assert (dataset.health.total, dataset.health.refused_lines) == (10, 0)
    assert advice(dataset) == ""


def test_a_record_that_breaks_two_rules_counts_under_both(sqlite_workspace: rft.Workspace):
    dataset = sqlite_workspace.create("two")
    dataset.add_records([chat(user("Hi"), tool_message(None)), chat(user(QUESTION))])
    health = dataset.health
    assert health.invalid == 1
    assert health.errors_by_code == {"user_message_too_short": 1, "missing_tool_call_id": 1}
    assert health.status == "warning"
