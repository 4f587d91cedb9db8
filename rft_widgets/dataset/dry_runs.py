"""Dry runs of a dataset: kept answer by answer, resumed, and compared."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from statistics import fmean

import msgspec

from rft_widgets.dataset.asking import ModelLike
from rft_widgets.dataset.dry_run_sampling import SamplesAnswers
from rft_widgets.errors import InvalidArgument
from rft_widgets.graders import CompiledGrader
from rft_widgets.llm.budget import one_budget
from rft_widgets.model.dry_run import DryRun, DryRunConfig
from rft_widgets.model.dry_run_settings import DRY_RUN, ROLLOUT
from rft_widgets.model.estimate import micro_usd
from rft_widgets.model.grader_version import GraderVersion
from rft_widgets.model.report import DryRunReport, GradedAnswer, RunComparison
from rft_widgets.model.run import RunInputs
from rft_widgets.steps.dry_run import (
    Answer,
    Respond,
    Rollouts,
    build_report,
    compare_runs,
    grade_answers,
    run_probes,
)
from rft_widgets.steps.progress import Progress
from rft_widgets.store import datasets, dry_runs
from rft_widgets.store.activity import working
from rft_widgets.store.dry_runs import DryRunRow
from rft_widgets.store.fingerprint import fingerprint


class HasDryRuns(SamplesAnswers):
    """Whether training is worth it: the grader on a sample of the answers."""

    def dry_run(
        self,
        n: int = DRY_RUN.prompts,
        k: int = DRY_RUN.responses,
        *,
        seed: int = 0,
        probes: bool = True,
        model: ModelLike | None = None,
        temperature: float | None = None,
        max_tokens: int | None = None,
        max_cost_usd: float | None = None,
        respond: Respond | None = None,
        progress: Progress | None = None,
        cancelled: Callable[[], bool] = bool,
        resume: bool = False,
        run_id: str | None = None,
    ) -> DryRunReport:
        """Grade a sample of the answers and say whether training is worth it.

        Every graded answer is kept at once, so that nothing is graded twice when the run is cut
        off. Records get their reward as ``dry_run_score``.

        Parameters
        ----------
        n
            Prompts to sample, in proportion to the topics.
        k
            Answers to each prompt. Of recorded ones, those of records with the same prompt: the
            first of them is valid, the others are kept as its duplicates.
        seed
            Of the choice, the probes and the intervals.
        probes
            Whether the grader is tried on answers that deserve nothing, too.
        model
            A model that answers anew, ``k`` times a prompt, with the record's tools; by default
            recorded answers are graded. A refusal and an empty answer are answers, and graded.
        temperature, max_tokens
            Of its answers; by default those of `rft_widgets.model.dry_run_settings.ROLLOUT`.
        max_cost_usd
            Most that its answers and a judge may cost together.
        respond
            A function that answers anew, in place of a model.
        progress
            Called with the share that is done and what is being done.
        cancelled
            Asked after every answer.
        resume
            Go on with the last run that was cut off, with the options it was begun with.
        run_id
            Id for the run, of your choice; one of that id that was cut off is gone on with.

        Raises
        ------
        InvalidArgument
            There is no grader, no answer to grade, or nothing to resume; or the records or the
            grader changed since the run was cut off.
        RunInterrupted
            It was cancelled; what was graded is kept.
        BudgetReached, ModelRefused, TooManyFailures
            A model cannot be asked any more; what was graded is kept, and what was answered.
        """
        if model is not None and respond is not None:
            raise InvalidArgument(
                "A model answers or a function, not both.", hint="Pass model=... or respond=... ."
            )
        with working(self._store, self.id, 5, "Dry run") as shown:

            def tell(share: float, doing: str) -> None:
                shown(share, "Dry run")
                if progress is not None:
                    progress(share, doing)

            version = self._version(None)
            if resume or (run_id is not None and self._cut_off(run_id)):
                run, config = self._unfinished(version, model, respond, None if resume else run_id)
            else:
                run = None
                config = self._config(
                    n, k, seed, model, temperature, max_tokens, probes=probes, respond=respond
                )
            tell(0.0, "Choosing prompts")
            sample = self._sample(config)
            answers = self._answers(sample.prompts, config)
            if not answers:
                raise InvalidArgument(
                    "There is no answer to grade.",
                    hint="Import records with recorded answers, or pass model=... .",
                )
            with ExitStack() as stack:
                stack.enter_context(one_budget(micro_usd(max_cost_usd)))
                compiled = stack.enter_context(
                    self.compiled_grader(version, max_cost_usd=max_cost_usd, cancelled=cancelled)
                )
                concurrency = None
                if config.asked:
                    client = stack.enter_context(
                        self._client(
                            config.model if model is None else model,
                            purpose="rollout",
                            cap_micro_usd=micro_usd(max_cost_usd),
                            cancelled=cancelled,
                            planned=self._rollout_work(
                                answers[: ROLLOUT.looked_at], len(answers), config
                            ),
                        )
                    )
                    respond = Rollouts(
                        client, temperature=config.temperature, max_tokens=config.max_tokens
                    )
                    concurrency = client.concurrency
                if run is None:
                    run = dry_runs.begin(
                        self._store,
                        self.id,
                        msgspec.to_builtins(config),
                        self.run_inputs(version),
                        run_id=run_id,
                    )
                done = tuple(_decoded(dry_runs.kept(self._store, run.id).values()))
                began = time.perf_counter()
                graded = self._grade(
                    run, compiled, answers, done, respond, concurrency, tell, cancelled
                )
                pace = _pace(len(graded) - len(done), time.perf_counter() - began)
                tell(0.95, "Probing the grader")
                found = (
                    run_probes(compiled, answers, graded, seed=config.seed, cancelled=cancelled)
                    if config.probes
                    else ()
                )
            report = build_report(
                graded, probes=found, excluded=sample.excluded, config=config, seed=config.seed
            )
            self._finish(run, report, graded, pace)
            tell(1.0, "Done")
        return report

    @property
    def dry_runs(self) -> tuple[DryRun, ...]:
        """Dry runs since the pipeline was last reset, the oldest first; also those cut off."""
        with self._store.read() as connection:
            rows = dry_runs.read_all(connection, self.id)
        return tuple(_dry_run(row) for row in rows)

    def dry_run_report(self, run_id: str) -> DryRunReport:
        """The report of a finished run."""
        with self._store.read() as connection:
            report = _dry_run(dry_runs.read(connection, self.id, run_id)).report
        if report is None:
            raise InvalidArgument(f"Dry run {run_id} has no report: it was cut off.")
        return report

    def dry_run_answers(self, run: DryRun | str) -> tuple[GradedAnswer, ...]:
        """Every graded answer of a run, in order."""
        key = run if isinstance(run, str) else run.id
        with self._store.read() as connection:
            dry_runs.read(connection, self.id, key)
        return tuple(_decoded(dry_runs.kept(self._store, key).values()))

    def compare_dry_runs(self, before: DryRun | str, after: DryRun | str) -> RunComparison:
        """Compare two runs on what both graded: answer by answer, or prompt by prompt where a model
        answered anew.
        """  # noqa: D205
        configs = []
        for run in (before, after):
            key = run if isinstance(run, str) else run.id
            with self._store.read() as connection:
                configs.append(_dry_run(dry_runs.read(connection, self.id, key)).config)
        anew = any(config.answers == "model" for config in configs)
        return compare_runs(
            self.dry_run_answers(before),
            self.dry_run_answers(after),
            by="prompt" if anew else "answer",
        )

    def run_inputs(self, version: GraderVersion) -> RunInputs:
        """Hashes of what a run would work from now."""
        with self._store.read() as connection:
            revision = datasets.records_revision(connection, self.id)
        now = fingerprint(self._store, self.id)
        return RunInputs(
            data=now.data,
            topics=now.topics,
            grader=version.hash,
            grader_version=version.version,
            records_revision=revision,
        )

    def _cut_off(self, run_id: str | None) -> list[DryRunRow]:
        """Runs that have not ended, or the one of an id."""
        with self._store.read() as connection:
            rows = dry_runs.read_all(connection, self.id)
        return [row for row in rows if not row.is_finished and run_id in (None, row.id)]

    def _unfinished(
        self,
        version: GraderVersion,
        model: ModelLike | None,
        respond: Respond | None,
        run_id: str | None,
    ) -> tuple[DryRunRow, DryRunConfig]:
        rows = self._cut_off(run_id)
        if not rows:
            raise InvalidArgument("There is no dry run to resume.", hint="Start a new one.")
        run = rows[-1]
        config = _dry_run(run).config
        now = self.run_inputs(version)
        if (run.inputs.data, run.inputs.topics, run.inputs.grader) != (
            now.data,
            now.topics,
            now.grader,
        ):
            raise InvalidArgument(
                f"The records, topics or grader changed since dry run {run.id} was cut off.",
                hint="Start a new one.",
            )
        if config.asked:
            named = self.named_connection(config.model if model is None else model)
            if named.model != config.asked or respond is not None:
                raise InvalidArgument(
                    f"{config.asked} answered in dry run {run.id}.",
                    hint=f"Resume it with that model: {named.name} asks {named.model}.",
                )
        elif model is not None or (config.answers == "model") != (respond is not None):
            raise InvalidArgument(
                f"Dry run {run.id} grades {config.answers} answers.",
                hint="Resume it with the same respond=... as it was begun with.",
            )
        return run, config

    def _grade(
        self,
        run: DryRunRow,
        compiled: CompiledGrader,
        answers: Sequence[Answer],
        done: Sequence[GradedAnswer],
        respond: Respond | None,
        concurrency: int | None,
        tell: Progress,
        cancelled: Callable[[], bool],
    ) -> list[GradedAnswer]:
        places = {(one.record_id, one.repeat): place for place, one in enumerate(answers)}

        def keep(batch: Sequence[GradedAnswer]) -> None:
            rows = (
                (places[one.record_id, one.repeat], msgspec.json.encode(one).decode())
                for one in batch
            )
            dry_runs.keep(self._store, run.id, rows)

        def progress(ready: int, total: int) -> None:
            tell(0.95 * ready / total, f"Graded {ready:,} of {total:,} answers")

        return grade_answers(
            compiled,
            answers,
            respond=respond,
            concurrency=concurrency,
            done=done,
            keep=keep,
            progress=progress,
            cancelled=cancelled,
        )

    def _finish(
        self,
        run: DryRunRow,
        report: DryRunReport,
        graded: Sequence[GradedAnswer],
        pace: float | None,
    ) -> None:
        rewards: defaultdict[str, list[float]] = defaultdict(list)
        for one in graded:
            if one.reward is not None:
                rewards[one.record_id].append(one.reward)
        dry_runs.finish(
            self._store,
            self.id,
            run,
            msgspec.json.encode(report).decode(),
            {key: fmean(values) for key, values in rewards.items()},
            {
                "verdict": report.verdict,
                "mean": report.mean and report.mean.estimate,
                "seconds_per_answer": pace,
            },
        )


def _pace(graded: int, took_s: float) -> float | None:
    return took_s / graded if graded else None


def _dry_run(row: DryRunRow) -> DryRun:
    return DryRun(
        id=row.id,
        config=msgspec.convert(row.config, DryRunConfig),
        inputs=row.inputs,
        report=None if row.report is None else msgspec.json.decode(row.report, type=DryRunReport),
        started_at=row.started_at,
        finished_at=row.finished_at,
    )


def _decoded(texts: Iterable[str]) -> Iterator[GradedAnswer]:
    return (msgspec.json.decode(text, type=GradedAnswer) for text in texts)
