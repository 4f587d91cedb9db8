r"""A real server on this machine that speaks the OpenAI protocol. What answers is no model.

In a thread of this process::

    with OpenAIServer(latency_ms=50, faults={"429": 0.05}) as server:
        client = openai.OpenAI(base_url=server.base_url, api_key="none")
        server.script(lambda request: f"You said {request.question}")
        server.queue("500", "429")          # the next two requests go wrong
        ...
        [one.body for one in server.requests if one.paid]

As a process of its own, which ends with the one that started it (see
`rft_widgets.testing.process.server_process`)::

    python -m rft_widgets.testing.openai_server --port 0 --latency-ms 50 \
        --faults '{"429": 0.05, "500": 0.02}' --log requests.jsonl

The first line that it prints is ``{"base_url": ..., "pid": ...}``. Answers come from small scripts
(`rft_widgets.testing.scripts`) that look at the form of a request, and follow from the seed.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import msgspec

from rft_widgets.errors import InvalidArgument, RftError
from rft_widgets.testing.application import Application
from rft_widgets.testing.chat import Answer, ChatRequest, Script, ToolCall
from rft_widgets.testing.faults import FAULTS, Faults
from rft_widgets.testing.request_log import LoggedRequest, RequestLog
from rft_widgets.testing.tuning_dialects import DIALECTS, checked_dialect
from rft_widgets.testing.wire import Connection
from rft_widgets.web import url_of

__all__ = ["FAULTS", "Answer", "ChatRequest", "LoggedRequest", "OpenAIServer", "Script", "ToolCall"]

HOST = "127.0.0.1"
_BACKLOG = 1024

T = TypeVar("T")


class OpenAIServer:
    """The server, in a thread of this process while it is entered.

    Parameters
    ----------
    port
        0 for a free one.
    latency_ms
        Between a request and its answer.
    seed
        Another seed gives other answers and faults.
    faults
        Shares of the chat completions and embeddings that go wrong, by the name of the fault; see
        `rft_widgets.testing.faults.FaultName`.
    retry_after_s
        What a 429 asks to wait.
    key
        The key that every request must bring; ``None`` takes any and none.
    models
        The models there are and the day (YYYY-MM-DD) of their end, if any; others are unknown.
        ``None``: any name is answered, as ``scripted-stand-in``.
    log
        File that gets a line of JSON for each request, before its answer goes out.
    dialect
        Whose fine-tuning it stands for: ``openai``, ``azure`` or ``bedrock``.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        latency_ms: float = 0.0,
        seed: int = 0,
        faults: Mapping[str, float] | None = None,
        retry_after_s: float = 1.0,
        key: str | None = None,
        models: Mapping[str, str | None] | None = None,
        log: str | Path | None = None,
        dialect: str = "openai",
    ) -> None:
        wrong = Faults(faults or {}, seed=seed, retry_after_s=retry_after_s)
        self._log = RequestLog(Path(log) if log else None)
        self.app = Application(
            latency_s=latency_ms / 1000, seed=seed, faults=wrong, key=key, models=models,
            log=self._log, dialect=checked_dialect(dialect),
        )  # fmt: skip
        self._port = port
        self._thread = threading.Thread(target=self._serve, name="stand-in", daemon=True)
        self._socket: socket.socket
        self._loop: asyncio.AbstractEventLoop
        self._stop = asyncio.Event()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Listen; `base_url` is known from now on."""
        self._socket = socket.create_server((HOST, self._port), backlog=_BACKLOG)
        self._port = self._socket.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        self._thread.start()

    def stop(self) -> None:
        """Cut all connections and end."""
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._log.close()

    @property
    def base_url(self) -> str:
        """Where it is, up to ``/v1``; at Azure's up to ``/openai/v1``."""
        return f"{url_of(HOST, self._port)}{self.app.prefix}"

    @property
    def requests(self) -> tuple[LoggedRequest, ...]:
        """Every request so far, in the order in which they came."""
        return self._log.requests

    @property
    def paid(self) -> tuple[LoggedRequest, ...]:
        """Those that a service would want money for."""
        return tuple(one for one in self.requests if one.paid)

    @property
    def in_flight(self) -> int:
        """Requests that wait for their answer."""
        return self.app.in_flight

    @property
    def most_in_flight(self) -> int:
        """The most that ever waited at once."""
        return self.app.most_in_flight

    def script(self, script: Script) -> None:
        """Have a function answer chat completions; what it gives ``None`` for, the others do.

        It runs in the server's thread, one request at a time: to have an answer late, give an
        `Answer` with ``after_s``, or `hold`.
        """
        self.app.scripts.append(script)

    def queue(self, *faults: str, path: str = "", times: int = 1) -> None:
        """Have the next requests go wrong, one each; of those whose path ends with ``path``."""
        self._do(lambda: self.app.faults.queue(*faults, path=path, times=times))

    def happens(self, what: str, words: str) -> None:
        """Have the newest fine-tuning job stopped by the service itself.

        ``what`` is ``pause``, as at a limit of money, ``fail`` or ``cancel``; ``words`` is what the
        service says.
        """
        self._do(lambda: self.app.tuning.happens(what, words))

    def set_faults(self, rates: Mapping[str, float]) -> None:
        """Have shares of the requests go wrong from now on."""
        self._do(lambda: self.app.faults.set_rates(rates))

    def forget_requests(self) -> None:
        """Begin the log in memory anew."""
        self._log.clear()

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Answer nothing within the block; requests come in and wait."""
        self._do(self.app.hold)
        try:
            yield
        finally:
            self._do(self.app.release)

    def wait_for(self, n: int, timeout_s: float = 20.0) -> None:
        """Wait until ``n`` requests have come in all.

        Raises
        ------
        RftError
            There are fewer after the time.
        """
        until = time.monotonic() + timeout_s
        while len(self._log) < n:
            if time.monotonic() > until:
                raise RftError(f"{len(self._log)} of {n} requests came in {timeout_s:g} s.")
            time.sleep(0.005)

    def _do(self, work: Callable[[], T]) -> T:
        """Do something in the server's thread."""

        async def done() -> T:
            return work()

        return asyncio.run_coroutine_threadsafe(done(), self._loop).result()

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        with contextlib.closing(self._loop):
            self._loop.run_until_complete(self._listen())

    async def _listen(self) -> None:
        connections: set[Connection] = set()
        server = await self._loop.create_server(
            lambda: Connection(self.app, connections), sock=self._socket, backlog=_BACKLOG
        )
        await self._stop.wait()
        server.close()
        for one in tuple(connections):
            one.abort()
        await server.wait_closed()
        await asyncio.sleep(0)  # connections hear of their end


def main(arguments: list[str] | None = None) -> int:
    """Serve until the process that started this one ends, SIGTERM or Ctrl-C."""
    options = _parser().parse_args(arguments)
    key = os.environ.get(options.key_env) if options.key_env else None
    if options.key_env and not key:
        sys.stderr.write(f"The environment variable {options.key_env} is not set.\n")
        return 2
    try:
        server = OpenAIServer(
            port=options.port,
            latency_ms=options.latency_ms,
            seed=options.seed,
            faults=msgspec.json.decode(options.faults, type=dict[str, float]),
            retry_after_s=options.retry_after_s,
            key=key,
            models=msgspec.json.decode(options.models, type=dict[str, str | None] | None),
            log=options.log,
            dialect=options.dialect,
        )
        server.start()
    except (InvalidArgument, msgspec.DecodeError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    hello = {"base_url": server.base_url, "pid": os.getpid()}
    sys.stdout.write(f"{msgspec.json.encode(hello).decode()}\n")
    sys.stdout.flush()
    if options.with_parent:
        threading.Thread(target=_outlive_nobody, args=(ended,), daemon=True).start()
    ended.wait()
    server.stop()
    return 0


def _outlive_nobody(ended: threading.Event) -> None:
    """End when the process that holds the other end of the input has ended, however it did."""
    while os.read(0, 4096):
        pass
    ended.set()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m rft_widgets.testing.openai_server",
        description="A scripted stand-in for an OpenAI-compatible service. It is no model.",
        allow_abbrev=False,
    )
    parser.add_argument("--port", type=int, default=0, help="default: a free one")
    parser.add_argument("--latency-ms", type=float, default=0.0, metavar="MS")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--faults", default="{}", metavar="JSON", help="shares by name: " + ", ".join(FAULTS)
    )
    parser.add_argument("--retry-after-s", type=float, default=1.0, metavar="S", help="of a 429")
    parser.add_argument("--models", default="null", metavar="JSON", help="name: day of its end")
    parser.add_argument("--dialect", default="openai", choices=DIALECTS, help="of fine-tuning")
    parser.add_argument("--key-env", metavar="NAME", help="variable with the key that must come")
    parser.add_argument("--log", type=Path, metavar="FILE", help="a line of JSON for each request")
    parser.add_argument(
        "--with-parent", action="store_true", help="end when the standard input does"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
