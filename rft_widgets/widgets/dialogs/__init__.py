"""The dialogs, by name."""

from __future__ import annotations

import importlib
import typing

from rft_widgets.dataset import OptimizationDataset
from rft_widgets.errors import InvalidArgument
from rft_widgets.model.views import DialogName
from rft_widgets.widgets.dialogs.base import Dialog


def dialog_class(name: DialogName) -> type[Dialog]:
    """The widget of a dialog."""
    module = importlib.import_module(f"{__name__}.{name.replace('-', '_')}")
    return typing.cast("type[Dialog]", module.WIDGET)


def dialog(dataset: OptimizationDataset, name: DialogName) -> Dialog:
    """Show a dialog of a dataset in a cell; it follows the dataset.

    Raises
    ------
    InvalidArgument
        There is no dialog of this name.
    """
    names = typing.get_args(DialogName)
    if name not in names:
        raise InvalidArgument(
            f"There is no dialog {name!r}.", hint=f"There are: {', '.join(names)}."
        )
    return dialog_class(name)(dataset)
