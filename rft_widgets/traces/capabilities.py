"""What a trace shows of what its application can do: one rule each, told by the trace alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import msgspec

from rft_widgets.model.message import Message
from rft_widgets.model.trace import Trace

LONG_CONTEXT_CHARS = 32_000
"""Characters of a conversation from which its context is long: 8,000 tokens of four characters."""

MIN_CONTEXT_CHARS = 400
"""Characters of a message that may hold retrieved passages beside its question."""

MAX_SCANNED_CHARS = 50_000
"""Characters of a message that a rule looks at."""


class Rule(NamedTuple):
    """A capability, in words when a trace shows it, and the check."""

    label: str
    text: str
    shows: Callable[[Trace], bool]


def _calls_tools(trace: Trace) -> bool:
    return bool(trace.tools) or any(message.tool_calls for message in _messages(trace))


def _has_turns(trace: Trace) -> bool:
    return trace.turns >= 2


def _answers_in_json(trace: Trace) -> bool:
    if _asks_for_json(trace.params):
        return True
    return any(_is_json(choice.message.text) for choice in trace.choices)


def _asks_for_json(params: dict[str, Any]) -> bool:
    wanted = params.get("response_format")
    inner = params.get("text")
    if isinstance(inner, dict):
        wanted = inner.get("format", wanted)
    kind = wanted.get("type") if isinstance(wanted, dict) else None
    mime = params.get("responseMimeType", params.get("response_mime_type"))
    return kind in ("json_object", "json_schema") or mime == "application/json"


def _is_json(text: str) -> bool:
    fenced = _JSON_FENCE.fullmatch(text.strip())
    inner = (fenced.group(1) if fenced else text).strip()
    if not inner.startswith(("{", "[")):
        return False
    try:
        return isinstance(msgspec.json.decode(inner), (dict, list))
    except (ValueError, RecursionError):
        return False


def _writes_code(trace: Trace) -> bool:
    asked = [message for message in trace.messages if message.role == "user"][-1:]
    texts = [message.text for message in asked] + [each.message.text for each in trace.choices]
    return any(
        language.lower() not in _NO_CODE
        for text in texts
        for language in _FENCE.findall(text[:MAX_SCANNED_CHARS])
    )


def _is_given_context(trace: Trace) -> bool:
    return any(
        message.role in ("system", "developer", "user")
        and len(message.text) >= MIN_CONTEXT_CHARS
        and _CONTEXT.search(message.text[:MAX_SCANNED_CHARS]) is not None
        for message in trace.messages
    )


def _has_part(*kinds: str) -> Callable[[Trace], bool]:
    def shows(trace: Trace) -> bool:
        return any(
            part.get("type") in kinds
            for message in trace.messages
            if message.content is not None and not isinstance(message.content, str)
            for part in message.content
        )

    return shows


def _is_long(trace: Trace) -> bool:
    chars = 0
    for message in _messages(trace):
        chars += len(message.text)
        chars += sum(len(call.function.arguments) for call in message.tool_calls if call.function)
        if chars >= LONG_CONTEXT_CHARS:
            return True
    return False


def _reasons(trace: Trace) -> bool:
    if trace.usage is not None and trace.usage.reasoning_tokens:
        return True
    return any(choice.message.extra.get("reasoning_content") for choice in trace.choices)


def _is_not_english(trace: Trace) -> bool:
    asked = [message.text for message in trace.messages if message.role == "user"]
    text = asked[-1][:2000] if asked else ""
    letters = [char for char in text if char.isalpha()]
    if len(letters) < 10:
        return False
    if sum(char > "\u024f" for char in letters) >= 0.3 * len(letters):  # beyond Latin
        return True
    words = _WORD.findall(text.lower())
    english = sum(word in _ENGLISH for word in words)
    other = sum(word in _OTHER for word in words)
    return len(words) >= 6 and other > english and other >= 0.15 * len(words)


def _messages(trace: Trace) -> Iterator[Message]:
    yield from trace.messages
    for choice in trace.choices:
        yield choice.message


_JSON_FENCE = re.compile(r"```(?:json)?\s*\n(.*?)\n?```", re.DOTALL)
_FENCE = re.compile(r"^[ \t]*```([\w+#-]*)[ \t]*$(?=[\s\S]*?^[ \t]*```)", re.MULTILINE)
_NO_CODE = frozenset({"", "json", "text", "txt", "markdown", "md", "plaintext"})
_CONTEXT = re.compile(
    r"<(?:context|documents?|passages?|search_results|sources|excerpts?|chunks?)\b[^>]*>"
    r"|^[#*\s]*(?:context|documents?|passages?|sources|search results|retrieved[ \w]*|"
    r"relevant[ \w]*|reference[ \w]*)\**\s*:?\**\s*:\s*$"
    r"|^(?:context|passages?|documents?)\s*:",
    re.IGNORECASE | re.MULTILINE,
)
_WORD = re.compile(r"[^\W\d_]+")
_ENGLISH_WORDS = """
    the a an and or of to in is are was i you my me it that this for on with what how do does can
    please have be not your we they at from about if would
"""
_OTHER_WORDS = """
    el la los las de que y en un una es por para con mi cómo qué no se le les des du et est une je
    vous nous pour dans sur avec mon ma comment quel der die das und ist ich nicht ein eine mit für
    wie auf zu mein il lo gli di che è per non sono come da em um uma eu não het een van ik niet
"""
_ENGLISH = frozenset(_ENGLISH_WORDS.split())
_OTHER = frozenset(_OTHER_WORDS.split())

RULES: tuple[Rule, ...] = (
    Rule("Tool calling", "Tools are on offer, or a message calls one.", _calls_tools),
    Rule("Multi-turn", "The request holds two user messages or more.", _has_turns),
    Rule(
        "JSON output",
        "The request asks for JSON, or an answer is a JSON object or list.",
        _answers_in_json,
    ),
    Rule(
        "Code",
        "The last user message or an answer holds a fenced block in a programming language.",
        _writes_code,
    ),
    Rule(
        "Retrieval context",
        f"A prompt of {MIN_CONTEXT_CHARS} characters or more marks passages as context, documents "
        "or sources.",
        _is_given_context,
    ),
    Rule("Vision", "A message holds an image.", _has_part("image_url")),
    Rule("Audio", "A message holds audio.", _has_part("input_audio")),
    Rule("Files", "A message holds a file.", _has_part("file")),
    Rule(
        "Long context",
        f"The conversation has {LONG_CONTEXT_CHARS:,} characters or more (about 8,000 tokens).",
        _is_long,
    ),
    Rule("Reasoning", "The answer's reasoning is recorded or counted.", _reasons),
    Rule(
        "Non-English",
        "The last user message is in another script than Latin, or in another language by its "
        "function words.",
        _is_not_english,
    ),
)
"""All rules. Their order has no meaning."""
