"""What is learned of a step: answers in groups, their advantages, and the numbers it leaves."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean
from typing import Any

from msgspec import Struct

from rft_widgets.model.message import Message
from rft_widgets.model.record import Record
from rft_widgets.model.training import TrainingRollout
from rft_widgets.trainers.measure import shown_answer, shown_prompt

MOST_ROLLOUTS = 512
"""Answers of a step that are kept to be read; of more, whole groups evenly over the step."""
_ALIKE = 1e-9


class Answer(Struct, frozen=True, kw_only=True):
    """A sampled answer: its tokens, with the logarithms of their probabilities, and as a message.

    ``reward`` is ``None`` where grading failed.
    """

    tokens: tuple[int, ...]
    logprobs: tuple[float, ...]
    message: Message
    reward: float | None = None


class Group(Struct, frozen=True, kw_only=True):
    """The answers to one prompt."""

    record: Record
    prompt: tuple[int, ...]
    answers: tuple[Answer, ...]

    @property
    def advantages(self) -> tuple[float | None, ...]:
        """How much better than the mean each answer is; all ``None`` where all are alike."""
        known = [one.reward for one in self.answers if one.reward is not None]
        if not known or max(known) - min(known) < _ALIKE:
            return (None,) * len(self.answers)
        mean = fmean(known)
        return tuple(None if a.reward is None else a.reward - mean for a in self.answers)

    @property
    def is_flat(self) -> bool:
        """Whether nothing can be learned of it."""
        return all(one is None for one in self.advantages)


class Example(Struct, frozen=True, kw_only=True):
    """An answer to learn from, aligned with the tokens that are predicted: those after the first.

    Where the prompt is predicted, nothing is learned: its logarithms and advantages are zeros.
    """

    tokens: tuple[int, ...]
    targets: tuple[int, ...]
    logprobs: tuple[float, ...]
    advantages: tuple[float, ...]
    places: slice


def examples_of(groups: Sequence[Group]) -> list[Example]:
    """What can be learned from groups; the groups whose rewards are all alike are left out."""
    found = []
    for group in groups:
        for answer, advantage in zip(group.answers, group.advantages, strict=True):
            if advantage is None or not answer.tokens:
                continue
            whole = (*group.prompt, *answer.tokens)
            before = len(group.prompt) - 1
            found.append(
                Example(
                    tokens=whole[:-1],
                    targets=whole[1:],
                    logprobs=(*((0.0,) * before), *answer.logprobs),
                    advantages=(*((0.0,) * before), *((advantage,) * len(answer.tokens))),
                    places=slice(before, before + len(answer.tokens)),
                )
            )
    return found


def rollouts_of(step: int, groups: Sequence[Group]) -> list[TrainingRollout]:
    """Answers of a step to be read, whole groups of them."""
    kept = list(groups)
    most = max(1, MOST_ROLLOUTS // max((len(g.answers) for g in groups), default=1))
    if len(kept) > most:
        kept = [kept[round(i * (len(kept) - 1) / max(1, most - 1))] for i in range(most)]
    return [
        TrainingRollout(
            step=step,
            record_id=group.record.id,
            prompt=shown_prompt(group.record),
            answer=shown_answer(answer.message),
            reward=answer.reward,
            advantage=advantage,
            completion_tokens=len(answer.tokens),
        )
        for group in kept
        for answer, advantage in zip(group.answers, group.advantages, strict=True)
    ]


def entropy(groups: Sequence[Group]) -> float | None:
    """Estimated entropy of the policy for a token, in nats: of what it sampled, minus the logs."""
    logs = [log for group in groups for answer in group.answers for log in answer.logprobs]
    return -fmean(logs) if logs else None


def sampler_gap(
    examples: Sequence[Example], trained: Sequence[Sequence[float]]
) -> dict[str, float]:
    """How far what trained is from what sampled, which ought to be the same model.

    Estimates of the divergence in nats for a token: the mean of the differences, which should stay
    below 0.01, and half the mean of their squares.
    """
    differences = [
        sampled - now
        for one, logs in zip(examples, trained, strict=len(trained) > 0)
        for sampled, now in zip(one.logprobs[one.places], logs[one.places], strict=True)
    ]
    if not differences:
        return {}
    return {
        "kl_sample_train_v1": fmean(differences),
        "kl_sample_train_v2": 0.5 * fmean(d * d for d in differences),
    }


def loss_inputs(example: Example) -> dict[str, Any]:
    """What the losses ``importance_sampling`` and ``ppo`` take beside the tokens."""
    return {
        "target_tokens": list(example.targets),
        "logprobs": list(example.logprobs),
        "advantages": list(example.advantages),
    }
