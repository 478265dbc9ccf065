"""Results as CSV: one row a code line, for people and their spreadsheets.

UTF-8 without a mark, line feeds, cells quoted as RFC 4180 says. A list in a cell is joined with "; ". A note without
lines has one row with these columns empty, so that no note is lost. The columns:

    id, status                    of the note
    line                          number of the code line within the note, from 1
    code, side, joints            of the code line
    modifiers, units              what the claim says of this code, on its first line only (see `claims_of_lines`);
                                  empty for a code that the profile writes with another number
    imaging, injectate, target    of the note, repeated on each of its rows
    queries                       ids of the open questions of the note, repeated
    evidence                      of the code line, "start-end" in code points, joined with ";"
    profile                       the claim profile
    claim                         all claim lines of the note, "CODE-MODIFIER-MODIFIER xUNITS", repeated
    suggested                     modifiers that a person may add to claim lines, "CODE-MODIFIER", repeated; never in
                                  `modifiers` or `claim`. Their reasons are in the JSON
    supplies                      drugs supplied, written as `claim`, repeated
    descriptor                    of the code line, where the user has given a file of them
    date_of_service               that the note was coded with; empty where none was known

A cell that begins with = + - @, a tab or a carriage return gets a ' in front: a spreadsheet would run it as a formula,
and ids are made by strangers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from extractor.batch.tables.rows import MISSHAPEN, SEPARATOR, Row, batches, claims_of_lines, created, misshapen

COLUMNS = (
    *("id", "status", "line", "code", "side", "joints", "modifiers", "units"),
    *("imaging", "injectate", "target", "queries", "evidence", "profile", "claim"),
    *("suggested", "supplies", "descriptor", "date_of_service"),
)


def write_csv(lines: Iterable[bytes], path: Path) -> int:
    """Writes the file and returns the number of notes. Errors: see `FORMS`."""
    count = 0
    with created(path) as stream:
        stream.write(_record(COLUMNS))
        for rows in batches(lines):
            stream.write(b"".join(_records(rows)))
            count += len(rows)
            del rows  # or two batches stand in memory while the next one is read
    return count


def _records(rows: Iterable[Row]) -> Iterator[bytes]:
    for row in rows:
        try:
            for cells in _cells(row):
                yield _record(cells)
        except MISSHAPEN:
            raise misshapen(row) from None


def _cells(row: Row) -> Iterator[tuple[str, ...]]:
    join = SEPARATOR.join
    summary = row["summary"]
    used = (join(summary["imaging"]), join(summary["injectate"]), join(summary["target"]))
    queries = join(query["id"] for query in row["queries"])
    last = (row["versions"]["profile"], join(map(_claim, row["claim"])), *_more(row))
    day = row["versions"].get("date_of_service") or ""
    if not row["lines"]:
        yield (row["id"], row["status"], "", "", "", "", "", "", *used, queries, "", *last, "", day)
    for number, (line, (modifiers, units)) in enumerate(zip(row["lines"], claims_of_lines(row), strict=True), start=1):
        evidence = ";".join(f"{words['start']}-{words['end']}" for words in line["evidence"])
        own = (str(number), line["code"], line["side"], join(line["joints"]))
        claimed = (modifiers, "" if units is None else str(units))
        yield (
            row["id"],
            row["status"],
            *own,
            *claimed,
            *used,
            queries,
            evidence,
            *last,
            line.get("descriptor") or "",
            day,
        )


def _more(row: Row) -> tuple[str, str]:
    """Suggested modifiers and supplies; a result of an older version has none."""
    suggested = [f"{item['code']}-{one['modifier']}" for item in row["claim"] for one in item.get("suggested") or ()]
    return SEPARATOR.join(suggested), SEPARATOR.join(map(_claim, row["supplies"]))


def _claim(item: dict[str, Any]) -> str:
    return "-".join((item["code"], *item["modifiers"])) + (f" x{item['units']}" if item["units"] != 1 else "")


def _record(cells: Iterable[str]) -> bytes:
    # By hand: the csv module of Python 3.11 leaves a carriage return unquoted where lines end with a line feed.
    return (",".join(map(_cell, cells)) + "\n").encode()


def _cell(value: str) -> str:
    r"""One cell, safe for spreadsheets, quoted where it must be.

    >>> print(_cell("L4-L5"), _cell("=1+1"), _cell('a "b", c'))
    L4-L5 '=1+1 "a ""b"", c"
    """
    if value.startswith(("=", "+", "-", "@", "\t", "\r")):
        value = "'" + value
    if '"' in value or "," in value or "\n" in value or "\r" in value:
        return '"' + value.replace('"', '""') + '"'
    return value


record = _record  # for other tables, as the audit's
