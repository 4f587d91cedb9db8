"""Training runs written for frameworks: what they read, what grades there, what is started."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import command_line
import pyarrow.parquet as pq
import pytest
from builders import assistant, call, tool, tool_message, user, write_jsonl

import rft_widgets as rft

GRADER = {
    "type": "string_check",
    "name": "exact",
    "input": "{{ sample.output_text }}",
    "reference": "{{ item.answer }}",
    "operation": "eq",
}
LINES = [
    *({"messages": [user(f"What is twice {n} plus nothing?"), assistant(str(2 * n))],
       "answer": str(2 * n)} for n in range(20)),
    {"messages": [user("Look up the order 17, please"),
                  assistant(None, tool_calls=[call()]), tool_message("call_1", "sent"),
                  user("And what does that mean?"), assistant("It is on its way.")],
     "tools": [tool()], "answer": "It is on its way."},
]  # fmt: skip
CONFIG = {
    "base_model": "owner/model",
    "hyperparameters": {"prompts_per_step": 4, "generations": 8, "num_processes": 2},
}


@pytest.fixture
def dataset(tmp_path: Path) -> rft.OptimizationDataset:
    workspace = rft.Workspace(f"sqlite:///{tmp_path}/store.db")
    dataset = workspace.create("Twice as much")
    dataset.import_records(write_jsonl(tmp_path, LINES))
    dataset.set_grader(GRADER)
    return dataset


def graded(folder: Path, code: str, *values: Any) -> Any:
    """What a reward function gives in a process that has no rft_widgets."""
    source = (
        "import json, sys; sys.modules['rft_widgets'] = None\n"
        f"sys.path.insert(0, {str(folder)!r}); values = json.load(sys.stdin)\n"
        f"{code}\nprint(json.dumps(found))"
    )
    done = subprocess.run(
        [sys.executable, "-c", source], input=json.dumps(values), cwd="/",
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def started(script: Path, **environment: str) -> list[str]:
    """What a script starts, told by a program that stands in for its python3."""
    stand_in = script.parent / "bin" / "python3"
    stand_in.parent.mkdir(exist_ok=True)
    stand_in.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    stand_in.chmod(0o755)
    path = f"{stand_in.parent}:{os.environ['PATH']}"
    done = subprocess.run(
        [str(script), "more=1"], capture_output=True, text=True, check=True,
        env=os.environ | {"PATH": path} | environment,
    )  # fmt: skip
    return done.stdout.splitlines()


def test_verl_reads_columns_of_its_own_and_grades_with_the_same_grader(
    dataset: rft.OptimizationDataset, tmp_path: Path
) -> None:
    made = dataset.export_training(tmp_path / "run", "verl", CONFIG)
    rows = pq.read_table(made.folder / "train.parquet").to_pylist()
    valid = pq.read_table(made.folder / "valid.parquet").to_pylist()
    assert (len(rows), len(valid)) == (made.train, made.valid)
    assert set(rows[0]) == {"data_source", "prompt", "ability", "reward_model", "extra_info"}
    split = dataset.split(CONFIG)
    by_id = {row["extra_info"]["record_id"]: row for row in (*rows, *valid)}
    assert set(by_id) == {*split.train_ids, *split.valid_ids}
    row = next(row for row in rows if row["prompt"][-1]["content"].startswith("What"))
    truth = row["reward_model"]["ground_truth"]
    answer = json.loads(truth)["answer"]
    code = (
        "from reward import compute_score\n"
        "found = [compute_score('', one, values[1])['score'] for one in values[0]]"
    )
    assert graded(made.folder / "grader", code, [answer, "no"], truth) == [1.0, 0.0]
    with_tools = next(row for row in by_id.values() if len(row["prompt"]) > 1)
    assert with_tools["prompt"][1]["tool_calls"][0]["function"]["name"] == "lookup"
    assert any("1 of 21 prompts offer tools" in note for note in made.notes)
    words = started(made.launch, GPUS="4")
    assert words[:2] == ["-m", "verl.trainer.main_ppo"]
    assert f"data.train_files={made.folder}/train.parquet" in words
    assert {"actor_rollout_ref.rollout.n=8", "trainer.n_gpus_per_node=4", "more=1"} <= set(words)
    assert "actor_rollout_ref.model.path=owner/model" in words


def test_openrlhf_reads_lines_and_grades_with_the_same_grader(
    dataset: rft.OptimizationDataset, tmp_path: Path
) -> None:
    config = CONFIG | {"hyperparameters": CONFIG["hyperparameters"] | {"beta": 0.01}}
    made = dataset.export_training(tmp_path / "run", "openrlhf", config)
    rows = [json.loads(line) for line in (made.folder / "train.jsonl").read_text().splitlines()]
    assert len(rows) == made.train
    assert {"prompt", "label"} <= set(rows[0])
    row = next(row for row in rows if row["prompt"][-1]["content"].startswith("What"))
    answer = json.loads(row["label"])["answer"]
    code = (
        "from reward_func import grade_queries\n"
        "found = [one.reward for one in grade_queries(*values)]"
    )
    prompt = "<user>twice<assistant>"
    queries = [f"{prompt}{answer}<|im_end|>", f"{prompt}no"]
    found = graded(made.folder / "grader", code, queries, [prompt] * 2, [row["label"]] * 2)
    assert found == [1.0, 0.0]
    words = started(made.launch)
    assert words[:2] == ["-m", "openrlhf.cli.train_ppo_ray"]
    assert words[words.index("--reward.remote_url") + 1].endswith("/grader/reward_func.py")
    assert words[words.index("--train.batch_size") + 1] == "32"
    assert "--algo.kl.use_loss" in words
    assert "--algo.kl.use_loss" not in started(made.launch, KL_WEIGHT="0")


def test_the_command_writes_a_folder_for_trl_and_still_writes_files(
    dataset: rft.OptimizationDataset, tmp_path: Path
) -> None:
    database = f"sqlite:///{tmp_path}/store.db"
    asked = ("export", dataset.id, "--database", database)
    folder = tmp_path / "run"
    made = command_line.answer(
        *asked, folder, "--for", "trl", "--base-model", "owner/model",
        "--set", "prompts_per_step=4", "--train-ratio", "0.8",
    )  # fmt: skip
    assert made["train"] + made["valid"] == 21
    assert {"train.py", "run.sh", "reward.py", "train.jsonl"} <= {
        one.name for one in folder.iterdir()
    }
    assert json.loads((folder / "config.json").read_text())["prompts_per_step"] == 4
    refused = command_line.run(*asked, folder, "--for", "verl", check=1)
    assert "No base_model is given" in refused.stderr
    assert command_line.answer(*asked, tmp_path / "all.jsonl")["records"] == 21
