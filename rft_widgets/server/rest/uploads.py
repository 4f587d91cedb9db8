"""Files in pieces, for what is too large for one request; `rft_widgets.server.upload` answers."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from rft_widgets.server.rest.routing import Routes
from rft_widgets.uploads import MAX_FILE_BYTES, UploadState

routes = Routes("uploads")

Offset = Annotated[int, Meta(ge=0, le=MAX_FILE_BYTES)]


class Announcement(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a file is called, and how many bytes it has."""

    name: Annotated[str, Meta(max_length=1_000)]
    size: Annotated[int, Meta(ge=1, le=MAX_FILE_BYTES)]


class Piece(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which byte of the file the body begins at."""

    offset: Offset


routes.describe(
    "POST",
    "/uploads",
    "begin_upload",
    "Announce a file; its id then stands for it in other calls.",
    body=Announcement,
    result=UploadState,
    status=201,
)
routes.describe(
    "GET",
    "/uploads/{upload_id}",
    "get_upload",
    "How many bytes of a file are here: after a break, the next piece begins there.",
    result=UploadState,
)
routes.describe(
    "PUT",
    "/uploads/{upload_id}",
    "send_piece",
    "Send the next piece of a file, as many bytes as one likes, as `application/octet-stream`.",
    query=Piece,
    body=bytes,
    result=UploadState,
)
routes.describe(
    "DELETE",
    "/uploads/{upload_id}",
    "drop_upload",
    "Give a file up, whether it is here or not.",
    result=None,
    status=204,
)
