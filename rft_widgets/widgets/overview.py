"""A dataset at a glance: a bar of commands, the health of its records, and its pipeline."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Literal

import traitlets

from rft_widgets.dataset import OptimizationDataset
from rft_widgets.model.pipeline import PipelineState
from rft_widgets.model.record import HealthReport
from rft_widgets.widgets import rpc
from rft_widgets.widgets.base import DatasetWidget
from rft_widgets.widgets.canvas import checked_height
from rft_widgets.widgets.downloads import Download, Offers, file_name
from rft_widgets.widgets.health_bar import activity_of
from rft_widgets.widgets.refresher import Snapshot
from rft_widgets.widgets.traits import Value

RecordsFormat = Literal["jsonl", "training", "csv"]

_ENDINGS = {"jsonl": "jsonl", "training": "jsonl", "csv": "csv"}
_WHAT = {"jsonl": "records", "training": "training", "csv": "records"}


class Overview(Offers, DatasetWidget):
    """What a dataset shows of itself in a cell; made by `overview`."""

    component: ClassVar[str] = "overview"

    state = Value(PipelineState)
    report = Value(HealthReport)
    activity = traitlets.Unicode().tag(sync=True)
    """What is being done to the records right now; empty when nothing is."""
    height = traitlets.Int().tag(sync=True)
    """Of the canvas, in pixels."""

    def shown(self, snapshot: Snapshot) -> dict[str, Any]:
        """Traits that show a dataset in this state."""
        return {
            "state": snapshot.pipeline,
            "report": snapshot.health,
            "activity": activity_of(snapshot),
        }

    @rpc.method(background=True)
    def download_records(
        self, file_format: RecordsFormat, cancelled: Callable[[], bool]
    ) -> Download:
        """All records as a file; training files hold the valid ones."""
        return offer_records(self, self._dataset, file_format, cancelled)

    @rpc.method(background=True)
    def download_topics(self) -> Download:
        """The topics as a file."""
        name = file_name(self._dataset.name, "topics", "json")
        return self.offer(
            name,
            lambda path, _: self._dataset.export_topics(path),
            call=f"ds.export_topics({name!r})",
        )


def offer_records(
    view: Offers,
    dataset: OptimizationDataset,
    file_format: RecordsFormat,
    cancelled: Callable[[], bool],
) -> Download:
    """Write the records of a dataset for a page to take away."""
    name = file_name(dataset.name, _WHAT[file_format], _ENDINGS[file_format])
    return view.offer(
        name,
        lambda path, room: dataset.export_records(
            path, format=file_format, progress=lambda _: room.check()
        ),
        call=f"ds.export_records({name!r}, format={file_format!r})",
        cancelled=cancelled,
    )


def overview(dataset: OptimizationDataset, *, height: int = 760) -> Overview:
    """Show a dataset: commands, health and pipeline; it follows every change.

    Parameters
    ----------
    dataset
        What to show.
    height
        Height of the canvas on the page in pixels.
    """
    return Overview(dataset, height=checked_height(height))
