"""The grader: write it, try it, compare it, save it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, ClassVar

import msgspec
from msgspec import Meta

from rft_widgets.errors import RftError
from rft_widgets.graders import preset as make_preset
from rft_widgets.graders import read_grader
from rft_widgets.graders.panel import Combine
from rft_widgets.graders.panel import panel as make_panel
from rft_widgets.graders.presets import PresetName
from rft_widgets.llm.allowed import allowed_from_page
from rft_widgets.model.connection import ConnectionName
from rft_widgets.model.estimate import WorkEstimate
from rft_widgets.model.grader import JUDGE, grader_to_json
from rft_widgets.model.grader_check import GraderCheck, GraderFields, GraderProblem
from rft_widgets.model.grader_version import GraderVersion, JudgedAt
from rft_widgets.model.job import JobState
from rft_widgets.model.problem import problem_of
from rft_widgets.widgets import rpc
from rft_widgets.widgets.dialogs.base import Dialog
from rft_widgets.widgets.dialogs.grader_views import (
    GraderResults,
    GraderView,
    SavedGrader,
    grader_view,
    read_results,
)
from rft_widgets.widgets.downloads import Download, Offers, file_name
from rft_widgets.worker.grading import (
    MAX_GRADER_CHARS,
    CompareGraders,
    Field,
    GraderLabels,
    GraderText,
    Seed,
    TestGrader,
)

_MAX_BYTES = MAX_GRADER_CHARS
"""Largest call with a grader in it: its source, with room for the quotes of JSON in JSON. The
kernel reads it itself: what is wrong has a line then."""

_MOST_SEATS = 20
TargetName = Annotated[str, Meta(min_length=1, max_length=40)]
_Text = Annotated[str, Meta(max_length=200)]


class GraderDialog(Offers, Dialog):
    """The grader: write it, try it, compare it, save it."""

    component: ClassVar[str] = "dialogs/grader"
    step: ClassVar[int] = 4

    def __init__(self, *args: Any, **values: Any) -> None:
        self._fields: tuple[datetime, GraderFields] | None = None
        super().__init__(*args, **values)

    @rpc.method(background=True, packed=True)
    def load(self) -> GraderView:
        """What the dialog opens with: versions, fields of the records, graders to start from."""
        return grader_view(self._dataset, self._known_fields())

    @rpc.method(background=True, packed=True)
    def results(self) -> GraderResults:
        """What was tried last, from any page."""
        return read_results(self._dataset)

    @rpc.method(background=True, max_bytes=_MAX_BYTES)
    def check(self, grader: GraderText, connection: JudgedAt | None = None) -> GraderCheck:
        """Say why a grader would be refused."""
        try:
            allowed = self._allowed(connection)
        except RftError as error:
            problem = problem_of(error)
            found = self._dataset.check_grader(grader)
            refused = GraderProblem(
                code=problem.code, message=problem.message, hint=problem.hint, where="connection"
            )
            return msgspec.structs.replace(found, problems=(refused, *found.problems))
        return self._dataset.check_grader(grader, connection=allowed)

    @rpc.method()
    def preset(
        self,
        name: PresetName,
        model: _Text = "",
        reference: _Text = "",
        required_fields: tuple[_Text, ...] = (),
    ) -> dict[str, Any]:
        """Make the grader of a preset, as JSON."""
        made = make_preset(
            name,
            model=model or None,
            reference=reference or None,
            required_fields=required_fields,
        )
        return grader_to_json(made)

    @rpc.method(background=True, max_bytes=_MAX_BYTES)
    def panel(
        self,
        grader: GraderText,
        connections: Annotated[tuple[ConnectionName, ...], Meta(max_length=_MOST_SEATS)] = (),
        repeats: Annotated[int, Meta(ge=1, le=JUDGE.most_repeats)] = 1,
        combine: Combine = "mean",
    ) -> dict[str, Any]:
        """Make a panel of the judges of a grader, at the models of connections, as JSON."""
        models = [self._dataset.named_connection(name).model for name in connections]
        made = make_panel(read_grader(grader), models, repeats=repeats, combine=combine)
        return grader_to_json(made)

    @rpc.method(background=True, max_bytes=_MAX_BYTES)
    def estimate(
        self, grader: GraderText, connection: JudgedAt | None = None, seed: Seed = 0
    ) -> WorkEstimate | None:
        """What a test of a grader would take; nothing where it asks no model, or cannot be used."""
        try:
            allowed = self._allowed(connection)
            return self._dataset.estimate_test_grader(grader=grader, connection=allowed, seed=seed)
        except RftError:
            return None  # `check` says why

    @rpc.method(background=True, max_bytes=_MAX_BYTES)
    def save(self, grader: GraderText, connection: JudgedAt | None = None) -> SavedGrader:
        """Save a grader and take it into use."""
        return self._saved(self._dataset.set_grader(grader, connection=self._allowed(connection)))

    @rpc.method(background=True)
    def restore(self, version: int) -> SavedGrader:
        """Take a saved version into use again."""
        return self._saved(self._dataset.set_grader(version))

    @rpc.method(max_bytes=_MAX_BYTES)
    def start_test(
        self, grader: GraderText, connection: JudgedAt | None = None, seed: Seed = 0
    ) -> JobState:
        """Grade a few recorded answers with a grader, saved or not."""
        asked = TestGrader(grader=grader, connection=self._allowed(connection), seed=seed)
        return self._dataset.submit("test_grader", asked).state

    @rpc.method(max_bytes=_MAX_BYTES)
    def start_labels(
        self, grader: GraderText, field: Field, connection: JudgedAt | None = None
    ) -> JobState:
        """Hold a grader, saved or not, against people's labels."""
        asked = GraderLabels(grader=grader, connection=self._allowed(connection), field=field)
        return self._dataset.submit("grader_labels", asked).state

    @rpc.method(max_bytes=_MAX_BYTES)
    def start_comparison(
        self, grader: GraderText, version: int, connection: JudgedAt | None = None
    ) -> JobState:
        """Hold a grader, saved or not, against a saved version, on the same answers."""
        asked = CompareGraders(before=version, after=grader, connection=self._allowed(connection))
        return self._dataset.submit("compare_graders", asked).state

    @rpc.method(background=True, max_bytes=_MAX_BYTES)
    def export(
        self, target: TargetName, grader: GraderText, connection: JudgedAt | None = None
    ) -> Download:
        """A grader, saved or not, for a framework or service, as an archive."""
        allowed = self._allowed(connection)
        name = file_name(self._dataset.name, f"grader-{target}", "zip")
        return self.offer(
            name,
            lambda path, _: self._dataset.export_grader_archive(
                target, path, grader=grader, connection=allowed
            ),
            call=f"ds.export_grader_archive({target!r}, {name!r})",
        )

    def _known_fields(self) -> GraderFields:
        """Fields of the records, looked for once a change: progress of a test is none."""
        changed, known = self._dataset.updated_at, self._fields
        if known is None or known[0] != changed:
            known = self._fields = changed, self._dataset.grader_fields()
        return known[1]

    def _allowed(self, connection: JudgedAt | None) -> JudgedAt | None:
        if connection is None:
            return None
        return allowed_from_page(connection, self._dataset.bound_connections)

    def _saved(self, version: GraderVersion) -> SavedGrader:
        nodes = self._dataset.pipeline.nodes[self.step :]
        stale = tuple(dict.fromkeys(reason for node in nodes for reason in node.stale))
        return SavedGrader(version=version.version, hash=version.hash, stale=stale)


WIDGET = GraderDialog
