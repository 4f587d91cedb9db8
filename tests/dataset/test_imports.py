"""What a file would bring, what imports brought, and what has come since."""

from __future__ import annotations

import csv
import gzip
import json
from datetime import UTC, datetime
from typing import get_args

import pytest
from builders import assistant, chat_line, draft, dump

import rft_widgets as rft
from rft_widgets.errors import ImportInterrupted, ImportRejected, InvalidArgument, NotFound
from rft_widgets.model.imports import CODE_WORDS, RecordCounts
from rft_widgets.model.record import RefusalCode, ValidationCode
from rft_widgets.sample.support import sample_spans, write_sample
from rft_widgets.steps.validate import ADVICE


def write(path, *lines):
    path.write_bytes(
        b"".join((line if isinstance(line, bytes) else dump(line)) + b"\n" for line in lines)
    )
    return path


@pytest.fixture
def dataset(workspace) -> rft.OptimizationDataset:
    return workspace.create("Orders")


MIXED = (
    chat_line("Where is my order number 1?", "On its way."),
    chat_line("Where is my order number 2?", "On its way."),
    chat_line("Where is my order number 1?", "Still on its way."),  # repeats the first
    chat_line("Hi", "Hello."),
    b"",
    b'{"messages": [',
    {"prompt": "not a record"},
    {"messages": [assistant("Nobody asked.")]},
)


def test_a_check_counts_what_an_import_does(dataset, tmp_path):
    dataset.add_records([chat_line("Where is my order number 2?")])
    path = write(tmp_path / "mixed.jsonl", *MIXED)
    check = dataset.check_file(path)
    assert dataset.stats.total_records == 1, "nothing changed"
    assert dataset.imports[0].source == "python", "nothing was begun"
    assert check.records + check.refused + check.blank == check.lines == 8
    assert check.replace == RecordCounts(valid=2, invalid=3, duplicates=1)
    assert check.append == RecordCounts(valid=1, invalid=4, duplicates=2)
    assert {(one.code, one.count) for one in check.faults} == {
        ("user_message_too_short", 1), ("no_user_message", 1),
    }  # fmt: skip
    assert {one.code for one in check.refusals} == {"invalid_json", "missing_input"}
    assert [issue.line for issue in check.issues] == [2, 3, 4, 6, 7, 8]
    assert check.issue_count == 6
    first = check.preview[0]
    assert [(one.tag, one.text) for one in first.messages] == [
        ("USR", "Where is my order number 1?"), ("AST", "On its way."),
    ]  # fmt: skip

    for mode, counts in (("append", check.append), ("replace", check.replace)):
        done = dataset.import_records(path, mode=mode)
        assert (done.valid, done.invalid, done.duplicates) == (
            counts.valid, counts.invalid, counts.duplicates,
        )  # fmt: skip
        assert done.refused == check.refused


def test_a_check_agrees_with_an_import_of_sample_traffic(dataset, tmp_path):
    path = write_sample(tmp_path / "sample.jsonl", format="jsonl", n=200).path
    packed = tmp_path / "sample.jsonl.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    check = dataset.check_file(packed)
    done = dataset.import_records(packed)
    assert (check.records, check.append.valid, check.append.duplicates, check.refused) == (
        done.imported, done.valid, done.duplicates, done.refused,
    )  # fmt: skip


def test_a_check_can_be_followed_and_stopped(dataset, tmp_path):
    path = write(tmp_path / "many.jsonl", *(chat_line(f"A long question {n}") for n in range(2500)))
    told = []
    dataset.check_file(path, progress=lambda *now: told.append(now))
    assert [words for _, words in told] == ["1,000 lines", "2,000 lines"]
    assert told[0][0] == pytest.approx(0.4, abs=0.02)
    with pytest.raises(ImportInterrupted, match="stopped"):
        dataset.check_file(path, cancelled=lambda: True)
    path.write_bytes(b"{\n" * 1000)
    with pytest.raises(ImportInterrupted, match="stopped"):
        dataset.check_file(path, cancelled=lambda: True)


def test_a_file_that_is_broken_as_a_whole_is_refused(dataset, tmp_path):
    path = tmp_path / "cut.jsonl.gz"
    path.write_bytes(gzip.compress(b"{}\n" * 1000)[:-20])
    with pytest.raises(ImportRejected):
        dataset.check_file(path)


def test_a_file_of_traces_is_imported_as_such(dataset, tmp_path):
    written = write_sample(tmp_path / "spans.jsonl", n=20)
    check = dataset.check_file(written.path)
    assert check.format == "otel_genai"
    assert check.records == written.counts["traces"]
    assert check.lost_calls > 0
    done = dataset.import_records(written.path)
    assert (done.imported, done.valid) == (check.records, check.append.valid)
    assert dataset.import_records(written.path, mode="replace").imported == check.records
    assert dataset.stats.total_records == check.records


def test_lines_that_are_neither_are_refused_as_before(dataset, tmp_path):
    path = write(tmp_path / "other.jsonl", {"prompt": "x"}, [1], 3)
    check = dataset.check_file(path)
    assert (check.format, check.records, check.refused) == ("records", 0, 3)
    assert dataset.import_records(path).refused == 3


def test_imports_are_listed_with_their_faults(dataset, tmp_path):
    first = dataset.import_records(write(tmp_path / "a.jsonl", *MIXED), name="mixed.jsonl")
    dataset.import_records(write(tmp_path / "b.jsonl", chat_line()), mode="replace")
    newest, oldest = dataset.imports
    assert (newest.source, newest.mode, newest.current) == ("b.jsonl", "replace", True)
    assert (oldest.source, oldest.current, oldest.finished) == ("mixed.jsonl", False, True)
    assert (oldest.invalid, oldest.refused, oldest.duplicates) == (3, 2, 1)
    issues = dataset.import_issues(first.import_id)
    assert [(one.line, one.refused) for one in issues] == [
        (3, False), (4, False), (6, True), (7, True), (8, False),
    ]  # fmt: skip
    assert dataset.import_issues(first.import_id, limit=1) == issues[:1]
    with pytest.raises(NotFound):
        dataset.import_issues("imp_other")


@pytest.mark.parametrize("file_format", ["csv", "json"])
def test_faults_are_written_to_a_file(dataset, tmp_path, file_format):
    path = write(tmp_path / "a.jsonl", {"messages": [{"role": "=cmd()", "content": "x"}]})
    done = dataset.import_records(path)
    target = tmp_path / "errors"
    count = dataset.export_import_issues(done.import_id, target, file_format)
    if file_format == "json":
        assert len(json.loads(target.read_text())) == count
    else:
        rows = list(csv.reader(target.read_text().splitlines()))
        assert len(rows) == count + 1
        assert rows[0] == ["line", "code", "message", "refused"]
        assert not [cell for row in rows for cell in row if cell.startswith("=")]
    with pytest.raises(InvalidArgument, match="format"):
        dataset.export_import_issues(done.import_id, target, "xlsx")


def test_one_unfinished_import_can_be_given_up(dataset, tmp_path):
    for name in ("a", "b"):
        path = write(
            tmp_path / name, *(chat_line(f"{name}: long question {n}") for n in range(1500))
        )
        with pytest.raises(ImportInterrupted):
            dataset.import_records(path, cancelled=lambda: True)
    newest, oldest = dataset.imports
    assert not newest.finished
    assert dataset.discard_unfinished_imports(newest.id) == 1
    assert [one.id for one in dataset.unfinished_imports] == [oldest.id]
    assert dataset.discard_unfinished_imports("imp_other") == 0
    assert dataset.discard_unfinished_imports() == 1


def test_dates_of_the_records(dataset, tmp_path):
    assert dataset.record_dates.added_first is None
    lines = [
        chat_line(f"Long question {n}", metadata={"created_at": f"2026-03-0{n}T10:00:00+02:00"})
        for n in (3, 1, 2)
    ]
    dataset.import_records(write(tmp_path / "a.jsonl", *lines))
    dates = dataset.record_dates
    assert dates.recorded_first == datetime(2026, 3, 1, 8, tzinfo=UTC)
    assert dates.recorded_last == datetime(2026, 3, 3, 8, tzinfo=UTC)
    assert dates.added_first <= dates.added_last <= datetime.now(UTC)
    dataset.import_records(write(tmp_path / "b.jsonl", chat_line()), mode="replace")
    assert dataset.record_dates.recorded_first is None


def spans_file(path, exports: int = 40):
    lines = [json.dumps(one) for one in sample_spans(n=20)]
    path.write_text("".join(f"{line}\n" for line in lines[:exports]))
    return path


def test_new_traces_are_pulled_once(workspace, dataset, tmp_path):
    path = spans_file(tmp_path / "spans.jsonl", 12)
    dataset.add_traces(rft.open_traces(path))
    before = dataset.stats.total_records
    assert dataset.pulled_sources[0].location == str(path)
    read_at = dataset.pulled_sources[0].read_at
    assert dataset.pull_traces().imported == 0
    assert dataset.pulled_sources[0].read_at > read_at

    gone = dataset.records(limit=1).records[0]
    dataset.delete_records(gone.id)
    spans_file(path)
    done = dataset.pull_traces()
    everything = workspace.create_from_traces(rft.open_traces(path), name="All")
    assert done.imported == everything.stats.total_records - before > 0
    spans = [record.span_id for record in dataset.iterate()]
    assert len(spans) == len(set(spans))
    assert gone.span_id not in spans, "what was deleted stays so"
    assert "ds.pull_traces()" in dataset.to_script()


def test_filters_hold_for_what_is_pulled(dataset, tmp_path):
    path = spans_file(tmp_path / "spans.jsonl", 12)
    dataset.add_traces(rft.open_traces(path).filter(min_turns=2))
    spans_file(path)
    dataset.pull_traces()
    assert len(dataset.pulled_sources) == 1
    for record in dataset.iterate():
        assert sum(message.role == "user" for message in record.input.messages) >= 2


def test_traces_without_span_ids_are_told_by_their_input(dataset, tmp_path):
    path = tmp_path / "log.jsonl"
    write(path, *(chat_line(f"Long question {n}", "Yes.") for n in range(3)))
    dataset.add_traces(rft.open_traces(path))
    write(path, *(chat_line(f"Long question {n}", "Yes.") for n in range(5)))
    assert dataset.pull_traces().imported == 2


def test_without_a_source_nothing_can_be_pulled(dataset, tmp_path):
    dataset.add_traces([draft("A question that is long enough")])
    assert dataset.pulled_sources == ()
    with pytest.raises(InvalidArgument, match="read again"):
        dataset.pull_traces()
    path = spans_file(tmp_path / "spans.jsonl", 5)
    dataset.add_traces(rft.open_traces(path))
    path.unlink()
    count = dataset.stats.total_records
    with pytest.raises(NotFound):
        dataset.pull_traces()
    assert dataset.stats.total_records == count
    assert not dataset.unfinished_imports


def test_every_code_has_words():
    assert set(CODE_WORDS) == {*get_args(ValidationCode), *get_args(RefusalCode)}
    assert set(ADVICE) == set(get_args(ValidationCode))


def test_an_export_can_be_ended(dataset, tmp_path):
    dataset.add_records(chat_line(f"Long question {n}") for n in range(2500))
    seen = []
    target = tmp_path / "out.jsonl"
    dataset.export_records(target, progress=seen.append)
    assert seen == [1000, 2000]
    target.unlink()

    def stop(_: int) -> None:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        dataset.export_records(target, progress=stop)
    assert list(tmp_path.glob("*out*")) == []
