"""Ready-made topics for common applications, to begin with and to edit."""

from __future__ import annotations

from collections.abc import Iterable

from rft_widgets.errors import NotFound
from rft_widgets.model.topic import TopicHierarchy, TopicNode, hierarchy, topic
from rft_widgets.steps.topics.template_trees import TREES


def template_names() -> tuple[str, ...]:
    """Names of the templates, in the order they are offered."""
    return tuple(TREES)


def template(name: str) -> TopicHierarchy:
    """Topics of a template, two levels with descriptions and keywords.

    Parameters
    ----------
    name
        One of `template_names`.

    Raises
    ------
    NotFound
        There is no such template.
    """
    if name not in TREES:
        raise NotFound(
            f"There is no topic template {name!r}.", hint=f"There are: {', '.join(TREES)}."
        )
    return hierarchy(_read(TREES[name]), "template")


def _read(outline: str) -> Iterable[TopicNode]:
    """Topics of an outline: a parent without indentation, its leaves below it with two spaces.

    A line has the name, what it is about and the keywords, between colons; longer ones go on in
    lines with six spaces.
    """
    parents: list[tuple[TopicNode, list[TopicNode]]] = []
    for line in outline.replace("\n      ", " ").strip().splitlines():
        name, description, keywords = (part.strip() for part in line.split(":"))
        words = tuple(word.strip() for word in keywords.split(","))
        node = topic(name, description, words)
        if line.startswith("  "):
            parents[-1][1].append(node)
        else:
            parents.append((node, []))
    return [
        topic(node.name, node.description, node.keywords, children) for node, children in parents
    ]
