"""A dataset of sample traffic, as it comes and with a trained policy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import rft_widgets as rft
from rft_widgets.sample.grader import sample_grader
from rft_widgets.sample.support import write_sample

CONVERSATIONS = 160


@pytest.fixture(scope="module")
def sample_workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[rft.Workspace]:
    """A workspace with a graded dataset of sample conversations, and one trained on them."""
    folder: Path = tmp_path_factory.mktemp("sample")
    with rft.Workspace(folder / "store.db") as workspace:
        written = write_sample(folder / "spans.jsonl", n=CONVERSATIONS)
        dataset = workspace.create_from_traces(
            rft.open_traces(written.path).filter(has_response=True), name="Support"
        )
        dataset.set_grader(sample_grader())
        trained = workspace.duplicate(dataset.id, name="Trained")
        trained.train().wait(120)
        yield workspace


@pytest.fixture
def sample(sample_workspace: rft.Workspace) -> rft.OptimizationDataset:
    """A copy of the graded dataset, to be changed."""
    original = next(one for one in sample_workspace.datasets() if one.name == "Support")
    return sample_workspace.duplicate(original.id, name="Copy")


@pytest.fixture
def trained(sample_workspace: rft.Workspace) -> rft.OptimizationDataset:
    """The trained dataset; tests share it and leave its records alone."""
    return next(one for one in sample_workspace.datasets() if one.name == "Trained")
