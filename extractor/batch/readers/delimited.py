"""CSV and TSV: a first line with names of columns, then one note a record. Rules: RFC 4180, with the delimiters that
spreadsheets write (comma, semicolon, tab, bar; the one that parts the named columns is taken).

Quotes that do not match make a bad record rather than a guess: a guess would run two notes into one.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import BinaryIO

from extractor.batch.readers import streams
from extractor.batch.readers.items import (
    NO_NOTES,
    BadRecord,
    Columns,
    Item,
    Remark,
    Source,
    incoming,
    not_carried,
    printable,
)
from extractor.errors import InputError

_OPTIONAL = ("date_of_service", "profile")  # an empty cell says nothing


@dataclass(frozen=True, slots=True)
class _Layout:
    delimiter: str
    names: list[str]


class _TooLong(Exception):
    """A line above the limit."""


class _Lines(Iterator[str]):
    """The lines of a stream for the csv module, which wants old Mac line ends parted too; keeps the first remark."""

    def __init__(self, stream: BinaryIO) -> None:
        self.remark = ""
        self.number = 0
        self._pieces = self._cut(stream)

    def __next__(self) -> str:
        return next(self._pieces)

    def _cut(self, stream: BinaryIO) -> Iterator[str]:
        for number, line, remark in streams.lines(stream):
            if remark and not self.remark:
                self.remark, self.number = remark, number
            if line is None:
                raise _TooLong
            if "\r" in line:
                yield from io.StringIO(line, newline="")
            else:
                yield line


def check(source: Source) -> None:
    """Whether the named columns are there."""
    with suppress(streams.Damaged, _TooLong, OSError):  # the file is bad, not the call: told when its turn comes
        _layout(source)


def read(source: Source) -> Iterator[Item]:
    """The notes of the table, in order."""
    try:
        yield from _read(source)
    except _TooLong:
        yield BadRecord(source.where, f"a line is {streams.too_long()}: not read on")


def _read(source: Source) -> Iterator[Item]:
    layout = _layout(source)
    if layout is None:
        yield BadRecord(source.where, NO_NOTES)
        return
    yield from _remarks(layout.names, source)
    empty = assumed = True
    with streams.open_bytes(source.path) as stream:
        given = _Lines(stream)
        for number, row in _rows(given, layout.delimiter):
            if given.remark and assumed:
                yield Remark(f"{source.where} line {given.number}", f"{given.remark} (and further lines alike)")
                assumed = False
            if number == 0 or _is_blank(row):  # the names of the columns; spreadsheets leave rows of empty cells
                continue
            empty = False
            where = f"{source.where} line {number}"
            if row is None:
                yield BadRecord(where, "quotes do not match")
            elif len(row) < len(layout.names) or any(row[len(layout.names) :]):
                yield BadRecord(where, f"{len(row)} columns, the first line has {len(layout.names)}")
            else:
                yield incoming(where, _record(layout.names, row), source.columns)
    if empty:
        yield BadRecord(source.where, NO_NOTES)


def _rows(given: _Lines, delimiter: str) -> Iterator[tuple[int, list[str] | None]]:
    """Each record with the line on which it begins (0: the names of the columns); None for one with broken quotes."""
    csv.field_size_limit(streams.MOST_BYTES)  # of the whole process, as Python has it
    reader = csv.reader(given, delimiter=delimiter, strict=True)
    header = True
    while True:
        number = reader.line_num + 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield number, None
            continue
        yield (0 if header and row else number), row
        header = header and not row


def _is_blank(row: list[str] | None) -> bool:
    return row is not None and not any(cell.strip() for cell in row)


def _record(names: list[str], row: list[str]) -> dict[str, str]:
    cells = {name: cell for name, cell in zip(names, row, strict=False) if name}
    for name in _OPTIONAL:
        if name in cells and not cells[name].strip():
            del cells[name]
    return cells


def _remarks(names: list[str], source: Source) -> Iterator[Remark]:
    if remark := not_carried(names, source.columns):
        yield Remark(source.where, remark)
    if "" in names:
        yield Remark(source.where, "columns without a name are left out")


def _layout(source: Source) -> _Layout | None:
    """How the table is parted, told by its first record; None for an empty file."""
    delimiters = "\t" if streams.unpacked(source.path).suffix.lower() == ".tsv" else ",;\t|"
    best: _Layout | None = None
    for delimiter in delimiters:
        with streams.open_bytes(source.path) as stream:
            names = next((row or [] for number, row in _rows(_Lines(stream), delimiter) if row != []), None)
        if names is None:
            return None
        layout = _Layout(delimiter, [name.strip() for name in names])
        missing = _missing(layout, source.columns)
        if best is None or len(missing) < len(_missing(best, source.columns)):
            best = layout
        if not missing:
            break
    if best is None:
        return None
    if missing := _missing(best, source.columns):
        raise InputError(f'{source.where}: no column "{printable(missing[0])}" in the first line')
    if any(count > 1 for name, count in Counter(best.names).items() if name):
        raise InputError(f"{source.where}: two columns have the same name")
    return best


def _missing(layout: _Layout, columns: Columns) -> list[str]:
    return [name for name in (columns.id, columns.text) if name not in layout.names]
