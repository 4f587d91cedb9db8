"""The token that clients of an endpoint send: from the environment, or in a file of one's own."""

from __future__ import annotations

import os
import secrets
import shlex
import stat
import sys
from pathlib import Path

from msgspec import Struct
from platformdirs import user_data_path

from rft_widgets.cli.documents import read_text
from rft_widgets.errors import InvalidArgument
from rft_widgets.serving.guard import check_token


class Token(Struct, frozen=True, kw_only=True):
    """A token, and where a client finds it: a file, or an environment variable.

    It is shown nowhere: what is printed may be kept, and command lines can be read by everybody.
    """

    value: str
    file: Path | None = None
    variable: str | None = None

    @property
    def place(self) -> str:
        """Where it is, in words."""
        if self.variable is not None:
            return f"the environment variable {self.variable}"
        return str(self.file)

    @property
    def shell(self) -> str:
        """Shell words that give it without naming it."""
        if self.variable is not None:
            return f'"${self.variable}"'
        return f'"$(cat {shlex.quote(str(self.file))})"'

    def __repr__(self) -> str:
        return f"Token({self.place!r})"


def find_token(deployment_id: str, *, variable: str | None, file: Path | None) -> Token:
    """Take the token from where it was said to be, or from the deployment's own file.

    A file that is not there is made, with a random token and readable by its owner alone.

    Raises
    ------
    InvalidArgument
        The variable is not set, the file cannot be read or made, or it holds no token.
    """
    if variable is not None:
        value = os.environ.get(variable, "")
        if not value:
            raise InvalidArgument(
                f"The environment variable {variable} is not set.",
                hint="Put the token in it, or leave the option out.",
            )
        return Token(value=check_token(value.strip()), variable=variable)
    path = file or user_data_path("rft_widgets") / "tokens" / deployment_id
    try:
        if file is None:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            _write(path, secrets.token_urlsafe(32))
        value = check_token(read_text(path).strip())
        if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            print(
                f"rft-widgets: others on this computer may read {path}; `chmod 600` changes that.",
                file=sys.stderr,
            )
    except OSError as error:
        raise InvalidArgument(
            f"The token file {path} cannot be used: {error.strerror}.",
            hint="Name another one with --token-file, or a variable with --token-env.",
        ) from None
    return Token(value=value, file=path.absolute())


def _write(path: Path, value: str) -> None:
    # Its mode is there from the first moment, and nothing that lies there is followed or replaced.
    number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(number, "w", encoding="ascii") as opened:
        opened.write(f"{value}\n")
