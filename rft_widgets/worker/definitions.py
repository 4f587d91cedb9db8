"""Every kind of job there is, and the way from a job in the store to its work."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from rft_widgets.dataset import OptimizationDataset
from rft_widgets.errors import InvalidArgument
from rft_widgets.jobs.running import Work
from rft_widgets.model.job import JobState
from rft_widgets.steps.progress import Told
from rft_widgets.store.connection import Store
from rft_widgets.store.job_queue import ClaimedJob
from rft_widgets.worker import generation, grading, prepare, records, topics, training, trust
from rft_widgets.worker.definition import Attempt, Definition

_MODULES = (prepare, records, topics, generation, grading, training, trust)
"""Each lists its kinds in ``DEFINITIONS``."""


def _by_kind(modules: Iterable[Any]) -> Mapping[str, Definition[Any]]:
    return {one.kind: one for module in modules for one in module.DEFINITIONS}


DEFINITIONS: Mapping[str, Definition[Any]] = _by_kind(_MODULES)

QUICK: frozenset[str] = frozenset(one.kind for one in DEFINITIONS.values() if one.is_quick)


def definition(kind: str) -> Definition[Any]:
    """A kind of job by its name."""
    found = DEFINITIONS.get(kind)
    if found is None:
        raise InvalidArgument(
            f"There is no kind of job {kind!r}.", hint=f"Use one of {', '.join(DEFINITIONS)}."
        )
    return found


def excluded_by(kind: str) -> frozenset[str]:
    """Kinds of which none may be at work on a dataset when one of this kind begins."""
    lane = definition(kind).lane or kind
    return frozenset(one.kind for one in DEFINITIONS.values() if (one.lane or one.kind) == lane)


def reopen(store: Store, state: JobState, params: Any) -> None:
    """Make ready what a job works on before it is begun again."""
    known = definition(state.kind)
    if known.reopen is not None and state.dataset_id is not None and not state.is_at_work:
        known.reopen(OptimizationDataset(store, state.dataset_id), known.read(params))


def work_of(store: Store, job: ClaimedJob) -> Work:
    """The work of a job that was claimed."""

    def work(progress: Told, cancelled: Callable[[], bool]) -> tuple[str, str | None]:
        known = definition(job.kind)
        if job.dataset_id is None:
            raise InvalidArgument(f"A job of kind {job.kind} needs a dataset.")
        attempt = Attempt(
            dataset=OptimizationDataset(store, job.dataset_id),
            params=known.read(msgspec.json.decode(job.params)),
            job_id=job.id,
            again=job.again,
            progress=progress,
            cancelled=cancelled,
        )
        words, result = known.work(attempt)
        return words, None if result is None else msgspec.json.encode(result).decode()

    return work


def decode_result(kind: str, text: str | None) -> Any:
    """What came of a job of a kind; ``None`` for what this version cannot read."""
    known = DEFINITIONS.get(kind)
    if text is None or known is None:
        return None
    try:
        return msgspec.json.decode(text, type=known.result)
    except msgspec.DecodeError:
        return None
