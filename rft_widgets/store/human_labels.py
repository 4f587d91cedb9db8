"""Labels that people gave to recorded answers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from msgspec import Struct

from rft_widgets.model.human_label import HumanLabel, LabelScale
from rft_widgets.store import datasets
from rft_widgets.store.clock import now_us, to_datetime
from rft_widgets.store.schema import human_labels, records

if TYPE_CHECKING:
    from rft_widgets.store.connection import Store

_c = human_labels.c
_ROWS = 500


class NewLabel(Struct, frozen=True, kw_only=True):
    """A label to be kept."""

    record_id: str
    labeller: str
    answer_hash: str
    """Of what was labelled."""
    value: float
    scale: LabelScale
    note: str = ""


class StoredLabel(Struct, frozen=True, kw_only=True):
    """A label with the hash of what was labelled."""

    label: HumanLabel
    answer_hash: str


def keep(store: Store, dataset_id: str, labels: Sequence[NewLabel]) -> datetime:
    """Keep labels, and say when; one that the same person gave the same record before goes."""
    with store.write(durable=True) as connection:
        datasets.live_set(connection, dataset_id, keep=True)
        now = now_us()
        for start in range(0, len(labels), _ROWS):
            some = labels[start : start + _ROWS]
            connection.execute(
                human_labels.delete().where(
                    _c.dataset_id == dataset_id,
                    _c.record_id == sa.bindparam("which"),
                    _c.labeller == sa.bindparam("who"),
                ),
                [{"which": one.record_id, "who": one.labeller} for one in some],
            )
            connection.execute(
                human_labels.insert(),
                [
                    {
                        "dataset_id": dataset_id,
                        "record_id": one.record_id,
                        "labeller": one.labeller,
                        "answer_hash": one.answer_hash,
                        "value": one.value,
                        "scale": one.scale,
                        "note": one.note,
                        "at_us": now,
                    }
                    for one in some
                ],
            )
        datasets.change(connection, dataset_id)
    return to_datetime(now)


def forget(store: Store, dataset_id: str, record_id: str, labeller: str) -> bool:
    """Take a label away; whether there was one."""
    with store.write(durable=True) as connection:
        gone = connection.execute(
            human_labels.delete().where(
                _c.dataset_id == dataset_id, _c.record_id == record_id, _c.labeller == labeller
            )
        ).rowcount
        if gone:
            datasets.change(connection, dataset_id)
    return bool(gone)


def read_all(store: Store, dataset_id: str, labeller: str | None = None) -> tuple[StoredLabel, ...]:
    """Labels of a dataset, or of one person, the oldest first."""
    query = sa.select(human_labels).where(_c.dataset_id == dataset_id)
    if labeller is not None:
        query = query.where(_c.labeller == labeller)
    with store.read() as connection:
        rows = connection.execute(query.order_by(_c.at_us, _c.record_id, _c.labeller)).all()
    return tuple(_stored(row) for row in rows)


def scores(store: Store, dataset_id: str) -> dict[str, float]:
    """What a grader said of records last, of those that have a score."""
    with store.read() as connection:
        set_id = datasets.live_set(connection, dataset_id)
        rows = connection.execute(
            sa.select(records.c.id, records.c.score).where(
                records.c.set_id == set_id, records.c.score.is_not(None)
            )
        ).all()
    return {row.id: row.score for row in rows}


def _stored(row: sa.Row[Any]) -> StoredLabel:
    label = HumanLabel(
        record_id=row.record_id,
        labeller=row.labeller,
        value=row.value,
        scale=row.scale,
        note=row.note,
        at=to_datetime(row.at_us),
    )
    return StoredLabel(label=label, answer_hash=row.answer_hash)
