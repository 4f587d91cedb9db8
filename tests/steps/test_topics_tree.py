"""Topic trees: what is allowed, and that every edit says where all records go."""

from __future__ import annotations

from collections import Counter

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rft_widgets.errors import InvalidArgument, NotFound, RftError
from rft_widgets.model.topic import TopicHierarchy, TopicNode, hierarchy, topic
from rft_widgets.steps.topics import tree as edits
from rft_widgets.steps.topics.tree import Edit

SHOP = hierarchy(
    [
        topic(
            "Billing",
            "Money",
            ["bill"],
            [topic("Refunds", "Money back", ["refund"]), topic("Invoices", "", ["invoice"])],
        ),
        topic("Orders", "", [], [topic("Tracking"), topic("Returns")]),
        topic("Other"),
    ],
    "template",
)


def test_ids_are_paths() -> None:
    assert SHOP.paths == (
        "Billing/Refunds", "Billing/Invoices", "Orders/Tracking", "Orders/Returns", "Other",
    )  # fmt: skip
    assert SHOP.depth == 2
    assert SHOP.find("Billing/Refunds").keywords == ("refund",)
    assert next(SHOP.walk()).id == "Billing"
    assert TopicHierarchy().depth == 0


def test_find_says_what_is_missing() -> None:
    with pytest.raises(NotFound, match="'Billing/Nothing'"):
        SHOP.find("Billing/Nothing")


@pytest.mark.parametrize("name", ["", " x", "x ", "a/b", "a\nb", "x" * 201])
def test_names_that_no_topic_can_have(name: str) -> None:
    with pytest.raises(InvalidArgument):
        hierarchy([topic(name)])


def test_siblings_differ_in_more_than_case() -> None:
    with pytest.raises(InvalidArgument, match="Two topics under 'A' are named 'b' and 'B'"):
        hierarchy([topic("A", children=[topic("b"), topic("B")])])
    with pytest.raises(InvalidArgument, match="Two topics at the top level"):
        hierarchy([topic("same"), topic("same")])
    hierarchy([topic("A", children=[topic("x")]), topic("B", children=[topic("x")])])


def test_depth_is_five_at_most() -> None:
    node = topic("5")
    for level in "4321":
        node = topic(level, children=[node])
    assert hierarchy([node]).depth == 5
    with pytest.raises(InvalidArgument, match="on level 6"):
        hierarchy([topic("0", children=[node])])


def test_an_id_that_is_not_the_path_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="has the id 'B'"):
        TopicHierarchy(topics=(TopicNode(id="B", name="A"),))
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(b'{"topics": [{"id": "a/b", "name": "a/b"}]}', type=TopicHierarchy)


def test_a_hierarchy_survives_the_store() -> None:
    again = msgspec.json.decode(msgspec.json.encode(SHOP), type=TopicHierarchy)
    assert again == SHOP


def test_add() -> None:
    edit = edits.add(SHOP, "Billing", "Fees", keywords=["fee"])
    assert edit.hierarchy.find("Billing/Fees").keywords == ("fee",)
    assert edit.changed == {}
    top = edits.add(SHOP, "", "Sales")
    assert top.hierarchy.paths[-1] == "Sales"
    with pytest.raises(InvalidArgument, match="Two topics"):
        edits.add(SHOP, "Billing", "refunds")
    with pytest.raises(NotFound):
        edits.add(SHOP, "Nowhere", "x")


def test_the_first_topic_below_a_leaf_leaves_its_records_beside_it() -> None:
    edit = edits.add(SHOP, "Other", "Press")
    assert edit.hierarchy.find("Other").children[1].name == "General"
    assert edit.changed == {"Other": "Other/General"}
    unlabelled = edits.add(SHOP, "Other", "Press", rest=None)
    assert unlabelled.changed == {"Other": None}
    assert [child.name for child in unlabelled.hierarchy.find("Other").children] == ["Press"]
    named_so = edits.add(SHOP, "Other", "General")
    assert named_so.changed == {"Other": "Other/General"}


def test_rename_takes_everything_below_along() -> None:
    edit = edits.rename(SHOP, "Billing", "Payments")
    assert edit.changed == {
        "Billing/Refunds": "Payments/Refunds",
        "Billing/Invoices": "Payments/Invoices",
    }
    assert edit.hierarchy.find("Payments").description == "Money"
    assert edits.rename(SHOP, "Other", "other").changed == {"Other": "other"}
    with pytest.raises(InvalidArgument):
        edits.rename(SHOP, "Other", "Billing")


def test_describe() -> None:
    edit = edits.describe(SHOP, "Other", description="The rest", keywords=["misc"])
    assert edit.hierarchy.find("Other").description == "The rest"
    assert edit.changed == {}


def test_move() -> None:
    edit = edits.move(SHOP, "Billing/Refunds", "Orders", position=0)
    assert edit.changed == {"Billing/Refunds": "Orders/Refunds"}
    assert edit.hierarchy.find("Orders").children[0].name == "Refunds"
    assert edits.move(SHOP, "Other", "", position=0).hierarchy.topics[0].name == "Other"
    under_leaf = edits.move(SHOP, "Orders", "Other")
    assert under_leaf.moved["Other"] == "Other/General"
    assert under_leaf.moved["Orders/Tracking"] == "Other/Orders/Tracking"


@pytest.mark.parametrize("parent", ["Billing", "Billing/Refunds"])
def test_no_topic_lies_below_itself(parent: str) -> None:
    with pytest.raises(InvalidArgument, match="below itself"):
        edits.move(SHOP, "Billing", parent)


def test_merge_leaves() -> None:
    edit = edits.merge(SHOP, ["Billing/Invoices", "Orders/Tracking", "Other"], name="All")
    assert {edit.moved[p] for p in ("Billing/Invoices", "Orders/Tracking", "Other")} == {
        "Billing/All"
    }
    assert edit.hierarchy.find("Billing/All").keywords == ("invoice",)


def test_merge_unites_what_lies_below() -> None:
    tree = hierarchy(
        [
            topic("A", children=[topic("x", keywords=["1"]), topic("y")]),
            topic("B", children=[topic("X", keywords=["2"]), topic("z")]),
            topic("C"),
        ]
    )
    edit = edits.merge(tree, ["A", "B", "C"])
    assert edit.hierarchy.paths == ("A/x", "A/y", "A/z", "A/General")
    assert edit.moved == {
        "A/x": "A/x", "A/y": "A/y", "B/X": "A/x", "B/z": "A/z", "C": "A/General",
    }  # fmt: skip
    assert edit.hierarchy.find("A/x").keywords == ("1", "2")


def test_merge_refuses_a_part_of_itself() -> None:
    with pytest.raises(InvalidArgument, match="is below 'Billing'"):
        edits.merge(SHOP, ["Billing", "Billing/Refunds"])
    with pytest.raises(InvalidArgument, match="Two topics are needed"):
        edits.merge(SHOP, ["Other", "Other"])


def test_delete() -> None:
    edit = edits.delete(SHOP, "Billing")
    assert edit.changed == {"Billing/Refunds": None, "Billing/Invoices": None}
    kept = edits.delete(SHOP, "Billing", into="Other")
    assert set(kept.changed.values()) == {"Other"}
    with pytest.raises(InvalidArgument, match="deleted, too"):
        edits.delete(SHOP, "Billing", into="Billing/Refunds")
    with pytest.raises(InvalidArgument, match="no leaf"):
        edits.delete(SHOP, "Billing", into="Orders")


def test_the_last_child_leaves_an_empty_leaf_behind() -> None:
    edit = edits.delete(edits.delete(SHOP, "Orders/Tracking").hierarchy, "Orders/Returns")
    assert "Orders" in edit.hierarchy.paths


def test_split() -> None:
    texts = [f"where is my parcel number {i}, the tracking says nothing" for i in range(12)]
    texts += [f"please cancel invoice {i} and send the money back" for i in range(12)]
    found = edits.split(SHOP, "Other", texts, parts=2)
    assert found.moved["Other"] is None
    assert len(set(found.assigned[:12])) == len(set(found.assigned[12:])) == 1
    assert found.assigned[0] != found.assigned[-1]
    assert set(found.assigned) == {node.id for node in found.hierarchy.find("Other").children}
    assert found == edits.split(SHOP, "Other", texts, parts=2)
    with pytest.raises(InvalidArgument, match="too few or too much alike"):
        edits.split(SHOP, "Other", ["same text"] * 20)
    with pytest.raises(InvalidArgument, match="only a leaf"):
        edits.split(SHOP, "Billing", texts)


def test_follow() -> None:
    assignments = {"1": "Billing/Refunds", "2": None, "3": "Other", "4": "Gone"}
    edit = edits.rename(SHOP, "Other", "Rest")
    assert edits.follow(assignments, edit.moved) == {
        "1": "Billing/Refunds", "2": None, "3": "Rest", "4": None,
    }  # fmt: skip


NAMES = st.sampled_from(["a", "b", "c", "d", "General"])


@st.composite
def trees(draw: st.DrawFn, levels: int = 3) -> tuple[TopicNode, ...]:
    names = draw(st.lists(NAMES, unique=True, max_size=3))
    return tuple(
        topic(name, keywords=[name], children=draw(trees(levels - 1)) if levels > 1 else ())
        for name in names
    )


def any_edit(data: st.DataObject, tree: TopicHierarchy) -> Edit | None:
    """One random edit; ``None`` when it is refused, as an error of our own."""
    paths = [node.id for node in tree.walk()] or ["none"]
    path, other = data.draw(st.sampled_from(paths)), data.draw(st.sampled_from(["", *paths]))
    name = data.draw(NAMES)
    rest = data.draw(st.sampled_from(["General", "Rest", None]))
    kind = data.draw(st.sampled_from(["add", "rename", "move", "merge", "delete", "describe"]))
    try:
        match kind:
            case "add":
                return edits.add(tree, other, name, rest=rest)
            case "rename":
                return edits.rename(tree, path, name)
            case "move":
                return edits.move(tree, path, other, rest=rest)
            case "merge":
                return edits.merge(tree, data.draw(st.lists(st.sampled_from(paths))), rest=rest)
            case "delete":
                return edits.delete(tree, path, into=data.draw(st.sampled_from([None, *paths])))
            case _:
                return edits.describe(tree, path, description=name)
    except RftError:
        return None


@settings(max_examples=300, deadline=None)
@given(trees(), st.data())
def test_assignments_always_lead_to_a_leaf_or_nowhere(
    nodes: tuple[TopicNode, ...], data: st.DataObject
) -> None:
    tree = hierarchy(nodes)
    assignments: dict[str, str | None] = {
        f"{path}:{i}": path for path in tree.paths for i in range(1 + len(path) % 3)
    }
    for _ in range(data.draw(st.integers(1, 4))):
        edit = any_edit(data, tree)
        if edit is None:
            continue
        assert set(edit.moved) == set(tree.paths)
        assert {path for path in edit.moved.values() if path} <= set(edit.hierarchy.paths)
        after = edits.follow(assignments, edit.moved)
        assert after.keys() == assignments.keys()
        before_counts, counts = Counter(assignments.values()), Counter(after.values())
        assert sum(counts.values()) == sum(before_counts.values())
        # Records of one leaf stay together, and none that was unlabelled gets a topic.
        for path in tree.paths:
            assert len({after[key] for key, was in assignments.items() if was == path}) <= 1
        assert counts[None] >= before_counts[None]
        tree, assignments = edit.hierarchy, after


@settings(max_examples=200, deadline=None)
@given(trees(), st.data())
def test_only_deleting_and_leaving_the_rest_unlabels(
    nodes: tuple[TopicNode, ...], data: st.DataObject
) -> None:
    tree = hierarchy(nodes)
    paths = [node.id for node in tree.walk()]
    if len(paths) < 2:
        return
    one, other = data.draw(st.permutations(paths))[:2]
    for edit in (
        lambda: edits.move(tree, one, other),
        lambda: edits.merge(tree, [one, other]),
        lambda: edits.rename(tree, one, data.draw(NAMES)),
        lambda: edits.add(tree, one, data.draw(NAMES)),
    ):
        try:
            moved = edit().moved
        except InvalidArgument:
            continue
        assert None not in moved.values()
