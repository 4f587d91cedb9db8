"""A job of a service that trains, followed from its start to its end.

The service does the work, so a process that ends here loses nothing: the job's id is kept the
moment it is known, and whoever goes on asks for the same job. That it was about to be sent is
kept as well, so that a job whose id nobody saw is looked for before another one is started. A
connection that is lost is tried again for as long as the job may live.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, Literal, Protocol, TypeVar

import msgspec
from msgspec import Struct

from rft_widgets.errors import ModelRefused, RftError, TrainingStopped
from rft_widgets.model.training import Checkpoint, CurvePoint, TrainingPhase, TrainingProgress
from rft_widgets.trainers.base import StopRequest, TrainingRun

T = TypeVar("T")

ServiceStatus = Literal["waiting", "running", "paused", "succeeded", "failed", "cancelled"]

POLL_S = 5.0
"""Seconds between two looks at a job, where the service does not say."""
_LOST_S = (0.25, 1.0, 5.0, 15.0, 60.0)
"""Waits after one, two, three... calls that failed in a row, where the service does not say."""
_MOST_UNHEARD = 4
"""Attempts to pass on a wish to stop: who wants a run to end must not wait for a lost service."""
_LEAST_S = 0.01
_TICK_S = 0.1


class ServiceUnreachable(RftError):  # noqa: N818 - as the family reads
    """The service did not answer, or said that it cannot now; it may later.

    Parameters
    ----------
    message, hint
        As for every error of the package.
    retry_after_s
        Seconds that the service wants to be left alone, where it said so.
    """

    def __init__(
        self, message: str, *, hint: str | None = None, retry_after_s: float | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.retry_after_s = retry_after_s


class JobState(Struct, frozen=True, kw_only=True):
    """A job of a service as it stands.

    ``points`` are the steps of which something is new since the last look, ``messages`` what the
    service said since then; ``error`` why it failed, and ``model`` what came of it. ``again_s`` are
    the seconds after which the service wants to be looked at again, where it said so.
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
    again_s: float | None = None


class JobService(Protocol):
    """A service that trains, for one run.

    Every call may raise `ServiceUnreachable`, and is then made again; or `ModelRefused` where the
    service takes no call of ours, which pauses a run that has a job.
    """

    pauses: bool

    def find(self, key: str) -> str:
        """Id of the job that was started with a key; empty where there is none."""

    def start(self, key: str) -> str:
        """Send what is needed and start a job; its id. ``key`` is the run's own."""

    def poll(self, job: str, seen: str) -> tuple[JobState, str]:
        """How a job stands, and what of it has been seen now; ``seen`` is what was before."""

    def pause(self, job: str) -> None:
        """Have it pause; called only where the service ``pauses``."""

    def resume(self, job: str) -> None:
        """Have it go on; nothing where it does already."""

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
    is_sent: bool = False  # whether a job may have been started
    job: str = ""
    seen: str = ""
    step: int = 0
    steps: int = 0
    epoch: float = 0.0
    curve: tuple[CurvePoint, ...] = ()
    is_paused: bool = False
    told: str = ""  # what the service was asked to do with the job


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
        It was asked to pause or to be cancelled, and the service was told so; or the service
        paused it, or takes no call of ours any more.
    RftError
        The job failed or was cancelled at the service.
    """
    return _Follower(service, run, key, poll_s).follow()


_CALLED = "The service calls the job "


def service_job(log: Sequence[str]) -> str:
    """What the service calls the job of a run, as the run's log has it; empty where it does not."""
    named = [line for line in log if line.startswith(_CALLED)]
    return named[-1].removeprefix(_CALLED).removesuffix(".") if named else ""


class _Follower:
    def __init__(self, service: JobService, run: TrainingRun, key: str, poll_s: float) -> None:
        self.service, self.run, self.key, self.poll_s = service, run, key, poll_s
        saved = run.load_state()
        self.state = _State() if saved is None else msgspec.msgpack.decode(saved, type=_State)
        self.unheard, self.unheard_until = 0, 0.0  # a wish that could not be passed on waits

    def follow(self) -> FollowedJob:
        if not self.state.job:
            self._report("preparing", JobState(status="waiting", words="Sending the records"))
            job = self._patiently(self._started)
            self._save(job=job)
            self.run.log(f"{_CALLED}{job}.")
        elif self.state.is_paused:
            self._patiently(lambda: self.service.resume(self.state.job))
            self._save(is_paused=False, told="")
            self.run.log(f"Job {self.state.job} goes on.")
        while True:
            now, seen = self._patiently(lambda: self.service.poll(self.state.job, self.state.seen))
            self._take(now, seen)
            if now.status == "succeeded":
                return self._succeeded(now)
            if now.status == "paused":
                raise self._paused(now)
            if now.status == "cancelled" and self.state.told == "cancel":
                raise TrainingStopped("The service cancelled the job.", reason="cancel")
            if now.status in ("failed", "cancelled"):
                ended = f"Job {self.state.job} {_ENDED[now.status]} at the service."
                raise RftError(
                    f"{ended} {now.error}".strip(),
                    hint="Train again when that is mended.",
                )
            self._wait(self.poll_s if now.again_s is None else max(now.again_s, _LEAST_S))

    def _started(self) -> str:
        """The id of the job, which is started unless that was done before."""
        if self.state.is_sent and (found := self.service.find(self.key)):
            self.run.log("The job was started before: it is found again.")
            return found
        self._save(is_sent=True)
        return self.service.start(self.key)

    def _paused(self, now: JobState) -> TrainingStopped:
        is_ours = self.state.told == "pause"
        self._save(is_paused=True)
        if is_ours:
            return TrainingStopped("The service paused the job.", reason="pause")
        return TrainingStopped(
            f"The service paused the job by itself. {now.words}".strip(),
            hint="Resume it to go on.",
            reason="service",
        )

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
                usual_s = _LOST_S[min(failures, len(_LOST_S) - 1)]
                wanted_s = error.retry_after_s
                self._wait(usual_s if wanted_s is None else max(wanted_s, _LEAST_S))
                failures += 1
            except ModelRefused as error:
                if not self.state.job:
                    raise
                # A key that expired must not cost the work that the service goes on with.
                raise TrainingStopped(
                    f"{error} The job {self.state.job} goes on at the service.",
                    hint="Mend that, and resume.",
                    reason="service",
                ) from error

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
        if not wish or wish == self.state.told or time.monotonic() < self.unheard_until:
            return False
        if not self.run.is_for_good():
            raise TrainingStopped(
                "The process ends; the job goes on at the service.", reason="pause"
            )
        job = self.state.job or self._found_before(wish)
        if wish == "pause" and not self.service.pauses:
            self._save(told=wish)
            self.run.log(
                "This service cannot pause a job: it goes on there, and the run waits before its "
                "model is measured. Cancel it to end it."
            )
            return False
        try:
            (self.service.cancel if wish == "cancel" else self.service.pause)(job)
        except ServiceUnreachable as error:
            self.unheard += 1
            if self.unheard == _MOST_UNHEARD:
                raise TrainingStopped(
                    f"{error} It could not be told to {wish} the job {job}, which goes on there.",
                    hint=f"Have it {wish} it there.",
                    reason=wish,
                ) from error
            self.run.log(f"{error} The wish to {wish} is passed on again.")
            self.unheard_until = time.monotonic() + (error.retry_after_s or _LOST_S[1])
            return False
        except RftError as error:  # such as a job that ended a moment ago: the next look tells
            self.run.log(f"The service did not {wish} the job. {error}")
        else:
            self.run.log(f"The service was asked to {wish} the job.")
        self._save(told=wish)
        return True

    def _found_before(self, wish: StopRequest) -> str:
        """The job that a run is to stop whose start nobody saw an answer to."""
        words = f"The training was asked to {wish} before the service had answered."
        if wish == "cancel" and self.state.is_sent:
            try:
                found = self.service.find(self.key)
            except RftError as error:
                words += f" {error} Look there for a job of {self.key}."
            else:
                if found:
                    self._save(job=found)
                    return found
        raise TrainingStopped(words, reason=wish)

    # What is told and kept -----------------------------------------------------------------------

    def _take(self, now: JobState, seen: str) -> None:
        known = {point.step: point for point in self.state.curve}
        for point in now.points:
            known[point.step] = _joined(known.get(point.step), point)
        curve = tuple(point for _, point in sorted(known.items()))
        for message in now.messages:
            self.run.log(message)
        before = self.state  # a look at which nothing was new tells of no step
        self._save(
            seen=seen,
            curve=curve,
            step=max(before.step, now.step),
            steps=now.steps or before.steps,
            epoch=max(before.epoch, now.epoch),
        )
        is_training = self.state.step or now.status == "running"
        self._report("training" if is_training else "preparing", now)

    def _save(self, **changes: Any) -> None:
        changed = msgspec.structs.replace(self.state, **changes)
        if changed != self.state:
            self.state = changed
            self.run.save_state(msgspec.msgpack.encode(changed))

    def _report(self, phase: TrainingPhase, now: JobState) -> None:
        state = self.state
        done = state.step / state.steps if state.steps else 0.0
        self.run.report(
            TrainingProgress(
                phase=phase,
                share=0.02 + 0.93 * min(1.0, done),
                step=state.step,
                steps=state.steps,
                epoch=state.epoch,
                gradings=0,
                message=now.words,
                point=now.points[-1] if now.points else None,
                curve=state.curve,
                cost_micro_usd=now.cost_micro_usd,
            )
        )


_ENDED = {"failed": "failed", "cancelled": "was cancelled"}


def _joined(before: CurvePoint | None, now: CurvePoint) -> CurvePoint:
    """What is known of a step: a service may say it piece by piece."""
    if before is None:
        return now
    said = {
        name: value
        for name in CurvePoint.__struct_fields__
        if (value := getattr(now, name)) is not None
    }
    return msgspec.structs.replace(before, **(said | {"metrics": before.metrics | now.metrics}))
