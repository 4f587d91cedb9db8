"""The page's types are those of the models."""

from __future__ import annotations

from rft_widgets.widgets import contract


def test_the_generated_file_is_fresh():
    if not contract.TARGET.parent.is_dir():
        return  # not a checkout
    made = contract.TARGET.read_text("utf-8")
    assert made == contract.generate(), "run: python -m rft_widgets.widgets.contract"


def test_every_widget_has_its_folder():
    folder = contract.TARGET.parent
    for widget in contract.WIDGETS.values():
        component = getattr(widget, "component", "")
        if component:
            assert widget.__module__ == f"rft_widgets.widgets.{component.replace('/', '.')}"
            assert (folder / component / "index.tsx").is_file()
