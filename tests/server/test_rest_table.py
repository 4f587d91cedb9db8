"""The table of docs/rest.md: each call of the service layer works in Python and over HTTP.

``RFT_WIDGETS_WRITE_DOCS=1 pytest tests/server/test_rest_table.py`` writes it anew.
"""

from __future__ import annotations

import inspect
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from rft_widgets import Workspace
from rft_widgets.dataset import OptimizationDataset
from rft_widgets.dataset.training_job import TrainingJob
from rft_widgets.model.creation import FromTraces, FromUpload
from rft_widgets.model.grader import grader_to_json
from rft_widgets.sample.grader import sample_grader
from rft_widgets.sample.support import write_sample
from rft_widgets.server.rest import ROUTES
from rft_widgets.server.rest.calling import FormFields, Request, call
from rft_widgets.server.rest.routing import Attachment, Underway
from rft_widgets.testing.openai_server import OpenAIServer

DOCS = Path(__file__).parents[2] / "docs" / "rest.md"
BEGIN, END = "<!-- table: begin -->\n", "<!-- table: end -->\n"


class Row(NamedTuple):
    source: str
    """Name in the service layer that a page of such an application calls."""
    owner: type
    python: str
    route: str
    use: Callable[[World], Any]
    """The call in Python."""
    body: Callable[[World], Any] = lambda _: None
    query: str = ""


class World:
    """What the calls are about; a dataset with every step done."""

    def __init__(self, ws: Workspace, folder: Path) -> None:
        self.ws, self.folder = ws, folder
        self.sample = write_sample(folder / "traffic.jsonl", n=80).path
        self.lines = write_sample(folder / "records.jsonl", "jsonl", n=40).path
        self.topics = folder / "topics.json"
        self.grader = grader_to_json(sample_grader())
        ds = ws.create_from_file(self.sample, name="first")
        ds.generate_topics(seed=1)
        ds.categorize()
        ds.export_topics(self.topics)
        ds.set_grader(sample_grader())
        ds.dry_run(40)
        self.first, self.run = ds.id, ds.train({"hyperparameters": {"n_epochs": 1}}).wait().id

    @property
    def ds(self) -> OptimizationDataset:
        return self.ws.dataset(self.first)

    def upload(self, path: Path) -> str:
        data = path.read_bytes()
        state = self.ws.uploads.begin(path.name, len(data))
        return self.ws.uploads.write(state.id, 0, data).id

    def generation(self) -> dict[str, Any]:
        topic = self.ds.topics.paths[0]
        return {"source": "topics", "topics": [topic], "records_per_topic": 1}

    def record(self) -> str:
        return self.ds.records(limit=1).records[0].id


def _deploy(w: World) -> Any:
    deployment = w.ds.deploy()
    deployment.stop()
    return deployment


def _named(_: World) -> Any:
    return {"model": "m"}


_W, _D = Workspace, OptimizationDataset
ROWS = (
    Row("listDatasets", _W, "datasets", "list_datasets", lambda w: w.ws.datasets(search="f")),
    Row("getDataset", _W, "dataset", "get_dataset", lambda w: w.ws.dataset(w.first)),
    Row("createFromTraces", _W, "create_and_start", "create_from_traces",
        lambda w: w.ws.create_and_start(FromTraces(source=str(w.sample)), name="t"),
        lambda w: {"name": "t", "source": f"upload:{w.upload(w.sample)}"}),
    Row("createFromUpload", _W, "create_and_start", "create_from_upload",
        lambda w: w.ws.create_and_start(FromUpload(upload=w.upload(w.lines)), name="u"),
        lambda w: {"name": "u", "upload": w.upload(w.lines)}),
    Row("updateDataset", _D, "update", "update_dataset",
        lambda w: w.ds.update(objective="Help"), lambda _: {"objective": "Help"}),
    Row("deleteDataset", _W, "delete", "delete_dataset",
        lambda w: w.ws.delete(w.ws.duplicate(w.first).id)),
    Row("duplicateDataset", _W, "duplicate", "duplicate_dataset",
        lambda w: w.ws.duplicate(w.first)),
    Row("resetPipeline", _D, "reset_pipeline", "reset_pipeline",
        lambda w: w.ws.duplicate(w.first).reset_pipeline()),
    Row("getRecords", _D, "records", "get_records",
        lambda w: w.ds.records(search="order", limit=5), query="search=order&limit=5"),
    Row("importRecords", _D, "import_records", "import_records",
        lambda w: w.ds.import_records(w.lines), lambda w: {"upload": w.upload(w.lines)}),
    Row("deleteRecords", _D, "delete_records", "delete_records",
        lambda w: w.ds.delete_records(w.record()), lambda w: {"record_ids": [w.record()]}),
    Row("exportRecords", _D, "export_records", "export_records",
        lambda w: w.ds.export_records(w.folder / "out.jsonl")),
    Row("generateTopics", _D, "generate_topics", "generate_topics",
        lambda w: w.ds.generate_topics(seed=2), lambda _: {"seed": 2}),
    Row("updateTopics", _D, "set_topics", "update_topics",
        lambda w: w.ds.set_topics(json.loads(w.topics.read_text())),
        lambda w: json.loads(w.topics.read_text())),
    Row("categorizeRecords", _D, "categorize", "categorize_records",
        lambda w: w.ds.categorize(), lambda _: {"mode": "unlabeled_only"}),
    Row("importTopics", _D, "import_topics", "import_topics",
        lambda w: w.ds.import_topics(w.topics), lambda w: {"upload": w.upload(w.topics)}),
    Row("exportTopics", _D, "export_topics", "export_topics",
        lambda w: w.ds.export_topics(w.folder / "out.json", "flat"), query="form=flat"),
    Row("getCoverage", _D, "coverage", "get_coverage", lambda w: w.ds.coverage()),
    Row("createGenerationPlan", _D, "plan_generation", "create_generation_plan",
        lambda w: w.ds.plan_generation({"max_synthetic_ratio": 0.2}),
        lambda _: {"max_synthetic_ratio": 0.2}),
    Row("generateRecords", _D, "generate", "generate_records",
        lambda w: w.ds.generate(w.generation(), model="writer"),
        lambda w: {"config": w.generation(), "model": "writer"}),
    Row("updateGrader", _D, "set_grader", "update_grader",
        lambda w: w.ds.set_grader(w.grader), lambda w: {"grader": w.grader}),
    Row("testGrader", _D, "test_grader", "test_grader",
        lambda w: w.ds.test_grader(2), lambda _: {"n": 2}),
    Row("runDryRun", _D, "dry_run", "run_dry_run",
        lambda w: w.ds.dry_run(10, probes=False), lambda _: {"n": 10, "probes": False}),
    Row("getDryRunResults", _D, "dry_runs", "get_dry_run_results", lambda w: w.ds.dry_runs[-1]),
    Row("startTraining", _D, "train", "start_training",
        lambda w: w.ds.train({"hyperparameters": {"n_epochs": 1}}, despite_no_go=True).wait(),
        lambda _: {"hyperparameters": {"n_epochs": 1}, "despite_no_go": True}),
    Row("getTrainingJob", _W, "training_job", "get_training_job",
        lambda w: w.ws.training_job(w.run).state),
    Row("cancelTraining", TrainingJob, "cancel", "cancel_training",
        lambda w: w.ws.training_job(w.run).cancel()),
    Row("deploy", _D, "deploy", "deploy", _deploy, _named),
)  # fmt: skip
ROUTE = {route.name: route for route in ROUTES}
NAMES = {_W: "Workspace", _D: "OptimizationDataset", TrainingJob: "TrainingJob"}


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("table")
    with OpenAIServer() as model, Workspace(folder / "store.db") as ws:
        ws.add_connection("writer", model.base_url, "m")
        yield World(ws, folder)
        for one in ws.datasets():
            for deployment in one.deployments:
                deployment.stop()
            for job in one.jobs:
                job.cancel()
                job.wait(60)


def _table() -> str:
    lines = ["| Service layer | Python | REST |", "|---|---|---|"]
    for row in ROWS:
        route = ROUTE[row.route]
        lines.append(
            f"| `{row.source}` | `{NAMES[row.owner]}.{row.python}` | `{route.verb} {route.path}` |"
        )
    return "\n".join(lines) + "\n"


def test_the_table_of_the_documentation_is_this_one():
    text = DOCS.read_text()
    head, _, rest = text.partition(BEGIN)
    before, _, tail = rest.partition(END)
    if os.environ.get("RFT_WIDGETS_WRITE_DOCS"):
        DOCS.write_text(head + BEGIN + _table() + END + tail)
    else:
        assert before == _table()


def test_all_28_calls_are_in_it_once():
    assert len(ROWS) == len({row.source for row in ROWS}) == 28
    for row in ROWS:
        assert inspect.getattr_static(row.owner, row.python).__doc__


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.source)
def test_a_row_works_in_python_and_as_a_route(world, row):
    row.use(world)
    _over_rest(world, row)


def _over_rest(world: World, row: Row) -> None:
    route = ROUTE[row.route]
    target = world.first
    if row.source in ("deleteDataset", "resetPipeline"):
        target = world.ws.duplicate(world.first).id
    given = {"dataset_id": target, "training_id": world.run}
    body = row.body(world)
    data: bytes | FormFields = b"" if body is None else json.dumps(body).encode()
    path = {name: given[name] for name in route.path_names}
    value = call(route, world.ws, Request(path=path, query=row.query, body=data))
    if isinstance(value, Underway):
        _ended(value)
    elif isinstance(value, Attachment):
        assert value.path.stat().st_size > 0
    else:
        assert (value is None) == (route.status == 204)


def _ended(work: Underway[Any]) -> None:
    import time

    deadline = time.monotonic() + 60
    while not work.has_ended():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert work.view().status in ("succeeded", "completed"), work.view()
