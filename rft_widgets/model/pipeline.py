"""The seven steps as values."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from rft_widgets.model.views import DialogName

NodeStatus = Literal[
    "waiting", "ready", "processing", "active", "complete", "configured", "passed", "attention",
    "failed",
]  # fmt: skip

ListStatus = Literal["in_progress", "attention", "training", "complete"]
"""What the list of datasets filters by."""

FINISHED: tuple[NodeStatus, ...] = ("complete", "configured", "passed")
"""Statuses of a step that is done. Step 1 is done while it is active: there are records."""


class PipelineStep(Struct, frozen=True):
    """What is fixed about a step."""

    id: int
    name: str
    category: str
    dialog: DialogName
    can_retrigger: bool


PIPELINE_STEPS = (
    PipelineStep(1, "Extract Data", "INGESTION", "records", can_retrigger=True),
    PipelineStep(2, "Topics & Category", "CLASSIFICATION", "topics", can_retrigger=True),
    PipelineStep(3, "Coverage Analysis", "DISTRIBUTION", "coverage", can_retrigger=True),
    PipelineStep(4, "Grader Config", "EVALUATION RULES", "grader", can_retrigger=True),
    PipelineStep(5, "Dry Run", "VALIDATION", "dry-run", can_retrigger=True),
    PipelineStep(6, "Train Model", "RFT TRAINING", "training", can_retrigger=False),
    PipelineStep(7, "Deploy", "DEPLOYMENT", "deploy", can_retrigger=True),
)


class PipelineNode(Struct, frozen=True, kw_only=True):
    """A step as it stands.

    Attributes
    ----------
    summary
        One line of what is there.
    status_label
        The status in a word, ``Stale`` where what it rests on has changed.
    blocked_reason
        What to do first, of a step that waits.
    stale
        What changed since the step ran, in words; empty when nothing did.
    progress
        Share that is done (0..1) of a step at work; ``None`` where it is not known.
    """

    id: int
    name: str
    category: str
    status: NodeStatus
    summary: str
    status_label: str
    can_retrigger: bool
    blocked_reason: str | None = None
    stale: tuple[str, ...] = ()
    progress: float | None = None


class PipelineState(Struct, frozen=True, kw_only=True):
    """All seven nodes; ``current_step`` is the first that is neither finished nor waiting."""

    nodes: tuple[PipelineNode, ...]
    current_step: int

    @property
    def list_status(self) -> ListStatus:
        """The status in the list of datasets."""
        if any(node.status in ("attention", "failed") for node in self.nodes):
            return "attention"
        if self.nodes[5].status == "processing":
            return "training"
        return "complete" if self.nodes[6].status == "complete" else "in_progress"


def status_line(state: PipelineState) -> str:
    """Where a dataset stands, in one line: what is at work, else what is deployed and what is open.

    The first step that failed or needs attention goes before the one that is next: the line agrees
    with `PipelineState.list_status`.
    """
    training, deployment = state.nodes[5], state.nodes[6]
    if training.status == "processing":
        return f"Training ({training.progress or 0:.0%})"
    for node in state.nodes:
        if node.status == "processing":
            return f"{_called(node)} in progress"
    deployed = ""
    if deployment.status == "complete":
        gain = training.summary if training.status == "complete" else ""
        deployed = f"Deployed • {gain}" if gain else deployment.summary
    open_ones = [node for node in state.nodes if node.status in ("failed", "attention")]
    line = _open_line(open_ones[0] if open_ones else state.nodes[state.current_step - 1])
    return " • ".join(part for part in (deployed, line) if part)


def _open_line(node: PipelineNode) -> str:
    if node.status == "attention":
        return f"{_called(node)} needs attention"
    if node.status == "failed":
        return f"{_called(node)} failed"
    if node.status != "ready":
        return ""  # nothing is open
    if node.id == 1:
        return node.summary
    return {6: "Ready to start training", 7: "Ready to deploy"}.get(
        node.id, f"{_called(node)} is next"
    )


def _called(node: PipelineNode) -> str:
    return f"Step {node.id}: {node.name}"
