"""What a cell that ends with a dataset shows, and the step that tells of its records."""

from __future__ import annotations

import json

import nbformat
import pytest
from builders import chat_line
from nbformat.sign import NotebookNotary
from playwright.sync_api import expect

import rft_widgets as rft
from rft_widgets.sample.support import write_sample

SHOW = """
import rft_widgets as rft
ds = rft.Workspace().dataset({id!r})
"""
READY = ".rft-overview .rft-step"
FLAWED = (
    *(json.dumps(chat_line(f"Where is parcel number {n} now?", "On its way.")) for n in range(40)),
    json.dumps(chat_line("Hi", "Hello.")),
    json.dumps(chat_line("Where is parcel number 3 now?", "On its way.")),
    json.dumps({"messages": [{"role": "assistant", "content": "Nobody asked me."}]}),
    '{"messages": [',
    json.dumps({"prompt": "not a record"}),
)
XSS = "<img src=x onerror=\"window.__xss='img'\">"


@pytest.fixture(scope="module")
def dataset(host, tmp_path_factory) -> rft.OptimizationDataset:
    """Sample traffic from a trace file, with an import of flawed lines beside it."""
    folder = tmp_path_factory.mktemp("sample")
    with rft.Workspace(host.database) as workspace:
        spans = write_sample(folder / "spans.jsonl", n=120).path
        made = workspace.create_from_traces(rft.open_traces(spans), name="Support desk")
        flawed = folder / "flawed.jsonl"
        flawed.write_text("".join(f"{line}\n" for line in FLAWED))
        made.import_records(flawed)
        made.generate_topics()
        yield made


@pytest.fixture
def page(opened, dataset):
    return opened.notebook(SHOW.format(id=dataset.id), "ds", ready=READY)


def test_it_shows_commands_health_and_pipeline(opened, dataset, page):
    expect(page.locator(".rft-head-title")).to_have_text("RFT Pipeline • Support desk")
    expect(page.locator(".rft-health")).to_contain_text(f"{dataset.health.valid:,} valid records")
    assert page.locator(READY).count() == 7
    opened.assert_accessible()
    opened.assert_keyboard_reaches_all(".rft-head")
    opened.shot("overview")
    page.get_by_role("button", name="Data", exact=True).click()
    items = page.locator(".rft-menu").get_by_role("menuitem").all_inner_texts()
    assert items == ["Import Records", "Download Records", "Import Topics", "Download Topics"]
    opened.shot("data-menu")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.get_by_role("dialog", name="Import Records").wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Records", exact=True).click()
    page.get_by_role("dialog", name="Records").wait_for()
    page.keyboard.press("Escape")
    page.set_viewport_size({"width": 900, "height": 900})
    opened.shot("overview-narrow")
    assert page.evaluate(
        "() => { const e = document.querySelector('.rft-overview');"
        " return e.scrollWidth <= e.clientWidth }"
    )


def test_help_opens_by_its_key_and_gives_the_focus_back(opened, page):
    page.locator('[data-step="2"]').focus()
    page.keyboard.press("?")
    help_ = page.get_by_role("dialog", name="Help")
    expect(help_).to_contain_text("ds.generate_topics()")
    opened.assert_accessible(help_)
    opened.shot("help")
    page.keyboard.press("Escape")
    help_.wait_for(state="detached")
    assert page.evaluate("() => document.activeElement.dataset.step") == "2"


@pytest.mark.parametrize("kind", ["JSONL", "Training JSONL", "CSV"])
def test_records_arrive_as_a_file(opened, dataset, page, kind):
    page.get_by_role("button", name="Data", exact=True).click()
    page.get_by_role("menuitem", name="Download Records").click()
    dialog = page.get_by_role("dialog", name="Download Records")
    dialog.get_by_role("radio", name=kind).first.check()
    if kind == "JSONL":
        opened.assert_accessible(dialog)
        opened.assert_keyboard_reaches_all(dialog)
        opened.shot("download")
    with page.expect_download() as found:
        dialog.get_by_role("button", name="Download").click()
    path = found.value.path()
    health = dataset.health
    if kind == "CSV":
        assert found.value.suggested_filename == "Support-desk-records.csv"
        assert path.read_text().splitlines()[0].startswith("id,span_id")
    else:
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        assert len(lines) == (health.total if kind == "JSONL" else health.valid)
        assert all(line["messages"] for line in lines)
    page.locator(".rft-toast", has_text="Downloaded").wait_for()


def test_topics_arrive_as_a_file(dataset, page):
    page.get_by_role("button", name="Data", exact=True).click()
    with page.expect_download() as found:
        page.get_by_role("menuitem", name="Download Topics").click()
    assert found.value.suggested_filename == "Support-desk-topics.json"
    named = json.loads(found.value.path().read_text())
    assert json.dumps(named).count('"name"') >= len(dataset.topics.paths)


def test_the_records_step_says_where_they_came_from(opened, dataset, page):
    page.locator('[data-step="1"]').click()
    dialog = page.get_by_role("dialog", name="Extract Data")
    expect(dialog).to_contain_text("Gateway traces: ")
    expect(dialog).to_contain_text("flawed.jsonl")
    opened.shot("records")
    dialog.get_by_role("button", name="Errors of flawed.jsonl").click()
    expect(dialog.locator(".rft-import-errors tbody tr").first).to_be_visible()
    opened.assert_accessible(dialog)
    opened.assert_keyboard_reaches_all(dialog)
    opened.shot("records-errors")
    with page.expect_download() as found:
        dialog.get_by_role("button", name="Errors as CSV").click()
    rows = found.value.path().read_text().splitlines()
    flawed = next(one for one in dataset.imports if one.source == "flawed.jsonl")
    assert len(rows) - 1 >= flawed.invalid + flawed.refused
    fault = dialog.locator(".rft-fault").first
    fault.click()
    page.get_by_role("dialog", name="Records").wait_for()
    page.keyboard.press("Escape")
    dialog.wait_for()
    dialog.get_by_role("button", name="Pull New Traces").click()
    expect(dialog).to_contain_text("Nothing new has come.")
    page.locator(".rft-toast", has_text="Pull new traces: done").wait_for()
    opened.shot("records-pulled")


def test_in_both_of_labs_themes(opened, dataset, page):
    if opened.host.name != "lab":
        pytest.skip("Voila has its own palette")
    page.locator('[data-step="1"]').click()
    dialog = page.get_by_role("dialog", name="Extract Data")
    dialog.locator(".rft-fault").first.wait_for()
    height = page.evaluate("() => document.querySelector('.jp-Notebook').clientHeight")
    assert height > 500, "the notebook beneath the dialog keeps its place"
    opened.assert_accessible(dialog)
    opened.theme("dark")
    opened.assert_accessible(dialog)
    opened.shot("records-dark")
    page.keyboard.press("Escape")
    opened.assert_accessible(".rft-overview")
    opened.shot("overview-dark")
    opened.theme("light")


def test_changes_elsewhere_show_everywhere(dataset, page):
    page.locator('[data-step="1"]').click()
    dialog = page.get_by_role("dialog", name="Extract Data")
    dialog.locator(".rft-stat").first.wait_for()
    before = dataset.health.total
    dataset.add_records([chat_line("Something that nobody has asked here before")])
    expect(dialog.locator(".rft-stat dd").first).to_have_text(f"{before + 1:,}")


def test_names_are_text(opened, host, tmp_path):
    with rft.Workspace(host.database) as workspace:
        path = tmp_path / "bad.jsonl"
        path.write_text(json.dumps({"messages": [{"role": XSS, "content": XSS}]}) + "\n{" + XSS)
        made = workspace.create(XSS)
        made.import_records(path, name=XSS)
        page = opened.notebook(SHOW.format(id=made.id), "ds", ready=READY)
        page.locator('[data-step="1"]').click()
        dialog = page.get_by_role("dialog", name="Extract Data")
        dialog.get_by_role("button", name="Errors of").click()
        expect(dialog.locator(".rft-import-errors tbody tr").first).to_be_visible()
        assert XSS in dialog.inner_text()
        assert page.evaluate("() => window.__xss") is None
        assert page.locator(".rft img").count() == 0


def test_two_cells_show_one_overview(opened, dataset):
    page = opened.notebook(SHOW.format(id=dataset.id), "ds", "ds", ready=READY)
    page.wait_for_function("() => document.querySelectorAll('.rft-overview').length === 2")
    page.locator(".rft-overview").first.get_by_role("button", name="Help").click()
    assert page.get_by_role("dialog").count() == 1


@pytest.mark.parametrize("trusted", [True, False])
def test_a_saved_notebook_says_how_to_go_on(opened, dataset, trusted):
    """Executed with its widgets' state kept, and opened without a kernel."""
    if opened.host.name != "lab":
        pytest.skip("Voila always runs the notebook")
    nbclient = pytest.importorskip("nbclient")
    path = opened.host.folder / "overview.ipynb"
    opened.write((SHOW.format(id=dataset.id), "ds"), path.name)
    notebook = nbformat.read(path, 4)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RFT_WIDGETS_DATABASE_URL", str(opened.host.database))
        nbclient.NotebookClient(notebook, store_widget_state=True).execute(
            cwd=str(opened.host.folder)
        )
    nbformat.write(notebook, path)
    if trusted:
        NotebookNotary(data_dir=str(opened.host.folder / ".data")).sign(nbformat.read(path, 4))
    page = opened.page
    page.goto(f"{opened.host.base}doc/tree/{path.name}?reset")
    output = page.locator(".jp-OutputArea-output").last
    words = "run the cell to reconnect" if trusted else f"{dataset.health.valid:,} valid"
    expect(output).to_contain_text(words, timeout=20_000)
    assert "parcel" not in path.read_text(), "no record stands in the notebook"
