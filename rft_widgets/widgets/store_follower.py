"""Tells a view of each change of a store, whoever makes it, while somebody looks."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Hashable

from rft_widgets.store.connection import Store
from rft_widgets.store.pulse import Pulse

logger = logging.getLogger(__name__)

EVERY_S = 0.2
"""How often the store is asked whether it changed."""
ANYWAY_S = 5.0
"""How often the view is told without a change: work that fell silent is no longer at work."""


def follow(store: Store, listener: Callable[[], None]) -> Callable[[], None]:
    """Call ``listener`` now and after each change, in a thread of its own, until it is stopped.

    Returns
    -------
    What stops it.
    """
    stopped = threading.Event()
    arguments = (store, listener, stopped)
    threading.Thread(target=_run, args=arguments, name="rft-store-follower", daemon=True).start()
    return stopped.set


def _run(store: Store, listener: Callable[[], None], stopped: threading.Event) -> None:
    pulse = Pulse(store)
    last: Hashable = None
    quiet = 0.0
    try:
        while not stopped.is_set():
            try:
                # Read first: a change between the two is seen the next time.
                now = pulse.read()
                if now != last or quiet >= ANYWAY_S:
                    last, quiet = now, 0.0
                    listener()
            except Exception:  # the store may be away for a moment; who looks is told by its calls
                logger.exception("The store %s cannot be followed.", store.url)
                stopped.wait(ANYWAY_S)
            stopped.wait(EVERY_S)
            quiet += EVERY_S
    finally:
        pulse.close()
