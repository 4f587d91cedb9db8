"""Which graded answers depend on each other."""

from __future__ import annotations

from collections.abc import Iterable

from rft_widgets.model.report import GradedAnswer


def independent_units(graded: Iterable[GradedAnswer]) -> list[str]:
    """Name of the unit that each answer belongs to, for statistics that draw whole clusters.

    Answers of one conversation depend on each other, and so do answers to one prompt; a prompt that
    two conversations share joins them.
    """
    rows = list(graded)
    parent: dict[tuple[str, str], tuple[str, str]] = {}

    def root(node: tuple[str, str]) -> tuple[str, str]:
        while (above := parent.setdefault(node, node)) != node:
            parent[node] = parent[above]  # halves the path, so that it stays short
            node = above
        return node

    for one in rows:
        if one.cluster is not None:
            parent[root(("conversation", one.cluster))] = root(("prompt", one.prompt_key))
    return [root(("prompt", one.prompt_key))[1] for one in rows]
