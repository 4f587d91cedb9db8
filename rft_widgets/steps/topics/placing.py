"""Putting the records of a dataset under its topics.

All is computed first, in columns of numbers, and written in one transaction: whoever is cancelled
or killed leaves everything as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from rft_widgets.errors import BudgetReached, InvalidArgument, StaleEdit
from rft_widgets.llm.client import ModelClient
from rft_widgets.model.message import Message
from rft_widgets.model.topic import (
    CategorizationSummary,
    CategorizeMode,
    ReviewItem,
    TopicHierarchy,
)
from rft_widgets.model.topic_settings import CATEGORIZE, CLUSTERING
from rft_widgets.steps.progress import Progress
from rft_widgets.steps.topics.columns import TOPICS_STEP, columns_of, counted, teller, without
from rft_widgets.steps.topics.deciding import ModelDecider
from rft_widgets.steps.topics.editing import put
from rft_widgets.steps.topics.embedded import EmbedTexts
from rft_widgets.steps.topics.features import question
from rft_widgets.steps.topics.learning import fit, near_by, open_records
from rft_widgets.steps.topics.reading import read_questions
from rft_widgets.steps.topics.review import ReviewOrder, review_queue
from rft_widgets.steps.topics.tree import Edit
from rft_widgets.steps.topics.uncertain import decide, unsure
from rft_widgets.store import activity, datasets, history, topics
from rft_widgets.store.fingerprint import fingerprint
from rft_widgets.store.placements import (
    METHODS,
    Placements,
    place,
    read_labels,
    read_prompts,
    read_uncertain,
)

if TYPE_CHECKING:
    from rft_widgets.store.connection import Store


def categorize(
    store: Store,
    dataset_id: str,
    mode: CategorizeMode = "unlabeled_only",
    *,
    seed: int = 0,
    embed: EmbedTexts | None = None,
    client: ModelClient | None = None,
    instructions: str = "",
    asked: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] = bool,
) -> CategorizationSummary:
    """Put the valid records of a dataset under its topics.

    Parameters
    ----------
    store, dataset_id
        Where.
    mode
        Records without a topic, or all but those whose topic somebody gave.
    seed
        Makes the result reproducible.
    embed
        Places the prompts, instead of their words.
    client, instructions
        A model that decides about records that keywords and similarity leave uncertain, and how.
    asked
        What the log is to say of who was asked.
    progress, cancelled
        As for `find_topics`.

    Raises
    ------
    InvalidArgument
        There are no topics, or the mode is unknown.
    StaleEdit
        The topics were changed meanwhile; nothing was written.
    RunInterrupted
        It was cancelled.
    BudgetReached
        The model may be asked no more. What was decided is written; what it was not asked about
        stays as it was.
    """
    tree = tree_for(store, dataset_id, mode)
    inputs = fingerprint(store, dataset_id)
    with activity.working(store, dataset_id, TOPICS_STEP, "Categorizing") as show:
        tell = teller("categorizing", show, progress, cancelled)
        with store.read() as connection:
            labels = read_labels(connection, dataset_id)
        fitted = fit(store, tree, labels, tell, seed=seed, embed=embed)
        model = fitted.model
        tell(0.4, "Categorizing")
        open_rows, was_other = open_records(tree, labels, mode)
        stop = 0.95 if client is None else 0.55
        keys = (
            (str(i), text)
            for i, text in enumerate(read_questions(store, open_rows, tell, 0.4, stop))
        )
        found = columns_of(model.paths, open_rows, model.categorize(keys))
        by_model, stopped = None, None
        pending: set[int] = set()
        if client is not None:
            decider = ModelDecider(
                client, store, dataset_id, tree, near_by(model),
                instructions=instructions, cancelled=cancelled,
            )  # fmt: skip
            places, texts = uncertain(store, found, tell)
            by_model, pending, stopped = decide(
                decider, found, places, texts, model.held_out,
                lambda share, words: tell(0.6 + 0.35 * share, words),
            )  # fmt: skip
        _spare(found, was_other)
        if pending:
            found = without(found, pending)
        tell(0.95, "Storing topics")
        with store.write(durable=True) as connection:
            datasets.live_set(connection, dataset_id, keep=True)
            if topics.current(connection, dataset_id) != tree:
                raise StaleEdit(
                    "The topics were changed while records were put under them; nothing was "
                    "written.",
                    hint="Run it again.",
                )
            # From here on the tree is the dataset's own, and no label of an import is beside it.
            put(connection, dataset_id, Edit(tree, {path: path for path in tree.paths}))
            free = "unlabelled" if mode == "unlabeled_only" else "undecided"
            written = place(connection, found, free)  # type: ignore[arg-type]  # one of its words
            summary = CategorizationSummary(
                mode=mode,
                records=len(open_rows),
                skipped=len(found.seqs) - written,
                members=model.members,
                confirmed=fitted.confirmed,
                calibration=model.calibration,
                by_model=by_model,
                **counted(found),
            )
            details = msgspec.to_builtins(summary) | {
                "seed": seed,
                "inputs": msgspec.to_builtins(inputs),
                **(asked or {}),
                **({"stopped": True} if stopped else {}),
            }
            history.log(connection, dataset_id, "categorize", details)
    if stopped is not None:
        raise BudgetReached(
            f"{stopped.message} The model was not asked about {len(pending):,} of "
            f"{len(open_rows):,} records, which stay as they were; the others were categorized.",
            hint=stopped.hint,
        )
    return summary


def uncertain(
    store: Store, found: Placements, tell: Progress
) -> tuple[Sequence[int], Sequence[str]]:
    """Places of the records that keywords and similarity are unsure of, and what they ask."""
    places = unsure(found)
    rows = [found.seqs[place_] for place_ in places]
    texts = list(read_questions(store, rows, tell, 0.55, 0.6))
    said = [i for i, text in enumerate(texts) if text.strip()]  # of nothing there is no topic
    return [places[i] for i in said], [texts[i] for i in said]


def tree_for(store: Store, dataset_id: str, mode: CategorizeMode) -> TopicHierarchy:
    """The topics to put records under; `InvalidArgument` where there are none."""
    if mode not in ("unlabeled_only", "recategorize_all"):
        raise InvalidArgument(
            f"The mode {mode!r} is unknown.", hint="Pass 'unlabeled_only' or 'recategorize_all'."
        )
    with store.read() as connection:
        tree = topics.current(connection, dataset_id)
    if not tree.topics:
        raise InvalidArgument(
            "The dataset has no topics to put records under.",
            hint="Find some with generate_topics(), or set them with set_topics().",
        )
    return tree


def to_review(
    store: Store, dataset_id: str, order: ReviewOrder, limit: int
) -> tuple[ReviewItem, ...]:
    """Records whose topic is uncertain, in the order in which a person should look at them."""
    if order not in ("confidence", "gain") or limit < 1:
        raise InvalidArgument(
            f"The order {order!r} or the limit {limit} is not one this takes.",
            hint="Pass 'confidence' or 'gain', and 1 or more.",
        )
    with store.read() as connection:
        # What teaches most is known only beside all others.
        found = read_uncertain(connection, dataset_id, limit if order == "confidence" else None)
    rows = {one.record_id: seq for seq, one in found}
    queue = review_queue((one for _, one in found), order=order, limit=limit)
    texts = read_prompts(store, [rows[one.record_id] for one in queue], _shown)
    return tuple(
        ReviewItem(
            record_id=one.record_id,
            text=text,
            topic=one.topic or "",
            confidence=one.confidence,
            runner_up=one.runner_up,
        )
        for one, text in zip(queue, texts, strict=True)
    )


def _shown(messages: Sequence[Message]) -> str:
    return question(messages)[: CLUSTERING.max_chars]


def _spare(found: Placements, was_other: Sequence[bool]) -> None:
    """Leave what fitted no topic before without one, unless one is likely enough now."""
    for i, other in enumerate(was_other):
        if other and found.topics[i] >= 0 and found.confidences[i] < CATEGORIZE.accept_similarity:
            found.seconds[i], found.topics[i] = found.topics[i], -1
            found.confidences[i] = 0.0
            if found.methods[i] != METHODS.index("llm"):
                found.methods[i] = METHODS.index("similarity")
