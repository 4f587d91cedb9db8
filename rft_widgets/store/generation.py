"""Generated candidates on their way to a person's decision, in batches."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import msgspec
import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine import Connection

from rft_widgets.errors import NotFound
from rft_widgets.model.connection import NamedConnection
from rft_widgets.model.generation import (
    Candidate,
    CandidateFault,
    CandidateState,
    GenerationPlan,
)
from rft_widgets.store import datasets
from rft_widgets.store.bulk import FEW
from rft_widgets.store.clock import now_us
from rft_widgets.store.history import current_job
from rft_widgets.store.schema import candidates, generation_batches
from rft_widgets.store.texts import can_hold

if TYPE_CHECKING:
    from rft_widgets.store.connection import Store

_b, _c = generation_batches.c, candidates.c


class Fill(Struct, frozen=True, kw_only=True):
    """What is asked for in one go: rounds of requests, until each topic has what is wanted.

    Attributes
    ----------
    wanted
        Good candidates that are to come, by topic.
    first, last
        Rounds; what is missing after one is asked for in the next.
    """

    wanted: dict[str, int]
    first: int
    last: int


class StoredBatch(Struct, frozen=True, kw_only=True):
    """A batch as its row has it."""

    id: str
    number: int
    status: Literal["running", "stopped", "done"]
    plan: GenerationPlan
    model: NamedConnection
    job_id: str | None
    fill: Fill
    diversity: float | None
    recorded_diversity: float | None
    created_us: int
    updated_us: int


class StoredCandidate(Struct, frozen=True, kw_only=True):
    """A candidate, and which request of which round for its topic it came from."""

    candidate: Candidate
    round: int
    request: int


class TopicCount(Struct, frozen=True, kw_only=True):
    """Candidates of one topic, state and fault."""

    topic: str
    state: CandidateState
    fault: CandidateFault | Literal[""]
    count: int


def begin(
    connection: Connection,
    dataset_id: str,
    batch_id: str,
    plan: GenerationPlan,
    model: NamedConnection,
    fill: Fill,
) -> None:
    """Open a batch; the job of this thread is noted as the one that makes it."""
    datasets.live_set(connection, dataset_id, keep=True)
    newest = sa.select(sa.func.coalesce(sa.func.max(_b.number), 0))
    number = connection.execute(newest.where(_b.dataset_id == dataset_id)).scalar_one() + 1
    now = now_us()
    connection.execute(
        generation_batches.insert().values(
            id=batch_id,
            dataset_id=dataset_id,
            number=number,
            status="running",
            plan=_text(plan),
            model=_text(model),
            job_id=current_job.get(),
            fill=_text(fill),
            created_us=now,
            updated_us=now,
        )
    )


def go_on(connection: Connection, batch_id: str, model: NamedConnection, fill: Fill) -> None:
    """Say that candidates come again: from which model, and which."""
    values = {"status": "running", "model": _text(model), "fill": _text(fill)}
    _update(connection, batch_id, **values, job_id=current_job.get())


def end(
    connection: Connection,
    batch_id: str,
    status: Literal["stopped", "done"],
    *,
    diversity: float | None,
    recorded_diversity: float | None,
) -> None:
    """Say that no more candidates come, and how different they and recorded prompts are."""
    values = {"diversity": diversity, "recorded_diversity": recorded_diversity}
    _update(connection, batch_id, status=status, **values)


def exists(connection: Connection, dataset_id: str, batch_id: str) -> bool:
    """Whether the dataset has a batch of that id."""
    mine = sa.and_(_b.id == batch_id, _b.dataset_id == dataset_id)
    return connection.execute(sa.select(_b.id).where(mine)).first() is not None


def read(connection: Connection, dataset_id: str, batch_id: str) -> StoredBatch:
    """One batch; `NotFound` if the dataset has none of that id."""
    mine = sa.and_(_b.id == batch_id, _b.dataset_id == dataset_id)
    row = (
        can_hold(batch_id)
        and connection.execute(sa.select(generation_batches).where(mine)).one_or_none()
    )
    if not row:
        raise NotFound(
            f"Dataset {dataset_id} has no generation batch {batch_id!r}.",
            hint="generation_batches lists them.",
        )
    return _batch(row)


def ids(connection: Connection, dataset_id: str) -> tuple[str, ...]:
    """Ids of a dataset's batches, the oldest first."""
    datasets.live_set(connection, dataset_id)
    query = sa.select(_b.id).where(_b.dataset_id == dataset_id).order_by(_b.number)
    return tuple(connection.execute(query).scalars())


def counts(connection: Connection, batch_id: str) -> tuple[TopicCount, ...]:
    """Count the candidates of a batch by topic, state and fault."""
    keys = (_c.topic, _c.state, _c.fault)
    query = sa.select(*keys, sa.func.count().label("n")).where(_c.batch_id == batch_id)
    return tuple(
        TopicCount(topic=row.topic, state=row.state, fault=row.fault, count=row.n)
        for row in connection.execute(query.group_by(*keys))
    )


def add(
    store: Store, batch_id: str, found: Sequence[Candidate], *, round_number: int, request: int
) -> None:
    """Store what one request brought, at the end of the batch."""
    with store.write(durable=True) as connection:
        connection.execute(
            candidates.insert(),
            [
                {
                    "batch_id": batch_id,
                    "position": one.id,
                    "topic": one.topic,
                    "round": round_number,
                    "request": request,
                    "state": one.state,
                    "fault": one.fault or "",
                    "data": _text(_kept(one)),
                    "record_id": one.record_id,
                }
                for one in found
            ],
        )
        _update(connection, batch_id)


def read_candidates(
    connection: Connection,
    batch_id: str,
    *,
    positions: Collection[int] | None = None,
    states: tuple[CandidateState, ...] | None = None,
    topic: str | None = None,
    fault: str | None = None,
    after: int = -1,
    limit: int | None = None,
) -> tuple[StoredCandidate, ...]:
    """Candidates of a batch in order; those of the numbers, states, topic and fault, if given."""
    query = sa.select(candidates).where(_c.batch_id == batch_id, _c.position > after)
    if states is not None:
        query = query.where(_c.state.in_(states))
    if topic is not None:
        query = query.where(_c.topic == topic)
    if fault is not None:
        query = query.where(_c.fault == fault)
    query = query.order_by(_c.position).limit(limit)
    if positions is None:
        return tuple(_candidate(row) for row in connection.execute(query))
    wanted = sorted(positions)
    found: list[StoredCandidate] = []
    for start in range(0, len(wanted), FEW):
        part = query.where(_c.position.in_(wanted[start : start + FEW]))
        found += [_candidate(row) for row in connection.execute(part)]
    return tuple(found)


def decide(
    connection: Connection, batch_id: str, states: Mapping[int, tuple[CandidateState, str | None]]
) -> None:
    """Put candidates into other states; each with the id of the record that it became, if any."""
    statement = (
        candidates.update()
        .where(_c.batch_id == batch_id, _c.position == sa.bindparam("number"))
        .values(state=sa.bindparam("decided"), record_id=sa.bindparam("record"))
    )
    rows = [
        {"number": number, "decided": state, "record": record_id}
        for number, (state, record_id) in states.items()
    ]
    if rows:
        connection.execute(statement, rows)
        _update(connection, batch_id)


def drop_failed(connection: Connection, batch_id: str) -> None:
    """Forget open candidates of requests that brought no answer: they are asked again."""
    connection.execute(
        candidates.delete().where(
            _c.batch_id == batch_id, _c.fault == "generation_error", _c.state == "open"
        )
    )


def drop_empty(connection: Connection, batch_id: str) -> None:
    """Forget a batch that has no candidates."""
    has_some = sa.exists().where(_c.batch_id == batch_id)
    connection.execute(generation_batches.delete().where(_b.id == batch_id, ~has_some))


def _update(connection: Connection, batch_id: str, **values: Any) -> None:
    connection.execute(
        generation_batches.update().where(_b.id == batch_id).values(updated_us=now_us(), **values)
    )


def _kept(candidate: Candidate) -> Candidate:
    """What the columns do not hold, and the source has itself, is left out."""
    return msgspec.structs.replace(candidate, source_messages=(), state="open", record_id=None)


def _batch(row: Any) -> StoredBatch:
    return StoredBatch(
        id=row.id,
        number=row.number,
        status=row.status,
        plan=msgspec.json.decode(row.plan, type=GenerationPlan),
        model=msgspec.json.decode(row.model, type=NamedConnection),
        job_id=row.job_id,
        fill=msgspec.json.decode(row.fill, type=Fill),
        diversity=row.diversity,
        recorded_diversity=row.recorded_diversity,
        created_us=row.created_us,
        updated_us=row.updated_us,
    )


def _candidate(row: Any) -> StoredCandidate:
    stored = msgspec.json.decode(row.data, type=Candidate)
    candidate = msgspec.structs.replace(
        stored, id=row.position, state=row.state, record_id=row.record_id
    )
    return StoredCandidate(candidate=candidate, round=row.round, request=row.request)


def _text(value: Struct) -> str:
    return msgspec.json.encode(value).decode()
