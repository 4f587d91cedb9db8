"""The records of a dataset: where they came from, and what is wrong with some."""

from __future__ import annotations

from typing import ClassVar

from rft_widgets.widgets.dialogs.base import Dialog


class RecordsDialog(Dialog):
    """The records of a dataset: where they came from, and what is wrong with some."""

    component: ClassVar[str] = "dialogs/records"
    step: ClassVar[int] = 1


WIDGET = RecordsDialog
