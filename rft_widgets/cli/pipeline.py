"""Commands on the pipeline as a whole: how it stands, how to do it again, a fresh start."""

from __future__ import annotations

import argparse

from rft_widgets.cli.output import confirmed, open_workspace, print_json, print_table
from rft_widgets.errors import RftError
from rft_widgets.model.pipeline import PipelineState


def pipeline(options: argparse.Namespace) -> None:
    """Show the seven steps as they stand."""
    with open_workspace(options) as workspace:
        dataset = workspace.dataset(options.dataset)
        state, name = dataset.pipeline, dataset.name
    if options.json:
        print_json(
            {
                "dataset": options.dataset,
                "name": name,
                "status": state.list_status,
                "current_step": state.current_step,
                "nodes": state.nodes,
            }
        )
        return
    print(f"{name} ({options.dataset})")
    print_pipeline(state)


def print_pipeline(state: PipelineState) -> None:
    """Print the steps as a table, with what keeps or outdates each of them."""
    rows = [
        (
            node.id,
            node.name,
            node.status_label,
            node.summary,
            " ".join(node.stale) or node.blocked_reason or "",
        )
        for node in state.nodes
    ]
    print_table(rows, ("", "step", "status", "summary", ""))


def script(options: argparse.Namespace) -> None:
    """Print the Python that does it all again."""
    with open_workspace(options) as workspace:
        text = workspace.dataset(options.dataset).to_script()
    if options.json:
        print_json({"dataset": options.dataset, "script": text})
    else:
        print(text, end="")


def reset(options: argparse.Namespace) -> None:
    """Clear topics, targets, grader and dry runs."""
    with open_workspace(options) as workspace:
        dataset = workspace.dataset(options.dataset)
        if not confirmed(f"Clear topics, grader and dry runs of {dataset.name!r}?", options):
            raise RftError("Nothing was cleared.", hint="Answer y, or pass --yes.")
        dataset.reset_pipeline()
        count = dataset.count()
    if options.json:
        print_json({"reset": options.dataset, "records": count})
    else:
        print(f"Cleared; {count:,} records, training runs and deployments are as they were.")
