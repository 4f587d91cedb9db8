"""Data work on a Ray cluster of two nodes: what comes of it is what comes of it here."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator

import pytest
from digits import DIGITS, until
from msgspec.structs import replace
from ray_nodes import Nodes, end, ray_nodes

from rft_widgets.errors import ClusterUnavailable, InvalidArgument
from rft_widgets.graders import compile_grader
from rft_widgets.graders.sample import Sample
from rft_widgets.model.grader import grader_from_json
from rft_widgets.model.topic import TopicNode, hierarchy
from rft_widgets.model.topic_settings import CATEGORIZE
from rft_widgets.steps.cluster import ADDRESS_VARIABLE, cluster, cluster_address, map_batches
from rft_widgets.steps.duplicates import near_duplicate_groups
from rft_widgets.steps.grade import open_grader
from rft_widgets.steps.topics.categorize import fit_categorizer

pytestmark = [
    pytest.mark.training,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # Ray's client leaves sockets
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
ray = pytest.importorskip("ray")

WORDS = [f"word{n}" for n in range(2_000)]


def test_an_address_that_takes_no_clients_is_refused(monkeypatch):
    with pytest.raises(InvalidArgument, match="takes clients"), cluster("10.0.0.7:6379"):
        pass
    monkeypatch.setenv(ADDRESS_VARIABLE, "ray://10.0.0.7:10001")
    assert cluster_address() == "ray://10.0.0.7:10001"
    with cluster(""):
        assert cluster_address() == ""
        assert list(map_batches(max, 3, [1, 5])) == [3, 5]


@pytest.fixture(scope="module")
def nodes() -> Iterator[Nodes]:
    with ray_nodes((1, 1), dashboard=False) as found:
        yield found


@pytest.fixture
def at(nodes) -> Iterator[None]:
    """Everything in the test is done on the cluster, which may not be ready at once."""

    def is_ready() -> bool:
        try:
            return list(map_batches(max, 3, range(6))) == [3, 3, 3, 3, 4, 5]
        except ClusterUnavailable:
            return False

    with cluster(nodes.client):
        until(is_ready, "a cluster", within_s=300)
        yield


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_duplicates_topics_and_grades_are_those_of_this_machine(at):
    chance = random.Random(0)
    texts = [" ".join(chance.choices(WORDS, k=900)) for _ in range(2_500)]
    for n in range(0, 300, 3):
        texts[n + 1_000] = texts[n] + " more"
    with cluster(""):
        groups = near_duplicate_groups(texts)
    assert near_duplicate_groups(texts) == groups
    assert len(set(groups)) == 2_400

    tree = hierarchy([TopicNode(name="Billing", id=""), TopicNode(name="Delivery", id="")])
    questions = [
        f"question {n}: {chance.choice(['pay the bill', 'parcel delivery', 'other'])} {n % 7}"
        for n in range(2_000)
    ]
    model = fit_categorizer(tree, questions, settings=replace(CATEGORIZE, chunk_texts=128))
    keyed = [(str(n), text) for n, text in enumerate(questions)]
    with cluster(""):
        here = list(model.categorize(keyed))
    assert list(model.categorize(keyed)) == here

    grader = grader_from_json(DIGITS)
    pairs = [(Sample(output_text=f"{'7' * (n % 5)}abc"), {}) for n in range(1_000)]
    with compile_grader(grader) as alone:
        rewards = [one.reward for one in alone.grade_many(pairs)]
        confined = next(iter(alone.grade_many(pairs[:1]))).metadata.isolation
    with open_grader(grader, (), _never) as spread:
        found = list(spread.grade_many(pairs))
    assert [one.reward for one in found] == rewards
    assert {one.metadata.isolation for one in found} == {confined}


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_faults_come_in_words_and_whoever_stops_leaves_nothing_behind(at):
    def invert(one: int, other: int) -> float:
        return one / other

    with pytest.raises(ClusterUnavailable, match="division by zero"):
        list(map_batches(invert, 1, [1, 2, 0, 4, 5, 6]))

    def wait(seconds: float, _: int) -> int:
        time.sleep(seconds)
        return os.getpid()

    batches = map_batches(wait, 0.5, range(100))
    assert next(batches) != os.getpid()
    batches.close()
    until(lambda: ray.available_resources().get("CPU") == 2, "idle nodes", within_s=60)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_what_a_lost_node_had_is_done_again(at, nodes):
    def wait(seconds: float, number: int) -> int:
        time.sleep(seconds)
        return number

    found = map_batches(wait, 1.0, range(12))
    first = next(found)
    end(nodes.processes[1])
    assert [first, *found] == list(range(12))


def _never(*_: object) -> None:
    raise AssertionError
