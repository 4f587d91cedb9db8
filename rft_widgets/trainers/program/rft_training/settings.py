"""What a run is: everything that stands in `config.json`."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of a run.

    Attributes
    ----------
    model
        A folder with weights and tokenizer, or a name of the hub.
    is_folder
        Whether it is a folder, so that nothing is downloaded.
    n_epochs, max_steps
        Times that each prompt is learned from; at most so many steps.
    prompts_per_step, generations
        Prompts of a step, and answers that are sampled for each.
    per_device_batch
        Answers that one process computes gradients of at a time. What is left of a step is
        accumulated.
    num_processes
        Processes, one a GPU.
    lora
        ``full`` trains all weights, ``lora`` an adapter of ``lora_rank``.
    measure_at_most, save_every
        Measured steps beside the first one, evenly spread; steps between two checkpoints, ``None``
        for every measured step.
    wait_for_grader_s
        How long to wait for whoever grades before the run ends; it can be taken up again.
    """

    model: str
    is_folder: bool
    seed: int
    n_epochs: int
    max_steps: int | None
    learning_rate: float
    scheduler: str
    prompts_per_step: int
    generations: int
    per_device_batch: int
    num_processes: int
    max_completion_tokens: int
    temperature: float
    beta: float
    loss_type: str
    scale_rewards: str
    lora: Literal["full", "lora"]
    lora_rank: int
    precision: Literal["auto", "bf16", "fp32"]
    use_vllm: Literal["auto", "no", "colocate"]
    measure_at_most: int
    save_every: int | None
    wait_for_grader_s: float = 1800.0

    @property
    def accumulation(self) -> int:
        """Batches of one process that make a step."""
        answers = self.prompts_per_step * self.generations
        return answers // (self.per_device_batch * self.num_processes)

    @property
    def answers_a_process(self) -> int:
        """Answers that one process samples in a step."""
        return self.prompts_per_step * self.generations // self.num_processes

    def steps(self, prompts: int) -> int:
        """Steps of a run on so many prompts; what does not fill a step is left out of its epoch."""
        steps = prompts // self.prompts_per_step * self.n_epochs
        return steps if self.max_steps is None else min(steps, self.max_steps)

    def measured_steps(self, steps: int) -> frozenset[int]:
        """Steps after which the validation records are answered; always the first and the last."""
        looks = min(self.measure_at_most, steps)
        return frozenset({0, steps, *(round(steps * n / max(1, looks)) for n in range(looks + 1))})


def read_settings(folder: Path) -> Settings:
    """Read `config.json` of a folder."""
    return msgspec.json.decode((folder / "config.json").read_bytes(), type=Settings)
