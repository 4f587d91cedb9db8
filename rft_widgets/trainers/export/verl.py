"""A training run for verl (0.9): Parquet files, a reward function, and the command."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rft_widgets.errors import ExtraRequired
from rft_widgets.graders.compile import write_grader
from rft_widgets.model.connection import ConnectionSettings
from rft_widgets.model.record import Record
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
exec python3 -m verl.trainer.main_ppo \\
    algorithm.adv_estimator=grpo \\
    algorithm.use_kl_in_reward=False \\
    data.train_files="$HERE/train.parquet" \\
    data.val_files="$HERE/valid.parquet" \\
    data.train_batch_size="$PROMPTS_PER_STEP" \\
    data.max_prompt_length="$MAX_PROMPT_TOKENS" \\
    data.max_response_length="$MAX_COMPLETION_TOKENS" \\
    data.filter_overlong_prompts=True \\
    data.truncation=error \\
    data.seed="$SEED" \\
    actor_rollout_ref.model.path="$MODEL" \\
    actor_rollout_ref.model.enable_gradient_checkpointing=True \\
    actor_rollout_ref.model.lora_rank="$LORA_RANK" \\
    actor_rollout_ref.actor.optim.lr="$LEARNING_RATE" \\
    actor_rollout_ref.actor.ppo_mini_batch_size="$PROMPTS_PER_STEP" \\
    actor_rollout_ref.actor.ppo_micro_batch_size_per_gpu="$MICRO_BATCH" \\
    actor_rollout_ref.actor.use_kl_loss="$USE_KL" \\
    actor_rollout_ref.actor.kl_loss_coef="$KL_WEIGHT" \\
    actor_rollout_ref.ref.log_prob_micro_batch_size_per_gpu="$MICRO_BATCH" \\
    actor_rollout_ref.rollout.name=vllm \\
    actor_rollout_ref.rollout.n="$GENERATIONS" \\
    actor_rollout_ref.rollout.temperature="$TEMPERATURE" \\
    actor_rollout_ref.rollout.tensor_model_parallel_size="$TENSOR_PARALLEL" \\
    actor_rollout_ref.rollout.gpu_memory_utilization=0.6 \\
    actor_rollout_ref.rollout.log_prob_micro_batch_size_per_gpu="$MICRO_BATCH" \\
    reward.custom_reward_function.path="$HERE/grader/reward.py" \\
    reward.custom_reward_function.name=compute_score \\
    trainer.project_name=rft \\
    trainer.experiment_name="$NAME" \\
    trainer.default_local_dir="$HERE/checkpoints" \\
    trainer.logger='["console"]' \\
    trainer.nnodes="$NODES" \\
    trainer.n_gpus_per_node="$GPUS" \\
    trainer.total_epochs="$EPOCHS" \\
    trainer.val_before_train=True \\
    trainer.test_freq="$TEST_EVERY" \\
    trainer.save_freq="$TEST_EVERY" \\
    "$@"
"""

_WORDS = """\
```
pip install verl vllm
pip install -r grader/requirements.txt
GPUS=8 ./run.sh
```

`run.sh` takes every setting from the environment, and passes what follows it on to verl. It was
written for verl 0.9; older versions have `custom_reward_function.*` in place of
`reward.custom_reward_function.*`.

- `train.parquet`, `valid.parquet`: `data_source`, `prompt` (chat messages), `ability` (the topic),
  `reward_model` (`ground_truth` is what the grader needs, as JSON text) and `extra_info`.
- `PROMPTS_PER_STEP` x `GENERATIONS` has to be a multiple of the number of GPUs.
"""


def write(
    parts: Parts, folder: Path, name: str, connections: Sequence[ConnectionSettings]
) -> Written:
    """Write the folder."""
    settings = trl_settings(parts.config)
    sides = sides_of(parts, "verl")
    folder.mkdir(parents=True, exist_ok=True)
    for split, records in (("train", sides.train), ("valid", sides.valid)):
        rows = [_row(record, place, split, name) for place, record in enumerate(records)]
        _write_parquet(folder / f"{split}.parquet", rows)
    grader = write_grader(
        parts.grader, folder / "grader", target="verl", name=name, connections=connections
    )
    steps = max(1, settings.steps(len(sides.train)))
    launch = write_script(
        folder / "run.sh",
        "GRPO with verl; every setting can be given in the environment.",
        {
            "MODEL": settings.model,
            "NAME": name,
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
            "USE_KL": settings.beta > 0,
            "KL_WEIGHT": settings.beta,
            "LORA_RANK": settings.lora_rank if settings.lora == "lora" else 0,
            "TEST_EVERY": max(1, steps // settings.measure_at_most),
            "SEED": settings.seed,
        },
        _COMMAND,
    )
    write_readme(folder, "verl", name, _WORDS, sides, grader.warnings)
    return Written(
        launch=launch,
        train=len(sides.train),
        valid=len(sides.valid),
        notes=(*sides.notes, *grader.warnings),
    )


def _row(record: Record, place: int, split: str, name: str) -> dict[str, Any]:
    return {
        "data_source": name,
        "prompt": prompt_of(record),
        "ability": record.topic or "",
        "reward_model": {"style": "rule", "ground_truth": item_text(record)},
        "extra_info": {"split": split, "index": place, "record_id": record.id},
    }


def _write_parquet(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    try:
        import pyarrow as pa  # noqa: PLC0415 - an extra
        import pyarrow.parquet as pq  # noqa: PLC0415
    except ImportError as error:
        raise ExtraRequired(
            "verl's data is Parquet, which needs pyarrow.",
            hint="Install it with: pip install 'rft-widgets[parquet]'",
        ) from error
    with replacing(path) as temporary:
        pq.write_table(pa.Table.from_pylist(list(rows), schema=_schema(rows)), temporary)


def _schema(rows: Sequence[dict[str, Any]]) -> Any:
    """Columns; of a message those fields that any of them has, which may be none but these two."""
    import pyarrow as pa  # noqa: PLC0415

    text = pa.string()
    call = pa.struct(
        [
            ("id", text),
            ("type", text),
            ("function", pa.struct([("name", text), ("arguments", text)])),
        ]
    )
    extra = {"name": text, "tool_call_id": text, "tool_calls": pa.list_(call)}
    used = {key for row in rows for message in row["prompt"] for key in message}
    message = pa.struct(
        [("role", text), ("content", text), *((k, v) for k, v in extra.items() if k in used)]
    )
    return pa.schema(
        [
            ("data_source", text),
            ("prompt", pa.list_(message)),
            ("ability", text),
            ("reward_model", pa.struct([("style", text), ("ground_truth", text)])),
            (
                "extra_info",
                pa.struct([("split", text), ("index", pa.int64()), ("record_id", text)]),
            ),
        ]
    )
