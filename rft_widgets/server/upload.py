"""Files of any size by HTTP: streamed to the disk as they come, and resumed where they were cut.

``POST uploads`` announces a name and a size; ``PUT uploads/<id>?offset=N`` sends the next bytes, as
many as one likes; ``GET uploads/<id>`` tells how many are here; ``DELETE`` gives the file up.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final, cast

import msgspec
from jupyter_server.utils import url_path_join
from tornado import web
from tornado.http1connection import HTTP1Connection

from rft_widgets.errors import RftError
from rft_widgets.server.handlers import Answering
from rft_widgets.server.rest.refusals import refusal
from rft_widgets.server.rest.routing import BadRequest
from rft_widgets.server.rest.uploads import Announcement
from rft_widgets.uploads import MAX_FILE_BYTES, UploadOffset, Uploads

PIECE_BYTES: Final = 1024**2
"""How much of a body is held before it goes to the disk."""
UPLOAD_ID: Final = r"([0-9a-f]{32})"


class UploadList(Answering):
    """Where files are announced."""

    def initialize(self, uploads: Uploads) -> None:
        """Take what the route gives."""
        self.uploads = uploads

    async def post(self) -> None:
        """Make room for a file."""
        try:
            told = msgspec.json.decode(self.request.body, type=Announcement)
            state = await asyncio.to_thread(self.uploads.begin, told.name, told.size)
        except msgspec.DecodeError as error:
            self.refuse(BadRequest(f"{error}.", hint='Send {"name": "a.jsonl", "size": 123}.'))
        except RftError as error:
            self.refuse(error)
        else:
            self.tell(201, state)


@web.stream_request_body
class OneUpload(Answering):
    """A file on its way."""

    def initialize(self, uploads: Uploads) -> None:
        """Take what the route gives."""
        self.uploads = uploads
        self._offset: int | None = None
        self._held = bytearray()
        self._failed: RftError | None = None

    async def prepare(self) -> None:  # type: ignore[override]
        """Let in who may; only then is the body read."""
        # What is written is bounded by the size that was announced.
        connection = cast("HTTP1Connection", self.request.connection)
        connection.set_max_body_size(MAX_FILE_BYTES)
        await super().prepare()
        if self.request.method == "PUT" and not self._finished:
            offset = self.get_query_argument("offset", "")
            if offset.isascii() and offset.isdigit() and len(offset) < 16:
                self._offset = int(offset)
            else:
                self._failed = BadRequest(
                    "The first byte of the piece is not named.", hint="Add ?offset=0 or more."
                )

    async def data_received(self, chunk: bytes) -> None:
        """Take what came; more is read only when it is on the disk."""
        if self._offset is None or self._failed is not None:
            return
        self._held += chunk
        if len(self._held) >= PIECE_BYTES:
            await asyncio.to_thread(self._keep)

    async def put(self, upload_id: str) -> None:
        """Tell how much is here, now that the body has ended."""
        if self._failed is None:
            await asyncio.to_thread(self._keep)
        if self._failed is None:
            await self._tell(upload_id)
        else:
            self.refuse(self._failed)

    async def get(self, upload_id: str) -> None:
        """Tell how much is here."""
        await self._tell(upload_id)

    async def delete(self, upload_id: str) -> None:
        """Give the file up; it may be gone already."""
        await asyncio.to_thread(self.uploads.drop, upload_id)
        self.set_status(204)
        self.finish()

    def on_connection_close(self) -> None:
        """Keep what came before the sender was cut off: it goes on from there."""
        super().on_connection_close()
        if self._offset is not None and self._failed is None:
            self._keep()

    def refuse(self, error: Exception) -> None:
        """Answer with what is wrong, and where to go on if a piece did not fit."""
        if not isinstance(error, UploadOffset):
            super().refuse(error)
            return
        status, problem = refusal(error)
        self.tell(status, {**msgspec.to_builtins(problem), "received": error.received})

    async def _tell(self, upload_id: str) -> None:
        try:
            self.tell(200, await asyncio.to_thread(self.uploads.state, upload_id))
        except RftError as error:
            self.refuse(error)

    def _keep(self) -> None:
        held, self._held = bytes(self._held), bytearray()
        try:
            state = self.uploads.write(self.path_args[0], self._offset or 0, held)
            self._offset = state.received
        except RftError as error:
            self._failed = error


def handlers(base: str, uploads: Uploads) -> list[tuple[Any, ...]]:
    """Rules of the upload routes under the base address of the API."""
    given = {"uploads": uploads}
    return [
        (url_path_join(base, "uploads"), UploadList, given),
        (url_path_join(base, "uploads", UPLOAD_ID), OneUpload, given),
    ]
