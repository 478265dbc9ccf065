"""Results as an SQLite database: one table a kind of thing, each row with the id of its note (see `_TABLES`).

Lists in a column are joined with "; ", warnings with a line feed. `carried` is a JSON object. Procedures and entities
are not here: who needs them takes Parquet or JSONL.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any

from extractor.batch.sources import printable
from extractor.batch.tables.rows import (
    MISSHAPEN,
    SEPARATOR,
    Row,
    batches,
    claims_of_lines,
    misshapen,
    removed_on_error,
    to_disk,
    unwritable,
)
from extractor.errors import InputError

# The size of a page and the encoding belong to the bytes of the file. No journal and no waiting for the disk: the file
# is new, nobody else knows it, and it is removed when anything fails.
_SETTINGS = """
PRAGMA page_size = 4096;
PRAGMA encoding = 'UTF-8';
PRAGMA auto_vacuum = NONE;
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA user_version = 2;
"""

# position: of the note in the run, from 1. line, number: within the note, from 1; evidence.number is that of its line
# line, query or supply. lines.modifiers and lines.units: see `claims_of_lines`; the table claim has the claim lines
# themselves, and suggested the modifiers that a person may add to them (number: of the claim line). What a result of an
# older version does not have is NULL. notes.text_digest is the digest of the note's text; the text itself is not here.
_TABLES = """
CREATE TABLE notes (
    id TEXT NOT NULL PRIMARY KEY, position INTEGER NOT NULL, status TEXT NOT NULL, imaging TEXT NOT NULL,
    injectate TEXT NOT NULL, target TEXT NOT NULL, warnings TEXT NOT NULL, engine TEXT, patterns TEXT, codes TEXT,
    profile TEXT, overlay TEXT, profile_hash TEXT, date_of_service TEXT, descriptors TEXT,
    supplies INTEGER, text_digest TEXT, carried TEXT NOT NULL
);
CREATE TABLE lines (
    note_id TEXT NOT NULL REFERENCES notes (id), line INTEGER NOT NULL, code TEXT NOT NULL, side TEXT NOT NULL,
    joints TEXT NOT NULL, label TEXT, descriptor TEXT, rule TEXT, modifiers TEXT NOT NULL, units INTEGER
);
CREATE TABLE claim (
    note_id TEXT NOT NULL REFERENCES notes (id), number INTEGER NOT NULL, code TEXT NOT NULL, modifiers TEXT NOT NULL,
    units INTEGER NOT NULL
);
CREATE TABLE suggested (
    note_id TEXT NOT NULL REFERENCES notes (id), number INTEGER NOT NULL, modifier TEXT NOT NULL, reason TEXT NOT NULL
);
CREATE TABLE supplies (
    note_id TEXT NOT NULL REFERENCES notes (id), number INTEGER NOT NULL, code TEXT NOT NULL, units INTEGER NOT NULL,
    modifiers TEXT NOT NULL, name TEXT NOT NULL, amount TEXT, reason TEXT
);
CREATE TABLE evidence (
    note_id TEXT NOT NULL REFERENCES notes (id), kind TEXT NOT NULL CHECK (kind IN ('line', 'query', 'supply')),
    number INTEGER NOT NULL, start INTEGER NOT NULL, "end" INTEGER NOT NULL, text TEXT NOT NULL, section TEXT
);
CREATE TABLE queries (
    note_id TEXT NOT NULL REFERENCES notes (id), number INTEGER NOT NULL, query TEXT NOT NULL, question TEXT NOT NULL
);
CREATE TABLE rejected (note_id TEXT NOT NULL REFERENCES notes (id), code TEXT NOT NULL, reason TEXT NOT NULL);
CREATE VIEW code_lines AS
    SELECT notes.id, notes.position, notes.status, lines.line, lines.code, lines.side, lines.joints, lines.modifiers,
        lines.units, lines.label, lines.descriptor, lines.rule, notes.imaging, notes.injectate, notes.target,
        notes.warnings, notes.engine, notes.patterns, notes.codes, notes.profile, notes.overlay, notes.profile_hash,
        notes.date_of_service, notes.descriptors,
        notes.supplies, notes.text_digest, notes.carried
    FROM lines JOIN notes ON notes.id = lines.note_id;
"""

# Made when all rows are in: faster, and the tree is packed.
_INDEXES = """
CREATE INDEX notes_status ON notes (status);
CREATE INDEX lines_note ON lines (note_id, line);
CREATE INDEX lines_code ON lines (code);
CREATE INDEX claim_note ON claim (note_id, number);
CREATE INDEX claim_code ON claim (code);
CREATE INDEX suggested_note ON suggested (note_id, number);
CREATE INDEX suggested_modifier ON suggested (modifier);
CREATE INDEX supplies_note ON supplies (note_id, number);
CREATE INDEX supplies_code ON supplies (code);
CREATE INDEX evidence_note ON evidence (note_id, kind, number);
CREATE INDEX queries_note ON queries (note_id, number);
CREATE INDEX queries_query ON queries (query);
CREATE INDEX rejected_note ON rejected (note_id);
CREATE INDEX rejected_code ON rejected (code);
"""


def write_sqlite(lines: Iterable[bytes], path: Path) -> int:
    """Writes the database, one transaction a batch, and returns the number of notes. Errors: see `FORMS`.

    What stood under the path is replaced.
    """
    if path.is_file():
        path.unlink()  # an older one would be added to
    elif path.exists():
        raise unwritable(path, "not a file")
    with removed_on_error(path):
        try:
            with closing(sqlite3.connect(path, isolation_level=None)) as database:
                count = _fill(database, lines)
        except sqlite3.OperationalError as error:  # no such folder, the disk is full: the message names no rows
            raise unwritable(path, error) from None
        with path.open("rb+") as stream:
            to_disk(stream.fileno())
    return count


def _fill(database: sqlite3.Connection, lines: Iterable[bytes]) -> int:
    database.executescript(_SETTINGS + _TABLES)
    position = 0
    for rows in batches(lines):
        database.execute("BEGIN")
        for row in rows:
            position += 1
            try:
                _insert(database, row, position)
            except sqlite3.OperationalError:  # of the file, not of the row
                raise
            except (sqlite3.Error, *MISSHAPEN):
                raise misshapen(row) from None
        database.execute("COMMIT")
        del rows  # or two batches stand in memory while the next one is read
    database.executescript(_INDEXES)
    return position


def _insert(database: sqlite3.Connection, row: Row, position: int) -> None:
    note, join = row["id"], SEPARATOR.join
    summary, versions = row["summary"], row["versions"]
    used = (join(summary["imaging"]), join(summary["injectate"]), join(summary["target"]), "\n".join(row["warnings"]))
    made_with = [versions[name] for name in ("engine", "patterns", "codes", "profile")]
    made_with += [
        versions.get(name) for name in ("overlay", "profile_hash", "date_of_service", "descriptors", "supplies", "text")
    ]
    try:
        database.execute(_into("notes", 18), (note, position, row["status"], *used, *made_with, row["carried"]))
    except sqlite3.IntegrityError:
        if not database.execute("SELECT 1 FROM notes WHERE id = ?", (note,)).fetchone():
            raise
        raise InputError(f"result {printable(note)}: this id stands twice") from None
    lines, claim, suggested, supplies, queries, evidence = [], [], [], [], [], []
    claimed = claims_of_lines(row)
    for number, line in enumerate(row["lines"], start=1):
        own = (line["code"], line["side"], join(line["joints"]), line["label"], line.get("descriptor"), line["rule"])
        lines.append((note, number, *own, *claimed[number - 1]))
        evidence += [(note, "line", number, *_words(words)) for words in line["evidence"]]
    for number, item in enumerate(row["claim"], start=1):
        claim.append((note, number, item["code"], join(item["modifiers"]), item["units"]))
        suggested += [(note, number, one["modifier"], one["reason"]) for one in item.get("suggested") or ()]
    for number, item in enumerate(row["supplies"], start=1):
        own = (item["code"], item["units"], join(item["modifiers"]), item["name"], item["amount"], item["reason"])
        supplies.append((note, number, *own))
        evidence += [(note, "supply", number, *_words(words)) for words in item["evidence"]]
    for number, query in enumerate(row["queries"], start=1):
        queries.append((note, number, query["id"], query["question"]))
        evidence += [(note, "query", number, *_words(words)) for words in query["evidence"]]
    database.executemany(_into("lines", 10), lines)
    database.executemany(_into("claim", 5), claim)
    database.executemany(_into("suggested", 4), suggested)
    database.executemany(_into("supplies", 8), supplies)
    database.executemany(_into("evidence", 7), evidence)
    database.executemany(_into("queries", 4), queries)
    database.executemany(_into("rejected", 3), ((note, item["code"], item["reason"]) for item in row["rejected"]))


def _words(words: Mapping[str, Any]) -> tuple[Any, ...]:
    return words["start"], words["end"], words["text"], words["section"]


@cache
def _into(table: str, columns: int) -> str:
    return f"INSERT INTO {table} VALUES ({', '.join('?' * columns)})"
