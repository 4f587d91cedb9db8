"""Deployments of a dataset: real servers, asked with the real client, counted in the store."""

from __future__ import annotations

import time
from collections.abc import Iterator

import openai
import pytest

import rft_widgets as rft
from rft_widgets.errors import InvalidArgument, NotFound, RunInterrupted
from rft_widgets.model.message import to_json


@pytest.fixture
def deployment(trained: rft.OptimizationDataset, request: pytest.FixtureRequest) -> Iterator:
    """A deployment that is served, with the options of the test's parameter."""
    made = trained.deploy(**getattr(request, "param", {}))
    yield made
    made.stop()


def client(deployment: rft.Deployment) -> openai.OpenAI:
    return openai.OpenAI(
        base_url=deployment.base_url, api_key=deployment.token, max_retries=0, timeout=20
    )


def ask(deployment: rft.Deployment, record: rft.Record, model: str | None = None, **more):
    with client(deployment) as one:
        raw = one.chat.completions.with_raw_response.create(
            model=model or deployment.config.model,
            messages=to_json(record.input.messages),
            tools=to_json(record.input.tools) or openai.NOT_GIVEN,
            **more,
        )
    return raw.headers, raw.parse()


def validation(dataset: rft.OptimizationDataset) -> list[rft.Record]:
    return [dataset.record(key) for key in dataset.training_jobs[-1].split.valid]


def counted(deployment: rft.Deployment, requests: int) -> dict:
    """Counts, once everything that was served has been recorded."""
    deadline = time.monotonic() + 10
    while sum(arm.requests for arm in deployment.counts.values()) < requests:
        assert time.monotonic() < deadline, deployment.counts
        time.sleep(0.02)
    return deployment.counts


def test_a_new_endpoint_answers_as_the_policy_does(trained, deployment):
    policy = trained.training_jobs[-1].policy()
    records = validation(trained)
    for record in records:
        headers, answer = ask(deployment, record)
        expected = policy.respond(record.input.messages, record.input.tools)
        message = answer.choices[0].message
        assert (message.content or "") == expected.message.text
        assert [call.function.arguments for call in message.tool_calls or ()] == [
            call.function.arguments for call in expected.message.tool_calls if call.function
        ]
        assert answer.choices[0].finish_reason == expected.finish_reason
        assert headers["x-rft-arm"] == "tuned"
        assert headers["x-rft-source-record"] == expected.source_record_id
    assert counted(deployment, len(records))["tuned"].requests == len(records)
    with client(deployment) as one:
        assert [model.id for model in one.models.list()] == ["rft-trained"]


def test_a_stream_adds_up_to_the_answer(trained, deployment):
    record = next(r for r in validation(trained) if r.input.tools)
    _, whole = ask(deployment, record)
    with client(deployment) as one:
        pieces = list(
            one.chat.completions.create(
                model="rft-trained",
                messages=to_json(record.input.messages),
                tools=to_json(record.input.tools),
                stream=True,
            )
        )
    text = "".join(p.choices[0].delta.content or "" for p in pieces if p.choices)
    assert text == (whole.choices[0].message.content or "")
    assert pieces[-1].choices[0].finish_reason == whole.choices[0].finish_reason


@pytest.mark.parametrize("deployment", [{"mode": "replace", "base_model": "gpt-x"}], indirect=True)
def test_replace_answers_for_the_base_model_until_it_is_rolled_back(trained, deployment):
    record = validation(trained)[0]
    assert ask(deployment, record, "gpt-x")[0]["x-rft-arm"] == "tuned"
    deployment.roll_back()
    assert deployment.status == "rolled_back"
    headers, answer = ask(deployment, record, "gpt-x")
    assert headers["x-rft-arm"] == "base"
    reference = (
        trained.training_jobs[-1]
        .policy()
        .respond(record.input.messages, record.input.tools, reference=True)
    )
    assert (answer.choices[0].message.content or "") == reference.message.text
    kinds = [event.kind for event in trained.events]
    assert kinds.count("roll_back") == 1
    deployment.roll_back()
    assert [event.kind for event in trained.events].count("roll_back") == 1


@pytest.mark.parametrize("deployment", [{"mode": "ab_test", "ratio": 50}], indirect=True)
def test_an_ab_test_is_measured_with_the_same_grader(trained, deployment):
    records = validation(trained)
    arms = {}
    for n, record in enumerate(records * 2):
        user = f"user {n % len(records)}"
        headers, _ = ask(deployment, record, "base", user=user)
        assert arms.setdefault(user, headers["x-rft-arm"]) == headers["x-rft-arm"]
    counts = counted(deployment, 2 * len(records))
    assert set(counts) == {"tuned", "base"}
    found = deployment.outcome()
    assert found.tuned.graded == counts["tuned"].requests
    assert found.base.graded == counts["base"].requests
    assert found.tuned.failed_gradings == found.base.failed_gradings == 0
    assert found.difference is not None
    assert found.difference.after_clusters == sum(arm == "tuned" for arm in arms.values())
    expected = trained.playground(records[0])
    first = next(one for one in deployment.exchanges())
    assert first.answer is not None
    assert expected[first.arm].message.text == (first.answer["content"] or "")


def test_requests_without_an_item_are_no_zeros(trained, deployment):
    prompt = [{"role": "user", "content": "How long does delivery take to Portugal?"}]
    with client(deployment) as one:
        one.chat.completions.create(model="rft-trained", messages=prompt)
    counted(deployment, 1)
    found = deployment.outcome()
    assert (found.tuned.reward, found.base.reward, found.difference) == (None, None, None) or (
        found.tuned.graded == 1
    )
    answers = trained.playground("How long does delivery take to Portugal?")
    assert set(answers) == {"base", "tuned"}


def test_the_token_is_needed_and_stored_nowhere(trained, deployment, sample_workspace):
    with (
        openai.OpenAI(base_url=deployment.base_url, api_key="wrong", max_retries=0) as stranger,
        pytest.raises(openai.AuthenticationError),
    ):
        stranger.models.list()
    assert deployment.token in deployment.snippet()
    path = sample_workspace._store.path
    data = b"".join(part.read_bytes() for part in path.parent.rglob("*") if part.is_file())
    assert deployment.token.encode() not in data
    assert deployment.token not in repr(deployment)


def test_what_does_not_go_together_is_refused(trained, sample):
    before = len(trained.deployments)
    for options in (
        {"mode": "blue_green"},
        {"mode": "ab_test", "ratio": 120},
        {"mode": "new_endpoint", "model": "two words"},
        {"upstream": rft.ModelConnection(base_url="http://example.com/v1")},
    ):
        with pytest.raises(InvalidArgument):
            trained.deploy(**options)
    assert len(trained.deployments) == before
    with pytest.raises(InvalidArgument, match="no trained policy"):
        sample.deploy()
    with pytest.raises(NotFound):
        trained.deployment("dep_0")


def test_a_deployment_is_served_again_after_a_restart(trained, deployment):
    record = validation(trained)[0]
    before = ask(deployment, record)[1].choices[0].message
    deployment.stop()
    with pytest.raises(InvalidArgument, match="not served"):
        _ = deployment.base_url
    again = trained.deployment(deployment.id).start()
    try:
        assert ask(again, record)[1].choices[0].message == before
    finally:
        again.stop()
    assert counted(again, 2)["tuned"].requests == 2


def test_nothing_is_kept_where_that_was_asked_for(trained):
    deployment = trained.deploy(keep_exchanges=False)
    try:
        ask(deployment, validation(trained)[0])
        counted(deployment, 1)
        assert list(deployment.exchanges()) == []
    finally:
        deployment.stop()


def test_measuring_an_outcome_tells_how_far_it_is_and_can_be_stopped(trained, deployment):
    ask(deployment, validation(trained)[0])
    counted(deployment, 1)
    told = []
    deployment.outcome(progress=lambda share, doing: told.append((share, doing)))
    assert told == [(1.0, "1 of 1 answers")]
    with pytest.raises(RunInterrupted):
        deployment.outcome(cancelled=lambda: True)
