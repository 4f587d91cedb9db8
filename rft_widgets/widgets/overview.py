"""A dataset at a glance: a bar of commands, the health of its records, and its pipeline."""

from __future__ import annotations

from typing import Any, ClassVar

import traitlets

from rft_widgets.dataset import OptimizationDataset
from rft_widgets.model.pipeline import PipelineState
from rft_widgets.model.record import HealthReport
from rft_widgets.widgets.base import DatasetWidget
from rft_widgets.widgets.canvas import checked_height
from rft_widgets.widgets.health_bar import activity_of
from rft_widgets.widgets.refresher import Snapshot
from rft_widgets.widgets.traits import Value


class Overview(DatasetWidget):
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
