"""What there is to know of dry runs beside the reports: what one would take, and what is in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec
from msgspec import Struct

from rft_widgets.dataset.asking import ModelLike
from rft_widgets.dataset.dry_runs import HasDryRuns
from rft_widgets.model.dry_run import (
    CutOffRun,
    DryRun,
    DryRunConfig,
    DryRunEstimate,
    ScoreBin,
    ScoresSoFar,
)
from rft_widgets.model.dry_run_settings import DRY_RUN, ROLLOUT
from rft_widgets.model.estimate import WorkEstimate
from rft_widgets.model.record import RecordFilter
from rft_widgets.pipeline import read_facts
from rft_widgets.statistics import BIN_EDGES, bins_of
from rft_widgets.steps.dry_run import PromptSample, probe_gradings
from rft_widgets.steps.grade import judges_of
from rft_widgets.store import activity, dry_runs, history

_STEP = 5
_DIGITS = range(2, 9)
"""Of the bound below a bin's edge: scores nearer to the edge than 1e-9 lie on it."""


class ReadsDryRuns(HasDryRuns):
    """Dry runs to come, under way, cut off and finished."""

    def plan_dry_run(
        self,
        n: int = DRY_RUN.prompts,
        k: int = DRY_RUN.responses,
        *,
        seed: int = 0,
        probes: bool = True,
        model: ModelLike | None = None,
        temperature: float | None = None,
        max_tokens: int | None = None,
    ) -> DryRunEstimate:
        """Count what `dry_run` with these options would grade, and foretell what it takes.

        Nothing is asked and nothing graded.

        Raises
        ------
        InvalidArgument
            There is no grader, or ``n`` or ``k`` is below 1.
        """
        version = self._version(None)
        config = self._config(n, k, seed, model, temperature, max_tokens, probes=probes)
        sample = self._sample(config)
        grader, named = self._chosen(version)
        judges = len(judges_of(grader))
        fresh = k if model is not None else None
        answers = sum(fresh or len(prompt.record_ids) for prompt in sample.prompts)
        extra = probe_gradings(len(sample.prompts)) if probes else 0
        rollouts = judging = None
        if model is not None or named:
            step = max(1, len(sample.prompts) // ROLLOUT.looked_at)
            some = self._answers(sample.prompts[::step], config)
            written = 0
            if model is not None:
                work = self._rollout_work(some, answers, config)
                rollouts = self._estimate(model, "rollout", work)
                written = work.completion_tokens // max(1, work.calls)
            judging = self._grading_estimate(grader, named, some, answers + extra, written)
        asked = [one for one in (rollouts, judging) if one is not None]
        return DryRunEstimate(
            available=sample.available,
            several=sample.several,
            prompts=len(sample.prompts),
            answers=answers,
            excluded=sample.excluded,
            probe_gradings=extra,
            judge_calls=judges * (answers + extra) if judging is None else judging.calls,
            seconds=self._seconds(version.hash, answers + extra, asked),
            cost_micro_usd=_cost(asked, is_known=bool(named) or not judges),
            notes=_notes(sample, config),
            not_ready="The grader asks a model, and no connection to one is configured."
            if judges and not named
            else None,
            rollouts=rollouts,
            judging=judging,
        )

    def dry_run_scores_so_far(self, before: ScoresSoFar | None = None) -> ScoresSoFar | None:
        """Read the scores of the newest dry run while it is not finished, else ``None``.

        Parameters
        ----------
        before
            What this gave the last time: only what came since is read.
        """
        with self._store.read() as connection:
            row = dry_runs.newest(connection, self.id)
        if row is None or row.is_finished:
            return None
        if before is None or before.run != row.id:
            before = ScoresSoFar(
                run=row.id,
                started_at=row.started_at,
                scored=0,
                failed=0,
                mean=None,
                histogram=(0,) * (len(BIN_EDGES) - 1),
                last=-1,
            )
        return _added(before, dry_runs.kept(self._store, row.id, after=before.last))

    def dry_run_bins(self, run: DryRun | str) -> tuple[ScoreBin, ...]:
        """The histogram of a dry run, with the records behind each bin."""
        key = run if isinstance(run, str) else run.id
        with self._store.read() as connection:
            dry_runs.read(connection, self.id, key)
        rewards = _rewards(dry_runs.kept(self._store, key).values())
        places = bins_of(rewards).tolist() if rewards else []
        return tuple(
            _bin(
                key,
                place,
                [reward for reward, at in zip(rewards, places, strict=True) if at == place],
            )
            for place in range(len(BIN_EDGES) - 1)
        )

    def dry_run_changes(self, run: DryRun | str) -> tuple[str, ...]:
        """What is different from what a dry run worked from, in words; empty when nothing is."""
        key = run if isinstance(run, str) else run.id
        with self._store.read() as connection:
            inputs = dry_runs.read(connection, self.id, key).inputs
        return read_facts(self._store, self.id, self.stats).changes(inputs)

    @property
    def cut_off_dry_run(self) -> CutOffRun | None:
        """The newest dry run, if it was stopped or killed; ``dry_run(resume=True)`` goes on."""
        runs = self.dry_runs
        if not runs or runs[-1].report is not None:
            return None
        run = runs[-1]
        with self._store.read() as connection:
            if _STEP in activity.read(connection, self.id):
                return None
        obstacle = " ".join(self.dry_run_changes(run)) or None
        if run.config.answers == "model" and not run.config.asked:
            obstacle = (
                "A function answered in it: resume it with dry_run(resume=True, respond=...)."
            )
        return CutOffRun(
            id=run.id,
            config=run.config,
            started_at=run.started_at,
            graded=dry_runs.count_kept(self._store, run.id),
            obstacle=obstacle,
        )

    def _seconds(self, grader: str, gradings: int, asked: Sequence[WorkEstimate]) -> float | None:
        """How long it takes: by the models that are asked, else by the pace of the grader."""
        if asked:
            minutes = [one.minutes for one in asked if one.minutes is not None]
            # Answers are graded as they come: the slower of both counts.
            return 60 * max(minutes) if len(minutes) == len(asked) else None
        pace = self._pace_of(grader)
        return None if pace is None else pace * gradings

    def _pace_of(self, grader: str) -> float | None:
        """Seconds an answer took in the last dry run of a grader, with recorded answers."""
        with self._store.read() as connection:
            events = history.read_log(connection, self.id, "dry_run")
        for event in reversed(events):
            run = msgspec.convert(event.details, _RunEvent)
            pace = run.outcome.seconds_per_answer
            if (run.inputs.grader, run.answers) == (grader, "recorded") and pace is not None:
                return pace
        return None


class _Inputs(Struct):
    grader: str


class _Outcome(Struct):
    seconds_per_answer: float | None = None


class _RunEvent(Struct):
    inputs: _Inputs
    answers: str
    outcome: _Outcome


class _Score(Struct):
    reward: float | None = None


def _added(before: ScoresSoFar, kept: Mapping[int, str]) -> ScoresSoFar:
    scores = _rewards(kept.values())
    histogram = list(before.histogram)
    for place in bins_of(scores) if scores else ():
        histogram[place] += 1
    scored = before.scored + len(scores)
    total = (before.mean or 0.0) * before.scored + sum(scores)
    return msgspec.structs.replace(
        before,
        scored=scored,
        failed=before.failed + len(kept) - len(scores),
        mean=total / scored if scored else None,
        histogram=tuple(histogram),
        last=max(kept, default=before.last),
    )


def _cost(asked: Sequence[WorkEstimate], *, is_known: bool) -> int | None:
    costs = [one.cost_micro_usd for one in asked if one.cost_micro_usd is not None]
    return sum(costs) if is_known and len(costs) == len(asked) else None


def _notes(sample: PromptSample, config: DryRunConfig) -> tuple[str, ...]:
    n, k, found = config.n, config.k, []
    if config.answers == "model":
        if sample.available < n:
            found.append(f"There are only {sample.available:,} different prompts.")
        if k > 1 and config.temperature == 0:
            found.append("At temperature 0 the answers to a prompt are alike: they teach nothing.")
        return tuple(found)
    if sample.available < n:
        found.append(f"Only {sample.available:,} prompts have a recorded answer.")
    if k > 1 and not sample.several:
        found.append("No prompt has a second recorded answer: one answer each is graded.")
    elif k > 1 and (fewer := sum(len(one.record_ids) < k for one in sample.prompts)):
        prompts = len(sample.prompts)
        found.append(f"{fewer:,} of {prompts:,} prompts have fewer than {k} recorded answers.")
    return tuple(found)


def _rewards(answers: Iterable[str]) -> list[float]:
    decoded = (msgspec.json.decode(text, type=_Score).reward for text in answers)
    return [reward for reward in decoded if reward is not None]


def _bin(run: str, place: int, scores: Sequence[float]) -> ScoreBin:
    low, high = BIN_EDGES[place : place + 2]
    # What lies outside of 0..1 counts in the outer bins. A filter includes its bounds, a bin does
    # not hold its upper edge: the bound is a short number between the highest score and the edge.
    first, last = place == 0, place == len(BIN_EDGES) - 2
    most = max(scores, default=low)
    below = (round(high - 10.0**-digits, digits) for digits in _DIGITS)
    where = RecordFilter(
        dry_run=run,
        min_score=None if first else min([low, *scores]),
        max_score=None if last else next((bound for bound in below if bound >= most), most),
    )
    words = f"Score {low:g} to {high:g}"
    return ScoreBin(low=low, high=high, count=len(scores), where=where, words=words)
