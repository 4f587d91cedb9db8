"""Topics named by a model, records decided by one, and texts placed by its embeddings."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from builders import chat_line
from themed import TREE, last, methods, themed

import rft_widgets as rft
from rft_widgets.cli import main
from rft_widgets.errors import BudgetReached, InvalidArgument
from rft_widgets.model.connection import NamedConnection
from rft_widgets.model.llm import ModelConnection
from rft_widgets.model.topic import hierarchy, topic
from rft_widgets.server.rest.topics import EstimatedTopics, estimate_topics
from rft_widgets.steps.topics.calibration import error_beyond_chance
from rft_widgets.steps.topics.model_names import mended_name
from rft_widgets.testing.openai_server import Answer, ChatRequest, OpenAIServer
from tests.steps import banking77

HIDDEN = tuple(f"Group {name}" for name in "ABCD")


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    with OpenAIServer() as running:
        yield running


def connected(server: OpenAIServer, **more: Any) -> NamedConnection:
    where = ModelConnection(base_url=server.base_url, api_key_env=None)
    return NamedConnection(name="m", connection=where, model="some", concurrency=4, **more)


def asked_for(request: ChatRequest) -> str:
    """What the items of the answer are called."""
    return next(iter((request.schema or {}).get("properties", {"": 0})))


def chats(server: OpenAIServer) -> list[dict[str, Any]]:
    return [one.body for one in server.requests if one.path.endswith("/chat/completions")]


def told(body: dict[str, Any]) -> Any:
    return json.loads(body["messages"][1]["content"])


# -- names ----------------------------------------------------------------------------------------


def names(request: ChatRequest) -> Any:
    given = [
        {"number": one["number"], "name": f'"{one["words"][0]}/chat".', "description": "What.\n",
         "keywords": ["Soup", "soup", "", 7, "stew"]}
        for one in json.loads(request.question)["topics"]
    ]  # fmt: skip
    return f"Here you are:\n```json\n{json.dumps({'topics': given})}\n```"


def test_a_model_names_and_the_log_names_again_without_it(
    sqlite_workspace: rft.Workspace, server: OpenAIServer
) -> None:
    server.script(names)
    one, other = themed(sqlite_workspace), themed(sqlite_workspace)
    found = one.generate_topics(model=connected(server), instructions="In Latin.")
    assert len(found.topics) == 3
    assert all(node.name.endswith(" & chat") for node in found.topics)  # "/" separates levels
    assert {(node.description, node.keywords) for node in found.topics} == {
        ("What.", ("Soup", "stew"))
    }
    naming = one.topics_naming
    assert naming is not None
    assert (naming.model, naming.by_model, naming.by_keywords) == ("some", 3, 0)
    (body,) = chats(server)
    system = body["messages"][0]["content"]
    assert "In Latin." in system
    assert "Never follow" in system
    assert "flight" not in system  # the text of a record is data
    assert any("flight" in text for shown in told(body)["topics"] for text in shown["messages"])
    assert other.generate_topics(namer=last(one)["namer"]) == found
    assert one.generate_topics(model=connected(server), instructions="In Latin.") == found
    assert len(server.requests) == 1  # the second time it was known already


def test_a_topic_without_a_usable_name_keeps_its_keywords(
    sqlite_workspace: rft.Workspace, server: OpenAIServer
) -> None:
    dataset = themed(sqlite_workspace)
    usual = dataset.generate_topics()
    server.script(
        lambda request: {
            "topics": [
                {"number": one["number"], "name": "Same", "description": "", "keywords": []}
                for one in json.loads(request.question)["topics"]
            ]
        }
    )
    found = dataset.generate_topics(model=connected(server))
    naming = dataset.topics_naming
    assert naming is not None
    assert (naming.by_model, naming.by_keywords) == (1, 2)
    assert "the same as that of another" in naming.problem
    assert [node.name for node in found.topics] == ["Same", *(n.name for n in usual.topics[1:])]
    assert "2 by keywords" in naming.words
    assert told(chats(server)[-1])["taken"] == ["same"]  # it was asked once more, and told


@pytest.mark.parametrize("fault", ["refusal", "truncated"])
def test_no_answer_leaves_all_to_keywords(
    sqlite_workspace: rft.Workspace, server: OpenAIServer, fault: str
) -> None:
    dataset = themed(sqlite_workspace)
    server.set_faults({fault: 1.0})
    found = dataset.generate_topics(model=connected(server), n_topics=3)
    assert found == dataset.generate_topics(n_topics=3)
    first = next(e for e in dataset.events if e.kind == "generate_topics").details["naming"]
    assert (first["by_model"], first["by_keywords"]) == (0, 3)
    assert first["problem"]


def test_parents_are_named_after_what_lies_below() -> None:
    import numpy as np

    from rft_widgets.model.topic_settings import CLUSTERING
    from rft_widgets.steps.topics.branches import Corpus, named_tree

    rng = np.random.default_rng(0)
    far = np.repeat(np.eye(4), 4, axis=0)
    centres = far + 0.2 * rng.normal(size=far.shape)
    centres = (centres / np.linalg.norm(centres, axis=1, keepdims=True)).astype(np.float32)
    texts = [f"word{cluster} other{cluster} text" for cluster in range(16) for _ in range(3)]
    calls: list[list[tuple[str, ...]]] = []

    def namer(drafts: Any) -> list[tuple[str, str]]:
        calls.append([draft.parts for draft in drafts])
        return [
            (f"About {'+'.join(sorted(draft.parts))}" if draft.parts else draft.name, "")
            for draft in drafts
        ]

    corpus = Corpus(texts, np.repeat(np.arange(16), 3), centres, namer, CLUSTERING)
    _, nodes = named_tree(corpus, 2)
    assert calls[0] == [()] * 16
    assert [len(parts) for parts in calls[1]] == [4, 4, 4, 4]
    for node in nodes:
        assert node.name == f"About {'+'.join(sorted(child.name for child in node.children))}"[:80]


def test_names_are_read_as_they_were_meant() -> None:
    assert mended_name('1. "Refunds/Returns".') == "Refunds & Returns"
    assert mended_name("Topic 3: billing\nhelp") == "Billing help"
    assert mended_name("*Card Limits*") == "Card Limits"
    assert mended_name("3D Printing") == "3D Printing"
    assert mended_name("The user wants to know what happened to " + "their money " * 5) == ""
    assert mended_name(None) == mended_name(" / ") == ""


def test_what_cannot_be_asked_is_refused(
    sqlite_workspace: rft.Workspace, server: OpenAIServer
) -> None:
    dataset, model = themed(sqlite_workspace, 2), connected(server)
    with pytest.raises(InvalidArgument, match="both"):
        dataset.generate_topics(model=model, namer=[])
    with pytest.raises(InvalidArgument, match="what they are called"):
        dataset.generate_topics("template", template="support", model=model)
    with pytest.raises(InvalidArgument, match="names no embedding model"):
        dataset.generate_topics(embeddings=model)
    with pytest.raises(InvalidArgument, match="instructions have"):
        dataset.generate_topics(model=model, instructions="x" * 4_001)
    assert server.requests == ()


# -- embeddings -----------------------------------------------------------------------------------


def test_embeddings_place_texts_once_and_only_where_there_are_any(
    sqlite_workspace: rft.Workspace, server: OpenAIServer
) -> None:
    server.script(names)
    with_vectors = connected(server, embedding_model="vectors")
    dataset, other = themed(sqlite_workspace), themed(sqlite_workspace)
    plain = other.generate_topics(seed=1)
    found = dataset.generate_topics(model=with_vectors, seed=1)
    embedded = [one.body for one in server.requests if one.path.endswith("/embeddings")]
    assert sorted(text for body in embedded for text in body["input"]) == sorted(
        record.input.messages[0].text for record in dataset.iterate()
    )
    assert {body["model"] for body in embedded} == {"vectors"}
    assert last(dataset)["embeddings"] == "m"
    before = len(server.requests)
    assert dataset.generate_topics(model=with_vectors, seed=1) == found
    # The names say it again from the log, with the vectors that are known.
    assert dataset.generate_topics(namer=last(dataset)["namer"], embeddings=with_vectors, seed=1)
    assert len(server.requests) == before
    dataset.add_records([chat_line("a new recipe for a stew of garlic")])
    dataset.categorize(model=with_vectors)
    fresh = [
        text
        for one in server.requests[before:]
        if one.path.endswith("/embeddings")
        for text in one.body["input"]
    ]
    assert "a new recipe for a stew of garlic" in fresh
    assert not set(fresh) & {text for body in embedded for text in body["input"]}
    assert "embeddings" in dataset.to_script()
    # Nobody asked for them: nothing is different, and nobody is asked.
    asked = len(server.requests)
    assert other.generate_topics(seed=1) == plain
    dataset.generate_topics(model=with_vectors, embeddings=False, seed=1)
    assert not any(one.path.endswith("/embeddings") for one in server.requests[asked:])


# -- decisions ------------------------------------------------------------------------------------


def hidden(workspace: rft.Workspace, count: int, confirmed: int) -> rft.OptimizationDataset:
    """Records whose topic nothing in their words tells; the first ones are confirmed."""
    dataset = workspace.create("hidden")
    dataset.add_records(
        chat_line(f"please look at the case {word(n)} of mine", id=f"r{n}") for n in range(count)
    )
    dataset.set_topics(hierarchy([topic(name) for name in HIDDEN]))
    for n in range(confirmed):
        dataset.assign_topic(f"r{n}", truth(n))
    return dataset


def word(n: int) -> str:
    return f"x{hashlib.sha256(str(n).encode()).hexdigest()[:8]}y{n}"


def truth(n: int) -> str:
    return HIDDEN[hashlib.sha256(f"t{n}".encode()).digest()[0] % 4]


def number_in(text: str) -> int:
    return int(text.rsplit("y", maxsplit=1)[-1].split(maxsplit=1)[0])


def oracle(right: float = 1.0) -> Any:
    """Decides by what only it knows, wrong in some cases, and always sure of itself."""

    def script(request: ChatRequest) -> Any:
        if asked_for(request) != "decisions":
            return None
        data = json.loads(request.question)
        places = {one["topic"]: one["number"] for one in data["topics"]}
        said = []
        for one in data["messages"]:
            n = number_in(one["text"])
            wanted = HIDDEN.index(truth(n))
            errs = hashlib.sha256(f"e{n}".encode()).digest()[0] / 256 >= right
            name = HIDDEN[(wanted + errs) % 4]
            said.append(
                {"number": one["number"], "topic": places[name], "second": 0, "confidence": 0.99}
            )
        return {"decisions": said}

    return script


def decided(dataset: rft.OptimizationDataset) -> list[tuple[float, bool]]:
    """Confidence of each decision of the model, and whether it was right."""
    return [
        (record.topic_confidence or 0.0, record.topic == truth(int(record.id[1:])))
        for record in dataset.iterate()
        if record.topic_method == "llm"
    ]


def test_confidence_is_how_often_the_model_is_right(
    sqlite_workspace: rft.Workspace, server: OpenAIServer
) -> None:
    server.script(oracle(right=0.75))
    dataset = hidden(sqlite_workspace, 260, confirmed=100)
    summary = dataset.categorize(model=connected(server))
    said = summary.by_model
    assert said is not None
    assert summary.by_method["llm"] == said.decided == len(decided(dataset)) > 120
    assert said.measured_on >= 20
    assert said.agreement is None  # confirmed records say it all
    assert said.accuracy == pytest.approx(0.75, abs=0.15)
    sure, right = zip(*decided(dataset), strict=True)
    assert sum(sure) / len(sure) == pytest.approx(sum(right) / len(right), abs=0.12)
    assert max(sure) < 0.95  # it said 0.99 of each
    assert said.error is not None
    assert said.error < 0.1
    assert all(len(told(body)["messages"]) <= 10 for body in chats(server))


@pytest.mark.slow
@pytest.mark.parametrize("right", [0.6, 0.85])
def test_confidence_holds_on_real_questions(
    sqlite_workspace: rft.Workspace, server: OpenAIServer, right: float
) -> None:
    texts, gold = banking77.load("test")
    names_of = [label.replace("_", " ") for label in gold]
    known = dict(zip(texts, names_of, strict=True))
    leaves = sorted(set(names_of))

    def script(request: ChatRequest) -> Any:
        data = json.loads(request.question)
        places = {one["topic"]: one["number"] for one in data["topics"]}
        said = []
        for one in data["messages"]:
            drawn = hashlib.sha256(one["text"].encode()).digest()
            errs = drawn[0] / 256 >= right or one["text"] not in known
            name = leaves[drawn[1] % len(leaves)] if errs else known[one["text"]]
            said.append({"number": one["number"], "topic": places[name], "confidence": 0.95})
        return {"decisions": said}

    server.script(script)
    dataset = sqlite_workspace.create("banking")
    some = range(0, len(texts), 2)
    dataset.add_records(chat_line(texts[n], id=f"r{n}") for n in some)
    dataset.set_topics(hierarchy([topic(name) for name in leaves]))
    for name in leaves:
        for n in [n for n in some if names_of[n] == name][:5]:
            dataset.assign_topic(f"r{n}", name)
    said = dataset.categorize(model=connected(server)).by_model
    assert said is not None
    found = [
        (record.topic_confidence or 0.0, record.topic == names_of[int(record.id[1:])])
        for record in dataset.iterate()
        if record.topic_method == "llm"
    ]
    sure, hits = zip(*found, strict=True)
    assert len(found) > 300
    assert error_beyond_chance(sure, hits) < 0.08
    assert sum(sure) / len(sure) == pytest.approx(sum(hits) / len(hits), abs=0.06)


def test_without_confirmed_records_it_is_asked_twice(
    sqlite_workspace: rft.Workspace, server: OpenAIServer
) -> None:
    server.script(oracle())
    dataset = hidden(sqlite_workspace, 60, confirmed=0)
    said = dataset.categorize(model=connected(server)).by_model
    assert said is not None
    assert (said.measured_on, said.accuracy, said.error) == (0, None, None)
    assert said.agreement == 1.0
    sure = {round(confidence, 6) for confidence, _ in decided(dataset)}
    assert sure <= {0.65, 0.85}  # what is assumed, where similarity agrees and where it does not
    orders = {tuple(one["topic"] for one in told(body)["topics"]) for body in chats(server)}
    assert len(orders) == 2


def test_who_contradicts_itself_needs_review(
    sqlite_workspace: rft.Workspace, server: OpenAIServer
) -> None:
    server.script(
        lambda request: {
            "decisions": [
                {"number": one["number"], "topic": 1, "second": 2, "confidence": 100}
                for one in json.loads(request.question)["messages"]
            ]
        }
    )
    dataset = hidden(sqlite_workspace, 60, confirmed=0)
    said = dataset.categorize(model=connected(server)).by_model
    assert said is not None
    assert said.agreement == 0.0  # always the first of the list, whatever that is
    assert dataset.topics_report.bands.needs_review == len(decided(dataset)) > 0
    assert all(confidence < 0.5 for confidence, _ in decided(dataset))
    assert len(dataset.review_queue()) > 0


def test_only_uncertain_records_are_asked_about_and_a_text_once(
    sqlite_workspace: rft.Workspace, server: OpenAIServer
) -> None:
    server.script(oracle())
    dataset = themed(sqlite_workspace)
    dataset.set_topics(TREE)
    for theme, path in (("travel", "Leisure/Travel"), ("cooking", "Leisure/Cooking")):
        for n in range(6):
            dataset.assign_topic(f"{theme}{n}", path)
    for n in range(6):
        dataset.assign_topic(f"coding{n}", "Coding")
    summary = dataset.categorize(model=connected(server))
    assert summary.by_model is not None
    assert summary.by_model.records == 0
    assert server.requests == ()  # nothing was uncertain
    assert methods(dataset)["llm"] == 0


def test_some_answers_are_no_topic(sqlite_workspace: rft.Workspace, server: OpenAIServer) -> None:
    def script(request: ChatRequest) -> Any:
        data = json.loads(request.question)
        topics = {one["topic"]: one["number"] for one in data["topics"]}
        answers: list[Any] = [0, 99, "group b", str(topics["Group C"]), None]
        return [
            {"number": one["number"], "topic": answers[number_in(one["text"]) % 5]}
            for one in data["messages"]
            if number_in(one["text"]) % 5 < 4 or len(data["messages"]) < 4
        ]

    server.script(script)
    dataset = hidden(sqlite_workspace, 20, confirmed=0)
    said = dataset.categorize(model=connected(server)).by_model
    assert said is not None
    found = {record.id: (record.topic, record.topic_method) for record in dataset.iterate()}
    asked = {key: value for key, value in found.items() if value[1] == "llm"}
    by_kind = Counter((int(key[1:]) % 5, value[0]) for key, value in asked.items())
    assert set(by_kind) == {(0, None), (2, "Group B"), (3, "Group C")}
    assert said.none == by_kind[0, None]
    assert said.unanswered == said.records - said.decided > 0
    assert "no topic that there is" in said.problem
    assert all(found[f"r{n}"][0] in HIDDEN for n in range(20) if n % 5)  # by similarity


def test_a_refusal_leaves_records_to_similarity(
    sqlite_workspace: rft.Workspace, server: OpenAIServer
) -> None:
    server.script(lambda request: Answer(refusal="I would rather not."))
    dataset = hidden(sqlite_workspace, 12, confirmed=0)
    said = dataset.categorize(model=connected(server)).by_model
    assert said is not None
    assert (said.decided, said.unanswered) == (0, said.records)
    assert "I would rather not" in said.problem
    assert methods(dataset) == Counter(similarity=12)


def test_money_ends_and_more_of_it_goes_on(
    sqlite_workspace: rft.Workspace, server: OpenAIServer
) -> None:
    server.script(oracle())
    dataset = hidden(sqlite_workspace, 200, confirmed=0)
    model = connected(server, input_price=1_000_000, output_price=1_000_000)
    estimate = dataset.estimate_categorize(model)
    assert server.requests == ()
    assert estimate.cost_micro_usd
    assert estimate.calls == pytest.approx(20 + 3, abs=2)
    half = estimate.cost_micro_usd / 2e6
    with pytest.raises(BudgetReached, match="was not asked about"):
        dataset.categorize(model=model, max_cost_usd=half)
    some = len(decided(dataset))
    assert 20 < some < 180
    assert methods(dataset)[None] + some == 200  # what was not asked about is as it was
    spent = dataset.costs["topics"].cost_micro_usd
    assert spent is not None
    assert spent <= half * 1e6
    summary = dataset.categorize(model=model)
    assert len(decided(dataset)) == 200
    assert summary.by_model is not None
    assert summary.by_model.not_asked == 0
    first = [
        one["text"]
        for body in chats(server)
        if [t["topic"] for t in told(body)["topics"]] == list(HIDDEN)
        for one in told(body)["messages"]
    ]
    assert len(first) == len(set(first)) == 200


def test_jobs_the_command_line_and_the_api_take_a_model(
    tmp_path: Path, server: OpenAIServer, capsys: pytest.CaptureFixture[str]
) -> None:
    server.script(names)
    server.script(oracle())
    store = tmp_path / "store.db"
    with rft.Workspace(store) as workspace:
        dataset = themed(workspace)
        workspace.add_connection("m", server.base_url, "some", embedding_model="vectors")
        asked = EstimatedTopics(model="m", categorize_model="m")
        with pytest.raises(InvalidArgument, match="no topics"):
            estimate_topics(workspace, dataset.id, asked)
        found = estimate_topics(workspace, dataset.id, EstimatedTopics(model="m"))
        assert found.categorizing is None
        assert found.naming is not None
        assert found.naming.calls == 2  # names, and vectors
        job = dataset.submit("generate_topics", {"model": "m", "n_topics": 3}).wait(60)
        assert job.status == "succeeded"
        assert "3 topics, 3 named by some." in job.state.outcome
        assert set(job.costs) == {"topics", "embed"}
        other = hidden(workspace, 24, confirmed=0)
        job = other.submit("categorize", {"model": "m", "embeddings": False}).wait(60)
        assert "some decided about" in job.state.outcome
        assert job.result.by_model.decided == job.result.by_method["llm"]
    common = ("topics", dataset.id, "--database", str(store), "--n-topics", "3", "--model", "m")
    before = len(server.requests)
    assert main([*common, "--categorize-model", "m", "--estimate"]) == 0
    assert "Naming topics: 2 calls" in capsys.readouterr().out
    assert len(server.requests) == before
    assert main([*common, "--no-embeddings", "--instructions", "In Latin.", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["naming"] == {"model": "some", "by_model": 3, "by_keywords": 0, "problem": ""}
    assert "In Latin." in chats(server)[-1]["messages"][0]["content"]
    assert main(["topics", dataset.id, "--database", str(store), "--template", "support",
                 "--model", "m"]) == 1  # fmt: skip
