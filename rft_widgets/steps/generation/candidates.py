"""Candidates of an answer, each held to what a record must be."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from rft_widgets.model.generation import Candidate, CandidateFault, GenerationConfig
from rft_widgets.model.llm import ModelAnswer, ModelCallFailed
from rft_widgets.model.message import Message
from rft_widgets.model.record import RecordDraft, RecordInput, RecordOutput
from rft_widgets.steps.generation.answers import Found, read_answer
from rft_widgets.steps.generation.artifacts import artifact_in, names_tool
from rft_widgets.steps.generation.material import Request
from rft_widgets.steps.nearest import NearestTexts
from rft_widgets.steps.validate import validate

Fault = tuple[CandidateFault, str]


class Judge:
    """Judges candidates one by one; a good one is compared with those that come after it.

    Parameters
    ----------
    config
        What was asked for.
    ids, texts
        The records of the dataset, and what their users ask last.
    earlier
        Good candidates of the batch so far.
    """

    def __init__(
        self,
        config: GenerationConfig,
        ids: Sequence[str],
        texts: Sequence[str],
        earlier: Sequence[Candidate] = (),
    ) -> None:
        self._config = config
        self._near = NearestTexts(texts, config.near_duplicate_threshold)
        self._names = list(ids)
        for one in earlier:
            self._keep(one)

    def candidates(
        self, request: Request, answer: ModelAnswer | ModelCallFailed, start: int
    ) -> list[Candidate]:
        """Read and judge what came of a request; numbers count from ``start``."""
        if isinstance(answer, ModelCallFailed):
            found = [Found(fault="generation_error", words=f"The request failed: {answer}.")]
        else:
            found = read_answer(answer, request)
        given = None if isinstance(answer, ModelCallFailed) else answer
        return [
            self._candidate(request, one, place, start + place, given)
            for place, one in enumerate(found)
        ]

    def _candidate(
        self, request: Request, found: Found, place: int, number: int, answer: ModelAnswer | None
    ) -> Candidate:
        frame, source = request.frame, request.source
        made = bool(found.text) and found.fault is None
        asked = Message(role="user", content=found.text)
        difficulties = request.difficulties
        candidate = Candidate(
            id=number,
            topic=request.topic,
            strategy=request.strategy,
            messages=(*frame.before, asked) if made else (),
            output=found.output,
            tools=frame.tools if made else (),
            tool_choice=frame.tool_choice if made else None,
            text=found.text,
            difficulty=difficulties[place] if place < len(difficulties) else None,
            source_record_id=None if source is None else source.id,
            shown_record_ids=request.shown,
            fault=found.fault,
            fault_words=found.words,
            model="" if answer is None else answer.model or "",
            prompt_hash="" if answer is None else answer.key,
        )
        if not made:
            return candidate
        fault = self._plain_fault(request, candidate)
        if fault is not None:
            return _faulty(candidate, *fault)
        return self._compared(request, candidate)

    def _plain_fault(self, request: Request, candidate: Candidate) -> Fault | None:
        text, config = candidate.text, self._config
        artifact = artifact_in(text)
        if artifact is not None:
            return "llm_artifact", artifact
        if len(text) < config.min_length:
            return "too_short", f"{len(text):,} characters; at least {config.min_length:,}."
        if len(text) > config.max_length:
            return "too_long", f"{len(text):,} characters; at most {config.max_length:,}."
        named = next((name for name in request.unnamed if names_tool(text, name)), None)
        if named is not None:
            return "invalid_structure", f"It names the tool {named}."
        _, issues = validate(RecordInput(candidate.messages), RecordOutput(candidate.output))
        return ("invalid_structure", issues[0].message) if issues else None

    def _compared(self, request: Request, candidate: Candidate) -> Candidate:
        text, source = candidate.text, request.source
        likeness = 0.0 if source is None else self._near.similarity(text, source.asked)
        if source is not None and likeness >= self._config.near_duplicate_threshold:
            repeated = msgspec.structs.replace(candidate, similarity=likeness, repeats=source.id)
            return _faulty(repeated, "duplicate_of_source", "It repeats its source.")
        near = self._near.nearest(text)
        if near is not None:
            name = self._names[near.position]
            what = f"candidate {name}" if name.startswith("#") else f"record {name}"
            repeated = msgspec.structs.replace(candidate, similarity=near.similarity, repeats=name)
            return _faulty(repeated, "near_duplicate", f"It repeats {what}.")
        kept = msgspec.structs.replace(candidate, similarity=likeness)
        self._keep(kept)
        return kept

    def _keep(self, candidate: Candidate) -> None:
        self._near.add(candidate.text)
        self._names.append(f"#{candidate.id}")


def draft_of(
    candidate: Candidate, *, record_id: str, batch_id: str, connection: str
) -> RecordDraft:
    """The record that a candidate becomes, with where it came from."""
    made = {
        "batch": batch_id,
        "strategy": candidate.strategy,
        "connection": connection,
        "model": candidate.model,
        "prompt_hash": candidate.prompt_hash,
        "shown_records": list(candidate.shown_record_ids),
        "difficulty": candidate.difficulty,
    }
    return RecordDraft(
        id=record_id,
        input=RecordInput(candidate.messages, candidate.tools, candidate.tool_choice),
        output=RecordOutput(candidate.output, "stop" if candidate.output else None),
        metadata={"generation": {key: value for key, value in made.items() if value}},
        topic=candidate.topic,
        topic_method="llm",
        is_generated=True,
        source_record_id=candidate.source_record_id,
    )


def _faulty(candidate: Candidate, fault: CandidateFault, words: str) -> Candidate:
    return msgspec.structs.replace(candidate, fault=fault, fault_words=words)
