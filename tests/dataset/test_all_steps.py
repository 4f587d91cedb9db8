"""All seven steps on each kind of database, as one goes through them."""

from __future__ import annotations

import json
import time
import urllib.request
from pathlib import Path

import rft_widgets as rft
from rft_widgets.sample.grader import sample_grader
from rft_widgets.sample.support import write_sample


def test_from_traces_to_an_answer(workspace: rft.Workspace, tmp_path: Path):
    traces = rft.open_traces(write_sample(tmp_path / "spans.jsonl", n=80).path)
    dataset = workspace.create_from_traces(traces.filter(has_response=True), name="All steps")
    assert dataset.count() == traces.filter(has_response=True).count()
    dataset.generate_topics(n_topics=5)
    item = dataset.review_queue(limit=1)
    if item:
        dataset.confirm_topic(item[0].record_id)
    dataset.categorize("recategorize_all")
    report = dataset.coverage()
    assert report.categorized_records + report.uncategorized_records == dataset.stats.valid_records
    dataset.set_targets("traffic")
    dataset.set_grader(sample_grader())
    assert dataset.test_grader().failures == 0
    dry_run = dataset.dry_run(n=60)
    assert dry_run.answers == 60
    job = dataset.train(despite_no_go=True).wait(120)
    assert job.status == "completed", job.log
    assert job.report is not None
    deployment = dataset.deploy("ab_test", ratio=100)
    try:
        record = dataset.record(job.split.valid[0])
        body = {
            "model": deployment.config.model,
            "messages": [{"role": m.role, "content": m.text} for m in record.input.messages],
        }
        request = urllib.request.Request(
            f"{deployment.base_url}/chat/completions",
            data=json.dumps(body).encode(),
            headers={
                "Authorization": f"Bearer {deployment.token}",
                "Content-Type": "application/json",
            },
        )
        with urllib.request.urlopen(request, timeout=20) as response:
            assert response.headers["X-RFT-Arm"] == "tuned"
            assert json.load(response)["choices"][0]["message"]
        deadline = time.monotonic() + 10
        while not deployment.counts:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert deployment.counts["tuned"].requests == 1
        assert deployment.outcome().tuned.graded + deployment.outcome().tuned.failed_gradings == 1
        deployment.roll_back()
        assert workspace.deployment(deployment.id).status == "rolled_back"
    finally:
        deployment.stop()
    kinds = [event.kind for event in dataset.events]
    assert kinds[-4:] == ["train", "training_ended", "deploy", "roll_back"]
    assert [node.status for node in dataset.pipeline.nodes][5:] == ["complete", "ready"]
    copy = workspace.duplicate(dataset.id)
    assert copy.topics == dataset.topics
    assert copy.grader == dataset.grader
    dataset.reset_pipeline()
    assert dataset.pipeline.current_step == 2
    workspace.delete(dataset.id)
    assert [one.id for one in workspace.datasets()] == [copy.id]
