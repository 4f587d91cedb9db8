"""The list of datasets: where each stands in a line, cheap to ask for again and never stale."""

from __future__ import annotations

import time

import pytest
from builders import chat_line

import rft_widgets as rft
from rft_widgets.errors import InvalidArgument, StaleEdit
from rft_widgets.model.pipeline import (
    FINISHED,
    PIPELINE_STEPS,
    PipelineNode,
    PipelineState,
    status_line,
)
from rft_widgets.store import activity

READY = ("active", "complete", "complete", "configured", "passed", "ready", "waiting")


def state(statuses, summaries=None, progress=None) -> PipelineState:
    nodes = tuple(
        PipelineNode(
            id=step.id,
            name=step.name,
            category=step.category,
            status=status,
            summary=(summaries or {}).get(step.id, ""),
            status_label=status,
            can_retrigger=step.can_retrigger,
            progress=progress if status == "processing" else None,
        )
        for step, status in zip(PIPELINE_STEPS, statuses, strict=True)
    )
    idle = ("waiting", "active", *FINISHED)
    opened = [node.id for node in nodes if node.status not in idle]
    return PipelineState(nodes=nodes, current_step=opened[0] if opened else 1)


def changed(statuses=READY, **steps: str) -> list[str]:
    given = {int(name[1:]): status for name, status in steps.items()}
    return [given.get(step, status) for step, status in enumerate(statuses, 1)]


@pytest.mark.parametrize(
    ("statuses", "line"),
    [
        (changed(s2="processing"), "Step 2: Topics & Category in progress"),
        (changed(s3="attention"), "Step 3: Coverage Analysis needs attention"),
        (changed(s5="failed"), "Step 5: Dry Run failed"),
        (changed(s4="ready", s5="failed"), "Step 5: Dry Run failed"),
        (changed(), "Ready to start training"),
        (changed(s6="processing"), "Training (45%)"),
        (changed(s3="attention", s6="processing"), "Training (45%)"),
        (changed(s6="complete", s7="ready"), "Ready to deploy"),
        (changed(s4="ready", s5="waiting", s6="waiting"), "Step 4: Grader Config is next"),
        (["ready", *["waiting"] * 6], "No records yet"),
    ],
)
def test_the_line_says_what_is_at_work_else_what_is_open(statuses, line):
    assert status_line(state(statuses, {1: "No records yet"}, 0.45)) == line


def test_a_deployed_model_is_told_with_what_it_brought_and_what_is_open():
    deployed = changed(s6="complete", s7="complete")
    words = {6: "+49% improvement", 7: "Deployed • +49%"}
    assert status_line(state(deployed, words)) == "Deployed • +49% improvement"
    open_one = changed(deployed, s3="attention")
    assert status_line(state(open_one, words)) == (
        "Deployed • +49% improvement • Step 3: Coverage Analysis needs attention"
    )
    again = changed(deployed, s6="failed")
    assert status_line(state(again, words)).startswith("Deployed • +49% • Step 6")


def test_cards_are_the_datasets_as_they_stand(workspace):
    workspace.create("Empty")
    full = workspace.create("Full", objective="Better")
    full.add_records([chat_line(f"Long question {n}", "Yes.") for n in range(3)])
    card = workspace.cards(search="ful")[0]
    assert (card.id, card.name, card.objective, card.records) == (full.id, "Full", "Better", 3)
    assert card.steps == tuple(node.status for node in full.pipeline.nodes)
    assert card.status == full.pipeline.list_status
    assert card.status_line == "Step 2: Topics & Category is next"
    assert card.updated_at == full.updated_at
    assert [one.name for one in workspace.cards(sort="records")] == ["Full", "Empty"]
    assert [one.name for one in workspace.cards(sort="name")] == ["Empty", "Full"]
    assert workspace.cards(status="complete") == ()
    with pytest.raises(InvalidArgument, match="no order"):
        workspace.cards(sort="size")
    with pytest.raises(InvalidArgument, match="no status"):
        workspace.cards(status="done")


def test_no_change_of_another_process_is_missed(workspace):
    ds = workspace.create("Support")
    ds.add_records([chat_line("Long question", "Yes.")])
    assert workspace.cards()[0].status_line == "Step 2: Topics & Category is next"
    with rft.Workspace(url_of(workspace)) as other:
        theirs = other.dataset(ds.id)
        with activity.working(other._store, ds.id, 2, "Reading"):
            assert workspace.cards()[0].status_line == "Step 2: Topics & Category in progress"
        theirs.set_topics(["A", "B"])
        assert workspace.cards()[0].topics == 2
        theirs.set_grader({"type": "string_check", "name": "same", "operation": "eq",
                           "input": "{{sample.output_text}}", "reference": "Yes."})  # fmt: skip
        assert workspace.cards()[0].steps[3] == "configured"
        theirs.rename("Help desk")
        assert workspace.cards()[0].name == "Help desk"
        other.delete(ds.id)
        assert workspace.cards() == ()


def url_of(workspace: rft.Workspace) -> str:
    return workspace._store.engine.url.render_as_string(hide_password=False)


def test_fifty_datasets_are_listed_again_in_a_moment(sqlite_workspace):
    first = sqlite_workspace.create("Support")
    first.add_records([chat_line(f"Long question {n}", "Yes.") for n in range(20)])
    for number in range(49):
        sqlite_workspace.duplicate(first.id, name=f"Copy {number}")
    assert len(sqlite_workspace.cards()) == 50
    began = time.perf_counter()
    sqlite_workspace.cards()
    known = time.perf_counter() - began
    began = time.perf_counter()
    with rft.Workspace(url_of(sqlite_workspace)) as other:
        other.cards()
    anew = time.perf_counter() - began
    assert known < anew / 5, (known, anew)


def test_a_change_on_what_another_has_changed_is_refused(workspace):
    ds = workspace.create("Support", objective="Better")
    seen = ds.info
    ds.update(objective="Faster")
    ds.update(name="Help desk", seen=seen)  # the name is as it was seen
    with pytest.raises(StaleEdit, match="The name is 'Help desk' by now"):
        ds.update(name="Mine", seen=seen)
    with pytest.raises(StaleEdit, match="The objective is 'Faster' by now"):
        ds.update(name="Mine", objective="Cheaper", seen=seen)
    assert (ds.name, ds.objective) == ("Help desk", "Faster")
    ds.update(name="Help desk", seen=seen)  # what was wanted is there already
    ds.update(name="Mine", seen=ds.info)
    assert ds.name == "Mine"


def test_connections_name_the_key_and_never_hold_it(workspace, monkeypatch):
    monkeypatch.delenv("JUDGE_KEY", raising=False)
    ds = workspace.create("Support")
    ds.add_records([chat_line("Long question", "Yes.")])
    assert ds.connections == ()
    judge = {"type": "score_model", "name": "judge", "model": "judge-1",
             "input": [{"role": "user", "content": "Rate: {{sample.output_text}}"}]}  # fmt: skip
    base_url = "http://127.0.0.1:9/v1"
    connection = rft.ModelConnection(base_url=base_url, api_key_env="JUDGE_KEY")
    ds.set_grader(judge, connection=connection)
    (found,) = ds.connections
    assert (found.used_by, found.model, found.base_url) == ("Grader", "judge-1", base_url)
    assert found.key_from == "JUDGE_KEY"
    assert "JUDGE_KEY" in found.missing
    monkeypatch.setenv("JUDGE_KEY", "sk-secret")
    (found,) = ds.connections
    assert found.missing == ""
    assert "sk-secret" not in repr(found)
