"""docs/screens.md names calls that exist, and leaves no screen out."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

import rft_widgets as rft
from rft_widgets.dataset.generation_batch import GenerationBatch
from rft_widgets.model.views import DIALOG_TITLES, DialogName

PAGE = (Path(__file__).parents[2] / "docs" / "screens.md").read_text(encoding="utf-8")
OWNERS = {"ds": rft.OptimizationDataset, "rft": rft, "ws": rft.Workspace}
OF_A_ROW = {
    "a job": rft.TrainingJob,
    "of one": rft.Deployment,
    "a deployment": rft.Deployment,
    "a batch": GenerationBatch,
}


@pytest.mark.parametrize(("owner", "name"), sorted(set(re.findall(r"`(ds|rft|ws)\.(\w+)", PAGE))))
def test_every_call_is_there(owner, name):
    assert hasattr(OWNERS[owner], name)


@pytest.mark.parametrize("name", get_args(DialogName))
def test_every_dialog_is_there(name):
    assert f'### {DIALOG_TITLES[name]}: `ds.dialog("{name}")`' in PAGE


def test_what_jobs_deployments_and_batches_are_said_to_have_they_have():
    found = 0
    for line in PAGE.splitlines():
        for words, kind in OF_A_ROW.items():
            if line.startswith("|") and words in line:
                names = re.findall(r"`(\w+)`", line)
                found += len(names)
                assert [name for name in names if not hasattr(kind, name)] == []
    assert found >= 10
