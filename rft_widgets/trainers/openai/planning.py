"""What a run is to be, made ready and refused before anything is sent."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from rft_widgets.errors import InvalidArgument
from rft_widgets.llm.catalogue import refuse_gone
from rft_widgets.llm.endpoint import missing_of
from rft_widgets.model.connection import NamedConnection
from rft_widgets.model.grader import Grader
from rft_widgets.model.training import TrainingConfig
from rft_widgets.model.training_plan import TrainingEstimate
from rft_widgets.trainers.base import TrainingRequest
from rft_widgets.trainers.openai.dialects import Dialect, dialect_of, region_of
from rft_widgets.trainers.openai.grader import service_grader
from rft_widgets.trainers.openai.rows import check_counts
from rft_widgets.trainers.openai.settings import (
    BASE_DEPLOYMENT,
    DIALECT,
    lambda_arn,
    read_numbers,
    read_texts,
    response_format,
    training_type,
)
from rft_widgets.web import checked_base_url

OPENAI_CLOSED = (
    "OpenAI closes fine-tuning: since 2026-05-07 no organization can begin that never did, and "
    "from 2027-01-06 nobody can start a job (developers.openai.com/api/docs/deprecations)."
)
_OPENAI_HOST = "https://api.openai.com"


class Plan(Struct, frozen=True, kw_only=True):
    """A run that can be sent.

    Attributes
    ----------
    body
        The request that creates the job, without its files.
    judges
        Models that the grader asks at the service.
    row_fields
        Fields that the rows need for the grader.
    compared
        What the base model is asked as, to compare with.
    """

    dialect: Dialect
    connection: NamedConnection
    base_model: str
    body: dict[str, Any]
    judges: tuple[str, ...]
    row_fields: frozenset[str]
    epochs: int | None
    compared: str
    notes: tuple[str, ...]


def plan_of(
    config: TrainingConfig, connection: NamedConnection | None, grader: Grader | None, *, name: str
) -> Plan:
    """Make the plan of a run; the same for the same configuration whenever it is made.

    Raises
    ------
    InvalidArgument
        It cannot be done; says why.
    """
    if connection is None or not config.connection:
        raise InvalidArgument(
            "The fine-tuning service is not named.",
            hint="Make a connection to it with ws.add_connection(...), and give its name as "
            "connection.",
        )
    if not config.base_model:
        raise InvalidArgument(
            "Which model is to be trained is not said.",
            hint="Give base_model, such as 'openai.gpt-oss-20b' at Bedrock.",
        )
    texts = read_texts(config)
    base_url = checked_base_url(connection.connection.base_url)
    dialect = dialect_of(base_url, texts.get(DIALECT, ""))
    numbers = read_numbers(config, dialect)
    judges: tuple[str, ...] = ()
    row_fields: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()
    method: dict[str, Any] = {}
    if dialect.grader == "lambda":
        arn = lambda_arn(texts, region_of(base_url))
        method["grader"] = {"type": "lambda", "lambda": {"function": arn}}
        form = response_format(texts, is_read=False)
    else:
        made = None if grader is None else service_grader(grader, dialect)
        if made is not None:
            method["grader"] = made.value
            judges, row_fields, notes = made.models, made.row_fields, made.notes
        form = response_format(texts, is_read=made is not None and made.reads_json)
    if form is not None:
        method["response_format"] = form
    if numbers:
        method["hyperparameters"] = numbers
    body: dict[str, Any] = {
        "model": config.base_model,
        "method": {"type": "reinforcement", "reinforcement": method},
    }
    if dialect.name_chars:
        body |= {"suffix": name[: dialect.name_chars], "seed": config.seed}
    if dialect.name == "azure" and (kind := training_type(texts)):
        body["trainingType"] = kind
    return Plan(
        dialect=dialect,
        connection=connection,
        base_model=config.base_model,
        body=body,
        judges=judges,
        row_fields=row_fields,
        epochs=numbers.get("n_epochs"),
        compared=(texts.get(BASE_DEPLOYMENT) if dialect.needs_deployment else None)
        or config.base_model,
        notes=(*_notes(base_url, dialect), *notes),
    )


def refuse_unready(plan: Plan) -> None:
    """Refuse a run that cannot begin now.

    Raises
    ------
    InvalidArgument
        The key is missing.
    ModelGone
        The base model, or one that judges, was shut down as far as is known here.
    """
    missing = missing_of(plan.connection.connection)
    if missing:
        raise InvalidArgument(missing, hint="Set it where the kernel or the worker starts.")
    for model in (plan.base_model, *plan.judges):
        refuse_gone(plan.connection, model=model)


def check(request: TrainingRequest) -> None:
    """Refuse a run that cannot be done, by what is known without asking the service."""
    plan = plan_of(request.config, request.connection, request.grader, name="trial")
    refuse_unready(plan)
    check_counts(plan.dialect, request.train, request.valid)


def estimate(request: TrainingRequest) -> TrainingEstimate:
    """What a run will take: nobody says its price beforehand."""
    return TrainingEstimate(
        seconds=None,
        basis="",
        gradings=2 * request.valid,
        cost_micro_usd=None,
        cost_basis=(
            "The service does not say its price here; what it grades and what its judges cost is "
            "on its bill. Answers to the validation prompts are asked twice at the end."
        ),
    )


def _notes(base_url: str, dialect: Dialect) -> tuple[str, ...]:
    notes = []
    if base_url.startswith(_OPENAI_HOST):
        notes.append(OPENAI_CLOSED)
    if dialect.grader == "lambda":
        notes.append(
            "The service grades with the function that settings name. Whether that is this "
            "dataset's grader, nobody checks: export it anew after every change."
        )
    return tuple(notes)
