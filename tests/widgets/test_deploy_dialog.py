"""The deploy dialog: what it tells its page in every state, and what it refuses."""

from __future__ import annotations

import functools
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from widgets.wire import Page

import rft_widgets as rft
from rft_widgets.model.job import JobState
from rft_widgets.sample.grader import sample_grader
from rft_widgets.sample.support import write_sample
from rft_widgets.widgets.dialogs.deploy import HIDDEN_TOKEN


@pytest.fixture(scope="module")
def workspace(tmp_path_factory) -> Iterator[rft.Workspace]:
    folder = tmp_path_factory.mktemp("deploy")
    with rft.Workspace(folder / "store.db") as opened:
        path = write_sample(folder / "s.jsonl", format="jsonl", n=160).path
        trained = opened.create_from_file(path, name="Help desk")
        trained.set_grader(sample_grader())
        trained.train().wait(60)
        yield opened


@pytest.fixture
def trained(workspace) -> Iterator[rft.OptimizationDataset]:
    """Tests share it; what one deploys is stopped after it."""
    (found,) = [one for one in workspace.datasets() if one.name == "Help desk"]
    yield found
    for one in found.deployments:
        one.stop()


@pytest.fixture
def job(trained) -> str:
    return trained.training_jobs[-1].id


@pytest.fixture
def shown(show_dialog) -> Callable[[rft.OptimizationDataset], Page]:
    return functools.partial(show_dialog, "deploy")


def asked(url: str, token: str, model: str, prompt: str = "Where is my parcel?") -> tuple[int, str]:
    body = {"model": model, "messages": [{"role": "user", "content": prompt}]}
    request = urllib.request.Request(
        f"{url}/chat/completions",
        data=json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.headers["X-RFT-Arm"]
    except urllib.error.HTTPError as error:
        with error:
            return error.code, ""


def measured(dataset: rft.OptimizationDataset, kind: str, subject: str) -> JobState:
    ends = time.monotonic() + 30
    while True:
        (state,) = [one for one in dataset.job_states if (one.kind, one.subject) == (kind, subject)]
        if state.status not in ("queued", "running"):
            return state
        assert time.monotonic() < ends
        time.sleep(0.01)


def only(page: Page, key: str) -> dict[str, Any]:
    return next(one for one in page.ask("load")["deployments"] if one["id"] == key)


def test_without_a_model_there_is_nothing_to_deploy(dataset, shown):
    page = shown(dataset)
    assert page.opened_with()["node"]["blocked_reason"] == "Complete training first"
    overview = page.ask("load")
    assert (overview["models"], overview["deployments"]) == ([], [])
    error = page.refused("deploy", {"job": "job_0", "mode": "new_endpoint"})
    assert error["code"] == "not_found"


def test_models_say_what_training_brought(trained, job, shown):
    (model,) = shown(trained).ask("load")["models"]
    report = trained.training_job(job).report
    assert model["job"] == job
    assert model["outcome"] == report.outcome
    assert model["change"]["before_mean"] == report.change.before_mean
    assert model["benchmark"] is None


def test_a_new_endpoint_from_the_page(trained, job, shown):
    page = shown(trained)
    key = page.ask("deploy", {"job": job, "mode": "new_endpoint"})
    view = only(page, key)
    assert (view["mode"], view["status"], view["model"]) == (
        "new_endpoint", "active", "rft-help-desk",
    )  # fmt: skip
    assert view["base_url"].startswith("http://127.0.0.1:")
    assert view["arms"] == []
    assert HIDDEN_TOKEN in view["snippet"]

    shown_once = page.ask("reveal", {"deployment": key})
    token = shown_once["token"]
    assert len(token) > 20
    assert token in shown_once["snippet"]
    assert asked(view["base_url"], token, "rft-help-desk") == (200, "tuned")
    assert asked(view["base_url"], "wrong", "rft-help-desk")[0] == 401
    ends = time.monotonic() + 10
    while not (arms := only(page, key)["arms"]):
        assert time.monotonic() < ends
        time.sleep(0.02)
    assert (arms[0]["arm"], arms[0]["requests"], arms[0]["failed"]) == ("tuned", 1, 0)

    page.ask("roll_back", {"deployment": key})
    assert only(page, key)["status"] == "rolled_back"
    assert asked(view["base_url"], token, "rft-help-desk")[0] == 404
    page.ask("stop", {"deployment": key})
    assert only(page, key)["base_url"] is None


def test_the_token_is_in_no_trait_and_in_no_view(trained, job, shown):
    page = shown(trained)
    page.call("attach", {"view": "v"})
    key = page.ask("deploy", {"job": job, "mode": "new_endpoint"})
    token = page.ask("reveal", {"deployment": key})["token"]
    assert token not in json.dumps(page.ask("load"))
    assert token not in json.dumps(page.widget.get_state(), default=str)
    assert token not in json.dumps(page.updates(), default=str)
    page.call("detach", {"view": "v"})


def test_every_view_of_a_process_knows_its_servers(trained, job, shown):
    page, other = shown(trained), shown(trained)
    key = page.ask("deploy", {"job": job, "mode": "new_endpoint"})
    url = only(page, key)["base_url"]
    assert only(other, key)["base_url"] == url
    assert trained.deployment(key).base_url == url
    other.ask("stop", {"deployment": key})
    assert only(page, key)["base_url"] is None
    assert page.refused("reveal", {"deployment": key})["code"] == "invalid_argument"
    page.ask("start", {"deployment": key})
    assert only(other, key)["base_url"] is not None


def test_an_ab_test_is_measured(trained, job, shown):
    page = shown(trained)
    key = page.ask("deploy", {"job": job, "mode": "ab_test", "ratio": 50.0, "base_model": "b"})
    view, token = only(page, key), page.ask("reveal", {"deployment": key})["token"]
    assert (view["ratio"], view["base_model"]) == (50, "b")
    prompts = page.ask("prompts", {"job": job})
    for one in prompts:
        asked(view["base_url"], token, "b", one["text"])
    ends = time.monotonic() + 10
    while sum(arm["requests"] for arm in only(page, key)["arms"]) < len(prompts):
        assert time.monotonic() < ends
        time.sleep(0.02)
    assert only(page, key)["outcome"] is None
    assert page.call("measure_outcome", {"deployment": key})["ok"]
    state = measured(trained, "outcome", key)
    assert state.status == "succeeded"
    outcome = only(page, key)["outcome"]
    assert outcome["sentence"] == state.outcome
    counts = {arm["arm"]: arm["requests"] for arm in only(page, key)["arms"]}
    for arm in ("tuned", "base"):
        graded = outcome[arm]["graded"] + outcome[arm]["failed_gradings"]
        assert graded == counts.get(arm, 0)


def test_both_models_are_measured_by_the_grader_of_now(trained, job, shown):
    page = shown(trained)
    assert page.call("measure", {"job": job})["ok"]
    state = measured(trained, "benchmark", job)
    assert state.status == "succeeded"
    benchmark = page.ask("load")["models"][0]["benchmark"]
    report = trained.training_job(job).report
    assert benchmark["sentence"] == state.outcome
    assert benchmark["change"]["n"] == report.change.n
    assert benchmark["change"]["before_mean"] == pytest.approx(report.change.before_mean)
    assert benchmark["change"]["after_mean"] == pytest.approx(report.change.after_mean)
    assert benchmark["base_latency_s"] > 0
    assert shown(trained).ask("load")["models"][0]["benchmark"] == benchmark  # on another page


def test_the_playground_shows_both_answers(trained, job, shown):
    page = shown(trained)
    prompts = page.ask("prompts", {"job": job})
    assert 0 < len(prompts) <= 50
    assert {one["record_id"] for one in prompts} <= set(trained.training_job(job).split.valid)
    pair = page.ask("play_record", {"job": job, "record": prompts[0]["record_id"]})
    expected = trained.playground(trained.record(prompts[0]["record_id"]), job=job)
    for arm in ("base", "tuned"):
        assert pair[arm]["reward"] == expected[arm].reward
        assert pair[arm]["source_record_id"] == expected[arm].source_record_id
        assert pair[arm]["latency_s"] > 0
    own = page.ask("play", {"job": job, "text": "How long does delivery take to Portugal?"})
    assert own["tuned"]["text"]
    assert own["tuned"]["reward"] is None
    assert "reference_answer" in own["tuned"]["error"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"mode": "ab_test", "ratio": 120.0}, "percentage"),
        ({"mode": "new_endpoint", "model": "two words"}, "model name"),
        ({"mode": "replace", "upstream_url": "http://example.com/v1"}, "in the open"),
        ({"mode": "replace", "upstream_url": "nothing"}, "base URL"),
        ({"mode": "replace", "upstream_model": "gpt"}, "address"),
        (
            {
                "mode": "replace",
                "upstream_url": "https://example.com/v1",
                "api_key_env": "AWS_SECRET_ACCESS_KEY",
            },
            "not allowed for pages",
        ),
    ],
)
def test_what_does_not_go_together_is_refused(trained, job, shown, options, words):
    page, before = shown(trained), len(trained.deployments)
    error = page.refused("deploy", {"job": job, **options})
    assert error["code"] == "invalid_argument"
    assert words in f"{error['message']} {error['hint']}"
    assert len(trained.deployments) == before


def test_other_shapes_do_not_come_in(trained, job, shown):
    page = shown(trained)
    for params in ({"mode": "blue_green"}, {"mode": "replace", "api_key": "sk-1"}):
        assert page.refused("deploy", {"job": job, **params})["code"] == "invalid_params"
    assert page.refused("play", {"job": job, "text": ""})["code"] == "invalid_params"


def test_an_upstream_is_named_and_its_key_is_not(trained, job, shown, monkeypatch):
    monkeypatch.setenv("DESK_API_KEY", "sk-very-secret")
    monkeypatch.setenv("RFT_WIDGETS_CONNECTIONS", "https://api.example.com/v1=DESK_API_KEY")
    page = shown(trained)
    options = {
        "mode": "replace",
        "upstream_url": "https://api.example.com/v1",
        "upstream_model": "gpt-x",
        "api_key_env": "DESK_API_KEY",
    }
    key = page.ask("deploy", {"job": job, **options})
    view = only(page, key)
    assert (view["upstream"], view["base_model"]) == ("https://api.example.com/v1", "gpt-x")
    assert "sk-very-secret" not in json.dumps(page.custom())


def test_deployments_of_other_datasets_are_not_there(trained, job, workspace, shown):
    key = shown(trained).ask("deploy", {"job": job, "mode": "new_endpoint"})
    page = shown(workspace.create("Other"))
    for method in ("start", "stop", "roll_back", "reveal"):
        assert page.refused(method, {"deployment": key})["code"] == "not_found"
    assert trained.deployment(key).server is not None
