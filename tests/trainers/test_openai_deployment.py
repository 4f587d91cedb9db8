"""A model that Azure trained is deployed there before it can be asked and measured."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from fine_tuned import BASE, KEY, KEY_ENV, config, dataset_at, service, words_of

from rft_widgets.errors import InvalidArgument, ModelRefused, RftError
from rft_widgets.trainers.openai.deployment import AzureDeployment, deploy_model

TOKEN, TOKEN_ENV = "an-access-token-of-a-test", "AZURE_ACCESS_TOKEN"
RESOURCE = (
    "/subscriptions/1-2/resourceGroups/mine/providers/Microsoft.CognitiveServices/accounts/me"
)


@pytest.fixture(autouse=True)
def keys(monkeypatch):
    monkeypatch.setenv(KEY_ENV, KEY)
    monkeypatch.setenv(TOKEN_ENV, TOKEN)


@contextmanager
def manager(*states):
    """Azure's resource manager, which says these states one after the other."""
    told = iter(states)
    seen = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_PUT(self):
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            self.answer(body)

        def do_GET(self):
            self.answer(None)

        def answer(self, body):
            seen.append((self.command, self.path, body))
            is_known = self.headers["authorization"] == f"Bearer {TOKEN}"
            state = next(told) if is_known else "unknown"
            value = {"properties": {"provisioningState": state}}
            status = {"unknown": 401, "busy": 409}.get(state, 201 if body else 200)
            text = json.dumps(value if status < 300 else {"error": {"message": state}}).encode()
            self.send_response(status)
            self.send_header("Retry-After-Ms", "10")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", seen
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def wanted(url, **changes):
    return AzureDeployment(name="names-1", resource=RESOURCE, management_url=url, **changes)


def test_a_trained_model_is_deployed_asked_and_measured(tmp_path):
    models = {BASE: None, "names-1": None}
    with (
        service("azure", models=models) as server,
        dataset_at(server, tmp_path) as dataset,
        manager("busy", "Accepted", "Creating", "Succeeded") as (url, seen),
    ):
        job = dataset.train(config("azure")).wait(60)
        assert job.status == "completed", words_of(job)
        words = job.deploy_at_service(name="names-1", resource=RESOURCE, management_url=url)
        assert "as names-1" in words
        assert "24 hours" in words
        assert words in words_of(job)
        assert [method for method, *_ in seen] == ["PUT", "PUT", "GET", "GET"]
        _, path, body = seen[1]
        assert path == f"{RESOURCE}/deployments/names-1?api-version=2024-10-01"
        assert body["sku"] == {"name": "DeveloperTier", "capacity": 1}
        assert body["properties"]["model"]["name"].startswith(f"ft:{BASE}")
        assert job.policy().upstream.model == "names-1"
        found = dataset.benchmark(job)
        assert found.change.n == len(job.split.valid)
        with pytest.raises(InvalidArgument, match=r"ckpt-step-\d+ is not deployed"):
            job.policy(job.checkpoints[0].step)


def test_a_deployment_that_comes_to_nothing_is_told(monkeypatch):
    with manager("Creating", "Failed") as (url, _), pytest.raises(RftError, match="Failed"):
        deploy_model("ft:m", wanted(url))
    with manager("Creating") as (url, _), pytest.raises(RftError, match="still deploys names-1"):
        deploy_model("ft:m", wanted(url, timeout_s=0.001))
    monkeypatch.setenv(TOKEN_ENV, "another")
    with manager() as (url, _), pytest.raises(ModelRefused, match=TOKEN_ENV) as refused:
        deploy_model("ft:m", wanted(url))
    assert "another" not in str(refused.value)
    monkeypatch.delenv(TOKEN_ENV)
    with manager() as (url, seen), pytest.raises(ModelRefused, match="is not set"):
        deploy_model("ft:m", wanted(url))
    assert not seen
    with pytest.raises(InvalidArgument, match="in the open"):
        deploy_model("ft:m", wanted("http://management.example.com"))
    with pytest.raises(InvalidArgument, match="no id of an Azure"):
        deploy_model("ft:m", AzureDeployment(name="names-1", resource="/subscriptions/1"))
