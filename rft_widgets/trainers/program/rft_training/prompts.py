"""Records as prompts: read from their files, rendered, and those left out that cannot be used."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from .chat import Chat, template_errors
from .settings import Settings

_HUGE = 10**9
"""Tokenizers that know no longest text say an astronomic number."""


class Row(Struct, frozen=True, kw_only=True):
    """A line of `train.jsonl` or `valid.jsonl`: a prompt, and what its grader needs, as JSON."""

    id: str
    messages: list[dict[str, Any]]
    item: str
    tools: list[dict[str, Any]] = []


class Prompt(Struct, frozen=True, kw_only=True):
    """A prompt as text, ready to be continued."""

    id: str
    text: str
    item: str
    tools: list[dict[str, Any]]


class Prompts(Struct, frozen=True, kw_only=True):
    """Prompts that can be used, and in words how many cannot, and why."""

    used: tuple[Prompt, ...]
    notes: tuple[str, ...]


def read_rows(path: Path) -> list[Row]:
    """Read a file of prompts."""
    return [msgspec.json.decode(line, type=Row) for line in path.read_bytes().splitlines() if line]


def context_tokens(tokenizer: Any, config: Any) -> int | None:
    """Most tokens of prompt and answer together; ``None`` where neither file says so."""
    text = config.get_text_config()
    known = [
        getattr(text, "max_position_embeddings", None),
        getattr(text, "n_positions", None),
        tokenizer.model_max_length,
    ]
    return min((one for one in known if isinstance(one, int) and 0 < one < _HUGE), default=None)


def render_prompts(
    rows: Sequence[Row], chat: Chat, context: int | None, settings: Settings
) -> Prompts:
    """Render prompts; those that the template refuses or that leave no room are left out."""
    answer = settings.max_completion_tokens
    used, refused, too_long = [], [], 0
    for row in rows:
        try:
            text = chat.prompt(row.messages, row.tools)
        except template_errors() as error:
            refused.append(f"{type(error).__name__}: {error}")
            continue
        if context is not None and len(chat.tokens(text)) > context - answer:
            too_long += 1
            continue
        used.append(Prompt(id=row.id, text=text, item=row.item, tools=row.tools))
    notes = []
    if refused:
        notes.append(
            f"{len(refused)} of {len(rows)} prompts are left out: the model's chat template "
            f"cannot write them ({refused[0][:200]})."
        )
    if too_long:
        notes.append(
            f"{too_long} of {len(rows)} prompts are left out: with {answer} tokens of answer they "
            f"do not fit into the model's {context}."
        )
    with_tools = sum(bool(one.tools) for one in used)
    if with_tools and not chat.takes_tools:
        notes.append(
            f"{with_tools} prompts offer tools that the model does not see: its chat template has "
            "no place for them, or nobody knows how it writes calls."
        )
    return Prompts(used=tuple(used), notes=tuple(notes))
