"""What the page shows of generated candidates: which there are, and each beside its source."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence

from msgspec import Struct

from rft_widgets.dataset import OptimizationDataset
from rft_widgets.errors import NotFound
from rft_widgets.model.generation import (
    AcceptedCandidates,
    BatchState,
    Candidate,
    CandidateFault,
    Difficulty,
    GenerationConfig,
    Strategy,
)
from rft_widgets.model.message import Message
from rft_widgets.widgets.records.detail import ShownMessage, shown_message

LINE_CHARS = 160
"""Characters of a candidate that the list of them shows."""
ALIKE = 0.4
"""Share of common words (0..1) from which differences are marked: below, all would be."""

_WORDS = re.compile(r"\s*\S+|\s+$")


class CandidateGroup(Struct, frozen=True, kw_only=True):
    """Candidates of a topic that wait for a decision, by their numbers; ``faulty`` is of them."""

    topic: str
    strategy: Strategy
    ids: tuple[int, ...]
    faulty: tuple[int, ...]


class Spent(Struct, frozen=True, kw_only=True):
    """What jobs asked of models, and for how much; no cost where a price is unknown."""

    calls: int
    cost_micro_usd: int | None


class BatchView(Struct, frozen=True, kw_only=True):
    """A batch as it stands, what waits for a decision, and what its jobs cost so far, if any."""

    state: BatchState
    groups: tuple[CandidateGroup, ...]
    spent: Spent | None


class CandidateLine(Struct, frozen=True, kw_only=True):
    """A candidate in the list of them."""

    id: int
    text: str
    fault_words: str


class Piece(Struct, frozen=True, kw_only=True):
    """A part of a text; ``differs`` where the text beside it has something else."""

    text: str
    differs: bool


class Repeated(Struct, frozen=True, kw_only=True):
    """What a candidate repeats: a record, or the candidate of a number."""

    words: str
    text: str
    candidate: int | None


class CandidateView(Struct, frozen=True, kw_only=True):
    """A candidate beside what it was made from.

    Attributes
    ----------
    shared
        Messages that both begin with.
    before, after
        The other messages of the source and of the candidate, but for the last of the user.
    was, wrote
        That last message of the source and of the candidate.
    output
        The answer, where the whole exchange was made.
    basis
        What it was made from, where that is no record.
    shown
        Records that the model saw.
    """

    id: int
    topic: str
    strategy: Strategy
    difficulty: Difficulty | None
    fault: CandidateFault | None
    fault_words: str
    similarity: float
    source_record_id: str | None
    shown: int
    shared: tuple[ShownMessage, ...]
    before: tuple[ShownMessage, ...]
    after: tuple[ShownMessage, ...]
    was: tuple[Piece, ...]
    wrote: tuple[Piece, ...]
    output: tuple[ShownMessage, ...]
    tools: tuple[str, ...]
    basis: str
    repeats: Repeated | None


class AcceptOutcome(Struct, frozen=True, kw_only=True):
    """What accepting changed; the balances are measured, before and after."""

    accepted: AcceptedCandidates
    balance_before: float | None
    records: int
    """Of the dataset, now."""


def groups_of(open_ones: Sequence[Candidate], order: Sequence[str]) -> tuple[CandidateGroup, ...]:
    """Open candidates by topic, in the order of the plan."""
    by_topic: dict[str, list[Candidate]] = {topic: [] for topic in order}
    for one in open_ones:
        by_topic.setdefault(one.topic, []).append(one)
    return tuple(
        CandidateGroup(
            topic=topic,
            strategy=found[0].strategy,
            ids=tuple(one.id for one in found),
            faulty=tuple(one.id for one in found if one.fault is not None),
        )
        for topic, found in by_topic.items()
        if found
    )


def repeated_number(candidate: Candidate) -> int | None:
    """Number of the candidate that another one repeats, where it repeats one."""
    name = candidate.repeats or ""
    return int(name[1:]) if name.startswith("#") and name[1:].isdigit() else None


def line_of(candidate: Candidate) -> CandidateLine:
    """A candidate in the list of them."""
    text = " ".join(candidate.text[: 4 * LINE_CHARS].split())
    return CandidateLine(
        id=candidate.id,
        text=text if len(text) <= LINE_CHARS else f"{text[: LINE_CHARS - 1]}…",
        fault_words=candidate.fault_words,
    )


def view_of(
    dataset: OptimizationDataset,
    candidate: Candidate,
    config: GenerationConfig,
    repeated: Candidate | None,
) -> CandidateView:
    """Put a candidate beside its source.

    Parameters
    ----------
    dataset
        That it is for.
    candidate
        With the messages of its source.
    config
        What was asked for.
    repeated
        The candidate that it repeats, if it is one.
    """
    source, own = candidate.source_messages, candidate.messages
    shared = 0
    for one, other in zip(source, own, strict=False):
        if one != other:
            break
        shared += 1
    before, asked = _apart(source[shared:])
    after, _ = _apart(own[shared:])
    was, wrote = compare(asked, candidate.text)
    return CandidateView(
        id=candidate.id,
        topic=candidate.topic,
        strategy=candidate.strategy,
        difficulty=candidate.difficulty,
        fault=candidate.fault,
        fault_words=candidate.fault_words,
        similarity=candidate.similarity,
        source_record_id=candidate.source_record_id,
        shown=len(candidate.shown_record_ids),
        shared=tuple(map(shown_message, own[:shared])),
        before=tuple(map(shown_message, before)),
        after=tuple(map(shown_message, after)),
        was=was,
        wrote=wrote,
        output=tuple(map(shown_message, candidate.output)),
        tools=tuple(tool.function.name for tool in candidate.tools if tool.function is not None),
        basis="" if candidate.source_record_id else _basis(dataset, candidate, config),
        repeats=_repeated(dataset, candidate, repeated),
    )


def compare(was: str, wrote: str) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
    """Mark where two texts differ, word by word; nothing is marked where they have little alike."""
    before, after = _WORDS.findall(was), _WORDS.findall(wrote)
    one, other = ([word.strip() for word in words] for words in (before, after))
    matcher = difflib.SequenceMatcher(None, one, other, autojunk=False)
    if matcher.ratio() < ALIKE:
        return _whole(was), _whole(wrote)
    left: list[Piece] = []
    right: list[Piece] = []
    for kind, from_1, to_1, from_2, to_2 in matcher.get_opcodes():
        differs = kind != "equal"
        for side, words in ((left, before[from_1:to_1]), (right, after[from_2:to_2])):
            if words:
                side.append(Piece(text="".join(words), differs=differs))
    return tuple(left), tuple(right)


def _whole(text: str) -> tuple[Piece, ...]:
    return (Piece(text=text, differs=False),) if text else ()


def _apart(messages: Sequence[Message]) -> tuple[tuple[Message, ...], str]:
    """Messages without the last of the user, and its text."""
    for place in range(len(messages) - 1, -1, -1):
        if messages[place].role == "user":
            return (*messages[:place], *messages[place + 1 :]), _text(messages[place])
    return tuple(messages), ""


def _text(message: Message) -> str:
    return "\n".join(part.text for part in shown_message(message).parts)


def _basis(dataset: OptimizationDataset, candidate: Candidate, config: GenerationConfig) -> str:
    if candidate.strategy == "scenario_expansion" and config.scenario:
        aspects = f"\n\nVaried: {', '.join(config.aspects)}" if config.aspects else ""
        return f"{config.scenario}{aspects}"
    try:
        topic = dataset.topics.find(candidate.topic)
    except NotFound:
        return "The topic is gone since."
    keywords = f"\n\nKeywords: {', '.join(topic.keywords)}" if topic.keywords else ""
    return f"{topic.description or topic.name}{keywords}"


def _repeated(
    dataset: OptimizationDataset, candidate: Candidate, repeated: Candidate | None
) -> Repeated | None:
    if candidate.repeats is None:
        return None
    if repeated is not None:
        words = f"Candidate {repeated.id:,}"
        return Repeated(words=words, text=repeated.text, candidate=repeated.id)
    try:
        record = dataset.record(candidate.repeats)
    except NotFound:
        return Repeated(words="A record that is gone since", text="", candidate=None)
    asked = _apart(record.input.messages)[1]
    return Repeated(words=f"Record {record.id}", text=asked, candidate=None)
