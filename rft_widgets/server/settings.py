"""How the app is run: what its operator decides, and what follows from it."""

from __future__ import annotations

import hashlib
import hmac
import os
from pathlib import Path
from typing import Final

from msgspec import Struct

WARM_KERNELS = 1
"""Kernels that wait for the next page."""
KERNEL_BYTES = 250 * 1024**2
"""What a page's kernel is reckoned to need, its room to work included."""
LEAST_KERNELS, MOST_KERNELS = 4, 40

HIDDEN: Final = ("CONFIGPROXY_AUTH_TOKEN", "JPY_API_TOKEN", "JUPYTERHUB_", "JUPYTER_TOKEN")
"""Beginnings of the server's variables that no kernel and no worker sees."""

HERE = Path(__file__).parent
TEMPLATE = HERE / "template"
STATIC = HERE / "static_files"


class AppSettings(Struct, frozen=True, kw_only=True):
    """What the server needs to know. The token and the hash stand in no log and no environment."""

    folder: Path
    """The store's side folder."""
    token: str
    hashed_password: str = ""
    host: str = "127.0.0.1"
    port: int = 0
    base_url: str = "/"
    names: tuple[str, ...] = ()
    """Names that the server answers by beside those of this machine's loopback."""
    is_hub_service: bool = False
    """Whether a JupyterHub started it, and says who may come in."""
    warm_kernels: int = WARM_KERNELS
    max_kernels: int = MOST_KERNELS

    @property
    def cookie_secret(self) -> bytes:
        """Signs the cookies: the same after a restart, another one with another token."""
        words = f"rft-widgets cookies\0{self.hashed_password}".encode()
        return hmac.new(self.token.encode(), words, hashlib.sha256).digest()

    @property
    def cookie_name(self) -> str:
        """Of the login: its own for each store, since cookies know no ports."""
        return f"rft-widgets-{hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:8]}"

    def __repr__(self) -> str:
        return f"AppSettings({self.host!r}, {self.port})"


def default_max_kernels() -> int:
    """How many pages this machine's memory holds."""
    try:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # not told here
        return LEAST_KERNELS * 2
    return max(LEAST_KERNELS, min(MOST_KERNELS, memory // 2 // KERNEL_BYTES))


def notebook() -> Path:
    """The one notebook that is served: in the package, or in the repository it is worked on in."""
    packaged = HERE / "notebook" / "optimization.ipynb"
    return packaged if packaged.is_file() else HERE.parents[1] / "notebooks" / "optimization.ipynb"


def child_environment(**more: str) -> dict[str, str]:
    """The server's environment as its kernels and its worker get it: without its secrets."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(HIDDEN)}
    return {**kept, **more}
