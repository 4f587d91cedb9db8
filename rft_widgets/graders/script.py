"""Script graders: ``def grade(sample, item) -> float`` in the sandbox.

``sample`` and ``item`` are fresh copies for every call. What a grader keeps in its own globals may
last for up to 200 samples, until the next failure, or not at all: a grader must not count on it.
``random`` (and numpy's) starts from the same seed for every sample.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

import msgspec

from rft_widgets.errors import GraderInvalid
from rft_widgets.graders.outcome import Outcome, failed, one_line, rewarded
from rft_widgets.graders.sample import Sample
from rft_widgets.graders.sandbox.host import Sandbox, Worker, packages_of
from rft_widgets.graders.sandbox.wire import Answer, GraderError, WorkerFault
from rft_widgets.model.grader import SANDBOX, GradingErrors, PythonGrader, SandboxLimits

MAX_LOAD_FAILURES = 3


class ScriptGrader:
    """A checked source, and the workers that run it.

    Parameters
    ----------
    grader
        The grader.
    sandbox
        Where its workers come from; it stays open.
    where
        Path of the grader, for errors.

    Raises
    ------
    GraderInvalid
        If the source is not Python, imports what is not allowed, or has no ``grade``.
    SandboxUnavailable
        If this system cannot confine it.
    """

    def __init__(self, grader: PythonGrader, sandbox: Sandbox, where: str = "") -> None:
        check_script(grader, where, sandbox.limits)
        self._source = grader.source
        self._sandbox = sandbox
        self._limits = sandbox.limits
        self._packages = packages_of(grader.source)
        self._lock = threading.Lock()
        self._slots = threading.BoundedSemaphore(self._limits.workers)
        self._idle: list[Worker] = []
        self._load_failures = 0
        self._load_fault: Outcome | None = None
        self._closed = False
        self._check(where)

    def __call__(self, sample: Sample, item: Mapping[str, Any]) -> Outcome:
        """Grade one sample."""
        try:
            body = msgspec.json.encode({"sample": sample.public(), "item": item})[1:-1]
        except (msgspec.MsgspecError, UnicodeEncodeError, TypeError, RecursionError) as error:
            return failed(f"the sample is no JSON: {error}", GradingErrors(other_error=True))
        if len(body) > self._limits.max_sample_bytes:
            return failed(
                f"the sample is larger than {self._limits.max_sample_bytes:,} bytes",
                GradingErrors(other_error=True),
            )
        with self._slots:
            outcome = self._grade(body)
        return msgspec.structs.replace(outcome, isolation=self._sandbox.isolation)

    def close(self) -> None:
        """End the workers."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for worker in idle:
            worker.close()

    def _grade(self, body: bytes) -> Outcome:
        if self._load_fault is not None:
            return self._load_fault
        worker, fault = self._loaded()
        if worker is None:
            return fault
        fresh = not worker.graded
        outcome, timed_out = self._ask(worker, body)
        if outcome.reward is not None or fresh or timed_out:
            return outcome
        # Earlier samples may be to blame: a failure counts only from a worker that had none.
        worker, fault = self._loaded(fresh=True)
        return fault if worker is None else self._ask(worker, body)[0]

    def _ask(self, worker: Worker, body: bytes) -> tuple[Outcome, bool]:
        """One sample in this worker, and whether time ran out."""
        try:
            answer = worker.request(body, self._limits.timeout_s)
        except WorkerFault as fault:
            return self._broken(fault, self._limits.timeout_s), fault.kind == "timeout"
        self._give_back(worker, answer)
        return _judged(answer), False

    def _loaded(self, *, fresh: bool = False) -> tuple[Worker | None, Outcome]:
        """A worker with the grader in it, or why there is none."""
        with self._lock:
            worker = self._idle.pop() if self._idle and not fresh else None
        if worker is not None and worker.loaded:
            return worker, Outcome()
        if worker is None:
            try:
                worker = self._sandbox.spawn(self._packages)
            except WorkerFault as fault:
                return None, self._broken(fault, self._limits.load_timeout_s)
        try:
            answer = worker.request(_body("load", self._source), self._limits.load_timeout_s)
        except WorkerFault as error:
            return None, self._not_loaded(self._broken(error, self._limits.load_timeout_s))
        if answer.error is not None:
            worker.close()
            return None, self._not_loaded(_raised(answer.error))
        worker.loaded = True
        self._load_failures = 0
        return worker, Outcome()

    def _not_loaded(self, outcome: Outcome) -> Outcome:
        self._load_failures += 1
        if self._load_failures >= MAX_LOAD_FAILURES:
            self._load_fault = outcome  # it will not get better; every sample would wait for it
        return outcome

    def _give_back(self, worker: Worker, answer: Answer) -> None:
        worker.graded += 1
        spent = worker.graded >= self._limits.samples_per_worker
        with self._lock:
            keep = not (answer.error is not None or spent or self._closed)
            if keep:
                self._idle.append(worker)
        if not keep:
            worker.close()

    @staticmethod
    def _broken(fault: WorkerFault, limit_s: float) -> Outcome:
        slow = f"the grader took longer than {limit_s:g} s"
        text = slow if fault.kind == "timeout" else str(fault)
        errors = GradingErrors(
            python_grader_server_error=True, python_grader_server_error_type=fault.kind
        )
        return failed(text, errors)

    def _check(self, where: str) -> None:
        try:
            worker = self._sandbox.spawn(self._packages)
            answer = worker.request(_body("check", self._source), self._limits.load_timeout_s)
        except WorkerFault as fault:
            raise GraderInvalid(
                f"the source could not be checked: {fault}", where=f"{where}source"
            ) from None
        if answer.problem is not None or answer.error is not None:
            worker.close()
            problem = answer.problem
            message = problem.message if problem else answer.error.message  # type: ignore[union-attr]
            line = problem.line if problem else None
            raise GraderInvalid(
                one_line(message) + (f" (line {line})" if line else ""),
                where=f"{where}source",
                line=line,
                column=problem.column if problem else None,
            )
        self._idle.append(worker)


def check_script(grader: PythonGrader, where: str = "", limits: SandboxLimits = SANDBOX) -> None:
    """Check what can be told of a source without reading it as Python: size, text, the name.

    Parsing foreign source can hang or crash an interpreter; it is left to a confined worker.
    """
    where = f"{where}source"
    try:
        size = len(grader.source.encode())
    except UnicodeEncodeError:
        raise GraderInvalid("the source is not valid text", where=where) from None
    if size > limits.max_source_bytes:
        raise GraderInvalid(
            f"the source has {size:,} bytes; at most {limits.max_source_bytes:,} are allowed",
            where=where,
        )
    if "\0" in grader.source:
        raise GraderInvalid("the source holds a NUL character", where=where)
    if "grade" not in grader.source:
        raise GraderInvalid("there is no function grade(sample, item)", where=where)


def _body(key: str, source: str) -> bytes:
    return b'"%b":%b' % (key.encode(), msgspec.json.encode(source))


def _judged(answer: Answer) -> Outcome:
    if answer.error is not None:
        return _raised(answer.error)
    if answer.score is None:
        return failed(
            "the grader's process answered without a score",
            GradingErrors(
                python_grader_server_error=True, python_grader_server_error_type="protocol"
            ),
        )
    return rewarded(answer.score)


def _raised(error: GraderError) -> Outcome:
    text = f"{error.type}: {error.message}" if error.type else error.message
    if error.line is not None:
        text += f" (line {error.line})"
    return failed(
        text,
        GradingErrors(
            python_grader_runtime_error=True, python_grader_runtime_error_details=one_line(text)
        ),
    )
