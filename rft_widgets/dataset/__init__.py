"""A dataset: the object that notebooks, pages and scripts work with."""

from __future__ import annotations

import contextlib
from html import escape

from rft_widgets.dataset.coverage import HasCoverage, coverage_now
from rft_widgets.dataset.deploying import HasDeployments
from rft_widgets.dataset.log import HasLog
from rft_widgets.model.dataset import DatasetStats
from rft_widgets.model.pipeline import PipelineState
from rft_widgets.pipeline import read_pipeline
from rft_widgets.store import datasets, records, topics

__all__ = ["OptimizationDataset"]


class OptimizationDataset(HasDeployments, HasCoverage, HasLog):
    """A set of records on their way to a better model.

    Every property reads the store when it is asked, so two objects of one dataset, in one process
    or in several, never disagree. Made by `Workspace`, not by hand.
    """

    @property
    def stats(self) -> DatasetStats:
        """Counts of records and topics."""
        with self._store.read() as connection:
            facets = records.facets(connection, datasets.live_set(connection, self.id))
            tree = topics.stored(connection, self.id)
            balance = coverage_now(connection, self.id).balance_score
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
        )

    @property
    def pipeline(self) -> PipelineState:
        """The seven steps as they stand."""
        stats = self.stats
        return read_pipeline(self._store, self.id, stats, stats.topics_count)

    def __repr__(self) -> str:
        with contextlib.suppress(Exception):  # a repr never raises, whatever became of the dataset
            info, stats = self.info, self.stats
            return (
                f"<OptimizationDataset {info.name!r} ({self.id}): {stats.total_records:,} records, "
                f"{stats.invalid_records:,} invalid>"
            )
        return f"<OptimizationDataset {self.id}>"

    def _repr_html_(self) -> str:
        info, health = self.info, self.health
        advice = "".join(f"<li>{escape(text)}</li>" for text in health.recommendations)
        return (
            f"<strong>{escape(info.name)}</strong> <code>{escape(self.id)}</code><br>"
            f"{escape(info.objective)}<br>"
            f"{health.total:,} records • {health.valid:,} valid • {health.invalid:,} invalid "
            f"• {escape(health.status)}" + (f"<ul>{advice}</ul>" if advice else "")
        )
