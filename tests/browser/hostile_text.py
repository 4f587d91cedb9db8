"""Text that is code wherever it is taken for code, and a dataset that is full of it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from builders import ManyAtOnce

import rft_widgets as rft

PAYLOADS = (
    "<script>window.__xss='script'</script>",
    "<img src=x onerror=\"window.__xss='img'\">",
    "<svg onload=window.__xss='svg'><animate onbegin=alert(1) attributeName=x dur=1s>",
    "<iframe srcdoc=\"<script>parent.__xss='iframe'</script>\"></iframe>",
    "\"><svg/onload=window.__xss='breakout'>",
    "' onmouseover=window.__xss='attribute' x='",
    "\" autofocus onfocus=window.__xss='focus' tabindex=1 x=\"",
    "</style><style>*{display:none!important}</style>",
    "</textarea><script>window.__xss='textarea'</script>",
    "</script><script>window.__xss='closed'</script>",
    "javascript:window.__xss='url'",
    "[look](javascript:window.__xss='markdown')",
    "![look](x\"onerror=\"window.__xss='image')",
    "<a href='data:text/html,<script>opener.__xss=1</script>'>look</a>",
    "{{constructor.constructor(\"window.__xss='curly'\")()}}",
    "${window.__xss='dollar'} #{window.__xss=1} <%= window.__xss %>",
    "<math><mtext><mglyph><style><!--</style><img title='--&gt;&lt;img onerror=alert(1)&gt;'>",
    "<details open ontoggle=window.__xss='details'><summary>look</summary></details>",
    "\u202e\u2066evil\u2069 gnp.exe \u200b\ufeff",
    "__proto__ constructor hasOwnProperty toString",
)

WATCH = r"""
(() => {
  const seen = (window.__seen = []);
  for (const name of ["alert", "confirm", "prompt"]) {
    window[name] = () => void seen.push(`${name} was called`);
  }
  Object.defineProperty(window, "__xss", { set: how => void seen.push(`ran: ${how}`) });
  const bad = "script, iframe, object, embed, img:not(.cm-widgetBuffer), image, animate, base,"
    + " link, style, math, details[ontoggle], a[href^='javascript:'], a[href^='data:']";
  const look = one => {
    if (one.nodeType !== 1 || !one.closest(".rft")) return;
    for (const found of [one, ...one.querySelectorAll("*")]) {
      if (found.matches(bad)) seen.push(`element: ${found.outerHTML.slice(0, 120)}`);
      for (const { name } of found.attributes) {
        if (name.startsWith("on")) seen.push(`attribute ${name}: ${found.outerHTML.slice(0, 120)}`);
      }
    }
  };
  new MutationObserver(changes => {
    for (const { type, target, addedNodes } of changes) {
      if (type === "attributes") look(target);
      else addedNodes.forEach(look);
    }
  }).observe(document, { childList: true, subtree: true, attributes: true });
})();
"""
"""Put before everything else on a page: what ran, and what should not stand in our elements."""


@contextmanager
def judge() -> Iterator[str]:
    """A model that gives hostile reasons; yields its address."""
    turn = iter(range(1_000_000))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            number = next(turn)
            verdict = {"reasoning": PAYLOADS[number % len(PAYLOADS)], "score": number % 11 / 10}
            message = {"role": "assistant", "content": json.dumps(verdict)}
            choice = {"index": 0, "finish_reason": "stop", "message": message}
            body = {"id": "x", "object": "chat.completion", "created": 1, "model": "judge"}
            data = json.dumps({**body, "choices": [choice]}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    server = ManyAtOnce(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    server.shutdown()
    server.server_close()


def hostile_dataset(workspace: rft.Workspace, folder: Path, judge_url: str) -> str:
    """A dataset with hostile text wherever a person or a program can put text; its id."""
    ds = workspace.create(" ".join(PAYLOADS), objective=PAYLOADS[0])
    lines = [json.dumps(_record(number)) for number in range(3 * len(PAYLOADS))]
    path = folder / "hostile.jsonl"
    path.write_text("\n".join([*lines, "{" + PAYLOADS[1], json.dumps({"messages": PAYLOADS[2]})]))
    ds.import_records(path, name=PAYLOADS[1])
    ds.set_topics({"version": "1.0", "topics": {
        _topic(payload): {"description": payload, "keywords": [payload], "subtopics": []}
        for payload in PAYLOADS
    }})  # fmt: skip
    names = ds.topics.paths
    for number, record in enumerate(ds.records(valid=True, limit=100).records):
        ds.assign_topic(record.id, names[number % len(names)])
    ds.set_grader(
        {
            "type": "score_model",
            "name": PAYLOADS[1],
            "model": PAYLOADS[3],
            "input": [{"role": "user", "content": PAYLOADS[0] + " {{ sample.output_text }}"}],
            "range": [0, 1],
        },
        connection=rft.ModelConnection(base_url=judge_url, api_key_env=None),
    )
    ds.dry_run(n=40)
    ds.train(despite_no_go=True).wait()
    ds.deploy(start=False)
    return ds.id


def _topic(payload: str) -> str:
    return payload.replace("/", "|")  # a name has no slash


def _record(number: int) -> dict[str, Any]:
    payload = PAYLOADS[number % len(PAYLOADS)]
    call = {
        "id": f"call_{number}",
        "type": "function",
        "function": {"name": "look_up", "arguments": json.dumps({payload: payload})},
    }
    return {
        "messages": [
            {"role": "system", "content": payload},
            {"role": "user", "content": f"{payload} question {number}"},
            {"role": "assistant", "content": payload, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": call["id"], "content": payload},
            {"role": "user", "content": f"And then {payload}? {number}"},
            {"role": "assistant", "content": f"{payload} answer {number}"},
        ],
        "tools": [
            {
                "type": "function",
                "function": {
                    "name": "look_up",
                    "description": payload,
                    "parameters": {"type": "object", "properties": {payload: {"type": "string"}}},
                },
            }
        ],
        "metadata": {payload: payload},
        payload: payload,
        "reference_answer": payload,
    }
