"""What differs between the services that the stand-in's fine-tuning can stand for."""

from __future__ import annotations

from typing import Any, Final, Literal, get_args

from rft_widgets.errors import InvalidArgument
from rft_widgets.testing.graders import fault_of

DialectName = Literal["openai", "azure", "bedrock"]
DIALECTS: Final[tuple[DialectName, ...]] = get_args(DialectName)

_PREFIXES: Final[dict[str, str]] = {"azure": "/openai/v1"}
_LEAST_ROWS: Final[dict[str, int]] = {"azure": 10, "bedrock": 100}
_MOST_ROWS: Final[dict[str, int]] = {"bedrock": 20_000}
_ROWS = 50_000


def checked_dialect(name: str) -> DialectName:
    """A name as the name of a dialect; `InvalidArgument` if it is none."""
    for known in DIALECTS:
        if name == known:
            return known
    raise InvalidArgument(f"There is no dialect {name!r}.", hint=f"Known: {', '.join(DIALECTS)}.")


def prefix_of(dialect: DialectName) -> str:
    """Where the paths of a service begin."""
    return _PREFIXES.get(dialect, "/v1")


def pauses(dialect: DialectName) -> bool:
    """Whether jobs can be paused."""
    return dialect != "bedrock"


def rows_allowed(dialect: DialectName) -> tuple[int, int]:
    """Least and most rows of a file to learn from."""
    return _LEAST_ROWS.get(dialect, 1), _MOST_ROWS.get(dialect, _ROWS)


def fault_of_job(dialect: DialectName, given: dict[str, Any], method: dict[str, Any]) -> str | None:
    """What a service has against a job of reinforcement, if anything."""
    if dialect == "azure" and given.get("validation_file") is None:
        return "validation_file is required for reinforcement fine-tuning."
    if dialect == "bedrock":
        if given.get("suffix") is not None:
            return "suffix is not supported."
        grader = method.get("grader")
        named = grader.get("lambda") if isinstance(grader, dict) else None
        function = named.get("function") if isinstance(named, dict) else None
        if not isinstance(grader, dict) or grader.get("type") != "lambda":
            return "method.reinforcement.grader: only graders of type lambda are supported."
        if not isinstance(function, str) or not function.startswith("arn:aws:lambda:"):
            return "method.reinforcement.grader: lambda.function is the ARN of a function."
        return None
    problem = fault_of(method.get("grader"))
    return f"method.reinforcement.grader: {problem}" if problem else None


def metrics_in(dialect: DialectName, metrics: dict[str, Any]) -> dict[str, Any]:
    """The metrics of a step as a service calls them."""
    if dialect != "bedrock" or "train_mean_reward" not in metrics:
        return metrics
    step, total = metrics["step"], metrics["total_steps"]
    return {
        "step": step,
        "critic_rewards_mean": metrics["train_mean_reward"],
        "critic_advantages_mean": 0.0,
        "actor_pg_loss": round(0.05 * (1 - step / total), 4),
        "actor_entropy": round(0.9 - 0.5 * step / total, 4),
        "actor_grad_norm": 0.3,
        "response_length_mean": metrics["completion_tokens_mean"],
    }
