"""A plain-text file as one note."""

from __future__ import annotations

from collections.abc import Iterator

from extractor.batch.decoding import decode, other_format
from extractor.batch.readers.items import BadRecord, Item, Remark, Source, incoming
from extractor.batch.readers.streams import read_all
from extractor.errors import InputError


def read(source: Source) -> Iterator[Item]:
    """The one note of the file."""
    try:
        data = read_all(source.path)
    except InputError as error:
        yield BadRecord(source.where, str(error))
        return
    yield from read_text(data, source.where, source.note_id)


def read_text(data: bytes, where: str, note_id: str) -> Iterator[Item]:
    """The bytes of one plain-text note."""
    if kind := other_format(data):
        yield BadRecord(where, f"this is {kind}, not plain text")
        return
    text, remark = decode(data)
    if remark:
        yield Remark(where, remark)
    yield incoming(where, {"id": note_id, "text": text})
