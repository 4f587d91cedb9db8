"""The app's token and password: in the store's side folder, readable by their owner alone."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Final

from rft_widgets.errors import InvalidArgument

TOKEN_FILE: Final = "app-token"  # noqa: S105 - a name
PASSWORD_FILE: Final = "app-password"  # noqa: S105 - a name
LEAST_TOKEN: Final = 16
"""Letters of a token that somebody chose."""


def read_token(folder: Path, path: Path | None = None) -> str:
    """The token: the one from before, so that bookmarks and logins outlive a restart, or a new one.

    Raises
    ------
    InvalidArgument
        The file cannot be read or made, or holds no usable token.
    """
    file = path or folder / TOKEN_FILE
    try:
        if not file.exists():
            write_privately(file, secrets.token_urlsafe(32))
        token = file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeError) as error:
        raise InvalidArgument(
            f"The token file {file} cannot be used: {error}.", hint="Name another --token-file."
        ) from None
    if len(token) < LEAST_TOKEN or not all(char.isalnum() or char in "-_.~" for char in token):
        raise InvalidArgument(
            f"The token in {file} is not usable.",
            hint=f"It needs {LEAST_TOKEN} or more letters, digits or -_.~; or delete the file, "
            "and a new one is made.",
        )
    return token


def read_password(folder: Path) -> str:
    """The hash of the password, empty where none is set."""
    try:
        return (folder / PASSWORD_FILE).read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return ""


def set_password(folder: Path, password: str) -> None:
    """Keep the hash of a password; an empty one means that there is none any more."""
    if not password:
        (folder / PASSWORD_FILE).unlink(missing_ok=True)
        return
    from jupyter_server.auth.security import passwd  # noqa: PLC0415 - slow to import

    if len(password) < 8:
        raise InvalidArgument("The password is too short.", hint="Use 8 letters or more.")
    fresh = folder / f"{PASSWORD_FILE}.new"
    fresh.unlink(missing_ok=True)
    write_privately(fresh, passwd(password))  # type: ignore[no-untyped-call]
    fresh.replace(folder / PASSWORD_FILE)


def write_privately(path: Path, text: str) -> None:
    """Write a new file that only its owner may read, from its first moment on."""
    number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(number, "w", encoding="ascii") as opened:
        opened.write(f"{text}\n")
