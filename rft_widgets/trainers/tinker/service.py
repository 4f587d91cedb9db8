"""The service as a run uses it: by the SDK ``tinker``, or Together's of the same shape.

Whatever goes wrong there comes out as an error of ours: `ServiceUnreachable` where it is worth to
begin again from the last saved state, any other one where it is not.
"""

from __future__ import annotations

import difflib
import importlib
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, TypeVar
from urllib.error import HTTPError

from rft_widgets.errors import ExtraRequired, InvalidArgument, RftError
from rft_widgets.model.connection import NamedConnection
from rft_widgets.trainers.tinker.failures import explained, words_of
from rft_widgets.trainers.tinker.groups import Example, loss_inputs
from rft_widgets.trainers.tinker.settings import TinkerHyperparameters
from rft_widgets.web import checked_base_url, direct_opener

T = TypeVar("T")

MODULES = {"tinker": "tinker", "together": "together.post_training.tinker"}
INSTALL = {
    "tinker": "Install it with: pip install 'rft-widgets[tinker]'",
    "together": "Install it with: pip install 'together[tinker]'",
}
SERVING_PATH = "/oai/api/v1"
"""Where the service speaks the OpenAI protocol, after its own address."""

STATE_DAYS = 7
_PROBE_S = 10.0
_TICK_S = 0.1
_CLOSE_S, _GIVE_BACK_S = 3.0, 120.0
_NO_KEY = "tml-none"
"""Sent to a service that wants none; the SDK takes no other form."""


def service_url(connection: NamedConnection) -> str:
    """Address of the service, whether a connection names it or where it serves models.

    Raises
    ------
    InvalidArgument
        It is not one that a key may be sent to.
    """
    return checked_base_url(connection.connection.base_url).removesuffix(SERVING_PATH)


def key_of(connection: NamedConnection, sdk: str) -> str:
    """The key, read when it is needed.

    Raises
    ------
    InvalidArgument
        It is not set, or the SDK would not take it.
    """
    name = connection.connection.api_key_env
    if name is None:
        return _NO_KEY
    key = os.environ.get(name)
    if not key:
        raise InvalidArgument(
            f"The environment variable {name}, which holds the key, is not set.",
            hint="Set it where this process starts.",
        )
    if sdk == "tinker" and not key.startswith(("tml-", "eyJ")):
        raise InvalidArgument(
            f"The key in {name} is none of this service: they begin with 'tml-'.",
            hint="For a server of your own that wants none, any key in that form will do.",
        )
    return key


class Session:
    """One session at the service, with the model that is trained in it.

    Parameters
    ----------
    connection
        Where the service is.
    base_model
        The model to train.
    settings
        Of the run.
    path
        The saved state to go on from; empty to begin anew.
    hear
        Called about ten times a second while something is waited for; raises to stop that.
    log
        Told what whoever looks at the run should know.
    """

    def __init__(
        self,
        connection: NamedConnection,
        base_model: str,
        settings: TinkerHyperparameters,
        *,
        path: str,
        hear: Callable[[], None],
        log: Callable[[str], None],
    ) -> None:
        self._settings, self._hear = settings, hear
        self._is_tinker = settings.sdk == "tinker"
        self._key = key_of(connection, settings.sdk)
        self._where = {"base_url": service_url(connection), "api_key": self._key}
        self._sdk = _loaded(settings.sdk)
        self._base_model = base_model
        self._service: Any = None
        self._trainer: Any = None
        self.context: int | None = None
        """Most tokens of prompt and answer together; ``None`` where the service does not say."""
        try:
            if self._is_tinker and (words := self._call(self._silence)):
                log(words)
            self._service = self._sdk.ServiceClient(**self._where)
            self._trainer = self._opened(path)
        except Exception as error:  # noqa: BLE001 - what the SDKs raise has no common base
            explained = self._explained(error, opening=True)
            if words := self.close("errored"):
                log(words)
            raise explained from None

    def _opened(self, path: str) -> Any:
        if self._is_tinker:
            self._check_base_model()
        if path:
            again = self._service.create_training_client_from_state_with_optimizer
            return self._call(lambda: again(path))
        create = self._service.create_lora_training_client
        return self._call(
            lambda: create(base_model=self._base_model, rank=self._settings.lora_rank)
        )

    def _silence(self) -> str:
        """That nothing answers there, in words; empty if something does.

        The SDK tries a service that is not there for minutes before it says so.
        """
        url = self._where["base_url"] + "/api/v1/healthz"
        try:
            direct_opener().open(url, timeout=_PROBE_S).close()
        except HTTPError as error:
            error.close()  # an answer, whatever it says
        except OSError as error:
            return f"Nothing answers at {self._where['base_url']} yet: {error}. It is tried on."
        return ""

    def _check_base_model(self) -> None:
        """Refuse a model that the service does not train, where it says which ones it does."""

        def asked() -> Any:
            rest = getattr(self._sdk, "RestClient", None)  # older SDKs have none of their own
            whom = self._service if rest is None else rest(**self._where)
            return whom.get_server_capabilities()

        try:
            found = self._call(asked)
        except self._sdk.NotFoundError:
            return  # a server of the same protocol that has no list
        models = {one.model_name: one for one in found.supported_models}
        known = [
            name
            for name, one in models.items()
            if name and getattr(one, "trainable", None) is not False
        ]
        if self._base_model in known:
            self.context = getattr(models[self._base_model], "max_context_length", None)
        elif known:
            close = difflib.get_close_matches(self._base_model, known, n=1)
            raise InvalidArgument(
                f"The service does not train {self._base_model!r}.",
                hint=f"Did you mean {close[0]!r}?" if close else f"It trains: {', '.join(known)}.",
            )

    def close(self, status: str) -> str:
        """End the session, and what was rented for it; ``status`` says how the run ended.

        Returns
        -------
        What went wrong with that, in words; empty if nothing did.
        """

        def ended() -> Any:
            if not self._is_tinker:
                return None if self._trainer is None else self._trainer.close()
            finish = getattr(self._service, "close", None)  # older SDKs stop saying they are there
            return None if finish is None else finish(status)

        try:
            done = _in_thread(ended).result(_CLOSE_S if self._is_tinker else _GIVE_BACK_S)
            if hasattr(done, "result"):
                done.result(_CLOSE_S)
        except Exception as error:  # noqa: BLE001 - as above
            rest = "It ends by itself." if self._is_tinker else "GPUs may still be rented: look."
            return f"The session could not be ended there: {self._said(error)} {rest}"
        return ""

    # What a run does ------------------------------------------------------------------------------

    def tokenizer(self) -> Any:
        """The tokenizer of the model, as the service names it.

        Raises
        ------
        RftError
            It could not be loaded.
        """
        own = getattr(self._trainer, "get_tokenizer", None)
        try:
            if own is not None:
                return own()
            from transformers import AutoTokenizer  # noqa: PLC0415 - heavy

            return AutoTokenizer.from_pretrained(self._base_model)
        except (ImportError, OSError, ValueError, RuntimeError) as error:
            raise RftError(
                f"The tokenizer of {self._base_model} could not be loaded: {self._said(error)}",
                hint="It comes from the Hugging Face hub unless it is in this machine's cache.",
            ) from None

    def sampler(self) -> Any:
        """What samples from the weights as they are now."""
        return self._do(self._trainer.save_weights_and_get_sampling_client)

    def ask(
        self,
        sampler: Any,
        prompt: Sequence[int],
        *,
        times: int,
        temperature: float,
        stop: Sequence[int],
    ) -> Any:
        """Have answers sampled; give what comes to `wait`."""
        types = self._sdk.types
        # Together takes no tokens to stop at, and ends an answer where the model does.
        ends = list(stop) if stop and self._is_tinker else None
        how = types.SamplingParams(
            max_tokens=self._settings.max_tokens, temperature=temperature, stop=ends
        )
        return sampler.sample(
            prompt=types.ModelInput.from_ints(list(prompt)), num_samples=times, sampling_params=how
        )

    def learn(self, examples: Sequence[Example]) -> tuple[Any, Any]:
        """Have a gradient computed and a step done, one right behind the other."""
        types, more = self._sdk.types, {}
        if not self._is_tinker:
            more["return_loss_fn_outputs"] = True
        data = [
            types.Datum(
                model_input=types.ModelInput.from_ints(list(one.tokens)),
                loss_fn_inputs=loss_inputs(one),
            )
            for one in examples
        ]
        adam = types.AdamParams(
            learning_rate=self._settings.learning_rate, beta1=0.9, beta2=0.95, eps=1e-8
        )
        gradient = self._trainer.forward_backward(data, self._settings.loss, **more)
        return gradient, self._trainer.optim_step(adam)

    def save_state(self, name: str) -> Any:
        """Have weights and optimizer saved, to go on from."""
        more = {"ttl_seconds": STATE_DAYS * 86_400} if self._is_tinker else {}
        return self._trainer.save_state(name, **more)

    def save_model(self, name: str) -> Any:
        """Have the weights saved for good, to be served."""
        return self._trainer.save_weights_for_sampler(name)

    def wait(self, future: Any) -> Any:
        """What came of something that was begun.

        Raises
        ------
        ServiceUnreachable, RftError
            Nothing did.
        """
        try:
            return self._waited(future)
        except Exception as error:  # noqa: BLE001 - as above
            raise self._explained(error) from None

    # How it is waited -----------------------------------------------------------------------------

    def _do(self, work: Callable[[], Any]) -> Any:
        try:
            return self._call(work)
        except Exception as error:  # noqa: BLE001 - as above
            raise self._explained(error) from None

    def _call(self, work: Callable[[], Any]) -> Any:
        """Do what may block, and wait for what came of it if that is a future, too."""
        made = self._waited(_in_thread(work))
        return self._waited(made) if hasattr(made, "result") else made

    def _waited(self, future: Any) -> Any:
        if hasattr(future, "future"):
            inner = future.future()
        else:  # Together's cannot be looked at for a moment: each look would begin anew
            inner = future if isinstance(future, Future) else _in_thread(future.result)
        while True:
            self._hear()
            try:
                return inner.result(timeout=_TICK_S)
            except TimeoutError:
                if inner.done():
                    raise  # that is how it ended

    def _explained(self, error: Exception, *, opening: bool = False) -> Exception:
        return explained(error, secret=self._key, opening=opening)

    def _said(self, error: Exception) -> str:
        return words_of(error, secret=self._key)


def _loaded(sdk: str) -> Any:
    try:
        return importlib.import_module(MODULES[sdk])
    except ImportError as error:
        raise ExtraRequired(
            f"{MODULES[sdk]} cannot be loaded: {error}.", hint=INSTALL[sdk]
        ) from None


def _in_thread(work: Callable[[], T]) -> Future[T]:
    """Begin something that blocks, in a thread that keeps no process from ending."""
    made: Future[T] = Future()

    def run() -> None:
        try:
            made.set_result(work())
        except BaseException as error:  # noqa: BLE001 - it is whoever waits that hears of it
            made.set_exception(error)

    threading.Thread(target=run, name="rft-tinker", daemon=True).start()
    return made
