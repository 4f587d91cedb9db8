"""The grader of a dataset: saved in versions, tried on samples, held against people's labels."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from rft_widgets.dataset.state import HasState
from rft_widgets.errors import (
    GraderInvalid,
    InvalidArgument,
    NotFound,
    RftError,
    SandboxUnavailable,
)
from rft_widgets.files import read_whole
from rft_widgets.graders import (
    CompiledGrader,
    compile_grader,
    from_config,
    grader_faults,
    grader_hash,
    read_grader,
)
from rft_widgets.graders.fields import item_references
from rft_widgets.graders.sample import item_of
from rft_widgets.llm.budget import one_budget
from rft_widgets.model.connection import NamedConnection
from rft_widgets.model.estimate import WorkEstimate, Workload, micro_usd
from rft_widgets.model.grader import SANDBOX, Grader, grader_to_json
from rft_widgets.model.grader_check import GraderCheck, GraderFields, GraderProblem
from rft_widgets.model.grader_version import GraderVersion, JudgedAt
from rft_widgets.model.llm import ModelAnswer
from rft_widgets.model.problem import problem_of
from rft_widgets.model.record import RecordFilter
from rft_widgets.steps.dry_run import Answer
from rft_widgets.steps.grade import (
    connection_faults,
    missing_to_grade,
    open_grader,
    resolved,
    with_models,
)
from rft_widgets.steps.grader_fields import fields_of
from rft_widgets.steps.judge_workload import combined, workloads
from rft_widgets.store import connections, graders
from rft_widgets.web import checked_base_url

GraderLike = Grader | Mapping[str, Any] | Sequence[Mapping[str, Any]] | str | Path
"""A grader, its public JSON (as value, text or file), a ``.py`` file with a script, or the simple
form of the grader dialog."""

_SIMPLE = ("llm-judge", "script")
_LOOKED_AT = 200
_PLACE = re.compile(r" \(line \d+(, column \d+)?\)$")


class HasGrader(HasState):
    """What judges the answers of a dataset."""

    @property
    def grader(self) -> Grader | None:
        """The grader in use."""
        version = self.grader_version
        return None if version is None else version.grader

    @property
    def grader_version(self) -> GraderVersion | None:
        """The grader in use, with its number and hash."""
        with self._store.read() as connection:
            return graders.current(connection, self.id)

    @property
    def grader_versions(self) -> tuple[GraderVersion, ...]:
        """Every grader that was saved, the oldest first."""
        with self._store.read() as connection:
            return graders.read_all(connection, self.id)

    def set_grader(
        self, grader: GraderLike | int, *, connection: JudgedAt | None = None
    ) -> GraderVersion:
        """Check a grader, save it as a version, and use it from now on.

        Parameters
        ----------
        grader
            The grader in any form of `GraderLike`, or the number of a saved version.
        connection
            Where its models are asked: the name of a connection of the workspace, or an address.
            A judge that names no model gets that of the named connection. Of several names, each
            judge is asked at the connection of its model, so that a panel may sit at several. A
            judge may be saved without one; it cannot grade then.

        Raises
        ------
        GraderInvalid
            It cannot be used as it is written: the path of the fault is in the message. So is one
            whose templates name a field that no record has.
        SandboxUnavailable
            It is a script and this system cannot confine it.
        NotFound
            There is no version of that number, or no connection of that name.
        """
        if isinstance(grader, int):
            with self._store.write(durable=True) as writing:
                version = graders.read(writing, self.id, grader)
                graders.use(writing, self.id, version)
            return version
        loaded, named = self._draft(grader, connection)
        for fault in self._faults(loaded, named):
            raise fault
        with self._store.write(durable=True) as writing:
            return graders.save(writing, self.id, loaded, grader_hash(loaded), _kept(connection))

    def check_grader(
        self, grader: GraderLike, *, connection: JudgedAt | None = None
    ) -> GraderCheck:
        """Say why `set_grader` would refuse a grader, all at once and with places; save nothing.

        Parameters
        ----------
        grader, connection
            As for `set_grader`.
        """
        lost: tuple[RftError, ...] = ()
        try:
            try:
                loaded, named = self._draft(grader, connection)
            except NotFound as fault:
                lost = (fault,)
                loaded, named = self._draft(grader, None)
        except GraderInvalid as fault:
            return GraderCheck(grader=None, hash=None, problems=(_problem(fault),))
        with self._store.read() as reading:
            tests = connections.tests(reading)
        return GraderCheck(
            grader=grader_to_json(loaded),
            hash=grader_hash(loaded),
            problems=tuple(_problem(fault) for fault in (*lost, *self._faults(loaded, named))),
            missing=missing_to_grade(loaded, named, tests),
        )

    def grader_fields(self) -> GraderFields:
        """What graders can be written with, from the first valid records."""
        page = self.records(RecordFilter(valid=True), limit=_LOOKED_AT)
        return fields_of(page.records)

    def compiled_grader(
        self,
        version: GraderVersion | None = None,
        *,
        max_cost_usd: float | None = None,
        cancelled: Callable[[], bool] = bool,
    ) -> CompiledGrader:
        """Make the grader in use (or another version) ready to grade; close it after use.

        Parameters
        ----------
        version
            A saved version; by default the one in use.
        max_cost_usd
            Most dollars that its models may cost.
        cancelled
            Asked often while a model is asked.

        Raises
        ------
        InvalidArgument
            There is no grader.
        GraderInvalid
            It asks a model and was saved without a connection.
        NotFound
            Its connection is no more.
        """
        chosen = version or self._version(None)
        return self._opened(chosen, max_cost_usd=max_cost_usd, cancelled=cancelled)

    def _opened(
        self,
        which: int | GraderVersion | GraderLike | None,
        connection: JudgedAt | None = None,
        *,
        max_cost_usd: float | None = None,
        cancelled: Callable[[], bool] = bool,
        planned: Mapping[str, Workload] | None = None,
    ) -> CompiledGrader:
        """A saved version (``None``: the one in use), or a grader that is not saved, made ready.

        ``planned`` is what it was estimated from, by model.
        """
        grader, named = self._chosen(which, connection)
        cap = micro_usd(max_cost_usd)
        with one_budget(cap):  # of all judges together
            return open_grader(
                grader,
                named,
                lambda one: self._client(
                    one,
                    purpose="judge",
                    cap_micro_usd=cap,
                    cancelled=cancelled,
                    planned=_planned(planned, one, alone=len(named) == 1),
                ),
            )

    def _grading_estimate(
        self,
        grader: Grader,
        named: Sequence[NamedConnection],
        answers: Sequence[Answer],
        total: int | None = None,
        answer_tokens: int = 0,
    ) -> WorkEstimate | None:
        """What grading answers is expected to take; ``None`` where no model is asked."""
        planned = workloads(grader, answers, total, answer_tokens)
        asked = [
            (one, _planned(planned, one, alone=len(named) == 1) or Workload()) for one in named
        ]
        found = [self._estimate(one, "judge", load) for one, load in asked if load.calls]
        return combined(found) if found else None

    def _chosen(
        self, which: int | GraderVersion | GraderLike | None, connection: JudgedAt | None = None
    ) -> tuple[Grader, tuple[NamedConnection, ...]]:
        """A grader with where its models are asked; as for `_opened`."""
        if which is not None and not isinstance(which, (int, GraderVersion)):
            return self._draft(which, connection)
        version = which if isinstance(which, GraderVersion) else self._version(which)
        named = resolved(version.connection, version.grader, self.named_connection)
        return version.grader, named

    def _draft(
        self, grader: GraderLike, connection: JudgedAt | None
    ) -> tuple[Grader, tuple[NamedConnection, ...]]:
        loaded = _loaded(grader)
        named = resolved(connection, loaded, self.named_connection)
        return with_models(loaded, named), named

    def _version(self, number: int | None) -> GraderVersion:
        if number is not None:
            with self._store.read() as connection:
                return graders.read(connection, self.id, number)
        version = self.grader_version
        if version is None:
            raise InvalidArgument(
                "The dataset has no grader.", hint="Save one with set_grader() first."
            )
        return version

    def _faults(self, grader: Grader, named: Sequence[NamedConnection]) -> Iterator[RftError]:
        """Why a grader is not saved, the most basic first."""
        for one in named:
            try:
                checked_base_url(one.connection.base_url)
            except RftError as fault:
                yield fault
        yield from connection_faults(grader, named)
        faults = list(grader_faults(grader))
        yield from faults
        if faults:
            return
        try:
            compile_grader(grader, model_call=_never_asked, embed=_never_embedded).close()
        except (GraderInvalid, SandboxUnavailable) as fault:
            yield fault
        yield from self._unknown_fields(grader)

    def _unknown_fields(self, grader: Grader) -> Iterator[GraderInvalid]:
        wanted = item_references(grader)
        if not wanted:
            return
        page = self.records(RecordFilter(valid=True), limit=_LOOKED_AT)
        known = {key for record in page.records for key in item_of(record)}
        has = ", ".join(sorted(known)) or "none"
        for one in wanted:
            if page.records and one.field not in known:
                yield GraderInvalid(
                    f"no record has the item field {one.field!r}",
                    hint=f"The first {len(page.records):,} valid records have: {has}.",
                    where=one.where,
                    line=one.line,
                    column=one.column,
                )


def _loaded(grader: GraderLike) -> Grader:
    if isinstance(grader, Path):
        return _read(grader)
    if isinstance(grader, str):
        return read_grader(grader)
    if isinstance(grader, Mapping):
        simple = grader.get("type") in _SIMPLE
        return read_grader(grader_to_json(from_config(grader)) if simple else grader)
    value = grader if isinstance(grader, Struct) else from_config(grader)
    return read_grader(grader_to_json(value))


def _read(path: Path) -> Grader:
    data = read_whole(path, SANDBOX.max_source_bytes)
    if data is None:
        raise GraderInvalid(f"{path} has more than {SANDBOX.max_source_bytes:,} bytes")
    if path.suffix != ".py":
        return read_grader(data)
    try:
        source = data.decode()
    except UnicodeDecodeError as error:
        raise GraderInvalid(f"{path} is no text: {error.reason} at byte {error.start}") from None
    return read_grader({"type": "python", "name": path.stem, "source": source})


def _problem(fault: RftError) -> GraderProblem:
    code = problem_of(fault).code
    if not isinstance(fault, GraderInvalid):
        where = "" if isinstance(fault, SandboxUnavailable) else "connection"
        return GraderProblem(code=code, message=fault.message, hint=fault.hint, where=where)
    return GraderProblem(
        code=code,
        message=_PLACE.sub("", fault.message.removeprefix(f"{fault.where}: ")),
        hint=fault.hint,
        where=fault.where,
        line=fault.line,
        column=fault.column,
    )


def _kept(connection: Any) -> JudgedAt | None:
    """As it is saved: several names may come as a list."""
    return tuple(connection) if isinstance(connection, list) else connection


def _planned(
    planned: Mapping[str, Workload] | None, named: NamedConnection, *, alone: bool
) -> Workload | None:
    if planned is None:
        return None
    return sum(planned.values(), Workload()) if alone else planned.get(named.model)


def _never_asked(*_: Any, **__: Any) -> ModelAnswer:
    raise AssertionError("a grader that is only checked asks nobody")


def _never_embedded(texts: Sequence[str]) -> Sequence[Sequence[float]]:
    raise AssertionError(f"a grader that is only checked embeds nothing, not {len(texts)} texts")
