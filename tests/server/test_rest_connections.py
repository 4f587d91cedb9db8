"""Connections over REST: what a client may save, and that it never learns a key."""

from __future__ import annotations

import msgspec
import pytest

import rft_widgets as rft
from rft_widgets.errors import InvalidArgument, NotFound
from rft_widgets.llm.allowed import CONNECTIONS_VARIABLE
from rft_widgets.server.rest import ROUTES, openapi
from rft_widgets.server.rest.calling import Request, call
from rft_widgets.server.rest.routing import BadRequest
from rft_widgets.testing.openai_server import OpenAIServer

KEY = "sk-rest-77aa01"
ROUTE = {route.name: route for route in ROUTES}


@pytest.fixture
def ws(tmp_path):
    with rft.Workspace(tmp_path / "store.db") as workspace:
        yield workspace


def ask(ws, route, /, *, body=None, **path):
    data = b"" if body is None else msgspec.json.encode(body)
    value = call(ROUTE[route], ws, Request(path=path, body=data))
    return msgspec.json.decode(msgspec.json.encode(value))


def at(base_url, **more):
    return {"connection": {"base_url": base_url, "api_key_env": None, **more}, "model": "m"}


def test_a_connection_is_saved_tested_listed_and_removed(ws, monkeypatch):
    monkeypatch.setenv("RFT_REST_KEY", KEY)
    with OpenAIServer(key=KEY, models={"m": None}) as server:
        monkeypatch.setenv(CONNECTIONS_VARIABLE, f"{server.base_url}=RFT_REST_KEY")
        body = at(server.base_url, api_key_env="RFT_REST_KEY") | {"input_price": 5}
        saved = ask(ws, "save_connection", name="judge", body=body)
        assert (saved["name"], saved["input_price"], saved["concurrency"]) == ("judge", 5, 8)
        tested = ask(ws, "test_connection", name="judge")
        assert tested["works"], tested
    [view] = ask(ws, "list_connections")
    assert view["named"]["connection"]["api_key_env"] == "RFT_REST_KEY"
    assert view["test"] == tested
    assert KEY not in repr([saved, tested, view])
    ask(ws, "remove_connection", name="judge")
    assert ask(ws, "list_connections") == []
    with pytest.raises(NotFound):
        ask(ws, "test_connection", name="judge")


@pytest.mark.parametrize(
    "body",
    [
        at("https://models.example.com/v1"),
        at("https://api.openai.com/v1", api_key_env="AWS_SECRET_ACCESS_KEY"),
        at("http://127.0.0.1:9/v1", api_key_env="OPENAI_API_KEY"),
        at("https://api.openai.com.example.com/v1", api_key_env="OPENAI_API_KEY"),
        at("https://api.openai.com/v1", api_key_env=KEY),
    ],
)
def test_a_client_may_send_no_key_and_no_record_where_nobody_allowed(ws, body):
    with pytest.raises(InvalidArgument) as refused:
        ask(ws, "save_connection", name="mine", body=body)
    assert KEY not in str(refused.value)
    assert ws.connections == ()


def test_what_was_saved_from_python_binds_its_origin(ws):
    ws.add_connection("own", "https://models.example.com/v1", "m", api_key_env="OWN_KEY")
    again = at("https://models.example.com/v2", api_key_env="OWN_KEY")
    assert ask(ws, "save_connection", name="other", body=again)["name"] == "other"
    with pytest.raises(InvalidArgument):
        ask(ws, "save_connection", name="other", body=at("https://models.example.com/v1"))
    assert ws.dataset(ws.create("d").id).bound_connections[0].api_key_env == "OWN_KEY"


@pytest.mark.parametrize("body", [{}, at("http://127.0.0.1:9/v1") | {"key": KEY}])
def test_a_body_of_another_form_is_refused(ws, body):
    with pytest.raises(BadRequest):
        ask(ws, "save_connection", name="a", body=body)


def test_the_document_has_them_and_names_no_field_for_a_key():
    document = openapi()
    paths = {path: set(calls) for path, calls in document["paths"].items() if "connect" in path}
    assert paths == {
        "/connections": {"get"},
        "/connections/{name}": {"put", "delete"},
        "/connections/{name}/test": {"post"},
    }
    shape = document["components"]["schemas"]["ModelConnection"]["properties"]
    assert set(shape) == {"base_url", "api_key_env", "timeout_s", "structured"}
