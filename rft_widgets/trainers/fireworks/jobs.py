"""A job of managed reinforcement fine-tuning at Fireworks."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from rft_widgets.errors import InvalidArgument, RftError
from rft_widgets.graders.sample import item_of
from rft_widgets.model.message import to_json
from rft_widgets.model.record import Record
from rft_widgets.model.training import Checkpoint, CurvePoint
from rft_widgets.trainers.fireworks import service
from rft_widgets.trainers.fireworks.evaluator import Evaluator, ensure_evaluator
from rft_widgets.trainers.fireworks.service import Account, CallRefused
from rft_widgets.trainers.hosted import JobState, ServiceStatus, ServiceUnreachable

MOST_BYTES = 150 * 10**6
"""Largest file that Fireworks takes in one call."""
_PERCENT = 100

_STATES: dict[str, tuple[ServiceStatus, str]] = {
    "CREATING": ("waiting", "Fireworks is making the job"),
    "PENDING": ("waiting", "Waiting for GPUs at Fireworks"),
    "RE_QUEUEING": ("waiting", "Waiting again for GPUs at Fireworks"),
    "VALIDATING": ("waiting", "Fireworks checks the job"),
    "CREATING_INPUT_DATASET": ("waiting", "Fireworks makes its dataset"),
    "RUNNING": ("running", "Training"),
    "IDLE": ("running", "Fireworks is idle"),
    "WRITING_RESULTS": ("running", "Fireworks writes the model"),
    "CANCELLING": ("running", "Fireworks is cancelling the job"),
    "PAUSED": ("paused", "Fireworks pauses jobs where the account is suspended."),
    "COMPLETED": ("succeeded", "The training ended"),
    "EARLY_STOPPED": ("succeeded", "The training ended early"),
    "FAILED": ("failed", "Failed"),
    "EXPIRED": ("failed", "Expired"),
    "CANCELLED": ("cancelled", "Cancelled"),
    "DELETING": ("cancelled", "Being deleted"),
    "DELETING_CLEANING_UP": ("cancelled", "Being deleted"),
}


class JobPlan(Struct, frozen=True, kw_only=True):
    """What a job is started with.

    Attributes
    ----------
    options
        Of the job, without records, evaluator and the model's name.
    evaluator
        An evaluator that is there; empty to make one with ``write``.
    """

    name: str
    options: dict[str, Any]
    train: tuple[Record, ...]
    valid: tuple[Record, ...]
    folder: Path
    evaluator: str
    write: Callable[[], Evaluator]


class ManagedJobs:
    """A `JobService` over the SDK. Everything is called by the run's key, so nothing is twice."""

    pauses = False

    def __init__(self, account: Account, plan: JobPlan, log: Callable[[str], None]) -> None:
        self._account, self._plan, self._log = account, plan, log

    def find(self, key: str) -> str:
        """The job of a key, if there is one."""
        return "" if self._get(key) is None else key

    def start(self, key: str) -> str:
        """Send what is not there yet, and start the job."""
        account, plan = self._account, self._plan
        identity = plan.evaluator or f"{key}-evaluator"
        ensure_evaluator(account, identity, None if plan.evaluator else plan.write, self._log)
        options = dict(plan.options)
        options["dataset"] = self._sent(f"{key}-train", plan.train)
        if plan.valid:
            options["evaluation_dataset"] = self._sent(f"{key}-valid", plan.valid)
        training = options.get("training_config", {})
        options["training_config"] = training | {"output_model": model_id(key, plan.name)}
        evaluator = account.name("evaluators", identity)
        try:
            account.call(
                lambda client: client.reinforcement_fine_tuning_jobs.create(
                    reinforcement_fine_tuning_job_id=key,
                    display_name=plan.name,
                    evaluator=evaluator,
                    **options,
                )
            )
        except CallRefused as refused:
            if refused.status != 409:  # started before: the answer was lost
                raise
        return key

    def _sent(self, identity: str, records: Sequence[Record]) -> str:
        """Whole name of a dataset, which is sent unless it is there as a whole."""
        account = self._account
        found = account.find(lambda client: client.datasets.get(identity))
        if found is None:
            about = {
                "display_name": identity,
                "eval_protocol": {},
                "format": "FORMAT_UNSPECIFIED",
                "example_count": str(len(records)),
            }
            found = account.call(
                lambda client: client.datasets.create(dataset_id=identity, dataset=about)
            )
        if found.state != "READY":
            path = self._plan.folder / f"{identity}.jsonl"
            write_rows(path, records)
            file = (path.name, path.read_bytes(), "application/jsonl")
            account.call(lambda client: client.datasets.upload(identity, file=file))
            self._log(f"Sent {identity} ({len(records):,} records).")
            found = account.call(lambda client: client.datasets.get(identity))
            if found.state != "READY":
                raise ServiceUnreachable(
                    f"Fireworks still reads {identity}.", retry_after_s=service.LOOK_S
                )
        return account.name("datasets", identity)

    def poll(self, job: str, seen: str) -> tuple[JobState, str]:
        """How a job stands; ``seen`` is what it last said of itself."""
        found = self._get(job)
        if found is None:
            raise RftError(f"Fireworks has no job {job} any more.", hint="Train again.")
        said = str(found.state or "").removeprefix("JOB_STATE_")
        status, words = _STATES.get(said, ("running", f"Fireworks says: {said[:80]}"))
        progress = found.job_progress
        done = int((progress and progress.percent) or 0)
        epoch = float((progress and progress.epoch) or 0)
        if status == "running" and done:
            words = f"{words}: {done} %"
        metrics = numbers_of(found.output_metrics) | _counts(progress)
        now = msgspec.json.encode([done, metrics]).decode()
        points = (
            (CurvePoint(step=done, epoch=epoch, metrics=metrics),)
            if metrics and now != seen
            else ()
        )
        model = ""
        if status == "succeeded":
            done = _PERCENT
            model = (found.training_config and found.training_config.output_model) or job
            model = self._account.name("models", model)
        error = (found.status.message if found.status else None) or ""
        return JobState(
            status=status,
            words=words,
            step=done,
            steps=_PERCENT,
            epoch=epoch,
            points=points,
            model=model,
            error=error[:500] or ("It does not say why." if status == "failed" else ""),
        ), now

    def pause(self, job: str) -> None:
        """Fireworks has no call for that."""
        raise InvalidArgument(f"Fireworks cannot pause {job}.", hint="Let it go on, or cancel it.")

    def resume(self, job: str) -> None:
        """Have a job go on that Fireworks paused."""
        found = self._get(job)
        if found is not None and found.state == "JOB_STATE_PAUSED":
            jobs = "reinforcement_fine_tuning_jobs"
            self._account.call(lambda client: getattr(client, jobs).resume(job, body={}))

    def cancel(self, job: str) -> None:
        """Have it end."""
        self._account.call(
            lambda client: client.reinforcement_fine_tuning_jobs.cancel(job, body={})
        )

    def checkpoints(self, job: str) -> Sequence[Checkpoint]:  # noqa: ARG002 - of the protocol
        """None: a managed job gives its last model alone."""
        return ()

    def gpu_seconds(self, job: str) -> dict[str, float]:
        """Seconds of GPUs that a job took, by their kind, as far as Fireworks says."""
        found = self._get(job)
        said = (found and found.accelerator_seconds) or {}
        return {kind: float(text) for kind, text in said.items() if _is_number(text)}

    def _get(self, job: str) -> Any:
        return self._account.find(lambda client: client.reinforcement_fine_tuning_jobs.get(job))


def model_id(key: str, name: str) -> str:
    """What the trained model is to be called: at most 63 letters, digits and dashes."""
    tail = key.rpartition("-")[2]
    return f"{name[: 62 - len(tail)].strip('-')}-{tail}"


def write_rows(path: Path, records: Sequence[Record]) -> None:
    """Write records as an evaluator reads them: the messages, the tools, and the item as text.

    Raises
    ------
    InvalidArgument
        The file would be larger than the service takes.
    """
    with path.open("wb") as file:
        for record in records:
            item = msgspec.json.encode(item_of(record)).decode()
            row: dict[str, Any] = {
                "messages": to_json(record.input.messages),
                "ground_truth": item,
            }
            if record.input.tools:
                row["tools"] = to_json(record.input.tools)
            file.write(msgspec.json.encode(row) + b"\n")
    if path.stat().st_size > MOST_BYTES:
        raise InvalidArgument(
            f"{path.name} has more than {MOST_BYTES // 10**6} MB, which is the most that Fireworks "
            "takes in one call.",
            hint="Train on fewer records.",
        )


def numbers_of(text: str | None) -> dict[str, float]:
    """Numbers of what a job says of itself as JSON, by their paths; none where it is no JSON."""
    if not text:
        return {}
    try:
        value = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return {}
    found: dict[str, float] = {}

    def read(one: Any, path: str) -> None:
        if isinstance(one, dict):
            for name, inner in one.items():
                read(inner, f"{path}.{name}" if path else name)
        elif isinstance(one, (int, float)) and not isinstance(one, bool) and math.isfinite(one):
            found[path or "value"] = float(one)

    read(value, "")
    return found


def _counts(progress: Any) -> dict[str, float]:
    names = ("input_tokens", "output_tokens", "successfully_processed_requests", "failed_requests")
    given = {name: getattr(progress, name, None) for name in names}
    return {name: float(value) for name, value in given.items() if value}


def _is_number(text: str) -> bool:
    return text.replace(".", "", 1).removesuffix("s").isdigit()
