"""The arms of a deployment, made of a trained policy and what it was set up with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from rft_widgets.errors import NoCandidate
from rft_widgets.model.deployed import BASE, TUNED, DeploymentConfig
from rft_widgets.model.deployment import DeploymentState
from rft_widgets.model.message import message_from_json, to_json, tool_from_json
from rft_widgets.model.record import RecordInput
from rft_widgets.serving.arms import Answer, Policy, PolicyArm
from rft_widgets.serving.protocol import RequestFailed
from rft_widgets.serving.router import Router
from rft_widgets.serving.upstream import UpstreamArm
from rft_widgets.trainers import Policy as TrainedPolicy


def make_router(
    key: str, config: DeploymentConfig, policy: TrainedPolicy, state: Callable[[], DeploymentState]
) -> Router:
    """Make the router of a deployment.

    Raises
    ------
    InvalidArgument
        The options do not go together.
    """
    tuned: UpstreamArm | PolicyArm
    if policy.upstream is not None:
        served = policy.upstream.connection
        tuned = UpstreamArm(
            TUNED,
            config.model,
            served.base_url,
            upstream_model=policy.upstream.model,
            api_key_env=served.api_key_env,
            timeout_s=served.timeout_s,
        )
    else:
        tuned = PolicyArm(TUNED, config.model, _answers(policy, reference=False))
    base: UpstreamArm | PolicyArm | None = None
    if config.upstream is not None:
        base = UpstreamArm(
            BASE,
            config.base_model,
            config.upstream.base_url,
            upstream_model=config.upstream_model,
            api_key_env=config.upstream.api_key_env,
            timeout_s=config.upstream.timeout_s,
        )
    elif config.mode != "new_endpoint":
        base = PolicyArm(BASE, config.base_model, _answers(policy, reference=True))
    return Router(key, config.mode, tuned, base=base, state=state)


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
