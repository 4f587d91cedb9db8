"""Candidates from a model: asked for, reviewed, and made records of."""

from __future__ import annotations

import json
import re
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from builders import assistant, tool, user

import rft_widgets as rft
from rft_widgets.errors import BudgetReached, InvalidArgument, NeedsModel, NotFound, RunInterrupted
from rft_widgets.llm.replay import ReplayedModel
from rft_widgets.steps.split import split_records
from rft_widgets.testing.openai_server import ChatRequest, OpenAIServer

SYSTEM = "You are the assistant of a bank."


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[rft.Workspace]:
    with rft.Workspace(tmp_path_factory.mktemp("bank") / "store.db") as found:
        bank(found)
        yield found


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    with OpenAIServer() as found:
        yield found


@pytest.fixture
def dataset(workspace: rft.Workspace, server: OpenAIServer) -> rft.OptimizationDataset:
    connect(workspace, server)
    first = next(one for one in workspace.datasets() if one.name == "bank")
    return workspace.duplicate(first.id, name="copy")


def connect(workspace: rft.Workspace, server: OpenAIServer) -> None:
    workspace.add_connection(
        "writer", server.base_url, "m", input_usd_per_million=10, output_usd_per_million=20
    )


def bank(workspace: rft.Workspace) -> rft.OptimizationDataset:
    """60 records of bills, 24 of cards in several turns, none of loans."""
    made = workspace.create("bank")
    made.add_records(
        {
            "messages": [
                {"role": "system", "content": SYSTEM},
                user(f"How do I pay my bill number {n} by day {n % 7}?"),
                assistant("Online."),
            ],
            "topic": "Bills",
        }
        for n in range(60)
    )
    made.add_records(
        {
            "messages": [
                user(f"My card {n} is lost."),
                assistant("Which one is it?"),
                user(f"The green one that I got in the year {1990 + n}."),
            ],
            "tools": [tool("block_card")],
            "topic": "Cards",
        }
        for n in range(24)
    )
    made.set_topics(["Bills", "Cards", "Loans"])
    return made


def prompts(count: int, word: str = "loan") -> list[str]:
    return [f"Would you give me a {word} of {n * 37} for {n} years in {n}?" for n in range(count)]


def answering(texts):
    """A script that gives these texts, so many a request as are asked for, over and over."""
    given = iter(())
    lock = threading.Lock()

    def script(request: ChatRequest) -> str:
        nonlocal given
        count = int(re.search(r"Write (\d+) different", request.instructions)[1])
        with lock:
            found = []
            for _ in range(count):
                text = next(given, None)
                if text is None:
                    given = iter(texts)
                    text = next(given)
                found.append({"message": text})
        return json.dumps({"candidates": found})

    return script


LOANS = {"source": "topics", "topics": ["Loans"], "records_per_topic": 12}


def test_an_empty_topic_is_filled_and_the_plan_comes_true(store_url, server):
    with rft.Workspace(store_url) as workspace:
        connect(workspace, server)
        _fill(bank(workspace), server)


def _fill(dataset: rft.OptimizationDataset, server: OpenAIServer) -> None:
    plan = dataset.plan_generation(model="writer")
    assert {one.topic: (one.to_generate, one.strategy) for one in plan.topics} == {
        "Loans": (28, "topic_description"), "Cards": (4, "message_variation"),
    }  # fmt: skip
    assert plan.balance_before == 0.0
    assert plan.estimate is not None
    assert plan.estimate.calls == plan.calls == 6 + 2
    assert plan.estimate.cost_micro_usd == pytest.approx(
        10 * plan.input_tokens + 20 * plan.output_tokens, abs=1
    )

    told: list[tuple[float | None, str]] = []
    batch = dataset.generate(plan, model="writer", progress=lambda *now: told.append(now))
    assert batch.counts == {"Loans": 28, "Cards": 4}
    assert told[-1][0] == 1.0
    assert "32 of 32 records" in told[-1][1]
    assert len(server.paid) >= plan.calls
    assert 0 < batch.diversity <= 1
    assert dataset.count() == 84  # nothing is a record yet

    done = batch.accept()
    assert (done.records, done.invalid, done.without_topic) == (32, 0, 0)
    assert dataset.coverage(near_duplicates=False).balance_score == plan.balance_after
    assert done.balance_score == plan.balance_after
    stats = dataset.stats
    assert stats.generated_records / stats.total_records == pytest.approx(plan.synthetic_share)
    assert stats.invalid_records == 0
    assert batch.status == "closed" or batch.state.faults
    assert dataset.costs["generate"].calls == len(server.paid)


def test_accepted_records_tell_where_they_came_from(dataset, server):
    plan = dataset.plan_generation({"source": "topics", "topics": ["Cards", "Loans"],
                                    "records_per_topic": 5})  # fmt: skip
    batch = dataset.generate(plan, model="writer")
    done = batch.accept()
    assert len(done.record_ids) == 10
    by_id = {one.record_id: one for one in batch.candidates if one.state == "accepted"}
    for record_id in done.record_ids:
        record, candidate = dataset.record(record_id), by_id[record_id]
        assert record.is_generated
        assert record.topic == candidate.topic
        assert record.input.messages == candidate.messages
        assert record.source_record_id == candidate.source_record_id
        made = record.metadata["generation"]
        assert (made["batch"], made["strategy"]) == (batch.id, candidate.strategy)
        assert (made["connection"], made["model"]) == ("writer", "scripted-stand-in")
        asked = batch.request(candidate.id)
        assert asked in [one.body for one in server.paid]
        assert made["prompt_hash"] == candidate.prompt_hash
        if candidate.topic == "Cards":  # the conversation before, and the tools, stay
            source = dataset.record(record.source_record_id)
            assert record.input.messages[:-1] == source.input.messages[:-1]
            assert record.input.tools == source.input.tools
            assert candidate.source_messages == source.input.messages
        else:
            assert record.source_record_id is None
            assert record.input.messages[0].text == SYSTEM  # as most of the dataset have it
    assert [one.kind for one in dataset.events][-2:] == ["generate", "accept_candidates"]
    records = list(dataset.iterate(dataset.select()))
    held = split_records(records, train_ratio=0.5).valid_ids
    assert held
    assert not set(held) & set(done.record_ids)


def test_a_script_does_it_again_without_a_model(server, tmp_path):
    with rft.Workspace(tmp_path / "first.db") as workspace:
        connect(workspace, server)
        dataset = bank(workspace)
        batch = dataset.generate(LOANS, model="writer")
        batch.accept([one.id for one in batch.candidates if one.fault is None][:7])
        dataset.set_topics(["Bills", "Cards"])
        done = batch.accept()
        assert done.without_topic == done.records == 5
        script, content = dataset.to_script(), dataset.content_hash
    server.forget_requests()
    with rft.Workspace(tmp_path / "again.db") as again:
        space: dict = {}
        exec(compile(script, "script", "exec"), space)
        assert space["replay"](again).content_hash == content
    assert server.requests == ()


def test_twelve_equal_candidates_end_as_one(dataset, server):
    server.script(answering(["Would you give me a loan for my new house?"]))
    batch = dataset.generate(LOANS | {"retries": 0}, model="writer")
    state = batch.state
    assert (state.candidates, state.good, state.faults) == (12, 1, {"near_duplicate": 11})
    assert batch.accept().records == 1
    assert {one.repeats for one in batch.candidates if one.fault} == {"#0"}
    # A fault is advice. What is equal to the letter is kept as any record is, and marked.
    assert batch.accept([1]).invalid == 1

    # A record is a record by now: what repeats it is told by its id.
    again = dataset.generate(LOANS | {"retries": 0}, model="writer")
    assert again.state.faults == {"near_duplicate": 12}
    assert {one.repeats for one in again.candidates} == {f"{batch.id}-0"}
    assert again.accept().records == 0


def test_what_is_missing_is_asked_for_again_with_what_is_there(dataset, server):
    texts = prompts(12)
    server.script(answering(texts[:6] + texts[:3] + texts[6:]))
    batch = dataset.generate(LOANS, model="writer")
    assert batch.counts == {"Loans": 12}
    assert batch.state.faults == {"near_duplicate": 3}
    asked = [one.body["messages"] for one in server.paid]
    assert len(asked) == 4  # 5 + 5 + 2, then the 3 that were missing
    assert "Write 3 different" in asked[-1][0]["content"]
    assert "known prompts" in asked[-1][1]["content"]
    assert texts[8] in asked[-1][1]["content"]


def test_a_second_batch_is_not_answered_with_the_first_one(dataset, server):
    first = dataset.generate(LOANS, model="writer")
    paid = len(server.paid)
    second = dataset.generate(LOANS, model="writer")
    assert len(server.paid) >= 2 * paid - 1
    assert [one.text for one in first.candidates] != [one.text for one in second.candidates]
    assert [one.id for one in dataset.generation_batches] == [first.id, second.id]
    assert (second.state.number, second.plan.total) == (2, 12)
    with pytest.raises(NotFound, match="generation_batches"):
        dataset.generation_batch("gen_none")


def test_a_cap_keeps_what_came_and_a_higher_one_pays_for_nothing_twice(dataset, server):
    server.script(answering(prompts(40)))
    config = {"source": "topics", "topics": ["Loans"], "records_per_topic": 20,
              "max_length": 200, "candidates_per_request": 1}  # fmt: skip
    plan = dataset.plan_generation(config, model="writer")
    whole = dataset.generate(plan, model="writer")
    price = dataset.costs["generate"].cost_micro_usd
    server.forget_requests()
    with pytest.raises(BudgetReached, match=r"of 20 records were generated"):
        dataset.generate(plan, model="writer", max_cost_usd=price / 2 / 1e6)
    stopped = dataset.generation_batches[-1]
    assert 0 < stopped.state.good < 20
    assert stopped.status == "review"
    assert dataset.costs["generate"].cost_micro_usd - price <= price / 2
    stopped.resume(max_cost_usd=1.0)
    assert stopped.state.good == 20 == whole.state.good
    assert len(server.paid) == 20


def test_a_stopped_run_goes_on_to_the_same_end(dataset, server, workspace):
    config = {"source": "topics", "topics": ["Bills", "Cards"], "records_per_topic": 10,
              "candidates_per_request": 2, "variations_per_record": 2,
              "temperature": 0}  # fmt: skip
    twin = workspace.duplicate(dataset.id)
    whole = twin.generate(config, model="writer")
    server.forget_requests()
    seen = 0

    def cancelled() -> bool:
        return seen >= 4

    def progress(share, words) -> None:
        nonlocal seen
        seen += share is not None

    with pytest.raises(RunInterrupted, match="were generated"):
        dataset.generate(config, model="writer", progress=progress, cancelled=cancelled)
    batch = dataset.generation_batches[-1]
    some = batch.state
    assert 0 < some.good < 20
    assert {one.topic for one in batch.candidates} == {"Bills", "Cards"}  # something of each
    batch.resume()
    assert [one.text for one in batch.candidates] == [one.text for one in whole.candidates]
    asked = Counter(one.digest for one in server.paid)
    assert set(asked.values()) == {1}


def test_requests_that_fail_are_faults_and_are_asked_again(dataset, server):
    server.script(answering(prompts(12)))
    server.queue("refusal")
    batch = dataset.generate(LOANS, model="writer")
    assert batch.counts == {"Loans": 12}
    (failed,) = [one for one in batch.candidates if one.fault]
    assert failed.fault == "generation_error"
    with pytest.raises(InvalidArgument, match=rf"Candidate {failed.id} .*holds no prompt"):
        batch.accept([failed.id])


def test_decisions_are_made_once(dataset, server):
    server.script(answering(prompts(12)))
    batch = dataset.generate(LOANS, model="writer")
    assert batch.accept([0, 1]).records == 2
    seen = dataset.info.revision
    assert batch.discard([2]) == 1
    assert dataset.info.revision > seen, "other pages look again"
    with pytest.raises(InvalidArgument, match=r"Candidate 0 .* is accepted already"):
        batch.accept([3, 0])
    with pytest.raises(InvalidArgument, match="has no candidate 99"):
        batch.accept([99])
    assert dataset.count() == 86  # all of a call or none of it
    state = batch.state
    assert (state.accepted, state.discarded, state.open, state.status) == (2, 1, 9, "review")
    assert [one.id for one in batch.page(limit=2, states=("open",), after=3)] == [4, 5]
    assert batch.discard() == 9
    assert batch.status == "closed"
    assert batch.accept().records == 0


def test_others_come_in_the_place_of_those_that_are_given_up(dataset, server):
    server.script(answering(prompts(12)))
    batch = dataset.generate(LOANS, model="writer")
    server.script(answering(prompts(30, "mortgage")))
    before = len(server.paid)
    batch.regenerate([3, 4])
    assert len(server.paid) == before + 1
    state = batch.state
    assert (state.good, state.candidates, state.open_good) == (12, 14, 12)
    gone = [one.id for one in batch.candidates if one.state == "regenerated"]
    assert gone == [3, 4]
    assert all("mortgage" in one.text for one in batch.candidates[-2:])
    with pytest.raises(InvalidArgument, match="regenerated already"):
        batch.regenerate([3])
    assert batch.accept().records == 12


def test_a_topic_that_is_full_gets_no_others(dataset, server):
    texts = prompts(12)
    server.script(answering([*texts[:11], texts[0], texts[11]]))
    batch = dataset.generate(LOANS, model="writer")
    (faulty,) = [one.id for one in batch.candidates if one.fault]
    with pytest.raises(InvalidArgument, match="have what was planned"):
        batch.regenerate([faulty])
    assert batch.state.candidates == 13


def test_the_share_of_generated_records_is_kept_whatever_is_accepted(dataset, server):
    server.script(answering(prompts(12)))
    config = LOANS | {"max_synthetic_ratio": 0.1}
    first = dataset.generate(config, model="writer")
    assert first.plan.total == 9
    server.script(answering(prompts(12, "mortgage")))
    second = dataset.generate(config, model="writer")
    assert first.accept().records == 9
    with pytest.raises(InvalidArgument, match="there is room for 0"):
        second.accept()
    with pytest.raises(InvalidArgument, match="nothing to generate"):
        dataset.generate(config, model="writer")


def test_selected_records_are_varied(dataset, server):
    chosen = dataset.records(topic="Bills", limit=2).records
    config = {"source": "selected", "selection": {"ids": [one.id for one in chosen]},
              "variations_per_record": 2}  # fmt: skip
    batch = dataset.generate(config, model="writer")
    found = Counter(one.source_record_id for one in batch.candidates if one.fault is None)
    assert found == {one.id: 2 for one in chosen}


def test_tool_chains_are_refused_before_anything_is_spent(dataset, server):
    config = {"source": "topics", "topics": ["Cards"], "strategy": "tool_chain"}
    with pytest.raises(InvalidArgument, match=r"offers a tool 'nothing'.*block_card"):
        dataset.plan_generation(config | {"tools": ["nothing"]})
    with pytest.raises(InvalidArgument, match="calls tools"):
        dataset.generate(config, model="writer")
    assert server.requests == ()
    batch = dataset.generate(
        config | {"tools": ["block_card"], "records_per_topic": 3, "whole_exchange": True},
        model="writer",
    )
    assert batch.counts == {"Cards": 3}
    made = dataset.record(batch.accept().record_ids[0])
    assert [one.role for one in made.output.messages] == ["assistant", "tool", "assistant"]
    assert made.is_valid


def test_without_a_model_nothing_is_generated(dataset, server, workspace):
    with pytest.raises(NeedsModel, match="add_connection"):
        dataset.generate()
    with pytest.raises(NotFound, match="no model connection 'other'"):
        dataset.generate(model="other")
    workspace.add_connection("unpriced", server.base_url, "m")
    with pytest.raises(InvalidArgument, match="price of m is not known"):
        dataset.generate(LOANS, model="unpriced", max_cost_usd=1)
    assert dataset.generation_batches == ()
    assert server.requests == ()


def test_recorded_calls_give_the_same_candidates(dataset, server, workspace, tmp_path: Path):
    twin = workspace.duplicate(dataset.id)
    batch = dataset.generate(LOANS, model="writer")
    dataset.export_calls(tmp_path / "calls.jsonl")
    server.forget_requests()
    again = twin.generate(LOANS, model=ReplayedModel(tmp_path / "calls.jsonl"))
    assert [one.text for one in again.candidates] == [one.text for one in batch.candidates]
    assert server.requests == ()


def test_jobs_generate_and_the_page_may_go(dataset, server):
    server.script(answering(prompts(12)))
    job = dataset.submit("generate", {"config": LOANS, "model": "writer", "max_cost_usd": 5}).wait()
    assert job.status == "succeeded"
    state = job.result
    assert (state.good, state.job_id) == (12, job.id)
    batch = dataset.generation_batch(state.id)
    server.script(answering(prompts(30, "mortgage")))
    other = dataset.submit("regenerate", {"batch": batch.id, "candidates": [0]}).wait()
    assert other.status == "succeeded"
    assert batch.state.job_id == other.id
    assert batch.accept().records == 12


def test_a_stopped_job_keeps_what_it_has_and_goes_on(dataset, server):
    server.script(answering(prompts(12)))
    config = LOANS | {"candidates_per_request": 1}
    with server.held():
        job = dataset.submit("generate", {"config": config, "model": "writer"})
        server.wait_for(2)
        (batch,) = dataset.generation_batches
        assert batch.status == "running"
        job.cancel()
        job.wait(10)
    assert job.status == "cancelled"
    assert batch.status in ("review", "closed")
    job.retry().wait(20)
    assert job.status == "succeeded"
    assert [one.id for one in dataset.generation_batches] == [batch.id]
    assert batch.state.good == 12
