"""No grader leaves the sandbox; whatever one does, the next sample is graded as ever."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from hostile import ATTACKS, LINGERING, source

from rft_widgets.errors import GraderInvalid, InvalidArgument, SandboxUnavailable
from rft_widgets.graders import Sample, Sandbox, compile_grader
from rft_widgets.graders.sandbox import host, jail_linux
from rft_widgets.model.grader import GradingResult, PythonGrader, SandboxLimits

SECRET = "CANARY-7d1f0b"
LIMITS = SandboxLimits(timeout_s=0.6, workers=1, memory_bytes=256 << 20)
FOLDER = Path(host.__file__).parent
WEAPONS = (
    "ctypes", "socket", "subprocess", "signal", "mmap", "resource", "multiprocessing", "pathlib",
    "sqlite3", "importlib", "atexit", "gc", "urllib.request", "tempfile", "shutil", "select",
    "fcntl", "faulthandler", "pickle", "io", "threading", "multiprocessing.process",
    "multiprocessing.popen_fork", "xml.etree.ElementTree", "time",
)  # fmt: skip
ITEM = {"reference_answer": "right"}


@dataclass
class Outside:
    """What can be seen from outside of whatever a grader did."""

    folder: Path
    port: int
    connections: list[object] = field(default_factory=list)

    @property
    def canary(self) -> Path:
        return self.folder / "canary.txt"

    @property
    def made(self) -> Path:
        return self.folder / "made"


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outside]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        seen = Outside(tmp_path_factory.mktemp("outside"), server.getsockname()[1])
        seen.canary.write_text(SECRET)

        def accept() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                seen.connections.append(connection)
                connection.close()

        threading.Thread(target=accept, daemon=True).start()
        yield seen
        server.shutdown(socket.SHUT_RDWR)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    yield from _opened()


@pytest.fixture(scope="module", params=["as shipped", "armed"])
def attacked(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Sandbox]:
    """The sandbox as it is, and with every dangerous module at hand: the kernel alone must hold."""
    if request.param == "as shipped":
        yield from _opened()
        return
    folder = tmp_path_factory.mktemp("armed")
    text = (FOLDER / "worker.py").read_text()
    disarming = "sys.modules.pop(name, None)"
    assert disarming in text
    text = text.replace(disarming, "pass") + f"\nSTANDARD_MODULES += {WEAPONS!r}\n"
    (folder / "worker.py").write_text(text)
    (folder / "jail_linux.py").write_text((FOLDER / "jail_linux.py").read_text())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(host, "FOLDER", folder)
        yield from _opened()


def _opened() -> Iterator[Sandbox]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RFT_TEST_SECRET", SECRET)
        yield from _started()


def _started() -> Iterator[Sandbox]:
    with Sandbox(LIMITS) as opened:
        assert opened.isolation.startswith("seccomp")
        print(f"\nisolation: {opened.isolation} on {os.uname().release} {os.uname().machine}")
        yield opened


def shown(result: GradingResult) -> str:
    return repr(result)


@pytest.mark.parametrize("name", ATTACKS)
def test_attack_fails_and_the_next_sample_is_graded(
    name: str, outside: Outside, attacked: Sandbox
) -> None:
    attack = source(
        ATTACKS[name],
        canary=str(outside.canary),
        made=str(outside.made),
        port=outside.port,
        host_pid=os.getpid(),
        secret=SECRET[::-1],
        machine=os.uname().machine,
    )
    before = outside.canary.stat()
    started = time.monotonic()
    with compile_grader(PythonGrader(source=attack), sandbox=attacked) as grader:
        first = grader.grade(Sample(output_text="fine"), ITEM)
        assert first.reward == 0.25, first.error
        result = grader.grade(Sample(output_text="attack"), ITEM)
        after = grader.grade(Sample(output_text="fine"), ITEM)
    assert time.monotonic() - started < 10

    assert result.reward in (None, 0.5, 0.25), shown(result)
    assert result.failed == (result.error is not None)
    if result.failed:
        errors = result.metadata.errors
        assert errors.python_grader_runtime_error or errors.python_grader_server_error
        assert result.error
        assert len(result.error) <= 500
        assert result.error.isprintable()
        result.error.encode()
    assert SECRET not in shown(result)
    assert after.reward == 0.25, after.error
    assert outside.canary.read_text() == SECRET
    now = outside.canary.stat()
    assert (now.st_mtime_ns, now.st_mode, now.st_ino) == (
        before.st_mtime_ns, before.st_mode, before.st_ino,
    )  # fmt: skip
    assert not outside.made.exists()
    assert not outside.connections
    assert _strangers(attacked) == []


@pytest.mark.parametrize("name", LINGERING)
def test_what_lingers_does_not_change_the_next_answer(
    name: str, outside: Outside, sandbox: Sandbox
) -> None:
    attack = source(LINGERING[name], canary=str(outside.canary))
    with compile_grader(PythonGrader(source=attack), sandbox=sandbox) as grader:
        quiet = grader.grade(Sample(output_text="attack"), ITEM)
        assert quiet.reward in (0.5, None), quiet.error  # some break their own answer already
        results = [grader.grade(Sample(output_text="fine"), ITEM) for _ in range(4)]
    assert [result.reward for result in results] == [0.25] * 4, results


def _strangers(sandbox: Sandbox) -> list[str]:
    """Processes below us that are neither the nursery nor a worker that it has not reaped yet."""
    assert sandbox._nursery is not None
    children = psutil.Process().children(recursive=True)
    return [
        child.name()
        for child in children
        if child.status() != psutil.STATUS_ZOMBIE
        and "worker.main" not in " ".join(child.cmdline() or ["?"])
    ]


def test_workers_are_gone_when_the_sandbox_closes() -> None:
    sandbox = Sandbox(LIMITS)
    grader = compile_grader(PythonGrader(source=source("while True: pass")), sandbox=sandbox)
    assert sandbox._nursery is not None
    below = psutil.Process(sandbox._nursery._process_id).children(recursive=True)
    below.append(psutil.Process(sandbox._nursery._process_id))
    assert len(below) == 2
    sandbox.close()
    _, alive = psutil.wait_procs(below, timeout=5)
    assert alive == []
    grader.close()


def test_workers_die_with_the_nursery_whatever_they_do() -> None:
    text = "def grade(s, i):\n    while True: pass"
    limits = SandboxLimits(timeout_s=30, workers=1)
    with Sandbox(limits) as box, compile_grader(PythonGrader(source=text), sandbox=box) as grader:
        assert box._nursery is not None
        nursery = psutil.Process(box._nursery._process_id)
        [worker] = nursery.children()
        threading.Timer(0.3, nursery.kill).start()
        started = time.monotonic()
        assert grader.grade(Sample(), {}).failed
        assert time.monotonic() - started < 5
        psutil.wait_procs([worker], timeout=5)
        assert not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE


def test_a_closed_sandbox_stays_closed() -> None:
    grader = compile_grader(PythonGrader(source="def grade(s, i): return 1"))
    grader.close()
    with pytest.raises(InvalidArgument, match="closed"):
        grader.grade(Sample(), {})


@pytest.mark.parametrize("machine", jail_linux.AUDIT_ARCH)
def test_the_filter_of_each_machine(machine: str) -> None:
    """The program as the kernel would run it, so that the other machine's is tested here too."""
    program = jail_linux.filter_program(machine)
    allowed = jail_linux.ALLOWED[machine]
    arch = jail_linux.AUDIT_ARCH[machine]
    kill, allow, refuse = 0x80000000, 0x7FFF0000, 0x00050001

    def verdict(number: int, third: int = 0, arch: int = arch) -> int:
        data = {0: number, 4: arch, 32: third}
        accumulator = at = 0
        while True:
            code, yes, no, k = program[at]
            at += 1
            if code == 0x20:
                accumulator = data[k]
            elif code == 0x06:
                return k
            else:
                holds = {
                    0x15: accumulator == k, 0x35: accumulator >= k, 0x45: bool(accumulator & k),
                }[code]  # fmt: skip
                at += yes if holds else no

    for number in range(1024):
        assert verdict(number) == (allow if number in allowed.values() else refuse), number
        assert verdict(number, arch=arch ^ 1) == kill
        if machine == "x86_64":
            assert verdict(0x40000000 + number) == kill
    for name in ("mmap", "mprotect"):
        assert verdict(allowed[name], third=3) == allow
        assert verdict(allowed[name], third=4) == refuse
        assert verdict(allowed[name], third=7) == refuse
    assert not set(jail_linux.REFUSED[machine].values()) & set(allowed.values())
    assert len(program) < 255  # jumps are one byte


def test_a_worker_has_only_its_pipes_and_is_filtered(sandbox: Sandbox) -> None:
    worker = sandbox.spawn(())
    folder = Path("/proc") / str(worker.pid)
    status = dict(
        line.split(":\t", 1)
        for line in (folder / "status").read_text().splitlines()
        if ":\t" in line
    )
    assert status["Seccomp"] == "2"
    assert status["NoNewPrivs"] == "1"
    assert status["Threads"] == "1"
    assert {status[name] for name in ("CapEff", "CapPrm", "CapInh")} == {"0" * 16}
    targets = sorted(str(link.readlink()) for link in (folder / "fd").iterdir())
    assert [target.partition(":")[0] for target in targets] == ["/dev/null"] * 3 + ["pipe"] * 2
    assert SECRET.encode() not in (folder / "environ").read_bytes()
    worker.close()


def test_print_does_not_reach_our_own_output(capfd: pytest.CaptureFixture[str]) -> None:
    text = "def grade(s, i):\n    print('LEAK')\n    return 1"
    with compile_grader({"type": "python", "source": text}) as grader:
        assert grader.grade(Sample(), {}).reward == 1.0
    assert "LEAK" not in "".join(capfd.readouterr())


@pytest.mark.parametrize(
    ("body", "reward", "out_of_range"),
    [
        ("True", 1.0, False),
        ("False", 0.0, False),
        ("1", 1.0, False),
        ("-3", -3.0, True),
        ("5.5", 5.5, True),
        ("type('F', (float,), {'__float__': lambda s: 9.0, '__add__': lambda *a: 9.0})(0.5)", 0.5,
         False),
        ("type('I', (int,), {'__int__': lambda s: 9, '__float__': lambda s: 9.0})(1)", 1.0, False),
        ("__import__('fractions').Fraction(1, 4)", 0.25, False),
        ("__import__('decimal').Decimal('0.25')", 0.25, False),
    ],
)  # fmt: skip
def test_what_counts_as_a_score(
    body: str, reward: float, out_of_range: bool, sandbox: Sandbox
) -> None:
    text = f"def grade(sample, item):\n    return {body}"
    with compile_grader({"type": "python", "source": text}, sandbox=sandbox) as grader:
        result = grader.grade(Sample(), {})
    assert result.reward == reward
    assert result.metadata.out_of_range is out_of_range


def test_numpy_and_rapidfuzz_work_inside(sandbox: Sandbox) -> None:
    pytest.importorskip("numpy")
    text = (
        "import numpy as np\nfrom rapidfuzz import fuzz, utils\n"
        "def grade(sample, item):\n"
        "    ratio = fuzz.WRatio(sample['output_text'], item['want'], "
        "processor=utils.default_process)\n"
        "    return np.float32(np.linalg.norm(np.array([3.0, 4.0])) / 5) * ratio / 100\n"
    )
    with compile_grader({"type": "python", "source": text}, sandbox=sandbox) as grader:
        result = grader.grade(Sample(output_text="Paris!"), {"want": "paris"})
    assert result.reward == 1.0, result.error


def test_allowed_modules_work_inside(sandbox: Sandbox) -> None:
    text = """
from __future__ import annotations
import base64, collections.abc, copy, datetime, difflib, hashlib, random, re, statistics, textwrap
from dataclasses import dataclass
@dataclass
class Point:
    x: "int"
def grade(sample, item):
    datetime.datetime.strptime("2026-01-02", "%Y-%m-%d").strftime("%A")
    difflib.SequenceMatcher(None, "ab", "abc").ratio()
    hashlib.sha256(b"x").hexdigest(); base64.b64encode("é".encode("utf-16"))
    "straße".encode("idna"); "x".encode("latin-1"); textwrap.fill("a b", 1); copy.deepcopy(item)
    statistics.quantiles([1, 2, 3]); re.sub("a", "b", "a")
    try:
        {}["missing"]
    except KeyError:
        pass
    return random.random() if Point(1).x else 0
"""
    with compile_grader({"type": "python", "source": text}, sandbox=sandbox) as grader:
        results = [grader.grade(Sample(output_text="x"), {"a": [1]}) for _ in range(3)]
    assert not results[0].failed, results[0].error
    assert len({result.reward for result in results}) == 1  # seeded alike for every sample


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def grade(sample, item) return 1", "not Python"),
        ("import os\ndef grade(s, i): return 1", "import of os is not allowed"),
        ("def grade(s, i):\n    from subprocess import run\n    return 1", "import of subprocess"),
        ("from . import x\ndef grade(s, i): return 1", "import of ."),
        ("def score(s, i): return 'grade'", "no function grade"),
        ("async def grade(s, i): return 1", "not async"),
        ("x = 1", "no function grade"),
        ("def grade(s, i): return 1\0", "NUL"),
        ("def grade(s, i): return '\ud800'", "not valid text"),
        ("#" * 300_000 + "\ndef grade(s, i): return 1", "at most 262,144"),
        ("grade = " + "(" * 5000 + ")" * 5000, "not Python"),
        ("grade = " + "-" * 100_000 + "1", ""),
        ("grade = " + "1+" * 100_000 + "1", ""),
        ("grade = " + "lambda:" * 30_000 + "1", ""),
        ("grade = " + "[" * 90 + "x for x in y" + "]" * 90, ""),
    ],
)
def test_sources_that_are_refused_when_saved(text: str, message: str, sandbox: Sandbox) -> None:
    grader = PythonGrader(source=text)
    if not message:  # odd, but Python; or too much for it: either way this process lives
        with contextlib.suppress(GraderInvalid):
            compile_grader(grader, sandbox=sandbox).close()
        return
    with pytest.raises(GraderInvalid, match=re.escape(message)) as caught:
        compile_grader(grader, sandbox=sandbox)
    assert caught.value.where == "source"


def test_a_package_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host.importlib.util, "find_spec", lambda _: None)
    with Sandbox(LIMITS) as box:
        mentioned = "def grade(s, i): return 1  # without numpy"
        compile_grader(PythonGrader(source=mentioned), sandbox=box).close()
        imported = "def grade(s, i):\n    import numpy as np\n    return 1"
        with pytest.raises(GraderInvalid, match=r"numpy is not installed here \(line 2\)"):
            compile_grader(PythonGrader(source=imported), sandbox=box)


def test_saving_runs_nothing(sandbox: Sandbox, outside: Outside) -> None:
    text = f"open({str(outside.made)!r}, 'w')\nwhile True: pass\ndef grade(s, i): return 1"
    started = time.monotonic()
    compile_grader(PythonGrader(source=text), sandbox=sandbox).close()
    assert time.monotonic() - started < 2
    assert not outside.made.exists()


def test_source_that_fails_or_hangs_on_loading(outside: Outside) -> None:
    limits = SandboxLimits(load_timeout_s=0.4, workers=1)
    with Sandbox(limits) as box:
        for text, flag in (
            ("1 / 0\ndef grade(s, i): return 1", "python_grader_runtime_error"),
            ("while True: pass\ndef grade(s, i): return 1", "python_grader_server_error"),
            ("grade = 3", "python_grader_runtime_error"),
            (f"open({str(outside.canary)!r})\ndef grade(s, i): return 1",
             "python_grader_runtime_error"),
        ):  # fmt: skip
            with compile_grader(PythonGrader(source=text), sandbox=box) as grader:
                started = time.monotonic()
                results = [grader.grade(Sample(), {}) for _ in range(10)]
            assert all(result.failed for result in results)
            assert getattr(results[0].metadata.errors, flag), results[0].error
            assert time.monotonic() - started < 3  # a source that cannot load is not tried for ever


def test_a_worker_is_replaced_after_its_share_of_samples() -> None:
    text = "n = 0\ndef grade(s, i):\n    global n\n    n += 1\n    return n / 1000"
    with (
        Sandbox(SandboxLimits(samples_per_worker=5, workers=1)) as box,
        compile_grader(PythonGrader(source=text), sandbox=box) as grader,
    ):
        rewards = [grader.grade(Sample(), {}).reward for _ in range(12)]
    assert rewards == [n / 1000 for n in (1, 2, 3, 4, 5, 1, 2, 3, 4, 5, 1, 2)]


def test_results_keep_their_order_and_faults_stay_single() -> None:
    text = (
        "import random\ndef grade(sample, item):\n"
        "    if item['n'] % 50 == 7:\n        raise ValueError('seven')\n"
        "    return item['n'] / 1000\n"
    )
    with compile_grader(PythonGrader(source=text)) as grader:
        pairs = ((Sample(output_text="x"), {"n": n}) for n in range(300))
        results = list(grader.grade_many(pairs))
    assert [r.reward for r in results] == [None if n % 50 == 7 else n / 1000 for n in range(300)]
    assert results[7].error == "ValueError: seven (line 4)"


def test_the_nursery_may_die_and_grading_goes_on() -> None:
    text = "def grade(s, i): return 0.5"
    with Sandbox(LIMITS) as box, compile_grader(PythonGrader(source=text), sandbox=box) as grader:
        assert grader.grade(Sample(), {}).reward == 0.5
        assert box._nursery is not None
        psutil.Process(box._nursery._process_id).kill()
        time.sleep(0.1)
        rewards = [grader.grade(Sample(), {}).reward for _ in range(4)]
    assert rewards[-1] == 0.5
    assert rewards.count(None) <= 1


def test_large_samples_and_too_large_ones(sandbox: Sandbox) -> None:
    text = "def grade(sample, item): return len(sample['output_text']) / 1e9"
    with compile_grader(PythonGrader(source=text), sandbox=sandbox) as grader:
        assert grader.grade(Sample(output_text="x" * 3_000_000), {}).reward == 0.003
        too_large = grader.grade(Sample(output_text="x" * (17 << 20)), {})
        assert too_large.metadata.errors.other_error
        surrogate = grader.grade(Sample(output_text="\ud800"), {})
        assert surrogate.metadata.errors.other_error
        assert grader.grade(Sample(output_text="x"), {}).reward == 1e-9


def test_interrupting_the_host_does_not_mix_up_answers(sandbox: Sandbox) -> None:
    text = (
        "def grade(sample, item):\n    x = 0\n"
        "    while item['slow'] and x < 10 ** 9: x += 1\n    return item['r']"
    )
    limits = SandboxLimits(timeout_s=5, workers=1)
    with Sandbox(limits) as box, compile_grader(PythonGrader(source=text), sandbox=box) as grader:
        grader.grade(Sample(), {"slow": 0, "r": 0.1})
        interrupt = (threading.main_thread().ident, signal.SIGINT)
        threading.Timer(0.2, signal.pthread_kill, interrupt).start()
        with pytest.raises(KeyboardInterrupt):
            grader.grade(Sample(), {"slow": 1, "r": 0.9})
        assert grader.grade(Sample(), {"slow": 0, "r": 0.2}).reward == 0.2


def test_interrupting_the_housekeeping_does_not_mix_it_up(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "def grade(s, i): return 1 / i['n']"
    with Sandbox(LIMITS) as box, compile_grader(PythonGrader(source=text), sandbox=box) as grader:
        assert grader.grade(Sample(), {"n": 1}).reward == 1.0
        nursery = box._nursery
        assert nursery is not None

        def interrupted() -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(nursery, "_reply", interrupted)
        with pytest.raises(KeyboardInterrupt):
            grader.grade(Sample(), {"n": 0})  # its worker is to be replaced
        assert [grader.grade(Sample(), {"n": n}).reward for n in (2, 4)] == [0.5, 0.25]
        assert box._nursery is not nursery


# Systems that cannot isolate


def _without_jail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jail: str) -> None:
    """The worker as it is, beside a jail that does not hold."""
    (tmp_path / "worker.py").write_text((FOLDER / "worker.py").read_text())
    (tmp_path / "jail_linux.py").write_text((FOLDER / "jail_linux.py").read_text() + jail)
    monkeypatch.setattr(host, "FOLDER", tmp_path)


BROKEN_JAILS = {
    "no seccomp": "\ndef _seccomp_compute_only(machine): pass\n",
    "seccomp refused": "\ndef _seccomp_compute_only(machine): raise JailError('errno 22')\n",
    "unknown machine": "\nMACHINE = 'riscv64'\n",
    "one call too many": "\nALLOWED[MACHINE]['socket'] = REFUSED[MACHINE]['socket']\n",
    "no file": "\nraise ImportError\n",
}


@pytest.mark.parametrize("name", BROKEN_JAILS)
def test_without_isolation_nothing_runs(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(host.UNSAFE_VARIABLE, raising=False)
    _without_jail(tmp_path, monkeypatch, BROKEN_JAILS[name])
    text = "def grade(s, i): return 1"
    with pytest.raises(SandboxUnavailable) as caught:
        compile_grader(PythonGrader(source=text))
    assert str(caught.value).startswith(
        "This computer cannot isolate grader code; use an LLM judge, similarity or string check"
    )


def test_override_is_the_operators_and_is_stamped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _without_jail(tmp_path, monkeypatch, BROKEN_JAILS["unknown machine"])
    monkeypatch.setenv(host.UNSAFE_VARIABLE, "1")
    text = "def grade(s, i): return 1"
    with compile_grader(PythonGrader(source=text)) as grader:
        result = grader.grade(Sample(), {})
        assert (result.reward, result.metadata.isolation) == (1.0, "none")
    with pytest.raises(SandboxUnavailable), Sandbox(allow_unsafe=False):
        pass


def test_override_changes_nothing_where_isolation_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(host.UNSAFE_VARIABLE, "1")
    with Sandbox() as box:
        assert box.isolation.startswith("seccomp")


def test_start_and_overhead_are_small(sandbox: Sandbox) -> None:
    # Generous bounds, for busy machines; `benchmarks` has the figures.
    text = "def grade(s, i): return 0.5"
    started = time.perf_counter()
    with compile_grader(PythonGrader(source=text)) as grader:
        grader.grade(Sample(), {})
        assert time.perf_counter() - started < 1.5
        started = time.process_time()
        for _ in range(500):
            grader.grade(Sample(output_text="x" * 1000), {})
        assert time.process_time() - started < 0.5
