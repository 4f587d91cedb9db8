"""Changing records: inserting, editing, assigning, deleting, undoing."""

from __future__ import annotations

import base64
import os
import secrets
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine import Connection

from rft_widgets.errors import InvalidArgument, NotFound, StaleEdit
from rft_widgets.model.record import Deletion, RecordDraft, Selection, TopicMethod, ValidationIssue
from rft_widgets.store import datasets, history, search
from rft_widgets.store.bulk import insert_rows
from rft_widgets.store.clock import now_us, to_datetime
from rft_widgets.store.payload import Body, encode, input_hash
from rft_widgets.store.records import make_searchable, missing_record, select_seqs
from rft_widgets.store.schema import (
    counters,
    deletions,
    dictionaries,
    imports,
    issues,
    payloads,
    record_sets,
    record_versions,
    records,
)
from rft_widgets.store.texts import can_hold

if TYPE_CHECKING:
    from rft_widgets.store.connection import Store

DUPLICATE = "duplicate"
_FEW = 500  # values in one IN list
_PURGE_ROWS = 5_000


class NewRecord(Struct, frozen=True, gc=False):
    """A draft that was validated and is ready to be stored."""

    draft: RecordDraft
    tokens: int
    issues: tuple[ValidationIssue, ...]
    body: bytes
    hash: int
    line: int | None = None


class Inserted(Struct, frozen=True):
    """How many records an insert stored, and of what kind."""

    total: int
    valid: int
    duplicates: int


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
) -> Inserted:
    """Store records at the end of a set, flagging those that repeat an earlier one."""
    if not rows:
        return Inserted(0, 0, 0)
    first = _reserve(connection, len(rows))  # from here on no other writer adds records
    repeated = _repeats(connection, set_id, rows)
    taken = _taken_ids(connection, set_id, rows)
    dictionary = _dictionary(store, connection, set_id, rows)
    fresh = base64.urlsafe_b64encode(os.urandom(9 * len(rows))).decode()
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
            record_id = fresh[12 * offset : 12 * offset + 12]
        taken.add(record_id)
        ids.append(record_id)
        found = row.issues
        if offset in repeated:
            earlier = repeated[offset]
            name = earlier if isinstance(earlier, str) else ids[earlier]
            found = (*found, _duplicate_issue(name))
        valid += not found
        for issue in found:
            faults.append(_issue_row(dataset_id, seq, issue, import_id, row.line))  # noqa: PERF401
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
            )
        )
        bodies.append((seq, compress(body, dictionary)))
    insert_rows(connection, records, narrow)
    insert_rows(connection, payloads, bodies)
    if faults:
        connection.execute(issues.insert(), faults)
    return Inserted(len(rows), valid, len(repeated))


def edit(
    store: Store,
    dataset_id: str,
    record_id: str,
    draft: RecordDraft,
    tokens: int,
    found: tuple[ValidationIssue, ...],
    *,
    expected_version: int,
) -> None:
    """Replace the body of a record, keeping what it held before.

    Raises
    ------
    StaleEdit
        If the record has another version than the one the edit was made from.
    """
    with store.write(durable=True) as connection:
        set_id = datasets.live_set(connection, dataset_id, keep=True)
        row = connection.execute(
            sa.select(records.c.seq, records.c.version, records.c.input_hash, payloads.c.data)
            .join(payloads, payloads.c.seq == records.c.seq)
            .where(records.c.set_id == set_id, records.c.id == record_id)
            .with_for_update()
        ).one_or_none()
        if row is None:
            raise missing_record(dataset_id, record_id)
        before = store.codec.body(row.data)
        after = Body(draft.input, draft.output, draft.item, draft.metadata)
        if row.version != expected_version:
            changed = [
                name for name in Body.__struct_fields__
                if getattr(before, name) != getattr(after, name)
            ]  # fmt: skip
            raise StaleEdit(
                f"Record {record_id} was changed by somebody else: it has version {row.version}, "
                f"the edit was made from version {expected_version}; "
                f"they differ in {', '.join(changed) or 'nothing but the version'}.",
                hint="Read the record again and repeat the edit.",
            )
        history.keep_version(connection, row.seq, row.version, row.data)
        new = encode(after)
        dictionary = connection.execute(
            sa.select(record_sets.c.dictionary_id).where(record_sets.c.id == set_id)
        ).scalar()
        connection.execute(
            payloads.update()
            .where(payloads.c.seq == row.seq)
            .values(data=store.codec.compress(new, dictionary))
        )
        key = input_hash(draft.input)
        connection.execute(
            records.update()
            .where(records.c.seq == row.seq)
            .values(
                is_valid=0 if found else 1,
                messages=len(draft.input.messages) + len(draft.output.messages),
                tokens=tokens,
                input_hash=key,
                version=row.version + 1,
                updated_us=now_us(),
            )
        )
        connection.execute(issues.delete().where(issues.c.seq == row.seq))
        if found:
            connection.execute(
                issues.insert(), [_issue_row(dataset_id, row.seq, issue) for issue in found]
            )
        refresh_duplicates(connection, dataset_id, set_id, _Keys({row.input_hash, key}, set()))
        search.replace_text(store, connection, set_id, row.seq, before, after)
        datasets.touch(connection, dataset_id)
        history.log(connection, dataset_id, "edit_record", {"record": record_id})


def assign_topic(
    store: Store,
    dataset_id: str,
    selection: Selection,
    topic: str | None,
    *,
    confidence: float | None,
    method: TopicMethod | None,
) -> int:
    """Give every record of a selection a topic, or take it away; returns how many there were."""
    make_searchable(store, dataset_id, selection.where)
    with store.write(durable=True) as connection:
        set_id = datasets.live_set(connection, dataset_id, keep=True)
        chosen = select_seqs(store, connection, set_id, selection)
        result = connection.execute(
            records.update()
            .where(records.c.seq.in_(chosen))
            .values(
                topic=topic,
                topic_confidence=confidence,
                topic_method=method,
                updated_us=now_us(),
            )
        )
        datasets.touch(connection, dataset_id)
        history.log(
            connection,
            dataset_id,
            "assign_topic",
            {"topic": topic, "selection": msgspec.to_builtins(selection), "count": result.rowcount},
        )
        return result.rowcount


def delete(store: Store, dataset_id: str, selection: Selection) -> Deletion:
    """Move the records of a selection to the trash, from where `undo` brings them back."""
    make_searchable(store, dataset_id, selection.where)
    with store.write(durable=True) as connection:
        set_id = datasets.live_set(connection, dataset_id, keep=True)
        # What leaves is indexed already, so that it can come back without an index to mend.
        search.index_within(store, connection, set_id)
        chosen = select_seqs(store, connection, set_id, selection)
        trash = datasets.create_set(connection, dataset_id, "trash")
        moved = connection.execute(
            records.update().where(records.c.seq.in_(chosen)).values(set_id=trash)
        ).rowcount
        _depart(connection, set_id, moved)
        refresh_duplicates(connection, dataset_id, set_id, _keys_of(connection, trash))
        key, now = f"del_{secrets.token_hex(6)}", now_us()
        connection.execute(
            deletions.insert().values(
                id=key,
                dataset_id=dataset_id,
                set_id=set_id,
                trash_id=trash,
                count=moved,
                deleted_us=now,
            )
        )
        datasets.touch(connection, dataset_id)
        history.log(
            connection,
            dataset_id,
            "delete_records",
            {"selection": msgspec.to_builtins(selection), "count": moved, "deletion": key},
        )
    return Deletion(id=key, dataset_id=dataset_id, count=moved, deleted_at=to_datetime(now))


def undo(store: Store, dataset_id: str, deletion_id: str) -> int:
    """Bring deleted records back to their old places; returns how many.

    Raises
    ------
    NotFound
        If there is no such deletion, or it was undone or purged already.
    InvalidArgument
        If all records were replaced since, or an id that a record had is used by another now.
    """
    with store.write(durable=True) as connection:
        set_id = datasets.live_set(connection, dataset_id, keep=True)
        row = None
        if can_hold(deletion_id):
            row = connection.execute(
                sa.select(deletions).where(
                    deletions.c.id == deletion_id, deletions.c.dataset_id == dataset_id
                )
            ).one_or_none()
        if row is None:
            raise NotFound(
                f"There is no deletion {deletion_id!r} to undo.",
                hint="It was undone already, or the trash was emptied.",
            )
        if row.set_id != set_id:
            raise InvalidArgument(
                f"The {row.count:,} deleted records belong to data that was replaced since.",
                hint="Import the file they came from again.",
            )
        gone = records.alias("gone")
        clash = connection.execute(
            sa.select(records.c.id)
            .join(gone, sa.and_(gone.c.id == records.c.id, gone.c.set_id == row.trash_id))
            .where(records.c.set_id == set_id)
            .limit(1)
        ).scalar()
        if clash is not None:
            raise InvalidArgument(
                f"The id {clash!r} of a deleted record is used by another one now.",
                hint="Delete that one first.",
            )
        keys = _keys_of(connection, row.trash_id)
        back = connection.execute(
            records.update().where(records.c.set_id == row.trash_id).values(set_id=set_id)
        ).rowcount
        _depart(connection, set_id, -back)
        refresh_duplicates(connection, dataset_id, set_id, keys)
        connection.execute(deletions.delete().where(deletions.c.id == deletion_id))
        connection.execute(record_sets.delete().where(record_sets.c.id == row.trash_id))
        datasets.touch(connection, dataset_id)
        history.log(connection, dataset_id, "undo_delete", {"deletion": deletion_id, "count": back})
        return back


def copy_set(connection: Connection, source: int, dataset_id: str, to: int) -> int:
    """Copy all records of a set, with issues and history of none; returns how many."""
    total = connection.execute(
        sa.select(sa.func.count()).select_from(records).where(records.c.set_id == source)
    ).scalar_one()
    if not total:
        return 0
    # A row's new number is its rank among the copied ones, after the reserved start.
    first = _reserve(connection, total)
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


def purge(store: Store, set_ids: Iterable[int]) -> int:
    """Erase the records of sets that nobody can see any more, a few thousand a transaction."""
    erased = 0
    for set_id in set_ids:
        with store.write() as connection:
            search.drop_index(store, connection, set_id)
        while True:
            with store.write() as connection:
                some = (
                    sa.select(records.c.seq)
                    .where(records.c.set_id == set_id)
                    .order_by(records.c.seq)
                    .limit(_PURGE_ROWS)
                )
                for table in (payloads, issues, record_versions):
                    connection.execute(table.delete().where(table.c.seq.in_(some)))
                gone = connection.execute(records.delete().where(records.c.seq.in_(some))).rowcount
                erased += gone
                if gone < _PURGE_ROWS:
                    owned = sa.select(imports.c.id).where(imports.c.set_id == set_id)
                    connection.execute(
                        issues.delete().where(issues.c.seq.is_(None), issues.c.import_id.in_(owned))
                    )
                    connection.execute(deletions.delete().where(deletions.c.trash_id == set_id))
                    connection.execute(record_sets.delete().where(record_sets.c.id == set_id))
                    break
    _forget_dictionaries(store)
    return erased


def _forget_dictionaries(store: Store) -> None:
    """Erase compression dictionaries that no set uses: they hold pieces of deleted texts."""
    used = sa.select(record_sets.c.dictionary_id).where(record_sets.c.dictionary_id.is_not(None))
    with store.write() as connection:
        _reserve(connection, 0)  # nobody starts to use one meanwhile
        connection.execute(dictionaries.delete().where(dictionaries.c.id.not_in(used)))


class _Keys(Struct, frozen=True):
    """What makes records repeat each other."""

    hashes: set[int]
    spans: set[str]


def refresh_duplicates(
    connection: Connection, dataset_id: str, set_id: int, keys: _Keys | None
) -> None:
    """Flag every record that repeats an earlier one, and unflag those that no longer do.

    Parameters
    ----------
    keys
        What the records have whose standing may have changed; ``None`` for all records.
    """
    c = records.c
    should: dict[int, int] = {}
    flagged: dict[int, str] = {}
    for some in _parts(keys):
        rows = connection.execute(_groups(set_id, some)).all()
        seqs = [row.seq for row in rows]
        should |= {row.seq: row.first for row in rows if row.seq != row.first}
        for start in range(0, len(seqs), _FEW):
            found = connection.execute(
                sa.select(issues.c.seq, issues.c.message).where(
                    issues.c.seq.in_(seqs[start : start + _FEW]), issues.c.code == DUPLICATE
                )
            )
            flagged |= {row[0]: row[1] for row in found}
    names = _ids_of(connection, set(should.values()))
    said = {seq: _duplicate_issue(names[first]) for seq, first in should.items()}
    # One that repeats another record than before is flagged anew, with the name of that one.
    new = [seq for seq, issue in said.items() if flagged.get(seq) != issue.message]
    again = set(new)
    cleared = [seq for seq in flagged if seq not in should or seq in again]
    for start in range(0, len(cleared), _FEW):
        connection.execute(
            issues.delete().where(
                issues.c.seq.in_(cleared[start : start + _FEW]), issues.c.code == DUPLICATE
            )
        )
    if new:
        connection.execute(issues.insert(), [_issue_row(dataset_id, seq, said[seq]) for seq in new])
    changed = [*new, *(seq for seq in cleared if seq not in said)]
    for start in range(0, len(changed), _FEW):
        broken = sa.exists().where(issues.c.seq == c.seq)
        connection.execute(
            records.update()
            .where(c.seq.in_(changed[start : start + _FEW]))
            .values(is_valid=sa.case((broken, 0), else_=1))
        )


def _depart(connection: Connection, set_id: int, count: int) -> None:
    connection.execute(
        record_sets.update()
        .where(record_sets.c.id == set_id)
        .values(departed=record_sets.c.departed + count)
    )


def _groups(set_id: int, some: sa.ColumnElement[bool] | None) -> sa.Select[Any]:
    """Records (``None``: all) with the first one of the set that has their span id or input."""
    c = records.c
    if some is None:
        by_input: sa.ColumnElement[int] = sa.func.min(c.seq).over(partition_by=c.input_hash)
        by_span: sa.ColumnElement[int] = sa.func.min(c.seq).over(partition_by=c.span_id)
        some = sa.true()
    else:
        by_input = _first_like(set_id, "input_hash")
        by_span = _first_like(set_id, "span_id")
    found = (
        sa.select(
            c.seq,
            by_input.label("by_input"),
            sa.case((c.span_id.is_not(None), by_span), else_=c.seq).label("by_span"),
        )
        .where(c.set_id == set_id, some)
        .subquery("g")
    )
    first = sa.case((found.c.by_span < found.c.by_input, found.c.by_span), else_=found.c.by_input)
    return sa.select(found.c.seq, first.label("first"))


def _first_like(set_id: int, column: str) -> sa.ScalarSelect[int]:
    twin = records.alias()
    return (
        sa.select(sa.func.min(twin.c.seq))
        .where(twin.c.set_id == set_id, twin.c[column] == records.c[column])
        .correlate(records)
        .scalar_subquery()
    )


def _parts(keys: _Keys | None) -> Iterable[sa.ColumnElement[bool] | None]:
    """Conditions that together hold for every record with one of the keys."""
    if keys is None:
        yield None
        return
    hashes, spans = sorted(keys.hashes), sorted(keys.spans)
    for start in range(0, len(hashes), _FEW):
        yield records.c.input_hash.in_(hashes[start : start + _FEW])
    for start in range(0, len(spans), _FEW):
        yield records.c.span_id.in_(spans[start : start + _FEW])


def _keys_of(connection: Connection, set_id: int) -> _Keys | None:
    """Keys of all records of a set; ``None`` when they are too many to be worth listing."""
    found = connection.execute(
        sa.select(records.c.input_hash, records.c.span_id)
        .where(records.c.set_id == set_id)
        .limit(20 * _FEW + 1)
    ).all()
    if len(found) > 20 * _FEW:
        return None
    return _Keys({key for key, _ in found}, {span for _, span in found if span is not None})


def _repeats(
    connection: Connection, set_id: int, rows: Sequence[NewRecord]
) -> dict[int, str | int]:
    """Offsets of rows that repeat an earlier record, with its id, or its offset among the rows."""
    c = records.c
    earlier: dict[int, str | int] = {}
    spans: dict[str, str | int] = {}
    hashes = list({row.hash for row in rows})
    for start in range(0, len(hashes), _FEW):
        found = connection.execute(
            sa.select(c.input_hash, c.id).where(
                c.set_id == set_id, c.input_hash.in_(hashes[start : start + _FEW])
            )
        )
        earlier |= {row[0]: row[1] for row in found}
    ids = [row.draft.span_id for row in rows if row.draft.span_id is not None]
    for start in range(0, len(ids), _FEW):
        found_spans = connection.execute(
            sa.select(c.span_id, c.id).where(
                c.set_id == set_id, c.span_id.in_(ids[start : start + _FEW])
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


def _taken_ids(connection: Connection, set_id: int, rows: Sequence[NewRecord]) -> set[str]:
    given = [row.draft.id for row in rows if row.draft.id is not None]
    taken: set[str] = set()
    for start in range(0, len(given), _FEW):
        taken |= set(
            connection.execute(
                sa.select(records.c.id).where(
                    records.c.set_id == set_id, records.c.id.in_(given[start : start + _FEW])
                )
            ).scalars()
        )
    return taken


def _reserve(connection: Connection, count: int) -> int:
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


def _ids_of(connection: Connection, seqs: set[int]) -> dict[int, str]:
    listed = sorted(seqs)
    found: dict[int, str] = {}
    for start in range(0, len(listed), _FEW):
        rows = connection.execute(
            sa.select(records.c.seq, records.c.id).where(
                records.c.seq.in_(listed[start : start + _FEW])
            )
        )
        found |= {row[0]: row[1] for row in rows}
    return found


def _duplicate_issue(name: str) -> ValidationIssue:
    return ValidationIssue("duplicate", f"Repeats record {name}.")


def _issue_row(
    dataset_id: str,
    seq: int,
    issue: ValidationIssue,
    import_id: str | None = None,
    line: int | None = None,
) -> dict[str, Any]:
    return {
        "dataset_id": dataset_id,
        "seq": seq,
        "import_id": import_id,
        "line": line,
        "code": issue.code,
        "message": issue.message,
    }
