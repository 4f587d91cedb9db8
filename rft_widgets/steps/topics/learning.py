"""What putting records under topics begins with: what to learn from, and what to look at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct

from rft_widgets.model.topic import CategorizeMode, TopicHierarchy
from rft_widgets.model.topic_settings import CATEGORIZE, CLUSTERING, EMBEDDING, TOPIC_MODEL
from rft_widgets.steps.progress import Progress
from rft_widgets.steps.topics.categorize import Categorizer, fit_categorizer
from rft_widgets.steps.topics.deciding import Near
from rft_widgets.steps.topics.embedded import EmbedTexts
from rft_widgets.steps.topics.members import Member
from rft_widgets.steps.topics.reading import Rows, read_questions, sample_rows
from rft_widgets.store.placements import DECIDED, METHODS, Labels

if TYPE_CHECKING:
    from rft_widgets.store.connection import Store

_FEW_MEMBERS = 5
"""Records that somebody put under a topic, from which on no others stand for it."""


class Fitted(Struct, frozen=True):
    """What puts records under topics, and how many of those it learned from somebody gave."""

    model: Categorizer
    confirmed: int


def fit(
    store: Store,
    tree: TopicHierarchy,
    labels: Labels,
    tell: Progress,
    *,
    seed: int,
    embed: EmbedTexts | None = None,
) -> Fitted:
    """Learn to put records under topics from those that are there."""
    rows = np.frombuffer(labels.seqs, np.int64)
    members, confirmed = _members(tree, labels, seed)
    texts = read_questions(store, [row for row, _, _ in members], tell, 0.0, 0.05)
    size = (CLUSTERING if embed is None else EMBEDDING).sample_texts
    model = fit_categorizer(
        tree,
        read_questions(store, sample_rows(rows, size, seed), tell, 0.05, 0.3),
        [
            Member(text, path, is_given)
            for text, (_, path, is_given) in zip(texts, members, strict=True)
        ],
        seed=seed,
        embed=embed,
    )
    return Fitted(model, confirmed)


def near_by(model: Categorizer) -> Near:
    """The likely topics of texts, by similarity."""

    def near(texts: Sequence[str]) -> Sequence[Sequence[int]]:
        order = np.argsort(-model.probabilities(texts), axis=1, kind="stable")
        found: list[list[int]] = order[:, : TOPIC_MODEL.likely_topics].tolist()
        return found

    return near


def open_records(
    tree: TopicHierarchy, labels: Labels, mode: CategorizeMode
) -> tuple[Rows, list[bool]]:
    """Row numbers of the records to look at, and whether they fitted no topic before."""
    leaves = set(tree.paths)
    is_leaf = np.array([*(path in leaves for path in labels.paths), False])
    under = is_leaf[np.frombuffer(labels.topics, np.int32)]
    methods = np.frombuffer(labels.methods, np.int8)
    decided = np.isin(methods, [METHODS.index(name) for name in DECIDED])
    chosen = ~under if mode == "unlabeled_only" else ~(under & decided)
    other = (np.frombuffer(labels.topics, np.int32) < 0) & (methods >= 0)
    return np.frombuffer(labels.seqs, np.int64)[chosen], other[chosen].tolist()


def _members(
    tree: TopicHierarchy, labels: Labels, seed: int
) -> tuple[list[tuple[int, str, bool]], int]:
    """Rows, topics and whether somebody gave these, of records to learn from; how many are given.

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
    members: list[tuple[int, str, bool]] = []
    confirmed = 0
    for path in tree.paths:
        label = number.get(path)
        if label is None:
            continue
        bounds = np.searchsorted(under[order], [label, label + 1])
        here = order[bounds[0] : bounds[1]]
        sure = _some(here[given[here]], CATEGORIZE.members_per_topic, rng)
        confirmed += len(sure)
        members += [(int(row), path, True) for row in rows[sure]]
        if tree.method == "auto" and len(sure) < _FEW_MEMBERS:
            more = _some(here[likely[here]], CATEGORIZE.members_per_topic - len(sure), rng)
            members += [(int(row), path, False) for row in rows[more]]
    return members, confirmed


def _some(places: Rows, most: int, rng: np.random.Generator) -> Rows:
    return places if len(places) <= most else np.sort(rng.choice(places, most, replace=False))
