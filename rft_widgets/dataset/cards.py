"""The list of datasets: a card each, read anew only where something changed."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

import msgspec

from rft_widgets.dataset import OptimizationDataset
from rft_widgets.errors import NotFound
from rft_widgets.model.card import DatasetCard
from rft_widgets.model.dataset import DatasetInfo
from rft_widgets.model.job import AT_WORK
from rft_widgets.model.pipeline import status_line
from rft_widgets.pipeline import read_pipeline
from rft_widgets.store import jobs, pulse
from rft_widgets.store.connection import Store
from rft_widgets.store.last_used import LastUsed

KeptCards = LastUsed[tuple[Hashable, DatasetCard]]
"""Cards that were read before, by dataset, with what they were read at."""


def read_cards(store: Store, infos: Iterable[DatasetInfo], kept: KeptCards) -> list[DatasetCard]:
    """Cards of datasets, in their order; one that was deleted meanwhile is left out."""
    with store.read() as connection:
        pulses = pulse.read_all(connection)
        at_work = {
            job.dataset_id: job
            for status in AT_WORK  # what runs goes before what waits
            for job in jobs.read_all(connection, status=status)
        }
    found = []
    for info in infos:
        now = pulses.get(info.id)
        before = kept.get(info.id)
        if before is not None and before[0] == now:
            card = before[1]
        else:
            try:
                card = _read(store, info)
            except NotFound:
                continue
            kept.put(info.id, (now, card))
        found.append(msgspec.structs.replace(card, job=at_work.get(info.id)))
    return found


def _read(store: Store, info: DatasetInfo) -> DatasetCard:
    stats = OptimizationDataset(store, info.id).stats
    pipeline = read_pipeline(store, info.id, stats)
    return DatasetCard(
        id=info.id,
        name=info.name,
        objective=info.objective,
        records=stats.total_records,
        topics=stats.topics_count,
        balance=stats.balance_score,
        steps=tuple(node.status for node in pipeline.nodes),
        status=pipeline.list_status,
        status_line=status_line(pipeline),
        updated_at=info.updated_at,
    )
