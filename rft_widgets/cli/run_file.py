"""A file that says what a run does.

.. code-block:: yaml

    source: traces.jsonl            # or {file: records.jsonl}, or traces with filters:
    # source:
    #   traces: spans.otlp.jsonl
    #   since: 7d
    #   has_response: true
    name: Support assistant
    objective: State the facts, and call the right tool
    topics: {method: auto, n_topics: 12}      # or {template: support}, {file: topics.json}, false
    targets: uniform                          # or traffic, a file, {Billing: 60, Shipping: 40}
    grader: grader.json                       # or the grader itself
    connection: {base_url: "https://api.example.com/v1", api_key_env: MY_KEY}
    dry_run: {n: 300, k: 1}
    train: {train_ratio: 0.9, hyperparameters: {n_epochs: 2}}
    deploy: {mode: ab_test, ratio: 20}        # makes the deployment; `rft-widgets serve` serves it
    despite_no_go: false

Every key but ``source`` may be left out; ``false`` leaves a step out. Paths are relative to the
file. A key that nothing knows is refused.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import UnionType
from typing import Any, Literal, get_args, get_type_hints

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from rft_widgets.cli.documents import read_document
from rft_widgets.cli.steps import Plan
from rft_widgets.cli.topics import TopicsPlan
from rft_widgets.errors import InvalidArgument


class Source(Struct, frozen=True, kw_only=True):
    """Where records come from: a ``file`` of records, or ``traces`` that match the filters."""

    file: str | None = None
    traces: str | None = None
    since: Literal["24h", "7d", "30d", "all"] = "all"
    model: str | list[str] | None = None
    min_turns: int = 0
    has_response: bool | None = None
    search: str | None = None
    mode: Literal["every_turn", "last_turn_per_thread"] = "every_turn"
    collapse_prefixes: bool = False


class RunFile(Plan, frozen=True, kw_only=True):
    """What a file says; ``source`` alone is a file of records or traces, whichever it is."""

    source: str | Source
    name: str | None = None
    objective: str | None = None


def read_run_file(path: Path) -> RunFile:
    """Read a file of a run.

    Raises
    ------
    InvalidArgument
        It is no YAML, has a key that nothing knows, or a value of the wrong kind.
    """
    value = read_document(path)
    if not isinstance(value, Mapping):
        raise InvalidArgument(f"{path} does not map keys to values.", hint="Begin with source: ...")
    for where, key, known in _unknown(value, RunFile, ""):
        close = difflib.get_close_matches(str(key), known, n=1)
        raise InvalidArgument(
            f"{path}: there is no key {where + str(key)!r}.",
            hint=f"Did you mean {close[0]!r}?" if close else f"Known: {', '.join(known)}.",
        )
    try:
        read = msgspec.convert(value, RunFile)
    except msgspec.ValidationError as error:
        raise InvalidArgument(f"{path}: {error}.") from None
    return _located(read, path.parent)


def _unknown(
    value: Any, kind: type[Struct], where: str
) -> Iterator[tuple[str, object, tuple[str, ...]]]:
    """Give the keys that a struct does not have: their place, themselves, and what there is."""
    hints = get_type_hints(kind)
    for key, inner in value.items():
        if key not in kind.__struct_fields__:
            yield where, key, kind.__struct_fields__
            continue
        hint = hints[key]
        options = get_args(hint) if isinstance(hint, UnionType) else (hint,)
        structs = [one for one in options if isinstance(one, type) and issubclass(one, Struct)]
        if structs and isinstance(inner, Mapping):
            yield from _unknown(inner, structs[0], f"{where}{key}.")


def _located(read: RunFile, folder: Path) -> RunFile:
    """Understand paths as relative to the folder of the file."""

    def at(path: str) -> str:
        # An address stays one, and what begins with / or ~ is where it says.
        return path if "://" in path else str(folder / Path(path).expanduser())

    source = read.source
    if isinstance(source, str):
        source = at(source)
    else:
        source = replace(
            source,
            file=None if source.file is None else at(source.file),
            traces=None if source.traces is None else at(source.traces),
        )
    topics = read.topics
    if isinstance(topics, TopicsPlan) and topics.file is not None:
        topics = replace(topics, file=at(topics.file))
    targets = read.targets
    if isinstance(targets, str) and targets not in ("uniform", "traffic"):
        targets = at(targets)
    grader = at(read.grader) if isinstance(read.grader, str) else read.grader
    return replace(read, source=source, topics=topics, targets=targets, grader=grader)
