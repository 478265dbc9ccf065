"""An earlier result file of `facetcode run`, to be asked for the result of one note after another.

Only where each result begins is kept, in a database of SQLite's own without a name (as `extractor.batch.ids` does): a
file of any size needs no more memory.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from types import TracebackType

from extractor.batch.readers.streams import MOST_BYTES, PACKED
from extractor.batch.sources import printable
from extractor.errors import InputError


class Results:
    """The results of a JSONL file by the ids of their notes; of two with the same id the first counts.

    `complain` gets one line for each record that is no result. InputError: the file cannot be read.
    """

    def __init__(self, path: Path, complain: Callable[[str], object]) -> None:
        self._name = printable(str(path))
        if path.suffix.lower() in (*PACKED, ".parquet", ".csv", ".sqlite", ".db"):
            raise InputError(f"{self._name}: give the results as JSONL, and unpacked")
        try:
            self._file = path.open("rb")
        except OSError as error:
            raise InputError(f"{self._name}: cannot be read ({error.strerror})") from None
        self._key = os.urandom(16)
        self._places = sqlite3.connect("", isolation_level=None)
        self._places.execute("CREATE TABLE places (digest INTEGER PRIMARY KEY, place INTEGER, asked INTEGER)")
        self._places.execute("BEGIN")
        self.failed = 0
        self._index(complain)

    def __enter__(self) -> Results:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()
        self._places.close()

    def line(self, note_id: str) -> bytes | None:
        """The result of a note as JSON, or None."""
        digest = self._digest(note_id)
        found = self._places.execute("SELECT place FROM places WHERE digest = ?", (digest,)).fetchone()
        if found is None:
            return None
        self._file.seek(found[0])
        line = self._file.readline()
        if json.loads(line).get("id") != note_id:
            return None  # another id with the same digest
        self._places.execute("UPDATE places SET asked = 1 WHERE digest = ?", (digest,))
        return line

    @property
    def never_asked(self) -> int:
        """How many results there are that no note has asked for."""
        count: int = self._places.execute("SELECT count(*) FROM places WHERE asked = 0").fetchone()[0]
        return count

    def _index(self, complain: Callable[[str], object]) -> None:
        number = place = 0
        while line := self._file.readline(MOST_BYTES):
            number += 1
            if line.strip():
                reason = self._take(line.removeprefix(b"\xef\xbb\xbf"), place + 3 * line.startswith(b"\xef\xbb\xbf"))
                if reason:
                    self.failed += 1
                    complain(f"{self._name} line {number}: {reason}")
            place += len(line)

    def _take(self, line: bytes, place: int) -> str:
        """Keeps where a result stands; what is wrong with it, if anything is."""
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            return "not JSON"
        note_id = record.get("id") if isinstance(record, dict) else None
        if not isinstance(note_id, str) or "status" not in record or "lines" not in record:
            return "not a result of facetcode run"
        try:
            self._places.execute("INSERT INTO places VALUES (?, ?, 0)", (self._digest(note_id), place))
        except sqlite3.IntegrityError:
            return f"id {printable(note_id)} stands twice"
        return ""

    def _digest(self, note_id: str) -> int:
        encoded = blake2b(note_id.encode("utf-8", "surrogatepass"), digest_size=8, key=self._key).digest()
        return int.from_bytes(encoded, "big", signed=True)
