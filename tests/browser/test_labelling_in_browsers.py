"""Labelling by keys alone, and the trust card that comes of it, in JupyterLab and in Voila."""

from __future__ import annotations

import json

import pytest
from browser.screens import OVERVIEW, SHOW, open_above

import rft_widgets as rft

PAYLOAD = "<img src=x onerror=\"window.__xss='img'\">"
PANE = "Answer to label"


@pytest.fixture
def dataset(host, tmp_path):
    lines = [
        {
            "messages": [
                {"role": "system", "content": "You are the desk of a shop that sells lamps."},
                {"role": "user", "content": f"Order {n} has not come. Where is it? {PAYLOAD}"},
                {"role": "assistant", "content": f"It left us on day {n % 7} {PAYLOAD}"},
            ],
            "right": n % 7 != 0,
            "reference_answer": f"day {n % 7 or 7}",
        }
        for n in range(48)
    ]
    path = tmp_path / "answers.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    with rft.Workspace(host.database) as workspace:
        made = workspace.create_from_file(path, name="Lamps")
        for name, operation in (("close", "like"), ("exact", "eq")):
            made.set_grader(
                {
                    "type": "string_check",
                    "name": name,
                    "input": "{{ sample.output_text }}",
                    "reference": "{{ item.reference_answer }}",
                    "operation": operation,
                }
            )
        made.set_grader(1)
        made.evaluate(made.select())
        yield made


def test_answers_are_labelled_blind_and_the_card_says_what_they_say(opened, dataset):
    page = opened.notebook(SHOW.format(id=dataset.id), "ds", ready=OVERVIEW)
    dialog = open_above(page, "labelling")
    opened.assert_accessible(dialog)
    opened.assert_keyboard_reaches_all(dialog)
    opened.shot("labelling-start")
    page.get_by_label("Your name").fill("ada")
    page.get_by_label("Answers", exact=True).fill("40")
    page.get_by_label("Your name").press("Enter")
    pane = page.get_by_role("region", name=PANE)
    pane.get_by_text("It left us on day").wait_for()
    assert "reference" not in dialog.inner_text()
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == PANE
    opened.assert_accessible(dialog)
    opened.assert_keyboard_reaches_all(dialog)
    opened.shot("labelling-answer")
    pane.focus()
    for done in range(40):
        page.get_by_text(f"{done} of 40 labelled", exact=True).wait_for()
        text = pane.get_by_text("It left us on day").inner_text()
        if done == 1:
            page.keyboard.press("n")
            page.keyboard.type("no day")
            page.keyboard.press("Escape")
        page.keyboard.press("f" if "day 0" in text else "p")
        if done == 1:
            page.get_by_text("2 of 40 labelled", exact=True).wait_for()
            page.keyboard.press("u")
            page.get_by_text("1 of 40 labelled", exact=True).wait_for()
            pane.get_by_text(text).wait_for()
            page.keyboard.press("f" if "day 0" in text else "p")
    page.get_by_role("button", name="See the Trust Card").click()
    page.get_by_text("40 labels by 1 person").wait_for()
    labels = dataset.labels
    assert len(labels) == 40
    assert {one.note for one in labels} == {"", "no day"}
    assert {one.labeller for one in labels} == {"ada"}

    page.get_by_label("Beside").select_option("2")
    page.get_by_role("button", name="Make the Trust Card").click()
    card = page.get_by_role("region", name="Trust card")
    card.get_by_text("Cohen’s kappa").wait_for()
    card.get_by_text("Beside version 2 on the same 40 labels").wait_for()
    opened.assert_accessible(dialog)
    opened.assert_keyboard_reaches_all(page.get_by_role("tabpanel", name="Trust Card"))
    opened.shot("trust-card")
    if opened.host.name == "lab":
        opened.theme("dark")
        opened.assert_accessible(dialog)
        opened.shot("trust-card-dark")
        opened.theme("light")
    right = sum(one.value for one in labels)
    card.get_by_role("button", name="the grader says Pass and people say Pass").click()
    records = page.get_by_role("dialog", name="Records")
    records.get_by_text(f"{right:.0f} of").first.wait_for()
    records.get_by_text("Grader: Pass, people: Pass").first.wait_for()
    opened.shot("trust-records")
    page.keyboard.press("Escape")
    records.wait_for(state="detached")
    assert page.evaluate("window.__xss") is None
