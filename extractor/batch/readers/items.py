"""What a reader takes (`Source`) and gives (`Item`), and how a record becomes a note.

No message holds text of a note.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from importlib import import_module
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from extractor.errors import InputError
from extractor.schema import Note
from extractor.text import clean


@dataclass(frozen=True, slots=True)
class Columns:
    """The names under which tables and JSONL records hold the id and the text."""

    id: str = "id"
    text: str = "text"


DEFAULT = Columns()


@dataclass(frozen=True, slots=True)
class Source:
    """One file to read; `where` is its name for messages, `note_id` the id if all of it is one note."""

    path: Path
    where: str
    note_id: str
    columns: Columns = DEFAULT


@dataclass(frozen=True, slots=True)
class Incoming:
    """A good note, and where it stands ("notes.jsonl line 3")."""

    where: str
    note: Note


@dataclass(frozen=True, slots=True)
class BadRecord:
    """A record that cannot be coded, and why; `kind` is the reason without ids and places, to be counted."""

    where: str
    reason: str
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Remark:
    """Something that the user should know; nothing is lost."""

    where: str
    text: str


Item = Incoming | BadRecord | Remark

_DEEPEST = 100
NO_NOTES = "no notes in this file"


def note_from(record: object, columns: Columns = DEFAULT) -> Note:
    """One record of a JSONL file or a table as a note; `InputError` says what is wrong with it.

    >>> note_from({"id": "n1", "text": "Facet injection.", "site": "A"}).carried
    {'site': 'A'}
    >>> note_from({"id": "n1"})
    Traceback (most recent call last):
    extractor.errors.InputError: no key "text"
    >>> note_from({"no": "n1", "body": "Facet injection.", "text": 7}, Columns("no", "body"))
    Note(id='n1', text='Facet injection.', date_of_service=None, profile=None)
    """
    if not isinstance(record, dict):
        raise InputError("not a JSON object")
    record = _renamed(record, columns)
    shown = {"id": printable(columns.id), "text": printable(columns.text)}
    try:
        note = Note.model_validate(record)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        if not first["loc"]:
            raise InputError("a key holds broken Unicode") from None
        key = str(first["loc"][0])
        raise InputError(_complaint(shown.get(key, key), first["type"])) from None
    for key, name in shown.items():
        if not is_unicode(record[key]):
            raise InputError(f'key "{name}" holds broken Unicode')
    if not note.id.strip():
        raise InputError(f'key "{shown["id"]}" is empty')
    if not _is_shallow(note.carried, _DEEPEST):
        raise InputError("nested too deeply")
    if not clean(note.text).text.strip():
        raise InputError("text is empty")
    if note.date_of_service is not None and not is_date(note.date_of_service):
        raise InputError('key "date_of_service" is not a date like 2026-01-31')
    return note


def _is_shallow(value: object, levels: int) -> bool:
    """Whether lists and objects lie in each other at most so deep: what is deeper crosses no process."""
    if isinstance(value, dict):
        return levels > 0 and all(_is_shallow(part, levels - 1) for part in value.values())
    if isinstance(value, list | tuple):
        return levels > 0 and all(_is_shallow(part, levels - 1) for part in value)
    return True


def incoming(where: str, record: object, columns: Columns = DEFAULT) -> Incoming | BadRecord:
    """The record as a note, or what is wrong with it."""
    try:
        return Incoming(where, note_from(record, columns))
    except InputError as error:
        return BadRecord(where, str(error))


def _renamed(record: dict[str, Any], columns: Columns) -> dict[str, Any]:
    if columns == DEFAULT:
        return record
    kept = {key: value for key, value in record.items() if key not in ("id", "text", columns.id, columns.text)}
    named = {"id": columns.id, "text": columns.text}
    return {key: record[name] for key, name in named.items() if name in record} | kept


def not_carried(keys: Iterable[str], columns: Columns) -> str:
    """What to tell about keys named "id" or "text" beside the chosen ones; "" when there are none.

    >>> not_carried(["id", "note_no", "text"], Columns("note_no"))
    '"id" is not carried through, as the id is taken from "note_no"'
    >>> not_carried(["id", "text"], Columns())
    ''
    """
    chosen = {"id": columns.id, "text": columns.text}
    told = [
        f'"{name}" is not carried through, as the {name} is taken from "{printable(column)}"'
        for name, column in chosen.items()
        if name in keys and name not in chosen.values()
    ]
    return "; ".join(told)


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


def printable(name: str, most: int = 120) -> str:
    r"""A name (of a file, of a note) that is safe in one line of an error.

    >>> printable("note\n7")
    'note\\n7'
    """
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in name[: most + 1])
    return shown if len(shown) <= most else shown[:most] + "..."


def library(name: str, where: str) -> Any:
    """A library that only some formats need, imported when such a file is met."""
    try:
        return import_module(name)
    except ImportError:
        needed = name.split(".")[0]
        raise InputError(f"{where}: reading it needs {needed}: pip install 'facetcode[batch]'") from None
