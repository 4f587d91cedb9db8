"""One training run by the loop of `tinker`: sample, grade, learn, save, from any saved step on."""

from __future__ import annotations

import time
from collections.abc import Sequence
from statistics import fmean
from typing import Any

import msgspec
import numpy as np
from msgspec import Struct

from rft_widgets.errors import InvalidArgument, RftError, TrainingStopped
from rft_widgets.graders.sample import item_of, sample_of
from rft_widgets.model.message import Message
from rft_widgets.model.record import Record
from rft_widgets.model.training import Checkpoint, CurvePoint, TrainingPhase, TrainingProgress
from rft_widgets.trainers.base import TrainingOutcome, TrainingRun, TrainingTask
from rft_widgets.trainers.hosted import ServiceUnreachable
from rft_widgets.trainers.language.chat import Chat
from rft_widgets.trainers.measure import (
    MeasuredStep,
    Validation,
    measured_report,
    recorded_rewards,
    reward_answers,
)
from rft_widgets.trainers.tinker.artifact import Artifact
from rft_widgets.trainers.tinker.asking import Asked, Asker, Prompts, read_prompts
from rft_widgets.trainers.tinker.failures import ServiceFailed
from rft_widgets.trainers.tinker.groups import (
    Example,
    Group,
    entropy,
    examples_of,
    rollouts_of,
    sampler_gap,
)
from rft_widgets.trainers.tinker.prices import Tokens, prices_of
from rft_widgets.trainers.tinker.service import STATE_DAYS, Session
from rft_widgets.trainers.tinker.settings import measured_at, steps_of, tinker_hyperparameters

_ORDER = 1
"""What chance decides with the seed and the epoch: the order of the prompts."""
_GRADED_AT_ONCE = 256
_LOST_S = (1.0, 2.0, 5.0, 15.0, 60.0)
"""Waits before a session is begun anew, after one, two... that failed without a step between."""
_MOST_FAILURES = 6
_TICK_S = 0.1


class _Spent(Struct, frozen=True, kw_only=True):
    """What some of the work took."""

    tokens: Tokens = Tokens()
    gradings: int = 0

    def __add__(self, other: _Spent) -> _Spent:
        return _Spent(tokens=self.tokens + other.tokens, gradings=self.gradings + other.gradings)


class _State(Struct, frozen=True, kw_only=True):
    """What a run goes on from. ``step`` is the last one that is complete, ``path`` its weights.

    Answers stay with the first measured step and the last one alone.
    """

    step: int = -1
    path: str = ""
    model: str = ""
    curve: tuple[CurvePoint, ...] = ()
    measured: tuple[MeasuredStep, ...] = ()
    spent: _Spent = _Spent()


def train(task: TrainingTask, run: TrainingRun) -> TrainingOutcome:
    """Train a model of the service on the rewards of a grader that runs here.

    Raises
    ------
    TrainingStopped
        It was asked to pause or to be cancelled. It goes on from the last saved step.
    RftError
        The service refuses it, or failed time and again.
    """
    return _Training(task, run).train()


class _Training:
    """A run while it runs."""

    def __init__(self, task: TrainingTask, run: TrainingRun) -> None:
        assert task.connection is not None and task.config.base_model  # noqa: S101, PT018 - `check`
        self.task, self.run = task, run
        self.connection, self.base_model = task.connection, task.config.base_model
        self.settings = tinker_hyperparameters(task.config)
        self.prices = prices_of(self.settings, self.base_model, task.connection)
        self.valid = Validation(task.data.valid)
        self.saved = self._load()
        self.state = self.saved
        self.steps = self.batches = 0
        self.phase: TrainingPhase = "preparing"

    def train(self) -> TrainingOutcome:
        self._report("Opening a session at the service")
        failures, reached = 0, self.state.step
        while True:
            try:
                return self._attempt()
            except ServiceUnreachable as error:
                failures = 1 if self.saved.step > reached else failures + 1
                reached = self.saved.step
                if isinstance(error, ServiceFailed) and failures >= _MOST_FAILURES:
                    raise RftError(
                        f"{error} That came {failures} times in a row.",
                        hint="Look at the service's status, and train again.",
                    ) from None
                self.run.log(
                    f"{error} The run goes on from step {max(0, reached)} in a new session."
                )
                self._wait(_LOST_S[min(failures, len(_LOST_S)) - 1])

    def _attempt(self) -> TrainingOutcome:
        """Work in one session as long as it lasts."""
        self.state = self.saved
        session = Session(
            self.connection,
            self.base_model,
            self.settings,
            path=self.state.path,
            hear=self._hear,
            log=self.run.log,
        )
        status = "errored"
        try:
            outcome = self._work(session)
            status = "success"
        except TrainingStopped:
            status = "interrupted"
            raise
        finally:
            if words := session.close(status):
                self.run.log(words)
        return outcome

    def _work(self, session: Session) -> TrainingOutcome:
        chat = Chat(session.tokenizer(), self.base_model)
        room = None if session.context is None else session.context - self.settings.max_tokens
        prompts = read_prompts(
            chat, (*self.task.data.train, *self.task.data.valid), most=room, log=self.run.log
        )
        learned = [one for one in self.task.data.train if one.id in prompts.tokens]
        if not learned:
            raise InvalidArgument(
                "The model can read none of the prompts to learn from.",
                hint="They are longer than its context, or hold images.",
            )
        self.batches, self.steps = steps_of(self.settings, len(learned))
        measured = measured_at(self.settings, self.steps)
        asker = Asker(session, chat, prompts, self.settings.temperature)
        sampler = session.sampler()
        self.phase = "training"
        if self.state.step < 0:
            before = self._measure(asker, sampler, 0)
            point = CurvePoint(step=0, epoch=0.0)
            self._complete(point, _Spent(), before, model=self.base_model, is_kept=True)
        asked = self._ask(asker, sampler, self.state.step + 1, learned)
        for step in range(self.state.step + 1, self.steps + 1):
            began = time.monotonic()
            groups = self._grade(asker.answers(asked))
            examples = examples_of(groups)
            # All of it is sent at once, in the order in which it is done.
            update = session.learn(examples) if examples else ()
            is_kept = step % self.settings.save_every == 0 or step in measured
            name = f"{self.task.job_id}-{step:05}".replace("_", "-")
            state = session.save_state(name) if examples and is_kept else None
            model = session.save_model(name) if step in measured else None
            sampler = session.sampler() if examples else sampler
            asked = self._ask(asker, sampler, step + 1, learned)
            found = self._measure(asker, sampler, step) if step in measured else None
            done = [session.wait(one) for one in update]
            metrics = _metrics(done)
            if done:
                metrics |= sampler_gap(examples, _logprobs(done[0]))
            point = self._point(step, groups, metrics, time.monotonic() - began)
            if state is not None:
                self.state = msgspec.structs.replace(self.state, path=session.wait(state).path)
            path = "" if model is None else session.wait(model).path
            self.run.save_rollouts(step, rollouts_of(step, groups))
            self._complete(point, _spent(groups, examples), found, model=path, is_kept=is_kept)
        return self._outcome(prompts, len(learned))

    # A step ---------------------------------------------------------------------------------------

    def _ask(self, asker: Asker, sampler: Any, step: int, learned: Sequence[Record]) -> list[Asked]:
        """Have groups of answers sampled for the prompts of a step, if it is one of the run."""
        if step > self.steps:
            return []
        epoch, place = divmod(step - 1, self.batches)
        chance = np.random.default_rng([self.task.config.seed, _ORDER, epoch])
        order = chance.permutation(len(learned))
        size = self.settings.batch_prompts
        some = [learned[i] for i in order[place * size : (place + 1) * size]]
        return asker.ask(sampler, some, times=self.settings.group_size)

    def _grade(self, groups: Sequence[Group]) -> list[Group]:
        pairs = [
            (sample_of(group.record.input, [answer.message]), item_of(group.record))
            for group in groups
            for answer in group.answers
        ]
        rewards: list[float | None] = []
        for start in range(0, len(pairs), _GRADED_AT_ONCE):
            self._hear()
            rewards += self.task.rewarder(pairs[start : start + _GRADED_AT_ONCE])
        given = iter(rewards)
        return [
            msgspec.structs.replace(
                group,
                answers=tuple(
                    msgspec.structs.replace(a, reward=next(given)) for a in group.answers
                ),
            )
            for group in groups
        ]

    def _measure(self, asker: Asker, sampler: Any, step: int) -> tuple[MeasuredStep, _Spent]:
        """Ask the validation prompts greedily, and have the answers graded."""
        readable = [one for one in self.valid.records if one.id in asker.prompts.tokens]
        groups = asker.answers(asker.ask(sampler, readable, times=1, greedy=True))
        by_id = {group.record.id: group.answers[0].message for group in groups}
        answers: list[Message | None] = [by_id.get(one.id) for one in self.valid.records]
        self._hear()
        rewards = reward_answers(self.valid.records, answers, self.task.rewarder)
        return MeasuredStep(step=step, answers=tuple(answers), rewards=rewards), _spent(groups)

    def _point(
        self, step: int, groups: Sequence[Group], metrics: dict[str, float], seconds: float
    ) -> CurvePoint:
        answers = [answer for group in groups for answer in group.answers]
        rewards = [one.reward for one in answers if one.reward is not None]
        return CurvePoint(
            step=step,
            epoch=step / self.batches,
            train_reward=fmean(rewards) if rewards else None,
            entropy=entropy(groups),
            flat_share=fmean(group.is_flat for group in groups),
            completion_tokens=fmean(len(one.tokens) for one in answers),
            step_s=seconds,
            metrics=metrics,
        )

    def _complete(
        self,
        point: CurvePoint,
        spent: _Spent,
        measured: tuple[MeasuredStep, _Spent] | None,
        *,
        model: str,
        is_kept: bool,
    ) -> None:
        """Count a step as done; with ``is_kept`` a run goes on from here whatever happens."""
        state, kept = self.state, self.state.measured
        if measured is not None:
            found, more = measured
            spent += more
            mean = self.valid.mean(found.rewards)
            point = msgspec.structs.replace(point, valid=mean)
            between = (msgspec.structs.replace(one, answers=()) for one in kept[1:])
            kept = (*kept[:1], *between, found)
            estimate = None if mean is None else mean.estimate
            self.run.save_checkpoint(
                Checkpoint(step=point.step, model=model or state.model, valid_reward=estimate)
            )
        self.state = msgspec.structs.replace(
            state,
            step=point.step,
            model=model or state.model,
            curve=(*state.curve, point),
            measured=kept,
            spent=state.spent + spent,
        )
        if is_kept:
            self.saved = self.state
            self.run.save_state(msgspec.msgpack.encode(self.saved))
        self._report(f"Step {point.step} of {self.steps}", point)

    # The end --------------------------------------------------------------------------------------

    def _outcome(self, prompts: Prompts, learned: int) -> TrainingOutcome:
        self.phase = "evaluating"
        self._report("Measuring what the system answered itself")
        recorded = recorded_rewards(self.valid.records, self.task.rewarder)
        tokens = self.state.spent.tokens
        notes = [
            f"Tokens: {tokens.prefill:,} of prompts, {tokens.sample:,} sampled, "
            f"{tokens.train:,} trained on."
        ]
        if prompts.refused:
            notes.append(f"{prompts.refused} prompts were left out: the model cannot read them.")
        report = measured_report(
            self.valid,
            self.state.measured,
            curve=self.state.curve,
            recorded=recorded,
            baseline=f"{self.base_model} as it was",
            fit_prompts=learned,
            gradings=self.state.spent.gradings + sum(reward is not None for reward in recorded),
            notes=notes,
        )
        artifact = Artifact(
            model=self.state.model,
            base_model=self.base_model,
            max_tokens=self.settings.max_tokens,
            sdk=self.settings.sdk,
        )
        self.phase = "done"
        self._report(report.summary)
        return TrainingOutcome(report=report, artifact=msgspec.json.encode(artifact))

    # State and reports ----------------------------------------------------------------------------

    def _hear(self) -> None:
        reason = self.run.requested()
        if reason:
            word = "paused" if reason == "pause" else "cancelled"
            raise TrainingStopped(
                f"The training was {word} after {max(0, self.saved.step)} steps.",
                hint=f"Its saved state stays at the service for {STATE_DAYS} days.",
                reason=reason,
            )

    def _wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self._hear()
            time.sleep(_TICK_S)

    def _load(self) -> _State:
        saved = self.run.load_state()
        return _State() if saved is None else msgspec.msgpack.decode(saved, type=_State)

    def _report(self, message: str, point: CurvePoint | None = None) -> None:
        done = max(0, self.state.step) / self.steps if self.steps else 0.0
        share = {"preparing": 0.02, "training": 0.02 + 0.94 * done, "evaluating": 0.97}
        self.run.report(
            TrainingProgress(
                phase=self.phase,
                share=share.get(self.phase, 1.0),
                step=max(0, self.state.step),
                steps=self.steps,
                epoch=max(0, self.state.step) / self.batches if self.batches else 0.0,
                gradings=self.state.spent.gradings,
                message=message,
                point=point,
                curve=self.state.curve,
                cost_micro_usd=self.prices.cost(self.state.spent.tokens),
            )
        )


def _spent(groups: Sequence[Group], examples: Sequence[Example] = ()) -> _Spent:
    """What answers took, and learning from them."""
    answers = [answer for group in groups for answer in group.answers]
    tokens = Tokens(
        prefill=sum(len(group.prompt) for group in groups),
        sample=sum(len(answer.tokens) for answer in answers),
        train=sum(len(one.tokens) for one in examples),
    )
    return _Spent(tokens=tokens, gradings=len(answers))


def _metrics(done: Sequence[Any]) -> dict[str, float]:
    """What the service said of a gradient and of a step, by its own names."""
    said = [getattr(one, "metrics", None) or {} for one in done]
    return {name: float(value) for one in said for name, value in one.items()}


def _logprobs(gradient: Any) -> list[list[float]]:
    """What the trained model gives to the tokens, as logarithms; none where that is not said."""
    found = [one.get("logprobs") for one in gradient.loss_fn_outputs]
    return [] if None in found else [list(one.data) for one in found]
