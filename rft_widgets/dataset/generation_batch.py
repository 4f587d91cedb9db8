"""Generated candidates: asking for them, looking at them, and making records of some."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from typing import Any, Literal

import msgspec

from rft_widgets.dataset.accepting import accept_candidates
from rft_widgets.dataset.asking import ModelLike
from rft_widgets.dataset.coverage import HasCoverage
from rft_widgets.dataset.generation_run import ask_for_candidates, end_of_asking
from rft_widgets.dataset.generation_state import (
    check_open,
    missing_of,
    next_fill,
    state_of,
)
from rft_widgets.errors import (
    AlreadyAtWork,
    BudgetReached,
    InvalidArgument,
    ModelRefused,
    NotFound,
    RunInterrupted,
    TooManyFailures,
)
from rft_widgets.model.generation import (
    AcceptedCandidates,
    BatchState,
    BatchStatus,
    Candidate,
    CandidateFault,
    CandidateState,
    GenerationPlan,
)
from rft_widgets.steps.progress import Told
from rft_widgets.store import datasets, model_calls
from rft_widgets.store import generation as batches
from rft_widgets.store import jobs as job_rows
from rft_widgets.store.activity import working
from rft_widgets.store.generation import StoredBatch, StoredCandidate
from rft_widgets.store.generation_sources import by_ids
from rft_widgets.store.history import current_job

_STEP = 3


class GenerationBatch:
    """Candidates that a model was asked for. Every property reads the store when it is asked."""

    def __init__(self, dataset: HasCoverage, batch_id: str) -> None:
        self._dataset, self._store = dataset, dataset._store  # noqa: SLF001 - a part of it
        self.id = batch_id

    @property
    def dataset_id(self) -> str:
        """Id of its dataset."""
        return self._dataset.id

    @property
    def state(self) -> BatchState:
        """How it stands, with counts by topic and by fault."""
        with self._store.read() as connection:
            stored = batches.read(connection, self.dataset_id, self.id)
            counts = batches.counts(connection, self.id)
            is_running = stored.status == "running" and self._has_worker(stored)
        return state_of(stored, counts, is_running=is_running)

    @property
    def status(self) -> BatchStatus:
        """``running``, ``review`` or ``closed``."""
        return self.state.status

    @property
    def plan(self) -> GenerationPlan:
        """What was asked for."""
        return self._stored().plan

    @property
    def counts(self) -> dict[str, int]:
        """Candidates without a fault by topic."""
        return {one.topic: one.good for one in self.state.topics}

    @property
    def diversity(self) -> float | None:
        """How different the good ones of a topic are (0..1), on average; see `BatchState`."""
        return self.state.diversity

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """All candidates, in order."""
        return self.page(limit=None)

    def page(
        self,
        *,
        after: int = -1,
        limit: int | None = 50,
        topic: str | None = None,
        states: tuple[CandidateState, ...] | None = None,
        fault: CandidateFault | None = None,
        ids: Collection[int] | None = None,
    ) -> tuple[Candidate, ...]:
        """Read some candidates, with the messages of the records that they were made from.

        Parameters
        ----------
        after
            Number of the candidate after which they begin.
        limit
            How many at most; ``None`` for all.
        topic, states, fault, ids
            Only those of this topic, of these states, with this fault, and of these numbers.
        """
        with self._store.read() as connection:
            batches.read(connection, self.dataset_id, self.id)
            rows = batches.read_candidates(
                connection, self.id, after=after, limit=limit, topic=topic, states=states,
                fault=fault, positions=ids,
            )  # fmt: skip
        found = [one.candidate for one in rows]
        wanted = {one.source_record_id for one in found if one.source_record_id is not None}
        sources = by_ids(self._store, self.dataset_id, sorted(wanted))
        return tuple(
            msgspec.structs.replace(
                one, source_messages=sources[one.source_record_id].input.messages
            )
            if one.source_record_id in sources
            else one
            for one in found
        )

    def request(self, candidate_id: int) -> dict[str, Any] | None:
        """What the model was asked for a candidate: the body of the request, as it was sent.

        ``None`` where nothing of it was kept.
        """
        found = self.page(ids=(candidate_id,))
        if not found:
            raise NotFound(f"Batch {self.id} has no candidate {candidate_id}.")
        with self._store.read() as connection:
            kept = model_calls.read_request(connection, self.dataset_id, found[0].prompt_hash)
        body: dict[str, Any] | None = None if kept is None else msgspec.json.decode(kept)["body"]
        return body

    def accept(self, ids: Collection[int] | None = None) -> AcceptedCandidates:
        """Make records of candidates, all of them or none.

        They are validated as imported ones are, keep where they came from, and count as generated.

        Parameters
        ----------
        ids
            Numbers of candidates; by default all open ones without a fault.

        Raises
        ------
        InvalidArgument
            One is unknown, decided already or holds no prompt; or generated records would have a
            larger share than the plan allows.
        """
        return accept_candidates(self._store, self.dataset_id, self.id, ids)

    def discard(self, ids: Collection[int] | None = None) -> int:
        """Give up open candidates, by default all; returns how many."""
        with self._store.write(durable=True) as connection:
            batches.read(connection, self.dataset_id, self.id)
            rows = batches.read_candidates(connection, self.id, positions=ids, states=("open",))
            batches.decide(connection, self.id, _all(rows, "discarded"))
            datasets.change(connection, self.dataset_id)  # other pages look again
        return len(rows)

    def regenerate(
        self,
        ids: Collection[int],
        *,
        model: ModelLike | None = None,
        max_cost_usd: float | None = None,
        progress: Told | None = None,
        cancelled: Callable[[], bool] = bool,
    ) -> GenerationBatch:
        """Give up open candidates and ask for others in their place, as the plan has room for.

        Parameters
        ----------
        ids
            Numbers of candidates, with a fault or without.
        model
            Which model to ask; by default the one that was asked before.
        max_cost_usd, progress, cancelled
            As for `OptimizationDataset.generate`.

        Raises
        ------
        InvalidArgument
            One is unknown or decided already, or every topic has what was planned.
        """
        named = None if model is None else self._dataset.named_connection(model)
        with self._store.write(durable=True) as connection:
            stored = self._free(batches.read(connection, self.dataset_id, self.id))
            rows = batches.read_candidates(connection, self.id)
            chosen = set(ids)
            given_up = [one for one in rows if one.candidate.id in chosen]
            check_open(self.id, chosen, given_up)
            left = [one for one in rows if one.candidate.id not in chosen]
            missing = missing_of(stored.plan, left)
            asked = Counter(one.candidate.topic for one in given_up)
            wanted = {topic: min(count, missing[topic]) for topic, count in asked.items()}
            if not sum(wanted.values()):
                raise InvalidArgument(
                    "The topics of these candidates have what was planned without them.",
                    hint="Discard them, or accept fewer of the others.",
                )
            batches.decide(connection, self.id, _all(given_up, "regenerated"))
            batches.go_on(
                connection, self.id, named or stored.model, next_fill(stored.plan, rows, wanted)
            )
        return self.resume(
            model=model, max_cost_usd=max_cost_usd, progress=progress, cancelled=cancelled
        )

    def resume(
        self,
        *,
        model: ModelLike | None = None,
        max_cost_usd: float | None = None,
        progress: Told | None = None,
        cancelled: Callable[[], bool] = bool,
    ) -> GenerationBatch:
        """Go on where it stopped; or ask for what is still missing.

        What was answered before is there already, and not paid for again. The parameters are those
        of `regenerate`.
        """
        named = None if model is None else self._dataset.named_connection(model)
        with self._store.write(durable=True) as connection:
            stored = self._free(batches.read(connection, self.dataset_id, self.id))
            batches.drop_failed(connection, self.id)
            rows = batches.read_candidates(connection, self.id)
            fill = stored.fill
            if stored.status == "done":
                fill = next_fill(stored.plan, rows, missing_of(stored.plan, rows))
            if not any(fill.wanted.values()):
                return self
            batches.go_on(connection, self.id, named or stored.model, fill)
        status: Literal["stopped", "done"] = "stopped"
        try:
            with working(self._store, self.dataset_id, _STEP, "Generating") as show:

                def tell(share: float | None, words: str) -> None:
                    show(share, f"Generating: {words}")
                    if progress is not None:
                        progress(share, words)

                ask_for_candidates(
                    self._dataset,
                    stored,
                    fill,
                    rows,
                    model or stored.model,
                    max_cost_usd=max_cost_usd,
                    told=tell,
                    cancelled=cancelled,
                )
            status = "done"
        except (BudgetReached, ModelRefused, RunInterrupted, TooManyFailures) as error:
            kept = f"{self.state.good:,} of {stored.plan.total:,} records were generated."
            raise type(error)(f"{error.message} {kept}", hint=error.hint) from None
        finally:
            end_of_asking(self._store, self.dataset_id, self.id, status)
        return self

    def _stored(self) -> StoredBatch:
        with self._store.read() as connection:
            return batches.read(connection, self.dataset_id, self.id)

    def _free(self, stored: StoredBatch) -> StoredBatch:
        """The batch, unless another job is at work on it."""
        is_mine = stored.job_id in (None, current_job.get())
        if stored.status == "running" and not is_mine and self._has_worker(stored):
            raise AlreadyAtWork(
                f"Batch {self.id} is being generated.", hint="Stop that job, or wait for its end."
            )
        return stored

    def _has_worker(self, stored: StoredBatch) -> bool:
        """Whether somebody may still be at work on a batch that says so."""
        if stored.job_id is None:
            return True
        with contextlib.suppress(NotFound), self._store.read() as connection:
            return job_rows.read(connection, stored.job_id).is_at_work
        return False

    def __repr__(self) -> str:
        with contextlib.suppress(Exception):  # a repr never raises
            return f"<GenerationBatch {self.id}: {self.state.sentence.rstrip('.')}>"
        return f"<GenerationBatch {self.id}>"


def _all(
    rows: Sequence[StoredCandidate], state: CandidateState
) -> dict[int, tuple[CandidateState, None]]:
    return {one.candidate.id: (state, None) for one in rows}
