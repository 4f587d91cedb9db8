"""The routes of the API: what each call takes and gives, told by the annotations of a function.

Nothing here knows of a web server: `rft_widgets.server.handlers` puts the table on one.
"""

from __future__ import annotations

import inspect
import re
import typing
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Generic, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

from rft_widgets.errors import RftError

Verb = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]

MAX_BODY_BYTES = 1024 * 1024
"""Largest body that is no file, unless its call asks for more."""
MAX_WAIT_S = 30
"""Longest that a call waits for the end of what it started."""

_PATH_NAME = re.compile(r"\{(\w+)\}")

_F = TypeVar("_F", bound=Callable[..., Any])
_T = TypeVar("_T")

Id = Annotated[str, Meta(min_length=1, max_length=500)]


class BadRequest(RftError):  # noqa: N818 - the family reads as what happened
    """A request does not have the form that its call takes; the message names the place."""


class BodyTooLarge(RftError):  # noqa: N818
    """A body has more bytes than its call takes."""


class UnsupportedBody(RftError):  # noqa: N818
    """A body is of a type that its call does not take."""


class PreconditionFailed(RftError):  # noqa: N818
    """What the header ``If-Match`` names is not there any more; nothing was changed."""


class Attachment(Struct, frozen=True, kw_only=True):
    """A file to be sent, and then removed with the folder that it lies in."""

    path: Path
    name: str
    media_type: str


class Underway(Generic[_T]):
    """Work that goes on after the reply.

    Parameters
    ----------
    view
        Reads how it stands.
    has_ended
        Says whether it has ended.
    location
        Path of the call that reads how it stands, below the table's.
    """

    def __init__(
        self, view: Callable[[], _T], has_ended: Callable[[], bool], location: str
    ) -> None:
        self.view = view
        self.has_ended = has_ended
        self.location = location


class Wait(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long a call that starts something waits for its end before it answers."""

    wait: Annotated[
        float,
        Meta(ge=0, le=MAX_WAIT_S, description="Seconds to wait for the end before the answer."),
    ] = 0.0


class FileBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of bodies that may be a file: sent as it is, in a form, or before as an upload."""

    upload: Annotated[
        str, Meta(pattern="^[0-9a-f]{32}$", description="Id of a file that was uploaded before.")
    ]


class Route(Struct, frozen=True, kw_only=True):
    """One call.

    Attributes
    ----------
    path
        Template of its path below the table's, such as ``/datasets/{dataset_id}``.
    name
        Of the call; unique in the table.
    query, body
        What it takes, ``None`` for nothing.
    result
        What it gives; ``None`` for nothing.
    status
        Of an answer when all went well.
    """

    verb: Verb
    path: str
    name: str
    tag: str
    summary: str
    description: str
    function: Callable[..., Any] | None
    """Answers it; ``None`` where something else does."""
    query: type[Struct] | None
    body: Any
    body_required: bool
    result: Any
    status: int
    max_bytes: int
    media_types: tuple[str, ...] = ()
    """Of the files that it gives."""

    @property
    def path_names(self) -> tuple[str, ...]:
        """Names in its path, in order."""
        return tuple(_PATH_NAME.findall(self.path))

    @property
    def takes_file(self) -> bool:
        """Whether its body may be a file."""
        return inspect.isclass(self.body) and issubclass(self.body, FileBody)

    @property
    def is_underway(self) -> bool:
        """Whether it starts something that goes on after the answer."""
        return typing.get_origin(self.result) is Underway

    @property
    def result_type(self) -> Any:
        """Type of the JSON of an answer."""
        return typing.get_args(self.result)[0] if self.is_underway else self.result

    @property
    def asks_wait(self) -> bool:
        """Whether it can be told to wait."""
        return self.query is not None and "wait" in self.query.__struct_fields__


class Routes:
    """Calls of one subject."""

    def __init__(self, tag: str) -> None:
        self._tag = tag
        self.found: list[Route] = []

    def add(
        self,
        verb: Verb,
        path: str,
        *,
        status: int | None = None,
        max_bytes: int = MAX_BODY_BYTES,
        media_types: tuple[str, ...] = (),
    ) -> Callable[[_F], _F]:
        """Make a function a call.

        Its first parameter is the workspace; ``query`` and ``body`` are what they are called, all
        others stand in the path. Its docstring is the call's description.

        Parameters
        ----------
        verb, path
            Where it is called.
        status
            Of an answer when all went well; by default 200, 202 for what goes on after the answer,
            204 for nothing.
        max_bytes
            Largest body.
        media_types
            Of the files that it gives.
        """

        def register(function: _F) -> _F:
            route = _route(verb, path, function, self._tag, status, max_bytes)
            self.found.append(msgspec.structs.replace(route, media_types=media_types))
            return function

        return register

    def describe(
        self,
        verb: Verb,
        path: str,
        name: str,
        summary: str,
        *,
        query: type[Struct] | None = None,
        body: Any = None,
        result: Any,
        status: int = 200,
    ) -> None:
        """Put a call into the document that something else answers."""
        self.found.append(
            Route(
                verb=verb,
                path=path,
                name=name,
                tag=self._tag,
                summary=summary,
                description="",
                function=None,
                query=query,
                body=body,
                body_required=body is not None,
                result=result,
                status=status,
                max_bytes=MAX_BODY_BYTES,
            )
        )


def _route(
    verb: Verb,
    path: str,
    function: Callable[..., Any],
    tag: str,
    status: int | None,
    max_bytes: int,
) -> Route:
    hints = typing.get_type_hints(function, include_extras=True)
    result = hints["return"]
    underway = typing.get_origin(result) is Underway
    query = hints.get("query")
    if query is None and underway:
        query = Wait
    parameters = inspect.signature(function).parameters
    optional = "body" in parameters and parameters["body"].default is not inspect.Parameter.empty
    name = function.__name__
    summary, _, description = inspect.cleandoc(function.__doc__ or "").partition("\n\n")
    expected = list(_PATH_NAME.findall(path))
    given = [key for key in list(parameters)[1:] if key not in {"query", "body"}]
    if given != expected:
        raise TypeError(f"{name} takes {given}, but its path {path} has {expected}.")
    if status is None:
        status = 204 if result is type(None) else 202 if underway else 200
    return Route(
        verb=verb,
        path=path,
        name=name,
        tag=tag,
        summary=" ".join(summary.split()),
        description=description,
        function=function,
        query=query,
        body=hints.get("body"),
        body_required="body" in hints and not optional,
        result=None if result is type(None) else result,
        status=status,
        max_bytes=max_bytes,
    )
