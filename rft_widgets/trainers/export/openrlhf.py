"""A training run for OpenRLHF (0.11): JSON lines, a reward function, and the command."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from rft_widgets.graders.compile import write_grader
from rft_widgets.model.connection import ConnectionSettings
from rft_widgets.steps.export import replacing
from rft_widgets.trainers.export.rows import (
    Written,
    item_text,
    prompt_of,
    sides_of,
    write_readme,
    write_script,
)
from rft_widgets.trainers.trl.directory import Parts
from rft_widgets.trainers.trl.settings import trl_settings

_COMMAND = """\
exec python3 -m openrlhf.cli.train_ppo_ray \\
    --actor.model_name_or_path "$MODEL" \\
    --actor.num_nodes "$NODES" --actor.num_gpus_per_node "$GPUS" \\
    --ref.num_nodes "$NODES" --ref.num_gpus_per_node "$GPUS" \\
    --vllm.num_engines "$((NODES * GPUS / TENSOR_PARALLEL))" \\
    --vllm.tensor_parallel_size "$TENSOR_PARALLEL" \\
    --vllm.gpu_memory_utilization 0.6 --vllm.enforce_eager --vllm.enable_sleep \\
    --train.colocate_all --ds.enable_sleep \\
    --reward.remote_url "$HERE/grader/reward_func.py" \\
    --data.prompt_dataset "$HERE/train.jsonl" \\
    --data.input_key prompt --data.label_key label --data.apply_chat_template \\
    --data.max_len "$((MAX_PROMPT_TOKENS + MAX_COMPLETION_TOKENS))" \\
    --rollout.max_new_tokens "$MAX_COMPLETION_TOKENS" \\
    --rollout.batch_size "$PROMPTS_PER_STEP" --rollout.micro_batch_size "$MICRO_BATCH" \\
    --rollout.n_samples_per_prompt "$GENERATIONS" --rollout.temperature "$TEMPERATURE" \\
    --train.batch_size "$((PROMPTS_PER_STEP * GENERATIONS))" \\
    --train.micro_batch_size "$MICRO_BATCH" \\
    --train.max_epochs 1 --train.num_episodes "$EPOCHS" --train.seed "$SEED" \\
    --actor.adam.lr "$LEARNING_RATE" --actor.gradient_checkpointing_enable \\
    --algo.advantage.estimator group_norm --algo.kl.init_coef "$KL_WEIGHT" \\
    --ds.lora.rank "$LORA_RANK" \\
    --eval.dataset "$HERE/valid.jsonl" --eval.steps "$TEST_EVERY" \\
    --eval.n_samples_per_prompt 1 \\
    --ckpt.output_dir "$HERE/model" --ckpt.path "$HERE/checkpoints" \\
    --ckpt.save_steps "$TEST_EVERY" --ckpt.save_hf \\
    "${KL[@]}" "$@"
"""
_KL = """\
KL=()
if [ "$KL_WEIGHT" != 0 ] && [ "$KL_WEIGHT" != 0.0 ]; then
    KL=(--algo.kl.use_loss --algo.kl.estimator k3)
fi

"""

_WORDS = """\
```
pip install 'openrlhf[vllm]'
pip install -r grader/requirements.txt
GPUS=8 ./run.sh
```

`run.sh` takes every setting from the environment, and passes what follows it on to OpenRLHF; on a
cluster it is submitted with `ray job submit --working-dir . -- bash run.sh`. It was written for the
dotted options of OpenRLHF 0.11. In `PROMPTS_PER_STEP` x `GENERATIONS` / `MICRO_BATCH` there have to
be at least as many batches as GPUs.

- `train.jsonl`, `valid.jsonl`: `prompt` (chat messages), `label` (what the grader needs, as JSON
  text), `datasource` and `record_id`.
"""


def write(
    parts: Parts, folder: Path, name: str, connections: Sequence[ConnectionSettings]
) -> Written:
    """Write the folder."""
    settings = trl_settings(parts.config)
    sides = sides_of(parts, "OpenRLHF")
    folder.mkdir(parents=True, exist_ok=True)
    for split, records in (("train", sides.train), ("valid", sides.valid)):
        with replacing(folder / f"{split}.jsonl") as temporary, temporary.open("wb") as file:
            for record in records:
                row = {
                    "prompt": prompt_of(record),
                    "label": item_text(record),
                    "datasource": name,
                    "record_id": record.id,
                }
                file.write(msgspec.json.encode(row) + b"\n")
    grader = write_grader(
        parts.grader, folder / "grader", target="openrlhf", name=name, connections=connections
    )
    steps = max(1, settings.steps(len(sides.train)))
    launch = write_script(
        folder / "run.sh",
        "GRPO with OpenRLHF; every setting can be given in the environment.",
        {
            "MODEL": settings.model,
            "NODES": 1,
            "GPUS": settings.num_processes,
            "TENSOR_PARALLEL": 1,
            "EPOCHS": settings.n_epochs,
            "PROMPTS_PER_STEP": settings.prompts_per_step,
            "GENERATIONS": settings.generations,
            "MICRO_BATCH": 1,
            "MAX_PROMPT_TOKENS": sides.prompt_tokens,
            "MAX_COMPLETION_TOKENS": settings.max_completion_tokens,
            "TEMPERATURE": settings.temperature,
            "LEARNING_RATE": settings.learning_rate,
            "KL_WEIGHT": settings.beta,
            "LORA_RANK": settings.lora_rank if settings.lora == "lora" else 0,
            "TEST_EVERY": max(1, steps // settings.measure_at_most),
            "SEED": settings.seed,
        },
        _KL + _COMMAND,
    )
    write_readme(folder, "OpenRLHF", name, _WORDS, sides, grader.warnings)
    return Written(
        launch=launch,
        train=len(sides.train),
        valid=len(sides.valid),
        notes=(*sides.notes, *grader.warnings),
    )
