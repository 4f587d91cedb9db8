"""A dataset as it is shown: by widgets where there is a page for them, else in a few lines."""

from __future__ import annotations

import contextlib
import logging
from html import escape
from typing import TYPE_CHECKING, Any

from rft_widgets.dataset.state import HasState
from rft_widgets.errors import RftError

if TYPE_CHECKING:
    from rft_widgets.model.views import DialogName
    from rft_widgets.widgets.canvas import PipelineCanvas
    from rft_widgets.widgets.dialogs.base import Dialog
    from rft_widgets.widgets.health_bar import HealthBar
    from rft_widgets.widgets.overview import Overview
    from rft_widgets.widgets.records_grid import RecordsGrid

logger = logging.getLogger(__name__)


class Displayed(HasState):
    """How a dataset shows itself in a notebook."""

    _shown_overview: Overview | None = None
    """Every cell that ends with the dataset shows this one."""

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

    def records_grid(self, *, height: int = 520) -> RecordsGrid:
        """Show the records as a table that follows every change, however many there are.

        Parameters
        ----------
        height
            In pixels.
        """
        from rft_widgets.widgets.records_grid import records_grid  # noqa: PLC0415 - as above

        return records_grid(self, height=height)  # type: ignore[arg-type]  # every dataset is one

    def dialog(self, name: DialogName) -> Dialog:
        """Show one of the dialogs that the canvas opens, in a cell of its own.

        Parameters
        ----------
        name
            ``records``, ``topics``, ``coverage``, ``generate``, ``grader``, ``labelling``,
            ``dry-run``, ``training``, ``deploy``, ``import-records`` or ``import-topics``.
        """
        from rft_widgets.widgets.dialogs import dialog  # noqa: PLC0415 - as above

        return dialog(self, name)  # type: ignore[arg-type]  # every dataset is one

    def overview(self, *, height: int = 760) -> Overview:
        """Show commands, health and canvas together: what a cell that ends with ``ds`` shows.

        Parameters
        ----------
        height
            Of the canvas, in pixels.
        """
        from rft_widgets.widgets.overview import overview  # noqa: PLC0415 - as above

        return overview(self, height=height)  # type: ignore[arg-type]  # every dataset is one

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        """The overview where there is a page for it, and a few lines for where there is none."""
        lines = {"text/plain": repr(self), "text/html": self._repr_html_()}
        shown = self._shown_overview
        try:
            if shown is None or shown.comm is None:
                shown = self._shown_overview = self.overview()
        except RftError as error:  # the page's code is not in this installation
            logger.warning("%s", error)
            return lines
        bundle = shown._repr_mimebundle_(**kwargs)
        return lines if bundle is None else ({**bundle[0], **lines}, bundle[1])

    def __repr__(self) -> str:
        with contextlib.suppress(Exception):  # a repr never raises, whatever became of the dataset
            info, stats = self.info, self.stats
            return (
                f"<OptimizationDataset {info.name!r} ({self.id}): {stats.total_records:,} records, "
                f"{stats.invalid_records:,} invalid>"
            )
        return f"<OptimizationDataset {self.id}>"

    def _repr_html_(self) -> str:
        try:
            info, health = self.info, self.health
        except RftError as error:  # deleted, or its store is gone
            return f"<strong>{escape(error.message)}</strong> {escape(error.hint or '')}"
        advice = "".join(f"<li>{escape(text)}</li>" for text in health.recommendations)
        return (
            f"<strong>{escape(info.name)}</strong> <code>{escape(self.id)}</code><br>"
            f"{escape(info.objective)}<br>"
            f"{health.total:,} records • {health.valid:,} valid • {health.invalid:,} invalid "
            f"• {escape(health.status)}" + (f"<ul>{advice}</ul>" if advice else "")
        )
