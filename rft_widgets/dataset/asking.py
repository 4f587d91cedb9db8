"""Asking language models for a dataset: by a connection's name, at a known price."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from rft_widgets.dataset.description import Described
from rft_widgets.llm.client import ModelClient
from rft_widgets.model.connection import NamedConnection
from rft_widgets.model.llm import Purpose
from rft_widgets.store import connections

ModelLike: TypeAlias = str | NamedConnection
"""A model that may be asked: the name of a connection of the workspace, or a connection."""


class AsksModels(Described):
    """What asking models for a dataset takes."""

    def named_connection(self, model: ModelLike) -> NamedConnection:
        """The connection that a name stands for.

        Raises
        ------
        NotFound
            There is none of that name.
        """
        if isinstance(model, NamedConnection):
            return model
        with self._store.read() as connection:
            return connections.read(connection, model)

    def _client(
        self,
        model: ModelLike,
        *,
        purpose: Purpose,
        cap_micro_usd: int | None = None,
        cancelled: Callable[[], bool] = bool,
    ) -> ModelClient:
        """Open a client for a piece of work on this dataset; close it after use."""
        return ModelClient(
            self.named_connection(model),
            purpose=purpose,
            cap_micro_usd=cap_micro_usd,
            cancelled=cancelled,
        )
