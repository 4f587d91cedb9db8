"""What a judge's answer says: one number, or one label.

Judges that are not held to a schema write around it: fences, thoughts, prose, ``4/5``. What is
meant is read where it can be meant in one way only. Two different verdicts in one answer are none:
a wrong reward is worse than a grading that failed.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct

from rft_widgets.graders.lenient import FoundObject, Members, objects

MAX_REASONING_CHARS = 20_000
MAX_PROSE_CHARS = 5_000

_SCORE_KEYS = (("score", "result"), ("rating", "grade"))
_LABEL_KEYS = (("label", "result"), ("verdict", "class"))
"""Keys by rank: those of the second rank count where there is none of the first."""
_REASON_KEYS = ("reasoning", "reason", "explanation", "rationale", "steps")


class ReadScore(Struct, frozen=True):
    """A number that a judge gave, on the grader's own scale but perhaps beyond it, and why."""

    score: float
    reasoning: str | None


class ReadLabel(Struct, frozen=True):
    """A label that a judge picked, and why."""

    label: str
    reasoning: str | None


def read_score(text: str, low: float, high: float, *, cut: bool = False) -> ReadScore | None:
    """The one number that an answer gives.

    Parameters
    ----------
    text
        The answer.
    low, high
        The scale that the judge was asked for: ``4/5`` and ``80 %`` mean a number only on some.
    cut
        Whether the service says that it stopped before the end: a number there may lack digits.
    """
    text = without_thoughts(text)
    found = objects(text)
    scores: dict[float, str | None] = {}
    was_said = False
    for one in found:
        for value in _values(one, _SCORE_KEYS, cut=cut):
            was_said = True
            number = number_of(value, low, high)
            if number is not None:
                scores.setdefault(number, reason_of(one.members))
    if not was_said and not cut:
        prose = _outside(text, found)
        scores = dict.fromkeys(_said_scores(prose, low, high), reason(prose))
    return ReadScore(*next(iter(scores.items()))) if len(scores) == 1 else None


def read_label(text: str, labels: Iterable[str], *, cut: bool = False) -> ReadLabel | None:
    """The one label of the list that an answer gives.

    Parameters
    ----------
    text
        The answer.
    labels
        What it may be; case does not matter, nor do marks where labels differ without them.
    cut
        Whether the service says that it stopped before the end.
    """
    text = without_thoughts(text)
    known = _Labels(labels)
    found = objects(text)
    picked: dict[str, str | None] = {}
    for one in found:
        for value in _values(one, _LABEL_KEYS, cut=cut):
            label = known.of(value)
            if label is not None:
                picked.setdefault(label, reason_of(one.members))
    if not found and not cut:
        lines = _lines(text)
        labelled = [match[1] for line in lines if (match := _LABELLED_LABEL.fullmatch(line))]
        said = labelled or [text, *lines[:1], *lines[-1:]]
        others = reason(text) if len(lines) > 1 else None
        picked = {label: others for one in said if (label := known.of(one)) is not None}
    return ReadLabel(*next(iter(picked.items()))) if len(picked) == 1 else None


def without_thoughts(text: str) -> str:
    """An answer without what its model thought aloud before it; nothing, if that has no end."""
    if text.lstrip().startswith("{"):
        return text
    before, end, after = text.partition("</think>")
    if end:
        return after
    return "" if before.lstrip().startswith("<think>") else text


def number_of(value: Any, low: float, high: float) -> float | None:
    """The number that a value means on a scale: ``4``, ``"4"``, ``"4/5"``, ``"0.8 out of 1"``,
    ``"80 %"``.

    A fraction means its upper number where the lower one is the highest score, and a share where
    scores go from 0 to 1; per cent mean something from 0 to 1 and from 0 to 100. On other scales
    nobody knows.
    """  # noqa: D205
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    if not isinstance(value, str):
        return _finite(value)
    match = _SAID.fullmatch(value.strip().strip("*_`\"' "))
    if match is None:
        return None
    number = float(match["number"])
    if match["whole"] is not None:
        whole = float(match["whole"])
        if not 0 <= number <= whole:
            return None
        if whole == high:
            return number
        return number / whole if (low, high) == (0, 1) and whole > 0 else None
    if match["percent"]:
        if not 0 <= number <= 100 or low != 0:
            return None
        return {1.0: number / 100, 100.0: number}.get(high)
    return number


def reason(value: Any) -> str | None:
    """A judge's reason as text: text itself, or steps of ``description`` and ``conclusion``."""
    if isinstance(value, list):
        steps = [
            ": ".join(
                text
                for key in ("description", "conclusion")
                if isinstance(text := dict(step).get(key), str)
            )
            for step in value
            if isinstance(step, Members)
        ]
        value = "\n".join(step for step in steps if step)
    if not isinstance(value, str) or not value.strip():
        return None
    return value[:MAX_REASONING_CHARS].encode("utf-8", "replace").decode()


def reason_of(members: Members) -> str | None:
    """The reason inside a judge's object, under any of the usual keys."""
    found = {key.casefold(): value for key, value in members}
    return next((text for key in _REASON_KEYS if (text := reason(found.get(key)))), None)


_NUMBER = r"[+-]?(?:\d{1,15}(?:\.\d{1,17})?|\.\d{1,17})"
_SAID = re.compile(
    rf"(?P<number>{_NUMBER})(?:\s*(?:/|out of)\s*(?P<whole>{_NUMBER})|\s*(?P<percent>%))?",
    re.IGNORECASE,
)
_MARKS = r"[\s*_#>`-]*"
_LABELLED_SCORE = re.compile(
    rf"^{_MARKS}(?:final\s+|overall\s+)?(?:score|result|rating)[\s*_]*[:=][\s*_]*"
    rf"(?P<said>{_SAID.pattern})"
    # Neither the beginning of a longer number, nor of "3-4", "3 to 4" or "4/5/6".
    r"(?![\d.,]*\d)(?!\s*(?:[/%]|out of\b|(?:[-\u2013\u2014]|to\b|or\b)\s*[\d.]))",
    re.IGNORECASE | re.MULTILINE,
)
_TAGGED_SCORE = re.compile(r"<(score|result|rating)>([^<>]{1,60})</\1>", re.IGNORECASE)
_LABELLED_LABEL = re.compile(
    rf"{_MARKS}(?:final\s+|overall\s+)?(?:label|verdict|result|answer)[\s*_]*[:=](.*)",
    re.IGNORECASE,
)


def _said_scores(prose: str, low: float, high: float) -> list[float]:
    """Numbers of an answer in the rubric's own form: bare, ``Score: 4``, or a line of its own."""
    lines = _lines(prose[:MAX_PROSE_CHARS])
    whole = number_of("\n".join(lines), low, high)
    if whole is not None:
        return [whole]
    said = [match["said"] for match in _LABELLED_SCORE.finditer(prose[:MAX_PROSE_CHARS])]
    said += [match[2] for match in _TAGGED_SCORE.finditer(prose[:MAX_PROSE_CHARS])]
    if said:
        numbers = [number_of(one, low, high) for one in said]
        return [] if None in numbers else [number for number in numbers if number is not None]
    bare = [line for line in lines if _SAID.fullmatch(line.strip("*_ "))]
    if len(bare) == 1 and bare[0] in (lines[0], lines[-1]):
        number = number_of(bare[0], low, high)
        return [] if number is None else [number]
    return []


def _lines(text: str) -> list[str]:
    """Lines that say something; fences do not."""
    stripped = (line.strip() for line in text.splitlines())
    return [line for line in stripped if line and not line.startswith("```")]


def _outside(text: str, found: Iterable[FoundObject]) -> str:
    """A text without its objects: what a judge quotes inside of one is not what it says."""
    pieces, position = [], 0
    for one in found:
        pieces.append(text[position : one.start])
        position = one.end
    return "".join((*pieces, text[position:]))


def _values(found: FoundObject, ranks: tuple[tuple[str, ...], ...], *, cut: bool) -> Iterator[Any]:
    """What stands under the keys that count, also one object deeper."""
    if found.rest is not None:
        keys = "|".join(key for rank in ranks for key in rank)
        elsewhere = re.compile(rf"""["']?\b(?:{keys})\b["']?\s*:""", re.IGNORECASE)
        if elsewhere.search(found.rest):
            # Only a last member is plain: one brace opens, one closes, and the key stands once.
            last = None if cut else _last_member(found.rest, elsewhere)
            yield from () if last is None or _ranked(found.members, ranks) else (last,)
            return
    direct = _ranked(found.members, ranks)
    if direct:
        yield from direct
        return
    for _, value in found.members:
        if isinstance(value, Members):
            yield from _ranked(value, ranks)


def _ranked(members: Members, ranks: tuple[tuple[str, ...], ...]) -> list[Any]:
    for rank in ranks:
        values = [value for key, value in members if key.casefold() in rank]
        if values:
            return values
    return []


def _last_member(rest: str, key: re.Pattern[str]) -> str | None:
    """The value at the end of an object whose quotes went astray before it."""
    body, brace, after = rest.rpartition("}")
    places = list(key.finditer(body))
    is_plain = bool(brace) and "{" not in rest and "}" not in body and not after.strip("` \n")
    if not is_plain or len(places) != 1 or not body[: places[0].start()].rstrip().endswith(","):
        return None
    return body[places[0].end() :].strip().strip("\"'")


def _finite(value: float) -> float | None:
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


class _Labels:
    """The labels of a grader, by what a judge may write for them."""

    def __init__(self, labels: Iterable[str]) -> None:
        every = tuple(labels)
        loose = {_loose(label): label for label in every}
        self._exact: Mapping[str, str] = {label.strip().casefold(): label for label in every}
        self._loose: Mapping[str, str] = loose if len(loose) == len(every) else {}

    def of(self, value: Any) -> str | None:
        """The label that a value is."""
        if isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str):
            return None
        said = value.strip().strip("\"'`*. \n")
        return (
            self._exact.get(value.strip().casefold())
            or self._exact.get(said.casefold())
            or self._loose.get(_loose(said))
        )


def _loose(label: str) -> str:
    return " ".join(re.split(r"[\s_-]+", label.strip().casefold()))
