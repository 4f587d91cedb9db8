"""Signs that a text was written by a model about its task, and not by a user."""

from __future__ import annotations

import re

_PATTERNS: tuple[tuple[str, str], ...] = (
    ("speaks as a model", r"\bas an? (ai|artificial intelligence|(large )?language model)\b"),
    ("speaks as a model", r"\bi('m| am) (just |only )?an? (ai|language model|virtual assistant)\b"),
    (
        "refuses",
        r"^(i'?m sorry|i am sorry|sorry|unfortunately|apologies)\b.{0,40}\b(can'?t|cannot|unable "
        r"to|not able to)\b.{0,30}\b(assist|help|fulfil|comply|provide|generate)",
    ),
    ("refuses", r"^i (can'?t|cannot|won'?t) (assist|help|fulfil|comply|generate|create|provide)"),
    (
        "answers its task",
        r"^(sure|certainly|of course|absolutely|okay|ok)\b[^.?\n]{0,60}\bhere( is| are|'s)",
    ),
    (
        "answers its task",
        r"^here( is| are|'s) (\w+ ){0,4}(variation|version|example|prompt|message|rewrite|"
        r"rewritten|rephras|candidate|sample)",
    ),
    (
        "is numbered or labelled",
        r"^\W{0,3}(variation|version|example|candidate|option|prompt|rewritten message|"
        r"user message|user)\W{0,3}(#?\d{1,3}\W{0,3})?:",
    ),
    ("is numbered or labelled", r"^(\d{1,2}[.)]\s+|[-*•]\s+)\S"),
    (
        "has a placeholder",
        r"[\[<{]\s*(insert|your|name|user|customer|product|order|account|company|date|amount|number|"
        r"email|address|city)[\w\s'-]{0,40}[\]>}]",
    ),
    ("has a placeholder", r"\{\{.{0,60}\}\}|\bX{4,}\b|\blorem ipsum\b"),
    ("is code of an answer", r"^```|```\s*$|^\s*\{\s*\"(message|candidates)\""),
)

_COMPILED = tuple(
    (words, re.compile(pattern, re.IGNORECASE | re.DOTALL)) for words, pattern in _PATTERNS
)


def artifact_in(text: str) -> str | None:
    """What betrays a model in a text, in words; ``None`` where nothing does."""
    plain = text.strip().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    for words, pattern in _COMPILED:
        if pattern.search(plain):
            return f"It {words}."
    return None


def names_tool(text: str, name: str) -> bool:
    """Whether a text names a tool.

    A name that is a plain word, such as ``refund``, is also what people say: it counts only where
    it is written like code or called a tool.
    """
    plain = re.escape(name)
    if name.isalpha() and name[1:].islower():
        pattern = rf"`{plain}`|\b{plain}\(|\b{plain} (tool|function)\b"
    else:
        pattern = rf"(?<!\w){plain}(?!\w)"
    return re.search(pattern, text, re.IGNORECASE) is not None
