"""A real Jupyter server with our extension, as a process, and a client of its REST API."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[1]
LINES = b"".join(
    json.dumps(
        {
            "id": f"r{i}",
            "messages": [
                {"role": "user", "content": f"Question number {i}: where is my parcel?"},
                {"role": "assistant", "content": f"Answer {i}"},
            ],
            "topic": f"Topic {i % 2}",
        }
    ).encode()
    + b"\n"
    for i in range(20)
)
"""Twenty records as a file of JSON lines."""
TOKEN = "a-token-of-tests"
_ADDRESS = re.compile(r"http://127\.0\.0\.1:(\d+)/")


class Answer(NamedTuple):
    status: int
    headers: Any
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Client:
    """Calls the API; keeps nothing."""

    def __init__(self, origin: str, token: str | None = TOKEN, base: str = "/api/optimization"):
        self.origin, self.token, self.base = origin, token, base

    def __call__(
        self,
        verb: str,
        path: str,
        value: Any = None,
        *,
        data: bytes | None = None,
        timeout: float = 120,
        **headers: str,
    ) -> Answer:
        sent = {name.replace("_", "-"): text for name, text in headers.items()}
        if self.token is not None:
            sent["Authorization"] = f"token {self.token}"
        if value is not None:
            data, sent["Content-Type"] = json.dumps(value).encode(), "application/json"
        elif data is not None:
            sent.setdefault("Content-Type", "application/json")
        url = f"{self.origin}{self.base}{path}"
        request = urllib.request.Request(url, data=data, headers=sent, method=verb)
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                return Answer(answer.status, answer.headers, answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, error.headers, error.read())

    def ok(self, verb: str, path: str, value: Any = None, **options: Any) -> Any:
        """What a call gives that must not be refused."""
        answer = self(verb, path, value, **options)
        assert answer.status < 300, (verb, path, answer)
        return answer.json if answer.body else None


@contextlib.contextmanager
def jupyter_server(folder: Path, **environment: str) -> Iterator[str]:
    """Serve a store of its own; yields the origin."""
    for name in ("config", "data", "runtime", "root"):
        (folder / name).mkdir(exist_ok=True)
    variables = {
        name: text for name, text in os.environ.items() if not name.startswith(("JUPYTER", "RFT"))
    }
    variables |= {
        "HOME": str(folder),
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_CONFIG_PATH": str(ROOT / "jupyter-config"),
        "JUPYTER_DATA_DIR": str(folder / "data"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "JUPYTER_TOKEN": TOKEN,
        "PYTHONPATH": str(ROOT),
        "RFT_WIDGETS_DATABASE_URL": f"sqlite:///{folder / 'store.db'}",
        **environment,
    }
    options = (
        "--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1", "--ServerApp.port=0",
        f"--ServerApp.root_dir={folder / 'root'}",
    )  # fmt: skip
    log = folder / "server.log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyter_server", *options],
            env=variables, stdout=file, stderr=file, start_new_session=True,
        )  # fmt: skip
    try:
        yield _origin(process, log)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _origin(process: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        found = _ADDRESS.search(log.read_text(errors="replace"))
        if found is not None and found[1] != "0":
            origin = f"http://127.0.0.1:{found[1]}"
            with contextlib.suppress(OSError):
                if Client(origin)("GET", "/health", timeout=10).status == 200:
                    return origin
        time.sleep(0.1)
    raise AssertionError(log.read_text(errors="replace"))
