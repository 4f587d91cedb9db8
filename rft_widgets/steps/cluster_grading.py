"""Script graders on the nodes of a cluster, confined there as they are here.

A node that cannot confine grader code refuses it in words, and the work stops: it is not graded
unconfined because it is done somewhere else.
"""

from __future__ import annotations

import platform
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from rft_widgets.errors import SandboxUnavailable
from rft_widgets.graders.compiled import CompiledGrader, Pairs, compile_grader
from rft_widgets.graders.sample import Sample
from rft_widgets.model.grader import Grader, GradingResult
from rft_widgets.steps.cluster import map_batches
from rft_widgets.steps.topics.features import batched

_BATCH = 128
"""Samples that are worth a way to another machine."""

_open: dict[bytes, CompiledGrader] = {}
"""The grader that this process of a node graded with last, its sandbox warm."""


def grade_on_cluster(compiled: CompiledGrader, pairs: Pairs) -> Iterator[GradingResult]:
    """Grade samples with a grader that asks no model, in their order, as they come.

    Raises
    ------
    SandboxUnavailable
        A node cannot confine grader code.
    ClusterUnavailable
        The cluster cannot be used, or was lost.
    """
    batches = batched(pairs, _BATCH)
    for results in map_batches(_graded, compiled.grader, batches, here=compiled.grade_here):
        yield from results


def _graded(
    grader: Grader, pairs: Sequence[tuple[Sample, Mapping[str, Any]]]
) -> Iterable[GradingResult]:
    try:
        return list(_compiled(grader).grade_here(pairs))
    except SandboxUnavailable as error:
        raise SandboxUnavailable(
            f"The machine {platform.node()} cannot confine grader code: {error.message}",
            hint=error.hint,
        ) from None


def _compiled(grader: Grader) -> CompiledGrader:
    key = msgspec.json.encode(grader)
    if key not in _open:
        for other in _open.values():
            other.close()
        _open.clear()
        _open[key] = compile_grader(grader)
    return _open[key]
