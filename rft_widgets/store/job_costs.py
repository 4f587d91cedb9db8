"""What asking models came to, for many jobs at once."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from rft_widgets.model.llm import CallTotals
from rft_widgets.store.schema import model_calls

_c = model_calls.c


def of_jobs(connection: Connection, job_ids: Sequence[str]) -> dict[str, CallTotals]:
    """Calls, tokens and price of each of the jobs that asked a model."""
    is_done = _c.state == "done"

    def count(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
        return sa.func.sum(sa.case((condition, 1), else_=0))

    query = (
        sa.select(
            _c.job_id,
            count(is_done).label("calls"),
            count(_c.state == "failed").label("failed"),
            sa.func.sum(_c.prompt_tokens).label("prompt_tokens"),
            sa.func.sum(_c.completion_tokens).label("completion_tokens"),
            sa.func.sum(_c.cost_micro_usd).label("cost"),
            count(sa.and_(is_done, _c.cost_micro_usd.is_(None))).label("unpriced"),
        )
        .where(_c.job_id.in_([one for one in job_ids if one]))
        .group_by(_c.job_id)
    )
    return {
        row.job_id: CallTotals(
            calls=int(row.calls),
            failed=int(row.failed),
            prompt_tokens=int(row.prompt_tokens or 0),
            completion_tokens=int(row.completion_tokens or 0),
            cost_micro_usd=None if row.unpriced else int(row.cost or 0),
        )
        for row in connection.execute(query)
    }
