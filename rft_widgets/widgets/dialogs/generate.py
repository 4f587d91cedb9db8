"""Synthetic records for the topics that have too few."""

from __future__ import annotations

from typing import ClassVar

from rft_widgets.widgets.dialogs.base import Dialog


class GenerateDialog(Dialog):
    """Synthetic records for the topics that have too few."""

    component: ClassVar[str] = "dialogs/generate"
    step: ClassVar[int] = 3


WIDGET = GenerateDialog
