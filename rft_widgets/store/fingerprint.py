"""What a dataset holds, as hashes: equal contents have equal ones, in whatever store they are."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine import Connection

from rft_widgets.store.schema import datasets, payloads, records

if TYPE_CHECKING:
    from rft_widgets.store.connection import Store

_CHUNK = 5_000
_MODULUS = 1 << 128


class Fingerprint(Struct, frozen=True):
    """SHA-256 hashes, in hexadecimal.

    ``data`` is that of the records: prompts, answers, items, metadata, threads and whether they
    were generated, in any order. ``topics`` is that of the hierarchy and of which record is under
    which topic. Ids, times and scores are in neither.
    """

    data: str
    topics: str


def fingerprint(store: Store, dataset_id: str) -> Fingerprint:
    """Hash what a dataset holds; about ten seconds for a million records, once a change.

    The hash of a set is that of the sum of its members' hashes (Bellare & Micciancio 1997, AdHash),
    so that order does not matter and no list has to be sorted. It tells changes; it is no proof
    against somebody who looks for two sets with one hash.
    """
    with store.read() as connection:
        row = connection.execute(
            sa.select(datasets.c.set_id, datasets.c.records_revision, datasets.c.topics).where(
                datasets.c.id == dataset_id
            )
        ).one()
        key = (dataset_id, row.set_id, row.records_revision)
        known = store.fingerprints.get(key)
        if known is None:
            known = _hash(store, connection, row.set_id, row.topics)
            store.fingerprints.put(key, known)
    return known


def _hash(store: Store, connection: Connection, set_id: int, topics: str | None) -> Fingerprint:
    data = labels = count = done = 0
    query = (
        sa.select(
            records.c.seq, records.c.thread_id, records.c.is_generated, records.c.topic,
            payloads.c.data,
        )
        .join(payloads, payloads.c.seq == records.c.seq)
        .where(records.c.set_id == set_id)
        .order_by(records.c.seq)
        .limit(_CHUNK)
    )  # fmt: skip
    while rows := connection.execute(query.where(records.c.seq > done)).all():
        for _, thread, generated, topic, body in rows:
            head = f"{thread or ''}\0{generated}\0".encode()
            one = hashlib.blake2b(head + store.codec.decompress(body), digest_size=16).digest()
            data += int.from_bytes(one)
            if topic is not None:
                both = hashlib.blake2b(one + topic.encode(), digest_size=16).digest()
                labels += int.from_bytes(both)
        count += len(rows)
        done = rows[-1].seq
    return Fingerprint(
        data=_sha(f"{count}:{data % _MODULUS}"),
        topics=_sha(f"{labels % _MODULUS}:{topics or ''}"),
    )


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
