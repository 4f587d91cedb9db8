"""A recorded answer given to somebody else: what changes, what stays, and what is not given."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from builders import assistant, call, tool_message, user

from rft_widgets.model.message import Message, message_from_json
from rft_widgets.model.record import RecordInput
from rft_widgets.trainers.local.adapt import adapt
from rft_widgets.trainers.local.conversation import read_conversation, shape, state_of, tokens_of
from rft_widgets.trainers.local.pool import Pool, PoolEntry, first_answer
from rft_widgets.trainers.local.slots import known_names, make_template, without_salutation

Json = dict[str, Any]


def messages(*said: Json) -> list[Message]:
    return [message_from_json(one) for one in said]


def given(
    own: list[Json], answer: Json, new: list[Json], known: list[tuple] = ()
) -> Message | None:
    """The answer to one conversation as it is given in another; ``known`` are earlier calls."""
    conversation = read_conversation(messages(*own))
    read = message_from_json(answer)
    pairs = [(message_from_json(a), read_conversation(messages(*c))) for c, a in known]
    names = known_names([*pairs, (read, conversation)])
    template = make_template(read, conversation, names)
    if template is None:
        return None
    adapted = adapt(template, read_conversation(messages(*new)), names, "key")
    return adapted and adapted.message


def text(own: str, answer: str, new: str) -> str | None:
    message = given([user(own)], assistant(answer), [user(new)])
    return None if message is None else message.text


def looked_up(question: str, **result: Any) -> list[Json]:
    return [
        user(question),
        assistant(None, tool_calls=[call("c1", "lookup_order", '{"order_id": "x"}')]),
        tool_message("c1", json.dumps(result)),
    ]


def calling(name: str, lead: str | None = None, **arguments: Any) -> Json:
    return assistant(lead, tool_calls=[call("old", name, json.dumps(arguments))])


@pytest.mark.parametrize(
    ("own", "answer", "new", "expected"),
    [
        ("Where is LF-48213?", "I check LF-48213.", "Status of LF-50001 pls", "I check LF-50001."),
        ("where is lf-48213", "I check LF-48213.", "Status of LF-50001", "I check LF-50001."),
        # A fact of the shop that its customer did not say stays.
        ("How long do I have?", "You have 30 days.", "Can I return it?", "You have 30 days."),
        ("How?", "Write to help@shop.example.", "Where?", "Write to help@shop.example."),
        # Nothing to fill the slot with.
        ("Where is LF-48213?", "I check LF-48213.", "Where is my order?", None),
        # An order number is no return number.
        ("Where is LF-48213?", "I check LF-48213.", "What about RT-50001?", None),
        # The bare number is the same order.
        ("order 48213?", "I check LF-48213.", "order LF-50001?", "I check LF-50001."),
        ("order 48213?", "I check LF-48213.", "order what?", None),
        ("I'm a@b.example", "Sent to a@b.example.", "I'm c@d.example", "Sent to c@d.example."),
        ("I'm a@b.example", "Sent to a@b.example.", "I have no mail", None),
        # A small number stands for itself.
        ("Is the Skarn 2 light?", "The Skarn 2 has 2.1 kg.", "Weight of a Skarn 2?",
         "The Skarn 2 has 2.1 kg."),
        ("Is the Skarn 2 light?", "The Skarn 2 has 2.1 kg.", "Is the Skarn 3 light?", None),
        ("Is LF-1234 or LF-5678 first?", "LF-5678, then LF-1234.", "LF-1111 or LF-2222?",
         "LF-2222, then LF-1111."),
        ("Is LF-1234 or LF-5678 first?", "LF-5678, then LF-1234.", "Only LF-1111", None),
        ("I'm Marta", "Dear Marta,\n\nYes.", "Hello, may I?", "Hello,\n\nYes."),
        ("May I?\nRuth", "Yes, Ruth, you may.", "May I, too?", None),
    ],
)  # fmt: skip
def test_texts(own, answer, new, expected):
    assert text(own, answer, new) == expected


def test_values_of_a_tool_result_are_filled_by_their_key():
    own = looked_up(
        "Where is LF-48213?", order_id="LF-48213", status="shipped", carrier="Postroute",
        tracking="P1234567890", shipped_on="2026-05-09", estimated_delivery="2026-05-14",
    )  # fmt: skip
    new = looked_up(
        "eta of LF-50001", order_id="LF-50001", status="shipped", carrier="Nordpak",
        tracking="S9876543210", shipped_on="2026-05-30", estimated_delivery="2026-06-02",
    )  # fmt: skip
    answer = assistant(
        "LF-48213 left on 9 May with Postroute (P1234567890) and comes by May 14. It was shipped."
    )
    found = given(own, answer, new)
    assert found is not None
    assert found.text == (
        "LF-50001 left on 30 May with Nordpak (S9876543210) and comes by June 2. It was shipped."
    )


@pytest.mark.parametrize("spelled", ["14 May", "May 14", "14 May 2026", "14th of May", "2026-05-14",
                                     "14.05.2026", "14 May.", "14th May"])  # fmt: skip
def test_a_day_is_spelled_as_it_was(spelled):
    own = looked_up("When?", eta="2026-05-14T10:00:00Z")
    found = given(own, assistant(f"It comes {spelled}"), looked_up("When?", eta="2027-05-21"))
    assert found is not None
    swapped = spelled.replace("14th", "21st").replace("14", "21").replace("2026", "2027")
    assert found.text == f"It comes {swapped}"


def test_a_result_without_the_key_gives_no_answer():
    own = looked_up("In stock?", in_stock=0, next_delivery="2026-05-14")
    assert given(own, assistant("Back on 14 May."), looked_up("Stock?", in_stock=12)) is None


def test_numbers_of_a_result_do_not_touch_longer_ones():
    own = looked_up("Is the Skarn 2 tent there?", product="Skarn 2 tent", in_stock=2)
    new = looked_up("Is the Tor 45 there?", product="Tor 45 backpack", in_stock=17)
    found = given(own, assistant("We have 2 of the Skarn 2 tent, at 2.50 off, 20 in May."), new)
    assert found is not None
    assert found.text == "We have 17 of the Tor 45 backpack, at 2.50 off, 20 in May."


def test_the_shorter_list_says_what_a_value_is():
    own = looked_up("Where?", items=["Ember stove", "Gale jacket"], missing=["Gale jacket"])
    new = looked_up("Where?", items=["Tor bag", "Brook filter", "Mat"], missing=["Brook filter"])
    found = given(own, assistant("The Gale jacket comes later."), new)
    assert found is not None
    assert found.text == "The Brook filter comes later."


def test_a_tool_call_gets_the_new_order_number_and_a_new_id():
    found = given(
        [user("Where is LF-48213?")],
        calling("lookup_order", "Checking LF-48213.", order_id="LF-48213", limit=5, fast=True),
        [user("status LF-50001 pls")],
    )
    assert found is not None
    (made,) = found.tool_calls
    assert json.loads(made.function.arguments) == {"order_id": "LF-50001", "limit": 5, "fast": True}
    assert found.text == "Checking LF-50001."
    assert made.id != "old"


def test_a_number_in_json_stays_a_number():
    found = given([user("order 48213")], calling("f", order=48213), [user("order 50001 please")])
    assert found is not None
    assert json.loads(found.tool_calls[0].function.arguments) == {"order": 50001}


@pytest.mark.parametrize(
    "arguments",
    [
        {"order_id": "LF-99999"},
        {"order": 99999},
        {"mail": "x@y.example"},
        {"a": [{"b": "no 99999"}]},
    ],
)
def test_a_call_about_an_order_that_nobody_named_is_never_given(arguments):
    own, new = [user("Where is my parcel?")], [user("Where is LF-50001?")]
    assert given(own, calling("lookup_order", **arguments), new) is None


def test_names_that_tools_take_from_conversations_are_found_in_others():
    known = [
        ([user("Do you have the Heather base layer in XL?")],
         calling("check_stock", product="Heather base layer", size="XL")),
        ([user("Is the Gale shell there?")], calling("check_stock", product="Gale shell")),
    ]  # fmt: skip
    found = given(
        [user("Is the Gale shell jacket there in M?")],
        calling("check_stock", "I look for the Gale shell jacket.", product="Gale shell jacket",
                size="M"),
        [user("the heather base layer in XL?")],
        known,
    )  # fmt: skip
    assert found is not None
    assert json.loads(found.tool_calls[0].function.arguments) == {
        "product": "Heather base layer",
        "size": "XL",
    }
    assert found.text == "I look for the Heather base layer."
    assert given(
        [user("Is the Gale shell jacket there in M?")],
        calling("check_stock", product="Gale shell jacket", size="M"),
        [user("Is the heather base layer there?")],  # no size
        known,
    ) is None  # fmt: skip


def test_arguments_without_slots_keep_their_very_text():
    raw = '{ "kind":"status",  "unit": "metric" }'
    found = given([user("How?")], assistant(None, tool_calls=[call("c", "f", raw)]), [user("And?")])
    assert found is not None
    assert found.tool_calls[0].function.arguments == raw


@pytest.mark.parametrize("raw", ["", "not JSON", "[1, 2]", "null", "{", '"LF-48213"'])
def test_arguments_of_any_kind_do_not_break(raw):
    answer = assistant("LF-48213", tool_calls=[call("c", "f", raw)])
    found = given([user("LF-48213?")], answer, [user("LF-50001?")])
    assert found is not None
    assert "48213" not in found.tool_calls[0].function.arguments


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Dear Sofia,\nyes", "Hello,\nyes"),
        ("Hi Jean-Luc Picard! Yes", "Hi! Yes"),
        ("Good morning Dr. Who, yes", "Good morning, yes"),
        ("Hello there, yes", "Hello there, yes"),
        ("Hi! Yes", "Hi! Yes"),
        ("Yes. Dear Sofia, no", "Yes. Dear Sofia, no"),
    ],
)
def test_salutations(text, expected):
    assert without_salutation(text) == expected


def test_tokens_and_their_form():
    assert tokens_of("LF-48213, (a.b@c.example)! 2.1 kg, 1,000.50 and EU 39.") == [
        "LF-48213", "a.b@c.example", "2.1", "1,000.50", "39",
    ]  # fmt: skip
    assert shape("LF-48213") == shape("lf-1") == "lf-9"
    assert shape("RT-48213") != shape("LF-48213")


def test_states_tell_situations_apart():
    delayed = RecordInput(tuple(messages(*looked_up("?", status="delayed", left=0))))
    shipped = RecordInput(tuple(messages(*looked_up("?", status="shipped", left=3))))
    asked = RecordInput(tuple(messages(user("?"))))
    assert "value:status=delayed" in state_of(delayed)
    assert "result:lookup_order" in state_of(shipped)
    assert "value:left=none" in state_of(delayed)
    assert not state_of(asked) & state_of(shipped)


def test_nothing_of_its_customer_is_left_in_any_answer_of_the_sample(sample_records):
    """Every answer of the sample, given in other conversations of its kind, is clean."""
    entries = [
        PoolEntry(r.id, r.input, answer, r.topic)
        for r in sample_records
        if (answer := first_answer(r)) is not None
    ]
    pool = Pool(entries)
    texts = [" ".join(m.text for m in e.input.messages) for e in entries]
    own_values = [set(re.findall(r"LF-\d{5}|RT-\d{5}|[PNS]\d{10}", text)) for text in texts]
    made = 0
    for i, entry in enumerate(entries):
        template = pool.template(i)
        if template is None:
            continue
        for j in range(i % 7, len(entries), 41):
            if own_values[i] & own_values[j]:
                continue  # the same conversation
            adapted = adapt(template, pool.conversation(j), pool.names, "k")
            if adapted is None:
                continue
            made += 1
            calls = [c.function.arguments for c in adapted.message.tool_calls]
            said = " ".join([adapted.message.text, *calls])
            assert not own_values[i] & set(re.findall(r"LF-\d{5}|RT-\d{5}|[PNS]\d{10}", said)), (
                entry.record_id, j, said,
            )  # fmt: skip
    assert made > 5_000
