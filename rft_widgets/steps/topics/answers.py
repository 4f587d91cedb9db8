"""Recorded answers as a second view of what prompts are about.

Words of a prompt that go with the same answers mean the same, however differently they are said;
courtesies, names and numbers go with any answer. So a feature of the prompts is described by the
mean of the answers to the texts that have it: the covariance of both views, which is what partial
least squares takes its axes from (H. Wold, 1975). Only the axes come from answers. Every text, also
one that has no answer yet, is placed by its own words.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from msgspec import Struct
from msgspec.structs import replace

from rft_widgets.model.message import Message
from rft_widgets.model.topic_settings import CLUSTERING, ClusterSettings
from rft_widgets.steps.topics.features import TextSpace, Vectors, Weighted, fit_space
from rft_widgets.steps.topics.words import without_courtesies

_MIN_TEXTS = 40
"""Different texts with an answer, below which nothing can be learned from answers."""


class Answered(Struct, frozen=True):
    """Texts with their answers.

    Attributes
    ----------
    space
        Where the texts are placed by what was answered.
    rows
        Weighted features of the texts.
    answers
        Place of each answer among all answers, from their mean; zeros where there is none.
    groups
        Number of each text; texts that are the same have the same.
    """

    space: TextSpace
    rows: Weighted
    answers: Vectors
    groups: npt.NDArray[np.intp]

    def axes(self, inside: npt.NDArray[np.bool_]) -> Vectors:
        """Axes by some of the texts, scaled so that those have a mean square length of 1."""
        return _axes(self.rows[inside], self.answers[inside])


def answer_text(messages: Sequence[Message]) -> str:
    """Text of an answer that says what the question was about, with the tools that it calls.

    Parameters
    ----------
    messages
        The recorded output.
    """
    parts: list[str] = []
    for message in messages:
        parts.append(without_courtesies(message.text))
        parts += [
            call.function.name.replace("_", " ") for call in message.tool_calls if call.function
        ]
    return " ".join(part for part in parts if part)


def by_answers(
    space: TextSpace,
    texts: Sequence[str],
    answers: Sequence[str],
    *,
    seed: int = 0,
    settings: ClusterSettings = CLUSTERING,
) -> Answered | None:
    """Give a space axes that come from answers, when these depend on the texts.

    Parameters
    ----------
    space
        Features of the texts.
    texts
        What was asked.
    answers
        What was answered to each, by `answer_text`; empty where nothing was.
    seed
        Makes the result reproducible.
    settings
        Limits and thresholds.

    Returns
    -------
    The texts with their answers, or ``None``: too few have an answer, or what is asked does not
    tell what is answered. That is measured on texts that the axes were not made from.
    """
    said = np.array([bool(answer.strip()) for answer in answers], np.bool_)
    numbers: dict[str, int] = {}
    groups = np.array([numbers.setdefault(text, len(numbers)) for text in texts], np.intp)
    if len(said) == 0 or said.mean() < settings.min_answered:
        return None
    if len(np.unique(groups[said])) < _MIN_TEXTS:
        return None
    given = [answer for answer in answers if answer.strip()]
    found = fit_space(given, axes=settings.answer_axes, seed=seed, settings=settings).place(given)
    places = np.zeros((len(texts), found.shape[1]), np.float32)
    places[said] = found - found.mean(0)
    rows = space.weigh(texts)
    if _foretold(rows, places, groups, said, seed) < settings.foretold:
        return None
    return Answered(replace(space, axes=_axes(rows, places)), rows, places, groups)


def _axes(rows: Weighted, answers: Vectors) -> Vectors:
    axes = np.asarray(rows.T @ answers, np.float32)
    placed = np.asarray(rows @ axes, np.float32)
    length = float(np.sqrt(np.einsum("ij,ij->", placed, placed) / max(1, len(placed))))
    return np.ascontiguousarray(axes / max(length, 1e-12), np.float32)


def _foretold(
    rows: Weighted,
    answers: Vectors,
    groups: npt.NDArray[np.intp],
    said: npt.NDArray[np.bool_],
    seed: int,
) -> float:
    """Share of texts that point to their own answer rather than to another, by two halves."""
    rng = np.random.default_rng(seed)
    half = rng.integers(0, 2, int(groups.max()) + 1)[groups] == 0
    nearer: list[npt.NDArray[np.bool_]] = []
    for inside in (half, ~half):
        outside = np.flatnonzero(~inside & said)
        if not len(outside) or not inside.any():
            return 0.0
        placed = np.asarray(rows[outside] @ _axes(rows[inside], answers[inside]), np.float32)
        own, other = answers[outside], answers[rng.permutation(outside)]
        nearer.append(np.einsum("ij,ij->i", placed, own) > np.einsum("ij,ij->i", placed, other))
    return float(np.concatenate(nearer).mean())
