"""New records into a set: numbered, named, compressed, and flagged where they repeat others."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine import Connection

from rft_widgets.model.record import RecordDraft, ValidationIssue
from rft_widgets.store.bulk import FEW, insert_rows
from rft_widgets.store.clock import now_us
from rft_widgets.store.payload import Body, encode, input_hash
from rft_widgets.store.schema import counters, issues, payloads, record_sets, records
from rft_widgets.store.validity import duplicate_issue, issue_row

if TYPE_CHECKING:
    from rft_widgets.store.connection import Store


class NewRecord(Struct, frozen=True, gc=False):
    """A draft that was validated and is ready to be stored."""

    draft: RecordDraft
    tokens: int
    issues: tuple[ValidationIssue, ...]
    body: bytes
    hash: int
    line: int | None = None


class Inserted(Struct, frozen=True):
    """How many records an insert stored, of what kind, and their ids in order."""

    total: int
    valid: int
    duplicates: int
    ids: tuple[str, ...] = ()


def new_record(
    draft: RecordDraft,
    tokens: int,
    found: tuple[ValidationIssue, ...],
    line: int | None = None,
) -> NewRecord:
    """Encode and hash a draft."""
    body = encode(Body(draft.input, draft.output, draft.item, draft.metadata))
    return NewRecord(draft, tokens, found, body, input_hash(draft.input), line)


def insert(
    store: Store,
    connection: Connection,
    dataset_id: str,
    set_id: int,
    rows: Sequence[NewRecord],
    *,
    import_id: str | None = None,
    salt: str = "",
) -> Inserted:
    """Store records at the end of a set, flagging those that repeat an earlier one.

    A record without an id gets one that follows from its content, its line and ``salt``: the same
    imports in the same order give the same ids.
    """
    if not rows:
        return Inserted(0, 0, 0)
    first = reserve(connection, len(rows))  # from here on no other writer adds records
    repeated = _repeats(connection, set_id, rows)
    fresh = [_fresh_id(row, salt) for row in rows]
    taken = _taken_ids(
        connection, set_id, [*fresh, *(r.draft.id for r in rows if r.draft.id is not None)]
    )
    dictionary = _dictionary(store, connection, set_id, rows)
    now = now_us()
    narrow: list[tuple[Any, ...]] = []
    bodies: list[tuple[int, bytes]] = []
    faults: list[dict[str, Any]] = []
    ids: list[str] = []
    valid = 0
    compress = store.codec.compress
    for offset, row in enumerate(rows):
        draft, body, seq = row.draft, row.body, first + offset
        record_id = draft.id
        if record_id is None or record_id in taken:
            if record_id is not None:
                kept = draft.metadata | {"original_id": record_id}
                body = encode(Body(draft.input, draft.output, draft.item, kept))
            record_id = fresh[offset]
            if record_id in taken:  # another import of the same file is under way
                record_id = secrets.token_hex(6)
        taken.add(record_id)
        ids.append(record_id)
        found = row.issues
        if offset in repeated:
            earlier = repeated[offset]
            name = earlier if isinstance(earlier, str) else ids[earlier]
            found = (*found, duplicate_issue(name))
        valid += not found
        for issue in found:
            faults.append(issue_row(dataset_id, seq, issue, import_id, row.line))  # noqa: PERF401
        narrow.append(
            (
                seq,
                set_id,
                record_id,
                draft.span_id,
                draft.thread_id,
                draft.topic,
                draft.topic_confidence,
                draft.topic_method,
                0 if found else 1,
                1 if draft.is_generated else 0,
                draft.source_record_id,
                len(draft.input.messages) + len(draft.output.messages),
                row.tokens,
                row.hash,
                draft.dry_run_score,
                1,
                now,
                now,
                None,
                None,
            )
        )
        bodies.append((seq, compress(body, dictionary)))
    insert_rows(connection, records, narrow)
    insert_rows(connection, payloads, bodies)
    if faults:
        connection.execute(issues.insert(), faults)
    return Inserted(len(rows), valid, len(repeated), tuple(ids))


def copy_set(connection: Connection, source: int, dataset_id: str, to: int) -> int:
    """Copy all records of a set, with issues and history of none; returns how many."""
    total = connection.execute(
        sa.select(sa.func.count()).select_from(records).where(records.c.set_id == source)
    ).scalar_one()
    if not total:
        return 0
    # A row's new number is its rank among the copied ones, after the reserved start.
    first = reserve(connection, total)
    rank = (
        sa.select(
            records.c.seq.label("old"),
            (sa.func.row_number().over(order_by=records.c.seq) + (first - 1)).label("new"),
        )
        .where(records.c.set_id == source)
        .subquery("rank")
    )
    kept = [column.name for column in records.c if column.name not in ("seq", "set_id")]
    connection.execute(
        records.insert().from_select(
            ["seq", "set_id", *kept],
            sa.select(rank.c.new, sa.literal(to), *(records.c[name] for name in kept)).join(
                rank, rank.c.old == records.c.seq
            ),
        )
    )
    connection.execute(
        payloads.insert().from_select(
            ["seq", "data"],
            sa.select(rank.c.new, payloads.c.data).join(rank, rank.c.old == payloads.c.seq),
        )
    )
    connection.execute(
        issues.insert().from_select(
            ["dataset_id", "seq", "line", "code", "message"],
            sa.select(
                sa.literal(dataset_id), rank.c.new, issues.c.line, issues.c.code, issues.c.message
            )
            .join(rank, rank.c.old == issues.c.seq)
            .order_by(issues.c.id),
        )
    )
    dictionary = (
        sa.select(record_sets.c.dictionary_id).where(record_sets.c.id == source).scalar_subquery()
    )
    connection.execute(
        record_sets.update().where(record_sets.c.id == to).values(dictionary_id=dictionary)
    )
    return total


def _repeats(
    connection: Connection, set_id: int, rows: Sequence[NewRecord]
) -> dict[int, str | int]:
    """Offsets of rows that repeat an earlier record, with its id, or its offset among the rows."""
    c = records.c
    earlier: dict[int, str | int] = {}
    spans: dict[str, str | int] = {}
    hashes = list({row.hash for row in rows})
    for start in range(0, len(hashes), FEW):
        found = connection.execute(
            sa.select(c.input_hash, c.id).where(
                c.set_id == set_id, c.input_hash.in_(hashes[start : start + FEW])
            )
        )
        earlier |= {row[0]: row[1] for row in found}
    ids = [row.draft.span_id for row in rows if row.draft.span_id is not None]
    for start in range(0, len(ids), FEW):
        found_spans = connection.execute(
            sa.select(c.span_id, c.id).where(
                c.set_id == set_id, c.span_id.in_(ids[start : start + FEW])
            )
        )
        spans |= {span: name for span, name in found_spans if span is not None}
    repeated: dict[int, str | int] = {}
    for offset, row in enumerate(rows):
        span = row.draft.span_id
        if span is not None and span in spans:
            repeated[offset] = spans[span]
        elif row.hash in earlier:
            repeated[offset] = earlier[row.hash]
        if span is not None:
            spans.setdefault(span, offset)
        earlier.setdefault(row.hash, offset)
    return repeated


def _fresh_id(row: NewRecord, salt: str) -> str:
    """Twelve characters of base 32, 60 bits."""
    digest = hashlib.blake2b(row.body, digest_size=8, key=f"{salt}:{row.line}".encode()).digest()
    return base64.b32encode(digest)[:12].decode().lower()


def _taken_ids(connection: Connection, set_id: int, given: Sequence[str]) -> set[str]:
    taken: set[str] = set()
    for start in range(0, len(given), FEW):
        taken |= set(
            connection.execute(
                sa.select(records.c.id).where(
                    records.c.set_id == set_id, records.c.id.in_(given[start : start + FEW])
                )
            ).scalars()
        )
    return taken


def reserve(connection: Connection, count: int) -> int:
    """Take the next row numbers; the row of the counter also puts writers in one order."""
    newest = connection.execute(
        counters.update()
        .where(counters.c.name == "records")
        .values(value=counters.c.value + count)
        .returning(counters.c.value)
    ).scalar_one()
    return int(newest) - count + 1


def _dictionary(
    store: Store, connection: Connection, set_id: int, rows: Sequence[NewRecord]
) -> int | None:
    known: int | None = connection.execute(
        sa.select(record_sets.c.dictionary_id).where(record_sets.c.id == set_id)
    ).scalar()
    if known is None:
        known = store.codec.train(connection, [row.body for row in rows])
        if known is not None:
            connection.execute(
                record_sets.update().where(record_sets.c.id == set_id).values(dictionary_id=known)
            )
    return known
