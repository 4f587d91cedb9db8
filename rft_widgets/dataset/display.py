"""A dataset as it is shown: by widgets where there is a page for them, else in a few lines."""

from __future__ import annotations

import contextlib
from html import escape
from typing import TYPE_CHECKING

from rft_widgets.dataset.state import HasState

if TYPE_CHECKING:
    from rft_widgets.widgets.canvas import PipelineCanvas
    from rft_widgets.widgets.health_bar import HealthBar


class Displayed(HasState):
    """How a dataset shows itself in a notebook."""

    def canvas(self, *, height: int = 760) -> PipelineCanvas:
        """Show the seven steps as a canvas that follows every change.

        Parameters
        ----------
        height
            In pixels.
        """
        from rft_widgets.widgets.canvas import canvas  # noqa: PLC0415 - loads Jupyter's widgets

        return canvas(self, height=height)  # type: ignore[arg-type]  # every dataset is one

    def health_bar(self) -> HealthBar:
        """Show how many records are valid; the bar follows every change."""
        from rft_widgets.widgets.health_bar import health_bar  # noqa: PLC0415 - as above

        return health_bar(self)  # type: ignore[arg-type]  # every dataset is one

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
