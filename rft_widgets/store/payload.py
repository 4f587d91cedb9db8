"""The body of a record as bytes: JSON, compressed with a dictionary that the store keeps."""

from __future__ import annotations

import hashlib
import threading
from typing import Any

import msgspec
import sqlalchemy as sa
import zstandard
from msgspec import Struct, field
from sqlalchemy.engine import Connection, Engine

from rft_widgets.errors import StoreUnavailable
from rft_widgets.model.record import RecordInput, RecordOutput
from rft_widgets.model.settings import STORE
from rft_widgets.store.schema import dictionaries

ENCODER = msgspec.json.Encoder()
_CANONICAL = msgspec.json.Encoder(order="sorted")
_LEVEL = 3
_MIN_SAMPLES = 200  # training on fewer gives a dictionary that fits only them


class Body(Struct, frozen=True, omit_defaults=True, gc=False):
    """What the narrow table does not hold."""

    input: RecordInput
    output: RecordOutput = RecordOutput()
    item: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)


_DECODER = msgspec.json.Decoder(Body)


def encode(body: Body) -> bytes:
    """JSON of a body, not yet compressed."""
    return ENCODER.encode(body)


def decode(data: bytes) -> Body:
    """Body from its JSON."""
    return _DECODER.decode(data)


def input_hash(record_input: RecordInput) -> int:
    """First 64 bits, signed, of the SHA-256 of the input's canonical JSON (sorted keys, no spaces).

    Two different inputs among n records share it with a probability of about n²/2⁶⁵: 3e-8 at a
    million.
    """
    digest = hashlib.sha256(_CANONICAL.encode(record_input)).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


class Codec:
    """Compresses and restores bodies; knows the dictionaries of one database. Thread-safe."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._local = threading.local()
        self._dictionaries: dict[int, zstandard.ZstdCompressionDict] = {}

    def compress(self, data: bytes, dictionary_id: int | None) -> bytes:
        """Compress with the dictionary of that id, or with none."""
        tools: dict[int, zstandard.ZstdCompressor] = self._tools("compressors")
        key = dictionary_id or 0
        compressor = tools.get(key)
        if compressor is None:
            known = self._dictionary(key)
            compressor = tools[key] = (
                zstandard.ZstdCompressor(level=_LEVEL, dict_data=known)
                if known
                else zstandard.ZstdCompressor(level=_LEVEL)
            )
        return compressor.compress(data)

    def decompress(self, data: bytes) -> bytes:
        """Restore bytes; the frame itself names its dictionary."""
        tools: dict[int, zstandard.ZstdDecompressor] = self._tools("decompressors")
        key = _frame_dictionary(data)
        restorer = tools.get(key)
        if restorer is None:
            known = self._dictionary(key)
            restorer = tools[key] = (
                zstandard.ZstdDecompressor(dict_data=known)
                if known
                else zstandard.ZstdDecompressor()
            )
        return restorer.decompress(data)

    def body(self, data: bytes) -> Body:
        """Body from its compressed bytes."""
        return _DECODER.decode(self.decompress(data))

    def train(self, connection: Connection, samples: list[bytes]) -> int | None:
        """Make a dictionary from samples and store it; ``None`` when they are too few."""
        if len(samples) < _MIN_SAMPLES:
            return None
        try:
            trained = zstandard.train_dictionary(STORE.dictionary_bytes, list(samples))
        except zstandard.ZstdError:
            return None  # the library refuses samples that are too short or too alike
        key = trained.dict_id()
        known = connection.execute(
            sa.select(dictionaries.c.data).where(dictionaries.c.id == key)
        ).scalar()
        if known is None:
            connection.execute(dictionaries.insert().values(id=key, data=trained.as_bytes()))
        elif bytes(known) != trained.as_bytes():
            return None  # another dictionary has this number: do without one
        # The row is not committed yet: other connections cannot load it, this codec can.
        trained.precompute_compress(level=_LEVEL)
        self._dictionaries[key] = trained
        return key

    def _tools(self, kind: str) -> dict[int, Any]:
        tools: dict[int, Any] | None = getattr(self._local, kind, None)
        if tools is None:
            tools = {}
            setattr(self._local, kind, tools)
        return tools

    def _dictionary(self, key: int) -> zstandard.ZstdCompressionDict | None:
        if key == 0:
            return None
        if key not in self._dictionaries:
            with self._engine.connect() as connection:
                data = connection.execute(
                    sa.select(dictionaries.c.data).where(dictionaries.c.id == key)
                ).scalar()
            if data is None:
                raise StoreUnavailable(
                    f"The store lacks the compression dictionary {key} that a record needs.",
                    hint="The database was changed by hand; restore it from a backup.",
                )
            known = zstandard.ZstdCompressionDict(bytes(data))
            known.precompute_compress(level=_LEVEL)
            self._dictionaries[key] = known
        return self._dictionaries[key]


def _frame_dictionary(data: bytes) -> int:
    # RFC 8878, 3.1.1.1: the two low bits of the descriptor give the width of the dictionary id,
    # which follows the window byte; that byte is absent in a single-segment frame (bit 5).
    descriptor = data[4]
    width = (0, 1, 2, 4)[descriptor & 3]
    start = 5 if descriptor & 0x20 else 6
    return int.from_bytes(data[start : start + width], "little")
