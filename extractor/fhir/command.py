"""`facetcode code --format fhir`: each note, plain text or itself a FHIR resource, as one Bundle a line (NDJSON)."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path

from extractor.batch import runner
from extractor.batch.readers.plain import read_text
from extractor.batch.readers.streams import read_all, unpacked
from extractor.batch.sources import STANDARD_INPUT, BadRecord, Incoming, Item, printable, single_note
from extractor.errors import InputError
from extractor.fhir.answer import answer
from extractor.fhir.source import Source, is_json, read_source
from extractor.fhir.validation import must_be_installed
from extractor.schema import CodingResult, Note


def run(
    names: Sequence[str],
    code: runner.CodeNote,
    write: Callable[[str], object],
    complain: Callable[[str], object],
    day: str | None,
) -> int:
    """Codes the notes; the number of those that failed. Raises InputError when a call or a file is wrong."""
    must_be_installed()
    failed = 0
    for source, items in [_opened(name, day) for name in names]:
        failed += runner.run(items, code, partial(_write, write, source, day), complain, day)
    return failed


def _opened(name: str, day: str | None) -> tuple[Source | None, Iterable[Item]]:
    """The FHIR document of an input, if it is one, and its note."""
    shown = "standard input" if name == STANDARD_INPUT else printable(name)
    body = sys.stdin.buffer.read() if name == STANDARD_INPUT else _resource(Path(name))
    if body is None:
        return None, single_note(name)
    if name == STANDARD_INPUT and not is_json(body):
        return None, read_text(body, shown, "note")
    try:
        source = read_source(body)
        return source, [Incoming(shown, source.note(day))]
    except InputError as error:
        return None, [BadRecord(shown, str(error))]


def _resource(path: Path) -> bytes | None:
    """The bytes of a file that is called .json or looks like a FHIR resource."""
    if not path.is_file():
        return None
    body = read_all(path)
    return body if unpacked(path).suffix.lower() == ".json" or is_json(body) else None


def _write(
    write: Callable[[str], object], source: Source | None, day: str | None, note: Note, result: CodingResult
) -> None:
    found = source or Source(text=note.text, id=note.id, day=note.date_of_service)
    bundle = answer(found, result, date_of_service=day)
    write(json.dumps(bundle, ensure_ascii=False, separators=(",", ":")))
