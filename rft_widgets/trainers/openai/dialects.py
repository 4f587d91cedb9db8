"""Who speaks the protocol, and in which way: what each service takes, and what it calls things."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, Literal
from urllib.parse import urlsplit

from msgspec import Struct

from rft_widgets.errors import InvalidArgument
from rft_widgets.web import is_loopback

DialectName = Literal["openai", "azure", "bedrock"]

MOST_BYTES: Final = 512 * 1024 * 1024
"""Of a file, with all of them."""


class Dialect(Struct, frozen=True, kw_only=True):
    """What one service takes.

    Attributes
    ----------
    title
        What the service is called.
    key_header
        The header that its key is sent in.
    grader
        ``json``: the service runs the grader itself. ``lambda``: it asks a function.
    name_chars
        Most characters of the suffix that a job may give its model's name; 0 where a job takes
        neither that nor metadata nor a seed.
    needs_valid
        Whether there has to be a validation file.
    needs_deployment
        Whether a model has to be deployed before it answers.
    least_rows, most_rows, most_valid
        Bounds of the records in the files.
    hyperparameters
        Those that it knows.
    curve
        Fields of a `CurvePoint` by the names of the metrics that they are, the best first.
    paused_words
        What is to be known of a job that the service paused by itself.
    """

    name: DialectName
    title: str
    key_header: str
    grader: Literal["json", "lambda"]
    pauses: bool
    name_chars: int
    needs_valid: bool
    needs_deployment: bool
    least_rows: int
    most_rows: int
    most_valid: int
    hyperparameters: frozenset[str]
    curve: Mapping[str, tuple[str, ...]]
    paused_words: str = ""


_EVERY_NUMBER = frozenset({
    "n_epochs", "batch_size", "learning_rate_multiplier", "compute_multiplier", "eval_interval",
    "eval_samples", "reasoning_effort",
})  # fmt: skip
_OPENAI_CURVE: Mapping[str, tuple[str, ...]] = {
    "train_reward": ("train_mean_reward", "scores/train_reward_mean"),
    "valid": ("full_valid_mean_reward", "scores/valid_reward_mean"),
    "completion_tokens": ("completion_tokens_mean",),
    "step_s": ("timing/step/full_iteration",),
}

_OPENAI = Dialect(
    name="openai",
    title="OpenAI",
    key_header="Authorization",
    grader="json",
    pauses=True,
    name_chars=64,
    needs_valid=False,
    needs_deployment=False,
    least_rows=1,
    most_rows=50_000,
    most_valid=1_000,
    hyperparameters=_EVERY_NUMBER,
    curve=_OPENAI_CURVE,
)
_AZURE = Dialect(
    name="azure",
    title="Azure",
    key_header="api-key",
    grader="json",
    pauses=True,
    name_chars=18,
    needs_valid=True,
    needs_deployment=True,
    least_rows=10,
    most_rows=50_000,
    most_valid=1_000,
    hyperparameters=_EVERY_NUMBER,
    curve=_OPENAI_CURVE,
    paused_words=(
        "Azure pauses a job whose cost has reached 5,000 dollars; a job that is resumed has no "
        "such limit any more."
    ),
)
_BEDROCK = Dialect(
    name="bedrock",
    title="Amazon Bedrock",
    key_header="Authorization",
    grader="lambda",
    pauses=False,
    name_chars=0,
    needs_valid=False,
    needs_deployment=False,
    least_rows=100,
    most_rows=20_000,
    most_valid=1_000,
    hyperparameters=frozenset({"n_epochs", "batch_size", "learning_rate_multiplier"}),
    curve={
        "train_reward": ("critic_rewards_mean",),
        "entropy": ("actor_entropy",),
        "kl": ("actor_ppo_kl",),
        "clip_share": ("actor_pg_clipfrac",),
        "completion_tokens": ("response_length_mean",),
        "step_s": ("timing_s_step",),
    },
)
DIALECTS: Final[Mapping[str, Dialect]] = {one.name: one for one in (_OPENAI, _AZURE, _BEDROCK)}

_AZURE_HOSTS = (".openai.azure.com", ".cognitiveservices.azure.com", ".services.ai.azure.com")
_AZURE_PATH = "/openai/v1"
_MANTLE = "bedrock-mantle."
_REGION = re.compile(r"bedrock-mantle\.([a-z]{2,3}(?:-[a-z]+)+-\d)\.api\.aws")


def dialect_of(base_url: str, chosen: str = "") -> Dialect:
    """The dialect of a service, by its address.

    Parameters
    ----------
    base_url
        Up to ``/v1``.
    chosen
        The name of one, where the address does not tell.

    Raises
    ------
    InvalidArgument
        There is none of that name, or the address is none of its service.
    """
    if chosen and chosen not in DIALECTS:
        raise InvalidArgument(
            f"There is no dialect {chosen!r}.", hint=f"Known: {', '.join(DIALECTS)}."
        )
    parts = urlsplit(base_url)
    host = (parts.hostname or "").casefold()
    found = DIALECTS[chosen or _told_by(host)]
    if is_loopback(host):
        return found
    if host.startswith(_MANTLE) and not _REGION.fullmatch(host):
        raise InvalidArgument(
            f"{host} names no region of Amazon Bedrock.",
            hint="The address is like https://bedrock-mantle.us-west-2.api.aws/v1.",
        )
    if host.endswith(_AZURE_HOSTS) and parts.path.rstrip("/") != _AZURE_PATH:
        raise InvalidArgument(
            f"The address of an Azure resource ends with {_AZURE_PATH}, not {parts.path!r}.",
            hint=f"Use https://{host}{_AZURE_PATH}.",
        )
    return found


def region_of(base_url: str) -> str:
    """The region that an address of Amazon Bedrock names; empty for every other."""
    found = _REGION.fullmatch((urlsplit(base_url).hostname or "").casefold())
    return found[1] if found else ""


def _told_by(host: str) -> DialectName:
    if host.endswith(_AZURE_HOSTS):
        return "azure"
    return "bedrock" if host.startswith(_MANTLE) else "openai"
