"""Where a page may read traces from, and everything it tries to read besides."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from rft_widgets.errors import InvalidArgument, NotFound, UnknownFormat
from rft_widgets.sample.support import write_sample
from rft_widgets.traces import places
from rft_widgets.traces.places import check_place, found_places, open_place
from rft_widgets.uploads import Uploads

NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that an operator allows, beside a secret one."""
    allowed = tmp_path / "traces"
    (allowed / "day one" / ".hidden").mkdir(parents=True)
    (tmp_path / "secret").mkdir()
    write_sample(allowed / "day one" / "a.jsonl", n=5)
    for elsewhere in (allowed / "day one" / ".hidden" / "h.jsonl", tmp_path / "secret" / "s.jsonl"):
        shutil.copy(allowed / "day one" / "a.jsonl", elsewhere)
    (allowed / "notes.txt").write_text("no traces")
    monkeypatch.setenv("RFT_WIDGETS_APP", "1")
    monkeypatch.setenv("RFT_WIDGETS_TRACES", str(allowed))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return allowed


def test_files_of_an_allowed_folder_are_found_and_opened(folder: Path, tmp_path: Path) -> None:
    (place,) = found_places(gateway=NOWHERE)
    assert (place.name, place.kind) == ("day one/a.jsonl", "file")
    assert place.size == (folder / "day one" / "a.jsonl").stat().st_size
    check_place(place.location)
    assert open_place(place.location, Uploads(tmp_path / "uploads")).traces.total() > 5


@pytest.mark.parametrize(
    "said",
    [
        "{folder}/../secret/s.jsonl",
        "{parent}/secret/s.jsonl",
        "{parent}/traces-of-others/s.jsonl",
        "secret/s.jsonl",
        "/etc/passwd",
        "/proc/self/environ",
        "/dev/stdin",
        "~/.ssh/id_rsa",
        "~root/x.jsonl",
        "file:///etc/passwd",
        "{folder}/link.jsonl",
        "{folder}/away/s.jsonl",
        "{folder}/loop.jsonl",
        "{folder}\0/a.jsonl",
        "x" * 4096,
    ],
)
def test_what_lies_elsewhere_is_refused_with_the_way_to_allow_it(
    folder: Path, tmp_path: Path, said: str
) -> None:
    (folder / "link.jsonl").symlink_to(tmp_path / "secret" / "s.jsonl")
    (folder / "away").symlink_to(tmp_path / "secret")
    (folder / "loop.jsonl").symlink_to(folder / "loop.jsonl")
    location = said.format(folder=folder, parent=tmp_path)
    with pytest.raises((InvalidArgument, NotFound)) as refused:
        check_place(location)
    if "loop" not in said:  # which lies in the folder, and is no file
        assert "RFT_WIDGETS_TRACES" in str(refused.value.hint)
    assert [place.name for place in found_places(gateway=NOWHERE)] == ["day one/a.jsonl"]


def test_folders_and_pipes_are_no_files(folder: Path) -> None:
    with pytest.raises(InvalidArgument, match="no file"):
        check_place(str(folder))
    os.mkfifo(folder / "pipe.jsonl")
    with pytest.raises(InvalidArgument, match="no file"):
        check_place(str(folder / "pipe.jsonl"))
    with pytest.raises(NotFound):
        check_place(str(folder / "gone.jsonl"))


@pytest.mark.parametrize(
    ("said", "paths", "urls"),
    [
        ("", [], []),
        ("/a:/b c", ["/a", "/b c"], []),
        ("https://gw.example.com:8443/v1:/a", ["/a"], ["https://gw.example.com:8443/v1"]),
        ("/a:http://[::1]:9090 https://b.example.com", ["/a"],
         ["http://[::1]:9090", "https://b.example.com"]),
    ],
)  # fmt: skip
def test_what_an_operator_may_write(
    monkeypatch: pytest.MonkeyPatch, said: str, paths: list[str], urls: list[str]
) -> None:
    monkeypatch.setenv("RFT_WIDGETS_TRACES", said)
    allowed = places._allowed()
    assert ([str(path) for path in allowed.paths], allowed.urls) == (paths, urls)


@pytest.mark.parametrize(
    ("address", "is_allowed"),
    [
        ("http://localhost:9090", True),
        ("http://127.0.0.1:1234/base", True),
        ("http://[::1]:9090", True),
        ("https://gw.example.com/v1", True),
        ("https://GW.example.com:443/v1/spans", True),
        ("https://gw.example.com/v10", False),
        ("https://gw.example.com", False),
        ("http://gw.example.com/v1", False),
        ("https://gw.example.com:444/v1", False),
        ("https://gw.example.com.evil.example/v1", False),
        ("https://gw.example.com@evil.example/v1", False),
        ("https://user:pass@gw.example.com/v1", False),
        ("http://127.0.0.1.evil.example", False),
        ("http://169.254.169.254/latest/meta-data", False),
        ("http://0.0.0.0:9090", False),
        ("http://localhost:9090/?url=http://evil.example", False),
        ("http://[::ffff:169.254.169.254]", False),
        ("http://", False),
        ("https://gw.example.com:99999/v1", False),
    ],
)
def test_addresses(folder: Path, monkeypatch: pytest.MonkeyPatch, address: str, is_allowed: bool):
    monkeypatch.setenv("RFT_WIDGETS_TRACES", f"{folder}:https://gw.example.com/v1")
    if is_allowed:
        check_place(address)
    else:
        with pytest.raises(InvalidArgument):
            check_place(address)


def test_in_a_notebook_any_path_is_its_owners(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RFT_WIDGETS_APP")
    check_place(str(tmp_path / "secret" / "s.jsonl"))
    check_place("https://anywhere.example.com")


def test_an_uploaded_file_is_named_by_its_sender(folder: Path, tmp_path: Path) -> None:
    uploads = Uploads(tmp_path / "uploads")
    content = (folder / "day one" / "a.jsonl").read_bytes()
    upload = uploads.begin("mine.jsonl", len(content))
    uploads.write(upload.id, 0, content)
    check_place(f"upload:{upload.id}")
    traces, name = open_place(f"upload:{upload.id}", uploads)
    assert (name, traces.total() > 5) == ("mine.jsonl", True)
    with pytest.raises(NotFound):
        open_place("upload:../traces/day one/a", uploads)
    bad = uploads.begin("bad.jsonl", 4)
    uploads.write(bad.id, 0, b"{}\n\n")
    with pytest.raises(UnknownFormat) as unknown:
        open_place(f"upload:{bad.id}", uploads)
    assert str(tmp_path) not in str(unknown.value)


class _Redirecting(BaseHTTPRequestHandler):
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_response(302)
        self.send_header("Location", "/stolen")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def redirecting() -> Iterator[str]:
    _Redirecting.asked.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), _Redirecting) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_what_is_no_gateway_is_not_listed_and_redirects_lead_nowhere(
    folder: Path, redirecting: str, tmp_path: Path
) -> None:
    assert [place.kind for place in found_places(gateway=redirecting)] == ["file"]
    with pytest.raises(Exception, match="sends us elsewhere"):
        open_place(redirecting, Uploads(tmp_path / "uploads")).traces.total()
    assert not any("stolen" in path for path in _Redirecting.asked)
