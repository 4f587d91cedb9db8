"""Runs a command that is not to outlive whoever asked for it: python tether.py COMMAND...

The command gets a process group of its own. That ends when this one's input does, which is a pipe
of whoever started it and so is closed however that one ended. This file is run by its path.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading

GRACE_S = 10.0
"""How long the command may take to end by itself, in seconds."""


def main() -> int:
    """Run the command; its exit status."""
    # Its own group, so that what it starts can be ended with it.
    child = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, start_new_session=True)  # noqa: S603
    threading.Thread(target=_end_with_input, args=(child,), daemon=True).start()
    try:
        return child.wait()
    finally:
        _signal(child, signal.SIGKILL)  # what it has left behind


def _end_with_input(child: "subprocess.Popen[bytes]") -> None:
    while os.read(0, 4096):
        pass
    _signal(child, signal.SIGTERM)
    try:
        child.wait(GRACE_S)
    except subprocess.TimeoutExpired:
        _signal(child, signal.SIGKILL)


def _signal(child: "subprocess.Popen[bytes]", number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, number)


if __name__ == "__main__":
    # Whoever wants it to end closes its input; a Ctrl-C in the terminal is for that one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.exit(main())
