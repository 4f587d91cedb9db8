"""What every outgoing call keeps to: it goes where it was told to, and nowhere else."""

from __future__ import annotations

import ipaddress
import urllib.request
from typing import Any
from urllib.parse import urlsplit

from rft_widgets.errors import InvalidArgument


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, the only one that may be called without encryption."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def url_of(host: str, port: int) -> str:
    """Address of a server of ours."""
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def checked_base_url(base_url: str) -> str:
    """Give back the address of a service, without a slash at its end.

    Raises
    ------
    InvalidArgument
        It has no host, or more than host and path; or a key would be sent to it in the open.
    """
    parts = urlsplit(base_url)
    host = parts.hostname or ""
    if parts.username or parts.password or parts.query or parts.fragment or not host:
        raise InvalidArgument(
            "A base URL has a host and a path, no user, query or fragment.",
            hint="Pass something like 'https://api.example.com/v1'.",
        )
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        raise InvalidArgument(
            f"{parts.scheme or 'no scheme'}://{host} would send the key in the open.",
            hint="Use https, or http on this machine.",
        )
    return base_url.rstrip("/")


def direct_opener() -> urllib.request.OpenerDirector:
    """Opener that follows no redirects, which would carry records and keys to another host.

    Nor does it ask the environment for proxies.
    """
    return urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None
