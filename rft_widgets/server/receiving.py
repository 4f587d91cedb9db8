"""Bodies as they come in: JSON in memory up to a limit, files to the disk and nowhere else."""

from __future__ import annotations

from typing import Final, Protocol

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from tornado.httputil import HTTPHeaders

from rft_widgets.errors import RftError
from rft_widgets.server.rest.calling import FormFields
from rft_widgets.server.rest.routing import BadRequest, BodyTooLarge, Route, UnsupportedBody
from rft_widgets.uploads import MAX_FILE_BYTES, UploadRefused, Uploads

PIECE_BYTES: Final = 1024**2
"""How much of a file is held before it goes to the disk."""
MAX_BODY_BYTES: Final = MAX_FILE_BYTES + 1024**2
"""Of a file with the form around it."""
MAX_FIELD_BYTES: Final = 64 * 1024
MAX_FIELDS: Final = 20
MAX_HEADER_BYTES: Final = 8 * 1024

JSON: Final = "application/json"
FORM: Final = "multipart/form-data"
FILES: Final = (
    "application/x-ndjson",
    "application/jsonl",
    "application/x-jsonlines",
    "application/gzip",
    "application/octet-stream",
    "text/plain",
)
"""Types of a body that is a file as it is."""


class Receiver(Protocol):
    """Takes a body piece by piece. `take` is called by the event loop, the rest by threads."""

    def take(self, chunk: bytes) -> bool:
        """Take a piece; whether there is enough to keep."""

    def keep(self) -> None:
        """Write what was taken."""

    def ended(self) -> bytes | FormFields:
        """What the body was.

        Raises
        ------
        RftError
            It is not taken, for instance because it is too large.
        """

    def give_up(self) -> None:
        """Keep nothing of it."""


def receiver_of(route: Route, uploads: Uploads, headers: HTTPHeaders) -> Receiver:
    """Make what takes the body of a call.

    Raises
    ------
    UnsupportedBody
        The call takes no body of that type.
    BodyTooLarge
        It says itself that it is too large.
    """
    length = _length(headers)
    kind, options = parse_options_header(headers.get("Content-Type", ""))
    media = kind.decode("latin-1").strip().lower()
    if route.takes_file and media == FORM:
        return _Form(_File(uploads, length), options.get(b"boundary", b""))
    if route.takes_file and media in FILES:
        return _Plain(_File(uploads, length))
    if route.body is not None and media not in {JSON, ""} and length != 0:
        taken = [JSON, FORM, *FILES] if route.takes_file else [JSON]
        raise UnsupportedBody(
            f"A body of type {media!r} is not taken here.", hint=f"Send {', '.join(taken)}."
        )
    limit = 0 if route.body is None else route.max_bytes
    if limit and length is not None and length > limit:
        raise _too_large(limit)
    return _Whole(limit)


def _length(headers: HTTPHeaders) -> int | None:
    text = headers.get("Content-Length", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None


def _too_large(limit: int) -> BodyTooLarge:
    return BodyTooLarge(
        f"The body has more than the {limit:,} bytes that are taken here.",
        hint="Send a file as an upload.",
    )


class _Whole:
    """A body that is held in memory."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held = bytearray()
        self._is_too_large = False

    def take(self, chunk: bytes) -> bool:
        if len(self._held) + len(chunk) > self._limit:
            self._is_too_large = True
        else:
            self._held += chunk
        return False

    def keep(self) -> None:
        """Nothing goes to the disk."""

    def ended(self) -> bytes:
        if self._is_too_large and not self._limit:
            raise BadRequest("This call takes no body.")
        if self._is_too_large:
            raise _too_large(self._limit)
        return bytes(self._held)

    def give_up(self) -> None:
        """Nothing was kept."""


class _File:
    """A file that becomes an upload as it comes.

    Parameters
    ----------
    uploads
        Where to.
    announced
        Bytes of the whole body, if they are known: the file has no more.
    """

    def __init__(self, uploads: Uploads, announced: int | None) -> None:
        self._uploads = uploads
        self._most = min(announced or MAX_FILE_BYTES, MAX_FILE_BYTES)
        self._held = bytearray()
        self._upload = ""
        self._size = 0
        self.name = "file"
        self.failure: RftError | None = None

    def add(self, data: bytes) -> None:
        if self.failure is None:
            self._held += data

    @property
    def is_full(self) -> bool:
        return len(self._held) >= PIECE_BYTES

    def keep(self) -> None:
        if self.failure is not None or not self._held:
            return
        try:
            if not self._upload:
                self._upload = self._uploads.begin(self.name, self._most).id
            held, self._held = bytes(self._held), bytearray()
            self._size = self._uploads.write(self._upload, self._size, held).received
        except UploadRefused as error:
            self.failure = error
            self.give_up()

    def ended(self) -> str:
        if self.failure is None and not self._upload:  # all of it is here: its size is known
            self._most = len(self._held)
            if not self._held:
                raise UploadRefused("The file is empty.", hint="Choose another one.")
        self.keep()
        if self.failure is not None:
            raise self.failure
        self._uploads.end(self._upload)
        return self._upload

    def give_up(self) -> None:
        self._held.clear()
        if self._upload:
            self._uploads.drop(self._upload)


class _Plain:
    """A body that is a file."""

    def __init__(self, file: _File) -> None:
        self._file = file

    def take(self, chunk: bytes) -> bool:
        self._file.add(chunk)
        return self._file.is_full

    def keep(self) -> None:
        self._file.keep()

    def ended(self) -> FormFields:
        return FormFields({}, self._file.ended())

    def give_up(self) -> None:
        self._file.give_up()


class _Form:
    """A form with a file in it, as browsers and `curl -F` send it."""

    def __init__(self, file: _File, boundary: bytes) -> None:
        if not boundary:
            raise UnsupportedBody("The form says no boundary of its parts.")
        self._file = file
        self._fields: dict[str, bytes] = {}
        self._failure: RftError | None = None
        self._has_file = self._is_done = False
        self._header, self._value = bytearray(), bytearray()
        self._headers: dict[bytes, bytes] = {}
        self._field: str | None = None
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._part,
                "on_header_field": self._header_name,
                "on_header_value": self._header_value,
                "on_header_end": self._header_end,
                "on_headers_finished": self._part_known,
                "on_part_data": self._data,
                "on_end": self._end,
            },
        )

    def take(self, chunk: bytes) -> bool:
        if self._failure is None:
            try:
                self._parser.write(chunk)
            except FormParserError as error:
                self._failure = BadRequest(f"The form cannot be read: {error}.")
            except RftError as error:
                self._failure = error
        return self._file.is_full

    def keep(self) -> None:
        if self._failure is None:
            self._file.keep()

    def ended(self) -> bytes | FormFields:
        if self._failure is not None:
            raise self._failure
        if not self._is_done:
            raise BadRequest("The form is cut off.", hint="Send it again.")
        if not self._has_file:
            raise BadRequest("The form has no part 'file'.", hint="Send the file in it.")
        try:
            fields = {name: value.decode() for name, value in self._fields.items()}
        except UnicodeDecodeError:
            raise BadRequest("A field of the form is no UTF-8.") from None
        return FormFields(fields, self._file.ended())

    def give_up(self) -> None:
        self._file.give_up()

    def _part(self) -> None:
        self._headers.clear()
        self._field = None

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]
        self._check_header()

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]
        self._check_header()

    def _check_header(self) -> None:
        if len(self._header) + len(self._value) > MAX_HEADER_BYTES or len(self._headers) > 20:
            raise BadRequest("A part of the form has too many headers.")

    def _header_end(self) -> None:
        self._headers[bytes(self._header).lower()] = bytes(self._value)
        self._header.clear()
        self._value.clear()

    def _part_known(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        name = options.get(b"name", b"").decode(errors="replace")
        if name == "file":
            if self._has_file:
                raise BadRequest("The form has two parts 'file'.", hint="Send one file.")
            self._has_file = True
            self._file.name = options.get(b"filename", b"file").decode(errors="replace")
            return
        if not name or name in self._fields or len(self._fields) >= MAX_FIELDS:
            raise BadRequest(f"The form has the field {name!r} twice, unnamed, or one too many.")
        self._field = name
        self._fields[name] = b""

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._field is None:
            self._file.add(data[start:end])
            return
        self._fields[self._field] += data[start:end]
        if len(self._fields[self._field]) > MAX_FIELD_BYTES:
            raise BadRequest(f"The field {self._field!r} of the form is too long.")

    def _end(self) -> None:
        self._is_done = True
