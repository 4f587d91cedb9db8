"""The records of a dataset as a table that is read page by page."""

from __future__ import annotations

from typing import ClassVar

from rft_widgets.dataset import OptimizationDataset
from rft_widgets.widgets.base import DatasetWidget


class RecordsGrid(DatasetWidget):
    """The records of a dataset; made by `records_grid`."""

    component: ClassVar[str] = "records_grid"


WIDGET = RecordsGrid


def records_grid(dataset: OptimizationDataset) -> RecordsGrid:
    """Show the records of a dataset; the table follows the dataset."""
    return RecordsGrid(dataset)
