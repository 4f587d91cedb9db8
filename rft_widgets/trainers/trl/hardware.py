"""What this machine has, found out without loading torch."""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path

_DEVICES = ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg")
"""Device files of the drivers of NVIDIA, AMD, and of Windows' subsystem for Linux."""


def has_gpu() -> bool:
    """Whether there is a GPU that processes here may use."""
    if sys.platform == "darwin":
        return platform.machine() == "arm64"
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None and visible.strip() in ("", "-1"):
        return False
    return any(Path(name).exists() for name in _DEVICES)
