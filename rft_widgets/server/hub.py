"""The app as a service of a JupyterHub: the hub says who comes, and which of them may.

The hub starts the app (``c.JupyterHub.services``) and tells it by environment variables where it
lies and how to ask. Who has the hub's scope ``access:services`` for the service comes in.
"""

from __future__ import annotations

from typing import Any

from jupyter_server.auth.decorator import allow_unauthenticated
from jupyter_server.auth.identity import User
from jupyterhub.services.auth import HubOAuth, HubOAuthCallbackHandler
from tornado import web
from tornado.httputil import url_concat

from rft_widgets.server.web import Identity, Notices


class HubIdentity(Identity):
    """Whoever the hub lets in, or a script with the app's own token."""

    async def get_user(self, handler: web.RequestHandler) -> User | None:
        """Who the hub says it is; it is asked anew every few minutes."""
        by_token = await self.get_user_token(handler)
        if by_token is not None:
            handler._token_authenticated = True  # type: ignore[attr-defined]  # noqa: SLF001 - as the base class says it
            return by_token
        hub = HubOAuth.instance()
        found = await hub.get_user(handler, sync=False)
        if found is None or not hub.check_scopes(hub.access_scopes, found):
            return None
        return User(username=found["name"])

    def get_user_cookie(self, handler: web.RequestHandler) -> User | None:
        """Nobody: the cookies are the hub's."""
        del handler
        return None


class HubLogin(Notices):
    """Leads to the hub's login; its answer comes to `HubCallback`."""

    @allow_unauthenticated
    def get(self) -> None:
        """Go to the hub, and come back to where one wanted to go."""
        hub = HubOAuth.instance()
        wanted = self.get_query_argument("next", self.base_url)
        inside = wanted.startswith(self.base_url) and not wanted.startswith(("//", "/\\"))
        said: dict[str, Any] = {}
        verifier = None
        if getattr(hub, "pkce_enabled", False):  # since JupyterHub 6
            verifier, challenge, method = hub.generate_pkce_code_challenge()
            said = {"code_challenge": challenge, "code_challenge_method": method}
        more = {"code_verifier": verifier} if verifier else {}
        said["state"] = hub.set_state_cookie(
            self, next_url=wanted if inside else self.base_url, **more
        )
        self.redirect(url_concat(hub.login_url, said))


class HubCallback(HubOAuthCallbackHandler):  # type: ignore[misc]
    """Takes what the hub says of who just logged in."""
