"""The REST API as the app serves it: the same table, with the app's token and its worker."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from browser.app_process import AppProcess, running
from rest_server import Client

pytest.importorskip("voila")

LINES = b"".join(
    json.dumps(
        {
            "messages": [
                {"role": "user", "content": f"Where is my parcel number {i}?"},
                {"role": "assistant", "content": f"At station {i % 3}."},
            ]
        }
    ).encode()
    + b"\n"
    for i in range(30)
)


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with running(tmp_path_factory.mktemp("rest_app")) as app:
        yield Client(_origin(app), app.token)


def _origin(app: AppProcess) -> str:
    return f"http://127.0.0.1:{app.port}"


def test_what_comes_by_rest_is_the_workers_work(api):
    assert api.ok("GET", "/health")["jobs"] == "worker"
    job = api.ok("POST", "/datasets/from-upload?name=pushed&wait=30", data=LINES,
                 Content_Type="application/x-ndjson")  # fmt: skip
    assert job["status"] == "succeeded", job
    log = api.ok("GET", f"/jobs/{job['id']}/log")
    assert any("by the worker" in line["message"] for line in log), log
    assert api.ok("GET", f"/datasets/{job['dataset_id']}")["stats"]["total_records"] == 30


def test_the_app_says_no_in_json_as_well(api):
    nobody = Client(api.origin, token=None)
    assert nobody("GET", "/datasets").json["code"] == "unauthenticated"
    assert api("GET", "/nothing").json["code"] == "not_found"
    traces = {"name": "x", "source": "/etc/passwd"}
    assert api("POST", "/datasets/from-traces", traces).status == 422
