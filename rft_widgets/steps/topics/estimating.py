"""What a model's part in topics will take, before it is asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from rft_widgets.model.call_settings import CALLS
from rft_widgets.model.estimate import Workload, tokens_in
from rft_widgets.model.topic import CategorizeMode
from rft_widgets.model.topic_settings import CLUSTERING, TOPIC_MODEL
from rft_widgets.steps.topics.columns import columns_of
from rft_widgets.steps.topics.deciding import deciding_workload
from rft_widgets.steps.topics.learning import fit, open_records
from rft_widgets.steps.topics.model_names import naming_workload
from rft_widgets.steps.topics.placing import tree_for
from rft_widgets.steps.topics.reading import Rows, read_questions, sample_rows
from rft_widgets.steps.topics.uncertain import tried_on, unsure
from rft_widgets.store.placements import read_labels

if TYPE_CHECKING:
    from rft_widgets.store.connection import Store


def naming_work(store: Store, dataset_id: str, n_topics: int | None, instructions: str) -> Workload:
    """Calls and tokens of naming found topics.

    Without a number it is that of as many topics as are looked for in so many records.
    """
    with store.read() as connection:
        rows = np.frombuffer(read_labels(connection, dataset_id).seqs, np.int64)
    most = min(CLUSTERING.max_topics, max(CLUSTERING.min_topics, len(rows) // 5))
    count = most if n_topics is None else n_topics
    return naming_workload(count, _usual_chars(store, rows), instructions)


def deciding_work(
    store: Store, dataset_id: str, mode: CategorizeMode, seed: int, instructions: str
) -> Workload:
    """Calls and tokens of a model's decisions about what keywords and similarity leave uncertain.

    How many records that is, is found out on a sample of them.
    """
    tree = tree_for(store, dataset_id, mode)
    with store.read() as connection:
        labels = read_labels(connection, dataset_id)
    model = fit(store, tree, labels, _silent, seed=seed).model
    rows, _ = open_records(tree, labels, mode)
    some = sample_rows(rows, TOPIC_MODEL.estimated_on, seed)
    texts = list(read_questions(store, some, _silent, 0.0, 1.0))
    found = columns_of(
        model.paths, some, model.categorize((str(i), t) for i, t in enumerate(texts))
    )
    left = [texts[place] for place in unsure(found) if texts[place].strip()]
    share = len(left) / len(texts) if texts else 0.0
    tried = len(tried_on(model.held_out)) if left else 0
    asked = round(share * len(rows))
    again = min(TOPIC_MODEL.repeated, asked) if tried < TOPIC_MODEL.enough_confirmed else 0
    asked += tried + again
    return deciding_workload(tree, asked, _mean_chars(left), instructions)


def embedding_work(store: Store, dataset_id: str) -> Workload:
    """Requests and tokens of placing all valid records by their embeddings."""
    with store.read() as connection:
        rows = np.frombuffer(read_labels(connection, dataset_id).seqs, np.int64)
    each = tokens_in("x" * round(_usual_chars(store, rows)))
    return Workload(
        calls=-(-len(rows) // CALLS.texts_per_embedding), prompt_tokens=each * len(rows)
    )


def _usual_chars(store: Store, rows: Rows) -> float:
    some = sample_rows(rows, TOPIC_MODEL.measured_texts, 0)
    return _mean_chars(list(read_questions(store, some, _silent, 0.0, 1.0)))


def _mean_chars(texts: Sequence[str]) -> float:
    return sum(map(len, texts)) / len(texts) if texts else 0.0


def _silent(_share: float, _doing: str) -> None:
    pass
