"""Connections by name: saved, chosen, tested against a real server, and never with a key."""

from __future__ import annotations

import asyncio
import logging
import sqlite3

import pytest

import rft_widgets as rft
from rft_widgets.dataset.model_choices import model_choices
from rft_widgets.errors import InvalidArgument, NotFound
from rft_widgets.testing.openai_server import OpenAIServer

KEY = "sk-test-3b1f7d0c9a"


@pytest.fixture
def ws(tmp_path):
    with rft.Workspace(tmp_path / "store.db") as workspace:
        yield workspace


def test_they_are_saved_for_everybody_exchanged_and_removed(ws, tmp_path):
    ws.add_connection("judge", "http://127.0.0.1:1/v1/", "a", input_usd_per_million=0.15)
    other = rft.Workspace(tmp_path / "store.db")
    assert other.connection("judge").input_price == 150_000
    assert other.connection("judge").connection.base_url == "http://127.0.0.1:1/v1"
    other.add_connection("judge", "http://127.0.0.1:1/v1", "b")
    assert [(one.name, one.model) for one in ws.connections] == [("judge", "b")]
    ws.remove_connection("judge")
    assert other.connections == ()
    with pytest.raises(NotFound, match="'judge'"):
        ws.remove_connection("judge")
    other.close()


@pytest.mark.parametrize(
    "changes",
    [
        {"api_key_env": KEY},
        {"base_url": "http://models.example.com/v1"},
        {"base_url": f"https://me:{KEY}@models.example.com/v1"},
        {"base_url": "https://models.example.com/v1?key=" + KEY},
        {"timeout_s": 0.0},
        {"concurrency": 0},
        {"name": " "},
        {"model": ""},
        {"input_usd_per_million": -1.0},
        {"output_usd_per_million": float("nan")},
    ],
)
def test_what_cannot_be_is_refused_without_repeating_a_key(ws, changes):
    given = {"name": "judge", "base_url": "https://models.example.com/v1", "model": "a"}
    with pytest.raises(InvalidArgument) as refused:
        ws.add_connection(**{**given, **changes})
    assert KEY not in str(refused.value)
    assert ws.connections == ()


def test_a_test_finds_out_what_a_model_can_do_and_asks_little(ws):
    with OpenAIServer(models={"a": None, "e": None, "b": None}) as server:
        ws.add_connection("judge", server.base_url, "a", embedding_model="e")
        found = ws.test_connection("judge")
        assert (found.works, found.problem, found.notice) == (True, None, "")
        assert found.latency_s is not None
        assert found.models == ("a", "b", "e"), "the connection's own first"
        abilities = (found.tools, found.json_schema, found.logprobs, found.embeddings)
        assert abilities == (True, True, True, True)
        assert len(server.paid) == 5
        limits = [one.body.get("max_tokens") for one in server.paid if "messages" in one.body]
        assert max(limits) <= 64
    assert ws.connection_tests == {"judge": found}
    ws.add_connection("judge", "http://127.0.0.1:1/v1", "a")
    assert ws.connection_tests == {}, "another connection, of which nothing was seen"


def test_what_a_model_cannot_do_is_said_in_the_words_of_its_service(ws):
    with OpenAIServer() as server:
        server.script(lambda asked: "Yes." if asked.schema or asked.tools else None)
        ws.add_connection("judge", server.base_url, "a")
        found = ws.test_connection("judge")
    assert found.works
    assert (found.tools, found.json_schema, found.embeddings) == (False, False, None)
    assert "something else than the schema" in found.words["json_schema"]
    assert "takes no response schema" in found.notice


@pytest.mark.parametrize("fault", ["truncated", "deep", "html", "503"])
def test_an_ability_of_which_nothing_can_be_told_is_left_open(ws, fault):
    with OpenAIServer() as server:
        broken = []

        def break_all_but_the_first(asked):
            if not broken:
                broken.append(asked)
                server.app.faults.queue(fault, path="completions", times=3)

        server.script(break_all_but_the_first)
        ws.add_connection("judge", server.base_url, "a")
        found = ws.test_connection("judge")
    assert found.works
    assert found.logprobs is None
    assert found.tools is not True
    assert found.json_schema is not True
    assert set(found.words) == {"tools", "json_schema", "logprobs"}


def test_a_test_works_while_a_loop_runs_as_in_a_notebook(ws):
    async def in_a_cell():
        return ws.test_connection("judge")

    with OpenAIServer() as server:
        ws.add_connection("judge", server.base_url, "a")
        assert asyncio.run(in_a_cell()).works


def test_a_model_that_is_gone_is_told_and_not_paid_for(ws):
    with OpenAIServer(models={"old": "2026-01-31", "new": "2199-12-31"}) as server:
        ws.add_connection("old", server.base_url, "old")
        found = ws.test_connection("old")
        assert not found.works
        assert found.problem.code == "model_gone"
        assert "old was shut down on 2026-01-31" in found.problem.message
        assert [one.path for one in server.requests] == ["/v1/models"]
        ws.add_connection("new", server.base_url, "new")
        assert ws.test_connection("new").notice == "new shuts down on 2199-12-31."
    notices = {one.name: (one.notice, one.works) for one in model_choices(ws._store)}
    assert notices["old"] == ("old was shut down on 2026-01-31.", False)
    assert notices["new"] == ("new shuts down on 2199-12-31.", True)


def test_a_wrong_name_is_answered_with_those_there_are(ws):
    with OpenAIServer(models={"judge-large": None, "judge-small": None}) as server:
        ws.add_connection("judge", server.base_url, "judge-smal")
        found = ws.test_connection("judge")
    assert "does not exist" in found.problem.message
    assert "judge-small" in found.problem.hint


@pytest.mark.parametrize(
    ("fault", "words"),
    [("500", "HTTP 500"), ("429", "HTTP 429"), ("null_choices", "no choices"), ("deep", "read")],
)
def test_a_failure_is_said_and_nothing_tried_again(ws, fault, words):
    with OpenAIServer() as server:
        ws.add_connection("judge", server.base_url, "a")
        server.queue(fault, path="completions")
        found = ws.test_connection("judge")
        asked = [one.path for one in server.requests]
    assert not found.works
    assert words in found.problem.message
    assert asked == ["/v1/models", "/v1/chat/completions"]


def test_nobody_at_the_address(ws):
    ws.add_connection("judge", "http://127.0.0.1:9/v1", "a")
    found = ws.test_connection("judge")
    assert not found.works
    assert "127.0.0.1:9" in found.problem.message


def test_a_key_is_read_when_it_is_used_and_stands_nowhere(ws, tmp_path, monkeypatch, caplog):
    caplog.set_level(logging.DEBUG)
    with OpenAIServer(key=KEY) as server:
        ws.add_connection("judge", server.base_url, "a", api_key_env="RFT_TEST_KEY")
        assert "RFT_TEST_KEY" in ws.test_connection("judge").problem.message
        assert server.requests == ()
        [choice] = model_choices(ws._store)
        assert "RFT_TEST_KEY" in choice.missing
        monkeypatch.setenv("RFT_TEST_KEY", "sk-wrong-" + KEY)
        wrong = ws.test_connection("judge")
        assert "401" in wrong.problem.message
        assert "RFT_TEST_KEY" in wrong.problem.hint
        monkeypatch.setenv("RFT_TEST_KEY", KEY)
        right = ws.test_connection("judge")
        assert right.works
    assert KEY not in repr([wrong, right, ws.connections, ws.connection_tests])
    assert KEY not in caplog.text
    with sqlite3.connect(tmp_path / "store.db") as store:
        assert KEY not in "\n".join(store.iterdump())
