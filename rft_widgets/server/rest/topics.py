"""Topics: finding, setting and exchanging them, and putting records under them."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

from rft_widgets.errors import ImportRejected
from rft_widgets.files import read_whole
from rft_widgets.model.connection import ConnectionName
from rft_widgets.model.estimate import WorkEstimate
from rft_widgets.model.topic import CategorizeMode, TopicHierarchy
from rft_widgets.model.topic_settings import TOPIC_LIMITS
from rft_widgets.server.rest.downloads import download
from rft_widgets.server.rest.jobs import JobView, underway
from rft_widgets.server.rest.routing import Attachment, FileBody, Id, Routes, Underway
from rft_widgets.steps.topics.exchange import TopicsForm, read_topics
from rft_widgets.worker.topics import Categorize, Count, GenerateTopics, Instructions, Seed
from rft_widgets.workspace import Workspace

routes = Routes("topics")


class Assignments(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What becomes of the records: ``keep`` leaves them where their path or name is left."""

    assignments: Literal["keep", "clear"] = "keep"


class TopicsFile(FileBody, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A JSON file of topics, and whether records stay where their topic is left."""

    keep_assignments: bool = True


class FormQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which form a file has: a tree, or one map of all topics."""

    form: TopicsForm = "nested"


class EstimatedTopics(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which models would name found topics and decide about uncertain records of the present ones.

    Of each that is named, the estimate says what it would take.
    """

    model: ConnectionName | None = None
    categorize_model: ConnectionName | None = None
    mode: CategorizeMode = "unlabeled_only"
    n_topics: Count | None = None
    seed: Seed = 0
    instructions: Instructions = ""
    embeddings: bool = True


class TopicsEstimate(Struct, frozen=True, kw_only=True):
    """What each model would take; ``null`` of one that was not named."""

    naming: WorkEstimate | None
    categorizing: WorkEstimate | None


@routes.add("GET", "/datasets/{dataset_id}/topics")
def get_topics(ws: Workspace, dataset_id: Id) -> TopicHierarchy:
    """Topics; while none were made, the tree that the labels of the records make."""
    return ws.dataset(dataset_id).topics


@routes.add("PUT", "/datasets/{dataset_id}/topics", max_bytes=TOPIC_LIMITS.max_file_bytes)
def update_topics(
    ws: Workspace, dataset_id: Id, query: Assignments, body: dict[str, Any]
) -> TopicHierarchy:
    """Set other topics in place of the present ones, in any form that a file of topics may have."""
    return ws.dataset(dataset_id).set_topics(body, assignments=query.assignments)


@routes.add("POST", "/datasets/{dataset_id}/topics/generate")
def generate_topics(
    ws: Workspace,
    dataset_id: Id,
    body: GenerateTopics = GenerateTopics(),  # noqa: B008 - frozen
) -> Underway[JobView]:
    """Make topics in place of the present ones, and put the records under them."""
    return underway(ws.dataset(dataset_id).submit("generate_topics", body))


@routes.add("POST", "/datasets/{dataset_id}/topics/categorize")
def categorize_records(
    ws: Workspace,
    dataset_id: Id,
    body: Categorize = Categorize(),  # noqa: B008 - frozen
) -> Underway[JobView]:
    """Put valid records under the topics, each with a confidence."""
    return underway(ws.dataset(dataset_id).submit("categorize", body))


@routes.add("POST", "/datasets/{dataset_id}/topics/estimate")
def estimate_topics(ws: Workspace, dataset_id: Id, body: EstimatedTopics) -> TopicsEstimate:
    """Calls, tokens, money and minutes that models would take; nothing is asked."""
    dataset = ws.dataset(dataset_id)
    naming = categorizing = None
    if body.model is not None:
        naming = dataset.estimate_topics(
            body.model,
            n_topics=body.n_topics,
            instructions=body.instructions,
            embeddings=body.embeddings,
        )
    if body.categorize_model is not None:
        categorizing = dataset.estimate_categorize(
            body.categorize_model,
            body.mode,
            seed=body.seed,
            instructions=body.instructions,
            embeddings=body.embeddings,
        )
    return TopicsEstimate(naming=naming, categorizing=categorizing)


@routes.add("POST", "/datasets/{dataset_id}/topics/import")
def import_topics(ws: Workspace, dataset_id: Id, body: TopicsFile) -> TopicHierarchy:
    """Set the topics of a JSON file in place of the present ones.

    The body is the file itself, a form with the file in ``file``, or JSON that names an upload.
    """
    dataset = ws.dataset(dataset_id)
    with ws.uploads.reading(body.upload) as path:
        data = read_whole(path, TOPIC_LIMITS.max_file_bytes)
    if data is None:
        raise ImportRejected(
            f"The file has more than {TOPIC_LIMITS.max_file_bytes:,} bytes.",
            hint="A file of topics is far smaller; is it the right one?",
        )
    made = dataset.set_topics(
        read_topics(data), assignments="keep" if body.keep_assignments else "clear"
    )
    ws.uploads.drop(body.upload)
    return made


@routes.add("GET", "/datasets/{dataset_id}/topics/export", media_types=("application/json",))
def export_topics(ws: Workspace, dataset_id: Id, query: FormQuery) -> Attachment:
    """Topics as a JSON file that `import_topics` reads back to the same topics."""
    dataset = ws.dataset(dataset_id)
    with download(f"{dataset_id}-topics.json", "application/json") as made:
        dataset.export_topics(made.path, query.form)
    return made
