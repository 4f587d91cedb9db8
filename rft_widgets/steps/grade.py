"""A grader made ready to grade."""

from __future__ import annotations

import os

from rft_widgets.graders import CompiledGrader, compile_grader
from rft_widgets.llm.connection import OpenAIModelCall
from rft_widgets.model.grader import Grader, LabelModel, Multi, ScoreModel, TextSimilarity
from rft_widgets.model.grader_version import GraderVersion
from rft_widgets.model.llm import ModelConnection


def open_grader(version: GraderVersion) -> CompiledGrader:
    """Make a saved grader ready; close it after use.

    Raises
    ------
    GraderInvalid
        It asks a model and was saved without a connection.
    SandboxUnavailable
        It is a script and this system cannot confine it.
    """
    return open_draft(version.grader, version.connection)


def open_draft(grader: Grader, connection: ModelConnection | None) -> CompiledGrader:
    """Make a grader ready that need not be saved; as `open_grader`."""
    call = None if connection is None else connect(connection)
    return compile_grader(grader, model_call=call)


def connect(connection: ModelConnection) -> OpenAIModelCall:
    """Make the connection; nothing is asked yet.

    Raises
    ------
    InvalidArgument
        A key may not be sent to its address.
    """
    return OpenAIModelCall(
        connection.base_url,
        api_key_env=connection.api_key_env,
        timeout_s=connection.timeout_s,
        structured=connection.structured,
    )


def missing_to_grade(grader: Grader, connection: ModelConnection | None) -> tuple[str, ...]:
    """Say what is not there yet that a grader needs when it grades, though not to be saved."""
    parts = tuple(grader.graders.values()) if isinstance(grader, Multi) else (grader,)
    missing = []
    models = sorted({p.model for p in parts if isinstance(p, (ScoreModel, LabelModel)) and p.model})
    if models and connection is None:
        missing.append(
            f"It asks the model {', '.join(models)}, and where that is asked is not configured."
        )
    elif models and connection is not None:
        name = connection.api_key_env
        if name is not None and not os.environ.get(name):
            missing.append(f"The environment variable {name}, which holds the key, is not set.")
    if any(isinstance(p, TextSimilarity) and p.evaluation_metric == "cosine" for p in parts):
        missing.append(
            "The metric cosine compares embeddings, and no embedding model is configured."
        )
    return tuple(missing)
