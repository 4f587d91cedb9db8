"""Topics as JSON files: writing them, reading both forms, and keeping assignments on import."""

from __future__ import annotations

import json
import re
from collections import ChainMap, Counter
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NoReturn, get_args

from rft_widgets.errors import ImportRejected, InvalidArgument
from rft_widgets.model.topic import (
    SEPARATOR,
    HierarchyMethod,
    TopicHierarchy,
    TopicNode,
    hierarchy,
    topic,
)
from rft_widgets.model.topic_settings import TOPIC_LIMITS

TopicsForm = Literal["nested", "flat"]
"""A tree of objects, or one map of all topics that names their parents and children."""

VERSION = "1.0"

_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


def topics_json(tree: TopicHierarchy, form: TopicsForm = "nested") -> str:
    """Write topics as JSON text that `read_topics` reads back to the same topics.

    Parameters
    ----------
    tree
        The topics.
    form
        ``"nested"`` has ``{name, description, keywords, children}``; ``"flat"`` is a map with
        ``description``, ``subtopics``, ``keywords`` and ``parentTopic``. In the flat form a topic
        is called by its name, or by its path where topics share a name.
    """
    document: dict[str, Any] = {"version": VERSION, "method": tree.method}
    if tree.seed is not None:
        document["seed"] = tree.seed
    if form == "nested":
        document["topics"] = {node.name: _nested(node) for node in tree.topics}
    else:
        document["topics"] = _flat(tree)
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def read_topics(text: str | bytes) -> TopicHierarchy:
    """Read topics from JSON text, in the nested or the flat form.

    Parameters
    ----------
    text
        ``{"version": "1.0", "topics": ...}``, where topics is a map or a list, or just the topics.

    Raises
    ------
    ImportRejected
        It is not JSON or holds no valid topics; the message names the place.
    """
    document = _parsed(text)
    method, seed, place = "import", None, "topics"
    topics = document
    if isinstance(document, dict) and "topics" in document:
        version = document.get("version", VERSION)
        if str(version).split(".")[0] != "1":
            _refuse("version", f"is {version!r}, and only 1.x can be read")
        if document.get("method") in get_args(HierarchyMethod):
            method = document["method"]
        found_seed = document.get("seed")
        seed = found_seed if type(found_seed) is int else None
        topics = document["topics"]
    elif isinstance(document, dict) and not document:
        _refuse("The file", "has no topics")
    nodes = _read(topics, place)
    try:
        return hierarchy(nodes, method, seed)  # type: ignore[arg-type]  # checked above
    except InvalidArgument as error:
        raise ImportRejected(f"The topics cannot be used: {error}") from error


def carry_over(before: TopicHierarchy, after: TopicHierarchy) -> dict[str, str | None]:
    """Where the records of each leaf go when other topics take the place of the present ones.

    A leaf keeps its path where there is one, and else leads to the only leaf of its name.

    Returns
    -------
    The path of every leaf before, leading to one after, or to ``None`` for unlabelled.
    """
    paths = set(after.paths)
    by_name: dict[str, list[str]] = {}
    for leaf in after.leaves():
        by_name.setdefault(leaf.name.casefold(), []).append(leaf.id)
    names = Counter(leaf.name.casefold() for leaf in before.leaves())
    moved: dict[str, str | None] = {}
    for leaf in before.leaves():
        same = by_name.get(leaf.name.casefold(), [])
        alone = len(same) == 1 and names[leaf.name.casefold()] == 1
        moved[leaf.id] = leaf.id if leaf.id in paths else same[0] if alone else None
    return moved


def _nested(node: TopicNode) -> dict[str, Any]:
    written: dict[str, Any] = {"name": node.name, "description": node.description}
    written["keywords"] = list(node.keywords)
    written["children"] = [_nested(child) for child in node.children]
    return written


def _flat(tree: TopicHierarchy) -> dict[str, Any]:
    names = Counter(node.name for node in tree.walk())
    key = {node.id: node.name if names[node.name] == 1 else node.id for node in tree.walk()}
    written: dict[str, Any] = {}
    for node in tree.walk():
        entry: dict[str, Any] = {"description": node.description}
        if node.children:
            entry["subtopics"] = [key[child.id] for child in node.children]
        entry["keywords"] = list(node.keywords)
        parent = node.id.rpartition(SEPARATOR)[0]
        if parent:
            entry["parentTopic"] = key[parent]
        written[key[node.id]] = entry
    return written


def _parsed(text: str | bytes) -> Any:
    size = len(text)
    if size > TOPIC_LIMITS.max_file_bytes:
        _refuse(
            "The file",
            f"has {size:,} bytes, and the limit is {TOPIC_LIMITS.max_file_bytes:,}",
        )
    try:
        decoded = (
            text.decode("utf-8-sig") if isinstance(text, bytes) else text.removeprefix("\ufeff")
        )
        found = json.loads(
            decoded, object_pairs_hook=_without_repeats, parse_constant=_refuse_constant
        )
        written = json.dumps(found, ensure_ascii=False)
        written.encode()
    except UnicodeError:
        _refuse("The file", "is not text in UTF-8, or holds half of a surrogate pair")
    except json.JSONDecodeError as error:
        _refuse(f"Line {error.lineno}, column {error.colno}", f"is no JSON: {error.msg}")
    except RecursionError:
        _refuse("The file", "nests too deep")
    if _NUL.search(written):
        _refuse("The file", "holds the character U+0000")
    return found


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            _refuse(f"The key {key[:60]!r}", "stands twice in one object")
        found[key] = value
    return found


def _refuse_constant(name: str) -> NoReturn:
    _refuse(f"The number {name}", "is no JSON")


def _refuse(place: str, reason: str) -> NoReturn:
    raise ImportRejected(f"{place} {reason}.")


def _read(topics: Any, place: str) -> list[TopicNode]:
    if isinstance(topics, list):
        return [_nested_node(value, f"{place}[{i}]", 1, None) for i, value in enumerate(topics)]
    if not isinstance(topics, dict):
        _refuse(place, f"is {_kind(topics)}, not a map or a list of topics")
    if isinstance(topics.get("name"), str):
        return [_nested_node(topics, place, 1, None)]
    if any(isinstance(value, dict) and "children" in value for value in topics.values()):
        return [_nested_node(value, f"{place}.{name}", 1, name) for name, value in topics.items()]
    return _FlatReader(topics, place).nodes()


def _nested_node(value: Any, place: str, level: int, key: str | None) -> TopicNode:
    if level > TOPIC_LIMITS.max_depth:
        _refuse(place, f"is on level {level}, and the deepest is {TOPIC_LIMITS.max_depth}")
    if isinstance(value, str):
        return topic(value.strip())
    if not isinstance(value, dict):
        _refuse(place, f"is {_kind(value)}, not a topic")
    name = value.get("name", key)
    if not isinstance(name, str) or not name.strip():
        _refuse(f"{place}.name", f"is {_kind(name)}, not text")
    below = value.get("children") or []
    if isinstance(below, dict):
        children = [
            _nested_node(inner, f"{place}.children.{own}", level + 1, own)
            for own, inner in below.items()
        ]
    elif isinstance(below, list):
        children = [
            _nested_node(inner, f"{place}.children[{i}]", level + 1, None)
            for i, inner in enumerate(below)
        ]
    else:
        _refuse(f"{place}.children", f"is {_kind(below)}, not a list")
    return topic(name.strip(), _description(value, place), _keywords(value, place), children)


class _FlatReader:
    """Reads a map of all topics; a key is a name, or a path where topics share a name."""

    def __init__(self, entries: Mapping[str, Any], place: str) -> None:
        self._entries: dict[str, Mapping[str, Any]] = {}
        self._place = place
        self._parents: dict[str, str] = {}
        self._below: dict[str, list[str]] = {}
        self._rooted: set[str] = set()
        if len(entries) > TOPIC_LIMITS.max_topics:
            _refuse(
                place, f"has {len(entries):,} topics, and the limit is {TOPIC_LIMITS.max_topics:,}"
            )
        for key, value in entries.items():
            if not isinstance(value, dict):
                _refuse(f"{place}.{key}", f"is {_kind(value)}, not a topic")
        for key, value in entries.items():
            if value.get("parentTopic") is None:
                self._add_parents(key, entries)
            self._entries[key] = value
        for key, value in list(self._entries.items()):
            for i, child in enumerate(_texts(value, "subtopics", f"{place}.{key}")):
                known = self._key(child, key)
                if known is None:
                    # A name that has no entry of its own is a leaf without a description.
                    known = child
                    self._entries[known] = {}
                self._link(known, key, f"{place}.{key}.subtopics[{i}]")
        for key, value in self._entries.items():
            parent = value.get("parentTopic")
            where = f"{place}.{key}.parentTopic"
            if parent is None and SEPARATOR in key and key not in self._parents:
                parent = key.rpartition(SEPARATOR)[0]
            if parent is None or parent == "":
                continue
            if not isinstance(parent, str):
                _refuse(where, f"is {_kind(parent)}, not text")
            known = self._key(parent, "")
            if known is None:
                _refuse(where, f"names {parent!r}, which is no topic of the file")
            self._link(key, known, where)

    def nodes(self) -> list[TopicNode]:
        """Give the topics without a parent, with all below them."""
        for key in self._entries:
            self._check_cycle(key)
        return [self._node(key, 1) for key in self._entries if key not in self._parents]

    def _node(self, key: str, level: int) -> TopicNode:
        value, place = self._entries[key], f"{self._place}.{key}"
        if level > TOPIC_LIMITS.max_depth:
            _refuse(place, f"is on level {level}, and the deepest is {TOPIC_LIMITS.max_depth}")
        name = key.rpartition(SEPARATOR)[2].strip()
        if not name:
            _refuse(place, "has no name")
        children = [self._node(child, level + 1) for child in self._below.get(key, [])]
        return topic(name, _description(value, place), _keywords(value, place), children)

    def _add_parents(self, key: str, entries: Mapping[str, Any]) -> None:
        """Make the topics above a path that have no entry of their own, before it."""
        above = key.rpartition(SEPARATOR)[0]
        if above and _by_path(above, ChainMap(self._entries, entries)) is None:  # type: ignore[arg-type]
            self._add_parents(above, entries)
            self._entries[above] = {}

    def _key(self, reference: str, parent: str) -> str | None:
        """Key of the topic that a reference means: a key, or a name under the parent's path."""
        if reference in self._entries:
            return reference
        under = f"{parent}{SEPARATOR}{reference}"
        return under if parent and under in self._entries else _by_path(reference, self._entries)

    def _link(self, child: str, parent: str, where: str) -> None:
        present = self._parents.get(child)
        if present is not None and present != parent:
            _refuse(where, f"puts {child!r} under {parent!r}, and it is under {present!r} already")
        if present is None:
            self._parents[child] = parent
            self._below.setdefault(parent, []).append(child)

    def _check_cycle(self, key: str) -> None:
        chain = {key: None}  # in order
        while key in self._parents and key not in self._rooted:
            key = self._parents[key]
            if key in chain:
                circle = [*chain][[*chain].index(key) :]
                way = " under ".join(repr(step) for step in [*circle, key][:8])
                _refuse(f"{self._place}.{key}", f"lies below itself: {way}")
            chain[key] = None
        self._rooted.update(chain)


def _by_path(path: str, entries: Mapping[str, Any]) -> str | None:
    """Key of the entry at a path: the path itself, or the only name that it ends in."""
    if path in entries:
        return path
    names = path.split(SEPARATOR)
    ends = [SEPARATOR.join(names[first:]) for first in range(1, len(names))]
    known = [key for key in ends if key in entries]
    return known[0] if len(known) == 1 else None


def _description(value: Mapping[str, Any], place: str) -> str:
    description = value.get("description")
    if description is None:
        return ""
    if not isinstance(description, str):
        _refuse(f"{place}.description", f"is {_kind(description)}, not text")
    return description


def _keywords(value: Mapping[str, Any], place: str) -> Sequence[str]:
    return list(dict.fromkeys(_texts(value, "keywords", place)))


def _texts(value: Mapping[str, Any], key: str, place: str) -> list[str]:
    found = value.get(key)
    if found is None:
        return []
    if not isinstance(found, list):
        _refuse(f"{place}.{key}", f"is {_kind(found)}, not a list")
    for i, item in enumerate(found):
        if not isinstance(item, str):
            _refuse(f"{place}.{key}[{i}]", f"is {_kind(item)}, not text")
    return [item.strip() for item in found if item.strip()]


def _kind(value: Any) -> str:
    names = {
        type(None): "missing", bool: "true or false", int: "a number", float: "a number",
        str: "text", list: "a list", dict: "a map",
    }  # fmt: skip
    return names.get(type(value), type(value).__name__)
