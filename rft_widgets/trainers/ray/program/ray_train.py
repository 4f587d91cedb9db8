"""GRPO on the prompts of this folder by the workers of a Ray cluster: ``python ray_train.py``.

It is the entrypoint of a Ray job. The workers run `train.py` in a folder of the run under the
storage; what the first of them writes there comes out here, as lines that whoever submitted the
job reads in its log. ``python ray_train.py stop`` asks a run to save a checkpoint and end, and
``python ray_train.py fetch FILE...`` prints files of its folder.
"""

from __future__ import annotations

import base64
import importlib
import json
import os
import shutil
import sys
import threading
from pathlib import Path
from typing import Any

import ray

MARK = "@rft "
"""What a line begins with that is meant for whoever submitted the job."""
SPACE = "rft_widgets"
LOOK_S = 0.5
PART = 48 * 1024
GROWING = ("metrics.jsonl", "rollouts.jsonl")
WHOLE = ("control/plan.json", "control/ended.json")
HERE = Path(__file__).resolve().parent


def main() -> None:
    """Do what the command line says."""
    options = json.loads((HERE / "ray.json").read_bytes())
    if not sys.argv[1:]:
        import torch  # noqa: F401 - loaded before Ray has threads, or it may crash
    ray.init(namespace=SPACE, log_to_driver=True)
    if sys.argv[1:2] == ["stop"]:
        ray.get(ray.get_actor(options["name"]).stop.remote())
    elif sys.argv[1:2] == ["fetch"]:
        fetch(options, sys.argv[2], sys.argv[3:])
    else:
        train(options)


# The run -----------------------------------------------------------------------------------------


class Mailbox:
    """Between the first worker, who writes, and the job's own process, who prints."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.stops = False

    def put(self, lines: list[str]) -> bool:
        """Take lines, and say whether the run is to stop."""
        self.lines += lines
        return self.stops

    def take(self) -> list[str]:
        """Give the lines that came since the last time."""
        lines, self.lines = self.lines, []
        return lines

    def stop(self) -> None:
        """Have the run stop."""
        self.stops = True


def train(options: dict[str, Any]) -> None:
    """Train, and print what comes of it."""
    from ray.train import FailureConfig, RunConfig, ScalingConfig
    from ray.train.torch import TorchTrainer

    mailbox = ray.remote(Mailbox).options(name=options["name"], num_cpus=0).remote()
    there = ray.cluster_resources()
    wanted = {"CPU": options["cpus_per_worker"]}
    use_gpu = options["use_gpu"] == "yes" or (
        options["use_gpu"] == "auto" and there.get("GPU", 0) >= options["workers"]
    )
    if use_gpu:
        wanted["GPU"] = 1
    for kind, each in wanted.items():
        if there.get(kind, 0) < each * options["workers"]:
            words = f"The cluster has {there.get(kind, 0):g} {kind}, and the workers take "
            say({"log": f"{words}{each * options['workers']:g}: it waits for more."})
    trainer = TorchTrainer(
        work,
        train_loop_config=options,
        scaling_config=ScalingConfig(
            num_workers=options["workers"],
            use_gpu=use_gpu,
            resources_per_worker=wanted,
        ),
        run_config=RunConfig(
            name=options["name"],
            storage_path=options["storage"],
            failure_config=FailureConfig(max_failures=options["most_failures"]),
        ),
    )
    done = threading.Event()
    printing = threading.Thread(target=print_lines, args=(mailbox, done))
    printing.start()
    try:
        trainer.fit()
    finally:
        done.set()
        printing.join()


def print_lines(mailbox: Any, done: threading.Event) -> None:
    """Print what the first worker says, until all is said."""
    while True:
        is_last = done.is_set()
        for line in ray.get(mailbox.take.remote()):
            say(line)
        if is_last:
            return
        done.wait(LOOK_S)


def say(value: Any) -> None:
    """Print a line in one piece, so that nothing comes between."""
    text = value if isinstance(value, str) else json.dumps(value)
    sys.stdout.flush()
    os.write(1, f"{MARK}{text}\n".encode())


def work(options: dict[str, Any]) -> None:
    """What each worker does: the training of `train.py`, in the folder of the run."""
    import torch
    from rft_training.settings import read_settings

    program = importlib.import_module("train")  # of this folder, which Ray put on every node
    folder = Path(options["storage"]) / options["name"]
    if int(os.environ["LOCAL_RANK"]) == 0:
        shutil.copytree(
            program.FOLDER, folder, dirs_exist_ok=True,
            ignore=shutil.ignore_patterns("__pycache__", "ray.json"),
        )  # fmt: skip
        (folder / "control").mkdir(exist_ok=True)
        if int(os.environ["RANK"]) == 0:
            for name in ("control/stop", *WHOLE):
                (folder / name).unlink(missing_ok=True)
            shutil.copyfile(program.FOLDER / "ray.json", folder / "control" / "ray.json")
    torch.distributed.barrier()
    if int(os.environ["RANK"]) != 0:
        program.run(folder, read_settings(folder))
        return
    done = threading.Event()
    courier = threading.Thread(target=carry, args=(options["name"], folder, done))
    courier.start()
    try:
        program.run(folder, read_settings(folder))
    finally:
        done.set()
        courier.join()


# What comes back ---------------------------------------------------------------------------------


def carry(name: str, folder: Path, done: threading.Event) -> None:
    """Bring to the mailbox whatever is new in the folder of the run, and the wish to stop back."""
    mailbox = ray.get_actor(name, namespace=SPACE)
    news = News(folder)
    ray.get(mailbox.put.remote([json.dumps({"node": ray.get_runtime_context().get_node_id()})]))
    while True:
        is_last = done.is_set()
        if ray.get(mailbox.put.remote([json.dumps(one) for one in news.look()])):
            (folder / "control" / "stop").touch()
        if is_last:
            return
        done.wait(LOOK_S)


class News:
    """What is new in the folder of a run since one looked last."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.at: dict[str, tuple[int, int]] = {}
        self.seen: dict[str, int] = {}

    def look(self) -> list[dict[str, Any]]:
        """Parts of files, and checkpoints."""
        found: list[dict[str, Any]] = []
        for name in GROWING:
            found += self.grown(name)
        answers = sorted(self.folder.glob("measured/step-*.json"))
        for name in (*(f"measured/{path.name}" for path in answers), *WHOLE):
            found += self.whole(name)
        for path in sorted(self.folder.glob("checkpoints/checkpoint-*/complete")):
            step = path.parent.name
            if step not in self.seen:
                self.seen[step] = 1
                found.append({"checkpoint": step})
        return found

    def grown(self, name: str) -> list[dict[str, Any]]:
        """What was appended to a file; all of it, where it is another one now."""
        path = self.folder / name
        if not path.exists():
            return []
        with path.open("rb") as file:
            number = os.fstat(file.fileno()).st_ino
            known, start = self.at.get(name, (number, 0))
            size = os.fstat(file.fileno()).st_size
            if known != number or size < start:
                start = 0
            file.seek(start)
            content = file.read()
        content = content[: content.rfind(b"\n") + 1]
        self.at[name] = (number, start + len(content))
        return [
            {"file": name, "at": start + place, "data": encoded(content[place : place + PART])}
            for place in range(0, len(content), PART)
        ]

    def whole(self, name: str) -> list[dict[str, Any]]:
        """A file that is written as a whole, if it is new."""
        path = self.folder / name
        try:
            changed = path.stat().st_mtime_ns
            if self.seen.get(name) == changed:
                return []
            content = path.read_bytes()
        except FileNotFoundError:
            return []
        self.seen[name] = changed
        return list(parts_of(name, content))


def parts_of(name: str, content: bytes) -> list[dict[str, Any]]:
    """A file as parts, the last of which says that it is whole."""
    places = range(0, max(1, len(content)), PART)
    return [
        {"file": name, "at": at, "data": encoded(content[at : at + PART]),
         "whole": at + PART >= len(content)}
        for at in places
    ]  # fmt: skip


def encoded(content: bytes) -> str:
    """Bytes as text of a line."""
    return base64.b64encode(content).decode()


# Files of the run --------------------------------------------------------------------------------


def fetch(options: dict[str, Any], node: str, names: list[str]) -> None:
    """Print files, or the sizes of all in the checkpoints where none is named."""
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    near = NodeAffinitySchedulingStrategy(node_id=node, soft=True)
    folder = str(Path(options["storage"]) / options["name"])
    if not names:
        listed = ray.remote(num_cpus=0)(listing).options(scheduling_strategy=near)
        say({"sizes": ray.get(listed.remote(folder))})
        return
    read = ray.remote(num_cpus=0)(part).options(scheduling_strategy=near)
    for name in names:
        at = 0
        while True:
            content, is_last = ray.get(read.remote(folder, name, at))
            for place in range(0, max(1, len(content)), PART):
                some = content[place : place + PART]
                ends = is_last and place + PART >= len(content)
                say({"file": name, "at": at + place, "data": encoded(some), "whole": ends})
            at += len(content)
            if is_last:
                break


def listing(folder: str) -> dict[str, int]:
    """Sizes of the files of all complete checkpoints."""
    found = {}
    for mark in Path(folder).glob("checkpoints/checkpoint-*/complete"):
        for path in mark.parent.rglob("*"):
            if path.is_file():
                found[str(path.relative_to(folder))] = path.stat().st_size
    return found


def part(folder: str, name: str, at: int) -> tuple[bytes, bool]:
    """Eight megabytes of a file, and whether these are the last."""
    with (Path(folder) / name).open("rb") as file:
        file.seek(at)
        content = file.read(8 * 1024**2)
        return content, not file.read(1)


if __name__ == "__main__":
    main()
