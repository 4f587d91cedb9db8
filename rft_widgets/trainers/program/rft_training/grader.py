"""Who gives the rewards: the app that started this run, or else the grader beside `train.py`."""

from __future__ import annotations

import http.client
import importlib.util
import logging
import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import msgspec
from msgspec import Struct

from .places import SERVICE, STOP
from .prompts import Prompt

_LOG = logging.getLogger("rft_training")
_ANSWER_S = 3600.0
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.2, 5.0

Messages = Sequence[dict[str, Any]]


class StopAsked(Exception):  # noqa: N818 - reads as what happened
    """The run is to stop before its next step."""


class GraderLost(Exception):  # noqa: N818
    """Whoever grades did not come back; the run can be taken up again from its last checkpoint."""


class Grader(Protocol):
    """Gives rewards (0..1) to answers; ``None`` where grading failed."""

    def grade(self, prompts: Sequence[Prompt], answers: Messages) -> list[float | None]:
        """Rewards of answers, in their order."""


def find_grader(folder: Path, wait_s: float) -> Grader:
    """The grader of a run: who stands in `control/grader.json`, else `reward.py`.

    Raises
    ------
    FileNotFoundError
        There is neither.
    """
    if (folder / SERVICE).exists():
        return ServiceGrader(folder, wait_s)
    path = folder / "reward.py"
    if not path.exists():
        raise FileNotFoundError(
            f"{path} is not there, and {SERVICE} names nobody who grades. README.md says why."
        )
    return FolderGrader(path)


class Service(Struct, frozen=True):
    """Where the app listens, and the word that it knows its own runs by."""

    host: str
    port: int
    token: str


class ServiceGrader:
    """Asks the app that started the run.

    An app that ended comes back at another address, which is read again before each try.
    """

    def __init__(self, folder: Path, wait_s: float) -> None:
        self._folder = folder
        self._wait_s = wait_s
        self._open: tuple[Service, http.client.HTTPConnection] | None = None

    def grade(self, prompts: Sequence[Prompt], answers: Messages) -> list[float | None]:
        """Rewards of answers, asked for until somebody gives them."""
        body = msgspec.json.encode({"records": [one.id for one in prompts], "answers": answers})
        wait, since = _FIRST_WAIT_S, time.monotonic()
        while True:
            try:
                status, answer = self._ask(body)
            except (OSError, http.client.HTTPException, msgspec.DecodeError) as error:
                self.close()
                if wait == _FIRST_WAIT_S:
                    _LOG.warning("Nobody grades just now (%s); waiting.", error)
            else:
                if status == http.client.OK:
                    return [_finite(one) for one in msgspec.json.decode(answer)]
                if status == http.client.CONFLICT:
                    raise StopAsked
                self.close()
            if (self._folder / STOP).exists():
                raise StopAsked
            if not self._folder.exists():
                raise GraderLost(f"{self._folder} was removed.")
            if time.monotonic() - since > self._wait_s:
                raise GraderLost(
                    f"Nobody graded for {self._wait_s:g} s. Remove {SERVICE} to grade with "
                    "reward.py instead."
                )
            time.sleep(wait)
            wait = min(2 * wait, _LONGEST_WAIT_S)

    def close(self) -> None:
        """Close the connection; the next question opens another one."""
        if self._open is not None:
            self._open[1].close()
            self._open = None

    def _ask(self, body: bytes) -> tuple[int, bytes]:
        if self._open is None:
            where = msgspec.json.decode((self._folder / SERVICE).read_bytes(), type=Service)
            connection = http.client.HTTPConnection(where.host, where.port, timeout=_ANSWER_S)
            self._open = where, connection
        where, connection = self._open
        headers = {"Authorization": f"Bearer {where.token}", "Content-Type": "application/json"}
        connection.request("POST", "/rewards", body, headers)
        response = connection.getresponse()
        return response.status, response.read()


class FolderGrader:
    """The compiled grader beside `train.py`; what it raises is a failed grading."""

    def __init__(self, path: Path) -> None:
        spec = importlib.util.spec_from_file_location("reward", path)
        assert spec is not None and spec.loader is not None  # noqa: S101, PT018 - a file is there
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        self._reward: Callable[..., list[float | None]] = module.reward

    def grade(self, prompts: Sequence[Prompt], answers: Messages) -> list[float | None]:
        """Rewards of answers; where all together fail, each alone."""
        completions = [[answer] for answer in answers]
        try:
            found = self._reward(
                prompts=[one.text for one in prompts],
                completions=completions,
                item=[one.item for one in prompts],
            )
        except Exception as error:  # noqa: BLE001 - whatever a grader raises, the run goes on
            _LOG.warning("The grader failed: %s: %s", type(error).__name__, error)
            if len(answers) == 1:
                return [None]
            return [
                reward
                for prompt, answer in zip(prompts, answers, strict=True)
                for reward in self.grade([prompt], [answer])
            ]
        return [_finite(one) for one in found]


def _finite(reward: float | None) -> float | None:
    return float(reward) if reward is not None and math.isfinite(reward) else None
