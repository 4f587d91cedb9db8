"""What is said over HTTP of a call that was refused: one status a kind of error."""

from __future__ import annotations

from collections.abc import Mapping

from rft_widgets.errors import (
    AlreadyAtWork,
    BudgetReached,
    ImportInterrupted,
    ModelRefused,
    NeedsModel,
    NotFound,
    RftError,
    RunInterrupted,
    ServingFailed,
    StaleEdit,
    StoreUnavailable,
    TooManyFailures,
    TrainingRefused,
)
from rft_widgets.model.problem import Problem, problem_of
from rft_widgets.server.rest.routing import (
    BadRequest,
    BodyTooLarge,
    PreconditionFailed,
    UnsupportedBody,
)
from rft_widgets.uploads import UploadNoRoom, UploadOffset, UploadTooLarge

STATUS: Mapping[type[RftError], int] = {
    BadRequest: 400,
    NotFound: 404,
    StaleEdit: 409,
    AlreadyAtWork: 409,
    TrainingRefused: 409,
    NeedsModel: 409,
    BudgetReached: 409,
    ModelRefused: 409,
    TooManyFailures: 409,
    ServingFailed: 409,
    RunInterrupted: 409,
    ImportInterrupted: 409,
    UploadOffset: 409,
    PreconditionFailed: 412,
    BodyTooLarge: 413,
    UploadTooLarge: 413,
    UploadNoRoom: 413,
    UnsupportedBody: 415,
    StoreUnavailable: 503,
    RftError: 422,
}
"""Status of each kind of error; one that is not here has that of the kind that it is a kind of."""

WORDS: Mapping[int, str] = {
    400: "The request does not have the form that the call takes; the message names the place.",
    401: "The request says nobody who may call: send `Authorization: token ...`.",
    403: "Whoever calls may not, or a cookie came without its `X-XSRFToken`.",
    404: "There is nothing of that id.",
    409: "It cannot be done as things stand; the message says what changed or is missing.",
    412: "What `If-Match` names is not there any more; nothing was changed.",
    413: "The body is too large, or there is no room for it.",
    415: "The body is of a type that the call does not take.",
    422: "A value cannot be used; the message says which and why.",
    503: "The store cannot be reached.",
}
"""What each status means, for the document."""


def refusal(error: Exception) -> tuple[int, Problem]:
    """Status and words of an error; 500 where it is none of ours."""
    problem = problem_of(error)
    for kind in type(error).__mro__:
        if kind in STATUS:
            return STATUS[kind], problem
    return 500, Problem(
        code=problem.code, message=problem.message, hint="What it was stands in the server's log."
    )
