"""A training report as HTML and as a chart."""

from __future__ import annotations

import msgspec
import pytest

from rft_widgets.model.training import TrainingReport


def test_the_page_says_what_the_report_says(trained):
    _, outcome, _ = trained
    report = outcome.report
    html = report._repr_html_()
    assert report.summary in html
    assert all(note in html for note in report.notes)
    assert f"{report.change.after_mean:.3f}" in html
    assert f"{report.recorded.estimate:.3f}" in html
    assert html.count("<details>") == len(report.examples)


def test_texts_of_records_are_escaped(trained):
    _, outcome, _ = trained
    first = outcome.report.examples[0]
    bad = msgspec.structs.replace(first, prompt="<script>alert(1)</script>", tuned_answer="<b>")
    html = msgspec.structs.replace(outcome.report, examples=(bad,))._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;" in html


def test_the_chart_has_every_curve(trained):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("agg")
    _, outcome, _ = trained
    report = outcome.report
    axes = report.plot()
    lines = {line.get_label(): line for line in axes.get_lines()}
    assert set(lines) == {"train (sampled)", "selection", "valid", "served"}
    assert list(lines["valid"].get_ydata()) == [
        point.valid.estimate for point in report.curve if point.valid is not None
    ]
    axes.figure.clear()
    matplotlib.pyplot.close(axes.figure)
    empty = msgspec.structs.replace(report, curve=())
    assert isinstance(empty, TrainingReport)
    again = empty.plot()
    assert [line.get_label() for line in again.get_lines()] == ["served"]
    matplotlib.pyplot.close(again.figure)
