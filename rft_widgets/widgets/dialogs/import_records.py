"""Import records from a file."""

from __future__ import annotations

from typing import ClassVar

from rft_widgets.widgets.dialogs.base import Dialog


class ImportRecordsDialog(Dialog):
    """Import records from a file."""

    component: ClassVar[str] = "dialogs/import_records"
    step: ClassVar[int] = 1


WIDGET = ImportRecordsDialog
