"""What every widget is: a shim for its code, answers to the page, and a dataset that it follows."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Annotated, Any, ClassVar

import anywidget
import msgspec
import traitlets

from rft_widgets.dataset import OptimizationDataset
from rft_widgets.errors import NotFound
from rft_widgets.model.job import JobState
from rft_widgets.model.problem import Problem
from rft_widgets.model.views import DialogName
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

    def __del__(self) -> None:
        if "_lock" in vars(self):  # one that could not be made has nothing to close
            super().__del__()

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        shown = super()._repr_mimebundle_(**kwargs)
        if shown is None:
            return None
        data, metadata = shown
        # What a saved notebook shows where no widget can be: in a page that does not trust it, on
        # a code host, in an export.
        words = f"{type(self).__name__}: run the cell to reconnect."
        return {**data, "text/plain": words, "text/html": f"<em>{words}</em>"}, metadata


class FollowingWidget(RftWidget):
    """A widget that follows what it shows, only while a page shows it.

    A notebook that is executed without a page, or whose tab was closed, costs nothing.
    """

    revision = traitlets.Int().tag(sync=True)
    """Another number after each change: what was asked for has to be asked anew."""

    def __init__(self, **values: Any) -> None:
        self._views: dict[str, None] = {}
        self._stop: Callable[[], None] | None = None
        super().__init__(**values)

    def _follow(self) -> Callable[[], None]:
        """Begin to follow; returns what ends it."""
        raise NotImplementedError

    @property
    def is_shown(self) -> bool:
        """Whether a page shows it."""
        return bool(self._views)

    @rpc.method()
    def attach(self, view: ViewId) -> None:
        """A page shows the widget: follow, beginning with how things stand now."""
        with self._lock:
            self._views.pop(view, None)
            self._views[view] = None
            if len(self._views) > MAX_VIEWS:
                del self._views[next(iter(self._views))]
            if self._stop is None:
                self._stop = self._follow()

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


class DatasetWidget(FollowingWidget):
    """A widget that shows a dataset as it stands, on every page that has it open."""

    name = traitlets.Unicode().tag(sync=True)
    """The dataset's."""
    jobs = Value(tuple[JobState, ...], default=())
    """Long work on the dataset, in any process: the last of each kind."""
    problem = Value(Problem)
    """Why the dataset cannot be shown."""

    def __init__(
        self, dataset: OptimizationDataset, *, snapshot: Snapshot | None = None, **values: Any
    ) -> None:
        self._dataset = dataset
        self._opened: dict[str, DatasetWidget] = {}
        self._snapshot = snapshot = snapshot or refresher.read_snapshot(dataset)
        super().__init__(**values, **self._all_shown(snapshot))

    def shown(self, snapshot: Snapshot) -> dict[str, Any]:
        """Traits of this kind of widget that show a dataset in this state."""
        del snapshot
        return {}

    def _all_shown(self, snapshot: Snapshot) -> dict[str, Any]:
        if snapshot.problem is not None:
            return {"problem": snapshot.problem}
        return {
            "name": snapshot.name,
            "jobs": snapshot.jobs,
            "problem": None,
            **self.shown(snapshot),
        }

    def _follow(self) -> Callable[[], None]:
        return refresher.follow(self._dataset, self._show)

    @rpc.method()
    def open_dialog(self, dialog: DialogName) -> str:
        """The model of a dialog on the same dataset, for the page to show above this widget."""
        # Dialogs are widgets: they import this module.
        from rft_widgets.widgets.dialogs import dialog_class  # noqa: PLC0415

        return self._child(dialog, dialog_class(dialog))

    @rpc.method()
    def open_records(self) -> str:
        """The model of a records grid on the same dataset."""
        from rft_widgets.widgets.records_grid import RecordsGrid  # noqa: PLC0415 - as above

        return self._child("records-grid", RecordsGrid)

    @rpc.method()
    def cancel_job(self, job: ViewId) -> bool:
        """Ask long work to stop, whoever does it; whether there was any to ask."""
        try:
            return self._dataset.job(job).cancel()
        except NotFound:
            return False

    def close(self) -> None:
        """Take the widget off every page, for good, and what was opened from it."""
        with self._lock:
            children, self._opened = list(self._opened.values()), {}
        for child in children:
            child.close()
        super().close()

    def _child(self, name: str, kind: type[DatasetWidget]) -> str:
        with self._lock:
            child = self._opened.get(name)
            if child is None or child.comm is None:
                child = self._opened[name] = kind(self._dataset, snapshot=self._snapshot)
            return str(child.model_id)

    def _show(self, snapshot: Snapshot) -> None:
        with self._lock:
            if self.comm is None:  # closed meanwhile
                return
            self._snapshot = snapshot
            with self.hold_sync():
                self.revision += 1
                for name, value in self._all_shown(snapshot).items():
                    setattr(self, name, value)


def tell(callbacks: list[Callable[..., object]], *values: object) -> None:
    """Call what a user registered; what fails there is logged and stops nothing."""
    for callback in list(callbacks):
        try:
            callback(*values)
        except Exception:
            logger.exception("A callback of a widget failed.")
