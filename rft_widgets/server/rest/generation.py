"""Generated records: the plan, the job that asks a model, and what is decided of its candidates."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta, Struct

from rft_widgets.model.connection import ConnectionName
from rft_widgets.model.generation import (
    AcceptedCandidates,
    BatchState,
    Candidate,
    CandidateFault,
    CandidateState,
    Difficulty,
    GenerationConfig,
    GenerationPlan,
    Strategy,
)
from rft_widgets.model.message import to_json
from rft_widgets.server.rest.jobs import JobView, underway
from rft_widgets.server.rest.routing import Id, Routes, Underway
from rft_widgets.worker.generation import CandidateId, Dollars, Generate, Regenerate
from rft_widgets.workspace import Workspace

routes = Routes("generation")

JsonObject = dict[str, Any]


class PlanQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which model is to be asked."""

    model: Annotated[
        ConnectionName | None, Meta(description="Name of a connection: the plan says its price.")
    ] = None


class CandidatesQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which candidates; every argument narrows it further."""

    after: Annotated[
        int, Meta(ge=-1, description="Number of the candidate after which the page begins.")
    ] = -1
    limit: Annotated[int, Meta(ge=1, le=1_000)] = 100
    topic: str | None = None
    state: CandidateState | None = None
    fault: CandidateFault | None = None


class CandidateView(Struct, frozen=True, kw_only=True):
    """A candidate; messages and tools stand in it as files and services have them.

    ``source_messages`` are those of the record that it was made from.
    """

    id: int
    topic: str
    strategy: Strategy
    difficulty: Difficulty | None
    messages: list[JsonObject]
    output: list[JsonObject]
    tools: list[JsonObject]
    text: str
    source_record_id: str | None
    source_messages: list[JsonObject]
    shown_record_ids: tuple[str, ...]
    fault: CandidateFault | None
    fault_words: str
    similarity: float
    repeats: str | None
    state: CandidateState
    record_id: str | None
    model: str
    prompt_hash: str


class Chosen(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Numbers of candidates."""

    candidates: Annotated[tuple[CandidateId, ...], Meta(max_length=10_000)] | None = None


class ToRegenerate(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Numbers of candidates to ask for anew; without any, what the batch still lacks."""

    candidates: Annotated[tuple[CandidateId, ...], Meta(max_length=10_000)] = ()
    model: ConnectionName | None = None
    max_cost_usd: Dollars | None = None


class Discarded(Struct, frozen=True, kw_only=True):
    """How many candidates were given up."""

    discarded: int


@routes.add("POST", "/datasets/{dataset_id}/generate/plan")
def create_generation_plan(
    ws: Workspace,
    dataset_id: Id,
    query: PlanQuery,
    body: GenerationConfig = GenerationConfig(),  # noqa: B008 - frozen
) -> GenerationPlan:
    """Plan how many records to generate for which topic, before anything is spent."""
    return ws.dataset(dataset_id).plan_generation(body, model=query.model)


@routes.add("POST", "/datasets/{dataset_id}/generate")
def generate_records(ws: Workspace, dataset_id: Id, body: Generate) -> Underway[JobView]:
    """Ask a model for candidates, as planned; none is a record before it is accepted."""
    return underway(ws.dataset(dataset_id).submit("generate", body))


@routes.add("GET", "/datasets/{dataset_id}/generation-batches")
def list_generation_batches(ws: Workspace, dataset_id: Id) -> tuple[BatchState, ...]:
    """Batches of generated candidates, the oldest first."""
    return tuple(batch.state for batch in ws.dataset(dataset_id).generation_batches)


@routes.add("GET", "/datasets/{dataset_id}/generation-batches/{batch_id}")
def get_generation_batch(ws: Workspace, dataset_id: Id, batch_id: Id) -> BatchState:
    """How a batch stands, with counts by topic and by fault."""
    return ws.dataset(dataset_id).generation_batch(batch_id).state


@routes.add("GET", "/datasets/{dataset_id}/generation-batches/{batch_id}/candidates")
def list_candidates(
    ws: Workspace, dataset_id: Id, batch_id: Id, query: CandidatesQuery
) -> tuple[CandidateView, ...]:
    """Candidates of a batch in order, beside what they were made from."""
    found = (
        ws.dataset(dataset_id)
        .generation_batch(batch_id)
        .page(
            after=query.after,
            limit=query.limit,
            topic=query.topic,
            states=None if query.state is None else (query.state,),
            fault=query.fault,
        )
    )
    return tuple(_view(one) for one in found)


@routes.add("POST", "/datasets/{dataset_id}/generation-batches/{batch_id}/accept")
def accept_candidates(
    ws: Workspace,
    dataset_id: Id,
    batch_id: Id,
    body: Chosen = Chosen(),  # noqa: B008 - frozen
) -> AcceptedCandidates:
    """Make records of candidates, all or none; by default of all open ones without a fault."""
    return ws.dataset(dataset_id).generation_batch(batch_id).accept(body.candidates)


@routes.add("POST", "/datasets/{dataset_id}/generation-batches/{batch_id}/discard")
def discard_candidates(
    ws: Workspace,
    dataset_id: Id,
    batch_id: Id,
    body: Chosen = Chosen(),  # noqa: B008 - frozen
) -> Discarded:
    """Give up open candidates, by default all of them."""
    count = ws.dataset(dataset_id).generation_batch(batch_id).discard(body.candidates)
    return Discarded(discarded=count)


@routes.add("POST", "/datasets/{dataset_id}/generation-batches/{batch_id}/regenerate")
def regenerate_candidates(
    ws: Workspace,
    dataset_id: Id,
    batch_id: Id,
    body: ToRegenerate = ToRegenerate(),  # noqa: B008 - frozen
) -> Underway[JobView]:
    """Give up open candidates and ask for others in their place."""
    dataset = ws.dataset(dataset_id)
    params = Regenerate(
        batch=dataset.generation_batch(batch_id).id,
        candidates=body.candidates,
        model=body.model,
        max_cost_usd=body.max_cost_usd,
    )
    return underway(dataset.submit("regenerate", params))


def _view(candidate: Candidate) -> CandidateView:
    return CandidateView(
        id=candidate.id,
        topic=candidate.topic,
        strategy=candidate.strategy,
        difficulty=candidate.difficulty,
        messages=to_json(candidate.messages),
        output=to_json(candidate.output),
        tools=to_json(candidate.tools),
        text=candidate.text,
        source_record_id=candidate.source_record_id,
        source_messages=to_json(candidate.source_messages),
        shown_record_ids=candidate.shown_record_ids,
        fault=candidate.fault,
        fault_words=candidate.fault_words,
        similarity=candidate.similarity,
        repeats=candidate.repeats,
        state=candidate.state,
        record_id=candidate.record_id,
        model=candidate.model,
        prompt_hash=candidate.prompt_hash,
    )
