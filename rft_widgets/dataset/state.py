"""How a dataset stands: its counts and scores, and the seven steps of its pipeline."""

from __future__ import annotations

from rft_widgets.dataset.coverage import coverage_now
from rft_widgets.dataset.generating import Generates
from rft_widgets.model.dataset import DatasetStats
from rft_widgets.model.pipeline import PipelineState
from rft_widgets.pipeline import last_verdict, read_pipeline
from rft_widgets.store import datasets, records, topics, training


class HasState(Generates):
    """A dataset's state, computed from the store whenever it is asked for."""

    @property
    def stats(self) -> DatasetStats:
        """Counts of records, topics and runs, and the scores of coverage and dry run."""
        with self._store.read() as connection:
            facets = records.facets(connection, datasets.live_set(connection, self.id))
            tree = topics.stored(connection, self.id)
            balance = coverage_now(connection, self.id).balance_score
            runs = training.count(connection, self.id)
            verdict = last_verdict(connection, self.id)
        total = sum(n for *_, n in facets)
        valid = sum(n for _, is_valid, _, n in facets if is_valid)
        return DatasetStats(
            total_records=total,
            valid_records=valid,
            invalid_records=total - valid,
            generated_records=sum(n for _, _, generated, n in facets if generated),
            # While nobody made topics, the labels of the records are what there is.
            topics_count=len({topic for topic, *_ in facets if topic is not None})
            if tree is None
            else len(tree.paths),
            balance_score=balance,
            dry_run_status=verdict.status,
            dry_run_mean=verdict.mean,
            training_runs=runs,
        )

    @property
    def pipeline(self) -> PipelineState:
        """The seven steps as they stand."""
        return read_pipeline(self._store, self.id, self.stats)
