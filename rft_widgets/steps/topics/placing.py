"""Finding topics in the records of a dataset, and putting records under topics.

All is computed first, in columns of numbers, and written in one transaction: whoever is cancelled
or killed leaves everything as it was.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import tee
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from rft_widgets.errors import InvalidArgument, RunInterrupted, StaleEdit
from rft_widgets.model.message import Message
from rft_widgets.model.settings import TOPICS
from rft_widgets.model.topic import (
    Categorization,
    CategorizationSummary,
    CategorizeMode,
    ReviewItem,
    TopicHierarchy,
    confidence_band,
)
from rft_widgets.model.topic_settings import CATEGORIZE, CLUSTERING
from rft_widgets.steps.progress import Progress
from rft_widgets.steps.topics.auto import fit_topics
from rft_widgets.steps.topics.categorize import Member, fit_categorizer
from rft_widgets.steps.topics.editing import put
from rft_widgets.steps.topics.features import question
from rft_widgets.steps.topics.naming import Namer, NamerRecord, Names
from rft_widgets.steps.topics.reading import Rows, read_answered, read_questions, sample_rows
from rft_widgets.steps.topics.review import ReviewOrder, review_queue
from rft_widgets.steps.topics.tree import Edit
from rft_widgets.store import activity, datasets, history, topics
from rft_widgets.store.fingerprint import fingerprint
from rft_widgets.store.placements import (
    DECIDED,
    METHODS,
    Labels,
    Placements,
    place,
    read_labels,
    read_prompts,
    read_uncertain,
)

if TYPE_CHECKING:
    from rft_widgets.store.connection import Store

_TOPICS_STEP = 2
_FEW_MEMBERS = 5
"""Records that somebody put under a topic, from which on no others stand for it."""


def find_topics(
    store: Store,
    dataset_id: str,
    *,
    n_topics: int | None = None,
    depth: int | None = None,
    seed: int = 0,
    namer: Namer | Names | None = None,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] = bool,
) -> TopicHierarchy:
    """Find topics in the valid records, and put the records under them.

    Where records have answers that depend on what is asked, the answers say which words of the
    prompts count. Records are put under the topics by their prompts, with or without an answer.

    Parameters
    ----------
    store, dataset_id
        Where.
    n_topics, depth, seed
        As for `fit_topics`.
    namer
        Names the topics; or the names that one gave before.
    progress
        Is told the share that is done (0..1) and what is being done.
    cancelled
        Asked all along; when it says so, nothing is changed.

    Raises
    ------
    InvalidArgument
        There is no valid record, or none that says anything.
    RunInterrupted
        It was cancelled.
    """
    with store.read() as connection:
        datasets.live_set(connection, dataset_id)  # says that there is no such dataset
    inputs = fingerprint(store, dataset_id)
    named = None if namer is None else NamerRecord(namer)
    with activity.working(store, dataset_id, _TOPICS_STEP, "Finding topics") as show:
        tell = _teller("finding of topics", show, progress, cancelled)
        with store.read() as connection:
            labels = read_labels(connection, dataset_id)
        if not len(labels.seqs):
            raise InvalidArgument(
                "There is no valid record to find topics in.", hint="Import records first."
            )
        rows = np.frombuffer(labels.seqs, np.int64)
        some = sample_rows(rows, CLUSTERING.sample_texts, seed)
        # Both are read at the same pace, so that no more than one pair waits.
        asked, answered = tee(read_answered(store, some, tell, 0.0, 0.2))
        model = fit_topics(
            (question for question, _ in asked),
            answers=(answer for _, answer in answered),
            n_topics=n_topics,
            depth=depth,
            seed=seed,
            namer=named,
            progress=lambda share, words: tell(0.2 + 0.35 * share, words),
        )
        if not model.paths:
            raise InvalidArgument(
                "No record says anything that topics could be found in.",
                hint="Look at the user messages, or set topics by hand.",
            )
        keys = (
            (str(i), text) for i, text in enumerate(read_questions(store, rows, tell, 0.6, 0.95))
        )
        placements = _columns(model.paths, rows, model.assign(keys))
        tell(0.95, "Storing topics")
        with store.write(durable=True) as connection:
            set_id = datasets.live_set(connection, dataset_id, keep=True)
            kept = set(model.paths)
            before = topics.current(connection, dataset_id)
            by_hand = topics.by_hand(connection, set_id)
            written = place(connection, placements, "not manual")
            moved = {path: path if path in kept else None for path in before.paths}
            # Those that were put under the new topics just now are under none of the old ones.
            put(connection, dataset_id, Edit(model.hierarchy, moved))
            history.log(
                connection,
                dataset_id,
                "generate_topics",
                {
                    "method": "auto",
                    "template": None,
                    "n_topics": n_topics,
                    "depth": depth,
                    "seed": seed,
                    "namer": None if named is None else named.given,
                    "inputs": msgspec.to_builtins(inputs),
                    "by_answers": model.by_answers,
                    "topics": len(model.paths),
                    "records": written,
                    **_counted(placements),
                    "kept_by_hand": sum(n for path, n in by_hand.items() if path in kept),
                    "unlabelled": sum(n for path, n in by_hand.items() if path not in kept),
                    "calibration": msgspec.to_builtins(model.calibration),
                },
            )
    return model.hierarchy


def categorize(
    store: Store,
    dataset_id: str,
    mode: CategorizeMode = "unlabeled_only",
    *,
    seed: int = 0,
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
    """
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
    inputs = fingerprint(store, dataset_id)
    with activity.working(store, dataset_id, _TOPICS_STEP, "Categorizing") as show:
        tell = _teller("categorizing", show, progress, cancelled)
        with store.read() as connection:
            labels = read_labels(connection, dataset_id)
        rows = np.frombuffer(labels.seqs, np.int64)
        members, confirmed = _members(tree, labels, seed)
        member_texts = read_questions(store, [row for row, _ in members], tell, 0.0, 0.05)
        model = fit_categorizer(
            tree,
            read_questions(
                store, sample_rows(rows, CLUSTERING.sample_texts, seed), tell, 0.05, 0.3
            ),
            [Member(text, path) for text, (_, path) in zip(member_texts, members, strict=True)],
            seed=seed,
        )
        tell(0.4, "Categorizing")
        open_rows, was_other = _open(tree, labels, mode)
        keys = (
            (str(i), text)
            for i, text in enumerate(read_questions(store, open_rows, tell, 0.4, 0.95))
        )
        found = _columns(model.paths, open_rows, _spared(model.categorize(keys), was_other))
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
                skipped=len(open_rows) - written,
                members=model.members,
                confirmed=confirmed,
                calibration=model.calibration,
                **_counted(found),
            )
            details = msgspec.to_builtins(summary)
            details |= {"seed": seed, "inputs": msgspec.to_builtins(inputs)}
            history.log(connection, dataset_id, "categorize", details)
    return summary


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


def _teller(
    what: str, show: activity.Tell, progress: Progress | None, cancelled: Callable[[], bool]
) -> Progress:
    def tell(share: float, words: str) -> None:
        if cancelled():
            raise RunInterrupted(
                f"The {what} was cancelled; nothing was changed.", hint="Start it again."
            )
        show(share, words)
        if progress is not None:
            progress(share, words)

    return tell


def _shown(messages: Sequence[Message]) -> str:
    return question(messages)[: CLUSTERING.max_chars]


def _columns(
    paths: Sequence[str], rows: Rows | Sequence[int], found: Iterable[Categorization]
) -> Placements:
    numbers: dict[str | None, int] = {None: -1}
    numbers |= {path: place_ for place_, path in enumerate(paths)}
    methods = {name: number for number, name in enumerate(METHODS)}
    columns = Placements(paths=paths, seqs=array("q", map(int, rows)))
    for one in found:
        columns.topics.append(numbers[one.topic])
        columns.seconds.append(numbers[one.runner_up])
        columns.methods.append(methods[one.method])
        columns.confidences.append(one.confidence)
    return columns


def _spared(found: Iterable[Categorization], was_other: Sequence[bool]) -> Iterator[Categorization]:
    """Leave what fitted no topic before without one, unless one is likely enough now."""
    for one, other in zip(found, was_other, strict=True):
        if other and one.topic is not None and one.confidence < CATEGORIZE.accept_similarity:
            yield msgspec.structs.replace(
                one, topic=None, confidence=0.0, method="similarity", runner_up=one.topic
            )
        else:
            yield one


def _open(tree: TopicHierarchy, labels: Labels, mode: CategorizeMode) -> tuple[Rows, list[bool]]:
    """Row numbers of the records to look at, and whether they fitted no topic before."""
    leaves = set(tree.paths)
    is_leaf = np.array([*(path in leaves for path in labels.paths), False])
    under = is_leaf[np.frombuffer(labels.topics, np.int32)]
    methods = np.frombuffer(labels.methods, np.int8)
    decided = np.isin(methods, [METHODS.index(name) for name in DECIDED])
    chosen = ~under if mode == "unlabeled_only" else ~(under & decided)
    other = (np.frombuffer(labels.topics, np.int32) < 0) & (methods >= 0)
    return np.frombuffer(labels.seqs, np.int64)[chosen], other[chosen].tolist()


def _members(tree: TopicHierarchy, labels: Labels, seed: int) -> tuple[list[tuple[int, str]], int]:
    """Row numbers and topics of the records to learn from, and how many of them somebody gave.

    Where topics were found in the data and fewer than five of their records are given, those that
    are there with high confidence by similarity stand for them.
    """
    number = {path: place_ for place_, path in enumerate(labels.paths)}
    rows = np.frombuffer(labels.seqs, np.int64)
    under = np.frombuffer(labels.topics, np.int32)
    methods = np.frombuffer(labels.methods, np.int8)
    given = np.isin(methods, [METHODS.index(name) for name in DECIDED])
    likely = (methods == METHODS.index("similarity")) & (
        np.frombuffer(labels.confidences, np.float64) >= CATEGORIZE.high_confidence
    )
    order = np.argsort(under, kind="stable")
    rng = np.random.default_rng(seed)
    members: list[tuple[int, str]] = []
    confirmed = 0
    for path in tree.paths:
        label = number.get(path)
        if label is None:
            continue
        bounds = np.searchsorted(under[order], [label, label + 1])
        here = order[bounds[0] : bounds[1]]
        sure = _some(here[given[here]], CATEGORIZE.members_per_topic, rng)
        confirmed += len(sure)
        members += [(int(row), path) for row in rows[sure]]
        if tree.method == "auto" and len(sure) < _FEW_MEMBERS:
            more = _some(here[likely[here]], CATEGORIZE.members_per_topic - len(sure), rng)
            members += [(int(row), path) for row in rows[more]]
    return members, confirmed


def _some(places: Rows, most: int, rng: np.random.Generator) -> Rows:
    return places if len(places) <= most else np.sort(rng.choice(places, most, replace=False))


def _counted(found: Placements) -> Mapping[str, Any]:
    """What came out, as the event and the summary have it."""
    methods: Counter[str] = Counter()
    bands: Counter[str] = Counter()
    low = 0
    for number, method, sure in zip(found.topics, found.methods, found.confidences, strict=True):
        if number >= 0:
            methods[METHODS[method]] += 1
            bands[confidence_band(sure)] += 1
            low += sure < TOPICS.low_confidence
    categorized = methods.total()
    return {
        "categorized": categorized,
        "low_confidence": low,
        "other": len(found.topics) - categorized,
        "by_method": dict(methods),
        "by_band": dict(bands),
    }
