"""What a dataset is: its name, where it came from, and what happened to it."""

from __future__ import annotations

from datetime import datetime

from rft_widgets.errors import InvalidArgument, StaleEdit
from rft_widgets.model.dataset import DatasetInfo, DatasetSource, Event
from rft_widgets.store import datasets, history
from rft_widgets.store.connection import Store


class Described:
    """A dataset's description. Every property reads the store when it is asked."""

    def __init__(self, store: Store, dataset_id: str) -> None:
        self._store = store
        self.id = dataset_id

    @property
    def info(self) -> DatasetInfo:
        """Name, objective, source and times, as one value."""
        with self._store.read() as connection:
            return datasets.read(connection, self.id)

    @property
    def name(self) -> str:
        """Its name."""
        return self.info.name

    @property
    def objective(self) -> str:
        """What the model should become better at."""
        return self.info.objective

    @property
    def source(self) -> DatasetSource:
        """Where the first records came from."""
        return self.info.source

    @property
    def created_at(self) -> datetime:
        """When it was made, UTC."""
        return self.info.created_at

    @property
    def updated_at(self) -> datetime:
        """When anything in it changed last, UTC."""
        return self.info.updated_at

    def rename(self, name: str) -> None:
        """Give the dataset another name."""
        self.update(name=name)

    def update(
        self,
        *,
        name: str | None = None,
        objective: str | None = None,
        seen: DatasetInfo | None = None,
    ) -> None:
        """Change name, objective or both.

        Parameters
        ----------
        name, objective
            New values; what is left out stays.
        seen
            The description that the change was made on. If what is to be changed is another by
            now, the change is refused.

        Raises
        ------
        StaleEdit
            Somebody else changed it since it was seen; says to what. Nothing was overwritten.
        """
        given = {"name": name, "objective": objective}
        values = {key: value.strip() for key, value in given.items() if value is not None}
        if not values.get("name", "unchanged"):
            raise InvalidArgument("A dataset needs a name.", hint="Pass a text that is not empty.")
        if not values:
            return
        with self._store.write() as connection:
            if seen is not None:
                _refuse_stale(datasets.read(connection, self.id), seen, values)
            datasets.describe(connection, self.id, **values)
            history.log(connection, self.id, "update", values)

    @property
    def events(self) -> tuple[Event, ...]:
        """Every operation on the dataset, oldest first."""
        with self._store.read() as connection:
            datasets.read(connection, self.id)
            return history.read_log(connection, self.id)


def _refuse_stale(now: DatasetInfo, seen: DatasetInfo, values: dict[str, str]) -> None:
    changes = [
        f"The {what} is {getattr(now, what)!r} by now."
        for what, value in values.items()
        if getattr(now, what) not in (getattr(seen, what), value)
    ]
    if changes:
        raise StaleEdit(
            f"Somebody else changed this meanwhile. {' '.join(changes)}",
            hint="Nothing was saved. Look at it, and save again if yours should stand.",
        )
