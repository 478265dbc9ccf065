"""The records of a result file (JSONL), found by the id of their note: the file is read once from end to end, and then
at the places of its records, in whatever order the notes come. What is kept is three numbers a record (see
`extractor.batch.ids`), so that memory does not grow with the file.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, cast, get_args

from extractor.batch.decoding import is_utf16, other_format
from extractor.batch.ids import digest_of, nameless
from extractor.batch.readers.items import is_date, is_unicode, printable
from extractor.batch.readers.streams import MOST_BYTES, PACKED, too_long
from extractor.errors import InputError
from extractor.schema import Status

_TABLES = {".parquet": "Parquet", ".csv": "CSV", ".tsv": "CSV", ".sqlite": "SQLite", ".db": "SQLite"}
_SQLITE = b"SQLite format 3\x00"
_MARK = b"\xef\xbb\xbf"
_PIECE = 1 << 16


@dataclass(frozen=True, slots=True)
class Stamped:
    """What a record says of how it was made, as far as it is needed to make it again."""

    id: str
    profile: str
    date_of_service: str | None


@dataclass(frozen=True, slots=True)
class Unusable:
    """A line of the file that cannot be replayed, and why."""

    where: str
    reason: str


def parsed(line: bytes) -> Any:
    """The record of a line. InputError: it holds none."""
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        raise InputError("not valid JSON") from None


def stamped(record: object) -> Stamped:
    """The stamps of a record. InputError: it is no result.

    >>> stamped({"id": "n1", "status": "coded", "versions": {"profile": "cpt"}})
    Stamped(id='n1', profile='cpt', date_of_service=None)
    >>> stamped({"id": "n1", "source": "notes.jsonl line 1", "reason": "text is empty"})
    Traceback (most recent call last):
    extractor.errors.InputError: tells of a note that failed, and is no result
    """
    if not isinstance(record, Mapping):
        raise InputError("no result of facetcode run")
    note, versions = record.get("id"), record.get("versions")
    if isinstance(versions, Mapping) and isinstance(note, str) and record.get("status") in get_args(Status):
        profile, day = versions.get("profile"), versions.get("date_of_service")
        if is_unicode(note) and isinstance(profile, str):
            if day is None or (isinstance(day, str) and is_date(day)):
                return Stamped(note, profile, day)
            raise InputError("the date of service in its versions is no date like 2026-01-31")
    elif "source" in record and "reason" in record:
        raise InputError("tells of a note that failed, and is no result")
    raise InputError("no result of facetcode run")


class Results:
    """An open result file: `read` it to its end first, then take its records. Leave it by `close` (`with Results(path)
    as results`).

    InputError: the file cannot be read or is no JSONL.
    """

    def __init__(self, path: Path) -> None:
        self.shown = printable(str(path))
        self._stream = _opened(path, self.shown)
        self._key = os.urandom(16)
        self._places = nameless("CREATE TABLE places (digest INTEGER PRIMARY KEY, start INTEGER, number INTEGER)")

    def __enter__(self) -> Results:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Closes the file and forgets its ids."""
        self._stream.close()
        self._places.close()

    def read(self) -> Iterator[Unusable]:
        """Reads the file, and gives the lines that hold no record to replay: damaged, no result, or of an id that stood
        before. InputError at its end where it holds nothing."""
        start, number, empty = 0, 0, True
        while line := self._stream.readline(MOST_BYTES + 1):
            number += 1
            length = len(line)
            if length > MOST_BYTES:
                while line and not line.endswith(b"\n"):
                    line = self._stream.readline(_PIECE)
                    length += len(line)
                yield Unusable(self._where(number), too_long())
                empty = False
            elif not line.isspace():
                if reason := self._enter(start, number, line):
                    yield Unusable(self._where(number), reason)
                empty = False
            start += length
        if empty:
            raise InputError(f"{self.shown}: no results in this file")

    def take(self, note_id: str) -> tuple[str, bytes] | None:
        """Where the record of a note stands, and its line without the line feed; None where there is none left: each
        is given once."""
        digest = digest_of(note_id, self._key)
        found = self._places.execute("SELECT start, number FROM places WHERE digest = ?", (digest,)).fetchone()
        if found is None:
            return None
        line = self._line_at(found[0])
        if self._id_of(line) != note_id:  # of another note with the same digest: one in millions of millions
            return None
        self._places.execute("DELETE FROM places WHERE digest = ?", (digest,))
        return self._where(found[1]), line

    def left(self) -> Iterator[tuple[str, str]]:
        """Id and place of the records that nobody has taken, in the order of the file."""
        for start, number in self._places.execute("SELECT start, number FROM places ORDER BY start"):
            yield self._id_of(self._line_at(start)), self._where(number)

    def _where(self, number: int) -> str:
        return f"{self.shown} line {number}"

    def _id_of(self, line: bytes) -> str:
        try:
            return stamped(parsed(line)).id
        except InputError:
            raise InputError(f"{self.shown}: was changed while it was read") from None

    def _line_at(self, start: int) -> bytes:
        self._stream.seek(start)
        return self._stream.readline().removesuffix(b"\n")

    def _enter(self, start: int, number: int, line: bytes) -> str:
        """Remembers where the record of a line stands; why it cannot be replayed, else ""."""
        try:
            note = stamped(parsed(line)).id
        except InputError as error:
            return str(error) if line.endswith(b"\n") else f"{error} (the file breaks off here)"
        digest = digest_of(note, self._key)
        try:
            self._places.execute("INSERT INTO places VALUES (?, ?, ?)", (digest, start, number))
        except sqlite3.IntegrityError:
            known = "SELECT number FROM places WHERE digest = ?"
            (first,) = self._places.execute(known, (digest,)).fetchone()
            return f"id {printable(note)} stands twice (first: line {first})"
        return ""


def _opened(path: Path, shown: str) -> BinaryIO:
    """The file at its begin. InputError: see `Results`."""
    suffix = path.suffix.lower()
    if not path.exists():
        raise InputError(f"{shown}: no such file")
    if not path.is_file():
        raise InputError(f"{shown}: is no file: replay goes back and forth in it")
    if suffix in PACKED:
        raise InputError(f"{shown}: is packed, unpack it first")
    try:
        stream = path.open("rb")
    except OSError as error:
        raise InputError(f"{shown}: cannot be read ({error.strerror})") from None
    head = stream.read(len(_SQLITE))
    kind = _TABLES.get(suffix) or ("SQLite" if head == _SQLITE else other_format(head))
    if kind:
        stream.close()
        raise InputError(f"{shown}: is {kind}; only the JSONL of facetcode run has the bytes that replay compares")
    if is_utf16(head) or head.startswith(_MARK):
        stream.close()
        raise InputError(f"{shown}: begins with a byte order mark, so it is not as facetcode run wrote it")
    stream.seek(0)
    return cast(BinaryIO, stream)
