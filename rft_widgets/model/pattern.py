"""What the traces of an application have in common."""

from __future__ import annotations

from msgspec import Struct


class CommonPrompt(Struct, frozen=True, kw_only=True):
    """The system prompt that most traces share.

    ``text`` is the prompt itself, or what its variants have in common, with ``{…}`` for what
    differs (``is_template``). ``share`` (0..1) of all traces have it. ``distinct`` counts the
    different system prompts there are, at least.
    """

    text: str
    share: float
    is_template: bool
    distinct: int


class Capability(Struct, frozen=True, kw_only=True):
    """Something that the application does, and the share (0..1) of traces that show it.

    ``rule`` says, for a person, when a trace shows it.
    """

    label: str
    share: float
    rule: str


class ToolPattern(Struct, frozen=True, kw_only=True):
    """A tool, the share (0..1) of traces that offer it, and of those that call it."""

    name: str
    description: str | None
    offered_share: float
    called_share: float


class ModelShare(Struct, frozen=True, kw_only=True):
    """A model, and the share (0..1) of traces that asked for it."""

    name: str
    share: float


class DetectedPattern(Struct, frozen=True, kw_only=True):
    """What the traces have in common, and what a dataset of them may be called.

    ``tools`` are at most the 50 most used of ``tool_count``. The suggestions are never empty.
    """

    title: str
    traces: int
    system_prompt: CommonPrompt | None
    capabilities: tuple[Capability, ...]
    tools: tuple[ToolPattern, ...]
    tool_count: int
    models: tuple[ModelShare, ...]
    suggested_name: str
    suggested_objective: str
