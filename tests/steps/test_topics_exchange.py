"""Topics as files: both forms, round trips, errors that name the place; and the templates."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rft_widgets.errors import ImportRejected, NotFound
from rft_widgets.model.topic import TopicNode, hierarchy, topic
from rft_widgets.steps.topics.exchange import carry_over, read_topics, topics_json
from rft_widgets.steps.topics.templates import template, template_names

FLAT = {
    "version": "1.0",
    "topics": {
        "Billing": {"description": "Money", "subtopics": ["Refunds", "Invoices"]},
        "Refunds": {"description": "Money back", "keywords": ["refund"], "parentTopic": "Billing"},
        "Orders": {"description": ""},
        "Tracking": {"description": "Where it is", "parentTopic": "Orders"},
    },
}


def read(value: Any) -> Any:
    return read_topics(json.dumps(value))


def test_flat_map() -> None:
    tree = read(FLAT)
    assert tree.paths == ("Billing/Refunds", "Billing/Invoices", "Orders/Tracking")
    assert tree.find("Billing/Refunds").keywords == ("refund",)
    assert tree.find("Billing/Invoices").description == ""
    assert tree.method == "import"


@pytest.mark.parametrize(
    "topics",
    [
        [{"name": "A", "description": "d", "keywords": ["k"], "children": [{"name": "B"}]}],
        {"A": {"description": "d", "keywords": ["k"], "children": [{"name": "B"}]}},
        {"A": {"description": "d", "keywords": ["k"], "children": {"B": {}}}},
        {"name": "A", "description": "d", "keywords": ["k"], "children": ["B"]},
        {"A": {"description": "d", "keywords": ["k"]}, "A/B": {}},
        {"A": {"description": "d", "keywords": ["k"], "subtopics": ["B"]}},
        {"B": {"parentTopic": "A"}, "A": {"description": "d", "keywords": ["k"]}},
    ],
)
def test_every_way_to_write_the_same_tree(topics: Any) -> None:
    wanted = hierarchy([topic("A", "d", ["k"], [topic("B")])], "import")
    assert read({"version": "1.0", "topics": topics}) == wanted
    assert read(topics) == wanted


def test_paths_make_the_topics_above_them() -> None:
    assert read({"topics": {"A/B/C": {}, "A/D": {}}}).paths == ("A/B/C", "A/D")


@pytest.mark.parametrize(
    ("topics", "place"),
    [
        ({"A": 3}, r"topics\.A is a number"),
        ({"A": {"keywords": ["x", 2]}}, r"topics\.A\.keywords\[1\] is a number"),
        ({"A": {"description": ["x"]}}, r"topics\.A\.description is a list"),
        ({"A": {"subtopics": "B"}}, r"topics\.A\.subtopics is text"),
        ({"A": {"parentTopic": "B"}}, r"topics\.A\.parentTopic names 'B'"),
        ({"A": {"parentTopic": "A"}}, r"topics\.A lies below itself: 'A' under 'A'"),
        (
            {"A": {"subtopics": ["B"]}, "B": {"subtopics": ["A"]}},
            r"topics\.A lies below itself: 'A' under 'B' under 'A'",
        ),
        (
            {"X": {"parentTopic": "A"}, "A": {"parentTopic": "B"}, "B": {"parentTopic": "A"}},
            r"topics\.A lies below itself: 'A' under 'B' under 'A'",
        ),
        (
            {"A": {"subtopics": ["C"]}, "B": {"subtopics": ["C"]}, "C": {}},
            r"topics\.B\.subtopics\[0\] puts 'C' under 'B', and it is under 'A' already",
        ),
        ([{"description": "no name"}], r"topics\[0\]\.name is missing"),
        ([{"name": "A", "children": [{"name": 7}]}], r"topics\[0\]\.children\[0\]\.name"),
        ([{"name": "A", "children": 4}], r"topics\[0\]\.children is a number"),
        ([{"name": "a/b"}], r"holds '/'"),
        ([{"name": "A"}, {"name": "a"}], r"Two topics at the top level"),
        ("text", r"topics is text"),
        (None, r"topics is missing"),
    ],
)
def test_errors_name_the_place(topics: Any, place: str) -> None:
    with pytest.raises(ImportRejected, match=place):
        read({"version": "1.0", "topics": topics})


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"topics": {"A": {}, "A": {}}}', "'A' stands twice"),
        ('{"topics": {', "Line 1, column"),
        ("", "Line 1, column 1"),
        ("{}", "has no topics"),
        ('{"version": "2.0", "topics": {}}', r"version is '2\.0'"),
        ('{"topics": {"A": NaN}}', "NaN"),
        (b"\xff\xfe", "UTF-8"),
        ("[" * 100_000, "nests too deep"),
        ('{"topics": {"\\ud800": {}}}', "."),
        (b" " * 10_000_001, "limit"),
    ],
)
def test_files_that_are_no_topics(text: str | bytes, reason: str) -> None:
    with pytest.raises(ImportRejected, match=reason):
        read_topics(text)


def test_deeper_than_five_levels_is_refused_with_its_place() -> None:
    nested: dict[str, Any] = {"name": "x"}
    for _ in range(5):
        nested = {"name": "x", "children": [nested]}
    with pytest.raises(ImportRejected, match="on level 6"):
        read([nested])
    chain = {str(i): {"parentTopic": str(i - 1)} if i else {} for i in range(6)}
    with pytest.raises(ImportRejected, match=r"topics\.5 is on level 6"):
        read({"topics": chain})


def test_bytes_with_a_byte_order_mark() -> None:
    assert read_topics(b'\xef\xbb\xbf{"topics": {"A": {}}}').paths == ("A",)


@st.composite
def trees(draw: st.DrawFn, levels: int = 4) -> tuple[TopicNode, ...]:
    names = draw(
        st.lists(
            st.sampled_from(["name", "topics", "children", "A", "B", "é", "General", "version"]),
            unique=True,
            max_size=3,
        )
    )
    return tuple(
        topic(
            name,
            draw(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)),
            draw(st.lists(st.sampled_from(["k", "two words", "ß"]), unique=True, max_size=2)),
            draw(trees(levels - 1)) if levels > 1 else (),
        )
        for name in names
    )


@settings(max_examples=200, deadline=None)
@given(trees(), st.sampled_from(["nested", "flat"]))
def test_round_trip(nodes: tuple[TopicNode, ...], form: Any) -> None:
    tree = hierarchy(nodes, "auto", 7)
    assert read_topics(topics_json(tree, form)) == tree


def test_import_keeps_assignments_where_it_can() -> None:
    before = hierarchy([topic("A", children=[topic("x"), topic("y"), topic("z")]), topic("w")])
    after = hierarchy([topic("A", children=[topic("x")]), topic("B", children=[topic("Y")])])
    assert carry_over(before, after) == {"A/x": "A/x", "A/y": "B/Y", "A/z": None, "w": None}


def test_templates_are_whole() -> None:
    assert template_names() == (
        "support", "coding_help", "education", "sales", "data_extraction", "general_assistant",
    )  # fmt: skip
    for name in template_names():
        tree = template(name)
        assert tree.method == "template"
        assert tree.depth == 2
        assert len(tree.topics) >= 6
        assert len(tree.leaves()) >= 20
        for node in tree.walk():
            assert node.description
            assert node.keywords
        assert min(len(leaf.keywords) for leaf in tree.leaves()) >= 3
        names = [leaf.name for leaf in tree.leaves()]
        assert len(names) == len(set(names)), name
    with pytest.raises(NotFound, match="support, coding_help"):
        template("nothing")
