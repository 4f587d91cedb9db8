"""A run as a job of a Ray cluster, followed through nothing but the cluster's dashboard.

The job prints what it writes into the folder of the run there, and it is written into the folder
here. So the run looks as one on this machine does. What is printed can be read from the beginning
again at any time: whoever comes later, or loses the connection, misses nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from rft_widgets.errors import ClusterUnavailable, RftError
from rft_widgets.trainers.program.rft_training.places import (
    CHECKPOINTS,
    CONTROL,
    ENDED,
    MEASURED,
    METRICS,
    ROLLOUTS,
    STOP,
)
from rft_widgets.trainers.ray.mirror import Line, Mirror

T = TypeVar("T")

PROGRAM = "ray_train.py"
MARK = "@rft "
_POLL_S = 1.0
_FIRST_CONTACT_S = 30.0
_KILL_S = 20.0
_DRAIN_S = 60.0
_OVER = ("SUCCEEDED", "FAILED", "STOPPED")
_LOST_S = (1.0, 2.0, 5.0, 15.0, 60.0)
MOST_BYTES = 4 * 1024**3
"""Weights up to this come through the dashboard; larger ones stay on the cluster."""


class Cluster(Struct, frozen=True, kw_only=True):
    """Where a run is sent, and where it keeps its folder there.

    ``pip`` are packages that Ray installs for it on the nodes.
    """

    address: str
    storage: str
    pip: tuple[str, ...] = ()


class RayProgram:
    """The program of a run, as jobs of a cluster: one each time that it is started.

    Parameters
    ----------
    folder
        Of the run, here.
    name
        Of the run, on the cluster.
    cluster
        Where.
    say
        Told what whoever looks at the run should know.
    """

    def __init__(
        self, folder: Path, name: str, cluster: Cluster, say: Callable[[str], None]
    ) -> None:
        self._folder, self._name, self._cluster, self._say = folder, name, cluster, say
        self._mirror = Mirror(folder, say)
        self._there = Path(cluster.storage) / name
        self._words: deque[str] = deque(maxlen=200)
        self._client: Any = None
        self._tail: threading.Thread | None = None
        self._tailed = ""
        self._fault: Exception | None = None
        self._wanted = False
        self._told_to_stop = ""
        self._asked_at = 0.0
        self._alive = False
        self._failures = 0
        self._met = False
        self._since = 0.0

    # What whoever follows the run asks -----------------------------------------------------------

    def start(self) -> None:
        """Have it started; it goes on from the last checkpoint on the cluster's storage."""
        if self._mirror.is_done():
            return  # it came to its end while nobody looked
        for name in (STOP, ENDED):
            (self._folder / name).unlink(missing_ok=True)
        self._wanted, self._alive = True, True
        self._asked_at = 0.0

    def is_alive(self) -> bool:
        """Whether it runs, as the cluster said last; a cluster that is silent is asked again."""
        pause = _LOST_S[min(self._failures, len(_LOST_S)) - 1] if self._failures else _POLL_S
        if time.monotonic() - self._asked_at < pause:
            return self._alive
        try:
            self._alive = self._look()
        except ClusterUnavailable as error:
            self._lost(error)
            self._alive = True
        else:
            self._failures, self._met = 0, True
        self._asked_at = time.monotonic()
        return self._alive

    def kill(self) -> None:
        """End the job that runs; what cannot be told so is said."""
        self._wanted = False
        ends = time.monotonic() + _KILL_S
        while time.monotonic() < ends:
            try:
                job = self._newest()
                if job is None or job[1] in _OVER:
                    self._alive = False
                    return
                self._stop(job[0])
            except ClusterUnavailable as error:
                if time.monotonic() + 1 > ends or not self._met:
                    self._say(f"{error} The job may still run; `ray job stop` ends it.")
                    return
            time.sleep(0.5)

    def last_words(self, lines: int = 12) -> str:
        """The end of what the job printed."""
        return "\n".join(list(self._words)[-lines:])

    # The cluster ---------------------------------------------------------------------------------

    def _look(self) -> bool:
        """Submit what is wanted, pass on a wish to stop, and see whether it runs."""
        newest = self._newest()
        if self._wanted and (newest is None or newest[1] in _OVER):
            number = 1 if newest is None else int(newest[0].rpartition("-")[2]) + 1
            self._submit(f"{self._name}-{number}")
            return True
        self._wanted = False
        if newest is None:
            return False
        job, status = newest
        self._raise_fault()
        self._follow_log(job)
        if status not in _OVER:
            if (self._folder / STOP).exists() and self._told_to_stop != job:
                self._pass_on_stop(job)
            return True
        self._drain()
        if status == "SUCCEEDED" and self._mirror.is_done():
            self._bring_weights(job)
        return False

    def _newest(self) -> tuple[str, str] | None:
        """Id and status of the newest job of this run."""
        jobs = self._ask(lambda client: client.list_jobs())
        found = {}
        for one in jobs:
            begin, _, number = (one.submission_id or "").rpartition("-")
            if begin == self._name and number.isdecimal():
                found[int(number)] = (
                    one.submission_id,
                    str(getattr(one.status, "value", one.status)),
                )
        return found[max(found)] if found else None

    def _pass_on_stop(self, job: str) -> None:
        """Have the program save a checkpoint and end."""
        if self._mirror.is_same_place(self._there):
            (self._there / STOP).touch()
        else:
            self._short_job(f"{job}-stop-{int(time.time())}", "stop")
        self._told_to_stop = job

    def _stop(self, job: str) -> None:
        self._ask(lambda client: client.stop_job(job))

    def _submit(self, job: str) -> None:
        environment = self._environment()
        with contextlib.suppress(_AlreadyThere):
            self._ask(
                lambda client: client.submit_job(
                    entrypoint=f"python {PROGRAM}",
                    submission_id=job,
                    runtime_env=environment,
                    metadata={"made_by": "rft-widgets"},
                )
            )
        self._wanted = False
        self._say(f"The cluster calls the job {job}.")

    def _environment(self) -> dict[str, Any]:
        # What the run writes is no part of what is sent; a leading slash is the folder itself.
        written = (CHECKPOINTS, MEASURED, METRICS, ROLLOUTS, CONTROL, "log.txt")
        environment: dict[str, Any] = {
            "working_dir": str(self._folder),
            "excludes": [f"/{name}" for name in written],
        }
        if self._cluster.pip:
            environment["pip"] = list(self._cluster.pip)
        return environment

    def _short_job(self, job: str, *words: str) -> None:
        environment = self._environment()
        self._ask(
            lambda client: client.submit_job(
                entrypoint=" ".join(["python", PROGRAM, *words]),
                submission_id=job,
                runtime_env=environment,
            )
        )

    def _ask(self, question: Callable[[Any], T]) -> T:
        """Ask the dashboard, in our words where it does not answer."""
        import requests  # noqa: PLC0415 - of Ray
        from ray.job_submission import JobSubmissionClient  # noqa: PLC0415 - heavy

        try:
            if self._client is None:
                self._client = JobSubmissionClient(self._cluster.address)
            return question(self._client)
        except (OSError, requests.RequestException) as error:
            self._client = None
            raise self._silent(error) from None
        except RuntimeError as error:
            text = str(error)
            if "already exists" in text:
                raise _AlreadyThere from None
            # Ray gives errors of its server as text, with the status among the first words.
            if any(f"status code {code}" in text for code in (500, 502, 503, 504)):
                raise self._silent(error) from None
            raise RftError(
                f"The Ray cluster at {self._cluster.address} refused the job: {text[:600]}",
                hint="See that it has the same Ray as this machine.",
            ) from None

    def _silent(self, error: BaseException) -> ClusterUnavailable:
        words = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        return ClusterUnavailable(
            f"The dashboard of the Ray cluster at {self._cluster.address} does not answer "
            f"({words})."
        )

    def _lost(self, error: ClusterUnavailable) -> None:
        self._failures += 1
        if self._failures == 1:
            self._since = time.monotonic()
        if not self._met and time.monotonic() - self._since > _FIRST_CONTACT_S:
            raise ClusterUnavailable(
                error.message,
                hint="Start a cluster with `ray start --head --dashboard-host 0.0.0.0`, and "
                "`ray start --address HOST:6379` on every other machine, or give its address.",
            )
        if self._failures == 1:
            self._say(f"{error} It is asked again.")

    # What comes back -----------------------------------------------------------------------------

    def _follow_log(self, job: str) -> None:
        if self._tailed == job and self._tail is not None and self._tail.is_alive():
            return
        if self._tailed == job and self._mirror.is_complete:
            return
        self._tailed = job
        self._mirror.is_complete = False
        self._tail = threading.Thread(
            target=self._read_log, args=(job,), name=f"rft-ray-{job}", daemon=True
        )
        self._tail.start()

    def _drain(self) -> None:
        """Wait until the log of a job that ended was read to its end."""
        if self._tail is not None:
            self._tail.join(_DRAIN_S)
        self._raise_fault()
        if not self._mirror.is_complete:
            raise ClusterUnavailable("The log of the job was cut off.")

    def _raise_fault(self) -> None:
        """Raise what went wrong where the log is read, which to read again would not mend."""
        fault, self._fault = self._fault, None
        if fault is not None:
            raise RftError(f"What the job printed could not be taken: {fault!r}.") from fault

    def _read_log(self, job: str) -> None:
        """Read the log of a job from its first line to its last; a cut is for whoever looks."""

        def take(text: str) -> None:
            line = _line(text)
            if line is not None:
                self._mirror.take(line)
            elif text.strip():
                self._words.append(text)

        try:
            self._each_line(job, take)
            self._mirror.is_complete = True
        except (OSError, RuntimeError, ClusterUnavailable):
            return
        except Exception as error:  # noqa: BLE001 - raised where the run is followed
            self._fault = error

    def _each_line(self, job: str, take: Callable[[str], None]) -> None:
        client = self._ask(lambda found: found)

        async def read() -> None:
            rest = ""
            async for chunk in client.tail_job_logs(job):
                *lines, rest = (rest + chunk).split("\n")
                for line in lines:
                    take(line)
            if rest:
                take(rest)

        asyncio.run(read())

    def _bring_weights(self, job: str) -> None:
        """Bring the weights of all checkpoints here."""
        there = self._there
        if self._mirror.is_same_place(there):
            self._mirror.copy_weights(there)
            return
        sizes = self._fetched(job, [])
        wanted = {name: size for name, size in sizes.items() if self._mirror.lacks(name, size)}
        total = sum(wanted.values())
        if total > MOST_BYTES:
            self._say(
                f"The weights are {total / 1024**3:.1f} GiB, too much to come through the "
                f"dashboard: copy {there}/{CHECKPOINTS} on the cluster to "
                f"{self._folder / CHECKPOINTS}."
            )
            return
        if wanted:
            self._say(f"Fetching {total / 1024**2:,.1f} MiB of weights from the cluster.")
            self._fetched(job, sorted(wanted))

    def _fetched(self, job: str, names: Sequence[str]) -> dict[str, int]:
        """Have a short job print files into the log, and read them; the sizes where it has none."""
        short = f"{job}-fetch-{time.time_ns()}"
        self._short_job(short, "fetch", self._mirror.node or "0", *names)
        sizes: dict[str, int] = {}
        words: list[str] = []

        def take(text: str) -> None:
            line = _line(text)
            if line is None:
                words.append(text)
                return
            sizes.update(line.sizes or {})
            self._mirror.take(line)

        try:
            self._each_line(short, take)
        except (OSError, RuntimeError) as error:
            raise self._silent(error) from None
        status = self._ask(lambda client: client.get_job_status(short))
        if str(getattr(status, "value", status)) != "SUCCEEDED":
            raise RftError("The weights could not be read:\n" + "\n".join(words[-8:]))
        return sizes


def _line(text: str) -> Line | None:
    """A line that is meant for whoever submitted the job; ``None`` for all others."""
    if not text.startswith(MARK):
        return None
    try:
        return msgspec.json.decode(text[len(MARK) :], type=Line)
    except msgspec.MsgspecError:
        return None


class _AlreadyThere(Exception):  # noqa: N818 - caught at once
    """A job of that name was submitted before."""
