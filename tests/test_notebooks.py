"""The example notebooks, run by nbval: every cell gives what the notebook shows."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# One is no example: the app's server runs it for each page.
NOTEBOOKS = [
    path
    for path in sorted((ROOT / "notebooks").glob("*.ipynb"))
    if path.name != "optimization.ipynb"
]
NAMES = [
    "01_from_traces_to_canvas",
    "02_topics_and_coverage",
    "03_graders_you_can_trust",
    "04_dry_run_and_training",
    "05_generate_to_fill_gaps",
    "06_is_my_judge_any_good",
    "07_train_on_your_gpu",
    "08_compare_checkpoints",
    "quickstart",
]
OF_A_MACHINE = re.compile(
    r"/(home|root|tmp|Users|var|private|usr)/|[A-Z]:\\\\|127\.0\.0\.1:\d|0x[0-9a-f]{6,}"
)
RANDOM_ID = re.compile(r"\b(?:ds|dry|gen|job|dep|imp|del)_(?!0{6})[0-9a-f]{12}\b")

WITH_A_MODEL = {"07_train_on_your_gpu"}
"""Those that train or ask a language model, which wants packages of its own."""

every_notebook = pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
runnable = [
    pytest.param(path, marks=pytest.mark.training if path.stem in WITH_A_MODEL else ())
    for path in NOTEBOOKS
]


@pytest.mark.parametrize("notebook", runnable, ids=lambda path: path.stem)
def test_every_cell_gives_what_it_shows(notebook: Path):
    done = subprocess.run(
        [
            sys.executable, "-m", "pytest", "--nbval", "-q", "-c", "/dev/null",
            "--rootdir", notebook.parent, "-p", "no:cacheprovider",
            "--nbval-sanitize-with", ROOT / "tests/nbval_sanitize.cfg", notebook,
        ],
        capture_output=True,
        text=True,
        timeout=280,
        cwd=notebook.parent,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]


def test_there_are_notebooks():
    assert [path.stem for path in NOTEBOOKS] == NAMES


@every_notebook
def test_a_notebook_holds_output_and_nothing_of_one_run(notebook: Path):
    text = notebook.read_text(encoding="utf-8")
    value = json.loads(text)
    code = [cell for cell in value["cells"] if cell["cell_type"] == "code"]
    assert all(cell["execution_count"] == place for place, cell in enumerate(code, 1))
    outputs = [output for cell in code for output in cell["outputs"]]
    assert outputs
    assert {output["output_type"] for output in outputs} <= {"stream", "execute_result"}
    assert all(output.get("name") != "stderr" for output in outputs)
    shown = json.dumps(outputs, ensure_ascii=False)
    assert not OF_A_MACHINE.search(shown), OF_A_MACHINE.search(shown)
    assert not RANDOM_ID.search(shown), RANDOM_ID.search(shown)
    assert "widget-view" not in shown  # a view is nothing without its kernel; its words stand there
    assert "widgets" not in value["metadata"]
    assert not any("execution" in cell["metadata"] for cell in code)
    assert "Bearer " not in text.replace('f\\"Bearer {deployment.token}\\"', "")
    assert len(text) < 60_000


@every_notebook
def test_a_notebook_alternates_words_and_code(notebook: Path):
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    assert cells[0]["cell_type"] == "markdown"
    assert "".join(cells[0]["source"]).startswith("# ")
    assert 8 <= len(cells) <= 20
    words = sum(cell["cell_type"] == "markdown" for cell in cells)
    assert words >= len(cells) / 3


def test_what_one_notebook_says_of_another_is_there():
    for notebook in NOTEBOOKS:
        for target in re.findall(r"\]\(([^)#:]+)\)", notebook.read_text(encoding="utf-8")):
            assert (notebook.parent / target).exists(), f"{notebook.name} points to {target}"
