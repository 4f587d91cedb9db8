"""What grading will ask of models, before anything is spent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import structs

from rft_widgets.graders.judge import JudgePrompt
from rft_widgets.graders.label_model import check_label_model
from rft_widgets.graders.pairwise import OTHER
from rft_widgets.graders.sample import Sample, sample_of
from rft_widgets.graders.score_model import check_score_model
from rft_widgets.graders.templates import RenderFault
from rft_widgets.model.estimate import WorkEstimate, Workload, tokens_in, tokens_of_messages
from rft_widgets.model.grader import (
    JUDGE,
    Grader,
    JudgeDefaults,
    LabelModel,
    SamplingParams,
    ScoreModel,
)
from rft_widgets.steps.dry_run.answers import Answer, output_text
from rft_widgets.steps.grade import embeds, judges_of
from rft_widgets.steps.pairwise import Pair

_LOOKED_AT = 100
"""Answers whose requests are made to see how long they are; the others count as their mean."""


def judge_workload(
    grader: Grader,
    answers: Sequence[Answer],
    *,
    total: int | None = None,
    answer_tokens: int = 0,
    defaults: JudgeDefaults = JUDGE,
) -> Workload:
    """What a grader will ask of models to grade answers.

    It is of requests that were never made: what the ledger has is not asked again, and costs
    nothing.

    Parameters
    ----------
    grader
        The grader; it may ask no model.
    answers
        What is graded, or the first of it.
    total
        How many are graded, where ``answers`` are the first of them.
    answer_tokens
        About how long the answers are that a model has yet to give.
    defaults
        How judges are asked where their graders do not say.
    """
    return sum(workloads(grader, answers, total, answer_tokens, defaults).values(), Workload())


def workloads(
    grader: Grader,
    answers: Sequence[Answer],
    total: int | None = None,
    answer_tokens: int = 0,
    defaults: JudgeDefaults = JUDGE,
) -> dict[str, Workload]:
    """The same by model; under an empty name what embeddings take."""
    shown = [
        (sample_of(one.input, one.output or ()), one.item, one.output is None)
        for one in answers[:: max(1, len(answers) // _LOOKED_AT)]
    ]
    every = len(answers) if total is None else total
    found: dict[str, Workload] = {}
    for judge in judges_of(grader) if shown else ():
        calls, prompt = 0, 0
        made = _prompt(judge, defaults)
        for sample, item, is_unknown in shown:
            tokens = _tokens(made, sample, item)
            if tokens is not None:
                calls += 1
                prompt += tokens + (answer_tokens if is_unknown else 0)
        params = judge.sampling_params or SamplingParams()
        most = params.max_completions_tokens or defaults.max_tokens
        scale = every / len(shown)
        found[judge.model] = found.get(judge.model, Workload()) + Workload(
            calls=round(calls * scale),
            prompt_tokens=round(prompt * scale),
            completion_tokens=round(calls * scale * min(most, defaults.expected_tokens)),
        )
    if embeds(grader):
        texts = sum(tokens_in(sample.output_text) for sample, *_ in shown)
        found[""] = Workload(
            calls=every, prompt_tokens=round(2 * texts * every / max(1, len(shown)))
        )
    return found


def pairs_workload(
    judge: LabelModel, pairs: Sequence[Pair], defaults: JudgeDefaults = JUDGE
) -> Workload:
    """What comparing answers in pairs, each in both orders, will ask of a model."""
    if not pairs:
        return Workload()
    prompt = _prompt(judge, defaults)
    some = pairs[:: max(1, len(pairs) // _LOOKED_AT)]
    tokens = [
        _tokens(prompt, sample_of(one.input, one.first), {OTHER: output_text(one.second)}) or 0
        for one in some
    ]
    return Workload(
        calls=2 * len(pairs),
        prompt_tokens=round(2 * len(pairs) * sum(tokens) / len(some)),
        completion_tokens=2 * len(pairs) * min(defaults.max_tokens, defaults.expected_tokens),
    )


def combined(estimates: Sequence[WorkEstimate]) -> WorkEstimate:
    """What several connections take together, one after the other."""
    costs = [one.cost_micro_usd for one in estimates]
    minutes = [one.minutes for one in estimates]
    return WorkEstimate(
        calls=sum(one.calls for one in estimates),
        prompt_tokens=sum(one.prompt_tokens for one in estimates),
        completion_tokens=sum(one.completion_tokens for one in estimates),
        cost_micro_usd=None if None in costs else sum(one for one in costs if one is not None),
        minutes=None if None in minutes else sum(one for one in minutes if one is not None),
        past_error=estimates[0].past_error if len(estimates) == 1 else None,
    )


def _prompt(judge: ScoreModel | LabelModel, defaults: JudgeDefaults) -> JudgePrompt:
    named = judge if judge.model else structs.replace(judge, model="unknown")
    if isinstance(named, ScoreModel):
        return check_score_model(named, "", defaults)[0]
    return check_label_model(named, "", defaults)


def _tokens(prompt: JudgePrompt, sample: Sample, item: Mapping[str, Any]) -> int | None:
    """About how long a request is; ``None`` where it would never be made."""
    try:
        return tokens_of_messages(prompt.render(sample, item))
    except RenderFault:
        return None
