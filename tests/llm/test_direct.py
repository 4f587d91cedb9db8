"""Models asked by the standard library alone: bounded, patient, and in the same words."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from msgspec import structs

from rft_widgets.errors import InvalidArgument, ModelRefused, TooManyFailures
from rft_widgets.llm.direct import DirectModel, DirectModels, JudgePlace
from rft_widgets.model.call_settings import CALLS
from rft_widgets.model.llm import ModelAnswer, ModelCallFailed, ModelConnection
from rft_widgets.testing.openai_server import OpenAIServer

QUICK = structs.replace(CALLS, first_wait_s=0.01, failures_in_a_row=3)


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    with OpenAIServer(retry_after_s=0.01) as opened:
        yield opened


def place(server: OpenAIServer, timeout_s: float = 5.0, **more: str) -> JudgePlace:
    connection = ModelConnection(base_url=server.base_url, api_key_env=None, timeout_s=timeout_s)
    return JudgePlace(connection=connection, **more)


def ask(model: DirectModel, words: str = "Hello") -> ModelAnswer:
    return model("m", [{"role": "user", "content": words}], temperature=0.0, max_tokens=9)


def test_it_asks_again_where_that_may_help(server: OpenAIServer) -> None:
    model = DirectModel(place(server), QUICK)
    server.queue("429", "500")
    assert ask(model).text
    assert len(server.requests) == 3
    assert server.requests[-1].body["max_tokens"] == 9
    server.queue("500", times=QUICK.attempts)
    with pytest.raises(ModelCallFailed, match="HTTP 500"):
        ask(model)
    assert len(server.requests) == 3 + QUICK.attempts


def test_time_runs_out_and_is_not_paid_for_ever(server: OpenAIServer) -> None:
    model = DirectModel(place(server, timeout_s=0.15), QUICK)
    with server.held(), pytest.raises(ModelCallFailed, match=r"no answer in 0\.15 s"):
        ask(model)
    assert len(server.requests) == QUICK.most_lost


def test_what_is_wrong_for_all_of_them_ends_the_work(
    server: OpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = DirectModel(place(server), QUICK)
    server.queue("500", times=3 * QUICK.attempts)
    for _ in range(2):
        with pytest.raises(ModelCallFailed):
            ask(model)
    with pytest.raises(TooManyFailures, match="last 3 requests"):
        ask(model)
    monkeypatch.delenv("RFT_TEST_KEY", raising=False)
    keyed = ModelConnection(base_url=server.base_url, api_key_env="RFT_TEST_KEY")
    with pytest.raises(ModelRefused, match="RFT_TEST_KEY is not set"):
        ask(DirectModel(JudgePlace(connection=keyed), QUICK))
    with pytest.raises(InvalidArgument, match="in the open"):
        DirectModel(JudgePlace(connection=ModelConnection(base_url="http://example.com/v1")))


def test_each_model_is_asked_at_its_place(server: OpenAIServer) -> None:
    with OpenAIServer() as other:
        models = DirectModels(
            [place(server, model="a"), place(other, model="b", embedding_model="e")]
        )
        for name in ("a", "b", "b"):
            assert models(name, [{"role": "user", "content": "Hi"}]).text
        assert (len(server.requests), len(other.requests)) == (1, 2)
        assert len(models.embed(["one", "two"])) == 2
        with pytest.raises(ModelCallFailed, match="'c'"):
            models("c", [])
    assert DirectModels([place(server, model="a")])("c", [{"role": "user", "content": "Hi"}]).text
