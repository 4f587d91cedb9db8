"""Our own graders as a package that runs without us: the same sources, with other import names.

Nothing is written a second time, so that what grades here and what grades there cannot drift.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

PACKAGE = "rft_grader"
"""Name of the package that the copies make."""

OURS = __name__.partition(".")[0]
HOME = Path(__file__).parents[2]

ROOTS = (
    f"{OURS}.graders.compile.runtime",
    f"{OURS}.llm.direct",
    f"{OURS}.graders.sandbox.jail_linux",  # loaded by its path, in the sandbox
)
"""Modules that are copied, with everything that they import of ours."""

_NAMED = re.compile(rf"(?<![\w.]){OURS}(?=\.)")


@cache
def standalone_files() -> dict[str, str]:
    """The copies by their paths in the package, the root's own module left out."""
    files: dict[str, str] = {}
    for module in closure(ROOTS):
        path = _file_of(module)
        assert path is not None  # noqa: S101 - the closure holds what was found
        inside = path.relative_to(HOME)
        files[inside.as_posix()] = rewritten(path.read_text())
        for parent in inside.parents[:-1]:
            files.setdefault(f"{parent.as_posix()}/__init__.py", "")
    return dict(sorted(files.items()))


def rewritten(source: str) -> str:
    """A module's source with its imports of ours from the copies."""
    lines = source.splitlines(keepends=True)
    for node in _imports(ast.parse(source)):
        first, last = node.lineno - 1, node.end_lineno or node.lineno
        lines[first:last] = [_NAMED.sub(PACKAGE, line) for line in lines[first:last]]
    return "".join(lines)


def closure(roots: tuple[str, ...]) -> list[str]:
    """Modules of ours that some modules import, these included, in order of their names."""
    found: set[str] = set()
    waiting = list(roots)
    while waiting:
        module = waiting.pop()
        if module not in found:
            found.add(module)
            waiting += imported(module)
    return sorted(found)


def third_parties(roots: tuple[str, ...], standard: frozenset[str]) -> set[str]:
    """Packages, neither ours nor of the standard library, that a closure imports."""
    names = set()
    for module in closure(roots):
        path = _file_of(module)
        for node in _imports(ast.parse(path.read_text() if path else "")):
            named = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            named += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names |= {name.partition(".")[0] for name in named}
    return names - standard - {OURS}


def imported(module: str) -> Iterator[str]:
    """Modules of ours that a module imports when it runs."""
    path = _file_of(module)
    assert path is not None, module  # noqa: S101 - imports that cannot be resolved are no modules
    for node in _imports(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if _is_ours(alias.name))
        elif node.module is not None and _is_ours(node.module):
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if _file_of(inner) else node.module


def _imports(tree: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    """Imports wherever they stand, less those for type checkers alone."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            yield node
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            for other in node.orelse:
                yield from _imports(other)
        else:
            yield from _imports(node)


def _is_ours(name: str) -> bool:
    return name.partition(".")[0] == OURS


def _file_of(module: str) -> Path | None:
    """Where a module's source is; a package that holds names of its own cannot be copied."""
    path = HOME.joinpath(*module.split(".")[1:]).with_suffix(".py")
    return path if path.is_file() else None
