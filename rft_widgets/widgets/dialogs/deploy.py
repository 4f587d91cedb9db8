"""Deployments: the trained model as an endpoint."""

from __future__ import annotations

from typing import ClassVar

from rft_widgets.widgets.dialogs.base import Dialog


class DeployDialog(Dialog):
    """Deployments: the trained model as an endpoint."""

    component: ClassVar[str] = "dialogs/deploy"
    step: ClassVar[int] = 7


WIDGET = DeployDialog
