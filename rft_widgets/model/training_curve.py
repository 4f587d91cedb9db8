"""The curve of a long run, with few enough points to be kept often and drawn."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import fmean

import msgspec

from rft_widgets.model.training import CurvePoint

MOST_POINTS = 200
"""More than a chart has pixels to tell apart."""

_MEANS = (
    "train_reward", "kl", "entropy", "clip_share", "flat_share", "completion_tokens", "step_s",
)  # fmt: skip


def thinned(curve: Sequence[CurvePoint], most: int = MOST_POINTS) -> tuple[CurvePoint, ...]:
    """Join neighbouring steps until there are about ``most``; measured ones stay as they are.

    A joined point has the means of its steps, and the place of the last of them.
    """
    if len(curve) <= most:
        return tuple(curve)
    width = -(-len(curve) // most)
    found: list[CurvePoint] = []
    waiting: list[CurvePoint] = []
    for point in curve:
        is_measured = point.valid is not None or point.selection is not None
        if is_measured:
            if waiting:
                found.append(_joined(waiting))
            found.append(point)
            waiting = []
            continue
        waiting.append(point)
        if len(waiting) == width:
            found.append(_joined(waiting))
            waiting = []
    if waiting:
        found.append(_joined(waiting))
    return tuple(found)


def _joined(points: Sequence[CurvePoint]) -> CurvePoint:
    means = {name: _mean(getattr(point, name) for point in points) for name in _MEANS}
    return msgspec.structs.replace(points[-1], **means)


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None
