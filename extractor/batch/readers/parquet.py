"""Parquet: one note a row, read in small batches. The id may be a string or a whole number, the text is a string."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from extractor.batch.readers.items import (
    NO_NOTES,
    BadRecord,
    Item,
    Remark,
    Source,
    incoming,
    library,
    not_carried,
    printable,
)
from extractor.errors import InputError

_ROWS = 64  # held at a time
_BUFFER = 2**20  # of the file, a column


@dataclass(frozen=True, slots=True)
class _Layout:
    kept: list[str]
    binary: list[str]


def check(source: Source) -> None:
    """Whether Parquet can be read here and the named columns are there."""
    reader = library("pyarrow.parquet", source.where)
    with suppress(_Unreadable), _opened(reader, source) as file:
        _layout(file, source)


class _Unreadable(Exception):
    """The file is bad, not the call."""


def read(source: Source) -> Iterator[Item]:
    """The notes of the table, in order."""
    reader = library("pyarrow.parquet", source.where)
    try:
        with _opened(reader, source) as file:
            yield from _read(file, source)
    except _Unreadable:
        yield BadRecord(source.where, "not a Parquet file, or damaged")


def _read(file: Any, source: Source) -> Iterator[Item]:
    layout = _layout(file, source)
    if remark := not_carried(layout.kept + layout.binary, source.columns):
        yield Remark(source.where, remark)
    if layout.binary:
        yield Remark(source.where, f"binary columns are left out ({len(layout.binary)})")
    number = 0
    for row in _rows(file, layout):
        number += 1
        where = f"{source.where} row {number}"
        if row is None:
            yield BadRecord(where, "the file is damaged, rows from here on cannot be read")
            return
        yield incoming(where, record_of(row, source.columns.id), source.columns)
    if not number:
        yield BadRecord(source.where, NO_NOTES)


def _opened(reader: Any, source: Source) -> Any:
    try:
        return reader.ParquetFile(source.path)
    except OSError as error:
        if error.errno is not None:  # of the disk, not of the format
            raise
        raise _Unreadable from None
    except Exception:  # Arrow answers to damage with errors of many kinds
        raise _Unreadable from None


def _layout(file: Any, source: Source) -> _Layout:
    try:
        fields = list(file.schema_arrow)
    except Exception:  # names that are no UTF-8, types that Arrow does not know
        raise _Unreadable from None
    names = [field.name for field in fields]
    if len(set(names)) < len(names):
        raise InputError(f"{source.where}: two columns have the same name")
    types = library("pyarrow", source.where).types
    by_name = dict(zip(names, (field.type for field in fields), strict=True))
    for name, whole_number in ((source.columns.id, True), (source.columns.text, False)):
        if name not in by_name:
            raise InputError(f'{source.where}: no column "{printable(name)}"')
        if not (_is_text(by_name[name], types) or whole_number and types.is_integer(by_name[name])):
            kinds = "strings or whole numbers" if whole_number else "strings"
            raise InputError(f'{source.where}: column "{printable(name)}" does not hold {kinds}')
    binary = [name for name, kind in by_name.items() if _holds_binary(kind, types)]
    return _Layout([name for name in names if name not in binary], binary)


def _is_text(kind: Any, types: Any) -> bool:
    if types.is_dictionary(kind):
        return _is_text(kind.value_type, types)
    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))


def _holds_binary(kind: Any, types: Any) -> bool:
    tests = (types.is_binary, types.is_large_binary, types.is_fixed_size_binary, types.is_binary_view)
    if any(test(kind) for test in tests):
        return True
    if types.is_dictionary(kind):
        return _holds_binary(kind.value_type, types)
    if types.is_nested(kind):
        return any(_holds_binary(kind.field(place).type, types) for place in range(kind.num_fields))
    return False


def _rows(file: Any, layout: _Layout) -> Iterator[dict[str, Any] | None]:
    """Each row, and None at the end if the rest is damaged."""
    try:
        # one thread: a process with threads of Arrow cannot be forked safely
        batches = file.iter_batches(batch_size=_ROWS, columns=layout.kept, use_threads=False)
    except Exception:
        yield None
        return
    while True:
        try:
            batch = next(batches, None)
            if batch is None:
                return
            cells = {name: _values(batch.column(name)) for name in batch.schema.names if name in layout.kept}
            rows = [{name: values[place] for name, values in cells.items()} for place in range(batch.num_rows)]
        except Exception:  # Arrow answers to damage with errors of many kinds
            yield None
            return
        yield from rows


def _values(column: Any) -> list[Any]:
    try:
        return list(column.to_pylist())
    except (ValueError, OverflowError):
        return [_value(cell) for cell in column]  # one cell that Python has no value for


def _value(cell: Any) -> Any:
    try:
        return cell.as_py()
    except (ValueError, OverflowError):  # a day after the year 9999, parts of a microsecond, bytes that are no UTF-8
        try:
            text = str(cell.cast("string").as_py())
        except Exception:
            return None
        return None if text.startswith("<") else text.replace(" ", "T", 1)  # "<value out of range: ...>"


def record_of(row: dict[str, Any], id_column: str) -> dict[str, Any]:
    """The cells of a row as the record of a JSONL file would hold them; empty ones of known meaning are left out."""
    record = {}
    for name, value in row.items():
        if name == "date_of_service" and isinstance(value, datetime):
            value = value.date()
        value = _for_json(value)
        if name == id_column and isinstance(value, int):
            value = str(value)
        if name in (id_column, "date_of_service", "profile") and value in (None, ""):
            continue
        record[name] = value
    return record


def _for_json(value: Any) -> Any:
    """The value as JSON can hold it.

    >>> _for_json({"day": date(2026, 1, 31), "doses": [0.5, float("nan")], "pairs": [("a", 1)]})
    {'day': '2026-01-31', 'doses': [0.5, None], 'pairs': [['a', 1]]}
    """
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, date | datetime | time):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return [_for_json(part) for part in value]
    if isinstance(value, dict):
        return {str(key): _for_json(part) for key, part in value.items()}
    return str(value)  # Decimal, timedelta, UUID
