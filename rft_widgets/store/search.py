"""Search over message text.

SQLite: one contentless full-text table a record set plus a table of its distinct terms. A word is
looked for *inside* terms: the terms that contain it are found in the vocabulary and asked for
together. Words with punctuation or emoji, and phrases, are verified against the text itself.
PostgreSQL: a trigram index over the text.

Rows are indexed in order of their sequence number; ``record_sets.indexed_seq`` says how far that
is, so an index that was interrupted goes on where it stopped.
"""

from __future__ import annotations

import re
import sqlite3
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine import Connection

from rft_widgets.store.driver import sqlite_connection
from rft_widgets.store.payload import Body, Codec
from rft_widgets.store.schema import issues, payloads, record_sets, records, search_texts

if TYPE_CHECKING:
    from rft_widgets.store.connection import Store

CONTAINS = "rft_contains"
"""SQL function of SQLite connections: does the text of a compressed body contain this, folded?"""

_TRANSACTION_RECORDS = 50_000  # one segment of the index each; few segments keep words fast
_CHUNK_RECORDS = 2_000
_HASH_BYTES = 64 * 1024**2  # full-text rows held in memory before they are written as a segment
_SHORT_WAIT_MS = 20
_MAX_TERMS = 200  # more alternatives than this cost more than reading the texts


class Query(Struct, frozen=True):
    """A search, made ready for one record set.

    ``match`` is a full-text expression or empty; each of ``verify`` must stand in the text.
    """

    match: str
    verify: tuple[str, ...]
    nothing: bool = False
    """Whether it is known already that no record matches."""


def text_of(body: Body) -> str:
    """What a search looks at: the text of all messages and the names of called tools."""
    texts = []
    for message in (*body.input.messages, *body.output.messages):
        content = message.content
        if content:
            texts.append(content if type(content) is str else message.text)
        texts += [call.function.name for call in message.tool_calls if call.function is not None]
    return "\n".join(texts)


def fold(text: str) -> str:
    """Text as searches compare it: in lower case, with one sigma wherever it stands in a word."""
    return text.lower().replace("ς", "σ")  # noqa: RUF001


def prepare(store: Store, connection: Connection, set_id: int, search: str) -> Query:
    """Read a search as people type it, for the SQLite index of one record set."""
    alternatives: list[str] = []
    verify: list[str] = []
    for phrase, word in _PARTS.findall(search):
        needle = fold((phrase or word).strip())
        if not needle:
            continue
        tokens = _TOKENS.findall(needle)
        if tokens != [needle]:
            verify.append(needle)
        for token in tokens:
            terms = vocabulary(store, connection, set_id).containing(token, limit=_MAX_TERMS + 1)
            if not terms and token.isascii():
                return Query("", (), nothing=True)
            # No terms for other scripts: SQLite's tables of letters are older than Python's.
            if terms and len(terms) <= _MAX_TERMS:
                alternatives.append("(" + " OR ".join(f'"{term}"' for term in terms) + ")")
            elif token not in verify:
                verify.append(token)
    return Query(" AND ".join(alternatives), tuple(verify))


def needles(search: str) -> tuple[str, ...]:
    """Words and phrases of a search, folded: what PostgreSQL looks for."""
    found = (fold((phrase or word).strip()) for phrase, word in _PARTS.findall(search))
    return tuple(needle for needle in found if needle)


def contains_function(codec: Codec) -> Callable[[bytes, str], bool]:
    """Make the SQL function `CONTAINS` for a store's codec."""

    def contains(data: bytes, needle: str) -> bool:
        return needle in fold(text_of(codec.body(data)))

    return contains


def index_pending(store: Store, set_id: int) -> None:
    """Index the records of a set that are not indexed yet."""
    total = 0
    while True:
        with store.write() as connection:
            count = _index_some(store, connection, set_id, _TRANSACTION_RECORDS)
        total += count
        if count < _TRANSACTION_RECORDS:
            break
    if total > _CHUNK_RECORDS:
        _update_statistics(store)


def index_if_free(store: Store, set_id: int) -> bool:
    """Index what is pending unless somebody else writes; returns whether that was done."""
    try:
        with store.write(wait_ms=_SHORT_WAIT_MS) as connection:
            index_within(store, connection, set_id)
    except sa.exc.OperationalError as error:
        if "locked" not in str(error.orig):
            raise
        return False
    return True


def index_within(store: Store, connection: Connection, set_id: int) -> None:
    """Index what is pending as part of somebody else's write transaction."""
    while _index_some(store, connection, set_id, _TRANSACTION_RECORDS) == _TRANSACTION_RECORDS:
        pass


def rebuild_stale(store: Store) -> None:
    """Make the index of every set anew that still holds words of records that were erased."""
    if not store.is_sqlite:
        return  # there, texts go with their records
    with store.read() as connection:
        stale = connection.execute(
            sa.select(record_sets.c.id).where(
                record_sets.c.role == "live", record_sets.c.departed > 0
            )
        ).scalars()
        set_ids = list(stale)
    for set_id in set_ids:
        with store.write() as connection:
            raw = sqlite_connection(connection)
            raw.execute(f"DROP TABLE IF EXISTS {table_name(set_id)}")
            # Emptied, not dropped: its keys go on, so that no process keeps an old vocabulary.
            raw.execute(f"DELETE FROM {_terms_name(set_id)}")
            connection.execute(
                record_sets.update()
                .where(record_sets.c.id == set_id)
                .values(indexed_seq=0, departed=0)
            )
        index_pending(store, set_id)


def is_current(connection: Connection, set_id: int) -> bool:
    """Whether every record of a set is indexed."""
    newest = connection.execute(
        sa.select(sa.func.max(records.c.seq)).where(records.c.set_id == set_id)
    ).scalar()
    done = connection.execute(
        sa.select(record_sets.c.indexed_seq).where(record_sets.c.id == set_id)
    ).scalar()
    return newest is None or (done or 0) >= newest


def is_far_behind(connection: Connection, set_id: int) -> bool:
    """Whether more records wait for the index than a search should wait for."""
    done = sa.select(record_sets.c.indexed_seq).where(record_sets.c.id == set_id)
    waiting = (
        sa.select(records.c.seq)
        .where(records.c.set_id == set_id, records.c.seq > done.scalar_subquery())
        .order_by(records.c.seq)
        .offset(_CHUNK_RECORDS)
        .limit(1)
    )
    return connection.execute(waiting).first() is not None


def replace_text(
    store: Store, connection: Connection, set_id: int, seq: int, before: Body, after: Body
) -> None:
    """Index the new text of an edited record; one that is not indexed yet is left for its turn."""
    done = connection.execute(
        sa.select(record_sets.c.indexed_seq).where(record_sets.c.id == set_id)
    ).scalar_one()
    old, new = text_of(before), text_of(after)
    if seq > done or old == new:
        return
    if store.is_sqlite:
        table = table_name(set_id)
        raw = sqlite_connection(connection)
        raw.execute(
            f"INSERT INTO {table}({table}, rowid, text) VALUES ('delete', ?, ?)", (seq, old)
        )
        raw.execute(f"INSERT INTO {table}(rowid, text) VALUES (?, ?)", (seq, new))
        _add_terms(raw, set_id, [new])
    else:
        connection.execute(
            search_texts.update().where(search_texts.c.seq == seq).values(text=fold(new))
        )


def drop_index(store: Store, connection: Connection, set_id: int) -> None:
    """Remove the index of a set that is going away."""
    if store.is_sqlite:
        raw = sqlite_connection(connection)
        raw.execute(f"DROP TABLE IF EXISTS {table_name(set_id)}")
        raw.execute(f"DROP TABLE IF EXISTS {_terms_name(set_id)}")
    else:
        connection.execute(
            search_texts.delete().where(
                search_texts.c.seq.in_(sa.select(records.c.seq).where(records.c.set_id == set_id))
            )
        )


def table_name(set_id: int) -> str:
    """Name of the full-text table of a record set."""
    return f"search_{int(set_id)}"


_PARTS = re.compile(r'"([^"]*)"|(\S+)')
# The characters that SQLite's unicode61 tokenizer takes for parts of a word: letters and digits.
_TOKENS = re.compile(r"[^\W_]+")


class Vocabulary:
    """The distinct terms of a set, held as one text that is scanned in a millisecond."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._text = "\n"
        self._last_id = 0

    def load(self, rows: Sequence[tuple[int, str]]) -> None:
        """Append terms that were added since."""
        if rows:
            with self._lock:
                new = [term for key, term in rows if key > self._last_id]
                self._text += "".join(f"{term}\n" for term in new)
                self._last_id = max(self._last_id, rows[-1][0])

    @property
    def last_id(self) -> int:
        """Key of the newest term that is held."""
        return self._last_id

    def containing(self, part: str, limit: int) -> list[str]:
        """At most `limit` terms that contain `part`."""
        found: list[str] = []
        text, start = self._text, 0
        while len(found) < limit and (at := text.find(part, start)) >= 0:
            first = text.rfind("\n", 0, at) + 1
            end = text.index("\n", at)
            found.append(text[first:end])
            start = end
        return found


def vocabulary(store: Store, connection: Connection, set_id: int) -> Vocabulary:
    """The terms of a set, brought up to date. Only for read transactions: it keeps what it sees."""
    raw = sqlite_connection(connection)
    known = store.vocabularies.setdefault(set_id, Vocabulary())
    try:
        rows = raw.execute(
            f"SELECT id, term FROM {_terms_name(set_id)} WHERE id > ? ORDER BY id",
            (known.last_id,),
        ).fetchall()
    except sqlite3.OperationalError as error:
        if "no such table" not in str(error):
            raise
        rows = []  # nothing was indexed yet
    known.load(rows)
    return known


def _update_statistics(store: Store) -> None:
    # After a load the planner must learn which indexes are small.
    with store.write() as connection:
        if store.is_sqlite:
            connection.exec_driver_sql("PRAGMA analysis_limit=1000")
        for table in (records, payloads, issues):
            connection.exec_driver_sql(f"ANALYZE {table.name}")


def _index_some(store: Store, connection: Connection, set_id: int, limit: int) -> int:
    # One at a time: another process that indexes the same set waits here until this one is done.
    row = connection.execute(
        sa.select(record_sets.c.indexed_seq).where(record_sets.c.id == set_id).with_for_update()
    ).one_or_none()
    if row is None:
        return 0
    done = start = int(row.indexed_seq)
    if store.is_sqlite:
        _create_tables(sqlite_connection(connection), set_id)
    count = 0
    texts: list[tuple[int, str]] = []
    while count < limit:
        rows = connection.execute(
            sa.select(records.c.seq, payloads.c.data)
            .join(payloads, payloads.c.seq == records.c.seq)
            .where(records.c.set_id == set_id, records.c.seq > done)
            .order_by(records.c.seq)
            .limit(min(_CHUNK_RECORDS, limit - count))
        ).all()
        if not rows:
            break
        texts = [(seq, text_of(store.codec.body(data))) for seq, data in rows]
        if store.is_sqlite:
            table = table_name(set_id)
            sqlite_connection(connection).executemany(
                f"INSERT INTO {table}(rowid, text) VALUES (?, ?)", texts
            )
        else:
            connection.execute(
                search_texts.insert(), [{"seq": seq, "text": fold(text)} for seq, text in texts]
            )
        count += len(rows)
        done = rows[-1].seq
    if done > start:
        connection.execute(
            record_sets.update().where(record_sets.c.id == set_id).values(indexed_seq=done)
        )
    if store.is_sqlite:
        _update_terms(sqlite_connection(connection), set_id, texts, count, more=count == limit)
    return count


def _update_terms(
    raw: sqlite3.Connection, set_id: int, texts: list[tuple[int, str]], count: int, *, more: bool
) -> None:
    terms = _terms_name(set_id)
    if more:  # listing all terms takes long; it is owed until the last part of a load
        raw.execute(f"INSERT OR IGNORE INTO {terms}(term) VALUES ('')")
        return
    owed = raw.execute(f"SELECT 1 FROM {terms} WHERE term = ''").fetchone()
    if owed or count > _CHUNK_RECORDS:
        # The full-text table lists its own terms exactly as its tokenizer made them.
        _copy_terms(raw, set_id, "main", table_name(set_id))
        raw.execute(f"DELETE FROM {terms} WHERE term = ''")
    elif texts:
        _add_terms(raw, set_id, [text for _, text in texts])


def _create_tables(raw: sqlite3.Connection, set_id: int) -> None:
    table = table_name(set_id)
    if raw.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)).fetchone():
        return
    raw.execute(
        f"CREATE VIRTUAL TABLE {table} USING fts5(text, content='', detail=none, columnsize=0, "
        "tokenize='unicode61 remove_diacritics 0')"
    )
    raw.execute(f"INSERT INTO {table}({table}, rank) VALUES ('hashsize', {_HASH_BYTES})")
    # Segments are merged sixteen at a time instead of a little at every write: half the work.
    raw.execute(f"INSERT INTO {table}({table}, rank) VALUES ('automerge', 0)")
    raw.execute(
        f"CREATE TABLE IF NOT EXISTS {_terms_name(set_id)} "
        "(id INTEGER PRIMARY KEY AUTOINCREMENT, term TEXT UNIQUE)"
    )


def _add_terms(raw: sqlite3.Connection, set_id: int, texts: list[str]) -> None:
    # A few texts: let the same tokenizer list their terms instead of reading the whole index.
    raw.execute(
        "CREATE VIRTUAL TABLE IF NOT EXISTS temp.rft_some USING fts5(text, content='', "
        "detail=none, columnsize=0, tokenize='unicode61 remove_diacritics 0')"
    )
    raw.executemany("INSERT INTO temp.rft_some(rowid, text) VALUES (?, ?)", enumerate(texts))
    _copy_terms(raw, set_id, "temp", "rft_some")
    raw.execute("INSERT INTO temp.rft_some(rft_some) VALUES ('delete-all')")


def _copy_terms(raw: sqlite3.Connection, set_id: int, schema: str, table: str) -> None:
    raw.execute(
        f"CREATE VIRTUAL TABLE temp.rft_terms USING fts5vocab('{schema}', '{table}', 'row')"
    )
    raw.execute(
        f"INSERT OR IGNORE INTO {_terms_name(set_id)}(term) SELECT term FROM temp.rft_terms"
    )
    raw.execute("DROP TABLE temp.rft_terms")


def _terms_name(set_id: int) -> str:
    return f"search_{int(set_id)}_terms"
