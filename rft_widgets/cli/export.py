"""The command that writes a training run for a framework that is started elsewhere."""

from __future__ import annotations

import argparse

from rft_widgets.cli.output import open_workspace, print_json
from rft_widgets.cli.train import config_of


def export_training(options: argparse.Namespace) -> None:
    """Write the folder, and say how it is started."""
    config = config_of(options)
    with open_workspace(options) as workspace:
        made = workspace.dataset(options.dataset).export_training(
            options.file, options.framework, config
        )
    if options.json:
        print_json(
            {
                "folder": str(made.folder),
                "launch": str(made.launch),
                "train": made.train,
                "valid": made.valid,
                "notes": made.notes,
            }
        )
        return
    print(f"{made.train:,} prompts to learn from and {made.valid:,} to measure on in {made.folder}")
    for note in made.notes:
        print(f"  ! {note}")
    print(f"Start it with: {made.launch}")
