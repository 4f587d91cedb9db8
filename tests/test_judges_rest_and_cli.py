"""Judges over REST and on the command line: where they are asked, at what price, in panels."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from builders import draft
from command_line import answer, run

import rft_widgets as rft
from rft_widgets.server.rest import ROUTES
from rft_widgets.server.rest.calling import Request, call
from rft_widgets.server.rest.routing import Underway
from rft_widgets.testing.openai_server import OpenAIServer

ROUTE = {route.name: route for route in ROUTES}
JUDGE = {
    "type": "score_model",
    "name": "judge",
    "model": "",
    "input": [{"role": "user", "content": "# Response\n{{response}}"}],
}


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    with OpenAIServer() as opened:
        yield opened


@pytest.fixture
def ws(tmp_path: Path, server: OpenAIServer) -> Iterator[rft.Workspace]:
    with rft.Workspace(tmp_path / "store.db") as workspace:
        prices = {"input_usd_per_million": 1.0, "output_usd_per_million": 2.0}
        workspace.add_connection("careful", server.base_url, "judge-1", **prices)
        workspace.add_connection("quick", server.base_url, "judge-2", **prices)
        yield workspace


@pytest.fixture
def ds(ws: rft.Workspace) -> rft.OptimizationDataset:
    made = ws.create("Judged")
    made.add_records(
        draft(f"Question number {n} is this", "word " * (n + 1), id=f"r{n}") for n in range(6)
    )
    return made


def test_over_rest(ws: rft.Workspace, ds: rft.OptimizationDataset, server: OpenAIServer) -> None:
    def ask(route: str, body: Any = None) -> Any:
        data = b"" if body is None else msgspec.json.encode(body)
        asked = Request(path={"dataset_id": ds.id}, body=data)
        value = call(ROUTE[route], ws, asked)
        if isinstance(value, Underway):
            return ds.jobs[0].wait(30).state.status
        return msgspec.json.decode(msgspec.json.encode(value))

    saved = ask("update_grader", {"grader": JUDGE, "connection": "careful"})
    assert (saved["connection"], saved["grader"]["model"]) == ("careful", "judge-1")
    plan = ask("plan_grader_test", {"n": 4})
    assert plan["calls"] == 4
    assert plan["cost_micro_usd"] > 0
    assert not server.requests
    every = msgspec.to_builtins(ds.select())
    assert ask("evaluate_records", {"selection": every, "max_cost_usd": 1}) == "succeeded"
    assert len(server.requests) == 6
    texts = {f"r{n}": "word" for n in range(6)}
    assert ask("compare_answers", {"second": texts, "model": "quick"}) == "succeeded"
    assert {one.body["model"] for one in server.requests[6:]} == {"judge-2"}


def test_on_the_command_line(
    tmp_path: Path, ds: rft.OptimizationDataset, server: OpenAIServer
) -> None:
    path = tmp_path / "judge.json"
    path.write_bytes(msgspec.json.encode(JUDGE))
    base = ("grade", ds.id, "--database", tmp_path / "store.db", "--grader", path)
    seats = ("--connection", "careful", "--connection", "quick", "--repeats", "2")
    estimate = answer(*base, *seats, "--test", "3", "--estimate")["estimate"]
    assert estimate["calls"] == 12
    assert ds.grader is None
    assert not server.requests
    shown = run(*base, *seats, "--test", "3", "--combine", "median", "--max-cost", "1").stdout
    assert "judge_1_2" in shown
    assert len(server.requests) == 12
    version = ds.grader_version
    assert version is not None
    assert version.connection == ("careful", "quick")
