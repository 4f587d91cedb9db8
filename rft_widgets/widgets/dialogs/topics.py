"""The tree of topics, and which records are under them."""

from __future__ import annotations

from typing import ClassVar

from rft_widgets.widgets.dialogs.base import Dialog


class TopicsDialog(Dialog):
    """The tree of topics, and which records are under them."""

    component: ClassVar[str] = "dialogs/topics"
    step: ClassVar[int] = 2


WIDGET = TopicsDialog
