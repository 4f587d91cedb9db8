"""What a grader is compiled to."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Carries = Literal["messages", "message", "text"]
"""What of an answer reaches a grader: all its messages, the last one, or that one as text."""


class Target(Struct, frozen=True, kw_only=True):
    """A framework or service, and how it is given a grader.

    Attributes
    ----------
    name, title
        By which it is chosen, and what people call it.
    entry
        The file that it is pointed at; ``{name}`` in it stands for the grader's name.
    usage
        How to use the folder, for people; Markdown.
    carries
        What of an answer reaches the grader.
    adapter
        Source of that file; empty where a service reads the grader's JSON itself.
    """

    name: str
    title: str
    entry: str
    usage: str
    carries: Carries = "messages"
    adapter: str = ""

    @property
    def runs_here(self) -> bool:
        """Whether the folder grades by itself, so that it can be held against the grader."""
        return bool(self.adapter)


def adapter(first: str, rest: str, *, standard: str = "", framework: str = "") -> str:
    """Source of an adapter: its docstring, its imports, the grader beside it, what uses that."""
    imports = f"{standard}import sys\nfrom pathlib import Path\n{framework and chr(10)}{framework}"
    return f'"""{first}"""\n\n{imports}{_OPENING}{rest}'


_OPENING = """
HERE = Path(__file__).resolve().parent
if str(HERE) not in sys.path:
    sys.path.insert(0, str(HERE))

from rft_grader import open_grader  # noqa: E402 - it lies beside this file

GRADER = open_grader(HERE)
"""
