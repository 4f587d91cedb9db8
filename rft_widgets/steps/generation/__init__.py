"""Generating records with a language model: what to make, how to ask for it, what to keep."""

from __future__ import annotations

from rft_widgets.steps.generation.answers import schema_of, tokens_of
from rft_widgets.steps.generation.candidates import Judge, draft_of
from rft_widgets.steps.generation.diversity import diversity, diversity_by_topic
from rft_widgets.steps.generation.material import (
    Frame,
    Material,
    Request,
    Source,
    last_asked,
    opening_of,
)
from rft_widgets.steps.generation.plan import (
    choose_strategy,
    plan_generation,
    room_for,
    with_requests,
)
from rft_widgets.steps.generation.run import STRATEGIES, Run, request_tokens
from rft_widgets.steps.generation.tool_chain import chains_of

__all__ = [
    "STRATEGIES",
    "Frame",
    "Judge",
    "Material",
    "Request",
    "Run",
    "Source",
    "chains_of",
    "choose_strategy",
    "diversity",
    "diversity_by_topic",
    "draft_of",
    "last_asked",
    "opening_of",
    "plan_generation",
    "request_tokens",
    "room_for",
    "schema_of",
    "tokens_of",
    "with_requests",
]
