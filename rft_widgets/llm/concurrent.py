"""Work on many pieces at a time whose results come in order."""

from __future__ import annotations

import contextvars
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

from rft_widgets.errors import RunInterrupted
from rft_widgets.model.call_settings import CALLS

T = TypeVar("T")
R = TypeVar("R")


def in_order(
    work: Callable[[T], R],
    items: Iterable[T],
    *,
    concurrency: int,
    cancelled: Callable[[], bool] = bool,
) -> Generator[R, None, None]:
    """Do work on each item, several at a time, and give the results in the order of the items.

    What a piece raises is raised in its place, after the results before it; nothing more is begun
    from the moment that it failed. A reader that stops early (close the generator) stops the work.

    Parameters
    ----------
    work
        Called in threads, in the context of whoever called this.
    items
        Read a little ahead, never as a whole, and in the thread that reads the results.
    concurrency
        How many at a time.
    cancelled
        Asked often; also while nothing comes.

    Raises
    ------
    RunInterrupted
        It was cancelled. What is under way is waited for: let ``work`` end soon then, as a
        `ModelClient` does that is given the same ``cancelled``.
    """
    source = iter(items)
    waiting: deque[Future[R]] = deque()
    failed, is_patient = False, True

    def begin(item: T) -> R:
        nonlocal failed
        try:
            return work(item)
        except BaseException:
            failed = True
            raise

    pool = ThreadPoolExecutor(concurrency, thread_name_prefix="rft-ask")
    try:
        while True:
            _stop_if(cancelled)
            if not failed:
                for item in islice(source, CALLS.read_ahead * concurrency - len(waiting)):
                    context = contextvars.copy_context()
                    waiting.append(pool.submit(context.run, begin, item))
            if not waiting:
                return
            yield _result(waiting.popleft(), cancelled)
    except KeyboardInterrupt:
        is_patient = False  # whoever closes the client ends what is under way
        raise
    finally:
        pool.shutdown(wait=is_patient, cancel_futures=True)


def _result(future: Future[R], cancelled: Callable[[], bool]) -> R:
    while True:
        try:
            return future.result(CALLS.hear_s)
        except TimeoutError:
            if future.done():
                return future.result()  # it came just now, or the work itself raised this
            _stop_if(cancelled)


def _stop_if(cancelled: Callable[[], bool]) -> None:
    if cancelled():
        raise RunInterrupted("It was stopped.", hint="What was answered is kept: go on any time.")
