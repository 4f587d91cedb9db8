"""What a fine-tuning service would not take is refused in words, before anything is sent to it."""

from __future__ import annotations

import json

import pytest
from fine_tuned import (
    ARN,
    BASE,
    GRADER,
    KEY,
    KEY_ENV,
    WORDS,
    config,
    dataset_at,
    records,
    sent,
    service,
    task_at,
    words_of,
)
from msgspec import structs

from rft_widgets.errors import InvalidArgument, ModelGone, RftError
from rft_widgets.graders.compile.hosted import LAST_USER, SYSTEM
from rft_widgets.llm.catalogue import MODELS_VARIABLE
from rft_widgets.model.connection import NamedConnection
from rft_widgets.model.grader import grader_from_json
from rft_widgets.model.llm import ModelConnection
from rft_widgets.model.training import TrainingConfig
from rft_widgets.trainers import MemoryRun, TrainingData, TrainingRequest, trainer
from rft_widgets.trainers.openai import rows
from rft_widgets.trainers.openai.dialects import DIALECTS, dialect_of
from rft_widgets.trainers.openai.rows import check_prompts, sent_records, write_rows

JUDGE = {
    "type": "score_model", "name": "judge", "model": "gpt-judge",
    "input": [{"role": "user", "content": "Rate {{response}} from 0 to 1."}],
}  # fmt: skip


@pytest.fixture(autouse=True)
def key(monkeypatch):
    monkeypatch.setenv(KEY_ENV, KEY)


def at(base_url: str, **more) -> NamedConnection:
    connection = ModelConnection(base_url=base_url, api_key_env=KEY_ENV)
    return NamedConnection(name="tuning", connection=connection, model=BASE, **more)


def request(base_url="https://api.example.com/v1", grader=GRADER, train=200, valid=20, **changes):
    values = config(**changes)
    return TrainingRequest(
        config=TrainingConfig(**values),
        train=train,
        valid=valid,
        prompt_tokens=20.0,
        grader=grader_from_json(grader),
        connection=at(base_url),
    )


# -- known without asking anybody -----------------------------------------------------------------

COSINE = {**GRADER, "type": "text_similarity", "evaluation_metric": "cosine"}
COSINE.pop("operation")
READS_JSON = {**GRADER, "input": "{{sample.output_json.city}}"}
BEDROCK = {"dialect": "bedrock", "lambda_arn": ARN}
AZURE = "https://me.openai.azure.com/openai/v1"
MANTLE = "https://bedrock-mantle.us-west-2.api.aws/v1"


@pytest.mark.parametrize(
    ("words", "changes"),
    [
        ("does not know the hyperparameter eval_interval",
         {"settings": BEDROCK, "hyperparameters": {"eval_interval": 2}}),
        ("it must lie in 1..10", {"hyperparameters": {"n_epochs": 11}}),
        ("no hyperparameter 'epochs'", {"hyperparameters": {"epochs": 1}}),
        ("has no setting 'region'", {"settings": {"region": "x"}}),
        ("no dialect 'google'", {"settings": {"dialect": "google"}}),
        ("Which model is to be trained is not said", {"base_model": None}),
        ("is not named", {"connection": None}),
        ("cosine", {"grader": COSINE}),
        ("reads sample.output_json", {"grader": READS_JSON}),
        ("describes no object", {"grader": READS_JSON, "settings": {"response_schema": "[]"}}),
        ("takes 100 training records or more; there are 99", {"settings": BEDROCK, "train": 99}),
        ("takes 10 training records or more", {"settings": {"dialect": "azure"}, "train": 9}),
        ("needs a validation file", {"settings": {"dialect": "azure"}, "valid": 0}),
        ("settings name none", {"settings": {"dialect": "bedrock"}}),
        ("is no ARN", {"settings": BEDROCK | {"lambda_arn": "my-function"}}),
        ("in us-west-2, and the service in eu-west-1",
         {"settings": BEDROCK, "base_url": MANTLE.replace("us-west-2", "eu-west-1")}),
        ("names no region", {"base_url": "https://bedrock-mantle.oregon.api.aws/v1"}),
        ("ends with /openai/v1", {"base_url": AZURE.removesuffix("/v1"), "settings": {}}),
        ("no training type 'Fast'",
         {"settings": {"training_type": "Fast"}, "base_url": AZURE}),
        ("in the open", {"base_url": "http://api.example.com/v1"}),
    ],
)  # fmt: skip
def test_a_run_that_cannot_be_done_is_refused(words, changes):
    with pytest.raises(InvalidArgument, match=words):
        trainer("openai").check(request(**changes))


def test_a_run_that_can_be_done_is_not():
    check = trainer("openai").check
    check(request())
    check(request(AZURE, settings={"training_type": "Developer"}))
    check(request(MANTLE, settings={"lambda_arn": ARN}, base_model="openai.gpt-oss-20b"))
    check(request(grader=READS_JSON, settings={"response_schema": '{"type": "object"}'}))


def test_a_missing_key_and_a_retired_model_are_refused(monkeypatch):
    monkeypatch.delenv(MODELS_VARIABLE, raising=False)
    check = trainer("openai").check
    with pytest.raises(ModelGone, match="o4-mini-2025-04-16 was shut down on 2026-10-23"):
        check(request("https://api.openai.com/v1", base_model="o4-mini-2025-04-16"))
    with pytest.raises(ModelGone, match="gpt-4-turbo"):
        check(request("https://api.openai.com/v1", grader={**JUDGE, "model": "gpt-4-turbo"}))
    monkeypatch.delenv(KEY_ENV)
    with pytest.raises(InvalidArgument, match=f"{KEY_ENV}, which holds the key, is not set"):
        check(request())


@pytest.mark.parametrize(
    ("base_url", "name"),
    [
        ("https://api.openai.com/v1", "openai"),
        (AZURE, "azure"),
        ("https://me.cognitiveservices.azure.com/openai/v1/", "azure"),
        ("https://me.services.ai.azure.com/openai/v1", "azure"),
        (MANTLE, "bedrock"),
        ("http://127.0.0.1:9/v1", "openai"),
    ],
)
def test_the_address_tells_the_dialect(base_url, name):
    assert dialect_of(base_url).name == name
    assert dialect_of("http://127.0.0.1:9/v1", name).name == name


# -- known once the records, or the service, are asked --------------------------------------------


def refused(server, folder, **changes) -> str:
    """Train, and give the words that it fails with."""
    with pytest.raises(RftError) as caught:
        trainer("openai").train(task_at(server, folder, **changes), MemoryRun())
    return str(caught.value)


def test_nothing_is_sent_of_a_run_that_the_service_would_not_take(tmp_path):
    with service() as server:
        error = refused(server, tmp_path, base_model="o9-old")
        assert "o9-old was shut down on 2026-01-31" in error
        error = refused(server, tmp_path, base_model="base-2")
        assert "does not list the base model 'base-2'" in error
        assert BASE in error
        error = refused(server, tmp_path, grader=JUDGE)
        assert "does not list the judge's model 'gpt-judge'" in error
        server.queue("401", path="/models")
        error = refused(server, tmp_path)
        assert f"Check what {KEY_ENV} holds" in error
        assert KEY not in error
        server.queue("quota", path="/models")
        assert "billing" in refused(server, tmp_path)
        server.queue("redirect", path="/models")
        assert "not followed" in refused(server, tmp_path)
        error = refused(server, tmp_path, train=(*records(20), *records(7, "assistant")))
        assert "7 prompts do not end with a message of the user" in error
        error = refused(server, tmp_path, settings=BEDROCK, train=records(99))
        assert "takes 100 training records or more" in error
        assert not sent(server, "/files")
        assert not sent(server, "/fine_tuning/jobs")
        assert not [one for one in server.requests if one.path.startswith("/elsewhere")]


def test_a_refused_run_of_a_dataset_says_why_and_has_sent_nothing(tmp_path):
    with service() as server, dataset_at(server, tmp_path) as dataset:
        job = dataset.train(config(base_model="base-2")).wait(30)
        assert job.status == "failed", words_of(job)
        assert "does not list the base model 'base-2'" in str(job.error)
        assert [one.method for one in server.requests] == ["GET"]


def test_what_the_service_says_of_a_job_that_it_refuses_is_told(tmp_path):
    with service("bedrock") as server:
        error = refused(server, tmp_path)  # as if it were OpenAI
        assert "HTTP 400: suffix is not supported" in error


# -- files ----------------------------------------------------------------------------------------


def test_more_records_than_the_service_takes_are_sampled_and_that_is_said():
    data = TrainingData(records(30), records(8))
    small = structs.replace(DIALECTS["bedrock"], most_rows=20, most_valid=5)
    sent_first = sent_records(data, small, seed=1)
    assert (len(sent_first.train), len(sent_first.valid)) == (20, 5)
    assert "takes 20 training records" in sent_first.notes[0]
    assert "seed 1" in sent_first.notes[1]
    assert sent_records(data, small, seed=1) == sent_first
    assert sent_records(data, small, seed=2).train != sent_first.train
    assert sent_records(data, DIALECTS["openai"], seed=1).notes == ()
    limits = {name: (one.most_rows, one.most_valid) for name, one in DIALECTS.items()}
    assert limits["openai"] == limits["azure"] == (50_000, 1_000)
    assert limits["bedrock"][0] == 20_000


def test_prompts_that_no_user_ends_are_named():
    check_prompts(records(3))
    with pytest.raises(InvalidArgument, match=r"7 prompts do not end .*rec_00004, \.\.\."):
        check_prompts((*records(3), *records(7, "assistant")))


def test_a_file_that_is_too_large_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(rows, "MOST_BYTES", 300)
    with pytest.raises(InvalidArgument, match=r"train.jsonl has more than"):
        write_rows(tmp_path / "train.jsonl", records(9), frozenset())
    write_rows(tmp_path / "train.jsonl", records(2), frozenset({LAST_USER, SYSTEM}))
    first = json.loads((tmp_path / "train.jsonl").read_text().splitlines()[0])
    assert first == {
        "reference_answer": WORDS[0], "messages": [{"role": "user", "content": "Question 0"}],
        LAST_USER: "Question 0", SYSTEM: "",
    }  # fmt: skip
