"""The rules that make a stored record valid, and the health they add up to."""

from __future__ import annotations

import functools
from collections.abc import Callable

from rft_widgets.errors import ExtraRequired
from rft_widgets.model.message import ROLES, Message
from rft_widgets.model.record import HealthReport, RecordInput, RecordOutput, ValidationIssue
from rft_widgets.model.settings import VALIDATION, ValidationSettings


def validate(
    record_input: RecordInput, output: RecordOutput, settings: ValidationSettings = VALIDATION
) -> tuple[int, tuple[ValidationIssue, ...]]:
    """Judge a record by itself; whether it repeats another one only the store can tell.

    Returns
    -------
    tokens
        Estimated tokens of all messages and tool calls.
    issues
        Every rule that is broken, in order of precedence.
    """
    messages = record_input.messages
    tokens = count_tokens((*messages, *output.messages), settings)
    issues: list[ValidationIssue] = []
    if not messages and not output.messages:
        issues.append(ValidationIssue("empty_messages", "There are no messages."))
        return tokens, tuple(issues)
    strange = {m.role for m in (*messages, *output.messages) if m.role not in ROLES}
    if strange:
        names = ", ".join(repr(role[:40]) for role in sorted(strange))
        issues.append(ValidationIssue("invalid_role", f"Unknown role: {names}."))
    users = [message for message in messages if message.role == "user"]
    if not users:
        issues.append(ValidationIssue("no_user_message", "No message has the role 'user'."))
    else:
        issues.extend(_judge_prompt(users, settings))
    issues.extend(_judge_tool_results((*messages, *output.messages)))
    if tokens > settings.max_tokens:
        issues.append(
            ValidationIssue(
                "exceeds_max_tokens",
                f"About {tokens:,} tokens, the limit is {settings.max_tokens:,}.",
            )
        )
    return tokens, tuple(issues)


def count_tokens(messages: tuple[Message, ...], settings: ValidationSettings = VALIDATION) -> int:
    """Tokens of content and tool calls: by the tokenizer of the settings, else characters / 4."""
    if settings.tokenizer is not None:
        count = _tokenizer(settings.tokenizer)
        return sum(count(text) for message in messages for text in _texts(message))
    characters = 0
    for message in messages:
        content = message.content
        if type(content) is str:
            characters += len(content)
        elif content is not None:
            characters += len(message.text)
        for call in message.tool_calls:
            if call.function is not None:
                characters += len(call.function.name) + len(call.function.arguments)
    return -(-characters // settings.chars_per_token)


def health_report(
    *,
    total: int,
    invalid: int,
    errors_by_code: dict[str, int],
    refused_lines: int,
    settings: ValidationSettings = VALIDATION,
) -> HealthReport:
    """Sum up the validity of a dataset, with what to do about it."""
    share = invalid / total if total else 0.0
    if total == 0:
        status = "empty"
    elif invalid == 0:
        status = "healthy"
    else:
        status = "attention" if share <= settings.attention_share else "warning"
    advice = [
        f"{ADVICE[code]} ({count:,} record{'' if count == 1 else 's'}, {_percent(count / total)})"
        for code, count in sorted(errors_by_code.items(), key=lambda pair: (-pair[1], pair[0]))
        if count > settings.frequent_code_share * total or code in _BROKEN_TOOL_CHAIN
    ]
    if refused_lines:
        advice.append(
            f"{refused_lines:,} lines of imported files hold no record; see the import errors."
        )
    return HealthReport(
        status=status,  # type: ignore[arg-type]  # mypy widens the literals of the branches
        total=total,
        valid=total - invalid,
        invalid=invalid,
        duplicates=errors_by_code.get("duplicate", 0),
        errors_by_code=errors_by_code,
        refused_lines=refused_lines,
        recommendations=tuple(advice),
    )


ADVICE = {
    "empty_messages": "Remove records without messages",
    "invalid_role": "Rename message roles to system, developer, user, assistant or tool",
    "no_user_message": "Add the user's message, or remove records that have none",
    "empty_user_message": "Remove records whose user message is empty",
    "user_message_too_short": "Check whether very short user messages are worth training on",
    "missing_tool_call_id": "Give every tool result the id of its call",
    "orphan_tool_result": "Keep the assistant's tool calls together with their results",
    "exceeds_max_tokens": "Shorten long conversations, or raise the token limit",
    "duplicate": "Remove repeated records, or collect more varied traffic",
}
"""What to do about each code."""

_BROKEN_TOOL_CHAIN = ("missing_tool_call_id", "orphan_tool_result")


def _judge_prompt(users: list[Message], settings: ValidationSettings) -> list[ValidationIssue]:
    last = users[-1]
    # An image or a recording is a question, too; only a message without anything is empty.
    if isinstance(last.content, tuple) and any(p.get("type") != "text" for p in last.content):
        return []
    length = len(last.text.strip())
    if length == 0:
        return [ValidationIssue("empty_user_message", "The last user message is empty.")]
    if length < settings.min_user_message_chars:
        return [
            ValidationIssue(
                "user_message_too_short",
                f"The last user message has {length} characters, "
                f"at least {settings.min_user_message_chars} are needed.",
            )
        ]
    return []


def _judge_tool_results(messages: tuple[Message, ...]) -> list[ValidationIssue]:
    called: set[str] = set()
    missing = orphan = 0
    for message in messages:
        for call in message.tool_calls:
            if call.id is not None:
                called.add(call.id)
        if message.role == "tool":
            if not message.tool_call_id:
                missing += 1
            elif message.tool_call_id not in called:
                orphan += 1
    issues: list[ValidationIssue] = []
    if missing:
        issues.append(
            ValidationIssue(
                "missing_tool_call_id", f"Tool results without tool_call_id: {missing}."
            )
        )
    if orphan:
        issues.append(
            ValidationIssue(
                "orphan_tool_result", f"Tool results whose call is not in the record: {orphan}."
            )
        )
    return issues


def _texts(message: Message) -> list[str]:
    texts = [message.text]
    for call in message.tool_calls:
        if call.function is not None:
            texts += [call.function.name, call.function.arguments]
    return texts


@functools.cache
def _tokenizer(name: str) -> Callable[[str], int]:
    try:
        import tiktoken  # noqa: PLC0415 - optional and slow to load
    except ImportError as error:
        raise ExtraRequired(
            "Counting with a tokenizer needs tiktoken.",
            hint="Install it with: pip install 'rft-widgets[tokenizer]'",
        ) from error
    encoding = tiktoken.get_encoding(name)
    return lambda text: len(encoding.encode(text, disallowed_special=()))


def _percent(share: float) -> str:
    return f"{share:.0%}" if share >= 0.005 else "<1%"
