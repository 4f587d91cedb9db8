"""The stand-in server as clients see it: the official SDK asks every route."""

import asyncio
import json
import time

import numpy as np
import openai
import pytest
from openai import AsyncOpenAI
from openai_stand_in.sdk_client import ASKED, asked, connected

from rft_widgets.errors import InvalidArgument
from rft_widgets.testing.openai_server import Answer, OpenAIServer, ToolCall

TOOL = {
    "type": "function",
    "function": {
        "name": "track_parcel",
        "description": "Where a parcel is",
        "parameters": {
            "type": "object",
            "properties": {"parcel_id": {"type": "string"}, "fast": {"type": "boolean"}},
            "required": ["parcel_id"],
        },
    },
}
GRADER = {
    "type": "string_check",
    "name": "same",
    "input": "{{ sample.output_text }}",
    "reference": "{{ item.wanted }}",
    "operation": "eq",
}


@pytest.fixture
def server():
    with OpenAIServer() as one:
        yield one


@pytest.fixture
def client(server):
    with connected(server) as one:
        yield one


# What is asked


def test_an_answer_takes_up_the_question_and_says_what_it_used(client):
    made = asked(client, n=3, logprobs=True, top_logprobs=2)
    assert [choice.index for choice in made.choices] == [0, 1, 2]
    assert made.model == made.system_fingerprint == "scripted-stand-in"
    first = made.choices[0]
    assert "It was to come on Monday." in first.message.content
    assert first.finish_reason == "stop"
    told = first.logprobs.content
    assert "".join(token.token for token in told) == first.message.content
    assert all(token.logprob <= 0 and len(token.top_logprobs) == 2 for token in told)
    assert made.usage.total_tokens == made.usage.prompt_tokens + made.usage.completion_tokens > 20


def test_a_stream_says_the_same_as_one_answer(client):
    whole = asked(client, temperature=0, tools=[TOOL])
    chunks = list(asked(client, temperature=0, tools=[TOOL], stream=True,
                        stream_options={"include_usage": True}))  # fmt: skip
    calls = [call for chunk in chunks for choice in chunk.choices
             for call in choice.delta.tool_calls or ()]  # fmt: skip
    function = whole.choices[0].message.tool_calls[0].function
    assert calls[0].function.name == function.name == "track_parcel"
    assert "".join(call.function.arguments for call in calls) == function.arguments
    assert json.loads(function.arguments)["parcel_id"] == "48213"
    assert chunks[-1].usage == whole.usage
    assert [c.finish_reason for chunk in chunks for c in chunk.choices][-1] == "tool_calls"
    text = "".join(chunk.choices[0].delta.content or ""
                   for chunk in asked(client, temperature=0, stream=True))  # fmt: skip
    assert text == asked(client, temperature=0).choices[0].message.content


def test_tools_are_called_when_they_fit_or_must(client):
    weather = {"type": "function", "function": {"name": "forecast", "description": "The weather"}}
    assert asked(client, tools=[weather]).choices[0].message.tool_calls is None
    forced = asked(client, tools=[weather], tool_choice="required").choices[0].message
    assert [call.function.name for call in forced.tool_calls] == ["forecast"]
    named = {"type": "function", "function": {"name": "forecast"}}
    picked = asked(client, tools=[TOOL, weather], tool_choice=named).choices[0].message
    assert [call.function.name for call in picked.tool_calls] == ["forecast"]
    assert asked(client, tools=[TOOL], tool_choice="none").choices[0].message.tool_calls is None
    call = asked(client, tools=[TOOL]).choices[0].message.tool_calls[0].to_dict()
    found = {"role": "tool", "tool_call_id": call["id"], "content": "It is in Graz"}
    after = [*ASKED, {"role": "assistant", "tool_calls": [call]}, found]
    assert "It is in Graz" in asked(client, after, tools=[TOOL]).choices[0].message.content


def test_an_answer_fits_whatever_schema_is_asked_for(client):
    from jsonschema import Draft202012Validator

    schema = {
        "type": "object",
        "properties": {
            "kind": {"enum": ["a", "b"]},
            "when": {"type": ["string", "null"], "format": "date"},
            "parts": {
                "type": "array",
                "minItems": 2,
                "maxItems": 3,
                "items": {"$ref": "#/$defs/p"},
            },
            "either": {"anyOf": [{"type": "null"}, {"type": "boolean"}]},
            "all": {"allOf": [{"type": "string"}, {"maxLength": 5}]},
            "fixed": {"const": 7},
        },
        "required": ["kind", "parts"],
        "$defs": {
            "p": {
                "type": "object",
                "properties": {
                    "n": {"type": "integer", "minimum": 3, "exclusiveMaximum": 5},
                    "x": {"type": "number", "exclusiveMinimum": 0, "maximum": 0.5},
                },
                "required": ["n", "x"],
            }
        },
    }
    form = {"type": "json_schema", "json_schema": {"name": "any", "schema": schema}}
    for n in range(5):
        messages = [{"role": "user", "content": f"Number {n}"}]
        made = asked(client, messages, response_format=form)
        Draft202012Validator(schema).validate(json.loads(made.choices[0].message.content))
    free = asked(client, response_format={"type": "json_object"})
    assert isinstance(json.loads(free.choices[0].message.content), dict)


def test_a_limit_cuts_the_answer(client):
    made = asked(client, max_tokens=3).choices[0]
    assert (made.finish_reason, len(made.message.content)) == ("length", 12)
    assert asked(client, max_completion_tokens=500).choices[0].finish_reason == "stop"


def test_embeddings_of_texts_that_share_words_are_near(client):
    texts = ["Where is my parcel?", "My parcel: where is it now?", "Cancel the subscription"]
    made = client.embeddings.create(model="e", input=texts)  # base64 on the wire
    vectors = np.array([one.embedding for one in made.data])
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert vectors[0] @ vectors[1] > 0.6
    assert abs(vectors[0] @ vectors[2]) < 0.3
    plain = client.embeddings.create(model="e", input=texts[0], encoding_format="float")
    assert np.allclose(plain.data[0].embedding, vectors[0], atol=1e-6)
    small = client.embeddings.create(model="e", input=texts[0], dimensions=8)
    assert len(small.data[0].embedding) == 8
    with pytest.raises(openai.BadRequestError, match="input"):
        client.embeddings.create(model="e", input=[])


def test_models_end_on_their_day(server, client):
    assert {one.id for one in client.models.list()} == {
        "scripted-stand-in", "scripted-stand-in-embeddings",
    }  # fmt: skip
    assert all("not a model" in one.owned_by for one in client.models.list())
    known = {"here": None, "going": "2999-12-31", "gone": "2020-01-01"}
    with OpenAIServer(models=known) as other, connected(other) as theirs:
        about = {one.id: one.to_dict() for one in theirs.models.list()}
        assert about["going"]["shutdown_date"] == "2999-12-31"
        assert "shutdown_date" not in about["here"]
        assert theirs.models.retrieve("here").id == "here"
        answered = theirs.chat.completions.create(model="going", messages=ASKED)
        assert answered.model == "going"
        for name in ("gone", "never"):
            with pytest.raises(openai.NotFoundError) as refused:
                theirs.chat.completions.create(model=name, messages=ASKED)
            assert refused.value.code == "model_not_found"


def test_what_is_asked_wrongly_is_refused(client):
    with pytest.raises(openai.BadRequestError, match="messages"):
        asked(client, [])
    with pytest.raises(openai.BadRequestError, match="model"):
        client.chat.completions.create(model="", messages=ASKED)
    with pytest.raises(openai.NotFoundError, match="Invalid URL"):
        client.get("/batches", cast_to=object)


def test_stored_completions_are_listed_in_pages(client):
    for n in range(5):
        who = {"who": "ada" if n % 2 else "bo"}
        asked(client, [{"role": "user", "content": f"Question {n}"}], store=True, metadata=who)
    asked(client)  # not stored
    every = [one.id for one in client.chat.completions.list(limit=2)]
    assert len(every) == len(set(every)) == 5
    assert [one.id for one in client.chat.completions.list(order="desc")] == every[::-1]
    hers = client.chat.completions.list(metadata={"who": "ada"})
    assert [one.metadata for one in hers] == [{"who": "ada"}] * 2
    messages = list(client.chat.completions.messages.list(every[1]))
    assert [(one.role, one.content) for one in messages] == [("user", "Question 1")]
    client.chat.completions.update(every[0], metadata={"who": "ada"})
    assert client.chat.completions.retrieve(every[0]).metadata == {"who": "ada"}
    client.chat.completions.delete(every[0])
    assert len(list(client.chat.completions.list())) == 4


# Training


def rows(n):
    row = {"messages": ASKED, "wanted": "On its way."}
    return b"\n".join(json.dumps(row).encode() for _ in range(n))


def test_a_job_goes_through_its_states_and_leaves_a_model(client):
    file = client.files.create(file=("train.jsonl", rows(40)), purpose="fine-tune")
    assert client.files.wait_for_processing(file.id).status == "processed"
    assert client.files.content(file.id).read() == rows(40)
    hyper = {"batch_size": 8, "n_epochs": 2}
    method = {
        "type": "reinforcement",
        "reinforcement": {"grader": GRADER, "hyperparameters": hyper},
    }
    jobs = client.fine_tuning.jobs
    made = jobs.create(model="base", training_file=file.id, method=method, suffix="mine", seed=3,
                       metadata={"a": "b"})  # fmt: skip
    states = [made.status]
    while states[-1] not in ("succeeded", "failed") and len(states) < 40:
        states.append(jobs.retrieve(made.id).status)
        if states.count("running") == 3:
            assert jobs.pause(made.id).status == "paused"
            assert jobs.retrieve(made.id).status == "paused"
            assert jobs.resume(made.id).status == "running"
    assert list(dict.fromkeys(states)) == ["validating_files", "queued", "running", "succeeded"]
    done = jobs.retrieve(made.id)
    events = list(jobs.list_events(made.id, limit=5))
    assert len({one.id for one in events}) == len(events)
    measured = [one.data for one in events if one.type == "metrics"]
    assert [one["step"] for one in measured] == list(range(10, 0, -1))  # the newest first
    assert measured[0]["total_steps"] == 10
    assert measured[0]["scores"]["graders"][0]["name"] == "same"
    assert any("nothing is trained" in one.message for one in events)
    kept = list(jobs.checkpoints.list(made.id))
    assert len(kept) == 3
    assert all(one.metrics.to_dict()["valid_reward_mean"] > 0 for one in kept)
    lines = client.files.content(done.result_files[0]).text.splitlines()
    assert len(lines) == 11
    assert "scores/graders/string_check/same/train_reward_mean" in lines[0]
    assert done.fine_tuned_model in {one.id for one in client.models.list()}
    answer = client.chat.completions.create(model=done.fine_tuned_model, messages=ASKED)
    assert answer.model == done.fine_tuned_model


def test_jobs_fail_are_refused_and_cancelled_as_elsewhere(client):
    jobs = client.fine_tuning.jobs
    with pytest.raises(openai.BadRequestError, match="training_file"):
        jobs.create(model="base", training_file="file-none")
    with pytest.raises(openai.BadRequestError, match="jsonl"):
        client.files.create(file=("train.csv", b"a"), purpose="fine-tune")
    broken = client.files.create(file=("a.jsonl", b'{"messages": []}'), purpose="fine-tune")
    job = jobs.create(model="base", training_file=broken.id)
    job = jobs.retrieve(job.id)
    assert (job.status, job.error.code) == ("failed", "invalid_training_file")
    good = client.files.create(file=("b.jsonl", rows(3)), purpose="fine-tune")
    with pytest.raises(openai.BadRequestError, match="grader"):
        jobs.create(model="base", training_file=good.id, method={"type": "reinforcement"})
    job = jobs.create(model="base", training_file=good.id)
    assert jobs.cancel(job.id).status == "cancelled"
    with pytest.raises(openai.BadRequestError, match="cannot"):
        jobs.resume(job.id)
    assert next(iter(jobs.list(limit=1))).id == job.id
    client.files.delete(broken.id)
    assert [one.id for one in client.files.list()] == [good.id]


def test_graders_are_validated_and_run(client):
    graders = client.fine_tuning.alpha.graders
    assert graders.validate(grader=GRADER).to_dict()["grader"] == GRADER
    with pytest.raises(openai.BadRequestError):
        graders.validate(grader=GRADER | {"operation": "near"})
    item = {"wanted": "Yes"}
    assert graders.run(grader=GRADER, model_sample="Yes", item=item).reward == 1
    assert graders.run(grader=GRADER, model_sample="No", item=item).reward == 0
    missing = graders.run(grader=GRADER, model_sample="Yes", item={})
    assert missing.reward == 0
    assert missing.metadata.errors.invalid_variable_error
    judge = {"type": "score_model", "name": "j", "model": "m", "range": [1, 5],
             "input": [{"role": "user", "content": "Rate: {{ sample.output_text }}"}]}  # fmt: skip
    text = "Your parcel 48213 left Graz on Monday and comes tomorrow between 9 and 12 o'clock."
    judged = graders.run(grader=judge, model_sample=text, item={})
    assert 1 < judged.reward <= 5
    assert judged.metadata.sampled_model_name == "m"


# Scripts, time, chance


def test_scripts_answer_before_those_of_the_package(server, client):
    server.script(lambda request: f"You said: {request.question[:5]}")
    server.script(lambda request: {"n": 1} if request.wants_json else None)
    server.script(
        lambda request: Answer(tool_calls=(ToolCall("go", {"a": 1}),)) if request.tools else None
    )
    assert asked(client).choices[0].message.content == "You said: Where"
    made = asked(client, response_format={"type": "json_object"})
    assert made.choices[0].message.content == '{"n":1}'
    assert asked(client, tools=[TOOL]).choices[0].message.tool_calls[0].function.name == "go"


def test_a_script_that_fails_is_an_answer_that_says_so(server, client, caplog):
    server.script(lambda request: request.body["no such"])
    with pytest.raises(openai.InternalServerError, match="The script failed: KeyError"):
        asked(client)
    assert "no such" in caplog.text


def test_the_same_seed_answers_the_same_and_chance_follows_the_temperature():
    def answers(**more):
        with OpenAIServer(seed=more.pop("seed", 1)) as server, connected(server) as client:
            return [asked(client, **more).to_dict() for _ in range(6)]

    warm = answers(temperature=1)
    assert warm == answers(temperature=1)
    assert warm != answers(temperature=1, seed=2)
    texts = {one["choices"][0]["message"]["content"] for one in warm}
    assert len(texts) > 1
    for cold in (answers(temperature=0), answers(temperature=1, extra_body={"seed": 5})):
        assert len({one["choices"][0]["message"]["content"] for one in cold}) == 1


def test_many_clients_are_answered_at_once_and_latency_is_kept():
    async def all_asked(server, n):
        async with AsyncOpenAI(base_url=server.base_url, api_key="k", max_retries=0) as client:
            tasks = [
                client.chat.completions.create(
                    model="m", messages=[{"role": "user", "content": f"Question {i}"}]
                )
                for i in range(n)
            ]
            return await asyncio.gather(*tasks)

    with OpenAIServer(latency_ms=300) as server:
        began = time.monotonic()
        made = asyncio.run(all_asked(server, 40))
        took = time.monotonic() - began
        assert all(f"Question {i}" in one.choices[0].message.content for i, one in enumerate(made))
        assert 0.3 <= took < 5  # one after the other: 12
        assert server.most_in_flight > 10
        assert server.in_flight == 0


def test_held_requests_wait_and_those_who_left_are_not_counted(server, client):
    with server.held():
        with pytest.raises(openai.APITimeoutError):
            asked(client.with_options(timeout=0.3))
        server.wait_for(1)
    assert server.in_flight == 0
    assert asked(client).choices


def test_an_answer_that_was_lost_is_given_again(server, client):
    def said(asks):
        return asked(asks, temperature=1).choices[0].message.content

    with server.held():
        with pytest.raises(openai.APITimeoutError):
            said(client.with_options(timeout=0.2))
        until = time.monotonic() + 5
        while server.in_flight and time.monotonic() < until:
            time.sleep(0.005)
    server.queue("cut", "500", "429")
    for _ in range(3):
        with pytest.raises(openai.APIError):
            said(client)
    answers = [said(client) for _ in range(5)]
    with OpenAIServer() as other, connected(other) as undisturbed:
        assert [said(undisturbed) for _ in range(5)] == answers
    assert len(set(answers)) > 1


def test_unknown_faults_and_rates_are_refused():
    with pytest.raises(InvalidArgument, match="no fault"):
        OpenAIServer(faults={"418": 0.1})
    with pytest.raises(InvalidArgument, match="at most 1"):
        OpenAIServer(faults={"429": 0.7, "500": 0.7})
