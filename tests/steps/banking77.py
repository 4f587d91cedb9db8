"""BANKING77: real questions of bank customers with 77 gold intents."""

from __future__ import annotations

import csv
import functools

import numpy as np
from builders import data_folder


@functools.cache
def load(part: str) -> tuple[list[str], list[str]]:
    """Texts and gold intents of ``train`` or ``test``; skips the test without the data."""
    path = data_folder() / "datasets" / "banking77" / f"{part}.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [row["text"] for row in rows], [row["category"] for row in rows]


def shots(labels: list[str], count: int, seed: int) -> list[int]:
    """Places of ``count`` random examples of every label."""
    rng = np.random.default_rng(seed)
    places = np.array(labels)
    return [
        int(place)
        for label in sorted(set(labels))
        for place in rng.choice(np.flatnonzero(places == label), count, replace=False)
    ]


def purity(found: list[str], gold: list[str]) -> float:
    """Share of records whose group has their gold label as its most frequent one."""
    groups: dict[str, dict[str, int]] = {}
    for group, label in zip(found, gold, strict=True):
        groups.setdefault(group, {})[label] = groups.setdefault(group, {}).get(label, 0) + 1
    return sum(max(counts.values()) for counts in groups.values()) / len(gold)
