"""A dry run as it is kept: what was asked for, what it worked from, and its report."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct

from rft_widgets.model.report import DryRunReport
from rft_widgets.model.run import RunInputs


class DryRunConfig(Struct, frozen=True, kw_only=True):
    """What a dry run was asked for.

    ``n`` prompts, at most ``k`` answers to each, ``seed`` of the choice; ``answers`` says whether
    recorded ones were graded or such that a model gave during the run.
    """

    n: int
    k: int
    seed: int
    probes: bool
    answers: Literal["recorded", "model"]


class DryRun(Struct, frozen=True, kw_only=True):
    """One dry run of a dataset; ``report`` is ``None`` of one that was cut off."""

    id: str
    config: DryRunConfig
    inputs: RunInputs
    report: DryRunReport | None
    started_at: datetime
    finished_at: datetime | None
