"""A judge that looks whether an answer is there, to the point, concrete and whole."""

from __future__ import annotations

import re
from typing import Any

from rft_widgets.testing.chat import ChatRequest, Said
from rft_widgets.testing.schema_values import bounds, fitting
from rft_widgets.testing.scripts.material import blocks, kind_of, words

_SCORES = ("score", "result", "rating", "reward")
_LABELS = ("label", "verdict", "winner", "preference", "choice")
_REASONS = ("reasoning", "reason", "explanation", "rationale")
_RANGE = re.compile(r"\bfrom (-?\d+(?:\.\d+)?) to (-?\d+(?:\.\d+)?)")
_ANSWER = re.compile(r"\b(answer|output|reply|response)\b", re.IGNORECASE)
_GIVEN = re.compile(r"\b(expected|gold|ideal|reference)\b", re.IGNORECASE)
_EVASIVE = frozenset({"cannot", "unable", "sorry", "unfortunately"})
_TIE = 0.04
_DIGIT = re.compile(r"\d")
_READ_CHARS = 2_000


def judge(request: ChatRequest) -> Said:
    """A score or a label for the answer that the request shows; of two answers, the better one."""
    properties = (request.schema or {}).get("properties")
    if not isinstance(properties, dict):
        return None
    scored = [name for name in _SCORES if kind_of(properties.get(name)) in ("number", "integer")]
    labelled = [name for name in _LABELS if _labels(properties.get(name))]
    if not (scored or labelled):
        return None
    made: dict[str, Any] = dict.fromkeys(properties)
    others = properties.keys() - {*scored, *labelled, *_REASONS}
    if others:
        made |= fitting(request)
    worth, why = quality(request)
    for name in scored:
        low, high = _range(properties[name], request)
        value = low + (high - low) * worth
        made[name] = round(value) if kind_of(properties[name]) == "integer" else round(value, 2)
    for name in labelled:
        made[name] = _picked(_labels(properties[name]), worth, request)
    for name in _REASONS:
        if name in properties:
            made[name] = why
    return made


def quality(request: ChatRequest) -> tuple[float, str]:
    """How good the answer that is shown seems, from 0 to 1, and why."""
    answers, question = _shown(request)
    return worth_of(answers[-1], question, request)


def worth_of(answer: str, question: str, request: ChatRequest) -> tuple[float, str]:
    """How good an answer to a question seems, from 0 to 1, and why."""
    if not answer:
        return 0.0, "Scripted, no model: there is no answer."
    said, asked = words(answer[:_READ_CHARS]), set(words(question[-_READ_CHARS:]))
    on_topic = len(asked.intersection(said)) / min(len(asked), 8) if asked else 0.5
    worth = (
        0.35 * min(1.0, len(said) / 25)
        + 0.25 * min(1.0, on_topic)
        + 0.2 * (_DIGIT.search(answer) is not None)
        + 0.1 * (answer[-1] in '.!?)”"}]')
        + 0.1 * request.share("judge")
    )
    if not _EVASIVE.isdisjoint(said):
        worth *= 0.5
    taken = len(asked.intersection(said))
    return min(1.0, worth), (
        f"Scripted, no model: {len(said)} words that say something, {taken} of them from what was "
        "asked."
    )


def _shown(request: ChatRequest) -> tuple[list[str], str]:
    """The answers that a request shows, and what they answer."""
    found = blocks(request.question)
    answers = [one for one in found if _ANSWER.search(one.title) and not _GIVEN.search(one.title)]
    if not answers:  # an empty one stands between no marks, and some judges use none
        before, heading, after = _split(request.question)
        if heading or not found:
            return [after if heading else before.strip()], before if heading else ""
        answers = found[-1:]
    rest = [one.text for one in found if one not in answers]
    return [one.text for one in answers], "\n".join(rest)


def _split(text: str) -> tuple[str, bool, str]:
    """A text at the last line that says that an answer follows."""
    lines = text.splitlines()
    for i in range(len(lines) - 1, -1, -1):
        if (
            len(lines[i]) < 60
            and _ANSWER.search(lines[i])
            and lines[i].rstrip().endswith((":", "answer", "output", "reply", "response", "grade"))
        ):
            return "\n".join(lines[:i]), True, "\n".join(lines[i + 1 :]).strip()
    return text, False, ""


def _picked(labels: list[str], worth: float, request: ChatRequest) -> str:
    """The label that an answer earns; where two answers are compared, that of the better one."""
    answers, question = _shown(request)
    if len(answers) == 2 and len(labels) in (2, 3):
        first, second = (worth_of(one, question, request)[0] for one in answers)
        if len(labels) == 3 and abs(first - second) < _TIE:
            return labels[2]
        return labels[0] if first > second else labels[1]
    # Which labels are good, their words say; where they do not, the order stands.
    ranked = sorted(labels, key=_goodness)
    return ranked[min(len(ranked) - 1, int(worth * len(ranked)))]


def _labels(schema: Any) -> list[str]:
    values = schema.get("enum") if isinstance(schema, dict) else None
    if not isinstance(values, list) or len(values) < 2:
        return []
    return [one for one in values if isinstance(one, str)]


def _range(schema: dict[str, Any], request: ChatRequest) -> tuple[float, float]:
    if "minimum" not in schema and "maximum" not in schema:
        said = _RANGE.search(request.instructions)
        if said:
            return float(said[1]), float(said[2])
    return bounds(schema, whole=kind_of(schema) == "integer")


def _goodness(label: str) -> int:
    folded = label.casefold().replace("_", " ")
    bad = (
        r"\b(not|incorrect|inaccurate|wrong|bad|fail\w*|no|poor|worse|unsafe|reject\w*|unhelpful)\b"
    )
    if re.search(bad, folded):
        return -1
    good = r"\b(correct|right|good|pass\w*|yes|excellent|better|safe|accept\w*|helpful)\b"
    return 1 if re.search(good, folded) else 0
