"""A record: a prompt that a model will continue, what was answered, and what a grader needs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from msgspec import Struct, field

from rft_widgets.model.message import Message, Tool, ToolChoice

ValidationCode = Literal[
    "empty_messages",
    "invalid_role",
    "no_user_message",
    "empty_user_message",
    "user_message_too_short",
    "missing_tool_call_id",
    "orphan_tool_result",
    "exceeds_max_tokens",
    "duplicate",
]
"""Why a stored record is invalid, in order of precedence."""

RefusalCode = Literal[
    "invalid_json",
    "invalid_utf8",
    "duplicate_key",
    "non_finite_number",
    "number_too_long",
    "lone_surrogate",
    "nul_character",
    "too_deep",
    "line_too_long",
    "invalid_data_structure",
    "missing_input",
    "missing_messages",
]
"""Why a line holds no record at all and is refused."""

TopicMethod = Literal["keyword", "similarity", "llm", "manual", "import"]
"""What gave a record its topic."""

RecordSource = Literal["all", "traces", "generated"]
"""Filter on where records come from: recorded traffic and files, or synthetic generation."""

SortKey = Literal[
    "position", "-position", "messages", "-messages", "topic", "-topic", "valid", "-valid",
    "score", "-score", "updated", "-updated",
]  # fmt: skip
"""Orders of a page; a minus reverses. Records without a value come last in both directions."""


class RecordInput(Struct, frozen=True, omit_defaults=True, gc=False):
    """The prompt: conversation so far, the tools on offer, and which of them may be called."""

    messages: tuple[Message, ...] = ()
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice | None = None


class RecordOutput(Struct, frozen=True, omit_defaults=True, gc=False):
    """The recorded continuation; no messages when there is none."""

    messages: tuple[Message, ...] = ()
    finish_reason: str | None = None


class ValidationIssue(Struct, frozen=True):
    """One rule that a record breaks."""

    code: ValidationCode
    message: str


class RecordDraft(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A record before it is stored: what a line of a file or a trace holds.

    ``id`` is kept when it is given and free in the dataset; otherwise the store makes one.
    """

    input: RecordInput
    output: RecordOutput = RecordOutput()
    item: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    id: str | None = None
    span_id: str | None = None
    thread_id: str | None = None
    topic: str | None = None
    topic_confidence: float | None = None
    topic_method: TopicMethod | None = None
    is_generated: bool = False
    source_record_id: str | None = None
    dry_run_score: float | None = None


class Record(Struct, frozen=True, kw_only=True, gc=False):
    """One stored record.

    ``version`` counts edits, starting at 1; an edit made from an older version is refused.
    Confidences and scores lie in 0..1.
    """

    id: str
    dataset_id: str
    input: RecordInput
    output: RecordOutput
    item: dict[str, Any]
    metadata: dict[str, Any]
    span_id: str | None
    thread_id: str | None
    topic: str | None
    topic_confidence: float | None
    topic_method: TopicMethod | None
    topic_runner_up: str | None
    """The next likely topic, where a person should look."""
    previous_topic: str | None
    """What the record was under when that topic vanished."""
    is_generated: bool
    source_record_id: str | None
    is_valid: bool
    validation_errors: tuple[ValidationIssue, ...]
    dry_run_score: float | None
    tokens: int
    version: int
    created_at: datetime
    updated_at: datetime

    @property
    def messages(self) -> tuple[Message, ...]:
        """The whole conversation: input, then output."""
        return self.input.messages + self.output.messages

    @property
    def preview(self) -> str:
        """The first lines of the conversation, one a message, tagged and cut to 120 characters."""
        shown = preview_of(self.messages)
        lines = [f"[{one.tag}] {one.text}" for one in shown]
        rest = len(self.messages) - len(shown)
        return "\n".join([*lines, f"+{rest} more"] if rest else lines)


TAGS = {"system": "SYS", "developer": "SYS", "user": "USR", "assistant": "AST", "tool": "TOOL"}
"""Short names of the roles in previews."""


class TaggedText(Struct, frozen=True):
    """A message in a preview: the short name of its role, and its first words."""

    tag: str
    text: str


def preview_of(messages: Sequence[Message], most: int = 3) -> tuple[TaggedText, ...]:
    """First messages of a conversation, each tagged and cut to 120 characters."""
    return tuple(
        TaggedText(TAGS.get(m.role, m.role.upper()), _first_words(m)) for m in messages[:most]
    )


def _first_words(message: Message, limit: int = 120) -> str:
    text = message.text or ", ".join(
        f"{call.function.name}()" for call in message.tool_calls if call.function
    )
    text = " ".join(text[: 4 * limit].split())
    return text if len(text) <= limit else text[: limit - 1] + "…"


class RecordFilter(
    Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """Which records of a dataset; every field that is set narrows it further.

    Attributes
    ----------
    search
        Words that the message text holds, each anywhere, without regard to case; ``"in quotes"``
        for an exact phrase.
    topic
        Path of a topic: its records, or where it has none itself, those of all topics below it.
    uncategorized
        ``True`` for records without a topic, ``False`` for those with one.
    valid
        ``True`` or ``False`` for one side only.
    source
        ``"traces"`` for recorded ones, ``"generated"`` for synthetic ones.
    min_score, max_score
        Bounds of the dry-run score, both included; a record without a score matches neither.
    dry_run
        Id of a dry run: records that have a score in it. The bounds are then of that score, and a
        record with several answers matches with any of them.
    low_confidence
        ``True`` for records whose topic confidence is below 0.7.
    code
        A validation code that the record breaks.
    ids
        Ids of records: only those of them.
    """

    search: str = ""
    topic: str | None = None
    uncategorized: bool | None = None
    valid: bool | None = None
    source: RecordSource = "all"
    min_score: float | None = None
    max_score: float | None = None
    dry_run: str | None = None
    low_confidence: bool = False
    code: ValidationCode | None = None
    ids: tuple[str, ...] = ()


class Selection(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A set of records named on the server: everything a filter matches, or ids, less some ids.

    A selection of a filter stays one small value however many records it holds, and means the
    records that match when it is *used*. ``also_ids`` are in it whatever the filter says.
    """

    where: RecordFilter | None = None
    ids: tuple[str, ...] = ()
    except_ids: tuple[str, ...] = ()
    also_ids: tuple[str, ...] = ()


def as_selection(value: Selection | str) -> Selection:
    """A selection as it is, or the id of one record as a selection."""
    return Selection(ids=(value,)) if isinstance(value, str) else value


class RecordPage(Struct, frozen=True, kw_only=True):
    """One page of records.

    ``next`` is what to pass as ``after`` for the following page, ``None`` on the last one.
    ``total`` counts all matches; when ``total_is_exact`` is false there are more than that.
    """

    records: tuple[Record, ...]
    total: int
    total_is_exact: bool
    next: str | None


class LineError(Struct, frozen=True):
    """One line of a file that was refused. Lines count from 1."""

    line: int
    code: RefusalCode
    message: str


class ImportResult(Struct, frozen=True, kw_only=True):
    """What an import did. ``imported + refused + blank == lines``, always.

    ``imported = valid + invalid``; ``duplicates`` of the invalid ones repeat an earlier record.
    ``errors`` holds the first 1,000 refusals; the store keeps them all.
    """

    import_id: str
    lines: int
    blank: int
    imported: int
    valid: int
    invalid: int
    duplicates: int
    refused: int
    warnings: dict[str, int]
    """Counts of what is worth knowing but does not invalidate: ``last_message_not_user``."""
    errors: tuple[LineError, ...]


class ImportProgress(Struct, frozen=True, kw_only=True):
    """Where an import is. ``bytes_total`` is ``None`` for a source without a known size."""

    phase: Literal["reading", "indexing", "done"]
    bytes_read: int
    bytes_total: int | None
    lines: int
    imported: int
    refused: int


class HealthReport(Struct, frozen=True, kw_only=True):
    """Validity of a dataset: the health bar."""

    status: Literal["empty", "healthy", "attention", "warning"]
    total: int
    valid: int
    invalid: int
    duplicates: int
    errors_by_code: dict[str, int]
    """Records by each code they break; a record that breaks two counts under both."""
    refused_lines: int
    """Lines of imported files that hold no record; they are no part of ``total``."""
    recommendations: tuple[str, ...]


class Deletion(Struct, frozen=True, kw_only=True):
    """A deletion that can be undone."""

    id: str
    dataset_id: str
    count: int
    deleted_at: datetime


class RecordVersion(Struct, frozen=True, kw_only=True):
    """What a record held before an edit."""

    version: int
    replaced_at: datetime
    input: RecordInput
    output: RecordOutput
    item: dict[str, Any]
    metadata: dict[str, Any]
