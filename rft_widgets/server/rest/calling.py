"""A call as it came over HTTP: checked, and handed to the function of its route."""

from __future__ import annotations

import inspect
import re
import typing
from collections.abc import Mapping
from typing import Any, TypeVar
from urllib.parse import parse_qsl

import msgspec
from msgspec import Struct
from msgspec import inspect as shapes

from rft_widgets.errors import StaleEdit
from rft_widgets.server.rest.routing import BadRequest, Id, PreconditionFailed, Route, Wait
from rft_widgets.workspace import Workspace

AUTH_ARGUMENTS = frozenset({"token"})
"""Arguments of a URL that are the server's own."""

_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


class FormFields(Struct, frozen=True):
    """What came beside a file, or with it: texts by name, and the upload that the file became."""

    fields: Mapping[str, str]
    upload: str


class Request(Struct, frozen=True, kw_only=True):
    """A call as it came: texts of the path, the query as it stands in the URL, and the body."""

    path: Mapping[str, str]
    query: str = ""
    body: bytes | FormFields = b""
    if_match: str | None = None


def call(route: Route, workspace: Workspace, request: Request) -> Any:
    """Check a request, and call the function of its route.

    Raises
    ------
    BadRequest
        The request does not have the form that the call takes.
    RftError
        The call was refused.
    """
    function = route.function
    assert function is not None  # noqa: S101 - calls that are only described are answered elsewhere
    given: dict[str, Any] = {}
    for name in route.path_names:
        given[name] = _converted({name: request.path[name]}, {name: Id}, "path")[name]
        _refuse_nul(given[name].encode(), name)
    texts = _pairs(request.query)
    if route.takes_file:
        given["body"] = _file_body(route, texts, request.body)
    elif route.body is not None:
        assert isinstance(request.body, bytes)  # noqa: S101 - only calls that take files get forms
        given |= _json_body(route, request.body)
    if "query" in inspect.signature(function).parameters:
        assert route.query is not None  # noqa: S101 - it was read from that very parameter
        given["query"] = from_texts(texts, route.query, "query")
    elif not route.takes_file and texts:
        from_texts(texts, route.query or _Nothing, "query")
    header = request.if_match
    if header is None or header == "*" or route.verb != "PATCH":
        return function(workspace, **given)
    given["body"] = _with_version(given["body"], header)
    try:
        return function(workspace, **given)
    except StaleEdit as error:
        raise PreconditionFailed(error.message, hint=error.hint) from error


def wait_of(route: Route, query: str) -> float:
    """How many seconds a request asks to wait."""
    if not route.asks_wait:
        return 0.0
    texts = {name: text for name, text in _pairs(query).items() if name == "wait"}
    return from_texts(texts, Wait, "query").wait


class _Nothing(Struct, frozen=True, forbid_unknown_fields=True):
    pass


_S = TypeVar("_S", bound=Struct)


def from_texts(texts: Mapping[str, str], kind: type[_S], where: str) -> _S:
    """Make a value of texts, as they stand in a URL or a form.

    A field that can be text takes it as it is. Of any other it is JSON: ``true``, ``12``, ``0.5``.
    """
    values = {
        name: text if name not in plain_fields(kind) else _scalar(text)
        for name, text in texts.items()
    }
    try:
        return msgspec.convert(values, kind)
    except msgspec.ValidationError as error:
        raise _misfit(error, where) from None


def plain_fields(kind: type[Struct]) -> frozenset[str]:
    """Names of the fields that hold no text."""
    info = typing.cast("shapes.StructType", shapes.type_info(kind))
    return frozenset(field.encode_name for field in info.fields if not _is_text(field.type))


def _is_text(shape: shapes.Type) -> bool:
    if isinstance(shape, shapes.Metadata):
        return _is_text(shape.type)
    if isinstance(shape, shapes.UnionType):
        return any(_is_text(part) for part in shape.types)
    if isinstance(shape, shapes.LiteralType):
        return any(isinstance(value, str) for value in shape.values)
    return isinstance(shape, (shapes.StrType, shapes.DateTimeType))


def _scalar(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.MsgspecError, RecursionError):
        return text


def _pairs(query: str) -> dict[str, str]:
    try:
        pairs = parse_qsl(query, keep_blank_values=True, errors="strict", max_num_fields=100)
    except ValueError as error:
        raise BadRequest(f"The query of the URL cannot be read: {error}.") from None
    found: dict[str, str] = {}
    for name, text in pairs:
        if name in AUTH_ARGUMENTS:
            continue
        if name in found:
            raise BadRequest(f"query: {name!r} is given twice.", hint="Give it once.")
        _refuse_nul(text.encode(errors="replace"), name)
        found[name] = text
    return found


def _file_body(route: Route, texts: Mapping[str, str], body: bytes | FormFields) -> Struct:
    options = {name: text for name, text in texts.items() if name != "wait"}
    kind: type[Struct] = route.body
    if isinstance(body, FormFields):
        twice = sorted(options.keys() & body.fields.keys())
        if twice:
            raise BadRequest(f"{twice[0]!r} is given in the URL and in the form.")
        for name, text in body.fields.items():
            _refuse_nul(text.encode(errors="replace"), name)
        if "upload" in options or "upload" in body.fields:
            raise BadRequest("A file and 'upload' are given.", hint="Give one of them.")
        return from_texts({**options, **body.fields, "upload": body.upload}, kind, "arguments")
    if options:
        raise BadRequest(
            f"query: {min(options)!r} is given beside a JSON body.", hint="Put it into the body."
        )
    found: Struct = _json_body(route, body)["body"]
    return found


def _json_body(route: Route, body: bytes) -> dict[str, Any]:
    if not body.strip() and not route.body_required:
        return {}
    _refuse_nul(body, "body")
    try:
        return {"body": msgspec.json.decode(body, type=route.body)}
    except msgspec.ValidationError as error:
        raise _misfit(error, "body") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadRequest(f"The body is no JSON: {error}.") from None
    except RecursionError:
        raise BadRequest("The body is nested too deep.") from None


def _with_version(body: Any, header: str) -> Any:
    version = header.strip().removeprefix("W/").strip('"')
    if body.version is not None:
        raise BadRequest("A version and If-Match are given.", hint="Give one of them.")
    try:
        merged = {**msgspec.to_builtins(body), "version": version}
        return msgspec.convert(merged, type(body), strict=False)
    except msgspec.ValidationError:
        raise BadRequest(
            f"If-Match: {header!r} is no version of this.", hint="Send what `version` was read as."
        ) from None


def _converted(values: Mapping[str, str], kinds: Mapping[str, Any], where: str) -> dict[str, Any]:
    try:
        return {name: msgspec.convert(values[name], kind) for name, kind in kinds.items()}
    except msgspec.ValidationError as error:
        raise _misfit(error, where) from None


def _misfit(error: msgspec.ValidationError, where: str) -> BadRequest:
    message, _, place = str(error).partition(" - at `$")
    place = place.rstrip("`")
    return BadRequest(f"{where}{place}: {message}.", hint="See openapi.json for what it takes.")


def _refuse_nul(data: bytes, where: str) -> None:
    if b"\0" in data or _NUL.search(data):
        raise BadRequest(f"{where}: a text holds the character U+0000.")
