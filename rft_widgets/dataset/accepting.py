"""Making records of generated candidates."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

import msgspec
from sqlalchemy.engine import Connection

from rft_widgets.dataset.coverage import coverage_now
from rft_widgets.dataset.generation_state import check_open
from rft_widgets.errors import InvalidArgument
from rft_widgets.model.generation import AcceptedCandidates, Candidate
from rft_widgets.model.record import RecordDraft
from rft_widgets.steps.generation import draft_of, room_for
from rft_widgets.steps.parse import chat_json
from rft_widgets.steps.validate import validate
from rft_widgets.store import datasets, history, inserts, records, search, topics
from rft_widgets.store import generation as batches
from rft_widgets.store.generation import StoredBatch

if TYPE_CHECKING:
    from rft_widgets.store.connection import Store


def accept_candidates(
    store: Store, dataset_id: str, batch_id: str, ids: Collection[int] | None
) -> AcceptedCandidates:
    """Make records of open candidates, in one transaction; by default of those without a fault.

    Raises
    ------
    InvalidArgument
        See `GenerationBatch.accept`.
    """
    with store.write(durable=True) as connection:
        set_id = datasets.live_set(connection, dataset_id, keep=True)
        stored = batches.read(connection, dataset_id, batch_id)
        chosen = _chosen(connection, stored, ids)
        _check_share(connection, set_id, stored, len(chosen))
        leaves = set(topics.current(connection, dataset_id).paths)
        drafts = [_draft(one, stored, leaves) for one in chosen]
        rows = [inserts.new_record(draft, *validate(draft.input, draft.output)) for draft in drafts]
        done = inserts.insert(store, connection, dataset_id, set_id, rows, salt=batch_id)
        batches.decide(
            connection,
            batch_id,
            {
                one.id: ("accepted", record_id)
                for one, record_id in zip(chosen, done.ids, strict=True)
            },
        )
        if chosen:
            datasets.touch(connection, dataset_id)
            details = {
                "batch": batch_id,
                "candidates": [one.id for one in chosen],
                "without_topic": [one.id for one in chosen if one.topic not in leaves],
                "records": done.total,
            }
            history.log(connection, dataset_id, "accept_candidates", details)
        balance = coverage_now(connection, dataset_id).balance_score
    search.index_pending(store, set_id)
    return AcceptedCandidates(
        records=done.total,
        record_ids=done.ids,
        invalid=done.total - done.valid,
        without_topic=sum(draft.topic is None for draft in drafts),
        balance_score=balance,
    )


def accepted_lines(
    store: Store,
    dataset_id: str,
    batch_id: str,
    candidates: Sequence[int],
    without_topic: Sequence[int] = (),
) -> list[str]:
    """The records that candidates became, as the lines of a file that holds them."""
    with store.read() as connection:
        stored = batches.read(connection, dataset_id, batch_id)
        rows = batches.read_candidates(connection, batch_id, positions=candidates)
    made = [one.candidate for one in rows]
    leaves = {one.topic for one in made if one.id not in without_topic}
    drafts = [_draft(one, stored, leaves) for one in made]
    return [msgspec.json.encode(chat_json(draft)).decode() for draft in drafts]


def _chosen(
    connection: Connection, stored: StoredBatch, ids: Collection[int] | None
) -> list[Candidate]:
    if ids is None:
        rows = batches.read_candidates(connection, stored.id, states=("open",), fault="")
        return [one.candidate for one in rows]
    rows = batches.read_candidates(connection, stored.id, positions=ids)
    check_open(stored.id, ids, rows)
    empty = [one.candidate.id for one in rows if not one.candidate.messages]
    if empty:
        raise InvalidArgument(
            f"Candidate {empty[0]} of batch {stored.id} holds no prompt.",
            hint="Leave it out, or have it generated anew.",
        )
    return [one.candidate for one in rows]


def _check_share(connection: Connection, set_id: int, stored: StoredBatch, new: int) -> None:
    facets = records.facets(connection, set_id)
    total = sum(n for *_, n in facets)
    generated = sum(n for _, _, is_generated, n in facets if is_generated)
    ratio = stored.plan.config.max_synthetic_ratio
    room = room_for(ratio, total, generated)
    if new > room:
        raise InvalidArgument(
            f"With {new:,} more, generated records would be more than {ratio:.0%} of the dataset; "
            f"there is room for {room:,}.",
            hint="Accept fewer, or plan with a higher max_synthetic_ratio.",
        )


def _draft(candidate: Candidate, stored: StoredBatch, leaves: set[str]) -> RecordDraft:
    draft = draft_of(
        candidate,
        record_id=f"{stored.id}-{candidate.id}",
        batch_id=stored.id,
        connection=stored.model.name,
    )
    if draft.topic in leaves:
        return draft
    return msgspec.structs.replace(draft, topic=None, topic_method=None)
