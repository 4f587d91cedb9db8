"""Finding topics in the records of a dataset, and putting these under them.

All is computed first, in columns of numbers, and written in one transaction: whoever is cancelled
or killed leaves everything as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import tee
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from rft_widgets.errors import InvalidArgument
from rft_widgets.model.topic import TopicHierarchy
from rft_widgets.model.topic_settings import CLUSTERING
from rft_widgets.steps.progress import Progress
from rft_widgets.steps.topics.auto import fit_topics
from rft_widgets.steps.topics.columns import TOPICS_STEP, columns_of, counted, teller
from rft_widgets.steps.topics.editing import put
from rft_widgets.steps.topics.embedded import EmbedTexts
from rft_widgets.steps.topics.model_names import ModelNamer
from rft_widgets.steps.topics.naming import Namer, NamerRecord, Names
from rft_widgets.steps.topics.reading import read_answered, read_questions, sample_rows
from rft_widgets.steps.topics.tree import Edit
from rft_widgets.store import activity, datasets, history, topics
from rft_widgets.store.fingerprint import fingerprint
from rft_widgets.store.placements import place, read_labels

if TYPE_CHECKING:
    from rft_widgets.store.connection import Store


def find_topics(
    store: Store,
    dataset_id: str,
    *,
    n_topics: int | None = None,
    depth: int | None = None,
    seed: int = 0,
    namer: Namer | Names | None = None,
    embed: EmbedTexts | None = None,
    asked: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] = bool,
) -> TopicHierarchy:
    """Find topics in the valid records, and put the records under them.

    Where records have answers that depend on what is asked, the answers say which words of the
    prompts count. Records are put under the topics by their prompts, with or without an answer.

    Parameters
    ----------
    store, dataset_id
        Where.
    n_topics, depth, seed
        As for `fit_topics`.
    namer
        Names the topics; or the names that one gave before.
    embed
        Places the prompts, instead of their words.
    asked
        What the log is to say of who was asked.
    progress
        Is told the share that is done (0..1) and what is being done.
    cancelled
        Asked all along; when it says so, nothing is changed.

    Raises
    ------
    InvalidArgument
        There is no valid record, or none that says anything.
    RunInterrupted
        It was cancelled.
    """
    with store.read() as connection:
        datasets.live_set(connection, dataset_id)  # says that there is no such dataset
    inputs = fingerprint(store, dataset_id)
    named = None if namer is None else NamerRecord(namer)
    with activity.working(store, dataset_id, TOPICS_STEP, "Finding topics") as show:
        tell = teller("finding of topics", show, progress, cancelled)
        with store.read() as connection:
            labels = read_labels(connection, dataset_id)
        if not len(labels.seqs):
            raise InvalidArgument(
                "There is no valid record to find topics in.", hint="Import records first."
            )
        rows = np.frombuffer(labels.seqs, np.int64)
        some = sample_rows(rows, CLUSTERING.sample_texts, seed)
        # Both are read at the same pace, so that no more than one pair waits.
        questions, answered = tee(read_answered(store, some, tell, 0.0, 0.2))
        model = fit_topics(
            (question for question, _ in questions),
            answers=(answer for _, answer in answered),
            n_topics=n_topics,
            depth=depth,
            seed=seed,
            namer=named,
            embed=embed,
            progress=lambda share, words: tell(0.2 + 0.35 * share, words),
        )
        if not model.paths:
            raise InvalidArgument(
                "No record says anything that topics could be found in.",
                hint="Look at the user messages, or set topics by hand.",
            )
        keys = (
            (str(i), text) for i, text in enumerate(read_questions(store, rows, tell, 0.6, 0.95))
        )
        placements = columns_of(model.paths, rows, model.assign(keys))
        tell(0.95, "Storing topics")
        with store.write(durable=True) as connection:
            set_id = datasets.live_set(connection, dataset_id, keep=True)
            kept = set(model.paths)
            before = topics.current(connection, dataset_id)
            by_hand = topics.by_hand(connection, set_id)
            written = place(connection, placements, "not manual")
            moved = {path: path if path in kept else None for path in before.paths}
            # Those that were put under the new topics just now are under none of the old ones.
            put(connection, dataset_id, Edit(model.hierarchy, moved))
            history.log(
                connection,
                dataset_id,
                "generate_topics",
                {
                    "method": "auto",
                    "template": None,
                    "n_topics": n_topics,
                    "depth": depth,
                    "seed": seed,
                    "namer": None if named is None else named.given,
                    "inputs": msgspec.to_builtins(inputs),
                    "by_answers": model.by_answers,
                    "topics": len(model.paths),
                    "records": written,
                    **counted(placements),
                    "kept_by_hand": sum(n for path, n in by_hand.items() if path in kept),
                    "unlabelled": sum(n for path, n in by_hand.items() if path not in kept),
                    "calibration": msgspec.to_builtins(model.calibration),
                    **(asked or {}),
                    **_naming(namer),
                },
            )
    return model.hierarchy


def _naming(namer: Namer | Names | None) -> dict[str, Any]:
    """What the log has of a model that named the topics."""
    return {"naming": msgspec.to_builtins(namer.naming)} if isinstance(namer, ModelNamer) else {}
