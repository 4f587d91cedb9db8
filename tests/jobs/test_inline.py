"""Long work in a thread: seen while it runs, stopped when asked, its end kept."""

from __future__ import annotations

import threading
import time

import pytest

from rft_widgets.errors import InvalidArgument, RunInterrupted
from rft_widgets.jobs import inline


@pytest.fixture
def gate():
    made = threading.Event()
    yield made
    made.set()


def ended(dataset_id: str, kind: str):
    for _ in range(1_000):
        (state,) = [one for one in inline.states(dataset_id) if one.kind == kind]
        if state.status != "running":
            return state
        time.sleep(0.005)
    raise AssertionError("it never ended")


def test_progress_is_seen_and_the_end_is_kept(gate):
    told = threading.Event()

    def work(progress, cancelled):
        progress(0.25, "counting")
        told.set()
        gate.wait(5)
        return "Counted 4."

    before = inline.version("ds-progress")
    started = inline.start("ds-progress", "count", "Count", work)
    assert started.status == "running"
    assert told.wait(5)
    (state,) = inline.states("ds-progress")
    assert (state.share, state.doing) == (0.25, "counting")
    assert inline.version("ds-progress") != before
    gate.set()
    state = ended("ds-progress", "count")
    assert (state.status, state.outcome, state.id) == ("succeeded", "Counted 4.", started.id)


def test_one_of_a_kind_at_a_time(gate):
    inline.start("ds-one", "count", "Count", lambda *_: str(gate.wait(5)))
    with pytest.raises(InvalidArgument, match="Count is already running"):
        inline.start("ds-one", "count", "Count", lambda *_: "")
    inline.start("ds-one", "other", "Other", lambda *_: "")
    inline.start("ds-another", "count", "Count", lambda *_: "")
    gate.set()
    ended("ds-one", "count")
    inline.start("ds-one", "count", "Count", lambda *_: "again")
    assert ended("ds-one", "count").outcome == "again"


def test_it_stops_when_asked():
    def work(progress, cancelled):
        while not cancelled():
            time.sleep(0.005)
        progress(0.9, "too late to be shown")
        raise RunInterrupted("Stopped after 3 of 10.")

    started = inline.start("ds-stop", "count", "Count", work)
    assert not inline.cancel("ds-stop", "another")
    assert not inline.cancel("ds-other", started.id)
    assert inline.cancel("ds-stop", started.id)
    state = ended("ds-stop", "count")
    assert (state.status, state.outcome) == ("cancelled", "Stopped after 3 of 10.")
    assert state.problem is None
    assert not inline.cancel("ds-stop", started.id)


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (InvalidArgument("There is nothing to count.", hint="Import."), "invalid_argument", "noth"),
        (RunInterrupted("It was cut off."), "run_interrupted", "cut off"),  # nobody asked for it
        (KeyError("/home/somebody/secret"), "internal", "should not have"),
    ],
)
def test_what_failed_is_said_and_nothing_more(error, code, words):
    def work(progress, cancelled):
        raise error

    inline.start(f"ds-fail-{code}", "count", "Count", work)
    state = ended(f"ds-fail-{code}", "count")
    assert state.status == "failed"
    assert state.problem.code == code
    assert words in state.problem.message
    assert "secret" not in str(state)
