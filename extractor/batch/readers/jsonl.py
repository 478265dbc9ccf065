"""JSONL: one note a line. NDJSON is the same, and may hold FHIR resources, as FHIR Bulk Data writes them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import BinaryIO, NoReturn

from extractor.batch.readers import fhir
from extractor.batch.readers.items import (
    DEFAULT,
    NO_NOTES,
    BadRecord,
    Columns,
    Item,
    Remark,
    Source,
    incoming,
    not_carried,
)
from extractor.batch.readers.streams import lines, open_bytes, too_long


def read(source: Source) -> Iterator[Item]:
    """The notes of a JSONL file."""
    return records(open_bytes(source.path), source.where, source.columns)


def read_ndjson(source: Source) -> Iterator[Item]:
    """The notes of an NDJSON file: JSONL records or FHIR resources, each line by itself."""
    others: Counter[str] = Counter()
    yield from records(open_bytes(source.path), source.where, source.columns, others)
    if others:
        yield Remark(source.where, fhir.left_out(others))


def records(
    opened: AbstractContextManager[BinaryIO],
    name: str,
    columns: Columns = DEFAULT,
    others: Counter[str] | None = None,
) -> Iterator[Item]:
    """The notes of a JSONL stream. With `others` FHIR resources are read too, and those that are no documents are
    counted there."""
    told = columns == DEFAULT
    for part in _parsed(opened, name):
        if isinstance(part, BadRecord | Remark):
            yield part
            continue
        where, record = part
        kind = None if others is None else fhir.resource_type(record, columns)
        if kind == fhir.DOCUMENT:
            yield from fhir.note_items(record, where)
            continue
        if others is not None and kind is not None:
            others[kind if kind in others or len(others) < fhir.MOST_TYPES else "other"] += 1
            continue
        if not told and isinstance(record, dict) and (remark := not_carried(record, columns)):
            yield Remark(where, f"{remark} (and further records)")
            told = True
        yield incoming(where, record, columns)


def _parsed(opened: AbstractContextManager[BinaryIO], name: str) -> Iterator[BadRecord | Remark | tuple[str, object]]:
    with opened as stream:
        assumed = empty = True
        for number, line, remark in lines(stream):
            where = f"{name} line {number}"
            if remark and assumed:
                yield Remark(where, f"{remark} (and further lines alike)")
                assumed = False
            if line is not None and not line.strip():
                continue
            empty = False
            if line is None:
                yield BadRecord(where, too_long())
                continue
            try:
                record = json.loads(line, parse_constant=_no_constant)
            except (ValueError, RecursionError):
                yield BadRecord(where, "not valid JSON")
                continue
            yield where, record
    if empty:
        yield BadRecord(name, NO_NOTES)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")
