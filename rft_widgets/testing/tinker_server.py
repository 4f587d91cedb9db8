"""A real server on this machine that speaks the protocol of `tinker`, with a real small model.

Sampling, gradients and steps of Adam are computed (`rft_widgets.testing.token_model`), so a reward
really rises::

    folder = make_tiny_model("tiny")               # for its tokenizer
    with TinkerServer({"tiny/bytes": folder}) as server:
        workspace.add_connection(..., base_url=server.base_url)
        server.queue("lost", path="optim_step")    # the next step is done, its answer lost

Requests are answered with futures, which are asked for until they are there. A request that comes
again is done once. Faults: ``429``, ``500``, ``502``, ``503``, ``lost``; ``slow`` has a future
asked for a few times more; ``session`` ends the session that asks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import zstandard
from msgspec import Struct

from rft_widgets.testing.loopback import Loopback
from rft_widgets.testing.seeded import share
from rft_widgets.testing.tinker_chat import chat_completion
from rft_widgets.testing.tinker_wire import examples_of, gradient_bytes, samples_bytes
from rft_widgets.testing.token_model import TokenModel
from rft_widgets.testing.wire import HttpRequest, HttpResponse, json_response

_PROTO = "application/x-protobuf"
_SLOW_LOOKS = 3
_CONTEXT = 1024


class _Training(Struct):
    base: str
    session: str
    model: TokenModel
    rank: int


class _Future(Struct):
    body: bytes
    kind: str
    waits: int = 0


class _Gone(Exception):  # noqa: N818 - becomes an answer
    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status


class TinkerServer(Loopback):
    """The service, in a thread of this process while it is entered.

    Parameters
    ----------
    models
        The models there are, each with the folder of its tokenizer.
    key
        The key that every request must bring; ``None`` takes any.
    look_s
        Seconds that a future which is not there yet keeps its asker waiting.
    """

    def __init__(
        self,
        models: Mapping[str, str | Path],
        *,
        key: str | None = None,
        seed: int = 0,
        look_s: float = 0.02,
        port: int = 0,
    ) -> None:
        super().__init__(port=port)
        self.models = {name: str(folder) for name, folder in models.items()}
        self.saved: dict[str, TokenModel] = {}
        """What was saved, by its path."""
        self.updates: list[int] = []
        """The number of each step of an optimizer that was done, in the order they were."""
        self._key, self._seed, self._look_s = key, seed, look_s
        self._bases: dict[str, TokenModel] = {}
        self._vocabularies: dict[str, Any] = {}
        self._sessions: set[str] = set()
        self._trainings: dict[str, _Training] = {}
        self._samplers: dict[str, tuple[str, str | None, TokenModel]] = {}
        self._origin: dict[str, str] = {}
        self._futures: dict[str, _Future] = {}
        self._posts: dict[str, Callable[[dict[str, Any]], Any]] = {
            "client/config": lambda _: {},
            "client/dynamic_config": lambda _: {},
            "telemetry": lambda _: {"status": "accepted"},
            "create_session": self._create_session,
            "session_heartbeat": self._heartbeat,
            "create_model": self._create_model,
            "load_weights": self._load_weights,
            "get_info": self._get_info,
            "optim_step": self._optim_step,
            "save_weights": self._save_weights,
            "save_weights_for_sampler": self._save_for_sampler,
            "create_sampling_session": self._create_sampling_session,
            "asample": self._sample,
            "cancel_future": lambda _: {},
        }

    @property
    def base_url(self) -> str:
        """Where it is, as the SDK wants it."""
        return f"{self.url}/services/tinker"

    def end_sessions(self) -> None:
        """Forget every session, as a service that was restarted does."""
        self._sessions.clear()

    # What is asked --------------------------------------------------------------------------------

    def reply(self, request: HttpRequest) -> HttpResponse:
        """Answer a request."""
        path = request.path.removeprefix("/services/tinker")
        if path.startswith("/oai/api/v1/"):
            return self._chat(path.removeprefix("/oai/api/v1/"), request)
        if self._key is not None and request.headers.get("x-api-key") != self._key:
            return self.refusal(401, "The API key is not valid.")
        if not path.startswith("/api/v1/"):
            return self.refusal(404, f"Nothing is at {path}.")
        name = path.removeprefix("/api/v1/")
        try:
            if name == "forward_backward":
                return json_response(self._forward_backward(_body(request)))
            if request.method == "GET":
                return json_response(self._get(name))
            given = msgspec.json.decode(_body(request)) if request.body else {}
            if name == "retrieve_future":
                return self._retrieve(str(given["request_id"]))
            if name.startswith("sessions/") and name.endswith("/finish"):
                self._sessions.discard(name.split("/")[1])
                return json_response({})
            if name not in self._posts:
                return self.refusal(404, f"Nothing is at {path}.")
            return json_response(self._posts[name](given))
        except _Gone as error:
            return self.refusal(error.status, str(error))

    def refusal(self, status: int, words: str) -> HttpResponse:
        """An error as the service words it."""
        return json_response({"detail": words}, status)

    def _get(self, name: str) -> Any:
        if name == "get_server_capabilities":
            known = [{"model_name": one, "max_context_length": _CONTEXT, "trainable": True}
                     for one in self.models]  # fmt: skip
            return {"supported_models": known}
        if name == "healthz":
            return {"status": "ok"}
        kind, _, identity = name.partition("/")
        if kind == "samplers" and identity in self._samplers:
            base, path, _ = self._samplers[identity]
            return {"sampler_id": identity, "base_model": base, "model_path": path}
        raise _Gone(404, f"There is no {name}.")

    # Sessions and models --------------------------------------------------------------------------

    def _create_session(self, _: dict[str, Any]) -> Any:
        session = f"session-{len(self._origin) + len(self._sessions) + 1}-{len(self.seen)}"
        self._sessions.add(session)
        return {"type": "create_session", "session_id": session}

    def _heartbeat(self, given: dict[str, Any]) -> Any:
        self._alive(given["session_id"], "session_heartbeat")
        return {"type": "session_heartbeat"}

    def _alive(self, session: str, path: str) -> None:
        if self.fault(path, "session"):
            self._sessions.discard(session)
        if session not in self._sessions:
            raise _Gone(410, f"Session {session} has ended.")

    def _training(self, given: dict[str, Any], path: str) -> _Training:
        found = self._trainings.get(str(given["model_id"]))
        if found is None:
            raise _Gone(404, f"There is no model {given['model_id']}.")
        self._alive(found.session, path)
        return found

    def _create_model(self, given: dict[str, Any]) -> Any:
        self._alive(given["session_id"], "create_model")
        base = given["base_model"]
        if base not in self.models:
            raise _Gone(400, f"There is no base model {base!r}.")
        identity = f"{given['session_id']}:train:{given['model_seq_id']}"

        def made() -> Any:
            rank = int((given.get("lora_config") or {}).get("rank", 32))
            self._trainings[identity] = _Training(
                base, given["session_id"], self._base(base).copy(), rank
            )
            return {"type": "create_model", "model_id": identity}

        return self._once(f"{identity}:create", "create_model", made)

    def _load_weights(self, given: dict[str, Any]) -> Any:
        self._alive(given["session_id"], "load_weights")
        path = given["path"]
        if path not in self.saved:
            raise _Gone(404, f"There is no checkpoint {path}.")
        identity = f"{given['session_id']}:train:{given['model_seq_id']}"

        def made() -> Any:
            model = self.saved[path].copy(with_optimizer=given["optimizer"])
            base = self._origin[path]
            self._trainings[identity] = _Training(base, given["session_id"], model, 32)
            return {"type": "load_weights", "model_id": identity, "path": path}

        return self._once(f"{identity}:create", "load_weights", made)

    def _get_info(self, given: dict[str, Any]) -> Any:
        found = self._training(given, "get_info")
        about = {"model_name": found.base, "tokenizer_id": self.models[found.base]}
        return {
            "type": "get_info",
            "model_data": about,
            "model_id": given["model_id"],
            "is_lora": True,
            "lora_rank": found.rank,
            "model_name": found.base,
        }

    # Training -------------------------------------------------------------------------------------

    def _forward_backward(self, body: bytes) -> Any:
        model_id, number, loss, examples = examples_of(body)
        found = self._training({"model_id": model_id}, "forward_backward")
        if loss not in ("importance_sampling", "ppo"):
            raise _Gone(400, f"There is no loss {loss!r}.")

        def made() -> bytes:
            whole, logprobs = found.model.learn(examples, loss)
            return gradient_bytes(whole, logprobs)

        return self._once(f"{model_id}:{number}", "forward_backward", made)

    def _optim_step(self, given: dict[str, Any]) -> Any:
        found = self._training(given, "optim_step")
        adam = given["adam_params"]

        def made() -> Any:
            length = found.model.step(
                rate=adam["learning_rate"], beta1=adam["beta1"], beta2=adam["beta2"],
                eps=adam["eps"],
            )  # fmt: skip
            self.updates.append(found.model.updates)
            return {"metrics": {"unclipped_grad_l2:mean": length}, "type": "optim_step"}

        return self._once(f"{given['model_id']}:{given['seq_id']}", "optim_step", made)

    def _save_weights(self, given: dict[str, Any]) -> Any:
        return self._save(given, "save_weights", "weights")

    def _save_for_sampler(self, given: dict[str, Any]) -> Any:
        if given.get("path") is not None:
            return self._save(given, "save_weights_for_sampler", "sampler_weights")
        found = self._training(given, "save_weights_for_sampler")
        identity = f"{found.session}:sample:{given['sampling_session_seq_id']}"

        def made() -> Any:
            self._samplers[identity] = (found.base, None, found.model.copy())
            return {"type": "save_weights_for_sampler", "sampling_session_id": identity}

        key = f"{given['model_id']}:{given['seq_id']}"
        return self._once(key, "save_weights_for_sampler", made)

    def _save(self, given: dict[str, Any], name: str, folder: str) -> Any:
        found = self._training(given, name)
        path = f"tinker://{given['model_id']}/{folder}/{given['path']}"

        def made() -> Any:
            self.saved[path], self._origin[path] = found.model.copy(), found.base
            return {"type": name, "path": path}

        return self._once(f"{given['model_id']}:{given['seq_id']}", name, made)

    # Sampling -------------------------------------------------------------------------------------

    def _create_sampling_session(self, given: dict[str, Any]) -> Any:
        self._alive(given["session_id"], "create_sampling_session")
        identity = f"{given['session_id']}:sample:{given['sampling_session_seq_id']}"
        base, model = self._named(given.get("model_path") or given.get("base_model") or "")
        self._samplers[identity] = (base, given.get("model_path"), model.copy())
        return {"type": "create_sampling_session", "sampling_session_id": identity}

    def _named(self, name: str) -> tuple[str, TokenModel]:
        if name in self.saved:
            return self._origin[name], self.saved[name]
        if name in self.models:
            return name, self._base(name)
        raise _Gone(404, f"There is no model {name!r}.")

    def _sample(self, given: dict[str, Any]) -> Any:
        identity = given["sampling_session_id"]
        self._alive(identity.partition(":")[0], "asample")
        base, _, model = self._samplers[identity]
        key = f"{identity}:{given['seq_id']}"
        times = int(given.get("num_samples", 1))

        def made() -> bytes:
            how = given["sampling_params"]
            prompt = [token for chunk in given["prompt"]["chunks"] for token in chunk["tokens"]]
            stop = how.get("stop")
            found = model.sample(
                prompt[-1],
                times=times,
                most=how.get("max_tokens") or _CONTEXT - len(prompt),
                temperature=how["temperature"],
                stop={self._tokenizer(base).eos_token_id} if stop is None else set(stop),
                chance=self._chance(key),
            )
            return samples_bytes(found)

        answer = self._once(key, "asample", made)
        return answer | {"sample_sequence_ids": [f"{key}:{i}" for i in range(times)]}

    def _chance(self, key: str) -> np.random.Generator:
        return np.random.default_rng(int(share(self._seed, key) * 2**53))

    # Futures --------------------------------------------------------------------------------------

    def _once(self, key: str, name: str, work: Callable[[], Any]) -> dict[str, Any]:
        """A future of work that is done now, and once however often it is asked for."""
        if key not in self._futures:
            made = work()
            waits = _SLOW_LOOKS if self.fault(name, "slow") else 0
            if isinstance(made, bytes):
                self._futures[key] = _Future(made, _PROTO, waits)
            else:
                self._futures[key] = _Future(msgspec.json.encode(made), "application/json", waits)
        return {"request_id": key}

    def _retrieve(self, key: str) -> HttpResponse:
        found = self._futures.get(key)
        if found is None:
            raise _Gone(404, f"There is no future {key}.")
        if found.waits:
            found.waits -= 1
            again = {"type": "try_again", "request_id": key, "queue_state": "active"}
            return json_response(again, after_s=self._look_s)
        return HttpResponse(body=found.body, content_type=found.kind)

    # Models ---------------------------------------------------------------------------------------

    def _base(self, name: str) -> TokenModel:
        if name not in self._bases:
            self._bases[name] = TokenModel(len(self._tokenizer(name)), seed=self._seed)
        return self._bases[name]

    def _tokenizer(self, name: str) -> Any:
        if name not in self._vocabularies:
            from transformers import AutoTokenizer  # noqa: PLC0415 - heavy

            self._vocabularies[name] = AutoTokenizer.from_pretrained(self.models[name])
        return self._vocabularies[name]

    # The protocol of OpenAI -----------------------------------------------------------------------

    def _chat(self, name: str, request: HttpRequest) -> HttpResponse:
        if self._key is not None and request.headers.get("authorization") != f"Bearer {self._key}":
            return self.refusal(401, "The API key is not valid.")
        if name == "models":
            listed = [{"id": one, "object": "model"} for one in (*self.models, *self.saved)]
            return json_response({"object": "list", "data": listed})
        if name != "chat/completions":
            return self.refusal(404, f"Nothing is at {name}.")
        given = msgspec.json.decode(request.body)
        try:
            base, model = self._named(given["model"])
        except _Gone as error:
            return self.refusal(error.status, str(error))
        chance = self._chance(request.body.decode())
        return json_response(chat_completion(self._tokenizer(base), model, given, chance))


def _body(request: HttpRequest) -> bytes:
    if request.headers.get("content-encoding") == "zstd":
        return zstandard.ZstdDecompressor().decompress(request.body)
    return request.body
