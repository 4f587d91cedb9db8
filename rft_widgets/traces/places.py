"""Where a page may read traces from: what it says may come from anybody who reached it.

In a notebook the page is its owner's, who may read any file anyway. In the app it is not: there a
page names what was found on this machine, what an operator allows, and what was uploaded.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, NamedTuple
from urllib.parse import SplitResult, urlsplit

from msgspec import Struct

from rft_widgets.errors import InvalidArgument, NotFound, RftError
from rft_widgets.model.connection import NamedConnection
from rft_widgets.model.creation import UPLOAD
from rft_widgets.traces.documents import SUFFIXES
from rft_widgets.traces.openai_chat import is_api, with_key
from rft_widgets.traces.source import TraceSource, open_traces
from rft_widgets.traces.vllora_source import default_store, is_store, read_gateway
from rft_widgets.uploads import Uploads
from rft_widgets.web import is_loopback

TRACES_VARIABLE = "RFT_WIDGETS_TRACES"
"""Environment variable in which an operator allows files, folders and addresses of gateways, such
as ``/srv/traces:https://gateway.example.com``; several by the separator of ``PATH``. That of an API
that stores chat completions names what holds its key: ``https://api.openai.com/v1#OPENAI_API_KEY``."""

APP_VARIABLE = "RFT_WIDGETS_APP"
"""Environment variable that is set where pages are for people who may not run code."""

DEFAULT_GATEWAY = "http://127.0.0.1:9090"

_STORES = (".db", ".sqlite", ".sqlite3")
_MAX_FOUND = 200
_MAX_DEPTH = 3
_MAX_LOOKED_AT = 20_000
_URL = re.compile(r"https?://(?:\[[^\]\s]*\]|[^\s/:\[\]]+)(?::\d+)?(?:/[^\s:;]*)?")

PlaceKind = Literal["store", "gateway", "api", "file"]


class TracePlace(Struct, frozen=True, kw_only=True):
    """A source of traces that a page can choose."""

    location: str
    """What opens it: a path or an address."""
    name: str
    kind: PlaceKind
    size: int | None = None
    """Bytes, of a file."""
    modified_at: datetime | None = None


class OpenedPlace(NamedTuple):
    """Traces of a place; ``name`` where its location opens nothing again later."""

    traces: TraceSource
    name: str | None


def found_places(
    *,
    gateway: str = DEFAULT_GATEWAY,
    timeout_s: float = 0.5,
    saved: Iterable[NamedConnection] = (),
) -> tuple[TracePlace, ...]:
    """Look for sources: a vLLora store and gateway of this machine, and what an operator allows.

    The services of saved connections come last; they are not asked whether they store anything.
    """
    found: list[TracePlace] = []
    store = default_store()
    if store is not None:
        found.append(_of_file(store, "vLLora store of this machine", "store"))
    if _answers(gateway, timeout_s):
        name = "vLLora gateway of this machine"
        found.append(TracePlace(location=gateway, name=name, kind="gateway"))
    allowed = _allowed()
    found += [
        TracePlace(
            location=url, name=urlsplit(url).netloc, kind="api" if is_api(url) else "gateway"
        )
        for url in allowed.urls
    ]
    files = [place for path in allowed.paths for place in _files_in(path)]
    files.sort(key=lambda place: -(place.modified_at or _NEVER).timestamp())
    known = {place.location for place in found}
    apis = {_stored_at(one): one.name for one in saved}
    return (
        *found,
        *files[:_MAX_FOUND],
        *(
            TracePlace(location=location, name=f"Stored completions of {name}", kind="api")
            for location, name in apis.items()
            if location not in known and is_api(location)
        ),
    )


def check_place(
    location: str, *, by_strangers: bool | None = None, saved: Iterable[NamedConnection] = ()
) -> None:
    """Refuse a place that a page may not read.

    Parameters
    ----------
    location
        The place.
    by_strangers
        Whether somebody names it who may not run code here; by default, whether this is the app.
    saved
        Connections of the store, which bind a key to its service.

    Raises
    ------
    InvalidArgument
        It is not allowed; the message says how to allow it.
    NotFound
        There is no such file.
    """
    if by_strangers is None:
        by_strangers = bool(os.environ.get(APP_VARIABLE))
    if location.startswith(UPLOAD) or not by_strangers:
        return
    if location.startswith(("http://", "https://")):
        _check_address(location, saved)
    else:
        _allowed_file(location)


def open_place(location: str, uploads: Uploads) -> OpenedPlace:
    """Open traces from a place that was checked.

    Raises
    ------
    UnknownFormat, NotFound, ImportRejected, InvalidArgument
        See `open_traces`; or there is no such upload.
    """
    if location.startswith(UPLOAD):
        upload_id = location.removeprefix(UPLOAD)
        with uploads.reading(upload_id) as path:
            return OpenedPlace(open_traces(path), uploads.state(upload_id).name)
    return OpenedPlace(open_traces(location), None)


class _Allowed(NamedTuple):
    paths: list[Path]
    urls: list[str]


def _allowed() -> _Allowed:
    said = os.environ.get(TRACES_VARIABLE, "")
    urls = [url.rstrip("/") for url in _URL.findall(said)]
    # A colon of an address is no separator: the addresses are taken out before the rest is split.
    parts = _URL.sub(os.pathsep, said).split(os.pathsep)
    return _Allowed([Path(part.strip()).expanduser() for part in parts if part.strip()], urls)


# Files ------------------------------------------------------------------------------------------


def _allowed_file(location: str) -> None:
    # Links are followed before it is asked where the file lies: no link leads out of a folder.
    try:
        path = Path(location).expanduser().resolve()
    except (OSError, ValueError, RuntimeError):
        raise _not_allowed(location) from None
    store = default_store()
    roots = [*_allowed().paths, *([store] if store is not None else [])]
    for root in roots:
        with contextlib.suppress(OSError, RuntimeError):
            if path.is_relative_to(root.resolve()):
                break
    else:
        raise _not_allowed(location)
    # What is not allowed is not even told to be there.
    if not path.exists():
        raise NotFound(f"There is no file {location}.", hint="Refresh the list of sources.")
    if not path.is_file():
        raise InvalidArgument(f"{location} is no file.", hint="Choose one of the files in it.")


def _not_allowed(location: str) -> InvalidArgument:
    return InvalidArgument(
        f"{location} was not allowed for pages.",
        hint="Upload the file, or ask whoever runs the app to add its folder to "
        f"{TRACES_VARIABLE}.",
    )


def _files_in(root: Path) -> Iterator[TracePlace]:
    try:
        base = root.resolve(strict=True)
    except (OSError, RuntimeError):
        return
    if base.is_file():
        yield _of_file(base, base.name, _kind(base.name))
        return
    looked_at = 0
    for folder, folders, names in os.walk(base):  # which follows no links
        depth = len(Path(folder).relative_to(base).parts)
        folders[:] = [name for name in sorted(folders) if depth < _MAX_DEPTH and name[0] != "."]
        for name in sorted(names):
            looked_at += 1
            if looked_at > _MAX_LOOKED_AT:
                return
            if not name.lower().endswith(SUFFIXES + _STORES):
                continue
            path = Path(folder) / name
            with contextlib.suppress(OSError):
                is_ours = _kind(name) == "file" or is_store(path)
                if stat.S_ISREG(path.lstat().st_mode) and is_ours:
                    shown = path.relative_to(base).as_posix()
                    yield _of_file(path, shown, _kind(name))


def _kind(name: str) -> PlaceKind:
    return "store" if name.lower().endswith(_STORES) else "file"


def _of_file(path: Path, name: str, kind: PlaceKind) -> TracePlace:
    found = path.stat()
    return TracePlace(
        location=_text(str(path)),
        name=_text(name),
        kind=kind,
        size=found.st_size,
        modified_at=datetime.fromtimestamp(found.st_mtime, UTC),
    )


def _text(name: str) -> str:
    return os.fsencode(name).decode(errors="replace")


# Addresses --------------------------------------------------------------------------------------


def _stored_at(named: NamedConnection) -> str:
    """Where the completions are that the service of a connection stores."""
    return with_key(named.connection.base_url, named.connection.api_key_env)


def _check_address(location: str, saved: Iterable[NamedConnection]) -> None:
    if location in {_stored_at(one) for one in saved}:
        return
    location, _, variable = location.partition("#")
    try:
        parts = urlsplit(location)
        origin = _origin(parts)
    except ValueError:
        raise _not_allowed_address(location) from None
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise InvalidArgument(
            "The address of a gateway has a host and a path, no user, query or fragment.",
            hint="It looks like http://localhost:9090.",
        )
    # A key goes only where somebody who may run code here has said: not even to this machine.
    if is_loopback(parts.hostname or "") and not variable:
        return
    for url in _allowed().urls:
        allowed = urlsplit(url)
        if allowed.fragment != variable:
            continue
        within = parts.path == allowed.path or parts.path.startswith(f"{allowed.path}/")
        if _origin(allowed) == origin and within:
            return
    raise _not_allowed_address(location)


def _origin(parts: SplitResult) -> tuple[str, str, int | None]:
    default = {"https": 443, "http": 80}.get(parts.scheme)
    return parts.scheme, (parts.hostname or "").casefold(), parts.port or default


def _not_allowed_address(location: str) -> InvalidArgument:
    return InvalidArgument(
        f"{location} was not allowed for pages.",
        hint=f"Ask whoever runs the app to add it to {TRACES_VARIABLE}; a gateway on this machine "
        "needs no permission.",
    )


def _answers(address: str, timeout_s: float) -> bool:
    """Whether a gateway is there; other services that listen answer with something else."""
    try:
        next(iter(read_gateway(address, page_size=1, timeout_s=timeout_s)), None)
    except RftError:
        return False
    return True


_NEVER = datetime.fromtimestamp(0, UTC)
