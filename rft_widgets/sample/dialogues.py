"""Whole conversations, model call by model call, with what each call should have answered."""

from __future__ import annotations

import hashlib
import json
import random
from datetime import datetime, timedelta
from typing import Any, Literal

from msgspec import Struct

from rft_widgets.sample.knowledge import DAYS, END, SYSTEM_CHAT, SYSTEM_MAIL, TOOLS, ToolName
from rft_widgets.sample.phrasing import (
    ASK_NUMBER,
    GIVE_NUMBER,
    LEAD_FACTS,
    LEADS,
    Intent,
    Quality,
    Tone,
    Topic,
    answer,
    choose_weighted,
    fill,
    follow_up,
    opening,
    pick,
    topics,
)
from rft_widgets.sample.slots import Case, make_case

Flaw = Literal["wrong_tool", "missing_arguments"]
"""What is wrong with a tool call: it should be another one or none, or it lacks an argument."""


class Step(Struct, frozen=True, kw_only=True):
    """One model call of a conversation.

    ``quality`` is that of the text it answers; a right tool call counts as ``exact``. ``flaw`` is
    set when it answers with a tool call that it should not make.
    """

    messages: tuple[dict[str, Any], ...]
    output: dict[str, Any]
    item: dict[str, Any]
    quality: Quality | None
    flaw: Flaw | None
    intent: str
    turn: int
    at: datetime
    latency_ms: int

    @property
    def finish_reason(self) -> str:
        """Why the model stopped."""
        return "tool_calls" if "tool_calls" in self.output else "stop"


class Dialogue(Struct, frozen=True, kw_only=True):
    """One conversation of a customer with the agent; there is at least one step."""

    id: str
    topic: str
    tone: Tone
    channel: Literal["chat", "mail"]
    model: str
    tools: tuple[dict[str, Any], ...]
    steps: tuple[Step, ...]

    def flaw_until(self, last: Step) -> Flaw | None:
        """The flaw of a tool call in the conversation up to a step, that step included."""
        steps = self.steps[: self.steps.index(last) + 1]
        return next((step.flaw for step in reversed(steps) if step.flaw), None)


def dialogues(seed: int, n: int) -> list[Dialogue]:
    """Make conversations, in the order of their last model call; no two ask the same."""
    rng = chance(seed)
    plans = _plans(rng, n)
    asked: set[str] = set()
    made = [
        _unlike(asked, chance(seed, i), plan, stable_id(seed, i)) for i, plan in enumerate(plans)
    ]
    return sorted(made, key=lambda dialogue: (dialogue.steps[-1].at, dialogue.id))


def stable_id(*parts: object) -> str:
    """Twelve hexadecimal digits that depend on the parts alone."""
    text = "/".join(str(part) for part in parts)
    return hashlib.blake2b(text.encode(), digest_size=6).hexdigest()


def chance(*parts: object) -> random.Random:
    """Source of chance that depends on the parts alone."""
    return random.Random("/".join(str(part) for part in ("larkfell", *parts)))  # noqa: S311


def compact(value: Any) -> str:
    """JSON text without spaces."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


# Plan of the traffic ----------------------------------------------------------------------------

_MODELS = ("gpt-4.1-mini", "llama-3.3-70b-instruct", "llama-3.1-8b-instruct")
_MODEL_WEIGHTS: dict[bool, tuple[int, ...]] = {True: (55, 30, 15), False: (30, 30, 40)}
_NAMES = (
    "Marta", "Jonas", "Aoife", "Luca", "Ingrid", "Pieter", "Sofia", "Tomasz", "Hannah", "Emil",
    "Claire", "Rasmus", "Nadia", "Owen", "Beatriz", "Felix", "Yasmin", "Henrik", "Ruth", "Matteo",
    "Elif", "Gareth", "Anneke", "David", "Katja", "Niamh", "Samir", "Lotte", "Victor", "Ewa",
)  # fmt: skip
_TONES: dict[str, tuple[tuple[Tone, ...], tuple[int, ...]]] = {
    "chat": (("plain", "terse", "polite", "angry", "long", "typos"), (30, 20, 13, 13, 8, 16)),
    "mail": (("plain", "polite", "angry", "long"), (12, 38, 15, 35)),
}


_EXACT: dict[Quality, int] = {"exact": 1}


class _Plan(Struct, frozen=True):
    topic: Topic
    intent: Intent
    qualities: dict[Quality, int]
    """Weights of the last answer's quality."""

    @property
    def must_be_exact(self) -> bool:
        return self.qualities == _EXACT


def _plans(rng: random.Random, n: int) -> list[_Plan]:
    """Spread conversations over topics by their shares and over the intents of each evenly."""
    plans: list[_Plan] = []
    for topic, count in zip(topics(), _counts(n), strict=True):
        intents = list(topic.intents.values())
        rng.shuffle(intents)
        plans += [
            _Plan(topic, intents[i % len(intents)], _qualities(topic, i // len(intents)))
            for i in range(count)
        ]
    rng.shuffle(plans)
    return plans


def _qualities(topic: Topic, occurrence: int) -> dict[Quality, int]:
    """Weights of the qualities of the n-th answer to a question.

    The first is right and the second is not, so that there is something to learn, and to learn it
    from, about each question.
    """
    if occurrence == 0:
        return _EXACT
    if occurrence == 1:
        return {key: n for key, n in topic.quality.items() if key not in ("exact", "rambling")}
    return topic.quality


def _counts(n: int) -> list[int]:
    """Split ``n`` by the topics' shares; what is left over goes to the largest remainders."""
    exact = [topic.share * n for topic in topics()]
    counts = [int(value) for value in exact]
    by_rest = sorted(range(len(exact)), key=lambda i: (counts[i] - exact[i], i))
    for i in by_rest[: n - sum(counts)]:
        counts[i] += 1
    return counts


def _unlike(asked: set[str], rng: random.Random, plan: _Plan, dialogue_id: str) -> Dialogue:
    """Make a conversation whose words no earlier one has; gives up after many attempts."""
    for _ in range(200):
        dialogue = _Writer(rng, plan, dialogue_id).write()
        last = dialogue.steps[-1]
        said = "\n".join(m["content"] for m in last.messages if m["role"] == "user")
        if said not in asked:
            break
    asked.add(said)
    return dialogue


# One conversation -------------------------------------------------------------------------------


class _Writer:
    """Writes one conversation; every answer of the agent becomes a step."""

    def __init__(self, rng: random.Random, plan: _Plan, dialogue_id: str) -> None:
        self.rng = rng
        self.plan = plan
        self.id = dialogue_id
        self.name = rng.choice(_NAMES)
        self.at = _moment(rng)
        self.turns = self._choose_turns()
        uses_tools = any(intent.tool for intent in self.turns)
        self.mail = not uses_tools and rng.random() < 0.35
        self.tools = () if self.mail else TOOLS
        self.messages: list[dict[str, Any]] = [
            {"role": "system", "content": SYSTEM_MAIL if self.mail else SYSTEM_CHAT}
        ]
        self.steps: list[Step] = []
        self.turn = 0

    def write(self) -> Dialogue:
        rng = self.rng
        channel: Literal["chat", "mail"] = "mail" if self.mail else "chat"
        tone = rng.choices(*_TONES[channel])[0]
        for number, intent in enumerate(self.turns):
            self.turn = number
            is_last = number == len(self.turns) - 1
            named = not intent.statuses or intent.tool is None or rng.random() < 0.82
            case = make_case(rng, intent, self.at, named=named)
            if number == 0:
                text = opening(rng, self.plan.topic, intent, tone, case.slots, self.name)
            else:
                text = follow_up(rng, intent, case.slots, pleased=self._is_pleased())
            self._say(text)
            if not named:
                self._exchange_number(intent, case)
            if intent.tool is None:
                self._answer_question(intent, case, is_last=is_last)
            else:
                self._answer_with_tool(intent, intent.tool, case, is_last=is_last)
        quality = self.steps[-1].quality
        weights = _MODEL_WEIGHTS[quality in ("exact", "rambling")]
        return Dialogue(
            id=self.id,
            topic=self.plan.topic.topic,
            tone=tone,
            channel=channel,
            model=rng.choices(_MODELS, weights)[0],
            tools=self.tools,
            steps=tuple(self.steps),
        )

    def _choose_turns(self) -> list[Intent]:
        """Intents of the turns; the planned one comes last."""
        others = [
            intent for intent in self.plan.topic.intents.values() if intent is not self.plan.intent
        ]
        before = self.rng.choices((0, 1, 2), (68, 27, 5))[0]
        return [*self.rng.sample(others, before), self.plan.intent]

    def _is_pleased(self) -> bool:
        return bool(self.steps) and self.steps[-1].quality in ("exact", "rambling")

    def _quality(self, *, is_last: bool) -> Quality:
        weights = self.plan.qualities if is_last else self.plan.topic.quality
        return choose_weighted(self.rng, weights)

    def _answer_question(self, intent: Intent, case: Case, *, is_last: bool) -> None:
        quality = self._quality(is_last=is_last)
        item = _item(intent, case)
        if is_last and self.tools and not self.plan.must_be_exact and self.rng.random() < 0.04:
            name, arguments = _needless_call(self.rng, case)
            self._call(name, arguments, item, flaw="wrong_tool")
            return
        self._reply(intent, quality, case, item)

    def _answer_with_tool(
        self, intent: Intent, tool: ToolName, case: Case, *, is_last: bool
    ) -> None:
        rng = self.rng
        quality = self._quality(is_last=is_last)
        call_item = _call_item(intent, tool, case)
        course = "called"
        if is_last and not self.plan.must_be_exact:
            courses = ("called", "call_only", "flawed", "uncalled", "recovered")
            course = rng.choices(courses, (54, 14, 12, 11, 9))[0]
        if course == "uncalled":
            untold: tuple[Quality, ...] = ("vague", "wrong", "over", "refuse")
            without = quality if quality in untold else rng.choice(untold[:2])
            self._reply(intent, without, case, call_item)
            return
        if course in ("flawed", "recovered"):
            name, arguments, flaw = _flawed_call(rng, tool, case)
            self._call(name, arguments, call_item, flaw=flaw)
            if course == "flawed":
                return
            self._result(name, {"error": _error(flaw, tool, arguments)})
            if rng.random() < 0.4:
                gave_up = rng.choice(("vague", "refuse"))
                self._reply(intent, "vague" if gave_up == "vague" else "refuse", case, call_item)
                return
        self._call(tool, case.arguments, call_item, lead=pick(rng, LEADS[tool], case.slots))
        if course == "call_only":
            return
        self._result(tool, case.result)
        self._reply(intent, quality, case, _item(intent, case))

    def _exchange_number(self, intent: Intent, case: Case) -> None:
        item = {
            "reference_answer": ASK_NUMBER[0],
            "required_facts": ["order number"],
            "forbidden": [fill(text, case.slots) for text in intent.forbidden],
            "expected_tool": None,
            "expected_arguments": None,
        }
        text = self.rng.choice(ASK_NUMBER)
        self._step({"role": "assistant", "content": text}, item, quality="exact")
        self._say(pick(self.rng, GIVE_NUMBER, case.slots))

    # What is added to the conversation ----------------------------------------------------------

    def _say(self, text: str) -> None:
        if len(self.messages) > 1:
            self.at += timedelta(seconds=self.rng.randint(20, 240))
        self.messages.append({"role": "user", "content": text})

    def _reply(self, intent: Intent, quality: Quality, case: Case, item: dict[str, Any]) -> None:
        text = answer(self.rng, intent, quality, case.slots, mail=self.mail, name=self.name)
        self._step({"role": "assistant", "content": text}, item, quality=quality)

    def _call(
        self,
        name: ToolName,
        arguments: dict[str, str],
        item: dict[str, Any],
        *,
        lead: str | None = None,
        flaw: Flaw | None = None,
    ) -> None:
        call_id = f"call_{stable_id(self.id, len(self.messages))}"
        function = {"name": name, "arguments": compact(arguments)}
        call = {"id": call_id, "type": "function", "function": function}
        message = {"role": "assistant", "content": lead, "tool_calls": [call]}
        self._step(message, item, quality=None if flaw else "exact", flaw=flaw)

    def _result(self, name: ToolName, result: dict[str, Any]) -> None:
        call_id = self.messages[-1]["tool_calls"][0]["id"]
        self.at += timedelta(milliseconds=self.rng.randint(80, 900))
        self.messages.append(
            {"role": "tool", "tool_call_id": call_id, "name": name, "content": compact(result)}
        )

    def _step(
        self,
        output: dict[str, Any],
        item: dict[str, Any],
        *,
        quality: Quality | None,
        flaw: Flaw | None = None,
    ) -> None:
        characters = len(output["content"] or "") + 60
        latency = 250 + characters * self.rng.randint(5, 14)
        step = Step(
            messages=tuple(self.messages),
            output=output,
            item=item,
            quality=quality,
            flaw=flaw,
            intent=self.turns[self.turn].name,
            turn=self.turn,
            at=self.at,
            latency_ms=latency,
        )
        self.steps.append(step)
        self.messages.append(output)
        self.at += timedelta(milliseconds=latency + 5)


def _moment(rng: random.Random) -> datetime:
    """Some moment of the days before the end; shops are busiest in the evening."""
    start = END - timedelta(days=DAYS)
    hour = rng.choices(range(24), (1, 1, 1, 1, 1, 2, 4, 6, 7, 8, 8, 8, 9, 8, 7, 7, 8, 9, 10, 11,
                                   12, 9, 5, 2))[0]  # fmt: skip
    # The last day is kept free, so that no conversation outlasts the end.
    day = rng.randrange(DAYS - 1)
    return start + timedelta(days=day, hours=hour, seconds=rng.randrange(3600))


def _item(intent: Intent, case: Case) -> dict[str, Any]:
    """What a grader needs to judge the answer in words."""
    return {
        "reference_answer": fill(intent.good[0], case.slots),
        "required_facts": [fill(text, case.slots) for text in intent.facts],
        "forbidden": [fill(text, case.slots) for text in intent.forbidden],
        "expected_tool": None,
        "expected_arguments": None,
    }


def _call_item(intent: Intent, tool: ToolName, case: Case) -> dict[str, Any]:
    """What a grader needs where the right answer is a tool call."""
    return {
        "reference_answer": fill(LEADS[tool][0], case.slots),
        "required_facts": [fill(LEAD_FACTS[tool], case.slots)],
        "forbidden": [fill(text, case.slots) for text in intent.forbidden],
        "expected_tool": tool,
        "expected_arguments": case.arguments,
    }


def _needless_call(rng: random.Random, case: Case) -> tuple[ToolName, dict[str, str]]:
    if rng.random() < 0.5:
        return "check_stock", {"product": case.slots["product"]}
    return "lookup_order", {"order_id": f"LF-{rng.randint(40000, 59999)}"}


def _flawed_call(
    rng: random.Random, tool: ToolName, case: Case
) -> tuple[ToolName, dict[str, str], Flaw]:
    if rng.random() < 0.7:
        kept = [] if len(case.arguments) == 1 else rng.sample(list(case.arguments), 1)
        if tool == "check_stock":
            kept = ["size"]  # the product alone would do
        return tool, {key: case.arguments[key] for key in kept}, "missing_arguments"
    if case.order is None:
        return "lookup_order", {"order_id": case.slots["sized"]}, "wrong_tool"
    item = case.slots["item"]
    if tool == "start_return" or rng.random() < 0.6:
        return "check_stock", {"product": item}, "wrong_tool"
    arguments = {"order_id": case.order.id, "item": item, "reason": "customer asks for the status"}
    return "start_return", arguments, "wrong_tool"


def _error(flaw: Flaw, tool: ToolName, arguments: dict[str, str]) -> str:
    if flaw == "wrong_tool":
        return "nothing found"
    missing = [
        name
        for definition in TOOLS
        if definition["function"]["name"] == tool
        for name in definition["function"]["parameters"]["required"]
        if name not in arguments
    ]
    return "missing arguments: " + ", ".join(missing)
