"""The Cosmos stand-in's documents, in one SQLite file.

A write is acknowledged once SQLite has committed it to the write-ahead log, which survives the
death of the process (not a power cut: the log is not forced to the disk with every commit).
Knows containers, keys, the index, time to live and old snapshots; no HTTP and no SQL of Cosmos DB.
"""

import json
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Raise it with every change of the tables or of what the app stores in them.
FORMAT = 2

# All that differs between a document and a document of the past.
_COLUMNS = """
    container TEXT NOT NULL,
    partition_key TEXT NOT NULL,
    id TEXT NOT NULL,
    lsn INTEGER NOT NULL,
    etag TEXT NOT NULL,
    sort_key TEXT NOT NULL,
    ttl INTEGER,
    written INTEGER NOT NULL,
    body TEXT NOT NULL
"""

_SCHEMA = f"""
BEGIN;
CREATE TABLE documents ({_COLUMNS}, PRIMARY KEY (container, partition_key, id)) WITHOUT ROWID;
CREATE INDEX by_sort_key ON documents (container, sort_key, partition_key, id);
CREATE TABLE state (lsn INTEGER NOT NULL);
INSERT INTO state VALUES (0);
PRAGMA user_version = {FORMAT};
COMMIT;
"""

_PAST = f"""
CREATE TEMP TABLE past ({_COLUMNS}, replaced INTEGER NOT NULL,
    PRIMARY KEY (container, partition_key, id, lsn)) WITHOUT ROWID;
CREATE INDEX temp.past_by_sort_key ON past (container, sort_key, partition_key, id);
"""

_READ = "partition_key, id, sort_key, etag, body"
_AS_OF = f"""(
    SELECT container, lsn, ttl, written, {_READ} FROM documents WHERE lsn <= :as_of
    UNION ALL
    SELECT container, lsn, ttl, written, {_READ} FROM past
    WHERE lsn <= :as_of AND replaced > :as_of
)"""
_THIS_KEY = "container = :container AND partition_key = :partition_key AND id = :id"
_LIVE = " AND (coalesce(ttl, :default_ttl) = -1 OR written + coalesce(ttl, :default_ttl) > :now)"

Place = tuple[str, str, str]
"""Where a document stands in the index: sort key, partition key, id."""


class UnknownFormat(Exception):
    """The file was written by another version. The text says what to do about it."""


@dataclass(frozen=True, slots=True)
class Key:
    """Where a document is: an id is unique within one partition key of one container.

    `partition_key` is JSON text, because null, "null" and absent are three different keys.
    """

    container: str
    partition_key: str
    id: str


@dataclass(frozen=True, slots=True)
class Stored:
    """A document as its author wrote it, with `_ts`, and its ETag."""

    body: dict[str, Any]
    etag: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A document as a scan finds it; its body is JSON text, of many nobody asks for more."""

    place: Place
    etag: str
    text: str

    @property
    def partition_key(self) -> str:
        """Whose it is, as in `Key`."""
        return self.place[1]

    def load(self) -> Stored:
        """The document itself."""
        return Stored(json.loads(self.text), self.etag)


@dataclass(frozen=True, slots=True)
class Bound:
    """One end of a range of sort keys. `inclusive`: the value itself belongs to it."""

    value: str
    inclusive: bool


class Storage:
    """Documents by key, and in the order of their `sort_key`: the one path that is indexed.

    `clock`, in seconds since the epoch, dates the documents. `default_ttl_seconds` is the
    container's: documents without a `ttl` of their own live so long (-1: for ever), and None
    switches time to live off for all. An expired document is as if it had never been.

    `lag` is how many transactions a reader may be behind that asks for a snapshot. It may be
    changed at any time and from any thread; what was written before it was raised is seen.

    Raises UnknownFormat, or sqlite3.DatabaseError if `path` is no database at all.
    """

    def __init__(
        self,
        path: Path,
        *,
        clock: Callable[[], float] = time.time,
        default_ttl_seconds: int | None = -1,
    ) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.lag = 0
        self._clock = clock
        self._default_ttl = default_ttl_seconds
        self._live = "" if default_ttl_seconds is None else _LIVE
        self._connection = sqlite3.connect(path, isolation_level=None)
        try:
            self._open(path)
        except BaseException:
            self._connection.close()
            raise
        # Of the transaction under way: whether it keeps the past, and its number, 0 till it writes.
        self._keeps_past = False
        self._writing = 0
        # Older snapshots cannot be told: nobody kept what they showed.
        self._kept_since = self.lsn()

    def _open(self, path: Path) -> None:
        execute = self._connection.execute
        (found,) = execute("PRAGMA user_version").fetchone()
        is_new = not found and not execute("SELECT 1 FROM sqlite_schema").fetchone()
        if not is_new and found != FORMAT:
            raise UnknownFormat(
                f"{path} was written by another version of the stand-in (format {found}, this is"
                f" {FORMAT}). Remove {path}, with the documents in it, or choose another file."
            )
        execute("PRAGMA journal_mode = WAL")
        execute("PRAGMA synchronous = NORMAL")
        if is_new:
            self._connection.executescript(_SCHEMA)
        self._connection.executescript(_PAST)

    def lsn(self) -> int:
        """The number of the last transaction that wrote (log sequence number)."""
        (lsn,) = self._connection.execute("SELECT lsn FROM state").fetchone()
        return int(lsn)

    def snapshot(self, at_least: int) -> int | None:
        """The transaction up to which a lagging reader sees who has seen `at_least`.

        None if nothing lags.
        """
        if not self.lag:
            return None
        newest = self.lsn()
        return min(newest, max(newest - self.lag, self._kept_since, at_least))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Read and write as one step, against other processes on the same file too."""
        self._connection.execute("BEGIN IMMEDIATE")
        self._keeps_past, self._writing = self.lag > 0, 0
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        if self._writing and self._keeps_past:
            self._connection.execute(
                "DELETE FROM past WHERE replaced <= ?", (self._writing - self.lag,)
            )
        self._connection.execute("COMMIT")
        if self._writing and not self._keeps_past:
            self._kept_since = self._writing

    def get(self, key: Key, as_of: int | None = None) -> Stored | None:
        """The document, if there is one; with `as_of` as that transaction left it."""
        row = self._connection.execute(
            f"SELECT body, etag FROM {_source(as_of)} WHERE {_THIS_KEY}{self._live}",
            {**_names(key), **self._times(), "as_of": as_of},
        ).fetchone()
        return row and Stored(json.loads(row[0]), row[1])

    def scan(
        self,
        container: str,
        *,
        low: Bound | None,
        high: Bound | None,
        after: Place | None = None,
        descending: bool = False,
        as_of: int | None = None,
    ) -> Iterator[Entry]:
        """The documents of a range of the index, in its order, whoever they belong to.

        Nothing outside of the range is touched. Documents without a `sort_key` come first.
        `after`: begin behind that place, in the direction of the scan.
        """
        where = ["container = :container"]
        if after:
            where.append(f"(sort_key, partition_key, id) {'<' if descending else '>'} (:s, :p, :i)")
            # The index is then entered at that place, not at the end of the range.
            low, high = (
                (low, Bound(after[0], True)) if descending else (Bound(after[0], True), high)
            )
        if low:
            where.append(f"sort_key {'>=' if low.inclusive else '>'} :low")
        if high:
            where.append(f"sort_key {'<=' if high.inclusive else '<'} :high")
        way = "DESC" if descending else "ASC"
        rows = self._connection.execute(
            f"SELECT {_READ} FROM {_source(as_of)} WHERE {' AND '.join(where)}{self._live}"
            f" ORDER BY sort_key {way}, partition_key {way}, id {way}",
            {
                **self._times(),
                "container": container,
                "low": low and low.value,
                "high": high and high.value,
                **dict(zip("spi", after or (None, None, None), strict=True)),
                "as_of": as_of,
            },
        )
        for partition_key, id_, sort_key, etag, text in rows:
            yield Entry((sort_key, partition_key, id_), etag, text)

    def put(self, key: Key, body: dict[str, Any]) -> Stored:
        """Write the document, new or not, with a new ETag. Inside a transaction."""
        self._replace(key)
        written = int(self._clock())
        stored = Stored({**body, "_ts": written}, f'"{secrets.token_hex(16)}"')
        self._connection.execute(
            "INSERT OR REPLACE INTO documents VALUES (:container, :partition_key, :id, :lsn, :etag,"
            " :sort_key, :ttl, :written, :body)",
            {
                **_names(key),
                "lsn": self._writing,
                "etag": stored.etag,
                "sort_key": body.get("sort_key", ""),
                "ttl": body.get("ttl"),
                "written": written,
                "body": json.dumps(stored.body),
            },
        )
        return stored

    def remove(self, key: Key) -> None:
        """Delete the document. Inside a transaction."""
        self._replace(key)
        self._connection.execute(f"DELETE FROM documents WHERE {_THIS_KEY}", _names(key))

    def close(self) -> None:
        """Fold the write-ahead log into the file and close it."""
        self._connection.close()

    def _replace(self, key: Key) -> None:
        """Number the transaction, and keep for lagging readers what was there before it."""
        if not self._writing:
            self._connection.execute("UPDATE state SET lsn = lsn + 1")
            self._writing = self.lsn()
        if self._keeps_past:
            self._connection.execute(
                f"INSERT INTO past SELECT *, :lsn FROM documents WHERE {_THIS_KEY} AND lsn < :lsn",
                {**_names(key), "lsn": self._writing},
            )

    def _times(self) -> dict[str, Any]:
        return {"now": self._clock(), "default_ttl": self._default_ttl}


def _source(as_of: int | None) -> str:
    return "documents" if as_of is None else _AS_OF


def _names(key: Key) -> dict[str, str]:
    return {"container": key.container, "partition_key": key.partition_key, "id": key.id}
