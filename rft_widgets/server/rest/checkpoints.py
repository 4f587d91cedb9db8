"""Checkpoints of a training run beside each other, and the run on one page."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct, structs

from rft_widgets.model.checkpoint_settings import CHECKPOINTS
from rft_widgets.model.checkpoints import CheckpointComparison
from rft_widgets.model.run_card import RunCard
from rft_widgets.server.rest.downloads import download
from rft_widgets.server.rest.jobs import JobView, underway
from rft_widgets.server.rest.routing import Attachment, Id, Routes, Underway
from rft_widgets.worker.definition import MaxCost
from rft_widgets.worker.training import CompareCheckpoints, Seed
from rft_widgets.workspace import Workspace

routes = Routes("training")

_TYPES = {"html": "text/html", "json": "application/json"}


class CompareBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which checkpoints are compared, on how many validation prompts.

    Attributes
    ----------
    steps
        By default all, or of very many some that are spread evenly.
    n
        Prompts at most; of more, a sample is drawn with ``seed``.
    max_cost_usd
        Most dollars that services and the grader's models may cost together.
    """

    steps: (
        Annotated[
            tuple[Annotated[int, Meta(ge=0)], ...],
            Meta(min_length=1, max_length=CHECKPOINTS.most),
        ]
        | None
    ) = None
    n: Annotated[int, Meta(ge=1, le=100_000)] | None = None
    seed: Seed = 0
    max_cost_usd: MaxCost | None = None


class CardFileQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Form of the file."""

    format: Literal["html", "json"] = "html"


@routes.add("POST", "/training/{training_id}/compare-checkpoints")
def compare_checkpoints(
    ws: Workspace,
    training_id: Id,
    body: CompareBody = CompareBody(),  # noqa: B008 - frozen
) -> Underway[JobView]:
    """Let checkpoints answer the validation prompts, and say which differences are clear."""
    job = ws.training_job(training_id)
    params = CompareCheckpoints(training_job=job.id, **structs.asdict(body))
    return underway(ws.dataset(job.dataset_id).submit("compare_checkpoints", params))


@routes.add("GET", "/training/{training_id}/comparison")
def get_checkpoint_comparison(ws: Workspace, training_id: Id) -> CheckpointComparison | None:
    """The comparison of checkpoints that was made last; ``null`` where there is none."""
    return ws.training_job(training_id).comparison


@routes.add("GET", "/training/{training_id}/run-card")
def get_run_card(ws: Workspace, training_id: Id) -> RunCard:
    """Everything about a run on one page."""
    return ws.training_job(training_id).run_card()


@routes.add(
    "GET", "/training/{training_id}/run-card/file", media_types=("text/html", "application/json")
)
def download_run_card(ws: Workspace, training_id: Id, query: CardFileQuery) -> Attachment:
    """The run card as a file; the page needs no network and no script."""
    card = ws.training_job(training_id).run_card()
    with download(f"{card.job_id}-run-card.{query.format}", _TYPES[query.format]) as made:
        write = card.to_html if query.format == "html" else card.to_json
        write(made.path)
    return made
