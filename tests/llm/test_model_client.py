"""A client against a real server: every limit, every fault, and when it ends."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import msgspec
import pytest
from llm.conftest import QUICK, Open, named_at, question

import rft_widgets as rft
from rft_widgets.errors import (
    BudgetReached,
    InvalidArgument,
    ModelRefused,
    RunInterrupted,
    TooManyFailures,
)
from rft_widgets.llm.answers import read_chat
from rft_widgets.llm.budget import one_budget
from rft_widgets.llm.client import ModelClient
from rft_widgets.llm.concurrent import in_order
from rft_widgets.llm.faults import retry_after
from rft_widgets.model.llm import ModelAnswer, ModelCallFailed
from rft_widgets.testing.openai_server import OpenAIServer


def ask_all(client: ModelClient, n: int, **options: object) -> list[ModelAnswer]:
    def ask(number: int) -> ModelAnswer:
        return client.ask(question(number), temperature=0, max_tokens=20)

    return list(in_order(ask, range(n), concurrency=client.concurrency, **options))


def echo(server: OpenAIServer) -> None:
    server.script(lambda request: f"said {request.question}")


def test_order_concurrency_and_what_is_sent(
    server: OpenAIServer, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_ORG_ID", "org-of-another-service")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "project-of-another-service")
    echo(server)
    client = opened(concurrency=4)
    answers = ask_all(client, 60)
    assert [answer.text for answer in answers] == [f"said {n}" for n in range(60)]
    assert server.most_in_flight <= 4
    first = server.requests[0]
    assert first.body["messages"][0]["role"] == "user"
    assert (first.body["max_tokens"], first.body["temperature"]) == (20, 0)
    assert first.path == "/v1/chat/completions"
    told = " ".join([*first.headers, *first.headers.values()]).lower()
    assert "another-service" not in told
    assert "stainless-os" not in told
    totals = client.totals
    assert (totals.calls, totals.cached, totals.failed, totals.uncertain) == (60, 0, 0, 0)
    assert totals.cost_micro_usd == totals.prompt_tokens + 2 * totals.completion_tokens
    assert answers[0].cost_micro_usd


def test_no_redirect_is_followed_and_no_proxy_asked(
    server: OpenAIServer, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "")
    client = opened()
    server.queue("redirect")
    with pytest.raises(ModelCallFailed, match="307"):
        client.ask(question("who"))
    assert [one.path for one in server.requests] == ["/v1/chat/completions"]
    assert client.ask(question("again")).text


def test_what_may_pass_is_tried_again(server: OpenAIServer, opened: Open) -> None:
    echo(server)
    server.queue("429", "500", "503", "429")
    client = opened(concurrency=1)
    assert client.ask(question("x")).text == "said x"
    assert [one.status for one in server.requests] == [429, 500, 503, 429, 200]
    assert client.totals.uncertain == 0, "nothing of that was paid"
    server.queue("500", times=5)
    with pytest.raises(ModelCallFailed, match="HTTP 500"):
        client.ask(question("y"))
    assert client.totals.failed == 1


def test_all_are_answered_among_faults_and_none_twice(server: OpenAIServer, opened: Open) -> None:
    echo(server)
    server.set_faults({"429": 0.05, "500": 0.02})
    client = opened(concurrency=16)
    answers = ask_all(client, 300)
    assert [answer.text for answer in answers] == [f"said {n}" for n in range(300)]
    assert len(server.requests) > 300
    assert len({one.digest for one in server.paid}) == len(server.paid) == 300


@pytest.mark.parametrize("fault", ["401", "403", "404", "quota"])
def test_what_refuses_us_ends_the_work(server: OpenAIServer, opened: Open, fault: str) -> None:
    server.queue(fault, times=100)
    client = opened(concurrency=2)
    with pytest.raises(ModelRefused, match="HTTP"):
        ask_all(client, 50)
    sent = len(server.requests)
    assert sent <= client.concurrency
    with pytest.raises(ModelRefused):
        client.ask(question("more"))
    assert len(server.requests) == sent


def test_without_its_key_nothing_is_sent(server: OpenAIServer, opened: Open) -> None:
    with pytest.raises(ModelRefused, match="NO_SUCH_KEY is not set"):
        opened(key="NO_SUCH_KEY").ask(question("x"))
    assert not server.requests


@pytest.mark.parametrize("fault", ["null_choices", "deep", "html", "truncated", "cut", "redirect"])
def test_whatever_comes_a_bad_answer_is_a_failed_call(
    server: OpenAIServer, opened: Open, fault: str
) -> None:
    server.queue(fault, times=2 if fault == "cut" else 1)  # one that was lost is asked once more
    client = opened()
    with pytest.raises(ModelCallFailed):
        client.ask(question("x"))
    assert client.ask(question("y")).text
    assert client.totals.failed == 1


def test_half_a_character_does_not_lose_an_answer() -> None:
    answer = read_chat(rb'{"choices":[{"message":{"content":"cut \ud83d"}}]}')
    assert answer.text == "cut ?"


def test_slow_answers_have_a_limit_and_are_not_paid_five_times(
    server: OpenAIServer, opened: Open
) -> None:
    server.queue("timeout", times=5)
    client = opened(timeout_s=0.15)
    with pytest.raises(ModelCallFailed, match=r"no answer in 0.15 s"):
        client.ask(question("x"))
    assert len(server.requests) == 2
    assert client.totals.uncertain == 2
    server.queue("slow", times=5)  # comes, but a piece every 0.2 s
    with pytest.raises(ModelCallFailed, match="no answer"):
        client.ask(question("z"))


def test_no_server_is_said(opened: Open) -> None:
    client = opened(base_url="http://127.0.0.1:9/v1")
    with pytest.raises(ModelCallFailed, match=r"cannot connect to http://127.0.0.1:9/v1"):
        client.ask(question("x"))
    assert client.totals.uncertain == 0


def test_twenty_failures_in_a_row_end_the_work(server: OpenAIServer, opened: Open) -> None:
    server.set_faults({"500": 1.0})
    client = opened(settings=msgspec.structs.replace(QUICK, attempts=1), concurrency=1)
    for _ in range(19):
        with pytest.raises(ModelCallFailed):
            client.ask(question(time.monotonic()))
    with pytest.raises(TooManyFailures, match="The last 20 requests"):
        client.ask(question("the twentieth"))


def test_one_in_twenty_failures_end_the_work(server: OpenAIServer, opened: Open) -> None:
    client = opened(concurrency=1)

    def fail(n: int) -> None:
        server.queue("null_choices")
        with pytest.raises(ModelCallFailed):
            client.ask(question(f"failed {n}"))

    fail(0)
    fail(1)
    ask_all(client, 37)
    server.queue("null_choices")
    with pytest.raises(TooManyFailures, match="3 of 40 requests"):
        client.ask(question("the last"))


def test_a_limit_of_requests_a_minute_holds(server: OpenAIServer, opened: Open) -> None:
    client = opened(requests_per_minute=1_200, concurrency=32)  # 60 at once, then 20 a second
    started = time.monotonic()
    ask_all(client, 76)
    assert time.monotonic() - started >= 0.75


def test_services_that_want_patience_get_it(ds: rft.OptimizationDataset) -> None:
    with OpenAIServer(retry_after_s=0.4) as server:
        client = ModelClient(named_at(server.base_url), purpose="judge", settings=QUICK)
        with client:
            server.queue("429")
            client.ask(question("x"))
            first, second = server.requests
            assert second.at - first.at >= 0.4
            # Once several are refused in a row, the others wait, too.
            server.queue("429", times=3)
            ask_all(client, 3)
            refused = [one for one in server.requests if one.status == 429][1:]
            client.ask(question("another"))
            assert server.requests[-1].at - refused[-1].at >= 0.4


def test_patience_is_read_however_it_is_written() -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    assert retry_after({"retry-after": "2"}) == 2
    assert retry_after({"retry-after": "0.5"}) == 0.5
    assert retry_after({"retry-after": "9", "retry-after-ms": "250"}) == 0.25
    assert 25 < (retry_after({"retry-after": soon}) or 0) <= 30
    assert retry_after({"retry-after": "Wed, 01 Jan 2020 00:00:00 GMT"}) == 0
    for text in ("soon", "", "1e400", "-1"):
        assert retry_after({"retry-after": text}) is None, text
    assert retry_after({}) is None


def test_it_ends_within_a_second(server: OpenAIServer, opened: Open, ds) -> None:
    stop = threading.Event()
    client = opened(cancelled=stop.is_set, concurrency=4)
    with server.held(), ThreadPoolExecutor(1) as pool:
        work = pool.submit(ask_all, client, 100)
        server.wait_for(4)
        stop.set()
        started = time.monotonic()
        with pytest.raises(RunInterrupted, match="stopped"):
            work.result()
        assert time.monotonic() - started < 1.0
        client.close()
        assert time.monotonic() - started < 1.5
    assert len(server.requests) == 4
    assert ds.costs["judge"].uncertain == 4
    assert len(ds.uncertain_calls) == 4
    ask_all(opened(concurrency=4), 100)
    assert ds.costs["judge"].calls == 100
    assert ds.costs["judge"].uncertain == 4, "they stay listed"


def test_what_is_under_way_at_the_end_gets_a_moment(server: OpenAIServer, opened: Open, ds) -> None:
    stop = threading.Event()
    client = opened(cancelled=stop.is_set, concurrency=2)
    with ThreadPoolExecutor(1) as pool:
        with server.held():
            answer = pool.submit(client.ask, question("x"))
            server.wait_for(1)
            stop.set()
            time.sleep(0.2)
        assert answer.result().text, "it came within the grace"
    client.close()
    assert (ds.costs["judge"].calls, ds.costs["judge"].uncertain) == (1, 0)


def test_a_closed_client_says_so(opened: Open) -> None:
    client = opened()
    client.ask(question("x"))
    client.close()
    with pytest.raises(RunInterrupted, match="closed"):
        client.ask(question("y"))


def test_the_cap_is_kept_to_within_a_call(server: OpenAIServer, opened: Open, ds) -> None:
    whole = opened(kept=False)
    ask_all(whole, 60)
    price = whole.totals.cost_micro_usd
    assert price
    cap = price // 2
    client = opened(cap=cap, concurrency=8)
    got: list[ModelAnswer] = []

    def ask(number: int) -> None:
        got.append(client.ask(question(number), temperature=0, max_tokens=20))

    with pytest.raises(BudgetReached, match="are spent"):
        list(in_order(ask, range(60), concurrency=client.concurrency))
    client.close()
    spent = ds.costs["judge"].cost_micro_usd
    assert spent is not None
    one = max(answer.cost_micro_usd or 0 for answer in got) + 50  # the most that one may cost
    assert cap - one <= spent <= cap
    assert len(got) == ds.costs["judge"].calls, "what was paid for was given"
    # With more money it goes on from there.
    more = opened(cap=price, concurrency=8)
    assert len(ask_all(more, 60)) == 60
    assert more.totals.cached == len(got)
    assert ds.costs["judge"].cost_micro_usd == price


def test_clients_of_one_work_share_its_money(server: OpenAIServer, opened: Open, ds) -> None:
    with one_budget(700):
        first, second = opened(cap=700), opened(cap=700)
    first.ask(question("x"), max_tokens=100)
    with pytest.raises(BudgetReached):
        list(map(lambda n: second.ask(question(n), max_tokens=100), range(20)))  # noqa: C417
    first.close()
    second.close()
    spent = ds.costs["judge"].cost_micro_usd
    assert spent is not None
    assert 0 < spent <= 700
    opened(cap=700).ask(question("another piece of work"), max_tokens=100)


def test_no_cap_without_a_price(server: OpenAIServer, opened: Open) -> None:
    with pytest.raises(InvalidArgument, match="price of m is not known"):
        opened(cap=1, input_price=None, output_price=None).ask(question("x"))
    assert not server.requests


def test_vectors_come_in_order(server: OpenAIServer, opened: Open, ds) -> None:
    client = opened(embedding_model="e")
    texts = [f"text {n % 150}" for n in range(300)] + [""]
    vectors = client.embed(texts)
    assert len(vectors) == 301
    assert vectors[0] == vectors[150] != vectors[1]
    assert [len(one.body["input"]) for one in server.requests] == [128, 23]
    assert client.embed(texts[:300]) == vectors[:300]
    with pytest.raises(InvalidArgument, match="no embedding model"):
        opened().embed(["x"])
