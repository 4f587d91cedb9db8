"""A training run of a dataset, written for a framework that is started elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct, structs

from rft_widgets.dataset.training import HasTraining, training_config
from rft_widgets.jobs.training import slug
from rft_widgets.model.grader import Grader
from rft_widgets.model.record import Record
from rft_widgets.model.training import TrainingConfig
from rft_widgets.steps.grade import resolved
from rft_widgets.trainers.base import TrainingData
from rft_widgets.trainers.export import ExportedTraining, ExportTarget, write_training


class _Parts(Struct, frozen=True):
    data: TrainingData
    config: TrainingConfig
    grader: Grader


class ExportsTraining(HasTraining):
    """Training for teams that have a launcher of their own."""

    def export_training(
        self,
        folder: str | Path,
        target: ExportTarget,
        config: TrainingConfig | Mapping[str, Any] | None = None,
    ) -> ExportedTraining:
        """Write what a framework trains from: the split records, the grader, settings, a script.

        Nothing is trained, and the folder does not need this package.

        Parameters
        ----------
        folder
            Where to; made if it is not there.
        target
            ``"verl"`` (Parquet), ``"openrlhf"`` (JSON lines) or ``"trl"`` (a program).
        config
            Base model, split and hyperparameters, as the trainer ``trl`` has them. Its trainer
            does not count.

        Returns
        -------
        The folder, and in ``notes`` what is left out or done otherwise.

        Raises
        ------
        InvalidArgument
            There is no grader, no valid record or no such target, or the configuration is wrong.
        ExtraRequired
            verl's data is Parquet, which needs pyarrow.
        """
        chosen = structs.replace(training_config(config), trainer="trl")
        version = self._version(None)
        split = self.split(chosen)
        named = resolved(version.connection, version.grader, self.named_connection)
        data = TrainingData(
            train=self._of_ids(split.train_ids), valid=self._of_ids(split.valid_ids)
        )
        made = write_training(
            target,
            _Parts(data, chosen, version.grader),
            folder,
            name=slug(self.name),
            connections=named,
        )
        return structs.replace(made, notes=(*split.notes, *made.notes))

    def _of_ids(self, ids: tuple[str, ...]) -> tuple[Record, ...]:
        return tuple(self.iterate(self.select(ids=ids))) if ids else ()
