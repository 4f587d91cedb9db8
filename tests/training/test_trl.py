"""A language model is trained, measured and asked; its folder trains without this package."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from statistics import fmean

import pytest
from digits import config, fill, has_step, is_running, kill_program, until

import rft_widgets as rft

pytestmark = [
    pytest.mark.training,
    # peft asks transformers for a name that goes in its next version.
    pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing. is deprecated"),
]
pytest.importorskip("trl")

from rft_widgets.testing.tiny_model import make_tiny_model  # noqa: E402


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    return make_tiny_model(tmp_path_factory.mktemp("model") / "tiny")


@pytest.fixture(scope="module")
def workspace(tmp_path_factory) -> Iterator[rft.Workspace]:
    with rft.Workspace(tmp_path_factory.mktemp("trl") / "store.db") as opened:
        yield opened


@pytest.fixture(scope="module")
def trained(workspace, model) -> rft.TrainingJob:
    """A run whose program was killed after its first checkpoint, and that went on by itself."""
    job = fill(workspace.create("Digits")).train(config(model))
    until(lambda: job.checkpoints, "a checkpoint")
    kill_program(job)
    return job.wait(300)


def test_the_reward_rises_and_the_report_says_so(trained):
    assert (trained.status, trained.error) == ("completed", None)
    report = trained.report
    assert report.outcome == "improved"
    assert report.baseline == "the base model tiny"
    assert report.change.before_mean < 0.2
    assert report.change.after_mean > 0.9
    assert report.recorded.estimate == 0
    steps = [point for point in report.curve if point.train_reward is not None]
    assert [point.step for point in steps] == list(range(1, 25))
    rewards = [point.train_reward for point in steps]
    assert fmean(rewards[:3]) < 0.1
    assert fmean(rewards[-3:]) > 0.9
    for point in steps:
        assert point.step_s > 0
        assert 0 < point.completion_tokens <= 12
        assert 0 <= point.flat_share <= 1
        assert point.entropy is not None
        assert point.metrics["grader/error_rate"] == 0
    assert [point.step for point in report.curve if point.valid is not None] == [0, 12, 24]
    assert report.served_step == 24
    assert report.fit_prompts == 48
    assert report.valid_prompts == 12


def test_checkpoints_are_compared_and_the_run_has_a_card(trained, workspace):
    found = workspace.dataset(trained.dataset_id).compare_checkpoints(trained)
    assert [one.step for one in found.checkpoints] == [0, 12, 24]
    assert found.length_unit == "tokens"
    assert found.checkpoints[2].against_reference.difference.estimate > 0.7
    assert all(one.seconds > 0 for one in found.checkpoints)
    card = trained.run_card()
    assert card.comparison == found
    assert card.hyperparameters["generations"] == 8
    assert {"torch", "trl", "transformers"} <= card.attempts[-1].packages.keys()
    assert "<svg" in card.to_html()


def test_a_killed_program_went_on_from_its_checkpoint(trained):
    words = [words for _, words in trained.log]
    assert "The training was killed; it starts again from its last checkpoint." in words
    assert "The training starts from the checkpoint of step 12." in words


def test_rollouts_have_answers_rewards_and_advantages(trained):
    assert trained.rollout_steps == tuple(range(1, 25))
    rollouts = trained.rollouts(2)
    assert len(rollouts) == 32
    train = set(trained.split.train)
    for start in range(0, 32, 8):
        group = rollouts[start : start + 8]
        (record,) = {one.record_id for one in group}
        assert record in train
        assert group[0].prompt == f"Give me the number {record[1:]}."
        assert sum(one.advantage for one in group) == pytest.approx(0, abs=1e-3)
    for one in rollouts:
        digits = sum(letter in "0123456789" for letter in one.answer)
        assert one.reward == pytest.approx(digits / max(1, len(one.answer)))
    mean = fmean(one.reward for one in rollouts)
    assert mean == pytest.approx(trained.report.curve[2].train_reward, abs=1e-4)


def test_checkpoints_are_folders_that_transformers_and_the_policy_read(trained):
    from transformers import AutoModelForCausalLM

    assert [(one.step, one.model) for one in trained.checkpoints] == [
        (12, "checkpoints/checkpoint-12"),
        (24, "checkpoints/checkpoint-24"),
    ]
    folder = trained.folder / trained.checkpoints[-1].model
    assert AutoModelForCausalLM.from_pretrained(folder).config.hidden_size == 64
    assert trained.checkpoints[-1].valid_reward > 0.9
    policy = trained.policy()
    from rft_widgets.model.message import Message

    asked = [Message("user", "Give me the number 5.")]
    try:
        tuned = policy.respond(asked).message.text
        base = policy.respond(asked, reference=True).message.text
    finally:
        policy.close()
    assert sum(one in "0123456789" for one in tuned) > 0.9 * len(tuned)
    assert sum(one in "0123456789" for one in base) < 0.5 * len(base)


def test_nothing_secret_and_no_process_stays_behind(trained):
    assert not (trained.folder / "control/grader.json").exists()
    for lock in (trained.folder / "control/locks").iterdir():
        assert not is_running(int(lock.read_text()))


def test_the_folder_trains_without_this_package(trained, tmp_path):
    folder = tmp_path / "alone"
    ignored = shutil.ignore_patterns("checkpoints", "measured", "*.jsonl", "control", "log.txt")
    shutil.copytree(trained.folder, folder, ignore=ignored)
    for name in ("train.jsonl", "valid.jsonl"):
        shutil.copyfile(trained.folder / name, folder / name)
    settings = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(settings | {"max_steps": 2}))
    blocked = tmp_path / "blocked"
    blocked.mkdir()
    (blocked / "sitecustomize.py").write_text(
        textwrap.dedent("""
        import sys

        class Refusing:
            def find_spec(self, name, path=None, target=None):
                if name.partition(".")[0] == "rft_widgets":
                    raise ImportError("rft_widgets is not to be imported")

        sys.meta_path.insert(0, Refusing())
        """)
    )
    done = subprocess.run(
        [sys.executable, "train.py"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(blocked)},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "step 2/2: reward" in done.stdout
    assert "validation reward" in done.stdout
    lines = (folder / "metrics.jsonl").read_text().splitlines()
    same = [point.train_reward for point in trained.report.curve[1:3]]
    alone = [json.loads(line)["metrics"]["reward"] for line in lines]
    assert alone == pytest.approx(same), "the same seed, the same grader: the same steps"
    measured = json.loads((folder / "measured/step-000002.json").read_text())
    assert len(measured["rewards"]) == len(measured["answers"]) == 12
    assert (folder / "checkpoints/checkpoint-2/model.safetensors").exists()


@pytest.mark.slow
def test_pause_resume_and_cancel(workspace, model):
    job = fill(workspace.create("Paused")).train(config(model, max_steps=200, n_epochs=10))
    until(has_step(job, 3), "some steps")
    pid = int((job.folder / "control/locks/rank-0").read_text())
    job.pause()
    until(lambda: job.status == "paused", "paused")
    assert not is_running(pid)
    (saved,) = job.checkpoints
    assert saved.step >= 3
    job.resume()
    until(has_step(job, saved.step + 2), "more steps")
    assert job.progress.curve[3].train_reward is not None, "earlier steps are kept"
    pid = int((job.folder / "control/locks/rank-0").read_text())
    job.cancel()
    until(lambda: job.status == "cancelled", "cancelled")
    until(lambda: not is_running(pid), "no process", 10)
    assert f"The training starts from the checkpoint of step {saved.step}." in [
        words for _, words in job.log
    ]


@pytest.mark.slow
def test_an_adapter_is_trained_by_two_processes(workspace, model):
    dataset = fill(workspace.create("Adapter"))
    job = dataset.train(
        config(model, lora="lora", lora_rank=4, num_processes=2, max_steps=6, beta=0.02)
    ).wait(300)
    assert (job.status, job.error) == ("completed", None)
    steps = [point for point in job.report.curve if point.train_reward is not None]
    assert len(steps) == 6
    assert all(point.kl is not None for point in steps)
    assert len(job.rollouts(1)) == 32, "both processes' answers"
    folder = job.folder / job.checkpoints[-1].model
    assert (folder / "adapter_config.json").exists()
    assert (job.folder / "control/locks/rank-1").exists()
    policy = job.policy()
    try:
        answers = list(policy.respond_many([record.input for record in dataset.iterate()]))
    finally:
        policy.close()
    assert len(answers) == 60


@pytest.mark.slow
def test_a_run_whose_program_is_always_killed_fails_in_words(workspace, model):
    job = fill(workspace.create("Killed")).train(config(model))
    lock = job.folder / "control/locks/rank-0"
    killed = {""}

    def begun() -> bool:
        return lock.exists() and lock.read_text() not in killed

    for _ in range(3):
        until(begun, "a program")
        killed.add(str(kill_program(job)))
    until(lambda: job.status == "failed", job)
    assert "ended from outside 3 times" in job.error
    assert "Lower per_device_batch" in job.error


@pytest.mark.slow
def test_a_program_that_fails_says_why(workspace, model, tmp_path):
    broken = shutil.copytree(model, tmp_path / "broken")
    (broken / "chat_template.jinja").unlink(missing_ok=True)
    settings = json.loads((broken / "tokenizer_config.json").read_text())
    settings.pop("chat_template", None)
    (broken / "tokenizer_config.json").write_text(json.dumps(settings))
    job = fill(workspace.create("Broken")).train(config(broken))
    until(lambda: job.status == "failed", job)
    assert "has no chat template" in job.error
