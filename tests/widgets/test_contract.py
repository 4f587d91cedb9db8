"""The page's types are those of the models."""

from __future__ import annotations

from rft_widgets.widgets import contract


def test_the_generated_file_is_fresh():
    if not contract.TARGET.parent.is_dir():
        return  # not a checkout
    made = contract.TARGET.read_text("utf-8")
    assert made == contract.generate(), "run: python -m rft_widgets.widgets.contract"


PAGES = {"app/dataset_page": "app", "app/create_page": "app/create"}
"""Pages of the app, with their folders: several may share a widget, and a widget a module."""


def test_every_widget_has_its_folder():
    folder = contract.TARGET.parent
    known = (folder / "index.ts").read_text("utf-8")
    for widget in contract.WIDGETS.values():
        component = getattr(widget, "component", "")
        if not component:
            continue
        assert f'["{component}", ' in known
        if component in PAGES:
            assert (folder / PAGES[component] / "index.tsx").is_file()
        else:
            assert widget.__module__ == f"rft_widgets.widgets.{component.replace('/', '.')}"
            assert (folder / component / "index.tsx").is_file()
