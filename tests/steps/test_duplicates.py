"""Texts that repeat each other, and texts that only look as if they did."""

from __future__ import annotations

import json
import random

import pytest
from builders import data_folder
from hypothesis import given, settings
from hypothesis import strategies as st

from rft_widgets.errors import InvalidArgument
from rft_widgets.steps import text_hashing
from rft_widgets.steps.duplicates import (
    duplicate_share,
    exact_duplicate_groups,
    near_duplicate_groups,
)
from tests.steps import banking77

LONG = (
    "I ordered a blue lamp for the living room on Monday, it was promised for Wednesday and has "
    "not come, the courier says that the address is unknown, please find out where it is now and "
    "tell me when I can expect it at home, because I leave for a week on Friday morning"
)


def same(*texts: str) -> bool:
    return len(set(near_duplicate_groups(texts))) == 1


def test_the_repeated_rows_of_banking77_are_found() -> None:
    texts, _ = banking77.load("train")
    exact = exact_duplicate_groups(texts)
    near = near_duplicate_groups(texts)
    assert len(texts) - len(set(exact)) == 31
    assert 31 <= len(texts) - len(set(near)) <= 60
    # What is exactly the same is nearly the same.
    assert len(set(zip(exact, near, strict=True))) == len(set(exact))


@pytest.mark.parametrize("name", ["countdown_train_100", "countdown_valid_50"])
def test_prompts_of_one_family_are_no_duplicates(name: str) -> None:
    path = data_folder() / "datasets" / "azure_rft_countdown" / f"{name}.jsonl"
    texts = [
        json.loads(line)["messages"][-1]["content"] for line in path.read_text("utf-8").splitlines()
    ]
    assert near_duplicate_groups(texts) == list(range(len(texts)))
    assert duplicate_share(near_duplicate_groups([*texts, texts[3]])) == pytest.approx(
        1 / (len(texts) + 1)
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Reset my PIN", "reset my pin!"),
        ("don’t do it", "don't do it"),
        ("top-up failed", "top up  failed"),
        ("“Hello” world", 'hello "world"'),
        ("😀", "😀"),
        ("", "   "),
        (LONG, LONG.replace("on Friday morning", "on Friday evening")),
        (LONG, "Hello! " + LONG),
    ],
)
def test_nearly_the_same(one: str, other: str) -> None:
    assert same(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("What is 3+4?", "What is 3*4?"),
        ("What is 3 + 4?", "What is 3 - 4?"),
        ("solve (1+2)*3", "solve 1+(2*3)"),
        ("x = 5", "x = -5"),
        ("is a < b", "is a > b"),
        ("1.5 litres", "15 litres"),
        ("in C++", "in C#"),
        ("😀", "🎉"),
        ("", "?"),
        ("Reset my PIN", "Reset my password"),
        ("order 4711 is late", "order 4712 is late"),
        (LONG, " ".join(reversed(LONG.split()))),
    ],
)
def test_not_the_same(one: str, other: str) -> None:
    assert not same(one, other)


def test_the_same_question_under_two_instructions_is_two_texts() -> None:
    instructions = [
        "Translate the following sentence into French, keep the tone and the names as they are: ",
        "Count the words of the following sentence and answer with one number, nothing else: ",
    ]
    rng = random.Random(0)
    words = LONG.split()
    questions = [" ".join(rng.sample(words, 8)) for _ in range(100)]
    texts = [start + question for question in questions for start in instructions]
    assert len(set(near_duplicate_groups(texts))) == 200


def test_a_family_hides_no_real_duplicates() -> None:
    rng = random.Random(1)
    words = LONG.split()
    texts = [f"{LONG}. Question: {' '.join(rng.sample(words, 25))}" for _ in range(200)]
    copies = [text.replace(" Question", "  QUESTION") for text in texts[:10]]
    groups = near_duplicate_groups([*texts, *copies])
    assert groups == [*range(200), *range(10)]


def test_texts_that_are_all_template_are_compared_as_they_are() -> None:
    texts = [LONG, LONG + " please"] * 30
    assert len(set(near_duplicate_groups(texts))) == 1


def test_the_threshold() -> None:
    words = [f"w{i}" for i in range(102)]
    changed = [*words[:50], "other", *words[51:]]  # 97 of 103 shingles shared
    texts = [" ".join(words), " ".join(changed)]
    assert len(set(near_duplicate_groups(texts, threshold=0.9))) == 1
    assert len(set(near_duplicate_groups(texts, threshold=0.97))) == 2
    assert len(set(near_duplicate_groups(texts, threshold=1.0))) == 2
    with pytest.raises(InvalidArgument):
        near_duplicate_groups(texts, threshold=0)
    with pytest.raises(InvalidArgument):
        near_duplicate_groups(texts, threshold=float("nan"))


def test_pairs_at_the_threshold_are_hardly_ever_missed() -> None:
    rng = random.Random(2)
    missed = 0
    for _ in range(200):
        words = [f"{rng.random()}"[2:8] for _ in range(120)]
        texts = [
            " ".join(words),
            " ".join([*words, *(["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"])]),
        ]  # 0.92
        missed += len(set(near_duplicate_groups(texts))) == 2
    assert missed <= 2


def test_nothing_and_one() -> None:
    assert near_duplicate_groups([]) == []
    assert near_duplicate_groups(["one"]) == [0]
    assert duplicate_share([]) == 0
    assert duplicate_share([0, 0, 1, 0]) == 0.5


TEXTS = st.lists(
    st.one_of(
        st.text(max_size=30),
        st.sampled_from(["Hello there", "hello, there", "a b c d e", "+", "\x00", "\ud800", "ﬁ"]),
    ),
    max_size=12,
)


@settings(max_examples=200, deadline=None)
@given(TEXTS, st.integers(0, 2**32))
def test_groups_follow_the_texts_whatever_their_order(texts: list[str], seed: int) -> None:
    groups = near_duplicate_groups(texts)
    order = random.Random(seed).sample(range(len(texts)), len(texts))
    shuffled = near_duplicate_groups([texts[i] for i in order])
    pairs = {(groups[i], group) for i, group in zip(order, shuffled, strict=True)}
    assert len(pairs) == len(set(groups)) == len(set(shuffled))
    for i, one in enumerate(texts):
        for j, other in enumerate(texts):
            if one == other:
                assert groups[i] == groups[j]


@settings(max_examples=50, deadline=None)
@given(TEXTS)
def test_chunks_make_no_difference(texts: list[str]) -> None:
    whole = near_duplicate_groups(texts)
    before = text_hashing.CHUNK_CHARS
    try:
        text_hashing.CHUNK_CHARS = 10
        assert near_duplicate_groups(texts) == whole
    finally:
        text_hashing.CHUNK_CHARS = before
