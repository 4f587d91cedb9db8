"""What the program wrote since one looked last, as steps, rollouts, checkpoints and answers."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from rft_widgets.model.message import Message, MessageShapeError, message_from_json
from rft_widgets.model.record import Record
from rft_widgets.model.training import Checkpoint, CurvePoint, TrainingRollout
from rft_widgets.statistics import Interval
from rft_widgets.trainers.base import Rewarder
from rft_widgets.trainers.measure import (
    MeasuredStep,
    Validation,
    recorded_rewards,
    reward_answers,
    shown_answer,
    shown_prompt,
)
from rft_widgets.trainers.program.rft_training.places import (
    MEASURED,
    METRICS,
    ROLLOUTS,
    checkpoint_name,
    complete_checkpoints,
    write_whole,
)

_BATCH = 32
"""Answers that are graded before one asks again whether to stop."""
_RECORDED = f"{MEASURED}/recorded.json"


class _Line(Struct):
    step: int
    epoch: float
    metrics: dict[str, float]


class _Rollout(Struct):
    record: str
    answer: dict[str, Any]
    reward: float | None
    advantage: float | None
    tokens: int


class _Rollouts(Struct):
    step: int
    rollouts: list[_Rollout]


class _Answers(Struct):
    step: int
    answers: dict[str, dict[str, Any]]


class _Graded(Struct):
    """Rewards of the validation records in their order, and what was graded as a checksum."""

    of: str
    rewards: list[float | None]


class _Measured(Struct):
    of: str
    step: MeasuredStep
    mean: Interval | None


class Followed:
    """A run as its files tell it.

    Parameters
    ----------
    folder
        Of the run.
    train, valid
        The records that can be used.
    rollouts_read
        Bytes of the rollouts that were read before.

    ``version`` grows whenever there is more to tell.
    """

    def __init__(
        self, folder: Path, train: Sequence[Record], valid: Sequence[Record], rollouts_read: int
    ) -> None:
        self._folder = folder
        self._train = {record.id: record for record in train}
        self.validation = Validation(valid)
        self.rollouts_read = rollouts_read
        self.version = 0
        self._metrics_read: tuple[int, int] = (-1, 0)  # the file, and bytes of it
        self._points: dict[int, CurvePoint] = {}
        self._measured: dict[int, _Measured] = {}
        self._saved: dict[int, Checkpoint] = {}

    @property
    def curve(self) -> tuple[CurvePoint, ...]:
        """The steps so far, with what was measured."""
        steps = sorted({*self._points, *self._measured})
        return tuple(self.point(step) for step in steps)

    @property
    def measured(self) -> tuple[MeasuredStep, ...]:
        """Answers with their rewards, by step."""
        return tuple(one.step for _, one in sorted(self._measured.items()))

    def point(self, step: int) -> CurvePoint:
        """A step as far as it is known."""
        point = self._points.get(step, CurvePoint(step=step, epoch=0.0))
        if step not in self._measured:
            return point
        return msgspec.structs.replace(point, valid=self._measured[step].mean)

    def read_metrics(self) -> None:
        """Read the steps that came; all of them anew where the program began again."""
        path = self._folder / METRICS
        if not path.exists():
            return
        with path.open("rb") as file:
            number = os.fstat(file.fileno()).st_ino
            start = self._metrics_read[1] if number == self._metrics_read[0] else 0
            file.seek(start)
            whole = _whole_lines(file.read())
        if number != self._metrics_read[0]:
            self._points.clear()
        elif not whole:
            return
        self._metrics_read = (number, start + len(whole))
        self.version += 1
        for line in whole.splitlines():
            read = msgspec.json.decode(line, type=_Line)
            self._points[read.step] = point_of(read.step, read.epoch, read.metrics)

    def read_rollouts(self) -> list[tuple[int, list[TrainingRollout]]]:
        """Answers that came since the last time, by step."""
        path = self._folder / ROLLOUTS
        if not path.exists():
            return []
        with path.open("rb") as file:
            file.seek(self.rollouts_read)
            whole = _whole_lines(file.read())
        self.rollouts_read += len(whole)
        return [
            (found.step, [self._rollout(found.step, one) for one in found.rollouts])
            for found in (msgspec.json.decode(line, type=_Rollouts) for line in whole.splitlines())
        ]

    def _rollout(self, step: int, one: _Rollout) -> TrainingRollout:
        record = self._train.get(one.record)
        answer = _message(one.answer)
        return TrainingRollout(
            step=step,
            record_id=one.record,
            prompt="" if record is None else shown_prompt(record),
            answer="" if answer is None else shown_answer(answer),
            reward=one.reward,
            advantage=one.advantage,
            completion_tokens=one.tokens,
        )

    def fresh_checkpoints(self) -> list[Checkpoint]:
        """Checkpoints that are new, or of which more is known now."""
        fresh = []
        for step, _ in complete_checkpoints(self._folder):
            point = self.point(step)
            found = Checkpoint(
                step=step,
                model=checkpoint_name(step),
                valid_reward=None if point.valid is None else point.valid.estimate,
                metrics={} if point.train_reward is None else {"reward": point.train_reward},
            )
            if self._saved.get(step) != found:
                self._saved[step] = found
                fresh.append(found)
        return fresh

    def measure(self, rewarder: Rewarder, between: Callable[[], None]) -> list[int]:
        """Grade answers to the validation records that are new, and say of which steps they are.

        ``between`` is called after each few gradings: the place to stop by an exception.
        """
        fresh = []
        for path in sorted((self._folder / MEASURED).glob("step-*.json")):
            content = path.read_bytes()
            checksum = hashlib.sha256(content).hexdigest()
            found = msgspec.json.decode(content, type=_Answers)
            known = self._measured.get(found.step)
            if known is not None and known.of == checksum:
                continue
            records = self.validation.records
            given = found.answers
            answers = [_message(given[one.id]) if one.id in given else None for one in records]
            rewards = self._kept(path.stem, checksum)
            if rewards is None:
                rewards = []
                for start in range(0, len(records), _BATCH):
                    some = slice(start, start + _BATCH)
                    rewards += reward_answers(records[some], answers[some], rewarder)
                    between()
                graded = _Graded(of=checksum, rewards=rewards)
                write_whole(self._folder / MEASURED / f"graded-{path.stem}.json", graded)
            step = MeasuredStep(step=found.step, answers=tuple(answers), rewards=tuple(rewards))
            mean = self.validation.mean(step.rewards)
            self._measured[found.step] = _Measured(of=checksum, step=step, mean=mean)
            self.version += 1
            fresh.append(found.step)
        return fresh

    def _kept(self, name: str, checksum: str) -> list[float | None] | None:
        """Rewards that an earlier worker asked for."""
        path = self._folder / MEASURED / f"graded-{name}.json"
        if not path.exists():
            return None
        graded = msgspec.json.decode(path.read_bytes(), type=_Graded)
        is_same = graded.of == checksum and len(graded.rewards) == len(self.validation.records)
        return graded.rewards if is_same else None

    def recorded(self, rewarder: Rewarder) -> tuple[float | None, ...]:
        """Rewards of what the system answered itself, asked for once."""
        path = self._folder / _RECORDED
        if path.exists():
            return tuple(msgspec.json.decode(path.read_bytes(), type=list[float | None]))
        rewards = recorded_rewards(self.validation.records, rewarder)
        write_whole(path, rewards)
        return rewards


def point_of(step: int, epoch: float, metrics: dict[str, float]) -> CurvePoint:
    """A step as TRL logs it, under the names that every trainer's curve has."""
    clipped = metrics.get("clip_ratio/region_mean", metrics.get("clip_ratio"))
    return CurvePoint(
        step=step,
        epoch=epoch,
        train_reward=metrics.get("reward"),
        kl=metrics.get("kl"),
        entropy=metrics.get("entropy"),
        clip_share=clipped,
        flat_share=metrics.get("frac_reward_zero_std"),
        completion_tokens=metrics.get("completions/mean_length"),
        step_s=metrics.get("step_time"),
        metrics=metrics,
    )


def _whole_lines(content: bytes) -> bytes:
    """What was written to the end of its line."""
    return content[: content.rfind(b"\n") + 1]


def _message(value: dict[str, Any]) -> Message | None:
    try:
        return message_from_json(value)
    except MessageShapeError:
        return None
