"""What models said of pieces of content, kept so that no piece is asked about twice."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import sqlalchemy as sa

from rft_widgets.store.bulk import FEW
from rft_widgets.store.schema import model_notes

if TYPE_CHECKING:
    from rft_widgets.store.connection import Store

_c = model_notes.c


def key_of(*parts: str) -> str:
    """Key of a piece of content: a hash of it, of the model, and of what was asked."""
    made = hashlib.sha256()
    for part in parts:
        data = part.encode("utf-8", "surrogatepass")
        made.update(len(data).to_bytes(8, "big") + data)  # so that parts cannot run together
    return made.hexdigest()


def read(store: Store, dataset_id: str, keys: Sequence[str]) -> dict[str, bytes]:
    """What is known, by key."""
    found: dict[str, bytes] = {}
    for start in range(0, len(keys), FEW):
        query = sa.select(_c.key, _c.data).where(
            _c.dataset_id == dataset_id, _c.key.in_(keys[start : start + FEW])
        )
        with store.read() as connection:
            found.update((row.key, row.data) for row in connection.execute(query))
    return found


def keep(store: Store, dataset_id: str, notes: Mapping[str, bytes]) -> None:
    """Keep what was said; of what is known already, what was said first."""
    with store.write() as connection:
        keys = list(notes)
        known: set[str] = set()
        for start in range(0, len(keys), FEW):
            known.update(
                connection.execute(
                    sa.select(_c.key).where(
                        _c.dataset_id == dataset_id, _c.key.in_(keys[start : start + FEW])
                    )
                ).scalars()
            )
        rows = [
            {"dataset_id": dataset_id, "key": key, "data": data}
            for key, data in notes.items()
            if key not in known
        ]
        if rows:
            connection.execute(model_notes.insert(), rows)
