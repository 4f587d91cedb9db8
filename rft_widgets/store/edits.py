"""Changing records: their bodies and their topics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from rft_widgets.errors import StaleEdit
from rft_widgets.model.record import RecordDraft, ValidationIssue
from rft_widgets.store import datasets, history, search
from rft_widgets.store.clock import now_us
from rft_widgets.store.payload import Body, encode, input_hash
from rft_widgets.store.records import missing_record
from rft_widgets.store.schema import issues, payloads, record_sets, records
from rft_widgets.store.validity import Keys, issue_row, refresh_duplicates

if TYPE_CHECKING:
    from rft_widgets.store.connection import Store


def edit(
    store: Store,
    dataset_id: str,
    record_id: str,
    draft: RecordDraft,
    tokens: int,
    found: tuple[ValidationIssue, ...],
    *,
    expected_version: int,
    given: dict[str, Any],
) -> None:
    """Replace the body of a record, keeping what it held before; ``given`` goes into the log.

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
                issues.insert(), [issue_row(dataset_id, row.seq, issue) for issue in found]
            )
        refresh_duplicates(connection, dataset_id, set_id, Keys({row.input_hash, key}, set()))
        search.replace_text(store, connection, set_id, row.seq, before, after)
        datasets.touch(connection, dataset_id)
        history.log(connection, dataset_id, "edit_record", {"record": record_id, "changes": given})
