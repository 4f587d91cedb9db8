"""Running an endpoint: on a thread beside a notebook, or in the foreground of a command."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from rft_widgets.errors import InvalidArgument, ServingFailed
from rft_widgets.serving.app import LOOPBACK_HOSTS, Endpoint
from rft_widgets.web import is_loopback, url_of

START_TIMEOUT_S = 10.0
"""Longest wait for the server to accept connections."""

_log = logging.getLogger("rft_widgets.serving")


class Server:
    """An endpoint on a port of this machine.

    It has a thread and an event loop of its own, so it can run inside a notebook. It can be
    started again after it was stopped.

    Parameters
    ----------
    app
        What is served.
    host, port
        Where to listen; port 0 is a free one.
    allow_network
        Whether ``host`` may be an address that other machines reach. The connection is not
        encrypted: put a proxy in front that is.
    grace_s
        How long answers that were begun may go on after `stop`.
    on_stop
        Called at the end of every `stop`: gives back what the arms answer with.
    said
        What is to be known of it, in words.
    is_fit
        Whether that which the arms answer with is at work.

    Raises
    ------
    InvalidArgument
        If other machines would reach it and that was not asked for, if they could not name it, or
        if there is no such port.
    """

    def __init__(
        self,
        app: Endpoint,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        allow_network: bool = False,
        grace_s: int = 10,
        on_stop: Callable[[], None] | None = None,
        said: str = "",
        is_fit: Callable[[], bool] | None = None,
    ) -> None:
        if not is_loopback(host):
            if not allow_network:
                raise InvalidArgument(
                    f"Other machines would reach the endpoint on {host!r}.",
                    hint="Use 127.0.0.1, or pass allow_network=True.",
                )
            if set(app.hosts) <= set(LOOPBACK_HOSTS):
                raise InvalidArgument(
                    "Other machines have no name for the endpoint that it would answer to.",
                    hint="Give the endpoint the names that clients use: hosts=['10.0.0.5'].",
                )
        if not 0 <= port <= 65535:
            raise InvalidArgument(
                f"There is no port {port}.", hint="Use 1 to 65535, or 0 for a free one."
            )
        self.app = app
        self.host = host
        self.grace_s = grace_s
        self.on_stop = on_stop
        self.said = said
        self.is_fit = is_fit
        self._wanted_port = port
        self._port = 0
        self._uvicorn: Any = None
        self._thread: threading.Thread | None = None

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

    @property
    def running(self) -> bool:
        """Whether it accepts connections."""
        return self._thread is not None and self._thread.is_alive()

    @property
    def is_answering(self) -> bool:
        """Whether it accepts connections, and can do something with them."""
        return self.running and (self.is_fit is None or self.is_fit())

    @property
    def port(self) -> int:
        """The port it listens on, once it has been started."""
        return self._port or self._wanted_port

    @property
    def url(self) -> str:
        """Where it is."""
        return url_of(self.host, self.port)

    @property
    def base_url(self) -> str:
        """What OpenAI clients are given."""
        return f"{self.url}/v1"

    def start(self) -> None:
        """Start on a thread; returns when connections are accepted.

        Raises
        ------
        ServingFailed
            If the address cannot be had, or the server does not start.
        """
        if self.running:
            return
        import uvicorn  # noqa: PLC0415 - slow to load

        listener = self._listen()
        self._port = listener.getsockname()[1]
        config = uvicorn.Config(
            self.app,
            # What may be installed beside it must not change how it behaves.
            loop="asyncio",
            http="h11",
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=self.grace_s,
        )
        self._uvicorn = server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=lambda: asyncio.run(server.serve(sockets=[listener])),
            name="rft-server",
            daemon=True,
        )
        self._thread.start()
        give_up = time.monotonic() + START_TIMEOUT_S
        while not server.started:
            if not self._thread.is_alive() or time.monotonic() > give_up:
                server.should_exit = True
                listener.close()
                raise ServingFailed(
                    f"The server on {self.url} did not start.", hint="The log says why."
                )
            time.sleep(0.005)

    def stop(self) -> None:
        """Stop: answers that were begun may end within the grace, then they are cut off."""
        thread = self._thread
        if thread is not None:
            self.app.refuse_new()
            self._uvicorn.should_exit = True
            thread.join(self.grace_s + 15)
            if thread.is_alive():
                _log.error("The server on %s does not stop; it is left alone.", self.url)
            self._thread = None
        if self.on_stop is not None:
            self.on_stop()

    def serve(self) -> None:
        """Serve until Ctrl-C or a SIGTERM, then stop; for the main thread of a command.

        Raises
        ------
        ServingFailed
            As `start`.
        """
        is_main = threading.current_thread() is threading.main_thread()
        before = signal.signal(signal.SIGTERM, signal.default_int_handler) if is_main else None
        try:
            self.start()
            while self.running:
                time.sleep(0.2)
        except KeyboardInterrupt:
            _log.info("The server on %s stops.", self.url)
        finally:
            if is_main:
                signal.signal(signal.SIGTERM, before)
            self.stop()

    def _listen(self) -> socket.socket:
        try:
            family, kind, protocol, _, address = socket.getaddrinfo(
                self.host, self._wanted_port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )[0]
            listener = socket.socket(family, kind, protocol)
        except OSError as error:
            raise self._not_had(error) from None
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(128)
        except OSError as error:
            listener.close()
            raise self._not_had(error) from None
        return listener

    def _not_had(self, error: Exception) -> ServingFailed:
        return ServingFailed(
            f"Cannot listen on {self.host}, port {self._wanted_port}: {error}.",
            hint="Choose another port, or 0 for a free one.",
        )
