"""Files of the stand-in server, in memory."""

from __future__ import annotations

import io
from typing import Any

from msgspec import Struct
from python_multipart import parse_form
from python_multipart.exceptions import FormParserError

from rft_widgets.testing.calls import Call, missing, page
from rft_widgets.testing.chat import CREATED
from rft_widgets.testing.faults import error_response
from rft_widgets.testing.wire import HttpResponse, json_response

_PURPOSES = frozenset({"assistants", "batch", "evals", "fine-tune", "user_data", "vision"})
_MAX_BYTES = 512 * 1024 * 1024


class StoredFile(Struct, frozen=True):
    """A file that was uploaded or made."""

    id: str
    name: str
    purpose: str
    content: bytes

    @property
    def about(self) -> dict[str, Any]:
        """What the protocol says about it."""
        return {
            "id": self.id,
            "object": "file",
            "bytes": len(self.content),
            "created_at": CREATED,
            "filename": self.name,
            "purpose": self.purpose,
            "status": "processed",
            "status_details": None,
            "expires_at": None,
        }


class Files:
    """The files there are; a part of the service."""

    def __init__(self) -> None:
        self._files: dict[str, StoredFile] = {}
        self._made = 0

    def add(self, name: str, purpose: str, content: bytes) -> StoredFile:
        """Keep a file."""
        self._made += 1
        made = StoredFile(f"file-{self._made:06}", name, purpose, content)
        self._files[made.id] = made
        return made

    def get(self, identity: Any) -> StoredFile | None:
        """The file of an id."""
        return self._files.get(identity) if isinstance(identity, str) else None

    def __call__(self, call: Call) -> HttpResponse | None:
        """Answer what is asked of files."""
        match call.method, call.path:
            case "POST", ("files",):
                return self._upload(call)
            case "GET", ("files",):
                purpose = call.query("purpose")
                listed = [one.about for one in reversed(self._files.values())
                          if purpose in (None, one.purpose)]  # fmt: skip
                return page(call, listed, default=100)
            case method, ("files", identity, *rest):
                found = self._files.get(identity)
                if found is None:
                    return missing("File object", identity)
                if method == "GET" and rest == ["content"]:
                    return HttpResponse(body=found.content, content_type="application/octet-stream")
                if method == "GET" and not rest:
                    return json_response(found.about)
                if method == "DELETE" and not rest:
                    del self._files[identity]
                    return json_response({"id": identity, "object": "file", "deleted": True})
        return None

    def _upload(self, call: Call) -> HttpResponse:
        fields: dict[str, bytes] = {}
        files: list[tuple[str, bytes]] = []

        def keep_file(file: Any) -> None:
            file.file_object.seek(0)
            files.append(((file.file_name or b"file").decode(), file.file_object.read()))
            file.close()

        def keep_field(field: Any) -> None:
            fields[(field.field_name or b"").decode()] = field.value or b""

        headers = {"Content-Type": call.request.headers.get("content-type", "").encode()}
        try:
            parse_form(headers, io.BytesIO(call.request.body), keep_field, keep_file)
        except (FormParserError, ValueError) as error:
            return error_response(400, f"The form cannot be read: {error}")
        purpose = fields.get("purpose", b"").decode("utf-8", "replace")
        if not files or purpose not in _PURPOSES:
            return error_response(400, "'file' and 'purpose' are required.")
        name, content = files[0]
        if purpose == "fine-tune" and not name.endswith(".jsonl"):
            return error_response(400, "Files for fine-tuning are .jsonl files.")
        if len(content) > _MAX_BYTES:
            return error_response(413, "Files have at most 512 MB.")
        return json_response(self.add(name, purpose, content).about)
