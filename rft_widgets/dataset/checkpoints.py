"""Comparing the checkpoints of a training run, so that one of them can be chosen."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from typing import TYPE_CHECKING

import msgspec

from rft_widgets.dataset.deploying import HasDeployments
from rft_widgets.dataset.training_job import TrainingJob
from rft_widgets.errors import InvalidArgument, NotFound, RunInterrupted
from rft_widgets.llm.budget import one_budget
from rft_widgets.model.checkpoint_settings import CHECKPOINTS
from rft_widgets.model.checkpoints import REFERENCE, CheckpointComparison
from rft_widgets.model.deployed import Benchmark
from rft_widgets.model.estimate import micro_usd
from rft_widgets.model.record import Record
from rft_widgets.steps.checkpoints import (
    CheckpointAnswer,
    CheckpointAnswers,
    ComparedRun,
    compare,
    grade_checkpoints,
)
from rft_widgets.steps.dry_run.sample import seeded_rank
from rft_widgets.steps.progress import Progress
from rft_widgets.store import job_items, training
from rft_widgets.store.payload import input_hash
from rft_widgets.trainers import Policy, PolicyAnswer

if TYPE_CHECKING:
    from rft_widgets.store.connection import Store

COMPARISON = "comparison"
"""Name of the document with the newest comparison of a run."""

_ANSWERING = 0.8
"""Part of the work that is taken to be answering; the rest is grading."""


class ComparesCheckpoints(HasDeployments):
    """What the checkpoints of a run are worth beside each other."""

    def compare_checkpoints(
        self,
        job: TrainingJob | str | None = None,
        steps: Sequence[int] | None = None,
        *,
        n: int | None = None,
        seed: int = 0,
        max_cost_usd: float | None = None,
        progress: Progress | None = None,
        cancelled: Callable[[], bool] = bool,
    ) -> CheckpointComparison:
        """Let checkpoints answer the validation prompts, and grade them with the grader of now.

        Every checkpoint is compared, in pairs, with the model from before the training, with the
        best of them and with the last. All intervals hold together, so that the best may be picked
        by looking. It is kept, and stands on the run card; which checkpoint is served is for
        `TrainingJob.choose_checkpoint`.

        Parameters
        ----------
        job
            The training run; by default the newest one that completed.
        steps
            Steps of the checkpoints; by default all, or of very many some that are spread evenly,
            with the one that is served and the last.
        n
            Validation prompts at most; of more, a sample is drawn.
        seed
            Of that choice and of the intervals.
        max_cost_usd
            Most dollars that services and the grader's models may cost together.
        progress, cancelled
            Told and asked after every answer.

        Raises
        ------
        InvalidArgument
            There is no trained policy, no grader, none of the validation records is left, or too
            many steps are named.
        NotFound
            There is no checkpoint of such a step.
        RunInterrupted
            It was cancelled. As a job, it goes on with the answers that it has.

        Examples
        --------
        >>> found = ds.compare_checkpoints()  # doctest: +SKIP
        >>> found.sentence  # doctest: +SKIP
        """
        chosen = self._trained(job)
        version = self._version(None)
        records = _sampled(self._validation(chosen), n, seed)
        compared, left_out = _steps(chosen, steps)
        with one_budget(micro_usd(max_cost_usd)):
            answering = _Answering(self._store, chosen, records, max_cost_usd, progress, cancelled)
            answered = answering.ask(compared)
            with self.compiled_grader(
                version, max_cost_usd=max_cost_usd, cancelled=cancelled
            ) as compiled:
                rewards = grade_checkpoints(
                    records, answered, compiled, progress=_later(progress), cancelled=cancelled
                )
        found = compare(
            records,
            answered,
            rewards,
            ComparedRun(
                job_id=chosen.id,
                served_step=_served_step(chosen, compared),
                left_out=left_out,
                grader_version=version.version,
                grader_hash=version.hash,
            ),
            seed=seed,
        )
        text = msgspec.json.encode(found).decode()
        training.save_document(self._store, chosen.id, COMPARISON, text)
        return found


def kept_comparison(store: Store, job_id: str) -> CheckpointComparison | None:
    """The newest comparison of a run; ``None`` where there is none that this version can read."""
    found = training.read_document(store, job_id, COMPARISON)
    try:
        return None if found is None else msgspec.json.decode(found[1], type=CheckpointComparison)
    except msgspec.DecodeError:
        return None


def kept_benchmark(dataset: HasDeployments, job_id: str) -> Benchmark | None:
    """The newest benchmark of a run that a job made."""
    job = dataset.last_job("benchmark", subject=job_id)
    result = None if job is None else job.result
    return result if isinstance(result, Benchmark) else None


class _Answering:
    """Asks checkpoints one after the other; a job that goes on asks only for what it lacks."""

    def __init__(
        self,
        store: Store,
        job: TrainingJob,
        records: Sequence[Record],
        max_cost_usd: float | None,
        progress: Progress | None,
        cancelled: Callable[[], bool],
    ) -> None:
        self._store, self._job, self._records = store, job, records
        self._max_cost_usd, self._progress, self._cancelled = max_cost_usd, progress, cancelled
        self._kept = job_items.kept(store)
        prompts = "".join(f"{one.id}:{input_hash(one.input)}\n" for one in records)
        self._prompts = hashlib.sha256(prompts.encode()).hexdigest()[:16]
        self._done = self._total = 0

    def ask(self, steps: Sequence[int]) -> list[CheckpointAnswers]:
        """Answers of the model from before, then of each step.

        The first of the steps is opened for both.
        """
        self._total = len(self._records) * (1 + len(steps))
        found = []
        for at, step in enumerate(steps):
            wanted = (REFERENCE, step) if at == 0 else (step,)
            missing = [one for one in wanted if self._name(one) not in self._kept]
            if missing:
                with closing(self._open(step)) as policy:
                    for one in missing:
                        self._keep(self._asked(policy, one))
            found += [self._read(one) for one in wanted]
        return found

    def _open(self, step: int) -> Policy:
        has_checkpoints = any(one.step == step for one in self._job.checkpoints)
        return self._job.policy(
            step if has_checkpoints else None,
            max_cost_usd=self._max_cost_usd,
            cancelled=self._cancelled,
        )

    def _asked(self, policy: Policy, step: int) -> CheckpointAnswers:
        prompts = [record.input for record in self._records]
        answers: list[CheckpointAnswer | None] = []
        what = "the model from before" if step == REFERENCE else f"step {step}"
        began = time.perf_counter()
        for answer in policy.respond_many(prompts, reference=step == REFERENCE):
            took_s = time.perf_counter() - began
            answers.append(None if answer is None else _answer(answer, took_s))
            self._done += 1
            if self._cancelled():
                raise RunInterrupted("The comparison was stopped.", hint="Begin it again.")
            if self._progress is not None:
                words = f"{len(answers):,} of {len(prompts):,} answers of {what}"
                self._progress(_ANSWERING * self._done / self._total, words)
            began = time.perf_counter()
        return CheckpointAnswers(step, tuple(answers))

    def _name(self, step: int) -> str:
        return f"answers of {step} to {self._prompts}"

    def _keep(self, answers: CheckpointAnswers) -> None:
        item = {self._name(answers.step): msgspec.json.encode(answers).decode()}
        self._kept |= item
        with self._store.write() as connection:
            job_items.keep(connection, item)

    def _read(self, step: int) -> CheckpointAnswers:
        return msgspec.json.decode(self._kept[self._name(step)], type=CheckpointAnswers)


def _answer(answer: PolicyAnswer, took_s: float) -> CheckpointAnswer:
    seconds = took_s if answer.seconds is None else answer.seconds
    return CheckpointAnswer(
        message=answer.message,
        finish_reason=answer.finish_reason,
        tokens=None if answer.usage is None else answer.usage.completion_tokens,
        cost_micro_usd=answer.cost_micro_usd,
        # What was paid for before comes from the ledger at once.
        seconds=None if answer.is_repeated else seconds,
    )


def _sampled(records: list[Record], n: int | None, seed: int) -> list[Record]:
    if n is None or n >= len(records):
        return records
    if n < 1:
        raise InvalidArgument(f"n is {n}; it must be at least 1.")
    chosen = sorted(records, key=lambda one: seeded_rank(seed, one.id))[:n]
    return sorted(chosen, key=lambda one: one.id)


def _steps(job: TrainingJob, steps: Sequence[int] | None) -> tuple[list[int], tuple[int, ...]]:
    """Steps to compare, in order, and those that are left out."""
    there = sorted({one.step for one in job.checkpoints} - {REFERENCE})
    most = CHECKPOINTS.most
    if steps is not None:
        wanted = sorted(set(steps) - {REFERENCE})
        unknown = [step for step in wanted if step not in there]
        if unknown:
            raise NotFound(
                f"Training job {job.id} has no checkpoint of step {unknown[0]}.",
                hint=f"There are: {', '.join(map(str, there)) or 'none'}.",
            )
        if not 1 <= len(wanted) <= most:
            raise InvalidArgument(
                f"{len(wanted)} checkpoints are named.", hint=f"Name 1 to {most} of them."
            )
        return wanted, tuple(step for step in there if step not in wanted)
    if not there:
        report = job.report
        return [report.served_step if report is not None and report.served_step else 1], ()
    if len(there) <= most:
        return there, ()
    chosen = set(_spread(there, most - 1))
    served = job.served_step
    if served in there:
        chosen.add(served)
    return sorted(chosen), tuple(step for step in there if step not in chosen)


def _spread(steps: Sequence[int], count: int) -> Iterator[int]:
    """Some of many steps, the first and the last among them."""
    for place in range(count):
        yield steps[round(place * (len(steps) - 1) / (count - 1))]


def _served_step(job: TrainingJob, compared: Sequence[int]) -> int:
    """The step that is served; of a run without checkpoints, its result."""
    served = job.served_step
    if not job.checkpoints:
        return compared[-1]
    return REFERENCE if served is None else served


def _later(progress: Progress | None) -> Progress | None:
    if progress is None:
        return None
    return lambda share, doing: progress(_ANSWERING + (1 - _ANSWERING) * share, doing)
