"""The app: all datasets of a workspace on four pages, in one widget."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Annotated, Any, ClassVar

import msgspec
from msgspec import Struct

from rft_widgets.model.card import DatasetCard
from rft_widgets.model.connection import ConnectionState
from rft_widgets.model.dataset import DatasetInfo, DatasetStats
from rft_widgets.model.job import JobState, LogLine
from rft_widgets.model.llm import CallTotals, Purpose, total_of
from rft_widgets.model.pipeline import ListStatus
from rft_widgets.store import datasets, job_costs
from rft_widgets.widgets import rpc, store_follower
from rft_widgets.widgets.base import FollowingWidget, RftWidget
from rft_widgets.widgets.connecting import AnswersConnections
from rft_widgets.widgets.downloads import Download, Offers
from rft_widgets.widgets.overview import Overview, offer_records
from rft_widgets.widgets.traits import Value
from rft_widgets.workspace import DatasetOrder, Workspace

# Voila hands the address of the page to the kernel, and the token of its server stands in it.
for _name in ("QUERY_STRING", "VOILA_REQUEST_URL"):
    os.environ.pop(_name, None)

SHOWN_JOBS = 50
"""Jobs in the list: those at work, and of the others the newest."""
KEPT_PAGES = 4
"""Datasets whose pages stay open in the kernel though nobody looks at them."""

Id = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Name = Annotated[str, msgspec.Meta(max_length=200)]
Words = Annotated[str, msgspec.Meta(max_length=10_000)]


class JobLine(Struct, frozen=True, kw_only=True):
    """A job in the list of all jobs, with the name of its dataset."""

    job: JobState
    dataset: str


class DatasetSettings(Struct, frozen=True, kw_only=True):
    """What the settings page shows."""

    info: DatasetInfo
    stats: DatasetStats
    connections: tuple[ConnectionState, ...]
    costs: dict[Purpose, CallTotals]
    """What asking models for it came to, by purpose."""
    total: CallTotals


class DatasetPage(Overview):
    """Canvas page and settings page of one dataset; opened by `App`."""

    component: ClassVar[str] = "app/dataset_page"

    @rpc.method(background=True)
    def settings(self) -> DatasetSettings:
        """Description, statistics, connections and costs."""
        dataset, costs = self._dataset, self._dataset.costs
        return DatasetSettings(
            info=dataset.info,
            stats=dataset.stats,
            connections=dataset.connections,
            costs=costs,
            total=total_of(costs.values()),
        )

    @rpc.method()
    def save_settings(
        self, seen: DatasetInfo, name: Name | None = None, objective: Words | None = None
    ) -> DatasetInfo:
        """Change name or objective, unless somebody else has since they were seen."""
        self._dataset.update(name=name, objective=objective, seen=seen)
        return self._dataset.info

    @rpc.method(background=True)
    def reset_pipeline(self) -> None:
        """Clear the progress of the pipeline; the records stay."""
        self._dataset.reset_pipeline()


class App(Offers, AnswersConnections, FollowingWidget):
    """All datasets of a workspace: list, create, canvas and settings; made by `rft.App`."""

    component: ClassVar[str] = "app"

    jobs = Value(tuple[JobLine, ...], default=())
    """Long work on any dataset, in any process: what is at work, and what ended last."""

    def __init__(self, workspace: Workspace | None = None, **values: Any) -> None:
        self._workspace = workspace or Workspace()
        self._store = self._workspace._store  # noqa: SLF001 - views see what it stands on
        self._pages: dict[str, DatasetPage] = {}
        self._create_page: RftWidget | None = None
        super().__init__(**values)

    @rpc.method(background=True)
    def list_datasets(
        self,
        search: Name = "",
        status: ListStatus | None = None,
        sort: DatasetOrder = "updated",
    ) -> tuple[DatasetCard, ...]:
        """Cards of the datasets, chosen and sorted."""
        return self._workspace.cards(search=search, status=status, sort=sort)

    @rpc.method()
    def open_dataset(self, dataset: Id) -> str:
        """The model of a dataset's pages, for the page to show."""
        found = self._workspace.dataset(dataset)
        with self._lock:
            page = self._pages.pop(dataset, None)
            if page is None or page.comm is None:
                page = DatasetPage(found)
            self._pages[dataset] = page  # the last used stands last
            left = [key for key, one in self._pages.items() if not one.is_shown and one is not page]
            closing = [self._pages.pop(key) for key in left[: -KEPT_PAGES + 1]]
        for one in closing:
            one.close()
        return str(page.model_id)

    @rpc.method()
    def open_create(self) -> str:
        """The model of the page that creates a dataset."""
        from rft_widgets.widgets.create_page import CreatePage  # noqa: PLC0415 - it reads traces

        with self._lock:
            if self._create_page is None or self._create_page.comm is None:
                self._create_page = CreatePage(self._workspace)
            return str(self._create_page.model_id)

    @rpc.method(background=True)
    def load_sample(self) -> str:
        """Begin a dataset from the sample; its id."""
        return self._workspace.load_sample().id

    @rpc.method(background=True)
    def duplicate_dataset(self, dataset: Id) -> str:
        """Copy a dataset; the name of the copy."""
        return self._workspace.duplicate(dataset).name

    @rpc.method(background=True)
    def delete_dataset(self, dataset: Id) -> None:
        """Delete a dataset and everything in it."""
        self._workspace.delete(dataset)
        with self._lock:
            page = self._pages.pop(dataset, None)
        if page is not None:
            page.close()

    @rpc.method(background=True)
    def export_dataset(self, dataset: Id, cancelled: Callable[[], bool]) -> Download:
        """All records of a dataset as a file."""
        return offer_records(self, self._workspace.dataset(dataset), "jsonl", cancelled)

    @rpc.method()
    def job_log(self, job: Id) -> tuple[LogLine, ...]:
        """What a job said so far."""
        lines = self._workspace.job(job).log
        return tuple(LogLine(at=at, message=message) for at, message in lines)

    @rpc.method(background=True)
    def job_costs(self) -> dict[str, CallTotals]:
        """What asking models came to, for each job of the list that did."""
        ids = [line.job.id for line in self.jobs]
        with self._store.read() as connection:
            return job_costs.of_jobs(connection, ids)

    @rpc.method()
    def stop_job(self, job: Id) -> None:
        """Ask a job to stop."""
        self._workspace.job(job).cancel()

    @rpc.method()
    def retry_job(self, job: Id) -> None:
        """Begin a job again that failed or was stopped."""
        self._workspace.job(job).retry()

    def close(self) -> None:
        """Take the app off every page, for good."""
        with self._lock:
            pages: list[RftWidget] = list(self._pages.values())
            self._pages = {}
            if self._create_page is not None:
                pages.append(self._create_page)
        for page in pages:
            page.close()
        super().close()

    def _follow(self) -> Callable[[], None]:
        return store_follower.follow(self._store, self._show)

    def _show(self) -> None:
        lines = self._job_lines()
        with self._lock:
            if self.comm is None:  # closed meanwhile
                return
            with self.hold_sync():
                self.revision += 1
                self.jobs = lines

    def _job_lines(self) -> tuple[JobLine, ...]:
        with self._store.read() as connection:
            names = {info.id: info.name for info in datasets.read_all(connection)}
        states = self._workspace.job_states(limit=SHOWN_JOBS)
        return tuple(
            JobLine(job=state, dataset=names.get(state.dataset_id or "", "")) for state in states
        )
