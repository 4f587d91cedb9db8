"""Weights of a language model in memory: loaded once, lent to every policy that needs them."""

from __future__ import annotations

import contextlib
import secrets
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from rft_widgets.errors import ExtraRequired, InvalidArgument, NoCandidate, RftError
from rft_widgets.trainers.language.chat import Chat
from rft_widgets.trainers.language.sampling import Sampling

Hear = Callable[[Sequence[int]], None]
"""Given all tokens of an answer so far, after each of them."""


class Generated(Struct, frozen=True, kw_only=True):
    """One answer: its tokens without those that mark its end, its text, and how it ended.

    ``tokens`` counts all that were made for it.
    """

    ids: tuple[int, ...]
    text: str
    finish_reason: str
    tokens: int


class Weights:
    """A model with its tokenizer; the parts are loaded when they are needed first.

    Several threads may use it; one of them generates at a time. ``source`` is a folder or a name
    of the hub, and ``tokenizer`` another one whose tokenizer is taken if it has none.
    """

    def __init__(self, source: str, tokenizer: str) -> None:
        self.source = source
        self.users = 0
        self._other = tokenizer
        self._lock = threading.RLock()
        self._ends = threading.Event()
        self._chat: Chat | None = None
        self._model: Any = None
        self._adapters: dict[Path, str] = {}
        self._end_ids: frozenset[int] = frozenset()

    # Loading -------------------------------------------------------------------------------------

    @property
    def chat(self) -> Chat:
        """How conversations are written to it."""
        with self._lock:
            if self._chat is None:
                transformers = _transformers()
                own = Path(self.source) / "tokenizer_config.json"
                has_own = not Path(self.source).is_dir() or own.is_file()
                where = self.source if has_own else self._other
                with self._loading(where):
                    read = transformers.AutoTokenizer.from_pretrained(where, padding_side="left")
                if read.pad_token_id is None:
                    read.pad_token = read.eos_token
                self._chat = Chat(read, where)
            return self._chat

    def load(self, adapter: Path | None = None) -> Any:
        """Load the model, and an adapter onto it, which is then the one at work.

        Raises
        ------
        InvalidArgument
            They cannot be loaded.
        ExtraRequired
            A package is missing.
        """
        with self._lock:
            if self._model is None:
                transformers = _transformers()
                import torch  # noqa: PLC0415 - heavy

                is_cuda = torch.cuda.is_available()
                placed = {"device_map": "auto"} if is_cuda else {}
                with self._loading(self.source):
                    self._model = transformers.AutoModelForCausalLM.from_pretrained(
                        self.source,
                        # Half precision is what a GPU is fast at, and a processor slow.
                        dtype="auto" if is_cuda else torch.float32,
                        **placed,
                    ).eval()
                self._end_ids = self._ends_of(self._model.generation_config.eos_token_id)
                # What a model comes with, such as a penalty, is for chatting with it, and would
                # be mixed into every setting that is not given. What is measured is the model.
                self._model.generation_config = transformers.GenerationConfig()
            if adapter is not None:
                self._set_adapter(adapter)
            return self._model

    @property
    def device(self) -> str:
        """Where the model is, in words; loads it."""
        import torch  # noqa: PLC0415 - heavy

        device = self.load().device
        if device.type == "cuda":
            return str(torch.cuda.get_device_name(device))
        return str(device.type).upper()

    def unload(self) -> None:
        """Give the memory back, once what is generated has been ended."""
        self._ends.set()
        with self._lock:
            is_loaded = self._model is not None
            self._model, self._chat, self._adapters = None, None, {}
            if is_loaded:
                _free()

    def _set_adapter(self, adapter: Path) -> None:
        try:
            from peft import PeftModel  # noqa: PLC0415 - heavy
        except ImportError as error:
            raise ExtraRequired(
                "A LoRA adapter is answered with by the peft package, which is not installed.",
                hint="Install it with: pip install 'rft-widgets[trl]'",
            ) from error
        if adapter not in self._adapters:
            name = f"adapter_{len(self._adapters)}"
            with self._loading(str(adapter)):
                if self._adapters:
                    self._model.load_adapter(str(adapter), adapter_name=name)
                else:
                    self._model = PeftModel.from_pretrained(
                        self._model, str(adapter), adapter_name=name
                    ).eval()
            self._adapters[adapter] = name
        self._model.set_adapter(self._adapters[adapter])

    @contextlib.contextmanager
    def _loading(self, what: str) -> Iterator[None]:
        """Say in words why something cannot be loaded; without bars of progress."""
        from transformers.utils import logging  # noqa: PLC0415 - heavy

        shows = logging.is_progress_bar_enabled()
        logging.disable_progress_bar()
        try:
            yield
        except (OSError, ValueError, RuntimeError, KeyError) as error:
            first = str(error).strip().partition("\n")[0]
            raise InvalidArgument(
                f"The model {what} cannot be loaded: {first}",
                hint="Is it a language model as transformers writes it, and is there memory?",
            ) from error
        finally:
            if shows:
                logging.enable_progress_bar()

    # Generating ----------------------------------------------------------------------------------

    def generate(
        self,
        prompts: Sequence[Sequence[int]],
        adapter: Path | None,
        *,
        sampling: Sampling,
        max_new_tokens: int,
        hear: Hear | None = None,
        stopped: Callable[[], bool] = bool,
    ) -> list[Generated]:
        """Answer prompts together; see `LanguagePolicy.respond`.

        A batch that the memory does not do for is halved.

        Raises
        ------
        NoCandidate
            A prompt leaves no room for an answer.
        """
        if not prompts:
            return []
        with self._lock:
            if self._ends.is_set():
                raise InvalidArgument("The policy is closed.", hint="Open it again.")
            model = self.load(adapter)
            import torch  # noqa: PLC0415 - heavy

            wanted = sampling.max_tokens or max_new_tokens
            most = min(self.room(len(prompt), wanted) for prompt in prompts)
            try:
                with self._without(adapter), torch.inference_mode(), _seeded(sampling):
                    rows = self._rows(model, prompts, most, sampling, hear, stopped)
            except torch.OutOfMemoryError:
                if len(prompts) == 1:
                    raise RftError(
                        "The memory of the GPU does not do for an answer to this prompt.",
                        hint="End what else is at work on it, or take a smaller model.",
                    ) from None
                rows = None
            if self._ends.is_set():
                raise InvalidArgument("The policy was closed meanwhile.", hint="Open it again.")
            if rows is not None:
                return [self._generated(row, most, sampling) for row in rows]
            _free()
            half = len(prompts) // 2
            return [
                one
                for part in (prompts[:half], prompts[half:])
                for one in self.generate(
                    part, adapter, sampling=sampling, max_new_tokens=max_new_tokens
                )
            ]

    def _rows(
        self,
        model: Any,
        prompts: Sequence[Sequence[int]],
        most: int,
        sampling: Sampling,
        hear: Hear | None,
        stopped: Callable[[], bool],
    ) -> list[list[int]]:
        """Tokens that are added to prompts, which are filled up on the left to one length."""
        import torch  # noqa: PLC0415 - heavy
        from transformers import GenerationConfig, StoppingCriteriaList  # noqa: PLC0415

        longest = max(map(len, prompts))
        pad = self.chat.tokenizer.pad_token_id
        ids = torch.tensor([[pad] * (longest - len(one)) + list(one) for one in prompts])
        mask = torch.tensor([[0] * (longest - len(one)) + [1] * len(one) for one in prompts])

        def hears(tokens: Any, *_: Any, **__: Any) -> Any:
            """Called after each token; says for which answers it was the last one."""
            if hear is not None:
                hear(self._before_end(tokens[0, longest:].tolist()))
            is_over = self._ends.is_set() or stopped()
            ends = [is_over or self._stops(row[longest:].tolist(), sampling.stop) for row in tokens]
            return torch.tensor(ends, device=tokens.device)

        drawn: dict[str, Any] = {"do_sample": False}
        if sampling.temperature > 0:
            drawn = {
                "do_sample": True, "temperature": sampling.temperature,
                "top_p": sampling.top_p, "top_k": 0,
            }  # fmt: skip
        settings = GenerationConfig(
            max_new_tokens=most, pad_token_id=pad, eos_token_id=sorted(self._end_ids), **drawn
        )
        found = model.generate(
            input_ids=ids.to(model.device),
            attention_mask=mask.to(model.device),
            generation_config=settings,
            stopping_criteria=StoppingCriteriaList([hears]),
        )
        rows: list[list[int]] = found[:, longest:].tolist()
        return rows

    def _generated(self, row: Sequence[int], most: int, sampling: Sampling) -> Generated:
        ids = self._before_end(row)
        text = self.chat.text(ids)
        stops = [place for stop in sampling.stop if (place := text.find(stop)) >= 0]
        has_ended = len(ids) < len(row) or bool(stops)
        return Generated(
            ids=tuple(ids),
            text=text[: min(stops)] if stops else text,
            finish_reason="stop" if has_ended or len(row) < most else "length",
            tokens=min(len(row), len(ids) + (len(ids) < len(row))),
        )

    def _before_end(self, row: Sequence[int]) -> list[int]:
        end = next((place for place, one in enumerate(row) if one in self._end_ids), len(row))
        return list(row[:end])

    def _stops(self, row: Sequence[int], stop: Sequence[str]) -> bool:
        if not stop:
            return False
        # A token is at least a byte, so the last one is in the text of so many.
        tail = self.chat.text(row[-4 * max(map(len, stop)) - 4 :])
        return any(one in tail for one in stop)

    def _ends_of(self, said: Any) -> frozenset[int]:
        """Tokens that end an answer."""
        ends = set(said) if isinstance(said, list) else {said}
        return frozenset((ends | {self.chat.tokenizer.eos_token_id}) - {None})

    def room(self, prompt: int, wanted: int) -> int:
        """Most tokens of an answer to a prompt of so many.

        Raises
        ------
        NoCandidate
            There is no room for any.
        """
        config = self.load().config
        context = getattr(config, "max_position_embeddings", None) or prompt + wanted
        if prompt >= context:
            raise NoCandidate(
                f"The prompt has {prompt:,} tokens; the model reads {context:,} with the answer.",
                hint="Leave such records out, or train a model that reads more.",
            )
        return int(min(wanted, context - prompt))

    def _without(self, adapter: Path | None) -> contextlib.AbstractContextManager[Any]:
        """The base model alone, where no adapter is asked."""
        if adapter is None and self._adapters:
            found: contextlib.AbstractContextManager[Any] = self._model.disable_adapter()
            return found
        return contextlib.nullcontext()


# Lending -----------------------------------------------------------------------------------------

_lent: dict[str, Weights] = {}
_lending = threading.Lock()


def borrow(source: str, *, tokenizer: str | None = None) -> Weights:
    """The weights of a folder or of a name of the hub, the same ones to all; `give_back` them."""
    key = str(Path(source).resolve()) if Path(source).is_dir() else source
    with _lending:
        found = _lent.setdefault(key, Weights(key, tokenizer or key))
        found.users += 1
        return found


def give_back(weights: Weights) -> None:
    """Say that weights are not needed any more; the last one frees the memory."""
    with _lending:
        weights.users -= 1
        if weights.users:
            return
        _lent.pop(weights.source, None)
    weights.unload()


def _free() -> None:
    import gc  # noqa: PLC0415
    import sys  # noqa: PLC0415

    gc.collect()
    if "torch" in sys.modules:
        import torch  # noqa: PLC0415 - loaded already

        if torch.cuda.is_available():
            torch.cuda.empty_cache()


@contextlib.contextmanager
def _seeded(sampling: Sampling) -> Iterator[None]:
    """Draw as the seed says, and leave the process's own chance as it was."""
    if sampling.temperature == 0:
        yield
        return
    import torch  # noqa: PLC0415 - heavy

    with torch.random.fork_rng():
        torch.manual_seed(secrets.randbits(63) if sampling.seed is None else sampling.seed)
        yield


def _transformers() -> Any:
    try:
        import torch  # noqa: F401, PLC0415 - heavy
        import transformers  # noqa: PLC0415
    except ImportError as error:
        raise ExtraRequired(
            "Language models answer by torch and transformers, which are not installed.",
            hint="Install them with: pip install 'rft-widgets[trl]'",
        ) from error
    return transformers
