"""A job of a service that trains, followed from its start to its end.

The service does the work, so a process that ends here loses nothing: the job's id is kept the
moment it is known, and whoever goes on asks for the same job. A connection that is lost is tried
again for as long as the job may live.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, Literal, Protocol, TypeVar

import msgspec
from msgspec import Struct

from rft_widgets.errors import RftError, TrainingStopped
from rft_widgets.model.training import Checkpoint, CurvePoint, TrainingPhase, TrainingProgress
from rft_widgets.trainers.base import TrainingRun

T = TypeVar("T")

ServiceStatus = Literal["waiting", "running", "paused", "succeeded", "failed", "cancelled"]

POLL_S = 5.0
"""Seconds between two looks at a job."""
_LOST_S = (1.0, 2.0, 5.0, 15.0, 60.0)
"""Waits after one, two, three... looks that failed in a row."""
_TICK_S = 0.1


class ServiceUnreachable(RftError):  # noqa: N818 - as the family reads
    """The service did not answer, or said that it cannot now; it may later."""


class JobState(Struct, frozen=True, kw_only=True):
    """A job of a service as it stands.

    ``points`` are the steps of which something is new since the last look, ``messages`` what the
    service said since then; ``error`` why it failed, and ``model`` what came of it.
    """

    status: ServiceStatus
    words: str
    step: int = 0
    steps: int = 0
    epoch: float = 0.0
    points: tuple[CurvePoint, ...] = ()
    messages: tuple[str, ...] = ()
    model: str = ""
    error: str = ""
    cost_micro_usd: int | None = None


class JobService(Protocol):
    """A service that trains, for one run; every call may raise `ServiceUnreachable`."""

    pauses: bool

    def start(self, key: str) -> str:
        """Send what is needed and start a job; its id.

        ``key`` is the run's own: a job that was started with it before is found instead of
        started twice, as far as the service allows.
        """

    def poll(self, job: str, seen: str) -> tuple[JobState, str]:
        """How a job stands, and what of it has been seen now; ``seen`` is what was before."""

    def pause(self, job: str) -> None:
        """Have it pause."""

    def resume(self, job: str) -> None:
        """Have it go on."""

    def cancel(self, job: str) -> None:
        """Have it end."""

    def checkpoints(self, job: str) -> Sequence[Checkpoint]:
        """The checkpoints that can be asked."""


class FollowedJob(Struct, frozen=True, kw_only=True):
    """A job that succeeded: its id, the model, its checkpoints and its whole curve."""

    job: str
    model: str
    checkpoints: tuple[Checkpoint, ...]
    curve: tuple[CurvePoint, ...]


class _State(Struct, frozen=True, kw_only=True):
    job: str = ""
    seen: str = ""
    step: int = 0
    curve: tuple[CurvePoint, ...] = ()
    is_paused: bool = False


def follow(
    service: JobService, run: TrainingRun, *, key: str, poll_s: float = POLL_S
) -> FollowedJob:
    """Start a job, or find the one that was started, and follow it to its end.

    Parameters
    ----------
    service
        The service.
    run
        Hears how it goes, keeps the state, and may stop it.
    key
        What the run is known by.
    poll_s
        Seconds between two looks.

    Raises
    ------
    TrainingStopped
        It was asked to pause or to be cancelled, and the service was told so.
    RftError
        The job failed or was cancelled at the service.
    """
    return _Follower(service, run, key, poll_s).follow()


class _Follower:
    def __init__(self, service: JobService, run: TrainingRun, key: str, poll_s: float) -> None:
        self.service, self.run, self.key, self.poll_s = service, run, key, poll_s
        saved = run.load_state()
        self.state = _State() if saved is None else msgspec.msgpack.decode(saved, type=_State)
        self.told = ""  # what the service was asked to do with the job

    def follow(self) -> FollowedJob:
        if not self.state.job:
            self._report("preparing", JobState(status="waiting", words="Sending the records"))
            job = self._patiently(lambda: self.service.start(self.key))
            self._save(job=job)
            self.run.log(f"The service calls the job {job}.")
        elif self.state.is_paused:
            self._patiently(lambda: self.service.resume(self.state.job))
            self._save(is_paused=False)
            self.run.log(f"Job {self.state.job} goes on.")
        while True:
            now, seen = self._patiently(lambda: self.service.poll(self.state.job, self.state.seen))
            self._take(now, seen)
            if now.status == "succeeded":
                return self._succeeded(now)
            if now.status == "paused":
                self._save(is_paused=True)
                raise TrainingStopped(
                    f"The service paused the job. {now.words}".strip(),
                    hint="Resume it to go on.",
                    reason="pause",
                )
            if now.status == "cancelled" and self.told == "cancel":
                raise TrainingStopped("The service cancelled the job.", reason="cancel")
            if now.status in ("failed", "cancelled"):
                raise RftError(
                    f"Job {self.state.job} {now.status} at the service. {now.error}".strip(),
                    hint="Train again when that is mended.",
                )
            self._wait(self.poll_s)

    def _succeeded(self, now: JobState) -> FollowedJob:
        found = tuple(self._patiently(lambda: self.service.checkpoints(self.state.job)))
        for checkpoint in found:
            self.run.save_checkpoint(checkpoint)
        return FollowedJob(
            job=self.state.job, model=now.model, checkpoints=found, curve=self.state.curve
        )

    def _patiently(self, ask: Callable[[], T]) -> T:
        """Ask until the service answers."""
        failures = 0
        while True:
            try:
                return ask()
            except ServiceUnreachable as error:
                if not failures:
                    self.run.log(f"{error} It is asked again.")
                self._wait(_LOST_S[min(failures, len(_LOST_S) - 1)])
                failures += 1

    def _wait(self, seconds: float) -> None:
        """Wait, and pass on what is asked of the run meanwhile."""
        until = time.monotonic() + seconds
        while True:
            if self._hear():
                return
            left = until - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(_TICK_S, left))

    def _hear(self) -> bool:
        """Whether the service was just told to stop, so that it should be looked at soon."""
        wish = self.run.requested()
        if not wish or wish == self.told:
            return False
        if not self.run.is_for_good():
            raise TrainingStopped(
                "The process ends; the job goes on at the service.", reason="pause"
            )
        job = self.state.job
        if not job:  # nothing was sent, or nobody knows whether it was
            raise TrainingStopped(f"The training was asked to {wish} before it began.", reason=wish)
        try:
            (self.service.cancel if wish == "cancel" else self.service.pause)(job)
        except ServiceUnreachable as error:
            self.run.log(f"{error} The wish to {wish} is passed on again.")
            return False
        self.told = wish
        self.run.log(f"The service was asked to {wish} the job.")
        return True

    # What is told and kept -----------------------------------------------------------------------

    def _take(self, now: JobState, seen: str) -> None:
        known = {point.step: point for point in self.state.curve}
        fresh = {point.step: point for point in now.points}
        curve = tuple(point for _, point in sorted((known | fresh).items()))
        for message in now.messages:
            self.run.log(message)
        self._save(seen=seen, curve=curve, step=max(self.state.step, now.step))
        self._report("training" if now.step or now.status == "running" else "preparing", now)

    def _save(self, **changes: Any) -> None:
        changed = msgspec.structs.replace(self.state, **changes)
        if changed != self.state:
            self.state = changed
            self.run.save_state(msgspec.msgpack.encode(changed))

    def _report(self, phase: TrainingPhase, now: JobState) -> None:
        done = now.step / now.steps if now.steps else 0.0
        self.run.report(
            TrainingProgress(
                phase=phase,
                share=0.02 + 0.93 * min(1.0, done),
                step=now.step,
                steps=now.steps,
                epoch=now.epoch,
                gradings=0,
                message=now.words,
                point=now.points[-1] if now.points else None,
                curve=self.state.curve,
                cost_micro_usd=now.cost_micro_usd,
            )
        )
