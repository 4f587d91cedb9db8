"""Jobs that make topics and put records under them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from rft_widgets.model.connection import ConnectionName
from rft_widgets.model.settings import LIMITS
from rft_widgets.model.topic import CategorizationSummary, CategorizeMode
from rft_widgets.model.topic_settings import TOPIC_MODEL
from rft_widgets.worker.definition import Attempt, Definition, MaxCost

LANE = "topics"
"""Two of them at once would undo each other."""

Path = Annotated[str, Meta(min_length=1, max_length=LIMITS.max_identifier_chars)]
Name = Annotated[str, Meta(max_length=1_000)]
Count = Annotated[int, Meta(ge=1, le=10_000)]
Seed = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Instructions = Annotated[str, Meta(max_length=TOPIC_MODEL.instructions_chars)]


class GenerateTopics(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How to make topics in place of the present ones; records are put under them afterwards.

    ``model`` names found topics, ``categorize_model`` decides about records that keywords and
    similarity leave uncertain; both work by ``instructions`` and within ``max_cost_usd`` together.
    """

    method: Literal["auto", "template"] = "auto"
    template: Name | None = None
    n_topics: Count | None = None
    depth: Count | None = None
    seed: Seed = 0
    model: ConnectionName | None = None
    categorize_model: ConnectionName | None = None
    instructions: Instructions = ""
    embeddings: bool = True
    max_cost_usd: MaxCost | None = None


class SplitTopic(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The leaf to divide, and into how many."""

    path: Path
    n_topics: Count | None = None
    seed: Seed = 0


class Categorize(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which records to put under topics.

    ``model`` decides, by ``instructions``, about those that keywords and similarity leave
    uncertain.
    """

    mode: CategorizeMode = "unlabeled_only"
    seed: Seed = 0
    model: ConnectionName | None = None
    instructions: Instructions = ""
    embeddings: bool = True
    max_cost_usd: MaxCost | None = None


def _generate(at: Attempt[GenerateTopics]) -> tuple[str, CategorizationSummary]:
    params, dataset = at.params, at.dataset
    summary = _categorized(at)
    asked: dict[str, Any] = {
        "instructions": params.instructions,
        "embeddings": params.embeddings,
        "max_cost_usd": params.max_cost_usd,
        "progress": at.progress,
        "cancelled": at.cancelled,
    }
    if summary is None and at.done("generate_topics") is not None:
        summary = dataset.categorize(seed=params.seed, model=params.categorize_model, **asked)
    if summary is None:
        summary = dataset.regenerate_topics(
            params.method,
            template=params.template,
            n_topics=params.n_topics,
            depth=params.depth,
            seed=params.seed,
            model=params.model,
            categorize_model=params.categorize_model,
            **asked,
        )
    named = dataset.topics_naming if params.model is not None else None
    by = "" if named is None else f", {named.words}"
    return f"{len(dataset.topics.paths):,} topics{by}. {_words(summary)}", summary


def _split(at: Attempt[SplitTopic]) -> tuple[str, None]:
    path = at.params.path
    at.progress(0.0, f"of {path}")
    if at.done("split_topic") is None:
        at.dataset.split_topic(path, n_topics=at.params.n_topics, seed=at.params.seed)
    made = at.dataset.topics.find(path).children
    return f"{path} has {len(made):,} topics below it.", None


def _categorize(at: Attempt[Categorize]) -> tuple[str, CategorizationSummary]:
    params = at.params
    summary = _categorized(at) or at.dataset.categorize(
        params.mode,
        seed=params.seed,
        model=params.model,
        instructions=params.instructions,
        embeddings=params.embeddings,
        max_cost_usd=params.max_cost_usd,
        progress=at.progress,
        cancelled=at.cancelled,
    )
    return _words(summary), summary


def _categorized(at: Attempt[Any]) -> CategorizationSummary | None:
    done = at.done("categorize")
    if done is None or done.get("stopped"):  # it spent what it might, and goes on with more
        return None
    return msgspec.convert(done, CategorizationSummary)


def _words(summary: CategorizationSummary) -> str:
    if not summary.records:
        return "No record had to be put under a topic."
    parts = [f"{summary.categorized:,} of {summary.records:,} records were put under a topic"]
    if summary.low_confidence:
        parts.append(f"{summary.low_confidence:,} with low confidence")
    if summary.other:
        parts.append(f"{summary.other:,} fit none")
    if summary.skipped:
        parts.append(f"{summary.skipped:,} were assigned by somebody meanwhile and stay")
    if summary.by_model is not None:
        parts.append(summary.by_model.words)
    return ", ".join(parts) + "."


DEFINITIONS: tuple[Definition[Any], ...] = (
    Definition(
        kind="generate_topics",
        title="Generate topics",
        params=GenerateTopics,
        result=CategorizationSummary,
        work=_generate,
        lane=LANE,
    ),
    Definition(kind="split_topic", title="Split", params=SplitTopic, work=_split, lane=LANE),
    Definition(
        kind="categorize",
        title=lambda params: (
            "Apply to unlabeled" if params.mode == "unlabeled_only" else "Recategorize all"
        ),
        params=Categorize,
        result=CategorizationSummary,
        work=_categorize,
        lane=LANE,
    ),
)
