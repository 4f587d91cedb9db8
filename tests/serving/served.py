"""An endpoint at work on a real socket, and ways to ask it."""

import http.client
import json
import time

import openai

from rft_widgets.serving.app import Endpoint
from rft_widgets.serving.arms import Answer
from rft_widgets.serving.server import Server

ASK = [{"role": "user", "content": "Where is my parcel?"}]


def echo(messages, tools, body):
    return Answer({"content": f"tuned: {messages[-1]['content']}"})


class Served:
    """An endpoint at work, with its client and what it recorded."""

    def __init__(self, stack, router, **options):
        self.exchanges = []
        record = options.pop("record", self.exchanges.append)
        grace_s = options.pop("grace_s", 5)
        self.app = Endpoint(router, record=record, **options)
        self.server = stack.enter_context(Server(self.app, grace_s=grace_s))
        self.client = stack.enter_context(self.new_client())

    def new_client(self, token=None, **options):
        return openai.OpenAI(
            base_url=self.server.base_url,
            api_key=token or self.app.token,
            max_retries=0,
            timeout=20,
            http_client=openai.DefaultHttpxClient(trust_env=False),
            **options,
        )

    def ask(self, content="Where is my parcel?", *, model="tuned-model", **more):
        """The raw response of a request, for its headers."""
        create = self.client.chat.completions.with_raw_response.create
        return create(model=model, messages=[{"role": "user", "content": content}], **more)

    def arm(self, *args, **more):
        return self.ask(*args, **more).headers["x-rft-arm"]

    def recorded(self, count=1):
        """The exchanges, once there are so many."""
        until(lambda: len(self.exchanges) >= count)
        return self.exchanges


def until(condition, timeout_s=10):
    give_up = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < give_up, "it did not come to pass"
        time.sleep(0.005)


def raw(served, method, path, body=None, headers=None, *, host=None, token=None):
    """One request as bytes: status, headers, body."""
    connection = http.client.HTTPConnection("127.0.0.1", served.server.port, timeout=10)
    try:
        connection.putrequest(method, path, skip_host=True)
        fields = {"Host": host or f"127.0.0.1:{served.server.port}"}
        if token is not False:
            fields["Authorization"] = f"Bearer {token or served.app.token}"
        if body is not None:
            fields["Content-Length"] = str(len(body))
        for name, value in (fields | (headers or {})).items():
            if value is not None:
                connection.putheader(name, value)
        connection.endheaders(body)
        response = connection.getresponse()
        return response.status, dict(response.getheaders()), response.read()
    finally:
        connection.close()


def post(served, body, **more):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    status, headers, content = raw(served, "POST", "/v1/chat/completions", data, **more)
    return status, headers, json.loads(content)
