"""Where models are asked, as a page shows it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from msgspec import Meta, Struct

from rft_widgets.model.connection_settings import CONNECTION
from rft_widgets.model.llm import ModelConnection
from rft_widgets.model.problem import Problem

ConnectionName = Annotated[str, Meta(min_length=1, max_length=80)]
_Model = Annotated[str, Meta(min_length=1, max_length=300)]
_Price = Annotated[int, Meta(ge=0)]


class ConnectionSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A model that may be asked, and what asking it keeps to.

    Attributes
    ----------
    connection
        Where it is, and what holds the key; never the key.
    model
        The model that is asked there.
    embedding_model
        The model that embeds texts there; ``None`` where there is none.
    concurrency
        Most requests under way at a time.
    requests_per_minute
        Most requests a minute; ``None`` for no limit of ours.
    input_price, output_price
        Millionths of a dollar for a million tokens, where the catalogue does not know better;
        ``None`` while unknown.
    """

    connection: ModelConnection
    model: _Model
    embedding_model: _Model | None = None
    concurrency: Annotated[int, Meta(ge=1, le=CONNECTION.most_concurrency)] = CONNECTION.concurrency
    requests_per_minute: Annotated[int, Meta(ge=1)] | None = None
    input_price: _Price | None = None
    output_price: _Price | None = None


class NamedConnection(ConnectionSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A model that may be asked, under a name that whoever uses the store knows it by."""

    name: ConnectionName


class ConnectionTest(Struct, frozen=True, kw_only=True):
    """What a connection was seen to do. ``None`` says that a capability could not be found out.

    Attributes
    ----------
    works
        Whether the model answered.
    latency_s
        Seconds to the answer of one word.
    models
        What the service says it serves, the first of them.
    shutdown_date
        The day from which the model answers no more, as the service said.
    tools, json_schema, logprobs, embeddings
        Whether it can do that.
    words
        Why something of it failed, in the service's words, by name.
    notice
        What is to be known of the model before it is used: gone, going, of unknown price.
    """

    at: datetime
    works: bool
    latency_s: float | None = None
    problem: Problem | None = None
    models: tuple[str, ...] = ()
    shutdown_date: date | None = None
    tools: bool | None = None
    json_schema: bool | None = None
    logprobs: bool | None = None
    embeddings: bool | None = None
    words: dict[str, str] = {}
    notice: str = ""


class ModelChoice(Struct, frozen=True, kw_only=True):
    """A named connection as something that may be chosen.

    Attributes
    ----------
    notice
        What is to be known of the model before it is used; empty when there is nothing.
    missing
        What is not there yet before it can be asked, in words; empty when nothing is.
    works
        Whether it answered when it was last tested; ``None`` where it never was.
    """

    name: str
    model: str
    notice: str = ""
    missing: str = ""
    works: bool | None = None


class ConnectionView(Struct, frozen=True, kw_only=True):
    """A named connection with all that is known of it.

    Attributes
    ----------
    missing, notice
        As of `ModelChoice`.
    input_price, output_price
        Millionths of a dollar for a million tokens, the connection's own or the catalogue's.
    context
        Most tokens of prompt and answer together, where the catalogue says it.
    test
        What it was seen to do when it was last tested.
    """

    named: NamedConnection
    missing: str
    notice: str
    input_price: int | None
    output_price: int | None
    context: int | None
    test: ConnectionTest | None


class ConnectionState(Struct, frozen=True, kw_only=True):
    """A model that something of a dataset asks, and whether it can be asked from here.

    Attributes
    ----------
    used_by
        What asks it, such as ``Grader``.
    base_url
        ``None`` where that is not configured.
    key_from
        *Name* of the environment variable that holds the key, ``None`` where none is wanted. The
        key itself is never read here.
    missing
        What is not there yet, in words; empty when the connection is configured.
    """

    used_by: str
    model: str
    base_url: str | None
    key_from: str | None
    missing: str
