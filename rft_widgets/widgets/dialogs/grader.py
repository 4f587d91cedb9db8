"""The grader: write it, try it, compare it, save it."""

from __future__ import annotations

from typing import ClassVar

from rft_widgets.widgets.dialogs.base import Dialog


class GraderDialog(Dialog):
    """The grader: write it, try it, compare it, save it."""

    component: ClassVar[str] = "dialogs/grader"
    step: ClassVar[int] = 4


WIDGET = GraderDialog
