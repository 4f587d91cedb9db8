"""Labelling recorded answers, blind, and the trust card that the labels give a grader."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta, Struct

from rft_widgets.graders.compiled import asks_models
from rft_widgets.model.estimate import WorkEstimate
from rft_widgets.model.human_label import (
    FIVE_WORDS,
    PASS_FAIL_WORDS,
    LabelImport,
    LabelScale,
)
from rft_widgets.model.job import JobState
from rft_widgets.model.trust import LabellerCount, TrustCard
from rft_widgets.model.trust_settings import TRUST
from rft_widgets.widgets import rpc
from rft_widgets.widgets.dialogs.base import Dialog
from rft_widgets.widgets.records.detail import ShownMessage, ShownTool, shown_message, shown_tool
from rft_widgets.worker.definition import MaxCost
from rft_widgets.worker.grading import Field, Version
from rft_widgets.worker.trust import Labeller, Repeats, TrustParams

_Record = Annotated[str, Meta(min_length=1, max_length=500)]
_Wanted = Annotated[int, Meta(ge=1, le=TRUST.most_labels)]
_Note = Annotated[str, Meta(max_length=TRUST.max_note_chars)]
_Value = Annotated[int, Meta(ge=0, le=5)]


class KnownVersion(Struct, frozen=True, kw_only=True):
    """A saved grader that a card can be made of."""

    version: int
    name: str
    in_use: bool
    asks_model: bool
    """Grading with it costs money, and it may not say the same twice."""


class LabellingView(Struct, frozen=True, kw_only=True):
    """What the dialog opens with. It holds nothing of what a grader said of any answer."""

    labellers: tuple[LabellerCount, ...]
    fields: tuple[str, ...]
    """Fields of the records that hold labels already."""
    versions: tuple[KnownVersion, ...]
    wanted: int
    pass_fail: tuple[str, ...]
    five: tuple[str, ...]


class LabelBatch(Struct, frozen=True, kw_only=True):
    """What a person has to label: those done count, and those to do in their order."""

    done: int
    record_ids: tuple[str, ...]


class ShownAnswer(Struct, frozen=True, kw_only=True):
    """An answer with its prompt, to be judged."""

    record_id: str
    prompt: tuple[ShownMessage, ...]
    answer: tuple[ShownMessage, ...]
    tools: tuple[ShownTool, ...]


class LabellingDialog(Dialog):
    """Labelling recorded answers, blind, and the trust card that the labels give a grader."""

    component: ClassVar[str] = "dialogs/labelling"
    step: ClassVar[int] = 4

    @rpc.method(background=True)
    def load(self) -> LabellingView:
        """What the dialog opens with."""
        dataset = self._dataset
        in_use = dataset.grader_version
        counts: dict[str, int] = {}
        for one in dataset.labels:
            counts[one.labeller] = counts.get(one.labeller, 0) + (not one.is_stale)
        return LabellingView(
            labellers=tuple(
                LabellerCount(labeller=name, labels=count) for name, count in sorted(counts.items())
            ),
            fields=dataset.grader_fields().labels,
            versions=tuple(
                KnownVersion(
                    version=one.version,
                    name=one.grader.name,
                    in_use=in_use is not None and one.version == in_use.version,
                    asks_model=asks_models(one.grader),
                )
                for one in reversed(dataset.grader_versions)
            ),
            wanted=TRUST.labels,
            pass_fail=PASS_FAIL_WORDS,
            five=FIVE_WORDS,
        )

    @rpc.method(background=True)
    def batch(self, labeller: Labeller, n: _Wanted = TRUST.labels) -> LabelBatch:
        """What a person has to label, so that there are ``n`` in the end."""
        mine = [
            one for one in self._dataset.labels if one.labeller == labeller and not one.is_stale
        ]
        left = self._dataset.to_label(n, labeller=labeller)
        return LabelBatch(done=len(mine), record_ids=tuple(one.record_id for one in left))

    @rpc.method(background=True, packed=True)
    def answer(self, record_id: _Record) -> ShownAnswer:
        """An answer to judge: the conversation alone, no score, no reason, no field."""
        record = self._dataset.record(record_id)
        return ShownAnswer(
            record_id=record.id,
            prompt=tuple(map(shown_message, record.input.messages)),
            answer=tuple(map(shown_message, record.output.messages)),
            tools=tuple(map(shown_tool, record.input.tools)),
        )

    @rpc.method(background=True)
    def label(
        self,
        record_id: _Record,
        value: _Value,
        labeller: Labeller,
        scale: LabelScale,
        note: _Note = "",
    ) -> None:
        """Keep what a person says of an answer."""
        self._dataset.label(record_id, value, labeller=labeller, scale=scale, note=note)

    @rpc.method(background=True)
    def unlabel(self, record_id: _Record, labeller: Labeller) -> bool:
        """Take that back."""
        return self._dataset.unlabel(record_id, labeller=labeller)

    @rpc.method(background=True)
    def import_labels(self, field: Field, scale: LabelScale = "pass_fail") -> LabelImport:
        """Take labels that came with the records."""
        return self._dataset.import_labels(field, scale=scale)

    @rpc.method()
    def start_card(
        self,
        version: Version | None = None,
        labeller: Labeller | None = None,
        repeats: Repeats | None = None,
        against: Version | None = None,
        max_cost_usd: MaxCost | None = None,
    ) -> JobState:
        """Grade the labelled answers and hold the two together."""
        asked = TrustParams(
            version=version,
            labeller=labeller,
            repeats=repeats,
            against=against,
            max_cost_usd=max_cost_usd,
        )
        return self._dataset.submit("trust_card", asked).state

    @rpc.method(background=True)
    def estimate(
        self,
        version: Version | None = None,
        labeller: Labeller | None = None,
        repeats: Repeats | None = None,
        against: Version | None = None,
    ) -> WorkEstimate | None:
        """What a card is expected to take; nothing where no model is asked."""
        return self._dataset.trust_estimate(
            version=version, labeller=labeller, repeats=repeats, against=against
        )

    @rpc.method(background=True, packed=True)
    def card(self) -> TrustCard | None:
        """The card that was made last; nothing where there is none."""
        job = self._dataset.last_job("trust_card")
        return None if job is None else job.result


WIDGET = LabellingDialog
