"""Rows of results, and taking times so that what is compared is measured side by side."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, TypeVar

from msgspec import Struct

T = TypeVar("T")


class Row(Struct, frozen=True, kw_only=True):
    """One measured number beside its floor. ``ratio`` is value / floor; ``None`` means no floor."""

    name: str
    records: int
    value: float
    unit: str
    floor: float | None = None
    floor_name: str | None = None
    ratio: float | None = None
    target: str | None = None
    reached: bool | None = None


def row(
    name: str,
    records: int,
    value: float,
    unit: str,
    *,
    floor: float | None = None,
    floor_name: str | None = None,
    at_most: float | None = None,
    ratio_at_most: float | None = None,
    ratio_at_least: float | None = None,
) -> Row:
    """Make a row; of several targets all must hold for it to be reached."""
    ratio = None if floor is None else value / max(floor, 1e-12)
    targets: list[tuple[str, bool]] = []
    if at_most is not None:
        targets.append((f"<= {at_most:g} {unit}", value <= at_most))
    if ratio_at_most is not None and ratio is not None:
        targets.append((f"<= {ratio_at_most:g}x", ratio <= ratio_at_most))
    if ratio_at_least is not None and ratio is not None:
        targets.append((f">= {ratio_at_least:g}x", ratio >= ratio_at_least))
    return Row(
        name=name,
        records=records,
        value=value,
        unit=unit,
        floor=floor,
        floor_name=floor_name,
        ratio=ratio,
        target=", ".join(text for text, _ in targets) or None,
        reached=all(held for _, held in targets) if targets else None,
    )


class Times(NamedTuple):
    """Durations of many calls, in milliseconds, sorted; and the CPU time of the same, if taken."""

    sorted_ms: tuple[float, ...]
    cpu_sorted_ms: tuple[float, ...] = ()

    @classmethod
    def of_seconds(cls, wall: Iterable[float], cpu: Iterable[float] = ()) -> Times:
        """Sort durations that were taken in seconds."""
        return cls(
            tuple(sorted(value * 1e3 for value in wall)),
            tuple(sorted(value * 1e3 for value in cpu)),
        )

    @property
    def cpu(self) -> Times:
        """The CPU times, which other processes on the machine hardly change."""
        return Times(self.cpu_sorted_ms)

    @property
    def p50(self) -> float:
        """Median."""
        return self.at(0.5)

    @property
    def p95(self) -> float:
        """Duration that 95 % of the calls do not exceed."""
        return self.at(0.95)

    def at(self, share: float) -> float:
        """Quantile, between its two neighbours in proportion."""
        values = self.sorted_ms
        place = share * (len(values) - 1)
        below = int(place)
        above = min(below + 1, len(values) - 1)
        return values[below] + (values[above] - values[below]) * (place - below)


def paired(
    ours: Callable[[T], object],
    floor: Callable[[T], object],
    arguments: Sequence[T],
    *,
    repetitions: int = 1,
    before: Callable[[], object] | None = None,
    budget_s: float = 10.0,
) -> tuple[Times, Times]:
    """Time two functions on the same arguments in turn, each first every other time.

    Parameters
    ----------
    ours, floor
        What to compare.
    arguments
        One call of both for each.
    repetitions
        How often all arguments are gone through.
    before
        Called before each call of `ours`, outside the measured time.
    budget_s
        No further pair is begun after that many seconds; at least five are.
    """
    taken: tuple[list[tuple[float, float]], list[tuple[float, float]]] = ([], [])
    end = time.perf_counter() + budget_s
    for number, argument in enumerate(_repeated(arguments, repetitions)):
        if number >= 5 and time.perf_counter() > end:
            break
        for turn in (0, 1) if number % 2 else (1, 0):
            if turn == 0 and before is not None:
                before()
            taken[turn].append(seconds((ours, floor)[turn], argument))
    return _times(taken[0]), _times(taken[1])


def each(
    function: Callable[[T], object],
    arguments: Sequence[T],
    *,
    repetitions: int = 1,
    before: Callable[[], object] | None = None,
    budget_s: float = 10.0,
) -> Times:
    """Time one function on every argument; see `paired`."""
    taken: list[tuple[float, float]] = []
    end = time.perf_counter() + budget_s
    for number, argument in enumerate(_repeated(arguments, repetitions)):
        if number >= 3 and time.perf_counter() > end:
            break
        if before is not None:
            before()
        taken.append(seconds(function, argument))
    return _times(taken)


def seconds(function: Callable[[T], object], argument: T) -> tuple[float, float]:
    """Wall time and CPU time of one call."""
    start, cpu_start = time.perf_counter(), time.thread_time()
    function(argument)
    cpu = time.thread_time() - cpu_start
    return time.perf_counter() - start, cpu


def _times(taken: Sequence[tuple[float, float]]) -> Times:
    return Times.of_seconds((wall for wall, _ in taken), (cpu for _, cpu in taken))


def _repeated(arguments: Sequence[T], repetitions: int) -> Iterable[T]:
    for _ in range(repetitions):
        yield from arguments
