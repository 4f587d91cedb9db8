"""Endpoints that outlive the page: what is served is what the store wants served."""

from __future__ import annotations

import logging
import threading
import time

from rft_widgets.dataset.deployment import Deployment
from rft_widgets.errors import RftError, ServingFailed
from rft_widgets.serving.server import Server
from rft_widgets.serving.tokens import endpoint_token
from rft_widgets.store import served
from rft_widgets.store.connection import Store
from rft_widgets.store.served import ServedRow

_log = logging.getLogger("rft_widgets.serving")

_BEAT_S = 2.0
_LOOK_S = 0.2
_PORT_WAIT_S = 3.0
"""How long the port from before may be taken; what held it may be about to end."""
_RETRY_S = (1.0, 2.0, 5.0, 15.0, 60.0)
"""Waits after one, two, three... failures in a row."""


class Endpoints:
    """Serves the deployments that are wanted, and says in the store how each of them stands.

    Parameters
    ----------
    store
        Where the deployments are.
    owner
        Who this worker is.
    is_alone
        Whether there is no other worker: what another one had is then taken up at once.
    """

    def __init__(self, store: Store, owner: str, *, is_alone: bool = True) -> None:
        self._store = store
        self._owner = owner
        self._is_alone = is_alone
        self._running: dict[str, _Endpoint] = {}
        self._ending: list[_Endpoint] = []
        self._told = 0.0

    def tick(self) -> None:
        """Start and stop what has to be; nothing in here takes long."""
        with self._store.read() as connection:
            rows = {row.deployment_id: row for row in served.wanted(connection)}
        for deployment_id, endpoint in list(self._running.items()):
            row = rows.get(deployment_id)
            if row is None or row.asked_us != endpoint.row.asked_us or row.owner != self._owner:
                endpoint.stop()
                self._ending.append(self._running.pop(deployment_id))
        self._ending = [endpoint for endpoint in self._ending if endpoint.is_alive()]
        still = {endpoint.row.deployment_id for endpoint in self._ending}
        for deployment_id, row in rows.items():
            if deployment_id in self._running or deployment_id in still:
                continue  # one that is asked for anew starts when its former server has ended
            if served.claim(self._store, row, self._owner, is_alone=self._is_alone):
                endpoint = self._running[deployment_id] = _Endpoint(self._store, self._owner, row)
                endpoint.start()
        now = time.monotonic()
        if self._running and now - self._told >= _BEAT_S:
            self._told = now
            served.beat(self._store, self._owner)

    def close(self) -> None:
        """Stop every server; answers that were begun may end, as long as a server's grace is."""
        endpoints = [*self._running.values(), *self._ending]
        self._running, self._ending = {}, []
        for endpoint in endpoints:
            endpoint.stop()
        if endpoints:
            served.release(self._store, self._owner)
        for endpoint in endpoints:
            endpoint.join()


class _Endpoint(threading.Thread):
    """One deployment, served until it is stopped; what fails is tried again."""

    def __init__(self, store: Store, owner: str, row: ServedRow) -> None:
        super().__init__(name=f"rft-endpoint-{row.deployment_id}", daemon=True)
        self.row = row
        self._store = store
        self._owner = owner
        self._ends = threading.Event()
        self._port = row.port

    def stop(self) -> None:
        """Ask it to end; `join` waits for that."""
        self._ends.set()

    def run(self) -> None:
        """Serve."""
        failures = 0
        while not self._ends.is_set():
            began = time.monotonic()
            try:
                self._serve()
            except Exception as error:  # noqa: BLE001 - whatever it is, the other endpoints go on
                if isinstance(error, RftError):
                    said = str(error)
                    _log.warning("Deployment %s is not served: %s", self.row.deployment_id, said)
                else:
                    said = f"It failed with {type(error).__name__}; the worker's log says where."
                    _log.exception("Deployment %s is not served.", self.row.deployment_id)
                failures = failures + 1 if time.monotonic() - began < _RETRY_S[-1] else 1
                served.failed(self._store, self.row, self._owner, said)
                self._ends.wait(_RETRY_S[min(failures, len(_RETRY_S)) - 1])

    def _serve(self) -> None:
        server, said = self._open()
        try:
            self._port = server.port
            if not served.ready(self._store, self.row, self._owner, port=server.port, said=said):
                self._ends.set()  # nobody wants it any more
            _log.info("Deployment %s is served at %s.", self.row.deployment_id, server.url)
            while server.is_answering and not self._ends.wait(_LOOK_S):
                pass
        finally:
            server.stop()
        if not self._ends.is_set():
            raise ServingFailed("The server ended by itself.", hint="It is started again.")

    def _open(self) -> tuple[Server, str]:
        """A server at work, at the port from before if that can be had, and what is different."""
        row = self.row
        deployment = Deployment(self._store, row.deployment_id)
        token = endpoint_token(self._store.side_folder, row.deployment_id)
        server = deployment.make_server(
            host=row.host,
            port=self._port or row.asked_port,
            token=token,
            cancelled=self._ends.is_set,
        )
        try:
            return self._begin(server)
        except BaseException:
            server.stop()
            raise

    def _begin(self, server: Server) -> tuple[Server, str]:
        give_up = time.monotonic() + _PORT_WAIT_S
        while True:
            try:
                server.start()
            except ServingFailed:
                if not self._port:
                    raise
                if time.monotonic() > give_up:
                    break
                if self._ends.wait(_LOOK_S):
                    raise
            else:
                return server, server.said
        other = Server(
            server.app,
            host=server.host,
            on_stop=server.on_stop,
            said=server.said,
            is_fit=server.is_fit,
        )
        other.start()
        moved = f"Port {self._port} was taken, so the address is another one than before."
        return other, f"{moved} {server.said}".strip()
