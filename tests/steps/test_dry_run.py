"""Grading the answers of a dry run: interrupted, resumed, answered by a model, probed."""

from __future__ import annotations

import threading
import time

import msgspec
import pytest
from builders import assistant, call, draft, tool_message
from graded import answer

from rft_widgets.errors import InvalidArgument, NotFound, RftError, RunInterrupted
from rft_widgets.graders import compile_grader
from rft_widgets.model.dry_run_settings import DryRunSettings, ProbeSettings
from rft_widgets.model.llm import ModelAnswer, ModelCallFailed
from rft_widgets.model.message import Message, message_from_json
from rft_widgets.model.report import GradedAnswer
from rft_widgets.steps.dry_run import (
    build_report,
    compare_runs,
    grade_answers,
    make_answers,
    run_probes,
)
from rft_widgets.steps.dry_run.sample import SampledPrompt

EXACT = {
    "type": "string_check", "name": "exact", "input": "{{response}}",
    "reference": "{{item.reference}}", "operation": "eq",
}  # fmt: skip
SCRIPT = {
    "type": "python", "name": "script",
    "source": "def grade(sample, item):\n    return float(item['reward'])\n",
}  # fmt: skip
SMALL = DryRunSettings(keep_answers=4)


def capitals(n=12):
    """Answers of which every third is wrong."""
    return [
        answer(
            f"r{i}", f"What is the capital of country {i}?", f"City {i}" if i % 3 else "I wonder",
            item={"reference": f"City {i}", "reward": (i % 4) / 4}, topic=["even", "odd"][i % 2],
        )
        for i in range(n)
    ]  # fmt: skip


def test_every_answer_has_its_grade():
    with compile_grader(EXACT) as compiled:
        found = grade_answers(compiled, capitals())
    assert [one.reward for one in found] == [float(i % 3 > 0) for i in range(12)]
    assert [one.record_id for one in found] == [f"r{i}" for i in range(12)]
    assert found[1].prompt == "[USR] What is the capital of country 1?"
    assert (found[1].response, found[1].topic, found[1].status) == ("City 1", "odd", "graded")
    assert found[1].output == ()
    encoded = msgspec.json.encode(found)
    assert msgspec.json.decode(encoded, type=list[GradedAnswer]) == found


@pytest.mark.parametrize("grader", [EXACT, SCRIPT], ids=["plain", "sandbox"])
@pytest.mark.parametrize("stop_after", [0, 1, 4, 7, 11])
def test_interrupted_and_resumed_is_the_same_as_never_interrupted(grader, stop_after):
    answers = capitals()
    with compile_grader(grader) as compiled:
        whole = grade_answers(compiled, answers)
        stored: list[GradedAnswer] = []
        asked = iter(range(100))
        with pytest.raises(RunInterrupted, match=f"after {stop_after} of 12") as error:
            grade_answers(
                compiled,
                answers,
                keep=stored.extend,
                cancelled=lambda: next(asked) == stop_after,
                settings=SMALL,
            )
        assert error.value.hint is not None
        assert stored == whole[:stop_after]
        batches: list[int] = []
        steps: list[tuple[int, int]] = []
        resumed = grade_answers(
            compiled,
            answers,
            done=msgspec.json.decode(msgspec.json.encode(stored), type=list[GradedAnswer]),
            keep=lambda batch: batches.append(len(batch)),
            progress=lambda done, total: steps.append((done, total)),
            settings=SMALL,
        )
    assert resumed == whole
    assert sum(batches) == 12 - stop_after
    assert max(batches) <= 4
    assert steps[-1] == (12, 12)
    assert build_report(resumed) == build_report(whole)


def test_what_is_done_is_never_graded_again():
    calls: list[str] = []

    def judge(model, messages, **_):
        calls.append(messages[0]["content"])
        return ModelAnswer(text='{"score": 0.5, "reasoning": "so so"}')

    grader = {
        "type": "score_model", "name": "j", "model": "m",
        "input": [{"role": "user", "content": "{{response}}"}],
    }  # fmt: skip
    answers = capitals()
    with compile_grader(grader, model_call=judge) as compiled:
        first = grade_answers(compiled, answers[:5])
        calls.clear()
        found = grade_answers(compiled, answers, done=first)
        assert len(calls) == 7
        assert grade_answers(compiled, answers, done=found) == found
    assert len(calls) == 7
    assert {one.reasoning for one in found} == {"so so"}


def test_a_batch_that_cannot_be_stored_is_handed_over_once():
    handed: list[int] = []

    def broken(batch):
        handed.append(len(batch))
        raise OSError("disk full")

    with compile_grader(EXACT) as compiled, pytest.raises(OSError, match="disk full"):
        grade_answers(compiled, capitals(), keep=broken, settings=SMALL)
    assert handed == [4]


def test_slow_answers_are_handed_over_before_a_batch_is_full():
    batches: list[int] = []
    hasty = DryRunSettings(keep_answers=1_000, keep_s=0.0)
    with compile_grader(EXACT) as compiled:
        grade_answers(
            compiled,
            capitals(),
            keep=lambda batch: batches.append(len(batch)),
            settings=hasty,
        )
    assert batches == [1] * 12


def test_a_grader_that_always_raises_gives_no_score():
    code = {"type": "python", "source": "def grade(sample, item):\n    return 1 / 0\n"}
    with compile_grader(code) as compiled:
        found = grade_answers(compiled, capitals())
        probes = run_probes(compiled, capitals(), found)
    assert {(one.status, one.reward) for one in found} == {("failed_grading", None)}
    assert all(one.errors.python_grader_runtime_error for one in found)
    report = build_report(found, probes=probes)
    assert (report.verdict, report.scores, report.mean) == ("NO_GO", None, None)
    assert report.summary == "No score • NO_GO"
    assert report.grader_quality == "problem"
    assert report.dataset_quality == "good"
    assert any("failed on all 12 answers" in reason for reason in report.reasons)
    assert any("ZeroDivisionError" in reason for reason in report.reasons)
    assert report.excluded == {"failed_grading": 12}
    assert (report.best, report.topics, report.repeats) == ((), (), None)
    assert all(probe.passed is None and "gradings failed" in probe.sentence for probe in probes)
    assert msgspec.json.decode(msgspec.json.encode(report), type=type(report)) == report
    assert "NO_GO" in report._repr_html_()


def test_tool_calls_are_shown_and_long_texts_lose_their_middle():
    output = [
        message_from_json(assistant(None, tool_calls=[call("c1", "find", '{"x": 1}')])),
        message_from_json(tool_message("c1", "found it")),
        message_from_json(assistant("Here it is")),
    ]
    made = answer("r", "Begin " + "x" * 9_000 + " end", "")
    made = msgspec.structs.replace(made, output=tuple(output), item={"reference": "Here it is"})
    with compile_grader(EXACT) as compiled:
        (found,) = grade_answers(compiled, [made])
    assert found.response == 'find({"x": 1})\nfound it\nHere it is'
    assert found.reward == 1.0
    assert len(found.prompt) == 4_000
    assert found.prompt.startswith("[USR] Begin x")
    assert found.prompt.endswith("x end")


# Answers of a model


def rollouts(n=4, k=3):
    return [
        answer(f"r{i}", f"What is the capital of country {i}?", None, repeat=repeat,
               item={"reference": f"City {i}"})
        for i in range(n)
        for repeat in range(k)
    ]  # fmt: skip


def test_a_model_answers_each_prompt_k_times():
    threads = set()

    def respond(prompt, repeat):
        threads.add(threading.get_ident())
        time.sleep(0.01)
        number = prompt.messages[-1].text.rstrip("?").split()[-1]
        if number == "2":
            raise ModelCallFailed("the service answered 503")
        return [Message("assistant", f"City {number}" if repeat == 1 else "no idea")]

    with compile_grader(EXACT) as compiled:
        found = grade_answers(compiled, rollouts(), respond=respond)
        probes = run_probes(compiled, rollouts(), found)
    assert len(threads) > 1
    assert [(one.record_id, one.repeat) for one in found] == [
        (f"r{i}", k) for i in range(4) for k in range(3)
    ]
    failed = [one for one in found if one.status == "failed_answer"]
    assert {(one.record_id, one.reward) for one in failed} == {("r2", None)}
    assert failed[0].error == "the model gave no answer: the service answered 503"
    good = [one for one in found if one.status == "graded"]
    assert [one.reward for one in good] == [0.0, 1.0, 0.0] * 3
    assert good[1].output == (Message("assistant", "City 0"),)
    report = build_report(found)
    assert report.excluded == {"failed_answer": 3}
    assert report.repeats is not None
    assert report.repeats.pass_at == pytest.approx({1: 1 / 3, 2: 2 / 3, 3: 1.0})
    assert {probe.name: probe.graded for probe in probes}["repeat"] == 3


def test_answers_of_a_model_survive_an_interruption():
    asked: list[tuple[str, int]] = []

    def respond(prompt, repeat):
        asked.append((prompt.messages[-1].text, repeat))
        return [Message("assistant", "City 1")]

    stored: list[GradedAnswer] = []
    with compile_grader(EXACT) as compiled:
        with pytest.raises(RunInterrupted):
            grade_answers(
                compiled, rollouts(40, 1), respond=respond, keep=stored.extend,
                cancelled=lambda: len(asked) > 0,
            )  # fmt: skip
        assert len(asked) < 40
        asked.clear()
        grade_answers(compiled, rollouts(40, 1), respond=respond, done=stored)
    assert len(asked) == 40 - len(stored)


def test_no_answer_at_all_and_a_model_that_is_set_up_wrong():
    def broken(prompt, repeat):
        raise ValueError

    def refused(prompt, repeat):
        raise RftError("The key was refused.")

    with compile_grader(EXACT) as compiled:
        found = grade_answers(compiled, rollouts(), respond=broken)
        assert {one.error for one in found} == {"the model gave no answer: ValueError"}
        report = build_report(found)
        assert report.verdict == "NO_GO"
        assert "the model gave no answer" in report.reasons[0]
        assert (report.grader_quality, report.dataset_quality) == ("good", "good")
        with pytest.raises(RftError, match="refused"):
            grade_answers(compiled, rollouts(), respond=refused)
        with pytest.raises(InvalidArgument, match="respond"):
            grade_answers(compiled, rollouts())
        with pytest.raises(InvalidArgument, match="same record"):
            grade_answers(compiled, capitals() + capitals())


def test_answers_are_made_of_records(sqlite_workspace):
    dataset = sqlite_workspace.create("d")
    dataset.add_records(
        draft(f"A question of some length {i}", f"answer {i}", thread_id="t", item={"ref": i})
        for i in range(2)
    )
    records = {record.id: record for record in dataset.iterate()}
    prompts = [SampledPrompt(prompt_key="p", topic="x", record_ids=tuple(records))]
    found = make_answers(prompts, records)
    assert [(one.repeat, one.cluster, one.topic) for one in found] == [(0, "t", "x"), (1, "t", "x")]
    assert [one.item["ref"] for one in found] == [0, 1]
    assert [one.output[0].text for one in found if one.output] == ["answer 0", "answer 1"]
    anew = make_answers(prompts, records, rollouts=3)
    assert {(one.record_id, one.repeat, one.output) for one in anew} == {
        (next(iter(records)), k, None) for k in range(3)
    }
    with pytest.raises(NotFound, match="not in the dataset any more"):
        make_answers(prompts, {})
    with pytest.raises(InvalidArgument):
        make_answers(prompts, records, rollouts=0)


# Probes


def probed(grader, answers, **options):
    with compile_grader(grader) as compiled:
        found = grade_answers(compiled, answers)
        return {
            probe.name: probe for probe in run_probes(compiled, answers, found, **options)
        }, found


def python(body):
    return {"type": "python", "source": f"def grade(sample, item):\n    {body}\n"}


def test_a_good_grader_passes_every_probe():
    probes, found = probed(EXACT, capitals())
    assert {name: probe.passed for name, probe in probes.items()} == dict.fromkeys(
        ["empty", "echo", "refusal", "shuffled", "filler", "injection", "repeat"], True
    )
    assert {probe.graded for probe in probes.values()} == {8}
    report = build_report(found, probes=tuple(probes.values()))
    assert not [c for c in report.checks if c.name.startswith("probe") and c.level != "good"]


@pytest.mark.parametrize(
    ("body", "fooled"),
    [
        ("return 1.0", {"empty", "echo", "refusal", "shuffled", "filler", "injection"}),
        ("return float(len(sample['output_text']) > 9000)", {"filler"}),
        ("return float(not sample['output_text'])", {"empty"}),
        ("return float('1.0' in sample['output_text'])", {"injection"}),
        ("return float(sample['output_text'].startswith('City'))", {"shuffled"}),
        ("return float('sorry' in sample['output_text'])", {"refusal"}),
        ("return float('capital of country' in sample['output_text'])", {"echo"}),
        ("return 0.4 if sample['output_text'] else 0.5", {"empty"}),
    ],
)
def test_each_probe_finds_its_weakness(body, fooled):
    probes, found = probed(python(body), capitals(9), settings=ProbeSettings(records=9))
    assert {name for name, probe in probes.items() if probe.passed is False} == fooled
    report = build_report(found, probes=tuple(probes.values()))
    bad = {check.name for check in report.checks if check.level == "warn" and "probe" in check.name}
    assert bad == {f"probe_{name}" for name in fooled}
    assert report.verdict != "GO"
    assert report.grader_quality != "good"


def test_a_grader_that_rolls_dice_does_not_agree_with_itself():
    # Chance is seeded in the sandbox; what a grader keeps between samples is its own.
    source = "seen = [0]\ndef grade(sample, item):\n    seen[0] += 1\n    return 1 / seen[0]\n"
    probes, _ = probed({"type": "python", "source": source}, capitals())
    assert probes["repeat"].passed is False
    assert "differs" in probes["repeat"].sentence


def test_another_topic_is_preferred_and_equal_answers_are_no_strangers():
    body = "return float(sample['output_text'] == item['trap'])"
    rows = [
        answer(f"r{i}", f"Question number {i}", text, item={"trap": trap}, topic=topic)
        for i, (text, trap, topic) in enumerate(
            [("same", "far", "a"), ("same", "far", "a"), ("near", "far", "a"), ("far", "?", "b")]
        )
    ]
    probes, _ = probed(python(body), rows)
    assert (probes["shuffled"].value, probes["shuffled"].passed) == (0.75, False)
    alone, _ = probed(python(body), rows[:2])
    assert alone["shuffled"].passed is None
    assert "nothing to try it with" in alone["shuffled"].sentence


def test_probes_stop_when_cancelled():
    with compile_grader(EXACT) as compiled:
        found = grade_answers(compiled, capitals())
        with pytest.raises(RunInterrupted):
            run_probes(compiled, capitals(), found, cancelled=lambda: True)


def test_two_graders_on_the_same_answers():
    with compile_grader(EXACT) as strict, compile_grader(python("return 1.0")) as lenient:
        before, after = grade_answers(strict, capitals(30)), grade_answers(lenient, capitals(30))
    found = compare_runs(before, after)
    assert found.overall.difference.estimate == pytest.approx(1 / 3)
    assert found.overall.verdict == "improved"
    assert (found.matched, found.unscored, found.only_before, found.only_after) == (30, 0, 0, 0)
