"""Names for what an application does: by the role its prompt gives it, its tools, or its topics."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from rft_widgets.traces.prompt_template import GAP

MAX_NAME_CHARS = 60

_ROLE = re.compile(
    r"\b(?:you are|you're|you will be|act as|acting as|behave as|serve as|your role is|"
    r"your role is to be|you work as)\s+(?P<said>[^.!?;:\n]{2,200})",
    re.IGNORECASE,
)
_NAMED = re.compile(
    r"^(?:called |named )?[^,]{1,60},\s+(?P<role>(?:an?|the|our|my)\s.+)$", re.DOTALL
)
_ARTICLE = re.compile(r"^(?:an?|the|our|my|one of the)\s+", re.IGNORECASE)
_PRAISE = re.compile(
    r"^(?:(?:very|highly|extremely|super)\s+)?(?:helpful|friendly|polite|professional|"
    r"knowledgeable|world[- ]class|seasoned|skilled|experienced|honest|harmless|concise|precise|"
    r"careful|smart|intelligent|diligent|advanced|powerful)(?:\s+(?:and|but)|,)?\s+",
    re.IGNORECASE,
)
_END = re.compile(
    r",|\(|\s(?:that|who|which|and|designed|built|tasked|whose|responsible|working|created|helping|"
    r"here|trained|able|capable|with access|developed|based|made|your|you|using|to)\b",
    re.IGNORECASE,
)
_GENERIC = frozenset(
    {
        "assistant", "ai assistant", "ai", "bot", "chatbot", "chat bot", "model", "agent",
        "ai agent", "language model", "large language model", "ai language model", "llm", "helper",
        "virtual assistant", "digital assistant", "ai model", "chat assistant", "expert",
        "conversational ai", "general assistant", "personal assistant", "system",
    }
)  # fmt: skip
_PURPOSE = re.compile(
    r"^(?:that|who|which)\s+(?:can\s+|will\s+)?(?P<does>[^,()]{3,80})|^to\s+(?P<infinitive>[^,()]{3,80})",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W\d_]{4,20}")
_COMMON_WORDS = """
    about above after again also another answer anyone anything back because been before being below
    between both cannot could does doing done down during each else even ever every from further
    give goes going have having hello here just know like look made make many maybe more most much
    must need needs never nothing okay only other please question really right same should show some
    someone something still such sure take tell than thank thanks that their them then there these
    they thing things think this those through time today very want wants well were what when where
    which while will with without work would your yours following using given into write help user
    assistant message
"""
_STOP_WORDS = frozenset(_COMMON_WORDS.split())


class Named(NamedTuple):
    """What a dataset of such traces may be called, and what training on it is to achieve."""

    title: str
    name: str
    objective: str


@lru_cache(maxsize=256)
def role_of(prompt: str) -> str | None:
    """Find the role that a prompt gives the model: "chess tutor" in "You are a chess tutor".

    A role that says nothing (``helpful assistant``) counts only with what it is there for.
    """
    for found in _ROLE.finditer(prompt):
        role = _cleaned(found["said"])
        if role is not None:
            return role
    return None


def name_of_role(role: str) -> str:
    """Name of an application by its role; its spelling is kept but for the first letter."""
    return _cut(role[:1].upper() + role[1:])


def keywords_of(text: str) -> frozenset[str]:
    """Words of a message that may tell what it is about."""
    return frozenset(_WORD.findall(text.lower())) - _STOP_WORDS


def suggest(
    *,
    role: str | None,
    tools: Sequence[str],
    keywords: Sequence[str],
    models: Sequence[str],
    capabilities: Mapping[str, float],
) -> Named:
    """Suggest a title, a name and an objective, from the most telling thing there is."""
    if role is not None:
        name = name_of_role(role)
        work = f"as {_with_article(role)}"
    elif tools:
        more = f" and {len(tools) - 1} more tool{'s' * (len(tools) > 2)}" if tools[1:] else ""
        name = _cut(f"Assistant with {tools[0]}{more}")
        work = f"of the assistant with {', '.join(tools[:3])}"
    elif keywords:
        name = _cut(", ".join(keywords)[:1].upper() + ", ".join(keywords)[1:])
        work = f"about {', '.join(keywords)}"
    elif models:
        name = _cut(f"Chats with {models[0]}")
        work = f"of {models[0]}"
    else:
        name, work = "Recorded chats", "in the recorded chats"
    return Named(
        title=f"{name}: {_kind(capabilities)}",
        name=name,
        objective=f"Improve answers {work}: {_goals(capabilities)}.",
    )


def _cleaned(said: str) -> str | None:
    said = " ".join(said.split())
    named = _NAMED.match(said)
    if named is not None and not _ARTICLE.match(said):
        said = named["role"]
    has_article = _ARTICLE.match(said) is not None
    said = _ARTICLE.sub("", said)
    while (shorter := _PRAISE.sub("", said)) != said:
        said = shorter
    end = _END.search(said)
    role = said[: end.start()] if end else said
    role = role.strip(" \"'*`_-")
    if GAP in role or not any(char.isalpha() for char in role):
        return None
    if role.lower() in _GENERIC:
        return _purpose(role, said[end.start() :].strip() if end else "")
    # "You are welcome", "you are not allowed": no role.
    if not has_article and (named is None or role.split()[0].lower() in _NO_ROLE):
        return role if _looks_like_role(role) else None
    return role if len(role.split()) <= 8 else None


_NO_ROLE = frozenset({"not", "now", "welcome", "able", "allowed", "given", "going", "asked", "in"})
_ROLE_WORD = re.compile(r"(?:er|or|ist|ian|ant|bot|agent|expert|coach|guide|ai|judge|assistant)$")


def _looks_like_role(role: str) -> bool:
    words = role.split()
    return len(words) <= 5 and _ROLE_WORD.search(words[-1].lower()) is not None


def _purpose(role: str, rest: str) -> str | None:
    found = _PURPOSE.match(rest)
    if found is None or GAP in rest:
        return None
    does = (found["does"] or found["infinitive"]).strip()
    if len(does.split()) > 8:
        return None
    return f"{role} that {does}" if found["does"] else f"{role} to {does}"


def _kind(capabilities: Mapping[str, float]) -> str:
    tools = capabilities.get("Tool calling", 0.0) >= 0.5
    turns = capabilities.get("Multi-turn", 0.0) >= 0.5
    if tools:
        return "multi-turn chat with tools" if turns else "requests with tools"
    return "multi-turn chat" if turns else "single questions"


def _goals(capabilities: Mapping[str, float]) -> str:
    goals = ["answer correctly and to the point"]
    if capabilities.get("Tool calling", 0.0) >= 0.5:
        goals.append("call the right tools with the right arguments")
    if capabilities.get("JSON output", 0.0) >= 0.5:
        goals.append("return valid JSON")
    if capabilities.get("Retrieval context", 0.0) >= 0.5:
        goals.append("stay with the given context")
    if capabilities.get("Multi-turn", 0.0) >= 0.5:
        goals.append("keep track of the conversation")
    return ", ".join(goals)


def _with_article(role: str) -> str:
    return f"{'an' if role[:1].lower() in 'aeiou' else 'a'} {role}"


def _cut(name: str) -> str:
    if len(name) <= MAX_NAME_CHARS:
        return name
    return name[: MAX_NAME_CHARS - 1].rsplit(" ", 1)[0].rstrip(",") + "…"
