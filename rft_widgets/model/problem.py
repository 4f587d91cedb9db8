"""An error as a value: what a page, a job and a reply show of it."""

from __future__ import annotations

import re

from msgspec import Struct

from rft_widgets.errors import RftError


class Problem(Struct, frozen=True, kw_only=True):
    """An error in words: what happened, and what to do."""

    code: str
    message: str
    hint: str | None = None


def problem_of(error: BaseException) -> Problem:
    """Say an error: ours in its own words, any other without what it holds."""
    if isinstance(error, RftError):
        code = re.sub(r"(?<!^)(?=[A-Z])", "_", type(error).__name__).lower()
        return Problem(code=code, message=error.message, hint=error.hint)
    return Problem(
        code="internal",
        message="Something went wrong that should not have.",
        hint="What it was stands in the log of the kernel.",
    )
