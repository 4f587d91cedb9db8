"""Chat completions of the stand-in server: what is asked, what is answered, and its wire form."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Any, TypeAlias

from msgspec import Struct, json

from rft_widgets.model.llm import STAND_IN
from rft_widgets.testing.faults import SLOW_S, FaultName
from rft_widgets.testing.seeded import digest, generator, share
from rft_widgets.testing.wire import HttpResponse

CREATED = 1_780_000_000
"""When everything was made that has a time of its making, so that answers do not differ by it."""

CHARS_PER_TOKEN = 4
_MAX_CHOICES = 64


class ChatRequest:
    """A chat completion that somebody wants, as scripts see it.

    Parameters
    ----------
    body
        The request's JSON.
    seed
        Of the server.
    nth
        How often just this had been asked before. It changes the answer as chance does, unless
        temperature is 0 or the request brings a seed.
    choice
        Which of the ``n`` answers is wanted.
    """

    def __init__(
        self, body: dict[str, Any], *, seed: int = 0, nth: int = 0, choice: int = 0
    ) -> None:
        self.body = body
        is_fixed = body.get("temperature") == 0 or body.get("seed") is not None
        self._chance = (seed, 0 if is_fixed else nth, choice)

    @property
    def model(self) -> str:
        """The model that is asked."""
        return str(self.body.get("model", ""))

    @cached_property
    def messages(self) -> list[tuple[str, str]]:
        """Role and text of each message; other parts than text are left out."""
        return [
            (str(message.get("role", "")), text_of(message.get("content")))
            for message in _dicts(self.body.get("messages"))
        ]

    @property
    def instructions(self) -> str:
        """What the system and developer messages say."""
        return "\n\n".join(text for role, text in self.messages if role in _INSTRUCTING)

    @property
    def question(self) -> str:
        """The last message of the user."""
        return next((text for role, text in reversed(self.messages) if role == "user"), "")

    @property
    def schema(self) -> dict[str, Any] | None:
        """The JSON schema that the answer must fit, if there is one."""
        found = self._format.get("schema")
        return found if isinstance(found, dict) else None

    @property
    def schema_name(self) -> str:
        """What the schema is called."""
        return str(self._format.get("name", ""))

    @property
    def wants_json(self) -> bool:
        """Whether the answer must be JSON of any form."""
        wanted = self.body.get("response_format")
        return isinstance(wanted, dict) and wanted.get("type") in ("json_object", "json_schema")

    @property
    def tools(self) -> list[dict[str, Any]]:
        """Functions that may be called: ``name``, ``description``, ``parameters``."""
        if self.body.get("tool_choice") == "none":
            return []
        found = [tool.get("function") for tool in _dicts(self.body.get("tools"))]
        return [function for function in found if isinstance(function, dict)]

    @cached_property
    def chance(self) -> random.Random:
        """Foreseeable chance of this request."""
        return generator(*self._chance, self._digest)

    def share(self, purpose: str) -> float:
        """A foreseeable number from 0 to 1."""
        return share(*self._chance, purpose, self._digest)

    @cached_property
    def _digest(self) -> str:
        return digest(json.encode(self.body.get("messages"))).hex()

    @cached_property
    def _format(self) -> dict[str, Any]:
        wanted = self.body.get("response_format")
        found = wanted.get("json_schema") if isinstance(wanted, dict) else None
        return found if isinstance(found, dict) else {}


class ToolCall(Struct, frozen=True):
    """A call of a tool."""

    name: str
    arguments: dict[str, Any]


class Answer(Struct, frozen=True, kw_only=True):
    """What a script answers; ``after_s`` are seconds beside those of the server's latency."""

    text: str | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    refusal: str | None = None
    finish_reason: str | None = None
    after_s: float = 0.0


Said: TypeAlias = "Answer | str | dict[str, Any] | list[Any] | None"
Script: TypeAlias = Callable[[ChatRequest], Said]
"""Answers a request; ``None`` leaves it to the next script. An object goes out as JSON."""


def answered(said: Said) -> Answer:
    """What a script said, as an answer."""
    if isinstance(said, Answer):
        return said
    if isinstance(said, str) or said is None:
        return Answer(text=said)
    return Answer(text=json.encode(said).decode())


def text_of(content: Any) -> str:
    """The text of a message's content."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        texts = [part.get("text") for part in _dicts(content)]
        return "\n".join(text for text in texts if isinstance(text, str))
    return ""


def tokens(text: str) -> int:
    """About as many tokens as a tokenizer would make of a text."""
    return -(-len(text) // CHARS_PER_TOKEN)


def completion(
    body: dict[str, Any], answers: Sequence[Answer], *, model: str, identity: str,
    fault: FaultName | None,
) -> dict[str, Any]:  # fmt: skip
    """The completion with the answers to a request."""
    choices = [_choice(body, i, one, identity, fault) for i, one in enumerate(answers)]
    prompt = tokens(json.encode([body.get("messages"), body.get("tools")]).decode())
    written = sum(_written(choice["message"]) for choice in choices)
    usage = {
        "prompt_tokens": prompt,
        "completion_tokens": written,
        "total_tokens": prompt + written,
        "prompt_tokens_details": {"cached_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0},
    }
    return {
        "id": f"chatcmpl-{identity}",
        "object": "chat.completion",
        "created": CREATED,
        "model": model,
        "system_fingerprint": STAND_IN,
        "choices": choices,
        "usage": usage,
    }


def streamed(body: dict[str, Any], made: dict[str, Any], *, slow: bool) -> HttpResponse:
    """A completion as a stream of events."""
    options = body.get("stream_options")
    counts = isinstance(options, dict) and options.get("include_usage")
    about = {name: made[name] for name in ("id", "created", "model", "system_fingerprint")}
    events = _events(about, made["choices"], made["usage"] if counts else None)
    return HttpResponse(
        content_type="text/event-stream",
        pieces=[(SLOW_S if slow else 0.0, event) for event in events],
        chunked=True,
    )


def wanted_choices(body: dict[str, Any]) -> int:
    """How many answers a request wants."""
    n = body.get("n")
    return min(n, _MAX_CHOICES) if isinstance(n, int) and n > 0 else 1


def _choice(
    body: dict[str, Any], index: int, answer: Answer, identity: str, fault: FaultName | None
) -> dict[str, Any]:
    text, refusal, reason = answer.text, answer.refusal, answer.finish_reason
    calls = [
        {
            "id": f"call_{digest(identity, index, i).hex()[:20]}",
            "type": "function",
            "function": {"name": call.name, "arguments": json.encode(call.arguments).decode()},
        }
        for i, call in enumerate(answer.tool_calls)
    ]
    if fault == "refusal":
        text, refusal, calls = None, "I cannot help with that.", []
    elif fault == "content_filter":
        text, reason, calls = None, "content_filter", []
    elif fault == "empty":
        text, calls = None, []
    limit = body.get("max_completion_tokens") or body.get("max_tokens")
    if text and fault == "length":
        text, reason = text[: len(text) // 2], "length"
    elif text and isinstance(limit, int) and tokens(text) > limit:
        text, reason = text[: limit * CHARS_PER_TOKEN], "length"
    message: dict[str, Any] = {"role": "assistant", "content": text, "refusal": refusal}
    if calls:
        message["tool_calls"] = calls
    return {
        "index": index,
        "message": message,
        "logprobs": _logprobs(body, text or "", identity) if body.get("logprobs") else None,
        "finish_reason": reason or ("tool_calls" if calls else "stop"),
    }


def _logprobs(body: dict[str, Any], text: str, identity: str) -> dict[str, Any]:
    top = body.get("top_logprobs")
    others = min(top, 20) if isinstance(top, int) else 0
    content = []
    for i, token in enumerate(_TOKENS.findall(text)):
        sure = -0.7 * share(identity, i)
        ranked = [(token, sure)] + [(f" other{n}", sure - 2.0 - n) for n in range(1, others)]
        entry = _logprob(token, sure)
        content.append(entry | {"top_logprobs": [_logprob(*one) for one in ranked[:others]]})
    return {"content": content, "refusal": None}


def _logprob(token: str, value: float) -> dict[str, Any]:
    return {"token": token, "logprob": value, "bytes": list(token.encode())}


def _written(message: dict[str, Any]) -> int:
    calls = json.encode(message["tool_calls"]).decode() if message.get("tool_calls") else ""
    return tokens((message["content"] or message["refusal"] or "") + calls)


def _events(
    about: dict[str, Any], choices: list[dict[str, Any]], usage: dict[str, Any] | None
) -> Iterator[bytes]:
    def event(
        index: int, delta: dict[str, Any], reason: str | None = None, logprobs: Any = None
    ) -> bytes:
        choice = {"index": index, "delta": delta, "logprobs": logprobs, "finish_reason": reason}
        return _event({"object": "chat.completion.chunk", **about, "choices": [choice]})

    for choice in choices:
        index, message = choice["index"], choice["message"]
        yield event(index, {"role": "assistant", "content": "", "refusal": None})
        pieces = _TOKENS.findall(message["content"] or "")
        logprobs = choice["logprobs"]["content"] if choice["logprobs"] else []
        for i, piece in enumerate(pieces):
            shown = {"content": [logprobs[i]], "refusal": None} if logprobs else None
            yield event(index, {"content": piece}, logprobs=shown)
        if message["refusal"]:
            yield event(index, {"refusal": message["refusal"]})
        for i, call in enumerate(message.get("tool_calls", ())):
            named = {"name": call["function"]["name"], "arguments": ""}
            yield event(index, {"tool_calls": [call | {"index": i, "function": named}]})
            given = call["function"]["arguments"]
            for start in range(0, len(given), 16):
                part = {"index": i, "function": {"arguments": given[start : start + 16]}}
                yield event(index, {"tool_calls": [part]})
        yield event(index, {}, choice["finish_reason"])
    if usage is not None:
        yield _event({"object": "chat.completion.chunk", **about, "choices": [], "usage": usage})
    yield b"data: [DONE]\n\n"


def _event(value: dict[str, Any]) -> bytes:
    return b"data: " + json.encode(value) + b"\n\n"


def _dicts(values: Any) -> list[dict[str, Any]]:
    return [one for one in values if isinstance(one, dict)] if isinstance(values, list) else []


_INSTRUCTING = ("system", "developer")
_TOKENS = re.compile(r"\s*\S{1,8}|\s+$")
