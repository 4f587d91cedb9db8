"""The ledger as a client uses it: a thread writes what has collected, in one commit."""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from typing import TYPE_CHECKING

from rft_widgets.errors import RftError, StoreUnavailable
from rft_widgets.llm import owner as owners
from rft_widgets.model.call_settings import CallSettings
from rft_widgets.model.llm import Purpose
from rft_widgets.store.model_calls import Asked, Ended, Found, Writer

if TYPE_CHECKING:
    from rft_widgets.store.connection import Store

_Entry = tuple[Asked | Ended, "asyncio.Future[Found | None] | None"]


class Ledger:
    """Writes for one client and one dataset.

    An entry is committed, so that it outlives a power cut, before whoever brought it goes on;
    entries that come while a commit is under way go into the next one together.
    """

    def __init__(
        self, store: Store, dataset_id: str, *, purpose: Purpose, job_id: str,
        settings: CallSettings,
    ) -> None:  # fmt: skip
        self.store, self.dataset_id, self.job_id = store, dataset_id, job_id
        self._owner = owners.begin()
        self._most, self._collects_s = settings.entries_per_commit, settings.collects_s
        self._writer = Writer(
            dataset_id,
            purpose=purpose,
            job_id=job_id,
            owner=self._owner,
            held_above=settings.held_above_micro_usd,
        )
        self._entries: queue.SimpleQueue[_Entry | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="rft-ledger", daemon=True)
        self._thread.start()

    async def ask(self, asked: Asked) -> Found:
        """Claim a request, or find what became of it."""
        found = await self._enter(asked)
        assert found is not None  # noqa: S101 - every question is answered
        return found

    async def end(self, ended: Ended) -> None:
        """Write what came of a request."""
        await self._enter(ended)

    def note(self, ended: Ended) -> None:
        """Write what came of a request without waiting for it."""
        self._entries.put((ended, None))

    def close(self) -> None:
        """Write what is left; what is still sent after that counts as cut off."""
        self._entries.put(None)
        self._thread.join()
        owners.end(self._owner)

    async def _enter(self, entry: Asked | Ended) -> Found | None:
        future: asyncio.Future[Found | None] = asyncio.get_running_loop().create_future()
        self._entries.put((entry, future))
        return await future

    def _run(self) -> None:
        open_ = True
        while open_:
            some: list[_Entry] = []
            entry = self._entries.get()
            if entry is not None:
                time.sleep(self._collects_s)
            while entry is not None:
                some.append(entry)
                if len(some) >= self._most or self._entries.empty():
                    break
                entry = self._entries.get()
            open_ = entry is not None
            if some:
                self._write(some)

    def _write(self, some: list[_Entry]) -> None:
        ended = [entry for entry, _ in some if isinstance(entry, Ended)]
        asked = [entry for entry, _ in some if isinstance(entry, Asked)]
        fault: Exception | None = None
        found: list[Found] = []
        try:
            with self.store.write(durable=True) as connection:
                found = self._writer.write(connection, ended, asked, self._is_alive)
        except RftError as error:
            fault = error
        except Exception as error:  # noqa: BLE001 - whoever waits has to learn of it
            why = getattr(error, "orig", None) or type(error).__name__
            fault = StoreUnavailable(
                f"What models are asked cannot be written down: {why}.",
                hint="Nothing is asked that is not; see that the store can be written to.",
            )
        said = iter(found)
        results = [
            (future, next(said, None) if isinstance(entry, Asked) else None)
            for entry, future in some
            if future is not None
        ]
        if results:
            loop = results[0][0].get_loop()
            loop.call_soon_threadsafe(_tell, results, fault)

    def _is_alive(self, owner: str, job_id: str, sent_us: int) -> bool:
        if owner == self._owner:
            return True
        return owners.is_alive(owner, sent_us) and not (
            # One at a time works on a job: whoever did before does so no more. A second client of
            # the same job is in this process, and known.
            job_id and job_id == self.job_id and not owners.is_here(owner)
        )


def _tell(
    results: list[tuple[asyncio.Future[Found | None], Found | None]], fault: Exception | None
) -> None:
    for future, found in results:
        if future.done():
            continue  # whoever waited was stopped
        if fault is not None:
            future.set_exception(fault)
        else:
            future.set_result(found)
