"""What is known of a run before and while it goes, and both policies measured afterwards."""

from __future__ import annotations

import time

import pytest

import rft_widgets as rft
from rft_widgets.errors import InvalidArgument, RunInterrupted
from rft_widgets.model.training import CurvePoint, LocalHyperparameters, TrainingConfig
from rft_widgets.model.training_curve import thinned
from rft_widgets.statistics import bootstrap_mean
from rft_widgets.trainers import NAMES, TrainingRequest, available, trainer


def ended(job: rft.TrainingJob, *statuses: str) -> None:
    deadline = time.monotonic() + 60
    while job.status not in statuses:
        assert time.monotonic() < deadline, job
        time.sleep(0.02)


def request(**given: object) -> TrainingRequest:
    config = TrainingConfig(**given)
    return TrainingRequest(config=config, train=90, valid=10, prompt_tokens=20.0, grader=None)


def test_every_trainer_says_what_it_is_and_what_is_missing():
    infos = available()
    assert tuple(one.name for one in infos) == NAMES
    assert infos[0].missing == ""  # the first one works everywhere
    for one in infos:
        assert all((one.title, one.description, one.needs, one.base_model))
        assert one.capabilities.graders
        assert one.capabilities.serving
        assert one.hyperparameters[0].name == "n_epochs"
    with pytest.raises(InvalidArgument, match="no trainer"):
        trainer("none")


def test_bounds_are_those_that_are_enforced():
    for info in available():
        for field in info.hyperparameters:
            if field.choices:
                assert field.default is None or field.default in field.choices
            elif field.default is not None:
                assert field.low <= field.default <= field.high
    check = trainer("local").check
    local = available()[0]
    assert {field.name for field in local.hyperparameters} == set(
        LocalHyperparameters.__struct_fields__
    )
    for field in local.hyperparameters:
        with pytest.raises(InvalidArgument, match=field.name):
            check(request(hyperparameters={field.name: field.high * 2 + 1}))


def test_settings_are_read_as_they_are_meant():
    check = trainer("local").check
    for name, value in (("n_epochs", 2.5), ("n_epochs", True)):
        with pytest.raises(InvalidArgument):
            check(request(hyperparameters={name: value}))
    with pytest.raises(InvalidArgument, match="no setting 'address'"):
        check(request(settings={"address": "http://127.0.0.1:1"}))


def test_a_long_curve_keeps_what_was_measured():
    measured = bootstrap_mean([0.2, 0.4])
    curve = [
        CurvePoint(
            step=step,
            epoch=step / 100,
            train_reward=step / 1000,
            valid=measured if step % 250 == 0 else None,
        )
        for step in range(1001)
    ]
    found = thinned(curve, most=100)
    assert len(found) <= 110
    assert [p.step for p in found if p.valid is not None] == [0, 250, 500, 750, 1000]
    assert [p.step for p in found] == sorted(p.step for p in found)
    unmeasured = [p for p in found if p.valid is None]
    assert unmeasured[0].train_reward == pytest.approx(sum(range(1, 12)) / 11 / 1000)
    assert thinned(curve[:100]) == tuple(curve[:100])


def test_pauses_do_not_count_as_work(sample: rft.OptimizationDataset):
    began = time.monotonic()
    job = sample.train({"hyperparameters": {"n_epochs": 4}})
    job.pause()
    ended(job, "paused", "completed")
    worked = time.monotonic() - began
    before = job.state.progress
    time.sleep(0.5)
    if job.status == "paused":
        assert job.state.eta_s is None
        again = time.monotonic()
        job.resume().wait(60)
        worked += time.monotonic() - again
    after = job.state.progress
    assert before is not None
    assert after is not None
    assert after.elapsed_s is not None
    assert before.elapsed_s <= after.elapsed_s <= worked + 0.1


def test_the_log_says_what_was_measured(trained: rft.OptimizationDataset):
    (job,) = trained.training_jobs
    words = [message for _, message in job.log]
    measured = [line for line in words if "validation prompts" in line and line.startswith("Step")]
    assert len(measured) == len(job.checkpoints)
    assert "Grading recorded answers" in words


def test_an_estimate_grows_with_the_work(trained: rft.OptimizationDataset):
    usual = trained.plan_training().estimate
    double = trained.plan_training({"hyperparameters": {"n_epochs": 4}}).estimate
    assert usual.seconds is not None
    assert double.seconds == pytest.approx(2 * usual.seconds)
    report = trained.training_jobs[-1].report
    assert report is not None
    assert report.gradings <= usual.gradings


def test_a_benchmark_finds_what_training_found(trained: rft.OptimizationDataset):
    told: list[float] = []
    found = trained.benchmark(progress=lambda share, _: told.append(share))
    report = trained.training_jobs[-1].report
    assert found.change is not None
    assert report is not None
    assert report.change is not None
    assert found.change.n == report.change.n
    assert found.change.after_mean == pytest.approx(report.change.after_mean)
    assert {one.topic for one in found.topics} == {one.topic for one in report.topics}
    assert told == sorted(told)
    assert told[-1] == 1
    with pytest.raises(RunInterrupted):
        trained.benchmark(cancelled=lambda: True)


def test_a_benchmark_needs_a_model_and_its_records(sample, trained):
    with pytest.raises(InvalidArgument, match="no trained policy"):
        sample.benchmark()
    job = sample.train().wait(60)
    sample.delete_records(sample.select(ids=job.split.valid))
    with pytest.raises(InvalidArgument, match="None of the records"):
        sample.benchmark()


def test_all_objects_of_a_deployment_share_its_server(trained: rft.OptimizationDataset):
    deployment = trained.deploy()
    try:
        other = trained.deployment(deployment.id)
        assert other.server is deployment.server
        assert other.token == deployment.token
        assert deployment.token not in other.snippet(token="<token>")
        assert deployment.token in other.snippet()
    finally:
        deployment.stop()
    assert other.server is None
