"""Which models a dataset's grader and its deployments ask, and whether they can be."""

from __future__ import annotations

import os
from collections.abc import Iterator

from rft_widgets.dataset.deploying import HasDeployments
from rft_widgets.model.connection import ConnectionState
from rft_widgets.model.grader import LabelModel, Multi, ScoreModel
from rft_widgets.model.llm import ModelConnection


class HasConnections(HasDeployments):
    """A dataset's connections to models."""

    @property
    def connections(self) -> tuple[ConnectionState, ...]:
        """Every model that the grader in use or an active deployment asks; no key is read."""
        return (*self._asked_by_grader(), *self._asked_by_deployments())

    def _asked_by_grader(self) -> Iterator[ConnectionState]:
        saved = self.grader_version
        if saved is None:
            return
        grader = saved.grader
        parts = tuple(grader.graders.values()) if isinstance(grader, Multi) else (grader,)
        models = {part.model for part in parts if isinstance(part, (ScoreModel, LabelModel))}
        for model in sorted(models):
            yield _state("Grader", model, saved.connection)

    def _asked_by_deployments(self) -> Iterator[ConnectionState]:
        for deployment in self.deployments:
            config = deployment.config
            if deployment.status == "active" and config.upstream is not None:
                model = config.upstream_model or config.base_model
                yield _state(f"Deployment {deployment.id}", model, config.upstream)


def _state(used_by: str, model: str, connection: ModelConnection | None) -> ConnectionState:
    key_from = None if connection is None else connection.api_key_env
    missing = ""
    if connection is None:
        missing = "Where this model is asked is not configured."
    elif key_from is not None and not os.environ.get(key_from):
        missing = f"The environment variable {key_from}, which holds the key, is not set."
    return ConnectionState(
        used_by=used_by,
        model=model,
        base_url=None if connection is None else connection.base_url,
        key_from=key_from,
        missing=missing,
    )
