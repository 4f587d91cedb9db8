"""What a job says while it runs: events as points of a curve and as messages."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from rft_widgets.model.training import Checkpoint, CurvePoint
from rft_widgets.statistics import Interval
from rft_widgets.trainers.openai.dialects import Dialect

PAGE = 100
_MOST_PAGES = 200
_KEPT_IDS = 500
_MOST_WORDS = 500

GetPage = Callable[[str], dict[str, Any]]
"""The page of events after the one of an id, or the first for an empty one."""


class _Seen(Struct, frozen=True):
    """The newest events that were seen; none older than ``since`` is new."""

    ids: tuple[str, ...] = ()
    since: float = 0.0


def new_events(get_page: GetPage, seen: str) -> tuple[list[dict[str, Any]], str]:
    """Events that were not seen before, the oldest first, and what has been seen now.

    Services list the newest first, so reading ends at the first page that holds a known one. A
    service that lists the oldest first is read to the end.
    """
    before = _read(seen)
    known, fresh = set(before.ids), {}
    after = ""
    for _ in range(_MOST_PAGES):
        page = get_page(after)
        events = [one for one in page.get("data") or () if isinstance(one, dict) and one.get("id")]
        for event in events:
            if event["id"] not in known and _at(event) >= before.since:
                fresh[event["id"]] = event
        if not events or not page.get("has_more"):
            break
        is_newest_first = _at(events[0]) >= _at(events[-1])
        if is_newest_first and any(event["id"] in known for event in events):
            break
        after = str(events[-1]["id"])
    newest_first = list(fresh.values())
    if len(newest_first) > 1 and _at(newest_first[0]) >= _at(newest_first[-1]):
        newest_first.reverse()
    ordered = sorted(newest_first, key=_at)  # stable: events of one second keep their order
    if not ordered:
        return [], seen
    ids = (*before.ids, *(str(event["id"]) for event in ordered))
    since = before.since
    if len(ids) > _KEPT_IDS:
        since = max(since, _at(ordered[0]))
    return ordered, msgspec.json.encode(_Seen(ids[-_KEPT_IDS:], since)).decode()


def point_of(
    event: dict[str, Any], dialect: Dialect, scale: Callable[[float], float]
) -> CurvePoint | None:
    """The step that an event tells of; ``None`` where it tells of none.

    ``scale`` takes a reward of the service to 0..1.
    """
    data = event.get("data")
    if not isinstance(data, dict):
        return None
    metrics = flat(data)
    step = metrics.get("step")
    if step is None or step < 0 or len(metrics) < 2:
        return None

    def named(field: str) -> float | None:
        found = (metrics.get(name) for name in dialect.curve.get(field, ()))
        return next((value for value in found if value is not None), None)

    train, valid = named("train_reward"), named("valid")
    return CurvePoint(
        step=int(step),
        epoch=metrics.get("epoch", 0.0),
        train_reward=None if train is None else scale(train),
        valid=None if valid is None else _told(scale(valid)),
        kl=named("kl"),
        entropy=named("entropy"),
        clip_share=named("clip_share"),
        completion_tokens=named("completion_tokens"),
        step_s=named("step_s"),
        metrics=metrics,
    )


def message_of(event: dict[str, Any]) -> str:
    """The words of an event, with its level where that is a warning or an error."""
    words = str(event.get("message") or "").strip()[:_MOST_WORDS]
    level = str(event.get("level") or "info")
    return f"The service ({level}): {words}" if words and level != "info" else words


def checkpoint_of(about: dict[str, Any], scale: Callable[[float], float]) -> Checkpoint | None:
    """A checkpoint as the service lists it; ``None`` where it has no model."""
    model, step = about.get("fine_tuned_model_checkpoint"), about.get("step_number")
    if not isinstance(model, str) or not isinstance(step, int):
        return None
    metrics = about.get("metrics")
    known = flat(metrics) if isinstance(metrics, dict) else {}
    names = ("valid_reward_mean", "full_valid_mean_reward")
    valid = next((known[name] for name in names if name in known), None)
    return Checkpoint(
        step=step,
        model=model,
        valid_reward=None if valid is None else scale(valid),
        metrics=known,
    )


def flat(values: dict[str, Any], path: str = "") -> dict[str, float]:
    """Every number by its path; those of lists by type and name, as in the services' own files."""
    found: dict[str, float] = {}
    for name, value in values.items():
        for where, inner in _named(value):
            below = f"{path}{name}{where}"
            if isinstance(inner, dict):
                found |= flat(inner, f"{below}/")
            elif isinstance(inner, (int, float)) and not isinstance(inner, bool):
                number = float(inner)
                if math.isfinite(number):
                    found[below] = number
    return found


def _named(value: Any) -> Iterator[tuple[str, Any]]:
    if not isinstance(value, list):
        yield "", value
        return
    for place, one in enumerate(value):
        words: Sequence[Any] = (
            [one[key] for key in ("type", "name") if one.get(key)] if isinstance(one, dict) else ()
        )
        yield "/" + "/".join(str(word) for word in words or (place,)), one


def _told(reward: float) -> Interval:
    """A mean that the service measured: without an interval, for it does not tell one."""
    return Interval(
        estimate=reward, low=None, high=None, level=0.95, n=0, clusters=0, method="percentile"
    )


def _at(event: dict[str, Any]) -> float:
    at = event.get("created_at")
    return float(at) if isinstance(at, (int, float)) else 0.0


def _read(seen: str) -> _Seen:
    return msgspec.json.decode(seen, type=_Seen) if seen else _Seen()
