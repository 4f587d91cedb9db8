"""What calls that send a file in pieces take."""

from __future__ import annotations

from typing import Annotated

import msgspec

from rft_widgets.uploads import MAX_FILE_BYTES

PIECE_BYTES = 4 * 1024**2
"""Bytes of every piece but the last: what a browser's socket takes with room to spare."""

FileName = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
UploadId = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Size = Annotated[int, msgspec.Meta(ge=0)]
Offset = Annotated[int, msgspec.Meta(ge=0, le=MAX_FILE_BYTES)]
