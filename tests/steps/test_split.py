"""Nothing that knows an answer of validation is learned from, whatever the records look like."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rft_widgets.errors import InvalidArgument
from rft_widgets.model.message import Message
from rft_widgets.model.record import Record, RecordInput, RecordOutput
from rft_widgets.steps.split import hold_out, record_groups, split_records

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def record(
    name: str,
    text: str | None = None,
    *,
    thread: str | None = None,
    source: str | None = None,
    topic: str | None = "a",
    generated: bool = False,
    valid: bool = True,
) -> Record:
    said = f"What about the {name} and its {name[::-1]} colour?" if text is None else text
    return Record(
        id=name, dataset_id="d", input=RecordInput((Message("user", said),)),
        output=RecordOutput(), item={}, metadata={}, span_id=None, thread_id=thread, topic=topic,
        topic_confidence=None, topic_method=None, topic_runner_up=None, previous_topic=None,
        is_generated=generated, source_record_id=source, is_valid=valid, validation_errors=(),
        dry_run_score=None, tokens=1, version=1, created_at=NOW, updated_at=NOW,
    )  # fmt: skip


_WORDS = (
    "tent", "lamp", "stove", "boots", "poles", "filter", "jacket", "return", "refund", "parcel",
    "invoice", "size", "colour", "delivery", "address", "warranty", "zip", "sole", "buckle",
)  # fmt: skip


@st.composite
def record_sets(draw):
    count = draw(st.integers(1, 40))
    rng = random.Random(draw(st.integers(0, 10**6)))
    texts = [" ".join(rng.sample(_WORDS, 9)) for _ in range(max(1, count // 2))]
    made = []
    for i in range(count):
        text = rng.choice(texts) if rng.random() < 0.3 else " ".join(rng.sample(_WORDS, 9))
        made.append(
            record(
                f"r{i:03}", text,
                thread=f"t{rng.randrange(count)}" if rng.random() < 0.4 else None,
                source=f"r{rng.randrange(count + 5):03}" if rng.random() < 0.2 else None,
                topic=rng.choice([None, "a", "b", "c"]),
                generated=rng.random() < 0.2,
                valid=rng.random() < 0.9,
            )
        )  # fmt: skip
    return made


def related(one: Record, other: Record) -> bool:
    if one.thread_id is not None and one.thread_id == other.thread_id:
        return True
    sources = {one.id, one.source_record_id} & {other.id, other.source_record_id} - {None}
    same = one.input.messages[0].text == other.input.messages[0].text
    return bool(sources) or same


@given(record_sets(), st.floats(0.05, 0.95), st.integers(0, 9), st.booleans(), st.booleans())
@settings(max_examples=150, deadline=None)
def test_any_records(records, ratio, seed, stratify, generated):
    options = {"train_ratio": ratio, "seed": seed, "stratify_by_topic": stratify,
               "include_generated_in_valid": generated}  # fmt: skip
    valid = [one for one in records if one.is_valid]
    if not valid:
        with pytest.raises(InvalidArgument, match="no valid record"):
            split_records(records, **options)
        return
    split = split_records(records, **options)
    train, held = set(split.train_ids), set(split.valid_ids)
    # Every valid record is on exactly one side, and there is something to learn from.
    assert not train & held
    assert train | held == {one.id for one in valid}
    assert train
    by_id = {one.id: one for one in valid}
    for one in held:
        for other in train:
            assert not related(by_id[one], by_id[other])
    topics = {by_id[one].topic for one in by_id} - {None}
    assert topics <= {by_id[one].topic for one in train}
    if not generated:
        assert not any(by_id[one].is_generated for one in held)
    # Counts are those of the ids.
    assert {t.topic: (t.train, t.valid) for t in split.topics} == {
        topic: (sum(by_id[i].topic == topic for i in train),
                sum(by_id[i].topic == topic for i in held))
        for topic in {one.topic for one in valid}
    }  # fmt: skip
    shuffled = list(records)
    random.Random(seed).shuffle(shuffled)
    assert split_records(shuffled, **options) == split


def test_independent_records_are_split_by_the_ratio_in_each_topic():
    records = [record(f"{t}{i:03}", topic=t) for t in "abc" for i in range(100)]
    split = split_records(records, train_ratio=0.9)
    assert [(t.topic, t.train, t.valid) for t in split.topics] == [
        ("a", 90, 10), ("b", 90, 10), ("c", 90, 10),
    ]  # fmt: skip
    assert split.groups == 300
    assert split.notes == ()


def test_another_seed_is_another_split_and_the_same_seed_the_same():
    records = [record(f"x{i:03}") for i in range(100)]
    found = {split_records(records, seed=seed).valid_ids for seed in (1, 2, 3, 1)}
    assert len(found) == 3


def test_sources_join_at_any_remove_and_through_what_is_not_there():
    records = [
        record("a"), record("b", source="a"), record("c", source="b"),
        record("d", source="gone"), record("e", source="gone"), record("f"),
    ]  # fmt: skip
    groups = record_groups(records)
    assert groups["a"] == groups["b"] == groups["c"]
    assert groups["d"] == groups["e"]
    assert len(set(groups.values())) == 3


def test_nearly_the_same_prompts_join_and_short_later_turns_do_not():
    long = "I would like to know when the tent that I ordered on Monday is going to be delivered to"
    near = [record("a", f"{long} me, thanks a lot"), record("b", f"{long} me, Thanks a LOT!")]
    assert len(set(record_groups(near).values())) == 1
    later = []
    for name, first in (("c", "Is the lamp waterproof at all?"), ("d", "Where do you ship to?")):
        said = (Message("user", first), Message("assistant", "Yes"), Message("user", "Thank you!"))
        one = record(name)
        later.append(
            Record(**{f: getattr(one, f) for f in one.__struct_fields__}
                   | {"input": RecordInput(said)})
        )  # fmt: skip
    assert len(set(record_groups(later).values())) == 2


def test_notes_say_what_could_not_be_met():
    one_thread = [record(f"x{i}", thread="t") for i in range(20)]
    split = split_records(one_thread)
    assert split.valid_ids == ()
    assert "nothing to measure on" in split.notes[0]
    assert "One group holds 20 of 20" in " ".join(split.notes)
    alone = [record(f"y{i:02}") for i in range(30)] + [record("z", topic="rare")]
    assert "1 topics have no validation record: rare." in split_records(alone).notes
    made = [record(f"g{i:02}", generated=True) for i in range(20)]
    assert "All records are generated" in " ".join(split_records(made).notes)
    assert split_records(made, include_generated_in_valid=True).valid_ids


def test_the_sample_of_threads_keeps_its_ratio():
    rng = random.Random(3)
    records = [
        record(f"r{i:04}", thread=f"t{rng.randrange(400)}", topic=rng.choice("abcde"))
        for i in range(1000)
    ]
    split = split_records(records)
    assert 90 <= len(split.valid_ids) <= 110
    for topic in split.topics:
        assert topic.valid == pytest.approx(0.1 * (topic.train + topic.valid), abs=5)


@pytest.mark.parametrize("ratio", [0, 1, -0.5, 2, float("nan")])
def test_a_ratio_out_of_bounds_is_refused(ratio):
    with pytest.raises(InvalidArgument, match="train_ratio"):
        split_records([record("a")], train_ratio=ratio)


def test_an_id_that_occurs_twice_is_refused():
    with pytest.raises(InvalidArgument, match="'a' occurs twice"):
        split_records([record("a"), record("a")])


def test_holding_out_takes_whole_groups():
    records = [record(f"r{i:03}", thread=f"t{i // 3}") for i in range(90)]
    groups = record_groups(records)
    held = hold_out(records, groups, 0.2, seed=5)
    assert 15 <= len(held) <= 21
    sizes = Counter(groups[one] for one in held)
    assert set(sizes.values()) == {3}
