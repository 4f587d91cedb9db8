"""The grader of a dataset, compiled for elsewhere and held against itself."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from builders import draft
from command_line import answer, run

import rft_widgets as rft
from rft_widgets.cli.grader_options import TARGETS as CLI_TARGETS
from rft_widgets.errors import BudgetReached, InvalidArgument, ModelRefused, RunInterrupted
from rft_widgets.graders.compile import TARGETS
from rft_widgets.graders.panel import panel
from rft_widgets.sample.grader import sample_grader
from rft_widgets.sample.support import write_sample
from rft_widgets.server.rest import ROUTES
from rft_widgets.server.rest.calling import Request, call
from rft_widgets.server.rest.downloads import drop
from rft_widgets.testing.openai_server import ChatRequest, OpenAIServer

ROUTE = {route.name: route for route in ROUTES}
JUDGE: dict[str, Any] = {
    "type": "score_model",
    "name": "judge",
    "model": "",
    "input": [{"role": "user", "content": "{{lastUserMessage}}\n{{response}}"}],
}


class Moody:
    """A judge that likes long answers, and never says the same twice."""

    def __init__(self) -> None:
        self._asked = 0

    def __call__(self, request: ChatRequest) -> str:
        shown = re.findall(r">(.*?)</data-", request.question, re.DOTALL)
        self._asked += 1
        score = min(1.0, len("".join(shown)) / 200) * 0.9 + self._asked * 1e-6
        return json.dumps({"reasoning": "its length", "score": score})


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[rft.Workspace]:
    with rft.Workspace(tmp_path_factory.mktemp("export") / "store.db") as opened:
        yield opened


@pytest.fixture(scope="module")
def sample(workspace: rft.Workspace, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Sample conversations with the sample's grader."""
    path = write_sample(tmp_path_factory.mktemp("spans") / "spans.jsonl", n=40).path
    dataset = workspace.create_from_traces(rft.open_traces(path), name="Support")
    dataset.set_grader(sample_grader())
    return dataset


@pytest.fixture
def judged(sqlite_workspace: rft.Workspace) -> Any:
    with OpenAIServer() as server:
        server.script(Moody())
        sqlite_workspace.add_connection(
            "judge", server.base_url, "judge-1", api_key_env="RFT_TEST_KEY", concurrency=4,
            input_usd_per_million=1.0, output_usd_per_million=4.0,
        )  # fmt: skip
        made = sqlite_workspace.create("Orders")
        made.add_records(
            draft(f"Question number {n} is this", "word " * (n + 1), id=f"r{n}") for n in range(12)
        )
        yield made, server


def test_every_target_grades_as_the_dataset_does(sample: rft.OptimizationDataset) -> None:
    for target in TARGETS:
        report = sample.grader_parity(target, 40, seed=3)
        assert report.holds, report
        assert report.n + report.not_carried == 40
        assert report.kinds["recorded"] == 20
    assert "read again" in report.note or target not in ("openai", "azure")


def test_a_judge_is_asked_once_and_its_key_stays_here(
    judged: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset, server = judged
    monkeypatch.setenv("RFT_TEST_KEY", "sk-canary")
    dataset.set_grader(panel(JUDGE, ["judge-1"], repeats=2), connection="judge")
    report = dataset.grader_parity("trl", 20)
    assert report.holds, report  # no two answers of this judge are the same
    assert report.failed == 0
    paid = len(server.paid)
    assert paid == dataset.costs["judge"].calls <= 40
    assert dataset.grader_parity("openai", 20).holds
    assert len(server.paid) == paid

    with pytest.raises(BudgetReached):
        dataset.grader_parity("trl", 20, seed=9, max_cost_usd=1e-6)
    with pytest.raises(RunInterrupted):
        dataset.grader_parity("verl", 20, cancelled=lambda: True)
    monkeypatch.delenv("RFT_TEST_KEY")
    with pytest.raises(ModelRefused, match="RFT_TEST_KEY"):
        dataset.grader_parity("trl", 20, seed=11)


def test_what_is_written_names_no_key_and_warns(judged: Any, tmp_path: Path) -> None:
    dataset, _server = judged
    dataset.set_grader({**JUDGE, "model": "o3-mini"}, connection="judge")
    files = dataset.export_grader("eval-protocol", tmp_path / "ep")
    assert files.entry.name == "test_orders.py"
    places = json.loads((tmp_path / "ep" / "judges.json").read_text())
    assert places[0]["connection"]["api_key_env"] == "RFT_TEST_KEY"
    hosted = dataset.export_grader("openai", tmp_path / "oa")
    assert any("o3-mini was shut down on 2026-10-23" in one for one in hosted.warnings)
    assert "o3-mini was shut down" in (tmp_path / "oa" / "README.md").read_text()
    with pytest.raises(InvalidArgument, match="cannot be compiled for"):
        dataset.export_grader("nobody", tmp_path)


def test_over_the_command_line_and_http(
    sample: rft.OptimizationDataset,
    workspace: rft.Workspace,
    tmp_path: Path,
) -> None:
    to = tmp_path / "verl"
    where = (sample.id, "--for", "verl", "--to", to, "--database", workspace.url)
    said = answer("grader", "export", *where, "--parity", "30")
    assert said["parity"]["equal"] == said["parity"]["n"] > 20
    assert (to / "reward.py").exists()
    assert "reward.py and" in run("grader", "export", *where).stdout
    run("grader", "export", sample.id, "--for", "nobody", "--to", to, check=2)

    def ask(route: str, query: str = "", body: Any = None) -> Any:
        data = b"" if body is None else msgspec.json.encode(body)
        asked = Request(path={"dataset_id": sample.id}, query=query, body=data)
        return call(ROUTE[route], workspace, asked)

    made = ask("export_grader", "target=bedrock")
    with zipfile.ZipFile(made.path) as archive:
        assert {"lambda_function.py", "README.md", "rft_grader/web.py"} <= set(archive.namelist())
    drop(made)
    ask("check_grader_parity", body={"target": "trl", "n": 20})
    job = sample.jobs[0].wait(30)
    assert job.state.status == "succeeded"
    assert job.result.holds


def test_the_command_line_knows_every_target() -> None:
    assert set(CLI_TARGETS) == set(TARGETS)
