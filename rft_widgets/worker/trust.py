"""The job that makes a grader's trust card."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta

from rft_widgets.graders.version import load_grader
from rft_widgets.model.trust import TrustCard
from rft_widgets.model.trust_settings import TRUST
from rft_widgets.worker.definition import Attempt, Definition, MaxCost
from rft_widgets.worker.grading import TriedGrader, Version

Labeller = Annotated[str, Meta(min_length=1, max_length=TRUST.max_labeller_chars)]
Labels = Annotated[int, Meta(ge=1, le=100_000)]
Repeats = Annotated[int, Meta(ge=1, le=TRUST.most_repeats)]


class TrustParams(TriedGrader, frozen=True, kw_only=True):
    """A grader to hold against what people say, as for `OptimizationDataset.trust_card`."""

    labeller: Labeller | None = None
    repeats: Repeats | None = None
    against: Version | None = None
    n: Labels = TRUST.most_labels
    max_cost_usd: MaxCost | None = None


def _trust_card(at: Attempt[TrustParams]) -> tuple[str, TrustCard]:
    params = at.params
    card = at.dataset.trust_card(
        version=params.version,
        grader=None if params.grader is None else load_grader(params.grader),
        connection=params.connection,
        labeller=params.labeller,
        repeats=params.repeats,
        against=params.against,
        n=params.n,
        max_cost_usd=params.max_cost_usd,
        seed=params.seed,
        progress=at.progress,
        cancelled=at.cancelled,
    )
    return card.sentence, card


DEFINITIONS: tuple[Definition[Any], ...] = (
    Definition(
        kind="trust_card",
        title="Trust card",
        params=TrustParams,
        result=TrustCard,
        work=_trust_card,
        is_quick=True,
    ),
)
