"""A deployment that the worker serves, as the other processes see it."""

from __future__ import annotations

import time

from rft_widgets.errors import InvalidArgument, ServingFailed
from rft_widgets.model.served import ServedState
from rft_widgets.store import served
from rft_widgets.store.clock import now_us
from rft_widgets.store.connection import Store
from rft_widgets.store.served import ServedRow
from rft_widgets.web import is_loopback, url_of

NO_WORKER = "No worker is at work; `rft-widgets worker` starts one."
"""Why nothing happens."""

_POLL_S = 0.05


def state_of(row: ServedRow | None) -> ServedState:
    """Whether a deployment is served by the worker, as its row and the row's age tell it."""
    if row is None or not row.is_wanted:
        return ServedState(status="not_served")
    if row.is_silent:
        waits = now_us() - row.asked_us < served.SILENT_S * 1e6
        return ServedState(
            status="starting" if waits else "not_served",
            said="" if waits else NO_WORKER,
            by_worker=True,
        )
    if row.ready_at is not None:
        url = f"{url_of(row.host, row.port)}/v1"
        return ServedState(status="served", base_url=url, said=row.said, by_worker=True)
    if row.said:
        return ServedState(status="not_served", said=row.said, by_worker=True)
    return ServedState(status="starting", by_worker=True)


def ask(store: Store, deployment_id: str, *, host: str, port: int) -> None:
    """Have a deployment served by the worker; one that is so served already stays as it is.

    Raises
    ------
    InvalidArgument
        Other machines would reach it, or there is no such port.
    """
    if not is_loopback(host):
        raise InvalidArgument(
            f"Other machines would reach the endpoint on {host!r}.",
            hint="The worker serves this machine alone; `rft-widgets serve` has --allow-network.",
        )
    if not 0 <= port <= 65535:
        raise InvalidArgument(
            f"There is no port {port}.", hint="Use 1 to 65535, or 0 for a free one."
        )
    with store.read() as connection:
        row = served.read(connection, deployment_id)
    is_so = row is not None and row.host == host and port in (0, row.port)
    if not is_so or state_of(row).status != "served":
        served.want(store, deployment_id, host=host, port=port)


def wait(store: Store, deployment_id: str, timeout_s: float) -> None:
    """Wait until the worker serves a deployment.

    Raises
    ------
    ServingFailed
        Nobody does; the message says why.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        with store.read() as connection:
            state = state_of(served.read(connection, deployment_id))
        if state.status == "served":
            return
        if state.status == "not_served":
            raise ServingFailed(
                f"Deployment {deployment_id} is not served. {state.said}".strip(),
                hint="It will be as soon as that is mended." if state.by_worker else "Start it.",
            )
        if time.monotonic() > deadline:
            raise ServingFailed(
                f"Deployment {deployment_id} is not served after {timeout_s:g} s.",
                hint="It goes on to start; look again later.",
            )
        time.sleep(_POLL_S)
