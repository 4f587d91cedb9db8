"""Graded answers for tests of what is made of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from builders import draft

from rft_widgets.graders import item_of
from rft_widgets.model.report import GradedAnswer
from rft_widgets.steps.dry_run import Answer


def graded(
    rewards: Iterable[float | None],
    *,
    answers_per_prompt: int = 1,
    topics: Sequence[str | None] = (None,),
    **more: Any,
) -> list[GradedAnswer]:
    """Answers with these rewards, in order; ``None`` is a failed grading."""
    made = []
    for place, reward in enumerate(rewards):
        prompt = place // answers_per_prompt
        fields: dict[str, Any] = {
            "record_id": f"r{place}",
            "prompt_key": f"p{prompt}",
            "repeat": place % answers_per_prompt,
            "topic": topics[prompt % len(topics)],
            "prompt": f"Question {prompt}",
            "response": f"Answer {place}",
            "status": "failed_grading" if reward is None else "graded",
            "reward": reward,
            "error": "it broke" if reward is None else None,
        }
        made.append(GradedAnswer(**fields | more))
    return made


def answer(name: str, prompt: str, text: str | None, *, repeat: int = 0, **fields: Any) -> Answer:
    """An answer to grade; without a text a model has to give it. More fields go to its item."""
    record = draft(prompt, text or "", item=fields.pop("item", {}))
    return Answer(
        record_id=name,
        prompt_key=fields.pop("prompt_key", prompt),
        repeat=repeat,
        input=record.input,
        output=None if text is None else record.output.messages,
        item=item_of(record),
        **fields,
    )
