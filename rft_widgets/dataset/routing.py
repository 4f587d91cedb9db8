"""The arms of a deployment, made of a trained policy and what it was set up with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from rft_widgets.errors import InvalidArgument, NoCandidate
from rft_widgets.model.deployed import BASE, TUNED, DeploymentConfig
from rft_widgets.model.deployment import DeploymentState
from rft_widgets.model.llm import ModelConnection
from rft_widgets.model.message import message_from_json, to_json, tool_from_json
from rft_widgets.model.record import RecordInput
from rft_widgets.serving.arms import Answer, Arm, Policy, PolicyArm
from rft_widgets.serving.language import LanguageArm
from rft_widgets.serving.protocol import RequestFailed
from rft_widgets.serving.router import Router
from rft_widgets.serving.upstream import UpstreamArm
from rft_widgets.trainers import Policy as TrainedPolicy
from rft_widgets.trainers.language import LanguagePolicy


def make_router(
    key: str, config: DeploymentConfig, policy: TrainedPolicy, state: Callable[[], DeploymentState]
) -> Router:
    """Make the router of a deployment.

    Raises
    ------
    InvalidArgument
        The options do not go together.
    """
    base: Arm | None = None
    if config.upstream is not None:
        base = _passing_on(BASE, config.base_model, config.upstream, config.upstream_model)
    elif needs_base(config):
        base = _arm(BASE, config.base_model, policy, reference=True)
    tuned = _arm(TUNED, config.model, policy, reference=False)
    return Router(key, config.mode, tuned, base=base, state=state)


def needs_base(config: DeploymentConfig) -> bool:
    """Whether the model from before the training is asked of the policy itself."""
    return config.upstream is None and config.mode != "new_endpoint"


def served_by(policy: TrainedPolicy) -> str:
    """What answers in the name of a language model, in words; of another policy nothing."""
    if isinstance(policy, LanguagePolicy):
        return f"Served by {policy.served_by}."
    if policy.upstream is not None:
        return f"Served by the service at {policy.upstream.connection.base_url}."
    return ""


def _arm(name: str, model: str, policy: TrainedPolicy, *, reference: bool) -> Arm:
    """An arm that a policy answers for, or who serves its model."""
    upstream = policy.upstream
    called = None if upstream is None else upstream.base_model if reference else upstream.model
    if upstream is not None and called is not None:
        return _passing_on(name, model, upstream.connection, called)
    if isinstance(policy, LanguagePolicy):
        return LanguageArm(name, model, policy, reference=reference)
    if upstream is not None:
        raise InvalidArgument(
            "The service does not serve the model from before the training.",
            hint="Name an upstream for the base model, or deploy a new endpoint.",
        )
    return PolicyArm(name, model, _answers(policy, reference=reference))


def _passing_on(
    name: str, model: str, connection: ModelConnection, upstream_model: str | None
) -> UpstreamArm:
    return UpstreamArm(
        name,
        model,
        connection.base_url,
        upstream_model=upstream_model,
        api_key_env=connection.api_key_env,
        timeout_s=connection.timeout_s,
    )


def _answers(policy: TrainedPolicy, *, reference: bool) -> Policy:
    """Make the function that answers requests with a policy."""

    def answer(
        messages: Sequence[dict[str, Any]],
        tools: Sequence[dict[str, Any]],
        _body: Mapping[str, Any],
    ) -> Answer:
        asked = prompt_of(messages, tools)
        try:
            found = policy.respond(asked.messages, asked.tools, reference=reference)
        except NoCandidate as error:
            raise RequestFailed(422, str(error), code="no_candidate") from None
        headers = {}
        if found.source_record_id is not None:
            headers["X-RFT-Source-Record"] = quote(found.source_record_id, safe="")
        if found.similarity is not None:
            headers["X-RFT-Similarity"] = f"{found.similarity:.4f}"
        return Answer(to_json(found.message), found.finish_reason, headers)

    return answer


def prompt_of(
    messages: Sequence[Mapping[str, Any]], tools: Sequence[Mapping[str, Any]]
) -> RecordInput:
    """Read messages and tools as they come from clients."""
    return RecordInput(
        tuple(message_from_json(value, f"messages[{i}]") for i, value in enumerate(messages)),
        tuple(tool_from_json(value, f"tools[{i}]") for i, value in enumerate(tools)),
    )
