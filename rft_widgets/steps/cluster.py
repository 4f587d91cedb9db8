"""Work on batches, spread over the machines of a Ray cluster where one is given.

What comes of it is what this machine would have made of it, in the same order: whoever asks need
not know where it was done. Without a cluster, and for work too small to be worth the way, it is
done here.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import chain, islice
from typing import Any, TypeVar

from rft_widgets.errors import ClusterUnavailable, ExtraRequired, InvalidArgument, RftError

Common = TypeVar("Common")
Batch = TypeVar("Batch")
Result = TypeVar("Result")

ADDRESS_VARIABLE = "RFT_WIDGETS_RAY_ADDRESS"
"""Environment variable with the address of a cluster, for every process that has it."""

_LEAST_BATCHES = 4
"""Fewer are done here: to send them would take longer."""
_AHEAD = 2
"""Batches a processor of the cluster has at hand, so that none waits for the next."""
_PATIENCE_S = 900.0
"""A batch that takes longer than this has nobody who works on it."""
_TRIES = 3
"""Times that a batch is given to another node when the one that has it is lost."""

_chosen: ContextVar[str | None] = ContextVar("rft_widgets_cluster", default=None)
_lock = threading.Lock()
_connected = ""
_inside = 0


@contextmanager
def cluster(address: str) -> Iterator[None]:
    """Spread what is done inside, in this thread, over a Ray cluster.

    The connection is made when it is first needed, and given up with the last ``with``.

    Parameters
    ----------
    address
        Where it takes clients, such as ``ray://10.0.0.7:10001``; ``""`` for none, whatever the
        environment says.

    Raises
    ------
    InvalidArgument
        It is no such address.
    """
    global _inside  # noqa: PLW0603 - a process has one connection
    token = _chosen.set(_checked(address))
    with _lock:
        _inside += 1
    try:
        yield
    finally:
        _chosen.reset(token)
        with _lock:
            _inside -= 1
            if not _inside and _connected != os.environ.get(ADDRESS_VARIABLE, ""):
                _disconnect()


def cluster_address() -> str:
    """Address of the cluster that work is spread over now; empty where there is none.

    Raises
    ------
    InvalidArgument
        ``RFT_WIDGETS_RAY_ADDRESS`` is no address for clients.
    """
    chosen = _chosen.get()
    return _checked(os.environ.get(ADDRESS_VARIABLE, "")) if chosen is None else chosen


def map_batches(
    work: Callable[[Common, Batch], Result],
    common: Common,
    batches: Iterable[Batch],
    *,
    here: Callable[[Batch], Result] | None = None,
) -> Iterator[Result]:
    """Give what ``work`` makes of each batch, in their order.

    Parameters
    ----------
    work
        A function of a module, which every node finds where this process does. A batch whose node
        is lost is done again on another, so it may be called twice for one.
    common
        What it needs beside each batch; sent once.
    batches
        Read a little ahead, never as a whole.
    here
        Does the same on this machine with what it has at hand.

    Raises
    ------
    ClusterUnavailable
        The cluster cannot be used, or was lost.
    RftError
        Whatever the work raises, in the place of its batch.
    """
    source = iter(batches)
    address = cluster_address()
    first = list(islice(source, _LEAST_BATCHES)) if address else []
    if len(first) < _LEAST_BATCHES:
        for batch in chain(first, source):
            yield work(common, batch) if here is None else here(batch)
        return
    yield from _map_there(address, work, common, chain(first, source))


def _map_there(
    address: str,
    work: Callable[[Common, Batch], Result],
    common: Common,
    batches: Iterator[Batch],
) -> Iterator[Result]:
    ray = _connect(address)
    waiting: deque[Any] = deque()
    with _in_words(ray, address):
        here = importlib.metadata.version("rft-widgets")
        remote = ray.remote(max_retries=_TRIES)(_do)
        shared = ray.put((here, work, common))
        room = max(2, _AHEAD * int(ray.cluster_resources().get("CPU", 1)))
    try:
        while True:
            for batch in islice(batches, room - len(waiting)):
                with _in_words(ray, address):
                    waiting.append(remote.remote(shared, ray.put(batch)))
            if not waiting:
                return
            with _in_words(ray, address):
                result = ray.get(waiting[0], timeout=_PATIENCE_S)
            waiting.popleft()
            yield result
    finally:
        for one in waiting:  # nobody waits for these any more
            with _in_words(ray, address):
                ray.cancel(one)


def _do(shared: tuple[str, Callable[[Common, Batch], Result], Common], batch: Batch) -> Result:
    """Work on a batch, on a node."""
    wanted, work, common = shared
    here = importlib.metadata.version("rft-widgets")
    if here != wanted:
        raise ClusterUnavailable(
            f"The node {platform.node()} has rft-widgets {here}, this machine has {wanted}.",
            hint="Install the same version on every node.",
        )
    return work(common, batch)


def _connect(address: str) -> Any:
    """Connect this process, unless it is; the module ``ray``."""
    global _connected  # noqa: PLW0603 - a process has one connection
    try:
        import ray  # noqa: PLC0415 - heavy, and an extra
    except ImportError as error:
        raise ExtraRequired(
            "To spread work over a cluster takes Ray, which is not installed.",
            hint="Install it with: pip install 'rft-widgets[ray]'",
        ) from error
    with _lock:
        if ray.is_initialized() and _connected in ("", address):
            return ray  # ours, or one that somebody connected to before
        _disconnect()
        with _in_words(ray, address):
            ray.init(address, log_to_driver=False, logging_level="ERROR")
        _connected = address
    return ray


def _disconnect() -> None:
    global _connected  # noqa: PLW0603
    if _connected:
        import ray  # noqa: PLC0415

        ray.shutdown()
        _connected = ""


@contextmanager
def _in_words(ray: Any, address: str) -> Iterator[None]:
    """Turn what Ray raises into what the work raised there, or into an error of ours."""
    try:
        yield
    except RftError:
        raise
    except ray.exceptions.GetTimeoutError:
        raise ClusterUnavailable(
            f"The Ray cluster at {address} did not finish a piece of work in {_PATIENCE_S:,.0f} s.",
            hint="See in its dashboard whether it has processors that are free.",
        ) from None
    except ray.exceptions.RayTaskError as error:
        cause = getattr(error, "cause", None)
        if isinstance(cause, RftError):
            raise cause from None
        raise ClusterUnavailable(
            f"Work on the Ray cluster at {address} failed: {_last_line(error)}.",
            hint="Its nodes need the same rft-widgets and Python as this machine.",
        ) from error
    except (ray.exceptions.RayError, OSError, RuntimeError, ValueError) as error:
        raise ClusterUnavailable(
            f"The Ray cluster at {address} cannot be used: {_last_line(error)}.",
            hint=f"Start it, or take {ADDRESS_VARIABLE} away to work on this machine alone.",
        ) from error


def _last_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[-1] if lines else type(error).__name__).rstrip(".")[:300]


def _checked(address: str) -> str:
    # Ray ends a process that is a member of a cluster when the cluster is lost; a client's it
    # leaves alone.
    if address and not address.startswith("ray://"):
        raise InvalidArgument(
            f"{address!r} is no address of a Ray cluster that takes clients.",
            hint="It is like ray://HOST:10001.",
        )
    return address
