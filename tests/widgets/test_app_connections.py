"""What the settings page asks for of connections and costs."""

from __future__ import annotations

import pytest
from widgets.wire import Page

import rft_widgets as rft
from rft_widgets.sample.support import write_sample
from rft_widgets.server.rest import ROUTES
from rft_widgets.server.rest.calling import Request, call
from rft_widgets.testing.openai_server import OpenAIServer

ROUTE = {route.name: route for route in ROUTES}
JUDGE = {
    "type": "score_model",
    "name": "judge",
    "model": "m",
    "range": [0, 1],
    "input": [{"role": "user", "content": "Rate: {{ sample.output_text }}"}],
}


@pytest.fixture
def workspace(tmp_path):
    with rft.Workspace(tmp_path / "store.db") as opened:
        yield opened


@pytest.fixture
def app(workspace):
    shown = rft.App(workspace)
    yield shown
    shown.close()


def named(name: str, base_url: str, **more) -> dict[str, object]:
    connection = {"base_url": base_url, "api_key_env": None, **more}
    return {"name": name, "connection": connection, "model": "m"}


def test_a_page_makes_tests_and_removes_a_connection(app, workspace):
    page = Page(app)
    with OpenAIServer(models={"m": None}) as server:
        page.ask("save_connection", {"named": named("judge", server.base_url)})
        assert page.ask("test_connection", {"name": "judge"})["works"] is True
    (view,) = page.ask("connections")
    assert (view["named"]["name"], view["test"]["works"]) == ("judge", True)
    page.ask("remove_connection", {"name": "judge"})
    assert not page.ask("connections")


def test_a_page_sends_no_key_where_it_is_not_bound_to(app, workspace, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret-of-others")
    page = Page(app)
    with OpenAIServer() as server:
        wish = named("mine", server.base_url, api_key_env="AWS_SECRET_ACCESS_KEY")
        refused = page.refused("save_connection", {"named": wish})
        assert "was not allowed for pages" in refused["message"]
        assert server.requests == ()
    refused = page.refused("save_connection", {"named": named("a", "https://x.example/v1")})
    assert refused["code"] == "invalid_argument"
    assert page.refused("test_connection", {"name": "mine"})["code"] == "not_found"
    assert workspace.connections == ()


def test_costs_stand_with_the_job_and_with_the_dataset(app, workspace, tmp_path):
    path = write_sample(tmp_path / "s.jsonl", format="jsonl", n=20).path
    ds = workspace.create_from_file(path, name="Support")
    with OpenAIServer() as server:
        workspace.add_connection(
            "judge", server.base_url, "m", input_usd_per_million=1, output_usd_per_million=2
        )
        ds.set_grader(JUDGE, connection="judge")
        job = ds.submit("test_grader", {"grader": JUDGE, "connection": "judge", "n": 3})
        assert job.wait(30).state.status == "succeeded", job.log
        paid = len(server.paid)
    app._show()
    page = Page(app)
    costs = page.ask("job_costs")
    assert costs[job.id]["calls"] == paid == 3
    assert costs[job.id]["cost_micro_usd"] == job.costs["judge"].cost_micro_usd > 0
    page.ask("open_dataset", {"dataset": ds.id})
    settings = Page(app._pages[ds.id]).ask("settings")
    assert settings["costs"]["judge"]["calls"] == settings["total"]["calls"] == 3
    assert settings["total"]["cost_micro_usd"] == costs[job.id]["cost_micro_usd"]
    for route, path in (("get_job_costs", {"job_id": job.id}),
                        ("get_dataset_costs", {"dataset_id": ds.id})):  # fmt: skip
        told = call(ROUTE[route], workspace, Request(path=path))
        assert told.total == told.by_purpose["judge"] == job.costs["judge"]
