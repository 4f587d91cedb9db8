"""A dataset: the object that notebooks, pages and scripts work with."""

from __future__ import annotations

from rft_widgets.dataset.checkpoints import ComparesCheckpoints
from rft_widgets.dataset.connections import HasConnections
from rft_widgets.dataset.display import Displayed
from rft_widgets.dataset.grader_export import ExportsGraders
from rft_widgets.dataset.job import HasJobs
from rft_widgets.dataset.log import HasLog
from rft_widgets.dataset.training_export import ExportsTraining
from rft_widgets.dataset.trust import ChecksTrust

__all__ = ["OptimizationDataset"]


class OptimizationDataset(
    ComparesCheckpoints,
    ExportsTraining,
    HasConnections,
    ChecksTrust,
    ExportsGraders,
    HasJobs,
    HasLog,
    Displayed,
):
    """A set of records on their way to a better model.

    Every property reads the store when it is asked, so two objects of one dataset, in one process
    or in several, never disagree. Made by `Workspace`, not by hand.
    """
