"""What every outgoing call keeps to: it goes where it was told to, and nowhere else."""

from __future__ import annotations

import ipaddress
import urllib.request
from typing import Any


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, the only one that may be called without encryption."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def direct_opener() -> urllib.request.OpenerDirector:
    """Opener that follows no redirects, which would carry records and keys to another host.

    Nor does it ask the environment for proxies.
    """
    return urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None
