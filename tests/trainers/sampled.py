"""Sample traffic, read by the real readers, as stored records."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import rft_widgets as rft
from rft_widgets.model.record import Record, RecordDraft
from rft_widgets.sample.support import write_sample
from rft_widgets.steps.split import split_records
from rft_widgets.trainers import TrainingData

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def stored(draft: RecordDraft, **changes: object) -> Record:
    fields: dict[str, object] = {
        name: getattr(draft, name)
        for name in ("input", "output", "item", "metadata", "span_id", "thread_id", "topic",
                     "topic_confidence", "topic_method", "is_generated", "source_record_id")
    }  # fmt: skip
    fields |= {
        "id": draft.id or draft.span_id, "dataset_id": "d", "topic_runner_up": None,
        "previous_topic": None, "is_valid": True, "validation_errors": (), "dry_run_score": None,
        "tokens": 10, "version": 1, "created_at": NOW, "updated_at": NOW,
    }  # fmt: skip
    return Record(**(fields | changes))  # type: ignore[arg-type]


def split_data(records: list[Record], seed: int = 0) -> TrainingData:
    split = split_records(records, seed=seed)
    by_id = {record.id: record for record in records}
    return TrainingData(
        tuple(by_id[i] for i in split.train_ids), tuple(by_id[i] for i in split.valid_ids)
    )


def sample_of_size(path: Path, n: int) -> list[Record]:
    write_sample(path, n=n)
    drafts = rft.open_traces(path).filter(has_response=True).to_records()
    return [stored(draft, topic=draft.metadata["true_topic"]) for draft in drafts]
