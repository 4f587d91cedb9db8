"""The seven steps as values."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

NodeStatus = Literal[
    "waiting", "ready", "processing", "active", "complete", "configured", "passed", "attention",
    "failed",
]  # fmt: skip


class PipelineStep(Struct, frozen=True):
    """What is fixed about a step."""

    id: int
    name: str
    category: str
    dialog: str
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
    """A step as it stands: its status, one line of summary, and why it waits if it does."""

    id: int
    name: str
    category: str
    status: NodeStatus
    summary: str
    status_label: str
    can_retrigger: bool
    blocked_reason: str | None = None


class PipelineState(Struct, frozen=True, kw_only=True):
    """All seven nodes; ``current_step`` is the first that is neither finished nor waiting."""

    nodes: tuple[PipelineNode, ...]
    current_step: int
