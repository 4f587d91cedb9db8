"""Traits that cross to the page as typed values, and which of them the page may write."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import ipywidgets
import msgspec
import traitlets
from traitlets import Undefined

PAGE_WRITABLE = "page_writable"
"""Metadata of a trait that the page may write; every other one is ours alone."""


class Value(traitlets.TraitType[Any, Any]):
    """A frozen value of the model (or ``None``, unless it has a default), sent as its JSON.

    Parameters
    ----------
    type_
        What the value is; the page's types are made from it.
    page_writable
        Whether the page may set it. What it sends is converted to the type or refused.
    """

    default_value = None
    allow_none = True

    def __init__(self, type_: Any, *, default: Any = None, page_writable: bool = False) -> None:
        self.value_type = type_
        self.nullable: bool = default is None
        super().__init__(default_value=default, allow_none=True)
        self.tag(
            sync=True,
            to_json=_to_json,
            from_json=self._from_json,
            **{PAGE_WRITABLE: page_writable},
        )
        self.info_text = f"a {getattr(type_, '__name__', type_)}"

    def validate(self, obj: Any, value: Any) -> Any:
        """Take a value that has the type, and no other."""
        try:
            msgspec.convert(msgspec.to_builtins(value), self.value_type | None)
        except (msgspec.ValidationError, TypeError):
            self.error(obj, value)
        return value

    def _from_json(self, value: Any, _widget: ipywidgets.Widget) -> Any:
        return msgspec.convert(value, self.value_type | None)


def _to_json(value: Any, _widget: ipywidgets.Widget) -> Any:
    return msgspec.to_builtins(value)


class Guarded(ipywidgets.Widget):  # type: ignore[misc]  # it has no types of its own
    """A widget that takes only declared writes from the page, and one change at a time.

    Whoever reaches the kernel's channel can send an update of any synced trait, the page's code
    included. What is not declared writable, has the wrong type or is out of bounds changes nothing
    here and is not repeated to other pages; the sender gets the true value back.
    """

    def __init__(self, **values: Any) -> None:
        self._lock = threading.RLock()
        super().__init__(**values)

    def set_state(self, sync_data: Any) -> None:
        """Take an update of the page."""
        if not isinstance(sync_data, dict):
            return
        with self._lock:
            for name, value in sync_data.items():
                if name not in self.keys:
                    continue
                if not self._accepts(name, value):
                    self.log.warning("The page may not set %s.%s.", type(self).__name__, name)
                    self.send_state(name)

    def _accepts(self, name: str, value: Any) -> bool:
        if not self.trait_metadata(name, PAGE_WRITABLE, default=False):
            return False
        read: Callable[[Any, Guarded], Any] = self.trait_metadata(
            name, "from_json", self._trait_from_json
        )
        try:
            trait = self.traits()[name]
            if trait._validate(self, read(value, self)) is Undefined:  # noqa: SLF001
                return False
        except (traitlets.TraitError, msgspec.ValidationError, TypeError, ValueError):
            return False
        super().set_state({name: value})
        return True
