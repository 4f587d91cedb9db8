"""The seven nodes as they stand, computed from what the store holds."""

from __future__ import annotations

from rft_widgets.model.dataset import DatasetInfo, DatasetStats
from rft_widgets.model.pipeline import PIPELINE_STEPS, NodeStatus, PipelineNode, PipelineState

_SOURCES = {"gateway": "Gateway Traces", "upload": "Uploaded file"}


def pipeline_state(info: DatasetInfo, stats: DatasetStats) -> PipelineState:
    """Derive the nodes' status, summary and blocked reason."""
    has_records = stats.total_records > 0
    source = f"Source: {_SOURCES[info.source]} • {stats.total_records:,} records"
    found: dict[int, tuple[NodeStatus, str, str | None]] = {
        1: ("active", source, None) if has_records else ("ready", "No records yet", None),
        2: ("ready", "No topics yet", None)
        if has_records
        else ("waiting", "", "Import data first"),
        3: ("waiting", "", "Configure topics first"),
        4: ("ready", "No grader yet", None)
        if stats.valid_records
        else ("waiting", "", "Import data first"),
        5: ("waiting", "", "Configure the grader first"),
        6: ("waiting", "", "Configure the grader first"),
        7: ("waiting", "Waiting for training", "Complete training first"),
    }
    nodes = []
    for step in PIPELINE_STEPS:
        status, summary, blocked = found[step.id]
        nodes.append(
            PipelineNode(
                id=step.id,
                name=step.name,
                category=step.category,
                status=status,
                summary=summary,
                status_label=status.capitalize(),
                can_retrigger=step.can_retrigger,
                blocked_reason=blocked,
            )
        )
    # Step 1 stays active for good once there are records; the work goes on at the next open one.
    open_steps = [node.id for node in nodes if node.status not in ("waiting", "active")]
    return PipelineState(nodes=tuple(nodes), current_step=open_steps[0] if open_steps else 1)
