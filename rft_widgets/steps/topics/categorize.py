"""Putting records under the topics of a hierarchy, the cheapest evidence first.

1. A keyword decides where it is right often enough.
2. Else similarity decides: a linear model over the same features that topics are found with,
   learned from confirmed records and from the names, descriptions and keywords of the topics.
3. Else the record keeps its most likely topic, and needs review.

Every confidence is measured where there are confirmed records: they are held out in turn, and what
was said of them is compared with what they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import numpy.typing as npt
from msgspec import Struct
from msgspec.structs import replace

from rft_widgets.model.topic import (
    Calibration,
    Categorization,
    TopicHierarchy,
    TopicNode,
)
from rft_widgets.model.topic_settings import CATEGORIZE, CLUSTERING, EMBEDDING, CategorizeSettings
from rft_widgets.steps.cluster import map_batches
from rft_widgets.steps.topics.calibration import (
    error_beyond_chance,
    fit_temperature,
    folds_of,
    softmax,
)
from rft_widgets.steps.topics.embedded import EmbeddedSpace, EmbedTexts, fit_embedded
from rft_widgets.steps.topics.features import (
    TextSpace,
    Vectors,
    batched,
    fit_space,
    sample_texts,
    single_threaded,
)
from rft_widgets.steps.topics.keywords import KeywordMatcher
from rft_widgets.steps.topics.members import HeldOut, Member, chosen_members

Labels = npt.NDArray[np.intp]

_LEVELS = 3
"""Units of keyword evidence that are told apart; more count as this many."""


class Categorizer(Struct, frozen=True, kw_only=True):
    """What puts records under the topics of one hierarchy.

    Attributes
    ----------
    hierarchy
        The topics.
    paths
        Paths of the leaves, in the order of the scores.
    calibration
        How far the confidences by similarity can be trusted.
    keyword_confidence
        Confidence (0..1) of 1, 2, 3 or more units of keyword evidence.
    members
        Confirmed records that were learned from.
    held_out
        Those of them that a keyword does not decide; empty where there are too few topics or
        members to hold any out.
    """

    hierarchy: TopicHierarchy
    paths: tuple[str, ...]
    calibration: Calibration
    keyword_confidence: tuple[float, ...]
    members: int
    matcher: KeywordMatcher
    space: TextSpace | EmbeddedSpace
    weights: Vectors
    """Linear model, latent axes by topics."""
    offsets: Vectors
    settings: CategorizeSettings
    held_out: tuple[HeldOut, ...] = ()

    def categorize(self, records: Iterable[tuple[str, str]]) -> Iterator[Categorization]:
        """Give a topic to each record, in order and in constant memory.

        Parameters
        ----------
        records
            Id and topic text of each record.

        Yields
        ------
        A topic for each; none for a text without a known word, or without topics.
        """
        batches = batched(records, self.settings.chunk_texts)
        if isinstance(self.space, TextSpace):  # placed by words alone, on whatever machine
            for found in map_batches(_categorized, self, batches):
                yield from found
            return
        for batch in batches:
            yield from _categorized(self, batch)

    def probabilities(self, texts: Sequence[str]) -> npt.NDArray[np.float64]:
        """Probability of each topic (columns, as ``paths``) for each text, by similarity."""
        with single_threaded():
            scores = self.space.place(texts) @ self.weights + self.offsets
        return softmax(scores, self.calibration.temperature)

    def is_told_by_keyword(self, text: str) -> bool:
        """Whether a keyword decides about a text."""
        return bool(self.matcher and self.paths) and self._by_keyword("", text) is not None

    def _batch(self, ids: list[str], texts: list[str]) -> list[Categorization]:
        found: list[Categorization | None] = [None] * len(ids)
        if self.matcher and self.paths:
            found = [self._by_keyword(key, text) for key, text in zip(ids, texts, strict=True)]
        rest = [i for i, done in enumerate(found) if done is None]
        if rest:
            by_similarity = self._by_similarity([ids[i] for i in rest], [texts[i] for i in rest])
            for i, done in zip(rest, by_similarity, strict=True):
                found[i] = done
        return [done for done in found if done is not None]

    def _by_keyword(self, key: str, text: str) -> Categorization | None:
        place, lead = self.matcher.find(text[: self.space.max_chars])
        if lead == 0:
            return None
        confidence = self.keyword_confidence[min(lead, _LEVELS) - 1]
        if confidence < self.settings.accept_keyword:
            return None
        return Categorization(
            record_id=key,
            topic=self.paths[place],
            confidence=confidence,
            method="keyword",
            needs_review=False,
        )

    def _by_similarity(self, ids: list[str], texts: list[str]) -> list[Categorization]:
        if not self.paths:
            return [_unknown(key) for key in ids]
        with single_threaded():
            vectors = self.space.place(texts)
            scores = vectors @ self.weights + self.offsets
        known = (vectors != 0).any(1).tolist()
        chances = softmax(scores, self.calibration.temperature)
        best = chances.argmax(1)
        rows = np.arange(len(ids))
        sure = chances[rows, best].tolist()
        chances[rows, best] = -1.0
        second = chances.argmax(1).tolist() if len(self.paths) > 1 else None
        return [
            Categorization(
                record_id=key,
                topic=self.paths[best[i]],
                confidence=sure[i],
                method="similarity",
                needs_review=sure[i] < self.settings.accept_similarity,
                runner_up=None if second is None else self.paths[second[i]],
            )
            if known[i]
            else _unknown(key)
            for i, key in enumerate(ids)
        ]


def _categorized(model: Categorizer, batch: Sequence[tuple[str, str]]) -> list[Categorization]:
    return model._batch([key for key, _ in batch], [text for _, text in batch])  # noqa: SLF001


def fit_categorizer(
    hierarchy: TopicHierarchy,
    texts: Iterable[str],
    members: Iterable[Member] = (),
    *,
    seed: int = 0,
    settings: CategorizeSettings = CATEGORIZE,
    embed: EmbedTexts | None = None,
) -> Categorizer:
    """Learn to put records under topics.

    Parameters
    ----------
    hierarchy
        The topics.
    texts
        Topic texts of the records, confirmed or not: what words are rare, and which go together, is
        learned from them. A sample is enough.
    members
        Records whose topic a person confirmed; five a topic make a clear difference. Of many, a
        seeded sample of each topic is used.
    seed
        Makes the result reproducible.
    settings
        Thresholds and limits.
    embed
        Places the texts, instead of their words.

    Raises
    ------
    InvalidArgument
        A member names a topic that is no leaf of the hierarchy.
    """
    leaves = hierarchy.leaves()
    paths = tuple(leaf.id for leaf in leaves)
    known, truth = chosen_members(members, paths, seed, settings)
    chosen = [member.text for member in known]
    labels = [_label_text(hierarchy, leaf) for leaf in leaves]
    with single_threaded():
        limit = (EMBEDDING if embed else CLUSTERING).sample_texts
        sample = sample_texts(texts, limit, seed)
        placed = _fitted([*chosen, *labels, *sample], embed, seed, settings)
        prototypes, vectors = placed.place(labels), placed.place(chosen)
        matcher = KeywordMatcher(leaves)
        if len(paths) < 2 or not chosen:
            return Categorizer(
                hierarchy=hierarchy,
                paths=paths,
                calibration=Calibration(
                    records=0, accuracy=None, error=None,
                    temperature=1 / settings.unlabelled_sharpness,
                ),
                keyword_confidence=settings.untrained_keyword,
                members=0,
                matcher=matcher,
                space=placed,
                weights=np.ascontiguousarray(prototypes.T),
                offsets=np.zeros(len(paths), np.float32),
                settings=settings,
            )  # fmt: skip
        seen = placed.place(sample) if sample else vectors
        # A few records may have in common just what they are about.
        mean = seen.sum(0) / (len(seen) + settings.few_texts)
        held = _held_out(vectors, truth, prototypes, mean, seed, settings)
        weights, offsets = _learn(vectors, truth, prototypes, mean, settings)
    made = Categorizer(
        hierarchy=hierarchy,
        paths=paths,
        calibration=_calibration(held, truth, seed, settings),
        keyword_confidence=_keyword_confidence(matcher, chosen, truth, settings),
        members=len(chosen),
        matcher=matcher,
        space=placed,
        weights=weights,
        offsets=offsets,
        settings=settings,
    )
    chances = softmax(held, made.calibration.temperature)
    found = zip(known, truth.tolist(), chances.argmax(1).tolist(), chances.max(1).tolist(),
                strict=True)  # fmt: skip
    tried = tuple(
        HeldOut(member.text, real, likely, sure)
        for member, real, likely, sure in found
        if member.is_confirmed and not made.is_told_by_keyword(member.text)
    )
    return replace(made, held_out=tried)


def _fitted(
    texts: Sequence[str], embed: EmbedTexts | None, seed: int, settings: CategorizeSettings
) -> TextSpace | EmbeddedSpace:
    if embed is not None:
        return fit_embedded(texts, embed, seed=seed, max_chars=CLUSTERING.max_chars)
    return fit_space(texts, axes=settings.axes, seed=seed)


def _label_text(hierarchy: TopicHierarchy, leaf: TopicNode) -> str:
    """What a topic says of itself; its own name weighs most, those above it help a little."""
    above = [node.name for node in hierarchy.walk() if leaf.id.startswith(node.id + "/")]
    parts = [leaf.name, leaf.description, *leaf.keywords, *above]
    return " . ".join(part for part in parts if part)


def _learn(
    vectors: Vectors,
    truth: Labels,
    prototypes: Vectors,
    mean: Vectors,
    settings: CategorizeSettings,
) -> tuple[Vectors, Vectors]:
    """Linear model of the topics: what their own words say, corrected by confirmed records.

    The penalty is on the corrections alone. Where nothing is confirmed, the words decide; learned
    from scratch, the one topic with a confirmed record would get whatever looks like a record.
    """
    from scipy.optimize import minimize  # noqa: PLC0415 - slow to load

    count, axes = prototypes.shape
    # Records have much in common that names of topics have not, and the other way round.
    own = prototypes - prototypes.mean(0)
    rows = np.concatenate([vectors - mean, own])
    targets = np.concatenate([truth, np.arange(count)])
    said = settings.trust_in_words * (rows @ own.T)
    # Topics weigh the same, or those without a confirmed record would never be given.
    weight = len(targets) / (count * np.bincount(targets, minlength=count))[targets]
    real = np.arange(len(targets)), targets

    def loss(flat: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        corrections = flat.astype(np.float32).reshape(count, axes)
        chances = softmax(said + rows @ corrections.T, 1.0)
        fit = -float(weight @ np.log(chances[real] + 1e-12))
        chances[real] -= 1.0
        slope = (weight[:, None] * chances).astype(np.float32).T @ rows
        penalty = 0.5 * float(flat @ flat) / settings.regularization
        return fit + penalty, slope.ravel() + flat / settings.regularization

    found = minimize(
        loss, np.zeros(count * axes), jac=True, method="L-BFGS-B", options={"maxiter": 200}
    )
    weights = settings.trust_in_words * own + found.x.reshape(count, axes)
    weights = np.ascontiguousarray(weights.T, np.float32)
    return weights, np.asarray(-(mean @ weights), np.float32)


def _held_out(
    vectors: Vectors,
    truth: Labels,
    prototypes: Vectors,
    mean: Vectors,
    seed: int,
    settings: CategorizeSettings,
) -> Vectors:
    """Scores of each confirmed record from a model that was learned without it."""
    folds = folds_of(truth, min(settings.folds, max(2, len(truth))), seed)
    held = np.zeros((len(truth), len(prototypes)), np.float32)
    for fold in range(int(folds.max()) + 1):
        inside = folds != fold
        weights, offsets = _learn(vectors[inside], truth[inside], prototypes, mean, settings)
        held[~inside] = vectors[~inside] @ weights + offsets
    return held


def _calibration(
    held: Vectors, truth: Labels, seed: int, settings: CategorizeSettings
) -> Calibration:
    right = held.argmax(1) == truth
    usual = settings.usual_temperature * float(np.log(held.shape[1]))
    # What is measured on some of the topics says nothing of the others.
    covered = len(np.unique(truth)) / held.shape[1]
    share = covered * len(truth) / (len(truth) + 2 * held.shape[1])

    def temperature(scores: Vectors, real: Labels) -> float:
        # One or two records a topic, held out, leave too little to learn from, and look hopeless.
        measured = min(fit_temperature(scores, real), 2 * usual)
        return float(np.exp(share * np.log(measured) + (1 - share) * np.log(usual)))

    # The error is measured on records that the temperature was not fitted on, either.
    sure = np.zeros(len(truth))
    half = folds_of(truth, 2, seed + 1)
    for part in (0, 1):
        other = half != part
        sure[~other] = softmax(held[~other], temperature(held[other], truth[other])).max(1)
    return Calibration(
        records=len(truth),
        accuracy=float(right.mean()),
        error=error_beyond_chance(sure.tolist(), right.tolist()),
        temperature=temperature(held, truth),
    )


def _keyword_confidence(
    matcher: KeywordMatcher, texts: Sequence[str], truth: Labels, settings: CategorizeSettings
) -> tuple[float, ...]:
    """Share of confirmed records that each amount of evidence gets right, never falling.

    What is assumed without any record weighs as much as four of them.
    """
    seen = [4.0] * _LEVELS
    right = [4 * prior for prior in settings.untrained_keyword]
    for text, real in zip(texts, truth.tolist(), strict=True):
        place, lead = matcher.find(text)
        if lead:
            seen[min(lead, _LEVELS) - 1] += 1
            right[min(lead, _LEVELS) - 1] += place == real
    shares = [hits / total for hits, total in zip(right, seen, strict=True)]
    return tuple(float(share) for share in np.minimum.accumulate(shares[::-1])[::-1])


def _unknown(key: str) -> Categorization:
    return Categorization(
        record_id=key, topic=None, confidence=0.0, method="similarity", needs_review=True
    )
