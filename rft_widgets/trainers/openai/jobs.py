"""A job of a service that speaks the OpenAI fine-tuning protocol."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from msgspec import Struct, structs

from rft_widgets.errors import InvalidArgument, ModelGone, RftError
from rft_widgets.model.training import Checkpoint, CurvePoint
from rft_widgets.trainers.hosted import JobState, ServiceStatus, ServiceUnreachable
from rft_widgets.trainers.openai.dialects import Dialect
from rft_widgets.trainers.openai.events import (
    PAGE,
    checkpoint_of,
    message_of,
    new_events,
    point_of,
)
from rft_widgets.trainers.openai.wire import CallRefused, Wire

RUN = "rft_widgets_run"
"""Key of the metadata that says whose job it is."""
_JOBS, _FILES = "/fine_tuning/jobs", "/files"
_MOST_PAGES = 100
_NO_ROUTE = frozenset({404, 405, 501})
_BEING_READ = frozenset({"pending", "running", "uploading", "notstarted"})
_CLOSE = 3

_STATUSES: dict[str, tuple[ServiceStatus, str]] = {
    "validating_files": ("waiting", "The service checks the files"),
    "queued": ("waiting", "Waiting for its turn at the service"),
    "pending": ("waiting", "Waiting for its turn at the service"),
    "notrunning": ("waiting", "Waiting for its turn at the service"),
    "running": ("running", "Training"),
    "pausing": ("running", "The service is pausing the job"),
    "resuming": ("waiting", "The service is resuming the job"),
    "paused": ("paused", "Paused"),
    "succeeded": ("succeeded", "The training ended"),
    "failed": ("failed", "Failed"),
    "cancelled": ("cancelled", "Cancelled"),
    "canceled": ("cancelled", "Cancelled"),
}


class JobPlan(Struct, frozen=True, kw_only=True):
    """What a job is started with.

    Attributes
    ----------
    write
        Writes the files of a run and gives their paths: to learn from, and to measure on.
    models
        Models that the grader asks at the service.
    body
        What is sent to create the job, without the files.
    scale
        Takes a reward of the service to 0..1.
    epochs
        Times each record is learned from, where that was chosen.
    """

    base_model: str
    write: Callable[[], tuple[Path, Path | None]]
    models: tuple[str, ...]
    body: dict[str, Any]
    scale: Callable[[float], float]
    epochs: int | None


class FineTuningJobs:
    """A `JobService` over the protocol.

    Parameters
    ----------
    wire, dialect
        The service.
    plan
        What a job is started with.
    log
        Told what whoever looks at the run should know.
    """

    def __init__(
        self, wire: Wire, dialect: Dialect, plan: JobPlan, log: Callable[[str], None]
    ) -> None:
        self._wire, self._dialect, self._plan, self._log = wire, dialect, plan, log
        self.pauses = dialect.pauses

    # Starting ------------------------------------------------------------------------------------

    def find(self, key: str) -> str:
        """Id of the job that was started with a key; empty where there is none."""
        mine = {found["id"] for found in self._listed(_FILES, purpose="fine-tune")
                if found.get("filename") == _name(key, "train")}  # fmt: skip
        for job in self._listed(_JOBS):
            metadata = job.get("metadata")
            is_named = isinstance(metadata, dict) and metadata.get(RUN) == key
            if is_named or job.get("training_file") in mine:
                return str(job["id"])
        return ""

    def start(self, key: str) -> str:
        """Check what can be checked, send the files that are not there, and start a job."""
        train, valid = self._plan.write()
        self._check_models()
        there = {
            found.get("filename"): found for found in self._listed(_FILES, purpose="fine-tune")
        }
        body = dict(self._plan.body)
        body["training_file"] = self._sent(train, _name(key, "train"), there)
        if valid is not None:
            body["validation_file"] = self._sent(valid, _name(key, "valid"), there)
        if self._dialect.name_chars:
            body["metadata"] = {RUN: key}
        made = self._wire.post(_JOBS, body).value
        if not isinstance(made.get("id"), str):
            raise RftError("The service started a job and did not say which.")
        return str(made["id"])

    def _check_models(self) -> None:
        """Refuse models that the service does not list, or that have ended."""
        try:
            listed = self._wire.get("/models").value.get("data") or []
        except CallRefused as refused:
            if refused.status in _NO_ROUTE:
                self._log("The service has no list of models: whether it has this one is seen now.")
                return
            raise
        known = {str(one["id"]): one for one in listed if isinstance(one, dict) and "id" in one}
        self._check_model(self._plan.base_model, known, "base model")
        for model in self._plan.models:
            self._check_model(model, known, "judge's model")

    def _check_model(self, model: str, known: dict[str, Any], what: str) -> None:
        if model not in known:
            close = difflib.get_close_matches(model, known, _CLOSE) or sorted(known)[:_CLOSE]
            raise InvalidArgument(
                f"{self._dialect.title} does not list the {what} {model!r} for this account.",
                hint=f"It lists {', '.join(close)}." if close else "It lists none.",
            )
        ends = _date(known[model].get("shutdown_date"))
        if ends is not None and ends <= datetime.now(UTC).date():
            raise ModelGone(
                f"The {what} {model} was shut down on {ends}, as {self._dialect.title} says.",
                hint="Choose another one.",
            )

    def _sent(self, path: Path, name: str, there: dict[Any, Any]) -> str:
        """The id of a file, which is sent unless it is there as a whole."""
        found = there.get(name)
        size = path.stat().st_size
        if found is not None and found.get("bytes") in (None, size):
            self._log(f"{name} is at the service already.")
        else:
            found = self._wire.upload(path, name).value
            self._log(f"Sent {name} ({size:,} bytes).")
        if not isinstance(found.get("id"), str):
            raise RftError(f"The service took {name} and did not say what it calls it.")
        identity = str(found["id"])
        status = str(found.get("status") or "").lower()
        if status in _BEING_READ:
            answer = self._wire.get(f"{_FILES}/{identity}")
            found, status = answer.value, str(answer.value.get("status") or "").lower()
            if status in _BEING_READ:
                raise ServiceUnreachable(
                    f"The service still reads {name}.", retry_after_s=answer.again_s
                )
        if status in ("error", "failed"):
            words = str(found.get("status_details") or "").strip()
            raise RftError(f"The service cannot read {name}. {words}".strip())
        return identity

    # Following -----------------------------------------------------------------------------------

    def poll(self, job: str, seen: str) -> tuple[JobState, str]:
        """How a job stands, and what is new of its events."""
        answer = self._wire.get(f"{_JOBS}/{job}")
        about = answer.value
        said = str(about.get("status") or "")
        status, words = _STATUSES.get(said.lower(), ("running", f"The service says: {said[:80]}"))

        def page(after: str) -> dict[str, Any]:
            more = {"after": after} if after else {}
            return self._wire.get(f"{_JOBS}/{job}/events", limit=PAGE, **more).value

        events, seen = new_events(page, seen)
        points, messages, steps, step = [], [], 0, 0
        for event in events:
            point = point_of(event, self._dialect, self._plan.scale)
            if point is None:
                messages.append(message_of(event))
                continue
            steps = max(steps, int(point.metrics.get("total_steps", 0)))
            step = max(step, point.step)
            points.append(self._with_epoch(point, steps))
        if status == "running" and step:
            words = f"Step {step:,}" + (f" of {steps:,}" if steps else "")
        if status == "paused":
            words = self._dialect.paused_words
        model = str(about.get("fine_tuned_model") or "")
        error = ""
        if status == "succeeded" and not model:
            status, error = "failed", "It succeeded, and the service names no model."
        if status == "failed" and not error:
            error = _error(about.get("error"))
        return JobState(
            status=status,
            words=words,
            step=step,
            steps=steps,
            epoch=points[-1].epoch if points else 0.0,
            points=tuple(points),
            messages=tuple(filter(None, messages)),
            model=model,
            error=error,
            again_s=answer.again_s,
        ), seen

    def _with_epoch(self, point: CurvePoint, steps: int) -> CurvePoint:
        if point.epoch or not steps or not self._plan.epochs:
            return point
        return structs.replace(point, epoch=self._plan.epochs * point.step / steps)

    def pause(self, job: str) -> None:
        """Have it pause."""
        self._wire.post(f"{_JOBS}/{job}/pause")

    def resume(self, job: str) -> None:
        """Have it go on; nothing where it does already, or has ended."""
        about = self._wire.get(f"{_JOBS}/{job}").value
        if str(about.get("status")).lower() == "paused":
            self._wire.post(f"{_JOBS}/{job}/resume")

    def cancel(self, job: str) -> None:
        """Have it end."""
        self._wire.post(f"{_JOBS}/{job}/cancel")

    def checkpoints(self, job: str) -> Sequence[Checkpoint]:
        """The checkpoints that can be asked, by step; none where the service lists none."""
        found = [
            checkpoint_of(one, self._plan.scale)
            for one in self._listed(f"{_JOBS}/{job}/checkpoints")
        ]
        return sorted((one for one in found if one is not None), key=lambda one: one.step)

    def _listed(self, path: str, **query: str) -> Iterator[dict[str, Any]]:
        """Everything of a list, page by page; nothing where the service has no such list."""
        after: dict[str, str] = {}
        for _ in range(_MOST_PAGES):
            try:
                page = self._wire.get(path, limit=PAGE, **query, **after).value
            except CallRefused as refused:
                if refused.status in _NO_ROUTE:
                    return
                raise
            found = [one for one in page.get("data") or () if isinstance(one, dict) and "id" in one]
            yield from found
            if not found or not page.get("has_more"):
                return
            after = {"after": str(found[-1]["id"])}


def _name(key: str, part: str) -> str:
    return f"{key}-{part}.jsonl"


def _error(error: Any) -> str:
    if not isinstance(error, dict):
        return str(error or "The service does not say why.")[:500]
    words = str(error.get("message") or error.get("code") or "").strip()
    return words[:500] or "The service does not say why."


def _date(text: Any) -> date | None:
    try:
        return date.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
