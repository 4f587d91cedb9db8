"""The dry-run dialog in JupyterLab and in Voila: run, watch, stop, resume, read, compare, go on."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest
from browser.stand_in import connected
from builders import chat_line

import rft_widgets as rft
from rft_widgets.model.record import RecordFilter

SHOW = """
import rft_widgets as rft
ds = rft.Workspace().dataset({id!r})
"""
READY = ".rft .rft-dialog .rft-button, .rft .rft-step"
PAYLOADS = (
    "<img src=x onerror=\"window.__xss='img'\">",
    "\"><svg onload=window.__xss='svg'>",
    "{{constructor.constructor('window.__xss=1')()}}</style><style>*{display:none}",
)


def script(body: str) -> dict[str, Any]:
    return {"type": "python", "name": "script", "source": f"def grade(sample, item):\n{body}"}


SCORED = script("    return item['reward']\n")
SLOW = script("    sum(range(1_500_000))\n    return item['reward']\n")
ZERO = script("    return 0.0\n")
FAILS = script("    raise ValueError(sample['output_text'])\n")


def lines(count: int, seed: int = 0) -> list[dict[str, Any]]:
    chance = random.Random(seed)
    topics = ("Billing/Refunds", "Billing/Invoices", "Parcels", "Sizes")
    return [
        chat_line(
            f"Question number {n} about {topics[n % 4]}",
            f"Answer {n}, which is more or less helpful",
            topic=topics[n % 4],
            reward=round(min(1.0, max(0.0, chance.gauss(0.25 + 0.1 * (n % 4), 0.22))), 2),
        )
        for n in range(count)
    ]


@pytest.fixture(scope="module")
def workspace(host) -> Iterator[rft.Workspace]:
    with rft.Workspace(host.database) as opened:
        yield opened


@pytest.fixture(scope="module")
def compared(workspace) -> rft.OptimizationDataset:
    """Two finished runs with different graders, of which the first is in use."""
    made = workspace.create("Compared")
    made.add_records(lines(240))
    made.set_grader(script("    return item['reward'] / 2\n"))
    made.dry_run()
    made.set_grader(SCORED)
    made.dry_run()
    return made


def part(page: Any, name: str) -> Any:
    return page.get_by_role("tab", name=name)


def test_a_run_is_begun_watched_stopped_and_resumed(opened, workspace):
    ds = workspace.create("Slow")
    ds.add_records(lines(200))
    ds.set_grader(SLOW)
    opened.page.set_default_timeout(15_000)
    page = opened.notebook(SHOW.format(id=ds.id), "ds.dialog('dry-run')", ready=READY)
    facts = page.get_by_label("What it takes")
    facts.get_by_text("200 of 200 with an answer").wait_for()
    assert facts.get_by_text("unknown").count() == 1  # the time; nothing was measured yet
    opened.shot("1-idle")
    opened.assert_accessible(".rft-dialog")
    page.get_by_label("Prompts (n)").fill("120")
    page.get_by_label("Prompts (n)").press("Enter")
    facts.get_by_text("120 of 200 with an answer").wait_for()
    page.get_by_role("button", name="Start Dry Run").click()
    live = page.locator(".rft-dry-running")
    live.wait_for()
    scored = "() => Number(document.querySelector('.rft-dry-running dd').textContent)"
    page.wait_for_function(f"() => ({scored})() >= 16", timeout=20_000)
    seen = page.evaluate(scored)
    page.wait_for_function(f"seen => ({scored})() > seen", arg=seen, timeout=20_000)
    opened.shot("2-running")
    opened.assert_accessible(".rft-dialog")
    page.get_by_role("button", name="Stop").click()
    cut_off = page.get_by_label("Run that was cut off")
    cut_off.wait_for(timeout=20_000)
    opened.shot("3-cut-off")
    kept = len(ds.dry_run_answers(ds.dry_runs[-1]))
    assert 0 < kept < 120
    assert f"{kept} graded answers kept" in cut_off.inner_text()
    cut_off.get_by_role("button", name="Resume").click()
    page.locator(".rft-dry-verdict").wait_for(timeout=60_000)
    assert [run.report.answers for run in ds.dry_runs] == [120]
    verdict = ds.dry_runs[-1].report.verdict
    assert page.locator(".rft-dry-verdict-word").inner_text() == verdict
    opened.shot("4-result-in-a-cell")

    assert verdict == "CAUTION"  # the probes score like the answers: this grader does not read them
    page.get_by_role("button", name="Proceed to Training").click()
    asked = page.get_by_role("alertdialog")
    reasons = ds.dry_runs[-1].report.reasons
    assert asked.get_by_role("listitem").all_inner_texts() == list(reasons)
    asked.get_by_role("button", name="Proceed to Training").click()
    page.get_by_role("dialog", name="Train Model").wait_for()


def test_a_bin_opens_its_records(opened, compared):
    opened.page.set_default_timeout(15_000)
    page = opened.notebook(SHOW.format(id=compared.id), "ds.canvas()", ready=READY)
    page.locator('[data-step="5"]').click()
    dialog = page.get_by_role("dialog", name="Dry Run")
    dialog.locator(".rft-dry-verdict").wait_for()
    opened.shot("5-result")
    opened.assert_accessible(".rft-overlay-dialog")
    report = compared.dry_runs[-1].report
    count = report.scores.histogram[3]
    dialog.get_by_role("button", name=f"0.3 to 0.4: {count} answers").click()
    sheet = page.get_by_role("dialog", name="Records")
    sheet.get_by_text("Score 0.3 to 0.4").wait_for()
    run = compared.dry_runs[-1].id
    assert compared.count(RecordFilter(dry_run=run, min_score=0.3, max_score=0.39)) == count
    sheet.get_by_text(f"{count} of 240").wait_for()
    opened.shot("6-bin")
    page.keyboard.press("Escape")
    sheet.wait_for(state="detached")
    dialog.get_by_role("button", name="Parcels").click()
    sheet.get_by_text("60 of 240").wait_for()
    page.keyboard.press("Escape")
    sheet.wait_for(state="detached")
    if opened.host.name == "lab":
        opened.theme("dark")
        opened.shot("7-dark")
        opened.assert_accessible(".rft-overlay-dialog")
        opened.theme("light")


def test_reading_comparing_and_changing_the_grader(opened, compared):
    opened.page.set_default_timeout(15_000)
    page = opened.notebook(SHOW.format(id=compared.id), "ds.dialog('dry-run')", ready=READY)
    page.locator(".rft-dry-verdict").wait_for()
    part(page, "Checks & probes").click()
    page.get_by_label("Checks", exact=True).get_by_role("row", name="Mean").first.wait_for()
    opened.shot("7-checks")
    opened.assert_accessible(".rft-dialog")
    part(page, "Samples").click()
    page.get_by_role("button", name="Best").click()
    assert page.locator(".rft-dry-sample").count() == 5
    opened.shot("8-samples")
    opened.assert_accessible(".rft-dialog")
    part(page, "Runs").click()
    chooser = page.get_by_label("The shown run with")
    chooser.select_option(index=1)
    found = compared.compare_dry_runs(*compared.dry_runs)
    row = page.get_by_role("row", name="All 240")
    row.get_by_text("Improved").wait_for()
    assert f"+{found.overall.difference.estimate:.2f}" in row.inner_text()
    opened.shot("9-compared")
    opened.assert_accessible(".rft-dialog")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download the report").click()
    text = download.value.path().read_text()
    assert text == compared.dry_runs[-1].report.to_json()
    page.get_by_role("button", name="Show the run of").click()
    page.get_by_role("button", name="Show the newest run").click()
    compared.set_grader(ZERO)
    page.get_by_label("Stale").get_by_text("The grader has changed since.").wait_for(timeout=5_000)
    assert len(compared.dry_runs) == 2
    opened.shot("10-stale")
    compared.set_grader(2)
    page.get_by_label("Stale").wait_for(state="detached", timeout=5_000)


def test_no_go_says_what_to_fix_first(opened, workspace):
    ds = workspace.create("Always 0")
    ds.add_records(lines(40))
    ds.set_grader(ZERO)
    opened.page.set_default_timeout(15_000)
    page = opened.notebook(SHOW.format(id=ds.id), "ds.canvas()", ready=READY)
    page.locator('[data-step="5"]').click()
    page.get_by_role("button", name="Start Dry Run").click()
    verdict = page.get_by_label("Verdict: NO_GO")
    verdict.wait_for(timeout=20_000)
    first = verdict.locator(".rft-dry-first").inner_text()
    assert first.startswith("What to fix first First the grader: ")
    assert page.get_by_role("button", name="Proceed to Training").count() == 0
    opened.shot("11-no-go")
    opened.assert_accessible(".rft-overlay-dialog")
    page.get_by_role("button", name="Review Samples").click()
    sheet = page.get_by_role("dialog", name="Records")
    sheet.get_by_text("Score up to 0.00").wait_for()
    page.keyboard.press("Escape")
    sheet.wait_for(state="detached")
    page.get_by_role("button", name="Adjust Grader").click()
    page.get_by_role("dialog", name="Grader Config").wait_for()


def test_texts_run_nothing(opened, workspace):
    ds = workspace.create(PAYLOADS[0])
    ds.add_records(
        [
            chat_line(f"{payload} question number {n}", payload, topic=payload)
            for n, payload in enumerate(PAYLOADS * 4)
        ]
    )
    ds.set_grader(FAILS)
    ds.dry_run()
    ds.set_grader(script("    return 0.5 if 'svg' in sample['output_text'] else 0.1\n"))
    ds.dry_run()
    opened.page.set_default_timeout(15_000)
    page = opened.notebook(SHOW.format(id=ds.id), "ds.dialog('dry-run')", ready=READY)
    page.locator(".rft-dry-verdict").wait_for()
    assert page.get_by_role("button", name=PAYLOADS[0]).count() == 1
    part(page, "Samples").click()
    page.get_by_role("button", name="Best").click()
    assert PAYLOADS[1] in page.locator(".rft-dry-text").all_inner_texts()
    part(page, "Runs").click()
    page.get_by_role("button", name="Show the run of").click()
    page.get_by_label("Verdict: NO_GO").wait_for()
    part(page, "Samples").click()
    assert PAYLOADS[0] in page.locator(".rft-dry-failure").first.inner_text()
    opened.shot("12-failures")
    assert page.evaluate("() => window.__xss") is None
    assert page.locator(".rft img, .rft svg[onload], .rft script").count() == 0


def test_a_model_answers_twice_a_prompt_at_a_known_price(opened, workspace, tmp_path):
    ds = workspace.create("Rollouts")
    ds.add_records(lines(24))
    ds.set_grader(script("    return min(1.0, len(sample['output_text']) / 200)\n"))
    with connected(workspace, tmp_path / "requests.jsonl") as stand_in:
        opened.page.set_default_timeout(20_000)
        page = opened.notebook(SHOW.format(id=ds.id), "ds.dialog('dry-run')", ready=READY)
        k = page.get_by_label("Answers per prompt (k)")
        k.fill("2")
        k.press("Enter")
        page.get_by_label("A model", exact=False).check()
        page.get_by_label("Most to spend", exact=False).fill("1")
        facts = page.get_by_label("What it takes")
        facts.locator("div", has_text="Calls of the model").get_by_text("48").wait_for()
        facts.locator("div", has_text="Cost").get_by_text("$").wait_for()
        opened.assert_accessible(".rft-dialog")
        opened.assert_keyboard_reaches_all(page.locator(".rft-dialog"))
        opened.shot("model-idle")
        assert not stand_in.requests
        page.get_by_role("button", name="Start Dry Run").click()
        page.get_by_role("tab", name="Scores").wait_for(timeout=60_000)
        page.get_by_text("scripted-stand-in gave 48 answers").wait_for()
        page.get_by_text("Prompts with mixed scores").first.wait_for()
        opened.assert_accessible(".rft-dialog")
        opened.shot("model-results")
        assert len(stand_in.paid) == 48
        assert ds.costs["rollout"].calls == 48
        part(page, "Runs").click()
        page.get_by_text("scripted-stand-in answered").wait_for()
