"""How the records are spread over the topics, beside how they should be."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import msgspec
from msgspec import Struct

from rft_widgets.model.coverage import CoverageReport
from rft_widgets.model.settings import LIMITS
from rft_widgets.widgets import rpc
from rft_widgets.widgets.dialogs.base import Dialog

Path = Annotated[str, msgspec.Meta(max_length=LIMITS.max_identifier_chars)]
MAX_BYTES = 1024 * 1024
"""Largest call: targets of as many topics as there may be."""


class TopicPercent(Struct, frozen=True, kw_only=True):
    """What the share of a topic should be (0..100)."""

    topic: Path
    percent: float


class TopicCount(Struct, frozen=True, kw_only=True):
    """Records to add to a topic."""

    topic: Path
    count: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]


class CoverageDialog(Dialog):
    """How the records are spread over the topics, beside how they should be."""

    component: ClassVar[str] = "dialogs/coverage"
    step: ClassVar[int] = 3

    @rpc.method(background=True, packed=True)
    def load(self, near_duplicates: bool = False) -> CoverageReport:
        """The coverage as it stands; looking for near-duplicates takes its time."""
        return self._dataset.coverage(near_duplicates=near_duplicates)

    @rpc.method(background=True, packed=True, max_bytes=MAX_BYTES)
    def what_if(self, added: tuple[TopicCount, ...]) -> CoverageReport:
        """The coverage as it would be with more records."""
        report = self._dataset.coverage(near_duplicates=False)
        return report.what_if({one.topic: one.count for one in added})

    @rpc.method(background=True, max_bytes=MAX_BYTES)
    def set_targets(self, targets: tuple[TopicPercent, ...]) -> None:
        """Say what the shares should be."""
        self._dataset.set_targets({one.topic: one.percent for one in targets})

    @rpc.method(background=True)
    def follow(self, targets: Literal["uniform", "traffic"]) -> None:
        """Let the targets be equal ones, or those of recorded traffic, as they are at any time."""
        self._dataset.set_targets(targets)


WIDGET = CoverageDialog
