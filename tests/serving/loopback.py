"""A real server that speaks the OpenAI chat protocol on this machine, with faults on demand."""

import gzip
import json
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def sse(*values):
    return [b"data: " + json.dumps(value).encode() + b"\n\n" for value in values]


def chunk(delta, reason=None, **more):
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    return {"id": "up-1", "object": "chat.completion.chunk", "created": 1, "model": "up",
            "choices": [choice]} | more  # fmt: skip


def completion(content="From upstream.", **message):
    message = {"role": "assistant", "content": content} | message
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    # Spaces and an unknown key: passing on byte for byte is told from decoding and encoding.
    body = {"id": "up-1", "object": "chat.completion", "created": 1, "model": "up",
            "choices": [choice], "x_own": [1,  2.50], "usage": {"prompt_tokens": 7,
            "completion_tokens": 3, "total_tokens": 10}}  # fmt: skip
    return json.dumps(body, indent=1).encode()


EVENTS = [
    *sse(chunk({"role": "assistant", "content": ""}), chunk({"content": "From "})),
    b": a comment, as gateways send\r\n\r\n",
    *sse(chunk({"content": "up\u2028stream."}), chunk({}, "stop")),
    b"data: [DONE]\n\n",
]


class Upstream:
    """Set ``fault`` to have it misbehave; ``seen`` is what it was asked."""

    def __init__(self):
        self.fault = ""
        self.seen = []
        self.waits = threading.Event()  # an answer has been begun
        self.go_on = threading.Event()  # the rest of a gated answer may come
        self.client_left = threading.Event()
        self.quit = threading.Event()

    def __enter__(self):
        upstream = self

        class Handler(_Handler):
            server_upstream = upstream

        self.server = _Server(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))
        self.thread.start()
        self.base_url = f"http://127.0.0.1:{self.server.server_port}/v1"
        return self

    def __exit__(self, *_):
        self.quit.set()
        self.go_on.set()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128  # with the default of 5, many at once wait seconds to connect


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_POST(self):
        up = self.server_upstream
        data = self.rfile.read(int(self.headers["Content-Length"]))
        up.seen.append((self.path, dict(self.headers), json.loads(data)))
        fault = up.fault
        if fault == "slow":
            up.waits.set()
            self.watch()
        elif fault == "redirect":
            self.whole(307, b"", {"Location": "http://192.0.2.1/v1/chat/completions"})
        elif fault.isdigit():
            key = self.headers.get("Authorization", "").removeprefix("Bearer ")
            error = {"message": f"no: {key}", "param": "top_p", "code": "odd"}
            after = {"Retry-After": "7"} if fault == "429" else {}
            self.whole(int(fault), json.dumps({"error": error}).encode(), after)
        elif fault == "html":
            self.whole(200, b"<html>welcome to the hotel", {"Content-Type": "text/html"})
        elif fault == "gzip":
            self.whole(200, gzip.compress(completion()), {"Content-Encoding": "gzip"})
        elif fault == "drip":
            self.send_response(200)
            self.send_header("Content-Length", "5000")
            self.end_headers()
            while not up.client_left.wait(0.02):
                try:
                    self.wfile.write(b" ")
                except ConnectionError:
                    up.client_left.set()
            self.close_connection = True
        elif fault == "cut":
            self.send_response(200)
            self.send_header("Content-Length", "5000")
            self.end_headers()
            self.wfile.write(completion()[:100])
            self.close_connection = True
        elif fault == "choices_null":
            self.whole(200, b'{"choices": null}')
        elif json.loads(data).get("stream"):
            self.stream(fault)
        else:
            self.whole(200, completion(), {"Set-Cookie": "who=alice", "X-Request-Id": "r-1"})

    def whole(self, status, content, headers=()):
        self.send_response(status)
        for name, value in dict(headers).items():
            self.send_header(name, value)
        if "Content-Type" not in headers:
            self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def stream(self, fault):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        up = self.server_upstream
        if fault == "no_chunk":
            self.close_connection = True
            return
        self.chunk(EVENTS[0])
        self.chunk(EVENTS[1])
        up.waits.set()
        if fault == "truncated":
            self.close_connection = True
            return
        if fault == "ends_early":
            self.chunk(b"")
            return
        if fault == "mid_event":
            self.chunk(EVENTS[3][:25])
            self.close_connection = True
            return
        if fault == "endless":
            self.watch()
            return
        if fault == "gated":
            up.go_on.wait(20)
        for piece in EVENTS[2:]:
            self.chunk(piece)
        self.chunk(b"")

    def chunk(self, data):
        self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data))

    def watch(self):
        """Say nothing until the client leaves or the test ends."""
        up = self.server_upstream
        self.connection.settimeout(0.02)
        while not up.quit.is_set():
            try:
                if self.connection.recv(1, socket.MSG_PEEK) == b"":
                    up.client_left.set()
                    break
            except TimeoutError:
                continue
            except ConnectionError:
                up.client_left.set()
                break
            time.sleep(0.01)
        self.close_connection = True
