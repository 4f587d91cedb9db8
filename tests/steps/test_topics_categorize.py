"""Records under topics: learned from few confirmed ones, and as sure as they are right."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from rft_widgets.errors import InvalidArgument
from rft_widgets.model.topic import Categorization, hierarchy, topic
from rft_widgets.sample.support import sample_records
from rft_widgets.steps.topics.auto import fit_topics
from rft_widgets.steps.topics.calibration import calibration_error
from rft_widgets.steps.topics.categorize import fit_categorizer
from rft_widgets.steps.topics.keywords import KeywordMatcher
from rft_widgets.steps.topics.members import Member
from rft_widgets.steps.topics.review import review_queue
from rft_widgets.steps.topics.templates import template
from tests.steps import banking77

SMALL = hierarchy(
    [
        topic("Refunds", "Money back", ["refund", "money back", "reimburse"]),
        topic("Delivery", "Parcels", ["parcel", "tracking number", "courier"]),
        topic("Login", "Getting in", ["password", "log in"]),
    ]
)


def run(categorizer, texts):
    return list(categorizer.categorize((str(i), text) for i, text in enumerate(texts)))


@pytest.fixture(scope="module")
def intents():
    """Topics of the gold intents, by their names only."""
    _, gold = banking77.load("train")
    return hierarchy([topic(name.replace("_", " ")) for name in sorted(set(gold))])


@pytest.mark.parametrize(("count", "floor"), [(5, 0.54), (20, 0.79)])
@pytest.mark.parametrize("named", [True, False])
def test_few_confirmed_records_are_enough(intents, count: int, floor: float, named: bool) -> None:
    texts, gold = banking77.load("train")
    test_texts, test_gold = banking77.load("test")
    names = sorted(set(gold))
    tree = intents if named else hierarchy([topic(f"t{i}") for i in range(len(names))])
    path = dict(zip(names, tree.paths, strict=True))
    members = [Member(texts[i], path[gold[i]]) for i in banking77.shots(gold, count, seed=0)]
    categorizer = fit_categorizer(tree, texts, members)
    found = run(categorizer, test_texts)
    right = [one.topic == path[label] for one, label in zip(found, test_gold, strict=True)]
    accepted = [ok for one, ok in zip(found, right, strict=True) if not one.needs_review]
    assert np.mean(right) >= floor
    assert calibration_error([one.confidence for one in found], right) <= 0.05
    assert categorizer.calibration.error is not None
    assert categorizer.calibration.error <= 0.05
    assert categorizer.calibration.records == len(members)
    assert np.mean(accepted) >= 0.8
    assert len(accepted) >= 1000


def test_names_alone_place_half_of_the_records(intents) -> None:
    texts, _ = banking77.load("train")
    test_texts, gold = banking77.load("test")
    found = run(fit_categorizer(intents, texts), test_texts)
    right = [one.topic == label.replace("_", " ") for one, label in zip(found, gold, strict=True)]
    assert np.mean(right) >= 0.45
    assert calibration_error([one.confidence for one in found], right) <= 0.1


def test_a_keyword_decides_first_where_it_is_right() -> None:
    texts = [
        "I want my money back, please reimburse the refund",
        "the courier lost the parcel, here is the tracking number",
        "zebra",
    ]
    found = run(fit_categorizer(SMALL, texts), texts)
    assert [one.topic for one in found][:2] == ["Refunds", "Delivery"]
    assert {one.method for one in found[:2]} == {"keyword"}
    assert found[0].confidence >= 0.9
    assert not found[0].needs_review
    assert found[2].needs_review


def test_keywords_that_prove_wrong_lose_their_say() -> None:
    # Here "password parcel courier refund" are said about the wrong things, ten times each.
    wrong = [Member(f"password password log in {i} please", "Refunds") for i in range(10)]
    wrong += [Member(f"refund and reimburse money back {i}", "Login") for i in range(10)]
    wrong += [
        Member(f"my parcel with courier {i} and tracking number", "Delivery") for i in range(4)
    ]
    categorizer = fit_categorizer(SMALL, [], wrong)
    assert max(categorizer.keyword_confidence) < 0.9
    found = run(categorizer, ["password log in", "reimburse the refund, money back"])
    assert [one.topic for one in found] == ["Refunds", "Login"]
    assert {one.method for one in found} == {"similarity"}


def test_keyword_evidence() -> None:
    matcher = KeywordMatcher(SMALL.leaves())
    assert matcher.find("Two REFUNDS, and my money back!") == (0, 3)
    assert matcher.find("refund the parcel")[1] == 0
    assert matcher.find("nothing here")[1] == 0
    assert matcher.find("monetary backlog")[1] == 0
    both = KeywordMatcher(hierarchy([topic("A", "", ["x1"]), topic("B", "", ["x1"])]).leaves())
    assert both.find("x1")[1] == 0
    assert not KeywordMatcher([])


def test_without_topics_nothing_is_placed() -> None:
    found = run(fit_categorizer(hierarchy([]), ["text"]), ["text", ""])
    assert [one.topic for one in found] == [None, None]
    assert all(one.needs_review for one in found)


def test_one_topic_takes_all_that_says_something() -> None:
    found = run(fit_categorizer(hierarchy([topic("Only")]), ["some text"]), ["some text", ""])
    assert [one.topic for one in found] == ["Only", None]


@pytest.mark.parametrize("count", [1, 3, 10])
def test_few_confirmed_records_do_not_swallow_the_others(count: int) -> None:
    texts = [
        " ".join(one["content"] or "" for one in record["messages"] if one["role"] == "user")
        for record in sample_records(n=300)
    ]
    found = fit_topics(texts, seed=0)
    truth = [one.topic for one in found.assign((str(i), text) for i, text in enumerate(texts))]
    alone = agreement(run(fit_categorizer(found.hierarchy, texts), texts), truth)
    known = [i for i, path in enumerate(truth) if path is not None]
    for seed in range(3):
        chosen = np.random.default_rng(seed).choice(known, count, replace=False)
        members = [Member(texts[i], truth[i]) for i in chosen]
        placed = run(fit_categorizer(found.hierarchy, texts, members), texts)
        assert agreement(placed, truth) >= alone - 0.05, "they help, or do no harm"
        largest = max(Counter(one.topic for one in placed).values())
        assert largest <= 2 * max(Counter(truth).values())


def agreement(found: list[Categorization], truth: list[str | None]) -> float:
    return float(np.mean([one.topic == path for one, path in zip(found, truth, strict=True)]))


def test_one_confirmed_record_is_no_problem() -> None:
    found = run(
        fit_categorizer(SMALL, [], [Member("the lion sleeps tonight", "Login")]),
        ["the lion sleeps tonight"],
    )
    assert found[0].topic == "Login"
    assert found[0].runner_up in {"Refunds", "Delivery"}


def test_two_topics() -> None:
    tree = hierarchy([topic("cats"), topic("dogs")])
    members = [
        Member(f"{kind} number {i}", f"{kind}s") for kind in ("cat", "dog") for i in range(9)
    ]
    found = run(fit_categorizer(tree, [], members), ["a cat", "a dog"])
    assert [one.topic for one in found] == ["cats", "dogs"]


def test_a_member_of_no_leaf_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="'Gone'"):
        fit_categorizer(SMALL, [], [Member("x", "Gone")])


def test_the_same_seed_gives_the_same_confidences(intents) -> None:
    texts, gold = banking77.load("train")
    members = [
        Member(texts[i], gold[i].replace("_", " ")) for i in banking77.shots(gold, 3, seed=2)
    ]
    one, other = (run(fit_categorizer(intents, texts[:2000], members), texts[:50]) for _ in "ab")
    assert one == other


def test_templates_place_plain_requests() -> None:
    texts = [
        "I was charged twice on my invoice, I want a refund, my money back",
        "I forgot my password and cannot log in, please reset password",
        "where is my order? the tracking number shows nothing, track order",
    ]
    found = run(fit_categorizer(template("support"), texts), texts)
    assert [one.topic for one in found] == [
        "Billing/Refunds",
        "Account/Login and Password",
        "Orders and Delivery/Order Status and Tracking",
    ]


def one(key: str, confidence: float, topic: str | None = "A", other: str | None = "B", **more):
    more = {"method": "similarity", "needs_review": confidence < 0.7} | more
    return Categorization(
        record_id=key, topic=topic, confidence=confidence, runner_up=other, **more
    )


def test_bands() -> None:
    assert [one("x", c).band for c in (0.8, 0.79, 0.5, 0.49)] == [
        "high", "medium", "medium", "needs review",
    ]  # fmt: skip


def test_review_begins_with_the_least_certain() -> None:
    found = [one("a", 0.6), one("b", 0.2), one("c", 0.9), one("d", 0.2, method="manual")]
    assert [each.record_id for each in review_queue(found)] == ["b", "a"]
    assert [each.record_id for each in review_queue(found, limit=1)] == ["b"]


def test_review_by_gain_begins_with_the_most_confused_pair_and_takes_turns() -> None:
    crowd = [one(f"crowd{i}", 0.5 + i / 100) for i in range(6)]
    crowd += [one("mirror", 0.49, "B", "A")]
    lone = [one("lone", 0.1, "C", "D"), one("pair", 0.5, "E", "F"), one("pair2", 0.5, "E", "F")]
    order = [each.record_id for each in review_queue([*lone, *crowd], order="gain")]
    assert order[0] == "mirror"
    assert order.index("pair") < order.index("crowd5")
    assert order.index("lone") < order.index("pair2")
    assert sorted(order) == sorted(each.record_id for each in [*crowd, *lone])
