"""Import a tree of topics from a file."""

from __future__ import annotations

from typing import ClassVar

from rft_widgets.widgets.dialogs.base import Dialog


class ImportTopicsDialog(Dialog):
    """Import a tree of topics from a file."""

    component: ClassVar[str] = "dialogs/import_topics"
    step: ClassVar[int] = 2


WIDGET = ImportTopicsDialog
