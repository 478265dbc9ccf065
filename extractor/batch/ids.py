"""The ids of a run, so that none is coded twice. What is kept of them lies in a database of SQLite's own that is in
memory as long as it is small and has no name where it is not: a run over millions of notes needs no more memory.
"""

from __future__ import annotations

import os
import sqlite3
from hashlib import blake2b
from types import TracebackType

_MEMORY = "PRAGMA cache_size = -1024"  # kB
_LONGEST_NUMBER = 18  # digits that SQLite holds
_NO_NAME = ""  # SQLite's sign for a database that nobody else sees


def nameless(table: str) -> sqlite3.Connection:
    """A database that nobody else sees, with one table; without its journal, and never waiting for the disk."""
    database = sqlite3.connect(_NO_NAME, isolation_level=None, check_same_thread=False)
    for statement in (_MEMORY, "PRAGMA journal_mode = OFF", table, "BEGIN"):
        database.execute(statement)
    return database


def digest_of(note_id: str, key: bytes) -> int:
    """The id as a number that tells nothing of it to who does not have the key of this run."""
    return int.from_bytes(blake2b(note_id.encode(), digest_size=8, key=key).digest(), "big", signed=True)


class Ids:
    """The ids that came before, in three numbers each: a digest of 8 bytes (two of ten million different ids have the
    same one with a chance of 1 in 300,000), the number of a name and a number behind it. The digest has a key of this
    run, so that nobody can find out from it whose note was read."""

    def __init__(self) -> None:
        self._key = os.urandom(16)
        self._names: list[str] = []
        self._places = nameless("CREATE TABLE places (digest INTEGER PRIMARY KEY, name INTEGER, number INTEGER)")

    def __enter__(self) -> Ids:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._places.close()

    def first(self, note_id: str, where: str) -> str:
        """Where the id stood first; "" when it is new.

        >>> with Ids() as ids:
        ...     [ids.first("a", "x.jsonl line 1"), ids.first("b", "y.txt"), ids.first("a", "y.txt")]
        ['', '', 'x.jsonl line 1']
        """
        digest = digest_of(note_id, self._key)
        name, _, last = where.rpartition(" ")
        counted = last.isascii() and last.isdigit() and last[0] != "0" and len(last) <= _LONGEST_NUMBER
        number = int(last) if counted else 0  # "x.jsonl line 3"
        name = name if number else where
        if not self._names or self._names[-1] != name:
            self._names.append(name)
        try:
            self._places.execute("INSERT INTO places VALUES (?, ?, ?)", (digest, len(self._names) - 1, number))
        except sqlite3.IntegrityError:
            known = "SELECT name, number FROM places WHERE digest = ?"
            at, number = self._places.execute(known, (digest,)).fetchone()
            return f"{self._names[at]} {number}" if number else self._names[at]
        return ""
