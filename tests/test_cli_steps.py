"""The steps of the pipeline on the command line, alone and in one run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from command_line import answer, run

from rft_widgets.sample.grader import sample_grader
from rft_widgets.sample.support import write_sample

CONVERSATIONS = 160
CONSTANT = "def grade(sample, item):\n    return 0.0\n"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A folder with a store that a run file has filled, and what the run said."""
    folder = tmp_path_factory.mktemp("run")
    write_sample(folder / "spans.jsonl", n=CONVERSATIONS)
    (folder / "grader.json").write_text(json.dumps(sample_grader()), encoding="utf-8")
    plan = {
        "source": {"traces": "spans.jsonl", "has_response": True},
        "name": "Support",
        "topics": {"method": "auto", "n_topics": 5},
        "targets": "uniform",
        "grader": "grader.json",
        "dry_run": {"n": 100},
        "train": {"train_ratio": 0.8, "hyperparameters": {"n_epochs": 1}},
        "deploy": {"mode": "ab_test", "ratio": 20},
        "despite_no_go": True,
    }
    (folder / "pipeline.yaml").write_text(yaml.safe_dump(plan), encoding="utf-8")
    done = answer("run", folder / "pipeline.yaml", "--database", folder / "store.db")
    return folder, done


@pytest.fixture
def copy(made: tuple[Path, dict[str, Any]], tmp_path: Path) -> tuple[Path, str]:
    """A store of its own with the records of the run, and its dataset."""
    folder, done = made
    out, store = tmp_path / "records.jsonl", tmp_path / "store.db"
    run("export", done["dataset"], out, "--database", folder / "store.db")
    return store, answer("import", out, "--database", store)["dataset"]


def test_a_run_does_every_step_and_says_what_came_of_each(
    made: tuple[Path, dict[str, Any]],
) -> None:
    folder, done = made
    assert done["status"] == 0
    assert done["import"]["imported"] == done["import"]["valid"] + done["import"]["invalid"]
    assert len(done["topics"]["counts"]) == 5
    assert sum(done["topics"]["counts"].values()) == done["topics"]["categorized"]
    assert done["coverage"]["balance_score"] > 0
    assert done["grader"]["version"] == 1
    assert done["dry_run"]["planned"] == 100
    change = done["training"]["report"]["change"]
    low, high = change["difference"]["low"], change["difference"]["high"]
    assert low <= change["after_mean"] - change["before_mean"] <= high
    assert done["deployment"]["config"]["mode"] == "ab_test"
    statuses = {node["id"]: node["status"] for node in done["pipeline"]}
    assert (statuses[4], statuses[6], statuses[7]) == ("configured", "complete", "complete")
    shown = run("pipeline", done["dataset"], "--database", folder / "store.db").stdout
    assert "Deployed" in shown


def test_topics_are_made_kept_and_exported(copy: tuple[Path, str], tmp_path: Path) -> None:
    store, dataset = copy
    found = answer("topics", dataset, "--n-topics", 4, "--seed", 3, "--database", store)
    assert len(found["counts"]) == 4
    assert 0 <= found["low_confidence_share"] <= 1
    out = tmp_path / "topics.json"
    kept = answer("topics", dataset, "--export", out, "--database", store)
    assert kept["counts"].keys() == found["counts"].keys(), "an export made other topics"
    back = answer("topics", dataset, "--file", out, "--database", store)
    assert back["counts"] == kept["counts"]
    again = run("topics", dataset, "--template", "support", "--database", store)
    assert "have a topic" in again.stderr
    assert "fit none" in again.stdout
    for wrong in (("--template", "nonsense"), ("--method", "file")):
        run("topics", dataset, *wrong, "--database", store, check=1)


def test_coverage_sets_targets_and_asks_what_if(copy: tuple[Path, str], tmp_path: Path) -> None:
    store, dataset = copy
    found = answer("coverage", dataset, "--database", store)["coverage"]
    topics = [one["topic"] for one in found["topics"]]
    least = min(found["topics"], key=lambda one: one["count"])
    asked = answer("coverage", dataset, "--what-if", f"{least['topic']}=20", "--database", store)
    counts = {one["topic"]: one["count"] for one in asked["what_if"]["topics"]}
    assert counts[least["topic"]] == least["count"] + 20
    assert asked["coverage"]["topics"] == found["topics"], "a question changed something"
    shares = {topics[0]: 60, topics[1]: 40}
    for name, text in (("t.json", json.dumps(shares)), ("t.yaml", yaml.safe_dump(shares))):
        (tmp_path / name).write_text(text, encoding="utf-8")
        set_to = answer("coverage", dataset, "--targets", tmp_path / name, "--database", store)
        targets = {o["topic"]: o["target_percentage"] for o in set_to["coverage"]["topics"]}
        assert targets[topics[0]] == 60
        assert targets[topics[2]] == 0
    shown = run("coverage", dataset, "--targets", "traffic", "--database", store).stdout
    assert "Balance" in shown
    for wrong in (
        ("--targets", tmp_path / "none.json"), ("--what-if", "nonsense"),
        ("--what-if", "No such topic=3"),
    ):  # fmt: skip
        run("coverage", dataset, *wrong, "--database", store, check=1)


def test_graders_come_in_every_form(copy: tuple[Path, str], tmp_path: Path) -> None:
    store, dataset = copy
    assert "no grader" in run("grade", dataset, "--database", store, check=1).stderr
    script = tmp_path / "constant.py"
    script.write_text(CONSTANT, encoding="utf-8")
    as_yaml = tmp_path / "grader.yaml"
    as_yaml.write_text(yaml.safe_dump(sample_grader()), encoding="utf-8")
    first = answer("grade", dataset, "--grader", script, "--test", 3, "--database", store)
    assert first["test"]["mean"] == 0
    assert len(first["test"]["answers"]) == 3
    second = answer("grade", dataset, "--grader", as_yaml, "--database", store)
    assert second["grader"]["version"] == 2
    assert answer("grade", dataset, "--test", 0, "--database", store)["test"] is None
    shown = run("grade", dataset, "--database", store).stdout
    assert shown.count("\n  > ") == shown.count("\n  = ") == 5
    made = answer("grade", dataset, "--preset", "format", "--test", 0, "--database", store)
    assert made["grader"]["version"] == 3
    broken = tmp_path / "broken.json"
    broken.write_text('{"type": "python",', encoding="utf-8")
    wrong: tuple[tuple[object, ...], ...] = (
        ("--grader", broken), ("--grader", tmp_path), ("--grader", tmp_path / "none.json"),
        ("--preset", "correctness"), ("--api-key-env", "KEY"), ("--labels", "no_such_field"),
    )  # fmt: skip
    for arguments in wrong:
        run("grade", dataset, *arguments, "--database", store, check=1)
    assert answer("grade", dataset, "--test", 0, "--database", store)["grader"]["version"] == 3


def test_no_go_has_its_own_status_and_keeps_from_training(
    copy: tuple[Path, str], tmp_path: Path
) -> None:
    store, dataset = copy
    grader = tmp_path / "grader.json"
    grader.write_text(json.dumps(sample_grader()), encoding="utf-8")
    run("grade", dataset, "--grader", grader, "--test", 0, "--database", store)
    good = json.loads(run("dry-run", dataset, "-n", 60, "--database", store, "--json").stdout)
    assert good["verdict"] in ("GO", "CAUTION")
    (tmp_path / "constant.py").write_text(CONSTANT, encoding="utf-8")
    run("grade", dataset, "--grader", tmp_path / "constant.py", "--database", store)
    bad = run("dry-run", dataset, "-n", 60, "--no-probes", "--database", store, "--json", check=3)
    assert json.loads(bad.stdout)["verdict"] == "NO_GO"
    refused = run("train", dataset, "--database", store, check=3)
    assert "NO_GO" in refused.stderr
    assert "--despite-no-go" in refused.stderr
    done = answer(
        "train", dataset, "--despite-no-go", "--epochs", 1, "--train-ratio", 0.8,
        "--database", store,
    )  # fmt: skip
    assert done["report"]["outcome"] == "no_learning"
    assert any("NO_GO" in line for line in done["log"])
    run("dry-run", dataset, "--resume", "--database", store, check=1)
    run("train", dataset, "--trainer", "none", "--despite-no-go", "--database", store, check=1)
    run("train", dataset, "--epochs", 99, "--despite-no-go", "--database", store, check=1)


def test_a_run_stops_at_no_go(made: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    folder, _ = made
    (tmp_path / "constant.py").write_text(CONSTANT, encoding="utf-8")
    done = run(
        "run", folder / "spans.jsonl", "--grader", tmp_path / "constant.py", "--name", "Stops",
        "-n", 50, "--template", "support", "--database", tmp_path / "store.db", "--json", check=3,
    )  # fmt: skip
    said = json.loads(done.stdout)
    assert said["dry_run"]["verdict"] == "NO_GO"
    assert "NO_GO" in said["stopped"]
    assert "training" not in said


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("source: x.jsonl\ngradr: g.json\n", "Did you mean 'grader'?"),
        ("source: x.jsonl\ndry_run: {kk: 3}\ngrader: g.json\n", "'dry_run.kk'"),
        ("source: {trace: x.jsonl}\n", "Did you mean 'traces'?"),
        ("source: x.jsonl\ndry_run: {n: many}\n", "$.dry_run"),
        ("source: x.jsonl\n", "grader"),
        ("source: x.jsonl\ngrader: g.json\n", "There is no file"),
        ("name: x\n", "source"),
        ("- 1\n", "does not map"),
        ("a: [\n", "cannot be read"),
        ("a: !!python/object/apply:os.system ['touch owned']\n", "cannot be read"),
    ],
)
def test_run_files_are_refused_in_words(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "pipeline.yaml"
    path.write_text(text, encoding="utf-8")
    refused = run("run", path, "--database", tmp_path / "store.db", check=1)
    assert words in refused.stderr
    assert not list(tmp_path.glob("**/owned"))
    assert answer("datasets", "--database", tmp_path / "store.db") == []
