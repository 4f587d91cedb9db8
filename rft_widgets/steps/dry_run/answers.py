"""Answers to the sampled prompts, recorded or made by a model, and their grades."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any, TypeAlias

import msgspec
from msgspec import Struct

from rft_widgets.errors import InvalidArgument, NotFound, RftError, RunInterrupted
from rft_widgets.graders.compiled import CompiledGrader
from rft_widgets.graders.outcome import one_line
from rft_widgets.graders.rewards import normalized_reward, out_of_range
from rft_widgets.graders.sample import Sample, item_of, sample_of
from rft_widgets.llm.concurrent import in_order
from rft_widgets.model.dry_run_settings import DRY_RUN, DryRunSettings
from rft_widgets.model.grader import GradingResult
from rft_widgets.model.message import Message
from rft_widgets.model.record import TAGS, Record, RecordInput
from rft_widgets.model.report import GradedAnswer
from rft_widgets.steps.dry_run.rollouts import Rollout
from rft_widgets.steps.dry_run.sample import SampledPrompt

Respond: TypeAlias = Callable[[RecordInput, int], Sequence[Message] | Rollout]
"""Answers a prompt; the number counts the answers to it from 0.

Called from several threads at once. `ModelCallFailed`, and any other exception but an `RftError`,
means that there is no answer.
"""


class Answer(Struct, frozen=True, kw_only=True):
    """An answer to grade.

    ``output`` is ``None`` where a model has yet to give it; ``recorded`` is what was recorded
    there. ``grading`` counts, from 0, how often
    the same answer is graded on purpose: a judge is asked anew each time.
    """

    record_id: str
    prompt_key: str
    repeat: int
    input: RecordInput
    output: tuple[Message, ...] | None
    item: dict[str, Any]
    cluster: str | None = None
    topic: str | None = None
    grading: int = 0
    recorded: tuple[Message, ...] = ()


def make_answers(
    prompts: Iterable[SampledPrompt], records: Mapping[str, Record], *, rollouts: int | None = None
) -> list[Answer]:
    """Answers to the prompts that were chosen.

    Parameters
    ----------
    prompts
        The prompts of a `PromptSample`.
    records
        Every record that they name, by id.
    rollouts
        Answers to each prompt that a model has to give; ``None`` takes the recorded ones.

    Raises
    ------
    NotFound
        A record is missing.
    InvalidArgument
        ``rollouts`` is below 1.
    """
    if rollouts is not None and rollouts < 1:
        raise InvalidArgument(f"rollouts is {rollouts}; it must be at least 1.")
    answers = []
    for prompt in prompts:
        ids = prompt.record_ids if rollouts is None else prompt.record_ids[:1] * rollouts
        for repeat, record_id in enumerate(ids):
            record = records.get(record_id)
            if record is None:
                raise NotFound(
                    f"Record {record_id!r} was chosen, but is not in the dataset any more.",
                    hint="Start the run again.",
                )
            answer = Answer(
                record_id=record_id,
                prompt_key=prompt.prompt_key,
                repeat=repeat,
                input=record.input,
                output=record.output.messages if rollouts is None else None,
                item=item_of(record),
                cluster=record.thread_id,
                topic=prompt.topic,
                recorded=record.output.messages,
            )
            answers.append(answer)
    return answers


def grade_answers(
    compiled: CompiledGrader,
    answers: Sequence[Answer],
    *,
    respond: Respond | None = None,
    concurrency: int | None = None,
    done: Iterable[GradedAnswer] = (),
    keep: Callable[[Sequence[GradedAnswer]], None] | None = None,
    progress: Callable[[int, int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
    settings: DryRunSettings = DRY_RUN,
) -> list[GradedAnswer]:
    """Grade answers, so that nothing that was graded is ever graded again.

    Parameters
    ----------
    compiled
        The grader.
    answers
        What to grade; each has its own record id and number.
    respond
        Gives the answers that are not recorded.
    concurrency
        How many of these are waited for at a time; by default that of the settings.
    done
        Grades from an interrupted run; taken as they are.
    keep
        Gets every small batch as soon as it is graded, to store it; also what was graded before
        an interruption.
    progress
        Gets the number of answers that are done, and of all, after every batch.
    cancelled
        Asked after every answer, and often while answers are waited for.

    Returns
    -------
    All grades in the order of ``answers``, failed ones among them: the same whether the run was
    interrupted or not.

    Raises
    ------
    RunInterrupted
        It was cancelled.
    InvalidArgument
        An answer stands there twice, or has no output and there is no ``respond``.
    SandboxUnavailable
        If the system stops confining grader code.
    """
    keys = [(answer.record_id, answer.repeat) for answer in answers]
    if len(set(keys)) < len(keys):
        raise InvalidArgument("Two answers have the same record id and number.")
    if respond is None and any(answer.output is None for answer in answers):
        raise InvalidArgument("An answer has no output.", hint="Pass respond=... to have it given.")
    wanted = set(keys)
    found = {key: one for one in done if (key := (one.record_id, one.repeat)) in wanted}
    batch: list[GradedAnswer] = []
    handed_over = time.monotonic()

    def hand_over() -> None:
        nonlocal handed_over
        handed_over = time.monotonic()
        ready = tuple(batch)
        batch.clear()  # first, so that a batch that cannot be stored is not handed over twice
        if ready and keep is not None:
            keep(ready)
        if ready and progress is not None:
            progress(len(found), len(answers))

    def stop_if_cancelled() -> None:
        if cancelled is not None and cancelled():
            raise RunInterrupted(
                f"Grading stopped after {len(found):,} of {len(answers):,} answers; "
                "what was graded is kept.",
                hint="Resume the run to grade the rest.",
            )

    missing = [answer for answer, key in zip(answers, keys, strict=True) if key not in found]
    at_a_time = concurrency or settings.concurrent_responses
    wish = cancelled or bool
    with closing(_graded(compiled, missing, respond, at_a_time, wish, settings)) as source:
        try:
            if missing:
                stop_if_cancelled()
            for one in source:
                found[one.record_id, one.repeat] = one
                batch.append(one)
                waited = time.monotonic() - handed_over
                if len(batch) >= settings.keep_answers or waited >= settings.keep_s:
                    hand_over()
                if len(found) < len(answers):
                    stop_if_cancelled()
        except RunInterrupted:
            stop_if_cancelled()  # says how far it came
            raise
        finally:
            hand_over()
    return [found[key] for key in keys]


def output_text(messages: Iterable[Message]) -> str:
    """Write an answer as text, its tool calls and their results included."""
    lines = []
    for message in messages:
        if message.text:
            lines.append(message.text)
        lines += [
            f"{call.function.name}({call.function.arguments})"
            for call in message.tool_calls
            if call.function is not None
        ]
    return "\n".join(lines)


def _graded(
    compiled: CompiledGrader,
    answers: Iterable[Answer],
    respond: Respond | None,
    concurrency: int,
    cancelled: Callable[[], bool],
    settings: DryRunSettings,
) -> Generator[GradedAnswer, None, None]:
    waiting: deque[tuple[Answer, Rollout]] = deque()
    unanswered: deque[GradedAnswer] = deque()
    stopped: list[RftError] = []

    def pairs() -> Iterator[tuple[Sample, Mapping[str, Any]]]:
        try:
            for answer, given in source:
                if isinstance(given, str):
                    unanswered.append(_without_answer(answer, given, settings))
                else:
                    waiting.append((answer, given))
                    sample = sample_of(answer.input, given.messages, grading=answer.grading)
                    yield sample, answer.item
        except RunInterrupted:
            raise
        except RftError as error:
            stopped.append(error)  # what was answered, and paid for, is graded first

    with closing(_given(answers, respond, concurrency, cancelled)) as source:
        for result in compiled.grade_many(pairs()):
            while unanswered:
                yield unanswered.popleft()
            answer, given = waiting.popleft()
            yield _with_grade(compiled, answer, given, result, settings)
        yield from unanswered
    if stopped:
        raise stopped[0]


def _given(
    answers: Iterable[Answer],
    respond: Respond | None,
    concurrency: int,
    cancelled: Callable[[], bool],
) -> Generator[tuple[Answer, Rollout | str], None, None]:
    """Each answer with its output, in order; with a text that says why there is none."""
    if respond is None:
        for answer in answers:
            yield answer, Rollout(messages=answer.output or (), ending="whole")
        return

    def ask(answer: Answer) -> tuple[Answer, Rollout | str]:
        if answer.output is not None:
            return answer, Rollout(messages=answer.output, ending="whole")
        try:
            given = respond(answer.input, answer.repeat)
        except RftError:
            raise  # what is set up wrong is wrong for every prompt
        except Exception as error:  # noqa: BLE001 - whatever a model's client raises is no answer
            why = one_line(f"the model gave no answer: {str(error) or type(error).__name__}")
            return answer, why
        if isinstance(given, Rollout):
            return answer, given
        return answer, Rollout(messages=tuple(given), ending="whole")

    with closing(in_order(ask, answers, concurrency=concurrency, cancelled=cancelled)) as found:
        yield from found


def _with_grade(
    compiled: CompiledGrader,
    answer: Answer,
    given: Rollout,
    result: GradingResult,
    settings: DryRunSettings,
) -> GradedAnswer:
    return msgspec.structs.replace(
        _without_answer(answer, result.error, settings),
        response=_cut(output_text(given.messages), settings.shown_chars),
        status="failed_grading" if result.failed else "graded",
        reward=normalized_reward(compiled.grader, result),
        raw_reward=result.reward,
        sub_rewards=result.sub_rewards,
        reasoning=result.reasoning,
        out_of_range=out_of_range(compiled.grader, result),
        errors=result.metadata.errors,
        isolation=result.metadata.isolation,
        tokens=result.metadata.token_usage,
        output=given.messages if answer.output is None else (),
        ending=given.ending if answer.output is None else None,
        model=given.model,
    )


def _without_answer(answer: Answer, fault: str | None, settings: DryRunSettings) -> GradedAnswer:
    return GradedAnswer(
        record_id=answer.record_id,
        prompt_key=answer.prompt_key,
        repeat=answer.repeat,
        cluster=answer.cluster,
        topic=answer.topic,
        prompt=_prompt_text(answer.input, settings),
        response="",
        status="failed_answer",
        error=fault,
    )


def _prompt_text(prompt: RecordInput, settings: DryRunSettings) -> str:
    lines = [
        f"[{TAGS.get(message.role, message.role.upper())}] {output_text((message,))}"
        for message in prompt.messages
    ]
    return _cut("\n".join(lines), settings.shown_chars)


def _cut(text: str, limit: int) -> str:
    """``text`` without its middle where it is too long: what matters is at its ends."""
    if len(text) <= limit:
        return text
    tail = (limit - 1) // 2
    return f"{text[: limit - 1 - tail]}…{text[len(text) - tail :]}"
