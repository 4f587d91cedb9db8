"""What a connection can do, found out by asking: a few small requests, each a real one."""

from __future__ import annotations

import asyncio
import difflib
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from typing import Any, Literal

import msgspec
from msgspec import Struct

from rft_widgets.errors import ModelRefused, RftError
from rft_widgets.llm.answers import read_chat, read_embeddings
from rft_widgets.llm.catalogue import notice_of, refuse_gone
from rft_widgets.llm.endpoint import Endpoint
from rft_widgets.llm.faults import CallFault
from rft_widgets.llm.requests import CHAT, ModelRequest, chat_request, embedding_request, key_of
from rft_widgets.model.connection import ConnectionTest, NamedConnection
from rft_widgets.model.connection_settings import PROBE
from rft_widgets.model.llm import ModelAnswer, ModelCallFailed, is_reasoning_model
from rft_widgets.model.problem import problem_of

_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"answer": {"type": "string", "enum": ["yes", "no"]}},
    "required": ["answer"],
    "additionalProperties": False,
}
_TOOL = {
    "type": "function",
    "function": {
        "name": "note",
        "description": "Notes an answer.",
        "parameters": _SCHEMA,
    },
}
_CLOSE = 3


class _Answer(Struct, forbid_unknown_fields=True):
    """What fits the schema."""

    answer: Literal["yes", "no"]


def examine(named: NamedConnection, *, today: date | None = None) -> ConnectionTest:
    """Test a connection: whether the model answers, how fast, and what it can do.

    A model that is gone is not asked. What fails is said in words, never with the key; nothing is
    tried twice.
    """
    # A notebook has an event loop of its own at work in its main thread.
    with ThreadPoolExecutor(1, thread_name_prefix="rft-examine") as thread:
        return thread.submit(asyncio.run, _Examination(named, today).run()).result()


class _Examination:
    def __init__(self, named: NamedConnection, today: date | None) -> None:
        self._named, self._today = named, today or datetime.now(UTC).date()
        self._words: dict[str, str] = {}
        self._found = ConnectionTest(at=datetime.now(UTC), works=False)

    async def run(self) -> ConnectionTest:
        connection = self._named.connection
        timeout_s = min(connection.timeout_s, PROBE.timeout_s)
        try:
            endpoint = Endpoint(msgspec.structs.replace(connection, timeout_s=timeout_s), most=4)
        except RftError as error:
            return self._ended(problem=problem_of(error))
        try:
            await self._list(endpoint)
            # Listed, it is there, whatever the catalogue says; unless the service names its end.
            seen = msgspec.structs.replace(
                self._found, works=self._named.model in self._found.models
            )
            refuse_gone(self._named, seen, today=self._today)
            started = time.monotonic()
            await self._chat(endpoint)
            self._keep(works=True, latency_s=round(time.monotonic() - started, 3))
            await self._capabilities(endpoint)
        except (RftError, ModelCallFailed) as error:
            return self._ended(problem=problem_of(self._in_words(error)))
        finally:
            await endpoint.close()
        return self._ended()

    async def _list(self, endpoint: Endpoint) -> None:
        """What the service says it serves; one that has no list is asked nevertheless."""
        try:
            listed = msgspec.json.decode(await endpoint.read("/models"))
            about = {str(one["id"])[: PROBE.words_kept]: one for one in listed["data"]}
        except CallFault as fault:
            if fault.status in (401, 403):
                raise
            self._fail("models", fault)
            return
        except (msgspec.DecodeError, UnicodeDecodeError, KeyError, TypeError, RecursionError):
            self._words["models"] = "The list of models cannot be read."
            return
        kept = sorted(name for name in about if name != self._named.model)
        if self._named.model in about:
            kept.insert(0, self._named.model)
        self._keep(
            models=tuple(kept[: PROBE.models_kept]),
            shutdown_date=_date_of(about.get(self._named.model)),
        )

    async def _capabilities(self, endpoint: Endpoint) -> None:
        probes = {
            "tools": self._tools(endpoint),
            "json_schema": self._json_schema(endpoint),
            "logprobs": self._logprobs(endpoint),
            "embeddings": self._embeddings(endpoint),
        }
        answers = await asyncio.gather(*(self._tried(name, one) for name, one in probes.items()))
        self._keep(**dict(zip(probes, answers, strict=True)))

    async def _tried(self, name: str, probe: Any) -> bool | None:
        try:
            can: bool | None = await probe
        except CallFault as fault:
            self._fail(name, fault)
            # Refused as asked, it cannot; what was too much or went wrong says nothing.
            return False if fault.status in (400, 404, 405, 422, 501) else None
        except ModelCallFailed as error:
            self._fail(name, error)
            return False
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            self._words[name] = "The answer cannot be read."
            return None
        return can

    async def _chat(self, endpoint: Endpoint) -> ModelAnswer:
        return read_chat(await endpoint.send(self._request("Answer with the one word yes.")))

    async def _tools(self, endpoint: Endpoint) -> bool:
        chosen = {"type": "function", "function": {"name": "note"}}
        request = self._request("Note the answer yes.", tools=[_TOOL], tool_choice=chosen)
        return bool(read_chat(await endpoint.send(request)).tool_calls)

    async def _json_schema(self, endpoint: Endpoint) -> bool:
        shape = {"name": "probe", "strict": True, "schema": _SCHEMA}
        request = self._request(
            "Is water wet? Answer as JSON.",
            response_format={"type": "json_schema", "json_schema": shape},
        )
        text = read_chat(await endpoint.send(request)).text or ""
        try:
            msgspec.json.decode(text, type=_Answer)
        except (msgspec.DecodeError, RecursionError):
            self._words["json_schema"] = "It answered something else than the schema asks for."
            return False
        return True

    async def _logprobs(self, endpoint: Endpoint) -> bool:
        request = self._request("Answer with the one word yes.", logprobs=True)
        raw = msgspec.json.decode(await endpoint.send(request))
        try:
            return bool(raw["choices"][0]["logprobs"]["content"])
        except (KeyError, IndexError, TypeError):
            return False

    async def _embeddings(self, endpoint: Endpoint) -> bool | None:
        model = self._named.embedding_model
        if model is None:
            return None
        request = embedding_request(endpoint.base_url, model, ["yes", "no"])
        return bool(read_embeddings(await endpoint.send(request), 2)[0])

    def _request(self, question: str, **more: Any) -> ModelRequest:
        model = self._named.model
        limit = PROBE.reasoning_tokens if is_reasoning_model(model) else PROBE.tokens
        request = chat_request(
            self._named.connection.base_url,
            model,
            [{"role": "user", "content": question}],
            structured=False,
            temperature=None,
            max_tokens=limit,
            top_p=None,
            seed=None,
            response_schema=None,
            reasoning_effort=None,
            tools=more.pop("tools", None),
            tool_choice=more.pop("tool_choice", None),
            repeat=0,
        )
        if not more:
            return request
        body = msgspec.json.encode({**msgspec.json.decode(request.body), **more})
        key, kept = key_of(self._named.connection.base_url, CHAT, body, 0)
        return msgspec.structs.replace(request, body=body, key=key, kept=kept)

    def _fail(self, name: str, error: ModelCallFailed) -> None:
        self._words[name] = str(error)[: PROBE.words_kept]

    def _in_words(self, error: Exception) -> RftError:
        """Why the model did not answer, and what to do."""
        if isinstance(error, RftError):
            return error
        hint = "Check the base URL, and whether the service runs."
        status = getattr(error, "status", None)
        if status in (401, 403) or "is not set" in str(error):
            hint = f"Check the key in {self._named.connection.api_key_env or 'a variable'}."
        elif status == 404:
            hint = self._other_names()
        elif status == 429:
            hint = "Wait, or raise the limits of your account with the service."
        words = str(error)[: PROBE.words_kept].rstrip(". ")
        return ModelRefused(f"The model did not answer: {words}.", hint=hint)

    def _other_names(self) -> str:
        listed = self._found.models
        if not listed:
            return "Check the name of the model."
        close = difflib.get_close_matches(self._named.model, listed, _CLOSE) or listed[:_CLOSE]
        return f"The service lists {', '.join(close)}."

    def _keep(self, **values: Any) -> None:
        self._found = msgspec.structs.replace(self._found, **values)

    def _ended(self, **values: Any) -> ConnectionTest:
        self._keep(words=dict(self._words), **values)
        self._keep(notice=notice_of(self._named, self._found, self._today))
        return self._found


def _date_of(about: Any) -> date | None:
    text = about.get("shutdown_date") if isinstance(about, dict) else None
    try:
        return date.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
