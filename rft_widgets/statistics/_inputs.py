"""What the statistics take: checked arrays of numbers, labels and clusters."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from rft_widgets.errors import InvalidArgument

Floats: TypeAlias = npt.NDArray[np.float64]
Integers: TypeAlias = npt.NDArray[np.intp]
Booleans: TypeAlias = npt.NDArray[np.bool_]
Numbers: TypeAlias = Sequence[float] | npt.NDArray[Any]
"""Scores or shares: any one-dimensional sequence of numbers."""
Labels: TypeAlias = Sequence[Hashable] | npt.NDArray[Any]
"""Ratings by category: any one-dimensional sequence of hashable values."""
Clusters: TypeAlias = Sequence[Hashable] | npt.NDArray[Any]
"""One cluster name a score; a score named ``None`` or NaN is a cluster of its own."""

TOLERANCE = 1e-9
"""Scores closer than this are equal: a weighted sum of 0.7 and 0.3 may miss 1 by a rounding."""


def numbers(values: Numbers, name: str) -> Floats:
    """``values`` as a float array.

    Parameters
    ----------
    values
        One dimension, at least one value, all finite.
    name
        What the caller calls them, for the message.

    Returns
    -------
    Array of shape (n,), float64.

    Raises
    ------
    InvalidArgument
        They are empty, nested, not numbers, or hold ``None``, NaN or infinity.
    """
    try:
        array = np.asarray(values)
        result = array.astype(np.float64)
    except (TypeError, ValueError):
        raise InvalidArgument(f"{name} must be a sequence of numbers.") from None
    if array.dtype.kind not in "biufO":
        raise InvalidArgument(f"{name} must be a sequence of numbers, not of text or dates.")
    if result.ndim != 1:
        raise InvalidArgument(f"{name} must have one dimension, not {result.ndim}.")
    if result.size == 0:
        raise InvalidArgument(f"{name} is empty; a statistic needs at least one value.")
    finite = np.isfinite(result)
    if not finite.all():
        position = int(np.argmin(finite))
        raise InvalidArgument(
            f"{name}[{position}] is not a finite number.",
            hint="Leave gradings that failed out; they are not zeros.",
        )
    return result


def shares_of_one(values: Numbers, name: str) -> Floats:
    """``values`` (not negative, not all zero; counts will do) scaled to sum to 1."""
    array = numbers(values, name)
    if (array < 0).any():
        raise InvalidArgument(f"{name}[{int(np.argmax(array < 0))}] is negative.")
    largest = array.max()
    if largest == 0:
        raise InvalidArgument(f"{name} are all zero; there is nothing to share out.")
    array /= largest  # first, so that neither tiny nor huge values leave the range of floats
    array /= array.sum()
    return array


def same_length(first: Sequence[Any] | npt.NDArray[Any], n: int, name: str) -> None:
    """Refuse ``first`` unless it has ``n`` values."""
    if len(first) != n:
        raise InvalidArgument(f"{name} has {len(first)} values, but {n} are needed, one a score.")


def label_list(values: Labels, name: str) -> list[Hashable]:
    """``values`` as a list of hashable labels, none of them missing."""
    labels = _as_list(values)
    if not labels:
        raise InvalidArgument(f"{name} is empty; a statistic needs at least one value.")
    for position, label in enumerate(labels):
        if _is_missing(label):
            raise InvalidArgument(
                f"{name}[{position}] is missing.",
                hint="Leave ratings that failed out; they are not a category.",
            )
        if not isinstance(label, Hashable):
            raise InvalidArgument(f"{name}[{position}] cannot be a label: it is not hashable.")
    return labels


def cluster_codes(clusters: Clusters | None, n: int) -> tuple[Integers, int]:
    """Number of the cluster of each score, and how many clusters there are.

    Without clusters, and for the name ``None`` or NaN, each score is its own cluster.
    """
    if clusters is None:
        return np.arange(n), n
    same_length(clusters, n, "clusters")
    known: dict[Hashable, int] = {}
    count = 0
    codes = np.empty(n, dtype=np.intp)
    for position, name in enumerate(_as_list(clusters)):
        if not isinstance(name, Hashable):
            raise InvalidArgument(f"clusters[{position}] cannot name a cluster: not hashable.")
        code = count if _is_missing(name) else known.setdefault(name, count)
        codes[position] = code
        count += code == count
    return codes, count


def _as_list(values: Iterable[Any]) -> list[Any]:
    return values.tolist() if isinstance(values, np.ndarray) else list(values)


def _is_missing(label: object) -> bool:
    return label is None or (isinstance(label, float) and label != label)  # noqa: PLR0124 - NaN
