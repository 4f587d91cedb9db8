"""The grader for wherever models are trained, and whether it grades there as it does here."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, date, datetime
from pathlib import Path

from msgspec import structs

from rft_widgets.dataset.grader_trials import TriesGraders
from rft_widgets.dataset.grading import GraderLike
from rft_widgets.errors import InvalidArgument
from rft_widgets.graders.compile import CompiledFiles, target_of, write_grader
from rft_widgets.graders.compile.folder import BASE_URL_VARIABLE
from rft_widgets.graders.compile.hosted import service_form
from rft_widgets.graders.compiled import asks_models
from rft_widgets.graders.version import read_grader
from rft_widgets.llm.budget import one_budget
from rft_widgets.llm.catalogue import known_model
from rft_widgets.llm.client import ModelClient
from rft_widgets.llm.relay import Relay
from rft_widgets.model.connection import NamedConnection
from rft_widgets.model.estimate import micro_usd
from rft_widgets.model.grader import Grader
from rft_widgets.model.grader_version import JudgedAt
from rft_widgets.model.parity import ParityReport
from rft_widgets.steps.grade import judges_of, open_grader
from rft_widgets.steps.parity import (
    check_parity,
    check_service_form,
    parity_outputs,
    repeats_of,
)
from rft_widgets.steps.progress import Progress

_NO_KEY = "relay"
"""What the process that is checked gets in place of a key."""


class ExportsGraders(TriesGraders):
    """The grader, compiled for elsewhere."""

    def export_grader(
        self,
        target: str,
        folder: str | Path,
        *,
        version: int | None = None,
        grader: GraderLike | None = None,
        connection: JudgedAt | None = None,
    ) -> CompiledFiles:
        """Write a grader so that a framework or service grades with it.

        Parameters
        ----------
        target
            ``"trl"``, ``"verl"``, ``"openrlhf"``, ``"bedrock"``, ``"eval-protocol"``: a folder that
            grades by itself; ``"openai"``, ``"azure"``: the JSON that these services read.
        folder
            Where to; made if it is not there.
        version
            Of a saved grader; by default the one in use.
        grader, connection
            A grader that is not saved, as `set_grader` takes it; instead of a version.

        Returns
        -------
        The files, and in ``warnings`` what the target does not take or does otherwise.

        Raises
        ------
        InvalidArgument
            There is no such target, or no grader.
        """
        chosen, named = self._chosen(version if grader is None else grader, connection)
        ends = _ends(target, chosen, named, datetime.now(UTC).date())
        return write_grader(
            chosen, folder, target=target, name=self.name, connections=named, notes=tuple(ends)
        )

    def export_grader_archive(
        self,
        target: str,
        path: str | Path,
        *,
        version: int | None = None,
        grader: GraderLike | None = None,
        connection: JudgedAt | None = None,
    ) -> CompiledFiles:
        """Write what `export_grader` writes as a ZIP archive, and nothing beside it.

        Parameters
        ----------
        target, version, grader, connection
            As for `export_grader`.
        path
            The archive, whose name ends with ``.zip``; one that is there is exchanged.
        """
        path = Path(path)
        if path.suffix != ".zip":
            raise InvalidArgument(f"{path} is no name of an archive.", hint="End it with .zip.")
        with tempfile.TemporaryDirectory(prefix="rft-grader-") as folder:
            made = self.export_grader(
                target, folder, version=version, grader=grader, connection=connection
            )
            shutil.make_archive(str(path.with_suffix("")), "zip", folder)
        return structs.replace(made, folder=path, entry=Path(made.entry.name))

    def grader_parity(
        self,
        target: str,
        n: int = 1_000,
        *,
        seed: int = 0,
        version: int | None = None,
        grader: GraderLike | None = None,
        connection: JudgedAt | None = None,
        max_cost_usd: float | None = None,
        progress: Progress | None = None,
        cancelled: Callable[[], bool] = bool,
    ) -> ParityReport:
        """Grade the same outputs here and compiled, and list where the rewards differ.

        Half of the outputs are recorded ones; the others are made of them: empty, cut off, of
        another record, with strange characters, a call of a tool. The compiled grader runs in a
        process of its own, without this package. Judges are asked through this one, so that what
        was asked here is not paid a second time, and their keys stay here.

        Parameters
        ----------
        target
            As for `export_grader`. Services read the grader's JSON themselves; for these it is
            checked that the JSON, read again, grades as the grader does.
        n
            Outputs.
        seed
            Of the choice of records and of what is made of them.
        version, grader, connection
            As for `export_grader`.
        max_cost_usd, progress, cancelled
            As for `test_grader`.

        Raises
        ------
        InvalidArgument
            There is no such target, no grader, or no recorded answer.
        RftError
            The compiled grader does not run.
        RunInterrupted
            It was cancelled.
        """
        aim = target_of(target)
        answers, _ = self._recorded(max(1, n), 1, seed)
        outputs = parity_outputs(answers, n, seed)
        chosen, named = self._chosen(version if grader is None else grader, connection)
        cap = micro_usd(max_cost_usd)

        def client(one: NamedConnection) -> ModelClient:
            return self._client(one, purpose="judge", cap_micro_usd=cap, cancelled=cancelled)

        with one_budget(cap), ExitStack() as stack:
            compiled = stack.enter_context(open_grader(chosen, named, client))
            if not aim.runs_here:
                form = read_grader(service_form(chosen, aim).value)
                again = stack.enter_context(open_grader(form, named, client))
                return check_service_form(
                    compiled, again, aim, outputs, progress=progress, cancelled=cancelled
                )
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="rft-grader-"))
            files = write_grader(chosen, folder, target=target, connections=named)
            relay: Relay | None = None
            environment: dict[str, str] = {}
            if asks_models(chosen):
                asked = [stack.enter_context(client(one)) for one in named]
                relay = stack.enter_context(Relay(asked, repeats=repeats_of(chosen)))
                environment = _environment(relay, named)
            try:
                return check_parity(
                    compiled, files, outputs,
                    environment=environment, progress=progress, cancelled=cancelled,
                )  # fmt: skip
            finally:
                if relay is not None and relay.ended is not None:
                    raise relay.ended  # it says why the compiled grader came to no end


def _environment(relay: Relay, named: Sequence[NamedConnection]) -> dict[str, str]:
    keys = filter(None, (one.connection.api_key_env for one in named))
    return {BASE_URL_VARIABLE: relay.base_url, **dict.fromkeys(keys, _NO_KEY)}


def _ends(
    target: str, grader: Grader, named: Sequence[NamedConnection], today: date
) -> Iterator[str]:
    """Say which judges answer no more where the target asks them, or not for long."""
    for judge in judges_of(grader):
        alone = len(named) == 1
        urls = [one.connection.base_url for one in named if alone or one.model == judge.model]
        for url in [_OPENAI] if target == "openai" else urls:
            known = known_model(url, judge.model)
            if known is not None and known.shutdown_date is not None:
                verb = "was shut down" if known.shutdown_date <= today else "shuts down"
                instead = f" Use {known.replacement}." if known.replacement else ""
                yield f"The model {judge.model} {verb} on {known.shutdown_date}.{instead}"


_OPENAI = "https://api.openai.com/v1"
