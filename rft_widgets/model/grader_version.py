"""A grader as it was saved for a dataset."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from rft_widgets.model.grader import Grader
from rft_widgets.model.llm import ModelConnection


class GraderVersion(Struct, frozen=True, kw_only=True):
    """One saved grader; ``version`` counts from 1, ``hash`` is that of its canonical JSON.

    ``connection`` says where its model is asked; ``None`` for graders that ask none.
    """

    version: int
    hash: str
    grader: Grader
    connection: ModelConnection | None
    created_at: datetime
