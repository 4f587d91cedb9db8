"""What asking models came to, from the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from rft_widgets.llm import owner as owners
from rft_widgets.model.llm import CallTotals, Purpose, UncertainCall
from rft_widgets.store import model_calls, model_works

if TYPE_CHECKING:
    from rft_widgets.store.connection import Store


def costs(store: Store, dataset_id: str, *, job_id: str | None = None) -> dict[Purpose, CallTotals]:
    """What the calls of a dataset came to, or those of a job, by purpose."""
    with store.read() as connection:
        found = model_calls.totals(connection, dataset_id, _is_alive, job_id=job_id)
        cached = model_works.cached(connection, dataset_id, job_id=job_id)
    for purpose, count in cached.items():
        if count:
            total = found.get(purpose, CallTotals())
            found[purpose] = msgspec.structs.replace(total, cached=count)
    return found


def uncertain_calls(store: Store, dataset_id: str) -> Iterator[UncertainCall]:
    """Calls that were sent and whose answer nobody saw, at least once."""
    for row in model_calls.read_all(store, dataset_id, only_uncertain=True):
        if row.state == "sent" and not row.lost and owners.is_alive(row.owner, row.sent_us):
            continue  # it is under way
        yield UncertainCall(
            key=row.key,
            purpose=row.purpose,
            model=row.model,
            job_id=row.job_id or None,
            sent_at=row.sent_at,
            is_held=row.state == "held",
            is_answered=row.state == "done",
            cost_micro_usd=row.reserved_micro_usd,
        )


def _is_alive(owner: str, _job_id: str, sent_us: int) -> bool:
    return owners.is_alive(owner, sent_us)
