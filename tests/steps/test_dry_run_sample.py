"""Which prompts are chosen: in proportion, for a seed, whatever the order of the records."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rft_widgets.errors import InvalidArgument
from rft_widgets.steps.dry_run import Candidate, choose_sample
from rft_widgets.steps.dry_run.sample import allocate

COUNTS = st.dictionaries(
    st.sampled_from(["a", "b", "c", "d", "e", None]), st.integers(1, 60), min_size=1
)


def candidates(counts, start=0):
    names = [topic for topic, count in counts.items() for _ in range(count)]
    return [
        Candidate(id=f"r{place}", prompt_key=f"p{place}", topic=topic)
        for place, topic in enumerate(names, start)
    ]


def topics(sample):
    return Counter(prompt.topic for prompt in sample.prompts)


def test_topics_have_their_share():
    rows = candidates({"a": 700, "b": 200, "c": 95, "d": 5})
    assert topics(choose_sample(rows, 100)) == {"a": 70, "b": 20, "c": 9, "d": 1}
    assert topics(choose_sample(rows, 4)) == {"a": 1, "b": 1, "c": 1, "d": 1}
    assert topics(choose_sample(rows, 2)) == {"a": 1, "b": 1}
    assert topics(choose_sample(rows, 5_000)) == {"a": 700, "b": 200, "c": 95, "d": 5}


@given(COUNTS, st.integers(1, 120))
def test_places_are_shared_fairly(counts, n):
    seats = allocate(counts, n)
    total = sum(counts.values())
    assert sum(seats.values()) == min(n, total)
    for topic, count in counts.items():
        assert 0 <= seats[topic] <= count
        if n >= len(counts):
            assert seats[topic] >= 1
        quota = n * count / total
        if n < total and all(n * other / total >= 1 for other in counts.values()):
            assert abs(seats[topic] - quota) < 1  # the quota rule of largest remainders
    if n < total and all(n * other / total >= 1 for other in counts.values()):
        # Largest remainders by definition: nobody with a smaller remainder is rounded up.
        up = [t for t in counts if seats[t] > n * counts[t] // total]
        down = [t for t in counts if seats[t] == n * counts[t] // total]
        rest = {t: n * counts[t] % total for t in counts}
        assert all(rest[u] >= rest[d] for u in up for d in down)


@given(COUNTS, st.integers(1, 80), st.integers(0, 3), st.randoms(use_true_random=False))
def test_the_order_of_the_records_does_not_matter(counts, n, seed, random):
    rows = candidates(counts)
    found = choose_sample(rows, n, seed)
    places = [int(prompt.prompt_key[1:]) for prompt in found.prompts]
    assert places == sorted(places)
    random.shuffle(rows)
    again = choose_sample(rows, n, seed)
    assert set(again.prompts) == set(found.prompts)
    assert [prompt.prompt_key for prompt in again.prompts] == [
        row.prompt_key for row in rows if row.prompt_key in {p.prompt_key for p in again.prompts}
    ]


def test_the_order_of_the_repeats_does_not_matter():
    rows = candidates({"a": 30})
    rows += [Candidate(id=f"s{place}", prompt_key=f"p{place}", topic="a") for place in range(30)]
    keys = {prompt.prompt_key for prompt in choose_sample(rows, 10, k=2).prompts}
    backwards = choose_sample(rows[::-1], 10, k=2).prompts
    assert {prompt.prompt_key for prompt in backwards} == keys
    assert {prompt.record_ids[0][0] for prompt in backwards} == {"s"}


def test_the_seed_decides_and_all_records_have_their_chance():
    rows = candidates({"a": 30, "b": 10})
    assert choose_sample(rows, 8, 1) == choose_sample(rows, 8, 1)
    times = Counter(
        prompt.prompt_key
        for seed in range(2_000)
        for prompt in choose_sample(rows, 8, seed).prompts
    )
    # Each is drawn with chance 1/5: 400 times, give or take five standard deviations of 18.
    assert len(times) == 40
    assert all(310 < count < 490 for count in times.values())


def test_more_records_of_another_topic_do_not_change_the_choice():
    rows = candidates({"a": 50})
    few = choose_sample(rows, 10)
    more = choose_sample(rows + candidates({"b": 50}, start=50), 20)
    assert [p for p in more.prompts if p.topic == "a"] == list(few.prompts)


def test_repeats_of_a_prompt_are_further_answers_to_it():
    rows = [
        Candidate(id="r0", prompt_key="x", topic="t"),
        Candidate(id="r1", prompt_key="y", has_answer=False),
        Candidate(id="r2", prompt_key="x"),  # a repeat has no topic of its own
        Candidate(id="r3", prompt_key="z", is_valid=False),
        Candidate(id="r4", prompt_key="x", has_answer=False),
        Candidate(id="r5", prompt_key="x"),
    ]
    found = choose_sample(rows, 9, k=2)
    assert [(p.topic, p.record_ids) for p in found.prompts] == [("t", ("r0", "r2"))]
    assert found.excluded == {"invalid": 1, "no_recorded_answer": 2}
    assert found.available == 1
    assert choose_sample(rows, 9, k=8).prompts[0].record_ids == ("r0", "r2", "r5")
    anew = choose_sample(rows, 9, k=2, recorded=False)
    assert [p.record_ids for p in anew.prompts] == [("r0",), ("r1",)]
    assert anew.excluded == {"invalid": 1}


def test_nothing_to_choose_and_bad_numbers():
    assert choose_sample([], 5).prompts == ()
    for bad in ({"n": 0}, {"k": 0}):
        with pytest.raises(InvalidArgument, match="at least 1"):
            choose_sample(candidates({"a": 3}), **bad)
