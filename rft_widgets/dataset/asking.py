"""Asking language models for a dataset: by a connection's name, at a known price."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeAlias

from rft_widgets.dataset.description import Described
from rft_widgets.dataset.job import Job
from rft_widgets.llm.catalogue import price_of, refuse_gone
from rft_widgets.llm.client import ModelClient
from rft_widgets.llm.costs import costs, uncertain_calls
from rft_widgets.llm.replay import ReplayedModel, write_calls
from rft_widgets.model.connection import ConnectionTest, NamedConnection
from rft_widgets.model.estimate import WorkEstimate, Workload, cost_of
from rft_widgets.model.llm import CallTotals, Purpose, UncertainCall
from rft_widgets.store import connections, model_calls, model_works

ModelLike: TypeAlias = str | NamedConnection | ReplayedModel
"""A model that may be asked: the name of a connection of the workspace, a connection, or the
recorded calls of a job."""


class AsksModels(Described):
    """What asking models for a dataset takes."""

    def named_connection(self, model: ModelLike) -> NamedConnection:
        """The connection that a name stands for.

        Raises
        ------
        NotFound
            There is none of that name.
        """
        if isinstance(model, NamedConnection):
            return model
        if isinstance(model, ReplayedModel):
            return model.named
        with self._store.read() as connection:
            return connections.read(connection, model)

    @property
    def costs(self) -> dict[Purpose, CallTotals]:
        """What asking models for this dataset came to, by purpose."""
        return costs(self._store, self.id)

    @property
    def uncertain_calls(self) -> tuple[UncertainCall, ...]:
        """Calls that were sent and whose answer nobody saw: a process was killed, or it timed out.

        They may have been paid. They are asked again by themselves when the work goes on, but for
        those that are held because of their price: `ask_again` lets these go.
        """
        return tuple(uncertain_calls(self._store, self.id))

    def ask_again(self, keys: Iterable[str] | None = None) -> int:
        """Let held calls be sent again when the work goes on; returns how many.

        Parameters
        ----------
        keys
            Of `uncertain_calls`; by default all that are held.
        """
        with self._store.write(durable=True) as connection:
            return model_calls.release(connection, self.id, keys)

    def export_calls(self, path: str | Path, *, job: Job | str | None = None) -> int:
        """Write what models were asked and what they answered, one call a line of JSON.

        The file holds record text, and no keys. `ReplayedModel` answers from it again.

        Parameters
        ----------
        path
            The file; one that is there is exchanged.
        job
            The job whose calls are written, or its id; by default all of the dataset. An answer
            that a job got from the ledger stands with the one that paid for it.

        Returns
        -------
        How many calls it holds.
        """
        job_id = job.id if isinstance(job, Job) else job
        return write_calls(Path(path), model_calls.read_all(self._store, self.id, job_id=job_id))

    def _client(
        self,
        model: ModelLike,
        *,
        purpose: Purpose,
        cap_micro_usd: int | None = None,
        cancelled: Callable[[], bool] = bool,
        planned: Workload | None = None,
    ) -> ModelClient:
        """Open a client for a piece of work on this dataset; close it after use.

        ``planned`` is what the work was estimated from: what came of it is kept beside that.

        Raises
        ------
        ModelRefused
            The model is gone.
        """
        if isinstance(model, ReplayedModel):
            return ModelClient(model.named, purpose=purpose, cancelled=cancelled, transport=model)
        named = self.named_connection(model)
        refuse_gone(named, self._tested(named))
        return ModelClient(
            named,
            purpose=purpose,
            cap_micro_usd=cap_micro_usd,
            cancelled=cancelled,
            store=self._store,
            dataset_id=self.id,
            planned=planned,
        )

    def _estimate(self, model: ModelLike, purpose: Purpose, workload: Workload) -> WorkEstimate:
        """What planned calls are expected to take; raises nothing for a model that is gone."""
        named = self.named_connection(model)
        name = (named.embedding_model or named.model) if purpose == "embed" else named.model
        price = price_of(name, named)
        with self._store.read() as connection:
            past = model_works.past_error(connection, self.id, purpose)
            pace = model_works.seconds_per_call(connection, self.id, purpose, named.model)
        if pace is None:
            test = self._tested(named)
            if test is not None and test.latency_s is not None:
                pace = test.latency_s / named.concurrency
        if pace is not None and named.requests_per_minute is not None:
            pace = max(pace, 60 / named.requests_per_minute)
        return WorkEstimate(
            calls=workload.calls,
            prompt_tokens=workload.prompt_tokens,
            completion_tokens=workload.completion_tokens,
            cost_micro_usd=cost_of(
                workload.prompt_tokens,
                workload.completion_tokens,
                price.input_price,
                price.output_price,
            ),
            minutes=None if pace is None else pace * workload.calls / 60,
            past_error=past,
        )

    def _tested(self, named: NamedConnection) -> ConnectionTest | None:
        with self._store.read() as connection:
            return connections.tests(connection).get(named.name)
