"""Uploads in pieces, the look at a file, and the import of it; and the dialog about the records."""

from __future__ import annotations

import json
import stat
import time
from pathlib import Path

import pytest
from builders import chat_line
from widgets.wire import Page

import rft_widgets as rft
from rft_widgets.errors import ImportInterrupted
from rft_widgets.sample.support import write_sample
from rft_widgets.widgets.uploads import PIECE_BYTES


def files(dataset) -> list[Path]:
    return list(dataset._store.side_folder.glob("uploads/*.data"))


@pytest.fixture(autouse=True)
def nothing_left(dataset):
    yield
    assert not files(dataset)


@pytest.fixture
def page(dataset):
    view = dataset.dialog("import-records")
    yield Page(view)
    view.close()


def lines(*values) -> bytes:
    return b"".join(json.dumps(one).encode() + b"\n" for one in values)


def questions(count: int, start: int = 0) -> list[dict]:
    return [chat_line(f"A long question {n}", "Yes.") for n in range(start, start + count)]


def send(page: Page, content: bytes, name: str = "new.jsonl") -> str:
    state = page.call("begin_upload", {"name": name, "size": len(content)})["value"]
    for offset in range(0, len(content), PIECE_BYTES):
        piece = content[offset : offset + PIECE_BYTES]
        page.ask("put_piece", {"upload": state["id"], "offset": offset}, data=piece)
    return state["id"]


def ended(page: Page, kind: str, status: str = "succeeded") -> None:
    found = [None]
    ends = time.monotonic() + 20
    while not found or found[0] in (None, "running"):
        assert time.monotonic() < ends, f"{kind} did not end"
        found = [job.status for job in page.widget._dataset.job_states if job.kind == kind]
        time.sleep(0.005)
    assert found == [status]


def checked(page: Page, content: bytes, name: str = "new.jsonl") -> dict:
    upload = send(page, content, name)
    assert page.call("check_upload", {"upload": upload})["ok"]
    ended(page, "check_file")
    return page.ask("load")


def test_a_file_is_sent_looked_at_and_imported(page, dataset):
    content = lines(*questions(3), chat_line("Hi")) + b"{\n"
    view = checked(page, content)
    assert view["upload"] == {
        "id": view["upload"]["id"], "name": "new.jsonl", "size": len(content),
        "received": len(content),
    }  # fmt: skip
    assert view["check"]["append"] == {"valid": 3, "invalid": 1, "duplicates": 0}
    assert not view["check"]["issues"], "the page asks for them when they are wanted"
    assert [one["code"] for one in page.ask("load_issues")] == [
        "user_message_too_short", "invalid_json",
    ]  # fmt: skip
    assert dataset.stats.total_records == 0

    assert page.call("start_import", {"mode": "append"})["ok"]
    ended(page, "import_records")
    view = page.ask("load")
    assert view["upload"] is view["check"] is None
    assert view["result"] | {"import_id": ""} == {
        "import_id": "", "name": "new.jsonl", "mode": "append", "lines": 5, "imported": 4,
        "valid": 3, "invalid": 1, "duplicates": 0, "refused": 1,
    }  # fmt: skip
    assert view["records"] == dataset.stats.total_records == 4
    assert dataset.imports[0].source == "new.jsonl"
    assert dataset.events[-1].details["origin"] == {"file": "new.jsonl"}, "a label, no path"
    assert [one["line"] for one in page.ask("load_issues")] == [4, 5]
    made = page.ask("download_issues", {"file_format": "json"})
    told = page.ask("read_download", {"download": made["id"], "offset": 0})
    assert [one["line"] for one in json.loads(told)] == [4, 5]
    page.call("leave", {"upload": None})
    assert page.ask("load")["result"] is None


def test_faults_of_a_file_are_given_away_before_it_is_imported(page):
    checked(page, lines(chat_line("Hi")))
    made = page.ask("download_issues", {"file_format": "csv"})
    told = page.ask("read_download", {"download": made["id"], "offset": 0}).decode()
    assert told.splitlines()[1].startswith("1,user_message_too_short,")


def test_replace_takes_all_that_is_there(page, dataset):
    dataset.add_records(questions(5))
    checked(page, lines(*questions(2)))
    page.call("start_import", {"mode": "replace"})
    ended(page, "import_records")
    assert dataset.stats.valid_records == dataset.stats.total_records == 2


def test_pieces_come_in_order_and_nothing_is_lost(page, dataset):
    content = lines(*questions(90_000))
    assert len(content) > 2 * PIECE_BYTES
    upload = send(page, content)
    assert dataset.uploads.path(upload).read_bytes() == content
    assert page.ask("load")["upload"]["received"] == len(content)
    reply = page.call("put_piece", {"upload": upload, "offset": PIECE_BYTES}, data=b"again")
    assert reply["error"]["code"] == "upload_offset"
    page.call("reset")


def test_a_file_that_is_not_whole_is_not_looked_at(page):
    state = page.call("begin_upload", {"name": "a.jsonl", "size": 10})["value"]
    reply = page.call("check_upload", {"upload": state["id"]})
    assert "missing" in reply["error"]["message"]
    assert not page.call("start_import", {"mode": "append"})["ok"]


def test_an_upload_is_private_and_has_a_label_only(page, dataset):
    upload = send(page, lines(*questions(1)), name="../../etc/pass\nwd\u202e.jsonl")
    path = dataset.uploads.path(upload)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert page.ask("load")["upload"]["name"] == "pass\ufffdwd\ufffd.jsonl"
    for bad in ("", "x" * 256):
        reply = page.call("begin_upload", {"name": bad, "size": 1})
        assert reply["error"]["code"] == "invalid_params"


def test_stopping_leaves_nothing(page, dataset):
    upload = send(page, lines(*questions(3)))
    page.call("reset")
    assert not files(dataset)
    assert page.ask("load")["upload"] is None
    assert not page.call("put_piece", {"upload": upload, "offset": 0}, data=b"x")["ok"]
    assert dataset.stats.total_records == 0


def test_leaving_a_page_takes_its_file_and_no_other(page, dataset):
    first = send(page, lines(*questions(1)))
    second = send(page, lines(*questions(2)))
    assert len(files(dataset)) == 1, "one at a time"
    page.call("leave", {"upload": first})
    assert page.ask("load")["upload"]["id"] == second
    page.call("leave", {"upload": second})
    assert not files(dataset)


def test_closing_the_view_takes_its_file(page, dataset):
    send(page, lines(*questions(1)))
    page.widget.close()
    assert not files(dataset)


def test_there_is_a_quota(page):
    reply = page.call("begin_upload", {"name": "a", "size": 2 * 1024**3 + 1})
    assert reply["error"]["code"] == "upload_too_large"
    assert "empty" in page.call("begin_upload", {"name": "a", "size": 0})["error"]["message"]


def test_an_import_that_runs_keeps_its_file(page, dataset):
    checked(page, lines(*questions(30_000)))
    assert page.call("start_import", {"mode": "append"})["ok"]
    page.call("leave", {"upload": page.widget._upload.id})  # the dialog is closed meanwhile
    ended(page, "import_records")
    assert dataset.stats.total_records == 30_000


def test_a_stopped_import_can_be_resumed_with_the_same_file(page, dataset):
    content = lines(*questions(30_000))
    checked(page, content)
    job = page.call("start_import", {"mode": "append"})["value"]
    while not dataset.stats.total_records:
        time.sleep(0.002)
    assert page.call("cancel_job", {"job": job["id"]})["value"]
    ended(page, "import_records", "cancelled")
    half = dataset.stats.total_records
    assert half < 30_000
    view = page.ask("load")
    assert view["unfinished"]["imported"] == half
    assert "/" not in dataset.job_states[-1].outcome.replace("new.jsonl", "")
    page.call("start_import", {"mode": "append", "resume": True})
    ended(page, "import_records")
    assert dataset.stats.valid_records == 30_000


def test_a_file_that_cannot_be_read_says_so_by_its_label(page, dataset):
    upload = send(page, b"[1, 2", name="broken.json")
    page.call("check_upload", {"upload": upload})
    ended(page, "check_file", "failed")
    (job,) = dataset.job_states
    assert job.problem.message.startswith("broken.json starts as a JSON array")
    assert "/" not in job.problem.message
    page.call("reset")


def cut_off(dataset, path: Path) -> None:
    path.write_bytes(lines(*questions(2500)))
    with pytest.raises(ImportInterrupted):
        dataset.import_records(path, cancelled=lambda: True)


def test_imports_of_other_files_can_be_given_up(page, dataset, tmp_path):
    cut_off(dataset, tmp_path / "other.jsonl")
    (other,) = page.ask("load")["others"]
    assert other["source"] == "other.jsonl"
    assert page.ask("discard_unfinished", {"import_id": other["id"]}) == 1
    assert not page.ask("load")["others"]


@pytest.fixture
def records_page(dataset):
    view = dataset.dialog("records")
    yield Page(view)
    view.close()


def test_the_records_dialog_tells_of_sources_faults_and_imports(records_page, dataset, tmp_path):
    view = records_page.ask("load")
    assert not any((view["health"]["total"], view["imports"], view["faults"]))
    path = tmp_path / "a.jsonl"
    path.write_bytes(lines(*questions(3), chat_line("Hi"), chat_line("Ho")) + b"{\n")
    done = dataset.import_records(path)
    cut_off(dataset, tmp_path / "cut.jsonl")
    view = records_page.ask("load")
    faults = [(one["code"], one["count"]) for one in view["faults"]]
    assert faults == [("duplicate", 3), ("user_message_too_short", 2)]
    assert view["faults"][1]["words"] == "The user's last message is too short"
    assert [one["source"] for one in view["imports"]] == ["cut.jsonl", "a.jsonl"]
    assert [one["finished"] for one in view["imports"]] == [False, True]
    assert not view["pulled"]
    issues = records_page.ask("load_issues", {"import_id": done.import_id})
    assert [one["line"] for one in issues] == [4, 5, 6]
    made = records_page.ask("download_issues", {"import_id": done.import_id, "file_format": "csv"})
    assert made["name"] == "Support-import-errors.csv"
    unfinished = view["imports"][0]["id"]
    assert records_page.ask("discard_unfinished", {"import_id": unfinished}) == 1


def test_new_traces_are_pulled_as_long_work(records_page, dataset, tmp_path):
    path = write_sample(tmp_path / "spans.jsonl", n=10).path
    dataset.add_traces(rft.open_traces(path))
    before = dataset.stats.total_records
    more = write_sample(tmp_path / "more.jsonl", n=20, seed=9).path
    path.write_bytes(path.read_bytes() + more.read_bytes())
    assert records_page.call("start_pull")["ok"]
    ended(records_page, "pull_traces")
    assert dataset.stats.total_records > before
    (job,) = dataset.job_states
    assert job.outcome.startswith(f"{dataset.stats.total_records - before} new records")
    assert records_page.ask("load")["pulled"][0]["location"] == str(path)
