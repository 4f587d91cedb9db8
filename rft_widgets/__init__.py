"""Turn the traffic of an LLM application into a better model, from a notebook."""

from typing import TYPE_CHECKING, Any

from rft_widgets.dataset import OptimizationDataset
from rft_widgets.dataset.deployment import Deployment
from rft_widgets.dataset.job import Job
from rft_widgets.dataset.training_job import TrainingJob
from rft_widgets.errors import RftError
from rft_widgets.graders.panel import panel
from rft_widgets.graders.presets import preset
from rft_widgets.llm.replay import ReplayedModel
from rft_widgets.model.generation import GenerationConfig
from rft_widgets.model.llm import ModelConnection
from rft_widgets.model.record import Record, RecordDraft, RecordFilter, Selection
from rft_widgets.model.training import TrainingConfig
from rft_widgets.traces.source import open_traces
from rft_widgets.workspace import Workspace

if TYPE_CHECKING:
    from rft_widgets.widgets.app import App

__version__ = "0.1.0"

__all__ = [
    "App",
    "Deployment",
    "GenerationConfig",
    "Job",
    "ModelConnection",
    "OptimizationDataset",
    "Record",
    "RecordDraft",
    "RecordFilter",
    "ReplayedModel",
    "RftError",
    "Selection",
    "TrainingConfig",
    "TrainingJob",
    "Workspace",
    "__version__",
    "open_traces",
    "panel",
    "preset",
]


def __getattr__(name: str) -> Any:
    if name == "App":  # loads Jupyter's widgets, which whoever shows nothing does not need
        from rft_widgets.widgets.app import App  # noqa: PLC0415

        return App
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
