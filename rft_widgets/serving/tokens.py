"""Tokens that every process of one user can make anew, and that lie nowhere themselves."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import os
import secrets
from pathlib import Path

from rft_widgets.errors import ServingFailed

SECRET_NAME = "secret"  # noqa: S105 - the name of a file
"""File of the store's side folder that all tokens are made of; without it they are others."""

_SECRET_BYTES = 32


def endpoint_token(folder: Path, deployment_id: str) -> str:
    """Make the token of a deployment from the secret in a folder, which is made if there is none.

    The same folder and deployment give the same token, in every process and after a restart.

    Raises
    ------
    ServingFailed
        The secret cannot be made or read.
    """
    digest = hmac.digest(_secret(folder), f"endpoint {deployment_id}".encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _secret(folder: Path) -> bytes:
    path = folder / SECRET_NAME
    try:
        with contextlib.suppress(FileNotFoundError):
            return _read(path)
        beside = folder / f".{SECRET_NAME}-{secrets.token_hex(6)}"
        # Its mode is there from the first moment, and it gets its name when it is whole.
        number = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(number, "wb") as opened:
                opened.write(secrets.token_bytes(_SECRET_BYTES))
                opened.flush()
                os.fsync(opened.fileno())
            with contextlib.suppress(FileExistsError):  # another process was faster
                os.link(beside, path)
        finally:
            beside.unlink()
        return _read(path)
    except OSError as error:
        raise ServingFailed(
            f"The file {path}, which tokens are made from, cannot be used: {error.strerror}.",
            hint="See that you may read and write there.",
        ) from None


def _read(path: Path) -> bytes:
    secret = path.read_bytes()
    if len(secret) != _SECRET_BYTES:
        raise ServingFailed(
            f"The file {path}, which tokens are made from, is damaged.",
            hint="Delete it: a new one is made, and clients need the new tokens.",
        )
    if path.stat().st_mode & 0o077:
        path.chmod(0o600)  # copied, or put back from a backup, under another umask
    return secret
