"""How the records of a dataset are spread over its topics, against how they should be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from sqlalchemy.engine import Connection

from rft_widgets.dataset.topics import HasTopics
from rft_widgets.errors import InvalidArgument
from rft_widgets.model.coverage import CoverageReport, RepeatedPrompts
from rft_widgets.model.message import Message
from rft_widgets.model.topic_settings import DUPLICATES
from rft_widgets.steps.coverage import Targets, coverage_report, resolve_targets
from rft_widgets.steps.duplicates import exact_duplicate_groups, near_duplicate_groups
from rft_widgets.store import datasets, history, records, topics
from rft_widgets.store.last_used import LastUsed
from rft_widgets.store.placements import read_labels, read_prompts

_repeats: LastUsed[RepeatedPrompts] = LastUsed(64)


class HasCoverage(HasTopics):
    """A dataset's coverage of its topics, and what the shares of them should be."""

    def coverage(self, *, near_duplicates: bool = True) -> CoverageReport:
        """Measure how the valid records are spread over the topics.

        Parameters
        ----------
        near_duplicates
            Whether to measure how many prompts nearly repeat another; seconds, once a change of
            the records. Of more than 20,000 records that many are compared, drawn by chance: what
            repeats a record that was not drawn is not seen, so the share is a lower bound.
        """
        share = self.repeated_prompts().near_share if near_duplicates else None
        with self._store.read() as connection:
            return coverage_now(connection, self.id, near_duplicates=share)

    def repeated_prompts(self) -> RepeatedPrompts:
        """Count the valid records whose prompt repeats another one, exactly and nearly.

        Exactly is but for case, spaces and punctuation marks. Records that are equal to the letter
        are not among them: those are flagged as duplicates and invalid. Of more than 20,000 records
        that many are compared, drawn by chance: what repeats a record that was not drawn is not
        seen.
        """
        with self._store.read() as connection:
            datasets.live_set(connection, self.id)
            revision = datasets.records_revision(connection, self.id)
            key = (self._store.url, self.id, revision)
            known = _repeats.get(key)
            if known is not None:
                return known
            rows = np.frombuffer(read_labels(connection, self.id).seqs, np.int64)
        if len(rows) > DUPLICATES.sample_records:
            rng = np.random.default_rng(0)
            rows = np.sort(rng.choice(rows, DUPLICATES.sample_records, replace=False))
        texts = list(read_prompts(self._store, rows.tolist(), _prompt))
        found = RepeatedPrompts(
            compared=len(texts),
            exact=len(texts) - len(set(exact_duplicate_groups(texts))),
            near=len(texts) - len(set(near_duplicate_groups(texts))),
        )
        _repeats.put(key, found)
        return found

    @property
    def targets(self) -> dict[str, float]:
        """Target percentage of each leaf, summing to 100."""
        with self._store.read() as connection:
            paths, _, recorded = _counted(connection, self.id)
            return _resolved(paths, topics.stored_targets(connection, self.id), recorded)

    def set_targets(
        self, targets: Mapping[str, float] | Literal["uniform", "traffic"]
    ) -> dict[str, float]:
        """Say what the shares of the topics should be, and return them by leaf.

        Parameters
        ----------
        targets
            Percentages by leaf that sum to 100, 0 for leaves that are left out; ``"uniform"`` for
            equal ones; ``"traffic"`` for the shares of recorded records, as they are whenever it is
            asked. Percentages follow edits of the topics, and an added topic has 0.

        Raises
        ------
        InvalidArgument
            They do not sum to 100, name a topic that is no leaf, or are no percentages.
        """
        given = targets if isinstance(targets, str) else dict(targets)
        with self._store.write(durable=True) as connection:
            datasets.live_set(connection, self.id, keep=True)
            paths, _, recorded = _counted(connection, self.id)
            if not paths and not isinstance(given, str):
                raise InvalidArgument("There are no topics to set targets for.")
            found = resolve_targets(paths, given, recorded)
            topics.keep_targets(connection, self.id, given)
            history.log(connection, self.id, "set_targets", {"targets": given})
        return found


def coverage_now(
    connection: Connection, dataset_id: str, *, near_duplicates: float | None = None
) -> CoverageReport:
    """Measure coverage from counts alone: milliseconds, however many records there are.

    Parameters
    ----------
    near_duplicates
        Share (0..1) of near-duplicates, when it is known.
    """
    paths, counts, recorded = _counted(connection, dataset_id)
    targets = _resolved(paths, topics.stored_targets(connection, dataset_id), recorded)
    return coverage_report(paths, counts, targets=targets, near_duplicates=near_duplicates)


def _counted(
    connection: Connection, dataset_id: str
) -> tuple[tuple[str, ...], Mapping[str | None, int], Mapping[str | None, int]]:
    """Leaves, and valid records by label: all of them, and those that were recorded."""
    paths = topics.current(connection, dataset_id).paths
    counts: Counter[str | None] = Counter()
    recorded: Counter[str | None] = Counter()
    set_id = datasets.live_set(connection, dataset_id)
    for label, is_valid, is_generated, count in records.facets(connection, set_id):
        if is_valid:
            counts[label] += count
            recorded[label] += 0 if is_generated else count
    return paths, counts, recorded


def _resolved(
    paths: Sequence[str], targets: Targets, recorded: Mapping[str | None, int]
) -> dict[str, float]:
    if isinstance(targets, Mapping):
        # The labels that a tree was made of may be others by now: what is left counts.
        left = {path: targets[path] for path in paths if path in targets}
        total = sum(left.values())
        targets = {path: 100 * one / total for path, one in left.items()} if total else None
    return resolve_targets(paths, targets, recorded)


def _prompt(messages: Sequence[Message]) -> str:
    return "\n".join(message.text for message in messages)
