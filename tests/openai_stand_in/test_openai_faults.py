"""What the stand-in server does wrong on demand, and what it keeps of each request."""

import time
from collections import Counter
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx2
import openai
import pytest
from openai_stand_in.sdk_client import asked, connected

from rft_widgets.testing.faults import FAULTS, UNPAID
from rft_widgets.testing.openai_server import OpenAIServer
from rft_widgets.testing.request_log import read_log


@pytest.fixture(scope="module")
def server():
    with OpenAIServer(retry_after_s=2) as one:
        yield one


@pytest.fixture(scope="module")
def client(server):
    with connected(server) as one:
        yield one


def faulty(server, client, name, **more):
    server.queue(name)
    return asked(client, **more)


@pytest.mark.parametrize(
    ("fault", "error", "code"),
    [
        ("429", openai.RateLimitError, "rate_limit_exceeded"),
        ("429_date", openai.RateLimitError, "rate_limit_exceeded"),
        ("quota", openai.RateLimitError, "insufficient_quota"),
        ("401", openai.AuthenticationError, "invalid_api_key"),
        ("403", openai.PermissionDeniedError, None),
        ("404", openai.NotFoundError, "model_not_found"),
        ("500", openai.InternalServerError, None),
        ("503", openai.InternalServerError, None),
    ],
)
def test_errors_come_as_services_give_them(server, client, fault, error, code):
    with pytest.raises(error) as raised:
        faulty(server, client, fault)
    assert raised.value.code == code
    wait = raised.value.response.headers.get("retry-after")
    if fault == "429":
        assert wait == "2"
    elif fault == "429_date":
        seconds = (parsedate_to_datetime(wait) - datetime.now(UTC)).total_seconds()
        assert 1.5 < seconds <= 3
    else:
        assert wait is None
    assert not server.requests[-1].paid


def test_answers_come_broken_in_every_way(server, client):
    with pytest.raises(openai.APITimeoutError):
        faulty(server, client.with_options(timeout=0.3), "timeout")
    for fault in ("cut", "cut"):
        with pytest.raises(openai.APIConnectionError):
            faulty(server, client, fault)
    with pytest.raises(ValueError, match=r"Unterminated|Expecting|Invalid"):
        faulty(server, client, "truncated")
    with pytest.raises(RecursionError):
        faulty(server, client, "deep")
    assert faulty(server, client, "null_choices").choices is None
    assert str(faulty(server, client, "html")).startswith("<html>")
    assert faulty(server, client, "empty").choices[0].message.content is None
    refused = faulty(server, client, "refusal").choices[0].message
    assert (refused.content, refused.refusal) == (None, "I cannot help with that.")
    assert faulty(server, client, "content_filter").choices[0].finish_reason == "content_filter"
    assert faulty(server, client, "length").choices[0].finish_reason == "length"
    began = time.monotonic()
    assert faulty(server, client, "slow").choices[0].finish_reason == "stop"
    assert time.monotonic() - began > 1
    assert all(one.paid for one in server.requests[-12:])


def test_streams_break_and_come_slowly(server, client):
    whole = list(asked(client, stream=True))
    with pytest.raises((openai.APIConnectionError, httpx2.RemoteProtocolError)):
        list(faulty(server, client, "cut", stream=True))
    with pytest.raises(ValueError, match=r"Unterminated|Expecting|Invalid"):
        list(faulty(server, client, "truncated", stream=True))
    began = time.monotonic()
    for i, _ in enumerate(faulty(server, client, "slow", stream=True)):
        if i == 3:
            break
    assert time.monotonic() - began > 0.6
    assert len(whole) > 5


def test_whoever_follows_a_redirect_is_seen(server, client):
    with pytest.raises(openai.NotFoundError):
        faulty(server, client, "redirect")  # the SDK's own client follows
    assert [one.status for one in server.requests[-2:]] == [307, 404]
    assert server.requests[-1].path == "/elsewhere/v1/chat/completions"
    stays = openai.DefaultHttpxClient(follow_redirects=False)
    with connected(server, http_client=stays) as careful:
        with pytest.raises(openai.APIStatusError):
            faulty(server, careful, "redirect")
        assert server.requests[-1].status == 307


def test_every_fault_is_known_to_these_tests(server):
    assert {one.fault for one in server.requests} - {None} == set(FAULTS)
    paid = {one.fault for one in server.requests if one.paid}
    assert paid == {*FAULTS, None} - UNPAID


def test_faults_are_queued_for_a_path(server, client):
    server.queue("500", path="/embeddings")
    assert asked(client).choices
    with pytest.raises(openai.InternalServerError):
        client.embeddings.create(model="e", input="a")


def test_shares_of_faults_follow_the_seed_and_not_the_order():
    def faults(order, seed=4):
        rates = {"429": 0.2, "500": 0.1}
        with OpenAIServer(faults=rates, seed=seed) as server, connected(server) as client:
            for n in order:
                for _ in range(2):
                    try:
                        asked(client, [{"role": "user", "content": f"Question {n}"}])
                    except openai.APIStatusError:
                        continue
            return {(one.digest, one.nth): one.fault for one in server.requests}

    found = faults(range(40))
    assert found == faults(reversed(range(40)))
    assert found != faults(range(40), seed=5)
    counts = Counter(found.values())
    assert 6 <= counts["429"] <= 40
    assert 2 <= counts["500"] <= 18
    firsts = {digest: fault for (digest, nth), fault in found.items() if nth == 1}
    seconds = {digest: fault for (digest, nth), fault in found.items() if nth == 2}
    assert any(firsts[one] and not seconds[one] for one in firsts)  # another try may work


def test_a_key_is_required_and_never_kept(tmp_path):
    log = tmp_path / "log.jsonl"
    with OpenAIServer(key="sk-right", log=log) as server:
        with connected(server, key="sk-right") as client:
            asked(client)
        with connected(server, key="sk-wrong") as client, pytest.raises(openai.AuthenticationError):
            asked(client)
        assert [one.key for one in server.requests] == ["right", "wrong"]
        assert [one.paid for one in server.requests] == [True, False]
    kept = log.read_text()
    assert "sk-right" not in kept
    assert "sk-wrong" not in kept
    assert [one.key for one in read_log(log)] == ["right", "wrong"]
    assert read_log(log)[0].headers["user-agent"].startswith("OpenAI/Python")
