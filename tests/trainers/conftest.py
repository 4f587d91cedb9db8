"""The sample as stored records, its grader in the real sandbox, and one finished training."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sampled import sample_of_size, split_data

from rft_widgets.graders import compile_grader
from rft_widgets.model.record import Record
from rft_widgets.model.training import TrainingConfig
from rft_widgets.sample.grader import sample_grader
from rft_widgets.trainers import (
    MemoryRun,
    Rewarder,
    TrainingData,
    TrainingOutcome,
    grader_rewarder,
)
from rft_widgets.trainers.local import train


@pytest.fixture(scope="session")
def sample_records(tmp_path_factory: pytest.TempPathFactory) -> list[Record]:
    return sample_of_size(tmp_path_factory.mktemp("sample") / "all.jsonl", 640)


@pytest.fixture(scope="session")
def small_sample(tmp_path_factory: pytest.TempPathFactory) -> list[Record]:
    return sample_of_size(tmp_path_factory.mktemp("sample") / "small.jsonl", 160)


@pytest.fixture(scope="session")
def rewarder() -> Iterator[Rewarder]:
    """The sample's grader in its sandbox; it gives the same answer the same reward."""
    with compile_grader(sample_grader()) as grader:
        yield grader_rewarder(grader)


@pytest.fixture(scope="session")
def trained(
    sample_records: list[Record], rewarder: Rewarder
) -> tuple[TrainingData, TrainingOutcome, MemoryRun]:
    data, run = split_data(sample_records), MemoryRun()
    return data, train(data, TrainingConfig(), rewarder, run), run
