"""Endpoints on real sockets, their clients, and the promise that nothing leaves the machine."""

import ipaddress
import socket
from contextlib import ExitStack

import pytest
from loopback import Upstream
from served import Served, echo

from rft_widgets.serving.arms import PolicyArm
from rft_widgets.serving.router import Router
from rft_widgets.serving.upstream import UpstreamArm


@pytest.fixture(autouse=True)
def only_loopback(monkeypatch):
    """Every connection that is made goes to this machine."""
    calls = []

    def watched(method):
        def connect(self, address):
            if self.family in (socket.AF_INET, socket.AF_INET6):
                calls.append(address[0])
            return method(self, address)

        return connect

    monkeypatch.setattr(socket.socket, "connect", watched(socket.socket.connect))
    monkeypatch.setattr(socket.socket, "connect_ex", watched(socket.socket.connect_ex))
    yield calls
    assert all(ipaddress.ip_address(host).is_loopback for host in calls)


@pytest.fixture
def upstream():
    with Upstream() as server:
        yield server


@pytest.fixture
def base(upstream):
    return UpstreamArm(
        "base", "base-model", upstream.base_url, upstream_model="up", api_key_env=None, timeout_s=5
    )


@pytest.fixture
def tuned():
    return PolicyArm("tuned", "tuned-model", echo)


@pytest.fixture
def serve(tuned):
    """Start an endpoint; ``router=None`` is one that has the tuned arm alone."""
    with ExitStack() as stack:

        def start(router=None, **options):
            router = router or Router("dep-1", "new_endpoint", tuned)
            return Served(stack, router, **options)

        yield start
