"""Labels and trust cards over HTTP and on the command line."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest
from builders import chat_line

import rft_widgets as rft
from rft_widgets.cli import main
from rft_widgets.server.rest import ROUTES
from rft_widgets.server.rest.calling import Request, call
from rft_widgets.server.rest.routing import Underway

BY_PATH = {(route.verb, route.path): route for route in ROUTES}
LABEL = "/records/{record_id}/label"


@pytest.fixture
def made(tmp_path: Path) -> tuple[rft.Workspace, rft.OptimizationDataset]:
    with rft.Workspace(tmp_path / "store.db") as workspace:
        dataset = workspace.create("Labelled")
        dataset.add_records(
            chat_line(f"What is {n} plus {n}, please?", str(n % 3), right=n % 3 > 0, id=f"r{n}")
            for n in range(40)
        )
        dataset.set_grader(
            {
                "type": "string_check",
                "name": "not zero",
                "input": "{{ sample.output_text }}",
                "reference": "0",
                "operation": "ne",
            }
        )
        yield workspace, dataset


def test_over_http(made):
    workspace, dataset = made

    def ask(verb: str, path: str, body: Any = None, query: str = "", **named: str) -> Any:
        route = BY_PATH[verb, f"/datasets/{{dataset_id}}{path}"]
        sent = b"" if body is None else json.dumps(body).encode()
        found = call(
            route,
            workspace,
            Request(path={"dataset_id": dataset.id, **named}, query=query, body=sent),
        )
        return json.loads(msgspec.json.encode(found)) if not isinstance(found, Underway) else found

    queue = ask("GET", "/labels/queue", query="n=3&labeller=ada")
    assert len(queue) == 3
    assert queue[0].keys() >= {"record_id", "prompt", "answer"}
    kept = ask("PUT", LABEL, {"value": True, "labeller": "ada"}, record_id="r1")
    assert (kept["value"], kept["labeller"]) == (1.0, "ada")
    assert ask("DELETE", LABEL, query="labeller=ada", record_id="r1") is True
    assert ask("GET", "/labels") == []
    assert ask("POST", "/labels/import", {"field": "right"})["imported"] == 40
    assert ask("GET", "/trust-card") is None
    assert ask("GET", "/trust-card/estimate") is None
    job = ask("POST", "/trust-card", {})
    for _ in range(2_000):
        if job.has_ended():
            break
        time.sleep(0.01)
    assert job.view().status == "succeeded"
    assert ask("GET", "/trust-card")["passed"]["kappa"]["estimate"] == 1.0


def test_on_the_command_line(made, capsys):
    workspace, dataset = made

    def said(command: str, *more: str) -> str:
        assert main([command, dataset.id, "--database", workspace.url, *more]) == 0
        return capsys.readouterr().out

    kept = said("labels", "--label", "r1", "4", "--scale", "five", "--labeller", "ada", "--json")
    assert json.loads(kept)["value"] == 0.75
    assert "40 labels of 'right' taken, 0 records without one." in said(
        "labels", "--import", "right"
    )
    assert "ada       4 Good" in said("labels", "--labeller", "ada")
    shown = said("trust")
    assert "Can stand in for people. On 40 labelled answers" in shown
    assert "grader \\ people  Fail  Pass" in shown
    card = json.loads(said("trust", "--labeller", "right", "--json"))
    assert (card["level"], card["labels"]) == ("trusted", 40)
    assert main(["labels", dataset.id, "--database", workspace.url, "--label", "r1", "9"]) == 1
    assert "is no label on the scale" in capsys.readouterr().err
