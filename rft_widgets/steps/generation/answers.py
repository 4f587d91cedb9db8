"""What a model is to answer, and the candidates in what it did answer."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from rft_widgets.graders.lenient import as_dicts
from rft_widgets.model.generation import CandidateFault
from rft_widgets.model.llm import ModelAnswer
from rft_widgets.model.message import FunctionCall, Message, Tool, ToolCall
from rft_widgets.steps.generation.material import Request

_TOKENS_A_CANDIDATE = 40
_TOKENS_A_CALL = 600
_CHARS_A_TOKEN = 2.5
"""Fewer than the usual four: what limits an answer must not cut off text in other scripts."""


class Found(Struct, frozen=True, kw_only=True):
    """A candidate in an answer: its prompt and the rest of the exchange, or why there is none."""

    text: str = ""
    output: tuple[Message, ...] = ()
    fault: CandidateFault | None = None
    words: str = ""


def schema_of(request: Request) -> dict[str, Any]:
    """JSON schema of the answer to a request."""
    fields: dict[str, Any] = {"message": {"type": "string"}}
    if request.chain:
        call = _object(
            {"tool": {"type": "string"}, "arguments": {"type": "string"},
             "result": {"type": "string"}}
        )  # fmt: skip
        fields |= {"calls": {"type": "array", "items": call}, "answer": {"type": "string"}}
    return _object({"candidates": {"type": "array", "items": _object(fields)}})


def tokens_of(request: Request, max_length: int) -> int:
    """Most tokens that the answer to a request may have."""
    one = _TOKENS_A_CANDIDATE + max_length / _CHARS_A_TOKEN + _TOKENS_A_CALL * len(request.chain)
    return round(request.count * (one + (_TOKENS_A_CALL if request.chain else 0)))


def read_answer(answer: ModelAnswer, request: Request) -> list[Found]:
    """Candidates of an answer, as many as were asked for at most, and one at least."""
    if answer.refusal or answer.finish_reason == "content_filter":
        why = answer.refusal or "its content filter"
        return [Found(fault="generation_error", words=f"The model refused: {_line(why)}")]
    listed = _listed(answer.text or "")
    if listed is None:
        why = "was cut off" if answer.finish_reason == "length" else "is not what was asked for"
        return [Found(text=_line(answer.text or ""), fault="invalid_structure",
                      words=f"The answer {why}.")]  # fmt: skip
    found = [_found(value, request) for value in listed[: request.count]]
    return found or [Found(fault="invalid_structure", words="The answer holds no candidate.")]


def _listed(text: str) -> list[Any] | None:
    """The candidates of an answer: in the object that was asked for, or in a bare list."""
    for value in as_dicts(text):
        listed = value.get("candidates")
        if isinstance(listed, list):
            return listed
    try:
        bare = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return bare if isinstance(bare, list) else None


def _found(value: Any, request: Request) -> Found:
    if isinstance(value, str) and not request.chain:
        value = {"message": value}
    text = value.get("message") if isinstance(value, Mapping) else None
    if not isinstance(text, str) or not text.strip():
        return Found(fault="invalid_structure", words="It has no message.")
    text = _clean(text)
    if not request.chain:
        return Found(text=text)
    try:
        return Found(text=text, output=_exchange(value, request.chain))
    except _Misfit as error:
        return Found(text=text, fault="invalid_structure", words=str(error))


class _Misfit(Exception):  # noqa: N818 - caught above
    """An exchange that does not have the form that was asked for."""


def _exchange(value: Mapping[str, Any], chain: Sequence[Tool]) -> tuple[Message, ...]:
    """Tool calls, their results and the answer, as messages."""
    calls = value.get("calls")
    named = [call.get("tool") if isinstance(call, Mapping) else None for call in calls or ()]
    wanted = [tool.function.name for tool in chain if tool.function is not None]
    if named != wanted:
        raise _Misfit(f"It calls {_names(named)}, not {_names(wanted)}.")
    messages: list[Message] = []
    for number, (call, tool) in enumerate(zip(calls or (), chain, strict=True), 1):
        made = ToolCall(
            type="function",
            id=f"call_{number}",
            function=FunctionCall(name=call["tool"], arguments=_arguments(call, tool)),
        )
        result = call.get("result")
        messages += [
            Message(role="assistant", tool_calls=(made,)),
            Message(
                role="tool",
                tool_call_id=made.id,
                content=_clean(result if isinstance(result, str) else json.dumps(result)),
            ),
        ]
    answer = value.get("answer")
    if not isinstance(answer, str) or not answer.strip():
        raise _Misfit("It has no answer to the user.")
    return (*messages, Message(role="assistant", content=_clean(answer)))


def _arguments(call: Mapping[str, Any], tool: Tool) -> str:
    """Arguments of a call as JSON text, held to the names that the schema of the tool has."""
    name, given = call["tool"], call.get("arguments")
    try:
        values = json.loads(given) if isinstance(given, str) else given
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, Mapping):
        raise _Misfit(f"The arguments of {name} are no JSON object.")
    schema = (tool.function and tool.function.parameters) or {}
    missing = [key for key in schema.get("required", ()) if key not in values]
    if missing:
        raise _Misfit(f"The call of {name} lacks {_names(missing)}.")
    known = schema.get("properties")
    strange = [key for key in values if isinstance(known, Mapping) and key not in known]
    if strange:
        raise _Misfit(f"{name} takes no {_names(strange)}.")
    return _clean(json.dumps(values, ensure_ascii=False))


def _object(fields: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": fields,
        "required": list(fields),
        "additionalProperties": False,
    }


def _names(names: Sequence[Any]) -> str:
    return ", ".join(str(name)[:80] for name in names[:8]) or "nothing"


def _clean(text: str) -> str:
    """A text as the store can hold it, without the space around it."""
    return (
        text.encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}").strip()
    )


def _line(text: str) -> str:
    words = " ".join(_clean(text)[:1_000].split())
    return words if len(words) <= 200 else words[:199] + "…"
