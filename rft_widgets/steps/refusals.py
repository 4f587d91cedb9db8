"""What of a line is refused because it is not safe JSON, and in which words."""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

from rft_widgets.model.record import RefusalCode
from rft_widgets.model.settings import LIMITS


class LineRefused(Exception):  # noqa: N818 - internal signal, turned into a LineError by the import
    """A line that holds no record: its code and the reason in words."""

    def __init__(self, code: RefusalCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def check_text(line: bytes) -> None:
    """Refuse JSON that spells U+0000, which PostgreSQL cannot hold in a text."""
    if b"\\u0000" in line and _NUL.search(line):
        raise LineRefused("nul_character", "A text holds the character U+0000.")


def has_long_int(line: bytes) -> bool:
    """Whether a number, not a text, has more digits than the limit."""
    # So many digits in a row cover four samples in a row: nearly every line ends here.
    if not _FOUR_DIGITS.search(line[:: LIMITS.max_int_digits // 4]):
        return False
    return _LONG_INT.search(_TEXTS.sub(b'""', line)) is not None


def count_keys(value: Any, depth: int = 2) -> int:
    """Count the keys of all objects in a value; refuse one that nests too deep.

    ``depth`` is the level of the value itself: the line is the first, its values the second.
    """
    if depth > LIMITS.max_depth:
        raise LineRefused(
            "too_deep", f"Arrays and objects nest deeper than {LIMITS.max_depth} levels."
        )
    if type(value) is dict:
        count = len(value)
        for inner in value.values():
            if type(inner) in (dict, list):
                count += count_keys(inner, depth + 1)
        return count
    if type(value) in (list, tuple):
        return sum(count_keys(inner, depth + 1) for inner in value if type(inner) in (dict, list))
    return 0


def check_duplicate_keys(line: bytes) -> None:
    """Refuse JSON in which a key stands twice in one object; slow, for lines that may have one."""

    def refuse(pairs: list[tuple[str, Any]]) -> None:
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise LineRefused("duplicate_key", f"The key {key!r} stands twice in one object.")
            seen.add(key)

    json.loads(line, object_pairs_hook=refuse)


def explain(line: bytes, error: Exception) -> NoReturn:
    """Raise the refusal that fits a line which could not be decoded."""
    try:
        text = line.decode()
    except UnicodeDecodeError as bad:
        raise LineRefused(
            "invalid_utf8", f"Byte {bad.start + 1} of the line is not UTF-8."
        ) from None
    if "\0" in text:
        raise LineRefused("nul_character", "The line holds the character U+0000.")
    try:
        value = json.loads(text, parse_constant=_refuse_constant, parse_float=_finite)
    except RecursionError:
        raise LineRefused("too_deep", "Arrays and objects nest too deep to read.") from None
    except json.JSONDecodeError as bad:
        raise LineRefused(
            "invalid_json", f"{bad.msg.removesuffix(' at')} at character {bad.pos + 1}."
        ) from None
    except ValueError:
        raise LineRefused(
            "number_too_long", f"A number has more than {LIMITS.max_int_digits:,} digits."
        ) from None
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise LineRefused(
            "lone_surrogate", "A text holds half of a surrogate pair (\\ud800 to \\udfff)."
        ) from None
    if not isinstance(value, dict):
        raise LineRefused("invalid_data_structure", f"The line is {kind_of(value)}, not an object.")
    raise LineRefused("invalid_json", f"{error}.")


def kind_of(value: Any) -> str:
    """What a JSON value is, in words."""
    names = {dict: "an object", list: "a list", str: "text", int: "a number", float: "a number",
             bool: "true or false", type(None): "null"}  # fmt: skip
    return names[type(value)]


_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_LONG_INT = re.compile(rb"(?<![0-9])[0-9]{%d}" % (LIMITS.max_int_digits + 1))
_TEXTS = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)
_FOUR_DIGITS = re.compile(rb"[0-9]{4}")


def _refuse_constant(name: str) -> NoReturn:
    raise LineRefused("non_finite_number", f"{name} is not a JSON number.")


def _finite(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise LineRefused("non_finite_number", f"{text[:40]} is too large for a number.")
    return number
