"""What people say of a dataset's recorded answers."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from rft_widgets.dataset.comparing import ComparesAnswers
from rft_widgets.errors import InvalidArgument
from rft_widgets.model.human_label import (
    AnswerToLabel,
    GivenLabel,
    HumanLabel,
    LabelImport,
    LabelScale,
    label_value,
)
from rft_widgets.model.record import Record
from rft_widgets.model.trust_settings import TRUST
from rft_widgets.steps.label_sample import Labelable, choose_to_label
from rft_widgets.store import human_labels
from rft_widgets.store.human_labels import NewLabel, StoredLabel
from rft_widgets.store.texts import can_hold

ME = "me"
"""Who labels, where nobody says."""

_CANONICAL = msgspec.json.Encoder(order="sorted")
_IDS_AT_A_TIME = 5_000
_IN_METADATA = "metadata."


class HasLabels(ComparesAnswers):
    """Labels of recorded answers, given blind or read from the records."""

    def to_label(
        self, n: int = TRUST.labels, *, seed: int = 0, labeller: str = ME
    ) -> tuple[AnswerToLabel, ...]:
        """Choose recorded answers for a person to label, blind: without what a grader said.

        Of the valid records a systematic sample of ``n`` is drawn that has every topic, and where
        they were scored every range of scores, in its proportion; each answer is as likely to be
        in it as any other, so that nothing has to be weighted. What other people labelled comes
        first, so that people can be compared; what ``labeller`` has labelled counts among the
        ``n`` and is not given again.

        Parameters
        ----------
        n
            Answers that the person is to have labelled in the end.
        seed
            Of the choice.
        labeller
            Name of the person.
        """
        person = _labeller(labeller)
        known = self._fresh_labels()
        mine = {one.label.record_id for one in known if one.label.labeller == person}
        if n - len(mine) < 1:
            return ()
        scores = human_labels.scores(self._store, self.id)
        answers = [
            Labelable(id=one.id, topic=one.topic, score=scores.get(one.id))
            for one in self._candidates(seed)
            if one.is_valid and one.has_answer
        ]
        drawn = choose_to_label(answers, n, seed) if answers else []
        of_others = {one.label.record_id for one in known} - mine
        shared = choose_to_label([a for a in answers if a.id in of_others], n, seed)
        order = [key for key in dict.fromkeys((*shared, *drawn)) if key not in mine]
        chosen = order[: n - len(mine)]
        found = {record.id: record for record in self._by_id(chosen)}
        return tuple(_to_label(found[key]) for key in chosen if key in found)

    def label(
        self,
        record_id: str,
        value: GivenLabel,
        *,
        labeller: str = ME,
        scale: LabelScale = "pass_fail",
        note: str = "",
    ) -> HumanLabel:
        """Keep what a person says of a record's answer, in place of what they said before.

        Parameters
        ----------
        record_id
            Which record.
        value
            ``True`` or ``False`` (``"pass"`` or ``"fail"``, 1 or 0); on the scale ``five`` 1 to 5.
        labeller
            Name of the person.
        scale
            ``pass_fail`` or ``five``.
        note
            Why, in the person's own words.

        Raises
        ------
        NotFound
            There is no record of that id.
        InvalidArgument
            The value is no label of the scale, or the record has no recorded answer.

        Examples
        --------
        >>> ds.label("rec_1", True, labeller="ada")  # doctest: +SKIP
        >>> ds.label("rec_2", 4, scale="five", note="right, but long")  # doctest: +SKIP
        """
        record = self.record(record_id)
        if not any(message.role == "assistant" for message in record.output.messages):
            raise InvalidArgument(f"Record {record_id!r} has no recorded answer to label.")
        new = NewLabel(
            record_id=record_id,
            labeller=_labeller(labeller),
            answer_hash=_hash(record),
            value=label_value(value, scale),
            scale=scale,
            note=_note(note),
        )
        at = human_labels.keep(self._store, self.id, [new])
        return HumanLabel(
            record_id=record_id,
            labeller=new.labeller,
            value=new.value,
            scale=scale,
            note=new.note,
            at=at,
        )

    def unlabel(self, record_id: str, *, labeller: str = ME) -> bool:
        """Take back what a person said of a record's answer; whether there was anything."""
        if not can_hold(record_id):
            return False
        return human_labels.forget(self._store, self.id, record_id, _labeller(labeller))

    @property
    def labels(self) -> tuple[HumanLabel, ...]:
        """Every label, the oldest first; those of records that are gone are left out."""
        stored = human_labels.read_all(self._store, self.id)
        hashes = self._hashes(one.label.record_id for one in stored)
        return tuple(
            msgspec.structs.replace(
                one.label, is_stale=hashes[one.label.record_id] != one.answer_hash
            )
            for one in stored
            if one.label.record_id in hashes
        )

    def import_labels(
        self, field: str, *, labeller: str | None = None, scale: LabelScale = "pass_fail"
    ) -> LabelImport:
        """Take labels that came with the records.

        Parameters
        ----------
        field
            Where they are: an item field, or ``metadata.name``. Truth values, ``pass`` and
            ``fail``, 0 and 1, or on the scale ``five`` 1 to 5; anything else is no label.
        labeller
            Whose they are; by default the name of the field.
        scale
            ``pass_fail`` or ``five``.

        Raises
        ------
        InvalidArgument
            No record holds a label there.
        """
        person = _labeller(field if labeller is None else labeller)
        found: list[NewLabel] = []
        without = 0
        for record in self.iterate():
            value = _field(record, field, scale)
            if value is None or not record.output.messages:
                without += 1
                continue
            found.append(
                NewLabel(
                    record_id=record.id,
                    labeller=person,
                    answer_hash=_hash(record),
                    value=value,
                    scale=scale,
                )
            )
        if not found:
            raise InvalidArgument(
                f"No record has a label on the scale {scale!r} under {field!r}.",
                hint="Name an item field, or metadata.name; grader_fields() lists candidates.",
            )
        human_labels.keep(self._store, self.id, found)
        return LabelImport(imported=len(found), without=without, labeller=person)

    def _fresh_labels(self) -> list[StoredLabel]:
        """Labels of answers as they are now."""
        stored = human_labels.read_all(self._store, self.id)
        hashes = self._hashes(one.label.record_id for one in stored)
        return [one for one in stored if hashes.get(one.label.record_id) == one.answer_hash]

    def _hashes(self, ids: Iterable[str]) -> dict[str, str]:
        """Hash of the answer of each record that there is."""
        return {record.id: _hash(record) for record in self._by_id(list(dict.fromkeys(ids)))}

    def _by_id(self, ids: Sequence[str]) -> Iterator[Record]:
        for start in range(0, len(ids), _IDS_AT_A_TIME):
            yield from self.iterate(self.select(ids=ids[start : start + _IDS_AT_A_TIME]))


def _to_label(record: Record) -> AnswerToLabel:
    return AnswerToLabel(
        record_id=record.id,
        topic=record.topic,
        prompt=record.input.messages,
        answer=record.output.messages,
        tools=record.input.tools,
    )


def _hash(record: Record) -> str:
    """What a label is of: the conversation, up to the end of its answer."""
    said = _CANONICAL.encode((record.input.messages, record.output.messages))
    return hashlib.sha256(said).hexdigest()


def _field(record: Record, field: str, scale: LabelScale) -> float | None:
    given = record.item.get(field)
    if given is None and field.startswith(_IN_METADATA):
        given = record.metadata.get(field.removeprefix(_IN_METADATA))
    if not isinstance(given, (bool, int, float, str)):
        return None
    try:
        return label_value(given, scale)
    except InvalidArgument:
        return None


def _labeller(name: str) -> str:
    name = " ".join(name.split())
    if not name or len(name) > TRUST.max_labeller_chars or not can_hold(name):
        raise InvalidArgument(
            f"{name[:40]!r} cannot be the name of a labeller.",
            hint=f"Pass a name of 1 to {TRUST.max_labeller_chars} characters.",
        )
    return name


def _note(text: str) -> str:
    if len(text) > TRUST.max_note_chars or not can_hold(text):
        raise InvalidArgument(
            "The note is too long, or holds U+0000 or half a character.",
            hint=f"A note has at most {TRUST.max_note_chars:,} characters.",
        )
    return text.strip()
