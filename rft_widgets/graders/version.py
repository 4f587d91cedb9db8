"""Graders to and from JSON, and the hash that names a version."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import msgspec

from rft_widgets.errors import GraderInvalid
from rft_widgets.graders.checking import check_grader
from rft_widgets.model.grader import Grader, grader_from_json, grader_to_json

_CANONICAL = msgspec.json.Encoder(order="sorted")


def load_grader(value: str | bytes | Mapping[str, Any]) -> Grader:
    """Read and check a grader.

    Parameters
    ----------
    value
        Its JSON, as text or as a value.

    Raises
    ------
    GraderInvalid
        If it is no JSON, or no grader.
    """
    grader = read_grader(value)
    check_grader(grader)
    return grader


def read_grader(value: str | bytes | Mapping[str, Any]) -> Grader:
    """Read a grader: its shape, no more; the rest is said by `grader_faults`.

    Parameters
    ----------
    value
        Its JSON, as text or as a value.

    Raises
    ------
    GraderInvalid
        If it is no JSON, or no grader.
    """
    if isinstance(value, (str, bytes)):
        try:
            value = json.loads(value, object_pairs_hook=_no_duplicates, parse_constant=_no_constant)
        except json.JSONDecodeError as error:
            raise GraderInvalid(
                f"the grader is not JSON: {error}", line=error.lineno, column=error.colno
            ) from None
        except (ValueError, RecursionError) as error:
            raise GraderInvalid(f"the grader is not JSON: {error}") from None
    return grader_from_json(value)


def dump_grader(grader: Grader) -> str:
    """JSON of a grader, indented, as services take it."""
    return json.dumps(grader_to_json(grader), ensure_ascii=False, indent=2)


def canonical_json(grader: Grader) -> bytes:
    """The one JSON of a grader: sorted keys, no spaces."""
    return _CANONICAL.encode(grader_to_json(grader))


def grader_hash(grader: Grader) -> str:
    """SHA-256 of the canonical JSON, in hexadecimal: equal graders have equal hashes."""
    return hashlib.sha256(canonical_json(grader)).hexdigest()


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key is given twice")
    return found


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")
