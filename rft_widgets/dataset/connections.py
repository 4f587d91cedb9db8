"""Which models a dataset's grader and its deployments ask, and whether they can be."""

from __future__ import annotations

from collections.abc import Iterator

from rft_widgets.dataset.deploying import HasDeployments
from rft_widgets.dataset.named_connections import bound_connections
from rft_widgets.errors import NotFound
from rft_widgets.llm.endpoint import missing_of
from rft_widgets.model.connection import ConnectionState
from rft_widgets.model.llm import ModelConnection
from rft_widgets.steps.grade import judges_of, resolved


class HasConnections(HasDeployments):
    """A dataset's connections to models."""

    @property
    def connections(self) -> tuple[ConnectionState, ...]:
        """Every model that the grader in use or an active deployment asks; no key is read."""
        return (*self._asked_by_grader(), *self._asked_by_deployments())

    @property
    def bound_connections(self) -> tuple[ModelConnection, ...]:
        """Where keys may go for a page that asks: what was saved, here or under a name."""
        graders = (one.connection for one in self.grader_versions)
        deployments = (one.config.upstream for one in self.deployments)
        found = (*graders, *deployments, *bound_connections(self._store))
        return tuple(one for one in found if isinstance(one, ModelConnection))

    def _asked_by_grader(self) -> Iterator[ConnectionState]:
        saved = self.grader_version
        if saved is None:
            return
        try:
            named = resolved(saved.connection, saved.grader, self.named_connection)
        except NotFound as fault:
            named, lost = (), fault.message
        else:
            lost = ""
        by_model = {one.model: one for one in named}
        for model in sorted({judge.model for judge in judges_of(saved.grader)}):
            one = by_model.get(model) or (named[0] if len(named) == 1 else None)
            yield _state("Grader", model, None if one is None else one.connection, lost)

    def _asked_by_deployments(self) -> Iterator[ConnectionState]:
        for deployment in self.deployments:
            config = deployment.config
            if deployment.status == "active" and config.upstream is not None:
                model = config.upstream_model or config.base_model
                yield _state(f"Deployment {deployment.id}", model, config.upstream)


def _state(
    used_by: str, model: str, connection: ModelConnection | None, lost: str = ""
) -> ConnectionState:
    key_from = None if connection is None else connection.api_key_env
    if connection is None:
        missing = lost or "Where this model is asked is not configured."
    else:
        missing = missing_of(connection)
    return ConnectionState(
        used_by=used_by,
        model=model,
        base_url=None if connection is None else connection.base_url,
        key_from=key_from,
        missing=missing,
    )
