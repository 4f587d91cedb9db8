"""What the server answers beside the API: its pages, files, kernels, and who may come in."""

from __future__ import annotations

import asyncio
import hmac
from typing import Any, Final, cast

from jupyter_server.auth.decorator import allow_unauthenticated
from jupyter_server.auth.identity import PasswordIdentityProvider, User
from jupyter_server.auth.login import LoginFormHandler
from jupyter_server.auth.security import passwd_check
from jupyter_server.base.handlers import APIHandler, JupyterHandler
from tornado import web
from tornado.iostream import StreamClosedError

from rft_widgets.server.kernels import Kernels
from rft_widgets.server.visits import Full, Visits

HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
"""Of every answer. The app's own page may do more, see `page_policy`."""


def page_policy(nonce: str) -> str:
    """What the app's page may load.

    Scripts come from this server or, for the widgets' code that the kernel sends, from a ``blob:``
    that a script of ours made; none stands in the page but those known by the nonce. Voila's front
    end and the widgets set styles from scripts, so styles are free. Nothing leaves this server.
    """
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'self' blob: 'nonce-{nonce}'",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )


class Notices(JupyterHandler):
    """A handler that says in words what it cannot give."""

    def notice(self, status: int, title: str, message: str, link: str = "", text: str = "") -> None:
        """Answer with a page of words."""
        self.set_status(status)
        self.set_header("Cache-Control", "no-store")
        page = self.settings["rft_pages"].get_template("notice.html")
        static = self.settings["rft_static"]
        self.finish(
            page.render(title=title, message=message, link=link, link_text=text, static=static)
        )

    def write_error(self, status_code: int, **_: Any) -> None:
        """Answer to what went wrong, without a word about how."""
        if status_code == 404:
            title, message = "There is nothing here", "The address may be mistyped or out of date."
        elif status_code in (401, 403):
            title, message = "Not allowed", "Log in first, or reload the page and try again."
        else:
            title, message = "That did not work", "What happened stands in the log of the server."
        self.notice(status_code, title, message, self.base_url, "To the datasets")


class Home(Notices):
    """The server's root leads to the list of datasets."""

    @web.authenticated
    def get(self) -> None:
        """Lead on, without the token that may stand in the address."""
        self.redirect(f"{self.base_url}optimization")


class Page(Notices):
    """One of the app's pages: the notebook in a kernel of its own; which page, its router reads."""

    def initialize(self, visits: Visits) -> None:
        """Take what the route gives."""
        self.visits = visits

    @web.authenticated
    async def get(self) -> None:
        """Send the page as it comes about."""
        if "token" in self.request.query_arguments:
            # It is in a cookie now; in the address it would end in bookmarks and histories.
            kept = [part for part in self.request.query.split("&") if not part.startswith("token=")]
            self.redirect("?".join(filter(None, (self.request.path, "&".join(kept)))))
            return
        try:
            visit = self.visits.take()
        except Full as full:
            self.set_header("Retry-After", "15")
            self.notice(
                503, "The app is full", str(full), self.request.uri or self.base_url, "Try again"
            )
            return
        self.xsrf_token  # noqa: B018 - sets the cookie that the page's own requests carry back
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.set_header("Cache-Control", "no-store")
        self.set_header("Content-Security-Policy", page_policy(visit.nonce))
        try:
            async for piece in visit.html():
                self.write(piece)
                await self.flush()
        except StreamClosedError:  # nobody waits for it any more
            visit.leave()

    def head(self) -> None:
        """Answer without a page, and so without a kernel."""


class NotFound(Notices):
    """What no other handler answers."""

    def prepare(self) -> Any:  # type: ignore[override]
        """Let those in who may know what there is."""
        if not self.settings["rft_names"].fullmatch(self.request.host_name):
            self.current_user = self._jupyter_current_user = None
            raise web.HTTPError(403)
        return super().prepare()

    def _nothing(self, *_: str) -> None:
        raise web.HTTPError(404)

    get = head = post = put = patch = delete = web.authenticated(_nothing)


class Login(LoginFormHandler, Notices):
    """Asks for the token, or the password."""

    @allow_unauthenticated
    async def post(self) -> None:
        """Let somebody in who knows it; who does not waits a second before the next try."""
        user = self.current_user = self.identity_provider.process_login_form(self)
        if user is None:
            await asyncio.sleep(1)
            self.set_status(401)
            self._render(message="That is not it.")
            return
        self.identity_provider.set_login_cookie(self, user)
        self._redirect_safe(  # type: ignore[no-untyped-call]
            self.get_argument("next", default=self.base_url)
        )

    def _render(self, message: str | None = None) -> None:
        has_password = bool(getattr(self.identity_provider, "hashed_password", ""))
        page = self.settings["rft_pages"].get_template("login.html")
        self.set_header("Cache-Control", "no-store")
        self.finish(
            page.render(
                static=self.settings["rft_static"],
                action=self.request.uri,
                xsrf=self.xsrf_token.decode(),
                label="Password" if has_password else "Token",
                message="The password of this app."
                if has_password
                else "The token stands in the address that the app printed when it started.",
                wrong=message,
            )
        )


class Logout(Notices):
    """Forgets who was logged in."""

    @web.authenticated
    def post(self) -> None:
        """Log out; a link on a foreign page cannot."""
        self.identity_provider.clear_login_cookie(self)
        self.notice(200, "Logged out", "This browser is logged out.", self.base_url, "Log in")


class _Lasting(web.StaticFileHandler):
    """Files whose addresses hold a version: what is at one of them never changes."""

    def set_extra_headers(self, path: str) -> None:
        """Let the browser keep them."""
        del path
        self.set_header("Cache-Control", "private, max-age=31536000, immutable")


class Files(Notices, _Lasting):
    """Files of Voila's front end, for those who are logged in."""


class PublicFiles(_Lasting):
    """Our own style, scripts and icon: the login page has them, too."""

    def set_default_headers(self) -> None:
        """Have the headers of every answer."""
        for name, value in HEADERS.items():
            self.set_header(name, value)


class Kernel(APIHandler):
    """Whether the kernel of a page is there."""

    @web.authenticated
    def get(self, kernel_id: str) -> None:
        """What there is to know; 404 where there is none."""
        if cast("Kernels", self.kernel_manager).is_dead(kernel_id):
            raise web.HTTPError(404)
        self.finish({"id": kernel_id, "name": "python3"})


class Leave(APIHandler):
    """A page says that it goes."""

    def initialize(self, visits: Visits) -> None:
        """Take what the route gives."""
        self.visits = visits

    @web.authenticated
    def post(self, kernel_id: str) -> None:
        """End its kernel soon."""
        self.visits.leave(kernel_id)
        self.set_status(204)
        self.finish()


class Identity(PasswordIdentityProvider):
    """One token, and one password if there is one, for all who may come in."""

    async def get_user_token(self, handler: web.RequestHandler) -> User | None:
        """Who sent the token is somebody; compared in a time that tells nothing."""
        sent = self.get_token(handler) or ""
        if not self._is(sent):
            return None
        known = cast("User | None", self.get_user_cookie(handler))
        return known or self.generate_anonymous_user(handler)

    def process_login_form(self, handler: web.RequestHandler) -> User | None:
        """Somebody, if the token or the password was right."""
        typed = handler.get_body_argument("password", default="")
        hashed = self.hashed_password
        is_right = self._is(typed)
        if typed and hashed and not is_right:
            is_right = passwd_check(hashed, typed)  # type: ignore[no-untyped-call]
        return self.generate_anonymous_user(handler) if is_right else None

    def _is(self, text: str) -> bool:
        return hmac.compare_digest(text.encode(), self.token.encode())
