"""Visits: the notebook, run in a kernel of its own for each page that somebody opens.

Some run ahead, so that a page need not wait for its kernel. A visit ends when its page was left, or
has not been connected for long; a kernel that waits for its first page is left alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import copy
import logging
import os
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import nbformat
from voila.notebook_renderer import NotebookRenderer

from rft_widgets.errors import RftError
from rft_widgets.server.kernels import Kernels

logger = logging.getLogger(__name__)

LEFT_S: Final = 2.0
"""After a page said that it goes: if it did, and somebody did not want to stay after all."""
UNMET_S: Final = 120.0
"""How long a page that was sent may take to connect."""
ALONE_S: Final = 900.0
"""How long a page that was connected may be away: asleep, or out of reach."""
EVERY_S: Final = 1.0
RETRY_S: Final = 5.0
"""Pause after a kernel that waits for a page could not be made."""


class Full(RftError):  # noqa: N818 - the family reads as what happened
    """As many pages are open as this server takes."""


class Visit:
    """A page, from before it is asked for until its kernel ends."""

    def __init__(self) -> None:
        self.nonce = secrets.token_urlsafe(16)
        """What the page's own scripts are known by."""
        self.kernel_id: str | None = None
        self.failed = False
        self.taken = False
        self.met = False
        self.left_at: float | None = None
        self.alone_since = 0.0
        self.task: asyncio.Task[None] | None = None
        self._pieces: asyncio.Queue[str | None] = asyncio.Queue()

    def leave(self) -> None:
        """Nobody waits for the page any more."""
        self.left_at = time.monotonic()

    @property
    def is_made(self) -> bool:
        """Whether the page is whole."""
        return self.task is not None and self.task.done()

    async def html(self) -> AsyncIterator[str]:
        """The page, piece by piece as it comes about; once."""
        while (piece := await self._pieces.get()) is not None:
            yield piece

    def write(self, piece: str | None) -> None:
        """Add a piece of the page; ``None`` ends it."""
        self._pieces.put_nowait(piece)


class Visits:
    """All visits, and the kernels that wait for the next ones.

    Parameters
    ----------
    kernels
        Where their kernels are made.
    notebook
        What each of them runs.
    renderer
        What Voila's renderer is made with.
    environment
        Variables of the kernels.
    failure
        What a page shows that could not be made.
    warm, limit
        How many kernels wait for a page, and how many there are at most.
    """

    def __init__(
        self,
        kernels: Kernels,
        notebook: Path,
        renderer: dict[str, Any],
        *,
        environment: dict[str, str],
        failure: str,
        warm: int,
        limit: int,
    ) -> None:
        self._kernels = kernels
        self._notebook = nbformat.read(notebook, 4)  # type: ignore[no-untyped-call]
        self._renderer = renderer
        self._environment = environment
        self._failure = failure
        self._warm, self._limit = warm, limit
        self._open: list[Visit] = []
        # More at once than there are cores make each of them later, and none of them earlier.
        self._cores = asyncio.Semaphore(os.cpu_count() or 1)
        self._not_before = 0.0

    def take(self) -> Visit:
        """A page for somebody who just came.

        Raises
        ------
        Full
            If there are as many as may be.
        """
        visit = next((one for one in self._open if not one.taken and not one.failed), None)
        visit = visit or self._begin()
        visit.taken = True
        visit.alone_since = time.monotonic()
        return visit

    def leave(self, kernel_id: str) -> None:
        """A page goes: its kernel ends, unless the page is still there a moment later."""
        for visit in self._open:
            if visit.kernel_id == kernel_id:
                visit.leave()

    async def watch(self) -> None:
        """End what nobody comes back to, and keep kernels waiting, until cancelled."""
        while True:
            try:
                await self.look()
            except Exception:
                logger.exception("The kernels could not be looked after.")
            await asyncio.sleep(EVERY_S)

    async def look(self) -> None:
        """Do once what `watch` does again and again."""
        now = time.monotonic()
        for visit in list(self._open):
            if visit.is_made and self._is_over(visit, now):
                if not visit.taken:  # its successor would most likely fail as well
                    self._not_before = now + RETRY_S
                await self._end(visit)
        waiting = sum(not visit.taken for visit in self._open)
        # Somebody who waits for a page comes first.
        at_rest = all(visit.is_made for visit in self._open)
        if waiting < self._warm and at_rest and now >= self._not_before:
            with contextlib.suppress(Full):
                self._begin()

    async def close(self) -> None:
        """End all of them."""
        await asyncio.gather(*(self._end(visit) for visit in list(self._open)))

    def _is_over(self, visit: Visit, now: float) -> bool:
        if visit.kernel_id is None or self._kernels.is_dead(visit.kernel_id):
            return True
        if not visit.taken:
            return visit.failed
        if self._kernels.connections(visit.kernel_id):
            visit.met = True
            visit.alone_since = now
            if visit.left_at is not None and now - visit.left_at > LEFT_S:
                visit.left_at = None  # the page was asked whether it may go, and stayed
            return False
        patience = ALONE_S if visit.met else UNMET_S
        if visit.left_at is not None:
            patience = LEFT_S
        return now - visit.alone_since > patience

    def _begin(self) -> Visit:
        if len(self._open) >= self._limit:
            raise Full(
                f"{self._limit} pages of the app are open, as many as this server takes.",
                hint="Close one that is not needed, or try again in a moment.",
            )
        visit = Visit()
        self._open.append(visit)
        visit.task = asyncio.create_task(self._make(visit))
        return visit

    async def _end(self, visit: Visit) -> None:
        self._open.remove(visit)  # first: its place is free
        if visit.task is not None and not visit.task.done():
            visit.task.cancel()
            await asyncio.wait([visit.task])
        if visit.kernel_id is not None and visit.kernel_id in self._kernels:
            with contextlib.suppress(Exception):  # it may have ended meanwhile
                await self._kernels.shutdown_kernel(visit.kernel_id, now=True)  # type: ignore[no-untyped-call]

    async def _make(self, visit: Visit) -> None:
        """Write the page: its head at once, the rest when its kernel has run the notebook."""
        async with contextlib.AsyncExitStack() as core:

            async def start_kernel() -> str:
                await core.enter_async_context(self._cores)
                visit.kernel_id = await self._kernels.start_kernel(
                    kernel_name="python3", env=self._environment
                )
                return visit.kernel_id

            try:
                renderer = _Renderer(start_kernel, self._kernels, self._notebook, self._renderer)
                await renderer.initialize()
                renderer.resources["nonce"] = visit.nonce
                async for piece, _resources in renderer.generate_content_generator():
                    visit.write(piece)
                visit.failed = renderer.has_failed
            except Exception:
                logger.exception("A page of the app could not be made.")
                visit.failed = True
                visit.write(self._failure)
            finally:
                visit.write(None)


class _Renderer(NotebookRenderer):  # type: ignore[misc]
    """Voila's, which starts the kernel once it is needed, and tells whether a cell failed."""

    def __init__(
        self,
        start_kernel: Callable[[], Awaitable[str]],
        kernels: Kernels,
        notebook: Any,
        options: dict[str, Any],
    ) -> None:
        super().__init__(notebook_path="optimization.ipynb", **options)
        self.has_failed = False
        self._start_kernel = start_kernel
        self._kernels = kernels
        self._read = notebook

    async def load_notebook(self, path: str) -> Any:
        """A notebook of its own: running it writes into it."""
        del path
        return copy.deepcopy(self._read)

    async def _jinja_kernel_start(self, nb: Any, kernel_id: Any, kernel_future: Any) -> str:
        del kernel_id, kernel_future
        started = await self._start_kernel()
        await super()._jinja_kernel_start(nb, started, self._kernels.get_kernel(started))
        return started

    async def _jinja_cell_generator(self, nb: Any, kernel_id: str) -> AsyncIterator[Any]:
        async for cell in super()._jinja_cell_generator(nb, kernel_id):
            kinds = {output["output_type"] for output in cell.get("outputs", ())}
            self.has_failed |= "error" in kinds
            yield cell
