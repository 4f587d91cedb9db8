"""One recorded model call, however a gateway wrote it down, and what could not be read."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from msgspec import Struct, field

from rft_widgets.model.message import Message, Tool, ToolChoice

LossCode = Literal[
    "failed_call",
    "no_content",
    "no_request",
    "undecodable",
    "image_without_data",
    "unsupported_call",
    "internal_traffic",
]
"""Why something of a source did not become part of a trace.

``failed_call`` the call itself failed; ``no_content`` the span records no messages; ``no_request``
an answer without its question; ``undecodable`` a value that does not parse; ``image_without_data``
an image or audio part that the trace only mentions; ``unsupported_call`` a model call that is not
chat (embedding, image, moderation); ``internal_traffic`` the gateway's own assistant.
"""


class Usage(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Tokens of this one call; never summed over nested spans. ``None`` means unknown."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    total_tokens: int | None = None
    reasoning_tokens: int | None = None
    cached_tokens: int | None = None


class Choice(Struct, frozen=True, omit_defaults=True):
    """One answer of the model."""

    message: Message
    finish_reason: str | None = None


class Score(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Feedback that a person or an evaluator left on a call."""

    name: str
    value: float | None = None
    label: str | None = None
    comment: str | None = None


class Trace(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One model call.

    ``messages`` is the request's conversation; ``choices`` the answers (empty when the source holds
    none). ``thread_id`` joins the calls of one conversation or agent run, ``None`` if unknown.
    """

    format: str
    """Name of the reader: ``otel_genai``, ``openinference``, ``langfuse``, ..."""
    location: str
    """Where in the source: ``line 12, span 4d41bff3``."""
    messages: tuple[Message, ...]
    choices: tuple[Choice, ...] = ()
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice | None = None
    trace_id: str | None = None
    span_id: str | None = None
    parent_span_id: str | None = None
    thread_id: str | None = None
    started_at: datetime | None = None
    latency_ms: float | None = None
    model: str | None = None
    """The model that was asked for."""
    response_model: str | None = None
    """The model that answered, where the source tells the two apart."""
    provider: str | None = None
    params: dict[str, Any] = field(default_factory=dict)
    usage: Usage | None = None
    cost_usd: float | None = None
    scores: tuple[Score, ...] = ()
    metadata: dict[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """Span id where there is one, else the place in the source."""
        return self.span_id or self.location

    @property
    def turns(self) -> int:
        """Number of user messages in the request."""
        return sum(message.role == "user" for message in self.messages)

    @property
    def system_prompt(self) -> str:
        """Text of the first system or developer message, empty if there is none."""
        for message in self.messages:
            if message.role in ("system", "developer"):
                return message.text
        return ""

    @property
    def has_response(self) -> bool:
        """Whether the first answer holds text or calls a tool."""
        if not self.choices:
            return False
        message = self.choices[0].message
        return bool(message.tool_calls) or bool(message.content)


class TraceLoss(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something of a source that is in no trace, and why."""

    code: LossCode
    message: str
    location: str
    span_id: str | None = None


class LossReport(Struct, frozen=True, kw_only=True):
    """What a source held and what of it could not be read.

    ``model_calls = traces + lost calls``: every model call of the source is either a trace or one
    of ``losses``. Parts lost *inside* a trace (an image without its data) are losses too, counted
    in ``partial``, and their trace stays.
    """

    format: str
    model_calls: int
    traces: int
    other_spans: int
    """Spans that are no model call: agents, tools, retrievers, HTTP."""
    partial: int
    by_code: dict[str, int]
    losses: tuple[TraceLoss, ...]
    """At most the first 1,000; ``by_code`` counts them all."""
