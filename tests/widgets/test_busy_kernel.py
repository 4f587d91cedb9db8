"""In a real kernel: widgets answer while a cell runs, as JupyterLab asks them."""

from __future__ import annotations

import time
from typing import Any

import pytest

manager = pytest.importorskip("jupyter_client.manager")

SHOW = """
import tempfile
import rft_widgets as rft
from rft_widgets.widgets import bundle
built = bundle.Files(shim="export default {}", code="export const code = 1", css="", editor="")
bundle.files = lambda: built
ds = rft.Workspace(tempfile.mkdtemp() + "/store.db").create("Support")
view = ds.canvas()
"""


class Kernel:
    def __init__(self, client: Any) -> None:
        self.client = client

    def control(self, kind: str) -> dict[str, Any]:
        message = self.client.session.msg(kind, {})
        self.client.control_channel.send(message)
        while True:
            reply = self.client.get_control_msg(timeout=10)
            if reply["parent_header"].get("msg_id") == message["header"]["msg_id"]:
                return reply["content"]

    def heard(self, wanted: str, timeout_s: float = 20) -> dict[str, Any]:
        """The content of the next message of a kind from the kernel."""
        ends = time.monotonic() + timeout_s
        while True:
            message = self.client.get_iopub_msg(timeout=ends - time.monotonic())
            assert message["msg_type"] != "error", message["content"]["traceback"]
            if message["msg_type"] == wanted:
                return message["content"]

    def ask(self, comm_id: str, method: str, subshell: str) -> dict[str, Any]:
        call = {"kind": "rft:call", "id": "1", "method": method, "params": {"view": "v"}}
        data = {"method": "custom", "content": call}
        message = self.client.session.msg("comm_msg", {"comm_id": comm_id, "data": data})
        message["header"]["subshell_id"] = subshell
        self.client.shell_channel.send(message)
        while True:
            said = self.heard("comm_msg")["data"].get("content", {})
            if said.get("kind") == "rft:result":
                return said


@pytest.fixture
def kernel():
    running, client = manager.start_new_kernel(kernel_name="python3")
    yield Kernel(client)
    client.stop_channels()
    running.shutdown_kernel(now=True)
    running.cleanup_resources()


def test_a_widget_answers_while_a_cell_runs(kernel):
    subshell = kernel.control("create_subshell_request")["subshell_id"]
    kernel.client.execute(SHOW)
    opened = kernel.heard("comm_open")
    while opened["data"]["state"].get("_component") != "canvas":
        opened = kernel.heard("comm_open")
    kernel.client.execute("import time; time.sleep(30)")
    while "sleep" not in kernel.heard("execute_input")["code"]:
        pass
    began = time.monotonic()
    assert kernel.ask(opened["comm_id"], "attach", subshell)["ok"]
    assert kernel.ask(opened["comm_id"], "detach", subshell)["ok"]
    assert time.monotonic() - began < 10
