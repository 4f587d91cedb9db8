"""What every dialog is: a widget about one step of a dataset, shown in a cell or above another."""

from __future__ import annotations

from typing import Any, ClassVar

from rft_widgets.dataset.model_choices import model_choices
from rft_widgets.model.connection import ModelChoice
from rft_widgets.model.pipeline import PipelineNode
from rft_widgets.widgets import rpc
from rft_widgets.widgets.base import DatasetWidget
from rft_widgets.widgets.refresher import Snapshot
from rft_widgets.widgets.traits import Value


class Dialog(DatasetWidget):
    """A dialog about a step.

    What it shows, a page asks for by calls and asks again when ``revision`` moves: traits would
    stand in saved notebooks.
    """

    step: ClassVar[int]
    """The step that it is about (1..7)."""

    node = Value(PipelineNode)
    """The step as it stands."""

    def shown(self, snapshot: Snapshot) -> dict[str, Any]:
        """Traits that show a dataset in this state."""
        nodes = snapshot.pipeline.nodes if snapshot.pipeline else ()
        return {"node": next((node for node in nodes if node.id == self.step), None)}

    @rpc.method()
    def models(self) -> tuple[ModelChoice, ...]:
        """The connections that may be chosen where a model is to be asked."""
        return model_choices(self._dataset._store)  # noqa: SLF001 - views see what it stands on
