"""What every widget is: a shim for its code, answers to the page, and a dataset that it follows."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Annotated, Any, ClassVar

import anywidget
import msgspec
import traitlets

from rft_widgets.dataset import OptimizationDataset
from rft_widgets.widgets import bundle as bundles
from rft_widgets.widgets import refresher, rpc
from rft_widgets.widgets.refresher import Snapshot
from rft_widgets.widgets.traits import Value

logger = logging.getLogger(__name__)

MAX_VIEWS = 64
"""Views of one widget that are kept count of."""

ViewId = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


class RftWidget(rpc.Answers, anywidget.AnyWidget):
    """A widget whose page code stands in the kernel's bundle.

    The class variable ``component`` names what the bundle shows for it.
    """

    component: ClassVar[str] = ""

    _bundle = traitlets.Instance(bundles.Bundle).tag(sync=True, to_json=bundles.serialize_bundle)
    _component = traitlets.Unicode().tag(sync=True)

    def __init__(self, **values: Any) -> None:
        self._esm = bundles.files().shim
        super().__init__(_bundle=bundles.bundle(), _component=self.component, **values)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        shown = super()._repr_mimebundle_(**kwargs)
        if shown is None:
            return None
        data, metadata = shown
        # What a saved notebook shows where no widget can be: in a page that does not trust it, on
        # a code host, in an export.
        words = f"{type(self).__name__}: run the cell to reconnect."
        return {**data, "text/plain": words, "text/html": f"<em>{words}</em>"}, metadata


class DatasetWidget(RftWidget):
    """A widget that shows a dataset as it stands, on every page that has it open.

    It follows the dataset only while a page shows it: a notebook that is executed without a page,
    or whose tab was closed, costs nothing.
    """

    problem = Value(rpc.Problem)
    """Why the dataset cannot be shown."""

    def __init__(self, dataset: OptimizationDataset, **values: Any) -> None:
        self._dataset = dataset
        self._views: dict[str, None] = {}
        self._stop: Callable[[], None] | None = None
        snapshot = refresher.read_snapshot(dataset)
        super().__init__(**values, **self.shown(snapshot), problem=snapshot.problem)

    def shown(self, snapshot: Snapshot) -> dict[str, Any]:
        """Traits that show a dataset in this state."""
        raise NotImplementedError

    @rpc.method()
    def attach(self, view: ViewId) -> None:
        """A page shows the widget: follow the dataset, beginning with how it stands now."""
        with self._lock:
            self._views.pop(view, None)
            self._views[view] = None
            if len(self._views) > MAX_VIEWS:
                del self._views[next(iter(self._views))]
            if self._stop is None:
                self._stop = refresher.follow(self._dataset, self._show)

    @rpc.method()
    def detach(self, view: ViewId) -> None:
        """A page shows the widget no more."""
        with self._lock:
            self._views.pop(view, None)
            if not self._views:
                self._unfollow()

    def close(self) -> None:
        """Take the widget off every page, for good."""
        with self._lock:
            self._views.clear()
            self._unfollow()
        super().close()

    def _unfollow(self) -> None:
        stop, self._stop = self._stop, None
        if stop is not None:
            stop()

    def _show(self, snapshot: Snapshot) -> None:
        with self._lock:
            if self.comm is None:  # closed meanwhile
                return
            self.problem = snapshot.problem
            if snapshot.problem is None:
                for name, value in self.shown(snapshot).items():
                    setattr(self, name, value)


def tell(callbacks: list[Callable[..., object]], *values: object) -> None:
    """Call what a user registered; what fails there is logged and stops nothing."""
    for callback in list(callbacks):
        try:
            callback(*values)
        except Exception:
            logger.exception("A callback of a widget failed.")
