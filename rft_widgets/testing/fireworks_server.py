"""A real server on this machine that speaks the protocol of Fireworks. Nothing is trained.

It takes evaluators, datasets and jobs as the service does, and keeps them to be looked at. A job, a
build and a deployment move on by one state whenever somebody looks, so that tests need not wait::

    with FireworksServer(account="acme", key="fw-test") as server:
        workspace.add_connection("fireworks", server.base_url, ...)
        server.queue("503", path="reinforcementFineTuningJobs")

Faults: ``429``, ``500``, ``502``, ``503``, ``lost`` (done, and the answer cut); ``build`` has the
next build fail, ``job`` the next job, ``suspend`` has a job paused at the next look.
"""

from __future__ import annotations

import email.parser
import email.policy
from typing import Any
from urllib.parse import unquote

import msgspec
from msgspec import Struct

from rft_widgets.testing.loopback import Loopback
from rft_widgets.testing.wire import HttpRequest, HttpResponse, json_response

_JOB_STATES = ("CREATING", "VALIDATING", "PENDING", "RUNNING", "RUNNING", "RUNNING",
               "WRITING_RESULTS", "COMPLETED")  # fmt: skip
_ENDED = frozenset({"COMPLETED", "EARLY_STOPPED", "FAILED", "CANCELLED"})
_PERCENTS = {3: 10, 4: 50, 5: 90, 6: 100, 7: 100}


class Kept(Struct):
    """Something that is there: what was said of it, its file, and how often it was looked at."""

    about: dict[str, Any]
    file: bytes = b""
    looks: int = 0


class FireworksServer(Loopback):
    """The service, in a thread of this process while it is entered.

    Parameters
    ----------
    account
        The account that there is.
    key
        The key that every request must bring; ``None`` takes any.
    """

    def __init__(self, *, account: str, key: str | None = None, port: int = 0) -> None:
        super().__init__(port=port)
        self.account, self._key = account, key
        self.evaluators: dict[str, Kept] = {}
        self.datasets: dict[str, Kept] = {}
        self.jobs: dict[str, Kept] = {}
        self.deployments: dict[str, Kept] = {}

    @property
    def base_url(self) -> str:
        """Where it serves models, as a connection names it."""
        return f"{self.url}/inference/v1"

    def reply(self, request: HttpRequest) -> HttpResponse:
        """Answer a request."""
        if request.path.startswith("/storage/"):
            return self._stored(request)
        if self._key is not None and request.headers.get("authorization") != f"Bearer {self._key}":
            return self.refusal(401, "The API key is invalid.")
        if request.path == "/inference/v1/chat/completions":
            return self._chat(msgspec.json.decode(request.body))
        before = f"/v1/accounts/{self.account}/"
        if not request.path.startswith(before):
            return self.refusal(403, "The key is of another account.")
        kind, _, rest = unquote(request.path.removeprefix(before)).partition("/")
        identity, _, verb = rest.partition(":")
        match kind:
            case "evaluatorsV2" | "evaluators":
                return self._evaluator(request, identity, verb)
            case "datasets":
                return self._dataset(request, identity, verb)
            case "reinforcementFineTuningJobs":
                return self._job(request, identity, verb)
            case "deployments":
                return self._deployment(request, identity)
        return self.refusal(404, f"There is no {kind}.")

    def refusal(self, status: int, words: str) -> HttpResponse:
        """An error as the service words it."""
        return json_response({"error": {"code": status, "message": words}}, status)

    # Evaluators -----------------------------------------------------------------------------------

    def _evaluator(self, request: HttpRequest, identity: str, verb: str) -> HttpResponse:
        if request.method == "POST" and not identity:
            given = msgspec.json.decode(request.body)
            identity = given["evaluatorId"]
            if identity in self.evaluators:
                return self.refusal(409, f"There is an evaluator {identity}.")
            name = f"accounts/{self.account}/evaluators/{identity}"
            about = given["evaluator"] | {"name": name, "state": "STATE_UNSPECIFIED"}
            self.evaluators[identity] = Kept(about)
            return json_response(about)
        found = self.evaluators.get(identity)
        if found is None:
            return self.refusal(404, f"There is no evaluator {identity}.")
        if verb == "getUploadEndpoint":
            files = msgspec.json.decode(request.body)["filenameToSize"]
            urls = dict.fromkeys(files, f"{self.url}/storage/{identity}?signature=1")
            return json_response({"filenameToSignedUrls": urls})
        if verb == "validateUpload":
            if not found.file:
                return self.refusal(400, "Nothing was uploaded.")
            found.about["state"] = "BUILDING"
            return json_response({})
        found.looks += 1
        if found.about["state"] == "BUILDING" and found.looks > 1:
            is_broken = bool(self.fault("evaluators", "build"))
            found.about["state"] = "BUILD_FAILED" if is_broken else "ACTIVE"
            if is_broken:
                found.about["status"] = {"code": "INTERNAL", "message": "No module named 'x'."}
        return json_response(found.about)

    def _stored(self, request: HttpRequest) -> HttpResponse:
        identity = request.path.removeprefix("/storage/")
        if "authorization" in request.headers:
            return self.refusal(400, "A signed address takes no key.")
        length = request.headers.get("x-goog-content-length-range")
        if request.method != "PUT" or length != f"{len(request.body)},{len(request.body)}":
            return self.refusal(400, "The length does not match.")
        self.evaluators[identity].file = request.body
        return HttpResponse()

    # Datasets -------------------------------------------------------------------------------------

    def _dataset(self, request: HttpRequest, identity: str, verb: str) -> HttpResponse:
        if request.method == "POST" and not identity:
            given = msgspec.json.decode(request.body)
            identity = given["datasetId"]
            if identity in self.datasets:
                return self.refusal(409, f"There is a dataset {identity}.")
            about = given["dataset"] | {
                "name": f"accounts/{self.account}/datasets/{identity}",
                "state": "UPLOADING",
            }
            self.datasets[identity] = Kept(about)
            return json_response(about)
        found = self.datasets.get(identity)
        if found is None:
            return self.refusal(404, f"There is no dataset {identity}.")
        if verb == "upload":
            found.file = _part(request)
            rows = found.file.count(b"\n")
            if str(rows) != found.about["exampleCount"]:
                return self.refusal(400, f"{rows} rows, not {found.about['exampleCount']}.")
            found.about["state"] = "READY"
        return json_response(found.about)

    # Jobs -----------------------------------------------------------------------------------------

    def _job(self, request: HttpRequest, identity: str, verb: str) -> HttpResponse:
        if request.method == "POST" and not identity:
            return self._create_job(request)
        found = self.jobs.get(identity)
        if found is None:
            return self.refusal(404, f"There is no job {identity}.")
        about, state = found.about, found.about["state"].removeprefix("JOB_STATE_")
        if verb in ("cancel", "resume"):
            if state in _ENDED or (verb == "resume" and state != "PAUSED"):
                return self.refusal(400, f"The job is {state}.")
            about["state"] = "JOB_STATE_" + ("CANCELLED" if verb == "cancel" else "RUNNING")
            return json_response({} if verb == "cancel" else about)
        if state not in _ENDED and state != "PAUSED":
            self._move(found)
        return json_response(about)

    def _create_job(self, request: HttpRequest) -> HttpResponse:
        given = msgspec.json.decode(request.body)
        identity = request.query["reinforcementFineTuningJobId"]
        if identity in self.jobs:
            return self.refusal(409, f"There is a job {identity}.")
        evaluator = self.evaluators.get(given["evaluator"].rpartition("/")[2])
        if evaluator is None or evaluator.about["state"] != "ACTIVE":
            return self.refusal(400, f"The evaluator {given['evaluator']} is not active.")
        for name in (given["dataset"], given.get("evaluationDataset")):
            dataset = self.datasets.get((name or "").rpartition("/")[2])
            if name and (dataset is None or dataset.about["state"] != "READY"):
                return self.refusal(400, f"The dataset {name} is not ready.")
        if not given["trainingConfig"]["baseModel"].startswith("accounts/fireworks/models/"):
            return self.refusal(404, f"There is no model {given['trainingConfig']['baseModel']}.")
        about = given | {
            "name": f"accounts/{self.account}/reinforcementFineTuningJobs/{identity}",
            "state": "JOB_STATE_CREATING",
        }
        self.jobs[identity] = Kept(about)
        return json_response(about)

    def _move(self, found: Kept) -> None:
        """Take the next state."""
        about = found.about
        if self.fault("reinforcementFineTuningJobs", "suspend"):
            about["state"] = "JOB_STATE_PAUSED"
            return
        place = min(found.looks, len(_JOB_STATES) - 1)
        found.looks += 1
        state = _JOB_STATES[place]
        if state == "RUNNING" and self.fault("reinforcementFineTuningJobs", "job"):
            about["state"] = "JOB_STATE_FAILED"
            about["status"] = {"code": "INTERNAL", "message": "The evaluator failed too often."}
            return
        about["state"] = f"JOB_STATE_{state}"
        if place in _PERCENTS:
            percent = _PERCENTS[place]
            about["jobProgress"] = {
                "percent": percent,
                "epoch": percent // 60,
                "inputTokens": 100 * percent,
                "outputTokens": 40 * percent,
            }
            about["outputMetrics"] = msgspec.json.encode(
                {"reward": {"mean": percent / 100}}
            ).decode()
        if state == "COMPLETED":
            about["acceleratorSeconds"] = {"NVIDIA_H100_80GB": "1234"}

    # Deployments ----------------------------------------------------------------------------------

    def _deployment(self, request: HttpRequest, identity: str) -> HttpResponse:
        if request.method == "POST" and not identity:
            given = msgspec.json.decode(request.body)
            identity = request.query["deploymentId"]
            if identity in self.deployments:
                return self.refusal(409, f"There is a deployment {identity}.")
            if not given.get("deploymentShape"):
                return self.refusal(400, "A deployment shape is required.")
            name = f"accounts/{self.account}/deployments/{identity}"
            self.deployments[identity] = Kept(given | {"name": name, "state": "CREATING"})
            return json_response(self.deployments[identity].about)
        found = self.deployments.get(identity)
        if found is None:
            return self.refusal(404, f"There is no deployment {identity}.")
        if request.method == "DELETE":
            del self.deployments[identity]
            return json_response({})
        found.about["state"] = "READY"
        return json_response(found.about)

    def _chat(self, given: dict[str, Any]) -> HttpResponse:
        model, _, deployment = given["model"].partition("#")
        found = self.deployments.get(deployment.rpartition("/")[2])
        is_tuned = found is not None and found.about["baseModel"] == model
        if not is_tuned and not model.startswith("accounts/fireworks/models/"):
            return self.refusal(404, f"The model {given['model']} is not deployed.")
        text = "A trained answer: 7" if is_tuned else "An answer"
        message = {"role": "assistant", "content": text}
        return json_response(
            {
                "id": "chatcmpl-1",
                "object": "chat.completion",
                "created": 1,
                "model": given["model"],
                "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
                "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
            }
        )


def _part(request: HttpRequest) -> bytes:
    """The file of a form."""
    head = f"Content-Type: {request.headers['content-type']}\r\n\r\n".encode()
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + request.body)
    for part in message.iter_parts():
        return bytes(part.get_payload(decode=True))
    return b""
