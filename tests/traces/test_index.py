"""The index of traces: the same answers as the source itself, while it is filled and afterwards."""

from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import rft_widgets as rft
from rft_widgets.errors import NotFound
from rft_widgets.model.creation import TraceFilter
from rft_widgets.sample.support import write_sample
from rft_widgets.traces import index as module
from rft_widgets.traces.index import TraceIndex


def call(text: str, answer: str | None = "Yes.", model: str = "m") -> dict:
    messages = [{"role": "user", "content": text}]
    if answer is not None:
        messages.append({"role": "assistant", "content": answer})
    return {"messages": messages, "model": model}


@pytest.fixture
def index(tmp_path: Path):
    made = TraceIndex(tmp_path / "index")
    yield made
    made.close()
    assert not (tmp_path / "index").exists()


def test_it_answers_as_the_source_does(index: TraceIndex, tmp_path: Path) -> None:
    traces = rft.open_traces(write_sample(tmp_path / "s.jsonl", n=60).path)
    assert index.fill(traces)
    every = list(traces)
    assert stat.S_IMODE((tmp_path / "index").stat().st_mode) == 0o600
    middle = sorted(trace.started_at for trace in every)[len(every) // 2]
    cases = (
        ({}, {}),
        ({"since": middle}, {"since": middle}),
        ({"until": middle, "min_turns": 2}, {"until": middle, "min_turns": 2}),
        ({"since": middle.replace(tzinfo=None)}, {"since": middle}),
        ({"model": index.models()[0]}, {"model": index.models()[0]}),
        ({"has_response": False}, {"has_response": False}),
        ({"search": "ÖRDER'; --%_"}, {"search": "ÖRDER'; --%_"}),
        ({"search": "Order"}, {"search": "oRDER"}),
        ({"since": datetime.now(UTC) + timedelta(days=1)}, {"since": "24h"}),
    )
    for where, same in cases:
        numbers = index.matching(TraceFilter(**where))
        kept = traces.filter(**same)
        assert set(index.ids(numbers).values()) == {trace.id for trace in kept}
    for row in index.rows(index.matching(TraceFilter())[:50]):
        trace = every[row.number]
        assert (row.id, row.started_at, row.turns, row.has_response, row.tools) == (
            trace.id, trace.started_at, trace.turns, trace.has_response, len(trace.tools),
        )  # fmt: skip
        assert row.preview


def test_it_can_be_asked_while_it_is_filled_and_stopped(
    index: TraceIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_BATCH", 10)
    traces = rft.open_traces([call(f"A question {n}") for n in range(100)])
    seen: list[tuple[int, int]] = []

    def told(total: int) -> None:
        seen.append((total, len(index.matching(TraceFilter()))))

    assert not index.fill(traces, progress=told, cancelled=lambda: len(seen) == 3)
    assert seen == [(10, 10), (20, 20), (30, 30)]


def test_strange_texts_neither_break_it_nor_what_is_searched(index: TraceIndex) -> None:
    texts = ["\ud800 lone", "nul \0 inside", "STRASSE straße", "%_'\"", "\u202egnp", "😀" * 300]
    assert index.fill(rft.open_traces([call(text) for text in texts]))
    assert index.total == len(texts)
    for wanted, found in (("strasse", 2), ("%_'", 3), ("lone", 0), ("inside", 1), ("😀😀", 5)):
        assert list(index.matching(TraceFilter(search=wanted))) == [found]
    assert len(index.rows([5])[0].preview) == module.PREVIEW_CHARS


def test_of_a_very_large_source_only_beginnings_are_searched(
    index: TraceIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SEARCHED_BYTES", 3)
    monkeypatch.setattr(module, "SEARCHED_CHARS", 50)
    index.fill(rft.open_traces([call("short"), call("x" * 100 + " needle")]))
    assert not index.is_searched_whole
    assert list(index.matching(TraceFilter(search="needle"))) == []
    assert list(index.matching(TraceFilter(search="xxx"))) == [1]


def test_one_that_was_closed_says_so(tmp_path: Path) -> None:
    index = TraceIndex(tmp_path / "closed")
    index.fill(rft.open_traces([call("A question")]))
    index.close()
    with pytest.raises(NotFound, match="closed"):
        index.rows([0])
    with pytest.raises(NotFound, match="closed"):
        index.fill(rft.open_traces([call("A question")]))
    index.close()
