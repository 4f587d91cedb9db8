"""What a kind of job is: its parameters, its name for people, and the work itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Generic, TypeVar

import msgspec
from msgspec import Meta, Struct

from rft_widgets.dataset import OptimizationDataset
from rft_widgets.errors import InvalidArgument
from rft_widgets.steps.progress import Told
from rft_widgets.store import history

P = TypeVar("P", bound=Struct)

MaxCost = Annotated[float, Meta(gt=0)]
"""Most dollars that a job may spend on models."""


class Attempt(Struct, Generic[P], frozen=True, kw_only=True):
    """One attempt at a job, as its work sees it."""

    dataset: OptimizationDataset
    params: P
    job_id: str
    again: bool
    """It was begun before, and may have left something: go on there, and do nothing twice."""
    progress: Told
    cancelled: Callable[[], bool]

    def done(self, kind: str) -> Mapping[str, Any] | None:
        """Details of the log entry of a change that an attempt before this one has made.

        A change and its entry are stored at once, so that what stands here need not be done again.
        """
        if not self.again:
            return None
        store = self.dataset._store  # noqa: SLF001 - jobs are of the package, as views are
        with store.read() as connection:
            found = history.done_by_job(connection, self.dataset.id, self.job_id)
        of_kind = [event.details for event in found if event.kind == kind]
        return of_kind[-1] if of_kind else None

    def id_for(self, prefix: str) -> str:
        """Id for what the job makes, the same in each attempt."""
        return f"{prefix}_{self.job_id.rpartition('_')[2]}"


class Definition(Struct, Generic[P], frozen=True, kw_only=True):
    """A kind of job."""

    kind: str
    params: type[P]
    title: str | Callable[[P], str]
    work: Callable[[Attempt[P]], tuple[str, Any]]
    """Does it; returns how it ended, in words, and what came of it."""
    result: Any = None
    """Type of what comes of it; it is kept as JSON. ``None`` where nothing does."""
    subject: Callable[[P], str] | None = None
    """Id of what it is about within the dataset, where it is not about all of it."""
    lane: str = ""
    """Kinds of one lane would undo each other: one of them at a time runs on a dataset."""
    reopen: Callable[[OptimizationDataset, P], None] | None = None
    """Called when somebody begins it again: makes ready what stopped with it, or refuses."""
    is_quick: bool = False
    """Somebody looks on until it ends: it does not wait behind long work."""

    def read(self, params: Mapping[str, Any] | Struct | None) -> P:
        """Check parameters.

        Raises
        ------
        InvalidArgument
            They are none that this kind takes.
        """
        if isinstance(params, self.params):
            params = msgspec.to_builtins(params)  # bounds are checked only of what is converted
        try:
            return msgspec.convert(dict(params or {}), self.params)  # type: ignore[arg-type]
        except (msgspec.ValidationError, TypeError, ValueError) as error:
            raise InvalidArgument(
                f"A job of kind {self.kind} cannot be made of that: {error}."
            ) from None

    def about(self, params: P) -> str:
        """What within the dataset a job with these parameters is about."""
        return "" if self.subject is None else self.subject(params)

    def named(self, params: P) -> str:
        """What a job with these parameters is called."""
        return self.title if isinstance(self.title, str) else self.title(params)
