"""Names of the views of a dataset."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from rft_widgets.model.record import RecordFilter

DialogName = Literal[
    "records",
    "topics",
    "coverage",
    "generate",
    "grader",
    "labelling",
    "dry-run",
    "training",
    "deploy",
    "import-records",
    "import-topics",
]

DIALOG_TITLES: dict[DialogName, str] = {
    "records": "Extract Data",
    "topics": "Topics & Category",
    "coverage": "Coverage Analysis",
    "generate": "Generate Records",
    "grader": "Grader Config",
    "labelling": "Label Answers",
    "dry-run": "Dry Run",
    "training": "Train Model",
    "deploy": "Deploy",
    "import-records": "Import Records",
    "import-topics": "Import Topics",
}


class RecordsPreset(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the records are opened with: a filter, and in a few words where it came from."""

    where: RecordFilter = RecordFilter()
    badge: str = ""
