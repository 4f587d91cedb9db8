"""What each piece of work asked of a model, beside what was planned."""

from __future__ import annotations

from statistics import median

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine import Connection

from rft_widgets.model.estimate import PastError
from rft_widgets.model.llm import Purpose
from rft_widgets.store.clock import now_us
from rft_widgets.store.schema import model_works

_w = model_works.c
_LOOKED_AT = 20


class ModelWork(Struct, frozen=True, kw_only=True):
    """A piece of work; tokens and cost are also those of answers that were there already."""

    job_id: str
    purpose: Purpose
    model: str
    is_whole: bool
    seconds: float
    calls: int
    cached: int
    tokens: int
    cost_micro_usd: int | None
    planned_tokens: int | None
    planned_micro_usd: int | None


def keep(connection: Connection, dataset_id: str, work: ModelWork) -> None:
    """Note a piece of work that ended."""
    values = {name: getattr(work, name) for name in work.__struct_fields__}
    connection.execute(
        model_works.insert().values(
            **{**values, "is_whole": int(work.is_whole)}, dataset_id=dataset_id, at_us=now_us()
        )
    )


def cached(
    connection: Connection, dataset_id: str, *, job_id: str | None = None
) -> dict[Purpose, int]:
    """Answers that were there already when they were asked for, by purpose."""
    query = sa.select(_w.purpose, sa.func.sum(_w.cached).label("cached")).where(
        _w.dataset_id == dataset_id
    )
    if job_id is not None:
        query = query.where(_w.job_id == job_id)
    return {row.purpose: int(row.cached) for row in connection.execute(query.group_by(_w.purpose))}


def past_error(connection: Connection, dataset_id: str, purpose: Purpose) -> PastError | None:
    """How far earlier estimates were from what came, of the last pieces of work of a kind."""
    query = (
        sa.select(model_works)
        .where(
            _w.dataset_id == dataset_id,
            _w.purpose == purpose,
            _w.is_whole == 1,
            _w.planned_tokens > 0,
        )
        .order_by(_w.seq.desc())
        .limit(_LOOKED_AT)
    )
    ratios = [
        row.cost_micro_usd / row.planned_micro_usd
        if row.planned_micro_usd and row.cost_micro_usd is not None
        else row.tokens / row.planned_tokens
        for row in connection.execute(query)
    ]
    if not ratios:
        return None
    return PastError(
        works=len(ratios), ratio=median(ratios), lowest=min(ratios), highest=max(ratios)
    )


def seconds_per_call(
    connection: Connection, dataset_id: str, purpose: Purpose, model: str
) -> float | None:
    """Pace of the last pieces of work that asked a model; ``None`` where there are none."""
    query = (
        sa.select(_w.seconds, _w.calls)
        .where(_w.dataset_id == dataset_id, _w.purpose == purpose, _w.model == model, _w.calls > 0)
        .order_by(_w.seq.desc())
        .limit(_LOOKED_AT)
    )
    rows = connection.execute(query).all()
    calls = sum(row.calls for row in rows)
    return sum(row.seconds for row in rows) / calls if calls else None
