"""The ledger of requests to models: written before each is sent, and again before it counts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

import sqlalchemy as sa
import zstandard
from msgspec import Struct
from sqlalchemy.engine import Connection

from rft_widgets.errors import NotFound
from rft_widgets.model.llm import CallTotals, Purpose
from rft_widgets.store.clock import now_us, to_datetime
from rft_widgets.store.schema import datasets, model_calls

if TYPE_CHECKING:
    from rft_widgets.store.connection import Store

_c = model_calls.c
_LEVEL = 1  # of texts this short, more brings nothing and takes its time
_ROWS = 500

IsAlive = Callable[[str, str, int], bool]
"""Whether who owns a row (its owner, its job, the time it was sent at) is still at work on it."""


class Asked(Struct, frozen=True, gc=False):
    """A request that somebody wants to send."""

    key: str
    request: bytes
    model: str
    reserved: int | None
    """Most that it may cost, in millionths of a dollar; ``None`` while unknown."""
    may_send: bool
    """Whether it is sent at once when there is no answer; else only the answer is looked for."""
    again: bool = False
    """Whether it is a further attempt of whoever owns the row."""


class Found(Struct, frozen=True, gc=False):
    """What the ledger says to that.

    ``send``: it is noted as sent, so send it. ``answered``: ``answer`` was paid for before.
    ``absent``: nobody has sent it. ``waiting``: somebody else is at work on it. ``held``: it was
    sent, nobody saw the answer, and it costs too much to send it again unasked.
    """

    state: Literal["send", "answered", "absent", "waiting", "held"]
    answer: bytes | None = None
    cost: int | None = None
    lost: int = 0


class Ended(Struct, frozen=True, gc=False):
    """What came of a request that was sent."""

    key: str
    state: Literal["queued", "done", "failed"]
    answer: bytes | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cost: int | None = None
    error: str | None = None
    lost: int = 0


class CallRow(Struct, frozen=True, kw_only=True):
    """A request and what came of it."""

    key: str
    state: str
    purpose: Purpose
    model: str
    job_id: str
    request: bytes
    answer: bytes | None
    prompt_tokens: int | None
    completion_tokens: int | None
    cost_micro_usd: int | None
    reserved_micro_usd: int | None
    error: str | None
    lost: int
    owner: str
    sent_us: int

    @property
    def sent_at(self) -> datetime:
        """When it was sent last, UTC."""
        return to_datetime(self.sent_us)


class Writer:
    """Writes to the ledger of a dataset for one client, many entries at a time; for one thread."""

    def __init__(
        self, dataset_id: str, *, purpose: Purpose, job_id: str, owner: str, held_above: int
    ) -> None:
        self._dataset_id, self._held_above, self._owner = dataset_id, held_above, owner
        self._purpose, self._job_id = purpose, job_id
        self._pack = zstandard.ZstdCompressor(level=_LEVEL).compress
        self._unpack = zstandard.ZstdDecompressor().decompress

    def write(
        self,
        connection: Connection,
        ended: Sequence[Ended],
        asked: Sequence[Asked],
        is_alive: IsAlive,
    ) -> list[Found]:
        """Note what came of requests, then answer what is asked, in one transaction."""
        if connection.dialect.name == "postgresql":
            # Writers of one dataset take turns, as all do on SQLite.
            lock = sa.func.hashtext(f"model_calls {self._dataset_id}")
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(lock)))
        if ended:
            connection.execute(_END, [self._end_values(one) for one in ended])
        return self._claim(connection, asked, is_alive) if asked else []

    def _end_values(self, one: Ended) -> dict[str, Any]:
        return {
            "of_dataset": self._dataset_id,
            "of_key": one.key,
            "of_owner": self._owner,
            "to_state": one.state,
            "to_answer": None if one.answer is None else self._pack(one.answer),
            "to_prompt": one.prompt_tokens,
            "to_completion": one.completion_tokens,
            "to_cost": one.cost,
            "to_error": one.error,
            "more_lost": one.lost,
            "to_done": None if one.state == "queued" else now_us(),
        }

    def _claim(
        self, connection: Connection, asked: Sequence[Asked], is_alive: IsAlive
    ) -> list[Found]:
        keys = {one.key for one in asked}
        rows = {
            row.key: row
            for row in connection.execute(_LOOK, {"of_dataset": self._dataset_id, "keys": keys})
        }
        now = now_us()
        new: dict[str, dict[str, Any]] = {}
        taken: dict[str, dict[str, Any]] = {}
        held: list[dict[str, Any]] = []
        found = []
        for one in asked:
            row = rows.get(one.key)
            said = self._of_row(one, row, is_alive)
            if one.key in new or one.key in taken:
                said = Found("waiting")
            if said.state == "send" and row is None:
                new[one.key] = self._new_values(one, now)
            elif said.state == "send":
                taken[one.key] = self._taken_values(one, now, said.lost)
            elif said.state == "held" and row is not None and row.state != "held":
                place = {"of_dataset": self._dataset_id, "of_key": one.key}
                held.append({**place, "more_lost": said.lost})
            found.append(said)
        if new:
            self._check_dataset(connection)
            connection.execute(model_calls.insert(), list(new.values()))
        if taken:
            connection.execute(_TAKE, list(taken.values()))
        if held:
            connection.execute(_HOLD, held)
        return found

    def _of_row(self, one: Asked, row: Any, is_alive: IsAlive) -> Found:
        if row is None:
            return Found("send" if one.may_send else "absent")
        if row.state == "done":
            answer = self._unpack(row.answer)
            return Found("answered", answer=answer, cost=row.cost_micro_usd)
        if row.state == "held":
            return Found("held")
        lost = 0
        if row.state in ("sent", "queued") and not (one.again and row.owner == self._owner):
            if is_alive(row.owner, row.job_id, row.sent_us):
                return Found("waiting")
            lost = int(row.state == "sent")
            if lost and (row.reserved_micro_usd or 0) > self._held_above:
                return Found("held", lost=lost)
        return Found("send" if one.may_send else "absent", lost=lost)

    def _new_values(self, one: Asked, now: int) -> dict[str, Any]:
        return {
            "dataset_id": self._dataset_id,
            "key": one.key,
            "state": "sent",
            "purpose": self._purpose,
            "model": one.model,
            "job_id": self._job_id,
            "owner": self._owner,
            "request": self._pack(one.request),
            "reserved_micro_usd": one.reserved,
            "attempts": 1,
            "sent_us": now,
        }

    def _taken_values(self, one: Asked, now: int, lost: int) -> dict[str, Any]:
        return {
            "of_dataset": self._dataset_id,
            "of_key": one.key,
            "to_purpose": self._purpose,
            "to_job": self._job_id,
            "to_owner": self._owner,
            "to_reserved": one.reserved,
            "more_lost": lost,
            "to_sent": now,
        }

    def _check_dataset(self, connection: Connection) -> None:
        known = sa.select(datasets.c.id).where(datasets.c.id == self._dataset_id)
        if connection.execute(known).scalar() is None:
            raise NotFound(f"Dataset {self._dataset_id} is gone; nothing more is asked for it.")


_MINE = sa.and_(_c.dataset_id == sa.bindparam("of_dataset"), _c.key == sa.bindparam("of_key"))

_LOOK = sa.select(
    _c.key, _c.state, _c.owner, _c.job_id, _c.sent_us, _c.answer, _c.cost_micro_usd,
    _c.reserved_micro_usd,
).where(
    _c.dataset_id == sa.bindparam("of_dataset"),
    _c.key.in_(sa.bindparam("keys", expanding=True)),
)  # fmt: skip

_END = (
    model_calls.update()
    .where(_MINE, _c.owner == sa.bindparam("of_owner"), _c.state != "done")
    .values(
        state=sa.bindparam("to_state"),
        answer=sa.bindparam("to_answer"),
        prompt_tokens=sa.bindparam("to_prompt"),
        completion_tokens=sa.bindparam("to_completion"),
        cost_micro_usd=sa.bindparam("to_cost"),
        error=sa.bindparam("to_error"),
        lost=_c.lost + sa.bindparam("more_lost"),
        done_us=sa.bindparam("to_done"),
    )
)

_TAKE = (
    model_calls.update()
    .where(_MINE)
    .values(
        state="sent",
        purpose=sa.bindparam("to_purpose"),
        job_id=sa.bindparam("to_job"),
        owner=sa.bindparam("to_owner"),
        reserved_micro_usd=sa.bindparam("to_reserved"),
        error=None,
        attempts=_c.attempts + 1,
        lost=_c.lost + sa.bindparam("more_lost"),
        sent_us=sa.bindparam("to_sent"),
    )
)

_HOLD = (
    model_calls.update().where(_MINE).values(state="held", lost=_c.lost + sa.bindparam("more_lost"))
)


def totals(
    connection: Connection, dataset_id: str, is_alive: IsAlive, *, job_id: str | None = None
) -> dict[Purpose, CallTotals]:
    """What the requests of a dataset came to, or those of a job, by purpose; no cached answers."""
    mine = [_c.dataset_id == dataset_id]
    if job_id is not None:
        mine.append(_c.job_id == job_id)
    is_done = _c.state == "done"
    query = (
        sa.select(
            _c.purpose,
            _count(is_done).label("calls"),
            _count(_c.state == "failed").label("failed"),
            sa.func.sum(_c.lost).label("lost"),
            sa.func.sum(_c.prompt_tokens).label("prompt_tokens"),
            sa.func.sum(_c.completion_tokens).label("completion_tokens"),
            sa.func.sum(_c.cost_micro_usd).label("cost"),
            _count(sa.and_(is_done, _c.cost_micro_usd.is_(None))).label("unpriced"),
        )
        .where(*mine)
        .group_by(_c.purpose)
        .order_by(_c.purpose)
    )
    under_way = sa.select(_c.purpose, _c.owner, _c.job_id, _c.sent_us).where(
        *mine, _c.state == "sent"
    )
    cut_off: dict[str, int] = {}
    for row in connection.execute(under_way):
        if not is_alive(row.owner, row.job_id, row.sent_us):
            cut_off[row.purpose] = cut_off.get(row.purpose, 0) + 1
    return {
        row.purpose: CallTotals(
            calls=int(row.calls or 0),
            failed=int(row.failed or 0),
            uncertain=int(row.lost or 0) + cut_off.get(row.purpose, 0),
            prompt_tokens=int(row.prompt_tokens or 0),
            completion_tokens=int(row.completion_tokens or 0),
            cost_micro_usd=None if row.unpriced else int(row.cost or 0),
        )
        for row in connection.execute(query)
    }


def spent(connection: Connection, dataset_id: str, job_id: str) -> int:
    """Most that the requests of a job may have cost so far, the lost ones included."""
    worst = sa.func.coalesce(_c.cost_micro_usd, 0) + sa.func.coalesce(_c.reserved_micro_usd, 0) * (
        _c.lost + sa.case((_c.state == "sent", 1), else_=0)
    )
    query = sa.select(sa.func.sum(worst)).where(_c.dataset_id == dataset_id, _c.job_id == job_id)
    return int(connection.execute(query).scalar() or 0)


def read_all(
    store: Store,
    dataset_id: str,
    *,
    job_id: str | None = None,
    only_uncertain: bool = False,
) -> Iterator[CallRow]:
    """Requests in the order of their keys, a few hundred a transaction.

    ``only_uncertain`` leaves out those of which every answer was seen.
    """
    unpack = zstandard.ZstdDecompressor().decompress
    wanted = [_c.dataset_id == dataset_id]
    if job_id is not None:
        wanted.append(_c.job_id == job_id)
    if only_uncertain:
        wanted.append(sa.or_(_c.state.in_(("sent", "held")), _c.lost > 0))
    after = ""
    while True:
        query = sa.select(model_calls).where(*wanted, _c.key > after).order_by(_c.key).limit(_ROWS)
        with store.read() as connection:
            rows = connection.execute(query).all()
        for row in rows:
            yield CallRow(
                key=row.key,
                state=row.state,
                purpose=row.purpose,
                model=row.model,
                job_id=row.job_id,
                request=unpack(row.request),
                answer=None if row.answer is None else unpack(row.answer),
                prompt_tokens=row.prompt_tokens,
                completion_tokens=row.completion_tokens,
                cost_micro_usd=row.cost_micro_usd,
                reserved_micro_usd=row.reserved_micro_usd,
                error=row.error,
                lost=row.lost,
                owner=row.owner,
                sent_us=row.sent_us,
            )
        if len(rows) < _ROWS:
            return
        after = rows[-1].key


def read_request(connection: Connection, dataset_id: str, key: str) -> bytes | None:
    """A request as it was kept, by its key; ``None`` if there is none of it."""
    mine = sa.and_(_c.dataset_id == dataset_id, _c.key == key)
    found = connection.execute(sa.select(model_calls.c.request).where(mine)).scalar()
    return None if found is None else zstandard.ZstdDecompressor().decompress(found)


def release(connection: Connection, dataset_id: str, keys: Iterable[str] | None) -> int:
    """Let requests that are held be asked again; all of them, or those of some keys."""
    held = [_c.dataset_id == dataset_id, _c.state == "held"]
    if keys is not None:
        held.append(_c.key.in_(tuple(keys)))
    return connection.execute(model_calls.update().where(*held).values(state="failed")).rowcount


def _count(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    return sa.func.sum(sa.case((condition, 1), else_=0))
