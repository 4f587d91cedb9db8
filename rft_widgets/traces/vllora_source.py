"""Where the spans of a vLLora gateway come from: its SQLite store and its HTTP interface."""

from __future__ import annotations

import sqlite3
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import closing
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from rft_widgets.errors import InvalidArgument, NotFound, RftError, StoreUnavailable
from rft_widgets.model.settings import STORE
from rft_widgets.traces.documents import Undecodable, decode
from rft_widgets.traces.reader import Document
from rft_widgets.web import direct_opener, is_loopback

MAX_PAGE_BYTES = 256 * 1024**2
"""Largest answer of the gateway that is read."""


class GatewayUnreachable(RftError):  # noqa: N818
    """Nothing answers at the address of the gateway, or it stopped answering."""


class GatewayRefused(RftError):  # noqa: N818
    """The gateway answered with an HTTP status that is no success."""


class GatewayAnswerInvalid(RftError):  # noqa: N818
    """What the gateway answered is no page of spans."""


def default_store() -> Path | None:
    """Where the gateway keeps its store, ``None`` if there is none."""
    path = Path.home() / ".vllora" / "vllora.db"
    return path if path.is_file() else None


def is_store(path: Path) -> bool:
    """Whether a file is the store of a gateway, by what it holds."""
    try:
        with closing(_connect(path, idle=_is_idle(path))) as connection:
            _select(connection, path)
    except (OSError, sqlite3.Error, StoreUnavailable):
        return False
    return True


def read_store(path: Path) -> Iterator[Document]:
    """Rows of a gateway's store, trace by trace; nothing is ever written to it.

    The rows are those of one moment: what a running gateway adds meanwhile is not among them. Each
    says how many rows its trace has (``spans_in_trace``), so that a reader can let it go.

    Raises
    ------
    NotFound
        If there is no such file.
    StoreUnavailable
        If the file is no store of the gateway, or stays locked.
    """
    if not path.is_file():
        raise NotFound(f"There is no gateway store {path}.", hint="Check the path.")
    idle = _is_idle(path)
    before = _state(path)
    try:
        with closing(_connect(path, idle=idle)) as connection:
            for number, row in enumerate(connection.execute(_select(connection, path)), start=1):
                if idle and number % _ROWS_BETWEEN_LOOKS == 0:
                    _check_unchanged(path, before)
                yield Document(f"row {number}", dict(row))
        if idle:
            _check_unchanged(path, before)
    except sqlite3.Error as error:
        raise StoreUnavailable(
            f"The gateway store {path} cannot be read: {error}.",
            hint="Is it the file vllora.db of a vLLora gateway?",
        ) from error


def read_gateway(
    url: str,
    *,
    token: str | None = None,
    project: str | None = None,
    page_size: int = 500,
    timeout_s: float = 30,
) -> Iterator[Document]:
    """Spans of a running gateway, newest first, page by page.

    Proxies of the environment are not used and redirects not followed, so that the token goes
    nowhere else.

    Parameters
    ----------
    url
        Address of the gateway (``http://localhost:9090``). Anything but this machine needs https.
    token
        Sent as ``Authorization: Bearer``.
    project
        Slug of the project whose spans are wanted; the gateway's default project otherwise.
    page_size
        Spans a request.
    timeout_s
        How long one request may stay silent.

    Raises
    ------
    InvalidArgument
        If the address is none that is read from.
    GatewayUnreachable, GatewayRefused, GatewayAnswerInvalid
        If a page cannot be had; nothing after it is read.
    """
    if page_size < 1:
        raise InvalidArgument(f"page_size is {page_size}.", hint="It must be at least 1.")
    base = _checked(url)
    headers = {"Accept": "application/json"}
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    if project is not None:
        headers["x-project-id"] = project
    if any(not value.isprintable() or not value.isascii() for value in headers.values()):
        raise InvalidArgument("The token or the project holds a character that no header may hold.")
    offset, last = 0, None
    while True:
        page, total = _page(base, offset, page_size, headers, timeout_s)
        if page and page == last:
            raise GatewayAnswerInvalid(f"{base} answers every page with the same spans.")
        for i, span in enumerate(page):
            yield Document(f"span {offset + i + 1}", span)
        offset += len(page)
        if not page or (total is not None and offset >= total):
            return
        last = page


# The store --------------------------------------------------------------------------------------

COLUMNS = (
    "trace_id", "span_id", "thread_id", "parent_span_id", "operation_name", "start_time_us",
    "finish_time_us", "attribute", "run_id", "project_id",
)  # fmt: skip
_NEEDED = frozenset({"trace_id", "span_id", "operation_name", "start_time_us", "attribute"})


_ROWS_BETWEEN_LOOKS = 1000


def _is_idle(path: Path) -> bool:
    """Whether the store is in WAL mode and no gateway has it open.

    Opening it the usual way would then leave files beside it, as SQLite needs them even to read.
    """
    with path.open("rb") as file:
        header = file.read(20)
    return header[18:20] == b"\x02\x02" and not path.with_name(f"{path.name}-wal").exists()


def _connect(path: Path, *, idle: bool) -> sqlite3.Connection:
    # Immutable: without locks, and so without those files.
    address = f"{path.resolve().as_uri()}?mode=ro{'&immutable=1' if idle else ''}"
    timeout_s = STORE.busy_timeout_ms / 1000
    connection = sqlite3.connect(address, uri=True, timeout=timeout_s, isolation_level=None)
    connection.row_factory = sqlite3.Row
    connection.text_factory = _as_text
    connection.execute("PRAGMA query_only = ON")
    return connection


def _state(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_mtime_ns, found.st_size


def _check_unchanged(path: Path, before: tuple[int, int]) -> None:
    # A gateway that has started meanwhile writes to its log first, which does not concern us; only
    # when it has carried the log over do the pages that we read change.
    if _state(path) != before:
        raise StoreUnavailable(
            f"A gateway has started to write to {path} while it was read.", hint="Read it again."
        )


def _as_text(data: bytes) -> str:
    # A damaged row must not end the reading of all the others.
    return data.decode("utf-8", "surrogateescape")


def _select(connection: sqlite3.Connection, path: Path) -> str:
    present = {row["name"] for row in connection.execute("PRAGMA table_info(traces)")}
    if not present >= _NEEDED:
        raise StoreUnavailable(
            f"{path} is no store of a vLLora gateway: it has no table of traces.",
            hint="The gateway's own file is ~/.vllora/vllora.db.",
        )
    columns = ", ".join(name for name in COLUMNS if name in present)
    # The primary key is (trace_id, span_id): the rows come in order without being sorted, and the
    # window holds the rows of one trace.
    return (
        f"SELECT {columns}, COUNT(*) OVER (PARTITION BY trace_id) AS spans_in_trace"
        " FROM traces ORDER BY trace_id, span_id"
    )


# The HTTP interface -----------------------------------------------------------------------------


def _checked(url: str) -> str:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise InvalidArgument(f"{url} is no address of a gateway: {error}.") from error
    if parts.scheme not in ("http", "https") or not host or parts.query or parts.fragment:
        raise InvalidArgument(
            f"{url} is no address of a gateway.", hint="It looks like http://localhost:9090."
        )
    if parts.username is not None:
        raise InvalidArgument("The address holds a user name.", hint="Pass a token instead.")
    if parts.scheme == "http" and not is_loopback(host):
        raise InvalidArgument(
            f"{url} would send the conversations unencrypted.", hint="Use https for other machines."
        )
    return url.rstrip("/")


def _page(
    base: str, offset: int, limit: int, headers: Mapping[str, str], timeout_s: float
) -> tuple[list[Any], int | None]:
    address = f"{base}/spans?{urlencode({'limit': limit, 'offset': offset})}"
    request = urllib.request.Request(address, headers=dict(headers))  # noqa: S310 - checked
    opener = direct_opener()
    try:
        with opener.open(request, timeout=timeout_s) as response:
            body = response.read(MAX_PAGE_BYTES + 1)
            missing_bytes = response.length or 0
    except urllib.error.HTTPError as error:
        with error:
            reason = "it sends us elsewhere" if 300 <= error.code < 400 else error.reason
        raise GatewayRefused(
            f"{address} answered {error.code}: {reason}.",
            hint="Check the address, the token and the project.",
        ) from None
    except (OSError, HTTPException) as error:
        raise GatewayUnreachable(
            f"{address} does not answer: {getattr(error, 'reason', None) or error}.",
            hint="Is the gateway running?",
        ) from error
    if len(body) <= MAX_PAGE_BYTES and missing_bytes:
        raise GatewayUnreachable(f"The answer of {address} breaks off.", hint="Try it again.")
    if len(body) > MAX_PAGE_BYTES:
        raise GatewayAnswerInvalid(
            f"{address} answered with more than {MAX_PAGE_BYTES:,} bytes.",
            hint="Pass a smaller page_size.",
        )
    return _spans_of_page(address, body)


def _spans_of_page(address: str, body: bytes) -> tuple[list[Any], int | None]:
    try:
        page = decode(body)
    except Undecodable as error:
        raise GatewayAnswerInvalid(
            f"{address} did not answer with JSON. {error}",
            hint="Is it the API port of the gateway?",
        ) from None
    data = page.get("data") if isinstance(page, Mapping) else None
    if not isinstance(data, list):
        raise GatewayAnswerInvalid(f"{address} did not answer with a page of spans.")
    pagination = page.get("pagination")
    total = pagination.get("total") if isinstance(pagination, Mapping) else None
    return data, total if isinstance(total, int) else None
