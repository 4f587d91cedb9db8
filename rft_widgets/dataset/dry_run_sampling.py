"""What a dry run is asked for, and the answers that it is of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

import msgspec

from rft_widgets.dataset.asking import ModelLike
from rft_widgets.dataset.evaluating import HasEvaluation
from rft_widgets.errors import InvalidArgument
from rft_widgets.model.dry_run import DryRunConfig
from rft_widgets.model.estimate import Workload
from rft_widgets.model.record import Record
from rft_widgets.steps.dry_run import (
    Answer,
    Candidate,
    PromptSample,
    Respond,
    SampledPrompt,
    choose_sample,
    make_answers,
    rollout_workload,
    sampling,
)
from rft_widgets.store import records
from rft_widgets.store.payload import input_hash

_IDS_AT_A_TIME = 5_000


class SamplesAnswers(HasEvaluation):
    """The answers of a dry run: recorded ones, or such that a model has yet to give."""

    def _config(
        self,
        n: int,
        k: int,
        seed: int,
        model: ModelLike | None,
        temperature: float | None,
        max_tokens: int | None,
        *,
        probes: bool,
        respond: Respond | None = None,
    ) -> DryRunConfig:
        """What a new run is asked for."""
        if model is None:
            if temperature is not None or max_tokens is not None:
                raise InvalidArgument(
                    "A temperature and a number of tokens are of the answers of a model.",
                    hint="Pass model=... with them, or leave them out.",
                )
            given: Literal["recorded", "model"] = "recorded" if respond is None else "model"
            return DryRunConfig(n=n, k=k, seed=seed, probes=probes, answers=given)
        named = self.named_connection(model)
        heat, most = sampling(named.model, temperature, max_tokens)
        return DryRunConfig(
            n=n,
            k=k,
            seed=seed,
            probes=probes,
            answers="model",
            model=named.name,
            asked=named.model,
            temperature=heat,
            max_tokens=most,
        )

    def _rollout_work(self, some: Sequence[Answer], total: int, config: DryRunConfig) -> Workload:
        """What the answers of a model are expected to take, by some of the prompts."""
        inputs = list({one.prompt_key: one.input for one in some}.values())
        said = [one.recorded for one in some if one.recorded]
        return rollout_workload(inputs, total, said, config.max_tokens)

    def _sample(self, config: DryRunConfig) -> PromptSample:
        """The prompts that a run with these options is of."""
        recorded = config.answers == "recorded"
        return choose_sample(
            self._candidates(config.seed), config.n, config.seed, k=config.k, recorded=recorded
        )

    def _answers(self, prompts: Sequence[SampledPrompt], config: DryRunConfig) -> list[Answer]:
        """The answers of a run to prompts that were chosen."""
        ids = [key for prompt in prompts for key in prompt.record_ids]
        found: dict[str, Record] = {}
        for start in range(0, len(ids), _IDS_AT_A_TIME):
            some = self.select(ids=ids[start : start + _IDS_AT_A_TIME])
            found.update((record.id, record) for record in self.iterate(some))
        rollouts = None if config.answers == "recorded" else config.k
        return make_answers(prompts, found, rollouts=rollouts)

    def _recorded(self, n: int, k: int, seed: int) -> tuple[list[Answer], PromptSample]:
        """Recorded answers to a sample of the prompts, and that sample."""
        config = DryRunConfig(n=n, k=k, seed=seed, probes=False, answers="recorded")
        sample = self._sample(config)
        return self._answers(sample.prompts, config), sample

    def _candidates(self, seed: int) -> Iterator[Candidate]:
        calls = _Calls()
        for record in self.iterate(records.sampled(self._store, self.id, seed)):
            key = input_hash(record.input)
            is_new = calls.is_new(key, record)
            codes = {issue.code for issue in record.validation_errors}
            yield Candidate(
                id=record.id,
                prompt_key=f"{key & (1 << 64) - 1:016x}",
                topic=record.topic,
                has_answer=any(m.role == "assistant" for m in record.output.messages),
                is_valid=codes <= {"duplicate"} and is_new,
            )


class _Calls:
    """Tells a second answer to a prompt from the same call that was imported twice.

    Two spans are two calls, whatever they say. Of calls without a span nothing tells them apart but
    what was answered, nor from a span with that very answer.
    """

    def __init__(self) -> None:
        self._spans: set[str] = set()
        self._answers: dict[tuple[int, bytes], bool] = {}
        """Whether an answer came without a span, by the prompt and what was said."""

    def is_new(self, prompt: int, record: Record) -> bool:
        said = (prompt, msgspec.json.encode((record.output.messages, record.item)))
        if record.span_id is None:
            repeated = said in self._answers
            self._answers[said] = True
            return not repeated
        repeated = record.span_id in self._spans or self._answers.get(said, False)
        self._spans.add(record.span_id)
        self._answers.setdefault(said, False)
        return not repeated
