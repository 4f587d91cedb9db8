"""The grader of a dataset: saved in versions, tried on samples, held against people's labels."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from rft_widgets.dataset.state import HasState
from rft_widgets.errors import GraderInvalid, InvalidArgument, RftError, SandboxUnavailable
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
from rft_widgets.model.grader import SANDBOX, Grader, grader_to_json
from rft_widgets.model.grader_check import GraderCheck, GraderFields, GraderProblem
from rft_widgets.model.grader_version import GraderVersion
from rft_widgets.model.llm import ModelAnswer, ModelConnection
from rft_widgets.model.problem import problem_of
from rft_widgets.model.record import RecordFilter
from rft_widgets.steps.grade import connect, missing_to_grade, open_draft, open_grader
from rft_widgets.steps.grader_fields import fields_of
from rft_widgets.store import graders

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
        self, grader: GraderLike | int, *, connection: ModelConnection | None = None
    ) -> GraderVersion:
        """Check a grader, save it as a version, and use it from now on.

        Parameters
        ----------
        grader
            The grader in any form of `GraderLike`, or the number of a saved version.
        connection
            Where its model is asked. A judge may be saved without one; it cannot grade then.

        Raises
        ------
        GraderInvalid
            It cannot be used as it is written: the path of the fault is in the message. So is one
            whose templates name a field that no record has.
        SandboxUnavailable
            It is a script and this system cannot confine it.
        NotFound
            There is no version of that number.
        """
        if isinstance(grader, int):
            with self._store.write(durable=True) as writing:
                version = graders.read(writing, self.id, grader)
                graders.use(writing, self.id, version)
            return version
        loaded = _loaded(grader)
        for fault in self._faults(loaded, connection):
            raise fault
        with self._store.write(durable=True) as writing:
            return graders.save(writing, self.id, loaded, grader_hash(loaded), connection)

    def check_grader(
        self, grader: GraderLike, *, connection: ModelConnection | None = None
    ) -> GraderCheck:
        """Say why `set_grader` would refuse a grader, all at once and with places; save nothing.

        Parameters
        ----------
        grader, connection
            As for `set_grader`.
        """
        try:
            loaded = _loaded(grader)
        except GraderInvalid as fault:
            return GraderCheck(grader=None, hash=None, problems=(_problem(fault),))
        return GraderCheck(
            grader=grader_to_json(loaded),
            hash=grader_hash(loaded),
            problems=tuple(_problem(fault) for fault in self._faults(loaded, connection)),
            missing=missing_to_grade(loaded, connection),
        )

    def grader_fields(self) -> GraderFields:
        """What graders can be written with, from the first valid records."""
        page = self.records(RecordFilter(valid=True), limit=_LOOKED_AT)
        return fields_of(page.records)

    def compiled_grader(self, version: GraderVersion | None = None) -> CompiledGrader:
        """Make the grader in use (or another version) ready to grade; close it after use.

        Raises
        ------
        InvalidArgument
            There is no grader.
        GraderInvalid
            It asks a model and was saved without a connection.
        """
        return open_grader(version or self._version(None))

    def _opened(
        self, which: int | GraderLike | None, connection: ModelConnection | None = None
    ) -> CompiledGrader:
        """A saved version (``None``: the one in use), or a grader that is not saved, made ready."""
        if which is None or isinstance(which, int):
            return open_grader(self._version(which))
        return open_draft(_loaded(which), connection)

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

    def _faults(self, grader: Grader, connection: ModelConnection | None) -> Iterator[RftError]:
        """Why a grader is not saved, the most basic first."""
        if connection is not None:
            try:
                connect(connection).close()  # refuses an address that no key may be sent to
            except RftError as fault:
                yield fault
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


def _never_asked(*_: Any, **__: Any) -> ModelAnswer:
    raise AssertionError("a grader that is only checked asks nobody")


def _never_embedded(texts: Sequence[str]) -> Sequence[Sequence[float]]:
    raise AssertionError(f"a grader that is only checked embeds nothing, not {len(texts)} texts")
