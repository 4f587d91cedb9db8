"""What every trace reader offers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, Protocol

from msgspec import Struct

from rft_widgets.model.trace import Trace, TraceLoss


class Document(NamedTuple):
    """One JSON value of a source, and where it stands there (``line 12``, ``row 9003``)."""

    location: str
    value: Any


class OtherSpan(Struct, frozen=True):
    """A span that is no model call: an agent, a tool, a retriever. Counted, not reported."""


Reading = Trace | TraceLoss | OtherSpan


class Reader(Protocol):
    """A module that reads one family of formats.

    `read` sees the documents once, in order, and holds back only what it must join. Every model
    call among them comes out once, as a `Trace` or as a `TraceLoss`; a loss that concerns only a
    part of a trace comes right before its trace and has the same span id.
    """

    NAME: str

    def matches(self, value: Any) -> bool:
        """Whether a document has this reader's shape, judged by its keys."""
        ...

    def read(self, documents: Iterable[Document]) -> Iterator[Reading]:
        """Traces and losses of the documents."""
        ...
