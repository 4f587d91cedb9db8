"""Any piece of a filtered and sorted table: the rows of `records`, wherever one looks."""

from __future__ import annotations

import random
import threading
from typing import Any, get_args

import pytest
from builders import all_pages, assistant, draft, user
from hypothesis import given, settings
from hypothesis import strategies as st

import rft_widgets as rft
from rft_widgets.errors import InvalidArgument, RunInterrupted
from rft_widgets.model.record import RecordFilter, SortKey
from rft_widgets.model.settings import STORE
from rft_widgets.store import views
from rft_widgets.store.last_used import LastUsed

WORDS = ["refund", "order", "Parcel", "e-mail", "C++", "tent"]
TOPICS = [None, "a", "a/b", "b"]
SORTS = get_args(SortKey)


def lines(count: int, seed: int = 1) -> list[dict[str, Any]]:
    rng = random.Random(seed)
    found: list[dict[str, Any]] = []
    for number in range(count):
        turns = rng.choice([1, 1, 3, 5])
        messages = [
            (assistant if turn % 2 else user)(" ".join(rng.choices(WORDS, k=rng.randint(1, 5))))
            for turn in range(turns)
        ]
        topic = rng.choice(TOPICS)
        line: dict[str, Any] = {
            "input": {"messages": messages},
            "id": f"r{number}",
            "is_generated": rng.random() < 0.3,
            "topic": topic,
        }
        if topic is not None:
            line["topic_confidence"] = rng.choice([0.3, 0.69, 0.7, 1.0])
        if rng.random() < 0.7:
            line["dry_run_score"] = rng.choice([0, 0.25, 0.5, 0.5, 1])
        found.append(line)
    return found


FILTERS = st.builds(
    RecordFilter,
    search=st.sampled_from(["", "", "refund", "order tent", "e-mail", '"C++"', "nothing"]),
    topic=st.sampled_from([None, None, "a", "b", "zz"]),
    valid=st.sampled_from([None, None, True, False]),
    source=st.sampled_from(["all", "all", "traces", "generated"]),
    min_score=st.sampled_from([None, None, 0.25]),
    max_score=st.sampled_from([None, None, 0.5]),
    low_confidence=st.booleans(),
    code=st.sampled_from([None, None, "duplicate", "user_message_too_short"]),
)


@pytest.fixture(scope="module")
def many(tmp_path_factory) -> rft.OptimizationDataset:
    with rft.Workspace(tmp_path_factory.mktemp("views") / "store.db") as workspace:
        ds = workspace.create("Many")
        ds.add_records(lines(400))
        yield ds


def ids(ds: rft.OptimizationDataset, where: RecordFilter, sort: SortKey, step: int) -> list[str]:
    """Every row of a view, some at a time, from the last piece to the first."""
    first = ds.record_rows(where, sort=sort, count=step)
    pieces = [
        ds.record_rows(where, sort=sort, start=start, count=step, revision=first.revision)
        for start in range(0, max(first.total, 1), step)
    ]
    return [str(name) for piece in pieces for name in piece.ids]


@settings(max_examples=120)
@given(where=FILTERS, sort=st.sampled_from(SORTS), step=st.integers(1, 150))
def test_pieces_together_are_the_records_in_their_order(many, where, sort, step):
    wanted = [record.id for record in all_pages(many, where, sort=sort, limit=97)]
    assert ids(many, where, sort, step) == wanted


@pytest.mark.parametrize("sort", SORTS)
def test_every_order_on_every_database(workspace, sort):
    ds = workspace.create("Some")
    ds.add_records(lines(60, seed=3))
    for where in (RecordFilter(), RecordFilter(search="refund"), RecordFilter(valid=True)):
        wanted = [record.id for record in all_pages(ds, where, sort=sort)]
        assert ids(ds, where, sort, 17) == wanted


def test_a_row_says_what_a_cell_shows(workspace):
    ds = workspace.create("One")
    talk = [user("short"), *[assistant("x"), user("A question at the end")] * 2]
    ds.add_records([
        draft("A long question " * 40, "An answer", id="long", topic="a", topic_confidence=0.5,
              dry_run_score=0.25, is_generated=True),
        {"messages": talk, "id": "many"},
        draft("no", id="bad"),
    ])  # fmt: skip
    rows = ds.record_rows(chosen=RecordFilter(valid=False))
    assert rows.ids == ("long", "many", "bad")
    assert rows.tags[0] == ("USR", "AST")
    assert len(rows.texts[0][0]) == 120
    assert rows.texts[0][0].endswith("…")
    assert rows.more == (0, 2, 0)
    assert (rows.topics[0], rows.confidences[0], rows.scores[0]) == ("a", 0.5, 0.25)
    assert rows.generated == (True, False, False)
    assert rows.valid == (True, True, False)
    assert rows.faults == (None, None, "The user's last message is too short")
    assert rows.chosen == (False, False, True)
    assert rows.updated[0] == ds.record("long").updated_at
    assert (rows.total, rows.total_is_exact, rows.everything) == (3, True, 3)
    none = ds.record_rows(RecordFilter(search="nowhere"))
    assert (none.ids, none.total, none.everything) == ((), 0, 3)


def test_what_is_deleted_meanwhile_leaves_a_gap(workspace):
    ds = workspace.create("Gaps")
    ds.add_records(lines(50))
    before = ds.record_rows(count=10)
    ds.delete_records(ds.select(ids=["r2", "r30"]))
    again = ds.record_rows(count=10, revision=before.revision)
    assert again.revision == before.revision
    assert again.ids == ("r0", "r1", None, *(f"r{n}" for n in range(3, 10)))
    assert again.total == 50
    assert again.texts[2] == ()
    later = ds.record_rows(start=25, count=10, revision=before.revision)
    assert later.ids[5] is None
    fresh = ds.record_rows(count=10)
    assert fresh.revision > before.revision
    assert fresh.total == 48
    assert fresh.ids[2] == "r3"


def test_a_view_that_is_not_kept_any_more_is_told_by_its_revision(workspace):
    ds = workspace.create("Old")
    ds.add_records(lines(20))
    before = ds.record_rows()
    ds.assign_topic("r0", "a")
    ds._store.views.clear()
    assert ds.record_rows(revision=before.revision).revision == ds.info.revision


def test_a_record_is_found_at_its_place(workspace):
    ds = workspace.create("Find")
    ds.add_records(lines(40))
    rows = ds.record_rows(sort="-position", count=5, find="r3")
    assert rows.found == 36
    assert ds.record_rows(start=36, sort="-position", count=1).ids == ("r3",)
    assert ds.record_rows(find="nobody").found is None
    assert ds.record_rows(find="\ud800").found is None
    invalid = next(r.id for r in all_pages(ds) if not r.is_valid)
    assert ds.record_rows(RecordFilter(valid=True), find=invalid).found is None


def test_only_some_views_are_kept(many):
    store = many._store
    store.views.clear()
    for number in range(3 * STORE.kept_views):
        many.record_rows(RecordFilter(min_score=number / 100))
    assert len(store.views._values) == STORE.kept_views
    kept = many.record_rows(RecordFilter(min_score=0.01))
    assert kept.total == many.count(RecordFilter(min_score=0.01))


def test_the_same_view_is_made_once(many, monkeypatch):
    made = []
    listed = views._listed
    monkeypatch.setattr(views, "_listed", lambda *a: made.append(1) or listed(*a))
    many._store.views.clear()
    for start in range(0, 400, 50):
        many.record_rows(sort="-score", start=start, count=50)
    assert len(made) == 1


def test_a_search_lists_its_first_matches(many, monkeypatch):
    monkeypatch.setattr(views, "count_matches", lambda *_: (25, False))
    for sort in ("position", "-position", "-score"):
        many._store.views.clear()
        rows = many.record_rows(RecordFilter(search="order"), sort=sort)
        assert (rows.total, rows.total_is_exact) == (25, False)
        wanted = many.records(RecordFilter(search="order"), sort=sort, limit=25).records
        assert rows.ids == tuple(record.id for record in wanted)
    many._store.views.clear()


def test_a_superseded_search_is_given_up(many, monkeypatch):
    monkeypatch.setattr(views, "_CHECK_EVERY", 1)
    many._store.views.clear()
    with pytest.raises(RunInterrupted):
        many.record_rows(RecordFilter(search="e-mail"), cancelled=lambda: True)
    assert many.record_rows(RecordFilter(search="e-mail"), cancelled=lambda: False).total > 0


@pytest.mark.parametrize(("start", "count"), [(0, 0), (0, 1_001), (-1, 5)])
def test_pieces_have_bounds(many, start, count):
    with pytest.raises(InvalidArgument, match="rows"):
        many.record_rows(start=start, count=count)
    with pytest.raises(InvalidArgument, match="order"):
        many.record_rows(sort="name")
    assert many.record_rows(start=5_000).ids == ()


def test_readers_beside_a_writer_see_whole_views(sqlite_workspace):
    ds = sqlite_workspace.create("Busy")
    ds.add_records(lines(200))
    ds._store.views = LastUsed(2)  # so that views come and go all the time
    stop, faults = threading.Event(), []

    def read(seed: int) -> None:
        rng = random.Random(seed)
        while not stop.is_set():
            where = RecordFilter(topic=rng.choice(TOPICS))
            sort = rng.choice(SORTS)
            try:
                rows = ds.record_rows(where, sort=sort, count=1_000)
                again = ds.record_rows(where, sort=sort, count=1_000, revision=rows.revision)
                same = again.revision != rows.revision or len(again.ids) == len(rows.ids)
                assert same
                assert len({name for name in rows.ids if name}) == sum(map(bool, rows.ids))
                assert len(rows.ids) == rows.total
            except Exception as fault:
                faults.append(fault)
                return

    threads = [threading.Thread(target=read, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for number in range(20):
        ds.add_records([draft(f"Another question {number}", id=f"new{number}")])
        ds.assign_topic(f"r{number}", "a/b")
        ds.delete_records(f"r{number + 50}")
    stop.set()
    for thread in threads:
        thread.join()
    assert not faults, faults


def test_a_selection_may_hold_more_than_its_filter(workspace):
    ds = workspace.create("Also")
    ds.add_records(lines(40))
    where = RecordFilter(topic="a")
    inside = [record.id for record in all_pages(ds, where)]
    outside = [record.id for record in all_pages(ds) if record.topic != "a"][:3]
    chosen = ds.select(where, except_ids=[inside[0]], also_ids=[*outside, inside[1], "nobody"])
    found = [record.id for record in ds.iterate(chosen)]
    assert sorted(found) == sorted([*inside[1:], *outside])
    size = ds.selection_size(chosen)
    assert size.records == len(found)
    assert size.tokens == sum(record.tokens for record in ds.iterate(chosen))
    only = ds.select(ids=[], also_ids=outside)
    assert [record.id for record in ds.iterate(only)] == outside
    assert ds.selection_size(ds.select(ids=[])).records == 0
    assert ds.delete_records(chosen).count == len(found)
    assert ds.selection_size(chosen).records == 0
