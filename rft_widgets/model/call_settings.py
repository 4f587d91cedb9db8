"""How models are asked: every number of it."""

from __future__ import annotations

from msgspec import Struct


class CallSettings(Struct, frozen=True, kw_only=True):
    """Numbers of asking models."""

    attempts: int = 5
    """Most requests for one answer."""
    first_wait_s: float = 1.0
    """Longest wait before the second attempt; it doubles with each, and is drawn from 0 up."""
    longest_wait_s: float = 60.0
    """Where that growth ends. What a service asks for by ``Retry-After`` is kept to."""
    failures_in_a_row: int = 20
    """So many failed requests without an answer between them end the work."""
    failed_share: float = 0.05
    """More failed pieces than this share of all end the work..."""
    failed_share_from: int = 40
    """...once there were this many."""
    hear_s: float = 0.1
    """How often it is looked whether somebody wants the work to stop."""
    grace_s: float = 0.5
    """How long what is under way may take to end by itself when the work is stopped."""
    read_ahead: int = 8
    """Pieces ahead of the reader, for each that runs at a time: while one waits for its next
    attempt, the others go on."""
    chars_per_token: float = 4.0
    """Of a text whose tokens nobody has counted yet."""
    tokens_per_message: int = 4
    """What the frame of a message adds to its text."""
    unknown_completion_tokens: int = 1_024
    """Reserved for an answer that has no limit."""
    texts_per_embedding: int = 128
    """Texts in one request for embeddings."""
    held_above_micro_usd: int = 100_000
    """A request that was cut off is asked again by itself up to this price; one that costs more is
    held until somebody says so."""
    ahead_share: float = 0.5
    """Requests that are made ready beside those under way, as a share of these: what is written
    before and after each takes no turn of the service's."""
    most_lost: int = 2
    """So often a request is sent whose answer nobody saw: it may be paid each time."""
    limits_in_a_row: int = 3
    """So many refusals for haste, with no answer between them, hold all requests until the time
    that the service named; one of them holds itself alone."""
    longest_retry_after_s: float = 900.0
    """A service that asks for more patience has failed that request."""
    stale_s: float = 600.0
    """After that, a request that another machine sent counts as cut off."""
    collects_s: float = 0.004
    """How long the ledger waits for more to write in one commit."""
    entries_per_commit: int = 256
    """Most entries that the ledger writes at once."""


CALLS = CallSettings()
