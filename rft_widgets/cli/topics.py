"""The command that makes topics and puts records under them."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any, Literal

from msgspec import Struct

from rft_widgets.cli.estimates import estimate_words
from rft_widgets.cli.output import open_workspace, print_json, progress_line, quiet, stop_wish
from rft_widgets.dataset import OptimizationDataset
from rft_widgets.errors import InvalidArgument
from rft_widgets.model.record import RecordFilter
from rft_widgets.model.topic import (
    CategorizationSummary,
    CategorizeMode,
    TopicHierarchy,
    TopicNaming,
    TopicNode,
)


class TopicsPlan(Struct, frozen=True, kw_only=True):
    """Which topics, and which records are put under them.

    Without a method it is the one that ``template`` or ``file`` belongs to, else ``auto``.
    ``model`` names found topics; ``categorize_model`` decides about uncertain records.
    """

    method: Literal["auto", "template", "file", "keep"] | None = None
    template: str | None = None
    file: str | None = None
    n_topics: int | None = None
    depth: int | None = None
    seed: int = 0
    recategorize_all: bool = False
    model: str | None = None
    categorize_model: str | None = None
    instructions: str = ""
    embeddings: bool = True
    max_cost_usd: float | None = None


class Topics(Struct, frozen=True, kw_only=True):
    """The topics that there are now, and how the valid records lie under them."""

    topics: TopicHierarchy
    counts: dict[str, int]
    categorization: CategorizationSummary
    categorized: int
    low_confidence: int
    low_confidence_share: float | None
    other: int
    other_share: float | None
    naming: TopicNaming | None = None


def topics(options: argparse.Namespace) -> None:
    """Make topics, put the records under them, and show the tree."""
    given = (options.template, options.file, options.n_topics, options.depth)
    method = options.method
    if method is None and given == (None,) * 4 and (options.export or options.recategorize_all):
        method = "keep"  # whoever only wants them written does not want others
    plan = TopicsPlan(
        method=method,
        template=options.template,
        file=None if options.file is None else str(options.file),
        n_topics=options.n_topics,
        depth=options.depth,
        seed=options.seed,
        recategorize_all=options.recategorize_all,
        model=options.model,
        categorize_model=options.categorize_model,
        instructions=options.instructions,
        embeddings=not options.no_embeddings,
        max_cost_usd=options.max_cost,
    )
    with open_workspace(options) as workspace:
        dataset = workspace.dataset(options.dataset)
        if options.estimate:
            _estimate(dataset, plan, options)
            return
        if _method(plan) != "keep":
            _warn(dataset)
        found = make_topics(dataset, plan)
        if options.export is not None:
            dataset.export_topics(options.export)
    with quiet(options):
        print_topics(found)
        if options.export is not None:
            print(f"\nTopics written to {options.export}")
    if options.json:
        print_json({"dataset": options.dataset} | _values(found))


def make_topics(
    dataset: OptimizationDataset, plan: TopicsPlan, folder: Path | None = None
) -> Topics:
    """Make the topics of a plan and put the records under them.

    Parameters
    ----------
    dataset
        The dataset.
    plan
        What to do.
    folder
        Where a relative path of the plan begins; by default here.
    """
    method = _method(plan)
    if plan.model is not None and method != "auto":
        raise InvalidArgument(
            "A model names the topics that are found, and none are.",
            hint="To have one decide about records, name it as the model to categorize with.",
        )
    asked: dict[str, Any] = {
        "instructions": plan.instructions,
        "embeddings": plan.embeddings,
        "max_cost_usd": plan.max_cost_usd,
    }
    with progress_line() as show, stop_wish() as stop:
        if method == "file":
            if plan.file is None or plan.n_topics is not None or plan.depth is not None:
                raise InvalidArgument(
                    "A file says itself which topics there are.",
                    hint="Name the file, and leave out the number of topics and the depth.",
                )
            dataset.import_topics((folder or Path()) / plan.file)
        elif method != "keep":
            dataset.generate_topics(
                method,
                template=plan.template,
                n_topics=plan.n_topics,
                depth=plan.depth,
                seed=plan.seed,
                progress=show,
                cancelled=stop,
                **asked,
                model=plan.model,
            )
        summary = dataset.categorize(
            _mode(plan),
            seed=plan.seed,
            progress=show,
            cancelled=stop,
            **asked,
            model=plan.categorize_model,
        )
    coverage = dataset.coverage(near_duplicates=False)
    low = dataset.count(RecordFilter(valid=True, low_confidence=True))
    categorized, total = coverage.categorized_records, coverage.total_records
    other = coverage.uncategorized_records
    return Topics(
        topics=dataset.topics,
        counts={one.topic: one.count for one in coverage.topics},
        categorization=summary,
        categorized=categorized,
        low_confidence=low,
        low_confidence_share=low / categorized if categorized else None,
        other=other,
        other_share=other / total if total else None,
        naming=dataset.topics_naming if plan.model is not None else None,
    )


def print_topics(found: Topics) -> None:
    """Print the tree with the records of each topic, and how sure they lie there."""

    def show(node: TopicNode, level: int) -> None:
        count = sum(found.counts.get(leaf.id, 0) for leaf in node.leaves())
        print(f"  {count:>7,}  {'  ' * level}{node.name}")
        for child in node.children:
            show(child, level + 1)

    for root in found.topics.topics:
        show(root, 0)
    print(
        f"{found.categorized:,} records under {len(found.topics.paths):,} topics, "
        f"{found.low_confidence:,}{_share(found.low_confidence_share)} with low confidence; "
        f"{found.other:,}{_share(found.other_share)} fit none"
    )
    if found.naming is not None:
        print(f"Topics: {found.naming.words}")
    if found.categorization.by_model is not None:
        print(found.categorization.by_model.words)


def _estimate(dataset: OptimizationDataset, plan: TopicsPlan, options: argparse.Namespace) -> None:
    """Show what models would take; nothing is asked."""
    naming = categorizing = None
    if plan.model is not None:
        naming = dataset.estimate_topics(
            plan.model,
            n_topics=plan.n_topics,
            instructions=plan.instructions,
            embeddings=plan.embeddings,
        )
    if plan.categorize_model is not None:
        categorizing = dataset.estimate_categorize(
            plan.categorize_model,
            _mode(plan),
            seed=plan.seed,
            instructions=plan.instructions,
            embeddings=plan.embeddings,
        )
    with quiet(options):
        for what, found in (("Naming topics", naming), ("Uncertain records", categorizing)):
            print(f"{what}: {'no model is asked' if found is None else estimate_words(found)}")
    if options.json:
        estimates = {"naming": naming, "categorizing": categorizing}
        print_json({"dataset": options.dataset} | estimates)


def _mode(plan: TopicsPlan) -> CategorizeMode:
    return "recategorize_all" if plan.recategorize_all else "unlabeled_only"


def _method(plan: TopicsPlan) -> Literal["auto", "template", "file", "keep"]:
    if plan.method is not None:
        return plan.method
    if plan.template is not None:
        return "template"
    return "auto" if plan.file is None else "file"


def _warn(dataset: OptimizationDataset) -> None:
    """Say what other topics may take away; it can be had back, so nobody is asked."""
    risk = dataset.topics_at_risk()
    if risk.labelled:
        print(
            f"rft-widgets: {risk.labelled:,} records have a topic, {risk.by_hand:,} of them by "
            "hand. Where its path is gone, they remember it as their previous one.",
            file=sys.stderr,
        )


def _values(found: Topics) -> dict[str, Any]:
    return {name: getattr(found, name) for name in found.__struct_fields__}


def _share(share: float | None) -> str:
    return "" if share is None else f" ({share:.1%})"
