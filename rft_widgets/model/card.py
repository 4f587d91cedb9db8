"""A dataset in the list of datasets."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from rft_widgets.model.job import JobState
from rft_widgets.model.pipeline import ListStatus, NodeStatus


class DatasetCard(Struct, frozen=True, kw_only=True):
    """What the list shows of a dataset.

    Attributes
    ----------
    steps
        Status of the seven steps, in their order.
    status
        What the list filters by.
    status_line
        Where the dataset stands, in words; see `rft_widgets.model.pipeline.status_line`.
    job
        Long work on the dataset that runs, or waits for its turn.
    """

    id: str
    name: str
    objective: str
    records: int
    topics: int
    balance: float | None
    steps: tuple[NodeStatus, ...]
    status: ListStatus
    status_line: str
    updated_at: datetime
    job: JobState | None = None
