"""Models that help with the topics of a dataset: what they would take, and asking them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from rft_widgets.dataset.asking import ModelLike
from rft_widgets.dataset.labels import LabelsRecords
from rft_widgets.errors import InvalidArgument
from rft_widgets.llm.budget import one_budget
from rft_widgets.llm.client import ModelClient
from rft_widgets.model.estimate import WorkEstimate, Workload, micro_usd
from rft_widgets.model.llm import Purpose
from rft_widgets.model.topic import CategorizeMode, TopicNaming
from rft_widgets.model.topic_settings import TOPIC_MODEL
from rft_widgets.steps.judge_workload import combined
from rft_widgets.steps.topics import estimating
from rft_widgets.steps.topics.embedded import EmbedTexts, KnownVectors
from rft_widgets.store import history


class Options(Struct, frozen=True):
    """What both ways of asking a model take."""

    instructions: str
    max_cost_usd: float | None
    cancelled: Callable[[], bool]


class AsksAboutTopics(LabelsRecords):
    """Asking models about a dataset's topics, at a price that is known before."""

    def estimate_topics(
        self,
        model: ModelLike,
        *,
        n_topics: int | None = None,
        instructions: str = "",
        embeddings: bool = True,
    ) -> WorkEstimate:
        """Foretell what naming found topics takes; without a number, of as many as there may be.

        Parameters
        ----------
        model, n_topics, instructions, embeddings
            As for `generate_topics`.
        """
        work = estimating.naming_work(self._store, self.id, n_topics, instructions)
        return self._with_embeddings(model, work, embeddings)

    def estimate_categorize(
        self,
        model: ModelLike,
        mode: CategorizeMode = "unlabeled_only",
        *,
        seed: int = 0,
        instructions: str = "",
        embeddings: bool = True,
    ) -> WorkEstimate:
        """Foretell what a model's decisions about uncertain records take; nothing is asked.

        How many are uncertain is found out on a sample of the records, by their words.

        Parameters
        ----------
        model, mode, seed, instructions, embeddings
            As for `categorize`.
        """
        work = estimating.deciding_work(self._store, self.id, mode, seed, instructions)
        return self._with_embeddings(model, work, embeddings)

    @property
    def topics_naming(self) -> TopicNaming | None:
        """Who named the topics that were found last; ``None`` where no model was asked to."""
        with self._store.read() as connection:
            events = history.read_log(connection, self.id, "generate_topics")
        found = events[-1].details.get("naming") if events else None
        return None if found is None else msgspec.convert(found, TopicNaming)

    def _with_embeddings(self, model: ModelLike, work: Workload, embeddings: bool) -> WorkEstimate:
        named = self.named_connection(model)
        found = self._estimate(named, "topics", work)
        if not embeddings or named.embedding_model is None:
            return found
        placed = self._estimate(named, "embed", estimating.embedding_work(self._store, self.id))
        return replace(combined([found, placed]), past_error=found.past_error)

    @contextmanager
    def _asking(
        self,
        model: ModelLike | None,
        embeddings: ModelLike | bool,
        options: Options,
        planned: Callable[[], Workload],
    ) -> Iterator[tuple[ModelClient | None, EmbedTexts | None, dict[str, Any]]]:
        """Open what is asked: a model, and what places texts; and what the log says of both."""
        if len(options.instructions) > TOPIC_MODEL.instructions_chars:
            raise InvalidArgument(
                f"The instructions have {len(options.instructions):,} characters, the limit is "
                f"{TOPIC_MODEL.instructions_chars:,}."
            )
        client, embed = None, None
        log: dict[str, Any] = {}
        cap, cancelled = micro_usd(options.max_cost_usd), options.cancelled
        with ExitStack() as stack:
            stack.enter_context(one_budget(cap))

            def opened(one: ModelLike, purpose: Purpose, work: Workload | None) -> ModelClient:
                return stack.enter_context(
                    self._client(
                        one, purpose=purpose, cap_micro_usd=cap, cancelled=cancelled, planned=work
                    )
                )

            if model is not None:
                client = opened(model, "topics", planned())
                log = {"model": client.named.name, "instructions": options.instructions}
                if embeddings is False:
                    log["embeddings"] = False
            source = self._source(model, embeddings)
            if source is not None:
                placer = opened(source, "embed", None)
                embed = KnownVectors(self._store, self.id, placer, cancelled=cancelled)
                log["embeddings"] = placer.named.name
            yield client, embed, log

    def _source(self, model: ModelLike | None, embeddings: ModelLike | bool) -> ModelLike | None:
        """Whose embedding model places texts, if any does."""
        if isinstance(embeddings, bool):
            if not embeddings or model is None:
                return None
            has_one = self.named_connection(model).embedding_model is not None
            return model if has_one else None
        named = self.named_connection(embeddings)
        if named.embedding_model is None:
            raise InvalidArgument(
                f"The connection {named.name!r} names no embedding model.",
                hint="Give it one: add_connection(..., embedding_model=...).",
            )
        return embeddings
