"""The decisions of reviewers in a SQLite file, with the notes that they are about. Nothing else is ever stored.

Every review is kept; of several on one note the last one counts. One note is one id with one text: another text under
the same id is another note. The file is made readable by its owner alone; one that others may read is refused.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from extractor.batch.sources import printable
from extractor.errors import InputError
from extractor.service.models import DecidedLine, ReviewedNote

SCHEMA_VERSION = 1
_APPLICATION = 0x66636465  # of ours, in the head of the file
_OWN = 0o600
_SCHEMA = """
CREATE TABLE reviews (
  id INTEGER PRIMARY KEY, note_id TEXT NOT NULL, text TEXT NOT NULL, profile TEXT NOT NULL, date_of_service TEXT,
  versions TEXT NOT NULL, proposed_status TEXT NOT NULL, unsettled INTEGER NOT NULL, reviewer TEXT NOT NULL,
  stored_at TEXT NOT NULL);
CREATE INDEX reviews_of_note ON reviews (note_id);
CREATE TABLE decisions (
  review INTEGER NOT NULL REFERENCES reviews (id), place INTEGER NOT NULL, decision TEXT NOT NULL, code TEXT NOT NULL,
  side TEXT NOT NULL, joints TEXT NOT NULL, proposed TEXT, reason TEXT NOT NULL, PRIMARY KEY (review, place))
  WITHOUT ROWID;
"""
_LAST = """SELECT id, note_id, text, profile, date_of_service, versions, proposed_status, unsettled, reviewer
  FROM reviews WHERE id IN (SELECT max(id) FROM reviews GROUP BY note_id, text) ORDER BY note_id, id"""
_LINES = "SELECT decision, code, side, joints, proposed, reason FROM decisions WHERE review = ? ORDER BY place"


class Store:
    """An open file, made where there is none. Threads may share it.

    Raises InputError when the file cannot be used, is none of ours or may be read by others; `add` also when it cannot
    be written.
    """

    def __init__(self, path: Path) -> None:
        self._shown = printable(str(path))
        self._lock = threading.Lock()
        with self._told():
            file = os.open(path, os.O_RDWR | os.O_CREAT, _OWN)  # -wal and -shm take the rights of the file
            try:
                shared = os.name == "posix" and os.fstat(file).st_mode & 0o077
            finally:
                os.close(file)
            if shared:
                raise InputError(f"{self._shown}: others on this machine may read or write it; chmod 600 it first")
            # resolved: to SQLite the name ":memory:" is no file
            self._connection = sqlite3.connect(path.resolve(), isolation_level=None, check_same_thread=False)
            try:
                self._prepare()
            except BaseException:
                self._connection.close()
                raise

    def _prepare(self) -> None:
        connection = self._connection
        if not connection.execute("SELECT 1 FROM sqlite_master").fetchone():
            connection.execute("PRAGMA journal_mode = WAL")
            stamps = f"PRAGMA application_id = {_APPLICATION}; PRAGMA user_version = {SCHEMA_VERSION};"
            connection.executescript(f"BEGIN; {_SCHEMA} {stamps} COMMIT;")
        _check(connection, self._shown)

    def add(self, note: ReviewedNote) -> int:
        """Keeps one review; how many there are now of this note."""
        with self._lock, self._told():
            connection = self._connection
            connection.execute("BEGIN IMMEDIATE")
            try:
                review = connection.execute(
                    "INSERT INTO reviews VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?)", _review_row(note)
                ).lastrowid
                connection.executemany(
                    "INSERT INTO decisions VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    ((review, place, *_line_row(line)) for place, line in enumerate(note.lines)),
                )
                count: int = connection.execute(
                    "SELECT count(*) FROM reviews WHERE note_id = ? AND text = ?", (note.id, note.text)
                ).fetchone()[0]
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
            return count

    def close(self) -> None:
        """Closes the file. What was kept is on the disk already."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Failures of file and database as InputError, without what they say of their values."""
        try:
            yield
        except OSError as error:
            raise InputError(f"{self._shown}: cannot be written ({error.strerror})") from None
        except sqlite3.Error as error:
            raise InputError(f"{self._shown}: cannot be used ({type(error).__name__})") from None


def last_reviews(path: Path) -> Iterator[ReviewedNote]:
    """The last review of each note, in the order of their ids; of several notes with one id, in that of the reviews.

    InputError when the file is none of ours or damaged.
    """
    shown = printable(str(path))
    if not path.is_file():
        raise InputError(f"{shown}: no such file")
    try:
        with closing(sqlite3.connect(path.resolve())) as connection:
            _check(connection, shown)
            for key, *review in connection.execute(_LAST):
                yield _note(review, connection.execute(_LINES, (key,)).fetchall())
    except sqlite3.Error as error:
        raise InputError(f"{shown}: cannot be read ({type(error).__name__})") from None
    except (ValidationError, ValueError):
        raise InputError(f"{shown}: holds a review that is none of ours") from None


def _check(connection: sqlite3.Connection, shown: str) -> None:
    if connection.execute("PRAGMA application_id").fetchone()[0] != _APPLICATION:
        raise InputError(f"{shown}: is no store of facetcode")
    if connection.execute("PRAGMA user_version").fetchone()[0] != SCHEMA_VERSION:
        raise InputError(f"{shown}: was made by another version of facetcode")


def _review_row(note: ReviewedNote) -> tuple[object, ...]:
    return (
        note.id,
        note.text,
        note.profile,
        note.date_of_service,
        note.versions.model_dump_json(),
        note.status,
        note.unsettled,
        note.reviewer,
        datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _line_row(line: DecidedLine) -> tuple[object, ...]:
    proposed = None if line.proposed is None else line.proposed.model_dump_json()
    return (line.decision, line.code, line.side, json.dumps(line.joints), proposed, line.reason)


def _note(review: list[object], lines: list[tuple[str, ...]]) -> ReviewedNote:
    names = ("id", "text", "profile", "date_of_service", "versions", "status", "unsettled", "reviewer")
    found = dict(zip(names, review, strict=True))
    found["versions"] = json.loads(str(found["versions"]))
    found["unsettled"] = bool(found["unsettled"])
    found["lines"] = [
        {
            "decision": decision,
            "code": code,
            "side": side,
            "joints": json.loads(joints),
            "proposed": None if proposed is None else json.loads(proposed),
            "reason": reason,
        }
        for decision, code, side, joints, proposed, reason in lines
    ]
    return ReviewedNote.model_validate(found)
