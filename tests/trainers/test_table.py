"""The page of all trainers is what they say of themselves."""

from __future__ import annotations

import re

import pytest

from rft_widgets.trainers import NAMES, table


def test_the_page_is_what_is_made():
    if not table.TARGET.parent.is_dir():
        pytest.skip("the documentation is not here")
    made = table.TARGET.read_text(encoding="utf-8")
    assert made == table.generate(), "run: python -m rft_widgets.trainers.table"


def test_every_trainer_has_a_row_and_a_section():
    text = table.generate()
    for name in NAMES:
        assert f"\n| [`{name}`](#" in text
        assert f"\n## `{name}`: " in text
    columns = {line.count("|") for line in text.splitlines() if line.startswith("| [`")}
    assert columns == {10}
    assert re.search(r"`n_epochs` \| `\d+` \| 1 to 10 \|", text)
