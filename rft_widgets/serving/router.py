"""Which arm answers a request."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Struct

from rft_widgets.errors import InvalidArgument
from rft_widgets.model.deployment import DeploymentMode, DeploymentState
from rft_widgets.serving.arms import Arm, check_name
from rft_widgets.serving.protocol import ChatRequest, RequestFailed


class Choice(Struct, frozen=True):
    """The arm that answers, under which model name, and the hash that keeps users to arms."""

    arm: Any  # an Arm; msgspec knows no protocols
    model: str
    assignment: str


class Router:
    """Shares out requests between a tuned arm and a base arm.

    ``replace``
        The tuned arm answers for its own model name and for the base model's.
    ``new_endpoint``
        The tuned arm answers for its own model name. Every other name goes to the base arm as it
        is, and is refused where there is none.
    ``ab_test``
        The tuned arm answers a percentage of the users under both names. A user stays on an arm,
        also in another process; more percent move users to the tuned arm and none away from it.

    Rolled back, the base arm answers for both names; in ``new_endpoint`` the tuned name is refused.

    Parameters
    ----------
    deployment
        Id of the deployment: named in responses, and it makes the split of one test independent of
        the next one's.
    mode, tuned, base
        As above; an ``ab_test`` needs both.
    state
        Asked at every request, on a worker thread.

    Raises
    ------
    InvalidArgument
        If these do not go together.
    """

    def __init__(
        self,
        deployment: str,
        mode: DeploymentMode,
        tuned: Arm,
        *,
        base: Arm | None = None,
        state: Callable[[], DeploymentState] = DeploymentState,
    ) -> None:
        if mode not in ("replace", "new_endpoint", "ab_test"):
            raise InvalidArgument(
                f"There is no deployment mode {mode!r}.",
                hint="Use 'replace', 'new_endpoint' or 'ab_test'.",
            )
        if mode == "ab_test" and base is None:
            raise InvalidArgument("An A/B test has two arms.", hint="Give it a base arm.")
        if base is not None and base.name == tuned.name:
            raise InvalidArgument(
                f"Both arms are called {tuned.name!r}.", hint="Give them different names."
            )
        if mode == "new_endpoint" and base is not None and base.model == tuned.model:
            raise InvalidArgument(
                f"The base arm answers for {tuned.model!r} already.",
                hint="Give the tuned arm a model name of its own.",
            )
        self.deployment = check_name(deployment, "deployment id")
        self.mode = mode
        self.tuned = tuned
        self.base = base
        self.state = state

    @property
    def arms(self) -> tuple[Arm, ...]:
        """The arms there are, the tuned one first."""
        return (self.tuned,) if self.base is None else (self.tuned, self.base)

    def models(self) -> tuple[str, ...]:
        """Model names that are answered now, each once."""
        rolled_back = self.state().status == "rolled_back"
        if rolled_back and self.base is None:
            return ()
        names = [arm.model for arm in self.arms]
        if rolled_back and self.mode == "new_endpoint":
            names = names[1:]
        return tuple(dict.fromkeys(names))

    def choose(self, request: ChatRequest, user: str | None = None) -> Choice:
        """Choose the arm that answers a request.

        Parameters
        ----------
        request
            The request; its ``user`` decides which user it is, where it has one.
        user
            The user that the request's headers name.

        Raises
        ------
        RequestFailed
            With status 404, if no arm answers for the model.
        """
        state = self.state()
        assignment = _assignment(self.deployment, request, user)
        rolled_back = state.status == "rolled_back"
        if self.mode == "new_endpoint":
            if request.model != self.tuned.model:
                return Choice(self._base_for(request.model), request.model, assignment)
            if rolled_back:
                raise _not_found(f"The deployment of {request.model!r} was rolled back.")
            return Choice(self.tuned, self.tuned.model, assignment)
        if request.model not in {arm.model for arm in self.arms}:
            raise _not_found(f"There is no model {request.model[:200]!r} here.")
        if rolled_back:
            arm = self._base_for(request.model)
        elif self.mode == "replace" or self.base is None:
            arm = self.tuned
        else:
            share = int(assignment, 16) / 2**64
            arm = self.tuned if share * 100 < state.tuned_percent else self.base
        return Choice(arm, arm.model, assignment)

    def _base_for(self, model: str) -> Arm:
        if self.base is None:
            raise _not_found(f"There is no model {model[:200]!r} here, and no base model.")
        return self.base


def _assignment(deployment: str, request: ChatRequest, user: str | None) -> str:
    """64 bits in hex, the same for all requests that belong on one arm."""
    body = request.body
    named = (body.get("user"), user, body.get("safety_identifier"))
    who = next((name for name in named if isinstance(name, str) and name), None)
    if who is None:
        # A conversation grows at its end, so what it began with tells it from the others.
        first_user = next(
            (i for i, message in enumerate(request.messages) if message["role"] == "user"), 0
        )
        key = msgspec.json.encode(request.messages[: first_user + 1], order="deterministic")
    else:
        key = b"user\0" + who.encode()
    return hashlib.sha256(deployment.encode() + b"\0" + key).hexdigest()[:16]


def _not_found(message: str) -> RequestFailed:
    return RequestFailed(404, message, code="model_not_found", param="model")
