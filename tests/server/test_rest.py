"""The REST API over real HTTP, in a Jupyter server that loaded it by its configuration."""

from __future__ import annotations

import gzip
import json
import re
import socket
import urllib.parse
import urllib.request

import pytest
from rest_server import LINES, ROOT, Client, jupyter_server

from rft_widgets import Workspace, __version__
from rft_widgets.model.grader import grader_to_json
from rft_widgets.sample.grader import sample_grader
from rft_widgets.sample.support import write_sample
from rft_widgets.server.rest import ROUTES, openapi

CHECK = {
    "type": "string_check",
    "input": "{{sample.output_text}}",
    "reference": "a",
    "operation": "ilike",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("rest")


@pytest.fixture(scope="module")
def origin(folder):
    with jupyter_server(folder) as found:
        yield found


@pytest.fixture(scope="module")
def api(origin):
    return Client(origin)


@pytest.fixture(scope="module")
def dataset(api):
    """A dataset that no test changes."""
    job = api.ok("POST", "/datasets/from-upload?name=fixed&wait=30", data=LINES,
                 Content_Type="application/x-ndjson")  # fmt: skip
    assert job["status"] == "succeeded", job
    return f"/datasets/{job['dataset_id']}"


@pytest.fixture
def own(api, dataset):
    """A dataset of the test's own."""
    return f"/datasets/{api.ok('POST', f'{dataset}/duplicate')['id']}"


def _path(route):
    return re.sub(r"\{\w+\}", "x" * 32, route.path)


# Who may come in ---------------------------------------------------------------------------------


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.verb} {route.path}")
def test_nobody_comes_in_without_the_token(origin, route):
    answer = Client(origin, token=None)(route.verb, _path(route))
    assert answer.status in (401, 403)
    wrong = Client(origin, token="wrong")(route.verb, _path(route))
    assert wrong.status in (401, 403)
    if route.tag != "uploads":
        assert set(answer.json) == {"code", "message", "hint"}


def test_a_stranger_learns_nothing_of_what_there_is(origin):
    nobody = Client(origin, token=None)
    for verb, path in (("GET", "/nothing"), ("DELETE", "/datasets"), ("GET", "")):
        assert nobody(verb, path).status in (401, 403)


def test_a_cookie_alone_changes_nothing_without_its_header(origin, own):
    first = urllib.request.urlopen(f"{origin}/api/optimization/health?token=a-token-of-tests")
    cookie = "; ".join(part.split(";")[0] for part in first.headers.get_all("Set-Cookie", []))
    browser = Client(origin, token=None)
    assert browser("GET", own, Cookie=cookie, Referer=f"{origin}/").status == 200
    refused = browser("DELETE", own, Cookie=cookie)
    assert refused.status == 403
    assert "_xsrf" in refused.json["message"]
    elsewhere = browser("DELETE", own, Cookie=cookie, Origin="https://evil.example")
    assert elsewhere.status in (403, 404)
    assert browser("GET", own, Cookie=cookie).status == 200


# What is refused, and how ------------------------------------------------------------------------


def test_unknown_addresses_and_verbs(api, dataset):
    assert api("GET", "/nothing").json["code"] == "not_found"
    assert api("GET", "/datasets/none").status == 404
    assert api("GET", f"{dataset}/record/none").status == 404
    wrong = api("PUT", dataset, {})
    assert wrong.status == 405
    assert wrong.headers["Allow"] == "DELETE, GET, HEAD, OPTIONS, PATCH"
    head = api("HEAD", dataset)
    assert (head.status, head.body) == (200, b"")


@pytest.mark.parametrize(
    ("verb", "path", "body", "place"),
    [
        ("PATCH", "", b"{", "no JSON"),
        ("PATCH", "", b'{"nam": "x"}', "nam"),
        ("PATCH", "", b'{"name": 1}', "body.name"),
        ("PATCH", "", b'{"name": "a\\u0000"}', "U+0000"),
        ("PATCH", "", b"[" * 100_000, "body"),
        ("PATCH", "", b"\xff", "no JSON"),
        ("POST", "/dry-run", b'{"n": 0}', "body.n"),
        ("POST", "/records/delete", b'{"where": {"serch": "x"}}', "body.where"),
        ("POST", "/duplicate", b'{"name": "  "}', "body.name"),
        ("GET", "/records?limit=0", None, "query.limit"),
        ("GET", "/records?limit=ten", None, "query.limit"),
        ("GET", "/records?valid=1", None, "query.valid"),
        ("GET", "/records?min_score=nan", None, "query.min_score"),
        ("GET", "/records?what=1", None, "what"),
        ("GET", "/records?sort=topic&sort=score", None, "sort"),
        ("GET", "/records?search=%FF", None, "query"),
        ("GET", "?x=1", None, "x"),
        ("POST", "/topics/categorize?wait=31", b"{}", "query.wait"),
        ("GET", "", b"{}", "takes no body"),
    ],
)  # fmt: skip
def test_what_has_the_wrong_form_is_named(api, dataset, verb, path, body, place):
    answer = api(verb, f"{dataset}{path}", data=body)
    assert answer.status == 400, answer
    assert place in answer.json["message"]


def test_a_body_that_is_too_large_or_of_another_type(api, dataset):
    assert api("PATCH", dataset, {"name": "x" * 2_000_000}).status == 413
    assert api("PATCH", dataset, data=b"<a/>", Content_Type="text/xml").status == 415
    assert api("GET", f"{dataset}/health").status == 200


def test_a_body_that_does_not_say_its_length_is_cut_off(origin, dataset):
    host, port = origin.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as line:
        head = (
            f"PATCH /api/optimization{dataset} HTTP/1.1\r\nHost: {host}:{port}\r\n"
            "Authorization: token a-token-of-tests\r\nContent-Type: application/json\r\n"
            "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
        )
        line.sendall(head.encode())
        for _ in range(3):
            line.sendall(b"80000\r\n" + b"x" * 0x80000 + b"\r\n")
        line.sendall(b"0\r\n\r\n")
        assert b" 413 " in line.recv(4096)


def test_what_cannot_be_done_as_things_stand(api, own):
    api.ok("POST", f"{own}/reset")
    for path, body in (("/train", {}), ("/deploy", {}), ("/dry-run", {})):
        answer = api("POST", own + path, body)
        assert answer.status in (202, 422), answer
        if answer.status == 202:  # a job says so itself
            job = api.ok("GET", answer.headers["Location"].partition("optimization")[2])
            assert job["status"] in ("running", "queued", "failed")
    plan = api.ok("POST", f"{own}/generate/plan", {})
    assert plan["total"] == 0
    assert api("POST", f"{own}/generate", {}).status == 400, "a model has to be named"
    job = api("POST", f"{own}/generate?wait=20", {"model": "nobody"})
    assert (job.json["status"], job.json["problem"]["code"]) == ("failed", "invalid_argument"), job


def test_paths_of_the_machine_and_keys_are_not_taken_from_a_client(api, own, folder):
    secret = folder / "secret.jsonl"
    secret.write_bytes(LINES)
    answer = api("POST", "/datasets/from-traces", {"name": "x", "source": str(secret)})
    assert answer.status == 422
    assert "not allowed" in answer.json["message"]
    answer = api("POST", "/datasets/from-traces", {"name": "x", "source": "https://evil.example"})
    assert answer.status == 422
    assert "not allowed" in answer.json["message"]
    assert api("POST", f"{own}/records/import", {"path": str(secret)}).status == 400
    connection = {"base_url": "https://evil.example/v1", "api_key_env": "JUPYTER_TOKEN"}
    judge = {"type": "score_model", "name": "j", "model": "m",
             "input": [{"role": "user", "content": "rate"}]}  # fmt: skip
    for path, verb in (("/grader", "PUT"), ("/grader/test", "POST")):
        answer = api(verb, own + path, {"grader": judge, "connection": connection})
        assert answer.status == 422
        assert "not allowed" in answer.json["message"]
    answer = api("POST", f"{own}/deploy", {"upstream": connection})
    assert answer.status == 422


# Stale edits -------------------------------------------------------------------------------------


def test_a_stale_description_is_refused_with_what_it_is_by_now(api, own):
    seen = api("GET", own)
    version = seen.json["version"]
    assert seen.headers["ETag"] == f'"{version}"'
    api.ok("PATCH", own, {"objective": "mine", "version": version})
    stale = api("PATCH", own, {"objective": "yours", "version": version})
    assert stale.status == 409
    assert "'mine'" in stale.json["message"]
    by_header = api("PATCH", own, {"objective": "yours"}, If_Match=f'"{version}"')
    assert (by_header.status, by_header.json["code"]) == (412, "precondition_failed")
    now = api.ok("GET", own)
    assert now["objective"] == "mine"
    again = api.ok("PATCH", own, {"name": "n"}, If_Match=f'"{now["version"]}"')
    assert again["name"] == "n"


def test_records_that_come_in_do_not_make_a_description_stale(api, own):
    version = api.ok("GET", own)["version"]
    api.ok("POST", f"{own}/records/delete", {"record_ids": ["r0"]})
    assert api.ok("PATCH", own, {"name": "n", "version": version})["name"] == "n"


def test_a_stale_record_is_refused_with_what_changed(api, own):
    path = f"{own}/record/r3"
    record = api.ok("GET", path)
    assert record["version"] == 1
    changed = api.ok("PATCH", path, {"metadata": {"by": "me"}, "version": 1})
    assert (changed["version"], changed["messages"]) == (2, record["messages"])
    stale = api("PATCH", path, {"item": {"a": 1}, "version": 1})
    assert stale.status == 409
    assert "metadata" in stale.json["message"]
    assert api("PATCH", path, {"item": {"a": 1}}, If_Match='"1"').status == 412
    assert api("PATCH", path, {"item": {"a": 1}}, If_Match='"x"').status == 400
    assert api.ok("PATCH", path, {"item": {"a": 1}}, If_Match='"2"')["version"] == 3


# Records -----------------------------------------------------------------------------------------


def _all_records(api, dataset, query=""):
    found, after = [], ""
    while True:
        page = api.ok("GET", f"{dataset}/records?limit=7{query}{after}")
        found += page["records"]
        if page["next"] is None:
            assert page["total"] == len(found)
            return found
        after = f"&after={urllib.parse.quote(page['next'])}"


def test_pages_follow_one_another_and_filters_narrow(api, dataset):
    assert [one["id"] for one in _all_records(api, dataset)] == [f"r{i}" for i in range(20)]
    some = _all_records(api, dataset, "&topic=Topic%201&sort=-position")
    assert [one["id"] for one in some] == [f"r{i}" for i in range(19, 0, -2)]
    assert api.ok("GET", f"{dataset}/records?search=%22number%2012%22")["total"] == 1


def test_an_export_equals_the_records_and_imports_to_the_same(api, dataset):
    records = _all_records(api, dataset)
    export = api("GET", f"{dataset}/records/export")
    assert export.headers["Content-Type"] == "application/x-ndjson"
    assert export.headers["Content-Disposition"].startswith("attachment")
    assert int(export.headers["Content-Length"]) == len(export.body)
    lines = [json.loads(line) for line in export.body.splitlines()]
    assert [(line["id"], line["messages"], line["topic"]) for line in lines] == [
        (one["id"], one["messages"] + one["output"], one["topic"]) for one in records
    ]
    job = api.ok("POST", "/datasets/from-upload?name=again&wait=30", data=export.body,
                 Content_Type="application/x-ndjson")  # fmt: skip
    copies = _all_records(api, f"/datasets/{job['dataset_id']}")
    kept = ("id", "messages", "output", "tools", "topic", "item", "metadata", "is_valid")
    assert [[one[key] for key in kept] for one in copies] == [
        [one[key] for key in kept] for one in records
    ]
    table = api("GET", f"{dataset}/records/export?format=csv&valid=true")
    assert table.body.count(b"\n") >= 20
    assert table.body.startswith(b"id,")


@pytest.mark.parametrize("how", ["lines", "gzip", "chunked", "form", "upload"])
def test_records_come_in_every_way(api, own, origin, how):
    more = LINES.replace(b'"id": "r', b'"id": "s').replace(b"parcel", b"letter")
    path = f"{own}/records/import"
    if how == "form":
        body = (
            b'--X\r\nContent-Disposition: form-data; name="mode"\r\n\r\nreplace\r\n'
            b'--X\r\nContent-Disposition: form-data; name="file"; filename="more.jsonl"\r\n'
            b"Content-Type: application/x-ndjson\r\n\r\n" + more + b"\r\n--X--\r\n"
        )
        job = api.ok("POST", f"{path}?wait=30", data=body,
                     Content_Type="multipart/form-data; boundary=X")  # fmt: skip
        assert "more.jsonl" in job["outcome"]
    elif how == "upload":
        upload = api.ok("POST", "/uploads", {"name": "more.jsonl", "size": len(more)})
        middle = len(more) // 2
        url = f"/uploads/{upload['id']}?offset="
        api.ok("PUT", f"{url}0", data=more[:middle], Content_Type="application/octet-stream")
        api.ok("PUT", f"{url}{middle}", data=more[middle:],
               Content_Type="application/octet-stream")  # fmt: skip
        job = api.ok("POST", f"{path}?wait=30", {"upload": upload["id"], "mode": "replace"})
    elif how == "chunked":
        pieces = (more[at : at + 500] for at in range(0, len(more), 500))
        request = urllib.request.Request(
            f"{origin}/api/optimization{path}?mode=replace&wait=30", data=pieces, method="POST",
            headers={"Authorization": "token a-token-of-tests",
                     "Content-Type": "application/x-ndjson", "Transfer-Encoding": "chunked"},
        )  # fmt: skip
        with urllib.request.urlopen(request) as answer:
            job = json.load(answer)
    else:
        data = gzip.compress(more) if how == "gzip" else more
        kind = "application/gzip" if how == "gzip" else "application/x-ndjson"
        job = api.ok("POST", f"{path}?mode=replace&wait=30", data=data, Content_Type=kind)
    assert job["status"] == "succeeded", job
    assert job["result"]["imported"] == 20
    assert [one["id"] for one in _all_records(api, own)] == [f"s{i}" for i in range(20)]


def test_files_leave_nothing_behind(api, own, folder):
    job = api.ok("POST", f"{own}/records/import?wait=30", data=LINES,
                 Content_Type="application/x-ndjson")  # fmt: skip
    assert job["status"] == "succeeded"
    for path in ("/datasets/none/records/import", f"{own}/records/import?mode=wrong"):
        assert api("POST", path, data=LINES, Content_Type="text/plain").status in (400, 404)
    assert api("POST", f"{own}/records/import", data=b"", Content_Type="text/plain").status == 422
    for form in (b"--X\r\n", b"no form", b"--X--\r\n", b'--X\r\nContent-Disposition: form-data; '
                 b'name="file"\r\n\r\nab'):  # fmt: skip
        answer = api("POST", f"{own}/records/import", data=form,
                     Content_Type="multipart/form-data; boundary=X")  # fmt: skip
        assert answer.status == 400, answer
    left = list((folder / "store.db-files" / "uploads").glob("*.data"))
    assert left == []


def test_a_large_file_streams_to_the_disk(api, own):
    text = "a long answer " * 700
    lines = b"".join(
        json.dumps({"messages": [{"role": "user", "content": f"Where is parcel {i}?"},
                                 {"role": "assistant", "content": text}]}).encode() + b"\n"
        for i in range(1_000)
    )  # fmt: skip
    assert len(lines) > 9_000_000
    body = (
        b'--X\r\nContent-Disposition: form-data; name="file"; filename="big.jsonl"\r\n\r\n'
        + lines + b'\r\n--X\r\nContent-Disposition: form-data; name="mode"\r\n\r\nreplace\r\n--X--'
    )  # fmt: skip
    job = api.ok("POST", f"{own}/records/import?wait=30", data=body,
                 Content_Type="multipart/form-data; boundary=X")  # fmt: skip
    assert job["result"]["imported"] == 1_000, job


def test_deleted_records_come_back(api, own):
    gone = api.ok(
        "POST", f"{own}/records/delete", {"where": {"topic": "Topic 0"}, "except_ids": ["r0"]}
    )
    assert gone["count"] == 9
    assert api.ok("GET", f"{own}/records")["total"] == 11
    assert api.ok("POST", f"{own}/deletions/{gone['id']}/undo") == {"restored": 9}
    assert api("POST", f"{own}/records/delete", {}).status == 422


# Topics, coverage, jobs --------------------------------------------------------------------------


def test_topics_go_out_and_come_back(api, own):
    tree = api.ok("GET", f"{own}/topics/export")
    assert list(tree["topics"]) == ["Topic 0", "Topic 1"]
    made = api.ok("PUT", f"{own}/topics", {"topics": {"Topic 1": {}, "New": {}}})
    assert [one["name"] for one in made["topics"]] == ["Topic 1", "New"]
    assert api.ok("GET", f"{own}/coverage")["uncategorized_records"] == 10
    data = json.dumps(tree).encode()
    back = api.ok("POST", f"{own}/topics/import?keep_assignments=true", data=data,
                  Content_Type="application/octet-stream")  # fmt: skip
    assert [one["id"] for one in back["topics"]] == ["Topic 0", "Topic 1"]
    assert api("PUT", f"{own}/topics", {"topics": {"": {}}}).status == 422


def test_targets(api, own):
    wanted = {"Topic 0": 25.0, "Topic 1": 75.0}
    assert api.ok("PUT", f"{own}/targets", {"targets": wanted}) == {"targets": wanted}
    assert api.ok("GET", f"{own}/targets") == {"targets": wanted}
    assert api("PUT", f"{own}/targets", {"targets": {"Topic 0": 10}}).status == 422
    assert api("PUT", f"{own}/targets", {"targets": "random"}).status == 400


def test_jobs_are_listed_and_stopped(api, own):
    started = api("POST", f"{own}/topics/categorize", {"mode": "recategorize_all"})
    assert started.status == 202
    path = started.headers["Location"].partition("/optimization")[2]
    ended = api.ok("POST", f"{path}/cancel?wait=20")
    assert ended["status"] in ("cancelled", "succeeded")
    assert ended["id"] in [job["id"] for job in api.ok("GET", "/jobs?limit=5")]
    assert [job["id"] for job in api.ok("GET", f"{own}/jobs")] == [ended["id"]]
    assert api.ok("GET", f"{path}/log")
    if ended["status"] == "cancelled":
        assert api.ok("POST", f"{path}/retry?wait=20")["status"] == "succeeded"
    else:
        assert api("POST", f"{path}/retry").status == 422
    assert api("GET", "/jobs/none").status == 404


def test_the_document_is_the_table(api):
    document = api.ok("GET", "/openapi.json")
    assert document == json.loads(json.dumps(openapi()))
    named = {(verb.upper(), path) for path, verbs in document["paths"].items() for verb in verbs}
    assert named == {(route.verb, route.path) for route in ROUTES}
    for verbs in document["paths"].values():
        for operation in verbs.values():
            assert operation["summary"]


def test_the_launcher_entry_has_the_version_of_the_package():
    entry = ROOT / "jupyter-config" / "labextension" / "package.json"
    assert json.loads(entry.read_text())["version"] == __version__


def test_every_call_of_the_package_sees_the_same(api, dataset, folder):
    with Workspace(folder / "store.db") as workspace:
        found = workspace.dataset(dataset.rpartition("/")[2])
        told = api.ok("GET", dataset)
        assert (told["name"], told["stats"]["total_records"]) == (found.name, found.count())


# The whole way -----------------------------------------------------------------------------------


def test_the_whole_way_from_traffic_to_a_model_and_back(api, tmp_path):
    sample = write_sample(tmp_path / "traffic.jsonl", n=200).path
    job = api.ok("POST", "/datasets/from-upload?name=support&objective=Help&wait=30",
                 data=sample.read_bytes(), Content_Type="application/x-ndjson")  # fmt: skip
    assert job["status"] == "succeeded", job
    here = f"/datasets/{job['dataset_id']}"
    assert api.ok("POST", f"{here}/topics/generate?wait=30", {"seed": 1})["status"] == "succeeded"
    assert api.ok("GET", f"{here}/coverage?near_duplicates=true")["balance_score"] > 0
    grader = grader_to_json(sample_grader())
    assert api.ok("PUT", f"{here}/grader", {"grader": grader})["version"] == 1
    assert api.ok("GET", f"{here}/grader")["grader"] == grader
    tried = api.ok("POST", f"{here}/grader/test?wait=30", {"n": 3})
    assert len(tried["result"]["answers"]) == 3
    dry = api.ok("POST", f"{here}/dry-run?wait=30", {"n": 60})
    assert dry["result"]["verdict"] in ("GO", "CAUTION"), dry
    assert api.ok("GET", f"{here}/dry-run")["report"]["verdict"] == dry["result"]["verdict"]
    run = api.ok("POST", f"{here}/train?wait=30", {"hyperparameters": {"n_epochs": 1}})
    assert run["status"] == "completed", run
    assert api.ok("GET", f"/training/{run['id']}")["report"] == run["report"]
    assert api("POST", f"/training/{run['id']}/resume").status == 422
    assert "local" in [one["name"] for one in api.ok("GET", "/trainers")]
    steps = [one["step"] for one in api.ok("GET", f"/training/{run['id']}/checkpoints")]
    chosen = api.ok("PUT", f"/training/{run['id']}/checkpoint", {"step": steps[0]})
    assert chosen["served_step"] == steps[0]
    assert api("PUT", f"/training/{run['id']}/checkpoint", {"step": 99_999}).status == 404
    back = api.ok("PUT", f"/training/{run['id']}/checkpoint", {"step": None})
    assert back["served_step"] == run["report"]["served_step"]
    assert api.ok("GET", f"/training/{run['id']}/rollouts?step=1") == {"steps": [], "rollouts": []}
    deployed = api.ok("POST", f"{here}/deploy", {"mode": "replace"})
    assert deployed["served"]["status"] == "served", deployed
    there = f"/deployments/{deployed['id']}"
    endpoint = api.ok("GET", f"{there}/endpoint")
    assert endpoint["api_key"] not in json.dumps(api.ok("GET", f"{here}/deployments"))

    def ask():
        question = api.ok("GET", f"{here}/records?limit=1&valid=true")["records"][0]["messages"]
        base = endpoint["base_url"]
        model = Client(base.removesuffix("/v1"), base="/v1", token=None)
        return model(
            "POST", "/chat/completions",
            {"model": deployed["config"]["base_model"], "messages": question},
            Authorization=f"Bearer {endpoint['api_key']}",
        )  # fmt: skip

    answer = ask()
    assert answer.status == 200
    assert answer.json["choices"][0]["message"]
    assert answer.headers["X-RFT-Arm"] == "tuned"
    assert api.ok("POST", f"{there}/rollback")["status"] == "rolled_back"
    assert ask().headers["X-RFT-Arm"] == "base"
    assert api.ok("GET", there)["counts"]["tuned"]["requests"] == 1
    assert api.ok("GET", here)["pipeline"]["nodes"][5]["status"] == "complete"
    api.ok("POST", f"{there}/stop")
    assert api("GET", f"{there}/endpoint").status == 422
    api.ok("DELETE", here)
    assert api("GET", here).status == 404
