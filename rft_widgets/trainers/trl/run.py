"""A run from its records to its report, whoever is killed on the way."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from typing import Literal, NoReturn, Protocol

import msgspec
from msgspec import Struct

from rft_widgets.errors import InvalidArgument, RftError, RunInterrupted, TrainingStopped
from rft_widgets.model.training import TrainingPhase, TrainingProgress
from rft_widgets.trainers.base import TrainingOutcome, TrainingRun, TrainingTask
from rft_widgets.trainers.measure import measured_report
from rft_widgets.trainers.program.rft_training.places import (
    ENDED,
    PLAN,
    STOP,
    complete_checkpoints,
)
from rft_widgets.trainers.trl.artifact import Artifact, dump_artifact
from rft_widgets.trainers.trl.checks import check_folder
from rft_widgets.trainers.trl.directory import usable_records, write_training_directory
from rft_widgets.trainers.trl.follow import Followed
from rft_widgets.trainers.trl.launch import Program
from rft_widgets.trainers.trl.service import RewardService
from rft_widgets.trainers.trl.settings import trl_settings
from rft_widgets.trainers.trl.words import failure, killed

MOST_KILLS = 3
"""Times that a program is killed without reaching its next checkpoint before the run fails."""
_LOOK_S = 0.1
_TELL_S = 1.0


class _State(Struct, frozen=True, kw_only=True):
    """What a run goes on from, beside its folder.

    ``kills`` counts those since the checkpoint ``killed_at``.
    """

    kills: int = 0
    killed_at: int = 0
    rollouts_read: int = 0
    is_told: bool = False


class _Plan(Struct):
    steps: int
    prompts: int
    notes: list[str]


class _Ended(Struct):
    reason: Literal["done", "paused", "failed", "lost_grader"]
    error: str


class Runs(Protocol):
    """The program of a run, wherever it runs; what it writes comes into the run's folder."""

    def start(self) -> None:
        """Start it; it goes on from the last checkpoint."""

    def is_alive(self) -> bool:
        """Whether it runs; what it wrote before it ended is in the folder when it does not."""

    def kill(self) -> None:
        """End it."""

    def last_words(self, lines: int = 12) -> str:
        """The end of what it printed."""


def train(task: TrainingTask, run: TrainingRun, program: Runs | None = None) -> TrainingOutcome:
    """Train a language model in a process of its own, on this machine unless ``program`` says.

    That process outlives this one. A run that starts with a saved state finds it, or starts it
    again from its last checkpoint.

    Raises
    ------
    InvalidArgument
        A hyperparameter is not right, or the model is not there.
    TrainingStopped
        It was asked to pause or to be cancelled, or goes on without this process.
    RftError
        The program failed.
    """
    return _Run(task, run, program or Program(task.folder)).train()


class _Run:
    def __init__(self, task: TrainingTask, run: TrainingRun, program: Runs) -> None:
        self.run = run
        self.task = task
        self.folder: Path = task.folder
        self.settings = trl_settings(task.config)
        self.train_records, fit_notes = usable_records(task.data.train)
        self.valid_records, valid_notes = usable_records(task.data.valid)
        self.notes = [*fit_notes, *(f"Of validation: {note}" for note in valid_notes)]
        saved = run.load_state()
        self.state = self._begin() if saved is None else _read(saved)
        self.program = program
        self.followed = Followed(
            self.folder, self.train_records, self.valid_records, self.state.rollouts_read
        )
        self.plan: _Plan | None = None
        self.told: tuple[float, object] = (0.0, None)

    def _begin(self) -> _State:
        if self.settings.is_folder:
            check_folder(Path(self.settings.model))
        if len(self.train_records) < self.settings.prompts_per_step:
            raise InvalidArgument(
                f"{len(self.train_records)} records can be learned from, and a step takes "
                f"{self.settings.prompts_per_step}. {' '.join(self.notes)}".strip(),
                hint="Lower prompts_per_step, or add records.",
            )
        if not self.settings.is_folder:
            self.run.log(f"{self.settings.model} is downloaded from the hub unless it is here.")
        write_training_directory(self.task, self.folder)
        for note in self.notes:
            self.run.log(note)
        state = _State()
        self.run.save_state(msgspec.msgpack.encode(state))
        return state

    def train(self) -> TrainingOutcome:
        service = RewardService(
            self.folder,
            [*self.train_records, *self.valid_records],
            self.task.rewarder,
            is_wanted_stop=self.run.is_for_good,
        )
        with service:
            try:
                outcome = self._to_the_end(service)
            except TrainingStopped as stopped:
                if stopped.reason != "taken_over" and self.run.is_for_good():
                    service.withdraw()
                raise
            except Exception:
                self.program.kill()
                service.withdraw()
                raise
            service.withdraw()
        return outcome

    def _to_the_end(self, service: RewardService) -> TrainingOutcome:
        try:
            self._follow(service)
            return self._outcome(service)
        except RunInterrupted:  # a judge heard it first
            self._stop(self.run.requested() or "pause")

    # The program ---------------------------------------------------------------------------------

    def _follow(self, service: RewardService) -> None:
        """Have the program run to its end, and pass on what it writes."""
        if not self._is_done():
            self._launch_unless_alive()
            while True:
                is_alive = self.program.is_alive()  # looked at first: what it wrote is read after
                self._listen()
                if service.failure is not None:
                    raise service.failure
                self._take(service)
                if not is_alive and self._is_over():
                    break
                time.sleep(_LOOK_S)
        self._take(service)

    def _launch_unless_alive(self) -> None:
        if self.program.is_alive():
            self.run.log("The training went on meanwhile; it is followed again.")
            return
        self._launch()

    def _launch(self) -> None:
        steps = complete_checkpoints(self.folder)
        words = f"from the checkpoint of step {steps[-1][0]}" if steps else "from the base model"
        self.run.log(f"The training starts {words}.")
        self.program.start()

    def _ended(self) -> _Ended | None:
        path = self.folder / ENDED
        if not path.exists():
            return None
        return msgspec.json.decode(path.read_bytes(), type=_Ended)

    def _is_done(self) -> bool:
        ended = self._ended()
        return ended is not None and ended.reason == "done" and not self.program.is_alive()

    def _is_over(self) -> bool:
        """Whether a program that lives no more came to its end; else it is started again."""
        ended = self._ended()
        if ended is not None and ended.reason == "done":
            return True
        if ended is not None and ended.reason == "failed":
            raise failure(ended.error, self.program.last_words())
        if ended is None:
            self._count_kill()
        self._launch()
        return False

    def _count_kill(self) -> None:
        steps = complete_checkpoints(self.folder)
        at = steps[-1][0] if steps else 0
        kills = self.state.kills + 1 if at == self.state.killed_at else 1
        if kills >= MOST_KILLS:
            raise killed(kills, self.program.last_words())
        self._save(kills=kills, killed_at=at)
        self.run.log("The training was killed; it starts again from its last checkpoint.")

    # Stopping ------------------------------------------------------------------------------------

    def _listen(self) -> None:
        wish = self.run.requested()
        if wish:
            self._stop(wish)

    def _stop(self, wish: Literal["pause", "cancel"]) -> NoReturn:
        """Stop as it was asked; always by an exception."""
        if wish == "cancel":
            self.program.kill()
            raise TrainingStopped("The training was cancelled.", reason="cancel")
        if not self.run.is_for_good():
            raise TrainingStopped("This process ends; the training goes on.", reason="pause")
        (self.folder / STOP).touch()
        while self.program.is_alive():
            with contextlib.suppress(RunInterrupted):
                self._take(None)
            if self.run.requested() == "cancel":
                self._stop("cancel")
            time.sleep(_LOOK_S)
        ended = self._ended()
        if ended is not None and ended.reason == "failed":
            raise failure(ended.error, self.program.last_words())
        self._take(None)
        steps = complete_checkpoints(self.folder)
        words = f"the checkpoint of step {steps[-1][0]}" if steps else "no checkpoint yet"
        raise TrainingStopped(
            f"The training was paused; there is {words}.", hint="Resume it.", reason="pause"
        )

    # What is told and kept -----------------------------------------------------------------------

    def _take(self, service: RewardService | None) -> None:
        """Read what is new, keep it, and say where the run is; answers need somebody to grade."""
        followed = self.followed
        self._read_plan()
        for step, rollouts in followed.read_rollouts():
            self.run.save_rollouts(step, rollouts)
        if followed.rollouts_read != self.state.rollouts_read:
            self._save(rollouts_read=followed.rollouts_read)
        followed.read_metrics()
        if service is not None:
            for step in followed.measure(service.rewards, self._listen):
                self._report("training", self._words(step), step)
        for checkpoint in followed.fresh_checkpoints():
            self.run.save_checkpoint(checkpoint)
        self._report()

    def _read_plan(self) -> None:
        path = self.folder / PLAN
        if self.plan is not None or not path.exists():
            return
        self.plan = msgspec.json.decode(path.read_bytes(), type=_Plan)
        if not self.state.is_told:
            for note in self.plan.notes:
                self.run.log(note)
            self._save(is_told=True)

    def _save(self, **changes: int) -> None:
        self.state = msgspec.structs.replace(self.state, **changes)
        self.run.save_state(msgspec.msgpack.encode(self.state))

    def _words(self, step: int) -> str:
        return f"Step {step} of {self.plan.steps if self.plan is not None else 0}"

    def _report(
        self, phase: TrainingPhase | None = None, message: str = "", measured: int | None = None
    ) -> None:
        """Say where the run is; ``measured`` is the step of which validation is known just now."""
        now = (phase, message, self.followed.version, self.plan is None)
        if self.told[1] == now and time.monotonic() - self.told[0] < _TELL_S:
            return
        self.told = (time.monotonic(), now)
        curve = self.followed.curve
        steps = self.plan.steps if self.plan is not None else 0
        step = curve[-1].step if curve else 0
        if phase is None:
            phase, message = ("training", self._words(step)) if curve else self._preparing()
        point = self.followed.point(step if measured is None else measured) if curve else None
        if point is not None and measured is None:  # it was told before
            point = msgspec.structs.replace(point, valid=None)
        share = {"evaluating": 0.97, "done": 1.0}.get(phase)
        if share is None:
            share = 0.02 + 0.93 * (step / steps if steps else 0.0)
        self.run.report(
            TrainingProgress(
                phase=phase,
                share=share,
                step=step,
                steps=steps,
                epoch=curve[-1].epoch if curve else 0.0,
                gradings=self._gradings(),
                message=message,
                point=point,
                curve=curve,
            )
        )

    def _preparing(self) -> tuple[TrainingPhase, str]:
        if self.plan is None:
            return "preparing", "Loading the model"
        return "preparing", "Answering the validation prompts"

    def _gradings(self) -> int:
        sampled = sum(1 for point in self.followed.curve if point.train_reward is not None)
        answered = sum(one is not None for step in self.followed.measured for one in step.answers)
        return sampled * self.settings.prompts_per_step * self.settings.generations + answered

    # The end -------------------------------------------------------------------------------------

    def _outcome(self, service: RewardService) -> TrainingOutcome:
        self._report("evaluating", "Measuring the result")
        followed, plan = self.followed, self.plan
        checkpoints = complete_checkpoints(self.folder)
        if plan is None or not checkpoints or not followed.measured:
            raise RftError(
                f"The training ended without a result.\n{self.program.last_words()}",
                hint="Train again.",
            )
        recorded = followed.recorded(service.rewards)
        report = measured_report(
            followed.validation,
            followed.measured,
            curve=followed.curve,
            recorded=recorded,
            baseline=f"the base model {Path(self.settings.model).name}",
            fit_prompts=plan.prompts,
            gradings=self._gradings() + sum(reward is not None for reward in recorded),
            notes=[*self.notes, *plan.notes],
        )
        for _, path in checkpoints:  # nothing goes on from here
            (path / "optimizer.pt").unlink(missing_ok=True)
        _, last = checkpoints[-1]
        artifact = Artifact(
            base=self.settings.model,
            model=str(last.relative_to(self.folder)),
            max_completion_tokens=self.settings.max_completion_tokens,
        )
        self._report("done", report.summary)
        return TrainingOutcome(report=report, artifact=dump_artifact(artifact))


def _read(saved: bytes) -> _State:
    return msgspec.msgpack.decode(saved, type=_State)
