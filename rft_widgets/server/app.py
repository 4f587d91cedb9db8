"""The app's server: Voila's, with one notebook, and no route that a page does not need."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import jinja2
import tornado.web
from jupyter_core.utils import ensure_async
from jupyter_server.utils import url_path_join
from jupyterlab_server.config import get_federated_extensions
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from traitlets.config import Config
from voila.app import Voila
from voila.paths import collect_static_paths, collect_template_paths
from voila.utils import get_voila_labextensions_path

from rft_widgets.errors import RftError
from rft_widgets.server import upload, web
from rft_widgets.server.channels import Channels
from rft_widgets.server.kernels import ALLOWED, GuardedConnection, Kernels, OwnKernelSpecs
from rft_widgets.server.settings import STATIC, TEMPLATE, AppSettings, notebook
from rft_widgets.server.visits import Visits
from rft_widgets.uploads import Uploads

logger = logging.getLogger(__name__)

Rule = tuple[Any, ...]

PLACES: Final = r"optimization(?:/[\w-]{1,64}(?:/settings)?)?/?"
"""Pages of the app; which one it is, its router in the browser reads from the address."""
KERNEL_ID: Final = r"([\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12})"
EXTENSIONS: Final = (
    "@jupyter-widgets/jupyterlab-manager",
    "@voila-dashboards/widgets-manager8",
    "anywidget",
)
"""What of JupyterLab is loaded into the page: what shows widgets, whatever else is installed."""
PRELOADED: Final = ("voila.js", "7155.voila.js", "9684.voila.js", "3144.voila.js", "630.voila.js")
"""The largest parts of Voila's front end, by their names in the versions that we work with."""
MAX_BODY_BYTES: Final = 64 * 1024**2
"""Of a request that is read as a whole; uploads are streamed and have limits of their own."""
API: Final = "api/optimization"


class RftApp(Voila):  # type: ignore[misc]
    """The server of the app.

    Of Voila it takes how a notebook becomes a page and how that page meets its kernel; which routes
    there are, who may use them and how many kernels run is decided here.

    Parameters
    ----------
    settings
        What the operator decided.
    environment
        Variables of the kernels.
    rules
        Gives the rules of the REST API under a base address.
    tries_other_ports
        Whether another port may be taken where the one of the settings is in use.
    """

    def __init__(
        self,
        settings: AppSettings,
        environment: dict[str, str],
        rules: Callable[[str], list[Rule]] | None = None,
        *,
        tries_other_ports: bool = False,
    ) -> None:
        self._settings = settings
        self._environment = environment
        self._rules = rules or (lambda _base: [])
        self._tries_other_ports = tries_other_ports
        self._front = _FrontEnd(settings.base_url)
        super().__init__(
            config=_config(settings),
            base_url=settings.base_url,
            ip=settings.host,
            port=settings.port,
            token=settings.token,
            config_file_paths=[],
            log_level=logging.WARNING,
            root_dir=str(notebook().parent),
        )

    def initialize(self, argv: Any = None) -> None:
        """Get ready; no configuration of the user's Voila is read, and no command line."""
        del argv
        super().initialize([])

    def setup_template_dirs(self) -> None:
        """Take our template, which stands on Voila's own for JupyterLab."""
        found = collect_template_paths(["voila", "nbconvert"], "lab", prune=True)
        self.template_paths = [str(TEMPLATE), *found]

    def init_settings(self) -> dict[str, Any]:
        """Settings of the web application."""
        settings: dict[str, Any] = super().init_settings()
        loader = jinja2.FileSystemLoader(TEMPLATE)
        self.kernel_manager.allowed_message_types = list(ALLOWED)
        return settings | {
            "cookie_secret": self._settings.cookie_secret,
            "default_handler_class": web.NotFound,
            "headers": dict(web.HEADERS),
            "log_function": _log_request,
            "ws_ping_timeout": 30_000,  # ms; tornado wants no more than the interval: see Channels
            "rft_names": re.compile(_names(self._settings), re.IGNORECASE),
            "rft_pages": jinja2.Environment(loader=loader, autoescape=True),
            "rft_static": self._front.own,
            "xsrf_cookie_kwargs": {"path": self.base_url, "samesite": "Strict"},
        }

    def init_handlers(self) -> list[Rule]:
        """Every route there is. What Voila has beside them is not reachable."""
        base = re.escape(self.base_url)
        api = url_path_join(base, API)
        visits = {"visits": self.visits}
        return [
            (f"{base}?", web.Home),
            (f"{base}{PLACES}", web.Page, visits),
            *self._doors(base),
            (f"{base}api/kernels/{KERNEL_ID}", web.Kernel),
            (f"{base}api/kernels/{KERNEL_ID}/channels", Channels),
            (f"{base}voila/api/shutdown/{KERNEL_ID}", web.Leave, visits),
            *self._front.rules(),
            *upload.handlers(api, Uploads(self._settings.folder / "uploads")),
            *self._rules(api),
        ]

    def _doors(self, base: str) -> list[Rule]:
        if not self._settings.is_hub_service:
            return [(f"{base}login", web.Login), (f"{base}logout", web.Logout)]
        from rft_widgets.server import hub  # noqa: PLC0415 - it is there where a hub is

        return [(f"{base}login", hub.HubLogin), (f"{base}oauth_callback", hub.HubCallback)]

    def start(self) -> None:
        """Serve until a signal comes; then end the kernels."""
        asyncio.run(self.serve())

    async def serve(self, ready: Callable[[str], None] = lambda _url: None) -> None:
        """Serve until SIGTERM or SIGINT; `ready` is told the address.

        Raises
        ------
        RftError
            The address is in use, or not this machine's.
        """
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))
        # Not where $TMPDIR says: the sockets' paths may have no more than about 100 letters.
        short = None if sys.platform == "win32" else "/tmp"  # noqa: S108 - a random name, 0700
        with tempfile.TemporaryDirectory(prefix="rft-app-", dir=short) as folder:
            # Nothing of the user's own IPython runs in these kernels, and none keeps a history.
            self.connection_dir = folder
            environment = {**self._environment, "IPYTHONDIR": folder}
            self.app = tornado.web.Application(**self.init_settings())
            self.visits = Visits(
                self.kernel_manager,
                notebook(),
                self._renderer(),
                environment=environment,
                failure=(TEMPLATE / "failure.html").read_text(),
                warm=self._settings.warm_kernels,
                limit=self._settings.max_kernels,
            )
            self.app.add_handlers(_names(self._settings), self.init_handlers())
            server = self._listen()
            watching = asyncio.create_task(self.visits.watch())
            try:
                ready(self.connection_url)
                await stop.wait()
            finally:
                server.stop()
                watching.cancel()
                await self.visits.close()
                await ensure_async(self.kernel_manager.shutdown_all(now=True))
                await server.close_all_connections()

    def _listen(self) -> HTTPServer:
        wanted = self._settings.port
        ports = [wanted, 0] if self._tries_other_ports else [wanted]
        for port in ports:
            try:
                sockets = bind_sockets(port, self.ip)
            except (OSError, UnicodeError) as error:
                if port != ports[-1]:
                    continue
                raise RftError(
                    f"The app cannot listen on {self.ip}:{port}: {error}.",
                    hint="Choose another port with --port, or 0 for any that is free.",
                ) from error
            break
        self.port = sockets[0].getsockname()[1]
        # Behind a proxy its headers tell whether the page came by HTTPS.
        server = HTTPServer(self.app, xheaders=True, max_body_size=MAX_BODY_BYTES)
        server.add_sockets(sockets)
        return server

    def _renderer(self) -> dict[str, Any]:
        return {
            "base_url": self.base_url,
            "config_manager": self.config_manager,
            "contents_manager": None,
            "kernel_spec_manager": self.kernel_spec_manager,
            "page_config": self._front.config(),
            "template_paths": self.template_paths,
            "traitlet_config": self.config,
            "voila_configuration": self.voila_configuration,
        }


class _FrontEnd:
    """The files of the page: Voila's, those of two extensions, and ours.

    Their addresses hold a digest of what is installed, so that browsers keep them until it changes.
    """

    def __init__(self, base: str) -> None:
        self._base = base
        folders = collect_static_paths(["voila"], "lab")
        self._voila = next(Path(one) for one in folders if (Path(one) / "voila.js").is_file())
        installed = get_federated_extensions(get_voila_labextensions_path())
        self._extensions = {name: installed[name] for name in EXTENSIONS}
        digest = hashlib.sha256()
        watched = [*STATIC.iterdir(), *(self._voila / name for name in PRELOADED)]
        for path in sorted(one for one in watched if one.is_file()):
            digest.update(path.read_bytes())
        digest.update(repr([one["jupyterlab"] for one in self._extensions.values()]).encode())
        self._version = digest.hexdigest()[:12]
        self.own = f"{base}app/{self._version}"

    def rules(self) -> list[Rule]:
        """Routes to the files."""
        base = re.escape(self._base)
        return [
            (f"{base}app/[0-9a-f]+/(.+)", web.PublicFiles, {"path": str(STATIC)}),
            (f"{base}voila/static/[0-9a-f]+/(.+)", web.Files, {"path": str(self._voila)}),
            *(
                (
                    f"{base}voila/labextensions/[0-9a-f]+/{re.escape(name)}/static/(.+)",
                    web.Files,
                    {"path": str(Path(one["ext_path"]) / "static")},
                )
                for name, one in self._extensions.items()
            ),
        ]

    def config(self) -> dict[str, Any]:
        """What the front end reads in the page."""
        static = f"{self._base}voila/static/{self._version}"
        extensions = f"{self._base}voila/labextensions/{self._version}"
        builds = {name: one["jupyterlab"]["_build"] for name, one in self._extensions.items()}
        return {
            "appName": "rft_widgets",
            "appUrl": "voila/",
            "baseUrl": self._base,
            "federated_extensions": [{"name": name, **one} for name, one in builds.items()],
            "fullLabextensionsUrl": extensions,
            # An empty one: the app has no formulas, and the plugin fails without an address.
            "fullMathjaxUrl": f"{self.own}/mathjax.js",
            "fullStaticUrl": static,
            "jupyterLabTheme": "dark",
            "mathjaxConfig": "none",
            "progressiveRendering": False,
            "rftPreload": [
                *(f"{static}/{name}" for name in PRELOADED if (self._voila / name).is_file()),
                *(
                    f"{extensions}/{name}/{one['load'].removeprefix('./')}"
                    for name, one in builds.items()
                ),
            ],
            "rftStatic": self.own,
            "terminalsAvailable": False,
        }


def _config(settings: AppSettings) -> Config:
    """What is set for Voila and what it stands on; the rest is as they come."""
    config = Config()
    if settings.is_hub_service:
        config.Voila.identity_provider_class = "rft_widgets.server.hub.HubIdentity"
    else:
        config.Voila.identity_provider_class = web.Identity
    config.Voila.kernel_websocket_connection_class = GuardedConnection
    config.VoilaConfiguration.multi_kernel_manager_class = Kernels
    config.VoilaConfiguration.kernel_spec_manager_class = OwnKernelSpecs
    config.VoilaConfiguration.allow_template_override = "NO"
    config.VoilaConfiguration.allow_theme_override = "NO"
    config.VoilaConfiguration.template = "lab"
    config.VoilaConfiguration.theme = "dark"
    config.VoilaConfiguration.strip_sources = True
    config.VoilaConfiguration.show_tracebacks = False
    config.VoilaConfiguration.file_allowlist = ["public/.*"]  # of a route that is not there either
    config.VoilaConfiguration.preheat_kernel = False  # see `visits`
    # A kernel that died lost its page's widgets: a new one would answer for nothing.
    config.KernelManager.autorestart = False
    if sys.platform != "win32":
        # By TCP everybody on this machine could listen to what a kernel tells its page.
        config.KernelManager.transport = "ipc"
    config.Identity.hashed_password = settings.hashed_password
    config.Identity.allow_password_change = False
    config.Identity.cookie_name = settings.cookie_name
    config.Identity.cookie_options = {"samesite": "Lax"}
    return config


def _names(settings: AppSettings) -> str:
    """The hosts that the server answers by: another name is another site's, led here (DNS)."""
    if settings.is_hub_service:
        return ".*$"  # the hub's proxy knows its names, and its logins are bound to them
    named = "|".join(map(re.escape, ("localhost", "127.0.0.1", "[::1]", *settings.names)))
    return f"^(?:{named})$"


def _log_request(handler: tornado.web.RequestHandler) -> None:
    """Log what failed, without the query: a token may stand in it."""
    status = handler.get_status()
    if status >= 500:
        logger.error("%d %s %s", status, handler.request.method, handler.request.path)
