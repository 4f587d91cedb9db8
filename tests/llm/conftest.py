"""A dataset, the stand-in server, and clients between them that do not wait for long."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

import rft_widgets as rft
from rft_widgets.llm.client import ModelClient
from rft_widgets.model.call_settings import CALLS, CallSettings
from rft_widgets.model.connection import NamedConnection
from rft_widgets.model.llm import ModelConnection
from rft_widgets.testing.openai_server import OpenAIServer

QUICK = msgspec.structs.replace(CALLS, first_wait_s=0.01)
"""Waits a hundredth as long between attempts."""

Open = Callable[..., ModelClient]


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    with OpenAIServer(retry_after_s=0.01) as opened:
        yield opened


@pytest.fixture
def ds(sqlite_workspace: rft.Workspace) -> rft.OptimizationDataset:
    return sqlite_workspace.create("Asked")


def named_at(base_url: str, **options: Any) -> NamedConnection:
    """A connection whose prices are a dollar and two for a million tokens."""
    connection = ModelConnection(
        base_url=base_url, api_key_env=options.pop("key", None),
        timeout_s=options.pop("timeout_s", 10.0),
    )  # fmt: skip
    prices = {"input_price": 1_000_000, "output_price": 2_000_000}
    return NamedConnection(
        **{"name": "stand-in", "connection": connection, "model": "m", **prices, **options}
    )


@pytest.fixture
def opened(server: OpenAIServer, request: pytest.FixtureRequest) -> Iterator[Open]:
    """Opens clients, for the test's dataset if it has one; what is left open is closed."""
    has_dataset = "ds" in request.fixturenames
    ds = request.getfixturevalue("ds") if has_dataset else None
    clients: list[ModelClient] = []

    def open_client(
        *, settings: CallSettings = QUICK, cancelled: Callable[[], bool] = bool,
        cap: int | None = None, kept: bool = has_dataset, base_url: str = "", planned: Any = None,
        **options: Any,
    ) -> ModelClient:  # fmt: skip
        client = ModelClient(
            named_at(base_url or server.base_url, **options),
            purpose="judge",
            cap_micro_usd=cap,
            cancelled=cancelled,
            store=ds._store if ds and kept else None,
            dataset_id=ds.id if ds else "",
            planned=planned,
            settings=settings,
        )
        clients.append(client)
        return client

    yield open_client
    for client in clients:
        client.close()


def question(text: object) -> list[dict[str, Any]]:
    """Messages with one question."""
    return [{"role": "user", "content": str(text)}]
