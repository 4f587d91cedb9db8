"""Requests and answers in the providers' own shapes, as our messages, choices and tools.

All that a model reads or writes is kept: images and files become OpenAI parts, several results in
one turn several tool messages, reasoning goes to ``extra["reasoning_content"]`` (its signed blocks
to ``extra["thinking_blocks"]``), and a block that has no counterpart stays as it is: as a part of a
prompt, in ``extra["content_blocks"]`` of an answer. Only marks for caches are left out. An
image that is mentioned without its data becomes an image part with an empty address. A value of
the wrong shape raises `MessageShapeError`, which says where.
"""

from rft_widgets.traces.foreign.anthropic import (
    anthropic_answer,
    anthropic_messages,
    anthropic_tool_choice,
    anthropic_tools,
)
from rft_widgets.traces.foreign.converse import (
    converse_answer,
    converse_messages,
    converse_tool_choice,
    converse_tools,
)
from rft_widgets.traces.foreign.gemini import (
    gemini_answer,
    gemini_answers,
    gemini_messages,
    gemini_tool_choice,
    gemini_tools,
)
from rft_widgets.traces.foreign.responses import (
    responses_answer,
    responses_items,
    responses_messages,
    responses_tool_choice,
    responses_tools,
)
from rft_widgets.traces.foreign.turn import FINISH_REASONS, finish_reason, json_text

__all__ = [
    "FINISH_REASONS",
    "anthropic_answer",
    "anthropic_messages",
    "anthropic_tool_choice",
    "anthropic_tools",
    "converse_answer",
    "converse_messages",
    "converse_tool_choice",
    "converse_tools",
    "finish_reason",
    "gemini_answer",
    "gemini_answers",
    "gemini_messages",
    "gemini_tool_choice",
    "gemini_tools",
    "json_text",
    "responses_answer",
    "responses_items",
    "responses_messages",
    "responses_tool_choice",
    "responses_tools",
]
