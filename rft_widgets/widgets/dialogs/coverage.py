"""How the records are spread over the topics, beside how they should be."""

from __future__ import annotations

from typing import ClassVar

from rft_widgets.widgets.dialogs.base import Dialog


class CoverageDialog(Dialog):
    """How the records are spread over the topics, beside how they should be."""

    component: ClassVar[str] = "dialogs/coverage"
    step: ClassVar[int] = 3


WIDGET = CoverageDialog
