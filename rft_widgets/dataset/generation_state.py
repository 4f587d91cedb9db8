"""How a batch of candidates stands, and what is still to be asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from rft_widgets.errors import InvalidArgument
from rft_widgets.model.estimate import Workload
from rft_widgets.model.generation import (
    BatchState,
    BatchStatus,
    CandidateFault,
    GenerationPlan,
    TopicPlan,
    TopicProgress,
)
from rft_widgets.store.clock import to_datetime
from rft_widgets.store.generation import Fill, StoredBatch, StoredCandidate, TopicCount


def state_of(stored: StoredBatch, counts: Sequence[TopicCount], *, is_running: bool) -> BatchState:
    """Sum up a batch from its counts."""
    states: Counter[str] = Counter()
    faults: Counter[CandidateFault] = Counter()
    for one in counts:
        states[one.state] += one.count
        if one.fault and one.state != "regenerated":
            faults[one.fault] += one.count
    left: BatchStatus = "review" if states["open"] else "closed"
    return BatchState(
        id=stored.id,
        number=stored.number,
        status="running" if is_running else left,
        plan=stored.plan,
        model=stored.model.name,
        job_id=stored.job_id,
        created_at=to_datetime(stored.created_us),
        updated_at=to_datetime(stored.updated_us),
        topics=tuple(_topic(one, counts) for one in stored.plan.topics if one.to_generate),
        candidates=sum(one.count for one in counts),
        good=sum(one.count for one in counts if _is_good(one)),
        open=states["open"],
        open_good=sum(one.count for one in counts if _is_good(one) and one.state == "open"),
        accepted=states["accepted"],
        discarded=states["discarded"],
        faults=dict(faults),
        diversity=None if is_running else stored.diversity,
        recorded_diversity=None if is_running else stored.recorded_diversity,
    )


def missing_of(plan: GenerationPlan, rows: Sequence[StoredCandidate]) -> dict[str, int]:
    """Good candidates that a plan lacks, by topic."""
    good = Counter(
        one.candidate.topic
        for one in rows
        if one.candidate.fault is None and one.candidate.state != "regenerated"
    )
    return {one.topic: max(0, one.to_generate - good[one.topic]) for one in plan.topics}


def next_fill(
    plan: GenerationPlan, rows: Sequence[StoredCandidate], wanted: Mapping[str, int]
) -> Fill:
    """Ask for so many more, in rounds after those that there were."""
    first = max((one.round for one in rows), default=-1) + 1
    return Fill(wanted=dict(wanted), first=first, last=first + plan.config.retries)


def part_of(plan: GenerationPlan, fill: Fill) -> Workload:
    """What a fill is expected to ask for: its part of the plan."""
    share = sum(fill.wanted.values()) / plan.total if plan.total else 0.0
    whole = plan.workload
    return Workload(
        calls=round(whole.calls * share),
        prompt_tokens=round(whole.prompt_tokens * share),
        completion_tokens=round(whole.completion_tokens * share),
    )


def check_open(batch_id: str, ids: Collection[int], found: Sequence[StoredCandidate]) -> None:
    """Refuse candidates that are unknown or decided already.

    Raises
    ------
    InvalidArgument
        One is.
    """
    unknown = set(ids) - {one.candidate.id for one in found}
    if unknown:
        raise InvalidArgument(f"Batch {batch_id} has no candidate {min(unknown)}.")
    for one in found:
        if one.candidate.state != "open":
            raise InvalidArgument(
                f"Candidate {one.candidate.id} of batch {batch_id} is {one.candidate.state} "
                "already.",
                hint="Read the candidates again.",
            )


def _topic(plan: TopicPlan, counts: Sequence[TopicCount]) -> TopicProgress:
    mine = [one for one in counts if one.topic == plan.topic]
    return TopicProgress(
        topic=plan.topic,
        strategy=plan.strategy,
        to_generate=plan.to_generate,
        good=sum(one.count for one in mine if _is_good(one)),
        faulty=sum(one.count for one in mine if one.fault and one.state != "regenerated"),
        accepted=sum(one.count for one in mine if one.state == "accepted"),
        discarded=sum(one.count for one in mine if one.state == "discarded"),
    )


def _is_good(count: TopicCount) -> bool:
    return not count.fault and count.state != "regenerated"
