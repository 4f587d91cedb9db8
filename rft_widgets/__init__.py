"""Turn the traffic of an LLM application into a better model, from a notebook."""

from rft_widgets.dataset import OptimizationDataset
from rft_widgets.dataset.deployment import Deployment
from rft_widgets.dataset.training import TrainingJob
from rft_widgets.errors import RftError
from rft_widgets.graders.presets import preset
from rft_widgets.model.generation import GenerationConfig
from rft_widgets.model.llm import ModelConnection
from rft_widgets.model.record import Record, RecordDraft, RecordFilter, Selection
from rft_widgets.model.training import TrainingConfig
from rft_widgets.traces.source import open_traces
from rft_widgets.workspace import Workspace

__version__ = "0.1.0"

__all__ = [
    "Deployment",
    "GenerationConfig",
    "ModelConnection",
    "OptimizationDataset",
    "Record",
    "RecordDraft",
    "RecordFilter",
    "RftError",
    "Selection",
    "TrainingConfig",
    "TrainingJob",
    "Workspace",
    "__version__",
    "open_traces",
    "preset",
]
