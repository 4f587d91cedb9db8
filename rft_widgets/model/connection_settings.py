"""How connections are made and tested: every number of it."""

from __future__ import annotations

from msgspec import Struct


class ProbeSettings(Struct, frozen=True, kw_only=True):
    """Numbers of the test of a connection."""

    tokens: int = 64
    """Most tokens of an answer."""
    reasoning_tokens: int = 1_024
    """The same for a model that thinks on its token budget before it answers."""
    timeout_s: float = 30.0
    """Longest wait for one answer; less where the connection waits less."""
    models_kept: int = 50
    """Names of models that are kept of what a service lists."""
    words_kept: int = 300
    """Characters that are kept of what a service says of a failure."""


PROBE = ProbeSettings()


class ConnectionRules(Struct, frozen=True, kw_only=True):
    """What a connection begins with, and keeps to."""

    key_name: str = "[A-Z_][A-Z0-9_]{0,99}"
    """Form of the name of a variable that holds a key: a key itself does not fit it."""
    concurrency: int = 8
    most_concurrency: int = 256
    timeout_s: float = 60.0
    most_timeout_s: float = 3_600.0


CONNECTION = ConnectionRules()
