"""A run of the trainer ``trl`` beside plain TRL: the same model, prompts, settings and rewards.

``python -m benchmarks.grpo_overhead [--device cuda]`` prints JSON. Both sides run in one process,
one after the other, in several rounds. Ours asks for its rewards over the loopback, as in the app,
and writes rollouts and metrics, which this process reads meanwhile. Counted are steps after the
first one, without loading and without the validation prompts, which plain TRL has none of; of all
rounds' steps the lower quartile, because whatever else the machine does only adds.
``cpu_s_a_step`` is this program's own time on the processor. ``same_rewards`` says that both sides
got the same rewards in every step, and ``curve`` is what the model learned. The model has a hundred
thousand random weights, so that a step is short and what is added to it shows.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from statistics import fmean, median, quantiles
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from rft_widgets.graders import Sample
from rft_widgets.model.grader import Grader, grader_from_json
from rft_widgets.model.message import Message
from rft_widgets.model.record import Record, RecordInput, RecordOutput
from rft_widgets.model.training import TrainingConfig
from rft_widgets.testing.tiny_model import make_tiny_model
from rft_widgets.trainers.base import TrainingData
from rft_widgets.trainers.trl.directory import write_training_directory
from rft_widgets.trainers.trl.follow import Followed
from rft_widgets.trainers.trl.service import RewardService

LARGEST_OVERHEAD = 0.05
_RECORDS, _VALID = 64, 8
_LOOK_S = 0.1
_SIDES = ("plain", "ours")
_SOURCE = "def grade(sample, item):\n    return 0.0\n"
_GRADER = grader_from_json({"type": "python", "name": "digits", "source": _SOURCE})
"""Stands in the folders; here the rewards come from `reward`, on both sides."""


class _Parts(NamedTuple):
    data: TrainingData
    config: TrainingConfig
    grader: Grader


def reward(text: str) -> float:
    """The share of an answer that is digits."""
    return sum(letter in "0123456789" for letter in text) / max(1, len(text))


def rewarder(pairs: Sequence[tuple[Sample, dict[str, Any]]]) -> list[float | None]:
    return [reward(sample.output_text) for sample, _ in pairs]


def measure(rounds: int, steps: int, most_s: float, folder: Path) -> dict[str, Any]:
    """Both sides in rounds, each beginning with the other one; lower quartiles of all steps."""
    model = make_tiny_model(folder / "model")
    records = [_record(n) for n in range(_RECORDS + _VALID)]
    data = TrainingData(train=tuple(records[:_RECORDS]), valid=tuple(records[_RECORDS:]))
    config = TrainingConfig(
        trainer="trl",
        base_model=str(model),
        hyperparameters={
            "n_epochs": 10, "max_steps": steps, "learning_rate": 1e-2, "prompts_per_step": 8,
            "generations": 8, "max_completion_tokens": 24, "per_device_batch": 64,
            "evaluations": 1, "use_vllm": "no",
        },
    )  # fmt: skip
    places = [folder / f"round-{n}" for n in range(rounds)]
    for place in places:
        write_training_directory(_Parts(data, config, _GRADER), place)
    done = threading.Event()
    followed = [Followed(place, data.train, data.valid, 0) for place in places]
    reader = threading.Thread(target=_follow, args=(followed, done), daemon=True)
    with ExitStack() as services:
        for place in places:
            services.enter_context(
                RewardService(place, records, rewarder, is_wanted_stop=lambda: True)
            )
        reader.start()
        command = [
            sys.executable, "-m", "benchmarks.grpo_overhead",
            "--inner", str(folder), "--most-s", str(most_s),
        ]  # fmt: skip
        found = subprocess.run(command, stdout=subprocess.PIPE, check=True)
        done.set()
        reader.join()
    inner = json.loads(found.stdout.splitlines()[-1])
    taken = {side: [one for part in inner["step_s"][side] for one in part] for side in _SIDES}
    plain, ours = (quantiles(taken[side], n=4)[0] for side in _SIDES)
    return {
        **inner,
        "step_s": {
            side: [round(median(part), 4) for part in inner["step_s"][side]] for side in _SIDES
        },
        "steps": steps,
        "plain_s_a_step": plain,
        "ours_s_a_step": ours,
        "overhead": ours / plain - 1,
        "cpu_overhead": fmean(inner["cpu_s_a_step"]["ours"]) / fmean(inner["cpu_s_a_step"]["plain"])
        - 1,
        "reached": ours / plain - 1 <= LARGEST_OVERHEAD,
    }


def _follow(followed: list[Followed], done: threading.Event) -> None:
    while not done.wait(_LOOK_S):
        for one in followed:
            one.read_metrics()
            one.read_rollouts()


def _record(n: int) -> Record:
    prompt = RecordInput((Message("user", f"Give me the number {n}."),))
    now = datetime.now(UTC)
    return Record(
        id=f"r{n}", dataset_id="digits", input=prompt, output=RecordOutput(), item={}, metadata={},
        span_id=None, thread_id=None, topic=None, topic_confidence=None, topic_method=None,
        topic_runner_up=None, previous_topic=None, is_generated=False, source_record_id=None,
        is_valid=True, validation_errors=(), dry_run_score=None, tokens=10, version=1,
        created_at=now, updated_at=now,
    )  # fmt: skip


# In the process that trains -----------------------------------------------------------------------


def train_in_rounds(folder: Path, most_s: float) -> dict[str, Any]:
    places = sorted(folder.glob("round-*"))
    sys.path.insert(0, str(places[0]))
    import torch
    import train as program
    import trl

    began, rewards = time.monotonic(), {}
    step_s: dict[str, list[list[float]]] = {side: [] for side in _SIDES}
    cpu_s: dict[str, list[float]] = {side: [] for side in _SIDES}
    for n, place in enumerate(places):
        for side in _SIDES if n % 2 == 0 else _SIDES[::-1]:
            trainer = (_plain if side == "plain" else _ours)(program, place)
            taken, cpu, rewards[side] = _timed(trainer)
            step_s[side].append(taken)
            cpu_s[side].append(round(cpu, 4))
        if (time.monotonic() - began) * (n + 2) / (n + 1) > most_s:
            break
    is_cuda = torch.cuda.is_available()
    return {
        "device": torch.cuda.get_device_name() if is_cuda else "cpu",
        "torch": torch.__version__,
        "trl": trl.__version__,
        "threads": torch.get_num_threads(),
        "step_s": step_s,
        "cpu_s_a_step": cpu_s,
        "same_rewards": rewards["plain"] == rewards["ours"],
        "curve": [round(one, 4) for one in rewards["ours"]],
    }


def _parts(program: Any, place: Path) -> tuple[Any, Any, list[Any], int]:
    settings = program.read_settings(place)
    tokenizer = program.AutoTokenizer.from_pretrained(settings.model, padding_side="left")
    chat = program.Chat(tokenizer, settings.model)
    prompts = [
        program.render_prompts(program.read_rows(place / name), chat, None, settings).used
        for name in (program.TRAIN, program.VALID)
    ]
    return settings, chat, prompts, settings.steps(len(prompts[0]))


def _ours(program: Any, place: Path) -> Any:
    settings, chat, (train, valid), steps = _parts(program, place)
    program.begin(place)
    return program.make_trainer(place, settings, chat, train, valid, steps)


def _plain(program: Any, place: Path) -> Any:
    """What one writes who follows TRL's documentation."""
    settings, chat, _, steps = _parts(program, place)
    rows = program.read_rows(place / program.TRAIN)
    longest = max(len(chat.tokens(chat.prompt(row.messages, []))) for row in rows)
    arguments = program.grpo_arguments(place / "plain", settings, steps, longest)

    def digits(completions: list[list[dict[str, str]]], **_: Any) -> list[float]:
        return [reward(completion[0]["content"]) for completion in completions]

    trainer = program.GRPOTrainer(
        model=settings.model,
        reward_funcs=[digits],
        args=arguments,
        train_dataset=program.Dataset.from_dict({"prompt": [row.messages for row in rows]}),
        processing_class=chat.tokenizer,
    )
    trainer.remove_callback(program.PrinterCallback)
    return trainer


def _timed(trainer: Any) -> tuple[list[float], float, list[float]]:
    """Seconds of each step, those of this process's CPU on average, and the reward of each."""
    import torch
    from transformers import TrainerCallback

    begun: list[tuple[float, float]] = []

    class Clock(TrainerCallback):
        def on_step_begin(self, *_: Any, **__: Any) -> None:
            if torch.cuda.is_available():
                torch.cuda.synchronize()
            begun.append((time.perf_counter(), time.process_time()))

    trainer.add_callback(Clock())
    trainer.train()
    rewards = [one["reward"] for one in trainer.state.log_history if "reward" in one]
    counted = begun[1:]
    taken = [after - before for (before, _), (after, _) in pairwise(counted)]
    return taken, (counted[-1][1] - counted[0][1]) / len(taken), rewards


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--steps", type=int, default=24)
    parser.add_argument(
        "--most-s", type=float, default=140.0, help="start no round that ends later"
    )
    parser.add_argument("--inner", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inner is not None:
        with open(os.dup(1), "w") as out:  # noqa: PTH123 - what others print goes elsewhere
            os.dup2(2, 1)
            out.write(json.dumps(train_in_rounds(options.inner, options.most_s)) + "\n")
        return
    if options.device == "cpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
        os.environ.setdefault("OMP_NUM_THREADS", "1")
    with TemporaryDirectory() as folder:
        found = measure(options.rounds, options.steps, options.most_s, Path(folder))
    if options.device == "cuda" and found["device"] == "cpu":
        sys.exit("There is no GPU that torch can use.")
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
