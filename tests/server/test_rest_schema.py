"""The REST API against its own OpenAPI document, with values that schemathesis makes up."""

from __future__ import annotations

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from rest_server import LINES, TOKEN, Client, jupyter_server
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from rft_widgets.server.rest import openapi

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
]
CHECK = {
    "type": "string_check",
    "name": "is",
    "input": "{{sample.output_text}}",
    "reference": "Answer 1",
    "operation": "like",
}


SOME = [
    "create_from_upload", "list_datasets", "update_dataset", "get_records", "update_record",
    "delete_records", "update_topics", "update_grader",
]  # fmt: skip
"""Calls of the short run; the long one has them all."""


class Things:
    """What there is for made-up calls to hit: made anew when one of them deleted it."""

    def __init__(self, api: Client) -> None:
        self.api = api
        self.known: dict[str, str] = {}

    def ids(self) -> dict[str, str]:
        found = self.known.get("dataset_id")
        if found is None or self.api("GET", f"/datasets/{found}").status != 200:
            self._make()
        return self.known

    def _make(self) -> None:
        api = self.api
        job = api.ok("POST", "/datasets/from-upload?name=s&wait=30", data=LINES,
                     Content_Type="text/plain")  # fmt: skip
        here = f"/datasets/{job['dataset_id']}"
        api.ok("PUT", f"{here}/grader", {"grader": CHECK})
        api.ok("POST", f"{here}/dry-run?wait=30", {"n": 5})
        body = {"hyperparameters": {"n_epochs": 1}, "despite_no_go": True}
        run = api.ok("POST", f"{here}/train?wait=30", body)
        gone = api.ok("POST", f"{here}/records/delete", {"record_ids": ["r19"]})
        self.known = {
            "dataset_id": job["dataset_id"],
            "record_id": "r3",
            "job_id": job["id"],
            "training_id": run["id"],
            "deletion_id": gone["id"],
            "upload_id": api.ok("POST", "/uploads", {"name": "x", "size": 9})["id"],
        }
        if run["status"] == "completed":
            self.known["deployment_id"] = api.ok("POST", f"{here}/deploy", {})["id"]


@pytest.fixture(scope="module")
def things(tmp_path_factory):
    with jupyter_server(tmp_path_factory.mktemp("schema")) as origin:
        yield Things(Client(origin))


OPERATIONS = [
    found.ok() for found in schemathesis.openapi.from_dict(openapi()).get_all_operations()
]


def _check(case: schemathesis.Case, things: Things) -> None:
    if case.meta.generation.mode.is_positive:  # hit something that there is
        ids = things.ids()
        case.path_parameters |= {name: ids[name] for name in case.path_parameters if name in ids}
        if "wait" in case.query:
            case.query["wait"] = 0.2  # any other is as good, and longer
    answer = case.call(
        base_url=f"{things.api.origin}/api/optimization",
        headers={"Authorization": f"token {TOKEN}"},
        timeout=60,
    )
    checks = list(CHECKS)
    if answer.status_code == 413 or str(case.media_type).startswith("multipart/"):
        # Too large is refused as well; and in a form, `true` is a text like any other.
        checks.remove(negative_data_rejection)
    case.validate_response(answer, checks=checks)


def _make_up(operation: APIOperation, things: Things, examples: int) -> None:
    """Call an operation with values as the document has them, and with such as it forbids."""
    modes = [GenerationMode.POSITIVE]
    if operation.query or operation.path_parameters or operation.body:
        modes.append(GenerationMode.NEGATIVE)
    for mode in modes:

        @given(case=operation.as_strategy(generation_mode=mode))
        @settings(
            max_examples=examples,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        def try_it(case: schemathesis.Case) -> None:
            _check(case, things)

        try_it()


def _label(operation: APIOperation) -> str:
    return str(operation.label)


@pytest.mark.parametrize(
    "operation",
    [one for one in OPERATIONS if one.definition.raw["operationId"] in SOME],
    ids=_label,
)
def test_what_is_made_up_is_answered_as_the_document_says(operation, things):
    _make_up(operation, things, 2)


@pytest.mark.slow
@pytest.mark.parametrize("operation", OPERATIONS, ids=_label)
def test_much_that_is_made_up_is_answered_as_the_document_says(operation, things):
    _make_up(operation, things, 60)
