"""Where notes come from: JSONL files, folders of .txt, single .txt files.

`open_sources` checks the call (`InputError`: the call is wrong) and then yields `Incoming` notes, `BadRecord`s (one
record is wrong, the rest goes on) and `Remark`s, in the order of the input. No message ever holds text of a note.
A new input format is one more function in `READERS`, with its suffix.
"""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import BinaryIO, NoReturn

from pydantic import ValidationError

from extractor.batch.decoding import decode, is_utf16, other_format
from extractor.errors import InputError
from extractor.schema import Note
from extractor.text import clean

STANDARD_INPUT = "-"


@dataclass(frozen=True, slots=True)
class Incoming:
    """A good note, and where it stands ("notes.jsonl line 3")."""

    where: str
    note: Note


@dataclass(frozen=True, slots=True)
class BadRecord:
    """A record that cannot be coded, and why."""

    where: str
    reason: str


@dataclass(frozen=True, slots=True)
class Remark:
    """Something that the user should know; nothing is lost."""

    where: str
    text: str


Item = Incoming | BadRecord | Remark


def open_sources(inputs: Sequence[str]) -> Iterator[Item]:
    """All records of the inputs. Everything that can be known before reading is checked here, before the first item."""
    readers = [_reader(name) for name in inputs]
    return _without_repeats(item for read in readers for item in read())


def note_from(record: object) -> Note:
    """One record of a JSONL file as a note; `InputError` says what is wrong with it.

    >>> note_from({"id": "n1", "text": "Facet injection.", "site": "A"}).carried
    {'site': 'A'}
    >>> note_from({"id": "n1"})
    Traceback (most recent call last):
    extractor.errors.InputError: no key "text"
    """
    if not isinstance(record, dict):
        raise InputError("not a JSON object")
    try:
        note = Note.model_validate(record)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise InputError(_complaint(str(first["loc"][0]), first["type"])) from None
    for key in ("id", "text"):
        if not is_unicode(record[key]):
            raise InputError(f'key "{key}" holds broken Unicode')
    if not note.id.strip():
        raise InputError('key "id" is empty')
    if not clean(note.text).text.strip():
        raise InputError("text is empty")
    if note.date_of_service is not None and not is_date(note.date_of_service):
        raise InputError('key "date_of_service" is not a date like 2026-01-31')
    return note


def _complaint(key: str, kind: str) -> str:
    if kind == "missing":
        return f'no key "{key}"'
    return f'key "{key}" is not a string'


def is_unicode(text: str) -> bool:
    r"""Whether the text can be written as UTF-8 (JSON may hold halves of a character).

    >>> is_unicode("L4\u20135"), is_unicode("\ud800")
    (True, False)
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def is_date(value: str) -> bool:
    """Whether the value is a day of the calendar, written YYYY-MM-DD.

    >>> is_date("2026-01-31"), is_date("2026-02-30"), is_date("01/31/2026")
    (True, False, False)
    """
    try:
        return date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def read_text(data: bytes, where: str, note_id: str) -> Iterator[Item]:
    """The bytes of one plain-text note."""
    if kind := other_format(data):
        yield BadRecord(where, f"this is {kind}, not plain text")
        return
    text, remark = decode(data)
    if remark:
        yield Remark(where, remark)
    yield _incoming(where, {"id": note_id, "text": text})


def _incoming(where: str, record: object) -> Item:
    try:
        return Incoming(where, note_from(record))
    except InputError as error:
        return BadRecord(where, str(error))


def _text_file(path: Path, note_id: str, where: str) -> Iterator[Item]:
    try:
        data = path.read_bytes()
    except OSError as error:
        yield BadRecord(where, f"cannot be read ({error.strerror})")
        return
    yield from read_text(data, where, note_id)


def _read_txt(path: Path) -> Iterator[Item]:
    return _text_file(path, printable(path.stem), printable(str(path)))


def _read_jsonl(path: Path) -> Iterator[Item]:
    return jsonl_records(path.open("rb"), printable(str(path)))


def single_note(name: str) -> Iterator[Item]:
    """The one note in a plain-text file of any name, or on standard input ("-")."""
    if name == STANDARD_INPUT:
        return read_text(sys.stdin.buffer.read(), "standard input", "note")
    path, shown = Path(name), printable(name)
    if READERS.get(path.suffix.lower()) is _read_jsonl:
        raise InputError(f"{shown}: holds many notes, use: facetcode run")
    if path.is_dir():
        raise InputError(f"{shown}: is a folder, use: facetcode run")
    _must_be_readable(path, shown)
    return _read_txt(path)


READERS: dict[str, Callable[[Path], Iterator[Item]]] = {
    ".jsonl": _read_jsonl,
    ".ndjson": _read_jsonl,
    ".txt": _read_txt,
}


def _reader(name: str) -> Callable[[], Iterator[Item]]:
    shown = printable(name)
    if name == STANDARD_INPUT:
        return lambda: jsonl_records(nullcontext(sys.stdin.buffer), "standard input")
    path = Path(name)
    if path.is_dir():
        notes = sorted(p for p in path.rglob("*") if p.suffix.lower() == ".txt" and p.name[0] != "." and p.is_file())
        if not notes:
            raise InputError(f"{shown}: no .txt notes in this folder")
        return lambda: _read_folder(path, notes)
    _must_be_readable(path, shown)
    read = READERS.get(path.suffix.lower())
    if read is None:
        raise InputError(f"{shown}: not a format that can be read ({', '.join(READERS)}, or a folder of .txt)")
    return lambda: read(path)


def _must_be_readable(path: Path, shown: str) -> None:
    if not path.exists():
        raise InputError(f"{shown}: no such file or folder")
    if not os.access(path, os.R_OK):
        raise InputError(f"{shown}: cannot be read (permission denied)")


def _read_folder(folder: Path, notes: Iterable[Path]) -> Iterator[Item]:
    for path in notes:
        note_id = path.relative_to(folder).with_suffix("").as_posix()
        yield from _text_file(path, printable(note_id), printable(str(path)))


def jsonl_records(opened: nullcontext[BinaryIO] | BinaryIO, name: str) -> Iterator[Item]:
    """The records of a JSONL stream. Only a line feed ends a line: other line ends may stand inside a text."""
    with opened as stream:
        assumed = empty = True
        for number, line, remark in _lines(stream):
            where = f"{name} line {number}"
            if remark and assumed:
                yield Remark(where, f"{remark} (and further lines alike)")
                assumed = False
            if line.isspace() or not line:
                continue
            empty = False
            try:
                record = json.loads(line, parse_constant=_no_constant)
            except (ValueError, RecursionError):
                yield BadRecord(where, "not valid JSON")
                continue
            yield _incoming(where, record)
    if empty:
        yield BadRecord(name, "no notes in this file")


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _lines(stream: BinaryIO) -> Iterator[tuple[int, str, str]]:
    first = stream.readline()
    if is_utf16(first):
        data = first + stream.read()
        text, remark = decode(data)
        for number, line in enumerate(io.StringIO(text, newline="\n"), start=1):
            yield number, line, remark
        return
    number = 1
    while first:
        yield number, *decode(first)
        first = stream.readline()
        number += 1


def _without_repeats(items: Iterable[Item]) -> Iterator[Item]:
    seen: dict[str, str] = {}
    for item in items:
        if isinstance(item, Incoming):
            note_id = item.note.id
            if note_id in seen:
                yield BadRecord(item.where, f"id {printable(note_id)} stands twice (first: {seen[note_id]})")
                continue
            seen[note_id] = item.where
        yield item


def printable(name: str, most: int = 120) -> str:
    r"""A name (of a file, of a note) that is safe in one line of an error.

    >>> printable("note\n7")
    'note\\n7'
    """
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in name[: most + 1])
    return shown if len(shown) <= most else shown[:most] + "..."
