"""The command line, as processes of their own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from builders import chat_line, write_jsonl


def run(*arguments: object, check: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "rft_widgets", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == check, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


def answer(*arguments: object) -> Any:
    """What a command prints with --json, which must be one JSON value and nothing else."""
    return json.loads(run(*arguments, "--json").stdout)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


def test_import_list_export_delete(tmp_path: Path, store: Path) -> None:
    lines = [chat_line(f"A question with number {n}", "An answer") for n in range(20)]
    path = write_jsonl(tmp_path, [*lines, b"{", lines[0]])
    done = answer("import", path, "--name", "first", "--database", store)
    assert done["import"]["imported"] == 21
    assert done["import"]["duplicates"] == 1
    assert done["import"]["errors"][0]["line"] == 21
    assert done["health"]["invalid"] == 1

    more = answer("import", path, "--dataset", done["dataset"], "--database", store)
    assert more["import"]["duplicates"] == 21
    replaced = answer(
        "import", path, "--dataset", done["dataset"], "--mode", "replace", "--database", store
    )
    assert replaced["health"]["total"] == 21

    (listed,) = answer("datasets", "--database", store)
    assert (listed["name"], listed["stats"]["total_records"]) == ("first", 21)
    assert "first" in run("datasets", "--database", store).stdout

    out = tmp_path / "out.jsonl"
    assert answer("export", done["dataset"], out, "--database", store)["records"] == 21
    assert len(out.read_text(encoding="utf-8").splitlines()) == 21
    gone = answer("delete", done["dataset"], "--yes", "--database", store)
    assert gone["records"] == 21
    assert answer("datasets", "--database", store) == []


def test_errors_are_words_and_an_exit_status(tmp_path: Path, store: Path) -> None:
    missing = run("import", tmp_path / "nothing.jsonl", "--database", store, check=1)
    assert "There is no file" in missing.stderr
    assert answer("datasets", "--database", store) == [], "a failed import left a dataset behind"
    assert "no dataset" in run("export", "ds_x", "out", "--database", store, check=1).stderr
    strange = tmp_path / "strange.jsonl"
    strange.write_text('{"alpha": 1, "beta": 2}\n', encoding="utf-8")
    assert "alpha" in run("traces", strange, "--database", store, check=1).stderr
    run("unknown", check=2)


def test_traces_become_a_dataset(tmp_path: Path, store: Path) -> None:
    path = write_jsonl(
        tmp_path, [chat_line(f"Which tent is number {n}?", "This") for n in range(5)]
    )
    looked = answer("traces", path, "--search", "number 3")
    assert (looked["matching"], looked["total"], looked["format"]) == (1, 5, "chat_jsonl")
    made = answer("traces", path, "--has-response", "--create", "tents", "--database", store)
    assert made["import"]["valid"] == 5
    (listed,) = answer("datasets", "--database", store)
    assert (listed["name"], listed["source"]) == ("tents", "gateway")


def test_the_demo_runs_and_tells_the_truth(store: Path) -> None:
    report = answer("demo", "--no-app", "--database", store)
    assert report["traces"]["model_calls"] == report["traces"]["traces"] + sum(
        report["traces"]["by_code"].values()
    )
    imported = report["import"]
    assert imported["imported"] + imported["refused"] + imported["blank"] == imported["lines"]
    assert report["records_from_traces"] == report["traces"]["traces"] == 1_000
    assert report["records_from_file"] == imported["imported"] > 600
    assert report["health"]["total"] == 1_000 + imported["imported"]
    assert report["verdict"] in ("GO", "CAUTION")
    low, high = report["improvement_interval"]
    assert low <= report["final_reward"] - report["baseline_reward"] <= high
    assert low > 0
    assert 0 < report["recorded_reward"] < 1
    assert report["split"]["conversations_on_both_sides"] == 0
    assert report["split"]["prompts_on_both_sides"] == 0
    assert report["endpoint_answered"] is True
    assert report["refused_without_token"] is True
    assert report["seconds"] < 60
    (kept,) = answer("datasets", "--database", store)
    assert kept["id"] == report["dataset"]
    # What it printed is what the store says.
    nodes = {
        node["name"]: node["status"]
        for node in answer("pipeline", report["dataset"], "--database", store)["nodes"]
    }
    assert nodes == report["pipeline"]


def test_help_is_there_for_every_command_and_loads_nothing_heavy() -> None:
    listed = run("--help").stdout
    for command in ("demo", "run", "topics", "dry-run", "train", "deploy", "serve", "rollback"):
        assert command in listed
    assert "3 for NO_GO" in " ".join(run("dry-run", "--help").stdout.split())
    code = (
        "import sys, rft_widgets.cli.parser as p; p.make_parser();"
        "print(*{name.split('.')[0] for name in sys.modules} & {'sklearn', 'pandas', 'uvicorn'})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_what_is_deleted_or_cleared_is_asked_for(tmp_path: Path, store: Path) -> None:
    path = write_jsonl(tmp_path, [chat_line("A question of some length", "An answer")])
    made = answer("import", path, "--database", store)["dataset"]
    for command in ("delete", "reset"):
        refused = run(command, made, "--database", store, check=1)  # nobody there to answer
        assert "Nothing was" in refused.stderr
    assert answer("reset", made, "--yes", "--database", store)["records"] == 1
    script = run("script", made, "--database", store).stdout
    compile(script, "script", "exec")
    assert "reset_pipeline" in script
    assert answer("script", made, "--database", store)["script"] == script
