"""A workspace: all datasets of one store."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self, get_args

from rft_widgets.dataset import OptimizationDataset
from rft_widgets.dataset.cards import KeptCards, read_cards
from rft_widgets.dataset.deployment import Deployment
from rft_widgets.dataset.job import Job
from rft_widgets.dataset.named_connections import HasNamedConnections
from rft_widgets.dataset.training_job import TrainingJob
from rft_widgets.errors import InvalidArgument
from rft_widgets.model.card import DatasetCard
from rft_widgets.model.creation import CreationSource, FromTraces, FromUpload, upload_of
from rft_widgets.model.dataset import DatasetInfo, DatasetSource
from rft_widgets.model.imports import FileCheck
from rft_widgets.model.job import JobState, JobStatus
from rft_widgets.model.pipeline import ListStatus
from rft_widgets.model.record import RecordDraft
from rft_widgets.steps.check import check_file
from rft_widgets.steps.extract import Progress
from rft_widgets.steps.progress import Told
from rft_widgets.store import (
    datasets,
    deployments,
    graders,
    history,
    inserts,
    jobs,
    search,
    training,
    trash,
)
from rft_widgets.store.connection import Store
from rft_widgets.store.last_used import LastUsed
from rft_widgets.traces.places import check_place
from rft_widgets.uploads import Uploads

if TYPE_CHECKING:
    from rft_widgets.traces.source import TraceSource

DatasetOrder = Literal["updated", "name", "records"]

_KEPT_CARDS = 1000


class Workspace(HasNamedConnections):
    """Datasets in one store, shared with every other process that opens it.

    Parameters
    ----------
    url
        A file path, a database URL (``sqlite:///...``, ``postgresql://...``), or nothing for the
        store that ``RFT_WIDGETS_DATABASE_URL`` names, else the one in the user's data directory.

    Examples
    --------
    >>> ws = Workspace("demo.db")  # doctest: +SKIP
    >>> ds = ws.create_from_file("traces.jsonl", name="support", objective="...")  # doctest: +SKIP
    """

    def __init__(self, url: str | Path | None = None) -> None:
        self._store = Store(url)
        self._cards: KeptCards = LastUsed(_KEPT_CARDS)

    @property
    def url(self) -> str:
        """Where the store is, without its password."""
        return self._store.url

    def create(
        self, name: str, *, objective: str = "", source: DatasetSource = "upload"
    ) -> OptimizationDataset:
        """Make an empty dataset."""
        name = name.strip()
        if not name:
            raise InvalidArgument("A dataset needs a name.", hint="Pass name='...'.")
        with self._store.write(durable=True) as connection:
            dataset_id = datasets.create(
                connection, name=name, objective=objective.strip(), source=source
            )
            history.log(
                connection, dataset_id, "create", {"name": name, "objective": objective.strip()}
            )
        return OptimizationDataset(self._store, dataset_id)

    def create_from_file(
        self,
        path: str | Path,
        *,
        name: str | None = None,
        objective: str = "",
        progress: Progress | None = None,
        cancelled: Callable[[], bool] = bool,
    ) -> OptimizationDataset:
        """Make a dataset from a JSONL or JSON file; its name is the file's unless one is given.

        Lines that hold no record are refused and kept with their reasons; the rest is imported.
        When the file as a whole cannot be read, no dataset is left behind.
        """
        file_name = os.fsencode(Path(path).name).decode(errors="replace")
        dataset = self.create(name or file_name.split(".")[0], objective=objective)
        try:
            dataset.import_records(path, progress=progress, cancelled=cancelled)
        except BaseException:
            self.delete(dataset.id)
            raise
        return dataset

    def create_from_traces(
        self,
        traces: TraceSource | Iterable[RecordDraft],
        *,
        name: str,
        objective: str = "",
        mode: Literal["every_turn", "last_turn_per_thread"] = "every_turn",
        collapse_prefixes: bool = False,
        progress: Progress | None = None,
        cancelled: Callable[[], bool] = bool,
    ) -> OptimizationDataset:
        """Make a dataset from recorded model calls.

        Parameters
        ----------
        traces
            From `open_traces`, filtered as you like; or drafts that its ``to_records`` gave.
        name, objective
            Of the dataset.
        mode, collapse_prefixes
            Which calls of a thread become records; see `TraceSource.to_records`.
        """
        dataset = self.create(name, objective=objective, source="gateway")
        try:
            dataset.add_traces(
                traces,
                mode=mode,
                collapse_prefixes=collapse_prefixes,
                progress=progress,
                cancelled=cancelled,
            )
        except BaseException:
            self.delete(dataset.id)
            raise
        return dataset

    @property
    def uploads(self) -> Uploads:
        """Files that were sent to this machine to be imported."""
        return Uploads(self._store.side_folder / "uploads")

    def check_file(
        self,
        path: str | Path,
        *,
        progress: Told | None = None,
        cancelled: Callable[[], bool] = bool,
        each: Callable[[RecordDraft], None] | None = None,
    ) -> FileCheck:
        """Read a file as the import into a new dataset would, and change nothing.

        Parameters
        ----------
        path
            The file.
        progress
            Called after every thousand records; the share is ``None`` where it is not known.
        cancelled
            Asked as often; when it returns true, the reading stops.
        each
            Is given every record that the file holds.
        """
        return check_file(
            self._store, None, path, progress=progress, cancelled=cancelled, each=each
        )

    def create_and_start(
        self,
        source: CreationSource,
        *,
        name: str,
        objective: str = "",
        expected: int | None = None,
    ) -> OptimizationDataset:
        """Make a dataset and let it fill itself: records, topics, and records under the topics.

        It comes back at once; the job of kind ``prepare`` among its `jobs` does the rest, and goes
        on where it was when its process is killed.

        Parameters
        ----------
        source
            `FromTraces` or `FromUpload`.
        name, objective
            Of the dataset.
        expected
            How many records it will have, where somebody counted; only progress is told by it.

        Raises
        ------
        InvalidArgument
            Where pages are for people who may not run code: the place of the traces is not allowed
            there.
        NotFound, UploadRefused
            The file or the upload is not there, or not whole.
        """
        upload = upload_of(source)
        if upload is not None:
            self.uploads.path(upload)
        elif isinstance(source, FromTraces):
            check_place(source.source, saved=self.connections)
        kind: DatasetSource = "gateway" if isinstance(source, FromTraces) else "upload"
        dataset = self.create(name, objective=objective, source=kind)
        try:
            dataset.submit("prepare", {"source": source, "expected": expected})
        except BaseException:
            self.delete(dataset.id)
            raise
        return dataset

    def load_sample(self) -> OptimizationDataset:
        """Make a dataset of the conversations of a support desk that the package brings along.

        It fills itself as one that was uploaded does; see `create_and_start`.
        """
        from rft_widgets.sample.support import write_sample  # noqa: PLC0415 - most never need it

        with tempfile.TemporaryDirectory(prefix="rft-sample-") as folder:
            data = write_sample(Path(folder) / "sample.jsonl", format="jsonl").path.read_bytes()
        upload = self.uploads.begin("sample.jsonl", len(data))
        self.uploads.write(upload.id, 0, data)
        return self.create_and_start(
            FromUpload(upload=upload.id),
            name="Sample: support desk",
            objective="Answer customers correctly, by the rules of the shop.",
        )

    def datasets(
        self,
        *,
        search: str = "",
        status: ListStatus | None = None,
        sort: DatasetOrder = "updated",
    ) -> tuple[OptimizationDataset, ...]:
        """List the datasets whose name contains `search`, without regard to case.

        ``status`` keeps those whose pipeline stands so: ``in_progress``, ``attention``,
        ``training`` or ``complete``.
        """
        found: Iterable[DatasetInfo | DatasetCard]
        if status is None and sort in ("updated", "name"):
            found = self._infos(search, sort)
        else:
            found = self.cards(search=search, status=status, sort=sort)
        return tuple(OptimizationDataset(self._store, one.id) for one in found)

    def cards(
        self,
        *,
        search: str = "",
        status: ListStatus | None = None,
        sort: DatasetOrder = "updated",
    ) -> tuple[DatasetCard, ...]:
        """List the datasets as the list page shows them; see `datasets` for what is chosen.

        A card is read anew only where its dataset changed since this workspace read it last.
        """
        if status is not None and status not in get_args(ListStatus):
            raise InvalidArgument(
                f"There is no status {status!r}.",
                hint=f"Use one of {', '.join(get_args(ListStatus))}.",
            )
        if sort not in get_args(DatasetOrder):
            raise InvalidArgument(
                f"There is no order {sort!r}.", hint="Use 'updated', 'name' or 'records'."
            )
        cards = read_cards(self._store, self._infos(search, sort), self._cards)
        if status is not None:
            cards = [card for card in cards if card.status == status]
        if sort == "records":
            cards.sort(key=lambda card: -card.records)
        return tuple(cards)

    def _infos(self, search: str, sort: DatasetOrder) -> list[DatasetInfo]:
        with self._store.read() as connection:
            found = datasets.read_all(connection)
        wanted = search.strip().casefold()
        chosen = [info for info in found if wanted in info.name.casefold()]
        if sort == "name":
            chosen.sort(key=lambda info: info.name.casefold())
        return chosen

    def dataset(self, dataset_id: str) -> OptimizationDataset:
        """Open one dataset; `NotFound` if there is none of that id."""
        with self._store.read() as connection:
            datasets.read(connection, dataset_id)
        return OptimizationDataset(self._store, dataset_id)

    def deployment(self, deployment_id: str) -> Deployment:
        """Open one deployment, whatever dataset it is of; `NotFound` if there is none."""
        with self._store.read() as connection:
            deployments.read(connection, deployment_id)
        return Deployment(self._store, deployment_id)

    def training_job(self, job_id: str) -> TrainingJob:
        """Open one training run, whatever dataset it is of; `NotFound` if there is none."""
        with self._store.read() as connection:
            training.read(connection, job_id)
        return TrainingJob(self._store, job_id)

    def job_states(
        self,
        status: JobStatus | None = None,
        *,
        dataset: str | None = None,
        limit: int | None = None,
    ) -> tuple[JobState, ...]:
        """How jobs stand, the newest first.

        Parameters
        ----------
        status
            Only those of a status.
        dataset
            Only those of the dataset of this id.
        limit
            Most of those that have ended; those at work are all given.

        Raises
        ------
        InvalidArgument
            There is no such status.
        NotFound
            There is no such dataset.
        """
        if status is not None and status not in get_args(JobStatus):
            raise InvalidArgument(
                f"There is no status {status!r}.",
                hint=f"Use one of {', '.join(get_args(JobStatus))}.",
            )
        with self._store.read() as connection:
            if dataset is not None:
                datasets.read(connection, dataset)
            return jobs.read_all(connection, dataset_id=dataset, status=status, limit=limit)

    def jobs(self, status: JobStatus | None = None, *, limit: int | None = None) -> tuple[Job, ...]:
        """Jobs of all datasets, the newest first; see `job_states`."""
        return tuple(Job(self._store, one.id) for one in self.job_states(status, limit=limit))

    def job(self, job_id: str) -> Job:
        """Open one job, whatever dataset it is of; `NotFound` if there is none."""
        with self._store.read() as connection:
            jobs.read(connection, job_id)
        return Job(self._store, job_id)

    def duplicate(self, dataset_id: str, *, name: str | None = None) -> OptimizationDataset:
        """Copy a dataset with its records, topics, targets and grader, in one transaction.

        History stays behind: runs, deployments, deleted records and the log.
        """
        with self._store.write(durable=True) as connection:
            info = datasets.read(connection, dataset_id)
            copy = datasets.create(
                connection,
                name=(name or f"{info.name} (copy)").strip(),
                objective=info.objective,
                source=info.source,
            )
            count = inserts.copy_set(
                connection,
                datasets.live_set(connection, dataset_id, keep=True),
                copy,
                datasets.live_set(connection, copy),
            )
            datasets.copy_setup(connection, dataset_id, copy)
            history.log(connection, copy, "duplicate", {"of": dataset_id, "records": count})
            version = graders.current(connection, dataset_id)
            if version is not None:
                graders.save(connection, copy, version.grader, version.hash, version.connection)
        return OptimizationDataset(self._store, copy)

    def delete(self, dataset_id: str) -> None:
        """Delete a dataset and everything in it. There is no undo."""
        with self._store.write(durable=True) as connection:
            datasets.read(connection, dataset_id)
            runs = [row.id for row in training.read_all(connection, dataset_id)]
            orphans = datasets.remove(connection, dataset_id)
        trash.purge(self._store, orphans)
        training.remove_folders(self._store, runs)

    def empty_trash(self) -> int:
        """Erase deleted and replaced records for good and return how many there were.

        They cannot come back. Their words go from the search index, too, which is made anew where
        it still has some; that takes as long as indexing the dataset did.
        """
        with self._store.read() as connection:
            unseen = datasets.trash_sets(connection)
        erased = trash.purge(self._store, unseen)
        search.rebuild_stale(self._store)
        return erased

    def backup(self, path: str | Path) -> Path:
        """Write a consistent copy of a SQLite store to a new file, while it is in use."""
        return self._store.backup(path)

    def close(self) -> None:
        """Close this process's connections; the store stays."""
        self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Workspace {self.url}>"
