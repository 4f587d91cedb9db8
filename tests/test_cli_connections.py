"""``rft-widgets connections``: what it prints for people and for programs."""

from __future__ import annotations

import json

import pytest

from rft_widgets.cli import main
from rft_widgets.testing.openai_server import OpenAIServer


@pytest.fixture
def run(tmp_path, capsys):
    def ran(*words: str) -> tuple[int, str]:
        status = main(["connections", *words, "--database", str(tmp_path / "store.db")])
        said = capsys.readouterr()
        return status, said.out + said.err

    return ran


def test_a_connection_from_beginning_to_end(run):
    assert "No connection yet" in run("list")[1]
    with OpenAIServer(models={"m": None, "e": None}) as server:
        status, said = run(
            "add", "judge", server.base_url, "m", "--embedding-model", "e",
            "--input-usd-per-million", "0.15", "--output-usd-per-million", "0.6",
        )  # fmt: skip
        assert status == 0, said
        assert "connections test judge" in said
        status, said = run("test", "judge")
    assert status == 0
    assert "judge: answers in" in said
    assert "embeddings: yes" in said
    assert "0.15/0.6" in run("list")[1]
    [view] = json.loads(run("list", "--json")[1])
    assert view["named"]["input_price"] == 150_000
    assert view["test"]["works"] is True
    status, said = run("test", "--json")
    assert (status, json.loads(said)["judge"]["works"]) == (1, False), "the server is gone"
    assert run("remove", "judge")[0] == 0
    assert run("remove", "judge")[0] == 1


def test_what_is_to_be_known_is_said_when_it_is_added(run, monkeypatch):
    monkeypatch.delenv("NOBODYS_KEY", raising=False)
    url = "https://api.openai.com/v1"
    status, said = run("add", "old", url, "o4-mini", "--api-key-env", "NOBODYS_KEY")
    assert status == 0
    assert "o4-mini was shut down on 2026-10-23" in said
    assert "NOBODYS_KEY, which holds the key, is not set" in said
    status, said = run("add", "new", url, "m", "--api-key-env", "sk-this-is-a-key")
    assert status == 1
    assert "sk-this-is-a-key" not in said
