"""The Cosmos stand-in's documents, in one SQLite file.

A write is acknowledged once SQLite has committed it to the write-ahead log, which survives the
death of the process (not a power cut: the log is not forced to the disk with every commit).
"""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (
    container TEXT NOT NULL,
    partition_key TEXT NOT NULL,
    id TEXT NOT NULL,
    version INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (container, partition_key, id)
) WITHOUT ROWID
"""


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
    """A document as its author wrote it, and the version that its ETag is made of."""

    body: dict[str, Any]
    version: int


class Storage:
    """Documents by key. Raises sqlite3.DatabaseError if `path` is no database of ours."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.execute(_SCHEMA)
        (self.version,) = self._connection.execute(
            "SELECT coalesce(max(version), 0) FROM documents"
        ).fetchone()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Read and write as one step, against other processes on the same file too."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def get(self, key: Key) -> Stored | None:
        """The document, if there is one."""
        row = self._connection.execute(
            "SELECT body, version FROM documents WHERE container = ? AND partition_key = ?"
            " AND id = ?",
            (key.container, key.partition_key, key.id),
        ).fetchone()
        return row and Stored(json.loads(row[0]), row[1])

    def put(self, key: Key, body: dict[str, Any]) -> Stored:
        """Write the document, new or not, as a new version."""
        self.version += 1
        self._connection.execute(
            "INSERT OR REPLACE INTO documents VALUES (?, ?, ?, ?, ?)",
            (key.container, key.partition_key, key.id, self.version, json.dumps(body)),
        )
        return Stored(body, self.version)

    def remove(self, key: Key) -> None:
        """Delete the document."""
        self.version += 1
        self._connection.execute(
            "DELETE FROM documents WHERE container = ? AND partition_key = ? AND id = ?",
            (key.container, key.partition_key, key.id),
        )

    def close(self) -> None:
        """Fold the write-ahead log into the file and close it."""
        self._connection.close()
