"""A fresh start for a dataset's pipeline."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from rft_widgets.store import datasets, history
from rft_widgets.store.clock import now_us
from rft_widgets.store.schema import records

if TYPE_CHECKING:
    from rft_widgets.store.connection import Store


def reset_pipeline(store: Store, dataset_id: str) -> None:
    """Clear topics, targets, the grader in use, scores and dry runs; runs become history."""
    with store.write(durable=True) as connection:
        set_id = datasets.live_set(connection, dataset_id, keep=True)
        mine = records.c.set_id == set_id
        connection.execute(
            records.update()
            .where(mine, sa.or_(records.c.topic.is_not(None), records.c.topic_method.is_not(None)))
            .values(
                topic=None,
                topic_confidence=None,
                topic_method=None,
                runner_up=None,
                previous_topic=sa.func.coalesce(records.c.topic, records.c.previous_topic),
            )
        )
        connection.execute(
            records.update().where(mine, records.c.score.is_not(None)).values(score=None)
        )
        datasets.touch(connection, dataset_id)
        datasets.change(
            connection,
            dataset_id,
            topics=None,
            targets=None,
            grader_version=None,
            reset_us=now_us(),
        )
        history.log(connection, dataset_id, "reset_pipeline", {})
