"""Records are found, ordered, changed, deleted and brought back as the filter and the rules say."""

from __future__ import annotations

import base64
import itertools
import json
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, get_args

import pytest

import rft_widgets as rft
from rft_widgets.errors import InvalidArgument, NotFound, StaleEdit
from rft_widgets.model.record import Deletion, SortKey
from tests.builders import (
    all_pages,
    assistant,
    call,
    draft,
    errors,
    message,
    prompts,
    tool,
    tool_message,
    user,
)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def workspace(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[rft.Workspace]:
    """One store of each kind for all tests here: each of them works in datasets of its own."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('records') / 'store.db'}"
    else:
        import psycopg

        server = request.getfixturevalue("postgres_server")
        with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
            connection.execute("CREATE DATABASE test_records")
        url = f"{server}/test_records"
    with rft.Workspace(url) as opened:
        yield opened


SORTS = get_args(SortKey)
TOPICS = (None, "billing/cards", "billing/refunds", "shipping", "zoo")
WORDS = ("invoice", "refund", "parcel", "warranty", "Zürich", "order_id", "42")
SHORT = "Too short"


# -- a model of the store in plain Python ---------------------------------------------------------


@dataclass
class Row:
    """What a record should be, worked out without the store."""

    draft: rft.RecordDraft
    position: int
    codes: list[str] = field(default_factory=list)
    updated: datetime | None = None

    @property
    def id(self) -> str:
        assert self.draft.id is not None
        return self.draft.id

    @property
    def text(self) -> str:
        messages = (*self.draft.input.messages, *self.draft.output.messages)
        return "\n".join(m.text for m in messages).lower()

    def value(self, key: str) -> Any:
        draft = self.draft
        return {
            "position": self.position,
            "messages": len(draft.input.messages) + len(draft.output.messages),
            "topic": draft.topic,
            "valid": not self.codes,
            "score": draft.dry_run_score,
            "updated": self.updated,
        }[key]


def model_of(drafts: list[rft.RecordDraft]) -> list[Row]:
    rows: list[Row] = []
    spans: set[str] = set()
    inputs: set[Any] = set()
    for position, one in enumerate(drafts):
        row = Row(one, position)
        last = one.input.messages[-1].text.strip()
        if not last:
            row.codes.append("empty_user_message")
        elif len(last) < 10:
            row.codes.append("user_message_too_short")
        shape = tuple((m.role, m.content) for m in one.input.messages)
        if one.span_id in spans or shape in inputs:
            row.codes.append("duplicate")
        if one.span_id is not None:
            spans.add(one.span_id)
        inputs.add(shape)
        rows.append(row)
    return rows


def matches(row: Row, where: rft.RecordFilter) -> bool:
    draft, score, confidence = row.draft, row.draft.dry_run_score, row.draft.topic_confidence
    return all(
        (
            all(word in row.text for word in where.search.lower().split()),
            where.topic is None or draft.topic == where.topic,
            where.uncategorized is None or (draft.topic is None) == where.uncategorized,
            where.valid is None or (not row.codes) == where.valid,
            where.source == "all" or draft.is_generated == (where.source == "generated"),
            where.min_score is None or (score is not None and score >= where.min_score),
            where.max_score is None or (score is not None and score <= where.max_score),
            not where.low_confidence or (confidence is not None and confidence < 0.7),
            where.code is None or where.code in row.codes,
        )
    )


def in_order(rows: list[Row], sort: str) -> list[str]:
    key, down = sort.removeprefix("-"), sort.startswith("-")
    having = [row for row in rows if row.value(key) is not None]
    having.sort(key=lambda row: (row.value(key), row.position), reverse=down)
    return [row.id for row in (*having, *(row for row in rows if row.value(key) is None))]


def random_drafts(chance: random.Random, count: int) -> list[rft.RecordDraft]:
    """Drafts with ties, missing values, invalid ones and repetitions of every kind."""
    drafts: list[rft.RecordDraft] = []
    for number in range(count):
        topic = chance.choice(TOPICS)
        prompt = f"Question {number} on {' '.join(chance.sample(WORDS, 2))}"
        kind = chance.random()
        if kind < 0.08:
            prompt = SHORT[: chance.randint(1, 9)]
        elif kind < 0.1:
            prompt = "  "
        elif kind < 0.2 and drafts:
            prompt = chance.choice(drafts).input.messages[-1].text
        drafts.append(
            draft(
                prompt,
                chance.choice(("", f"Answer about {chance.choice(WORDS)}")),
                system=chance.choice(("", "You are kind")),
                id=f"r{number:03}",
                span_id=chance.choice((None, None, f"span{chance.randint(0, 3 * count)}")),
                topic=topic,
                topic_confidence=topic and chance.choice((0.2, 0.69, 0.7, 0.95, None)),
                topic_method=topic and chance.choice(("keyword", "manual", "import")),
                is_generated=chance.random() < 0.3,
                dry_run_score=chance.choice((None, 0.0, 0.25, 0.5, 1 / 3, 1.0)),
            )
        )
    return drafts


def fill(workspace: rft.Workspace, count: int = 160, seed: int = 7) -> tuple[Any, list[Row]]:
    """Make a dataset in several steps, so that some records share their time and some do not."""
    drafts = random_drafts(random.Random(seed), count)
    dataset = workspace.create("Random")
    for start in range(0, count, 40):
        dataset.add_records(drafts[start : start + 40])
    rows = model_of(drafts)
    for row, record in zip(rows, dataset.iterate(), strict=True):
        assert record.id == row.id
        row.updated = record.updated_at
    assert len({row.updated for row in rows}) == -(-count // 40)
    return dataset, rows


def one_field_filters() -> Iterator[rft.RecordFilter]:
    for search in ("refund", "REFUND parcel", "zürich", "order_id", "kind", "nowhere"):
        yield rft.RecordFilter(search=search)
    for topic in (*TOPICS[1:], "no/such"):
        yield rft.RecordFilter(topic=topic)
    for flag in (True, False):
        yield rft.RecordFilter(uncategorized=flag)
        yield rft.RecordFilter(valid=flag)
        yield rft.RecordFilter(low_confidence=flag)
    for source in ("all", "traces", "generated"):
        yield rft.RecordFilter(source=source)
    for bound in (0.0, 0.25, 1 / 3, 0.4, 1.0):
        yield rft.RecordFilter(min_score=bound)
        yield rft.RecordFilter(max_score=bound)
    for code in ("duplicate", "user_message_too_short", "empty_user_message", "no_user_message"):
        yield rft.RecordFilter(code=code)


def random_filter(chance: random.Random) -> rft.RecordFilter:
    single = [where for where in one_field_filters() if where != rft.RecordFilter()]
    fields: dict[str, Any] = {}
    for where in chance.sample(single, chance.randint(2, 4)):
        for name in where.__struct_fields__:
            if (value := getattr(where, name)) != getattr(rft.RecordFilter(), name):
                fields[name] = value
    return rft.RecordFilter(**fields)


# -- filters, orders, pages -----------------------------------------------------------------------


def test_every_filter_finds_what_a_scan_finds(workspace: rft.Workspace):
    dataset, rows = fill(workspace)
    found_any = Counter[str]()
    for where in (rft.RecordFilter(), *one_field_filters()):
        expected = [row.id for row in rows if matches(row, where)]
        page = dataset.records(where, limit=1_000)
        assert [record.id for record in page.records] == expected, where
        assert (page.total, page.total_is_exact, page.next) == (len(expected), True, None), where
        assert dataset.count(where) == len(expected), where
        for name in where.__struct_fields__:
            found_any[name] += bool(expected) and len(expected) < len(rows)
    assert len(found_any) == 9, "a field of the filter is not tried"
    assert all(found_any.values()), f"some filter never narrows anything: {found_any}"


@pytest.mark.parametrize("seed", range(3))
def test_filters_combine_in_every_order(workspace: rft.Workspace, seed: int):
    dataset, rows = fill(workspace, seed=seed)
    chance = random.Random(seed)
    sizes = []
    for _ in range(60):
        where, sort, limit = random_filter(chance), chance.choice(SORTS), chance.choice((2, 9, 50))
        chosen = [row for row in rows if matches(row, where)]
        found = [record.id for record in all_pages(dataset, where, sort=sort, limit=limit)]
        assert found == in_order(chosen, sort), (where, sort, limit)
        assert dataset.count(where) == len(chosen), where
        assert {record.id for record in dataset.iterate(dataset.select(where))} == set(found)
        sizes.append(len(chosen))
    assert sum(size > 0 for size in sizes) > 20, "too few combinations find anything"


@pytest.mark.parametrize("sort", SORTS)
def test_pages_hold_each_record_once_in_order(workspace: rft.Workspace, sort: str):
    dataset, rows = fill(workspace, 90)
    for limit in (1, 7, 89, 90, 91):
        found = [record.id for record in all_pages(dataset, sort=sort, limit=limit)]
        assert found == in_order(rows, sort), limit


def test_a_page_by_keywords_is_a_page_of_the_filter(workspace: rft.Workspace):
    dataset, _ = fill(workspace, 60)
    where = rft.RecordFilter(valid=True, source="traces", min_score=0.2)
    by_keyword = dataset.records(valid=True, source="traces", min_score=0.2, sort="-score")
    assert by_keyword == dataset.records(where, sort="-score")
    with pytest.raises(InvalidArgument, match="not both"):
        dataset.records(where, valid=True)


def test_paging_goes_on_while_records_come_and_go(workspace: rft.Workspace):
    dataset = workspace.create("Moving")
    dataset.add_records([draft(f"A question number {n}", id=f"r{n:02}") for n in range(30)])
    first = dataset.records(limit=10)
    dataset.delete_records(dataset.select(ids=["r05", "r09", "r10", "r12"]))
    dataset.add_records([draft("A question that came later", id="new")])
    second = dataset.records(limit=10, after=first.next)
    assert [r.id for r in second.records] == ["r11", *(f"r{n}" for n in range(13, 22))]
    assert second.total == 27
    rest = dataset.records(limit=100, after=second.next)
    assert [r.id for r in rest.records] == [*(f"r{n}" for n in range(22, 30)), "new"]


@pytest.mark.parametrize("limit", [0, -1, 10_001])
def test_odd_limits_are_refused(sqlite_workspace: rft.Workspace, limit: int):
    dataset = sqlite_workspace.create("Empty")
    with pytest.raises(InvalidArgument, match=r"1 to 10,000"):
        dataset.records(limit=limit)


def test_limits_at_their_bounds(sqlite_workspace: rft.Workspace):
    dataset = sqlite_workspace.create("Empty")
    assert dataset.records(limit=1).records == dataset.records(limit=10_000).records == ()


def test_an_unknown_order_is_refused(sqlite_workspace: rft.Workspace):
    dataset = sqlite_workspace.create("Empty")
    for sort in ("", "-", "--score", "id", "score; DROP TABLE records"):
        with pytest.raises(InvalidArgument, match="no order"):
            dataset.records(sort=sort)


def test_a_cursor_of_another_order_is_refused(workspace: rft.Workspace):
    dataset, _ = fill(workspace, 40)
    cursors = {sort: dataset.records(sort=sort, limit=3).next for sort in SORTS}
    for made, used in itertools.permutations(SORTS, 2):
        with pytest.raises(InvalidArgument, match="'after'"):
            dataset.records(sort=used, after=cursors[made])


def cursor(*values: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    ("sort", "after"),
    [
        ("position", ""),
        ("position", "garbage"),
        ("position", "ÄÖÜ"),
        ("position", "a" * 4_001),
        ("position", base64.urlsafe_b64encode(b"\xff\xfe").decode()),
        ("position", cursor("position")),
        ("position", cursor("position", None)),
        ("position", cursor("position", 1, "2")),
        ("position", cursor("position", 1, None)),
        ("position", cursor("position", 1, 10**30)),
        ("messages", cursor("messages", None, 3)),
        ("messages", cursor("messages", "three", 3)),
        ("messages", cursor("messages", 10**30, 3)),
        ("updated", cursor("updated", "yesterday", 3)),
        ("topic", cursor("topic", 3, 3)),
        ("topic", cursor("topic", "a\0b", 3)),
        ("score", cursor("score", "high", 3)),
    ],
)
def test_a_garbage_cursor_is_refused(workspace: rft.Workspace, sort: str, after: str):
    dataset = workspace.create("One")
    dataset.add_records([draft("A question that is long enough", topic="shipping")])
    with pytest.raises(InvalidArgument, match="'after'"):
        dataset.records(sort=sort, after=after)


def test_one_record_by_id(workspace: rft.Workspace):
    dataset = workspace.create("One")
    given = draft(
        "A question that is long enough",
        "Answer",
        id="mine",
        span_id="s",
        thread_id="t",
        topic="shipping",
        topic_confidence=0.5,
        topic_method="keyword",
        is_generated=True,
        source_record_id="other",
        dry_run_score=0.25,
        item={"reference_answer": [1, {"a": None}]},
        metadata={"model": "m"},
    )
    before = datetime.now(UTC)
    dataset.add_records([given])
    record = dataset.record("mine")
    for name in given.__struct_fields__:
        assert getattr(record, name) == getattr(given, name), name
    assert (record.dataset_id, record.version, record.is_valid) == (dataset.id, 1, True)
    assert record.validation_errors == ()
    assert before <= record.created_at == record.updated_at <= datetime.now(UTC)
    with pytest.raises(NotFound, match="no record 'Mine'"):
        dataset.record("Mine")


# -- selections -----------------------------------------------------------------------------------


def test_selections(workspace: rft.Workspace):
    dataset, rows = fill(workspace, 80)
    everything = [row.id for row in rows]

    def chosen(*args: Any, **options: Any) -> list[str]:
        return [record.id for record in dataset.iterate(dataset.select(*args, **options))]

    assert [record.id for record in dataset.iterate()] == everything
    assert chosen() == everything
    assert chosen(except_ids=everything[1:]) == everything[:1]
    assert chosen(ids=["r009", "r003", "nobody", "r003"]) == ["r003", "r009"]
    assert chosen(ids=["r003", "r009"], except_ids=["r003"]) == ["r009"]
    valid = rft.RecordFilter(valid=True)
    passing = [row.id for row in rows if not row.codes]
    broken = [row.id for row in rows if row.codes]
    assert chosen(valid) == passing
    assert chosen(valid, except_ids=[passing[0], broken[0]]) == passing[1:]
    assert chosen(valid, ids=[passing[2], broken[0]]) == [passing[2]]
    assert list(dataset.iterate(rft.Selection())) == []


def test_selecting_no_ids_selects_nothing(workspace: rft.Workspace):
    dataset, _ = fill(workspace, 40)
    assert list(dataset.iterate(dataset.select(ids=[]))) == []
    assert list(dataset.iterate(dataset.select(rft.RecordFilter(valid=True), ids=[]))) == []
    assert dataset.delete_records(dataset.select(ids=[])).count == 0
    assert dataset.stats.total_records == 40


def test_a_selection_means_what_matches_when_it_is_used(workspace: rft.Workspace):
    dataset = workspace.create("Later")
    selection = dataset.select(rft.RecordFilter(topic="shipping"))
    dataset.add_records([draft(f"A question number {n}", id=f"r{n}") for n in range(4)])
    dataset.assign_topic(dataset.select(ids=["r1", "r2"]), "shipping")
    assert [record.id for record in dataset.iterate(selection)] == ["r1", "r2"]


def test_fifty_thousand_ids(workspace: rft.Workspace):
    dataset, rows = fill(workspace, 80)
    strangers = [f"stranger-{n}-é'\"{{}}\\" for n in range(50_000)]
    some = [row.id for row in rows[10:30]]
    assert [r.id for r in dataset.iterate(dataset.select(ids=strangers + some))] == some
    rest = [row.id for row in rows if row.id not in some]
    but = dataset.select(rft.RecordFilter(), except_ids=strangers + some)
    assert [r.id for r in dataset.iterate(but)] == rest
    assert dataset.assign_topic(dataset.select(ids=strangers + some), "many") == 20
    assert dataset.delete_records(but).count == len(rest)
    assert [r.id for r in dataset.iterate()] == some


# -- topics ---------------------------------------------------------------------------------------


def test_assign_topic(workspace: rft.Workspace):
    dataset, rows = fill(workspace, 60)
    before = {record.id: record for record in dataset.iterate()}
    chosen = {row.id for row in rows if row.draft.topic == "zoo"} - {"r000"}
    where = dataset.select(rft.RecordFilter(topic="zoo"), except_ids=["r000"])
    assert dataset.assign_topic(where, "  animals/zoo ") == len(chosen)
    for record in dataset.iterate():
        if record.id in chosen:
            assert (record.topic, record.topic_confidence, record.topic_method) == (
                "animals/zoo", 1.0, "manual",
            )  # fmt: skip
            assert record.updated_at > before[record.id].updated_at
            assert record.version == before[record.id].version, "a topic is no edit of the record"
        else:
            assert record == before[record.id]
    assert dataset.count(rft.RecordFilter(topic="animals/zoo", low_confidence=True)) == 0

    assert dataset.assign_topic("r004", "shipping") == 1
    assert dataset.record("r004").topic == "shipping"
    assert dataset.assign_topic(dataset.select(), None) == 60
    cleared = dataset.record("r004")
    assert (cleared.topic, cleared.topic_confidence, cleared.topic_method) == (None, None, None)
    assert dataset.count(rft.RecordFilter(uncategorized=True)) == 60
    assert dataset.stats.topics_count == 0
    assert dataset.assign_topic("nobody", "shipping") == 0


@pytest.mark.parametrize("topic", ["", "   ", "a\0b", "x" * 3_000], ids=repr)
def test_topics_that_no_record_can_have(workspace: rft.Workspace, topic: str):
    dataset = workspace.create("One")
    dataset.add_records([draft("A question that is long enough", id="mine")])
    with pytest.raises(InvalidArgument, match="topic"):
        dataset.assign_topic("mine", topic)
    assert dataset.record("mine").topic is None


# -- delete and undo ------------------------------------------------------------------------------


def snapshot(dataset: rft.OptimizationDataset) -> list[rft.Record]:
    return list(dataset.iterate())


def test_delete_and_undo_bring_everything_back(workspace: rft.Workspace):
    dataset, rows = fill(workspace)
    before, stats, health = snapshot(dataset), dataset.stats, dataset.health
    where = rft.RecordFilter(source="generated")
    gone = [row for row in rows if matches(row, where)]
    deletion = dataset.delete_records(dataset.select(where))
    assert isinstance(deletion, Deletion)
    assert (deletion.count, deletion.dataset_id) == (len(gone), dataset.id)
    left = model_of([row.draft for row in rows if not matches(row, where)])
    assert [(r.id, errors(r)) for r in dataset.iterate()] == [(row.id, row.codes) for row in left]
    with pytest.raises(NotFound):
        dataset.record(gone[0].id)
    assert dataset.undo_delete(deletion) == len(gone)
    assert snapshot(dataset) == before
    assert (dataset.stats, dataset.health) == (stats, health)


def test_deletions_are_undone_in_any_order(workspace: rft.Workspace):
    dataset, _ = fill(workspace, 60)
    before = snapshot(dataset)
    thirds = [dataset.select(ids=[record.id for record in before[n::4]]) for n in range(3)]
    deletions = [dataset.delete_records(selection) for selection in thirds]
    assert dataset.stats.total_records == 15
    for index in (1, 0, 2):
        dataset.undo_delete(deletions[index].id)
    assert snapshot(dataset) == before


def test_undo_works_once_and_only_in_its_dataset(workspace: rft.Workspace):
    dataset, _ = fill(workspace, 40)
    other = workspace.create("Other")
    deletion = dataset.delete_records("r003")
    with pytest.raises(NotFound, match="no deletion"):
        other.undo_delete(deletion)
    assert dataset.undo_delete(deletion) == 1
    for again in (deletion, "del_nothing"):
        with pytest.raises(NotFound, match="no deletion"):
            dataset.undo_delete(again)
    assert dataset.stats.total_records == 40


def test_deleting_nothing(workspace: rft.Workspace):
    dataset, _ = fill(workspace, 40)
    deletion = dataset.delete_records("nobody")
    assert deletion.count == 0
    assert dataset.undo_delete(deletion) == 0
    assert dataset.stats.total_records == 40


def test_undo_after_the_trash_was_emptied(workspace: rft.Workspace):
    dataset, _ = fill(workspace, 40)
    workspace.empty_trash()
    deletion = dataset.delete_records("r003")
    assert workspace.empty_trash() == 1
    with pytest.raises(NotFound, match="trash was emptied"):
        dataset.undo_delete(deletion)


def test_undo_after_everything_was_replaced(workspace: rft.Workspace):
    dataset, _ = fill(workspace, 40)
    deletion = dataset.delete_records("r003")
    dataset.add_records([draft("Something else entirely", id="new")], mode="replace")
    with pytest.raises(InvalidArgument, match="replaced since"):
        dataset.undo_delete(deletion)
    assert [record.id for record in dataset.iterate()] == ["new"]


def test_undo_when_the_id_was_given_again(workspace: rft.Workspace):
    dataset = workspace.create("Ids")
    dataset.add_records([draft("The first of two questions", id="a")])
    deletion = dataset.delete_records("a")
    dataset.add_records([draft("The second of two questions", id="a")])
    with pytest.raises(InvalidArgument, match=r"'a' .*used by another"):
        dataset.undo_delete(deletion)
    assert prompts(dataset) == ["The second of two questions"]
    dataset.delete_records("a")
    assert dataset.undo_delete(deletion) == 1
    assert prompts(dataset) == ["The first of two questions"]


SAME = "The same question again"
Pair = Callable[[str], rft.RecordDraft]
REPEATED = {
    "input": lambda name: draft(SAME, f"Answer {name}", id=name),
    "span": lambda name: draft(f"Question of record {name}", id=name, span_id="one"),
    "both": lambda name: draft(SAME, id=name, span_id="one"),
}


def standing(dataset: rft.OptimizationDataset) -> dict[str, list[str]]:
    return {record.id: errors(record) for record in dataset.iterate()}


@pytest.mark.parametrize("kind", REPEATED)
def test_the_next_duplicate_takes_the_place_of_a_deleted_first(workspace: rft.Workspace, kind: str):
    dataset = workspace.create("Twins")
    made: Pair = REPEATED[kind]
    dataset.add_records([made("a"), draft("Quite another question", id="x"), made("b"), made("c")])
    full = {"a": [], "x": [], "b": ["duplicate"], "c": ["duplicate"]}
    assert standing(dataset) == full
    first = dataset.delete_records("a")
    assert standing(dataset) == {"x": [], "b": [], "c": ["duplicate"]}
    assert dataset.count(rft.RecordFilter(valid=True)) == 2
    assert dataset.health.duplicates == 1
    second = dataset.delete_records("b")
    assert standing(dataset) == {"x": [], "c": []}
    dataset.undo_delete(first)
    assert standing(dataset) == {"a": [], "x": [], "c": ["duplicate"]}
    dataset.undo_delete(second)
    assert standing(dataset) == full
    assert dataset.health.duplicates == 2


@pytest.mark.parametrize("kind", REPEATED)
def test_a_later_duplicate_leaves_without_a_trace(workspace: rft.Workspace, kind: str):
    dataset = workspace.create("Twins")
    made: Pair = REPEATED[kind]
    dataset.add_records([made("a"), made("b")])
    deletion = dataset.delete_records("b")
    assert standing(dataset) == {"a": []}
    dataset.undo_delete(deletion)
    assert standing(dataset) == {"a": [], "b": ["duplicate"]}


def test_a_duplicate_with_another_fault_stays_invalid(workspace: rft.Workspace):
    dataset = workspace.create("Twins")
    dataset.add_records([draft(SHORT, id="a"), draft(SHORT, id="b")])
    assert standing(dataset)["b"] == ["user_message_too_short", "duplicate"]
    deletion = dataset.delete_records("a")
    assert standing(dataset) == {"b": ["user_message_too_short"]}
    dataset.undo_delete(deletion)
    assert standing(dataset)["b"] == ["user_message_too_short", "duplicate"]


def test_duplicates_over_batches_and_chains_of_span_and_input(workspace: rft.Workspace):
    dataset = workspace.create("Chain")
    # b repeats a's span, c repeats b's input: each names an earlier record, so both are repeats.
    dataset.add_records([draft("Question of the record a", id="a", span_id="one")])
    dataset.add_records([draft(SAME, id="b", span_id="one")])
    dataset.add_records([draft(SAME, id="c")])
    assert standing(dataset) == {"a": [], "b": ["duplicate"], "c": ["duplicate"]}
    deletion = dataset.delete_records("a")
    assert standing(dataset) == {"b": [], "c": ["duplicate"]}
    dataset.undo_delete(deletion)
    assert standing(dataset) == {"a": [], "b": ["duplicate"], "c": ["duplicate"]}


def test_random_deletions_keep_the_rule_of_duplicates(workspace: rft.Workspace):
    chance = random.Random(3)
    dataset = workspace.create("Random twins")
    drafts = [
        draft(
            f"One of a few questions: {chance.randint(0, 12)}",
            id=f"r{n:02}",
            span_id=chance.choice((None, f"s{chance.randint(0, 12)}")),
        )
        for n in range(60)
    ]
    dataset.add_records(drafts)
    gone: dict[str, list[rft.RecordDraft]] = {}
    there = list(drafts)
    for _ in range(25):
        if gone and chance.random() < 0.45:
            key = chance.choice(list(gone))
            dataset.undo_delete(key)
            there = sorted([*there, *gone.pop(key)], key=lambda one: one.id)
        else:
            some = chance.sample(there, min(len(there), chance.randint(1, 12)))
            key = dataset.delete_records(dataset.select(ids=[one.id for one in some])).id
            gone[key] = some
            there = [one for one in there if one not in some]
        assert standing(dataset) == {row.id: row.codes for row in model_of(there)}


# -- edits ----------------------------------------------------------------------------------------


def test_an_edit_is_checked_again(workspace: rft.Workspace):
    dataset = workspace.create("Edits")
    dataset.add_records([draft("A question that is long enough", id="a"), draft(SHORT, id="b")])
    assert dataset.health.valid == 1
    broken = dataset.edit_record("a", messages=[user("Hm")])
    assert (broken.is_valid, errors(broken)) == (False, ["user_message_too_short"])
    assert (dataset.health.valid, dataset.stats.valid_records) == (0, 0)
    assert dataset.health.errors_by_code == {"user_message_too_short": 2}
    nobody = dataset.edit_record("a", messages=[message("robot", "Beep"), tool_message("call_9")])
    assert errors(nobody) == ["invalid_role", "no_user_message", "orphan_tool_result"]
    mended = dataset.edit_record("a", messages=[user("A question that is long again")])
    assert (mended.is_valid, mended.validation_errors) == (True, ())
    assert (dataset.health.valid, mended.version) == (1, 4)
    assert mended.tokens == -(-len("A question that is long again") // 4)


def test_an_edit_changes_what_it_names_and_nothing_else(workspace: rft.Workspace):
    dataset = workspace.create("Edits")
    given = draft(
        "A question that is long enough", "Old", id="a", item={"x": 1}, metadata={"m": 1},
        span_id="s", topic="shipping", topic_confidence=0.4, topic_method="keyword",
        dry_run_score=0.5,
    )  # fmt: skip
    dataset.add_records([given])
    before = dataset.record("a")

    def changed(**values: Any) -> set[str]:
        old = dataset.record("a")
        new = dataset.edit_record(old, **values)
        assert new == dataset.record("a")
        assert new.updated_at > old.updated_at
        differ = {n for n in old.__struct_fields__ if getattr(old, n) != getattr(new, n)}
        assert {"version", "updated_at"} <= differ
        return differ - {"version", "updated_at"}

    assert changed(item={"y": [2]}) == {"item"}
    assert changed(metadata={}) == {"metadata"}
    assert changed(output=[assistant("A new answer")]) == {"output", "tokens"}
    assert changed(finish_reason="stop") == {"output"}
    assert changed(tools=[tool("lookup")]) == {"input"}
    assert changed() == set()
    calls = [
        user("Look this up for me"),
        assistant(None, tool_calls=[call()]),
        tool_message("call_1"),
    ]
    assert changed(messages=calls, output=[]) == {"input", "output", "tokens"}
    after = dataset.record("a")
    assert after.created_at == before.created_at
    assert after.input.tools[0].function.name == "lookup"
    assert (after.output.messages, after.output.finish_reason) == ((), "stop")
    assert [r.id for r in dataset.records(sort="-messages").records] == ["a"]


@pytest.mark.parametrize(
    "values",
    [
        {"messages": [{"content": "no role"}]},
        {"messages": [user(5)]},
        {"messages": ["text"]},
        {"output": [assistant("x", tool_calls="no")]},
        {"tools": [{"type": "function", "function": "no"}]},
        {"messages": [user("A question with a \0 in it")]},
        {"messages": [user("A question with half a pair \ud800")]},
        {"item": {"x": float("nan")}},
        {"item": {"x": "\0"}},
        {"metadata": {"x": "\udfff"}},
        {"item": {"x": object()}},
    ],
    ids=repr,
)
def test_an_edit_that_no_record_can_hold_is_refused(
    workspace: rft.Workspace, values: dict[str, Any]
):
    dataset = workspace.create("Edits")
    dataset.add_records([draft("A question that is long enough", id="a")])
    before = dataset.record("a")
    with pytest.raises(InvalidArgument):
        dataset.edit_record("a", **values)
    assert dataset.record("a") == before
    assert dataset.history("a") == ()


def test_an_edit_makes_a_duplicate_and_ends_it(workspace: rft.Workspace):
    dataset = workspace.create("Edits")
    questions = {name: f"The question of record {name}" for name in "abc"}
    dataset.add_records([draft(text, id=name) for name, text in questions.items()])
    edited = dataset.edit_record("c", messages=[user(questions["a"])])
    assert errors(edited) == ["duplicate"]
    assert edited.validation_errors[0].message == "Repeats record a."
    assert standing(dataset) == {"a": [], "b": [], "c": ["duplicate"]}
    # An earlier record becomes the first of three; the one that was first is now a repeat.
    dataset.edit_record("b", messages=[user(questions["a"])])
    assert standing(dataset) == {"a": [], "b": ["duplicate"], "c": ["duplicate"]}
    dataset.edit_record("a", messages=[user("Something else from now on")])
    assert standing(dataset) == {"a": [], "b": [], "c": ["duplicate"]}
    dataset.edit_record("a", messages=[user(questions["a"])])
    assert standing(dataset) == {"a": [], "b": ["duplicate"], "c": ["duplicate"]}
    dataset.edit_record("c", messages=[user(questions["c"])])
    dataset.edit_record("b", output=[assistant("An answer does not make it another prompt")])
    assert standing(dataset) == {"a": [], "b": ["duplicate"], "c": []}


def test_an_edit_does_not_hide_that_a_span_is_repeated(workspace: rft.Workspace):
    dataset = workspace.create("Edits")
    dataset.add_records([REPEATED["span"]("a"), REPEATED["span"]("b")])
    edited = dataset.edit_record("b", messages=[user("Another prompt of the same span")])
    assert errors(edited) == ["duplicate"]
    assert errors(dataset.edit_record("a", messages=[user("And one more prompt")])) == []


def test_a_stale_edit_is_refused_and_says_what_differs(workspace: rft.Workspace):
    dataset = workspace.create("Edits")
    dataset.add_records([draft("A question that is long enough", "Old", id="a", item={"x": 1})])
    mine = dataset.record("a")
    dataset.edit_record("a", output=[assistant("Theirs")])
    with pytest.raises(StaleEdit) as caught:
        dataset.edit_record(mine, item={"x": 2})
    text = str(caught.value)
    assert "Record a was changed by somebody else" in text
    assert "version 2" in text
    assert "version 1" in text
    assert "they differ in output, item" in text
    assert "input" not in text
    assert "Read the record again" in text
    now = dataset.record("a")
    assert (now.output.messages[0].text, now.item, now.version) == ("Theirs", {"x": 1}, 2)
    assert [version.version for version in dataset.history("a")] == [1]

    again = dataset.edit_record(now, item={"x": 2})
    assert (again.output.messages[0].text, again.item, again.version) == ("Theirs", {"x": 2}, 3)
    assert dataset.edit_record("a", item={"x": 3}).version == 4, "an id means what is there now"


def test_history_keeps_what_a_record_held(workspace: rft.Workspace):
    dataset = workspace.create("Edits")
    dataset.add_records([draft("The question number 0", "Answer 0", id="a", item={"n": 0})])
    start = dataset.record("a")
    assert dataset.history("a") == ()
    for n in (1, 2, 3):
        dataset.edit_record(
            "a",
            messages=[user(f"The question number {n}")],
            output=[assistant(f"Answer {n}")],
            item={"n": n},
        )
    kept = dataset.history("a")
    assert [v.version for v in kept] == [1, 2, 3]
    assert [v.input.messages[0].text for v in kept] == [
        f"The question number {n}" for n in range(3)
    ]
    assert [v.output.messages[0].text for v in kept] == [f"Answer {n}" for n in range(3)]
    assert [v.item for v in kept] == [{"n": n} for n in range(3)]
    times = [v.replaced_at for v in kept]
    assert start.created_at < times[0] < times[1] < times[2] <= dataset.record("a").updated_at
    dataset.undo_delete(dataset.delete_records("a"))
    assert dataset.history("a") == kept
    dataset.delete_records("a")
    with pytest.raises(NotFound):
        dataset.history("a")


# -- streams and summaries ------------------------------------------------------------------------


def test_iterating_while_records_are_deleted_and_added(workspace: rft.Workspace):
    dataset = workspace.create("Stream")
    count = 3_500
    dataset.add_records(draft(f"A question number {n}", id=f"r{n:04}") for n in range(count))
    seen = []
    for record in dataset.iterate():
        seen.append(record.id)
        if len(seen) == 1_200:
            gone = [f"r{n:04}" for n in (*range(50), *range(3_000, 3_100))]
            assert dataset.delete_records(dataset.select(ids=gone)).count == 150
            dataset.add_records([draft("A question that came late", id="late")])
    assert len(seen) == len(set(seen))
    assert seen == [f"r{n:04}" for n in range(count) if not 3_000 <= n < 3_100] + ["late"]


def test_a_stream_that_is_left_early_blocks_nobody(workspace: rft.Workspace):
    dataset, _ = fill(workspace, 40)
    workspace.empty_trash()
    stream = dataset.iterate()
    next(stream)
    assert dataset.delete_records(dataset.select()).count == 40
    assert workspace.empty_trash() == 40
    assert dataset.stats.total_records == 0


def test_to_pandas(workspace: rft.Workspace):
    dataset, rows = fill(workspace, 60)
    frame = dataset.to_pandas()
    assert frame["id"].tolist() == [row.id for row in rows]
    assert frame["is_valid"].tolist() == [not row.codes for row in rows]
    assert frame["validation_errors"].tolist() == [", ".join(row.codes) for row in rows]
    scores = [row.draft.dry_run_score for row in rows]
    assert [None if s != s else s for s in frame["dry_run_score"].astype(float)] == scores  # noqa: PLR0124 - not a number
    assert frame["prompt"].tolist() == [row.draft.input.messages[-1].text for row in rows]
    assert [len(json.loads(text)) for text in frame["messages"]] == [
        len(row.draft.input.messages) for row in rows
    ]
    where = rft.RecordFilter(valid=False)
    some = dataset.to_pandas(dataset.select(where))
    assert some["id"].tolist() == [row.id for row in rows if matches(row, where)]
    assert str(some["updated_at"].dt.tz) == "UTC"
    empty = dataset.to_pandas(rft.Selection())
    assert len(empty) == 0
    assert empty.columns.tolist() == frame.columns.tolist()
    for name in ("is_valid", "is_generated", "dry_run_score", "tokens", "turns", "updated_at"):
        assert empty[name].dtype == frame[name].dtype, name


def test_stats_and_health_agree_with_a_count_by_hand(workspace: rft.Workspace):
    dataset, rows = fill(workspace)
    codes = Counter(code for row in rows for code in row.codes)
    valid = sum(not row.codes for row in rows)
    stats, health = dataset.stats, dataset.health
    assert (stats.total_records, stats.valid_records) == (len(rows), valid)
    assert stats.invalid_records == len(rows) - valid
    assert stats.generated_records == sum(row.draft.is_generated for row in rows)
    assert stats.topics_count == len(TOPICS) - 1
    assert health.errors_by_code == dict(codes)
    assert (health.total, health.valid, health.invalid) == (len(rows), valid, len(rows) - valid)
    assert health.duplicates == codes["duplicate"]
    for code, count in codes.items():
        assert dataset.count(rft.RecordFilter(code=code)) == count
    assert [r.id for r in dataset.iterate() if not r.is_valid] == [r.id for r in rows if r.codes]


@pytest.mark.parametrize(
    ("broken", "total", "status"),
    [(0, 0, "empty"), (0, 5, "healthy"), (1, 5, "attention"), (2, 9, "warning"), (5, 5, "warning")],
)
def test_the_health_bar(sqlite_workspace: rft.Workspace, broken: int, total: int, status: str):
    dataset = sqlite_workspace.create("Health")
    dataset.add_records(
        [draft(f"Hm {n}" if n < broken else f"A question number {n}") for n in range(total)]
    )
    health = dataset.health
    assert (health.status, health.total, health.invalid) == (status, total, broken)
    assert bool(health.recommendations) == (broken > 0)
