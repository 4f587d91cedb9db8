"""GRPO on the prompts and with the grader of this folder: ``python train.py``.

With several processes: ``accelerate launch --config_file accelerate.yaml train.py``. What is set
stands in config.json, what comes of it in metrics.jsonl, rollouts.jsonl, measured/ and
checkpoints/. Started again, it goes on from the last checkpoint. It needs torch, trl, msgspec and
rapidfuzz, and for an adapter peft.
"""

from __future__ import annotations

import logging
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER))

from rft_training.process import only_run, prepare_environment, rank
from rft_training.settings import Settings, read_settings

SETTINGS = read_settings(FOLDER)
prepare_environment(SETTINGS)  # before torch is loaded

import importlib.util

import msgspec
import torch
from datasets import Dataset
from rft_training.chat import Chat
from rft_training.grader import GraderLost, StopAsked, find_grader
from rft_training.journal import Journal, mark_complete
from rft_training.measure import Measuring
from rft_training.places import (
    CHECKPOINTS,
    ENDED,
    MEASURED,
    METRICS,
    PLAN,
    STOP,
    TRAIN,
    VALID,
    checkpoint_name,
    complete_checkpoints,
    write_whole,
)
from rft_training.prompts import Prompt, context_tokens, read_rows, render_prompts
from rft_training.rewards import Rewards
from transformers import AutoConfig, AutoTokenizer, PrinterCallback
from trl import GRPOConfig, GRPOTrainer


def main(folder: Path = FOLDER, settings: Settings = SETTINGS) -> str:
    """Train to the end, or until the run is to stop; ``done`` or ``paused``."""
    tokenizer = AutoTokenizer.from_pretrained(settings.model, padding_side="left")
    config = AutoConfig.from_pretrained(settings.model)
    chat = Chat(tokenizer, settings.model)
    context = context_tokens(tokenizer, config)
    train, valid = (
        render_prompts(read_rows(folder / name), chat, context, settings) for name in (TRAIN, VALID)
    )
    steps = settings.steps(len(train.used))
    if not steps:
        raise ValueError(
            f"{len(train.used)} prompts can be learned from, and a step takes "
            f"{settings.prompts_per_step}: lower prompts_per_step. {' '.join(train.notes)}".strip()
        )
    start = begin(folder)
    if rank() == 0:
        notes = [*train.notes, *(f"Of validation: {note}" for note in valid.notes)]
        plan = {"steps": steps, "prompts": len(train.used), "notes": notes}
        write_whole(folder / PLAN, plan)
    if start >= steps:
        return "done"
    if settings.num_processes == 1 and (folder / STOP).exists():
        return "paused"  # several hear it together, at the first step
    trainer = make_trainer(folder, settings, chat, train.used, valid.used, steps)
    last = str(folder / checkpoint_name(start)) if start else None
    try:
        trainer.train(resume_from_checkpoint=last)
    except StopAsked:
        save_now(folder, trainer)
    return "done" if trainer.state.global_step >= steps else "paused"


def make_trainer(
    folder: Path,
    settings: Settings,
    chat: Chat,
    train: Sequence[Prompt],
    valid: Sequence[Prompt],
    steps: int,
) -> GRPOTrainer:
    """TRL's trainer with this folder's prompts, rewards and journal."""
    grader = find_grader(folder, settings.wait_for_grader_s)
    measuring = Measuring(folder, settings, grader, chat, valid)
    longest = max(len(chat.tokens(one.text)) for one in train)
    trainer = GRPOTrainer(
        model=settings.model,
        reward_funcs=[Rewards(folder, settings, grader, chat, train)],
        args=grpo_arguments(folder, settings, steps, longest),
        train_dataset=Dataset.from_dict(
            {
                "prompt": [one.text for one in train],
                "record_id": [one.id for one in train],
            }
        ),
        processing_class=chat.tokenizer,
        callbacks=[Journal(folder, settings, measuring, steps)],
        peft_config=adapter(settings),
    )
    measuring.trainer = trainer
    trainer.remove_callback(PrinterCallback)  # metrics.jsonl has it all
    return trainer


def grpo_arguments(folder: Path, settings: Settings, steps: int, longest: int) -> GRPOConfig:
    """Everything that TRL is told."""
    has_gpu = torch.cuda.is_available()
    bf16 = settings.precision == "bf16" or (
        settings.precision == "auto" and has_gpu and torch.cuda.is_bf16_supported()
    )
    has_vllm = has_gpu and importlib.util.find_spec("vllm") is not None
    # All weights are trained in 32 bits, with bf16 in the computations; under an adapter the
    # weights stand still, so that 16 bits do.
    dtype = "bfloat16" if bf16 and settings.lora == "lora" else "float32"
    return GRPOConfig(
        output_dir=str(folder / CHECKPOINTS),
        max_steps=steps,
        per_device_train_batch_size=settings.per_device_batch,
        gradient_accumulation_steps=settings.accumulation,
        num_generations=settings.generations,
        max_completion_length=settings.max_completion_tokens,
        temperature=settings.temperature,
        learning_rate=settings.learning_rate,
        lr_scheduler_type=settings.scheduler,
        beta=settings.beta,
        loss_type=settings.loss_type,
        scale_rewards=settings.scale_rewards,
        seed=settings.seed,
        bf16=bf16,
        use_cpu=not has_gpu and not torch.backends.mps.is_available(),
        gradient_checkpointing=has_gpu,
        model_init_kwargs={"dtype": dtype, "device_map": None},
        use_vllm=settings.use_vllm == "colocate" or (settings.use_vllm == "auto" and has_vllm),
        vllm_mode="colocate",
        vllm_max_model_length=longest + settings.max_completion_tokens,
        logging_steps=1,
        save_strategy="no",  # the journal says when
        report_to="none",
        disable_tqdm=True,
    )


def adapter(settings: Settings) -> Any:
    """The adapter that is trained; ``None`` where all weights are."""
    if settings.lora == "full":
        return None
    from peft import LoraConfig

    rank = settings.lora_rank
    return LoraConfig(
        r=rank, lora_alpha=2 * rank, target_modules="all-linear", task_type="CAUSAL_LM"
    )


def begin(folder: Path) -> int:
    """The step to go on from; what was written after it goes, because it comes again."""
    complete = complete_checkpoints(folder)
    start = complete[-1][0] if complete else 0
    if rank() != 0:
        return start
    (folder / MEASURED).mkdir(exist_ok=True)
    whole = {path for _, path in complete}
    for path in (folder / CHECKPOINTS).glob("checkpoint-*"):
        if path not in whole:
            shutil.rmtree(path)
    for path in (folder / MEASURED).glob("step-*.json"):
        if path.stem.removeprefix("step-").isdecimal() and int(path.stem[5:]) > start:
            path.unlink()
    metrics = folder / METRICS
    if metrics.exists():
        lines = metrics.read_bytes().splitlines(keepends=True)
        kept = [line for line in lines if line.endswith(b"\n") and _step(line) <= start]
        draft = metrics.with_name(".metrics")
        draft.write_bytes(b"".join(kept))
        draft.replace(metrics)
    return start


def _step(line: bytes) -> int:
    return int(msgspec.json.decode(line)["step"])


def save_now(folder: Path, trainer: GRPOTrainer) -> None:
    """Save the weights of the last step, where the run stops in the middle of the next."""
    step = trainer.state.global_step
    if step and step not in dict(complete_checkpoints(folder)):
        trainer._save_checkpoint(trainer.model, trial=None)  # noqa: SLF001 - as train() does it
        if trainer.is_world_process_zero():
            mark_complete(folder, step)


def run(folder: Path = FOLDER, settings: Settings = SETTINGS) -> None:
    """Train, and leave word of how it ended."""
    logging.basicConfig(format="%(message)s")
    with only_run(folder):
        ended = folder / ENDED
        if rank() == 0:
            ended.unlink(missing_ok=True)
        try:
            reason = main(folder, settings)
        except GraderLost as error:
            write_whole(ended, {"reason": "lost_grader", "error": str(error)})
            raise
        except BaseException as error:
            write_whole(ended, {"reason": "failed", "error": f"{type(error).__name__}: {error}"})
            raise
        if rank() == 0:
            write_whole(ended, {"reason": reason, "error": ""})
            print(reason, flush=True)


if __name__ == "__main__":
    run()
