"""The policy: a softmax over linear scores of standardised features."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from msgspec import Struct

from rft_widgets.model.training import LocalHyperparameters
from rft_widgets.trainers.local.pool import Floats
from rft_widgets.trainers.local.retrieve import FEATURES, MOST_SIMILAR, SIMILARITY

SMALLEST_SCALE = 1e-6


class Scaling(Struct, frozen=True):
    """Mean and standard deviation of each feature, which its values are measured in."""

    mean: tuple[float, ...]
    scale: tuple[float, ...]

    def apply(self, features: Floats) -> Floats:
        """Standardise features (... x F); one that never varied gives zeros."""
        scale = np.array(self.scale)
        varied = scale > SMALLEST_SCALE
        scaled: Floats = np.where(
            varied, (features - np.array(self.mean)) / np.where(varied, scale, 1.0), 0.0
        )
        return scaled


def fit_scaling(tables: Sequence[Floats]) -> Scaling:
    """Measure the features of all candidates of the prompts that are learned from."""
    rows = np.concatenate([np.zeros((0, len(FEATURES))), *tables])
    if not len(rows):
        return Scaling((0.0,) * len(FEATURES), (0.0,) * len(FEATURES))
    return Scaling(tuple(rows.mean(axis=0).tolist()), tuple(rows.std(axis=0).tolist()))


def reference_weights(scaling: Scaling, settings: LocalHyperparameters) -> Floats:
    """Weights of the reference policy: it prefers the most similar recorded prompt's answer.

    Nothing but similarity counts, so that its greedy choice is always the most similar one. Its
    preference is high where that one is similar indeed, and it tries every candidate sometimes.
    """
    weights = np.zeros(len(FEATURES))
    weights[MOST_SIMILAR] = settings.reference_gap * scaling.scale[MOST_SIMILAR]
    weights[SIMILARITY] = settings.reference_slope * scaling.scale[SIMILARITY]
    return weights


def greedy(table: Floats, weights: Floats) -> int:
    """The candidate with the highest score; of equal ones the most similar."""
    return int(np.argmax(table @ weights))
