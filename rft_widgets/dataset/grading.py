"""The grader of a dataset: saved in versions, tried on samples, held against people's labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from rft_widgets.dataset.state import HasState
from rft_widgets.errors import GraderInvalid, InvalidArgument
from rft_widgets.files import read_whole
from rft_widgets.graders import (
    CompiledGrader,
    compile_grader,
    from_config,
    grader_hash,
    load_grader,
)
from rft_widgets.graders.fields import item_fields
from rft_widgets.graders.sample import item_of
from rft_widgets.model.grader import SANDBOX, Grader, grader_to_json
from rft_widgets.model.grader_version import GraderVersion
from rft_widgets.model.llm import ModelAnswer, ModelConnection
from rft_widgets.model.record import RecordFilter
from rft_widgets.steps.grade import connect, open_grader
from rft_widgets.store import graders

GraderLike = Grader | Mapping[str, Any] | Sequence[Mapping[str, Any]] | str | Path
"""A grader, its public JSON (as value, text or file), a ``.py`` file with a script, or the simple
form of the grader dialog."""

_SIMPLE = ("llm-judge", "script")
_LOOKED_AT = 200


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
        if connection is not None:
            connect(connection).close()  # refuses an address that no key may be sent to
        compile_grader(loaded, model_call=_never_asked, embed=_never_embedded).close()
        self._check_fields(loaded)
        with self._store.write(durable=True) as writing:
            return graders.save(writing, self.id, loaded, grader_hash(loaded), connection)

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

    def _check_fields(self, grader: Grader) -> None:
        wanted = item_fields(grader)
        if not wanted:
            return
        page = self.records(RecordFilter(valid=True), limit=_LOOKED_AT)
        known = {key for record in page.records for key in item_of(record)}
        missing = [field for field in wanted if field not in known]
        if page.records and missing:
            has = ", ".join(sorted(known)) or "none"
            raise GraderInvalid(
                f"no record has the item field {missing[0]!r}",
                hint=f"The first {len(page.records):,} valid records have: {has}.",
            )


def _loaded(grader: GraderLike) -> Grader:
    if isinstance(grader, Path):
        return _read(grader)
    if isinstance(grader, str):
        return load_grader(grader)
    if isinstance(grader, Mapping):
        simple = grader.get("type") in _SIMPLE
        return load_grader(grader_to_json(from_config(grader)) if simple else grader)
    value = grader if isinstance(grader, Struct) else from_config(grader)
    return load_grader(grader_to_json(value))


def _read(path: Path) -> Grader:
    data = read_whole(path, SANDBOX.max_source_bytes)
    if data is None:
        raise GraderInvalid(f"{path} has more than {SANDBOX.max_source_bytes:,} bytes")
    if path.suffix != ".py":
        return load_grader(data)
    try:
        source = data.decode()
    except UnicodeDecodeError as error:
        raise GraderInvalid(f"{path} is no text: {error.reason} at byte {error.start}") from None
    return load_grader({"type": "python", "name": path.stem, "source": source})


def _never_asked(*_: Any, **__: Any) -> ModelAnswer:
    raise AssertionError("a grader that is only checked asks nobody")


def _never_embedded(texts: Sequence[str]) -> Sequence[Sequence[float]]:
    raise AssertionError(f"a grader that is only checked embeds nothing, not {len(texts)} texts")
