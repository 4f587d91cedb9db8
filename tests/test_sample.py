"""The bundled sample: the same on every machine, true to its own facts, and read as promised."""

import hashlib
import json
import subprocess
import sys
from collections import Counter, defaultdict
from datetime import timedelta

import msgspec
import pytest

import rft_widgets as rft
from rft_widgets.model.message import message_from_json, tool_from_json
from rft_widgets.sample import sample_records, sample_spans, write_sample
from rft_widgets.sample.dialogues import chance, dialogues
from rft_widgets.sample.knowledge import DAYS, END, REQUIRED_ARGUMENTS
from rft_widgets.sample.phrasing import Quality, fill, topics
from rft_widgets.sample.slots import make_case

ITEM_KEYS = {
    "reference_answer", "required_facts", "forbidden", "expected_tool", "expected_arguments",
}  # fmt: skip
QUALITIES = Quality.__args__
INTENTS = [
    pytest.param(intent, id=name)
    for topic in topics()
    for name, intent in topic.intents.items()
]  # fmt: skip


@pytest.fixture(scope="module")
def records():
    return sample_records()


def truth(record, key):
    return record["metadata"][f"true_{key}"]


def user_texts(record):
    return [message["content"] for message in record["messages"] if message["role"] == "user"]


def prompt(record):
    return json.dumps([record["messages"][:-1], record.get("tools")], sort_keys=True)


def calls(record):
    for message in record["messages"]:
        for call in message.get("tool_calls", ()):
            yield call["function"]["name"], json.loads(call["function"]["arguments"])


# The same everywhere ----------------------------------------------------------------------------


def test_a_seed_gives_the_same_bytes_in_every_process(tmp_path):
    """Given other hash seeds and another time zone, then not a byte differs."""
    program = (
        "import sys; from rft_widgets.sample import write_sample\n"
        "write_sample(sys.argv[1] + '/a', 'otlp', n=60)\n"
        "write_sample(sys.argv[1] + '/b', 'jsonl', n=60)"
    )
    digests = set()
    for number, zone in enumerate(("UTC", "Pacific/Auckland")):
        folder = tmp_path / str(number)
        folder.mkdir()
        environment = {"PYTHONHASHSEED": str(number), "TZ": zone, "PYTHONPATH": ":".join(sys.path)}
        subprocess.run([sys.executable, "-c", program, folder], check=True, env=environment)
        written = (folder / "a").read_bytes() + (folder / "b").read_bytes()
        digests.add(hashlib.sha256(written).hexdigest())
    assert len(digests) == 1


def test_another_seed_gives_other_conversations(records):
    others = sample_records(seed=8)
    assert not {record["id"] for record in records} & {record["id"] for record in others}
    shared = {prompt(record) for record in records} & {prompt(record) for record in others}
    assert len(shared) < 0.03 * len(records)


def test_the_drawing_of_chance_itself_is_fixed():
    """Given a Python that draws in another way, then this says so before the data does."""
    rng = chance(7, "check")
    drawn = [rng.randint(0, 999), rng.choice("abcdef"), rng.sample(range(9), 3), rng.choices("xyz")]
    assert drawn == [510, "e", [2, 3, 4], ["z"]]


# What the texts say -----------------------------------------------------------------------------


@pytest.mark.parametrize("intent", INTENTS)
def test_answers_are_what_their_quality_says(intent):
    """Given any order, product and date, then facts and forbidden claims are where they belong."""
    rng = chance("check", intent.name)
    for _ in range(40):
        slots = make_case(rng, intent, END).slots
        facts = [fill(text, slots) for text in intent.facts]
        forbidden = [fill(text, slots).casefold() for text in intent.forbidden]
        told = {q: [fill(text, slots) for text in intent.answers(q)] for q in QUALITIES}
        for text in told["exact"] + told["rambling"]:
            assert all(fact in text for fact in facts), (facts, text)
            assert not [claim for claim in forbidden if claim in text.casefold()], text
        for quality in ("vague", "wrong", "over", "refuse"):
            for text in told[quality]:
                assert not all(fact in text for fact in facts), (quality, text)
        for text in told["over"]:
            assert [claim for claim in forbidden if claim in text.casefold()], text
        assert all(len(text) > 2 * max(map(len, told["exact"])) for text in told["rambling"])


@pytest.mark.parametrize("intent", INTENTS)
def test_questions_are_long_enough_and_of_many_kinds(intent):
    slots = make_case(chance("check", intent.name), intent, END).slots
    texts = [fill(text, slots) for text in (*intent.ask, *intent.terse, *intent.more)]
    assert len(set(texts)) == len(texts)
    assert len(intent.ask) >= 4
    assert all(len(text) >= 10 for text in texts), texts


def test_every_topic_has_a_dozen_phrasings_and_no_text_is_used_twice():
    seen = Counter()
    for topic in topics():
        asked = [text for intent in topic.intents.values() for text in intent.ask + intent.terse]
        assert len(asked) >= 24, topic.topic
        for intent in topic.intents.values():
            seen.update(text for quality in QUALITIES for text in intent.answers(quality))
            seen.update(intent.ask + intent.terse + intent.more)
    assert not [text for text, count in seen.items() if count > 1]


def test_no_template_leftovers(records):
    for record in records:
        for message in record["messages"][1:]:
            if message["role"] in ("user", "assistant") and message["content"] is not None:
                text = message["content"]
                assert "{" not in text, text
                assert "  " not in text, text
                assert " ." not in text.replace(" ..", ""), text
                assert text == text.strip(), text


# What the traffic looks like --------------------------------------------------------------------


def test_topics_are_uneven_and_not_given_away(records):
    counts = Counter(truth(record, "topic") for record in records)
    assert len(records) == 640
    assert len(counts) == 8
    assert max(counts.values()) > 4 * min(counts.values())
    assert counts["order status"] == 141
    assert counts["account & privacy"] == 26
    for record in records:
        assert "topic" not in record
        assert record.keys() <= {"id", "messages", "tools", "metadata"} | ITEM_KEYS


@pytest.mark.parametrize("n", [1, 8, 50, 333, 641])
def test_any_number_of_conversations(n):
    assert len(sample_records(n=n)) == n


def test_good_and_bad_answers_are_mixed_and_depend_on_the_topic(records):
    shares = defaultdict(Counter)
    for record in records:
        shares[truth(record, "topic")][truth(record, "quality") in ("exact", "rambling")] += 1
    good = {topic: count[True] / count.total() for topic, count in shares.items()}
    overall = sum(count[True] for count in shares.values()) / len(records)
    assert 0.45 < overall < 0.65
    assert good["warranty & repair"] < overall - 0.1
    assert all(0.25 < share < 0.8 for share in good.values()), good
    qualities = Counter(truth(record, "quality") for record in records)
    assert min(qualities[quality] for quality in QUALITIES) >= 20


def test_every_question_has_a_good_answer_somewhere_and_worse_ones_elsewhere(records):
    by_intent = defaultdict(Counter)
    for record in records:
        by_intent[truth(record, "intent")][truth(record, "quality")] += 1
    assert len(by_intent) == len(INTENTS)
    for name, count in by_intent.items():
        assert count["exact"] >= 1, name
        assert count.total() >= 5, name
        assert len(count) >= 3, name


def test_reference_answers_hold_their_facts_and_nothing_forbidden(records):
    for record in records:
        assert record["required_facts"]
        assert all(fact in record["reference_answer"] for fact in record["required_facts"])
        lowered = record["reference_answer"].casefold()
        assert not [claim for claim in record["forbidden"] if claim.casefold() in lowered]


def test_facts_and_the_expected_call_tell_the_good_answers_from_the_bad(records):
    for record in records:
        output = record["messages"][-1]
        text = output["content"] or ""
        called = next(calls({"messages": [output]}), (None, None))
        looks_good = (
            all(fact in text for fact in record["required_facts"])
            and not [claim for claim in record["forbidden"] if claim.casefold() in text.casefold()]
            and called == (record["expected_tool"], record["expected_arguments"])
        )
        is_good = truth(record, "quality") in ("exact", "rambling")
        assert looks_good == is_good, (truth(record, "quality"), record["required_facts"], text)


def test_tool_calls_are_well_formed_but_for_the_flawed_ones(records):
    flaws = Counter()
    called = Counter()
    for record in records:
        flaw = truth(record, "tool_flaw")
        flaws[flaw] += 1
        for name, arguments in calls(record):
            called[name] += 1
            complete = set(REQUIRED_ARGUMENTS[name]) <= arguments.keys()
            assert complete or flaw == "missing_arguments"
        output = record["messages"][-1]
        if flaw is None and "tool_calls" in output:
            ((name, arguments),) = [*calls({"messages": [output]})]
            assert (name, arguments) == (record["expected_tool"], record["expected_arguments"])
    assert min(called[name] for name in REQUIRED_ARGUMENTS) >= 8, called
    assert flaws["wrong_tool"] >= 10
    assert flaws["missing_arguments"] >= 10
    assert 0.1 < sum(any(calls(record)) for record in records) / len(records) < 0.35


def test_conversations_have_several_tones_and_turns(records):
    tones = Counter(record["metadata"]["tone"] for record in records)
    assert min(tones[tone] for tone in ("plain", "terse", "polite", "angry", "long", "typos")) >= 40
    several = sum(len(user_texts(record)) > 1 for record in records) / len(records)
    assert 0.25 < several < 0.5


def test_prompts_are_unique(records):
    texts = Counter("\n".join(user_texts(record)) for record in records)
    repeated = sum(count - 1 for count in texts.values())
    assert repeated <= 0.03 * len(records), texts.most_common(5)


def test_times_lie_in_the_days_before_the_end():
    at = [step.at for dialogue in dialogues(7, 640) for step in dialogue.steps]
    assert END - timedelta(days=DAYS) <= min(at) < END - timedelta(days=DAYS - 2)
    assert END - timedelta(days=3) < max(at) < END


# Read by the package ----------------------------------------------------------------------------


def test_the_chat_file_imports_with_the_counts_that_it_says(tmp_path, sqlite_workspace):
    written = write_sample(tmp_path / "support.jsonl", "jsonl")
    dataset = sqlite_workspace.create_from_file(written.path)
    health = dataset.health
    counts = written.counts
    assert counts == {"valid": 640, "invalid": 18, "duplicates": 4, "refused": 2}
    assert written.lines == 660
    assert (health.total, health.valid, health.invalid) == (658, 640, 18)
    assert (health.duplicates, health.refused_lines) == (4, 2)
    assert health.errors_by_code == {
        "duplicate": 4,
        "empty_user_message": 4,
        "user_message_too_short": 4,
        "orphan_tool_result": 3,
        "invalid_role": 3,
    }
    for record in dataset.iterate():
        assert record.item.keys() == ITEM_KEYS
        assert record.topic is None


@pytest.mark.parametrize("n", [10, 40, 100, 1000])
def test_small_and_large_chat_files_say_what_is_in_them(tmp_path, sqlite_workspace, n):
    written = write_sample(tmp_path / "support.jsonl", "jsonl", n=n, seed=n)
    health = sqlite_workspace.create_from_file(written.path).health
    assert (health.valid, health.invalid) == (n, written.counts["invalid"])
    assert health.refused_lines == written.counts["refused"]
    assert health.duplicates == written.counts["duplicates"]


def test_the_exports_are_read_to_the_traces_and_losses_that_the_file_says(tmp_path):
    written = write_sample(tmp_path / "support.otlp.jsonl")
    source = rft.open_traces(written.path)
    report = source.losses
    counts = dict(written.counts)
    assert source.format == "otel_genai"
    assert counts.pop("threads") == 640
    assert counts.pop("traces") == report.traces == source.count()
    assert counts.pop("other_spans") == report.other_spans
    assert counts == report.by_code == {"failed_call": 8, "no_content": 7, "unsupported_call": 7}
    assert report.partial == 0
    assert written.lines == sum(1 for _ in sample_spans())


def test_the_exports_hold_the_same_conversations_as_the_records(tmp_path, records):
    """Given the last turn of each thread, then it is the record, word for word."""
    written = write_sample(tmp_path / "support.otlp.jsonl")
    drafts = rft.open_traces(written.path).to_records("last_turn_per_thread")
    by_thread = {draft.thread_id: draft for draft in drafts}
    assert len(by_thread) == len(records)
    for record in records:
        draft = by_thread[record["metadata"]["thread_id"]]
        messages = tuple(message_from_json(message) for message in record["messages"])
        tools = tuple(tool_from_json(tool) for tool in record.get("tools", ()))
        assert said(draft.input.messages + draft.output.messages) == said(messages)
        assert draft.input.tools == tools
        assert draft.item == {key: record[key] for key in ITEM_KEYS}
        for key in ("topic", "intent", "quality"):
            assert draft.metadata[f"true_{key}"] == truth(record, key)


def said(messages):
    return [
        msgspec.structs.replace(message, content=message.content or None) for message in messages
    ]


def test_an_unknown_format_is_named(tmp_path):
    with pytest.raises(rft.RftError, match="no format 'csv'"):
        write_sample(tmp_path / "support.csv", "csv")


def test_every_model_call_of_the_exports_has_the_fields_for_graders(tmp_path):
    written = write_sample(tmp_path / "support.otlp.jsonl")
    drafts = list(rft.open_traces(written.path).to_records())
    assert len(drafts) == written.counts["traces"]
    for draft in drafts:
        assert draft.item.keys() == ITEM_KEYS
        assert draft.item["expected_tool"] in {None, *REQUIRED_ARGUMENTS}
