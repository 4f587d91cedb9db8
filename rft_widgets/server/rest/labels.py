"""People's labels of recorded answers, and the trust card that they give a grader."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from rft_widgets.dataset.labelling import ME
from rft_widgets.model.estimate import WorkEstimate
from rft_widgets.model.human_label import (
    AnswerToLabel,
    GivenLabel,
    HumanLabel,
    LabelImport,
    LabelScale,
)
from rft_widgets.model.trust import TrustCard
from rft_widgets.model.trust_settings import TRUST
from rft_widgets.server.rest.grading import allowed
from rft_widgets.server.rest.jobs import JobView, underway
from rft_widgets.server.rest.routing import Id, Routes, Underway
from rft_widgets.worker.grading import Field, Version
from rft_widgets.worker.trust import Labeller, Repeats, TrustParams
from rft_widgets.workspace import Workspace

routes = Routes("labels")


class QueueQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who labels, and how many answers they are to have labelled in the end."""

    labeller: Labeller = ME
    n: Annotated[int, Meta(ge=1, le=TRUST.most_labels)] = TRUST.labels
    seed: Annotated[int, Meta(ge=0, le=2**31 - 1)] = 0


class WhoQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose label."""

    labeller: Labeller = ME


class LabelBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person says: true or false (or ``pass``, ``fail``), or on ``five`` 1 to 5."""

    value: GivenLabel
    labeller: Labeller = ME
    scale: LabelScale = "pass_fail"
    note: Annotated[str, Meta(max_length=TRUST.max_note_chars)] = ""


class LabelField(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where labels stand that came with the records; by default the field is the person."""

    field: Field
    labeller: Labeller | None = None
    scale: LabelScale = "pass_fail"


class CardQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which card."""

    version: Version | None = None
    labeller: Labeller | None = None
    repeats: Repeats | None = None
    against: Version | None = None


@routes.add("GET", "/datasets/{dataset_id}/labels")
def list_labels(ws: Workspace, dataset_id: Id) -> tuple[HumanLabel, ...]:
    """Every label, the oldest first."""
    return ws.dataset(dataset_id).labels


@routes.add("GET", "/datasets/{dataset_id}/labels/queue")
def list_answers_to_label(
    ws: Workspace, dataset_id: Id, query: QueueQuery
) -> tuple[AnswerToLabel, ...]:
    """Answers for a person to label, blind: without anything that a grader said."""
    return ws.dataset(dataset_id).to_label(query.n, seed=query.seed, labeller=query.labeller)


@routes.add("POST", "/datasets/{dataset_id}/labels/import")
def import_labels(ws: Workspace, dataset_id: Id, body: LabelField) -> LabelImport:
    """Take labels that came with the records."""
    return ws.dataset(dataset_id).import_labels(
        body.field, labeller=body.labeller, scale=body.scale
    )


@routes.add("PUT", "/datasets/{dataset_id}/records/{record_id}/label")
def update_label(ws: Workspace, dataset_id: Id, record_id: Id, body: LabelBody) -> HumanLabel:
    """Keep what a person says of a record's answer, in place of what they said before."""
    return ws.dataset(dataset_id).label(
        record_id, body.value, labeller=body.labeller, scale=body.scale, note=body.note
    )


@routes.add("DELETE", "/datasets/{dataset_id}/records/{record_id}/label")
def delete_label(ws: Workspace, dataset_id: Id, record_id: Id, query: WhoQuery) -> bool:
    """Take back what a person said of a record's answer; whether there was anything."""
    return ws.dataset(dataset_id).unlabel(record_id, labeller=query.labeller)


@routes.add("GET", "/datasets/{dataset_id}/trust-card")
def get_trust_card(ws: Workspace, dataset_id: Id) -> TrustCard | None:
    """The trust card that was made last; ``null`` where there is none."""
    job = ws.dataset(dataset_id).last_job("trust_card")
    return None if job is None else job.result


@routes.add("GET", "/datasets/{dataset_id}/trust-card/estimate")
def get_trust_estimate(ws: Workspace, dataset_id: Id, query: CardQuery) -> WorkEstimate | None:
    """What making a card is expected to take; ``null`` where no model is asked."""
    return ws.dataset(dataset_id).trust_estimate(
        version=query.version,
        labeller=query.labeller,
        repeats=query.repeats,
        against=query.against,
    )


@routes.add("POST", "/datasets/{dataset_id}/trust-card")
def make_trust_card(
    ws: Workspace,
    dataset_id: Id,
    body: TrustParams = TrustParams(),  # noqa: B008 - frozen
) -> Underway[JobView]:
    """Grade the labelled answers, and say whether the grader judges as people do."""
    dataset = ws.dataset(dataset_id)
    params = msgspec.structs.replace(body, connection=allowed(dataset, body.connection))
    return underway(dataset.submit("trust_card", params))
