"""The REST API in a Jupyter server, for its owner, who may run any code there anyway.

``jupyter-config/`` enables it. For people who may not run code there is the app, a server of its
own: `rft_widgets.server.app`.
"""

from __future__ import annotations

import re
from typing import Any

from rft_widgets.errors import RftError


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    """Name what Jupyter loads."""
    return [{"module": "rft_widgets.server.extension"}]


def _load_jupyter_server_extension(server: Any) -> None:
    """Add the routes. A store that cannot be opened leaves the rest of the server as it is."""
    # Loaded with the server's start: what the routes need costs a second, and comes after it.
    from jupyter_server.utils import url_path_join  # noqa: PLC0415

    from rft_widgets.server import handlers, upload  # noqa: PLC0415
    from rft_widgets.workspace import Workspace  # noqa: PLC0415

    try:
        workspace = Workspace()
        uploads = workspace.uploads
    except RftError as error:
        server.log.warning("rft-widgets: no REST API. %s", error)
        return
    base = re.escape(url_path_join(server.web_app.settings["base_url"], "api/optimization"))
    rules = [*upload.handlers(base, uploads), *handlers.handlers(base, workspace)]
    server.web_app.add_handlers(".*$", rules)
    server.log.info("rft-widgets: REST API of %s at %s", workspace.url, base)
