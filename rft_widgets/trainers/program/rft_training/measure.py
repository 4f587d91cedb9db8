"""Greedy answers to the validation prompts, by the weights as they are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

import torch
from accelerate.utils import gather_object
from transformers import GenerationConfig
from trl.models.utils import unwrap_model_for_generation

from .chat import Chat
from .grader import FolderGrader, Grader
from .places import measured_name, write_whole
from .prompts import Prompt
from .settings import Settings


class Measuring:
    """Answers the validation prompts in the middle of a run, every process its share."""

    def __init__(
        self,
        folder: Path,
        settings: Settings,
        grader: Grader,
        chat: Chat,
        prompts: Sequence[Prompt],
    ) -> None:
        self._folder = folder
        self._settings = settings
        self._chat = chat
        self._prompts = sorted(prompts, key=lambda one: (len(one.text), one.id))
        self._grader = grader
        self.trainer: Any = None

    def measure(self, step: int) -> None:
        """Answer every prompt and write that down; a grader of this folder gives rewards, too."""
        accelerator = self.trainer.accelerator
        world, rank = accelerator.num_processes, accelerator.process_index
        # Every process makes as many batches as the others: sharded weights need all of them.
        padded = -(-len(self._prompts) // world) * world
        mine = [self._prompts[n % len(self._prompts)] for n in range(rank, padded, world)]
        answers = self._answers(mine)
        found = dict(gather_object(list(answers.items())) if world > 1 else answers)
        if rank == 0:
            written: dict[str, Any] = {"step": step, "answers": found}
            if isinstance(self._grader, FolderGrader):
                written["rewards"] = self._rewards(found)
            write_whole(self._folder / measured_name(step), written)

    def _answers(self, prompts: Sequence[Prompt]) -> dict[str, dict[str, Any]]:
        trainer, settings = self.trainer, self._settings
        tokenizer = trainer.processing_class
        size = settings.answers_a_process  # as many at a time as a step samples: they fit
        greedy = GenerationConfig(
            do_sample=False,
            max_new_tokens=settings.max_completion_tokens,
            pad_token_id=tokenizer.pad_token_id,
            eos_token_id=trainer.eos_token_ids,
        )
        found = {}
        was_training = trainer.model.training
        trainer.model.eval()
        with (
            unwrap_model_for_generation(
                trainer.model_wrapped,
                trainer.accelerator,
                gather_deepspeed3_params=trainer.args.ds3_gather_for_generation,
                gradient_checkpointing_kwargs=trainer.args.gradient_checkpointing_kwargs,
            ) as model,
            torch.no_grad(),
        ):
            for start in range(0, len(prompts), size):
                some = prompts[start : start + size]
                batch = tokenizer(
                    [one.text for one in some],
                    return_tensors="pt",
                    padding=True,
                    padding_side="left",
                    return_token_type_ids=False,
                ).to(trainer.accelerator.device)
                written = model.generate(**batch, generation_config=greedy)
                for one, tokens in zip(some, written[:, batch["input_ids"].size(1) :], strict=True):
                    ids = _until_end(tokens.tolist(), trainer.eos_token_ids)
                    found[one.id] = self._chat.answer(ids, one.text, one.tools)
        trainer.model.train(was_training)
        return found

    def _rewards(self, answers: dict[str, dict[str, Any]]) -> dict[str, float | None]:
        asked = [one for one in self._prompts if one.id in answers]
        rewards = self._grader.grade(asked, [answers[one.id] for one in asked])
        known = [reward for reward in rewards if reward is not None]
        if known:
            print(f"  validation reward {fmean(known):.3f} on {len(known)} prompts", flush=True)
        return {one.id: reward for one, reward in zip(asked, rewards, strict=True)}


def _until_end(tokens: list[int], ends: Sequence[int]) -> list[int]:
    for place, token in enumerate(tokens):
        if token in ends:
            return tokens[: place + 1]
    return tokens
