"""Calls from the page: typed parameters, a reply or an error as a value, cancellation, events.

On the wire, in both languages::

    page -> kernel  {kind: "rft:call", id, method, params}   {kind: "rft:cancel", id}
    kernel -> page  {kind: "rft:result", id, ok: true, value}, or the value's JSON as a buffer,
                    or with {raw: true} the buffer itself, where a method returns bytes
                    {kind: "rft:result", id, ok: false, error: {code, message, hint}}
                    {kind: "rft:event", topic, seq, data}
"""

from __future__ import annotations

import inspect
import logging
import threading
import typing
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import msgspec
from msgspec import Struct

from rft_widgets.errors import RftError
from rft_widgets.model.problem import Problem, problem_of
from rft_widgets.widgets.traits import Guarded

logger = logging.getLogger(__name__)

MAX_CALL_BYTES = 64 * 1024
"""Largest call, unless its method asks for more."""
MAX_AT_WORK = 4
"""Calls of one widget that may be at work beside the channel."""
MAX_DATA_BYTES = 5 * 1024 * 1024
"""Largest buffer beside a call: the browser's socket ends with a message of 10 MiB."""
CANCELLED = "cancelled"
"""Name of the parameter that is no part of the wire: asks whether the page wants no answer."""
DATA = "data"
"""Name of the parameter that gets the bytes beside a call, as ``bytes``."""

_P = ParamSpec("_P")
_R = TypeVar("_R")

_MARK = "__rft_method__"
_Id = typing.Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
_Name = typing.Annotated[str, msgspec.Meta(max_length=64)]


class Method(Struct, frozen=True):
    """A method that the page may call."""

    name: str
    params: type[Struct]
    result: Any
    background: bool
    max_bytes: int
    packed: bool
    extras: frozenset[str]
    """Which of `CANCELLED` and `DATA` it asks for."""


class _Call(Struct, frozen=True, tag_field="kind", tag="rft:call", forbid_unknown_fields=True):
    id: _Id
    method: _Name
    params: dict[str, Any] = {}


class _Cancel(Struct, frozen=True, tag_field="kind", tag="rft:cancel", forbid_unknown_fields=True):
    id: _Id


def method(
    *, background: bool = False, max_bytes: int = MAX_CALL_BYTES, packed: bool = False
) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
    """Let the page call a method of a widget; parameters and result follow its annotations.

    Parameters
    ----------
    background
        Run it in a thread of its own. Without, it runs where the messages come in and holds up the
        next one: such a method reads, notes and returns.
    max_bytes
        Largest call, as JSON.
    packed
        Send the result as a buffer: right for pages of records and the like, which would else be
        turned into JSON twice.

    A parameter ``cancelled`` is given a function that tells whether the page still wants the
    answer; a parameter ``data`` the bytes that came beside the call.
    """

    def mark(function: Callable[_P, _R]) -> Callable[_P, _R]:
        setattr(function, _MARK, (background, max_bytes, packed))
        return function

    return mark


def methods_of(widget_class: type) -> dict[str, Method]:
    """Everything that a page may call of a class, by name."""
    found: dict[str, Method] = {}
    for name in sorted(dir(widget_class)):
        function = inspect.getattr_static(widget_class, name, None)
        options = getattr(function, _MARK, None)
        if options is None or not inspect.isfunction(function):
            continue
        hints = typing.get_type_hints(function, include_extras=True)
        fields: list[Any] = []
        extras = set()
        for parameter in list(inspect.signature(function).parameters.values())[1:]:
            if parameter.name in {CANCELLED, DATA}:
                extras.add(parameter.name)
                continue
            given = (parameter.name, hints[parameter.name])
            has_default = parameter.default is not parameter.empty
            fields.append((*given, parameter.default) if has_default else given)
        params = msgspec.defstruct(
            f"{name}_params", fields, frozen=True, kw_only=True, forbid_unknown_fields=True
        )
        result = hints.get("return", type(None))
        background, max_bytes, packed = options
        found[name] = Method(name, params, result, background, max_bytes, packed, frozenset(extras))
    return found


class Answers(Guarded):
    """A widget that answers the page's calls. Its handlers may run in any thread."""

    _methods: typing.ClassVar[dict[str, Method]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._methods = methods_of(cls)

    def __init__(self, **values: Any) -> None:
        self._seq = 0
        self._at_work: dict[str, threading.Event] = {}
        super().__init__(**values)
        self.on_msg(_receive)

    def open(self) -> None:
        """Open the comm; calls are handled in the thread that the page sends them to.

        From 7.4 on, ipykernel hands what comes over a comm to the thread that last sent something
        over it, so that this can wait for a reply. Here nobody waits for the page, and a cell that
        runs would hold up every view.
        """
        super().open()
        if hasattr(self.comm, _ROUTE):
            setattr(self.comm, _ROUTE, _as_the_page_asks)

    def emit(self, topic: str, data: Any = None) -> None:
        """Tell every view of an event. Events arrive in order, numbered from 1."""
        with self._lock:
            self._seq += 1
            self.send(
                {
                    "kind": "rft:event",
                    "topic": topic,
                    "seq": self._seq,
                    "data": msgspec.to_builtins(data),
                }
            )

    def _take(self, content: Any, buffers: Any) -> None:
        try:
            size = len(msgspec.json.encode(content))
            message = msgspec.convert(content, _Call | _Cancel)
        except (msgspec.MsgspecError, TypeError, ValueError, RecursionError):
            # Nobody who could be answered, or somebody who does not speak our language.
            logger.warning("%s got a message that is no call.", type(self).__name__)
            return
        if isinstance(message, _Cancel):
            event = self._at_work.get(message.id)
            if event is not None:
                event.set()
            return
        found = self._methods.get(message.method)
        if found is None:
            self._refuse(message, "unknown_method", "There is no such method.")
        elif size > found.max_bytes or not _takes(found, buffers):
            words = f"A call of {found.name} has at most {found.max_bytes:,} bytes."
            self._refuse(message, "too_large", words)
        else:
            try:
                params = msgspec.convert(message.params, found.params)
            except msgspec.ValidationError as error:
                self._refuse(message, "invalid_params", f"{found.name}: {error}")
                return
            self._start(message, found, params, b"".join(bytes(one) for one in buffers or ()))

    def _start(self, call: _Call, found: Method, params: Struct, data: bytes) -> None:
        if not found.background:
            self._answer(call, found, params, data, threading.Event())
            return
        with self._lock:
            if call.id in self._at_work or len(self._at_work) >= MAX_AT_WORK:
                refused = True
            else:
                refused = False
                self._at_work[call.id] = stop = threading.Event()
        if refused:
            words = "Too many calls are at work."
            self._refuse(call, "busy", words, "Wait for one of them.")
            return

        def work() -> None:
            try:
                self._answer(call, found, params, data, stop)
            finally:
                with self._lock:
                    self._at_work.pop(call.id, None)

        threading.Thread(target=work, name=f"rft-call-{found.name}", daemon=True).start()

    def _answer(
        self, call: _Call, found: Method, params: Struct, data: bytes, stop: threading.Event
    ) -> None:
        function = getattr(self, found.name)
        given = {name: getattr(params, name) for name in params.__struct_fields__}
        extras = {CANCELLED: stop.is_set, DATA: data}
        given |= {name: extras[name] for name in found.extras}
        buffers: list[bytes] | None = None
        raw: dict[str, Any] = {}
        value: Any = None
        try:
            if found.packed:
                buffers = [msgspec.json.encode(function(**given))]
            elif found.result is bytes:
                buffers, raw = [function(**given)], {"raw": True}
            else:
                value = msgspec.to_builtins(function(**given))
        except Exception as error:  # the page gets a reply, whatever happened
            if not isinstance(error, RftError):
                logger.exception("The call %s failed.", found.name)
            self._reply(call.id, {"ok": False, "error": msgspec.to_builtins(problem_of(error))})
            return
        if stop.is_set():
            self._refuse(call, "cancelled", "The call was cancelled.")
            return
        self._reply(call.id, {"ok": True, "value": value, **raw}, buffers)

    def _refuse(self, call: _Call, code: str, message: str, hint: str | None = None) -> None:
        problem = Problem(code=code, message=message, hint=hint)
        self._reply(call.id, {"ok": False, "error": msgspec.to_builtins(problem)})

    def _reply(
        self, call_id: str, body: dict[str, Any], buffers: list[bytes] | None = None
    ) -> None:
        with self._lock:
            self.send({"kind": "rft:result", "id": call_id, **body}, buffers)

    def close(self) -> None:
        """Close every view; calls at work are cancelled."""
        for stop in list(self._at_work.values()):
            stop.set()
        super().close()


def _takes(found: Method, buffers: Any) -> bool:
    if not buffers:
        return True
    size = sum(memoryview(one).nbytes for one in buffers)
    return DATA in found.extras and size <= MAX_DATA_BYTES


_ROUTE = "_reply_subshell_for"


def _as_the_page_asks(_message: Any, subshell_id: str | None) -> str | None:
    return subshell_id


def _receive(widget: Answers, content: Any, buffers: Any) -> None:
    widget._take(content, buffers)  # noqa: SLF001
