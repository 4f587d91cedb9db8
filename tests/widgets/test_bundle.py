"""The built page code, as it is, and what is said where it is missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from rft_widgets.widgets import bundle as bundles

STATIC = Path(bundles.__file__).parents[1] / "static"


@pytest.fixture
def real(monkeypatch):
    """The module as it is, without the small build of the other tests."""
    monkeypatch.undo()
    yield bundles
    bundles.files.cache_clear()


@pytest.mark.skipif(not STATIC.is_dir(), reason="the page code is not built")
def test_it_is_small_whole_and_asks_nobody(real):
    files = real.files()
    assert len(files.code) <= 1_000_000
    assert len(files.editor) <= 500_000
    assert len(files.shim) <= 2_048
    assert files.code.count("import(") == 1, "of the editor: a module from a blob stands alone"
    assert "import(" not in files.editor
    assert "cm-content" not in files.code, "the editor is not in it"
    assert "@import" not in files.css
    assert "http" not in files.css.replace("http://www.w3.org", "")
    assert files.sha == real.files().sha


def test_a_missing_build_says_what_to_do(real, monkeypatch, tmp_path):
    monkeypatch.setattr(real.resources, "files", lambda _: tmp_path)
    real.files.cache_clear()
    with pytest.raises(real.BundleMissing, match=r"hatch_build\.py"):
        real.files()
