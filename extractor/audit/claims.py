"""Files of billed lines -> claims, one for each note: CSV with a header, or JSONL. A bad row is told and left out.

CSV: columns id and code; modifiers (parted by blanks, commas or "-"), modifier1 to modifier4, units, date_of_service
and profile if wanted. JSONL: {"id": "...", "claim": [{"code": "...", "modifiers": [...], "units": 1}], ...}.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from extractor.batch.readers.streams import Damaged, lines, open_bytes, too_long, unpacked
from extractor.batch.sources import is_date, is_unicode, printable
from extractor.errors import InputError

_CODE = re.compile(r"(?=[A-Z]*\d)[0-9A-Z]{5}")
_MODIFIER = re.compile(r"[0-9A-Z]{2}")
_SPLIT = re.compile(r"[\s,;:/|-]+")
_POINT_ZERO = re.compile(r"\.0*$")
_MOST_UNITS = 999
_MOST_LINES = 20  # of one cell
_MODIFIER_COLUMNS = ("modifiers", "modifier", "modifier1", "modifier2", "modifier3", "modifier4")
_COLUMNS = ("id", "code", *_MODIFIER_COLUMNS, "units", "date_of_service", "profile")


@dataclass(frozen=True, slots=True)
class Billed:
    """One billed line. `line` is its number within the claim, from 1; `place` where it stands in the file."""

    line: int
    place: str
    code: str
    modifiers: tuple[str, ...] = ()
    units: int = 1


@dataclass(slots=True)
class Claim:
    """The billed lines of one note."""

    id: str
    lines: list[Billed] = field(default_factory=list)
    day: str | None = None
    profile: str | None = None


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that could not be read; the reason holds no text of the file."""

    where: str
    reason: str


class _Wrong(Exception):
    """What is wrong with one row."""


def read_claims(path: Path, profiles: Iterable[str]) -> tuple[dict[str, Claim], list[BadRow]]:
    """All claims of a file by the id of their note, and the rows that are wrong. InputError: the file is no such file.

    `profiles` are the names that a row may give.
    """
    shown = printable(str(path))
    if not path.exists():
        raise InputError(f"{shown}: no such file")
    if path.is_dir() or not os.access(path, os.R_OK):
        raise InputError(f"{shown}: cannot be read")
    suffix = unpacked(path).suffix.lower()
    rows = _jsonl(path, shown) if suffix in (".jsonl", ".ndjson") else _table(path, shown)
    claims: dict[str, Claim] = {}
    bad: list[BadRow] = []
    known = frozenset(profiles)
    try:
        for where, row in rows:
            try:
                _add(claims, where, row, known)
            except _Wrong as error:
                bad.append(BadRow(where, str(error)))
    except Damaged as error:
        bad.append(BadRow(shown, str(error)))
    return claims, bad


def _add(claims: dict[str, Claim], where: str, row: Mapping[str, Any] | str, profiles: frozenset[str]) -> None:
    """One line into its claim; nothing of a wrong row stays."""
    if isinstance(row, str):
        raise _Wrong(row)
    id_ = row.get("id")
    if not isinstance(id_, str) or not id_.strip() or not is_unicode(id_):
        raise _Wrong("id is empty or not a string")
    day, profile = _text(row, "date_of_service") or None, _text(row, "profile") or None
    if day is not None and not is_date(day):
        raise _Wrong("date_of_service is not a date like 2026-01-31")
    if profile is not None and profile not in profiles:
        raise _Wrong(f"no such profile; known profiles: {', '.join(sorted(profiles))}")
    code, modifiers = _code(row)
    units = _units(row.get("units"))
    claim = claims.get(id_.strip()) or Claim(id_.strip())
    if (claim.day and day and claim.day != day) or (claim.profile and profile and claim.profile != profile):
        raise _Wrong("another date_of_service or profile than that of an earlier line of the same id")
    claim.day, claim.profile = claim.day or day, claim.profile or profile
    claim.lines.append(Billed(len(claim.lines) + 1, where, code, modifiers, units))
    claims[claim.id] = claim


def _text(row: Mapping[str, Any], key: str) -> str:
    value = row.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _Wrong(f"{key} is not a string")
    return value.strip()


def _code(row: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    """The code as the code book writes it, and the modifiers; those written behind the code too ("64493-50")."""
    value = row.get("code")
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not value.strip():
        raise _Wrong("code is empty or not a string")
    first, *behind = [part for part in _SPLIT.split(value.strip().upper()) if part]
    code = _POINT_ZERO.sub("", first).rjust(5, "0")  # a spreadsheet drops the first zero of 0216T
    if not _CODE.fullmatch(code):
        raise _Wrong("code is not five letters and digits")
    modifiers = [*behind]
    for column in _MODIFIER_COLUMNS:
        modifiers += _modifiers(row.get(column))
    if not all(map(_MODIFIER.fullmatch, modifiers)):
        raise _Wrong("a modifier is not two letters or digits")
    return code, tuple(dict.fromkeys(modifiers))


def _modifiers(value: object) -> list[str]:
    values = value if isinstance(value, list) else [] if value is None else [value]
    found: list[str] = []
    for item in values:
        if isinstance(item, bool) or not isinstance(item, str | int):
            raise _Wrong("a modifier is not a string")
        found += [_POINT_ZERO.sub("", part) for part in _SPLIT.split(str(item).strip().upper()) if part]
    return found


def _units(value: object) -> int:
    if value is None or (isinstance(value, str) and not value.strip()):
        return 1
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise _Wrong("units is not a whole number")
    text = _POINT_ZERO.sub("", str(value).strip())
    if not (text.isascii() and text.isdigit() and len(text) < 6 and 0 < int(text) <= _MOST_UNITS):
        raise _Wrong(f"units is not a whole number from 1 to {_MOST_UNITS}")
    return int(text)


def _jsonl(path: Path, shown: str) -> Iterator[tuple[str, Mapping[str, Any] | str]]:
    with open_bytes(path) as stream:
        for number, line, _ in lines(stream):
            where = f"{shown} line {number}"
            if line is None:
                yield where, too_long()
            elif line.strip():
                yield from _records(where, line)


def _records(where: str, line: str) -> Iterator[tuple[str, Mapping[str, Any] | str]]:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        yield where, "not valid JSON"
        return
    claim = record.get("claim") if isinstance(record, dict) else None
    if not isinstance(claim, list):
        yield where, 'not an object with a list "claim"'
        return
    shared = {key: record[key] for key in ("id", "date_of_service", "profile") if key in record}
    for item in claim:
        yield where, {**item, **shared} if isinstance(item, dict) else "a claim line is not an object"


def _table(path: Path, shown: str) -> Iterator[tuple[str, Mapping[str, Any] | str]]:
    """The rows of a CSV file, each line by itself, so that quotes that do not match spoil no other row."""
    names: list[str] | None = None
    delimiter = ","
    with open_bytes(path) as stream:
        rows = _Rows(_line_ends(stream))
        for number, line in rows:
            where = f"{shown} line {number}"
            if line is None:
                yield where, too_long()
                continue
            if not line.strip(" \t\r\n,;\ufeff"):
                continue
            if names is None:
                delimiter = max(",;\t", key=line.count)
                names = [name.strip().lower() for name in _cells(line, delimiter) or []]
                _check_names(names, shown)
                continue
            cells = _cells(line, delimiter)
            if cells is None:
                last = rows.skip_broken_cell(line, delimiter)
                yield where, f"a cell holds a line end; it runs to line {last}" if last else "quotes do not match"
            elif len(cells) > len(names) and any(cell.strip() for cell in cells[len(names) :]):
                yield where, f"{len(cells)} columns, the first line has {len(names)}"
            else:
                yield where, dict(zip(names, cells, strict=False))
    if names is None:
        raise InputError(f"{shown}: holds no rows")


def _line_ends(stream: BinaryIO) -> Iterator[tuple[int, str | None]]:
    """Number and text of each line; a carriage return by itself ends a line too, as old spreadsheets write it."""
    number = 0
    for _, line, _ in lines(stream):
        for part in [None] if line is None else line.removesuffix("\n").removesuffix("\r").split("\r"):
            number += 1
            yield number, part


class _Rows:
    """Numbered lines, of which some may be looked at before their turn."""

    def __init__(self, source: Iterator[tuple[int, str | None]]) -> None:
        self._source = source
        self._ahead: deque[tuple[int, str | None]] = deque()

    def __iter__(self) -> Iterator[tuple[int, str | None]]:
        return self

    def __next__(self) -> tuple[int, str | None]:
        return self._ahead.popleft() if self._ahead else next(self._source)

    def skip_broken_cell(self, line: str, delimiter: str) -> int:
        """The number of the last line where a quoted cell runs on over the next lines: they are skipped, for they are
        no rows of their own. 0 where they do not end the quote; then they stay."""
        parts, quotes = [line], line.count('"')
        for place in range(_MOST_LINES if quotes % 2 else 0):
            if place == len(self._ahead):
                self._ahead.extend(islice(self._source, 1))
            last, part = self._ahead[place] if place < len(self._ahead) else (0, None)
            if part is None:
                return 0
            parts.append(part)
            quotes += part.count('"')
            if quotes % 2 == 0:
                if _cells("\n".join(parts), delimiter) is None:
                    return 0
                for _ in range(place + 1):
                    self._ahead.popleft()
                return last
        return 0


def _cells(line: str, delimiter: str) -> list[str] | None:
    """The cells of one row; None where quotes do not match."""
    try:
        rows = list(csv.reader(io.StringIO(line, newline=""), delimiter=delimiter, strict=True))
    except csv.Error:
        return None
    return rows[0] if len(rows) == 1 else None


def _check_names(names: list[str], shown: str) -> None:
    for name in ("id", "code"):
        if name not in names:
            raise InputError(f'{shown}: no column "{name}" in the first line')
    for name in _COLUMNS:
        if names.count(name) > 1:
            raise InputError(f'{shown}: two columns named "{name}"')
