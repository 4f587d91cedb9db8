"""An assistant that repeats what it was asked, and calls a tool that fits the words."""

from __future__ import annotations

import re
from typing import Any

from rft_widgets.testing.chat import Answer, ChatRequest, Said, ToolCall
from rft_widgets.testing.schema_values import filled

_OPENINGS = ("Thanks for writing to us.", "Happy to help.", "I see.", "Let me look at that.")
_CLOSINGS = (
    "Is there anything else that I can do?",
    "Please tell me if that does not help.",
    "You will hear from us within two days.",
    "",
)
_MAX_ECHO = 160


def support(request: ChatRequest) -> Said:
    """An answer that takes up the words of the question."""
    question = " ".join(request.question.split())
    sentence = re.split(r"(?<=[.?!])\s", question)[-1][:_MAX_ECHO]
    found = [text for role, text in request.messages if role == "tool" and text]
    opening, closing = request.chance.choice(_OPENINGS), request.chance.choice(_CLOSINGS)
    fact = f" What I found: {found[-1][:_MAX_ECHO]}." if found else ""
    return f"{opening} You asked: “{sentence}”{fact} {closing}".strip()


def tool_user(request: ChatRequest) -> Said:
    """A call of the tool whose words are in the question, unless a tool has answered just now."""
    tools = request.tools
    if not tools:
        return None
    choice = request.body.get("tool_choice")
    if isinstance(choice, dict):
        wanted = choice.get("function", {}).get("name")
        tools = [tool for tool in tools if tool.get("name") == wanted]
        return _call(request, tools[0]) if tools else None
    if request.messages and request.messages[-1][0] == "tool":
        return None
    asked = _words(request.question)
    shared = [(len(asked & _words(f"{tool.get('name')} {tool.get('description')}")), -i)
              for i, tool in enumerate(tools)]  # fmt: skip
    best, position = max(shared)
    return _call(request, tools[-position]) if best or choice == "required" else None


def _call(request: ChatRequest, tool: dict[str, Any]) -> Answer:
    parameters = tool.get("parameters")
    schema = parameters if isinstance(parameters, dict) else {"type": "object"}
    made = filled(schema, request)
    arguments = made if isinstance(made, dict) else {}
    for name, codes in (("id", r"\b[A-Z]{1,4}-?\d{3,}\b|\b\d{4,}\b"), ("email", r"\S+@\S+\.\w+")):
        found = re.search(codes, request.question)
        for key in arguments:
            if found and name in key.lower() and isinstance(arguments[key], str):
                arguments[key] = found.group()
    return Answer(tool_calls=(ToolCall(str(tool.get("name")), arguments),))


def _words(text: str) -> set[str]:
    words = re.findall(r"[^\W_]{4,}", text.casefold())
    return {word[:6] for word in words} - _COMMON


_COMMON = {
    "about",
    "from",
    "have",
    "that",
    "this",
    "what",
    "when",
    "where",
    "which",
    "with",
    "your",
}
