"""A grader as it was saved for a dataset."""

from __future__ import annotations

from datetime import datetime
from typing import TypeAlias

from msgspec import Struct

from rft_widgets.model.connection import ConnectionName
from rft_widgets.model.grader import Grader
from rft_widgets.model.llm import ModelConnection

JudgedAt: TypeAlias = ModelConnection | ConnectionName | tuple[ConnectionName, ...]
"""Where a grader's models are asked: an address, or the name of a connection of the workspace. Of
several names, each judge is asked at the connection of its model."""


class GraderVersion(Struct, frozen=True, kw_only=True):
    """One saved grader; ``version`` counts from 1, ``hash`` is that of its canonical JSON.

    ``connection`` says where its models are asked; ``None`` for graders that ask none.
    """

    version: int
    hash: str
    grader: Grader
    connection: JudgedAt | None
    created_at: datetime
