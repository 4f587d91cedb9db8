"""A trained language model that answers with weights on this machine, by `transformers`."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby, islice
from pathlib import Path

from msgspec import Struct

from rft_widgets.errors import InvalidArgument, NoCandidate
from rft_widgets.model.llm import ModelUsage
from rft_widgets.model.message import Message, Tool
from rft_widgets.model.record import RecordInput
from rft_widgets.trainers.base import PolicyAnswer, PolicyPlace, Upstream
from rft_widgets.trainers.language.sampling import GREEDY, Sampling
from rft_widgets.trainers.language.stream import VisibleText
from rft_widgets.trainers.language.vllm import VllmServer, find_vllm
from rft_widgets.trainers.language.weights import Generated, Weights, borrow, give_back

MAX_NEW_TOKENS = 512
BATCH_SIZE = 16
_WINDOW_BATCHES = 8
"""Batches whose prompts are sorted together: answers come after so many at the latest."""

LOG_NAME = "vllm.log"
"""File of a run's folder with what vLLM said."""
ADAPTER_FILE = "adapter_config.json"
"""What a folder with a LoRA adapter has, and one with a whole model has not."""


def open_language_policy(
    base: str,
    trained: str | Path | None,
    place: PolicyPlace | None = None,
    *,
    max_new_tokens: int = MAX_NEW_TOKENS,
    batch_size: int = BATCH_SIZE,
) -> LanguagePolicy:
    """Make a trained language model ready to answer; its weights are loaded when it is asked.

    Parameters
    ----------
    base
        The model that was trained: a folder as `transformers` writes them, or a name of the hub.
    trained
        What came of it: a folder with a whole model or with a LoRA adapter, under the folder of
        ``place`` unless it is absolute; ``None`` for the base model itself.
    place
        Where the run is; not needed for an absolute folder.
    max_new_tokens
        Most tokens of an answer, as in the training.
    batch_size
        Prompts that are answered at a time by `LanguagePolicy.respond_many`, at most.

    Raises
    ------
    InvalidArgument
        There is no such folder.
    """
    folder = log = None
    if place is not None:
        log = place.folder / LOG_NAME
    if trained is not None:
        folder = Path(trained) if place is None else place.folder / trained
        if not folder.is_dir():
            raise InvalidArgument(
                f"The trained model is not there any more: {folder} is missing.",
                hint="Choose another checkpoint, or train again.",
            )
    return LanguagePolicy(
        base, folder, max_new_tokens=max_new_tokens, batch_size=batch_size, log=log
    )


class LanguagePolicy:
    """Answers prompts with a trained language model; made by `open_language_policy`.

    Policies of the same weights share them while several are open, and LoRA adapters share their
    base model. `close` gives the memory back when the last one of them is closed.
    """

    def __init__(
        self,
        base: str,
        trained: Path | None,
        *,
        max_new_tokens: int = MAX_NEW_TOKENS,
        batch_size: int = BATCH_SIZE,
        log: Path | None = None,
    ) -> None:
        self.base = base
        self.trained = trained
        self.max_new_tokens = max_new_tokens
        self.batch_size = batch_size
        self.is_adapter = trained is not None and (trained / ADAPTER_FILE).is_file()
        self._reference = borrow(base)
        self._tuned = borrow(
            base if trained is None or self.is_adapter else str(trained.resolve()),
            # A trainer writes the tokenizer beside what it trained.
            tokenizer=base,
        )
        self._log = log or (trained or Path()) / LOG_NAME
        self._server: VllmServer | None = None
        self._is_closed = False

    @property
    def upstream(self) -> Upstream | None:
        """Where vLLM serves it, once `serve` has had that started; else it answers here."""
        return None if self._server is None else self._server.upstream

    @property
    def served_by(self) -> str:
        """What answers, in words: vLLM, or transformers on a device, whose model is loaded."""
        if self._server is not None:
            return "vLLM on this machine"
        return f"transformers on this machine ({self._tuned.device})"

    @property
    def takes_tools(self) -> bool:
        """Whether tools can be offered, and the calls of them read; loads the model's tokenizer."""
        return self._weights(reference=False).chat.takes_tools

    def is_alive(self) -> bool:
        """Whether what serves it is at work; where it answers here, that is always so."""
        return self._server is None or self._server.is_running

    def load(self, *, reference: bool = False) -> None:
        """Load the weights now, instead of when they are asked.

        Raises
        ------
        InvalidArgument
            They cannot be loaded.
        """
        self._weights(reference=reference).load(self._adapter(reference=reference))

    def serve(self, *, needs_base: bool, cancelled: Callable[[], bool] = bool) -> None:
        """Get ready for many requests: by vLLM where that is to be had, else by loading weights.

        Parameters
        ----------
        needs_base
            Whether the model from before is asked, too.
        cancelled
            Asked while vLLM starts.

        Raises
        ------
        InvalidArgument, ServingFailed, RunInterrupted
            It cannot be loaded or started, or it was stopped meanwhile.
        """
        vllm = None if self.trained is None else find_vllm()
        if vllm is None or self.trained is None:
            self.load()
        elif self._server is None:
            chat = self._weights(reference=False).chat
            self._server = VllmServer(
                vllm,
                self.base,
                self.trained,
                is_adapter=self.is_adapter,
                log=self._log,
                writes_calls_in_tags=chat.takes_tools and chat.calls == "tags",
                shares_gpu=needs_base and not self.is_adapter,
            )
            self._server.start(cancelled=cancelled)
        if needs_base and (self.upstream is None or self.upstream.base_model is None):
            self.load(reference=True)

    def respond(
        self,
        messages: Sequence[Message],
        tools: Sequence[Tool] = (),
        *,
        reference: bool = False,
        sampling: Sampling = GREEDY,
        on_text: Callable[[str], object] | None = None,
        stopped: Callable[[], bool] = bool,
    ) -> PolicyAnswer:
        """Answer a prompt.

        Parameters
        ----------
        messages, tools
            The conversation so far, and what may be called. Tools are left out where the model's
            chat template has no place for them; see `takes_tools`.
        reference
            Whether the model from before the training answers.
        sampling
            How tokens are chosen.
        on_text
            Given the text of the answer piece by piece, as it comes.
        stopped
            Asked after every token; the answer so far is given when it says so.

        Raises
        ------
        NoCandidate
            The prompt is too long for the model, or holds something that it cannot read.
        """
        weights = self._weights(reference=reference)
        asked = RecordInput(tuple(messages), tuple(tools))
        prompt = weights.chat.prompt(asked)
        shown = None if on_text is None else VisibleText(weights.chat, asked, sampling.stop)

        def hear(ids: Sequence[int]) -> None:
            if shown is not None and on_text is not None:
                piece = shown.take(ids)
                if piece:
                    on_text(piece)

        began = time.perf_counter()
        (found,) = weights.generate(
            [prompt],
            self._adapter(reference=reference),
            sampling=sampling,
            max_new_tokens=self.max_new_tokens,
            hear=None if on_text is None else hear,
            stopped=stopped,
        )
        answer = self._answer(weights, asked, prompt, found, time.perf_counter() - began)
        if shown is not None and on_text is not None:
            rest = shown.rest(answer.message.text)
            if rest:
                on_text(rest)
        return answer

    def respond_many(
        self, prompts: Sequence[RecordInput], *, reference: bool = False
    ) -> Iterator[PolicyAnswer | None]:
        """Answer prompts in their order, greedily, ``batch_size`` at a time, long ones first.

        ``None`` stands for one that cannot be asked. The seconds of an answer are its share of
        those of its batch.
        """
        weights = self._weights(reference=reference)
        waiting = iter(prompts)
        while window := list(islice(waiting, _WINDOW_BATCHES * self.batch_size)):
            yield from self._window(weights, window, reference=reference)

    def close(self) -> None:
        """Give the memory back, unless another policy uses the same weights."""
        if not self._is_closed:
            self._is_closed = True
            if self._server is not None:
                self._server.stop()
            give_back(self._tuned)
            give_back(self._reference)

    def _window(
        self, weights: Weights, window: Sequence[RecordInput], *, reference: bool
    ) -> Iterator[PolicyAnswer | None]:
        asked: list[_Asked] = []
        for place, one in enumerate(window):
            with contextlib.suppress(NoCandidate):
                prompt = weights.chat.prompt(one)
                room = weights.room(len(prompt), self.max_new_tokens)
                asked.append(_Asked(place, one, prompt, room))
        # One batch is filled up to its longest prompt, so prompts of a length go together. If the
        # memory does not do for the longest ones, that shows at once.
        asked.sort(key=lambda one: (one.room, -len(one.prompt)))
        answers: dict[int, PolicyAnswer] = {}
        for batch in _batches(asked, self.batch_size):
            began = time.perf_counter()
            found = weights.generate(
                [one.prompt for one in batch],
                self._adapter(reference=reference),
                sampling=GREEDY,
                max_new_tokens=self.max_new_tokens,
            )
            share_s = (time.perf_counter() - began) / len(batch)
            for member, generated in zip(batch, found, strict=True):
                answers[member.place] = self._answer(
                    weights, member.asked, member.prompt, generated, share_s
                )
        for place in range(len(window)):
            yield answers.get(place)

    def _weights(self, *, reference: bool) -> Weights:
        if self._is_closed:
            raise InvalidArgument("The policy is closed.", hint="Open it again with policy().")
        return self._reference if reference else self._tuned

    def _adapter(self, *, reference: bool) -> Path | None:
        return self.trained if self.is_adapter and not reference else None

    def _answer(
        self,
        weights: Weights,
        asked: RecordInput,
        prompt: Sequence[int],
        found: Generated,
        seconds: float,
    ) -> PolicyAnswer:
        message = weights.chat.answer(found.ids, prompt, asked.tools, found.text)
        return PolicyAnswer(
            message=message,
            finish_reason="tool_calls" if message.tool_calls else found.finish_reason,
            usage=ModelUsage(prompt_tokens=len(prompt), completion_tokens=found.tokens),
            seconds=seconds,
        )


class _Asked(Struct, frozen=True):
    place: int
    asked: RecordInput
    prompt: list[int]
    room: int


def _batches(asked: Sequence[_Asked], size: int) -> Iterator[Sequence[_Asked]]:
    """Batches whose prompts leave room for as many tokens."""
    for _, alike in groupby(asked, key=lambda one: one.room):
        some = list(alike)
        yield from (some[start : start + size] for start in range(0, len(some), size))
