"""The generation dialog: plan at a price, work, review beside the source, and what it changed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from builders import chat_line, tool
from widgets.wire import Page

import rft_widgets as rft
from rft_widgets.testing.openai_server import ChatRequest, OpenAIServer
from rft_widgets.widgets.dialogs.generate_views import Piece, compare


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    with OpenAIServer() as running:
        yield running


@pytest.fixture
def workspace(tmp_path, server) -> Iterator[rft.Workspace]:
    with rft.Workspace(tmp_path / "store.db") as opened:
        opened.add_connection(
            "writer", server.base_url, "m", input_usd_per_million=100, output_usd_per_million=100
        )
        yield opened


@pytest.fixture
def dataset(workspace) -> rft.OptimizationDataset:
    made = workspace.create("Support")
    made.add_records(
        chat_line(
            f"How do I send back order {n} of May?", "So.", topic="Returns", tools=[tool("find")]
        )
        for n in range(40)
    )
    made.set_topics(["Returns", "Warranty"])
    made.describe_topic("Warranty", description="What is covered", keywords=["broken"])
    return made


@pytest.fixture
def page(show_dialog, dataset) -> Page:
    return show_dialog("generate", dataset)


def generate(page: Page, dataset: rft.OptimizationDataset, **config: Any) -> dict[str, Any]:
    """Generate as the page does, and give the batch that it finds then."""
    wanted = {**page.ask("load")["config"], **config}
    job = page.call("generate", {"config": wanted, "model": "writer"})["value"]
    dataset.job(job["id"]).wait(120)
    return page.ask("open_batch")["view"]


def writing(*texts: str) -> Callable[[ChatRequest], str]:
    """A script that gives these texts one after the other, over and over."""
    given = 0

    def answer(request: ChatRequest) -> str:
        nonlocal given
        count = request.schema is not None and 20
        found = [texts[(given + n) % len(texts)] for n in range(count)]
        given += count
        return json.dumps({"candidates": [{"message": text} for text in found]})

    return answer


def test_the_plan_is_pythons_at_the_price_of_the_model(page, dataset):
    options = page.ask("load")
    assert list(options["topics"]) == ["Returns", "Warranty"]
    assert len(options["strategies"]) == 5
    assert [one["name"] for one in page.call("models")["value"]] == ["writer"]
    plan = page.ask("plan", {"config": options["config"], "model": "writer"})
    expected = dataset.plan_generation(model="writer")
    assert plan["total"] == expected.total > 0
    assert plan["estimate"]["cost_micro_usd"] == expected.estimate.cost_micro_usd > 0
    assert page.ask("plan", {"config": options["config"]})["estimate"] is None
    too_much = {"config": {**options["config"], "max_synthetic_ratio": 1.0}}
    assert page.call("plan", too_much)["error"]["code"] == "invalid_params"
    gone = page.refused("plan", {"config": options["config"], "model": "nobody"})
    assert "no model connection 'nobody'" in gone["message"]
    assert list(page.ask("tools")) == ["find"]


def test_a_batch_is_reviewed_and_what_is_accepted_changes_what_was_planned(
    page, show_dialog, dataset
):
    assert page.ask("open_batch") == {"view": None}
    view = generate(page, dataset)
    state = view["state"]
    assert show_dialog("generate", dataset).ask("open_batch")["view"] == view  # on another page
    (group,) = view["groups"]
    assert group["topic"] == "Warranty"
    assert len(group["ids"]) == state["good"] == state["plan"]["total"]
    assert view["spent"]["cost_micro_usd"] == dataset.costs["generate"].cost_micro_usd > 0

    ids = {"batch": state["id"], "candidates": group["ids"][:3]}
    assert [one["id"] for one in page.ask("lines", ids)] == list(group["ids"][:3])
    one = page.ask("candidate", {"batch": state["id"], "candidate": group["ids"][0]})
    assert one["basis"] == "What is covered\n\nKeywords: broken"
    assert "".join(piece["text"] for piece in one["wrote"])

    before, planned = state["plan"]["balance_before"], state["plan"]["balance_after"]
    outcome = page.ask("accept", {"batch": state["id"], "candidates": group["ids"]})
    assert outcome["balance_before"] == before == 0.0
    assert outcome["accepted"]["balance_score"] == pytest.approx(planned)
    assert dataset.coverage().balance_score == pytest.approx(planned)
    assert outcome["records"] == dataset.stats.total_records == 40 + len(group["ids"])
    assert page.ask("open_batch") == {"view": None}


def test_a_variation_stands_beside_its_source_and_a_repeat_beside_what_it_repeats(
    page, server, dataset
):
    server.script(writing("How do I send back order 7 of June, please?"))
    view = generate(
        page, dataset, source="topics", topics=("Returns",), records_per_topic=2,
        strategy="message_variation", retries=0, candidates_per_request=2,
    )  # fmt: skip
    (group,) = view["groups"]
    first, second = group["ids"]
    assert list(group["faulty"]) == [second]
    batch = {"batch": view["state"]["id"]}
    one = page.ask("candidate", {**batch, "candidate": first})
    assert one["source_record_id"] in {record.id for record in dataset.iterate()}
    assert one["fault"] is None
    marked = [piece["text"].strip() for piece in one["wrote"] if piece["differs"]]
    assert "June, please?" in marked
    assert one["tools"] == ["find"]
    other = page.ask("candidate", {**batch, "candidate": second})
    assert other["fault_words"]
    assert other["repeats"] == {
        "words": f"Candidate {first}", "candidate": first,
        "text": "How do I send back order 7 of June, please?",
    }  # fmt: skip
    assert page.ask("discard", {**batch, "candidates": [second]}) == 1
    assert page.ask("open_batch")["view"]["groups"][0]["ids"] == [first]
    assert page.refused("candidate", {**batch, "candidate": 999})["code"] == "not_found"


def test_what_the_limit_ended_goes_on_for_more(page, dataset):
    config = {**page.ask("load")["config"], "candidates_per_request": 1}
    price = page.ask("plan", {"config": config, "model": "writer"})["estimate"]["cost_micro_usd"]
    asked = {"config": config, "model": "writer", "max_cost_usd": price / 2_000_000}
    job = dataset.job(page.call("generate", asked)["value"]["id"]).wait(30)
    assert job.state.problem.code == "budget_reached"
    view = page.ask("open_batch")["view"]
    some, total = view["state"]["good"], view["state"]["plan"]["total"]
    assert 0 < some < total
    assert view["spent"]["cost_micro_usd"] <= price / 2
    again = page.call("regenerate", {"batch": view["state"]["id"], "candidates": []})["value"]
    assert again["kind"] == "regenerate"
    dataset.job(again["id"]).wait(30)
    view = page.ask("open_batch")["view"]
    assert view["state"]["good"] == total
    assert view["spent"]["calls"] == dataset.costs["generate"].calls  # of both


def different(request: ChatRequest) -> list[str]:
    """20 texts that no other request has."""
    return [" ".join(f"{request.share(f'{n} {m}'):.6f}" for m in range(6)) for n in range(20)]


@pytest.mark.slow
def test_a_thousand_candidates_are_no_huge_message(page, server, dataset):
    dataset.add_records(
        chat_line(f"What about parcel {n}, and the number {n * 7919}?", "So.", topic="Returns")
        for n in range(80)
    )
    server.script(lambda request: writing(*different(request))(request))
    view = generate(
        page, dataset, source="topics", topics=("Warranty",), records_per_topic=1000,
        max_synthetic_ratio=0.9, candidates_per_request=20, retries=0,
    )  # fmt: skip
    ids = view["groups"][0]["ids"]
    assert len(ids) == 1000
    assert len(json.dumps(view)) < 30_000
    some = page.ask("lines", {"batch": view["state"]["id"], "candidates": ids[:100]})
    assert len(json.dumps(some)) < 40_000
    everything = {"batch": view["state"]["id"], "candidates": ids}
    assert page.call("lines", everything)["error"]["code"] == "invalid_params"


def test_texts_are_compared_word_by_word():
    was, wrote = compare("Where is my order 7?", "Please, where is my parcel 7?")
    assert "".join(piece.text for piece in was) == "Where is my order 7?"
    assert [piece.text.strip() for piece in was if piece.differs] == ["Where", "order"]
    assert [piece.text.strip() for piece in wrote if piece.differs] == ["Please, where", "parcel"]
    assert compare("One two three", "Something else") == (
        (Piece(text="One two three", differs=False),),
        (Piece(text="Something else", differs=False),),
    )
    assert compare("", "New") == ((), (Piece(text="New", differs=False),))
