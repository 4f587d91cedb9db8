"""Every number of the pipeline's rules, in one place, each one documented and changeable."""

from __future__ import annotations

from msgspec import Struct


class ValidationSettings(Struct, frozen=True, kw_only=True):
    """What makes a record invalid."""

    min_user_message_chars: int = 10
    """Shortest last user message, in characters after trimming."""
    max_tokens: int = 8000
    """Largest record, in tokens of its messages and tool calls."""
    chars_per_token: int = 4
    """Characters a token has when no tokenizer is installed; tokens are rounded up."""
    tokenizer: str | None = None
    """Name of a tiktoken encoding (``o200k_base``) to count with; needs the extra ``tokenizer``."""
    attention_share: float = 0.2
    """Share of invalid records (0..1) up to which the health is attention, above it warning."""
    frequent_code_share: float = 0.05
    """Share of all records (0..1) above which one error code earns a recommendation."""


class InputLimits(Struct, frozen=True, kw_only=True):
    """What a line of a file may cost before it is refused."""

    max_line_bytes: int = 10_000_000
    """Longest line."""
    max_depth: int = 64
    """Deepest nesting of arrays and objects."""
    max_int_digits: int = 4_000
    """Longest integer; Python's own conversion limit is 4,300."""
    max_identifier_chars: int = 500
    """Longest id, span id, thread id and topic; PostgreSQL indexes no more than 2,700 bytes."""
    max_gzip_bytes: int = 64 * 1024**3
    """Most bytes that a compressed file may unfold to."""
    max_gzip_ratio: int = 200
    """Most output bytes per compressed byte, judged after the first 64 MiB of output."""


class StoreSettings(Struct, frozen=True, kw_only=True):
    """How records are written and read."""

    batch_records: int = 1000
    """Records a transaction, so that other writers get their turn."""
    dictionary_bytes: int = 65_536
    """Size of the compression dictionary that is trained on the first batch of a record set."""
    exact_count_limit: int = 10_000
    """Counts of a text search above this are shown as "10,000+"."""
    kept_views: int = 8
    """Lists of row numbers that are kept for tables, each with 4 bytes a record."""
    sampled_records: int = 50_000
    """Records that a step reads to choose a few of them from; of more, a seeded sample."""
    logged_chars: int = 256 * 1024
    """Most characters of records from memory that the log keeps, so that they can be had again."""
    busy_timeout_ms: int = 30_000
    """How long a SQLite connection waits for another writer."""


class TopicSettings(Struct, frozen=True, kw_only=True):
    """Bands of topic confidence."""

    low_confidence: float = 0.7
    """Confidence (0..1) below which a record's topic counts as uncertain."""


class PipelineSettings(Struct, frozen=True, kw_only=True):
    """When a node of the pipeline wants attention."""

    uncertain_share: float = 0.05
    """Share of the categorised records (0..1) with low confidence from which topics want it."""
    exact_stale_records: int = 100_000
    """Records up to which a result is compared with the content it was made from; above, any change
    of the records makes it stale, also one that was taken back."""


VALIDATION = ValidationSettings()
LIMITS = InputLimits()
STORE = StoreSettings()
TOPICS = TopicSettings()
PIPELINE = PipelineSettings()
