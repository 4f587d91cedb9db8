"""A trained language model that vLLM serves, in a process of its own beside a deployment."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from rft_widgets.errors import RunInterrupted, ServingFailed
from rft_widgets.model.llm import ModelConnection
from rft_widgets.trainers.base import Upstream

EXECUTABLE_VARIABLE = "RFT_WIDGETS_VLLM"
"""Variable with the path of ``vllm`` where it is installed apart; ``off`` does without it."""
KEY_VARIABLE = "RFT_WIDGETS_VLLM_KEY"
"""Variable with the key of the servers that this process starts; made up when it is not set."""

START_TIMEOUT_S = 1_800.0
"""Longest wait for the model to be loaded."""

_TETHER = Path(__file__).with_name("tether.py")
_TUNED, _BASE = "tuned", "base"
_RANKS = (8, 16, 32, 64, 128, 256, 320, 512)
"""Largest ranks of LoRA adapters that vLLM can be set up for."""
_SHARED_MEMORY = 0.45
"""Part of the GPU's memory for vLLM where the base model has to find room beside it."""
_POLL_S = 0.2
_LOG_CHARS = 600


def find_vllm() -> Path | None:
    """Where vLLM is, if language models can be served by it here; else ``None``.

    What `EXECUTABLE_VARIABLE` names is taken as it is. Else it has to be installed where this
    Python is or on the path, and there has to be a GPU.

    Raises
    ------
    ServingFailed
        The variable names no file.
    """
    named = os.environ.get(EXECUTABLE_VARIABLE, "")
    if named == "off":
        return None
    if named:
        found = Path(named)
        if not found.is_file():
            raise ServingFailed(
                f"{EXECUTABLE_VARIABLE} is {named}, and there is no such file.",
                hint="Set it to the path of vllm, to off, or leave it out.",
            )
        return found
    beside = Path(sys.executable).with_name("vllm")
    path = str(beside) if beside.is_file() else shutil.which("vllm")
    if path is None:
        return None
    import torch  # noqa: PLC0415 - heavy; comes with vLLM

    return Path(path) if torch.cuda.is_available() else None


class VllmServer:
    """``vllm serve`` as a process that ends with this one, with its whole group.

    Parameters
    ----------
    executable
        Where vLLM is.
    base
        The base model: a folder or a name of the hub.
    trained
        A folder with a LoRA adapter, which is served beside the base model, or with a whole model,
        which is served alone.
    is_adapter
        Which of both it is.
    writes_calls_in_tags
        Whether the model writes calls of tools as JSON between ``<tool_call>`` tags.
    shares_gpu
        Whether room has to be left on the GPU for the base model.
    log
        File that what vLLM says is added to.
    """

    def __init__(
        self,
        executable: Path,
        base: str,
        trained: Path,
        *,
        is_adapter: bool,
        log: Path,
        writes_calls_in_tags: bool = False,
        shares_gpu: bool = False,
    ) -> None:
        self.port = 0
        self._command = [str(executable), "serve", base if is_adapter else str(trained)]
        if is_adapter:
            self._command += [
                "--served-model-name", _BASE, "--enable-lora",
                "--lora-modules", f"{_TUNED}={trained}", "--max-lora-rank", str(_rank(trained)),
            ]  # fmt: skip
        else:
            self._command += ["--served-model-name", _TUNED]
        # As the model was measured: greedily, unless a request wants it otherwise.
        self._command += ["--generation-config", "vllm"]
        self._command += ["--override-generation-config", json.dumps({"temperature": 0.0})]
        if writes_calls_in_tags:
            self._command += ["--enable-auto-tool-choice", "--tool-call-parser", "hermes"]
        if shares_gpu:
            self._command += ["--gpu-memory-utilization", str(_SHARED_MEMORY)]
        self._has_base = is_adapter
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self._stopping = threading.Lock()

    @property
    def pid(self) -> int | None:
        """The process that holds vLLM's; ``None`` while there is none."""
        return None if self._process is None else self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether its process lives."""
        return self._process is not None and self._process.poll() is None

    @property
    def upstream(self) -> Upstream:
        """Where its models are asked."""
        return Upstream(
            connection=ModelConnection(
                base_url=f"http://127.0.0.1:{self.port}/v1", api_key_env=KEY_VARIABLE
            ),
            model=_TUNED,
            base_model=_BASE if self._has_base else None,
        )

    def start(
        self, *, cancelled: Callable[[], bool] = bool, timeout_s: float = START_TIMEOUT_S
    ) -> None:
        """Start it, and wait until its models answer.

        Raises
        ------
        ServingFailed
            It ended, or takes too long; says what it said last.
        RunInterrupted
            It was cancelled.
        """
        if self.is_running:
            return
        self.port = _free_port()
        key = os.environ.setdefault(KEY_VARIABLE, secrets.token_urlsafe(32))
        environment = {name: text for name, text in os.environ.items() if name != KEY_VARIABLE}
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - what the user has installed
                [
                    sys.executable, str(_TETHER), *self._command,
                    "--host", "127.0.0.1", "--port", str(self.port),
                ],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment | {"VLLM_API_KEY": key},
                start_new_session=True,
            )  # fmt: skip
        try:
            self._wait(key, cancelled, time.monotonic() + timeout_s, timeout_s)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End it with all that it started; answers that it is at are cut off."""
        with self._stopping:
            process, self._process = self._process, None
            if process is None:
                return
            assert process.stdin is not None  # noqa: S101 - a pipe, for the type checker
            process.stdin.close()  # the tether ends the group, with force if need be
            process.wait()

    def _wait(
        self, key: str, cancelled: Callable[[], bool], until: float, timeout_s: float
    ) -> None:
        while not self._answers(key):
            if not self.is_running:
                raise ServingFailed(
                    f"vLLM ended before it served the model. It said: {self._said()}",
                    hint=f"Its log is {self._log}. {EXECUTABLE_VARIABLE}=off does without vLLM.",
                )
            if cancelled():
                raise RunInterrupted("The start of vLLM was stopped.", hint="Start it again.")
            if time.monotonic() > until:
                raise ServingFailed(
                    f"vLLM does not serve the model after {timeout_s:g} s.",
                    hint=f"Its log is {self._log}.",
                )
            time.sleep(_POLL_S)

    def _answers(self, key: str) -> bool:
        """Whether it is this very server that lists its models."""
        request = urllib.request.Request(  # noqa: S310 - to this machine
            f"{self.upstream.connection.base_url}/models",
            headers={"Authorization": f"Bearer {key}"},
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=5) as response:
                found = msgspec.json.decode(response.read())
        except (urllib.error.URLError, OSError, msgspec.DecodeError):
            return False
        some = found.get("data") if isinstance(found, Mapping) else None
        return any(isinstance(one, Mapping) and one.get("id") == _TUNED for one in some or ())

    def _said(self) -> str:
        text = self._log.read_bytes()[-_LOG_CHARS:].decode(errors="replace").strip()
        return text.rpartition("\n")[2] or "nothing"


def _rank(adapter: Path) -> int:
    """The smallest rank that vLLM can be set up for which does for an adapter."""
    settings = msgspec.json.decode((adapter / "adapter_config.json").read_bytes())
    wanted = max([int(settings.get("r", 0)), *map(int, settings.get("rank_pattern", {}).values())])
    return next((rank for rank in _RANKS if rank >= wanted), wanted)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
