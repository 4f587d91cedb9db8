"""Bring a store to the newest schema version, once, however many processes open it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from rft_widgets.errors import StoreUnavailable
from rft_widgets.store.schema import HEAD

if TYPE_CHECKING:
    from rft_widgets.store.connection import Store

_LOCK_KEY = 0x52465457  # PostgreSQL advisory lock; any number that only this package uses


def upgrade(store: Store) -> None:
    """Run the missing migrations in one write transaction.

    Raises
    ------
    StoreUnavailable
        If the store was made by a newer version of the package.
    """
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    with store.write(durable=True) as connection:
        if not store.is_sqlite:
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK_KEY)))
        # Another process may have been faster while this one waited for the lock.
        version = MigrationContext.configure(connection).get_current_revision()
        if version == HEAD:
            return
        known = {
            revision.revision for revision in ScriptDirectory.from_config(config).walk_revisions()
        }
        if version is not None and version not in known:
            raise StoreUnavailable(
                f"The store {store.url} has schema version {version}, newer than this package.",
                hint="Update rft-widgets, or open another store.",
            )
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
