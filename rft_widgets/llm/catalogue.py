"""What is known of models before they are asked: prices, context, when they end.

The package brings a dated list with its sources. A file of the user's own adds to it and
exchanges what it says of the same model of the same service.
"""

from __future__ import annotations

import functools
import os
from datetime import UTC, date, datetime
from importlib import resources
from pathlib import Path
from typing import Annotated, NamedTuple
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta, Struct
from platformdirs import user_config_path

from rft_widgets.errors import InvalidArgument, ModelGone
from rft_widgets.model.connection import ConnectionTest, NamedConnection
from rft_widgets.model.llm import STAND_IN, STAND_IN_NOTICE
from rft_widgets.web import is_loopback

MODELS_VARIABLE = "RFT_WIDGETS_MODELS"
"""Environment variable with the path of a catalogue that counts instead of the user's file."""

_Usd = Annotated[float, Meta(ge=0)]
_MICRO = 1_000_000


class CatalogueModel(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A model of a service. ``None`` says that nobody who could be cited said it.

    Attributes
    ----------
    service
        Host of the base URL, such as ``api.openai.com``: the same model costs something else with
        another service.
    id, snapshots
        What the service calls it, and dated versions of which the same holds.
    context
        Most tokens of prompt and answer together.
    input_usd, output_usd
        Dollars for a million tokens.
    shutdown_date
        The day from which it answers no more.
    replacement
        What the service recommends instead.
    sources, as_of
        Where it was read, and when.
    """

    service: str
    id: str
    snapshots: tuple[str, ...] = ()
    context: Annotated[int, Meta(ge=1)] | None = None
    input_usd: _Usd | None = None
    output_usd: _Usd | None = None
    shutdown_date: date | None = None
    replacement: str = ""
    sources: tuple[str, ...] = ()
    as_of: date | None = None


class ModelPrice(NamedTuple):
    """Millionths of a dollar for a million tokens; ``None`` where nobody said."""

    input_price: int | None
    output_price: int | None


class _Catalogue(Struct, forbid_unknown_fields=True):
    models: tuple[CatalogueModel, ...]


class _Edits(Struct, forbid_unknown_fields=True):
    models: tuple[dict[str, object], ...]


def own_file() -> Path:
    """The user's own catalogue, whether there is one or not."""
    named = os.environ.get(MODELS_VARIABLE)
    return Path(named) if named else user_config_path("rft-widgets") / "models.json"


def catalogue() -> tuple[CatalogueModel, ...]:
    """Every model that something is known of, by service and name.

    Raises
    ------
    InvalidArgument
        The user's file cannot be read; says where.
    """
    path = own_file()
    try:
        seen = path.stat()
    except OSError:
        if MODELS_VARIABLE in os.environ:
            raise InvalidArgument(
                f"The model catalogue {path} cannot be read.",
                hint=f"Mend the environment variable {MODELS_VARIABLE}, or take it away.",
            ) from None
        return tuple(_ours().values())
    return _merged(path, (seen.st_mtime_ns, seen.st_size))


def known_model(base_url: str, model: str) -> CatalogueModel | None:
    """What is known of a model of a service; of one that was tuned, what is of its base."""
    service = (urlsplit(base_url).hostname or "").casefold()
    name = _base_of(model)
    for one in catalogue():
        if one.service == service and (name == one.id or name in one.snapshots):
            return one
    return None


def price_of(model: str, named: NamedConnection) -> ModelPrice:
    """Price of a model at a connection: the connection's own where it has one, else the list's."""
    own = ModelPrice(named.input_price, named.output_price)
    known = None if _is_tuned(model) else known_model(named.connection.base_url, model)
    listed = ModelPrice(None, None) if known is None else _listed(known)
    # What embeds is another model than what answers: the connection's price is the last resort.
    first, last = (own, listed) if model == named.model else (listed, own)
    return ModelPrice(
        last.input_price if first.input_price is None else first.input_price,
        last.output_price if first.output_price is None else first.output_price,
    )


def shutdown_of(
    named: NamedConnection, test: ConnectionTest | None = None, model: str | None = None
) -> date | None:
    """The day from which a model answers no more: what its service said last, else the list's."""
    model = model or named.model
    of_it = test if model == named.model else None
    if of_it is not None and of_it.shutdown_date is not None:
        return of_it.shutdown_date
    known = known_model(named.connection.base_url, model)
    ends = None if known is None else known.shutdown_date
    if ends is not None and of_it is not None and of_it.works and ends <= of_it.at.date():
        return None  # a service that answers after the day knows better than the list
    return ends


def notice_of(
    named: NamedConnection, test: ConnectionTest | None = None, today: date | None = None
) -> str:
    """What is to be known of a connection's model before it is asked; empty when there is nothing.

    Says that it is gone or going, that its price is not known, and what the last test found.
    """
    ends, today = shutdown_of(named, test), today or _today()
    if ends is not None and ends <= today:
        return f"{named.model} was shut down on {ends}. {_instead(named, named.model)}".strip()
    notices = [STAND_IN_NOTICE] if named.model == STAND_IN else []
    if ends is not None:
        notices.append(
            f"{named.model} shuts down on {ends}. {_instead(named, named.model)}".strip()
        )
    embedder = named.embedding_model
    ends = None if embedder is None else shutdown_of(named, test, embedder)
    if ends is not None:
        verb = "was shut down" if ends <= today else "shuts down"
        notices.append(f"The embedding model {embedder} {verb} on {ends}.")
    price = price_of(named.model, named)
    is_here = is_loopback(urlsplit(named.connection.base_url).hostname or "")
    if None in price and not is_here:
        notices.append(
            f"The price of {named.model} is not known here: what it costs cannot be told. "
            "Give it with the connection."
        )
    takes_no_schema = test is not None and test.works and test.json_schema is False
    if takes_no_schema and named.connection.structured:
        notices.append("It takes no response schema: turn that off in the connection.")
    return " ".join(notices)


def refuse_gone(
    named: NamedConnection,
    test: ConnectionTest | None = None,
    *,
    model: str | None = None,
    today: date | None = None,
) -> None:
    """Raise before anything is spent on a model that is gone.

    Raises
    ------
    ModelGone
        It answers no more, by what its service said when it was tested, or by the catalogue.
    """
    model = model or named.model
    ends = shutdown_of(named, test, model)
    if ends is None or ends > (today or _today()):
        return
    hint = f"{_instead(named, model)}Choose another model."
    if test is None or test.shutdown_date != ends:
        hint += " If it answers nevertheless, test the connection: what its service says counts."
    raise ModelGone(f"The model {model} was shut down on {ends}.", hint=hint)


def _instead(named: NamedConnection, model: str) -> str:
    known = known_model(named.connection.base_url, model)
    if known is None or not known.replacement:
        return ""
    return f"Its service recommends {known.replacement} instead. "


def _listed(known: CatalogueModel) -> ModelPrice:
    return ModelPrice(_micro(known.input_usd), _micro(known.output_usd))


def _micro(usd: float | None) -> int | None:
    return None if usd is None else round(usd * _MICRO)


def _is_tuned(model: str) -> bool:
    return model.startswith("ft:")


def _base_of(model: str) -> str:
    """``ft:base:owner::id`` ends with its base."""
    return model.split(":")[1] if _is_tuned(model) else model


def _today() -> date:
    return datetime.now(UTC).date()


@functools.cache
def _ours() -> dict[tuple[str, str], CatalogueModel]:
    data = (resources.files("rft_widgets.llm") / "models.json").read_bytes()
    found = msgspec.json.decode(data, type=_Catalogue).models
    return {(one.service, one.id): one for one in found}


@functools.lru_cache(maxsize=4)
def _merged(path: Path, _seen: tuple[int, int]) -> tuple[CatalogueModel, ...]:
    found = dict(_ours())
    try:
        for edit in msgspec.json.decode(path.read_bytes(), type=_Edits).models:
            key = (str(edit.get("service", "")).casefold(), str(edit.get("id", "")))
            before = msgspec.to_builtins(found[key]) if key in found else {}
            found[key] = msgspec.convert({**before, **edit, "service": key[0]}, CatalogueModel)
    except (OSError, msgspec.DecodeError) as error:
        raise InvalidArgument(
            f"The model catalogue {path} cannot be read: {error}.",
            hint='It is {"models": [{"service": "api.example.com", "id": "...", '
            '"input_usd": 0.1, "output_usd": 0.5}]}.',
        ) from None
    return tuple(found.values())
