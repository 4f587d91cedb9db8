"""The one exception family: each message says what happened, where, and what to do."""

from __future__ import annotations


class RftError(Exception):
    """Base of every error this package raises on purpose.

    Parameters
    ----------
    message
        What happened and where (file, line, record).
    hint
        What to do about it; shown after the message.
    """

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message if hint is None else f"{message} {hint}")
        self.message = message
        self.hint = hint


class NotFound(RftError):  # noqa: N818 - the family reads as what happened, not as "...Error"
    """A dataset, record or file that was named does not exist."""


class InvalidArgument(RftError, ValueError):  # noqa: N818
    """A call was made with a value that it does not take."""


class AlreadyAtWork(InvalidArgument):
    """Work of this kind is under way; it has to end, or be stopped, before more of it begins."""


class NeedsModel(RftError):  # noqa: N818
    """What was asked for takes a language model, and none is connected; nothing was done."""


class BudgetReached(RftError):  # noqa: N818
    """A piece of work may spend no more on models; what was paid for is kept."""


class ModelRefused(RftError):  # noqa: N818
    """A service takes no request of ours: the key is refused, the quota used, the model gone."""


class ModelGone(ModelRefused):
    """The model was shut down; nothing was asked."""


class TooManyFailures(RftError):  # noqa: N818
    """So many requests to a model failed that the work was stopped; what was answered is kept."""


class ImportRejected(RftError):  # noqa: N818
    """A file as a whole cannot be read; nothing of it was imported."""


class ImportInterrupted(RftError):  # noqa: N818
    """An import stopped before its end; what it says was committed stays, and it can be resumed."""


class RunInterrupted(RftError):  # noqa: N818
    """A run stopped before its end; its message says what is kept, and how to go on."""


class StaleEdit(RftError):  # noqa: N818
    """What was to be edited changed since it was read; it was refused and nothing overwritten."""


class StoreUnavailable(RftError):  # noqa: N818
    """The database cannot be opened, or should not be where it is."""


class UnknownFormat(RftError):  # noqa: N818
    """A source holds no trace format that is known; the message lists the keys that were seen."""


class ExtraRequired(RftError, ImportError):  # noqa: N818
    """An optional dependency is missing; the message names the extra to install."""


class GraderInvalid(RftError, ValueError):  # noqa: N818
    """A grader cannot be used as it is written; nothing was graded or saved.

    Parameters
    ----------
    message, hint
        As for every error of the package.
    where
        Path of the faulty field in the grader's JSON, such as ``input[1].content``.
    line, column
        Place of the fault inside that field's text, both counted from 1.
    """

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        where: str = "",
        line: int | None = None,
        column: int | None = None,
    ) -> None:
        super().__init__(f"{where}: {message}" if where else message, hint=hint)
        self.where = where
        self.line = line
        self.column = column


class SandboxUnavailable(RftError):  # noqa: N818
    """The system cannot confine grader code, so none of it was run."""


class ClusterUnavailable(RftError):  # noqa: N818
    """A Ray cluster that was given cannot be used, or was lost during the work."""


class TrainingRefused(RftError):  # noqa: N818
    """The last dry run says NO_GO: training would learn nothing, or the wrong thing."""


class TrainingStopped(RftError):  # noqa: N818
    """A training run ended before its last step, because it was asked to or goes on elsewhere.

    Parameters
    ----------
    message, hint
        As for every error of the package.
    reason
        ``"pause"`` or ``"cancel"`` where that was asked, ``"service"`` where the service that
        trains paused it by itself, ``"taken_over"`` where somebody else works on it now. The last
        saved state takes the run up again.
    """

    def __init__(self, message: str, *, hint: str | None = None, reason: str) -> None:
        super().__init__(message, hint=hint)
        self.reason = reason


class NoCandidate(RftError):  # noqa: N818
    """No recorded answer can be given to a prompt without what belongs to another conversation."""


class ServingFailed(RftError):  # noqa: N818
    """The server cannot listen where it should, or did not start."""
