"""The example notebooks, run by nbval: every cell gives what the notebook shows."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
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
    assert [path.stem for path in NOTEBOOKS] == ["quickstart"]


def test_notebooks_hold_output_and_nothing_of_this_machine():
    for path in NOTEBOOKS:
        text = path.read_text(encoding="utf-8")
        assert '"output_type"' in text
        assert str(Path.home()) + "/" not in text
        assert "Bearer " not in text.replace('f\\"Bearer {deployment.token}\\"', "")
