"""The pattern of an application's traces: its prompt, what it does, its tools, and a name for it.

Everything follows from rules, without a model, and does not depend on the order of the traces. They
are read once; memory is bounded, however many there are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from heapq import heappush, heappushpop

from rft_widgets.errors import InvalidArgument
from rft_widgets.model.message import Tool
from rft_widgets.model.pattern import (
    Capability,
    CommonPrompt,
    DetectedPattern,
    ModelShare,
    ToolPattern,
)
from rft_widgets.model.trace import Trace
from rft_widgets.traces.capabilities import RULES
from rft_widgets.traces.heavy_counts import HeavyCounts, stable_hash
from rft_widgets.traces.naming import keywords_of, role_of, suggest
from rft_widgets.traces.prompt_template import find_template

MAX_DISTINCT = 10_000
"""Distinct tools, models, roles and words that are counted exactly."""

MAX_DISTINCT_PROMPTS = 2_000
"""Distinct system prompts that are counted exactly."""

MAX_PROMPT_CHARS = 20_000
"""Characters of a system prompt that are looked at."""

MAX_ASKED_CHARS = 4_000
"""Characters of a prompt that are searched for a role, and of a question for its words."""

SAMPLED_PROMPTS = 256
"""Distinct prompts that a template is looked for in; which ones is decided by their hash."""

CLEAR_MAJORITY = 0.5
"""Share of traces (0..1) with the very same prompt from which no template is looked for."""

MIN_CAPABILITY_SHARE = 0.05
"""Share of traces (0..1) that must show a capability before it is told."""

MIN_ROLE_SHARE = 0.3
"""Share of traces (0..1) whose prompt must name a role before it names the application."""

MIN_TOOLS_SHARE = 0.3
"""Share of traces (0..1) that must offer tools before these name the application."""

MAX_TOOLS = 50
"""Most tools that are listed."""


def detect_pattern(traces: Iterable[Trace]) -> DetectedPattern:
    """Detect what traces have in common.

    Raises
    ------
    InvalidArgument
        If there are no traces.
    """
    finder = PatternFinder()
    for trace in traces:
        finder.add(trace)
    return finder.pattern()


class PatternFinder:
    """Finds the pattern of traces that are given to it one by one; they are not kept."""

    def __init__(self) -> None:
        self.count = 0
        self.prompts = HeavyCounts(MAX_DISTINCT_PROMPTS)
        self.sample = _Sample(SAMPLED_PROMPTS)
        self.roles = HeavyCounts(MAX_DISTINCT)
        self.words = HeavyCounts(MAX_DISTINCT)
        self.models = HeavyCounts(MAX_DISTINCT)
        self.offered = HeavyCounts(MAX_DISTINCT)
        self.called = HeavyCounts(MAX_DISTINCT)
        self.descriptions = HeavyCounts(MAX_DISTINCT)
        self.with_tools = 0
        self.capable: Counter[str] = Counter()

    def pattern(self) -> DetectedPattern:
        """What the traces so far have in common.

        Raises
        ------
        InvalidArgument
            If there were none.
        """
        if not self.count:
            raise InvalidArgument(
                "There are no traces to detect a pattern in.", hint="Widen the filter."
            )
        capabilities = _capabilities(self)
        tools = _tools(self)
        named = suggest(
            role=_role(self),
            tools=[tool.name for tool in tools] if _names_its_tools(self) else [],
            keywords=[word for word, _ in self.words.ranked()[:3]],
            models=[name for name, _ in self.models.ranked()[:1]],
            capabilities={capability.label: capability.share for capability in capabilities},
        )
        return DetectedPattern(
            title=named.title,
            traces=self.count,
            system_prompt=_common_prompt(self),
            capabilities=capabilities,
            tools=tools[:MAX_TOOLS],
            tool_count=len(tools),
            models=tuple(
                ModelShare(name=name, share=count / self.count)
                for name, count in self.models.ranked()
            ),
            suggested_name=named.name,
            suggested_objective=named.objective,
        )

    def add(self, trace: Trace) -> None:
        """Look at a trace."""
        self.count += 1
        prompt = trace.system_prompt[:MAX_PROMPT_CHARS]
        if prompt:
            self.prompts.add(prompt)
            self.sample.add(prompt)
        asked = [message.text for message in trace.messages if message.role == "user"]
        role = role_of(prompt[:MAX_ASKED_CHARS])
        if role is None and asked:
            role = role_of(asked[0][:MAX_ASKED_CHARS])
        if role is not None:
            self.roles.add(role)
        for word in keywords_of(asked[-1][:MAX_ASKED_CHARS]) if asked else ():
            self.words.add(word)
        model = trace.model or trace.response_model
        if model:
            self.models.add(model)
        self._add_tools(trace)
        self.capable.update(rule.label for rule in RULES if rule.shows(trace))

    def _add_tools(self, trace: Trace) -> None:
        offered = {_tool_name(tool): tool for tool in reversed(trace.tools)}
        for name, tool in offered.items():
            self.offered.add(name)
            description = tool.function.description if tool.function else None
            if description:
                self.descriptions.add(f"{name}\0{description[:MAX_ASKED_CHARS]}")
        answers = [choice.message for choice in trace.choices]
        called = {
            call.function.name
            for message in (*trace.messages, *answers)
            for call in message.tool_calls
            if call.function
        }
        for name in called:
            self.called.add(name)
        self.with_tools += bool(offered or called)


class _Sample:
    """Keeps the prompts with the smallest hashes, and exact counts of them."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.counts: Counter[str] = Counter()
        self._heap: list[tuple[int, str]] = []

    def add(self, prompt: str) -> None:
        if prompt in self.counts:
            self.counts[prompt] += 1
            return
        # A prompt that was put out stays out: those that put it out are all still there.
        place = (-int.from_bytes(stable_hash(prompt), "big"), prompt)
        if len(self._heap) < self.size:
            heappush(self._heap, place)
        else:
            _, gone = heappushpop(self._heap, place)
            if gone == prompt:
                return
            del self.counts[gone]
        self.counts[prompt] = 1

    def ranked(self) -> list[tuple[str, int]]:
        return sorted(self.counts.items(), key=lambda item: (-item[1], item[0]))


def _common_prompt(seen: PatternFinder) -> CommonPrompt | None:
    if not seen.prompts.total:
        return None
    prompts = seen.prompts.ranked()
    distinct = seen.prompts.distinct
    share = prompts[0][1] / seen.count if prompts else 0.0
    if share < CLEAR_MAJORITY and distinct > 1:
        # Where prompts are too many to count them all, the sample stands for them.
        counted = prompts if seen.prompts.is_exact else seen.sample.ranked()
        total = seen.count
        if not seen.prompts.is_exact:
            of_sample = sum(count for _, count in counted)
            total = round(of_sample * seen.count / seen.prompts.total)
        found = find_template(_sampled(seen))
        if found is not None:
            text, covers = found
            covered = sum(count for prompt, count in counted if covers(prompt)) / max(total, 1)
            if covered > share:
                return CommonPrompt(
                    text=text, share=min(covered, 1.0), is_template=True, distinct=distinct
                )
    if not prompts:
        return None
    return CommonPrompt(text=prompts[0][0], share=share, is_template=False, distinct=distinct)


def _sampled(seen: PatternFinder) -> list[tuple[str, int]]:
    """Prompts to look for a template in: a sample, and the most frequent ones whatever it holds."""
    chosen = dict(seen.prompts.ranked()[:SAMPLED_PROMPTS]) | dict(seen.sample.ranked())
    # Not by name: neighbours in the alphabet are alike in what varies, too.
    return sorted(chosen.items(), key=lambda item: (-item[1], stable_hash(item[0])))


def _capabilities(seen: PatternFinder) -> tuple[Capability, ...]:
    found = [
        Capability(label=rule.label, share=seen.capable[rule.label] / seen.count, rule=rule.text)
        for rule in RULES
    ]
    shown = [each for each in found if each.share >= MIN_CAPABILITY_SHARE]
    return tuple(sorted(shown, key=lambda each: (-each.share, each.label)))


def _tools(seen: PatternFinder) -> tuple[ToolPattern, ...]:
    offered, called = dict(seen.offered.ranked()), dict(seen.called.ranked())
    described: dict[str, str] = {}
    for text, _ in seen.descriptions.ranked():
        name, _, description = text.partition("\0")
        described.setdefault(name, description)
    found = [
        ToolPattern(
            name=name,
            description=described.get(name),
            offered_share=offered.get(name, 0) / seen.count,
            called_share=called.get(name, 0) / seen.count,
        )
        for name in offered.keys() | called.keys()
    ]
    return tuple(sorted(found, key=lambda t: (-t.called_share, -t.offered_share, t.name)))


def _role(seen: PatternFinder) -> str | None:
    for role, count in seen.roles.ranked()[:1]:
        if count >= MIN_ROLE_SHARE * seen.count:
            return role
    return None


def _names_its_tools(seen: PatternFinder) -> bool:
    return seen.with_tools >= MIN_TOOLS_SHARE * seen.count


def _tool_name(tool: Tool) -> str:
    return tool.function.name if tool.function else tool.type
