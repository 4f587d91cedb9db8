"""What finding topics and putting records under them share: columns of numbers, and progress."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from typing import Any

from rft_widgets.errors import RunInterrupted
from rft_widgets.model.settings import TOPICS
from rft_widgets.model.topic import Categorization, confidence_band
from rft_widgets.steps.progress import Progress
from rft_widgets.steps.topics.reading import Rows
from rft_widgets.store import activity
from rft_widgets.store.placements import METHODS, Placements

TOPICS_STEP = 2


def teller(
    what: str, show: activity.Tell, progress: Progress | None, cancelled: Callable[[], bool]
) -> Progress:
    """Progress that also shows in the pipeline, and stops what was cancelled."""

    def tell(share: float, words: str) -> None:
        if cancelled():
            raise RunInterrupted(
                f"The {what} was cancelled; nothing was changed.", hint="Start it again."
            )
        show(share, words)
        if progress is not None:
            progress(share, words)

    return tell


def columns_of(
    paths: Sequence[str], rows: Rows | Sequence[int], found: Iterable[Categorization]
) -> Placements:
    """Topics of records as columns; ``paths`` names the topics by number."""
    numbers: dict[str | None, int] = {None: -1}
    numbers |= {path: place_ for place_, path in enumerate(paths)}
    methods = {name: number for number, name in enumerate(METHODS)}
    columns = Placements(paths=paths, seqs=array("q", map(int, rows)))
    for one in found:
        columns.topics.append(numbers[one.topic])
        columns.seconds.append(numbers[one.runner_up])
        columns.methods.append(methods[one.method])
        columns.confidences.append(one.confidence)
    return columns


def without(found: Placements, places: Container[int]) -> Placements:
    """The columns without some records."""
    kept = [i for i in range(len(found.seqs)) if i not in places]
    return Placements(
        paths=found.paths,
        seqs=array("q", (found.seqs[i] for i in kept)),
        topics=array("i", (found.topics[i] for i in kept)),
        seconds=array("i", (found.seconds[i] for i in kept)),
        methods=array("b", (found.methods[i] for i in kept)),
        confidences=array("d", (found.confidences[i] for i in kept)),
    )


def counted(found: Placements) -> Mapping[str, Any]:
    """What came out, as the event and the summary have it."""
    methods: Counter[str] = Counter()
    bands: Counter[str] = Counter()
    low = 0
    for number, method, sure in zip(found.topics, found.methods, found.confidences, strict=True):
        if number >= 0:
            methods[METHODS[method]] += 1
            bands[confidence_band(sure)] += 1
            low += sure < TOPICS.low_confidence
    categorized = methods.total()
    return {
        "categorized": categorized,
        "low_confidence": low,
        "other": len(found.topics) - categorized,
        "by_method": dict(methods),
        "by_band": dict(bands),
    }
