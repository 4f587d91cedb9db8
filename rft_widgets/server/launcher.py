"""Starts the app: its server, the worker beside it, and a browser to look at it."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import os
import threading
import webbrowser
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from rft_widgets.errors import ExtraRequired, InvalidArgument
from rft_widgets.server import keys
from rft_widgets.server.settings import (
    WARM_KERNELS,
    AppSettings,
    child_environment,
    default_max_kernels,
)
from rft_widgets.server.supervisor import Supervisor
from rft_widgets.store.connection import DATABASE_VARIABLE, resolve_url
from rft_widgets.workspace import Workspace

DEFAULT_PORT: Final = 8877


class Launch(Struct, frozen=True, kw_only=True):
    """How the app is started. What is ``None`` is decided by what there is."""

    database: str | None = None
    host: str = "127.0.0.1"
    port: int | None = None
    base_url: str = "/"
    names: tuple[str, ...] = ()
    """Names by which other machines reach it; without one it listens on this machine alone."""
    token_file: Path | None = None
    warm_kernels: int = WARM_KERNELS
    max_kernels: int | None = None
    opens: str = "optimization"
    """The page that is opened first."""


class Started(Struct, frozen=True, kw_only=True):
    """Where the app is."""

    url: str
    """Without the token."""
    token: str

    @property
    def first_url(self) -> str:
        """With the token, for the first visit of a browser."""
        return f"{self.url}?token={self.token}"

    def __repr__(self) -> str:
        return f"Started({self.url!r})"


def run(launch: Launch, told: Callable[[Started], None]) -> None:
    """Serve the app until Ctrl-C or SIGTERM, with a worker beside it.

    Parameters
    ----------
    launch
        How it is started.
    told
        Called once, with the address, when pages can be opened.

    Raises
    ------
    ExtraRequired
        Voila is not installed.
    InvalidArgument, RftError
        The address is not one to listen on, or cannot be had.
    """
    check_voila()
    launch, is_hub_service = _placed(launch)
    _check_host(launch)
    workspace = Workspace(launch.database)  # made, or brought up to date, before anybody asks
    try:
        store = workspace._store  # noqa: SLF001 - the server stands where the store's views do
        folder, is_single = store.side_folder, store.is_sqlite
        settings = AppSettings(
            folder=folder,
            token=keys.read_token(folder, launch.token_file),
            hashed_password=keys.read_password(folder),
            host=launch.host,
            port=DEFAULT_PORT if launch.port is None else launch.port,
            base_url=_base(launch.base_url),
            names=launch.names,
            is_hub_service=is_hub_service,
            warm_kernels=launch.warm_kernels,
            max_kernels=launch.max_kernels or default_max_kernels(),
        )
        rules = {"RFT_WIDGETS_APP": "1", "RFT_WIDGETS_JOBS": "worker"}
        os.environ.update(rules)  # what comes by REST is done by the worker as well
        environment = child_environment(
            **{DATABASE_VARIABLE: _database_url(launch.database), **rules}
        )
        supervisor = Supervisor(folder, environment, is_single=is_single)
        asyncio.run(_serve(launch, settings, environment, workspace, supervisor, told))
    finally:
        workspace.close()


async def _serve(
    launch: Launch,
    settings: AppSettings,
    environment: dict[str, str],
    workspace: Workspace,
    supervisor: Supervisor,
    told: Callable[[Started], None],
) -> None:
    from rft_widgets.server.app import RftApp  # noqa: PLC0415 - needs the extra
    from rft_widgets.server.handlers import handlers  # noqa: PLC0415 - as above

    app = RftApp(
        settings,
        environment,
        lambda base: handlers(base, workspace),
        tries_other_ports=launch.port is None,
    )
    app.initialize()

    def ready(url: str) -> None:
        told(Started(url=f"{url}{launch.opens}", token=settings.token))

    watching = asyncio.create_task(supervisor.watch())
    try:
        await app.serve(ready)
    finally:
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching
        await supervisor.close()


def open_browser(url: str) -> bool:
    """Show a page in the user's browser; whether there is one."""
    try:
        browser = webbrowser.get()
    except webbrowser.Error:
        return False
    threading.Thread(target=browser.open, args=(url,), daemon=True).start()
    return True


def check_voila() -> None:
    """Raise `ExtraRequired` where what the app stands on is not installed."""
    try:
        import ipykernel  # noqa: F401, PLC0415 - only whether it is there
        import voila  # noqa: F401, PLC0415 - only whether it is there
    except ImportError as error:
        raise ExtraRequired(
            f"The app needs {error.name}.", hint="Install it with: pip install 'rft-widgets[voila]'"
        ) from error


def _placed(launch: Launch, variables: Mapping[str, str] = os.environ) -> tuple[Launch, bool]:
    """Where a JupyterHub wants the app, if it started this process as its service."""
    prefix = variables.get("JUPYTERHUB_SERVICE_PREFIX")
    if not prefix:
        return launch, False
    url = urlsplit(variables.get("JUPYTERHUB_SERVICE_URL", ""))
    if url.port is None:
        raise InvalidArgument(
            "The JupyterHub service has no address.",
            hint="Give it a `url`, such as http://127.0.0.1:8877.",
        )
    host = url.hostname or launch.host
    return msgspec.structs.replace(launch, host=host, port=url.port, base_url=prefix), True


def _check_host(launch: Launch) -> None:
    if launch.host == "localhost" or launch.names:
        return
    with contextlib.suppress(ValueError):
        if ipaddress.ip_address(launch.host).is_loopback:
            return
    raise InvalidArgument(
        f"On {launch.host} other machines could reach the app, and nothing they send is encrypted.",
        hint="Say --allow-network NAME with the name they use, and put HTTPS before it; see "
        "docs/operators.md.",
    )


def _base(text: str) -> str:
    inner = text.strip("/")
    return f"/{inner}/" if inner else "/"


def _database_url(database: str | None) -> str:
    """The store's URL in full, for processes that run in another folder."""
    return resolve_url(database).render_as_string(hide_password=False)
