"""What asks a model, shown with the scripted stand-in: a judge, topic names, new records."""

from __future__ import annotations

from typing import Any

from rft_widgets.cli import stand_in
from rft_widgets.cli.grade import cut
from rft_widgets.dataset import OptimizationDataset
from rft_widgets.errors import RftError
from rft_widgets.graders.presets import preset
from rft_widgets.model.connection import NamedConnection
from rft_widgets.model.llm import STAND_IN
from rft_widgets.model.report import with_bounds
from rft_widgets.workspace import Workspace

_JUDGED = 12
_PER_TOPIC = 4
_ROLLOUTS = 20
_SHOWN = 3


def with_model(
    workspace: Workspace, dataset: OptimizationDataset, named: NamedConnection
) -> dict[str, Any]:
    """Try on a copy of the dataset what asks a model; what was found, as said beside it."""
    print(f"\nWhat asks a model\n\n{stand_in.about(named)}\n")
    test = workspace.test_connection(named.name)
    can = [what for what in ("tools", "json_schema", "logprobs", "embeddings")
           if getattr(test, what)]  # fmt: skip
    if not test.works:
        raise RftError("The stand-in does not answer.")
    print(f"  test: works; {', '.join(can)}. {test.notice}")
    copy = workspace.duplicate(dataset.id, name=f"{dataset.name} (with a stand-in)")
    report: dict[str, Any] = {"model": named.model, "dataset": copy.id, "can": can}
    report["judge"] = _judge(copy, named)
    report["generated"] = _generate(copy, named)
    report["topics_named"] = _name(copy, named)
    report["dry_run"] = _roll_out(copy, named)
    costs = copy.costs
    report["calls"] = {purpose: total.calls for purpose, total in costs.items()}
    told = ", ".join(f"{total.calls} to {purpose}" for purpose, total in sorted(costs.items()))
    spent = sum(total.cost_micro_usd or 0 for total in costs.values())
    print(f"\n  requests: {told}; ${spent / 1e6:.2f}. All of it stands in {copy.name!r}.")
    return {"with_model": report}


def _judge(dataset: OptimizationDataset, named: NamedConnection) -> str:
    dataset.set_grader(preset("correctness", model=STAND_IN), connection=named.name)
    test = dataset.test_grader(_JUDGED)
    print(f"  judge: {test.sentence}")
    for answer in test.answers[:1]:
        print(f"    {cut(answer.reasoning or '')}")
    return test.sentence


def _generate(dataset: OptimizationDataset, named: NamedConnection) -> dict[str, Any]:
    paths = [leaf.id for leaf in dataset.topics.leaves()]
    plan = dataset.plan_generation(
        {"source": "topics", "topics": paths[:_SHOWN], "records_per_topic": _PER_TOPIC},
        model=named.name,
    )
    batch = dataset.generate(plan, model=named.name)
    accepted = batch.accept()
    print(
        f"  generation: {plan.total} planned in {plan.calls} requests, {accepted.records} accepted"
    )
    good = [one for one in batch.candidates if one.fault is None]
    for one in good[:_SHOWN]:
        print(f"    {cut(one.text)}")
    return {"planned": plan.total, "accepted": accepted.records, "diversity": batch.diversity}


def _name(dataset: OptimizationDataset, named: NamedConnection) -> list[str]:
    names = [leaf.name for leaf in dataset.generate_topics(model=named.name).leaves()]
    print(f"  topics: {cut(', '.join(names))}")
    return names


def _roll_out(dataset: OptimizationDataset, named: NamedConnection) -> dict[str, Any]:
    found = dataset.dry_run(_ROLLOUTS, 2, model=named.name, probes=False)
    mean = "none" if found.mean is None else with_bounds(found.mean)
    print(f"  its own answers: 2 to each of {_ROLLOUTS} prompts, mean {mean}")
    return {"mean": found.mean and found.mean.estimate, "verdict": found.verdict}
