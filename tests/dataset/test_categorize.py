"""Records of a dataset under its topics; what is killed leaves no trace, and the log repeats it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from builders import chat_line

import rft_widgets as rft
from rft_widgets.errors import (
    InvalidArgument,
    StaleEdit,
)
from rft_widgets.model.topic import hierarchy, topic
from rft_widgets.steps.topics.calibration import calibration_error
from rft_widgets.store.fingerprint import fingerprint
from tests.dataset.themed import THEMES, TREE, labels, last, methods, themed
from tests.steps import banking77

# -- categorising ---------------------------------------------------------------------------------


def test_decisions_of_people_are_never_changed(workspace: rft.Workspace) -> None:
    dataset = themed(workspace)
    dataset.set_topics(TREE)
    dataset.assign_topic(dataset.select(ids=["coding0", "coding1"]), "Leisure/Travel")
    dataset.categorize()
    dataset.categorize("recategorize_all")
    assert labels(dataset)["coding0"] == "Leisure/Travel"
    assert methods(dataset)["manual"] == 2
    with pytest.raises(InvalidArgument, match="mode 'all'"):
        dataset.categorize("all")  # type: ignore[arg-type]


def test_what_somebody_assigns_meanwhile_stays(workspace: rft.Workspace) -> None:
    dataset = themed(workspace)
    dataset.set_topics(TREE)

    def meanwhile(share: float, _: str) -> None:
        if share == 0.95:
            dataset.assign_topic("coding5", "Leisure/Cooking")

    summary = dataset.categorize("recategorize_all", progress=meanwhile)
    assert summary.skipped == 1
    assert labels(dataset)["coding5"] == "Leisure/Cooking"
    # And where topics are found anew, it becomes unlabelled and remembers what was said.
    dataset.generate_topics(progress=meanwhile)
    record = dataset.record("coding5")
    assert (record.topic, record.previous_topic) == (None, "Leisure/Cooking")


def test_topics_that_change_meanwhile_are_not_filled(workspace: rft.Workspace) -> None:
    dataset = themed(workspace)
    dataset.set_topics(TREE)

    def meanwhile(share: float, _: str) -> None:
        if share == 0.95:
            dataset.rename_topic("Coding", "Programs")

    with pytest.raises(StaleEdit, match="nothing was written"):
        dataset.categorize(progress=meanwhile)
    assert set(labels(dataset).values()) == {None}


def test_new_records_go_where_the_old_ones_are(workspace: rft.Workspace) -> None:
    dataset = themed(workspace)
    dataset.generate_topics()
    where = {theme: labels(dataset)[f"{theme.lower()}0"] for theme in THEMES}
    dataset.add_records(
        chat_line(text.format(n), id=f"new {theme} {n}")
        for n in range(100, 105)
        for theme, text in THEMES.items()
    )
    assert dataset.pipeline.nodes[1].status == "attention"
    summary = dataset.categorize()
    assert (summary.records, summary.categorized, summary.other) == (15, 15, 0)
    assert summary.members > 0
    assert summary.confirmed == 0
    found = labels(dataset)
    for theme in THEMES:
        assert {found[f"new {theme} {n}"] for n in range(100, 105)} == {where[theme]}
    assert sum(summary.by_method.values()) == sum(summary.by_band.values()) == 15


def test_records_that_fit_no_topic_are_not_forced(workspace: rft.Workspace) -> None:
    dataset = themed(workspace)
    dataset.add_records([chat_line("?!?!?!?!?!?!", id="odd")])
    dataset.generate_topics()
    summary = dataset.categorize()
    assert (summary.records, summary.categorized, summary.other) == (1, 0, 1)
    assert dataset.record("odd").topic is None
    assert dataset.review_queue() == ()


def test_the_review_queue_and_its_confirmations(workspace: rft.Workspace) -> None:
    dataset = themed(workspace, 3)
    dataset.set_topics(TREE)
    dataset.categorize()  # by nothing but the names of the topics
    queue = dataset.review_queue()
    assert len(queue) == 9
    assert [item.confidence for item in queue] == sorted(item.confidence for item in queue)
    assert {item.record_id for item in dataset.review_queue("gain")} == set(labels(dataset))
    assert dataset.review_queue(limit=2) == queue[:2]
    first, second = queue[:2]
    record = dataset.record(first.record_id)
    assert first.text == record.input.messages[0].text
    assert (first.topic, first.runner_up) == (record.topic, record.topic_runner_up)
    assert {first.topic, first.runner_up} <= set(TREE.paths)
    assert dataset.confirm_topic(first.record_id) == first.topic
    assert dataset.confirm_topic(second.record_id, " Coding ") == "Coding"
    record = dataset.record(first.record_id)
    assert (record.topic_method, record.topic_confidence) == ("manual", 1.0)
    assert record.topic_runner_up is None
    assert len(dataset.review_queue()) == 7
    details = last(dataset)
    assert (details["record_id"], details["topic"]) == (second.record_id, "Coding")
    assert details["before"]["topic"] == second.topic
    dataset.assign_topic(first.record_id, None)
    with pytest.raises(InvalidArgument, match="no topic to confirm"):
        dataset.confirm_topic(first.record_id)
    with pytest.raises(InvalidArgument):
        dataset.review_queue("other")  # type: ignore[arg-type]


# -- real questions -------------------------------------------------------------------------------


def banking(
    workspace: rft.Workspace, *parts: str
) -> tuple[rft.OptimizationDataset, dict[str, str]]:
    """Dataset of questions, and the gold intent of each record."""
    dataset = workspace.create("banking77")
    gold: dict[str, str] = {}
    for part in parts:
        texts, intents = banking77.load(part)
        gold |= {f"{part}{n}": intent for n, intent in enumerate(intents)}
        dataset.add_records(chat_line(text, id=f"{part}{n}") for n, text in enumerate(texts))
    return dataset, gold


@pytest.mark.slow
def test_banking77_topics_are_better_than_plain_clusters(sqlite_workspace: rft.Workspace) -> None:
    from sklearn.cluster import KMeans
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.metrics import normalized_mutual_info_score

    dataset, gold = banking(sqlite_workspace, "train")
    assert dataset.health.duplicates == 0  # none is the same to the letter
    dataset.generate_topics(n_topics=77)
    valid = {r.id: r for r in dataset.iterate() if r.is_valid}
    texts = [record.input.messages[0].text for record in valid.values()]
    real = [gold[key] for key in valid]
    found = [record.topic or "" for record in valid.values()]
    plain = KMeans(77, n_init=1, random_state=0).fit_predict(TfidfVectorizer().fit_transform(texts))
    ours = normalized_mutual_info_score(real, found), banking77.purity(found, real)
    floor = normalized_mutual_info_score(real, plain), banking77.purity(plain.tolist(), real)
    assert ours[0] >= floor[0], (ours, floor)
    assert ours[1] >= floor[1], (ours, floor)
    assert len(dataset.topics.paths) == 77
    assert last(dataset)["calibration"]["error"] <= 0.05


@pytest.mark.parametrize(
    ("count", "floor"), [(5, 0.54), pytest.param(20, 0.79, marks=pytest.mark.slow)]
)
def test_banking77_few_confirmed_records_are_enough(
    sqlite_workspace: rft.Workspace, count: int, floor: float
) -> None:
    dataset, gold = banking(sqlite_workspace, "train", "test")
    _, intents = banking77.load("train")
    dataset.set_topics(hierarchy([topic(name) for name in sorted(set(intents))]))
    for name in sorted(set(intents)):
        ids = [f"train{i}" for i in banking77.shots(intents, count, seed=0) if intents[i] == name]
        dataset.assign_topic(dataset.select(ids=ids), name)
    summary = dataset.categorize()
    tested = [r for r in dataset.iterate() if r.id.startswith("test") and r.is_valid]
    right = [record.topic == gold[record.id] for record in tested]
    sure = [record.topic_confidence or 0.0 for record in tested]
    assert np.mean(right) >= floor
    assert calibration_error(sure, right) <= 0.05
    assert summary.calibration.error is not None
    assert summary.calibration.error <= 0.05
    assert summary.confirmed == summary.members


def test_banking77_one_confirmed_topic_does_not_swallow_the_others(
    sqlite_workspace: rft.Workspace,
) -> None:
    dataset, gold = banking(sqlite_workspace, "test")
    tree = hierarchy([topic(name.replace("_", " ")) for name in sorted(set(gold.values()))])
    dataset.set_topics(tree)
    chosen = [key for key, intent in gold.items() if intent == "card_arrival"][:10]
    dataset.assign_topic(dataset.select(ids=chosen), "card arrival")
    dataset.categorize()
    records = [record for record in dataset.iterate() if record.id not in chosen]
    right = [record.topic == gold[record.id].replace("_", " ") for record in records]
    assert np.mean(right) >= 0.44


# -- killed, and done again -----------------------------------------------------------------------

CATEGORIZE = """
    import sys
    import rft_widgets as rft
    store, dataset = sys.argv[1:]
    with rft.Workspace(store) as ws:
        ds = ws.dataset(dataset)
        print("ready", flush=True)
        ds.categorize("recategorize_all", progress=lambda share, _: print(share, flush=True))
        print("done", flush=True)
"""


@pytest.mark.slow
def test_killed_while_categorizing_all_is_as_it_was(tmp_path: Path) -> None:
    store = tmp_path / "store.db"
    with rft.Workspace(store) as ws:
        dataset = themed(ws, 1_500)
        dataset.set_topics(TREE)
        before = (labels(dataset), dataset.topics, len(dataset.events))
        for moment in (0.4, 0.95, 0.95):
            process = subprocess.Popen(
                [sys.executable, "-c", textwrap.dedent(CATEGORIZE), str(store), dataset.id],
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
            )  # fmt: skip
            assert process.stdout is not None
            for line in process.stdout:
                if line.strip() not in ("ready", "done") and float(line) >= moment:
                    break
            time.sleep(0.02 if moment == 0.95 else 0)
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate(timeout=30)
            after = (labels(dataset), dataset.topics, len(dataset.events))
            if after[2] == before[2] + 1:
                assert set(after[0].values()) <= set(TREE.paths)  # it was done already
                break
            assert after == before
        with ws._store.engine.connect() as connection:
            assert connection.execute(sa.text("PRAGMA integrity_check")).scalar() == "ok"
        dataset.categorize("recategorize_all")


CALLS = {
    "generate_topics": ("method", "template", "n_topics", "depth", "seed", "namer"),
    "set_topics": ("hierarchy", "assignments"),
    "add_topic": ("parent", "name", "description", "keywords", "rest"),
    "rename_topic": ("path", "name"),
    "describe_topic": ("path", "description", "keywords"),
    "move_topic": ("path", "parent", "position", "rest"),
    "merge_topics": ("paths", "name", "rest"),
    "split_topic": ("path", "n_topics", "seed"),
    "delete_topic": ("path", "into"),
    "categorize": ("mode", "seed"),
    "confirm_topic": ("record_id", "topic"),
    "undo_confirm_topic": ("record_id",),
    "set_targets": ("targets",),
}


def test_the_log_can_be_done_again(workspace: rft.Workspace) -> None:
    one, other = themed(workspace), themed(workspace)
    one.generate_topics(seed=5, depth=1)
    first, second, third = one.topics.paths
    one.rename_topic(first, "First")
    one.add_topic("", "Extra", keywords=["garlic"], description="More")
    one.describe_topic("Extra", keywords=["garlic", "potatoes"])
    for key in ("cooking4", "travel4", "coding4", "coding5", "travel5"):
        one.confirm_topic(key, "Extra")
    one.confirm_topic("cooking5", "Extra")
    one.undo_confirm_topic("cooking5")
    one.set_targets({"First": 40, second: 30, third: 20, "Extra": 10})
    one.add_records(chat_line(f"soup with {n} onions and garlic", id=f"n{n}") for n in range(3))
    one.categorize(seed=2)
    one.split_topic("Extra", n_topics=2, seed=1)
    one.merge_topics([second, third], name="Both")
    one.move_topic("Extra", "Both", rest="Rest")
    one.delete_topic("First")
    one.categorize("recategorize_all")
    one.set_topics({"topics": [{"name": "Rest"}, {"name": "New"}]})
    one.set_targets("traffic")
    for event in one.events[2:]:
        if event.kind == "import_records":
            other.add_records(json.loads(line) for line in event.details["origin"]["lines"])
        else:
            wanted = {key: event.details.get(key) for key in CALLS[event.kind]}
            wanted = {key: value for key, value in wanted.items() if key in event.details}
            getattr(other, event.kind)(**wanted)
    assert fingerprint(one._store, one.id) == fingerprint(other._store, other.id)
    assert labels(one) == labels(other)
    assert one.targets == other.targets
    # Also what came out is the same, of the same inputs.
    details = [[(e.kind, e.details) for e in ds.events if e.kind in CALLS] for ds in (one, other)]
    assert details[0] == details[1]
    assert {kind for kind, _ in details[0]} == CALLS.keys()
