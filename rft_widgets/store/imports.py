"""Imports as the store sees them: batches, their progress, and the one moment they count.

An append commits batch by batch. A replace fills a staging set the same way, out of sight, and
becomes visible by one update of the dataset's pointer. After every batch the row in ``imports``
says how far the file was read, in the same transaction as the records: a killed import goes on
from there without a gap or a repetition.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal

import msgspec
import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine import Connection

from rft_widgets.errors import ImportInterrupted, NotFound
from rft_widgets.model.imports import ImportInfo, LineIssue
from rft_widgets.model.record import ImportResult, LineError
from rft_widgets.store import datasets, history, inserts, trash
from rft_widgets.store.clock import now_us, to_datetime
from rft_widgets.store.schema import imports, issues
from rft_widgets.store.texts import can_hold

if TYPE_CHECKING:
    from rft_widgets.store.connection import Store

ImportMode = Literal["append", "replace"]

_SHOWN_ERRORS = 1_000


class ImportState(Struct, kw_only=True):
    """How far an import is; what the row in ``imports`` holds."""

    id: str
    dataset_id: str
    set_id: int
    mode: ImportMode
    source: str
    fingerprint: str | None
    byte_offset: int = 0
    committed_offset: int = 0
    """Offset as the store has it; two processes that resume one import notice each other by it."""
    lines: int = 0
    blank: int = 0
    imported: int = 0
    valid: int = 0
    duplicates: int = 0
    refused: int = 0
    warnings: dict[str, int] = {}
    recorded: tuple[str, str] | None = None
    """When the first and the last of its records were recorded, where they say so."""


def begin(
    store: Store,
    dataset_id: str,
    *,
    mode: ImportMode,
    source: str,
    fingerprint: str | None,
    import_id: str | None = None,
) -> ImportState:
    """Open an import, under an id of the caller's choice if there is one."""
    with store.write(durable=True) as connection:
        live = datasets.live_set(connection, dataset_id, keep=True)
        set_id = live
        if mode == "replace":
            set_id = datasets.create_set(connection, dataset_id, "staging")
        state = ImportState(
            id=import_id or f"imp_{secrets.token_hex(6)}",
            dataset_id=dataset_id,
            set_id=set_id,
            mode=mode,
            source=source,
            fingerprint=fingerprint,
        )
        now = now_us()
        connection.execute(
            imports.insert().values(
                **_columns(state), status="running", started_us=now, updated_us=now
            )
        )
    return state


def find_unfinished(
    store: Store,
    dataset_id: str,
    *,
    mode: ImportMode | None = None,
    fingerprint: str | None = None,
    import_id: str | None = None,
) -> tuple[ImportState, ...]:
    """Imports of a dataset that did not come to their end, the newest first."""
    query = sa.select(imports).where(
        imports.c.dataset_id == dataset_id, imports.c.status == "running"
    )
    if mode is not None:
        query = query.where(imports.c.mode == mode)
    if fingerprint is not None:
        query = query.where(imports.c.fingerprint == fingerprint)
    if import_id is not None:
        query = query.where(imports.c.id == import_id)
    with store.read() as connection:
        rows = connection.execute(query.order_by(imports.c.started_us.desc())).all()
    return tuple(_state(row) for row in rows)


def write_batch(
    store: Store,
    state: ImportState,
    rows: list[inserts.NewRecord],
    errors: list[LineError],
) -> None:
    """Store a batch and how far the file is read, in one transaction; counts go into `state`."""
    with store.write(durable=True) as connection:
        _check_target(connection, state)
        done = inserts.insert(
            store,
            connection,
            state.dataset_id,
            state.set_id,
            rows,
            import_id=state.id,
            salt=str(_imports_before(connection, state.dataset_id)),
        )
        if errors:
            connection.execute(
                issues.insert(),
                [
                    {
                        "dataset_id": state.dataset_id,
                        "seq": None,
                        "import_id": state.id,
                        "line": error.line,
                        "code": error.code,
                        "message": error.message,
                    }
                    for error in errors
                ],
            )
        state.imported += done.total
        state.valid += done.valid
        state.duplicates += done.duplicates
        state.refused += len(errors)
        moved = connection.execute(
            imports.update()
            .where(imports.c.id == state.id, imports.c.byte_offset == state.committed_offset)
            .values(**_columns(state), updated_us=now_us())
        ).rowcount
        if moved != 1:
            raise ImportInterrupted(
                f"Another process goes on with the import of {state.source}, or gave it up.",
                hint="Let it finish; nothing was stored twice.",
            )
        if state.mode == "append" and rows:
            datasets.touch(connection, state.dataset_id)
    state.committed_offset = state.byte_offset


def finish(
    store: Store,
    state: ImportState,
    origin: dict[str, Any],
) -> None:
    """End an import: a replace becomes visible here, at once and whole.

    ``origin`` says where the records came from, so that they can be fetched again.
    """
    with store.write(durable=True) as connection:
        _check_target(connection, state)
        if state.mode == "replace":
            datasets.make_live(connection, state.dataset_id, state.set_id)
        connection.execute(
            imports.update()
            .where(imports.c.id == state.id)
            .values(status="done", updated_us=now_us())
        )
        datasets.touch(connection, state.dataset_id)
        history.log(
            connection,
            state.dataset_id,
            "import_records",
            {
                "import": state.id,
                "mode": state.mode,
                "source": state.source,
                "fingerprint": state.fingerprint,
                "origin": origin,
                **({"recorded": state.recorded} if state.recorded else {}),
                "imported": state.imported,
                "valid": state.valid,
                "duplicates": state.duplicates,
                "refused": state.refused,
            },
        )


def abandon(store: Store, states: Iterable[ImportState]) -> None:
    """Give up unfinished imports: what an append committed stays, a staging set is erased."""
    for state in states:
        with store.write() as connection:
            connection.execute(imports.delete().where(imports.c.id == state.id))
            connection.execute(
                issues.delete().where(issues.c.seq.is_(None), issues.c.import_id == state.id)
            )
        if state.mode == "replace":
            trash.purge(store, [state.set_id])


def result(store: Store, dataset_id: str, import_id: str) -> ImportResult:
    """What an import did; `NotFound` if the dataset has none of that id."""
    with store.read() as connection:
        check_exists(connection, dataset_id, import_id)
        row = connection.execute(sa.select(imports).where(imports.c.id == import_id)).one()
    return result_of(store, _state(row))


def result_of(store: Store, state: ImportState) -> ImportResult:
    """What an import in this state has done."""
    return ImportResult(
        import_id=state.id,
        lines=state.lines,
        blank=state.blank,
        imported=state.imported,
        valid=state.valid,
        invalid=state.imported - state.valid,
        duplicates=state.duplicates,
        refused=state.refused,
        warnings=dict(state.warnings),
        errors=read_errors(store, state.id),
    )


def check_exists(connection: Connection, dataset_id: str, import_id: str) -> None:
    """Raise `NotFound` unless the dataset has an import of that id."""
    found = (
        can_hold(import_id)
        and connection.execute(
            sa.select(imports.c.id).where(
                imports.c.id == import_id, imports.c.dataset_id == dataset_id
            )
        ).scalar()
    )
    if not found:
        raise NotFound(
            f"Dataset {dataset_id} has no import {import_id!r}.",
            hint="The result of an import names it; imports that were given up are forgotten.",
        )


def read_errors(store: Store, import_id: str, limit: int = _SHOWN_ERRORS) -> tuple[LineError, ...]:
    """Refused lines of an import, in order."""
    with store.read() as connection:
        rows = connection.execute(
            sa.select(issues.c.line, issues.c.code, issues.c.message)
            .where(issues.c.seq.is_(None), issues.c.import_id == import_id)
            .order_by(issues.c.line)
            .limit(limit)
        ).all()
    return tuple(LineError(line, code, message) for line, code, message in rows)


def read_issues(
    connection: Connection, import_id: str, limit: int | None = None
) -> tuple[LineIssue, ...]:
    """Faults of an import's lines, in order: of those that were refused, and of invalid records."""
    rows = connection.execute(
        sa.select(issues.c.line, issues.c.code, issues.c.message, issues.c.seq)
        .where(issues.c.import_id == import_id, issues.c.line.is_not(None))
        .order_by(issues.c.line, issues.c.id)
        .limit(limit)
    )
    return tuple(LineIssue(line, code, message, seq is None) for line, code, message, seq in rows)


def read_all(connection: Connection, dataset_id: str) -> tuple[ImportInfo, ...]:
    """Imports of a dataset, the newest first."""
    live = datasets.live_set(connection, dataset_id)
    rows = connection.execute(
        sa.select(imports)
        .where(imports.c.dataset_id == dataset_id)
        .order_by(imports.c.started_us.desc(), imports.c.id)
    )
    return tuple(
        ImportInfo(
            id=row.id,
            mode=row.mode,
            source=row.source,
            finished=row.status == "done",
            current=row.set_id == live,
            started_at=to_datetime(row.started_us),
            updated_at=to_datetime(row.updated_us),
            lines=row.lines,
            blank=row.blank,
            imported=row.imported,
            valid=row.valid,
            invalid=row.imported - row.valid,
            duplicates=row.duplicates,
            refused=row.refused,
            fingerprint=row.fingerprint,
        )
        for row in rows
    )


def refused_lines(connection: Connection, dataset_id: str, set_id: int) -> int:
    """Count the lines that the imports into a set refused."""
    return int(
        connection.execute(
            sa.select(sa.func.coalesce(sa.func.sum(imports.c.refused), 0)).where(
                imports.c.dataset_id == dataset_id, imports.c.set_id == set_id
            )
        ).scalar_one()
    )


def _imports_before(connection: Connection, dataset_id: str) -> int:
    done = sa.select(sa.func.count()).where(
        imports.c.dataset_id == dataset_id, imports.c.status == "done"
    )
    return int(connection.execute(done).scalar_one())


def _check_target(connection: Connection, state: ImportState) -> None:
    live = datasets.live_set(connection, state.dataset_id, keep=True)
    if state.mode == "append" and live != state.set_id:
        raise ImportInterrupted(
            f"All records of the dataset were replaced while {state.source} was being appended; "
            f"the {state.imported:,} records appended before that were replaced, too.",
            hint="Start the import again if it should be added to the new records.",
        )


def _columns(state: ImportState) -> dict[str, object]:
    columns = msgspec.structs.asdict(state)
    del columns["committed_offset"]
    columns["warnings"] = msgspec.json.encode(state.warnings).decode()
    columns["recorded"] = state.recorded and msgspec.json.encode(state.recorded).decode()
    return columns


def _state(row: sa.Row[tuple[object, ...]]) -> ImportState:
    stored = ImportState.__struct_fields__
    fields: dict[str, Any] = {name: value for name, value in row._mapping.items() if name in stored}  # noqa: SLF001 - its documented name
    fields["warnings"] = msgspec.json.decode(row.warnings)
    fields["recorded"] = row.recorded and msgspec.json.decode(row.recorded, type=tuple[str, str])
    return ImportState(**fields, committed_offset=row.byte_offset)
