"""The app's server as strangers, browsers and its operator meet it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil
import pytest
from browser.app_process import AppProcess, Page, cookies, running, until

from rft_widgets.errors import InvalidArgument
from rft_widgets.server.keys import read_token, set_password
from rft_widgets.server.supervisor import is_locked

pytest.importorskip("voila")

PLACES = ("optimization", "optimization/new", "optimization/ds_0/settings", "optimization/ds_0")
PROTOCOL = "v1.kernel.websocket.jupyter.org"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppProcess]:
    with running(tmp_path_factory.mktemp("app"), "--max-kernels", "3") as started:
        yield started


@pytest.fixture(scope="module")
def page(app: AppProcess) -> Page:
    return app.open_page()


def test_who_comes_with_the_token_is_let_in_and_leaves_it_behind(app: AppProcess, page: Page):
    found = app.ask(f"optimization/new?dialog=grader&token={app.token}")
    assert (found.status, found.headers["Location"]) == (302, "/optimization/new?dialog=grader")
    cookie = found.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert app.token not in cookie
    for place in PLACES:
        assert app.ask(place, "HEAD", headers=page.headers).status == 200
    assert app.ask("", headers=page.headers).headers["Location"] == "/optimization"


def test_who_comes_without_it_is_led_to_the_login(app: AppProcess):
    for place in ("", *PLACES, "nothing/here"):
        found = app.ask(place)
        assert found.status == 302
        assert found.headers["Location"].startswith("/login?next=")
    assert app.ask(f"optimization?token={app.token[:-1]}x").status == 302
    form = app.ask("login")
    assert form.status == 200
    sent = {"Cookie": cookies(form), "Content-Type": "application/x-www-form-urlencoded"}
    xsrf = sent["Cookie"].removeprefix("_xsrf=")
    wrong = app.ask("login", "POST", headers=sent, body=f"_xsrf={xsrf}&password=wrong")
    assert wrong.status == 401
    assert "That is not it" in wrong.text
    right = app.ask(
        "login?next=%2Foptimization%2Fnew", "POST", headers=sent,
        body=f"_xsrf={xsrf}&password={app.token}",
    )  # fmt: skip
    assert (right.status, right.headers["Location"]) == (302, "/optimization/new")
    assert app.ask("login", "POST", body=f"password={app.token}").status == 403
    elsewhere = app.ask("login?next=https%3A%2F%2Fevil.example%2F", headers=app.log_in())
    assert elsewhere.headers["Location"] == "/"


OPEN = {"/login": "the way in", "/app/": "style and icon of the login page; nothing of a user"}
"""Routes that answer strangers, and why."""


def test_every_route_there_is_wants_the_token(app: AppProcess):
    listed = subprocess.run(
        [sys.executable, "-c", LIST_RULES], capture_output=True, text=True, check=True
    )
    patterns = json.loads(listed.stdout)
    assert len(patterns) > 30
    asked = 0
    for pattern in patterns:
        path = example_of(pattern)
        assert re.fullmatch(pattern, path), (pattern, path)
        if path.startswith(tuple(OPEN)):
            continue
        for verb in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"):
            body = b"{}" if verb in ("POST", "PUT", "PATCH") else None
            found = app.ask(path[1:], verb, body=body)
            asked += 1
            allowed = {401, 403} if path.startswith("/api/") else {302, 401, 403}
            # A verb that a page has not is refused before anybody is asked who they are.
            refused = {*allowed, 405} if not path.startswith("/api/optimization") else allowed
            assert found.status in refused, (verb, path, found.status, found.text[:200])
            if found.status == 302:
                assert found.headers["Location"].startswith("/login?")
    assert asked > 150


LIST_RULES = """
import json, sys, tempfile
from pathlib import Path
import tornado.web
from rft_widgets.server.app import RftApp
from rft_widgets.server.handlers import handlers
from rft_widgets.server.settings import AppSettings
from rft_widgets.workspace import Workspace

def patterns(router):
    for rule in router.rules:
        inner = rule.target if hasattr(rule.target, "rules") else getattr(rule, "target", None)
        regex = getattr(rule.matcher, "regex", None)
        if regex is not None:
            yield regex.pattern
        if hasattr(rule.target, "rules"):
            yield from patterns(rule.target)

with tempfile.TemporaryDirectory() as folder:
    workspace = Workspace(Path(folder) / "store.db")
    settings = AppSettings(folder=Path(folder), token="x" * 20)
    app = RftApp(settings, {}, lambda base: handlers(base, workspace))
    app.initialize()
    app.visits = None
    router = tornado.web.Application()
    router.add_handlers(".*", app.init_handlers())
    print(json.dumps([one for one in patterns(router.default_router)]))
"""


def example_of(pattern: str) -> str:
    """A path that a rule's pattern matches."""
    path = pattern.removesuffix("$").removeprefix("^").replace("\\", "")
    uuid = str(uuid4())
    for regex, text in (
        (r"([da-f]{8}(?:-[da-f]{4}){3}-[da-f]{12})", uuid),
        ("optimization(?:/[w-]{1,64}(?:/settings)?)?/?", "optimization/ds_0/settings"),
        ("([0-9a-f]{32})", "0" * 32),
        ("[0-9a-f]+", "abc"),
        ("(.+)", "some.js"),
        ("(?:/.*)?", "/something"),
    ):
        path = path.replace(regex, text)
    return re.sub(r"\(\?P<\w+>\[\^/\]\+\)", "some", path).replace("/?", "/")


def test_every_answer_is_guarded_by_headers(app: AppProcess, page: Page):
    policy = page.answer.headers["Content-Security-Policy"]
    nonce = re.search(r"'nonce-([^']+)'", policy)
    assert nonce
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    scripts = re.search(r"script-src ([^;]+)", policy)
    assert scripts
    assert "unsafe" not in scripts[1]
    assert "http" not in policy
    html = page.answer.text
    scripts_of_page = re.findall(r"<script[^>]*>", html)
    assert len(scripts_of_page) > 3, html
    assert "rft-start-problem" not in html
    for script in scripts_of_page:
        assert f'nonce="{nonce[1]}"' in script or 'type="application/' in script
    assert "https://" not in html
    assert app.token not in html
    again = app.open_page(page.headers)
    assert nonce[1] not in again.answer.headers["Content-Security-Policy"]
    leave(app, again)
    for path in ("optimization", "login", "nothing", "api/optimization/datasets"):
        headers = app.ask(path, headers=page.headers if path == "nothing" else {}).headers
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert "default-src 'none'" in headers["Content-Security-Policy"]


def test_only_what_a_page_needs_can_be_fetched(app: AppProcess, page: Page):
    html = page.answer.text
    for path in re.findall(r'(?:src|href)="(/[^"]+)"', html):
        assert app.ask(path[1:], headers=page.headers).status == 200, path
    for path in (
        "voila/files/optimization.ipynb", "voila/files/public/x", "voila/tree", "voila/render/x",
        "voila/api/contents", "voila/templates/lab/static/voila.js", "voila/api/themes/x.css",
        f"voila/query/{page.kernel}", f"voila/execution/{page.kernel}", "api/kernels",
        "api/contents", "api/terminals", "static/favicon.ico", "voila/labextensions/lsp/x.js",
    ):  # fmt: skip
        found = app.ask(path, headers=page.headers)
        assert found.status == 404, path
        assert 'href="/"' in found.text, "no way back"
    static = re.search(r'src="(/voila/static/[^/]+)/', html)
    own = re.search(r'href="(/app/[^/]+)/', html)
    assert static
    assert own
    for folder in (static[1], own[1]):
        climbs = ("/../../conf.json", "/..%2f..%2fapp.py", "/%2e%2e/%2e%2e/app.py", "//etc/passwd")
        for climb in climbs:
            found = app.ask((folder + climb)[1:], headers=page.headers)
            assert found.status in (400, 403, 404), climb


def test_a_name_that_is_not_the_apps_gets_nothing(app: AppProcess, page: Page):
    for path in ("optimization", "login", "api/optimization/datasets"):
        found = app.ask(path, headers={**page.headers, "Host": "evil.example"}, token=True)
        assert found.status in (403, 404)
        assert "ds_" not in found.text


def connect(app: AppProcess, page: Page, **more: Any) -> Any:
    from websockets.sync.client import connect as open_socket

    url = f"ws://{app.host}:{app.port}/api/kernels/{page.kernel}/channels?session_id=test"
    headers = {**page.headers, **more.pop("headers", {})}
    return open_socket(url, additional_headers=headers, **more)


def packed(kind: str, content: dict[str, Any], channel: str = "shell") -> bytes:
    header = {
        "msg_id": uuid4().hex, "msg_type": kind, "session": "test", "username": "",
        "version": "5.3", "date": "2026-01-01T00:00:00Z",
    }  # fmt: skip
    parts = [channel.encode(), *(json.dumps(one).encode() for one in (header, {}, {}, content))]
    offsets = [8 * (len(parts) + 2)]
    for part in parts:
        offsets.append(offsets[-1] + len(part))
    numbers = [len(offsets), *offsets]
    return b"".join(n.to_bytes(8, "little") for n in numbers) + b"".join(parts)


def kind_of(message: bytes) -> str:
    count = int.from_bytes(message[:8], "little")
    offsets = [int.from_bytes(message[8 * (i + 1) : 8 * (i + 2)], "little") for i in range(count)]
    return str(json.loads(message[offsets[1] : offsets[2]])["msg_type"])


def answered(socket: Any, kind: str) -> None:
    """Wait until the kernel answers with a kind of message."""
    while kind_of(socket.recv(timeout=20)) != kind:
        pass


def test_no_message_of_a_page_runs_code(app: AppProcess, page: Page, tmp_path: Path):
    proof = tmp_path / "it-ran"
    code = f"open({str(proof)!r}, 'w')"
    run = {"code": code, "silent": False, "store_history": False, "user_expressions": {},
           "allow_stdin": False, "stop_on_error": False}  # fmt: skip
    with connect(app, page, subprotocols=[PROTOCOL]) as open_socket:
        open_socket.send(packed("kernel_info_request", {}))
        answered(open_socket, "kernel_info_reply")
        for channel in ("shell", "control", "iopub", "stdin"):
            open_socket.send(packed("execute_request", run, channel))
        open_socket.send(packed("execute_request", run)[:-3])
        open_socket.send("execute")
        for kind in ("inspect_request", "complete_request", "debug_request", "shutdown_request",
                     "interrupt_request", "create_subshell_request", "input_reply"):  # fmt: skip
            open_socket.send(packed(kind, {"code": code, "value": code}))
        # A page opens no widgets of its own, whatever module they name.
        open_socket.send(packed("comm_open", {
            "comm_id": "c1", "target_name": "jupyter.widget", "data": {"state": {}},
        }))  # fmt: skip
        open_socket.send(packed("kernel_info_request", {}))  # answered after all of those
        answered(open_socket, "kernel_info_reply")
    with connect(app, page) as legacy:  # without the protocol that is checked, nothing passes
        legacy.send(json.dumps({
            "header": {"msg_id": "1", "msg_type": "execute_request", "session": "test"},
            "parent_header": {}, "metadata": {}, "content": run, "channel": "shell", "buffers": [],
        }))  # fmt: skip
    with connect(app, page, subprotocols=[PROTOCOL]) as open_socket:
        open_socket.send(packed("kernel_info_request", {}))
        answered(open_socket, "kernel_info_reply")
    assert not proof.exists()
    assert app.ask(f"api/kernels/{page.kernel}", headers=page.headers).status == 200


def test_a_kernel_answers_only_its_own_site(app: AppProcess, page: Page):
    from websockets.exceptions import InvalidStatus

    for headers in ({"Cookie": ""}, {"Origin": "https://evil.example"}):
        with pytest.raises(InvalidStatus), connect(app, page, headers=headers):
            pass


def leave(app: AppProcess, page: Page, xsrf: str | None = None) -> int:
    body = f"_xsrf={page.xsrf if xsrf is None else xsrf}"
    headers = {**page.headers, "Content-Type": "application/x-www-form-urlencoded"}
    return app.ask(f"voila/api/shutdown/{page.kernel}", "POST", headers=headers, body=body).status


def is_there(app: AppProcess, page: Page) -> bool:
    return app.ask(f"api/kernels/{page.kernel}", headers=page.headers).status == 200


def test_a_page_that_goes_takes_its_kernel_along(app: AppProcess, page: Page):
    other = app.open_page(page.headers)
    assert leave(app, other, "forged") == 403
    with connect(app, other, subprotocols=[PROTOCOL]) as open_socket:
        assert leave(app, other) == 204
        open_socket.send(packed("kernel_info_request", {}))
        answered(open_socket, "kernel_info_reply")  # the page was asked, and stayed
        with contextlib.suppress(TimeoutError):
            while True:
                open_socket.recv(timeout=4)
        assert is_there(app, other)
    assert leave(app, other) == 204
    until(lambda: not is_there(app, other), "the kernel goes on")


def test_a_full_server_says_so_until_there_is_room(app: AppProcess, page: Page):
    headers = page.headers
    pages = [app.open_page(headers), app.open_page(headers)]
    full = app.ask("optimization/new", headers=headers)
    assert full.status == 503
    assert int(full.headers["Retry-After"]) > 0
    assert "as many as this server takes" in full.text
    leave(app, pages[0])
    until(lambda: not is_there(app, pages[0]), "the kernel goes on")
    pages.append(app.open_page(headers))
    for one in pages[1:]:
        leave(app, one)
        until(lambda one=one: not is_there(app, one), "the kernel goes on")


def test_the_kernels_know_no_secret_of_the_server(app: AppProcess, page: Page):
    pids = app.children("ipykernel_launcher")
    assert pids
    for pid in pids:
        environment = Path(f"/proc/{pid}/environ").read_text(errors="replace")
        assert app.token not in environment
        assert "JUPYTER_TOKEN" not in environment
        assert "RFT_WIDGETS_JOBS=worker" in environment
        assert app.token not in Path(f"/proc/{pid}/cmdline").read_text(errors="replace")
    assert app.token not in app.log.read_text()
    folder = page_folder(app)
    assert stat.S_IMODE((folder / "app-token").stat().st_mode) == 0o600
    # No other user of this machine may listen to what the kernels say.
    for pid in pids:
        command = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
        connection = Path(command[command.index("-f") + 1])
        assert json.loads(connection.read_text())["transport"] == "ipc"
        assert not connection.parent.stat().st_mode & 0o077


def page_folder(app: AppProcess) -> Path:
    return app.log.parent / "store.db-files"


UPLOADS = "api/optimization/uploads"


def begin(app: AppProcess, size: int) -> str:
    body = json.dumps({"name": "../../records.jsonl", "size": size})
    found = app.ask(UPLOADS, "POST", body=body, token=True)
    assert found.status == 201, found.text
    assert found.value["name"] == "records.jsonl"
    return str(found.value["id"])


def test_a_file_is_sent_in_pieces_of_any_length(app: AppProcess, page: Page):
    upload = begin(app, 10)
    where = f"{UPLOADS}/{upload}"
    assert app.ask(f"{where}?offset=0", "PUT", body=b"01234", token=True).value["received"] == 5
    wrong = app.ask(f"{where}?offset=7", "PUT", body=b"789", token=True)
    assert (wrong.status, wrong.value["received"]) == (409, 5)
    more = app.ask(f"{where}?offset=5", "PUT", body=b"5" * 6, token=True)
    assert more.status == 422
    assert app.ask(f"{where}?offset=-1", "PUT", body=b"5", token=True).status == 400
    with_cookie = app.ask(f"{where}?offset=5", "PUT", body=b"56789", headers=page.headers)
    assert with_cookie.status == 403, "no XSRF token was needed"
    headers = {**page.headers, "X-XSRFToken": page.xsrf}
    whole = app.ask(f"{where}?offset=5", "PUT", body=b"56789", headers=headers)
    assert whole.value["received"] == 10
    assert (page_folder(app) / "uploads" / f"{upload}.data").read_bytes() == b"0123456789"
    assert app.ask(where, "DELETE", token=True).status == 204
    assert app.ask(where, token=True).status == 404
    too_large = json.dumps({"name": "x", "size": 2 * 1024**3 + 1})
    assert app.ask(UPLOADS, "POST", body=too_large, token=True).status in (400, 413)


def test_a_large_file_takes_no_memory_and_goes_on_after_a_break(app: AppProcess):
    size, piece = 300 * 1024**2, bytes(1024**2)
    upload = begin(app, size)
    server = psutil.Process(app.process.pid)
    before = server.memory_info().rss
    peak = before
    head = (
        f"PUT /{UPLOADS}/{upload}?offset=0 HTTP/1.1\r\nHost: {app.host}:{app.port}\r\n"
        f"Authorization: token {app.token}\r\nContent-Length: {size}\r\n\r\n"
    )
    with socket.create_connection((app.host, app.port), timeout=30) as cut:
        cut.sendall(head.encode())
        for _ in range(100):
            cut.sendall(piece)
            peak = max(peak, server.memory_info().rss)
    where = f"{UPLOADS}/{upload}"
    received = until(lambda: settled(app, where), "nothing arrived")
    assert received > 50 * 1024**2

    def rest() -> Iterator[bytes]:
        nonlocal peak
        left = size - received
        while left:
            yield piece[: min(left, len(piece))]
            left -= min(left, len(piece))
            peak = max(peak, server.memory_info().rss)

    found = app.ask(
        f"{where}?offset={received}", "PUT", body=rest(), token=True, timeout=120,
        headers={"Content-Length": str(size - received)},
    )  # fmt: skip
    assert found.value["received"] == size
    assert peak - before < 40 * 1024**2
    assert app.ask(where, "DELETE", token=True).status == 204


def settled(app: AppProcess, where: str) -> int:
    """How much is there, once no more comes."""
    first = app.ask(where, token=True).value["received"]
    second = app.ask(where, token=True).value["received"]
    return first if first == second else 0


@pytest.mark.slow
def test_a_restart_keeps_logins_and_an_end_leaves_nothing(tmp_path: Path):
    with running(tmp_path, "--pool", "0") as app:
        headers, token = app.log_in(), app.token
    assert app.process.returncode == 0
    with running(tmp_path, "--pool", "0") as app:
        assert app.token == token
        assert app.ask("optimization", "HEAD", headers=headers).status == 200
        page = app.open_page(headers)
        kernels = app.children("ipykernel_launcher")
        assert kernels
        os.kill(app.process.pid, signal.SIGINT)
        app.process.wait(30)
    assert not any(Path(f"/proc/{pid}").exists() for pid in kernels)
    assert page.kernel not in app.log.read_text()


@pytest.mark.slow
def test_pages_that_stay_away_lose_their_kernels_and_waiting_ones_do_not(tmp_path: Path):
    with running(tmp_path, "--max-kernels", "2", patience=2.0) as app:
        waiting = until(lambda: app.children("ipykernel_launcher"), "no kernel waits")
        page = app.open_page()
        assert is_there(app, page)  # that one was sent, and nobody connected
        until(lambda: not is_there(app, page), "the kernel goes on")
        until(lambda: set(app.children("ipykernel_launcher")) - set(waiting), "no other waits")
        page = app.open_page()
        with connect(app, page, subprotocols=[PROTOCOL]) as open_socket:
            with contextlib.suppress(TimeoutError):
                while True:
                    open_socket.recv(timeout=4)
            assert is_there(app, page)
        until(lambda: not is_there(app, page), "the kernel goes on")


@pytest.mark.slow
def test_behind_a_prefix_everything_lies_there(tmp_path: Path):
    options = ("--pool", "0", "--base-url", "tools/rft", "--allow-network", "rft.example.org")
    with running(tmp_path, *options) as app:
        assert app.base == "/tools/rft/"
        proxied = {"Host": "rft.example.org", "X-Forwarded-Proto": "https"}
        found = app.ask(f"optimization?token={app.token}", headers=proxied)
        assert found.headers["Location"] == "/tools/rft/optimization"
        assert "Secure" in found.headers["Set-Cookie"]
        assert "Path=/tools/rft/" in found.headers["Set-Cookie"]
        page = app.open_page()
        assert set(re.findall(r'(?:src|href)="(/[^/]+/[^/]+)/', page.answer.text)) == {"/tools/rft"}
        assert app.ask("../../optimization", headers=page.headers).status in (302, 404)


def test_an_address_that_others_could_reach_is_refused(tmp_path: Path):
    assert "--allow-network" in refused(tmp_path, "--host", "0.0.0.0")


@pytest.mark.slow
def test_a_port_that_is_in_use_is_refused(tmp_path: Path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert "cannot listen" in refused(tmp_path, "--port", str(taken.getsockname()[1]))


def refused(folder: Path, *options: str) -> str:
    command = [sys.executable, "-m", "rft_widgets", "app", "--no-browser",
               "--database", str(folder / "s.db"), *options]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    return done.stderr


def test_a_token_that_guards_nothing_is_refused(tmp_path: Path):
    for text in ("", "short", "with a space in it, long enough"):
        (tmp_path / "token").write_text(text)
        with pytest.raises(InvalidArgument, match="not usable"):
            read_token(tmp_path, tmp_path / "token")


@pytest.mark.slow
def test_a_password_opens_the_app_until_it_is_forgotten(tmp_path: Path):
    (tmp_path / "store.db-files").mkdir(mode=0o700)
    set_password(tmp_path / "store.db-files", "correct horse")
    stored = (tmp_path / "store.db-files" / "app-password").read_text()
    assert "correct horse" not in stored
    with running(tmp_path, "--pool", "0") as app:
        form = app.ask("login")
        assert "Password" in form.text
        sent = {"Cookie": cookies(form), "Content-Type": "application/x-www-form-urlencoded"}
        xsrf = sent["Cookie"].removeprefix("_xsrf=")
        for typed, status in (("correct+horse", 302), ("", 401), (stored.strip(), 401)):
            body = f"_xsrf={xsrf}&password={typed}"
            assert app.ask("login", "POST", headers=sent, body=body).status == status


def worker_of(app: AppProcess) -> int:
    """The process that holds the worker's lock."""
    lock = page_folder(app) / "worker.lock"
    until(lambda: lock.exists() and is_locked(lock), "no worker began", 60)
    for process in psutil.process_iter(["cmdline"]):
        if process.info["cmdline"] and process.info["cmdline"][-2:] == ["rft_widgets", "worker"]:
            with contextlib.suppress(psutil.Error):
                if str(lock) in [one.path for one in process.open_files()]:
                    return process.pid
    pytest.fail("the lock is held, and by nobody")


@pytest.mark.slow
def test_a_worker_that_dies_is_started_again(tmp_path: Path):
    with running(tmp_path, "--pool", "0") as app:
        worker = worker_of(app)
        assert app.token not in Path(f"/proc/{worker}/environ").read_text(errors="replace")
        os.kill(worker, signal.SIGKILL)
        until(lambda: not psutil.pid_exists(worker) or is_zombie(worker), "it lives")
        again = until(lambda: worker_of(app), "no other worker began", 60)
        assert again != worker
    assert not psutil.pid_exists(again), "the app ended, and its worker did not"


@pytest.mark.slow
def test_a_killed_app_leaves_its_worker_at_work_and_the_next_one_finds_it(tmp_path: Path):
    with running(tmp_path) as app:
        headers = app.log_in()
        kernels = until(lambda: app.children("ipykernel_launcher"), "no kernel waits")
        worker = worker_of(app)
        app.process.kill()
        app.process.wait()
        until(lambda: not any(psutil.pid_exists(pid) for pid in kernels), "kernels live on", 60)
        assert worker_of(app) == worker
    try:
        with running(tmp_path, "--pool", "0") as app:
            assert app.ask("optimization", "HEAD", headers=headers).status == 200
            time.sleep(3)  # it looks twice a second whether it needs a worker
            assert worker_of(app) == worker
            assert not app.children("rft_widgets worker")
    finally:
        with contextlib.suppress(psutil.NoSuchProcess):
            psutil.Process(worker).terminate()


def is_zombie(pid: int) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    return True
