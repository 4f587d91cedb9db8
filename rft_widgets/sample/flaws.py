"""Lines as they go wrong in real files: for 3 % of the lines of the sample's chat JSONL."""

from __future__ import annotations

import copy
import random
from typing import Any

from rft_widgets.sample.dialogues import chance, compact, stable_id

SHARE = 0.03
"""Share of the lines of a file (0..1) that are flawed."""

REFUSED = ("broken_json", "truncated")
"""Flaws for which a line holds no record at all."""

_ROUND = ("duplicate", "empty_message", "too_short", "orphan_result", "unknown_role")
_SHORT = ("hi", "?", "thanks", "help", "ok cool", "hello")


def flawed_lines(records: list[dict[str, Any]], seed: int) -> list[tuple[int, str, str]]:
    """Make the flawed lines that go between the good ones.

    Returns
    -------
    list of (position, flaw, line)
        Position is the number of records before the line; the truncated line comes last of all.
    """
    rng = chance(seed, "flaws")
    count = round(len(records) * SHARE / (1 - SHARE))
    names = [_ROUND[i % len(_ROUND)] for i in range(max(0, count - len(REFUSED)))]
    names += REFUSED[: count - len(names)]
    made: list[tuple[int, str, str]] = []
    used: set[int] = set()
    for i, name in enumerate(names):
        suited = [
            k for k, record in enumerate(records)
            if k not in used and _suits(name, record)
        ] or list(range(len(records)))  # fmt: skip
        at = rng.choice(suited)
        used.add(at)
        record = copy.deepcopy(records[at])
        record["id"] = stable_id(seed, "flaw", i)
        # What repeats a record follows it; the last line is the one where the writer stopped.
        position = len(records) if name == "truncated" else rng.randint(at + 1, len(records))
        made.append((position, name, _flawed(rng, name, record)))
    return sorted(made, key=lambda flaw: (flaw[0], flaw[1] == "truncated"))


def _flawed(rng: random.Random, name: str, record: dict[str, Any]) -> str:
    messages: list[dict[str, Any]] = record["messages"]
    last_user = next(message for message in reversed(messages) if message["role"] == "user")
    match name:
        case "empty_message":
            last_user["content"] = rng.choice(("", " ", "\n"))
        case "too_short":
            last_user["content"] = rng.choice(_SHORT)
        case "orphan_result":
            # The call was lost, as happens when somebody filters messages without text.
            record["messages"] = [m for m in messages if "tool_calls" not in m]
        case "unknown_role":
            messages[-1]["role"] = rng.choice(("bot", "agent", "model", "human"))
        case "broken_json":
            return compact(record).replace('"messages":', '"messages"', 1)
        case "truncated":
            line = compact(record)
            return line[: rng.randint(len(line) // 3, len(line) // 2)]
        case _:
            pass
    return compact(record)


def _suits(name: str, record: dict[str, Any]) -> bool:
    roles = [message["role"] for message in record["messages"]]
    match name:
        case "orphan_result":
            return "tool" in roles
        case "empty_message" | "too_short":
            # With nothing else said, two such records would repeat each other.
            return roles.count("user") > 1
        case _:
            return True
