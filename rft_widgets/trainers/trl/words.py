"""Why a program ended before its time, in words that say what to do."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rft_widgets.errors import RftError

_MEMORY = re.compile(r"out of memory|OutOfMemoryError|Cannot allocate memory|MemoryError|bad_alloc")
_LESS_MEMORY = (
    "Lower per_device_batch, max_completion_tokens or generations, train an adapter with lora, or "
    "take a smaller model."
)
_HINTS: Sequence[tuple[re.Pattern[str], str]] = (
    (_MEMORY, _LESS_MEMORY),
    (
        re.compile(r"invalid device ordinal"),
        "There are fewer GPUs than num_processes: lower it.",
    ),
    (re.compile(r"No space left on device"), "Free some disk, or raise save_every."),
    (
        re.compile(r"is not a valid model identifier|RepositoryNotFound|GatedRepo|"
                   r"couldn't connect to|offline mode"),
        "Give the folder of a model; or see that the name is right, the hub can be reached, and "
        "HF_TOKEN may read it.",
    ),
    (
        re.compile(r"No module named '([\w.]+)'"),
        "Install what is missing with: pip install 'rft-widgets[trl]'",
    ),
)  # fmt: skip


def failure(error: str, last_words: str) -> RftError:
    """The program said itself why it failed."""
    return RftError(
        f"The training failed: {error}\nIts last lines:\n{last_words}", hint=f"\n{_hint(error)}"
    )


def killed(times: int, last_words: str) -> RftError:
    """The program was killed, again and again."""
    hint = _hint(last_words, _LESS_MEMORY)
    return RftError(
        f"The training was ended from outside {times} times without getting to its next "
        f"checkpoint; the system does that where memory runs out. Its last lines:\n{last_words}",
        hint=f"\n{hint}",
    )


def _hint(text: str, otherwise: str = "Its whole log is in log.txt of the run's folder.") -> str:
    return next((hint for pattern, hint in _HINTS if pattern.search(text)), otherwise)
