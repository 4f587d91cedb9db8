"""A grader as the JSON that OpenAI and Azure read, and what of it they do not take."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from rft_widgets.graders.compile.target import Target
from rft_widgets.graders.compiled import parts_of
from rft_widgets.graders.sample import sample_of
from rft_widgets.graders.templates import Reference, compile_template
from rft_widgets.model.grader import (
    Grader,
    LabelModel,
    Multi,
    PythonGrader,
    ScoreModel,
    SingleGrader,
    TextSimilarity,
    grader_to_json,
)
from rft_widgets.model.record import RecordInput

_UNIT = (0.0, 1.0)
MOST_SOURCE_BYTES = 256_000
"""Source of a script that services take."""

_USAGE = """\
`grader.json` goes into `method.reinforcement.grader` of a fine-tuning job. It is the service that
reads it: nothing here grades."""

OPENAI = Target(name="openai", title="OpenAI", entry="grader.json", usage=_USAGE)
AZURE = Target(name="azure", title="Azure (Microsoft Foundry)", entry="grader.json", usage=_USAGE)

LAST_USER, SYSTEM = "rft_last_user_message", "rft_system_prompt"
"""Fields that training rows need where a grader names what services have no name for."""

_NAMES = {
    "response": "sample.output_text",
    "toolCalls": "sample.output_tools",
    "messages": "item.messages",
    "tools": "item.tools",
    "lastUserMessage": f"item.{LAST_USER}",
    "systemPrompt": f"item.{SYSTEM}",
}
"""Short names of our templates by what services call it."""
_FIELDS = {
    "lastUserMessage": (LAST_USER, "the text of the last user message"),
    "systemPrompt": (SYSTEM, "the text of the system message"),
}


class ServiceForm(Struct, frozen=True):
    """A grader as a service reads it, and what is to be known before it does."""

    value: dict[str, Any]
    warnings: tuple[str, ...]


def service_form(grader: Grader, target: Target, name: str = "grader") -> ServiceForm:
    """The grader in a service's own shape: every part named, our short names spelt out.

    A label model, which services take inside a combination alone, becomes one of itself.

    Parameters
    ----------
    grader
        The grader.
    target
        `OPENAI` or `AZURE`.
    name
        What it is called there if it has no name.
    """
    value = _spelt(grader_to_json(grader))
    if isinstance(grader, LabelModel):
        value = {"type": "multi", "graders": {"label": value}, "calculate_output": "label"}
        value["name"] = grader.name
    return ServiceForm(_named(value, name), tuple(_warnings(grader, target)))


def row_fields(record_input: RecordInput) -> dict[str, str]:
    """What training rows hold for graders that name what services have no name for."""
    sample = sample_of(record_input, ())
    user = sample.last_user_message
    return {SYSTEM: sample.system_prompt} | ({} if user is None else {LAST_USER: user})


def _named(value: dict[str, Any], name: str) -> dict[str, Any]:
    made = {"type": value["type"], "name": value.get("name") or name, **value}
    made["name"] = made["name"] or name
    if isinstance(value.get("graders"), dict):
        made["graders"] = {key: _named(part, key) for key, part in value["graders"].items()}
    return made


def _spelt(value: Any, key: str = "") -> Any:
    """JSON with its templates in the names that services know; a script's source as it is."""
    if isinstance(value, str):
        return value if key in _NO_TEMPLATE or "{{" not in value else _in_their_names(value)
    if isinstance(value, dict):
        return {inner: _spelt(one, inner) for inner, one in value.items()}
    return [_spelt(one, key) for one in value] if isinstance(value, list) else value


_NO_TEMPLATE = frozenset({"source", "calculate_output", "name", "model", "type"})


def _in_their_names(text: str) -> str:
    return "".join(
        piece if isinstance(piece, str) else "{{ " + _their_name(piece) + " }}"
        for piece in compile_template(text).pieces
    )


def _their_name(piece: Reference) -> str:
    name, path = _head(piece)
    return _NAMES.get(name, name) + path


def _head(piece: Reference) -> tuple[str, str]:
    """First name of a reference, and the path from there."""
    end = next(
        (place for place, char in enumerate(piece.expression) if not _is_of_name(char)),
        len(piece.expression),
    )
    return piece.expression[:end], piece.expression[end:]


def _is_of_name(char: str) -> bool:
    return char.isalnum() or char == "_"


def _warnings(grader: Grader, target: Target) -> Iterator[str]:
    title = target.title
    for place, part in _places(grader):
        yield from (f"{place}{words}" for words in _of_part(part, title))
    if unknown := sorted({key for part in (grader, *parts_of(grader)) for key in part.extra}):
        yield f"{title} may refuse keys that it does not know: {', '.join(unknown)}."


def _places(grader: Grader) -> Iterator[tuple[str, SingleGrader]]:
    if isinstance(grader, Multi):
        yield from ((f"graders.{name}: ", part) for name, part in grader.graders.items())
    else:
        yield "", grader


def _of_part(part: SingleGrader, title: str) -> Iterator[str]:
    if isinstance(part, TextSimilarity) and part.evaluation_metric == "cosine":
        yield f"{title} has cosine for evaluations alone and refuses it for training."
    if isinstance(part, PythonGrader):
        size = len(part.source.encode())
        if size > MOST_SOURCE_BYTES:
            yield f"the source has {size:,} bytes; {title} takes less than 256 kB."
    if isinstance(part, ScoreModel) and (part.range or _UNIT) != _UNIT:
        low, high = part.range or _UNIT
        yield (
            f"{title} trains on the score as it is, {low:g} to {high:g}; here rewards are rescaled "
            "to 0..1."
        )
    if isinstance(part, (ScoreModel, LabelModel)):
        yield (
            f"{title} words its own request to the judge {part.model}, so that scores may differ "
            "from those given here."
        )
    for name in sorted(_FIELDS.keys() & _names_in(part)):
        field, words = _FIELDS[name]
        yield f"{title} does not know {{{{ {name} }}}}: rows need {words} as the field {field}."


def _names_in(part: SingleGrader) -> set[str]:
    if isinstance(part, PythonGrader):
        return set()
    return {
        _head(piece)[0]
        for text in _texts(grader_to_json(part))
        for piece in compile_template(text).pieces
        if isinstance(piece, Reference)
    }


def _texts(value: Any, key: str = "") -> Iterator[str]:
    if isinstance(value, str):
        if key not in _NO_TEMPLATE and "{{" in value:
            yield value
    elif isinstance(value, Mapping):
        for inner, one in value.items():
            yield from _texts(one, inner)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one, key)


__all__ = ["AZURE", "OPENAI", "ServiceForm", "service_form"]
