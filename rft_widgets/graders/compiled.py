"""Compile a grader once, then grade any number of samples with it."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from types import TracebackType
from typing import Any, Self, TypeAlias

import msgspec
from msgspec import structs

from rft_widgets.errors import GraderInvalid
from rft_widgets.graders.checking import check_grader
from rft_widgets.graders.label_model import compile_label_model
from rft_widgets.graders.multi import compile_multi
from rft_widgets.graders.outcome import Grade, Outcome, failed
from rft_widgets.graders.sample import Sample
from rft_widgets.graders.sandbox.host import Sandbox
from rft_widgets.graders.score_model import compile_score_model
from rft_widgets.graders.script import ScriptGrader
from rft_widgets.graders.string_check import compile_string_check
from rft_widgets.graders.templates import RenderFault
from rft_widgets.graders.text_similarity import compile_text_similarity
from rft_widgets.model.call_settings import CALLS
from rft_widgets.model.grader import (
    JUDGE,
    Grader,
    GradingMetadata,
    GradingResult,
    JudgeDefaults,
    LabelModel,
    Multi,
    PythonGrader,
    ScoreModel,
    SingleGrader,
    StringCheck,
    TextSimilarity,
    grader_from_json,
    grader_type,
)
from rft_widgets.model.llm import Embed, ModelCall

JUDGE_CONCURRENCY = 8
SCRIPT_BATCH = 16

Pairs: TypeAlias = Iterable[tuple[Sample, Mapping[str, Any]]]
GradeElsewhere: TypeAlias = Callable[["CompiledGrader", Pairs], Iterator[GradingResult]]
"""Grades samples in their order as `CompiledGrader.grade_here` does, on other machines."""


class CompiledGrader:
    """A grader that is ready to grade; made by `compile_grader`.

    Close it (or use it in ``with``) to end the workers of its scripts.
    """

    def __init__(
        self,
        grader: Grader,
        grade: Grade,
        close: Callable[[bool], None],
        *,
        workers: int,
        concurrency: int,
        elsewhere: GradeElsewhere | None = None,
    ) -> None:
        self.grader = grader
        self._elsewhere = elsewhere
        self._workers = workers
        self._concurrency = concurrency
        self._grade = grade
        self._close = close
        self._type = grader_type(grader)
        self._name = grader.name or self._type
        parts = parts_of(grader)
        self._asks_model = asks_models(grader)
        self._runs_code = any(isinstance(part, PythonGrader) for part in parts)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close(is_whole=kind is None)

    def close(self, *, is_whole: bool = True) -> None:
        """End the workers, and the sandbox if it was made for this grader.

        ``is_whole`` says whether the work came to its end.
        """
        self._close(is_whole)

    def grade(self, sample: Sample, item: Mapping[str, Any]) -> GradingResult:
        """Grade one sample.

        Whatever goes wrong with this sample is a failed result, never an exception.

        Raises
        ------
        SandboxUnavailable
            If the system stops confining grader code.
        BudgetReached, ModelRefused, TooManyFailures, RunInterrupted
            If a judge may not be asked any more: none of these is a fault of the sample.
        """
        start = time.perf_counter()
        try:
            outcome = self._grade(sample, item)
        except RenderFault as fault:
            outcome = failed(str(fault), fault.errors)
        return self._result(outcome, time.perf_counter() - start)

    def grade_many(
        self,
        pairs: Pairs,
        *,
        concurrency: int | None = None,
    ) -> Iterator[GradingResult]:
        """Grade samples, giving results in their order as they come.

        Parameters
        ----------
        pairs
            Samples with their items; read a little ahead, never as a whole.
        concurrency
            How many at a time. Unless given: as many as the connection takes where a model is
            asked, the sandbox's workers for scripts, else one after the other.

        Raises
        ------
        RftError
            As `grade` does, in the place of the sample, after the results of those before it.
        """
        if self._elsewhere is not None and self._runs_code and not self._asks_model:
            return self._elsewhere(self, pairs)
        return self.grade_here(pairs, concurrency)

    def grade_here(self, pairs: Pairs, concurrency: int | None = None) -> Iterator[GradingResult]:
        """Grade samples as `grade_many` does, on this machine whatever there is beside it."""
        if concurrency is None:
            script = self._workers if self._runs_code else 1
            concurrency = self._concurrency if self._asks_model else script
        if concurrency <= 1:
            for sample, item in pairs:
                yield self.grade(sample, item)
            return
        size = 1 if self._asks_model else SCRIPT_BATCH
        ahead = CALLS.read_ahead if self._asks_model else 2
        pool = ThreadPoolExecutor(concurrency, thread_name_prefix="rft-grader")
        waiting: deque[Future[list[GradingResult]]] = deque()
        source = iter(pairs)
        is_patient = True
        try:
            while True:
                while len(waiting) < ahead * concurrency and (batch := list(islice(source, size))):
                    waiting.append(pool.submit(self._grade_batch, batch))
                if not waiting:
                    return
                yield from waiting.popleft().result()
        except KeyboardInterrupt:
            is_patient = False  # closing the grader ends what is under way
            raise
        finally:
            pool.shutdown(wait=is_patient, cancel_futures=True)

    def _grade_batch(self, batch: list[tuple[Sample, Mapping[str, Any]]]) -> list[GradingResult]:
        return [self.grade(sample, item) for sample, item in batch]

    def _result(self, outcome: Outcome, seconds: float) -> GradingResult:
        reward = outcome.reward
        metadata = GradingMetadata(
            name=self._name,
            type=self._type,
            execution_time=seconds,
            scores=outcome.sub_rewards or {self._name: reward},
            token_usage=sum(outcome.tokens.values()) if outcome.tokens else None,
            sampled_model_name=outcome.model,
            errors=outcome.errors,
            out_of_range=reward is not None and not 0.0 <= reward <= 1.0,
            isolation=outcome.isolation,
        )
        return GradingResult(
            reward=reward,
            metadata=metadata,
            sub_rewards=outcome.sub_rewards,
            model_grader_token_usage_per_model=outcome.tokens,
            reasoning=outcome.reasoning,
            error=outcome.error,
        )


def compile_grader(
    grader: Grader | Mapping[str, Any],
    *,
    model_call: ModelCall | None = None,
    embed: Embed | None = None,
    sandbox: Sandbox | None = None,
    concurrency: int = JUDGE_CONCURRENCY,
    defaults: JudgeDefaults = JUDGE,
    on_close: Callable[[bool], None] | None = None,
    elsewhere: GradeElsewhere | None = None,
) -> CompiledGrader:
    """Make a grader ready to grade.

    Parameters
    ----------
    grader
        The grader, or its JSON value.
    model_call
        How to ask a model; needed by judges.
    embed
        How to embed texts; needed by ``cosine``.
    sandbox
        Where script graders run; stays open. Unless given, one is started when it is needed, and
        ends with the compiled grader.
    concurrency
        How many answers are judged at a time where a model is asked.
    defaults
        How judges are asked where their graders do not say.
    on_close
        Called when the compiled grader is closed, with whether its work came to its end.
    elsewhere
        Grades many samples at once where scripts run and no model is asked.

    Raises
    ------
    GraderInvalid
        If the grader, or what it needs, is not right.
    SandboxUnavailable
        If it is a script and this system cannot confine it.
    """
    if isinstance(grader, Mapping):
        grader = grader_from_json(grader)
    check_grader(grader)
    scripts: list[ScriptGrader] = []
    home = Sandbox() if sandbox is None else sandbox

    def close(is_whole: bool) -> None:
        for script in scripts:
            script.close()
        if sandbox is None:
            home.close()
        if on_close is not None:
            on_close(is_whole)

    def single(part: SingleGrader, where: str) -> Grade:
        if isinstance(part, StringCheck):
            return compile_string_check(part, where)
        if isinstance(part, TextSimilarity):
            return compile_text_similarity(part, where, embed)
        if isinstance(part, PythonGrader):
            scripts.append(ScriptGrader(part, home, where))
            return scripts[-1]
        if model_call is None:
            raise GraderInvalid(
                f"it asks the model {part.model!r}, and no model connection is configured",
                where=where.rstrip("."),
                hint="Pass model_call=...",
            )
        if isinstance(part, ScoreModel):
            return compile_score_model(part, model_call, where, defaults)
        return compile_label_model(part, model_call, where, defaults)

    try:
        if isinstance(grader, Multi):
            turns = _turns(grader)
            parts = {
                name: _in_turn(_shielded(single(part, f"graders.{name}.")), *turns[name])
                for name, part in grader.graders.items()
            }
            grade = compile_multi(grader, parts)
        else:
            grade = single(grader, "")
        return CompiledGrader(
            grader,
            grade,
            close,
            workers=home.limits.workers,
            concurrency=concurrency,
            elsewhere=elsewhere,
        )
    except BaseException:
        close(is_whole=False)
        raise


def parts_of(grader: Grader) -> tuple[SingleGrader, ...]:
    """The graders of a combination, or the one grader."""
    return tuple(grader.graders.values()) if isinstance(grader, Multi) else (grader,)


def asks_model(part: SingleGrader) -> bool:
    """Whether a grader asks a model, a judge or one that embeds."""
    embeds = isinstance(part, TextSimilarity) and part.evaluation_metric == "cosine"
    return embeds or isinstance(part, (ScoreModel, LabelModel))


def asks_models(grader: Grader | None) -> bool:
    """Whether a grader or a part of it asks a model, so that each grading has a price."""
    return grader is not None and any(map(asks_model, parts_of(grader)))


def _turns(grader: Multi) -> dict[str, tuple[int, int]]:
    """Of each part: how many of its like come before it, and how many there are.

    A panel asks the same judge several times: each of them is a request of its own.
    """
    like = {
        name: msgspec.json.encode(structs.replace(part, name=""))
        for name, part in grader.graders.items()
    }
    every = list(like.values())
    return {
        name: (every[:place].count(one), every.count(one))
        for place, (name, one) in enumerate(like.items())
    }


def _in_turn(grade: Grade, turn: int, turns: int) -> Grade:
    if turns == 1:
        return grade
    return lambda sample, item: grade(
        structs.replace(sample, grading=sample.grading * turns + turn), item
    )


def _shielded(grade: Grade) -> Grade:
    """A part of a combination: a template that cannot be filled fails this part only."""

    def shielded(sample: Sample, item: Mapping[str, Any]) -> Outcome:
        try:
            return grade(sample, item)
        except RenderFault as fault:
            return failed(str(fault), fault.errors)

    return shielded
