"""What the trainer ``openai`` is, and what a configuration for it may hold."""

from __future__ import annotations

import importlib.util
import re
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from rft_widgets.errors import InvalidArgument
from rft_widgets.model.training import TrainingConfig
from rft_widgets.model.training_plan import SettingField, TrainerCapabilities, TrainerInfo
from rft_widgets.trainers.graders import EVERY_GRADER
from rft_widgets.trainers.hyperparameters import fields_of, read_hyperparameters, read_settings
from rft_widgets.trainers.openai.dialects import Dialect

DIALECT, LAMBDA_ARN, TRAINING_TYPE = "dialect", "lambda_arn", "training_type"
RESPONSE_SCHEMA, BASE_DEPLOYMENT = "response_schema", "base_deployment"

_ARN = re.compile(r"arn:aws[a-z-]*:lambda:([a-z0-9-]+):\d{12}:function:[\w-]+(:[\w$-]+)?")
_TRAINING_TYPES = ("Standard", "GlobalStandard", "Developer")


class OpenAIHyperparameters(Struct, frozen=True, kw_only=True):
    """Every number of the trainer ``openai``; what is ``None`` the service decides."""

    n_epochs: (
        Annotated[
            int,
            Meta(ge=1, le=10, title="Epochs", description="Times each prompt is learned from."),
        ]
        | None
    ) = None
    batch_size: (
        Annotated[
            int,
            Meta(ge=1, le=512, title="Prompts a step", description="Prompts of one step."),
        ]
        | None
    ) = None
    learning_rate_multiplier: (
        Annotated[
            float,
            Meta(
                ge=0.001,
                le=100.0,
                title="Learning rate multiplier",
                description="Times the learning rate that the service would choose.",
            ),
        ]
        | None
    ) = None
    compute_multiplier: (
        Annotated[
            float,
            Meta(
                ge=0.00001,
                le=10.0,
                title="Compute multiplier",
                description="How much is tried out in a step; more explores more, and costs more.",
            ),
        ]
        | None
    ) = None
    eval_interval: (
        Annotated[
            int,
            Meta(
                ge=1,
                le=1_000,
                title="Evaluation interval",
                description="Steps between two measurements on the validation file.",
            ),
        ]
        | None
    ) = None
    eval_samples: (
        Annotated[
            int,
            Meta(
                ge=1,
                le=50,
                title="Evaluation samples",
                description="Answers to each validation prompt at a measurement.",
            ),
        ]
        | None
    ) = None
    reasoning_effort: (
        Annotated[
            Literal["default", "low", "medium", "high"],
            Meta(
                title="Reasoning effort",
                description="How long the model thinks before it answers, while it is trained.",
            ),
        ]
        | None
    ) = None


_SETTINGS = (
    SettingField(
        name=DIALECT,
        title="Dialect",
        description=(
            "Which service it is, where its address does not tell: openai, azure or bedrock."
        ),
        example="bedrock",
    ),
    SettingField(
        name=LAMBDA_ARN,
        title="Grader function (Bedrock)",
        description=(
            "ARN of the AWS Lambda function that grades. Make one of the dataset's grader with "
            "`rft-widgets grader export --for bedrock`."
        ),
        example="arn:aws:lambda:us-west-2:123456789012:function:my-grader",
    ),
    SettingField(
        name=RESPONSE_SCHEMA,
        title="Response schema",
        description=(
            "JSON schema of the answers, for graders that read the answer as JSON "
            "(sample.output_json): the services fill that only for answers of a schema."
        ),
        example='{"type": "object", "properties": {...}, "required": [...]}',
    ),
    SettingField(
        name=TRAINING_TYPE,
        title="Training type (Azure)",
        description=(
            "Where Azure trains: Standard, GlobalStandard or Developer. Empty: as it is set up."
        ),
        example="GlobalStandard",
    ),
    SettingField(
        name=BASE_DEPLOYMENT,
        title="Deployment of the base model (Azure)",
        description=(
            "Name under which the base model is deployed there, to be compared with. Empty: the "
            "name of the model."
        ),
        example="base-of-the-run",
    ),
)

_INFO = TrainerInfo(
    name="openai",
    title="Fine-tuning service (OpenAI protocol)",
    description=(
        "Reinforcement fine-tuning at a service that speaks the OpenAI protocol: Amazon Bedrock, "
        "Azure, or OpenAI itself, which takes no new customers any more. The service samples "
        "answers, grades them and trains."
    ),
    needs="An account with the service, and a connection to it. It costs what the service asks.",
    base_model="A model that the service fine-tunes by reinforcement.",
    base_models=("openai.gpt-oss-20b", "qwen.qwen3-32b"),
    capabilities=TrainerCapabilities(
        grader_runs="service",
        graders=EVERY_GRADER,
        pauses=True,
        survives_restart=True,
        rollouts=False,
        checkpoints=True,
        measures=True,
        tools=True,
        serving="By the service; at Azure once it is deployed there.",
    ),
    needs_base_model=True,
    needs_connection=True,
    hyperparameters=fields_of(OpenAIHyperparameters),
    settings=_SETTINGS,
)


def trainer_info() -> TrainerInfo:
    """What it is, and what is missing here."""
    if importlib.util.find_spec("openai") is not None:
        return _INFO
    return msgspec.structs.replace(
        _INFO, missing="Install it with: pip install 'rft-widgets[openai]'."
    )


def read_numbers(config: TrainingConfig, dialect: Dialect) -> dict[str, Any]:
    """The hyperparameters that are given, as they are sent.

    Raises
    ------
    InvalidArgument
        One is not right, or the service does not know it.
    """
    found = msgspec.structs.asdict(read_hyperparameters(OpenAIHyperparameters, config))
    given = {name: value for name, value in found.items() if value is not None}
    unknown = sorted(given.keys() - dialect.hyperparameters)
    if unknown:
        raise InvalidArgument(
            f"{dialect.title} does not know the hyperparameter {unknown[0]}.",
            hint=f"It knows {', '.join(sorted(dialect.hyperparameters))}.",
        )
    return given


def read_texts(config: TrainingConfig) -> dict[str, str]:
    """The settings that are given; `InvalidArgument` for one that is unknown."""
    return read_settings(_INFO, config)


def lambda_arn(texts: dict[str, str], region: str) -> str:
    """The function that grades at Bedrock.

    Raises
    ------
    InvalidArgument
        It is missing, is no ARN of a function, or is in another region than the service.
    """
    arn = texts.get(LAMBDA_ARN, "")
    found = _ARN.fullmatch(arn)
    if found is None:
        what = f"{arn!r} is no ARN of a Lambda function." if arn else "Bedrock grades by a function"
        raise InvalidArgument(
            what if arn else f"{what} of AWS Lambda, and settings name none.",
            hint="Write one with `rft-widgets grader export --for bedrock`, put it up at AWS, and "
            f"set settings[{LAMBDA_ARN!r}] to its ARN.",
        )
    if region and found[1] != region:
        raise InvalidArgument(
            f"The function is in {found[1]}, and the service in {region}.",
            hint="Both have to be in one region.",
        )
    return arn


def training_type(texts: dict[str, str]) -> str:
    """Where Azure trains; empty for its default. `InvalidArgument` for one that is unknown."""
    chosen = texts.get(TRAINING_TYPE, "")
    if chosen and chosen not in _TRAINING_TYPES:
        raise InvalidArgument(
            f"There is no training type {chosen!r}.", hint=f"Known: {', '.join(_TRAINING_TYPES)}."
        )
    return chosen


def response_format(texts: dict[str, str], *, is_read: bool) -> dict[str, Any] | None:
    """The form of answers; ``None`` for free text.

    Parameters
    ----------
    texts
        The settings.
    is_read
        Whether the grader reads the answers as JSON.

    Raises
    ------
    InvalidArgument
        The schema is none, or it is missing where the grader reads answers as JSON.
    """
    text = texts.get(RESPONSE_SCHEMA, "")
    if not text:
        if is_read:
            raise InvalidArgument(
                "The grader reads sample.output_json, which the service fills only for answers of "
                "a JSON schema, and there is none.",
                hint=f"Set settings[{RESPONSE_SCHEMA!r}] to the schema of the answers, or have the "
                "grader read sample.output_text.",
            )
        return None
    try:
        schema = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        raise InvalidArgument(f"The response schema is not JSON: {error}.") from None
    if not isinstance(schema, dict) or schema.get("type") != "object":
        raise InvalidArgument(
            "The response schema describes no object.", hint='It begins with {"type": "object", ...'
        )
    return {
        "type": "json_schema",
        "json_schema": {"name": "answer", "strict": True, "schema": schema},
    }
