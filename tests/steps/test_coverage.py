"""Coverage: every number against its definition, and against BANKING77."""

from __future__ import annotations

import sys
from collections import Counter

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rft_widgets.errors import ExtraRequired, InvalidArgument
from rft_widgets.model.coverage import CoverageReport, balance_band
from rft_widgets.steps.coverage import coverage_report, follow_targets, resolve_targets
from tests.steps import banking77


def report(counts: dict[str | None, int], **options) -> CoverageReport:
    return coverage_report([path for path in counts if path is not None], counts, **options)


def test_banking77() -> None:
    _, gold = banking77.load("train")
    found = report(dict(Counter(gold)))
    assert found.balance_score == pytest.approx(0.187, abs=5e-4)
    assert found.entropy == pytest.approx(0.992, abs=5e-4)
    assert found.balance_band == "Poor"
    assert found.uncategorized_records == 0


def test_a_report_by_hand() -> None:
    found = report({"A": 60, "B": 30, "C": 10, None: 25}, targets={"A": 40, "B": 40, "C": 20})
    rows = found.distribution
    assert found.total_records == 125
    assert found.categorized_records == 100
    assert found.uncategorized_percentage == pytest.approx(20)
    assert [rows[t].percentage for t in "ABC"] == [60, 30, 10]
    assert [rows[t].gap for t in "ABC"] == pytest.approx([-20, 10, 10])
    assert [rows[t].gap_records for t in "ABC"] == [-20, 10, 10]
    assert [rows[t].status for t in "ABC"] == ["over", "under", "under"]
    assert found.balance_score == pytest.approx(0.5 / 1.5)
    assert found.closeness == pytest.approx(0.8)


@pytest.mark.parametrize(
    ("count", "status"), [(55, "ok"), (56, "over"), (45, "ok"), (44, "under"), (50, "ok")]
)
def test_the_five_point_rule_spares_five_points(count: int, status: str) -> None:
    assert report({"A": count, "B": 100 - count}).distribution["A"].status == status


def test_exactly_five_points_are_ok_whatever_the_rounding() -> None:
    for total in range(20, 2000, 20):
        for target in (5.1, 33.3, 70.0):
            counts = {"A": total // 20 * 3, "B": total // 20 * 17}
            shares = {"A": target, "B": 100 - target}
            found = report(counts, targets=shares).distribution["A"]
            assert found.status == ("ok" if abs(target - 15) <= 5 else "under" if target > 20 else
                                    "over")  # fmt: skip
    assert report({"A": 3, "B": 17}, targets={"A": 20, "B": 80}).distribution["A"].status == "ok"


def test_balance() -> None:
    assert report({"A": 5, "B": 5}).balance_score == 1
    assert report({"A": 5, "B": 0}).balance_score == 0
    assert report({"A": 5}).balance_score == 1
    assert report({"A": 0, "B": 0}).balance_score is None
    assert report({"A": 9, "B": 0}, targets={"A": 100, "B": 0}).balance_score == 1
    assert report({}).balance_score is None
    assert [balance_band(score) for score in (0.6, 0.59, 0.4, 0.39, 0)] == [
        "Good", "Fair", "Fair", "Poor", "Poor",
    ]  # fmt: skip


@given(st.lists(st.integers(0, 500), min_size=1, max_size=12), st.integers(0, 50))
def test_bounds_and_sums(numbers: list[int], loose: int) -> None:
    counts: dict[str | None, int] = {f"t{i}": n for i, n in enumerate(numbers)} | {None: loose}
    found = report(counts)
    assert sum(one.count for one in found.topics) + loose == found.total_records
    if sum(numbers) == 0:
        assert found.balance_score is found.entropy is found.closeness is None
        return
    assert sum(one.percentage for one in found.topics) == pytest.approx(100)
    assert sum(one.target_percentage for one in found.topics) == pytest.approx(100)
    for value in (found.balance_score, found.entropy, found.closeness):
        assert value is not None
        assert 0 <= value <= 1
    assert found.balance_score == pytest.approx(min(numbers) / max(numbers))


def test_targets() -> None:
    assert resolve_targets(["A", "B"]) == {"A": 50, "B": 50}
    assert resolve_targets(["A", "B"], "traffic", {"A": 3, "B": 1, None: 9}) == {"A": 75, "B": 25}
    assert resolve_targets(["A", "B"], "traffic", {}) == {"A": 50, "B": 50}
    assert resolve_targets([]) == {}
    thirds = resolve_targets(["A", "B", "C"], {"A": 33.3, "B": 33.3, "C": 33.3})
    assert sum(thirds.values()) == pytest.approx(100)
    assert resolve_targets(["A", "B"], {"A": 100}) == {"A": 100, "B": 0}


@pytest.mark.parametrize(
    ("targets", "reason"),
    [
        ({"A": 60, "B": 50}, "sum to 110"),
        ({"A": 0.5, "B": 0.5}, "sum to 1,"),
        ({"A": 100, "X": 0}, "'X'"),
        ({"A": -10, "B": 110}, "'A' is -10"),
        ({"A": float("nan"), "B": 50}, "nan"),
        ({"A": "50", "B": 50}, "no number"),
        ({}, "sum to 0"),
        ("evenly", "'evenly'"),
    ],
)
def test_targets_that_are_refused(targets, reason: str) -> None:
    with pytest.raises(InvalidArgument, match=reason):
        resolve_targets(["A", "B"], targets)


def test_counts_under_no_leaf_are_uncategorised() -> None:
    found = coverage_report(["A"], {"A": 1, "Old/Leaf": 2, None: 3})
    assert found.uncategorized_records == 5
    with pytest.raises(InvalidArgument, match="negative"):
        coverage_report(["A"], {"A": -1})
    with pytest.raises(InvalidArgument, match="near-duplicates"):
        coverage_report(["A"], {"A": 1}, near_duplicates=3)


def test_what_if() -> None:
    found = report({"A": 80, "B": 20, None: 5}, near_duplicates=0.2)
    then = found.what_if({"B": 60})
    assert then.balance_score == 1
    assert then.total_records == 165
    assert then.near_duplicate_percentage == pytest.approx(100 * 21 / 165)
    assert found.balance_score == pytest.approx(0.25)
    assert found.what_if({}).topics == found.topics
    with pytest.raises(InvalidArgument, match="no topic 'C'"):
        found.what_if({"C": 1})
    with pytest.raises(InvalidArgument, match="-10"):
        found.what_if({"B": -30})


def test_targets_follow_an_edit() -> None:
    moved = {"A": "X", "B": "X", "C": None, "D": "D"}
    followed = follow_targets({"A": 10, "B": 30, "C": 20, "D": 40}, moved)
    assert followed == pytest.approx({"X": 50, "D": 50})
    assert follow_targets({"C": 100}, moved) == {}


def test_recommendations() -> None:
    counts = {"Big": 70, "Small": 5, "Mid": 25, "None": 0, None: 10}
    advice = report(counts, near_duplicates=0.12).recommendations
    assert advice == (
        "Add 20 records to 'Small': it has 5.0%, the target is 25.0%.",
        "1 topic is empty: 'None' (add 25). Generate records from descriptions, "
        "or remove what is not needed.",
        "10 records (9.1%) have no topic: categorise them, or add topics for them.",
        "'Big' has 70.0% of the records: split it, or add records to other topics.",
        "12.0% of the records nearly repeat another: remove them, or collect more varied ones.",
    )
    few = report({"A": 40, "B": 40}).recommendations
    assert few == (
        "There are 80 records in all; at least 100 are better for training.",
        "'A' has 50.0% of the records: split it, or add records to other topics.",
        "'B' has 50.0% of the records: split it, or add records to other topics.",
    )
    assert report(dict.fromkeys("ABC", 40), near_duplicates=0.1).recommendations == ()


def test_a_report_survives_the_wire() -> None:
    found = report({"A": 80, "B": 20, None: 5})
    assert msgspec.json.decode(msgspec.json.encode(found), type=CoverageReport) == found


def test_html_shows_every_number_and_escapes_names() -> None:
    html = report({"<script>x": 80, "B": 20, None: 5})._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;x" in html
    assert "0.25 (Poor)" in html
    assert "80.0%" in html
    assert "unknown" in report({"A": 0})._repr_html_()


def test_plot() -> None:
    matplotlib = pytest.importorskip("matplotlib", reason="needs the extra plots")
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    ax = report({"A $x$ $": 80, "B": 20}).plot()
    ax.figure.canvas.draw()
    assert len(ax.patches) == 2
    assert "Poor" in ax.get_title()
    _, own = plt.subplots()
    assert report({"A": 1}).plot(own) is own
    plt.close("all")


def test_plot_of_before_and_after() -> None:
    matplotlib = pytest.importorskip("matplotlib", reason="needs the extra plots")
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    before = report({"A": 80, "B": 20})
    ax = before.plot(after=before.what_if({"B": 60}))
    assert [bar.get_width() for bar in ax.patches] == [80, 20, 0, 60]
    assert ax.get_title() == "balance 0.25 (Poor) to 1.00 (Good)"
    assert list(ax.lines[0].get_xdata()) == [80, 80]
    plt.close("all")


def test_plot_names_the_extra(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ExtraRequired, match=r"rft-widgets\[plots\]"):
        report({"A": 1}).plot()
