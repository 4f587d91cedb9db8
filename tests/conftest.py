"""Stores for tests: SQLite files, and a PostgreSQL server of the session's own."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

import rft_widgets as rft

# How long an example takes depends on what else the machine does.
hypothesis.settings.register_profile("patient", deadline=None, max_examples=60)
hypothesis.settings.load_profile("patient")

POSTGRES_BIN = Path("/usr/lib/postgresql")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """URL of a fresh PostgreSQL server on a free port, without a database name."""
    bin_dir = _postgres_bin()
    if bin_dir is None:
        reason = "PostgreSQL is not installed (apt-get install postgresql)"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    folder = Path(tempfile.mkdtemp(prefix="rft-postgres-"))
    user = "postgres" if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name
    # PostgreSQL refuses to run as root; Debian's package brings a user for it.
    prefix = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
    if prefix:
        shutil.chown(folder, "postgres")
    data = folder / "data"
    port = _free_port()
    run = {"check": True, "capture_output": True, "cwd": folder}
    subprocess.run(
        [*prefix, bin_dir / "initdb", "-D", data, "-A", "trust", "-E", "UTF8", "--no-sync"], **run
    )
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
    control = [*prefix, str(bin_dir / "pg_ctl"), "-D", str(data), "-w"]
    # Its log goes to a file: a server that inherits our pipes keeps the test run from ending.
    subprocess.run(
        [*control, "-l", str(folder / "log"), "-o", options, "start"],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=folder,
    )
    try:
        yield f"postgresql://{user}@127.0.0.1:{port}"
    finally:
        with contextlib.suppress(subprocess.CalledProcessError):
            subprocess.run([*control, "-m", "immediate", "stop"], **run)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """URL of an empty PostgreSQL database."""
    import psycopg

    name = f"t{uuid.uuid4().hex}"
    with psycopg.connect(f"{postgres_server}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    yield f"{postgres_server}/{name}"
    with psycopg.connect(f"{postgres_server}/postgres", autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of an empty store, on each kind of database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'store.db'}"
    return request.getfixturevalue("postgres_url")


@pytest.fixture
def workspace(store_url: str) -> Iterator[rft.Workspace]:
    """An empty workspace, on each kind of database."""
    with rft.Workspace(store_url) as opened:
        yield opened


@pytest.fixture
def sqlite_workspace(tmp_path: Path) -> Iterator[rft.Workspace]:
    """An empty workspace in a SQLite file, for what does not depend on the database."""
    with rft.Workspace(tmp_path / "store.db") as opened:
        yield opened


def _postgres_bin() -> Path | None:
    found = sorted(POSTGRES_BIN.glob("*/bin"), key=lambda path: float(path.parent.name))
    return found[-1] if found else None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
