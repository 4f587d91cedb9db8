"""Commands about who trains, and what there is of a training run."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from command_line import answer, run

import rft_widgets as rft
from rft_widgets.model.run import RunInputs
from rft_widgets.model.training import TrainingConfig, TrainingRollout
from rft_widgets.sample.grader import sample_grader
from rft_widgets.sample.support import write_sample
from rft_widgets.store import training
from rft_widgets.store.training import SplitIds


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A store, and a dataset in it with a grader."""
    folder = tmp_path_factory.mktemp("graded")
    store = folder / "store.db"
    with rft.Workspace(store) as workspace:
        dataset = workspace.create_from_file(
            write_sample(folder / "s.jsonl", format="jsonl", n=80).path, name="Graded"
        )
        dataset.set_grader(sample_grader())
        return store, dataset.id


def test_the_ways_to_train_are_listed_and_told():
    found = {one["name"]: one for one in answer("trainers")}
    assert found["local"]["missing"] == ""
    assert "local" in run("trainers").stdout
    told = run("trainers", "local").stdout
    assert "Ready." in told
    assert "n_epochs" in told
    assert "There is no trainer 'nobody'" in run("trainers", "nobody", check=1).stderr


def test_what_is_set_reaches_the_run_and_another_checkpoint_is_served(graded):
    store, dataset = graded
    done = answer(
        "train", dataset, "--set", "n_epochs=1", "--set", "learning_rate=0.1", "--database", store
    )
    with rft.Workspace(store) as workspace:
        job = workspace.training_job(done["job"])
        assert job.config.hyperparameters == {"n_epochs": 1, "learning_rate": 0.1}
        other = next(one.step for one in job.checkpoints if one.step != job.served_step)
        its_own = job.served_step
    chosen = answer("choose", dataset, other, "--database", store)
    assert chosen == {"job": done["job"], "served_step": other}
    assert f"step {its_own} " in run("choose", dataset, "run", "--database", store).stdout
    assert "no checkpoint" in run("choose", dataset, 99_999, "--database", store, check=1).stderr
    assert "is no step" in run("choose", dataset, "last", "--database", store, check=1).stderr
    assert "does not hand out" in run("rollouts", dataset, "--database", store).stdout


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["--set", "n_epochs"], "sets nothing"),
        (["--set", "n_epochs=many"], "must be a number"),
        (["--set", "learning_rat=1"], "Did you mean 'learning_rate'?"),
        (["--connection", "gone"], "gone"),
    ],
)
def test_what_cannot_be_set_is_refused_in_words(graded, given, words):
    store, dataset = graded
    assert words in run("train", dataset, *given, "--database", store, check=1).stderr


def test_answers_are_shown_with_their_rewards_the_best_first(graded, tmp_path):
    _, dataset_id = graded
    store = tmp_path / "store.db"
    run("export", dataset_id, tmp_path / "r.jsonl", "--database", graded[0])
    dataset = answer("import", tmp_path / "r.jsonl", "--database", store)["dataset"]
    assert "has no training run" in run("rollouts", dataset, "--database", store, check=1).stderr
    with rft.Workspace(store) as workspace:
        inputs = RunInputs(data="d", topics="t", grader="g", grader_version=1, records_revision=0)
        job = training.create(
            workspace._store, dataset, inputs=inputs, split=SplitIds(train=(), valid=()),
            config=msgspec.json.encode(TrainingConfig()).decode(),
        )  # fmt: skip
        training.claim(workspace._store, job, "somebody")
        for step in (1, 2):
            some = [
                TrainingRollout(step=step, record_id=f"r{n}", prompt="p", answer="a", reward=reward)
                for n, reward in enumerate((0.25, None, 0.75))
            ]
            texts = [msgspec.json.encode(one).decode() for one in some]
            training.save_rollouts(workspace._store, job, "somebody", step, texts)
    shown = run("rollouts", dataset, "-n", 2, "--database", store).stdout
    assert "Step 2, 3 answers; steps: 1, 2" in shown
    assert shown.index("r2: reward 0.75") < shown.index("r0: reward 0.25")
    assert "r1" not in shown
    found = json.loads(run("rollouts", dataset, "--step", 1, "--database", store, "--json").stdout)
    assert found["steps"] == [1, 2]
    assert {one["step"] for one in found["rollouts"]} == {1}
