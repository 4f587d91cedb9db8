"""What is written of calls: none is paid twice, each is counted, and all can be said again."""

from __future__ import annotations

import json
import logging
import subprocess
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest
from builders import draft
from llm.conftest import QUICK, Open, named_at, question

import rft_widgets as rft
from rft_widgets.errors import (
    ImportRejected,
    ModelRefused,
    NotFound,
    RunInterrupted,
    TooManyFailures,
)
from rft_widgets.llm import owner as owners
from rft_widgets.llm.client import ModelClient
from rft_widgets.llm.concurrent import in_order
from rft_widgets.llm.replay import ReplayedModel
from rft_widgets.model.estimate import Workload
from rft_widgets.model.llm import ModelCallFailed
from rft_widgets.store.clock import now_us
from rft_widgets.testing.openai_server import OpenAIServer

KEY = "sk-canary-8d1f00c2aa91"
JUDGE = {
    "type": "score_model",
    "name": "judge",
    "model": "m",
    "input": [{"role": "user", "content": "{{ response }}"}],
    "range": [0, 1],
}


def cut_off(server: OpenAIServer, opened: Open, n: int) -> None:
    """Leave ``n`` requests sent and unanswered, as a process does that is killed."""
    client = opened(concurrency=n)
    with server.held(), ThreadPoolExecutor(n) as pool:
        asked = [pool.submit(client.ask, question(i)) for i in range(n)]
        server.wait_for(n)
        client.close()
        assert all(isinstance(one.exception(), RunInterrupted) for one in asked)


def test_both_databases(workspace: rft.Workspace, server: OpenAIServer) -> None:
    ds = workspace.create("Asked")

    def work() -> list[str | None]:
        with ModelClient(
            named_at(server.base_url), purpose="judge", store=ds._store, dataset_id=ds.id,
            settings=QUICK,
        ) as client:  # fmt: skip
            asked = in_order(
                lambda n: client.ask(question(n % 20), temperature=0), range(40),
                concurrency=client.concurrency,
            )  # fmt: skip
            return [answer.text for answer in asked]

    with ThreadPoolExecutor(2) as pool:  # two pieces of work want the same at the same time
        first, second = pool.submit(work), pool.submit(work)
        assert first.result() == second.result()
    assert len(server.requests) == 20
    costs = ds.costs["judge"]
    assert (costs.calls, costs.cached, costs.uncertain) == (20, 60, 0)
    assert costs.cost_micro_usd
    server.queue("null_choices")
    with (
        ds._client(named_at(server.base_url), purpose="topics") as client,
        pytest.raises(ModelCallFailed),
    ):
        client.ask(question("bad"))
    assert ds.costs["topics"].failed == 1
    workspace.delete(ds.id)
    with workspace._store.read() as connection:
        left = connection.exec_driver_sql("SELECT count(*) FROM model_calls").scalar()
    assert left == 0


def test_repeats_are_other_calls(server: OpenAIServer, opened: Open, ds) -> None:
    client = opened()
    answers = [client.ask(question("x"), repeat=n) for n in (0, 1, 0, 1)]
    assert [answer.from_cache for answer in answers] == [False, False, True, True]
    assert answers[0].cost_micro_usd == answers[2].cost_micro_usd
    assert len(server.requests) == 2
    assert client.ask(question("x"), temperature=0.5).from_cache is False


def test_what_was_cut_off_is_uncertain(server: OpenAIServer, opened: Open, ds) -> None:
    cut_off(server, opened, 4)
    assert len(ds.uncertain_calls) == 4
    assert not any(call.is_held for call in ds.uncertain_calls)
    # One that is dear waits for somebody's word.
    sent = len(server.requests)
    strict = opened(settings=msgspec.structs.replace(QUICK, held_above_micro_usd=0))
    for _ in range(2):
        with pytest.raises(ModelCallFailed, match="see uncertain_calls"):
            strict.ask(question(0))
    assert len(server.requests) == sent
    (held,) = [call for call in ds.uncertain_calls if call.is_held]
    assert held.cost_micro_usd
    assert ds.ask_again([held.key]) == 1
    # The others are asked again unasked.
    client = opened(concurrency=4)
    answers = list(in_order(lambda n: client.ask(question(n)), range(9), concurrency=6))
    assert all(answer.text for answer in answers)
    costs = ds.costs["judge"]
    assert costs.calls == 9
    assert costs.uncertain == 4
    assert all(call.is_answered for call in ds.uncertain_calls)


def test_who_is_at_work_is_told_from_who_is_gone() -> None:
    mine = owners.begin()
    now = now_us()
    assert owners.is_alive(mine, now)
    owners.end(mine)
    assert not owners.is_alive(mine, now), "this process knows its own"
    host = mine.split("|")[0]
    with subprocess.Popen(["sleep", "60"]) as other:
        started = owners._started(other.pid)
        name = f"{host}|{other.pid}|{started}|abc"
        assert owners.is_alive(name, now)
        assert not owners.is_alive(f"{host}|{other.pid}|{started}9|abc", now), "its id, used again"
        assert owners.is_alive(f"{host}|{other.pid}||abc", now), "where nobody tells the time"
        other.kill()
        other.wait(10)
        assert not owners.is_alive(name, now)
        assert not owners.is_alive(f"{host}|{other.pid}||abc", now)
    away = "another-host|1|1|abc"
    assert owners.is_alive(away, now)
    assert not owners.is_alive(away, now - 3_600_000_000), "of another machine the clock tells"


def test_a_store_that_cannot_be_written_stops_it(server: OpenAIServer, opened: Open, ds) -> None:
    client = opened()
    client.ask(question("x"))
    with ds._store.write() as connection:
        connection.exec_driver_sql("ALTER TABLE model_calls RENAME TO gone")
    with pytest.raises(rft.errors.StoreUnavailable, match="cannot be written down"):
        client.ask(question("y"))
    assert len(server.requests) == 1, "what is not written down is not asked"


def test_estimates_know_their_past(server: OpenAIServer, opened: Open, ds) -> None:
    named = named_at(server.base_url)
    load = Workload(calls=10, prompt_tokens=1_000, completion_tokens=500)
    before = ds._estimate(named, "judge", load)
    assert (before.calls, before.cost_micro_usd) == (10, 2_000)
    assert before.minutes is None
    assert before.past_error is None
    with opened(planned=load) as client:
        for n in range(10):
            client.ask(question(n))
    after = ds._estimate(named, "judge", load)
    spent = ds.costs["judge"].cost_micro_usd
    assert after.past_error is not None
    assert after.past_error.works == 1
    assert spent is not None
    assert after.past_error.ratio == pytest.approx(spent / 2_000)
    assert after.minutes is not None
    assert 0 < after.minutes < 1
    unknown = ds._estimate(named_at(server.base_url, input_price=None), "judge", load)
    assert unknown.cost_micro_usd is None


def test_calls_can_be_said_again(server: OpenAIServer, opened: Open, ds, tmp_path: Path) -> None:
    server.script(lambda request: f"said {request.question}")
    client = opened(embedding_model="e")
    asked = [client.ask(question(n), temperature=0).text for n in range(5)]
    vectors = client.embed(["a", "b"])
    server.queue("null_choices")
    with pytest.raises(ModelCallFailed):
        client.ask(question("bad"))
    path = tmp_path / "calls.jsonl"
    assert ds.export_calls(path) == 7
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert {line["state"] for line in lines} == {"done", "failed"}
    assert lines[0]["request"]["base_url"] == server.base_url
    sent = len(server.requests)
    recorded = ReplayedModel(path)
    with ds._client(recorded, purpose="judge") as again:
        assert [again.ask(question(n), temperature=0).text for n in range(5)] == asked
        assert again.embed(["a", "b"]) == vectors
        assert again.totals.cost_micro_usd == 0
        with pytest.raises(ModelCallFailed, match=r"not in calls.jsonl"):
            again.ask(question(0), temperature=1)
        with pytest.raises(ModelCallFailed, match="no choices"):
            again.ask(question("bad"))
    assert len(server.requests) == sent
    assert ds.costs["judge"].calls == 6
    with pytest.raises(NotFound):
        ReplayedModel(tmp_path / "no.jsonl")
    path.write_text("{}\n")
    with pytest.raises(ImportRejected, match="line 1 is no call"):
        ReplayedModel(path)


def test_the_key_is_nowhere(
    sqlite_workspace: rft.Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    monkeypatch.setenv("CANARY_KEY", KEY)
    caplog.set_level(logging.DEBUG)
    said: list[str] = []
    with OpenAIServer(key=KEY) as server:
        server.script(lambda request: f"said {request.question}")
        named = named_at(server.base_url, key="CANARY_KEY")
        sqlite_workspace.save_connection(named)
        ds = sqlite_workspace.create("Asked")
        ds.add_records([draft("A question to be judged", "An answer to it")])
        ds.set_grader(JUDGE, connection=named.name)
        with ds._client(named, purpose="judge") as client:
            assert client.ask(question("x")).text == "said x"
            server.queue("null_choices", "cut", "cut")
            for n in range(2):
                with pytest.raises(ModelCallFailed) as failed:
                    client.ask(question(f"bad {n}"))
                said.append(_with_locals(failed.value))
            server.queue("401")
            with pytest.raises(ModelRefused) as refused:
                client.ask(question("refused"))
            said.append(_with_locals(refused.value))
            said.append(repr([client, named, vars(client), vars(client._asker)]))
        job = ds.submit("evaluate", {"selection": {"where": {}}}).wait(30)
        said.append(repr([job, job.state, job.params, job.log, ds.events]))
        assert {one.key for one in server.requests} == {"right"}
    ds.export_calls(tmp_path / "calls.jsonl")
    said += [record.getMessage() for record in caplog.records]
    assert KEY not in "\n".join(said)
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert KEY.encode() not in path.read_bytes(), path


def _with_locals(error: BaseException) -> str:
    lines = traceback.TracebackException.from_exception(error, capture_locals=True).format()
    return "".join(lines)


def test_a_recording_that_does_not_fit_ends_the_work(
    server: OpenAIServer, opened: Open, ds, tmp_path: Path
) -> None:
    opened().ask(question("x"))
    ds.export_calls(tmp_path / "calls.jsonl")
    client = ds._client(ReplayedModel(tmp_path / "calls.jsonl"), purpose="judge")
    with client:
        for n in range(19):
            with pytest.raises(ModelCallFailed):
                client.ask(question(f"not asked then {n}"))
        with pytest.raises(TooManyFailures):
            client.ask(question("the twentieth"))


def test_results_come_in_order_and_nothing_is_begun_after_a_failure() -> None:
    begun: list[int] = []
    gate = threading.Event()

    def work(n: int) -> int:
        begun.append(n)
        if n == 0:
            gate.wait(5)
        if n == 3:
            gate.set()
            raise NotFound("the fourth")
        return n

    got: list[int] = []
    with pytest.raises(NotFound, match="the fourth"):
        got.extend(in_order(work, range(1_000), concurrency=4))
    assert got == [0, 1, 2]
    assert len(begun) < 20
