"""The generation dialog on real pages: plan, work, review by mouse and by keys, stop and go on.

What answers is the stand-in server in a process of its own.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from browser.stand_in import connected

import rft_widgets as rft
from rft_widgets.testing.process import ServerProcess

SHOW = """
import rft_widgets as rft
ds = rft.Workspace().dataset({id!r})
"""
EVIL = "Billing & <b>refunds"
TOPICS = {"Returns": 40, "Shipping": 20, EVIL: 12}
EMPTY = "Warranty"


@pytest.fixture(scope="module")
def workspace(host) -> Iterator[rft.Workspace]:
    with rft.Workspace(host.database) as opened:
        yield opened


@pytest.fixture(scope="module")
def stand_in(workspace, tmp_path_factory) -> Iterator[ServerProcess]:
    log = tmp_path_factory.mktemp("stand-in") / "requests.jsonl"
    with connected(workspace, log, latency_ms=150) as running:
        yield running


@pytest.fixture
def dataset(workspace, stand_in, tmp_path) -> rft.OptimizationDataset:
    lines = [
        {
            "messages": [
                {"role": "system", "content": "You help customers of a shop."},
                {"role": "user", "content": f"My order {n} about {topic} is late, what now?"},
            ],
            "topic": topic,
        }
        for topic, count in TOPICS.items()
        for n in range(count)
    ]
    path = tmp_path / "labelled.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    made = workspace.create_from_file(path, name="Support desk")
    made.set_topics([*TOPICS, EMPTY])
    made.describe_topic(
        EMPTY, description="What is covered when something breaks", keywords=["warranty", "broken"]
    )
    return made


def in_cell(opened: Any, dataset: rft.OptimizationDataset, ready: str = ".rft-generate") -> Any:
    opened.page.set_default_timeout(20_000)
    return opened.notebook(SHOW.format(id=dataset.id), "ds.dialog('generate')", ready=ready)


def test_an_empty_topic_is_filled_from_coverage_by_mouse(opened, dataset):
    opened.page.set_default_timeout(20_000)
    page = opened.notebook(
        SHOW.format(id=dataset.id), 'ds.dialog("coverage")', ready=".rft-topic-bars"
    )
    page.get_by_role("button", name="Generate to Fill Gaps").click()
    dialog = page.get_by_role("dialog", name="Generate Records")
    expected = dataset.plan_generation(model="stand-in")
    plan = dialog.get_by_role("region", name="Plan")
    plan.locator(".rft-stat", has_text="Cost, about").get_by_text("<$0.01").wait_for()
    opened.assert_accessible(dialog)
    opened.assert_keyboard_reaches_all(dialog)
    opened.shot("plan")
    dialog.get_by_role("button", name=f"Generate {expected.total} Records").click()
    dialog.get_by_role("table").get_by_role("progressbar").first.wait_for()
    opened.shot("running")
    opened.assert_accessible(dialog)
    accept = dialog.get_by_role("button", name="Accept")
    accept.wait_for()
    dialog.get_by_role("checkbox", name=f"Tick all of {EMPTY}").wait_for()
    assert dialog.locator(".rft-candidate b").count() == 0  # names are text
    opened.shot("review")
    opened.assert_accessible(dialog)
    opened.assert_keyboard_reaches_all(dialog)
    accept.click()
    outcome = dialog.get_by_role("status", name="What changed")
    outcome.wait_for()
    opened.shot("outcome")
    opened.assert_accessible(dialog)
    assert dataset.coverage().balance_score == pytest.approx(expected.balance_after)
    outcome.get_by_text(f"→ {expected.balance_after:.2f}").wait_for()
    dialog.get_by_role("button", name="Done").click()
    page.locator(".rft-dialog").get_by_text("Fair", exact=True).wait_for()


def test_candidates_are_reviewed_by_keys_and_the_rest_is_asked_for_again(opened, dataset):
    batch = dataset.generate({"candidates_per_request": 3}, model="stand-in")
    page = in_cell(opened, dataset, ready=".rft-candidate-text")
    grid = page.get_by_role("grid", name="Candidates")
    pane = page.get_by_role("region", name="Candidate", exact=True)
    grid.focus()
    pane.get_by_role("heading", name="Candidate 0").wait_for()
    page.keyboard.press("j")
    pane.get_by_role("heading", name="Candidate 1").wait_for()
    page.keyboard.press("Space")
    pane.get_by_role("button", name="Tick", exact=False).and_(
        pane.locator("[aria-pressed=false]")
    ).wait_for()
    page.keyboard.press("End")
    last = max(one.id for one in batch.candidates)
    pane.get_by_role("heading", name=f"Candidate {last}").wait_for()
    pane.get_by_text("Made from the topic").wait_for()
    opened.shot("review-keys")
    page.keyboard.press("t")  # none of its topic
    left = batch.state.topics[0].good - 1
    page.get_by_role("button", name=f"Accept {left}").wait_for()
    page.keyboard.press("t")  # all of it
    page.keyboard.press("k")
    page.keyboard.press("x")
    page.get_by_role("button", name="Regenerate 2 Unticked").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Regenerate 2").click()
    page.get_by_role("button", name="Accept 24").wait_for()
    assert batch.state.good == 24
    states = [one.state for one in batch.candidates]
    assert states.count("regenerated") == 2
    page.get_by_role("button", name="Discard All").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Discard 24").click()
    page.get_by_role("region", name="Plan").wait_for()
    assert dataset.stats.generated_records == 0


def test_work_is_stopped_found_again_and_goes_on_without_paying_twice(opened, dataset, stand_in):
    before = len(stand_in.paid)
    opened.page.set_default_timeout(20_000)
    page = opened.notebook(
        SHOW.format(id=dataset.id), 'ds.dialog("coverage")', ready=".rft-topic-bars"
    )

    def show() -> Any:
        page.get_by_role("button", name="Generate to Fill Gaps").click()
        return page.get_by_role("dialog", name="Generate Records")

    dialog = show()
    dialog.get_by_text("More settings").click()
    per_request = dialog.get_by_label("Candidates per request")
    per_request.fill("1")
    per_request.press("Enter")
    dialog.get_by_role("button", name="Generate 24 Records").click()
    dialog.locator("progress[aria-label^=Billing]:not([value='0'])").wait_for()
    page.keyboard.press("Escape")
    dialog.wait_for(state="detached")
    dialog = show()  # what is under way is found again
    dialog.get_by_role("button", name="Stop").click()
    dialog.get_by_text("It stopped with").wait_for()
    opened.shot("stopped")
    opened.assert_accessible(dialog)
    dialog.get_by_role("button", name="Go On Generating").click()
    dialog.get_by_role("button", name="Accept 24").wait_for()
    calls = dataset.costs["generate"].calls
    assert 24 <= len(stand_in.paid) - before == calls


@pytest.mark.thorough
def test_a_thousand_candidates_stay_quick(opened, dataset):
    dataset.add_records(
        {"messages": [{"role": "user", "content": f"Where is parcel {n} of mine now?"}]}
        for n in range(100)
    )
    batch = dataset.generate(
        {
            "source": "topics", "topics": [EMPTY], "records_per_topic": 1000,
            "max_synthetic_ratio": 0.9, "candidates_per_request": 20, "retries": 0,
            "near_duplicate_threshold": 1.0,
        },
        model="stand-in",
    )  # fmt: skip
    assert batch.state.candidates == 1000
    page = in_cell(opened, dataset, ready=".rft-candidate-text")
    grid = page.get_by_role("grid", name="Candidates")
    grid.focus()
    pane = page.get_by_role("region", name="Candidate", exact=True)
    began = time.perf_counter()
    page.keyboard.press("End")
    pane.get_by_role("heading", name="Candidate 999").wait_for()
    for _ in range(20):
        page.keyboard.press("k")
    pane.get_by_role("heading", name="Candidate 979").wait_for()
    assert time.perf_counter() - began < 10  # on a busy machine; each wait of ours is far below
    assert page.locator(".rft-candidate").count() < 40
    page.keyboard.press("t")
    page.get_by_role("button", name="Regenerate 1,000 Unticked").or_(
        page.get_by_role("button", name="Accept 1,000")
    ).wait_for()
