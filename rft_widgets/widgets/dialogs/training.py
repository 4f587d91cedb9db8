"""Training: settings, the run, and what it brought."""

from __future__ import annotations

from typing import ClassVar

from rft_widgets.widgets.dialogs.base import Dialog


class TrainingDialog(Dialog):
    """Training: settings, the run, and what it brought."""

    component: ClassVar[str] = "dialogs/training"
    step: ClassVar[int] = 6


WIDGET = TrainingDialog
