"""What the package is measured against: plain JSON parsing, hand-written SQL, a scan of texts."""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

CHUNK_LINES = 20_000


def chunks_of_lines(path: Path, limit: int | None = None) -> Iterator[list[bytes]]:
    """Lines of a file without their line ends, some at a time, so that memory stays bounded."""
    with path.open("rb") as file:
        lines = (line.rstrip(b"\n") for line in islice(file, limit))
        while chunk := list(islice(lines, CHUNK_LINES)):
            yield chunk


def loads_discarding(lines: Sequence[bytes]) -> None:
    """Parse each line with orjson and drop the result."""
    for line in lines:
        try:
            orjson.loads(line)
        except orjson.JSONDecodeError:
            continue


def loads_keeping(lines: Sequence[bytes]) -> list[Any]:
    """Parse each line with orjson and keep the results."""
    kept = []
    for line in lines:
        try:
            kept.append(orjson.loads(line))
        except orjson.JSONDecodeError:
            continue
    return kept


def loads_cpu_s(path: Path) -> float:
    """CPU seconds that orjson.loads takes for each line of a file; reading it is left out."""
    total = 0.0
    for lines in chunks_of_lines(path):
        start = time.process_time()
        loads_discarding(lines)
        total += time.process_time() - start
    return total


class RawStore:
    """The SQL that a person would write by hand for one dataset, bodies fetched but not decoded.

    The connection has the settings of the package's own. Row numbers are what cursors hold.
    """

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.execute("PRAGMA cache_size=-65536")
        self._connection.execute("PRAGMA mmap_size=1073741824")
        query = "SELECT set_id FROM datasets ORDER BY created_us LIMIT 1"
        (self.set_id,) = self._connection.execute(query).fetchone()

    def page(self, limit: int, after: int = 0) -> list[Any]:
        """One page by position."""
        return self._connection.execute(
            "SELECT r.*, p.data FROM (SELECT * FROM records WHERE set_id = ? AND seq > ? "
            "ORDER BY seq LIMIT ?) r JOIN payloads p ON p.seq = r.seq ORDER BY r.seq",
            (self.set_id, after, limit + 1),
        ).fetchall()

    def topic_page(self, topic: str, limit: int) -> list[Any]:
        """First page of the valid records of a topic."""
        return self._connection.execute(
            "SELECT r.*, p.data FROM (SELECT * FROM records WHERE set_id = ? AND topic = ? "
            "AND is_valid = 1 ORDER BY seq LIMIT ?) r JOIN payloads p ON p.seq = r.seq "
            "ORDER BY r.seq",
            (self.set_id, topic, limit + 1),
        ).fetchall()

    def count(self, topic: str, valid: int) -> int:
        """Count the records of a topic that are valid, or those that are not."""
        query = "SELECT count(*) FROM records WHERE set_id = ? AND topic = ? AND is_valid = ?"
        (number,) = self._connection.execute(query, (self.set_id, topic, valid)).fetchone()
        return int(number)

    def row_numbers(self, record_ids: Sequence[str]) -> list[int]:
        """Row number of each record id."""
        query = "SELECT seq FROM records WHERE set_id = ? AND id = ?"
        return [
            int(self._connection.execute(query, (self.set_id, key)).fetchone()[0])
            for key in record_ids
        ]

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


class TextTable:
    """A plain table with the text of each line, scanned with LIKE."""

    def __init__(self, jsonl: Path, path: Path, say: Callable[[str], None]) -> None:
        fresh = not path.exists()
        part = path.with_suffix(".part") if fresh else path
        part.unlink(missing_ok=True) if fresh else None
        self._connection = sqlite3.connect(part)
        if not fresh:
            return
        say(f"writing {path.name}")
        self._connection.execute("PRAGMA journal_mode=OFF")
        self._connection.execute("CREATE TABLE texts (seq INTEGER PRIMARY KEY, text TEXT NOT NULL)")
        for lines in chunks_of_lines(jsonl):
            self._connection.executemany(
                "INSERT INTO texts(text) VALUES (?)", ((text,) for text in texts_of(lines))
            )
        self._connection.commit()
        self._connection.close()
        part.rename(path)
        self._connection = sqlite3.connect(path)

    def scan(self, part: str) -> int:
        """Count the texts that contain something."""
        (found,) = self._connection.execute(
            "SELECT count(*) FROM texts WHERE text LIKE ?", (f"%{part}%",)
        ).fetchone()
        return int(found)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def texts_of(lines: Sequence[bytes]) -> Iterator[str]:
    """Text of all messages of each line that holds a conversation."""
    for value in loads_keeping(lines):
        messages = value.get("messages")
        if isinstance(messages, list):
            yield "\n".join(message.get("content") or "" for message in messages)


WORD = re.compile(r"[a-z]{5,}")
"""Plain words, long enough to be looked for."""
