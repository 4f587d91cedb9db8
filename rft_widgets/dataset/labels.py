"""Which record is under which topic: how that stands, and what a person decides."""

from __future__ import annotations

from rft_widgets.dataset.imports import HasImports
from rft_widgets.errors import InvalidArgument
from rft_widgets.model.record import Selection, as_selection
from rft_widgets.model.settings import LIMITS
from rft_widgets.model.topic import ReviewItem, TopicHierarchy, TopicsAtRisk
from rft_widgets.model.topic_report import TopicsImpact, TopicsReport
from rft_widgets.steps.topics import placing, report
from rft_widgets.steps.topics.review import ReviewOrder
from rft_widgets.store import datasets
from rft_widgets.store import topics as topic_rows
from rft_widgets.store.texts import can_hold


class LabelsRecords(HasImports):
    """A dataset's records as they lie under its topics."""

    @property
    def topics_report(self) -> TopicsReport:
        """The topics with their counts, how sure these are, and what was edited since."""
        return report.topics_report(self._store, self.id)

    def topics_impact(self, hierarchy: TopicHierarchy) -> TopicsImpact:
        """Foretell what `set_topics` with other topics does to the records; changes nothing."""
        return report.topics_impact(self._store, self.id, hierarchy)

    def topics_at_risk(self) -> TopicsAtRisk:
        """Count the records whose topic generating or setting other topics may take away."""
        with self._store.read() as connection:
            set_id = datasets.live_set(connection, self.id)
            return TopicsAtRisk(
                labelled=sum(topic_rows.counts(connection, [set_id]).values()),
                by_hand=sum(topic_rows.by_hand(connection, set_id).values()),
            )

    def review_queue(
        self, order: ReviewOrder = "confidence", limit: int = 100
    ) -> tuple[ReviewItem, ...]:
        """Records whose topic is uncertain, in the order a person should look at them.

        Parameters
        ----------
        order
            ``confidence`` begins with the least certain, ``gain`` where one decision helps most
            others: see `rft_widgets.steps.topics.review.review_queue`.
        limit
            Most records to give.
        """
        return placing.to_review(self._store, self.id, order, limit)

    def confirm_topic(self, record_id: str, topic: str | None = None) -> str:
        """Decide by hand which topic a record is under; ``None`` accepts the proposed one.

        Returns
        -------
        The topic.

        Raises
        ------
        InvalidArgument
            There is none to accept, or it is no leaf of the topics.
        """
        chosen = None if topic is None else _checked(topic)
        return topic_rows.confirm(self._store, self.id, record_id, chosen)

    def undo_confirm_topic(self, record_id: str) -> str | None:
        """Take back the last `confirm_topic` of a record, and return the topic of before.

        Raises
        ------
        StaleEdit
            The record was put elsewhere since, or its topic of before is no more.
        """
        return topic_rows.undo_confirm(self._store, self.id, record_id)

    def assign_topic(self, selection: Selection | str, topic: str | None) -> int:
        """Put records under a topic by hand (or under none) and return how many.

        Parameters
        ----------
        selection
            A selection, or the id of one record.
        topic
            Path of the topic, its parts joined by ``/``; ``None`` takes the topic away. It has to
            be a leaf of the topics; while none were made or set, any path will do.
        """
        path = None if topic is None else _checked(topic)
        return topic_rows.assign(self._store, self.id, as_selection(selection), path)


def _checked(topic: str) -> str:
    path = topic.strip()
    if not path:
        raise InvalidArgument("The topic is empty.", hint="Pass None to take a topic away.")
    if len(path) > LIMITS.max_identifier_chars or not can_hold(path):
        raise InvalidArgument(
            f"The topic {path[:40]!r} is too long, or holds U+0000 or half a character.",
            hint=f"A topic has at most {LIMITS.max_identifier_chars} characters.",
        )
    return path
