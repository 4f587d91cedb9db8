"""The other side of the sandbox: a bare interpreter that forks confined graders.

Imported by a ``python -I -S -B`` that has this folder first on its path and nothing of the package
around it. That first process (the nursery) loads what graders may use and never sees user code. For
each worker it forks; the child confines itself, proves it, and only then reads a grader's source
from its own pipe.
"""

from __future__ import annotations

import ast
import contextlib
import gc
import importlib
import json
import math
import os
import random
import sys
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any, NoReturn

STANDARD_MODULES = (
    "__future__", "abc", "ast", "base64", "bisect", "cmath", "collections", "collections.abc",
    "contextlib", "copy", "dataclasses", "datetime", "decimal", "difflib", "enum", "fractions",
    "functools", "hashlib", "heapq", "html", "itertools", "json", "math", "numbers", "operator",
    "random", "re", "statistics", "string", "textwrap", "typing", "unicodedata",
)  # fmt: skip
"""What every grader may import; loaded before the jail closes, since nothing loads inside it."""

EXTRA_MODULES = {
    "numpy": ("numpy", "numpy.linalg", "numpy.random", "numpy.fft", "numpy.polynomial", "numpy.ma"),
    "rapidfuzz": (
        "rapidfuzz", "rapidfuzz.fuzz", "rapidfuzz.process", "rapidfuzz.utils", "rapidfuzz.distance",
    ),
}  # fmt: skip
"""Packages that graders may import where they are installed, and the parts of them to load."""

ALLOWED_ROOTS = (
    frozenset(name.partition(".")[0] for name in STANDARD_MODULES) | EXTRA_MODULES.keys()
)

FILENAME = "<grader>"
MAX_ANSWER_BYTES = 65_536
MAX_ERROR_CHARS = 2_000
REQUESTS, ANSWERS = 3, 4
"""Descriptors of a worker: where requests come from and answers go to."""


def check(source: str) -> dict[str, Any] | None:
    """What is wrong with a grader's source, as ``message``, ``line`` and ``column``, if anything.

    Nothing of it is run.
    """
    try:
        tree = ast.parse(source, FILENAME)
    except SyntaxError as error:
        return _problem(f"not Python: {error.msg}", error.lineno, error.offset)
    except (ValueError, RecursionError, MemoryError) as error:
        return _problem(f"not Python that can be read: {str(error) or type(error).__name__}")
    defined = False
    for node in ast.walk(tree):
        for name, level in _imports(node):
            root = name.partition(".")[0]
            if root in EXTRA_MODULES and root not in sys.modules:
                return _problem(f"{root} is not installed here", getattr(node, "lineno", None))
            if level or root not in ALLOWED_ROOTS:
                return _problem(
                    f"import of {'.' * level}{name} is not allowed; a grader may import "
                    + ", ".join(sorted(ALLOWED_ROOTS - {"__future__"})),
                    getattr(node, "lineno", None),
                    getattr(node, "col_offset", -1) + 1,
                )
        if isinstance(node, ast.AsyncFunctionDef) and node.name == "grade":
            return _problem("grade must be a plain function, not async", node.lineno, 1)
        defined = defined or _defines_grade(node)
    if not defined:
        return _problem("there is no function grade(sample, item)")
    try:
        compile(tree, FILENAME, "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return _problem(f"not Python: {error}", getattr(error, "lineno", None))
    return None


def _problem(message: str, line: int | None = None, column: int | None = None) -> dict[str, Any]:
    return {"message": message[:MAX_ERROR_CHARS], "line": line, "column": column}


def _imports(node: ast.AST) -> Iterator[tuple[str, int]]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield alias.name, 0
    elif isinstance(node, ast.ImportFrom):
        yield node.module or "", node.level


def _defines_grade(node: ast.AST) -> bool:
    if isinstance(node, ast.FunctionDef):
        return node.name == "grade"
    if isinstance(node, ast.Assign):
        return any(isinstance(name, ast.Name) and name.id == "grade" for name in node.targets)
    return False


# The nursery


def main(control_fd: int) -> None:
    """Serve the host's commands until it hangs up."""
    import _socket  # noqa: PLC0415 - the C part alone; the rest of `socket` takes 10 ms to load

    for name in STANDARD_MODULES:
        importlib.import_module(name)
    _touch_what_loads_late()
    with contextlib.suppress(Exception):  # a worker that cannot have it says so when it is asked
        importlib.import_module("jail_linux")
    sys.path.pop(0)
    gc.collect()
    gc.freeze()
    control = _socket.socket(fileno=control_fd)
    children: set[int] = set()
    control.sendall(b'{"ready":true}\n')
    while True:
        # One command at a time, each a line; descriptors come with its first byte.
        message, ancillary, _, _ = control.recvmsg(65_536, 256)
        while message and not message.endswith(b"\n"):
            part = control.recv(65_536)
            message = message + part if part else b""
        if not message:
            break
        command = json.loads(message)
        if "warm" in command:
            answer: dict[str, Any] = {}
            _warm(command["warm"], command["paths"])
        elif "spawn" in command:
            requests, answers = memoryview(ancillary[0][2]).cast("i")
            # Nothing of the control connection may live on in the child.
            pid = os.fork()
            if pid == 0:
                _become_worker(command["spawn"], int(requests), int(answers))
            os.close(requests)
            os.close(answers)
            children.add(pid)
            answer = {"pid": pid}
        else:
            pid = command["reap"]
            children.discard(pid)
            answer = {"status": _reap(pid)}
        control.sendall(json.dumps(answer).encode() + b"\n")
    for pid in children:
        _reap(pid)


def _touch_what_loads_late() -> None:
    # Some of the standard library opens files at first use, which the jail will refuse.
    import datetime as dt  # noqa: PLC0415

    dt.datetime.strptime("2000-01-01", "%Y-%m-%d")  # noqa: DTZ007
    for encoding in ("ascii", "latin-1", "cp1252", "utf-8-sig", "utf-16", "utf-32", "idna",
                     "unicode_escape", "raw_unicode_escape", "punycode", "rot13"):  # fmt: skip
        with contextlib.suppress(LookupError):
            "".encode(encoding) if encoding != "rot13" else None


def _warm(names: Sequence[str], paths: Sequence[str]) -> None:
    """Load optional packages; one that is missing is missed by the source that imports it."""
    sys.path[:0] = paths
    for name in names:
        with contextlib.suppress(ImportError):
            for part in EXTRA_MODULES[name]:
                importlib.import_module(part)
    del sys.path[: len(paths)]
    gc.freeze()


def _reap(pid: int) -> int:
    # Not waited for yet, so the number is still this child's and nobody else's.
    for kill in (os.killpg, os.kill):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            kill(pid, 9)
    return os.waitpid(pid, 0)[1]


# The worker


def _become_worker(limits: Mapping[str, Any], requests: int, answers: int) -> NoReturn:
    try:
        parent = os.getppid()
        os.setsid()
        with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:  # noqa: PTH123
            file.write("1000")  # when memory runs out, this process goes first
        _keep_only(requests, answers)
        _serve(_confine(limits, parent))
    except BaseException as error:  # noqa: BLE001 - nothing may return into the nursery's loop
        with contextlib.suppress(BaseException):
            _send({"refused": f"{type(error).__name__}: {error}"[:MAX_ERROR_CHARS]})
    finally:
        os._exit(1)


def _keep_only(requests: int, answers: int) -> None:
    import fcntl  # noqa: PLC0415 - not on every system that imports this module

    high = [fcntl.fcntl(fd, fcntl.F_DUPFD, 10) for fd in (requests, answers)]
    os.dup2(high[0], REQUESTS)
    os.dup2(high[1], ANSWERS)
    os.closerange(ANSWERS + 1, os.sysconf("SC_OPEN_MAX"))


def _confine(limits: Mapping[str, Any], parent: int) -> str:
    if limits["unsafe"]:
        _bound_without_jail(limits)
        return "none"
    jail = importlib.import_module("jail_linux")
    jail.die_with_parent(parent)
    jail.set_rlimits(limits["memory_bytes"], limits["cpu_s"], descriptors=ANSWERS + 2)
    isolation: str = jail.confine()
    jail.self_test()
    for name in ("jail_linux", "ctypes", "_ctypes", "_socket", "fcntl"):
        sys.modules.pop(name, None)
    return isolation


def _bound_without_jail(limits: Mapping[str, Any]) -> None:
    import resource  # noqa: PLC0415 - not on every system that imports this module

    for name, bound in (("RLIMIT_AS", "memory_bytes"), ("RLIMIT_CPU", "cpu_s")):
        with contextlib.suppress(AttributeError, OSError, ValueError):
            resource.setrlimit(getattr(resource, name), (limits[bound], limits[bound]))


def _serve(isolation: str) -> NoReturn:
    """Answer requests until the host hangs up: ``check``, then ``load``, then any number of grades.

    Everything the loop needs is bound here, before user code can replace it in its module.
    """
    loads, number = json.loads, _score
    seeds = [random.seed]
    if "numpy" in sys.modules:
        seeds.append(sys.modules["numpy"].random.seed)
    read_frame, write, send = _read_frame, _write, _send
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    sys.path[:] = []
    sys.argv[:] = [""]
    sys.executable = ""
    grade: Callable[[Any, Any], object] | None = None
    send({"ready": isolation})
    while True:
        frame = read_frame()
        if frame is None:
            os._exit(0)
        request = loads(frame)
        request_id = request["id"]
        try:
            if "sample" in request:
                for seed in seeds:  # the same answer graded twice gets the same score
                    seed(0)
                score = number(grade(request["sample"], request["item"]))  # type: ignore[misc]
                write(b'{"id":"%b","score":%b}' % (request_id.encode(), repr(score).encode()))
            elif "check" in request:
                send({"id": request_id, "problem": check(request["check"])})
            else:
                grade = _load(request["load"])
                send({"id": request_id})
        except BaseException as error:  # noqa: BLE001 - whatever user code raises is its result
            send({"id": request_id, "error": _describe(error)})


class _BadScore(Exception):  # noqa: N818 - shown to people as what happened
    pass


def _load(source: str) -> Callable[[Any, Any], object]:
    module = types.ModuleType("grader")
    sys.modules["grader"] = module
    exec(compile(source, FILENAME, "exec", dont_inherit=True), module.__dict__)  # noqa: S102
    grade = module.__dict__.get("grade")
    if not callable(grade):
        raise _BadScore("the source defines no function grade(sample, item)")
    return grade  # type: ignore[no-any-return]


def _score(value: object, isfinite: Callable[[float], bool] = math.isfinite) -> float:
    score = _number(value)
    if not isfinite(score):
        raise _BadScore(f"grade returned {score!r}, not a finite number")
    return score


def _number(value: object) -> float:
    # The base classes' own methods: a subclass does not get to answer for them.
    if isinstance(value, float):
        return float.__add__(value, 0.0)
    if isinstance(value, int):  # True and False are 1 and 0
        try:
            return float(int.__add__(value, 0))
        except OverflowError:
            raise _BadScore("grade returned a number too large for a score") from None
    if isinstance(value, (Fraction, Decimal)):
        return float.__add__(float(value), 0.0)
    if type(value).__module__ == "numpy" and getattr(value, "ndim", None) == 0:
        item = value.item()  # type: ignore[attr-defined]
        if isinstance(item, (int, float)):
            return _number(item)
    raise _BadScore(f"grade returned a value of type {type(value).__name__}, not a number")


def _describe(error: BaseException) -> dict[str, Any]:
    try:
        message = str(error)
    except BaseException:  # noqa: BLE001
        message = "(the exception cannot be shown)"
    line = None
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == FILENAME:
            line = trace.tb_lineno
        trace = trace.tb_next
    kind = None if isinstance(error, _BadScore) else type(error).__name__[:200]
    return {"type": kind, "message": message[:MAX_ERROR_CHARS], "line": line}


# Frames: four bytes of length, then JSON


def _read_frame(read: Callable[[int, int], bytes] = os.read) -> bytes | None:
    header = _read_exactly(4, read)
    return None if header is None else _read_exactly(int.from_bytes(header, "big"), read)


def _read_exactly(size: int, read: Callable[[int, int], bytes]) -> bytes | None:
    parts = []
    while size:
        part = read(REQUESTS, min(size, 1 << 20))
        if not part:
            return None
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _write(payload: bytes, write: Callable[[int, bytes], int] = os.write) -> None:
    data = len(payload).to_bytes(4, "big") + payload
    while data:
        data = data[write(ANSWERS, data) :]


def _send(
    message: Mapping[str, Any],
    dumps: Callable[[Any], str] = json.dumps,
    write: Callable[[bytes], None] = _write,
) -> None:
    write(dumps(message).encode())
