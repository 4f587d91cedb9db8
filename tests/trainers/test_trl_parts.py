"""The trainer `trl` up to the program that trains: what is refused, written, asked and read."""

from __future__ import annotations

import json
import re
import threading
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sampled import stored

from rft_widgets.errors import InvalidArgument, RftError, RunInterrupted
from rft_widgets.model.grader import grader_from_json
from rft_widgets.model.message import FunctionDefinition, Message, Tool
from rft_widgets.model.record import Record, RecordDraft, RecordInput, RecordOutput
from rft_widgets.model.training import TrainingConfig
from rft_widgets.trainers import available, trainer
from rft_widgets.trainers.base import TrainingData, TrainingRequest
from rft_widgets.trainers.program.rft_training.grader import (
    GraderLost,
    Prompt,
    ServiceGrader,
    StopAsked,
    find_grader,
)
from rft_widgets.trainers.trl.directory import usable_records, write_training_directory
from rft_widgets.trainers.trl.follow import Followed
from rft_widgets.trainers.trl.service import RewardService
from rft_widgets.trainers.trl.settings import trl_settings
from rft_widgets.trainers.trl.words import failure

GRADER = grader_from_json(
    {"type": "string_check", "name": "same", "input": "{{sample.output_text}}",
     "reference": "{{item.answer}}", "operation": "eq"}
)  # fmt: skip


def record(n: int, *messages: Message, **more: Any) -> Record:
    asked = RecordInput(messages or (Message("user", f"What is {n}?"),), **more)
    draft = RecordDraft(
        id=f"r{n}",
        input=asked,
        output=RecordOutput((Message("assistant", str(n)),)),
        item={"answer": str(n)},
    )
    return stored(draft)


@pytest.fixture
def model(tmp_path) -> Path:
    """What looks like the folder of a model, before anything is loaded."""
    folder = tmp_path / "model"
    folder.mkdir()
    for name in ("config.json", "tokenizer.json", "model.safetensors"):
        (folder / name).write_text("{}")
    return folder


def request(base_model: str | None, train: int = 100, **hyperparameters: Any) -> TrainingRequest:
    config = TrainingConfig(trainer="trl", base_model=base_model, hyperparameters=hyperparameters)
    return TrainingRequest(config=config, train=train, valid=20, prompt_tokens=10.0, grader=GRADER)


def refused(base_model: str | Path | None, **more: Any) -> str:
    asked = request(None if base_model is None else str(base_model), **more)
    with pytest.raises(InvalidArgument) as caught:
        trainer("trl").check(asked)
    return str(caught.value)


# -- before a run ---------------------------------------------------------------------------------


def test_what_cannot_be_trained_is_refused_in_words(model, tmp_path, monkeypatch):
    assert "No base_model" in refused(None)
    assert "There is no folder" in refused("/nowhere/at/all")
    assert "neither a folder nor a name" in refused("my model")
    assert "7 processes cannot share equally" in refused(model, num_processes=7)
    assert "Use a divisor of 64, such as 8" in refused(model, per_device_batch=12)
    assert "There are 5 records to learn from" in refused(model, train=5)
    assert "it must lie in 2..128" in refused(model, generations=1)
    assert "Did you mean 'generations'?" in refused(model, generation=8)
    assert "must be one of full, lora" in refused(model, lora="qlora")
    (model / "model.safetensors").unlink()
    assert "it lacks weights (*.safetensors)" in refused(model)
    (model / "adapter_config.json").write_text("{}")
    assert "give its base model" in refused(model)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert "would be downloaded from the hub, and HF_HUB_OFFLINE forbids" in refused("owner/name")


def test_a_name_of_the_hub_is_let_through(monkeypatch):
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    trainer("trl").check(request("owner/some-model_1.5B"))
    assert not trl_settings(request("owner/name").config).is_folder


def test_an_estimate_counts_gradings(model):
    asked = request(str(model), prompts_per_step=8, generations=4, n_epochs=3, evaluations=2)
    found = trainer("trl").estimate(asked)
    assert found.gradings == 100 // 8 * 3 * 8 * 4 + 20 * (3 + 1)
    assert found.cost_micro_usd == 0
    judge = grader_from_json(
        {"type": "score_model", "name": "j", "model": "m",
         "input": [{"role": "user", "content": "{{sample.output_text}}"}]}
    )  # fmt: skip
    found = trainer("trl").estimate(msgspec.structs.replace(asked, grader=judge))
    assert found.cost_micro_usd is None
    assert "each grading asks a model" in found.cost_basis


def test_it_is_listed_with_what_it_needs():
    (info,) = [one for one in available() if one.name == "trl"]
    assert info.needs_base_model
    assert not info.needs_connection
    assert info.capabilities.pauses
    assert info.capabilities.measures
    assert {one.name for one in info.hyperparameters} >= {"n_epochs", "generations", "lora"}


# -- the folder -----------------------------------------------------------------------------------


class Parts:
    def __init__(self, config: TrainingConfig, records: list[Record]) -> None:
        self.config, self.grader = config, GRADER
        self.data = TrainingData(train=tuple(records[:-2]), valid=tuple(records[-2:]))


def test_the_folder_has_prompts_settings_and_a_grader_that_grades(model, tmp_path):
    tool = Tool("function", FunctionDefinition("look", "Looks.", {"type": "object"}))
    records = [record(n) for n in range(1, 12)] + [record(12, tools=(tool,)), record(13)]
    config = request(str(model), learning_rate=1e-3).config
    folder = write_training_directory(Parts(config, records), tmp_path / "run")
    rows = [json.loads(line) for line in (folder / "train.jsonl").read_text().splitlines()]
    assert [row["id"] for row in rows] == [f"r{n}" for n in range(1, 12)]
    assert json.loads(rows[0]["item"])["answer"] == "1"
    valid = [json.loads(line) for line in (folder / "valid.jsonl").read_text().splitlines()]
    assert valid[0]["tools"][0]["function"]["name"] == "look"
    settings = json.loads((folder / "config.json").read_text())
    assert settings["learning_rate"] == 1e-3
    assert settings["per_device_batch"] == 16
    for name in ("train.py", "README.md", "accelerate.yaml", "rft_training/rewards.py"):
        assert (folder / name).is_file()
    text = "".join(path.read_text() for path in folder.glob("**/*.py"))
    assert not re.search(r"^\s*(from|import) rft_widgets", text, re.MULTILINE)
    prompts = [Prompt(id=r["id"], text="", item=r["item"], tools=[]) for r in rows[:3]]
    answers = [{"role": "assistant", "content": text} for text in ("1", "?", "3")]
    assert find_grader(folder, 1).grade(prompts, answers) == [1.0, 0.0, 1.0]


def test_a_grader_that_raises_is_a_failed_grading(tmp_path):
    (tmp_path / "reward.py").write_text(
        "def reward(prompts, completions, item, **kwargs):\n"
        "    return [1 / float(one[0]['content']) for one in completions]\n"
    )
    prompts = [Prompt(id=str(n), text="", item="{}", tools=[]) for n in range(3)]
    answers = [{"role": "assistant", "content": text} for text in ("2", "0", "nan")]
    assert find_grader(tmp_path, 1).grade(prompts, answers) == [0.5, None, None]
    with pytest.raises(FileNotFoundError, match="README"):
        find_grader(tmp_path / "elsewhere", 1)


def test_records_without_a_question_are_left_out_and_counted():
    picture = ({"type": "image_url", "image_url": {"url": "data:"}},)
    records = [
        record(1),
        record(2, Message("user", "?"), Message("assistant", "!")),
        record(3, Message("user", picture)),
        record(4, Message("user", ({"type": "text", "text": "Hello"},))),
    ]
    used, notes = usable_records(records)
    assert [one.id for one in used] == ["r1", "r4"]
    assert len(notes) == 2
    assert notes[0].startswith("1 of 4 records are left out: their prompt ends with an answer")


# -- rewards over the loopback --------------------------------------------------------------------


PROMPTS = [Prompt(id=f"r{n}", text="", item="{}", tools=[]) for n in (1, 2)]
ANSWERS = [{"role": "assistant", "content": "one"}, {"role": "assistant", "content": "two"}]


def test_rewards_come_from_the_jobs_rewarder_even_after_it_moved(tmp_path):
    records = [record(1), record(2)]
    asked: list[tuple[str, str]] = []

    def rewarder(pairs):
        asked.extend((sample.output_text, item["answer"]) for sample, item in pairs)
        return [0.25, None]

    grader = ServiceGrader(tmp_path, 20)
    with RewardService(tmp_path, records, rewarder, is_wanted_stop=bool) as first:
        assert grader.grade(PROMPTS, ANSWERS) == [0.25, None]
        assert first.gradings == 2
    address = (tmp_path / "control/grader.json").read_bytes()
    assert (tmp_path / "control/grader.json").stat().st_mode & 0o077 == 0
    found: list[Any] = []
    waiting = threading.Thread(target=lambda: found.append(grader.grade(PROMPTS, ANSWERS)))
    waiting.start()
    time.sleep(0.5)
    with RewardService(tmp_path, records, rewarder, is_wanted_stop=bool) as second:
        waiting.join(20)
        assert found == [[0.25, None]]
        assert (tmp_path / "control/grader.json").read_bytes() != address
        first.withdraw()
        assert (tmp_path / "control/grader.json").exists(), "it is the second one's"
        second.withdraw()
        assert not (tmp_path / "control/grader.json").exists()
    assert asked == [("one", "1"), ("two", "2")] * 2
    grader.close()


def test_a_run_that_is_to_stop_is_told_so_and_a_wrong_token_nothing(tmp_path):
    def interrupted(pairs):
        raise RunInterrupted("asked to pause")

    wanted = True
    with RewardService(
        tmp_path, [record(1), record(2)], interrupted, is_wanted_stop=lambda: wanted
    ) as service:
        grader = ServiceGrader(tmp_path, 0.3)
        with pytest.raises(StopAsked):
            grader.grade(PROMPTS, ANSWERS)
        wanted = False
        with pytest.raises(GraderLost):
            grader.grade(PROMPTS, ANSWERS)
        path = tmp_path / "control/grader.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | {"token": "wrong"}))
        with pytest.raises(GraderLost):
            grader.grade(PROMPTS, ANSWERS)
        assert service.gradings == 0


# -- what the program writes ----------------------------------------------------------------------


def test_a_run_is_read_as_it_is_written_and_anew_after_a_restart(tmp_path):
    (tmp_path / "measured").mkdir()
    valid = [record(1), record(2)]
    followed = Followed(tmp_path, [record(3)], valid, 0)
    metrics = tmp_path / "metrics.jsonl"

    def line(step: int, reward: float) -> str:
        metrics = {
            "reward": reward, "step_time": 2.0, "frac_reward_zero_std": 0.5,
            "completions/mean_length": 7.0, "clip_ratio/region_mean": 0.1, "kl": 0.2,
        }  # fmt: skip
        return json.dumps({"step": step, "epoch": step / 2, "metrics": metrics}) + "\n"

    metrics.write_text(line(1, 0.1) + line(2, 0.2) + line(3, 0.3)[:20])
    followed.read_metrics()
    assert [(one.step, one.train_reward) for one in followed.curve] == [(1, 0.1), (2, 0.2)]
    point = followed.curve[0]
    assert (point.step_s, point.flat_share, point.completion_tokens) == (2.0, 0.5, 7.0)
    assert (point.clip_share, point.kl, point.epoch) == (0.1, 0.2, 0.5)
    fresh = tmp_path / "fresh"
    fresh.write_text(line(1, 0.1))
    fresh.replace(metrics)
    followed.read_metrics()
    assert [one.step for one in followed.curve] == [1]

    def rewarder(pairs):
        return [float(sample.output_text == item["answer"]) for sample, item in pairs]

    answers = {"r1": {"role": "assistant", "content": "1"}}
    path = tmp_path / "measured/step-000000.json"
    path.write_text(json.dumps({"step": 0, "answers": answers}))
    assert followed.measure(rewarder, lambda: None) == [0]
    assert followed.measured[0].rewards == (1.0, None)
    assert followed.curve[0].valid is not None

    def never(pairs):
        raise AssertionError("it was graded before")

    again = Followed(tmp_path, [], valid, 0)
    assert again.measure(never, lambda: None) == [0]
    path.write_text(json.dumps({"step": 0, "answers": answers | {"r2": ANSWERS[1]}}))
    assert again.measure(rewarder, lambda: None) == [0]
    assert again.measured[0].rewards == (1.0, 0.0)

    rollout = {"record": "r3", "answer": ANSWERS[0], "reward": 0.5, "advantage": 1.0, "tokens": 3}
    text = json.dumps({"step": 1, "rollouts": [rollout]}) + "\n"
    (tmp_path / "rollouts.jsonl").write_text(text + text[:9])
    ((step, (read,)),) = followed.read_rollouts()
    assert (step, read.prompt, read.answer, read.completion_tokens) == (1, "What is 3?", "one", 3)
    assert followed.rollouts_read == len(text)
    checkpoint = tmp_path / "checkpoints/checkpoint-1"
    checkpoint.mkdir(parents=True)
    assert followed.fresh_checkpoints() == [], "it is not complete yet"
    (checkpoint / "complete").touch()
    (found,) = followed.fresh_checkpoints()
    assert (found.step, found.model) == (1, "checkpoints/checkpoint-1")
    assert followed.fresh_checkpoints() == []


def test_failures_say_what_to_lower():
    error = failure("OutOfMemoryError: CUDA out of memory.", "the last line")
    assert isinstance(error, RftError)
    assert "the last line" in str(error)
    assert "Lower per_device_batch" in str(error)
