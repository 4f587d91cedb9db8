"""The pattern of traces: made ones whose pattern is known, and the real ones of the test data."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rft_widgets.errors import InvalidArgument
from rft_widgets.model.message import (
    FunctionCall,
    FunctionDefinition,
    Message,
    Tool,
    ToolCall,
)
from rft_widgets.model.pattern import CommonPrompt, ModelShare, ToolPattern
from rft_widgets.model.trace import Choice, Trace, Usage
from rft_widgets.traces import pattern
from rft_widgets.traces.heavy_counts import HeavyCounts
from rft_widgets.traces.naming import role_of
from rft_widgets.traces.pattern import detect_pattern
from rft_widgets.traces.prompt_template import find_template


def trace(system=None, user="What is a fork in chess?", answer=None, calls=(), **fields):
    messages = [Message("system", system)] if system is not None else []
    asked = [user] if isinstance(user, str) else user
    messages += [Message("user", each) for each in asked]
    choices = ()
    if answer is not None or calls:
        made = tuple(ToolCall("function", "c", FunctionCall(name, "{}")) for name in calls)
        choices = (Choice(Message("assistant", answer, tool_calls=made), "stop"),)
    return Trace(
        format="test", location="line 1", messages=tuple(messages), choices=choices, **fields
    )


def tool(name, description=None):
    return Tool("function", FunctionDefinition(name, description))


def labels(found):
    return {each.label: each.share for each in found.capabilities}


def test_no_traces():
    with pytest.raises(InvalidArgument, match="no traces"):
        detect_pattern([])


def test_chess_tutor_with_tools():
    engine, book = tool("engine", "Best move"), tool("book", "Opening book")
    tutor = "You are a chess tutor. Explain every move."
    traces = [
        trace(tutor, calls=["engine"], tools=(engine, book), model="gpt-4o"),
        trace(tutor, ["Hello there", "And now?"], tools=(engine, book), model="gpt-4o"),
        trace(tutor, answer="Nf3", tools=(engine,), model="gpt-4o-mini"),
        trace("You are a poet.", answer="Roses", model="gpt-4o"),
    ]
    found = detect_pattern(traces)
    assert found.traces == 4
    assert found.title == "Chess tutor: requests with tools"
    assert found.suggested_name == "Chess tutor"
    assert found.suggested_objective == (
        "Improve answers as a chess tutor: answer correctly and to the point, call the right tools "
        "with the right arguments."
    )
    assert found.system_prompt == CommonPrompt(
        text=tutor, share=0.75, is_template=False, distinct=2
    )
    assert found.tools == (
        ToolPattern(name="engine", description="Best move", offered_share=0.75, called_share=0.25),
        ToolPattern(name="book", description="Opening book", offered_share=0.5, called_share=0.0),
    )
    assert found.tool_count == 2
    assert found.models == (
        ModelShare(name="gpt-4o", share=0.75),
        ModelShare(name="gpt-4o-mini", share=0.25),
    )
    assert labels(found) == {"Tool calling": 0.75, "Multi-turn": 0.25}


@pytest.mark.parametrize(
    ("prompt", "role"),
    [
        ("You are a chess tutor.", "chess tutor"),
        ("Hi. You are an expert in tax law, with years of practice.", "expert in tax law"),
        ("You are a helpful and friendly cooking coach who loves pasta", "cooking coach"),
        ("You are ChefBot, a cooking assistant for beginners.", "cooking assistant for beginners"),
        ("Act as a senior SQL reviewer: be strict.", "senior SQL reviewer"),
        ("You are a helpful assistant that answers cooking questions.",
         "assistant that answers cooking questions"),
        ("You are a helpful assistant.", None),
        ("You are an AI assistant", None),
        ("You are not allowed to answer.", None),
        ("If you are in doubt, ask.", None),
        ("You are {…}.", None),
        ("Answer in French.", None),
        ("", None),
    ],
)  # fmt: skip
def test_role_of_a_prompt(prompt, role):
    assert role_of(prompt) == role


@pytest.mark.parametrize(
    ("traces", "name"),
    [
        ([trace("Be brief.", tools=(tool("get_weather"),))], "Assistant with get_weather"),
        (
            [trace(tools=(tool("a"), tool("b"), tool("c")))],
            "Assistant with a and 2 more tools",
        ),
        (
            [trace(user="Where is my refund?"), trace(user="Refund for my broken parcel")],
            "Refund, broken, parcel",
        ),
        ([trace(user="??", model="gpt-4o")], "Chats with gpt-4o"),
        ([trace(user="??")], "Recorded chats"),
        ([trace("You are a poet.", user="??"), *[trace(user="??")] * 9], "Recorded chats"),
    ],
)
def test_names_when_there_is_no_role(traces, name):
    found = detect_pattern(traces)
    assert found.suggested_name == name
    assert found.suggested_objective.startswith("Improve answers ")
    assert found.title.startswith(name)


PASSAGE = "Knights move in the shape of an L. " * 20
IMAGE = Message("user", ({"type": "image_url", "image_url": {"url": "https://x.org/a.png"}},))


@pytest.mark.parametrize(
    ("one", "label"),
    [
        (trace(tools=(tool("f"),)), "Tool calling"),
        (trace(calls=["f"]), "Tool calling"),
        (trace(user=["One question", "Another one"]), "Multi-turn"),
        (trace(answer='{"move": "e4"}'), "JSON output"),
        (trace(answer='```json\n["e4"]\n```'), "JSON output"),
        (trace(params={"response_format": {"type": "json_schema"}}), "JSON output"),
        (trace(params={"text": {"format": {"type": "json_object"}}}), "JSON output"),
        (trace(answer="Try:\n```python\nprint(1)\n```\n"), "Code"),
        (trace(user=f"<context>{PASSAGE}</context> How do knights move?"), "Retrieval context"),
        (trace(user=f"Answer from this.\n\nSources:\n{PASSAGE}"), "Retrieval context"),
        (Trace(format="test", location="1", messages=(IMAGE,)), "Vision"),
        (trace(user="a" * 32_000), "Long context"),
        (trace(usage=Usage(reasoning_tokens=64)), "Reasoning"),
        (trace(user="¿Cómo puedo ver el saldo de la tarjeta que tengo?"), "Non-English"),
        (trace(user="クレジットカードの残高を教えてください"), "Non-English"),
    ],
)
def test_capabilities(one, label):
    assert labels(detect_pattern([one])) == {label: 1.0}


@pytest.mark.parametrize(
    "one",
    [
        trace(answer="Play e4."),
        trace(answer="[see above]"),
        trace(answer='```json\n{"broken\n```'),
        trace(user="Context: none. What now?"),
        trace(user="Please explain el niño to me in the simplest words"),
        trace(usage=Usage(reasoning_tokens=0)),
    ],
)
def test_no_capability_without_its_sign(one):
    assert labels(detect_pattern([one])) == {}


def test_rare_capabilities_are_left_out():
    traces = [trace(answer="Play e4.")] * 20 + [trace(answer="{}")]
    assert labels(detect_pattern(traces)) == {}
    assert labels(detect_pattern(traces[1:])) == {"JSON output": 0.05}


def test_prompts_that_differ_in_parts_give_a_template():
    names = ["Ada Lovelace", "Bob", "Carol of Norwich", "Dan", "Eve"]
    traces = [
        trace(f"You are a support agent for Acme. The customer is {name}, plan {plan}. Be polite.")
        for name in names
        for plan in ("gold", "free tier")
    ] + [trace("Write poems about the sea and its many moods."), trace()]
    found = detect_pattern(traces)
    assert found.system_prompt == CommonPrompt(
        text="You are a support agent for Acme. The customer is {…}, plan {…}. Be polite.",
        share=10 / 12,
        is_template=True,
        distinct=11,
    )
    assert found.suggested_name == "Support agent for Acme"


def test_template_needs_something_in_common():
    assert (
        find_template([("Translate into French now.", 1), ("Grade this essay, please!", 1)]) is None
    )
    assert find_template([("The very same prompt, word by word.", 3)]) is None
    words = ["of", "the", "and", "in", *(f"word{i}" for i in range(100))]
    passages = [" ".join(random.Random(i).choices(words, k=80)) for i in range(9)]
    text, covers = find_template(
        [(f"Answer only from this document: {each}. Say if it is not there.", 1)
         for each in passages]
    )  # fmt: skip
    assert text == "Answer only from this document: {…}. Say if it is not there."
    assert covers("Answer only from this document: anything. Say if it is not there.")
    assert not covers("Answer only from this document: anything.")


def test_counts_are_exact_up_to_the_limit_and_hold_what_is_frequent_beyond():
    few = HeavyCounts(3)
    for text in ("a", "b", "a", "c"):
        few.add(text)
    assert few.is_exact
    assert few.ranked() == [("a", 2), ("b", 1), ("c", 1)]
    values = ["often"] * 3000 + ["sometimes"] * 1500 + [f"once {i}" for i in range(20_000)]
    rankings = []
    for seed in range(3):
        random.Random(seed).shuffle(values)
        many = HeavyCounts(100)
        for value in values:
            many.add(value)
        assert many.distinct == 100
        rankings.append(many.ranked())
    assert rankings[0] == rankings[1] == rankings[2]
    assert [text for text, _ in rankings[0]] == ["often", "sometimes"]
    assert rankings[0][0][1] == pytest.approx(3000, abs=10)


def test_more_prompts_than_are_kept(monkeypatch):
    monkeypatch.setattr(pattern, "MAX_DISTINCT_PROMPTS", 50)
    monkeypatch.setattr(pattern, "SAMPLED_PROMPTS", 20)
    varied = [trace(f"You are a support agent for Acme. Ticket {i} is open. Be kind.")
              for i in range(400)]  # fmt: skip
    templates = set()
    for seed in range(3):
        random.Random(seed).shuffle(varied)
        templates.add(detect_pattern(varied).system_prompt)
    assert templates == {
        CommonPrompt(
            text="You are a support agent for Acme. Ticket {…} is open. Be kind.",
            share=1.0,
            is_template=True,
            distinct=50,
        )
    }
    one = [trace("You are a chess tutor, and nothing else at all.")] * 600
    both = varied + one
    results = set()
    for seed in range(3):
        random.Random(seed).shuffle(both)
        results.add(detect_pattern(both).system_prompt)
    (prompt,) = results
    assert prompt.text == "You are a chess tutor, and nothing else at all."
    assert prompt.share == pytest.approx(0.6, abs=0.01)


TEXTS = st.sampled_from(
    ["", "You are a chess tutor.", "You are a helpful assistant.", "{…}", "Where is my refund?",
     "¿Dónde está?", "```python\nx\n```", '{"a": 1}']
) | st.text(max_size=40)  # fmt: skip
TRACES = st.builds(
    trace,
    system=st.none() | TEXTS,
    user=TEXTS | st.lists(TEXTS, max_size=3),
    answer=st.none() | TEXTS,
    calls=st.lists(st.sampled_from(["f", "g"]), max_size=2),
    tools=st.lists(st.sampled_from([tool("f", "d"), tool("g"), Tool("web_search")])).map(tuple),
    model=st.none() | st.sampled_from(["gpt-4o", "o3"]),
)


@settings(deadline=None)
@given(st.lists(TRACES, min_size=1, max_size=12), st.randoms(use_true_random=False))
def test_the_order_of_traces_means_nothing(traces, order):
    found = detect_pattern(traces)
    shuffled = list(traces)
    order.shuffle(shuffled)
    assert detect_pattern(iter(shuffled)) == found
    assert found.title
    assert found.suggested_name
    assert found.suggested_objective
    shares = [
        *(each.share for each in found.capabilities),
        *(each.offered_share for each in found.tools),
        *(each.called_share for each in found.tools),
        *([found.system_prompt.share] if found.system_prompt else []),
    ]
    assert all(0 <= share <= 1 for share in shares)


@pytest.mark.parametrize(
    ("path", "name", "capability"),
    [
        ("traces/openllmetry_0.62.otlp.jsonl", "get_current_weather", "Tool calling"),
        ("traces/openinference_0.1.66.spans.jsonl", "get_current_weather", "Tool calling"),
        ("traces/eval_protocol_function_calling.jsonl", "get_weather", "Tool calling"),
        ("datasets/azure_toolcall/stock_toolcall_training.jsonl", "get_current_stock_price",
         "Tool calling"),
        ("datasets/azure_rft_countdown/countdown_valid_50.jsonl",
         "Expert in arithmetic problem solving", None),
    ],
)  # fmt: skip
def test_real_traces(data, path, name, capability):
    source = pytest.importorskip("rft_widgets.traces.source")
    traces = list(source.open_traces(data / path))
    found = detect_pattern(traces)
    assert found.traces == len(traces) > 0
    assert name in found.suggested_name
    assert capability is None or capability in labels(found)
    random.Random(1).shuffle(traces)
    assert detect_pattern(traces) == found
