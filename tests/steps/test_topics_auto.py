"""Topics found in records: against gold intents, for few records, and always the same."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
from builders import data_folder

from rft_widgets.errors import InvalidArgument
from rft_widgets.model.message import Message
from rft_widgets.model.topic_settings import ClusterSettings
from rft_widgets.steps.topics.auto import fit_topics
from rft_widgets.steps.topics.calibration import calibration_error
from rft_widgets.steps.topics.clusters import choose_count, find_centres, silhouette
from rft_widgets.steps.topics.features import fit_space, sample_texts, topic_text, unit
from rft_widgets.steps.topics.naming import describe_groups
from tests.steps import banking77

TRAVEL = [f"book a cheap flight to city number {i} for the weekend" for i in range(20)]
COOKING = [f"recipe for a vegetable soup with {i} potatoes and garlic" for i in range(20)]
CODING = [f"python function that sorts {i} lists raises an exception" for i in range(20)]


def assigned(model, texts):
    return list(model.assign((str(i), text) for i, text in enumerate(texts)))


def test_topics_are_as_good_as_plain_clusters_of_the_same_texts() -> None:
    from sklearn.cluster import KMeans
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.metrics import normalized_mutual_info_score

    texts, gold = banking77.load("train")
    plain = KMeans(77, n_init=1, random_state=0).fit_predict(TfidfVectorizer().fit_transform(texts))
    model = fit_topics(texts, n_topics=77, seed=0)
    found = [one.topic or "" for one in assigned(model, texts)]
    ours = normalized_mutual_info_score(gold, found), banking77.purity(found, gold)
    floor = normalized_mutual_info_score(gold, plain), banking77.purity(plain.tolist(), gold)
    assert ours[0] >= floor[0] + 0.03, (ours, floor)
    assert ours[1] >= floor[1] + 0.03, (ours, floor)
    assert len(model.hierarchy.leaves()) == 77
    assert model.hierarchy.depth <= 2
    assert model.other_share < 0.05
    assert model.calibration.error is not None
    assert model.calibration.error <= 0.05
    assert all("/" not in node.name for node in model.hierarchy.walk())


@pytest.mark.slow
def test_the_number_of_topics_comes_from_the_data() -> None:
    texts, gold = banking77.load("train")
    intents = sorted(set(gold))
    for seed, count in ((1, 3), (2, 5), (3, 10)):
        chosen = set(np.random.default_rng(seed).choice(intents, count, replace=False).tolist())
        some = [text for text, label in zip(texts, gold, strict=True) if label in chosen]
        space = fit_space(some)
        found, scores = choose_count(space.place(some), seed=0)
        assert count / 3 <= found <= count * 3, (count, found, scores)
        assert set(scores) <= set(range(2, 31))


def test_clear_groups_are_found_and_named() -> None:
    model = fit_topics([*TRAVEL, *COOKING, *CODING], seed=1)
    found = [one.topic for one in assigned(model, [*TRAVEL, *COOKING, *CODING])]
    assert len(model.paths) == 3
    assert [len(set(found[i : i + 20])) for i in (0, 20, 40)] == [1, 1, 1]
    names = " ".join(model.paths).lower()
    assert any(word in names for word in ("flight", "cheap", "city"))
    assert any(word in names for word in ("recipe", "soup", "garlic", "potatoes"))
    assert model.hierarchy.method == "auto"
    assert model.hierarchy.seed == 1


@pytest.mark.slow
def test_the_same_seed_gives_the_same_topics_in_another_process() -> None:
    code = (
        "from tests.steps.test_topics_auto import *\n"
        "m = fit_topics([*TRAVEL, *COOKING, *CODING], seed=3)\n"
        "print(m.paths, [o.confidence for o in assigned(m, TRAVEL)])"
    )
    runs = {
        subprocess.run(
            [sys.executable, "-c", code],
            check=True,
            capture_output=True,
            text=True,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(p for p in sys.path if p)},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(runs) == 1


def test_a_group_far_from_every_topic_is_measured_not_forced() -> None:
    texts, _ = banking77.load("train")
    path = data_folder() / "datasets" / "bfcl" / "BFCL_v4_simple_python.jsonl"
    strange = [
        json.loads(line)["question"][0][0]["content"]
        for line in path.read_text("utf-8").splitlines()
    ][:100]
    model = fit_topics([*texts[::2], *strange[:20]], n_topics=20)
    share = [one.topic is None for one in assigned(model, strange[20:])]
    usual = [one.topic is None for one in assigned(model, texts[1::4])]
    assert np.mean(share) > 0.5
    assert np.mean(usual) < 0.06
    assert 0 < model.other_share < 0.1


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_few_records_have_one_topic(count: int) -> None:
    texts = ["I want a refund", "where is my order", "cancel the contract"][:count]
    model = fit_topics(texts)
    assert len(model.paths) == min(1, count)
    found = assigned(model, texts)
    assert [one.topic for one in found] == list(model.paths) * count
    assert assigned(model, ["something else"])[0].record_id == "0"


def test_records_that_are_all_alike_have_one_topic() -> None:
    model = fit_topics(["the very same question"] * 50)
    assert len(model.paths) == 1
    path = data_folder() / "datasets" / "azure_rft_countdown" / "countdown_train_100.jsonl"
    prompts = [
        json.loads(line)["messages"][-1]["content"] for line in path.read_text("utf-8").splitlines()
    ]
    assert len(fit_topics(prompts).paths) >= 1


def test_texts_that_say_nothing_have_no_topic() -> None:
    model = fit_topics([*TRAVEL, *COOKING, "", "  ", "?!"])
    assert [one.topic for one in assigned(model, ["", "?!"])] == [None, None]
    assert fit_topics(["", " "]).paths == ()
    assert assigned(fit_topics([]), ["x"])[0].needs_review


def test_more_topics_than_texts_is_no_problem() -> None:
    assert (
        len(fit_topics(["a first text", "another one", "a third", "more"], n_topics=9).paths) >= 1
    )


def test_arguments_are_checked() -> None:
    with pytest.raises(InvalidArgument, match="depth 6"):
        fit_topics([], depth=6)
    with pytest.raises(InvalidArgument, match="number of topics"):
        fit_topics([], n_topics=0)
    with pytest.raises(InvalidArgument, match="namer gave 0"):
        fit_topics([*TRAVEL, *COOKING], namer=lambda drafts: [])


def test_a_namer_is_not_trusted_to_give_valid_names() -> None:
    model = fit_topics(
        [*TRAVEL, *COOKING, *CODING],
        namer=lambda drafts: [("a/b\n\x00" if draft.size else "", "<b>") for draft in drafts],
    )
    assert sorted(model.paths) == ["a b", "a b 2", "a b 3"]


def test_two_levels_only_where_they_pay() -> None:
    kinds = {
        "travel": ["flight ticket", "hotel room", "train ticket", "rental car"],
        "cooking": ["soup recipe", "bread recipe", "cake recipe", "salad recipe"],
        "code": ["python bug", "java bug", "rust bug", "sql bug"],
    }
    shared = {
        "travel": "travel journey holiday airport luggage destination",
        "cooking": "kitchen oven ingredients spoon boil flavour",
        "code": "compile program function debug variable exception",
    }
    texts = [
        f"{shared[kind]} {what} {what} {what} {i}"
        for kind, whats in kinds.items() for what in whats for i in range(12)
    ]  # fmt: skip
    model = fit_topics(texts, n_topics=12)
    assert model.hierarchy.depth == 2
    assert len(model.hierarchy.topics) == 3
    assert set(model.paths) == set(model.hierarchy.paths)
    assert fit_topics(texts, n_topics=12, depth=1).hierarchy.depth == 1
    for node in model.hierarchy.topics:
        assert node.name.casefold() not in {child.name.casefold() for child in node.children}


def test_names_have_no_stop_words_and_no_repetition() -> None:
    texts, _ = banking77.load("train")
    model = fit_topics(texts[::3], n_topics=12, depth=1)
    names = [leaf.name for leaf in model.hierarchy.leaves()]
    assert len({name.casefold() for name in names}) == 12
    for name in names:
        words = name.replace("&", " ").replace(",", " ").split()
        assert words
        assert all(word[:1].isupper() or not word[:1].isalpha() for word in words)
        assert not {"The", "To", "My", "I", "How"} & set(words)
        assert len({word.lower().rstrip("s") for word in words}) == len(words)


def test_names_keep_abbreviations_and_say_what_differs() -> None:
    texts = ["the ATM ate my card", "an ATM is broken", "ATM fees"] * 4
    texts += ["the flight to Rome", "my flight is late", "flight tickets"] * 4
    found = describe_groups(texts, [0] * 12 + [1] * 12, 2)
    assert "ATM" in found[0][0]
    assert "Flight" in found[1][0]
    below = describe_groups(texts, [0] * 12 + [1] * 12, 2, parents=["Atm", "Flight"])
    assert below[0][0].casefold() != "atm"
    assert not below[1][0].startswith("Flight")


def test_the_silhouette_is_the_exact_one() -> None:
    from sklearn.metrics import silhouette_score

    rng = np.random.default_rng(0)
    vectors = unit(rng.normal(size=(200, 5)).astype(np.float32))
    labels = find_centres(vectors, 4, 0)[1]
    exact = silhouette_score(vectors, labels, metric="cosine")
    assert silhouette(vectors, labels, 4) == pytest.approx(exact, abs=1e-5)


def test_the_text_of_a_record() -> None:
    def said(*turns: tuple[str, str]) -> str:
        return topic_text([Message(role=role, content=text) for role, text in turns])

    system = ("system", "You are the assistant of a bank.")
    assert said(system, ("user", "Block my card")) == "Block my card"
    assert said(system, ("user", "Hi there!"), ("user", "Block my card")) == "Block my card"
    assert said(("user", "Block my card"), ("user", "and my account")) == "Block my card"
    assert said(system, ("user", "hello")) == "hello"
    assert said(system) == ""
    assert said(("user", "2 + 2?")) == "2 + 2?"


def test_a_sample_is_of_the_whole_stream() -> None:
    drawn = sample_texts((str(i) for i in range(10_000)), 500, seed=4)
    assert len(set(drawn)) == 500
    assert 4000 < np.mean([int(text) for text in drawn]) < 6000
    assert drawn == sample_texts((str(i) for i in range(10_000)), 500, seed=4)


def test_features_do_not_depend_on_the_chunk(monkeypatch) -> None:
    from rft_widgets.steps import text_hashing

    texts = [*TRAVEL, "", *COOKING, "Größe — café №5", *CODING]
    space = fit_space(texts)
    whole = space.place(texts)
    monkeypatch.setattr(text_hashing, "CHUNK_CHARS", 100)
    assert np.allclose(space.place(texts), whole)
    assert np.allclose(np.vstack([space.place([text]) for text in texts]), whole, atol=1e-6)


def test_calibration_error_of_known_cases() -> None:
    assert calibration_error([1.0, 1.0], [True, False]) == pytest.approx(0.5)
    assert calibration_error([0.75] * 4, [True, True, True, False]) == pytest.approx(0)
    with pytest.raises(InvalidArgument):
        calibration_error([], [])


def test_groups_without_words_still_have_names() -> None:
    assert [name for name, _ in describe_groups(["1 2", "3 4"], [0, 1], 2)] == [
        "Topic 1",
        "Topic 2",
    ]


@pytest.mark.slow
def test_a_million_texts_stay_small() -> None:
    import resource

    texts, _ = banking77.load("train")
    rng = np.random.default_rng(0)
    order = rng.integers(len(texts), size=(1_000_000, 2))
    stream = lambda: (f"{texts[a]} {texts[b].split()[-1]}" for a, b in order)  # noqa: E731
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    model = fit_topics(stream(), settings=ClusterSettings())
    count = sum(1 for _ in model.assign((str(i), text) for i, text in enumerate(stream())))
    assert count == 1_000_000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 1024**2
