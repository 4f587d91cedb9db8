"""The app as a process, and what a browser or a stranger says to it."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .server import end

HURRIED = (
    "import sys; import rft_widgets.server.visits as visits; "
    "visits.ALONE_S = visits.UNMET_S = float(sys.argv.pop(1)); "
    "from rft_widgets.cli import main; sys.exit(main())"
)
"""The command line with little patience for pages that are away."""


class AppProcess:
    """A running app, and its address."""

    def __init__(self, process: subprocess.Popen[str], said: dict[str, Any], log: Path) -> None:
        self.process, self.log = process, log
        self.address = str(said["url"])
        url = urlsplit(self.address)
        self.host, self.port = url.hostname or "", url.port or 0
        self.base = url.path.rsplit("optimization", 1)[0]
        self.token = url.query.removeprefix("token=")

    def ask(
        self,
        path: str,
        verb: str = "GET",
        *,
        headers: dict[str, str] | None = None,
        body: Any = None,
        token: bool = False,
        timeout: float = 30,
    ) -> Answer:
        """One request, as it is: nothing is followed and no cookie kept."""
        sent = dict(headers or {})
        if token:
            sent["Authorization"] = f"token {self.token}"
        connection = http.client.HTTPConnection(self.host, self.port, timeout=timeout)
        with contextlib.closing(connection):
            connection.request(verb, self.base + path, body=body, headers=sent)
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())

    def log_in(self) -> dict[str, str]:
        """Headers of a browser that has come in with the token."""
        found = self.ask(f"optimization?token={self.token}")
        return {"Cookie": cookies(found)}

    def open_page(self, headers: dict[str, str] | None = None) -> Page:
        """Open a page, as a browser that is logged in, and wait until it is whole."""
        sent = headers or self.log_in()
        found = self.ask("optimization", headers=sent, timeout=60)
        assert found.status == 200, found.text
        kernel = re.search(r'"kernelId": "([^"]+)"', found.text)
        assert kernel, found.text[-2000:]
        return Page(kernel[1], f"{sent['Cookie']}; {cookies(found)}", found)

    def children(self, name: str) -> list[int]:
        """Processes below the app whose command line holds a name."""
        import psutil

        found = []
        for child in psutil.Process(self.process.pid).children(recursive=True):
            with contextlib.suppress(psutil.Error):
                if name in " ".join(child.cmdline()):
                    found.append(child.pid)
        return found


class Answer:
    def __init__(self, status: int, headers: Any, body: bytes) -> None:
        self.status, self.headers, self.body = status, headers, body

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def value(self) -> Any:
        return json.loads(self.body)


class Page:
    def __init__(self, kernel: str, cookie: str, answer: Answer) -> None:
        self.kernel, self.answer = kernel, answer
        self.headers = {"Cookie": cookie}

    @property
    def xsrf(self) -> str:
        found = re.search(r"_xsrf=([^;]+)", self.headers["Cookie"])
        assert found
        return found[1]


def cookies(answer: Answer) -> str:
    return "; ".join(one.split(";")[0] for one in answer.headers.get_all("Set-Cookie", []))


@contextlib.contextmanager
def running(
    folder: Path,
    *options: str,
    database: Path | None = None,
    patience: float | None = None,
    **environment: str,
) -> Iterator[AppProcess]:
    """Run an app on a store until the block ends; what it started ends with it.

    The store is the folder's own unless one is named; the log lies in the folder.
    """
    log = folder / f"app-{time.monotonic_ns()}.log"
    run = ["-m", "rft_widgets"] if patience is None else ["-c", HURRIED, str(patience)]
    command = [
        *(sys.executable, *run, "app", "--json", "--no-browser", "--port", "0"),
        *("--database", str(database or folder / "store.db"), *options),
    ]
    with log.open("w") as errors:
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,
            env={**os.environ, **environment},
        )
    assert process.stdout is not None
    try:
        said = ""
        while not said.endswith("}\n"):
            line = process.stdout.readline()
            assert line, log.read_text()
            said += line
        yield AppProcess(process, json.loads(said), log)
    finally:
        process.stdout.close()
        end(process, 30)


def until(is_so: Callable[[], Any], what: str, seconds: float = 20) -> Any:
    """Wait until something is so."""
    give_up = time.monotonic() + seconds
    while not (found := is_so()):
        assert time.monotonic() < give_up, what
        time.sleep(0.1)
    return found
