"""Where notes come from: files of many formats, packed or not, folders and patterns of names, standard input.

`open_sources` checks the call (`InputError`: the call is wrong) and then yields `Incoming` notes, `BadRecord`s (one
record is wrong, the rest goes on) and `Remark`s, in the order of the input. No message ever holds text of a note.
A new input format is one more row in `READERS`, with its suffix; its reader is a module of `extractor.batch.readers`.
"""

from __future__ import annotations

import glob
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from extractor.batch.ids import Ids
from extractor.batch.readers import delimited, hl7v2, jsonl, parquet, plain, rtf
from extractor.batch.readers.items import (
    BadRecord,
    Columns,
    Incoming,
    Item,
    Remark,
    Source,
    is_date,
    is_unicode,
    library,
    note_from,
    printable,
)
from extractor.batch.readers.streams import PACKED, Damaged, unpacked
from extractor.errors import InputError

__all__ = [  # what the rest of the house takes from here, wherever it is made
    "READERS",
    "STANDARD_INPUT",
    "BadRecord",
    "Incoming",
    "Item",
    "Remark",
    "files_of",
    "is_date",
    "is_unicode",
    "note_from",
    "open_sources",
    "printable",
    "single_note",
]

STANDARD_INPUT = "-"
_LONGEST_NAME = 4096  # an id from the name of a file is never cut: two of them would become one


@dataclass(frozen=True, slots=True)
class Format:
    """How files of one suffix are read; `check` raises `InputError` for what is wrong with the call."""

    read: Callable[[Source], Iterator[Item]]
    check: Callable[[Source], None] | None = None
    one_note: bool = False  # such files are also read from folders
    may_be_packed: bool = True


READERS: dict[str, Format] = {
    ".csv": Format(delimited.read, delimited.check),
    ".hl7": Format(hl7v2.read, hl7v2.check),
    ".hl7v2": Format(hl7v2.read, hl7v2.check),
    ".jsonl": Format(jsonl.read),
    ".ndjson": Format(jsonl.read_ndjson),
    ".parquet": Format(parquet.read, parquet.check, may_be_packed=False),
    ".rtf": Format(rtf.read, rtf.check, one_note=True),
    ".tsv": Format(delimited.read, delimited.check),
    ".txt": Format(plain.read, one_note=True),
}


def open_sources(inputs: Sequence[str], id_column: str = "id", text_column: str = "text") -> Iterator[Item]:
    """All records of the inputs. Everything that can be known before reading is checked here, before the first item.

    An input is a file, a folder, a pattern such as "notes/**/*.txt", or "-". The columns are those of tables and the
    keys of JSONL records.
    """
    if id_column == text_column:
        raise InputError("id and text cannot be the same column")
    columns = Columns(id_column, text_column)
    readers = [_reader(name, columns) for name in inputs]
    return _without_repeats(item for read in readers for item in read())


def single_note(name: str) -> Iterator[Item]:
    """The one note in a file of any name (plain text unless the name says RTF), or on standard input ("-")."""
    if name == STANDARD_INPUT:
        return plain.read_text(sys.stdin.buffer.read(), "standard input", "note")
    path, shown = Path(name), printable(name)
    form = READERS.get(unpacked(path).suffix.lower())
    if form is not None and not form.one_note:
        raise InputError(f"{shown}: holds many notes, use: facetcode run")
    if path.is_dir():
        raise InputError(f"{shown}: is a folder, use: facetcode run")
    _must_be_readable(path, shown)
    if form is None:
        return _read(Format(plain.read), Source(path, shown, printable(path.stem, _LONGEST_NAME)))
    _check(form, path, shown, Columns())
    return _read(form, _source(path, None, Columns()))


def _reader(name: str, columns: Columns) -> Callable[[], Iterator[Item]]:
    shown = printable(name)
    if name == STANDARD_INPUT:
        return lambda: jsonl.records(nullcontext(sys.stdin.buffer), "standard input", columns)
    path = Path(name)
    base: Path | None = None
    if path.is_dir():
        base, files = path, _notes_in(path)
        if not files:
            raise InputError(f"{shown}: no .txt or .rtf notes in this folder")
    elif path.exists() or not glob.has_magic(name):
        files = [path]
        _must_be_readable(path, shown)
    else:
        base, files = _before_wildcard(name), _matching(name)
        if not files:
            raise InputError(f"{shown}: no file matches")
        for file in files:
            _must_be_readable(file, printable(str(file)))
    for file in files:
        _check(_format(file), file, printable(str(file)), columns)
    return lambda: (item for file in files for item in _read(_format(file), _source(file, base, columns)))


def _notes_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if _is_note(path) and path.name[0] != "." and path.is_file())


def files_of(name: str) -> list[Path]:
    """The files that an input names, as they are now; none for standard input."""
    path = Path(name)
    if name == STANDARD_INPUT:
        return []
    if path.is_dir():
        return _notes_in(path)
    return _matching(name) if glob.has_magic(name) and not path.exists() else [path]


def _is_note(path: Path) -> bool:
    form = READERS.get(unpacked(path).suffix.lower())
    return form is not None and form.one_note


def _matching(pattern: str) -> list[Path]:
    """The files of a pattern, sorted, and the notes of folders that match it as they do in a shell ("**" goes into
    folders by itself)."""
    files: list[Path] = []
    for path in map(Path, glob.iglob(pattern, recursive=True)):
        if not path.is_dir():
            files.append(path)
        elif "**" not in pattern:
            files += _notes_in(path)
    return sorted(set(files))


def _before_wildcard(pattern: str) -> Path:
    """The folder that ids from names of files begin after.

    >>> _before_wildcard("in/2026/**/*.txt").as_posix(), _before_wildcard("*.txt").as_posix()
    ('in/2026', '.')
    """
    return Path(*takewhile(lambda part: not glob.has_magic(part), Path(pattern).parts))


def _format(path: Path) -> Format:
    inner = unpacked(path)
    form = READERS.get(inner.suffix.lower())
    if form is None:
        known = f"{', '.join(READERS)}, all but .parquet also with {' or '.join(PACKED)}, or a folder of .txt and .rtf"
        raise InputError(f"{printable(str(path))}: not a format that can be read ({known})")
    if inner != path and not form.may_be_packed:
        raise InputError(f"{printable(str(path))}: {inner.suffix} is not read packed, unpack it first")
    return form


def _check(form: Format, path: Path, shown: str, columns: Columns) -> None:
    if path.suffix.lower() == ".zst":
        library("zstandard", shown)
    if form.check is not None:
        form.check(Source(path, shown, "", columns))


def _must_be_readable(path: Path, shown: str) -> None:
    if not path.exists():
        raise InputError(f"{shown}: no such file or folder")
    if not os.access(path, os.R_OK):
        raise InputError(f"{shown}: cannot be read (permission denied)")


def _source(path: Path, base: Path | None, columns: Columns) -> Source:
    named = unpacked(path).with_suffix("")
    note_id = named.relative_to(base).as_posix() if base is not None else named.name
    return Source(path, printable(str(path)), printable(note_id, _LONGEST_NAME), columns)


def _read(form: Format, source: Source) -> Iterator[Item]:
    """The records of one file. What is wrong with the file is one more bad record; those before it are kept."""
    try:
        yield from form.read(source)
    except Damaged as error:
        yield BadRecord(source.where, str(error))
    except OSError as error:
        yield BadRecord(source.where, f"cannot be read ({error.strerror or type(error).__name__})")


def _without_repeats(items: Iterable[Item]) -> Iterator[Item]:
    with Ids() as seen:
        for item in items:
            if isinstance(item, Incoming) and (first := seen.first(item.note.id, item.where)):
                reason = f"id {printable(item.note.id)} stands twice (first: {first})"
                yield BadRecord(item.where, reason, "id stands twice")
                continue
            yield item
