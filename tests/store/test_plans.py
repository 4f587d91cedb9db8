"""How SQLite runs the queries of pages and counts: by index, and bodies of the page's rows only."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa
from builders import chat_line

import rft_widgets as rft

Statement = tuple[str, Any]
TOTAL = 3_000


@pytest.fixture
def dataset(sqlite_workspace: rft.Workspace) -> rft.OptimizationDataset:
    filled = sqlite_workspace.create("filled")
    lines = [
        {
            "input": chat_line(f"Question {n} of the tent" if n % 7 else "short"),
            "id": f"r{n}",
            "topic": f"t{n % 9}" if n % 4 else None,
            "topic_confidence": 0.5,
            "is_generated": n % 50 == 0,
            "dry_run_score": n / TOTAL if n % 3 else None,
        }
        for n in range(TOTAL)
    ]
    filled.add_records(lines)
    other = sqlite_workspace.create("other")
    other.add_records(lines[:100])
    filled.records(search="tent")
    return filled


@contextmanager
def captured(dataset: rft.OptimizationDataset) -> Iterator[list[Statement]]:
    """Statements that are sent to the database meanwhile."""
    engine = dataset._store.engine
    statements: list[Statement] = []

    def before(*arguments: Any) -> None:
        statements.append((arguments[2], arguments[3]))

    sa.event.listen(engine, "before_cursor_execute", before)
    try:
        yield statements
    finally:
        sa.event.remove(engine, "before_cursor_execute", before)


def plan(dataset: rft.OptimizationDataset, statement: Statement) -> list[str]:
    text, parameters = statement
    with dataset._store.read() as connection:
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", parameters).all()
    return [row[3] for row in rows]


def queries(statements: list[Statement]) -> list[Statement]:
    return [s for s in statements if s[0].startswith("SELECT") and "records" in s[0]]


FILTERS: dict[str, dict[str, Any]] = {
    "all": {},
    "topic": {"topic": "t3"},
    "uncategorized": {"uncategorized": True},
    "categorized": {"uncategorized": False},
    "valid": {"valid": True},
    "invalid": {"valid": False},
    "generated": {"source": "generated"},
    "traces": {"source": "traces"},
    "score": {"min_score": 0.2, "max_score": 0.4},
    "low confidence": {"low_confidence": True},
    "code": {"code": "duplicate"},
    "word": {"search": "tent"},
    "rare": {"search": "2999"},
    "verified": {"search": '"of the"'},
    "several": {"search": "tent", "valid": True, "topic": "t1"},
}
SORTS = ("position", "messages", "topic", "valid", "score", "updated")


@pytest.mark.parametrize("name", FILTERS)
def test_no_query_reads_all_records(dataset: rft.OptimizationDataset, name: str):
    for sort in [sign + key for key in SORTS for sign in ("", "-")]:
        with captured(dataset) as statements:
            page = dataset.records(sort=sort, limit=10, **FILTERS[name])
            dataset.records(sort=sort, limit=10, after=page.next, **FILTERS[name])
        pages = queries(statements)
        assert pages
        for statement in pages:
            steps = plan(dataset, statement)
            full = [step for step in steps if re.match(r"SCAN (records|payloads|issues)\b", step)]
            assert full == [], (sort, statement[0], steps)


@pytest.mark.parametrize("name", FILTERS)
def test_bodies_are_read_for_the_rows_of_the_page(dataset: rft.OptimizationDataset, name: str):
    for sort in [sign + key for key in SORTS for sign in ("", "-")]:
        with captured(dataset) as statements:
            dataset.records(sort=sort, limit=10, **FILTERS[name])
        bodies = [
            s
            for s in queries(statements)
            if re.match(r"SELECT records\.seq, .*payloads\.data", s[0])
        ]
        assert bodies
        for text, parameters in bodies:
            outside = re.sub(r"\([^()]*(\([^()]*(\([^()]*\)[^()]*)*\)[^()]*)*\)", "()", text)
            assert "JOIN payloads" in outside
            assert "LIMIT" not in outside, "the limit belongs to the subquery on records"
            assert "LIMIT" in text
            steps = plan(dataset, (text, parameters))
            joined = [step for step in steps if step.startswith("SEARCH payloads")]
            assert "SEARCH payloads USING INTEGER PRIMARY KEY (rowid=?)" in joined


def inner_sorts(dataset: rft.OptimizationDataset, statements: list[Statement]) -> list[str]:
    """Sorting steps inside the subquery that chooses the rows."""
    found = []
    for text, parameters in queries(statements):
        inner = re.search(
            r"IN \((SELECT records\.seq .*LIMIT \?(?: OFFSET \?)?)\)", text, re.DOTALL
        )
        if inner is None:
            continue
        count = inner.group(1).count("?")
        before = text[: inner.start(1)].count("?")
        steps = plan(dataset, (inner.group(1), tuple(parameters)[before : before + count]))
        found += [step for step in steps if "TEMP B-TREE" in step]
    return found


@pytest.mark.parametrize(
    "sort", ["position", "-position", "updated", "-updated", "score", "-score"]
)
def test_the_usual_orders_are_those_of_an_index(dataset: rft.OptimizationDataset, sort: Any):
    with captured(dataset) as statements:
        page = dataset.records(sort=sort, limit=10)
        dataset.records(sort=sort, limit=10, after=page.next)
    assert inner_sorts(dataset, statements) == []


COUNTED: dict[str, tuple[dict[str, Any], str]] = {
    "topic": ({"topic": "t3"}, "COVERING INDEX records_facets"),
    "topic and valid": ({"topic": "t3", "valid": True}, "COVERING INDEX records_facets"),
    "uncategorized": ({"uncategorized": True}, "COVERING INDEX records_facets"),
    "valid": ({"valid": True}, "COVERING INDEX"),
    "invalid": ({"valid": False}, "COVERING INDEX"),
    "all": ({}, "COVERING INDEX"),
    "score": ({"min_score": 0.2}, "COVERING INDEX records_score"),
}


@pytest.mark.parametrize("name", COUNTED)
def test_counts_read_an_index_and_no_rows(dataset: rft.OptimizationDataset, name: str):
    where, index = COUNTED[name]
    with captured(dataset) as statements:
        dataset.count(rft.RecordFilter(**where))
    counts = [s for s in statements if "count(" in s[0]]
    assert counts
    for statement in counts:
        steps = [step for step in plan(dataset, statement) if "records" in step]
        assert all(index in step for step in steps), steps


def by_id(dataset: rft.OptimizationDataset) -> None:
    dataset.record("r5")


def statistics(dataset: rft.OptimizationDataset) -> None:
    assert dataset.stats.total_records == dataset.health.total == TOTAL


def selection(dataset: rft.OptimizationDataset) -> None:
    list(dataset.iterate(dataset.select(ids=["r1", "r2"])))


def everything(dataset: rft.OptimizationDataset) -> None:
    next(dataset.iterate())


@pytest.mark.parametrize("read", [by_id, statistics, selection, everything])
def test_other_reads_use_an_index(
    dataset: rft.OptimizationDataset, read: Callable[[rft.OptimizationDataset], None]
):
    with captured(dataset) as statements:
        read(dataset)
    for statement in queries(statements):
        full = [
            step
            for step in plan(dataset, statement)
            if re.match(r"SCAN (records|payloads|issues)\b(?!.*COVERING)", step)
        ]
        assert full == [], statement[0]


def test_examples_of_a_topic_are_found_by_index(dataset: rft.OptimizationDataset) -> None:
    with captured(dataset) as statements:
        planned = dataset.plan_generation()
    looked = [one for one in queries(statements) if "records.is_generated = ?" in one[0]]
    assert len(looked) == 9 + len(planned.topics)  # what they are like; what requests would show
    for statement in looked:
        assert plan(dataset, statement) == [
            "SEARCH records USING COVERING INDEX records_facets "
            "(set_id=? AND topic=? AND is_valid=? AND is_generated=?)"
        ]
