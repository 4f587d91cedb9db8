"""Generating records for a dataset: the plan of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

import msgspec

from rft_widgets.dataset.coverage import HasCoverage
from rft_widgets.errors import InvalidArgument, NeedsModel
from rft_widgets.model.generation import GenerationConfig, GenerationPlan, TopicShape
from rft_widgets.model.message import Message
from rft_widgets.model.settings import VALIDATION
from rft_widgets.steps.generation_plan import plan_generation
from rft_widgets.store import datasets, filters, records
from rft_widgets.store.placements import first_recorded, read_messages

LOOKED_AT = 20
"""Records of each topic that are looked at, to tell what they are like."""


class PlansGeneration(HasCoverage):
    """What generating records for a dataset would come to."""

    def plan_generation(
        self, config: GenerationConfig | Mapping[str, Any] | None = None
    ) -> GenerationPlan:
        """Plan how many records to generate for which topic, before anything is spent.

        Parameters
        ----------
        config
            What is asked for, also as a mapping; by default the gaps of the coverage.

        Raises
        ------
        InvalidArgument
            A setting is out of bounds, or a topic is unknown.

        Examples
        --------
        >>> plan = ds.plan_generation({"max_synthetic_ratio": 0.2})  # doctest: +SKIP
        >>> {one.topic: one.to_generate for one in plan.topics}  # doctest: +SKIP
        """
        if not isinstance(config, GenerationConfig):
            try:
                config = msgspec.convert(dict(config or {}), GenerationConfig)
            except msgspec.ValidationError as error:
                raise InvalidArgument(f"These settings cannot be: {error}") from error
        report = self.coverage(near_duplicates=False)
        selected: Counter[str] = Counter()
        if config.selection is not None:
            filters.make_searchable(self._store, self.id, config.selection.where)
        with self._store.read() as connection:
            set_id = datasets.live_set(connection, self.id)
            facets = records.facets(connection, set_id)
            if config.source == "selected" and config.selection is not None:
                selected.update(
                    filters.count_topics(self._store, connection, set_id, config.selection)
                )
        return plan_generation(
            report,
            config,
            total=sum(n for *_, n in facets),
            generated=sum(n for _, _, is_generated, n in facets if is_generated),
            shapes=self._shapes([one.topic for one in report.topics]),
            selected=selected,
        )

    def generate(self, config: GenerationConfig | Mapping[str, Any] | None = None) -> NoReturn:
        """Generate records as `plan_generation` plans them, with a language model.

        This version cannot be connected to one for that.

        Parameters
        ----------
        config
            As for `plan_generation`.

        Raises
        ------
        InvalidArgument
            A setting is out of bounds, or a topic is unknown.
        NeedsModel
            Always else.
        """
        plan = self.plan_generation(config)
        raise NeedsModel(
            f"Generating the {plan.total:,} planned records asks a language model, and this "
            "version cannot be connected to one for it.",
            hint="Generate them elsewhere by the plan, and import them.",
        )

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
                )
        return shapes


def _is_multi_turn(messages: Sequence[Message]) -> bool:
    return sum(message.role == "user" for message in messages) > 1


def _tokens(messages: Sequence[Message]) -> float:
    return sum(len(message.text) for message in messages) / VALIDATION.chars_per_token
