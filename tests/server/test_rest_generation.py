"""Generation over REST: the plan with its price, the job, the candidates, and what is decided."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from builders import chat_line

from rft_widgets import Workspace
from rft_widgets.errors import InvalidArgument, NotFound
from rft_widgets.server.rest import ROUTES
from rft_widgets.server.rest.calling import Request, call
from rft_widgets.server.rest.routing import BadRequest, Underway
from rft_widgets.testing.openai_server import OpenAIServer

ROUTE = {route.name: route for route in ROUTES}
CONFIG = {"source": "topics", "topics": ["Loans"], "records_per_topic": 3}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    folder: Path = tmp_path_factory.mktemp("rest")
    with OpenAIServer() as server, Workspace(folder / "store.db") as ws:
        ws.add_connection("writer", server.base_url, "m",
                          input_usd_per_million=1, output_usd_per_million=2)  # fmt: skip
        made = ws.create("bank")
        made.add_records(
            chat_line(f"How do I pay bill number {n}?", topic="Bills") for n in range(40)
        )
        made.set_topics(["Bills", "Loans"])
        yield ws


def ask(ws: Workspace, name: str, body: Any = None, query: str = "", **path: str) -> Any:
    given = {"dataset_id": ws.datasets()[0].id, **path}
    route = ROUTE[name]
    request = Request(
        path={key: given[key] for key in route.path_names},
        query=query,
        body=b"" if body is None else json.dumps(body).encode(),
    )
    value = call(route, ws, request)
    if isinstance(value, Underway):
        job = ws.job(value.location.rpartition("/")[2]).wait(30)
        assert job.status == "succeeded", job
        value = value.view()
    return msgspec.json.decode(msgspec.json.encode(value))


def test_from_the_plan_to_records(workspace: Workspace) -> None:
    plan = ask(workspace, "create_generation_plan", CONFIG, query="model=writer")
    assert (plan["total"], plan["estimate"]["calls"]) == (3, 1)
    assert plan["estimate"]["cost_micro_usd"] > 0
    assert ask(workspace, "create_generation_plan", CONFIG)["estimate"] is None

    job = ask(workspace, "generate_records", {"config": CONFIG, "model": "writer"})
    batch = job["result"]["id"]
    (listed,) = ask(workspace, "list_generation_batches")
    assert listed == ask(workspace, "get_generation_batch", batch_id=batch)
    assert (listed["good"], listed["status"], listed["model"]) == (3, "review", "writer")

    found = ask(workspace, "list_candidates", query="limit=2&state=open", batch_id=batch)
    assert [one["id"] for one in found] == [0, 1]
    assert found[0]["messages"][-1] == {"role": "user", "content": found[0]["text"]}
    assert ask(workspace, "list_candidates", query="after=2", batch_id=batch) == []

    done = ask(workspace, "accept_candidates", {"candidates": [0]}, batch_id=batch)
    assert done["records"] == 1
    record = ask(workspace, "get_record", record_id=done["record_ids"][0])
    assert record["is_generated"]
    assert record["topic"] == "Loans"

    again = ask(workspace, "regenerate_candidates", {"candidates": [1]}, batch_id=batch)
    assert again["result"]["open_good"] == 2
    assert ask(workspace, "discard_candidates", batch_id=batch) == {"discarded": 2}
    assert ask(workspace, "get_generation_batch", batch_id=batch)["status"] == "closed"


def test_what_cannot_be_is_refused(workspace: Workspace) -> None:
    with pytest.raises(BadRequest, match="model"):
        ask(workspace, "generate_records", {"config": CONFIG})
    with pytest.raises(BadRequest, match="temperature"):
        ask(workspace, "generate_records", {"config": {"temperature": 9}, "model": "writer"})
    with pytest.raises(NotFound, match="no generation batch"):
        ask(workspace, "accept_candidates", batch_id="gen_none")
    with pytest.raises(NotFound, match="no model connection"):
        ask(workspace, "create_generation_plan", CONFIG, query="model=other")
    with pytest.raises(InvalidArgument, match="no scenario"):
        ask(workspace, "create_generation_plan", CONFIG | {"strategy": "scenario_expansion"})
