"""Confine the calling process on Linux so that it can compute, and answer on open pipes, only.

Standard library and ctypes alone: the worker loads this file without the package around it. Every
function raises when the kernel refuses, so that a caller who does not catch fails closed.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import struct
from collections.abc import Callable

LIBC = ctypes.CDLL(None, use_errno=True)
MACHINE = os.uname().machine

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = 1, 4, 22, 38
SECCOMP_MODE_FILTER = 2
SIGKILL = 9

AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
"""The machines whose system call numbers are known here; others have no jail."""

ALLOWED = {
    "x86_64": {
        "read": 0, "write": 1, "close": 3, "fstat": 5, "poll": 7, "lseek": 8, "mmap": 9,
        "mprotect": 10, "munmap": 11, "brk": 12, "rt_sigaction": 13, "rt_sigprocmask": 14,
        "rt_sigreturn": 15, "sched_yield": 24, "mremap": 25, "madvise": 28, "nanosleep": 35,
        "getpid": 39, "exit": 60, "gettimeofday": 96, "getrlimit": 97, "getrusage": 98,
        "sysinfo": 99, "sigaltstack": 131, "gettid": 186, "time": 201, "futex": 202,
        "sched_getaffinity": 204, "restart_syscall": 219, "clock_gettime": 228,
        "clock_getres": 229, "clock_nanosleep": 230, "exit_group": 231, "getrandom": 318,
        "membarrier": 324, "rseq": 334,
    },
    "aarch64": {
        "read": 63, "write": 64, "close": 57, "fstat": 80, "ppoll": 73, "lseek": 62, "mmap": 222,
        "mprotect": 226, "munmap": 215, "brk": 214, "rt_sigaction": 134, "rt_sigprocmask": 135,
        "rt_sigreturn": 139, "sched_yield": 124, "mremap": 216, "madvise": 233, "nanosleep": 101,
        "getpid": 172, "exit": 93, "gettimeofday": 169, "getrlimit": 163, "getrusage": 165,
        "sysinfo": 179, "sigaltstack": 132, "gettid": 178, "futex": 98, "sched_getaffinity": 123,
        "restart_syscall": 128, "clock_gettime": 113, "clock_getres": 114, "clock_nanosleep": 115,
        "exit_group": 94, "getrandom": 278, "membarrier": 283, "rseq": 293,
    },
}  # fmt: skip
"""System calls that computing needs, by machine and name; all others fail with EPERM."""

REFUSED = {
    "x86_64": {
        "open": 2, "socket": 41, "connect": 42, "bind": 49, "clone": 56, "fork": 57, "vfork": 58,
        "execve": 59, "kill": 62, "fcntl": 72, "ptrace": 101, "prctl": 157, "tkill": 200,
        "tgkill": 234, "openat": 257, "prlimit64": 302, "process_vm_writev": 311, "seccomp": 317,
        "memfd_create": 319, "execveat": 322, "userfaultfd": 323, "io_uring_setup": 425,
        "pidfd_open": 434, "clone3": 435, "openat2": 437,
    },
    "aarch64": {
        "socket": 198, "connect": 203, "bind": 200, "clone": 220, "execve": 221, "kill": 129,
        "fcntl": 25, "ptrace": 117, "prctl": 167, "tkill": 130, "tgkill": 131, "openat": 56,
        "prlimit64": 261, "process_vm_writev": 271, "seccomp": 277, "memfd_create": 279,
        "execveat": 281, "userfaultfd": 282, "io_uring_setup": 425, "pidfd_open": 434,
        "clone3": 435, "openat2": 437,
    },
}  # fmt: skip
"""What the self-test tries by number, with arguments that would do no harm if they were heard."""


class JailError(Exception):
    """The kernel did not confine the process as asked; user code must not run."""


def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when its parent ends, and hide it from other processes."""
    _prctl(PR_SET_PDEATHSIG, SIGKILL)
    _prctl(PR_SET_DUMPABLE, 0)
    if os.getppid() != parent:
        os._exit(1)


def set_rlimits(memory_bytes: int, cpu_s: int, descriptors: int) -> None:
    """Bound memory and processor time; allow no new file, process, thread, queue or core dump."""
    bounds = {
        resource.RLIMIT_AS: memory_bytes,
        resource.RLIMIT_CPU: cpu_s,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NOFILE: descriptors,
        resource.RLIMIT_NPROC: 0,
        resource.RLIMIT_MEMLOCK: 0,
        resource.RLIMIT_MSGQUEUE: 0,
    }
    for name, bound in bounds.items():
        hard = resource.getrlimit(name)[1]
        value = bound if hard == resource.RLIM_INFINITY else min(bound, hard)
        resource.setrlimit(name, (value, value))


def confine() -> str:
    """Drop privileges, deny the file system and the network, and leave computing calls only.

    Returns
    -------
    str
        What holds, for people: ``seccomp, landlock 7``.

    Raises
    ------
    JailError
        If the machine is unknown, or the kernel refuses.
    """
    if MACHINE not in AUDIT_ARCH:
        raise JailError(f"no system call list for {MACHINE}")
    if len(os.listdir("/proc/self/task")) != 1:  # noqa: PTH208
        raise JailError("more than one thread; the filter would bind only one")
    _prctl(PR_SET_NO_NEW_PRIVS, 1)
    _drop_capabilities()
    abi = _landlock_deny_all()
    _seccomp_compute_only(MACHINE)
    return f"seccomp, landlock {abi}" if abi else "seccomp"


def self_test() -> None:
    """Try from inside what must fail, before any user code is read.

    Raises
    ------
    JailError
        If anything succeeds; the message names it.
    """
    attempts: dict[str, Callable[[], object]] = {
        "open": lambda: os.open("/etc/passwd", os.O_RDONLY),
        "list": lambda: os.listdir("/"),  # noqa: PTH208
        "stat": lambda: os.stat("/"),  # noqa: PTH116
        "fork": _fork,
        "kill": lambda: os.kill(os.getppid(), 0),
        "executable memory": _executable_mapping,
    }
    for name, attempt in attempts.items():
        with contextlib.suppress(OSError):
            attempt()
            raise JailError(f"{name} is not refused")
    for name, number in REFUSED[MACHINE].items():
        if name in ("fork", "vfork"):
            continue  # these take no argument that would make them harmless; fork is tried above
        arguments = (ctypes.c_long(-1),) * 6
        ctypes.set_errno(0)
        result = LIBC.syscall(ctypes.c_long(number), *arguments)
        if result != -1 or ctypes.get_errno() != 1:
            raise JailError(f"{name} is not refused (errno {ctypes.get_errno()})")


def _fork() -> None:
    if os.fork() == 0:
        os._exit(99)


def _executable_mapping() -> None:
    LIBC.mmap.restype = ctypes.c_void_p
    anonymous_private = 0x22
    mapped = LIBC.mmap(None, ctypes.c_size_t(4096), 7, anonymous_private, -1, ctypes.c_long(0))
    if mapped in (None, ctypes.c_void_p(-1).value):
        raise OSError(ctypes.get_errno(), "mmap")


def _prctl(option: int, value: int) -> None:
    arguments = [ctypes.c_ulong(number) for number in (option, value, 0, 0, 0)]
    if LIBC.prctl(*arguments) != 0:
        raise JailError(f"prctl({option}): errno {ctypes.get_errno()}")


def _drop_capabilities() -> None:
    # Version 3 header for this process, then two empty sets: root keeps its number, not its powers.
    header = struct.pack("<Ii", 0x20080522, 0)
    if LIBC.capset(header, bytes(24)) != 0:
        raise JailError(f"capset: errno {ctypes.get_errno()}")


def _landlock_deny_all() -> int:
    """Forbid every file and network access that this kernel's Landlock knows; its version, or 0."""
    create, restrict = 444, 446
    abi = int(LIBC.syscall(create, None, ctypes.c_size_t(0), ctypes.c_uint32(1)))
    if abi < 1:
        return 0
    files = (1 << 13) - 1
    for version, right in ((2, 13), (3, 14), (5, 15)):
        files |= (1 << right) if abi >= version else 0
    network = 3 if abi >= 4 else 0
    scopes = 3 if abi >= 6 else 0
    attributes = struct.pack("<QQQ", files, network, scopes)
    size = 8 if abi < 4 else 16 if abi < 6 else 24
    ruleset = LIBC.syscall(create, attributes, ctypes.c_size_t(size), ctypes.c_uint32(0))
    if ruleset < 0:
        raise JailError(f"landlock_create_ruleset: errno {ctypes.get_errno()}")
    if LIBC.syscall(restrict, ruleset, ctypes.c_uint32(0)) != 0:
        raise JailError(f"landlock_restrict_self: errno {ctypes.get_errno()}")
    os.close(ruleset)
    return abi


def filter_program(machine: str) -> list[tuple[int, int, int, int]]:
    """Instructions of the filter: known machine, no executable mapping, then the allow-list."""
    load, equal, at_least, any_bit, give = 0x20, 0x15, 0x35, 0x45, 0x06
    kill, allow, refuse = 0x80000000, 0x7FFF0000, 0x00050000 | 1
    number_at, machine_at, third_argument_at, executable = 0, 4, 32, 4
    program = [
        (load, 0, 0, machine_at),
        (equal, 1, 0, AUDIT_ARCH[machine]),
        (give, 0, 0, kill),
        (load, 0, 0, number_at),
    ]
    if machine == "x86_64":  # the x32 calls of the same kernel have numbers of their own
        program += [(at_least, 0, 1, 0x40000000), (give, 0, 0, kill)]
    numbers = dict(ALLOWED[machine])
    for name in ("mmap", "mprotect"):
        program += [
            (equal, 0, 4, numbers.pop(name)),
            (load, 0, 0, third_argument_at),
            (any_bit, 0, 1, executable),
            (give, 0, 0, refuse),
            (give, 0, 0, allow),
        ]
    for number in numbers.values():
        program += [(equal, 0, 1, number), (give, 0, 0, allow)]
    program.append((give, 0, 0, refuse))
    return program


def _seccomp_compute_only(machine: str) -> None:
    program = filter_program(machine)
    code = b"".join(struct.pack("<HBBI", *instruction) for instruction in program)
    buffer = ctypes.create_string_buffer(code, len(code))
    header = struct.pack("@HP", len(program), ctypes.addressof(buffer))
    if (
        LIBC.prctl(ctypes.c_int(PR_SET_SECCOMP), ctypes.c_ulong(SECCOMP_MODE_FILTER), header, 0, 0)
        != 0
    ):
        raise JailError(f"seccomp: errno {ctypes.get_errno()}")
