"""What every framework's folder is made of: prompts with their items, a script, a README."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from rft_widgets.graders.sample import item_of
from rft_widgets.model.estimate import tokens_of_messages
from rft_widgets.model.message import Message, to_json
from rft_widgets.model.record import Record
from rft_widgets.trainers.trl.directory import Parts, usable_records

_TOKENS = 256


class Written(Struct, frozen=True, kw_only=True):
    """What a framework's folder holds: its script, prompts on either side, and notes in words."""

    launch: Path
    train: int
    valid: int
    notes: tuple[str, ...]


class Sides(Struct, frozen=True, kw_only=True):
    """Records that a text model can be asked, on either side of the split.

    ``prompt_tokens`` is room for the longest prompt, by an estimate.
    """

    train: tuple[Record, ...]
    valid: tuple[Record, ...]
    prompt_tokens: int
    notes: tuple[str, ...]


def sides_of(parts: Parts, framework: str) -> Sides:
    """The records to write, and what is to be said of them."""
    train, fit_notes = usable_records(parts.data.train)
    valid, valid_notes = usable_records(parts.data.valid)
    every = (*train, *valid)
    longest = max((tokens_of_messages(one.input.messages) for one in every), default=0)
    room = max(2, -(-int(longest * 1.5) // _TOKENS)) * _TOKENS  # an estimate, so with a margin
    notes = [*fit_notes, *(f"Of validation: {note}" for note in valid_notes)]
    offering = sum(bool(one.input.tools) for one in every)
    if offering:
        notes.append(
            f"{offering} of {len(every)} prompts offer tools, which {framework} does not show the "
            "model: its data has no place for the tools of a prompt. They stand in the item, for "
            "the grader."
        )
    return Sides(train=train, valid=valid, prompt_tokens=room, notes=tuple(notes))


def prompt_of(record: Record) -> list[dict[str, Any]]:
    """The messages of a prompt, each with a text, as chat templates take them."""
    return [_plain(message) for message in record.input.messages]


def item_text(record: Record) -> str:
    """What the grader needs of a record, as JSON text."""
    return msgspec.json.encode(item_of(record)).decode()


def _plain(message: Message) -> dict[str, Any]:
    value: dict[str, Any] = to_json(message)
    role = "system" if message.role == "developer" else message.role
    return value | {"role": role, "content": message.text}


def write_script(path: Path, title: str, variables: Mapping[str, object], lines: str) -> Path:
    """Write a script that can be started; each variable may be set from outside instead."""
    set_ones = "\n".join(
        f"{name}=${{{name}:-{shlex.quote(str(value))}}}" for name, value in variables.items()
    )
    text = (
        f"#!/usr/bin/env bash\n# {title}\nset -euo pipefail\n"
        f'HERE=$(cd "$(dirname "$0")" && pwd)\n{set_ones}\n\n{lines}'
    )
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)
    return path


def write_readme(
    folder: Path, title: str, name: str, words: str, sides: Sides, warnings: Sequence[str]
) -> None:
    """Write what somebody has to know who only has the folder."""
    notes = "".join(f"- {note}\n" for note in (*sides.notes, *warnings))
    parts = [
        f"# {name}: a training run for {title}",
        f"{len(sides.train):,} prompts to learn from, {len(sides.valid):,} to measure on.",
        words.strip(),
        "`grader/` holds the reward function with the grader that it reads; its README says what "
        "it needs\nand how it is tried by hand.",
        *([f"## What to know\n\n{notes.rstrip()}"] if notes else []),
    ]
    (folder / "README.md").write_text("\n\n".join(parts) + "\n", encoding="utf-8")
