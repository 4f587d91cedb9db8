"""What a run worked from: dry runs, training and deployments name it, so that it can be told when
it changed.
"""  # noqa: D205

from __future__ import annotations

from msgspec import Struct


class RunInputs(Struct, frozen=True, kw_only=True):
    """Hashes of the data, the topics and the grader, as `fingerprint` and `grader_hash` give them.

    ``records_revision`` is the dataset's count of changes at the time: equal counts mean equal
    hashes.
    """

    data: str
    topics: str
    grader: str
    grader_version: int
    records_revision: int
