"""The validity of a dataset's records, always on screen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import traitlets

from rft_widgets.dataset import OptimizationDataset
from rft_widgets.model.record import HealthReport
from rft_widgets.widgets import rpc
from rft_widgets.widgets.base import DatasetWidget, tell
from rft_widgets.widgets.refresher import Snapshot
from rft_widgets.widgets.traits import Value


class HealthBar(DatasetWidget):
    """How many records are valid, and what is wrong with the others; made by `health_bar`."""

    component: ClassVar[str] = "health_bar"

    report = Value(HealthReport)
    activity = traitlets.Unicode().tag(sync=True)
    """What is being done to the records right now, such as an import; empty when nothing is."""

    def __init__(self, dataset: OptimizationDataset) -> None:
        self._on_view_issues: list[Callable[..., object]] = []
        super().__init__(dataset)

    def shown(self, snapshot: Snapshot) -> dict[str, Any]:
        """Traits that show a dataset in this state."""
        return {"report": snapshot.health, "activity": activity_of(snapshot)}

    def on_view_issues(self, callback: Callable[[], object]) -> None:
        """Call ``callback()`` when somebody wants to see the invalid records."""
        self._on_view_issues.append(callback)

    @rpc.method()
    def view_issues(self) -> None:
        """Somebody wants to see the invalid records."""
        tell(self._on_view_issues)


def health_bar(dataset: OptimizationDataset) -> HealthBar:
    """Show how valid a dataset's records are; the bar follows the dataset."""
    return HealthBar(dataset)


def activity_of(snapshot: Snapshot) -> str:
    """What is being done to the records right now, such as an import; empty when nothing is."""
    steps = snapshot.pipeline.nodes if snapshot.pipeline else ()
    extracting = [node for node in steps if node.id == 1 and node.status == "processing"]
    return extracting[0].summary if extracting else ""
