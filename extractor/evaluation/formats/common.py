"""What all formats share: strict JSON with errors that name the record, validation, file names, files that appear
whole."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import quote

from extractor.batch.sinks import open_sink
from extractor.batch.sources import is_unicode, printable
from extractor.errors import InputError
from extractor.evaluation.records import Document, checked

Record = dict[str, Any]

_FARTHEST = 1 << 27  # characters; an offset beyond it is a mistake, and a stand-in for the text must fit into memory
_NAME_LENGTH = 120


# -- records -------------------------------------------------------------------------------------------------------


def required(record: Mapping[str, Any], key: str, where: str) -> str:
    """A string that must be there."""
    if key not in record:
        raise InputError(f'{where}: no key "{key}"')
    if record[key] is None:
        raise InputError(f'{where}: key "{key}" is not a string')
    return optional(record, key, where)


def optional(record: Mapping[str, Any], key: str, where: str) -> str:
    """A string, or "" when there is none or null."""
    value = record.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise InputError(f'{where}: key "{printable(key)}" is not a string')
    if not is_unicode(value):
        raise InputError(f'{where}: key "{printable(key)}" holds broken Unicode')
    return value


def strings(record: Mapping[str, Any], key: str, where: str) -> tuple[str, ...]:
    """A list of strings, empty when there is none."""
    values = record.get(key, [])
    if not isinstance(values, list) or not all(isinstance(value, str) and is_unicode(value) for value in values):
        raise InputError(f'{where}: key "{key}" is not a list of strings')
    return tuple(values)


def objects(record: Mapping[str, Any], key: str, where: str) -> list[Record]:
    """A list of JSON objects, empty when there is none."""
    values = record.get(key, [])
    if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
        raise InputError(f'{where}: key "{key}" is not a list of objects')
    return values


def an_object(record: Mapping[str, Any], key: str, where: str) -> Record:
    """A JSON object, empty when there is none."""
    value = record.get(key, {})
    if not isinstance(value, dict):
        raise InputError(f'{where}: key "{key}" is not an object')
    return value


def offset(value: object, where: str) -> int:
    """An offset as JSON holds it: a whole number from 0 on."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _FARTHEST:
        raise InputError(f"{where}: an offset is not a whole number from 0 on")
    return value


def label(value: object, where: str) -> str:
    """The label of a span or a relation."""
    if not isinstance(value, str) or not is_unicode(value):
        raise InputError(f"{where}: a label is not a string")
    return value


def identifier(value: object, where: str, what: str) -> str:
    """An id that other tools may hold as a number.

    >>> identifier(17, "a.jsonl line 1", "entity")
    '17'
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str) or not value or not is_unicode(value):
        raise InputError(f"{where}: the id of the {what} is neither a string nor a number")
    return value


def attributes(value: object, where: str) -> dict[str, str]:
    """Attributes of a span: an object of strings."""
    if not isinstance(value, dict) or not all(isinstance(v, str) and is_unicode(k + v) for k, v in value.items()):
        raise InputError(f"{where}: attributes are not an object of strings")
    return dict(value)


def gathered(record: Mapping[str, Any], known: Collection[str]) -> Record:
    """The keys that a format does not know, to be carried."""
    more = {key: value for key, value in record.items() if key not in known and key != "carried"}
    under = record.get("carried", {})
    return more | under if isinstance(under, dict) else more | {"carried": under}


def spread(record: Record, carried: Mapping[str, Any], known: Collection[str]) -> Record:
    """The record with what was carried; keys that mean something in this format go below "carried"."""
    clash = {key: value for key, value in carried.items() if key in known or key == "carried"}
    rest = {key: value for key, value in carried.items() if key not in clash}
    return record | rest | ({"carried": clash} if clash else {})


class Names:
    """Ids that are still free in one document.

    >>> names = Names({"T1"})
    >>> names.next("T"), names.next("T")
    ('T2', 'T3')
    """

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = set(taken)
        self._number: dict[str, int] = {}

    def next(self, prefix: str) -> str:
        number = self._number.get(prefix, 0) + 1
        while f"{prefix}{number}" in self._taken:
            number += 1
        self._number[prefix] = number
        self._taken.add(f"{prefix}{number}")
        return f"{prefix}{number}"


# -- documents -----------------------------------------------------------------------------------------------------


def validated(document: Document, where: str, needs_text: bool = True) -> Document:
    """The document, or `InputError`: `records.checked`, and no relation id twice. Without a text, offsets have no upper
    bound."""
    stand_in = document
    if not needs_text and not document.text:
        ends = [end for entity in document.entities for _, end in entity.fragments]
        stand_in = replace(document, text=" " * max(ends, default=0))
    checked(stand_in, where)
    seen: set[str] = set()
    for relation in document.relations:
        if relation.id in seen:
            raise InputError(f"{where}: {printable(relation.id)} is there twice")
        seen.add(relation.id)
    return document


def corpus(found: Iterable[tuple[str, Document]], needs_text: bool = True) -> Iterator[Document]:
    """The documents, each validated, no id twice. Each comes with where it stands ("notes.jsonl line 3")."""
    seen: dict[str, str] = {}
    for where, document in found:
        if not document.id.strip():
            raise InputError(f"{where}: the id is empty")
        if document.id in seen:
            raise InputError(f"{where}: id {printable(document.id)} stands twice (first: {seen[document.id]})")
        seen[document.id] = where
        yield validated(document, where, needs_text)


def to_write(documents: Iterable[Document], needs_text: bool = True) -> Iterator[Document]:
    """The documents, validated in the same way before any of them is written."""
    return corpus(((f"document {printable(document.id)}", document) for document in documents), needs_text)


# -- files ---------------------------------------------------------------------------------------------------------


def shown(path: Path) -> str:
    """The path as an error shows it."""
    return printable(str(path))


def read_bytes(path: Path) -> bytes:
    """The bytes of a file, or `InputError`."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"{shown(path)}: no such file or folder") from None
    except OSError as error:
        raise InputError(f"{shown(path)}: cannot be read ({error.strerror})") from None


def unicode_of(data: bytes, where: str) -> str:
    """UTF-8 bytes as text. No guessing of encodings: offsets count characters, so a wrong guess would shift spans."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise InputError(f"{where}: not UTF-8") from None


def parsed(text: str, where: str) -> Any:
    """The JSON value."""
    try:
        return json.loads(text.removeprefix("\ufeff"), parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise InputError(f"{where}: not valid JSON") from None


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def load(path: Path) -> Any:
    """The JSON value in a file."""
    return parsed(unicode_of(read_bytes(path), shown(path)), shown(path))


def lines(path: Path) -> Iterator[tuple[str, Record]]:
    """The objects of a JSONL file with where they stand. Only a line feed ends a line; blank lines are skipped."""
    name = shown(path)
    try:
        stream = path.open("rb")
    except FileNotFoundError:
        raise InputError(f"{name}: no such file or folder") from None
    except OSError as error:
        raise InputError(f"{name}: cannot be read ({error.strerror})") from None
    with stream:
        for number, line in enumerate(stream, start=1):
            where = f"{name} line {number}"
            if not line.strip():
                continue
            record = parsed(unicode_of(line, where), where)
            if not isinstance(record, dict):
                raise InputError(f"{where}: not a JSON object")
            yield where, record


def dumped(value: Any, indent: int | None = None) -> str:
    """JSON in readable characters; in escapes where carried keys hold halves of a character."""
    text = json.dumps(value, ensure_ascii=False, indent=indent, allow_nan=False)
    return text if is_unicode(text) else json.dumps(value, indent=indent, allow_nan=False)


def write_lines(path: Path, records: Iterable[Record], *, own: bool = False) -> None:
    """A JSONL file, which appears whole or not at all. With `own` it is readable by its owner alone."""
    with open_sink(str(path), own=own) as stream:
        for record in records:
            stream.write(f"{dumped(record)}\n".encode())


def write_array(path: Path, records: Iterable[Record]) -> None:
    """A JSON array, one record a line, which appears whole or not at all."""
    with open_sink(str(path)) as stream:
        stream.write(b"[")
        for number, record in enumerate(records):
            stream.write(f"{',' if number else ''}\n{dumped(record)}".encode())
        stream.write(b"\n]\n")


@contextmanager
def writable(where: str) -> Iterator[None]:
    """Failures of the file system as `InputError`."""
    try:
        yield
    except OSError as error:
        raise InputError(f"{where}: cannot be written ({error.strerror})") from None


def new_folder(path: Path) -> Callable[[str], Path]:
    """Makes a folder, which must be new or empty (notes of an earlier corpus would be read back with the new ones).
    Gives a function from document ids to paths without suffix."""
    with writable(shown(path)):
        path.mkdir(parents=True, exist_ok=True)
        if any(path.iterdir()):
            raise InputError(f"{shown(path)}: the folder is not empty")
    used: set[str] = set()

    def place(document_id: str) -> Path:
        name = file_name(document_id)
        if name.casefold() in used:  # some file systems do not tell "A" from "a"
            name = f"{name[:_NAME_LENGTH]}-{_digest(document_id)}"
        used.add(name.casefold())
        return path / name

    return place


def file_name(document_id: str) -> str:
    """A file name without suffix that is safe everywhere: the id where it can be, percent escapes elsewhere.

    >>> file_name("d1-001"), file_name("ward 3/7"), file_name(".x")
    ('d1-001', 'ward 3%2F7', '%2Ex')
    """
    name = quote(document_id, safe=" ,;=@+()[]")
    if name.startswith("."):
        name = f"%2E{name[1:]}"
    if name != name.strip():
        name = name.replace(" ", "%20")
    return name if len(name) <= _NAME_LENGTH else f"{name[: _NAME_LENGTH - 9]}-{_digest(document_id)}"


def _digest(document_id: str) -> str:
    return hashlib.sha256(document_id.encode()).hexdigest()[:8]


def put(stream_path: Path, data: bytes) -> None:
    """The bytes in a file."""
    with writable(shown(stream_path)):
        stream_path.write_bytes(data)


def escaped(value: Any) -> str:
    """JSON in ASCII, for files that cannot hold all characters."""
    return json.dumps(value, allow_nan=False)
