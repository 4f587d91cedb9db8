"""A saved grader made ready to grade."""

from __future__ import annotations

from rft_widgets.graders import CompiledGrader, compile_grader
from rft_widgets.llm.connection import OpenAIModelCall
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
    call = None if version.connection is None else connect(version.connection)
    return compile_grader(version.grader, model_call=call)


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
