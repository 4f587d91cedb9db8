"""Asking a model for the candidates of a batch, and keeping what comes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal

import msgspec

from rft_widgets.dataset.asking import ModelLike
from rft_widgets.dataset.coverage import HasCoverage
from rft_widgets.dataset.generation_material import read_materials
from rft_widgets.dataset.generation_state import part_of
from rft_widgets.errors import RunInterrupted
from rft_widgets.llm.client import ModelClient
from rft_widgets.model.estimate import micro_usd
from rft_widgets.model.generation import Candidate, GenerationConfig
from rft_widgets.model.llm import ModelAnswer, is_reasoning_model
from rft_widgets.steps.generation import (
    Judge,
    Request,
    Run,
    diversity_by_topic,
    last_asked,
    schema_of,
    tokens_of,
)
from rft_widgets.steps.progress import Told
from rft_widgets.store import generation as batches
from rft_widgets.store import history
from rft_widgets.store.generation import Fill, StoredBatch, StoredCandidate
from rft_widgets.store.generation_sources import ids_and_rows, recorded_of
from rft_widgets.store.placements import read_prompts

if TYPE_CHECKING:
    from rft_widgets.store.connection import Store

_LOOK_UP = 2_000
"""Records that are read between two looks at whether the work should stop."""
_REPEATS_A_BATCH = 100_000
"""Requests of a batch for one topic, at most: a later batch that asks the same is another repeat,
or it would be answered with what an earlier one brought."""


def ask_for_candidates(
    dataset: HasCoverage,
    batch: StoredBatch,
    fill: Fill,
    rows: Sequence[StoredCandidate],
    model: ModelLike,
    *,
    max_cost_usd: float | None,
    told: Told,
    cancelled: Callable[[], bool],
) -> None:
    """Ask until a fill of a batch is complete; each request's candidates are stored as they come.

    Parameters
    ----------
    dataset, batch, fill
        What is asked for.
    rows
        Candidates that the batch has.
    model
        Which model to ask.
    max_cost_usd, told, cancelled
        As for `OptimizationDataset.generate`.
    """
    store, plan = dataset._store, batch.plan  # noqa: SLF001 - a part of it
    told(None, "reading what there is")
    materials = read_materials(store, dataset.id, plan.config, plan.topics, dataset.topics)
    judge = _judge(store, dataset.id, plan.config, rows, cancelled)

    def keep(found: Sequence[Candidate], number: int, request: int) -> None:
        batches.add(store, batch.id, found, round_number=number, request=request)

    with dataset._client(  # noqa: SLF001 - a part of it
        model,
        purpose="generate",
        cap_micro_usd=micro_usd(max_cost_usd),
        cancelled=cancelled,
        planned=part_of(plan, fill),
    ) as client:
        Run(plan, fill, materials, rows).ask(
            lambda request: _answer(client, request, plan.config, batch.number),
            judge,
            keep,
            concurrency=client.concurrency,
            cancelled=cancelled,
            told=told,
        )


def end_of_asking(
    store: Store, dataset_id: str, batch_id: str, status: Literal["stopped", "done"]
) -> None:
    """Note that no more candidates come, how different they are, and that in the log."""
    with store.read() as connection:
        good = batches.read_candidates(connection, batch_id, fault="")
    texts: dict[str, list[str]] = defaultdict(list)
    for one in good:
        if one.candidate.state != "regenerated":
            texts[one.candidate.topic].append(one.candidate.text)
    recorded = {
        topic: [
            last_asked(record.input.messages)
            for record in recorded_of(store, dataset_id, topic, most=len(some), seed="diversity")
        ]
        for topic, some in texts.items()
    }
    with store.write(durable=True) as connection:
        batch = batches.read(connection, dataset_id, batch_id)
        batches.end(
            connection,
            batch_id,
            status,
            diversity=diversity_by_topic(texts),
            recorded_diversity=diversity_by_topic(recorded),
        )
        details = {
            "batch": batch_id,
            "model": batch.model.model,
            "config": msgspec.to_builtins(batch.plan.config),
            "planned": batch.plan.total,
            "good": sum(map(len, texts.values())),
            "status": status,
        }
        history.log(connection, dataset_id, "generate", details)


def _judge(
    store: Store,
    dataset_id: str,
    config: GenerationConfig,
    rows: Sequence[StoredCandidate],
    cancelled: Callable[[], bool],
) -> Judge:
    with store.read() as connection:
        ids, seqs = ids_and_rows(connection, dataset_id)
    texts: list[str] = []
    for text in read_prompts(store, seqs, last_asked):
        texts.append(text)
        if len(texts) % _LOOK_UP == 0 and cancelled():
            raise RunInterrupted("It was stopped.", hint="Go on any time.")
    return Judge(config, ids, texts, [o.candidate for o in rows if o.candidate.fault is None])


def _answer(
    client: ModelClient, request: Request, config: GenerationConfig, batch_number: int
) -> ModelAnswer:
    # Models that think take no temperature, and think on the tokens of their answer.
    thinks = is_reasoning_model(client.model)
    return client.ask(
        request.messages,
        temperature=None if thinks else config.temperature,
        max_tokens=None if thinks else tokens_of(request, config.max_length),
        response_schema=schema_of(request),
        repeat=batch_number * _REPEATS_A_BATCH + request.number,
    )
