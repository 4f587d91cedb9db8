"""What a run costs: tokens by what was done with them, and their prices where they are known."""

from __future__ import annotations

from msgspec import Struct

from rft_widgets.llm.catalogue import price_of
from rft_widgets.model.connection import NamedConnection
from rft_widgets.trainers.tinker.settings import TinkerHyperparameters

_MICRO = 1_000_000


class Tokens(Struct, frozen=True, kw_only=True):
    """Tokens of prompts that were read, of answers that were sampled, and trained on."""

    prefill: int = 0
    sample: int = 0
    train: int = 0

    def __add__(self, other: Tokens) -> Tokens:
        return Tokens(
            prefill=self.prefill + other.prefill,
            sample=self.sample + other.sample,
            train=self.train + other.train,
        )


class Prices(Struct, frozen=True, kw_only=True):
    """Millionths of a dollar for a million tokens; ``None`` where nobody said."""

    prefill: float | None
    sample: float | None
    train: float | None

    def cost(self, tokens: Tokens) -> int | None:
        """Price of tokens in millionths of a dollar; ``None`` as soon as one price is unknown."""
        if self.prefill is None or self.sample is None or self.train is None:
            return None
        whole = (
            tokens.prefill * self.prefill + tokens.sample * self.sample + tokens.train * self.train
        )
        return round(whole / _MICRO)


def prices_of(
    settings: TinkerHyperparameters, base_model: str, connection: NamedConnection | None
) -> Prices:
    """Prices of a run: those of the configuration, else the connection's or the catalogue's.

    What training costs stands in neither of these, so it has to be given.
    """
    known = None if connection is None else price_of(base_model, connection)
    return Prices(
        prefill=_micro(settings.prefill_usd, None if known is None else known.input_price),
        sample=_micro(settings.sample_usd, None if known is None else known.output_price),
        train=_micro(settings.train_usd, None),
    )


def _micro(given: float | None, known: int | None) -> float | None:
    return known if given is None else given * _MICRO
