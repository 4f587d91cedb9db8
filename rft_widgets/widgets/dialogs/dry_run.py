"""The dry run: whether training could learn anything from this grader and these records."""

from __future__ import annotations

from typing import ClassVar

from rft_widgets.widgets.dialogs.base import Dialog


class DryRunDialog(Dialog):
    """The dry run: whether training could learn anything from this grader and these records."""

    component: ClassVar[str] = "dialogs/dry_run"
    step: ClassVar[int] = 5


WIDGET = DryRunDialog
