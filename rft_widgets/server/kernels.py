"""Kernels of the app: made of this very Python, few of them, and deaf to everything but widgets."""

from __future__ import annotations

import json
import logging
from typing import Any, Final

from ipykernel.kernelspec import RESOURCES
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_server.services.kernels.connection.base import deserialize_msg_from_ws_v1
from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection
from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager

logger = logging.getLogger(__name__)

PROTOCOL: Final = "v1.kernel.websocket.jupyter.org"
ALLOWED: Final = ("comm_msg", "comm_open", "comm_close", "comm_info_request", "kernel_info_request")
"""Messages that a page may send. None of them runs code."""
CONTROL_TARGET: Final = "jupyter.widget.control"
"""What a page may open: the channel by which it asks for the state of the widgets there are."""


class OwnKernelSpecs(KernelSpecManager):
    """Knows one kernel, this Python's: what a user installed under its name is not meant."""

    def find_kernel_specs(self) -> dict[str, str]:
        """The name of the kernel, and where its resources lie."""
        return {"python3": RESOURCES}


class Kernels(AsyncMappingKernelManager):
    """The kernels at work, and how many pages are connected to each."""

    def connections(self, kernel_id: str) -> int:
        """How many pages are connected to a kernel."""
        return int(self._kernel_connections.get(kernel_id, 0))

    def is_dead(self, kernel_id: str) -> bool:
        """Whether the process of a kernel has ended, or it is unknown."""
        if kernel_id not in self:
            return True
        process = getattr(self.get_kernel(kernel_id).provisioner, "process", None)
        return process is not None and process.poll() is not None


class GuardedConnection(ZMQChannelsWebsocketConnection):
    """A page's connection to its kernel: what may run code, or make widgets, does not pass.

    Small replies are not held back for the page's delayed ACK (Nagle's algorithm): a call takes 8
    instead of 49 ms.
    """

    def connect(self) -> Any:
        """Connect the page with its kernel."""
        self.websocket_handler.set_nodelay(True)
        return super().connect()

    def handle_incoming_message(self, incoming_msg: Any) -> None:
        """Pass a message of the page on, if it may be."""
        if self.subprotocol == PROTOCOL and is_allowed(incoming_msg):
            super().handle_incoming_message(incoming_msg)
        else:
            logger.warning("A page sent its kernel a message that is not allowed; it was dropped.")


def is_allowed(message: Any) -> bool:
    """Whether a page may send this to its kernel."""
    try:
        channel, (header, _parent, _metadata, content, *_buffers) = deserialize_msg_from_ws_v1(
            message  # type: ignore[no-untyped-call]
        )
        kind = json.loads(header)["msg_type"]
        if channel != "shell" or kind not in ALLOWED:
            return False
        return kind != "comm_open" or bool(json.loads(content)["target_name"] == CONTROL_TARGET)
    except Exception:  # noqa: BLE001 - whatever it is, it is no message
        return False
