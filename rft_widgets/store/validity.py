"""What makes stored records invalid: the rows that say so, and which records repeat others."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine import Connection

from rft_widgets.model.record import ValidationIssue
from rft_widgets.store.bulk import FEW
from rft_widgets.store.schema import issues, records

DUPLICATE = "duplicate"


class Keys(Struct, frozen=True):
    """What makes records repeat each other."""

    hashes: set[int]
    spans: set[str]


def refresh_duplicates(
    connection: Connection, dataset_id: str, set_id: int, keys: Keys | None
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
        for start in range(0, len(seqs), FEW):
            found = connection.execute(
                sa.select(issues.c.seq, issues.c.message).where(
                    issues.c.seq.in_(seqs[start : start + FEW]), issues.c.code == DUPLICATE
                )
            )
            flagged |= {row[0]: row[1] for row in found}
    names = _ids_of(connection, set(should.values()))
    said = {seq: duplicate_issue(names[first]) for seq, first in should.items()}
    # One that repeats another record than before is flagged anew, with the name of that one.
    new = [seq for seq, issue in said.items() if flagged.get(seq) != issue.message]
    again = set(new)
    cleared = [seq for seq in flagged if seq not in should or seq in again]
    for start in range(0, len(cleared), FEW):
        connection.execute(
            issues.delete().where(
                issues.c.seq.in_(cleared[start : start + FEW]), issues.c.code == DUPLICATE
            )
        )
    if new:
        connection.execute(issues.insert(), [issue_row(dataset_id, seq, said[seq]) for seq in new])
    changed = [*new, *(seq for seq in cleared if seq not in said)]
    for start in range(0, len(changed), FEW):
        broken = sa.exists().where(issues.c.seq == c.seq)
        connection.execute(
            records.update()
            .where(c.seq.in_(changed[start : start + FEW]))
            .values(is_valid=sa.case((broken, 0), else_=1))
        )


def repeated(connection: Connection, seq: int, key: int) -> tuple[ValidationIssue, ...]:
    """What would be said of the record in a row if its input had the hash ``key``."""
    c, mine = records.c, records.alias()
    first = connection.execute(
        sa.select(c.id)
        .join(mine, mine.c.set_id == c.set_id)
        .where(
            mine.c.seq == seq, c.seq < seq, sa.or_(c.input_hash == key, c.span_id == mine.c.span_id)
        )
        .order_by(c.seq)
        .limit(1)
    ).scalar()
    return () if first is None else (duplicate_issue(first),)


def keys_of(connection: Connection, set_id: int) -> Keys | None:
    """Keys of all records of a set; ``None`` when they are too many to be worth listing."""
    found = connection.execute(
        sa.select(records.c.input_hash, records.c.span_id)
        .where(records.c.set_id == set_id)
        .limit(20 * FEW + 1)
    ).all()
    if len(found) > 20 * FEW:
        return None
    return Keys({key for key, _ in found}, {span for _, span in found if span is not None})


def duplicate_issue(name: str) -> ValidationIssue:
    """The issue of a record that repeats the one of that name."""
    return ValidationIssue("duplicate", f"Repeats record {name}.")


def issue_row(
    dataset_id: str,
    seq: int,
    issue: ValidationIssue,
    import_id: str | None = None,
    line: int | None = None,
) -> dict[str, Any]:
    """Row of the table of issues."""
    return {
        "dataset_id": dataset_id,
        "seq": seq,
        "import_id": import_id,
        "line": line,
        "code": issue.code,
        "message": issue.message,
    }


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


def _parts(keys: Keys | None) -> Iterable[sa.ColumnElement[bool] | None]:
    """Conditions that together hold for every record with one of the keys."""
    if keys is None:
        yield None
        return
    hashes, spans = sorted(keys.hashes), sorted(keys.spans)
    for start in range(0, len(hashes), FEW):
        yield records.c.input_hash.in_(hashes[start : start + FEW])
    for start in range(0, len(spans), FEW):
        yield records.c.span_id.in_(spans[start : start + FEW])


def _ids_of(connection: Connection, seqs: set[int]) -> dict[int, str]:
    listed = sorted(seqs)
    found: dict[int, str] = {}
    for start in range(0, len(listed), FEW):
        rows = connection.execute(
            sa.select(records.c.seq, records.c.id).where(
                records.c.seq.in_(listed[start : start + FEW])
            )
        )
        found |= {row[0]: row[1] for row in rows}
    return found
