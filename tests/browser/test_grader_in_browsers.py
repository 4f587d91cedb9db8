"""The grader dialog in JupyterLab and in Voila: write, be corrected, try, compare, save."""

from __future__ import annotations

import json
import zipfile

import pytest
from browser.accessible import tab_through, violations
from browser.stand_in import NAME as STAND_IN
from browser.stand_in import connected

import rft_widgets as rft

SHOW = """
import rft_widgets as rft
ds = rft.Workspace().dataset({id!r})
"""
DIALOG = 'ds.dialog("grader")'
CARDS = ".rft-grader-cards"
PAYLOAD = "<img src=x onerror=\"window.__xss='img'\"><script>window.__xss='script'</script>"
EXACT = {
    "type": "string_check",
    "name": f"exact {PAYLOAD}",
    "input": "{{ sample.output_text }}",
    "reference": "{{ item.reference_answer }}",
    "operation": "eq",
}
SIMILAR = {
    "type": "text_similarity",
    "name": "similar",
    "input": "{{ sample.output_text }}",
    "reference": "{{ item.reference_answer }}",
    "evaluation_metric": "fuzzy_match",
}


def lines():
    for n in range(40):
        right = n % 3 != 0
        yield {
            "messages": [
                {"role": "user", "content": f"What is {n} plus {n}, please? {PAYLOAD}"},
                {"role": "assistant", "content": f"{2 * n if right else n + 7} {PAYLOAD}"},
            ],
            "reference_answer": f"{2 * n} {PAYLOAD}",
            "human_reward": float(right),
        }


@pytest.fixture(scope="module")
def workspace(host):
    with rft.Workspace(host.database) as opened:
        yield opened


@pytest.fixture
def dataset(workspace):
    made = workspace.create("Graded")
    made.add_records(lines())
    return made


def write(page, label, text):
    """Write into an editor, over what is there."""
    page.get_by_role("textbox", name=label, exact=True).click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(text)


def button(page, name):
    return page.get_by_role("button", name=name, exact=True)


def news(page, words):
    page.locator(".rft-toast-title", has_text=words).wait_for()


def looks_right(opened, name):
    """Keep a picture, and ask axe-core; in Lab, in the dark theme, too."""
    page = opened.page
    found = violations(page, page.locator(".rft-dialog"))
    opened.shot(name, ".rft-dialog")
    if opened.host.name == "lab":
        change = "theme => window.jupyterapp.commands.execute('apputils:change-theme', { theme })"
        for theme, look in (("JupyterLab Dark", "lab-dark"), ("JupyterLab Light", "lab-light")):
            page.evaluate(change, theme)
            page.locator(f'.rft[data-rft-theme="{look}"]').first.wait_for()
            page.locator("#jupyterlab-splash").wait_for(state="detached")
            if look == "lab-dark":
                found += violations(page, page.locator(".rft-dialog"))
                opened.shot(f"{name}-dark", ".rft-dialog")
    assert not found, "\n".join(found)


def test_a_wrong_template_is_shown_where_it_is_and_not_saved(opened, dataset):
    page = opened.notebook(SHOW.format(id=dataset.id), "ds.canvas()", DIALOG, ready=CARDS)
    page.locator(".rft-grader-card", has_text="More").click()
    page.get_by_label("Type", exact=True).select_option("string_check")
    write(page, "Input", "{{ sample.output }}")
    write(page, "Reference", "one\n{{ item.refrence }}")
    button(page, "Save").click()
    page.get_by_text("input: sample has no 'output'").wait_for()
    assert dataset.grader is None
    page.get_by_text("Sample has no 'output'. It has output_text").wait_for()
    write(page, "Input", "{{ sample.output_text }}")
    page.get_by_text("input: sample has no 'output'").wait_for(state="detached")
    page.get_by_text("No record has the item field 'refrence'").wait_for()
    button(page, "Line 2").click()
    looks_right(opened, "1-wrong")

    write(page, "Reference", "{{ item.")
    page.get_by_role("option", name="item.reference_answer").click()
    page.locator(".rft-editor-problems").wait_for(state="detached")
    page.get_by_label("The answer scores 1 where the input").select_option("eq")
    button(page, "Test on 5 Samples").click()
    page.locator(".rft-grader-answer").nth(4).wait_for()
    assert dataset.grader is None
    button(page, "Save").click()
    news(page, "Saved as version 1")
    page.locator('[data-step="4"].rft-is-configured').wait_for()
    assert dataset.grader.reference == "{{ item.reference_answer }}"
    page.locator(".rft-dialog-foot", has_text="Unsaved").wait_for(state="detached")
    assert PAYLOAD in page.locator(".rft-grader-answer").first.inner_text()
    looks_right(opened, "2-tested")
    assert page.evaluate("() => window.__xss") is None
    assert page.locator(".rft img, .rft script").count() == 0


def test_a_script_says_the_line_of_its_fault_and_keys_save_it(opened, dataset):
    page = opened.notebook(SHOW.format(id=dataset.id), DIALOG, ready=CARDS)
    page.locator(".rft-grader-card", has_text="Script").focus()
    page.keyboard.press("Enter")
    editor = page.get_by_role("textbox", name="Script", exact=True)
    for _ in range(9):
        if editor.evaluate("one => one === document.activeElement"):
            break
        page.keyboard.press("Tab")
    page.keyboard.press("Control+a")
    page.keyboard.insert_text("def grade(sample, item):\n    return (1.0\n")
    page.get_by_text("'(' was never closed").wait_for()
    button(page, "Line 2").wait_for()
    looks_right(opened, "3-script")
    page.keyboard.press("Control+a")
    page.keyboard.insert_text("def grade(sample, item):\n    return 1 / 0\n")
    page.locator(".rft-editor-problems").wait_for(state="detached")
    page.keyboard.press("Tab")  # it indents
    assert editor.evaluate("one => one === document.activeElement")
    page.keyboard.press("Escape")
    for name in ("Test on 5 Samples", "Save"):
        for _ in range(12):
            page.keyboard.press("Tab")
            if button(page, name).evaluate("one => one === document.activeElement"):
                break
        page.keyboard.press("Enter")
        if name == "Test on 5 Samples":
            page.get_by_text("Grading failed").nth(4).wait_for()
            assert "5 of 5" in page.locator(".rft-grader-test .rft-stats").inner_text()
            page.get_by_text("python_grader_runtime_error").first.wait_for()
    news(page, "Saved as version 1")
    assert "1 / 0" in dataset.grader.source


def test_versions_and_labels_are_compared(opened, dataset):
    dataset.set_grader(EXACT)
    dataset.dry_run(n=20)
    dataset.set_grader(SIMILAR)
    page = opened.notebook(SHOW.format(id=dataset.id), DIALOG, ready=CARDS)
    page.get_by_role("tab", name="Versions (2)").click()
    button(page, "Compare with version 1").click()
    page.get_by_text("answers as version 1").wait_for()
    assert "Difference" in page.locator(".rft-grader-test").inner_text()
    looks_right(opened, "4-versions")
    page.get_by_role("tab", name="Compare with Labels").click()
    button(page, "Compare").click()
    page.get_by_text("Cohen's kappa is").wait_for()
    looks_right(opened, "5-labels")
    page.get_by_role("tab", name="Versions (2)").click()
    button(page, "Restore version 1").click()
    news(page, "Back to version 1")
    assert dataset.grader_version.version == 1
    page.get_by_text("Version 1 is in use").wait_for()
    assert page.get_by_label("Name", exact=True).input_value() == EXACT["name"]
    assert page.evaluate("() => window.__xss") is None


def test_closing_asks_and_json_is_the_whole_grader(opened, dataset):
    dataset.set_grader(SIMILAR)
    page = opened.notebook(SHOW.format(id=dataset.id), "ds.canvas()", ready=".rft-step")
    page.locator('[data-step="4"]').click()
    dialog = page.get_by_role("dialog", name="Grader Config")
    button(dialog, "As JSON").click()
    both = {
        "type": "multi",
        "name": "both",
        "graders": {"near": SIMILAR, "exact": EXACT | {"input": "{{ nothing }}"}},
        "calculate_output": "0.5 * near + 0.5 * exact",
    }
    write(page, "Grader as JSON", json.dumps(both, indent=2))
    page.get_by_text("graders.exact.input: There is no 'nothing'").wait_for()
    opened.shot("6-json")
    button(dialog, "Form").click()
    button(dialog, "Edit exact").click()
    page.get_by_text("There is no 'nothing'").wait_for()
    write(page, "Input", "{{ response }}")
    page.get_by_label("Weight of exact").fill("0.25")
    page.locator(".rft-editor-problems").wait_for(state="detached")
    opened.shot("7-weighted")
    page.keyboard.press("Escape")
    asked = page.get_by_role("alertdialog", name="Unsaved changes")
    asked.get_by_role("button", name="Cancel").click()
    button(dialog, "Save").click()
    news(page, "Saved as version 2")
    assert dataset.grader.calculate_output == "0.5 * near + 0.25 * exact"
    dialog.get_by_label("Name", exact=True).fill("other")
    button(dialog, "Close").click()
    asked.get_by_role("button", name="Close Without Saving").click()
    dialog.wait_for(state="detached")
    assert dataset.grader.name == "both"


def test_a_judge_says_what_it_lacks_and_presets_start_one(opened, dataset):
    page = opened.notebook(SHOW.format(id=dataset.id), DIALOG, ready=CARDS)
    button(page, "Presets…").click()
    presets = page.get_by_role("dialog", name="Start from a Preset")
    assert not button(presets, "Use Preset").is_enabled()
    presets.get_by_label("Model of the judge").fill("some-judge")
    presets.get_by_label("Field with the right answer").select_option("reference_answer")
    opened.shot("8-presets")
    button(presets, "Use Preset").click()
    button(page, "Edit completeness").wait_for()
    page.locator(".rft-grader-card", has_text="LLM Judge").click()
    page.get_by_text("A judge needs the name of a model").wait_for()
    page.get_by_label("Model", exact=True).fill("some-judge")
    page.get_by_text("where that is asked is not configured").wait_for()
    page.get_by_label("Base URL").fill("https://evil.example/v1")
    page.get_by_text("was not allowed for pages").wait_for()
    page.get_by_label("Base URL").fill("http://127.0.0.1:9/v1")
    page.get_by_text("was not allowed for pages").wait_for(state="detached")
    looks_right(opened, "9-judge")
    button(page, "Test on 5 Samples").click()
    page.get_by_text("the judge could not be asked: cannot connect").nth(4).wait_for()
    missed, unseen = tab_through(page, page.locator(".rft-dialog"))
    assert not unseen
    assert not [one for one in missed if "button" in one], missed


def test_a_judge_at_a_named_connection_is_tried_at_a_known_price_and_sits_in_a_panel(
    opened, workspace, dataset, tmp_path
):
    with connected(workspace, tmp_path / "requests.jsonl"):
        page = opened.notebook(SHOW.format(id=dataset.id), DIALOG, ready=CARDS)
        page.locator(".rft-grader-card", has_text="LLM Judge").click()
        page.get_by_label("Connection", exact=True).select_option(STAND_IN)
        assert page.get_by_label("Model", exact=True).input_value() == "scripted-stand-in"
        page.get_by_text("A test: About 5 calls").wait_for()
        button(page, "Test on 5 Samples").click()
        page.locator(".rft-grader-answer").nth(4).wait_for()
        page.get_by_text("Scripted, no model").first.wait_for()
        looks_right(opened, "10-named-judge")
        opened.shot("10-price", ".rft-dialog footer")
        button(page, "Make a Panel…").click()
        panel = page.get_by_role("dialog", name="Make a Panel")
        panel.get_by_label("Times that each is asked").fill("3")
        panel.get_by_label("Score").select_option("median")
        opened.shot("11-panel")
        button(panel, "Make Panel").click()
        page.locator('[data-part="scripted_stand_in_3"]').wait_for()
        page.get_by_text("A test: About 15 calls").wait_for()
        button(page, "Save").click()
        news(page, "Saved as version 1")
        assert dataset.grader_version.connection == STAND_IN
        assert len(dataset.grader.graders) == 3
        button(page, "Test on 5 Samples").click()
        page.locator(".rft-grader-subs").nth(4).wait_for()
        opened.shot("12-panel-tested")
    assert dataset.costs["judge"].calls == 15  # the first of three gradings was paid before


def test_a_grader_is_taken_away_for_a_framework(opened, dataset):
    dataset.set_grader(EXACT)
    page = opened.notebook(
        SHOW.format(id=dataset.id), DIALOG, ready=".rft-grader-versions, .rft-dialog-foot"
    )
    button(page, "Export…").click()
    page.get_by_label("For", exact=True).select_option("openrlhf")
    page.get_by_text("reward_func.py grades by itself").wait_for()
    looks_right(opened, "export")
    opened.shot("export-page")
    with page.expect_download() as downloading:
        button(page, "Download ZIP").click()
    assert downloading.value.suggested_filename == "Graded-grader-openrlhf.zip"
    with zipfile.ZipFile(downloading.value.path()) as archive:
        assert json.loads(archive.read("grader.json"))["operation"] == "eq"
    news(page, "Saved as Graded-grader-openrlhf.zip")
