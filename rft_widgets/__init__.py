"""Turn the traffic of an LLM application into a better model, from a notebook."""

from rft_widgets.dataset import OptimizationDataset
from rft_widgets.errors import RftError
from rft_widgets.model.record import Record, RecordDraft, RecordFilter, Selection
from rft_widgets.traces.source import open_traces
from rft_widgets.workspace import Workspace

__version__ = "0.1.0"

__all__ = [
    "OptimizationDataset",
    "Record",
    "RecordDraft",
    "RecordFilter",
    "RftError",
    "Selection",
    "Workspace",
    "__version__",
    "open_traces",
]
