"""Pages, filters, sorts and changes of records, against a model in plain Python."""

from __future__ import annotations

import base64
import itertools
import json
import random
from collections import Counter
from dataclasses import dataclass
from typing import Any

import pytest
from builders import all_pages, assistant, chat_line, content, errors, prompts, user

import rft_widgets as rft
from rft_widgets.errors import InvalidArgument, NotFound, StaleEdit

WORDS = [
    "refund",
    "order",
    "parcel",
    "Tent",
    "BOOTS",
    "re-order",
    "C++",
    "e-mail",
    "äpfel",
    "Äpfel",
    "straße",
    "привет",
    "ПРИВЕТ",
    "退款",
    "返金する",
    "😀",
    "👍🏽",
    "naïve",
    "50%",
    "under_score",
    "a.b.c",
    "it's",
    "ordering",
    "reorder",
    "role",
]
TOPICS = [None, None, "a", "a/b", "b", "ä"]
SORTS = ("position", "messages", "topic", "valid", "score", "updated")


def random_lines(count: int, seed: int) -> list[dict[str, Any]]:
    rng = random.Random(seed)
    lines: list[dict[str, Any]] = []
    for number in range(count):
        turns = rng.choice([1, 1, 1, 3, 5])
        messages = []
        for turn in range(turns):
            words = " ".join(rng.choices(WORDS, k=rng.randint(1, 6)))
            messages.append(assistant(words) if turn % 2 else user(words))
        line: dict[str, Any] = {
            "input": {"messages": messages},
            "id": f"r{number}",
            "is_generated": rng.random() < 0.3,
            "topic": rng.choice(TOPICS),
        }
        if line["topic"]:
            line["topic_confidence"] = rng.choice([None, 0.0, 0.3, 0.69, 0.7, 0.9, 1.0])
        if rng.random() < 0.7:
            line["dry_run_score"] = rng.choice([0, 0.25, 0.5, 0.5, 1, round(rng.random(), 3)])
        lines.append(line)
    return lines


def text_of(record: rft.Record) -> str:
    texts = []
    for one in record.messages:
        texts.append(one.text)
        texts += [call.function.name for call in one.tool_calls if call.function]
    return "\n".join(texts).lower()


def matches(record: rft.Record, where: rft.RecordFilter) -> bool:
    score = record.dry_run_score
    return (
        all(word.lower() in text_of(record) for word in where.search.split())
        and (where.topic is None or record.topic == where.topic)
        and (where.uncategorized is None or (record.topic is None) == where.uncategorized)
        and (where.valid is None or record.is_valid == where.valid)
        and (where.source == "all" or record.is_generated == (where.source == "generated"))
        and (where.min_score is None or (score is not None and score >= where.min_score))
        and (where.max_score is None or (score is not None and score <= where.max_score))
        and (not where.low_confidence or (record.topic_confidence or 0.0) < 0.7)
        and (not where.low_confidence or record.topic_confidence is not None)
        and (where.code is None or where.code in errors(record))
    )


def ordered(records: list[rft.Record], sort: str) -> list[rft.Record]:
    """The order that a page has, of records in order of position."""
    value = {
        "position": lambda r: 0,
        "messages": lambda r: len(r.messages),
        "topic": lambda r: r.topic,
        "valid": lambda r: r.is_valid,
        "score": lambda r: r.dry_run_score,
        "updated": lambda r: r.updated_at,
    }[sort.removeprefix("-")]
    placed = list(enumerate(records))
    some = [pair for pair in placed if value(pair[1]) is not None]
    none = [pair for pair in placed if value(pair[1]) is None]
    some.sort(key=lambda pair: (value(pair[1]), pair[0]), reverse=sort.startswith("-"))
    return [record for _, record in some + none]


@dataclass
class Filled:
    """A dataset that is not changed, and all its records."""

    dataset: rft.OptimizationDataset
    records: list[rft.Record]


@pytest.fixture
def filled(workspace: rft.Workspace) -> Filled:
    other = workspace.create("another dataset")
    other.add_records(random_lines(20, seed=2))
    dataset = workspace.create("records")
    dataset.add_records(random_lines(150, seed=1))
    other.add_records(random_lines(20, seed=3))
    rng = random.Random(4)
    for record in rng.sample(list(dataset.iterate()), 12):
        dataset.edit_record(record, messages=[user(" ".join(rng.choices(WORDS, k=5)))])
    dataset.delete_records(dataset.select(ids=[f"r{n}" for n in range(60, 75)]))
    for _ in range(3):
        chosen = dataset.select(ids=[f"r{n}" for n in rng.sample(range(60), 8)])
        dataset.assign_topic(chosen, rng.choice(["a", "b/c", "ä"]))
    return Filled(dataset, list(dataset.iterate()))


def random_filter(rng: random.Random) -> rft.RecordFilter:
    fields: dict[str, list[Any]] = {
        "search": [
            *WORDS,
            "e",
            "or",
            "ord tent",
            "re order",
            "退",
            "ПРИ",
            "äpf",
            "%",
            "_",
            "'",
            "+",
            "zzz",
            "REFUND boots",
            "role",
            "👍",
        ],
        "topic": ["a", "a/b", "b", "ä", "b/c", "none"],
        "uncategorized": [True, False],
        "valid": [True, False],
        "source": ["traces", "generated", "all"],
        "min_score": [0, 0.25, 0.5, 1.0, 0.333],
        "max_score": [0, 0.25, 0.5, 1.0, 0.777],
        "low_confidence": [True, False],
        "code": ["user_message_too_short", "duplicate", "empty_messages", "no_user_message"],
    }
    chosen = rng.sample(sorted(fields), rng.choice([1, 1, 2, 2, 3, 4]))
    return rft.RecordFilter(**{name: rng.choice(fields[name]) for name in chosen})


SINGLE = [
    rft.RecordFilter(),
    rft.RecordFilter(topic="a"),
    rft.RecordFilter(topic="a/b"),
    rft.RecordFilter(topic="A"),
    rft.RecordFilter(uncategorized=True),
    rft.RecordFilter(uncategorized=False),
    rft.RecordFilter(valid=True),
    rft.RecordFilter(valid=False),
    rft.RecordFilter(source="traces"),
    rft.RecordFilter(source="generated"),
    rft.RecordFilter(min_score=0.5),
    rft.RecordFilter(max_score=0.5),
    rft.RecordFilter(min_score=0.5, max_score=0.5),
    rft.RecordFilter(min_score=0.6, max_score=0.4),
    rft.RecordFilter(low_confidence=True),
    rft.RecordFilter(code="user_message_too_short"),
    rft.RecordFilter(code="duplicate"),
    rft.RecordFilter(code="orphan_tool_result"),
]


def test_filters_alone_and_together(filled: Filled):
    rng = random.Random(5)
    for where in SINGLE + [random_filter(rng) for _ in range(150)]:
        expected = [r.id for r in filled.records if matches(r, where)]
        page = filled.dataset.records(where, limit=1_000)
        assert [r.id for r in page.records] == expected, where
        assert (page.total, page.total_is_exact, page.next) == (len(expected), True, None), where
        assert filled.dataset.count(where) == len(expected), where
    # The filter as a value and by keyword are the same, and not given twice.
    assert filled.dataset.records(topic="a", valid=True) == filled.dataset.records(
        rft.RecordFilter(topic="a", valid=True)
    )
    with pytest.raises(InvalidArgument):
        filled.dataset.records(rft.RecordFilter(topic="a"), valid=True)


def test_sorts_page_by_page(filled: Filled):
    rng = random.Random(6)
    filters = [rft.RecordFilter(), rft.RecordFilter(search="order"), rft.RecordFilter(valid=False)]
    for sort in [sign + key for key in SORTS for sign in ("", "-")]:
        for where in [*filters, random_filter(rng), random_filter(rng)]:
            limit = rng.choice([1, 2, 3, 7])
            expected = ordered([r for r in filled.records if matches(r, where)], sort)
            found = all_pages(filled.dataset, where, sort=sort, limit=limit)
            assert [r.id for r in found] == [r.id for r in expected], (sort, where, limit)


def test_records_of_pages_are_whole(filled: Filled):
    by_id = {r.id: r for r in filled.records}
    for record in filled.dataset.records(sort="-score", limit=1_000).records:
        assert record == by_id[record.id] == filled.dataset.record(record.id)


def test_pages_while_others_write(workspace: rft.Workspace):
    """What is there all the time is seen exactly once, whatever comes and goes meanwhile."""
    dataset = workspace.create("moving")
    dataset.add_records([chat_line(f"The question {n}", id=f"r{n}") for n in range(40)])
    after, found = None, []
    for step in range(20):
        page = dataset.records(limit=3, after=after)
        found += [r.id for r in page.records]
        after = page.next
        if after is None:
            break
        dataset.add_records([chat_line(f"Another question {step}", id=f"n{step}")])
        if step % 4 == 0:
            dataset.delete_records(found[-1])
    assert len(found) == len(set(found))
    assert [key for key in found if key.startswith("r")] == [f"r{n}" for n in range(40)]


def cursor(*values: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


def test_cursors_are_checked(filled: Filled):
    first = filled.dataset.records(sort="score", limit=5).next
    assert first is not None
    for sort in ("position", "-score", "topic"):
        with pytest.raises(InvalidArgument, match="after"):
            filled.dataset.records(sort=sort, after=first)  # type: ignore[arg-type]
    garbage = [
        "",
        "garbage",
        "ü",
        "=",
        "\x00",
        first[:-3],
        first + "AAAA",
        cursor(),
        cursor("score"),
        cursor("score", "text", 1),
        cursor("score", [1], 1),
        cursor("score", 0.5, "1"),
        cursor("score", 0.5, 10**30),
        cursor("score", {}, 1),
        cursor("score", 10**30, 1),
        base64.urlsafe_b64encode(b"\xff\xfe").decode(),
        "A" * 100_000,
    ]
    for text in garbage:
        with pytest.raises(InvalidArgument, match="after"):
            filled.dataset.records(sort="score", after=text)
    for sort, value in (("topic", 1), ("messages", "x"), ("position", "x"), ("topic", "\x00")):
        with pytest.raises(InvalidArgument, match="after"):
            filled.dataset.records(sort=sort, after=cursor(sort, value, 1))


def test_arguments_of_pages_are_checked(filled: Filled):
    for limit in (0, -1, 10_001):
        with pytest.raises(InvalidArgument, match="limit"):
            filled.dataset.records(limit=limit)
    for sort in ("", "-", "id", "--score", "score desc"):
        with pytest.raises(InvalidArgument, match="order"):
            filled.dataset.records(sort=sort)  # type: ignore[arg-type]
    assert len(filled.dataset.records(limit=10_000).records) == len(filled.records)


def test_names_that_no_database_holds_match_nothing(filled: Filled):
    for odd in ("\x00", "a\x00b", "\ud800", "x\udfff"):
        with pytest.raises(NotFound):
            filled.dataset.record(odd)
        for where in (rft.RecordFilter(search=odd), rft.RecordFilter(topic=odd)):
            assert filled.dataset.records(where).records == ()
            assert filled.dataset.count(where) == 0
        assert list(filled.dataset.iterate(filled.dataset.select(ids=[odd]))) == []


# -- changing --------------------------------------------------------------------------------------


def ids(dataset: rft.OptimizationDataset, selection: rft.Selection | None = None) -> list[str]:
    return [record.id for record in dataset.iterate(selection)]


def test_a_selection_means_the_filter_when_it_is_used(filled: Filled):
    dataset = filled.dataset
    where = rft.RecordFilter(search="order", valid=True)
    expected = [r.id for r in filled.records if matches(r, where)]
    assert len(expected) > 10
    left_out = expected[1::3]
    selection = dataset.select(where, except_ids=left_out)
    assert ids(dataset, selection) == [key for key in expected if key not in left_out]
    dataset.add_records([chat_line("A new order that matches", id="new")])
    assert ids(dataset, selection)[-1] == "new"
    assert dataset.assign_topic(selection, "chosen") == len(expected) - len(left_out) + 1
    assert dataset.count(rft.RecordFilter(topic="chosen")) == len(expected) - len(left_out) + 1
    everything = dataset.select()
    assert len(ids(dataset, everything)) == dataset.count()
    assert ids(dataset, dataset.select(except_ids=ids(dataset))) == []
    assert ids(dataset, dataset.select(where, ids=expected[:3])) == expected[:3]
    # A selection that names nothing selects nothing, not everything.
    assert ids(dataset, rft.Selection()) == []
    assert dataset.delete_records(rft.Selection()).count == 0
    assert dataset.delete_records(rft.Selection(ids=())).count == 0


def test_many_ids_at_once(workspace: rft.Workspace):
    dataset = workspace.create("many")
    dataset.add_records([chat_line(f"The question {n}", id=f"r{n}") for n in range(3_000)])
    chosen = [f"r{n}" for n in range(0, 3_000, 2)]
    assert ids(dataset, dataset.select(ids=chosen)) == chosen
    assert dataset.assign_topic(dataset.select(ids=chosen), "even") == 1_500
    assert len(ids(dataset, dataset.select(except_ids=chosen))) == 1_500
    assert dataset.delete_records(dataset.select(ids=chosen)).count == 1_500
    assert dataset.count() == 1_500


def test_assigning_a_topic_by_hand(workspace: rft.Workspace):
    dataset = workspace.create("topics")
    dataset.add_records([chat_line(f"The question {n}", id=f"r{n}") for n in range(4)])
    before = dataset.record("r0").updated_at
    assert dataset.assign_topic("r0", "  Support/Refunds ") == 1
    record = dataset.record("r0")
    assert (record.topic, record.topic_confidence, record.topic_method) == (
        "Support/Refunds",
        1.0,
        "manual",
    )
    assert record.updated_at > before
    assert dataset.stats.topics_count == 1
    assert dataset.assign_topic("r0", None) == 1
    record = dataset.record("r0")
    assert (record.topic, record.topic_confidence, record.topic_method) == (None, None, None)
    assert dataset.assign_topic("nobody", "x") == 0
    for topic in ("", "   ", "x" * 10_000, "a\x00b", "\ud800"):
        with pytest.raises(InvalidArgument):
            dataset.assign_topic("r1", topic)
    assert dataset.record("r1").topic is None


def flags(dataset: rft.OptimizationDataset) -> dict[str, list[str]]:
    return {record.id: errors(record) for record in dataset.iterate()}


def test_deleting_the_first_of_equals_makes_the_next_valid(workspace: rft.Workspace):
    dataset = workspace.create("equals")
    dataset.add_records(
        [chat_line("The same question", id=f"same{n}") for n in range(3)]
        + [chat_line("Another question", id="other")]
    )
    all_there = flags(dataset)
    assert all_there == {"same0": [], "same1": ["duplicate"], "same2": ["duplicate"], "other": []}
    first = dataset.delete_records("same0")
    assert flags(dataset) == {"same1": [], "same2": ["duplicate"], "other": []}
    assert "same1" in dataset.record("same2").validation_errors[0].message
    assert dataset.health.duplicates == 1
    second = dataset.delete_records("same1")
    assert flags(dataset) == {"same2": [], "other": []}
    # They come back in another order than they went.
    assert dataset.undo_delete(first) == 1
    assert flags(dataset) == {"same0": [], "same2": ["duplicate"], "other": []}
    assert dataset.undo_delete(second.id) == 1
    assert flags(dataset) == all_there
    assert ids(dataset) == ["same0", "same1", "same2", "other"]
    assert dataset.delete_records("same2").count == 1
    assert flags(dataset) == {"same0": [], "same1": ["duplicate"], "other": []}


def test_equal_spans_are_elected_anew(workspace: rft.Workspace):
    dataset = workspace.create("spans")
    line = {"input": {"messages": [user("The first question")]}, "span_id": "s", "id": "a"}
    other = {"input": {"messages": [user("Another question")]}, "span_id": "s", "id": "b"}
    dataset.add_records([line, other, other | {"span_id": None, "id": "c"}])
    # The third repeats the input of the second, which itself repeats the span of the first.
    assert flags(dataset) == {"a": [], "b": ["duplicate"], "c": ["duplicate"]}
    deletion = dataset.delete_records("a")
    assert flags(dataset) == {"b": [], "c": ["duplicate"]}
    dataset.undo_delete(deletion)
    assert flags(dataset) == {"a": [], "b": ["duplicate"], "c": ["duplicate"]}


def test_an_edit_changes_who_is_a_duplicate(workspace: rft.Workspace):
    dataset = workspace.create("edits")
    dataset.add_records([chat_line("The same question", id=f"r{n}") for n in range(3)])
    dataset.edit_record("r0", messages=[user("Another question")])
    assert flags(dataset) == {"r0": [], "r1": [], "r2": ["duplicate"]}
    dataset.edit_record("r2", messages=[user("Another question")])
    assert flags(dataset) == {"r0": [], "r1": [], "r2": ["duplicate"]}
    assert "r0" in dataset.record("r2").validation_errors[0].message
    dataset.edit_record("r0", messages=[user("The same question")])
    assert flags(dataset) == {"r0": [], "r1": ["duplicate"], "r2": []}
    dataset.edit_record("r0", messages=[user("short")])
    assert flags(dataset) == {"r0": ["user_message_too_short"], "r1": [], "r2": []}


def test_many_duplicates_are_elected_anew(workspace: rft.Workspace):
    rng = random.Random(7)
    lines = [
        chat_line(f"The question {rng.randint(0, 300)}", id=f"r{n}") | ({"x": 1} if n % 2 else {})
        for n in range(1_200)
    ]
    dataset = workspace.create("many")
    dataset.add_records(lines)

    def check() -> None:
        seen: set[str] = set()
        for record in dataset.iterate():
            prompt = record.input.messages[0].text
            assert errors(record) == (["duplicate"] if prompt in seen else []), record.id
            seen.add(prompt)

    check()
    gone = [
        dataset.delete_records(dataset.select(ids=rng.sample(ids(dataset), 250))) for _ in range(3)
    ]
    check()
    rng.shuffle(gone)
    for deletion in gone:
        assert dataset.undo_delete(deletion) == 250
        check()
    assert ids(dataset) == [f"r{n}" for n in range(1_200)]


def test_undo_has_its_limits(workspace: rft.Workspace):
    dataset = workspace.create("undo")
    dataset.add_records([chat_line(f"The question {n}", id=f"r{n}") for n in range(5)])
    deletion = dataset.delete_records(dataset.select(ids=["r1", "r2", "nobody"]))
    assert (deletion.count, deletion.dataset_id) == (2, dataset.id)
    with pytest.raises(NotFound):
        dataset.record("r1")
    with pytest.raises(NotFound):
        workspace.create("other").undo_delete(deletion)
    dataset.add_records([chat_line("A new question", id="r1")])
    with pytest.raises(InvalidArgument, match="r1"):
        dataset.undo_delete(deletion)
    dataset.delete_records("r1")
    assert dataset.undo_delete(deletion) == 2
    assert ids(dataset) == ["r0", "r1", "r2", "r3", "r4"]
    with pytest.raises(NotFound):
        dataset.undo_delete(deletion)
    gone = dataset.delete_records("r3")
    dataset.add_records([chat_line("All new questions")], mode="replace")
    with pytest.raises(InvalidArgument):
        dataset.undo_delete(gone)


def test_undo_brings_back_everything(workspace: rft.Workspace):
    dataset = workspace.create("whole")
    dataset.add_records(random_lines(40, seed=8))
    dataset.edit_record("r5", item={"edited": True})
    before = list(dataset.iterate())
    deletion = dataset.delete_records(dataset.select(rft.RecordFilter(search="order")))
    assert 0 < deletion.count < 40
    dataset.undo_delete(deletion)
    assert list(dataset.iterate()) == before
    assert len(dataset.history("r5")) == 1


def test_edits_are_judged_and_kept(workspace: rft.Workspace):
    dataset = workspace.create("edits")
    dataset.add_records([chat_line("Too short"[:5], "An answer", id="r", x=1, metadata={"m": 1})])
    first = dataset.record("r")
    assert errors(first) == ["user_message_too_short"]
    second = dataset.edit_record(first, messages=[user("Now it is long enough")])
    assert (second.version, second.is_valid, second.validation_errors) == (2, True, ())
    assert (second.item, second.metadata) == ({"x": 1}, {"m": 1})
    assert second.output == first.output
    assert second.updated_at > first.updated_at
    assert second.created_at == first.created_at
    third = dataset.edit_record(
        "r", messages=[user("")], item={"y": 2}, metadata={}, output=[], finish_reason="stop"
    )
    assert errors(third) == ["empty_user_message"]
    assert (third.item, third.metadata, third.output.messages) == ({"y": 2}, {}, ())
    assert third.output.finish_reason == "stop"
    fourth = dataset.edit_record(
        third,
        messages=first.input.messages,
        tools=[{"type": "function", "function": {"name": "f"}}],
    )
    assert fourth == dataset.record("r")
    assert fourth.tokens == second.tokens - 4 - 2
    kept = dataset.history("r")
    assert [version.version for version in kept] == [1, 2, 3]
    for version, record in zip(kept, (first, second, third), strict=True):
        assert version.input == record.input
        assert version.output == record.output
        assert (version.item, version.metadata) == (record.item, record.metadata)
    assert [event.kind for event in dataset.events].count("edit_record") == 3


def test_a_stale_edit_is_refused(workspace: rft.Workspace):
    dataset = workspace.create("stale")
    dataset.add_records([chat_line("The question", id="r")])
    mine, yours = dataset.record("r"), dataset.record("r")
    dataset.edit_record(yours, item={"by": "you"})
    with pytest.raises(StaleEdit, match="version 2"):
        dataset.edit_record(mine, item={"by": "me"})
    assert dataset.record("r").item == {"by": "you"}
    assert len(dataset.history("r")) == 1
    # By id it applies to what is there now.
    assert dataset.edit_record("r", item={"by": "me"}).version == 3
    # A topic is no part of the content: assigning one makes no edit stale.
    current = dataset.record("r")
    dataset.assign_topic("r", "t")
    assert dataset.edit_record(current, item={}).topic == "t"


@pytest.mark.parametrize(
    "change",
    [
        {"messages": [{"content": "no role"}]},
        {"messages": [{"role": 1}]},
        {"messages": ["text"]},
        {"output": [{"role": "user", "content": 1}]},
        {"tools": ["f"]},
        {"item": {"x": float("nan")}},
        {"item": {"x": float("inf")}},
        {"metadata": {"x": "\ud800"}},
        {"item": {"x": object}},
        {"messages": [user("a\x00 in a question")]},
        {"messages": [user("half \ud800 a character")]},
        {"finish_reason": "\x00"},
    ],
    ids=str,
)
def test_an_edit_takes_what_an_import_takes(workspace: rft.Workspace, change: dict[str, Any]):
    dataset = workspace.create("edits")
    dataset.add_records([chat_line("The question", id="r")])
    before = dataset.record("r")
    with pytest.raises(InvalidArgument):
        dataset.edit_record("r", **change)
    assert dataset.record("r") == before
    assert dataset.history("r") == ()


def test_what_does_not_exist_is_not_found(workspace: rft.Workspace):
    dataset = workspace.create("here")
    dataset.add_records([chat_line("The question", id="r")])
    other = workspace.create("there")
    for missing in (
        lambda: dataset.record("nobody"),
        lambda: other.record("r"),
        lambda: dataset.edit_record("nobody", item={}),
        lambda: other.edit_record(dataset.record("r"), item={}),
        lambda: dataset.history("nobody"),
        lambda: dataset.undo_delete("del_nothing"),
        lambda: workspace.dataset("ds_nothing"),
        lambda: workspace.delete("ds_nothing"),
        lambda: workspace.duplicate("ds_nothing"),
    ):
        with pytest.raises(NotFound):
            missing()
    assert dataset.delete_records("nobody").count == 0
    workspace.delete(dataset.id)
    for gone in (
        lambda: dataset.name,
        dataset.records,
        dataset.count,
        lambda: dataset.stats,
        lambda: dataset.health,
        lambda: dataset.events,
        lambda: list(dataset.iterate()),
        lambda: dataset.add_records([chat_line("The question")]),
        lambda: dataset.rename("x"),
        lambda: dataset.assign_topic("r", "t"),
        lambda: dataset.delete_records("r"),
    ):
        with pytest.raises(NotFound):
            gone()
    assert repr(dataset)


# -- datasets --------------------------------------------------------------------------------------


def test_a_copy_is_independent(workspace: rft.Workspace):
    dataset = workspace.create("original", objective="Be better")
    dataset.add_records(random_lines(300, seed=9))
    dataset.edit_record("r3", item={"edited": True})
    before = list(dataset.iterate())
    copy = workspace.duplicate(dataset.id)
    assert (copy.name, copy.objective) == ("original (copy)", "Be better")
    assert [content(r) for r in copy.iterate()] == [content(r) for r in before]
    assert [errors(r) for r in copy.iterate()] == [errors(r) for r in before]
    assert copy.health == dataset.health
    where = rft.RecordFilter(search="order")
    assert copy.count(where) == dataset.count(where) > 0
    copy.edit_record("r1", messages=[user("Only the copy has this question")])
    copy.delete_records(copy.select(ids=["r2", "r4"]))
    copy.assign_topic(copy.select(), "all")
    copy.add_records([chat_line("Another question of the copy")])
    assert list(dataset.iterate()) == before
    assert dataset.count(rft.RecordFilter(search="only the copy")) == 0
    workspace.delete(dataset.id)
    workspace.empty_trash()
    assert copy.count() == 299
    assert len(prompts(copy)) == 299
    assert copy.record("r3").item == {"edited": True}
    assert workspace.duplicate(copy.id, name="third").name == "third"


def test_datasets_are_listed(workspace: rft.Workspace):
    one, two, three = (workspace.create(name) for name in ("Beta", "alpha", "Über beta"))
    two.add_records([chat_line(f"The question {n}") for n in range(3)])
    three.add_records([chat_line("The question")])

    def names(**options: Any) -> list[str]:
        return [dataset.name for dataset in workspace.datasets(**options)]

    assert names() == ["Über beta", "alpha", "Beta"]
    one.rename("  Gamma beta ")
    assert names() == ["Gamma beta", "Über beta", "alpha"]
    assert names(sort="name") == ["alpha", "Gamma beta", "Über beta"]
    assert names(sort="records") == ["alpha", "Über beta", "Gamma beta"]
    assert names(search=" BETA ") == ["Gamma beta", "Über beta"]
    assert names(search="über") == ["Über beta"]
    assert names(search="%") == names(search="delta") == []
    with pytest.raises(InvalidArgument):
        workspace.datasets(sort="size")  # type: ignore[arg-type]
    for name in ("", "   "):
        with pytest.raises(InvalidArgument):
            workspace.create(name)
        with pytest.raises(InvalidArgument):
            one.rename(name)
    one.update(objective=" Answer faster ")
    assert (one.name, one.objective) == ("Gamma beta", "Answer faster")
    assert workspace.dataset(one.id).objective == "Answer faster"
    assert [event.kind for event in one.events] == ["create", "update", "update"]


def test_the_trash_is_emptied(workspace: rft.Workspace):
    dataset = workspace.create("trash")
    dataset.add_records([chat_line(f"The question {n}", id=f"r{n}") for n in range(10)])
    deletion = dataset.delete_records(dataset.select(ids=["r1", "r2", "r3"]))
    dataset.delete_records("r4")
    assert workspace.empty_trash() == 4
    assert workspace.empty_trash() == 0
    with pytest.raises(NotFound):
        dataset.undo_delete(deletion)
    assert dataset.count() == 6
    dataset.add_records([chat_line("All new questions")], mode="replace")
    assert workspace.empty_trash() == 6
    assert prompts(dataset) == ["All new questions"]
    assert dataset.count(rft.RecordFilter(search="question")) == 1


def test_revision_counts_every_change(workspace: rft.Workspace):
    dataset = workspace.create("revision")
    seen = [dataset.info.revision]
    changes = [
        lambda: dataset.add_records([chat_line(f"The question {n}", id=f"r{n}") for n in range(3)]),
        lambda: dataset.edit_record("r0", item={"x": 1}),
        lambda: dataset.assign_topic("r0", "t"),
        lambda: deletions.append(dataset.delete_records("r1")),
        lambda: dataset.undo_delete(deletions[0]),
        lambda: dataset.add_records([chat_line("All new questions")], mode="replace"),
        lambda: dataset.rename("another name"),
    ]
    deletions: list[Any] = []
    for change in changes:
        change()
        seen.append(dataset.info.revision)
    assert seen == sorted(set(seen))
    dataset.records()
    assert dataset.info.revision == seen[-1]


# -- sets of records, streams and summaries --------------------------------------------------------


def test_an_empty_list_of_ids_selects_nothing(workspace: rft.Workspace):
    dataset = workspace.create("nothing")
    dataset.add_records([chat_line(f"The question {n}", id=f"r{n}") for n in range(5)])
    for selection in (dataset.select(ids=[]), dataset.select(rft.RecordFilter(valid=True), ids=[])):
        assert ids(dataset, selection) == []
        assert dataset.assign_topic(selection, "topic") == 0
        assert dataset.delete_records(selection).count == 0
    assert dataset.count(rft.RecordFilter(uncategorized=True)) == 5


def test_fifty_thousand_ids(workspace: rft.Workspace):
    dataset = workspace.create("many")
    dataset.add_records([chat_line(f"The question {n}", id=f"r{n}") for n in range(60)])
    strangers = [f"stranger-{n}-é'\"{{}}\\" for n in range(50_000)]
    some = [f"r{n}" for n in range(10, 30)]
    rest = [f"r{n}" for n in (*range(10), *range(30, 60))]
    assert ids(dataset, dataset.select(ids=strangers + some)) == some
    but = dataset.select(rft.RecordFilter(), except_ids=strangers + some)
    assert ids(dataset, but) == rest
    assert dataset.assign_topic(dataset.select(ids=strangers + some), "many") == 20
    assert dataset.delete_records(but).count == 40
    assert ids(dataset) == some


def test_cursors_fit_one_order_only(filled: Filled):
    sorts = [sign + key for key in SORTS for sign in ("", "-")]
    cursors = {sort: filled.dataset.records(sort=sort, limit=3).next for sort in sorts}
    for made, used in itertools.permutations(sorts, 2):
        with pytest.raises(InvalidArgument, match="after"):
            filled.dataset.records(sort=used, after=cursors[made])


def test_a_stale_edit_says_what_differs(workspace: rft.Workspace):
    dataset = workspace.create("stale")
    dataset.add_records([chat_line("The question", "Old", id="r", x=1)])
    mine = dataset.record("r")
    dataset.edit_record("r", output=[assistant("Theirs")])
    with pytest.raises(StaleEdit) as info:
        dataset.edit_record(mine, item={"x": 2})
    text = str(info.value)
    assert "Record r was changed by somebody else" in text
    assert "version 2" in text
    assert "version 1" in text
    assert "they differ in output, item" in text
    assert "Read the record again" in text
    assert (dataset.record("r").output.messages[0].text, dataset.record("r").item) == (
        "Theirs",
        {"x": 1},
    )


def test_random_deletions_keep_the_rule_of_duplicates(workspace: rft.Workspace):
    """The first of those with one span id or one input is valid, after every change."""
    rng = random.Random(3)
    dataset = workspace.create("twins")
    lines = [
        {
            "input": {"messages": [user(f"One of a few questions: {rng.randint(0, 12)}")]},
            "span_id": rng.choice((None, f"s{rng.randint(0, 12)}")),
            "id": f"r{n:02}",
        }
        for n in range(60)
    ]
    dataset.add_records(lines)

    def expected(there: list[dict[str, Any]]) -> dict[str, list[str]]:
        seen: set[Any] = set()
        found = {}
        for line in there:
            keys = {line["input"]["messages"][0]["content"], line["span_id"]} - {None}
            found[line["id"]] = ["duplicate"] if keys & seen else []
            seen |= keys
        return found

    gone: dict[str, list[dict[str, Any]]] = {}
    there = list(lines)
    for _ in range(25):
        if gone and rng.random() < 0.45:
            key = rng.choice(list(gone))
            dataset.undo_delete(key)
            there = sorted([*there, *gone.pop(key)], key=lambda line: line["id"])
        else:
            some = rng.sample(there, min(len(there), rng.randint(1, 12)))
            chosen = dataset.select(ids=[line["id"] for line in some])
            gone[dataset.delete_records(chosen).id] = some
            there = [line for line in there if line not in some]
        assert flags(dataset) == expected(there)


def test_iterating_while_records_come_and_go(workspace: rft.Workspace):
    dataset = workspace.create("stream")
    dataset.add_records([chat_line(f"The question {n}", id=f"r{n}") for n in range(3_500)])
    seen = []
    for record in dataset.iterate():
        seen.append(record.id)
        if len(seen) == 1_200:
            gone = [f"r{n}" for n in (*range(50), *range(3_000, 3_100))]
            assert dataset.delete_records(dataset.select(ids=gone)).count == 150
            dataset.add_records([chat_line("A question that came late", id="late")])
    assert seen == [f"r{n}" for n in range(3_500) if not 3_000 <= n < 3_100] + ["late"]


def test_a_stream_that_is_left_early_blocks_nobody(workspace: rft.Workspace):
    dataset = workspace.create("stream")
    dataset.add_records([chat_line(f"The question {n}") for n in range(40)])
    stream = dataset.iterate()
    next(stream)
    assert dataset.delete_records(dataset.select()).count == 40
    assert workspace.empty_trash() == 40


def test_a_table_has_a_row_for_each_record(filled: Filled):
    frame = filled.dataset.to_pandas()
    records = filled.records
    assert frame["id"].tolist() == [r.id for r in records]
    assert frame["is_valid"].tolist() == [r.is_valid for r in records]
    assert frame["validation_errors"].tolist() == [", ".join(errors(r)) for r in records]
    assert frame["dry_run_score"].astype(object).where(frame["dry_run_score"].notna(), None).tolist(
    ) == [r.dry_run_score for r in records]  # fmt: skip
    assert frame["prompt"].tolist() == [
        next((m.text for m in reversed(r.input.messages) if m.role == "user"), "") for r in records
    ]
    assert [json.loads(text)[0]["content"] for text in frame["messages"]] == [
        r.input.messages[0].content for r in records
    ]
    some = filled.dataset.to_pandas(filled.dataset.select(rft.RecordFilter(valid=False)))
    assert some["id"].tolist() == [r.id for r in records if not r.is_valid]
    empty = filled.dataset.to_pandas(rft.Selection())
    assert len(empty) == 0
    assert empty.columns.tolist() == frame.columns.tolist()
    for name in ("is_valid", "is_generated", "dry_run_score", "tokens", "turns", "updated_at"):
        assert empty[name].dtype == frame[name].dtype, name


def test_stats_and_health_agree_with_a_count_by_hand(filled: Filled):
    records = filled.records
    codes = Counter(code for r in records for code in errors(r))
    valid = sum(not errors(r) for r in records)
    stats, health = filled.dataset.stats, filled.dataset.health
    assert (stats.total_records, stats.valid_records) == (len(records), valid)
    assert stats.invalid_records == len(records) - valid > 0
    assert stats.generated_records == sum(r.is_generated for r in records)
    assert stats.topics_count == len({r.topic for r in records} - {None})
    assert (health.total, health.valid, health.invalid) == (
        len(records),
        valid,
        len(records) - valid,
    )
    assert health.errors_by_code == dict(codes)
    assert health.duplicates == codes["duplicate"]
    for code, number in codes.items():
        assert filled.dataset.count(rft.RecordFilter(code=code)) == number


@pytest.mark.parametrize(
    ("broken", "total", "status"),
    [(0, 0, "empty"), (0, 5, "healthy"), (1, 5, "attention"), (2, 9, "warning"), (5, 5, "warning")],
)
def test_the_health_bar(sqlite_workspace: rft.Workspace, broken: int, total: int, status: str):
    dataset = sqlite_workspace.create("health")
    dataset.add_records(
        [chat_line(f"Hm {n}" if n < broken else f"The question {n}") for n in range(total)]
    )
    health = dataset.health
    assert (health.status, health.total, health.invalid) == (status, total, broken)
    assert bool(health.recommendations) == (broken > 0)
