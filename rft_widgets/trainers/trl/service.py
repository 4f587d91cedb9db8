"""The job's rewarder for the program that trains, which runs in a process of its own.

So judges stand in the ledger, scripts are confined and limits of cost hold, whatever trains.
"""

from __future__ import annotations

import contextlib
import hmac
import os
import secrets
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec
from msgspec import Struct

from rft_widgets.errors import RftError, RunInterrupted
from rft_widgets.graders.sample import item_of, sample_of
from rft_widgets.model.message import MessageShapeError, message_from_json
from rft_widgets.model.record import Record
from rft_widgets.trainers.base import Rewarder
from rft_widgets.trainers.program.rft_training.places import SERVICE

_MOST_BYTES = 512 * 1024**2


class _Asked(Struct):
    records: list[str]
    answers: list[dict[str, Any]]


class RewardService:
    """Listens on this machine, for whoever holds the token that stands in the folder of the run.

    Parameters
    ----------
    folder
        Of the run; `control/grader.json` in it says where to ask.
    records
        Those that answers may be given to.
    rewarder
        What gives rewards; it is asked by one thread at a time.
    is_wanted_stop
        Asked when the rewarder was interrupted: whether the run is to stop. Else whoever asked
        should wait for somebody else to grade.
    host
        Where to listen; elsewhere than on this machine for programs on others.
    """

    def __init__(
        self,
        folder: Path,
        records: Sequence[Record],
        rewarder: Rewarder,
        *,
        is_wanted_stop: Callable[[], bool],
        host: str = "127.0.0.1",
    ) -> None:
        self._folder = folder
        self._records: Mapping[str, Record] = {record.id: record for record in records}
        self._rewarder = rewarder
        self._is_wanted_stop = is_wanted_stop
        self._lock = threading.Lock()
        self._connections: set[socket.socket] = set()
        self._token = secrets.token_urlsafe(32)
        self.failure: Exception | None = None
        self.gradings = 0
        self._server = ThreadingHTTPServer((host, 0), self._handler())
        self._server.daemon_threads = True

    def __enter__(self) -> Self:
        threading.Thread(
            target=self._server.serve_forever, args=(0.1,), name="rft-rewards", daemon=True
        ).start()
        self._write_address()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        for connection in tuple(self._connections):  # what is kept open would be answered on
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def withdraw(self) -> None:
        """Nobody grades this run from here any more, and nobody should wait for that."""
        path = self._folder / SERVICE
        with contextlib.suppress(FileNotFoundError):
            if self._token.encode() in path.read_bytes():
                path.unlink()

    def rewards(self, pairs: Sequence[Any]) -> Sequence[float | None]:
        """Ask the rewarder, one at a time: it is the `Rewarder` of whoever measures meanwhile."""
        with self._lock:
            return self._rewarder(pairs)

    def _write_address(self) -> None:
        host, port = self._server.server_address[:2]
        value = msgspec.json.encode({"host": host, "port": port, "token": self._token})
        path = self._folder / SERVICE
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}")
        draft.unlink(missing_ok=True)
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:  # noqa: PTH123 - a descriptor
            file.write(value)
        draft.replace(path)

    def _answer(self, body: bytes) -> tuple[HTTPStatus, bytes]:
        try:
            asked = msgspec.json.decode(body, type=_Asked)
            items = {one: item_of(self._records[one]) for one in set(asked.records)}
            pairs = [
                (sample_of(self._records[one].input, [message_from_json(answer)]), items[one])
                for one, answer in zip(asked.records, asked.answers, strict=True)
            ]
        except (msgspec.MsgspecError, MessageShapeError, KeyError, ValueError) as error:
            self.failure = RftError(f"The training asked for rewards in a wrong way: {error}.")
            return HTTPStatus.BAD_REQUEST, b""
        try:
            rewards = list(self.rewards(pairs))
        except RunInterrupted:
            is_wanted = self._is_wanted_stop()
            return HTTPStatus.CONFLICT if is_wanted else HTTPStatus.SERVICE_UNAVAILABLE, b""
        except Exception as error:  # noqa: BLE001 - whoever follows the run raises it
            self.failure = error
            return HTTPStatus.SERVICE_UNAVAILABLE, b""
        self.gradings += len(rewards)
        return HTTPStatus.OK, msgspec.json.encode(rewards)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        service = self
        expected = f"Bearer {self._token}".encode()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def setup(self) -> None:
                super().setup()
                service._connections.add(self.connection)

            def finish(self) -> None:
                service._connections.discard(self.connection)
                super().finish()

            def do_POST(self) -> None:
                given = self.headers.get("Authorization", "").encode()
                length = int(self.headers.get("Content-Length", "0"))
                if not hmac.compare_digest(given, expected) or length > _MOST_BYTES:
                    self.close_connection = True
                    self._send(HTTPStatus.FORBIDDEN, b"")
                    return
                self._send(*service._answer(self.rfile.read(length)))

            def _send(self, status: HTTPStatus, body: bytes) -> None:
                with contextlib.suppress(ConnectionError):  # who asked was killed meanwhile
                    self.send_response(status)
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Say nothing: there is a request a step."""

        return Handler
