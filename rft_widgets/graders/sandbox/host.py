"""Run grader code in confined workers, and believe nothing that comes back from them."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import platform
import re
import secrets
import select
import signal
import socket
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from rft_widgets.errors import InvalidArgument, SandboxUnavailable
from rft_widgets.graders.sandbox.wire import ANSWER, Answer, WorkerFault, decode_answer
from rft_widgets.graders.sandbox.worker import EXTRA_MODULES, MAX_ANSWER_BYTES
from rft_widgets.model.grader import SANDBOX, SandboxLimits

UNSAFE_VARIABLE = "RFT_WIDGETS_UNSAFE_GRADERS"
"""Environment variable by which an operator lets grader code run without isolation (``1``)."""

REFUSAL = "This computer cannot isolate grader code; use an LLM judge, similarity or string check"
FOLDER = Path(__file__).parent
BOOT = "import sys; sys.path.insert(0, sys.argv[1]); import worker; worker.main(int(sys.argv[2]))"


class Sandbox:
    """One bare interpreter that forks confined workers for any number of graders.

    It starts when it is first needed.

    Parameters
    ----------
    limits
        What a grader may cost.
    allow_unsafe
        Whether ``RFT_WIDGETS_UNSAFE_GRADERS=1`` counts where the system cannot isolate. Programs
        that serve other people pass ``False``.
    """

    def __init__(self, limits: SandboxLimits = SANDBOX, *, allow_unsafe: bool = True) -> None:
        self.limits = limits
        self._unsafe_allowed = allow_unsafe and os.environ.get(UNSAFE_VARIABLE) == "1"
        self._lock = threading.Lock()
        self._nursery: _Nursery | None = None
        self._isolation: str | None = None
        self._closed = False

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def isolation(self) -> str:
        """What confines the workers (``seccomp, landlock 7``), or ``none``."""
        self.start()
        assert self._isolation is not None  # noqa: S101 - set by start
        return self._isolation

    def start(self) -> None:
        """Start the interpreter and prove once that its workers are confined.

        Raises
        ------
        SandboxUnavailable
            If they cannot be.
        """
        if self._isolation is None:
            self.spawn(()).close()

    def close(self) -> None:
        """End the interpreter and every worker of it."""
        with self._lock:
            self._closed = True
            nursery, self._nursery = self._nursery, None
        if nursery is not None:
            nursery.close()

    def spawn(self, packages: Sequence[str]) -> Worker:
        """Fork a fresh worker that may import these packages beside the standard modules."""
        with self._lock:
            if self._closed:
                raise InvalidArgument("The sandbox is closed.", hint="Open a new one.")
            nursery = self._nursery
            if nursery is None or not nursery.usable:
                nursery = self._nursery = _start_nursery()
            try:
                nursery.warm(packages)
                worker, answer = nursery.fork(self.limits, unsafe=self._isolation == "none")
                if answer.ready is None and self._unsafe_allowed:
                    worker.close()
                    worker, answer = nursery.fork(self.limits, unsafe=True)
            except (OSError, EOFError) as error:
                # The interpreter itself is gone (killed, out of memory): the next use starts anew.
                self._nursery = None
                nursery.close()
                raise WorkerFault("crash", f"the sandbox ended: {error}") from error
            if answer.ready is None:
                worker.close()
                raise SandboxUnavailable(f"{REFUSAL} ({answer.refused or 'no self-test'}).")
            self._isolation = answer.ready
            return worker


class Worker:
    """A confined process that serves one grader's requests, one at a time."""

    def __init__(self, nursery: _Nursery, pid: int, requests: int, answers: int) -> None:
        self.pid = pid
        self.loaded = False
        """Whether it holds the grader's functions."""
        self.graded = 0
        """Samples that it has answered."""
        self._requests = requests
        self._answers = answers
        os.set_blocking(requests, False)
        os.set_blocking(answers, False)
        self._readable = select.poll()
        self._readable.register(answers, select.POLLIN)
        self._writable = select.poll()
        self._writable.register(requests, select.POLLOUT)
        self._nursery = nursery
        # A worker that is dropped unclosed reads end of file; collecting garbage may not wait.
        self._release = weakref.finalize(self, _close_all, requests, answers)

    def close(self) -> str:
        """Kill the process; what ended it, for people."""
        if not self._release.alive:
            return "already closed"
        self._release()
        return self._nursery.reap(self.pid)

    def handshake(self) -> Answer:
        """Wait until the worker has confined itself and proved it, or says why it cannot."""
        try:
            return ANSWER.decode(self._receive(time.monotonic() + 10.0))
        except (WorkerFault, msgspec.MsgspecError) as error:
            self.close()
            raise SandboxUnavailable(f"{REFUSAL} (the worker did not start: {error}).") from error

    def request(self, body: bytes, timeout_s: float) -> Answer:
        """Send the inside of a JSON object, and wait for its answer.

        Raises
        ------
        WorkerFault
            If there is none in time, or none that counts. The worker is dead then.
        """
        request_id = secrets.token_hex(8)
        frame = b'{"id":"%b",%b}' % (request_id.encode(), body)
        deadline = time.monotonic() + timeout_s
        try:
            self._expect_silence()
            self._transmit(len(frame).to_bytes(4, "big") + frame, deadline)
            answer = decode_answer(self._receive(deadline), request_id)
        except WorkerFault as fault:
            ended = self.close()
            if fault.kind == "crash":
                raise WorkerFault("crash", f"the grader's process ended: {ended}") from None
            raise
        except BaseException:
            self.close()  # interrupted between question and answer: it cannot be used again
            raise
        return answer

    def _expect_silence(self) -> None:
        if self._readable.poll(0):
            if not os.read(self._answers, 1):
                raise WorkerFault("crash", "closed")
            raise WorkerFault("protocol", "the grader's process wrote what it was not asked for")

    def _transmit(self, data: bytes, deadline: float) -> None:
        view = memoryview(data)
        while view:
            try:
                view = view[os.write(self._requests, view) :]
            except BlockingIOError:
                self._wait(self._writable, deadline)
            except BrokenPipeError:
                raise WorkerFault("crash", "closed") from None

    def _receive(self, deadline: float) -> bytes:
        data = b""
        size = None
        while True:
            self._wait(self._readable, deadline)
            try:
                part = os.read(self._answers, MAX_ANSWER_BYTES + 8)
            except BlockingIOError:
                continue
            if not part:
                raise WorkerFault("crash", "closed")
            data = data + part if data else part
            if size is None and len(data) >= 4:
                size = 4 + int.from_bytes(data[:4], "big")
                if size > 4 + MAX_ANSWER_BYTES:
                    raise WorkerFault("protocol", "the grader's process answered too much")
            if size is not None and len(data) >= size:
                if len(data) > size:
                    raise WorkerFault("protocol", "the grader's process answered more than once")
                return data[4:]

    def _wait(self, poll: select.poll, deadline: float) -> None:
        left = deadline - time.monotonic()
        if left <= 0 or not poll.poll(left * 1000):
            raise WorkerFault("timeout", "the grader took too long")


class _Nursery:
    """The interpreter that forks; it never sees grader code, so what it says is believed."""

    def __init__(self, process: subprocess.Popen[bytes], control: socket.socket) -> None:
        self.owner = os.getpid()
        self._process_id = process.pid
        self._control = control
        self._lock = threading.Lock()
        self._warm: set[str] = set()
        self._end = weakref.finalize(self, _end_nursery, process, control, self.owner)
        self._ask_nothing(timeout_s=30.0)

    @property
    def usable(self) -> bool:
        return self._end.alive and self.owner == os.getpid()

    def close(self) -> None:
        self._end()

    def warm(self, packages: Sequence[str]) -> None:
        names = sorted(set(packages) - self._warm)
        if not names:
            return
        found = {name: importlib.util.find_spec(name) for name in names}
        paths = {
            str(Path(spec.origin).parents[1]) for spec in found.values() if spec and spec.origin
        }
        self._ask({"warm": names, "paths": sorted(paths)})
        self._warm.update(names)

    def fork(self, limits: SandboxLimits, *, unsafe: bool) -> tuple[Worker, Answer]:
        request_read, request_write = os.pipe()
        answer_read, answer_write = os.pipe()
        processor_s = limits.samples_per_worker * limits.timeout_s + limits.load_timeout_s
        command = {
            "spawn": {
                "memory_bytes": limits.memory_bytes,
                "cpu_s": int(processor_s) + 10,
                "unsafe": unsafe,
            }
        }
        try:
            answer = self._ask(command, fds=(request_read, answer_write))
        except BaseException:
            os.close(request_write)
            os.close(answer_read)
            raise
        finally:
            os.close(request_read)
            os.close(answer_write)
        worker = Worker(self, answer["pid"], request_write, answer_read)
        return worker, worker.handshake()

    def reap(self, pid: int) -> str:
        if self.owner != os.getpid():
            return "left to the process that started it"
        try:
            status = self._ask({"reap": pid})["status"]
        except (OSError, EOFError):
            return "the sandbox ended"  # and its workers with it
        if os.WIFSIGNALED(status):
            number = os.WTERMSIG(status)
            with contextlib.suppress(ValueError):
                return f"signal {signal.Signals(number).name}"
            return f"signal {number}"
        return f"exit code {os.WEXITSTATUS(status)}"

    def _ask(self, command: dict[str, Any], fds: Sequence[int] = ()) -> Any:
        data = json.dumps(command).encode() + b"\n"
        with self._lock:
            try:
                if fds:
                    socket.send_fds(self._control, [data], list(fds))
                else:
                    self._control.sendall(data)
                return self._reply()
            except BaseException:
                self.close()  # an answer that nobody waited for would be taken for the next one
                raise

    def _ask_nothing(self, timeout_s: float) -> None:
        self._control.settimeout(timeout_s)
        try:
            self._reply()
        except (OSError, EOFError) as error:
            self.close()
            raise SandboxUnavailable(
                f"{REFUSAL} (the sandbox interpreter did not start: {error})."
            ) from error

    def _reply(self) -> Any:
        message = b""
        while not message.endswith(b"\n"):
            part = self._control.recv(65_536)
            if not part:
                raise EOFError("it hung up")
            message += part
        return json.loads(message)


def _start_nursery() -> _Nursery:
    if os.name != "posix" or not sys.executable:
        raise SandboxUnavailable(f"{REFUSAL} ({platform.system()} has no fork).")
    ours, theirs = socket.socketpair()
    # Nothing of this process's environment but where the interpreter's own libraries lie.
    environment = {
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "LC_ALL": "C.UTF-8",
    }
    if "LD_LIBRARY_PATH" in os.environ:
        environment["LD_LIBRARY_PATH"] = os.environ["LD_LIBRARY_PATH"]
    with theirs:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter, our own file
            [sys.executable, "-I", "-S", "-B", "-c", BOOT, str(FOLDER), str(theirs.fileno())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(theirs.fileno(),),
            env=environment,
            cwd="/",
            start_new_session=True,
        )
    return _Nursery(process, ours)


def _close_all(*descriptors: int) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


def _end_nursery(process: subprocess.Popen[bytes], control: socket.socket, owner: int) -> None:
    control.close()  # it kills its workers and ends when this connection closes
    if os.getpid() != owner:
        return
    try:
        process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def packages_of(source: str) -> tuple[str, ...]:
    """The optional packages whose names a source mentions; they have to be loaded beforehand."""
    return tuple(name for name in EXTRA_MODULES if re.search(rf"\b{name}\b", source))
