"""Jobs that ask a model for new records; a person decides which of them become some."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta, Struct

from rft_widgets.dataset.generation_batch import GenerationBatch
from rft_widgets.model.connection import ConnectionName
from rft_widgets.model.generation import BatchState, GenerationConfig
from rft_widgets.worker.definition import Attempt, Definition

LANE = "generation"
"""Two at once would not know of each other's candidates."""

Dollars = Annotated[float, Meta(gt=0, le=1_000_000)]
BatchId = Annotated[str, Meta(min_length=1, max_length=100)]
CandidateId = Annotated[int, Meta(ge=0)]


class Generate(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to generate, the model to ask, and the most that it may cost."""

    config: GenerationConfig = GenerationConfig()
    model: ConnectionName
    max_cost_usd: Dollars | None = None


class Regenerate(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Candidates of a batch to ask for anew; without any, what the batch still lacks."""

    batch: BatchId
    candidates: Annotated[tuple[CandidateId, ...], Meta(max_length=10_000)] = ()
    model: ConnectionName | None = None
    max_cost_usd: Dollars | None = None


def _generate(at: Attempt[Generate]) -> tuple[str, BatchState]:
    if _is_done(at):
        return _told(at.dataset.generation_batch(at.id_for("gen")))
    batch = at.dataset.generate(
        at.params.config,
        model=at.params.model,
        max_cost_usd=at.params.max_cost_usd,
        progress=at.progress,
        cancelled=at.cancelled,
        batch_id=at.id_for("gen"),
    )
    return _told(batch)


def _regenerate(at: Attempt[Regenerate]) -> tuple[str, BatchState]:
    params = at.params
    batch = at.dataset.generation_batch(params.batch)
    given: dict[str, Any] = {
        "model": params.model,
        "max_cost_usd": params.max_cost_usd,
        "progress": at.progress,
        "cancelled": at.cancelled,
    }
    if _is_done(at):
        return _told(batch)
    # What an attempt before this one gave up is given up already.
    if params.candidates and batch.state.job_id != at.job_id:
        batch.regenerate(params.candidates, **given)
    else:
        batch.resume(**given)
    return _told(batch)


def _is_done(at: Attempt[Any]) -> bool:
    """Whether an attempt before this one has asked for everything."""
    done = at.done("generate")
    return done is not None and done["status"] == "done"


def _told(batch: GenerationBatch) -> tuple[str, BatchState]:
    state = batch.state
    return state.sentence, state


DEFINITIONS: tuple[Definition[Any], ...] = (
    Definition(
        kind="generate",
        title="Generate records",
        params=Generate,
        result=BatchState,
        work=_generate,
        lane=LANE,
    ),
    Definition(
        kind="regenerate",
        title="Generate others",
        params=Regenerate,
        result=BatchState,
        work=_regenerate,
        subject=lambda params: params.batch,
        lane=LANE,
    ),
)
"""The kinds."""
