"""Generating records for a dataset: the plan of it, and asking a model for candidates."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from rft_widgets.dataset.asking import ModelLike
from rft_widgets.dataset.coverage import HasCoverage
from rft_widgets.dataset.generation_batch import GenerationBatch
from rft_widgets.dataset.generation_material import read_materials
from rft_widgets.errors import InvalidArgument, NeedsModel
from rft_widgets.model.generation import GenerationConfig, GenerationPlan, TopicShape
from rft_widgets.model.message import Message
from rft_widgets.model.settings import VALIDATION
from rft_widgets.steps.generation import (
    last_asked,
    plan_generation,
    request_tokens,
    with_requests,
)
from rft_widgets.steps.progress import Told
from rft_widgets.store import datasets, filters, records
from rft_widgets.store import generation as batches
from rft_widgets.store.placements import first_recorded, read_messages

LOOKED_AT = 20
"""Records of each topic that are looked at, to tell what they are like."""

ConfigLike = GenerationConfig | Mapping[str, Any]


class Generates(HasCoverage):
    """New records for a dataset, from a language model."""

    def plan_generation(
        self, config: ConfigLike | None = None, *, model: ModelLike | None = None
    ) -> GenerationPlan:
        """Plan how many records to generate for which topic, before anything is spent.

        Parameters
        ----------
        config
            What is asked for, also as a mapping; by default the gaps of the coverage.
        model
            Which model is to be asked: the plan then says what it would take.

        Raises
        ------
        InvalidArgument
            A setting is out of bounds, or a topic or a tool is unknown.

        Examples
        --------
        >>> plan = ds.plan_generation({"max_synthetic_ratio": 0.2})  # doctest: +SKIP
        >>> {one.topic: one.to_generate for one in plan.topics}  # doctest: +SKIP
        """
        asked = _config(config)
        report = self.coverage(near_duplicates=False)
        selected: Counter[str] = Counter()
        if asked.selection is not None:
            filters.make_searchable(self._store, self.id, asked.selection.where)
        with self._store.read() as connection:
            set_id = datasets.live_set(connection, self.id)
            facets = records.facets(connection, set_id)
            if asked.source == "selected" and asked.selection is not None:
                selected.update(
                    filters.count_topics(self._store, connection, set_id, asked.selection)
                )
        plan = plan_generation(
            report,
            asked,
            total=sum(n for *_, n in facets),
            generated=sum(n for _, _, is_generated, n in facets if is_generated),
            shapes=self._shapes([one.topic for one in report.topics]),
            selected=selected,
        )
        if not plan.total:
            return plan
        materials = read_materials(
            self._store, self.id, asked, plan.topics, self.topics, for_plan=True
        )
        plan = with_requests(
            plan,
            {
                one.topic: request_tokens(materials[one.topic], asked, one)
                for one in plan.topics
                if one.to_generate
            },
        )
        if model is None:
            return plan
        return msgspec.structs.replace(
            plan, estimate=self._estimate(model, "generate", plan.workload)
        )

    def generate(
        self,
        plan: GenerationPlan | ConfigLike | None = None,
        *,
        model: ModelLike | None = None,
        max_cost_usd: float | None = None,
        progress: Told | None = None,
        cancelled: Callable[[], bool] = bool,
        batch_id: str | None = None,
    ) -> GenerationBatch:
        """Ask a model for candidates; none of them is a record before it is accepted.

        What is missing because of faults is asked for again, up to ``retries`` times. When the
        work stops early, what came stays in the batch, which is the last of `generation_batches`;
        its ``resume`` goes on, and pays for nothing twice.

        Parameters
        ----------
        plan
            From `plan_generation`; or what is asked for, which is planned then.
        model
            Which model to ask.
        max_cost_usd
            Most to spend, in dollars.
        progress
            Called with the share that is done and what is being done.
        cancelled
            Asked often; when it says yes, the work stops.
        batch_id
            Id for the batch; one of this id that was cut off goes on.

        Returns
        -------
        GenerationBatch
            The candidates, to be reviewed and accepted.

        Raises
        ------
        NeedsModel
            No model was named.
        InvalidArgument
            A setting is out of bounds, a topic or a tool is unknown, or there is nothing to make.
        BudgetReached, ModelRefused, TooManyFailures
            The work was stopped.
        RunInterrupted
            It was cancelled.

        Examples
        --------
        >>> batch = ds.generate(plan, model="writer", max_cost_usd=2)  # doctest: +SKIP
        >>> batch.accept()  # doctest: +SKIP
        """
        if batch_id is not None:
            with self._store.read() as connection:
                known = batches.exists(connection, self.id, batch_id)
            if known:
                return GenerationBatch(self, batch_id).resume(
                    model=model,
                    max_cost_usd=max_cost_usd,
                    progress=progress,
                    cancelled=cancelled,
                )
        if model is None:
            raise NeedsModel(
                "Generating asks a language model, and none was named.",
                hint="Name a connection; Workspace.add_connection adds one.",
            )
        made = plan if isinstance(plan, GenerationPlan) else self.plan_generation(plan)
        if not made.total:
            raise InvalidArgument(
                "There is nothing to generate.",
                hint="No topic has a gap, or generated records have their largest share already.",
            )
        # What cannot be asked for is refused before there is a batch.
        read_materials(self._store, self.id, made.config, made.topics, self.topics)
        named = self.named_connection(model)
        key = batch_id or f"gen_{secrets.token_hex(6)}"
        wanted = {one.topic: one.to_generate for one in made.topics}
        fill = batches.Fill(wanted=wanted, first=0, last=made.config.retries)
        with self._store.write(durable=True) as connection:
            batches.begin(connection, self.id, key, made, named, fill)
        try:
            return GenerationBatch(self, key).resume(
                model=model, max_cost_usd=max_cost_usd, progress=progress, cancelled=cancelled
            )
        except InvalidArgument:  # it could not be begun: a cap without a price, for instance
            with self._store.write(durable=True) as connection:
                batches.drop_empty(connection, key)
            raise

    @property
    def generation_batches(self) -> tuple[GenerationBatch, ...]:
        """Batches of generated candidates, the oldest first."""
        with self._store.read() as connection:
            return tuple(GenerationBatch(self, one) for one in batches.ids(connection, self.id))

    def generation_batch(self, batch_id: str) -> GenerationBatch:
        """One batch; `NotFound` if the dataset has none of that id."""
        with self._store.read() as connection:
            batches.read(connection, self.id, batch_id)
        return GenerationBatch(self, batch_id)

    def _shapes(self, paths: Sequence[str]) -> dict[str, TopicShape]:
        """What the recorded records of each topic are like, by the first of them."""
        with self._store.read() as connection:
            set_id = datasets.live_set(connection, self.id)
            chosen = {path: first_recorded(connection, set_id, path, LOOKED_AT) for path in paths}
        shapes = {}
        for path, seqs in chosen.items():
            prompts = [found for found in read_messages(self._store, seqs) if found is not None]
            if prompts:
                shapes[path] = TopicShape(
                    multi_turn=sum(map(_is_multi_turn, prompts)) / len(prompts),
                    prompt_tokens=sum(map(_tokens, prompts)) / len(prompts),
                    message_tokens=sum(map(_asked_tokens, prompts)) / len(prompts),
                )
        return shapes


def _config(config: ConfigLike | None) -> GenerationConfig:
    try:
        # Bounds are checked only of what is converted.
        given = msgspec.to_builtins(config) if isinstance(config, GenerationConfig) else config
        return msgspec.convert(dict(given or {}), GenerationConfig)
    except msgspec.ValidationError as error:
        raise InvalidArgument(f"These settings cannot be: {error}") from error


def _is_multi_turn(messages: Sequence[Message]) -> bool:
    return sum(message.role == "user" for message in messages) > 1


def _tokens(messages: Sequence[Message]) -> float:
    return sum(len(message.text) for message in messages) / VALIDATION.chars_per_token


def _asked_tokens(messages: Sequence[Message]) -> float:
    return len(last_asked(messages)) / VALIDATION.chars_per_token
