"""What goes wrong at the service, as errors of ours."""

from __future__ import annotations

from rft_widgets.errors import RftError
from rft_widgets.trainers.hosted import ServiceUnreachable

_MOST_WORDS = 400
_REFUSED = {
    401: "The service does not accept the key.",
    402: "The service wants the account to be paid first.",
    403: "The key may not do this at the service.",
}


class ServiceFailed(ServiceUnreachable):
    """The service answered, and what was begun there is gone: a session, or a step in it."""


def explained(error: Exception, *, secret: str, opening: bool) -> Exception:
    """An error of ours that says what the service said; a fault of this package stays as it is.

    Parameters
    ----------
    error
        What an SDK raised.
    secret
        Left out of the words.
    opening
        Whether a session was being opened: then something that is not there never will be.
    """
    if isinstance(error, (RftError, TypeError, AttributeError, LookupError)):
        return error
    said = words_of(error, secret=secret)
    status, is_ours = _status_of(error)
    if status in _REFUSED:
        return RftError(f"{_REFUSED[status]} {said}", hint="Look at the account there.")
    # A look at a future that fails so says nothing of what was asked: gateways answer that, too.
    is_direct = isinstance(getattr(error, "status_code", None), int) or opening
    if is_ours or (is_direct and status in (400, 422)) or (opening and status == 404):
        return RftError(f"The service refuses that: {said}", hint="Change what was asked.")
    if status in (408, 429) or (status or 0) >= 500 or _is_lost(error):
        return ServiceUnreachable(f"The service cannot be reached: {said}")
    return ServiceFailed(f"The service failed: {said}")


def words_of(error: BaseException, *, secret: str) -> str:
    """What an error says, without a secret."""
    return (str(error) or type(error).__name__).replace(secret, "...")[:_MOST_WORDS]


def _status_of(error: Exception) -> tuple[int | None, bool]:
    """The HTTP status behind an error, and whether it says that what was asked is wrong."""
    for one in _causes(error):
        status, category = getattr(one, "status_code", None), getattr(one, "category", None)
        if isinstance(status, int):
            return status, False
        if category is not None:
            return None, str(category) == "user"
    return None, False


def _is_lost(error: Exception) -> bool:
    """Whether nothing came from the service at all."""
    names = [type(one).__name__ for one in _causes(error) if not isinstance(one, OSError)]
    return len(names) < len(_causes(error)) or any(
        word in name for name in names for word in ("Connection", "Timeout", "Transport")
    )


def _causes(error: BaseException | None) -> list[BaseException]:
    """An error, and those that led to it."""
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        error = error.__cause__
    return found
