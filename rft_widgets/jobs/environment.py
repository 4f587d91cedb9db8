"""The machine that works on a training run, noted where it begins: later it may be another one."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from importlib import metadata
from typing import TYPE_CHECKING

import msgspec

from rft_widgets.model.run_card import RunAttempt
from rft_widgets.store import training
from rft_widgets.store.clock import now_us, to_datetime
from rft_widgets.store.history import current_job

if TYPE_CHECKING:
    from rft_widgets.store.connection import Store

ATTEMPTS = "attempts"
"""Name of the document with every attempt at a run."""

_PACKAGES = (
    "rft-widgets", "numpy", "torch", "transformers", "trl", "peft", "accelerate", "datasets",
    "vllm", "bitsandbytes", "deepspeed", "ray", "verl", "tinker", "fireworks-ai", "openai", "boto3",
)  # fmt: skip
_GPU_S = 10.0


def note_attempt(store: Store, job_id: str) -> None:
    """Note that this process works on a run from now on."""
    now = RunAttempt(
        at=to_datetime(now_us()),
        job_id=current_job.get() or "",
        python=platform.python_version(),
        platform=f"{platform.system()} {platform.machine()}",
        cpus=_cpus(),
        gpus=_gpus(),
        packages=_versions(),
    )
    made = (*attempts(store, job_id), now)
    training.save_document(store, job_id, ATTEMPTS, msgspec.json.encode(made).decode())


def attempts(store: Store, job_id: str) -> tuple[RunAttempt, ...]:
    """Every process that worked on a run, the first one first."""
    found = training.read_document(store, job_id, ATTEMPTS)
    return () if found is None else msgspec.json.decode(found[1], type=tuple[RunAttempt, ...])


def _cpus() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _versions() -> dict[str, str]:
    """Versions of installed packages, without loading any of them."""
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def _gpus() -> tuple[str, ...] | None:
    """GPUs as the driver of NVIDIA names them; ``None`` where it is not there or does not say."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return None  # there may be one of another maker
    try:
        done = subprocess.run(  # noqa: S603 - the driver's own program
            [tool, "--query-gpu=name,memory.total", "--format=csv,noheader"],
            capture_output=True,
            text=True,
            timeout=_GPU_S,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return tuple(line.strip() for line in done.stdout.splitlines() if line.strip())
