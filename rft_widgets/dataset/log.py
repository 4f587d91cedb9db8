"""A dataset's log: what it holds as a hash, how it came to that as a script, and a fresh start."""

from __future__ import annotations

import msgspec

from rft_widgets.dataset.accepting import accepted_lines
from rft_widgets.dataset.description import Described
from rft_widgets.model.dataset import Event
from rft_widgets.steps.script import script_hash, to_script
from rft_widgets.store import graders, reset, topics
from rft_widgets.store.fingerprint import fingerprint


class HasLog(Described):
    """What was done to a dataset, to be read and to be done again."""

    @property
    def content_hash(self) -> str:
        """SHA-256 over records, topics, targets and the grader in use.

        Ids, times, scores and the history of runs are not in it: the same content has the same
        hash in any store. Reads every record once a change.
        """
        now = fingerprint(self._store, self.id)
        with self._store.read() as connection:
            version = graders.current(connection, self.id)
            targets = topics.stored_targets(connection, self.id)
        grader = "" if version is None else version.hash
        wanted = "" if targets is None else msgspec.json.encode(targets).decode()
        return script_hash((now.data, now.topics, grader, wanted))

    def to_script(self) -> str:
        """Write the log as a Python script that does it all again, to the same `content_hash`.

        Files and traces are read from where they were; what came from memory stands in the script,
        unless it was too much: then the script stops there and says so. Generated records stand in
        it as they were accepted: no model is asked again.
        """
        events = [self._with_lines(event) for event in self.events]
        return to_script(events, dataset_id=self.id, content_hash=self.content_hash)

    def _with_lines(self, event: Event) -> Event:
        """The event; one that accepted candidates with the records that they became."""
        if event.kind != "accept_candidates":
            return event
        given = event.details
        lines = accepted_lines(
            self._store, self.id, given["batch"], given["candidates"], given["without_topic"]
        )
        return msgspec.structs.replace(event, details={**given, "lines": lines})

    def reset_pipeline(self) -> None:
        """Begin again with the records as they are.

        Topics, targets, the grader in use and the dry runs are cleared. Records, saved versions of
        the grader, training runs and deployments stay, the latter two as history.
        """
        reset.reset_pipeline(self._store, self.id)
