"""A dataset: the object that notebooks, pages and scripts work with."""

from __future__ import annotations

import contextlib
from html import escape

from rft_widgets.dataset.deploying import HasDeployments
from rft_widgets.dataset.log import HasLog

__all__ = ["OptimizationDataset"]


class OptimizationDataset(HasDeployments, HasLog):
    """A set of records on their way to a better model.

    Every property reads the store when it is asked, so two objects of one dataset, in one process
    or in several, never disagree. Made by `Workspace`, not by hand.
    """

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
