"""Synthetic records for the topics that have too few: plan, work, review, and what it changed."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta, Struct

from rft_widgets.dataset import OptimizationDataset
from rft_widgets.dataset.generation_batch import GenerationBatch
from rft_widgets.errors import NotFound
from rft_widgets.model.connection import ConnectionName
from rft_widgets.model.generation import (
    STRATEGY_WORDS,
    GenerationConfig,
    GenerationPlan,
    Strategy,
)
from rft_widgets.model.job import JobState
from rft_widgets.store.generation_sources import first_of_all
from rft_widgets.widgets import rpc
from rft_widgets.widgets.dialogs.base import Dialog
from rft_widgets.widgets.dialogs.coverage import MAX_BYTES
from rft_widgets.widgets.dialogs.generate_views import (
    AcceptOutcome,
    BatchView,
    CandidateLine,
    CandidateView,
    Spent,
    groups_of,
    line_of,
    repeated_number,
    view_of,
)
from rft_widgets.worker.generation import BatchId, CandidateId, Dollars, Generate, Regenerate

_LOOKED_AT = 200
"""Records whose tools are offered."""

Chosen = Annotated[tuple[CandidateId, ...], Meta(max_length=10_000)]
InSight = Annotated[tuple[CandidateId, ...], Meta(max_length=500)]


class StrategyChoice(Struct, frozen=True, kw_only=True):
    """A way to generate, and what it does."""

    name: Strategy
    words: str


class GenerateOptions(Struct, frozen=True, kw_only=True):
    """What may be chosen: settings as they are at first, strategies, and topics."""

    config: GenerationConfig
    strategies: tuple[StrategyChoice, ...]
    topics: tuple[str, ...]


class OpenBatch(Struct, frozen=True, kw_only=True):
    """The batch that is made, or waits for a decision; ``None`` where there is none."""

    view: BatchView | None


class GenerateDialog(Dialog):
    """Synthetic records for the topics that have too few."""

    component: ClassVar[str] = "dialogs/generate"
    step: ClassVar[int] = 3

    @rpc.method(background=True, packed=True)
    def load(self) -> GenerateOptions:
        """What may be chosen."""
        return GenerateOptions(
            config=GenerationConfig(),
            strategies=tuple(
                StrategyChoice(name=name, words=words) for name, words in STRATEGY_WORDS.items()
            ),
            topics=self._dataset.topics.paths,
        )

    @rpc.method(background=True)
    def tools(self) -> tuple[str, ...]:
        """Names of tools that records have, by name."""
        ds = self._dataset
        found = first_of_all(ds._store, ds.id, _LOOKED_AT)  # noqa: SLF001 - views see what datasets stand on
        functions = (tool.function for record in found for tool in record.input.tools)
        return tuple(sorted({one.name for one in functions if one is not None and one.name}))

    @rpc.method(background=True, packed=True, max_bytes=MAX_BYTES)
    def plan(self, config: GenerationConfig, model: ConnectionName | None = None) -> GenerationPlan:
        """What generating would come to, and what it would take of a model."""
        return self._dataset.plan_generation(config, model=model)

    @rpc.method(max_bytes=MAX_BYTES)
    def generate(
        self,
        config: GenerationConfig,
        model: ConnectionName,
        max_cost_usd: Dollars | None = None,
    ) -> JobState:
        """Begin to ask the model."""
        asked = Generate(config=config, model=model, max_cost_usd=max_cost_usd)
        return self._dataset.submit("generate", asked).state

    @rpc.method(background=True, packed=True)
    def open_batch(self) -> OpenBatch:
        """The newest batch that is not decided."""
        batches = reversed(self._dataset.generation_batches)
        found = next((one for one in batches if one.status != "closed"), None)
        return OpenBatch(view=None if found is None else _view(self._dataset, found))

    @rpc.method(background=True, packed=True)
    def lines(self, batch: BatchId, candidates: InSight) -> tuple[CandidateLine, ...]:
        """Candidates as the list has them."""
        return tuple(map(line_of, self._batch(batch).page(limit=None, ids=candidates)))

    @rpc.method(background=True, packed=True)
    def candidate(self, batch: BatchId, candidate: CandidateId) -> CandidateView:
        """One candidate beside what it was made from."""
        found = self._batch(batch)
        one, *_ = found.page(limit=1, ids=[candidate]) or (None,)
        if one is None:
            raise NotFound(f"Batch {batch} has no candidate {candidate}.")
        number = repeated_number(one)
        repeated = None if number is None else next(iter(found.page(ids=[number])), None)
        return view_of(self._dataset, one, found.plan.config, repeated)

    @rpc.method(background=True, packed=True, max_bytes=MAX_BYTES)
    def accept(self, batch: BatchId, candidates: Chosen) -> AcceptOutcome:
        """Make records of candidates."""
        before = self._dataset.coverage(near_duplicates=False).balance_score
        accepted = self._batch(batch).accept(candidates)
        return AcceptOutcome(
            accepted=accepted, balance_before=before, records=self._dataset.stats.total_records
        )

    @rpc.method(background=True, max_bytes=MAX_BYTES)
    def discard(self, batch: BatchId, candidates: Chosen) -> int:
        """Give candidates up."""
        return self._batch(batch).discard(candidates)

    @rpc.method(max_bytes=MAX_BYTES)
    def regenerate(
        self, batch: BatchId, candidates: Chosen, max_cost_usd: Dollars | None = None
    ) -> JobState:
        """Begin to ask for others in the place of candidates; without any, for what is missing."""
        asked = Regenerate(batch=batch, candidates=candidates, max_cost_usd=max_cost_usd)
        return self._dataset.submit("regenerate", asked).state

    def _batch(self, batch: str) -> GenerationBatch:
        return self._dataset.generation_batch(batch)


WIDGET = GenerateDialog


def _view(dataset: OptimizationDataset, batch: GenerationBatch) -> BatchView:
    state = batch.state
    open_ones = () if state.status == "running" else batch.page(limit=None, states=("open",))
    spent = _spent(dataset, batch) if state.job_id else None
    return BatchView(
        state=state,
        groups=groups_of(open_ones, [one.topic for one in state.topics]),
        spent=spent,
    )


def _spent(dataset: OptimizationDataset, batch: GenerationBatch) -> Spent:
    """What the jobs of a batch came to; the first of them gave it its id."""
    own = batch.id.rpartition("_")[2]
    jobs = [
        one
        for one in dataset.jobs
        if one.id.rpartition("_")[2] == own or one.state.subject == batch.id
    ]
    found = [total for job in jobs for total in job.costs.values()]
    costs = [one.cost_micro_usd for one in found if one.cost_micro_usd is not None]
    return Spent(
        calls=sum(one.calls for one in found),
        cost_micro_usd=sum(costs) if len(costs) == len(found) else None,
    )
