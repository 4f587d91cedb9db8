"""Fine-tuning jobs of the stand-in server. Nothing is trained: curves follow from the seed.

A job moves on by one step whenever somebody looks at it or at its events, so that tests need not
wait, and see every state. An answer about a job that has not ended says that it may be looked at
again at once (``Retry-After-Ms``).
"""

from __future__ import annotations

import math
from typing import Any

from msgspec import Struct, json

from rft_widgets.testing.calls import Call, missing, page
from rft_widgets.testing.chat import CREATED
from rft_widgets.testing.faults import error_response
from rft_widgets.testing.files import Files
from rft_widgets.testing.seeded import digest, share
from rft_widgets.testing.training_curve import TrainingStep, result_file, steps_of
from rft_widgets.testing.tuning_dialects import (
    DialectName,
    fault_of_job,
    metrics_in,
    pauses,
    rows_allowed,
)
from rft_widgets.testing.wire import HttpResponse, json_response

MAX_STEPS = 20
_KEPT_CHECKPOINTS = 3
_BATCH = 8
AGAIN_MS = 20
_METHODS = ("supervised", "dpo", "reinforcement")
_ENDED = frozenset({"succeeded", "failed", "cancelled"})
_RUNS = frozenset({"validating_files", "queued", "running"})
_BY_ITSELF = {"pause": "paused", "fail": "failed", "cancel": "cancelled"}


class _Job(Struct, kw_only=True):
    id: str
    about: dict[str, Any]
    steps: list[TrainingStep]
    position: int = 0
    events: list[dict[str, Any]] = []
    checkpoints: list[dict[str, Any]] = []

    @property
    def status(self) -> str:
        return str(self.about["status"])

    def says(self, message: str, *, level: str = "info", data: Any = None) -> None:
        """Add an event; the newest stands first."""
        number = len(self.events) + 1
        self.events.insert(
            0,
            {
                "id": f"ftevent-{self.id[6:]}-{number:04}",
                "object": "fine_tuning.job.event",
                "created_at": CREATED + number,
                "level": level,
                "message": message,
                "type": "metrics" if data else "message",
                "data": data or {},
            },
        )

    def becomes(self, status: str, message: str, *, level: str = "info", **more: Any) -> None:
        """Take another state."""
        self.about |= {"status": status, **more}
        if status in _ENDED:
            self.about["finished_at"] = CREATED + len(self.events) + 1
        self.says(message, level=level)


class FineTuning:
    """The jobs there are; a part of the service.

    ``tuned`` are the models that came of them.
    """

    def __init__(self, files: Files, *, seed: int, dialect: DialectName = "openai") -> None:
        self.tuned: set[str] = set()
        self._files, self._seed, self._dialect = files, seed, dialect
        self._jobs: dict[str, _Job] = {}

    def __call__(self, call: Call) -> HttpResponse | None:
        """Answer what is asked of jobs."""
        match call.method, call.path:
            case "POST", ("fine_tuning", "jobs"):
                return self._create(call.given)
            case "GET", ("fine_tuning", "jobs"):
                return page(call, [job.about for job in reversed(self._jobs.values())])
            case method, ("fine_tuning", "jobs", identity, *rest):
                job = self._jobs.get(identity)
                if job is None:
                    return missing("fine-tuning job", identity)
                if method == "POST" and len(rest) == 1:
                    return self._told(job, rest[0])
                if method == "GET" and rest in ([], ["events"], ["checkpoints"]):
                    self._moves_on(job)
                    if not rest:
                        more = {} if job.status in _ENDED else {"Retry-After-Ms": str(AGAIN_MS)}
                        return json_response(job.about, headers=more)
                    listed = job.events if rest == ["events"] else job.checkpoints
                    return page(call, listed, default=20 if rest == ["events"] else 10)
        return None

    def happens(self, what: str, words: str) -> None:
        """Have the service pause, fail or cancel the newest job by itself."""
        job = next(reversed(self._jobs.values()))
        error = {"code": "server_error", "message": words, "param": None}
        level = "error" if what == "fail" else "warn"
        more = {"error": error} if what == "fail" else {}
        job.becomes(_BY_ITSELF[what], words, level=level, **more)

    def _create(self, given: dict[str, Any]) -> HttpResponse:
        problem = self._refused(given)
        if problem:
            return error_response(400, problem)
        kind, method = _method(given)
        number = len(self._jobs) + 1
        identity = f"ftjob-{digest(self._seed, number).hex()[:24]}"
        seed = given.get("seed")
        seed = seed if isinstance(seed, int) else int(1e9 * share(self._seed, "job", number))
        about = {
            "id": identity,
            "object": "fine_tuning.job",
            "created_at": CREATED + number,
            "finished_at": None,
            "estimated_finish": None,
            "status": "validating_files",
            "model": given["model"],
            "fine_tuned_model": None,
            "training_file": given["training_file"],
            "validation_file": given.get("validation_file"),
            "result_files": [],
            "trained_tokens": None,
            "seed": seed,
            "error": None,
            "hyperparameters": method.get("hyperparameters") or {},
            "method": {"type": kind, kind: method},
            "metadata": given.get("metadata") or {},
            "integrations": given.get("integrations") or [],
            "organization_id": "org-stand-in",
            "suffix": given.get("suffix"),
        }
        job = _Job(id=identity, about=about, steps=[])
        job.says("Scripted stand-in: nothing is trained.", level="warn")
        job.says(f"Created fine-tuning job: {identity}")
        job.says(f"Validating training file: {given['training_file']}")
        self._jobs[identity] = job
        return json_response(about)

    def _refused(self, given: dict[str, Any]) -> str | None:
        if not isinstance(given.get("model"), str):
            return "you must provide a model parameter"
        for name in ("training_file", "validation_file"):
            wanted = given.get(name)
            if (wanted is not None or name == "training_file") and not self._files.get(wanted):
                return f"invalid {name}: {wanted}"
        suffix = given.get("suffix")
        if suffix is not None and not (isinstance(suffix, str) and 1 <= len(suffix) <= 64):
            return "'suffix' has 1 to 64 characters"
        kind, method = _method(given)
        if kind not in _METHODS:
            return f"there is no method {kind!r}"
        if kind == "reinforcement":
            return fault_of_job(self._dialect, given, method)
        return None

    def _told(self, job: _Job, what: str) -> HttpResponse | None:
        if what in ("pause", "resume") and not pauses(self._dialect):
            return None
        if what == "cancel" and job.status not in _ENDED:
            job.becomes("cancelled", "Fine-tuning job cancelled")
        elif what == "pause" and job.status in _RUNS and self._dialect == "azure":
            job.becomes("pausing", "Job is pausing")
        elif what == "pause" and job.status in _RUNS:
            self._pause(job)
        elif what == "resume" and job.status == "paused" and self._dialect == "azure":
            job.becomes("resuming", "Job is resuming")
        elif what == "resume" and job.status == "paused":
            self._resume(job)
        elif what in ("cancel", "pause", "resume"):
            return error_response(400, f"Job has status {job.status}: it cannot {what}.")
        else:
            return None
        return json_response(job.about)

    def _pause(self, job: _Job) -> None:
        self._checkpoint(job)
        job.becomes("paused", "Fine-tuning job paused")

    def _resume(self, job: _Job) -> None:
        job.becomes("running" if job.steps else "validating_files", "Fine-tuning job resumed")

    def _moves_on(self, job: _Job) -> None:
        if job.status == "pausing":
            self._pause(job)
        elif job.status == "resuming":
            self._resume(job)
        elif job.status == "validating_files":
            self._validate(job)
        elif job.status == "queued":
            job.becomes("running", "Fine-tuning job started")
        elif job.status == "running" and job.position < len(job.steps):
            step = job.steps[job.position]
            job.position += 1
            job.says(step.message, data=metrics_in(self._dialect, step.metrics))
            if step.is_evaluated:
                self._checkpoint(job)
        elif job.status == "running":
            self._succeed(job)

    def _validate(self, job: _Job) -> None:
        rows = 0
        for name in ("training_file", "validation_file"):
            file = self._files.get(job.about[name])
            if file is None:
                continue
            least, most = rows_allowed(self._dialect)
            least = least if name == "training_file" else 1
            problem = _fault_of_rows(file.content, least, most)
            if problem:
                error = {"code": f"invalid_{name}", "message": problem, "param": name}
                job.becomes("failed", problem, level="error", error=error)
                return
            rows = rows or len(file.content.splitlines())
        chosen = job.about["hyperparameters"]
        batch, epochs = _whole(chosen.get("batch_size"), _BATCH), _whole(chosen.get("n_epochs"), 1)
        total = min(MAX_STEPS, epochs * math.ceil(rows / batch))
        job.steps = steps_of(job.about, total, seed=self._seed)
        job.becomes("queued", "Files validated, moving job to queued state")

    def _checkpoint(self, job: _Job) -> None:
        """Keep the policy of the last step; of reinforcement the best ones stay."""
        if not job.position:
            return
        step = job.steps[job.position - 1]
        if any(one["step_number"] == step.number for one in job.checkpoints):
            return
        model = f"{_tuned_name(job)}:ckpt-step-{step.number}"
        job.checkpoints.insert(
            0,
            {
                "id": f"ftckpt-{digest(job.id, step.number).hex()[:24]}",
                "object": "fine_tuning.job.checkpoint",
                "created_at": CREATED + step.number,
                "fine_tuned_model_checkpoint": model,
                "fine_tuning_job_id": job.id,
                "step_number": step.number,
                "metrics": {"step": step.number, **step.checkpoint_metrics},
            },
        )
        self.tuned.add(model)
        if len(job.checkpoints) > _KEPT_CHECKPOINTS:
            worst = min(job.checkpoints, key=lambda one: _worth(one["metrics"]))
            job.checkpoints.remove(worst)
            self.tuned.discard(worst["fine_tuned_model_checkpoint"])

    def _succeed(self, job: _Job) -> None:
        made = self._files.add("step_metrics.csv", "fine-tune-results", result_file(job.steps))
        name = _tuned_name(job)
        self.tuned.add(name)
        job.says(f"New fine-tuned model created: {name}")
        job.becomes(
            "succeeded",
            "The job has successfully completed",
            fine_tuned_model=name,
            result_files=[made.id],
            trained_tokens=sum(step.tokens for step in job.steps),
        )


def _method(given: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    method = given.get("method")
    if not isinstance(method, dict):
        return "supervised", {"hyperparameters": given.get("hyperparameters") or {}}
    kind = str(method.get("type"))
    found = method.get(kind)
    return kind, found if isinstance(found, dict) else {}


def _fault_of_rows(content: bytes, least: int, most: int) -> str | None:
    lines = content.splitlines()
    if not least <= len(lines) <= most:
        return f"The file has {len(lines)} rows; {least} to {most} are allowed."
    for number, line in enumerate(lines, 1):
        try:
            row = json.decode(line)
        except (ValueError, RecursionError):
            return f"Line {number} is not JSON."
        messages = row.get("messages") if isinstance(row, dict) else None
        if not isinstance(messages, list) or not messages:
            return f"Line {number} has no messages."
    return None


def _tuned_name(job: _Job) -> str:
    suffix = job.about["suffix"] or ""
    return f"ft:{job.about['model']}:stand-in:{suffix}:{job.id[6:14]}"


def _worth(metrics: dict[str, Any]) -> float:
    return float(metrics.get("valid_reward_mean", -metrics.get("valid_loss", 0.0)))


def _whole(value: Any, default: int) -> int:
    return value if isinstance(value, int) and value > 0 else default
