"""A training run for frameworks that are started elsewhere: data, grader, settings and a script.

Nothing is trained here. The folder needs the framework and what the grader needs, and not this
package.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Protocol, get_args

from msgspec import Struct

from rft_widgets.errors import InvalidArgument
from rft_widgets.model.connection import ConnectionSettings
from rft_widgets.trainers.export import openrlhf, verl
from rft_widgets.trainers.export.rows import Written
from rft_widgets.trainers.trl.directory import Parts, usable_records, write_training_directory

ExportTarget = Literal["verl", "openrlhf", "trl"]
TARGETS: tuple[ExportTarget, ...] = get_args(ExportTarget)
"""Frameworks that a training run can be written for."""

_LAUNCH = """\
#!/usr/bin/env bash
# As many processes as accelerate.yaml says.
set -euo pipefail
cd "$(dirname "$0")"
exec accelerate launch --config_file accelerate.yaml train.py "$@"
"""


class ExportedTraining(Struct, frozen=True, kw_only=True):
    """A folder that a framework trains from.

    Attributes
    ----------
    launch
        The script that starts it.
    train, valid
        Prompts to learn from and to measure on.
    notes
        What is left out or done otherwise, in words.
    """

    target: ExportTarget
    folder: Path
    launch: Path
    train: int
    valid: int
    notes: tuple[str, ...]


class _Framework(Protocol):
    def write(
        self, parts: Parts, folder: Path, name: str, connections: Sequence[ConnectionSettings]
    ) -> Written: ...


def write_training(
    target: ExportTarget,
    parts: Parts,
    folder: str | Path,
    *,
    name: str,
    connections: Sequence[ConnectionSettings] = (),
) -> ExportedTraining:
    """Write a training run for a framework.

    Parameters
    ----------
    target
        The framework.
    parts
        Records, configuration with the trainer ``trl``'s hyperparameters, and grader.
    folder
        Where to; made if it is not there.
    name
        What the data and the run are called.
    connections
        Where the grader asks models.

    Raises
    ------
    InvalidArgument
        There is no such target, or a hyperparameter is not right.
    ExtraRequired
        verl's data is Parquet, which needs pyarrow.
    """
    if target not in TARGETS:
        raise InvalidArgument(
            f"A training run cannot be written for {target!r}.",
            hint=f"Use one of {', '.join(TARGETS)}.",
        )
    folder = Path(folder)
    if target == "trl":
        write_training_directory(parts, folder, connections=connections)
        launch = folder / "run.sh"
        launch.write_text(_LAUNCH, encoding="utf-8")
        launch.chmod(0o755)
        (train, fit), (valid, other) = map(usable_records, (parts.data.train, parts.data.valid))
        notes = (*fit, *(f"Of validation: {note}" for note in other))
        written = Written(launch=launch, train=len(train), valid=len(valid), notes=notes)
    else:
        framework: _Framework = {"verl": verl, "openrlhf": openrlhf}[target]
        written = framework.write(parts, folder, name, connections)
    return ExportedTraining(
        target=target,
        folder=folder,
        launch=written.launch,
        train=written.train,
        valid=written.valid,
        notes=written.notes,
    )
