"""Finding the topics of a dataset and putting its records under them, also by a model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from rft_widgets.dataset.asking import ModelLike
from rft_widgets.dataset.topics_asking import AsksAboutTopics, Options
from rft_widgets.errors import BudgetReached, InvalidArgument, RunInterrupted
from rft_widgets.model.estimate import Workload
from rft_widgets.model.topic import (
    CategorizationSummary,
    CategorizeMode,
    TopicHierarchy,
)
from rft_widgets.steps.progress import Progress
from rft_widgets.steps.topics import editing, estimating, finding, placing, tree
from rft_widgets.steps.topics.model_names import ModelNamer
from rft_widgets.steps.topics.naming import Namer, Names
from rft_widgets.steps.topics.templates import template as topics_of_template

Method = Literal["auto", "template"]


class FindsTopics(AsksAboutTopics):
    """Finding topics in a dataset's records, and putting records under topics."""

    def generate_topics(
        self,
        method: Method = "auto",
        *,
        template: str | None = None,
        n_topics: int | None = None,
        depth: int | None = None,
        seed: int = 0,
        namer: Namer | Names | None = None,
        model: ModelLike | None = None,
        instructions: str = "",
        embeddings: ModelLike | bool = True,
        max_cost_usd: float | None = None,
        progress: Progress | None = None,
        cancelled: Callable[[], bool] = bool,
    ) -> TopicHierarchy:
        """Make topics in place of the present ones.

        Records that were put by hand under a topic that is no more become unlabelled and remember
        it; where its path is left, they stay.

        Parameters
        ----------
        method
            ``auto`` finds topics in the valid records and puts these under them. One that fits none
            stays without a topic and is marked as looked at. A label that came with the data gives
            way and is remembered. ``template`` sets ready-made topics; records stay where their
            path is left.
        template
            Name of the template; `template_names` lists them.
        n_topics
            Leaves to find; by default the number that fits the data, 2 to 30.
        depth
            Most levels of found topics, 1 to 5 (default 2).
        seed
            The same records and seed give the same topics.
        namer
            Names found topics instead of their keywords; or the names that one gave before, as the
            log has them.
        model
            A model that names and describes found topics, those below before those above. A topic
            that it gives no usable name is called by its keywords; `topics_naming` tells.
        instructions
            What the names should be like, in your words.
        embeddings
            Whether the embedding model of ``model``, where that has one, places the records in
            place of their words; or another connection that does.
        max_cost_usd
            Most that may be spent on it.
        progress
            Is told the share that is done (0..1) and what is being done.
        cancelled
            Asked all along; when it says so, nothing is changed.

        Raises
        ------
        InvalidArgument
            An option does not belong to the method, or no valid record says anything.
        NotFound
            There is no such template, or no such connection.
        RunInterrupted
            It was cancelled.
        BudgetReached, ModelRefused, TooManyFailures
            The model cannot be asked any more. Nothing is changed; what was answered is kept, and
            costs nothing when this is done again.
        """
        if method == "auto":
            if template is not None:
                raise InvalidArgument(
                    "Found topics follow no template.", hint="Pass method='template' for that."
                )
            if namer is not None and model is not None:
                raise InvalidArgument(
                    "Topics are named by a model or by a namer, not by both.",
                    hint="Leave one of them out.",
                )
            options = Options(instructions, max_cost_usd, cancelled)

            def planned() -> Workload:
                return estimating.naming_work(self._store, self.id, n_topics, instructions)

            with self._asking(model, embeddings, options, planned) as (client, embed, log):
                if client is not None:
                    tell = (lambda words: progress(0.5, words)) if progress else None
                    namer = ModelNamer(client, instructions=instructions, tell=tell)
                return finding.find_topics(
                    self._store,
                    self.id,
                    n_topics=n_topics,
                    depth=depth,
                    seed=seed,
                    namer=namer,
                    embed=embed,
                    asked=log,
                    progress=progress,
                    cancelled=cancelled,
                )
        if method != "template":
            raise InvalidArgument(
                f"The method {method!r} is unknown.",
                hint="Pass 'auto' or 'template', or make topics with add_topic().",
            )
        own = (n_topics, depth, namer, model)
        if template is None or any(one is not None for one in own):
            raise InvalidArgument(
                "A template is chosen by its name, and says itself how many topics there are and "
                "what they are called.",
                hint="Pass template='...' without n_topics, depth, namer and model.",
            )
        made = topics_of_template(template)
        paths = set(made.paths)
        return editing.edit(
            self._store,
            self.id,
            "generate_topics",
            {"method": method, "template": template},
            lambda before: tree.Edit(made, {p: p if p in paths else None for p in before.paths}),
        )

    def regenerate_topics(
        self,
        method: Method = "auto",
        *,
        template: str | None = None,
        n_topics: int | None = None,
        depth: int | None = None,
        seed: int = 0,
        model: ModelLike | None = None,
        categorize_model: ModelLike | None = None,
        instructions: str = "",
        embeddings: bool = True,
        max_cost_usd: float | None = None,
        progress: Progress | None = None,
        cancelled: Callable[[], bool] = bool,
    ) -> CategorizationSummary:
        """Make topics in place of the present ones, and put records under them.

        That is `generate_topics` and then `categorize` with ``categorize_model`` as its model; see
        there.

        Raises
        ------
        RunInterrupted, BudgetReached
            It was cancelled, or may spend no more; the message says whether the topics are the new
            ones.
        """
        self.generate_topics(
            method,
            template=template,
            n_topics=n_topics,
            depth=depth,
            seed=seed,
            model=model,
            instructions=instructions,
            embeddings=embeddings,
            max_cost_usd=max_cost_usd,
            progress=_part(progress, 0.0, 0.6),
            cancelled=cancelled,
        )
        try:
            return self.categorize(
                seed=seed,
                model=categorize_model,
                instructions=instructions,
                embeddings=embeddings,
                max_cost_usd=max_cost_usd,
                progress=_part(progress, 0.6, 1.0),
                cancelled=cancelled,
            )
        except (RunInterrupted, BudgetReached) as error:
            stopped = "was cancelled" if isinstance(error, RunInterrupted) else "stopped"
            raise type(error)(
                f"The new topics are there; putting records under them {stopped}. {error.message}",
                hint="Run categorize() for the rest.",
            ) from error

    def categorize(
        self,
        mode: CategorizeMode = "unlabeled_only",
        *,
        seed: int = 0,
        model: ModelLike | None = None,
        instructions: str = "",
        embeddings: ModelLike | bool = True,
        max_cost_usd: float | None = None,
        progress: Progress | None = None,
        cancelled: Callable[[], bool] = bool,
    ) -> CategorizationSummary:
        """Put valid records under the topics, each with a confidence that means what it says.

        What somebody decided, by hand or as a label that came with the data, is never changed, nor
        what somebody assigns while this runs; it is what is learned from. Where topics were found
        in the data and fewer than five records of one are decided, those that the clustering put
        there with high confidence are learned from as well, so that new records go where the old
        ones are. Confidence then says how well the clustering is repeated, not what a person would
        say.

        Parameters
        ----------
        mode
            ``unlabeled_only`` looks at records that were never looked at, and again at those that
            fitted no topic; ``recategorize_all`` also at those that nobody decided. A record that
            fitted no topic before gets one only with a confidence of 0.7 or more.
        seed
            The same records, topics and seed give the same result.
        model
            A model that decides about the records that keywords and similarity leave uncertain,
            several at a time. Its confidence is measured on confirmed records where there are
            some, and else assumed and lowered where it contradicts itself; what it states itself
            is only a sign of it. What it said of a record is kept, and never asked again.
        instructions
            What it should heed, in your words.
        embeddings
            As for `generate_topics`.
        max_cost_usd
            Most that may be spent on it.
        progress
            Is told the share that is done (0..1) and what is being done.
        cancelled
            Asked all along; when it says so, nothing is changed.

        Raises
        ------
        InvalidArgument
            There are no topics.
        StaleEdit
            The topics were changed while it ran; nothing was written.
        RunInterrupted
            It was cancelled.
        BudgetReached
            No more may be spent. What was decided is written, and what was not asked about stays
            as it was: do it again with a higher limit, and it goes on from there.
        ModelRefused, TooManyFailures
            The model cannot be asked any more. Nothing is changed; what it said is kept.
        """
        options = Options(instructions, max_cost_usd, cancelled)

        def planned() -> Workload:
            return estimating.deciding_work(self._store, self.id, mode, seed, instructions)

        with self._asking(model, embeddings, options, planned) as (client, embed, log):
            return placing.categorize(
                self._store,
                self.id,
                mode,
                seed=seed,
                embed=embed,
                client=client,
                instructions=instructions,
                asked=log,
                progress=progress,
                cancelled=cancelled,
            )


def _part(progress: Progress | None, start: float, stop: float) -> Progress | None:
    """Progress of a part of some work, from one share (0..1) of it to another."""
    if progress is None:
        return None

    def tell(share: float, words: str) -> None:
        progress(start + (stop - start) * share, words)

    return tell
