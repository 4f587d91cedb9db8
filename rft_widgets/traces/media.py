"""Image, audio and file parts whose data a log left out."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import msgspec

from rft_widgets.model.message import ContentPart, Message

LANGFUSE_MEDIA = "@@@langfuseMedia:"
"""Stands, with an id, in place of data that was uploaded to Langfuse's own storage."""


def without_lost_media(messages: Sequence[Message]) -> tuple[tuple[Message, ...], list[str]]:
    """Take out image, audio and file parts whose data the trace does not hold.

    Returns
    -------
    tuple[tuple[Message, ...], list[str]]
        The messages without those parts, and one line for each part.
    """
    kept: list[Message] = []
    lost: list[str] = []
    for i, message in enumerate(messages):
        parts = message.content
        if isinstance(parts, tuple):
            whole = tuple(part for part in parts if not _is_lost_media(part))
            lost += [f"message {i}: {_kind(part)}" for part in parts if _is_lost_media(part)]
            if len(whole) < len(parts):
                kept.append(msgspec.structs.replace(message, content=simplest(whole)))
                continue
        kept.append(message)
    return tuple(kept), lost


def simplest(parts: Sequence[ContentPart]) -> str | tuple[ContentPart, ...] | None:
    """Content that the parts are: nothing, plain text, or themselves."""
    if not parts:
        return None
    if len(parts) == 1 and parts[0].get("type") == "text" and set(parts[0]) == {"type", "text"}:
        return str(parts[0]["text"])
    return tuple(parts)


_CUT = re.compile(r"\[base64_data truncated|litellm_truncated")
"""What LiteLLM leaves of base64 data."""

_MEDIA_KINDS = (
    "image", "input_image", "audio", "input_file", "document", "inline_data", "file_data", "blob",
    "uri", "media",
)  # fmt: skip
"""Kinds of parts that providers have, and that still stand where no data was found in them."""


def _kind(part: ContentPart) -> str:
    return f"{part.get('type')} without its data"


def _is_lost_media(part: ContentPart) -> bool:
    kind = part.get("type")
    if kind == "image_url":
        image = part.get("image_url")
        link = image.get("url") if isinstance(image, Mapping) else image
        if not isinstance(link, str) or not link.startswith(("http://", "https://", "data:")):
            return True
        return LANGFUSE_MEDIA in link[:200] or _CUT.search(link) is not None
    if kind in ("input_audio", "file"):
        inner = part.get(kind)
        data = inner.get("data") or inner.get("file_data") if isinstance(inner, Mapping) else None
        if not isinstance(data, str):
            return not (isinstance(inner, Mapping) and inner.get("file_id"))
        return LANGFUSE_MEDIA in data[:200] or _CUT.search(data) is not None
    return kind in _MEDIA_KINDS
