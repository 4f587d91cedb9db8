"""The topics dialog and the import of topics on real pages: tree, long work, review, files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from browser.stand_in import connected

import rft_widgets as rft
from rft_widgets.model.topic import hierarchy, topic
from rft_widgets.sample.support import write_sample

SHOW = """
import rft_widgets as rft
ds = rft.Workspace().dataset({id!r})
"""
AXE = Path(__file__).parents[2] / "js" / "node_modules" / "axe-core" / "axe.min.js"
EVIL = "<img src=x onerror=window.__xss=1>"
TREE = hierarchy([
    topic("Orders", "What was bought", ["order"], [topic("Status", "", ["where is my order"]),
          topic("Returns", "", ["return", "refund"]), topic("Shipping", "", ["delivery"])]),
    topic("Account", "Who the customer is", ["account"], [topic("Login", "", ["password"]),
          topic("Profile", "", ["email"])]),
    topic("Warranty", "", ["warranty", "broken"]),
])  # fmt: skip


@pytest.fixture(scope="module")
def workspace(host):
    with rft.Workspace(host.database) as made:
        yield made


@pytest.fixture(scope="module")
def original(workspace, tmp_path_factory) -> rft.OptimizationDataset:
    path = write_sample(tmp_path_factory.mktemp("sample") / "s.jsonl", n=400, format="jsonl").path
    made = workspace.create_from_file(path, name="Support desk", objective="Better answers")
    made.set_topics(TREE)
    made.categorize()
    return made


@pytest.fixture
def dataset(workspace, original) -> rft.OptimizationDataset:
    return workspace.duplicate(original.id, name="Support desk")


def row(page, name: str):
    return page.get_by_role("treeitem").filter(has=page.get_by_text(name, exact=True))


def in_cell(opened, dataset, name: str = "topics", ready: str = ".rft-topic"):
    return opened.notebook(SHOW.format(id=dataset.id), f"ds.dialog({name!r})", ready=ready)


def above(opened, dataset):
    """The dialog as the canvas opens it."""
    page = opened.notebook(SHOW.format(id=dataset.id), "ds.canvas()", ready=".rft .rft-step")
    page.locator('[data-step="2"]').focus()
    page.keyboard.press("Enter")
    page.get_by_role("dialog", name="Topics & Category").wait_for()
    page.locator(".rft-topic").first.wait_for()
    return page


def count_of(page, name: str) -> int:
    return int(row(page, name).locator(".rft-topic-count").inner_text().split()[0])


def serious(page, selector: str) -> list[str]:
    page.add_script_tag(path=str(AXE))
    found = page.evaluate(
        "async selector => (await axe.run(selector, {resultTypes: ['violations']})).violations"
        ".filter(one => ['serious', 'critical'].includes(one.impact))"
        ".map(one => one.id + ': ' + one.nodes.map(node => node.html).join(' | '))",
        selector,
    )
    return list(found)


def chosen(page, name: str, item: str) -> None:
    """A command of a topic's menu, by mouse."""
    row(page, name).hover()
    row(page, name).get_by_role("button", name="Edit").click()
    page.get_by_role("menuitem", name=item).click()


def test_the_tree_is_edited_by_keyboard(opened, dataset):
    page = above(opened, dataset)
    opened.shot("1-tree")
    assert serious(page, ".rft-overlay") == []
    size = count_of(page, "Orders")
    row(page, "Orders").locator(".rft-topic-count").click()
    records = page.get_by_role("dialog", name="Records")
    records.get_by_text("Topic: Orders").wait_for()  # of all topics below it
    records.get_by_text(f"{size:,} of").first.wait_for()
    opened.shot("1-records")
    page.keyboard.press("Escape")
    records.wait_for(state="detached")
    row(page, "Orders").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("F2")
    page.keyboard.type("Tracking")
    page.keyboard.press("Enter")
    page.wait_for_function("() => document.activeElement.dataset.topic === 'Orders/Tracking'")

    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    page.get_by_role("menuitem", name="Add subtopic").wait_for()
    opened.shot("2-menu")
    page.keyboard.type("add")
    page.keyboard.press("Enter")
    page.keyboard.type(EVIL)
    page.keyboard.press("Enter")
    page.wait_for_function("name => document.activeElement.dataset.topic === name",
                           arg=f"Orders/{EVIL}")  # fmt: skip
    page.keyboard.press("Alt+ArrowUp")
    page.wait_for_function("() => document.activeElement.ariaPosInSet === '3'")

    page.keyboard.press("Delete")
    form = page.get_by_role("dialog", name=f"Delete “{EVIL}”")
    form.wait_for()
    page.keyboard.press("Enter")
    form.wait_for(state="detached")
    row(page, EVIL).wait_for(state="detached")
    page.wait_for_function("() => document.activeElement.dataset.topic === 'Orders'")
    page.keyboard.press("F2")
    page.keyboard.press("Escape")  # ends the renaming, and not the dialog
    assert page.get_by_role("dialog", name="Topics & Category").is_visible()
    assert page.evaluate("() => window.__xss") is None
    assert [event.kind for event in dataset.events[-4:]] == [
        "rename_topic", "add_topic", "move_topic", "delete_topic",
    ]  # fmt: skip
    assert dataset.topics.find("Orders/Tracking").keywords == ("where is my order",)


def test_the_tree_is_edited_by_mouse_and_follows_others(opened, dataset):
    page = in_cell(opened, dataset)
    sizes = {name: count_of(page, name) for name in ("Status", "Returns", "Shipping", "Orders")}
    assert sizes["Orders"] == sizes["Status"] + sizes["Returns"] + sizes["Shipping"]
    row(page, "Warranty").drag_to(row(page, "Account"))
    page.locator('[data-topic="Account/Warranty"]').wait_for()
    chosen(page, "Shipping", "Merge into…")
    form = page.get_by_role("dialog", name="Merge “Shipping” into…")
    form.get_by_role("option", name="Orders / Status").click()
    opened.shot("3-merge")
    form.get_by_role("button", name="Merge").click()
    form.wait_for(state="detached")
    row(page, "Shipping").wait_for(state="detached")
    assert count_of(page, "Status") == sizes["Status"] + sizes["Shipping"]

    page.get_by_role("button", name="Add Topic").click()
    page.get_by_role("textbox", name="Name of the new topic").fill(EVIL)
    page.keyboard.press("Enter")
    row(page, EVIL).wait_for()
    page.get_by_text("3 edits of the topics since").wait_for()
    chosen(page, EVIL, "Delete…")
    form = page.get_by_role("dialog", name=f"Delete “{EVIL}”")
    form.get_by_role("button", name="Delete").click()
    form.wait_for(state="detached")
    row(page, EVIL).wait_for(state="detached")
    assert page.evaluate("() => window.__xss") is None

    # Another process changes topics while a name is being written here.
    row(page, "Account").press("ArrowLeft")
    row(page, "Returns").press("F2")
    page.keyboard.type("Money ba")
    dataset.rename_topic("Orders/Status", "Tracking")
    row(page, "Tracking").wait_for(timeout=5_000)
    page.keyboard.type("ck")
    assert row(page, "Account").get_attribute("aria-expanded") == "false"
    page.keyboard.press("Enter")
    row(page, "Money back").wait_for()
    row(page, "Money back").press("F2")
    page.keyboard.type("Lost")
    dataset.delete_topic("Orders/Money back")
    name = page.get_by_role("textbox", name="Name at Orders/Money back")
    name.wait_for()
    assert name.input_value() == "Lost"
    name.press("Enter")
    page.get_by_text("There is no topic 'Orders/Money back'").wait_for()
    opened.shot("4-vanished", ".rft-dialog")
    name.press("Escape")
    with page.expect_download() as downloading:
        page.get_by_role("button", name="Download").click()
    assert downloading.value.suggested_filename == "Support desk-topics.json"
    assert set(json.loads(Path(downloading.value.path()).read_text())["topics"]) == {
        "Orders", "Account",
    }  # fmt: skip


def test_long_work_warns_shows_progress_and_keeps_what_was_decided(opened, dataset):
    mine = dataset.review_queue(limit=1)[0].record_id
    dataset.confirm_topic(mine, "Account/Profile")
    page = above(opened, dataset)
    page.get_by_role("button", name="Recategorize All").click()
    question = page.get_by_role("alertdialog")
    assert "1 record stays where a person" in question.inner_text()
    question.get_by_role("button", name="Recategorize All").click()
    page.locator(".rft-job").wait_for()
    assert page.get_by_role("button", name="Apply to Unlabeled").is_disabled()
    opened.shot("5-progress")
    page.get_by_text("Recategorize all: done", exact=True).wait_for(timeout=30_000)
    assert dataset.record(mine).topic == "Account/Profile"

    page.get_by_role("button", name="Regenerate").click()
    question = page.get_by_role("alertdialog")
    labelled = dataset.topics_at_risk().labelled
    words = f"{labelled:,} records have a topic, 1 of them was confirmed by hand"
    question.get_by_text(words).wait_for()
    opened.shot("6-warning")
    question.get_by_role("button", name="Cancel").click()
    assert dataset.topics.method == "manual"
    page.get_by_label("Method").select_option("template")
    page.get_by_role("button", name="Regenerate").click()
    question.get_by_role("button", name="Regenerate").click()
    page.get_by_text("Generate topics: done", exact=True).wait_for(timeout=30_000)
    assert dataset.topics.method == "template"
    row(page, "Billing").wait_for()


def test_twenty_reviews_take_twenty_keys(opened, dataset):
    page = above(opened, dataset)
    queue = dataset.review_queue(limit=30)
    page.get_by_role("tab", name="Topics").focus()
    page.keyboard.press("ArrowRight")
    card = page.get_by_role("region", name="Record to review")
    card.get_by_text("Proposed").wait_for()
    before = dataset.topics_report.to_review
    while not page.evaluate("() => document.activeElement.ariaLabel === 'Record to review'"):
        page.keyboard.press("Tab")
    opened.shot("7-review")
    assert serious(page, ".rft-overlay") == []
    chosen = ["1" if item.runner_up else "a" for item in queue[10:15]]
    assert "1" in chosen
    for key in [*"aaaaaaaaaa", *chosen, *"33aas"]:
        page.keyboard.press(key)
    page.keyboard.press("u")
    page.keyboard.press("Enter")
    page.get_by_text(f"{before - 20:,} records to review").wait_for(timeout=10_000)
    decided = [dataset.record(item.record_id) for item in queue[:20]]
    assert {record.topic_method for record in decided} == {"manual"}
    assert [record.topic for record in decided[:10]] == [item.topic for item in queue[:10]]
    assert [record.topic for record in decided[10:15]] == [
        item.runner_up or item.topic for item in queue[10:15]
    ]
    assert [record.topic for record in decided[15:17]] == [TREE.paths[1]] * 2

    page.keyboard.press("/")
    page.keyboard.type("profile")
    page.keyboard.press("Enter")
    page.get_by_text(f"{before - 21:,} records to review").wait_for()
    page.keyboard.press("u")
    page.get_by_text(f"{before - 20:,} records to review").wait_for()
    assert page.evaluate("() => document.activeElement.ariaLabel") == "Record to review"
    opened.shot("8-reviewed")


def file(text: str, name: str = "topics.json") -> dict[str, object]:
    return {"name": name, "mimeType": "application/json", "buffer": text.encode()}


def test_a_file_is_previewed_and_imported(opened, dataset):
    page = above(opened, dataset)
    page.get_by_role("button", name="Import").click()
    dialog = page.get_by_role("dialog", name="Import Topics")
    drop = dialog.locator("input[type=file]")
    drop.set_input_files(file('{"topics": [{"name": "a"}, {"name": "A"}]}', "twice.json"))
    dialog.get_by_text("twice.json was not imported").wait_for()
    opened.shot("9-refused")
    drop.set_input_files(file('{"topics": ['))
    dialog.get_by_text("Line 1, column").wait_for()
    drop.set_input_files(file(" " * 2_000_001))
    dialog.get_by_text("has 2,000,001 bytes").wait_for()
    assert dialog.get_by_role("button", name="Import Topics").is_disabled()

    before = dataset.topics
    topics = [{"name": "Orders", "children": [{"name": "Status"}, {"name": EVIL}]}]
    drop.set_input_files(file(json.dumps({"topics": topics})))
    dialog.get_by_text(EVIL).wait_for()
    dialog.get_by_text("8 topics will be replaced").wait_for()
    opened.shot("10-preview")
    assert serious(page, ".rft-overlay:has(.rft-drop)") == []
    assert dataset.topics == before
    kept = dataset.count(rft.RecordFilter(topic="Orders/Status"))
    dialog.get_by_text(f"{kept:,} records stay under a topic").wait_for()
    dialog.get_by_role("button", name="Import 3 Topics").click()
    dialog.wait_for(state="detached")
    row(page, EVIL).wait_for()
    assert set(dataset.topics.paths) == {"Orders/Status", f"Orders/{EVIL}"}
    assert dataset.topics_at_risk().labelled == kept
    page.get_by_text("Topics imported", exact=True).wait_for()

    page.get_by_role("button", name="Import").click()
    flat = {"Returns": {"subtopics": [], "keywords": []}, "Status": {"parentTopic": "Returns"}}
    drop.set_input_files(file(json.dumps(flat)))
    dialog.get_by_text("Clear assignments").click()
    dialog.get_by_role("button", name="Import 2 Topics").click()
    dialog.wait_for(state="detached")
    page.locator('[data-topic="Returns/Status"]').wait_for()
    assert dataset.topics_at_risk().labelled == 0
    assert page.evaluate("() => window.__xss") is None


def test_both_look_right_in_a_cell_and_in_both_themes(opened, dataset):
    page = opened.notebook(
        SHOW.format(id=dataset.id), 'ds.dialog("topics")', 'ds.dialog("import-topics")',
        ready=".rft-topic",
    )  # fmt: skip
    page.locator(".rft-drop").wait_for()
    opened.shot("11-cell")
    assert serious(page, ".rft-dialog") == []
    if opened.host.name == "voila":
        page.set_viewport_size({"width": 900, "height": 900})
        opened.shot("11-narrow")
        too_wide = """() => [...document.querySelectorAll('.rft-dialog, .rft-dialog-body')]
            .filter(one => one.scrollWidth > one.clientWidth).length"""
        assert page.evaluate(too_wide) == 0
        return
    change = "theme => { window.jupyterapp.commands.execute('apputils:change-theme', { theme }) }"
    page.evaluate(change, "JupyterLab Dark")
    page.locator('.rft[data-rft-theme="lab-dark"]').first.wait_for()
    page.locator("#jupyterlab-splash").wait_for(state="detached")
    opened.shot("11-cell-dark")
    assert serious(page, ".rft-dialog") == []
    page.evaluate(change, "JupyterLab Light")
    page.locator('.rft[data-rft-theme="lab-light"]').first.wait_for()


def test_a_model_names_topics_and_decides_at_a_known_price(opened, workspace, dataset, tmp_path):
    with connected(workspace, tmp_path / "requests.jsonl") as stand_in:
        opened.page.set_default_timeout(20_000)
        page = in_cell(opened, dataset)
        pane = page.get_by_role("region", name="Language model")
        pane.get_by_label("Names by a model").select_option("stand-in")
        pane.get_by_text("calls,").first.wait_for()
        pane.get_by_label("Instructions").fill("By what the customer wants")
        assert not stand_in.requests  # nothing was asked for the estimate
        opened.assert_accessible(".rft-dialog")
        opened.assert_keyboard_reaches_all(page.locator(".rft-dialog"))
        opened.shot("topics-model")
        page.get_by_role("button", name="Regenerate").click()
        page.get_by_role("alertdialog").get_by_role("button", name="Regenerate").click()
        page.get_by_text("Generate topics: done").wait_for(timeout=60_000)
        opened.shot("topics-model-named")
        asked = [one.body for one in stand_in.paid]
        assert any("By what the customer wants" in json.dumps(body) for body in asked)
        naming = dataset.topics_naming
        assert naming is not None
        assert page.get_by_role("treeitem").count() == len(dataset.topics_report.topics)
        assert dataset.costs["topics"].calls == len(asked)
