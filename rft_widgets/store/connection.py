"""Opening the database: engine, transactions, the schema's version, and where it may lie."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import sqlite3
import sys
import time
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
from platformdirs import user_data_path
from sqlalchemy.engine import Connection, Engine, make_url

from rft_widgets.errors import ExtraRequired, StoreUnavailable
from rft_widgets.model.settings import STORE
from rft_widgets.store import payload, search
from rft_widgets.store.driver import sqlite_connection
from rft_widgets.store.fingerprint import Fingerprint
from rft_widgets.store.last_used import LastUsed
from rft_widgets.store.schema import HEAD

if TYPE_CHECKING:
    from rft_widgets.store.records import LabelCounts
    from rft_widgets.store.views import View

DATABASE_VARIABLE = "RFT_WIDGETS_DATABASE_URL"
"""Environment variable with the URL of the default store."""

NETWORK_FILESYSTEMS = frozenset(
    {
        "nfs",
        "nfs4",
        "cifs",
        "smb3",
        "smbfs",
        "ncpfs",
        "9p",
        "afs",
        "ceph",
        "fuse.sshfs",
        "glusterfs",
    }
)


class Store:
    """A database of datasets.

    Every write runs in `write`, one transaction that takes SQLite's write lock at its start: an
    upgrade of a read transaction is refused at once when somebody else writes, whatever the
    timeout, and a read-modify-write would lose updates. Reads run in `read` and see one snapshot.

    Parameters
    ----------
    url
        A path, an SQLAlchemy URL (``sqlite:///...`` or ``postgresql://...``), or ``None`` for the
        one that `DATABASE_VARIABLE` names, else the file in the user's data directory.

    Raises
    ------
    StoreUnavailable
        If the database cannot be opened, was made by a newer version, or lies on a network drive.
    """

    def __init__(self, url: str | Path | None = None) -> None:
        parsed = resolve_url(url)
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        self.path = Path(parsed.database) if self.is_sqlite and parsed.database else None
        if self.path is not None:
            _make_folder(self.path.parent)
            refuse_network_drive(self.path)
        self.engine = _create_engine(parsed)
        self.url = parsed.render_as_string(hide_password=True)
        self.codec = payload.Codec(self.engine)
        self.vocabularies: dict[int, search.Vocabulary] = {}
        self.counts: LastUsed[tuple[int, bool]] = LastUsed(256)
        self.fingerprints: LastUsed[Fingerprint] = LastUsed(64)
        self.label_counts: LastUsed[LabelCounts] = LastUsed(64)
        self.views: LastUsed[View] = LastUsed(STORE.kept_views)
        if self.is_sqlite:
            contains = search.contains_function(self.codec)

            @sa.event.listens_for(self.engine, "connect")
            def _add_functions(connection: sqlite3.Connection, _record: object) -> None:
                connection.create_function(search.CONTAINS, 2, contains, deterministic=True)

        try:
            self._upgrade()
        except StoreUnavailable:
            self.engine.dispose()
            raise
        except sa.exc.DBAPIError as error:
            self.engine.dispose()
            raise StoreUnavailable(
                f"The database {self.url} cannot be opened: {error.orig}.",
                hint="Check that it exists, that you may write to it, and that it is a database.",
            ) from error
        _open_stores.add(self)

    @contextlib.contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a read transaction: one snapshot, no lock that a writer waits for."""
        with self.engine.connect() as connection:
            if not self.is_sqlite:
                level = {"isolation_level": "REPEATABLE READ"}
                connection = connection.execution_options(**level)  # noqa: PLW2901
            with connection.begin():
                yield connection

    @contextlib.contextmanager
    def write(self, *, durable: bool = False, wait_ms: int | None = None) -> Iterator[Connection]:
        """Open a write transaction, committed at the end of the block, rolled back on an error.

        Parameters
        ----------
        durable
            Whether the commit must survive a power cut (SQLite's ``synchronous=FULL``).
        wait_ms
            How long to wait for another writer of a SQLite file, if not as long as always; then
            SQLAlchemy's ``OperationalError`` says that the database is locked.
        """
        with self.engine.connect() as connection, self._waiting(connection, wait_ms):
            if self.is_sqlite:
                level = "FULL" if durable else "NORMAL"
                sqlite_connection(connection).execute(f"PRAGMA synchronous={level}")
                connection = connection.execution_options(rft_write=True)  # noqa: PLW2901
            with connection.begin():
                yield connection

    @contextlib.contextmanager
    def _waiting(self, connection: Connection, wait_ms: int | None) -> Iterator[None]:
        if wait_ms is None or not self.is_sqlite:
            yield
            return
        raw = sqlite_connection(connection)
        raw.execute(f"PRAGMA busy_timeout={wait_ms}")
        try:
            yield
        finally:  # the connection goes back to the pool
            raw.execute(f"PRAGMA busy_timeout={STORE.busy_timeout_ms}")

    @property
    def side_folder(self) -> Path:
        """The private folder beside the store: uploads, the worker's lock and log, the secret.

        Beside ``x.db`` it is ``x.db-files``; a PostgreSQL store has one in the user's data
        directory on each machine. It is made when it is asked for, for its owner alone.

        Raises
        ------
        StoreUnavailable
            If it cannot be made.
        """
        if self.path is not None:
            folder = self.path.with_name(f"{self.path.name}-files")
        else:
            of_this = hashlib.sha256(self.url.encode()).hexdigest()[:12]
            folder = user_data_path("rft_widgets") / f"postgresql-{of_this}-files"
        _make_folder(folder.parent)
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
            if folder.stat().st_mode & 0o077:
                folder.chmod(0o700)  # made by a copy, or under another umask
        except OSError as error:
            raise StoreUnavailable(
                f"The folder {folder} cannot be made: {error.strerror}.",
                hint="It holds uploads and the worker's lock; see that you may write there.",
            ) from error
        return folder

    def backup(self, path: str | Path) -> Path:
        """Write a consistent copy of a SQLite store to a new file, while others use it.

        Raises
        ------
        StoreUnavailable
            If the target exists, or the store is PostgreSQL (use ``pg_dump``).
        """
        target = Path(path)
        if not self.is_sqlite:
            raise StoreUnavailable("This store is PostgreSQL.", hint="Back it up with pg_dump.")
        if target.exists():
            raise StoreUnavailable(f"{target} exists already.", hint="Name a new file.")
        with self.engine.connect() as connection:
            raw = sqlite_connection(connection)
            try:
                raw.execute("VACUUM INTO ?", (str(target),))
            except sqlite3.Error as error:
                raise StoreUnavailable(
                    f"The backup to {target} failed: {error}.",
                    hint="Check that its folder exists and has room, and that you may write there.",
                ) from error
        return target

    def close(self) -> None:
        """Close all connections of this process."""
        _open_stores.discard(self)
        self.engine.dispose()

    def _upgrade(self) -> None:
        with self.engine.connect() as connection:
            tables = sa.inspect(connection).get_table_names()
            version = (
                connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
                if "alembic_version" in tables
                else None
            )
        if version == HEAD:
            return
        # Alembic is slow to import; a store that is up to date never pays for it.
        from rft_widgets.store.migrations.upgrade import upgrade  # noqa: PLC0415

        upgrade(self)


def resolve_url(url: str | Path | None) -> sa.URL:
    """Turn a path, a URL or nothing into the database URL to open."""
    text = url if url is not None else os.environ.get(DATABASE_VARIABLE) or None
    if text is None:
        text = user_data_path("rft_widgets") / "rft_widgets.db"
    if isinstance(text, Path) or "://" not in text:
        return sa.URL.create("sqlite", database=str(Path(text).expanduser().absolute()))
    try:
        parsed = make_url(text)
    except (sa.exc.ArgumentError, ValueError):
        raise StoreUnavailable(  # without the text, which may hold a password
            "The URL of the database cannot be read.",
            hint="Write sqlite:////path/to/file.db or postgresql://user:password@host:port/name.",
        ) from None
    if parsed.get_backend_name() == "sqlite":
        if not parsed.database or parsed.database == ":memory:":
            raise StoreUnavailable(
                "A store in memory cannot be shared between processes.",
                hint="Name a file: sqlite:////path/to/rft_widgets.db.",
            )
        return parsed
    if parsed.get_backend_name() == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    raise StoreUnavailable(
        f"Databases of kind {parsed.get_backend_name()!r} are not supported.",
        hint="Use a sqlite:/// or postgresql:// URL.",
    )


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreUnavailable(
            f"The folder {folder} cannot be made: {error.strerror}.",
            hint="Name a file in a folder that you may write to.",
        ) from error


def refuse_network_drive(path: Path, mounts: Path = Path("/proc/self/mounts")) -> None:
    """Raise `StoreUnavailable` for a file on a network drive, where SQLite's locks do not hold."""
    if not mounts.exists():
        return
    parent = path.resolve().parent
    best, kind = Path("/"), ""
    for line in mounts.read_text(errors="replace").splitlines():
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        # White space and backslashes are written as octal numbers.
        mount = Path(re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), fields[1]))
        if parent.is_relative_to(mount) and len(mount.parts) >= len(best.parts):
            best, kind = mount, fields[2]
    if kind in NETWORK_FILESYSTEMS:
        raise StoreUnavailable(
            f"{path} lies on a network drive ({kind} at {best}), where SQLite loses writes.",
            hint=f"Use a local file, or a PostgreSQL URL in {DATABASE_VARIABLE}.",
        )


def _create_engine(url: sa.URL) -> Engine:
    if url.get_backend_name() == "postgresql":
        try:
            return sa.create_engine(url, pool_pre_ping=True)
        except ImportError as error:
            raise ExtraRequired(
                "PostgreSQL needs the psycopg driver.",
                hint="Install it with: pip install 'rft-widgets[postgres]'",
            ) from error
    engine = sa.create_engine(
        url, connect_args={"check_same_thread": False, "timeout": STORE.busy_timeout_ms / 1000}
    )

    @sa.event.listens_for(engine, "connect")
    def _configure(connection: sqlite3.Connection, _record: object) -> None:
        # Transactions are begun by hand below; the driver's own begin comes too late for reads.
        connection.isolation_level = None
        connection.execute("PRAGMA page_size=8192")
        connection.execute(f"PRAGMA busy_timeout={STORE.busy_timeout_ms}")
        _use_wal(connection)
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("PRAGMA cache_size=-65536")
        connection.execute("PRAGMA mmap_size=268435456")
        # A bulk load rewrites the same index pages; fewer checkpoints write them less often.
        connection.execute("PRAGMA wal_autocheckpoint=4000")
        connection.execute("PRAGMA temp_store=MEMORY")

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        write = connection.get_execution_options().get("rft_write", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    return engine


def _use_wal(connection: sqlite3.Connection) -> None:
    """Let readers go on while somebody writes.

    Of several processes that open a new file at the same moment, some are told that it is locked:
    SQLite does not wait for the lock that this change takes, whatever ``busy_timeout`` says.
    """
    until = time.monotonic() + STORE.busy_timeout_ms / 1e3
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > until:
                raise
            time.sleep(0.02)
        else:
            return


_open_stores: weakref.WeakSet[Store] = weakref.WeakSet()


def _forget_connections() -> None:
    # A SQLite connection used on both sides of a fork corrupts the file: the child starts afresh.
    for store in list(_open_stores):
        store.engine.dispose(close=False)


if sys.platform != "win32":
    os.register_at_fork(after_in_child=_forget_connections)
