"""Synthetic records for the topics that have too few."""

from __future__ import annotations

from typing import ClassVar

from msgspec import Struct

from rft_widgets.model.generation import (
    STRATEGY_WORDS,
    GenerationConfig,
    GenerationPlan,
    Strategy,
)
from rft_widgets.widgets import rpc
from rft_widgets.widgets.dialogs.base import Dialog
from rft_widgets.widgets.dialogs.coverage import MAX_BYTES

MISSING = (
    "Generating asks a language model, and this version cannot be connected to one for it: the "
    "plan is computed, nothing is generated. Records made elsewhere can be imported."
)


class StrategyChoice(Struct, frozen=True, kw_only=True):
    """A way to generate, and what it does."""

    name: Strategy
    words: str


class GenerateOptions(Struct, frozen=True, kw_only=True):
    """What may be chosen: settings as they are at first, strategies, topics, and what is missing.

    ``missing`` is why nothing can be generated; ``None`` when it can.
    """

    config: GenerationConfig
    strategies: tuple[StrategyChoice, ...]
    topics: tuple[str, ...]
    missing: str | None


class GenerateDialog(Dialog):
    """Synthetic records for the topics that have too few."""

    component: ClassVar[str] = "dialogs/generate"
    step: ClassVar[int] = 3

    @rpc.method(background=True)
    def load(self) -> GenerateOptions:
        """What may be chosen."""
        return GenerateOptions(
            config=GenerationConfig(),
            strategies=tuple(
                StrategyChoice(name=name, words=words) for name, words in STRATEGY_WORDS.items()
            ),
            topics=self._dataset.topics.paths,
            missing=MISSING,
        )

    @rpc.method(background=True, packed=True, max_bytes=MAX_BYTES)
    def plan(self, config: GenerationConfig) -> GenerationPlan:
        """What generating would come to."""
        return self._dataset.plan_generation(config)


WIDGET = GenerateDialog
