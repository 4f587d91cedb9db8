"""The pipeline as seven connected steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, ClassVar

import msgspec
import traitlets

from rft_widgets.dataset import OptimizationDataset
from rft_widgets.errors import InvalidArgument
from rft_widgets.model.pipeline import PIPELINE_STEPS, PipelineState
from rft_widgets.widgets import rpc
from rft_widgets.widgets.base import DatasetWidget, tell
from rft_widgets.widgets.refresher import Snapshot
from rft_widgets.widgets.traits import PAGE_WRITABLE, Value

MIN_HEIGHT, MAX_HEIGHT = 200, 4000

StepId = Annotated[int, msgspec.Meta(ge=1, le=len(PIPELINE_STEPS))]


class PipelineCanvas(DatasetWidget):
    """The seven steps of a dataset, as they stand; made by `canvas`."""

    component: ClassVar[str] = "canvas"

    state = Value(PipelineState)
    height = traitlets.Int().tag(sync=True)
    selected = traitlets.Int(0, min=0, max=len(PIPELINE_STEPS)).tag(
        sync=True, **{PAGE_WRITABLE: True}
    )
    """The step that was opened last, 0 for none."""

    def __init__(self, dataset: OptimizationDataset, *, height: int) -> None:
        self._on_open: list[Callable[..., object]] = []
        super().__init__(dataset, height=height)

    def shown(self, snapshot: Snapshot) -> dict[str, Any]:
        """Traits that show a dataset in this state."""
        return {"state": snapshot.pipeline}

    def on_open(self, callback: Callable[[int], object]) -> None:
        """Call ``callback(step)`` when somebody activates a step on the page."""
        self._on_open.append(callback)

    @rpc.method()
    def open_step(self, step: StepId) -> None:
        """Somebody activated a step."""
        with self._lock:
            self.selected = step
        tell(self._on_open, step)


def canvas(dataset: OptimizationDataset, *, height: int = 760) -> PipelineCanvas:
    """Show the pipeline of a dataset.

    Parameters
    ----------
    dataset
        What to show; the canvas follows it, whoever changes it.
    height
        Height on the page in pixels.

    Examples
    --------
    >>> view = canvas(ds)  # doctest: +SKIP
    >>> view.on_open(lambda step: print("step", step))  # doctest: +SKIP
    """
    return PipelineCanvas(dataset, height=checked_height(height))


def checked_height(height: int) -> int:
    """Take a height that a view may have, and refuse any other."""
    if not MIN_HEIGHT <= height <= MAX_HEIGHT:
        raise InvalidArgument(
            f"A view cannot be {height} pixels high.",
            hint=f"Pass a height from {MIN_HEIGHT} to {MAX_HEIGHT}.",
        )
    return height
