"""Uploads: pieces in order, resuming, quota, several processes, names of strangers."""

from __future__ import annotations

import os
import secrets
import signal
import stat
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import NamedTuple

import pytest

from rft_widgets import uploads as module
from rft_widgets.errors import ImportRejected, NotFound
from rft_widgets.files import read_whole
from rft_widgets.uploads import (
    UploadNoRoom,
    UploadOffset,
    UploadRefused,
    Uploads,
    UploadTooLarge,
)


class Usage(NamedTuple):
    total: int
    used: int
    free: int


@pytest.fixture
def uploads(tmp_path: Path) -> Uploads:
    return Uploads(tmp_path / "uploads")


def _script(text: str, folder: Path, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", textwrap.dedent(text), str(folder), *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_a_file_arrives_piece_by_piece(uploads: Uploads) -> None:
    content = secrets.token_bytes(100_000)
    begun = uploads.begin("calls.jsonl", len(content))
    assert (begun.name, begun.size, begun.received, begun.is_whole) == (
        "calls.jsonl",
        100_000,
        0,
        False,
    )
    for offset in range(0, len(content), 30_000):
        with pytest.raises(UploadRefused, match="missing"):
            uploads.path(begun.id)
        state = uploads.write(begun.id, offset, content[offset : offset + 30_000])
    assert state.is_whole
    assert uploads.state(begun.id) == state
    path = uploads.path(begun.id)
    assert path.read_bytes() == content
    uploads.drop(begun.id)
    assert not path.exists()
    with pytest.raises(NotFound):
        uploads.state(begun.id)
    with pytest.raises(NotFound):
        uploads.write(begun.id, 0, b"x")
    uploads.drop(begun.id)


def test_a_piece_that_is_not_the_next_one_tells_where_the_next_begins(uploads: Uploads) -> None:
    upload = uploads.begin("calls.jsonl", 10)
    uploads.write(upload.id, 0, b"01234")
    for offset in (0, 4, 6, 10, 2**40):
        with pytest.raises(UploadOffset, match="byte 5") as refused:
            uploads.write(upload.id, offset, b"abc")
        assert refused.value.received == 5
    with pytest.raises(UploadRefused, match="more than the 10 bytes"):
        uploads.write(upload.id, 5, b"567890")
    assert uploads.state(upload.id).received == 5
    assert uploads.write(upload.id, 5, b"56789").is_whole
    assert uploads.path(upload.id).read_bytes() == b"0123456789"


def test_files_are_private(uploads: Uploads, tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        upload = uploads.begin("calls.jsonl", 1)
    finally:
        os.umask(old)
    folder = tmp_path / "uploads"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    uploads.write(upload.id, 0, b"x")
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\windows\\calls.jsonl", "calls.jsonl"),
        ("a\nb\x1b[2J\u202egnp.jsonl", "a\ufffdb\ufffd[2J\ufffdgnp.jsonl"),
        ("\ud800.json", "\ufffd.json"),
        ("", "file"),
        ("folder/", "file"),
        ("<img src=x onerror=alert(1)>", "<img src=x onerror=alert(1)>"),
        ("x" * 10_000, "x" * 255),
    ],
)
def test_a_name_is_a_label_and_nothing_else(
    uploads: Uploads, tmp_path: Path, name: str, label: str
) -> None:
    upload = uploads.begin(name, 3)
    uploads.write(upload.id, 0, b"abc")
    assert uploads.state(upload.id).name == label
    assert uploads.path(upload.id).parent == tmp_path / "uploads"
    assert [path.name for path in tmp_path.iterdir()] == ["uploads"]


@pytest.mark.parametrize(
    "upload_id",
    ["", "..", "../secret", "a" * 32 + "\n", "A" * 32, "/etc/passwd", "begin", "0" * 31],
)
def test_an_id_names_an_upload_and_no_other_file(
    uploads: Uploads, tmp_path: Path, upload_id: str
) -> None:
    uploads.begin("calls.jsonl", 1)
    secret = tmp_path / "secret.data"
    secret.write_bytes(b"keep")
    for act in (
        lambda: uploads.state(upload_id),
        lambda: uploads.path(upload_id),
        lambda: uploads.write(upload_id, 0, b"x"),
    ):
        with pytest.raises(NotFound):
            act()
    uploads.drop(upload_id)
    assert secret.read_bytes() == b"keep"


def test_quota_of_one_file_of_all_and_of_the_disk(
    uploads: Uploads, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UploadRefused, match="empty"):
        uploads.begin("calls.jsonl", 0)
    with pytest.raises(UploadTooLarge, match="2 GB"):
        uploads.begin("calls.jsonl", module.MAX_FILE_BYTES + 1)
    free = module.MAX_ALL_BYTES + module.KEPT_FREE_BYTES
    monkeypatch.setattr(module.shutil, "disk_usage", lambda _: Usage(free, 0, free))
    first = uploads.begin("one.jsonl", module.MAX_FILE_BYTES)
    uploads.begin("two.jsonl", module.MAX_FILE_BYTES)
    with pytest.raises(UploadNoRoom):
        uploads.begin("three.jsonl", 1)
    uploads.drop(first.id)
    small = uploads.begin("three.jsonl", 1)
    uploads.drop(small.id)
    # What others announced and did not send yet is as good as gone from the disk.
    free -= module.MAX_FILE_BYTES + 100
    with pytest.raises(UploadNoRoom):
        uploads.begin("four.jsonl", module.MAX_FILE_BYTES)


def test_a_disk_that_is_full_says_so(uploads: Uploads, monkeypatch: pytest.MonkeyPatch) -> None:
    resource = pytest.importorskip("resource")
    upload = uploads.begin("calls.jsonl", 100_000)
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, old[1]))
    try:
        with pytest.raises(UploadRefused, match="cannot be kept"):
            uploads.write(upload.id, 0, b"x" * 100_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
        signal.signal(signal.SIGXFSZ, handler)
    # What did arrive counts, and the rest can follow.
    received = uploads.state(upload.id).received
    assert received == 50_000
    assert uploads.write(upload.id, received, b"x" * 50_000).is_whole


def test_old_files_go_and_new_ones_stay(uploads: Uploads, tmp_path: Path) -> None:
    old = uploads.begin("old.jsonl", 4)
    new = uploads.begin("new.jsonl", 4)
    past = time.time() - module.MAX_AGE_S - 1
    os.utime(tmp_path / "uploads" / f"{old.id}.data", (past, past))
    assert uploads.sweep() == 1
    assert uploads.state(new.id).received == 0
    with pytest.raises(NotFound):
        uploads.state(old.id)
    assert uploads.sweep(max_age_s=-1) == 1
    assert [path.name for path in (tmp_path / "uploads").iterdir()] == ["begin.lock"]


def test_errors_of_a_block_name_the_file_as_its_sender_does(uploads: Uploads) -> None:
    upload = uploads.begin("mine.jsonl.gz", 12)
    uploads.write(upload.id, 0, b"\x1f\x8b" + b"no archive")
    with (
        pytest.raises(ImportRejected, match=r"^mine\.jsonl\.gz is ") as refused,
        uploads.reading(upload.id) as path,
    ):
        read_whole(path, 1000)
    assert str(path) not in str(refused.value)


SENDER = """
    import sys, pathlib
    from rft_widgets.uploads import Uploads
    uploads = Uploads(pathlib.Path(sys.argv[1]))
    size = int(sys.argv[3])
    content = bytes(range(251)) * (size // 251 + 1)
    print("ready", flush=True)
    while (at := uploads.state(sys.argv[2]).received) < size:
        uploads.write(sys.argv[2], at, content[at : min(at + 7_001, size)])
"""


def test_a_sender_that_is_killed_in_the_middle_goes_on_where_it_was(tmp_path: Path) -> None:
    folder, size = tmp_path / "uploads", 20_000_000
    uploads = Uploads(folder)
    upload = uploads.begin("calls.jsonl", size)
    seen = [0]
    for _ in range(3):
        process = _script(SENDER, folder, upload.id, str(size))
        try:
            assert process.stdout is not None
            process.stdout.readline()
            while uploads.state(upload.id).received < seen[-1] + 500_000:
                time.sleep(0.002)
        finally:
            process.kill()
            process.communicate()
        seen.append(uploads.state(upload.id).received)
    assert seen == sorted(set(seen))
    assert seen[-1] < size
    process = _script(SENDER, folder, upload.id, str(size))
    process.communicate(timeout=60)
    assert process.returncode == 0
    expected = (bytes(range(251)) * (size // 251 + 1))[:size]
    assert uploads.path(upload.id).read_bytes() == expected


RACER = """
    import sys, pathlib
    from rft_widgets.uploads import UploadOffset, Uploads
    uploads = Uploads(pathlib.Path(sys.argv[1]))
    accepted, at, size = 0, 0, int(sys.argv[3])
    while at < size:
        try:
            piece = bytes([at // 1000 % 256]) * min(1000, size - at)
            at = uploads.write(sys.argv[2], at, piece).received
            accepted += 1
        except UploadOffset as refused:
            at = refused.received
    print(accepted)
"""


def test_processes_that_send_one_file_at_once_write_each_byte_once(tmp_path: Path) -> None:
    folder, size = tmp_path / "uploads", 2_000_000
    uploads = Uploads(folder)
    upload = uploads.begin("calls.jsonl", size)
    processes = [_script(RACER, folder, upload.id, str(size)) for _ in range(3)]
    accepted = [int(process.communicate(timeout=60)[0]) for process in processes]
    assert sum(accepted) == size // 1000
    expected = b"".join(bytes([at // 1000 % 256]) * 1000 for at in range(0, size, 1000))
    assert uploads.path(upload.id).read_bytes() == expected


RESERVER = """
    import sys, pathlib
    from rft_widgets.uploads import UploadNoRoom, Uploads
    from rft_widgets import uploads as module
    module.MAX_ALL_BYTES = 1000
    for _ in range(10):
        try:
            print(Uploads(pathlib.Path(sys.argv[1])).begin("x.jsonl", 100).id)
        except UploadNoRoom:
            print("no room")
"""


def test_processes_together_take_no_more_than_the_quota(tmp_path: Path) -> None:
    processes = [_script(RESERVER, tmp_path / "uploads") for _ in range(3)]
    said = [line for one in processes for line in one.communicate(timeout=60)[0].split("\n")]
    assert said.count("no room") == 20
    assert len({line for line in said if len(line) == 32}) == 10
