"""Labels of people: which answers are drawn, what is kept, and what is stale."""

from __future__ import annotations

from collections import Counter

import pytest
from builders import chat_line

import rft_widgets as rft
from rft_widgets.errors import InvalidArgument, NotFound
from rft_widgets.model.human_label import label_value
from rft_widgets.model.record import RecordFilter
from rft_widgets.steps.label_sample import Labelable, choose_to_label


@pytest.fixture
def dataset(sqlite_workspace: rft.Workspace) -> rft.OptimizationDataset:
    made = sqlite_workspace.create("Labelled")
    made.add_records(
        chat_line(f"What is {n} plus {n}, please?", str(2 * n), rating=n % 2, id=f"r{n:02}")
        for n in range(40)
    )
    return made


# Which answers


def test_every_answer_is_as_likely_to_be_drawn_as_any_other():
    answers = [
        Labelable(id=f"a{n}", topic="big" if n < 90 else "small", score=(n * 7 % 10) / 10)
        for n in range(100)
    ]
    drawn: Counter[str] = Counter()
    for seed in range(1_000):
        chosen = choose_to_label(answers, 10, seed)
        assert len(set(chosen)) == 10
        drawn.update(chosen)
    # 1,000 draws of a tenth: 100 each, with a deviation of 9.5.
    assert len(drawn) == 100
    assert all(abs(count - 100) < 5 * 9.5 for count in drawn.values())


def test_topics_and_scores_have_their_share_in_each_draw():
    answers = [
        Labelable(id=f"a{n}", topic=f"topic {n % 4}", score=(n // 4 % 10) / 9) for n in range(400)
    ]
    by_id = {one.id: one for one in answers}
    for seed in range(20):
        chosen = [by_id[name] for name in choose_to_label(answers, 40, seed)]
        assert set(Counter(one.topic for one in chosen).values()) == {10}
        for topic in range(4):
            scores = sorted(one.score for one in chosen if one.topic == f"topic {topic}")
            assert (scores[0], scores[-1]) == (0.0, 1.0)
    assert choose_to_label(answers, 40, 3) == choose_to_label(reversed(answers), 40, 3)
    assert choose_to_label(answers, 40, 3) != choose_to_label(answers, 40, 4)
    assert len(choose_to_label(answers, 1_000, 0)) == 400
    assert choose_to_label([], 5) == []


def test_what_is_to_be_labelled_is_blind_and_goes_on_where_one_left_off(dataset):
    dataset.set_grader({"type": "string_check", "input": "{{ sample.output_text }}",
                        "reference": "4", "operation": "eq", "name": "four"})  # fmt: skip
    dataset.evaluate(dataset.select())
    first = dataset.to_label(10)
    assert len(first) == 10
    assert {*first[0].__struct_fields__} == {"record_id", "topic", "prompt", "answer", "tools"}
    assert first[0].prompt[0].text.startswith("What is ")
    for one in first[:4]:
        dataset.label(one.record_id, "pass")
    rest = dataset.to_label(10)
    assert [one.record_id for one in rest] == [one.record_id for one in first[4:]]
    others = dataset.to_label(10, labeller="bo")
    assert {one.record_id for one in first[:4]} == {one.record_id for one in others[:4]}
    assert len(others) == 10
    assert dataset.to_label(4) == ()
    assert dataset.to_label(12)[0].record_id not in {one.record_id for one in first[:4]}


# What is kept


def test_a_label_is_kept_in_place_of_the_one_before(dataset):
    assert dataset.label("r01", "pass", labeller=" Ada  L ").labeller == "Ada L"
    kept = dataset.label("r01", 4, labeller="Ada L", scale="five", note=" long \n")
    assert (kept.value, kept.scale, kept.given, kept.note) == (0.75, "five", 4, "long")
    dataset.label("r01", "fail", labeller="bo")
    assert [(one.labeller, one.value) for one in dataset.labels] == [("Ada L", 0.75), ("bo", 0.0)]
    assert dataset.unlabel("r01", labeller="bo")
    assert not dataset.unlabel("r01", labeller="bo")
    assert not dataset.unlabel("\0")
    assert len(dataset.labels) == 1


def test_a_label_of_another_answer_counts_no_more(dataset, sqlite_workspace):
    dataset.label("r01", "pass")
    dataset.label("r02", "pass")
    changed = {"role": "assistant", "content": "Something else"}
    dataset.edit_record("r01", output=[changed])
    assert {one.record_id: one.is_stale for one in dataset.labels} == {"r01": True, "r02": False}
    dataset.delete_records(dataset.select(ids=["r02"]))
    assert [one.record_id for one in dataset.labels] == ["r01"]
    sqlite_workspace.delete(dataset.id)
    assert sqlite_workspace.create("New").labels == ()


def test_labels_that_came_with_the_records_are_taken(dataset):
    dataset.add_records([chat_line("Nobody rated this one, you know?", "yes", id="none")])
    taken = dataset.import_labels("rating")
    assert (taken.imported, taken.without, taken.labeller) == (40, 1, "rating")
    assert sum(one.value for one in dataset.labels) == 20
    with pytest.raises(InvalidArgument, match="No record has a label"):
        dataset.import_labels("metadata.nothing")


def test_labels_mean_what_their_scale_says():
    assert [label_value(one, "pass_fail") for one in (True, 0, " Pass", "FAIL")] == [1, 0, 1, 0]
    assert [label_value(one, "five") for one in (1, 3, 5)] == [0, 0.5, 1]
    for given, scale, hint in (
        (4, "pass_fail", "scale='five'"),
        (True, "five", "1 to 5"),
        (0.5, "pass_fail", "True or False"),
        (6, "five", "1 to 5"),
        ("maybe", "pass_fail", "True or False"),
    ):
        with pytest.raises(InvalidArgument, match="is no label") as refused:
            label_value(given, scale)
        assert hint in refused.value.hint


def test_what_cannot_be_labelled_is_refused(dataset):
    dataset.add_records([{"messages": [{"role": "user", "content": "No answer to this one."}],
                          "id": "open"}])  # fmt: skip
    with pytest.raises(NotFound):
        dataset.label("nowhere", "pass")
    with pytest.raises(InvalidArgument, match="no recorded answer"):
        dataset.label("open", "pass")
    for name in ("", "  ", "x" * 81, "a\0b"):
        with pytest.raises(InvalidArgument, match="name of a labeller"):
            dataset.label("r01", "pass", labeller=name)
    with pytest.raises(InvalidArgument, match="note is too long"):
        dataset.label("r01", "pass", note="x" * 2_001)
    with pytest.raises(InvalidArgument, match="n is 0"):
        choose_to_label([Labelable(id="a")], 0)


def test_records_of_chosen_ids_are_a_filter(dataset):
    where = RecordFilter(ids=("r03", "r05", "gone"), search="plus")
    assert [one.id for one in dataset.records(where).records] == ["r03", "r05"]
    assert dataset.count(where) == 2
