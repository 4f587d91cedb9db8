"""Small datasets of three clear themes, and how their records are labelled."""

from __future__ import annotations

from collections import Counter
from typing import Any

from builders import chat_line

import rft_widgets as rft
from rft_widgets.model.topic import hierarchy, topic

THEMES = {
    "Travel": "book a cheap flight to city number {} for the weekend",
    "Cooking": "recipe for a vegetable soup with {} potatoes and garlic",
    "Coding": "python function that sorts {} lists raises an exception",
}
TREE = hierarchy([topic("Leisure", "", [], [topic("Travel"), topic("Cooking")]), topic("Coding")])
PATHS = {"Travel": "Leisure/Travel", "Cooking": "Leisure/Cooking", "Coding": "Coding"}


def themed(workspace: rft.Workspace, count: int = 10, **more: Any) -> rft.OptimizationDataset:
    """Dataset with ``count`` records of each theme, their ids beginning with its first letters."""
    dataset = workspace.create("themed")
    dataset.add_records(
        chat_line(text.format(n), id=f"{theme.lower()}{n}", **more)
        for n in range(count)
        for theme, text in THEMES.items()
    )
    return dataset


def labels(dataset: rft.OptimizationDataset) -> dict[str, str | None]:
    return {record.id: record.topic for record in dataset.iterate()}


def methods(dataset: rft.OptimizationDataset) -> Counter[str | None]:
    return Counter(record.topic_method for record in dataset.iterate())


def leaves_hold_all(dataset: rft.OptimizationDataset) -> None:
    """Nothing is under a path that is no leaf."""
    assert set(labels(dataset).values()) - {None} <= set(dataset.topics.paths)


def last(dataset: rft.OptimizationDataset) -> dict[str, Any]:
    return dataset.events[-1].details
