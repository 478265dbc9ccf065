"""Corpus formats: one function to read any of them, one to write.

| name | what | discontinuous spans, attributes, coding, carried keys |
|---|---|---|
| native | our JSONL, and the results of `facetcode run` | all in the record |
| brat | folder of .txt and .ann | natively; coding and carried keys in NAME.json |
| cas-xmi, cas-json | folder of UIMA CAS files | types of our own; coding and carried keys as JSON in one of them |
| label-studio | JSON array of tasks | pieces linked by relations; coding in `data` |
| prodigy, doccano | JSONL | pieces linked by relations; attributes and coding in keys of our own |

A new format is a module here and one row in `_FORMATS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from extractor.batch.sources import printable
from extractor.errors import InputError
from extractor.evaluation.formats import brat, cas, common, label_studio, native, spans_jsonl
from extractor.evaluation.records import Document

Reader = Callable[[Path], Iterator[Document]]
Writer = Callable[[Iterable[Document], Path], None]

_FORMATS: dict[str, tuple[Reader, Writer]] = {
    "brat": (brat.read, brat.write),
    "cas-xmi": (cas.read_xmi, cas.write_xmi),
    "cas-json": (cas.read_json, cas.write_json),
    "label-studio": (label_studio.read, label_studio.write),
    "prodigy": (spans_jsonl.read_prodigy, spans_jsonl.write_prodigy),
    "doccano": (spans_jsonl.read_doccano, spans_jsonl.write_doccano),
    "native": (native.read, native.write),
}
FORMS = tuple(_FORMATS)


def read(path: Path, form: str | None = None) -> Iterator[Document]:
    """The documents of a corpus, in the order of the file or of the file names.

    `form` is one of `FORMS`; `None` guesses it from the path. Offsets of the documents are code points of their text as
    given. `InputError` at once when the path or the form is wrong, and while reading when a record is: it names the
    file and the line or record, never words of the note.
    """
    if not path.exists():
        raise InputError(f"{common.shown(path)}: no such file or folder")
    return _format(form or guess(path))[0](path)


def write(documents: Iterable[Document], path: Path, form: str) -> None:
    """Writes a corpus: one file, or for brat and CAS a folder, which must be new or empty. `InputError` when the form
    is not known, when a document is wrong or cannot be held by the format, or when the path cannot be written."""
    _format(form)[1](documents, path)


def guess(path: Path) -> str:
    """The form of a corpus by its name and, for JSON, by the keys of its first record; `InputError` when it is none."""
    if path.is_dir():
        for suffix, form in ((".ann", "brat"), (".xmi", "cas-xmi"), (".json", "cas-json")):
            first = next(iter(sorted(path.rglob(f"*{suffix}"))), None)
            if first is not None and (form != "cas-json" or _is_cas(common.load(first))):
                return form
        raise InputError(f"{common.shown(path)}: no corpus format is known by the files of this folder")
    suffix = path.suffix.lower()
    if suffix == ".ann":
        return "brat"
    if suffix == ".xmi":
        return "cas-xmi"
    if suffix in (".jsonl", ".ndjson"):
        first_record = next(common.lines(path), None)
        if first_record is None:
            raise InputError(f"{common.shown(path)}: no records in this file")
        return _by_keys(first_record[1])
    if suffix == ".json":
        value = common.load(path)
        if isinstance(value, list):
            return "label-studio"
        if _is_cas(value):
            return "cas-json"
    raise InputError(f"{common.shown(path)}: not a corpus format that is known ({', '.join(FORMS)})")


def _format(form: str) -> tuple[Reader, Writer]:
    if form not in _FORMATS:
        raise InputError(f"{printable(form)}: not a corpus format that is known ({', '.join(FORMS)})")
    return _FORMATS[form]


def _is_cas(value: object) -> bool:
    return isinstance(value, dict) and "%FEATURE_STRUCTURES" in value


def _by_keys(record: dict[str, Any]) -> str:
    entities = record.get("entities")
    if isinstance(record.get("data"), dict):
        return "label-studio"
    if record.keys() & {"spans", "_input_hash", "_task_hash"}:
        return "prodigy"
    if record.keys() & {"facetcode", "Comments", "data"} or isinstance(record.get("label", record.get("labels")), list):
        return "doccano"
    if isinstance(entities, list) and any(isinstance(one, dict) and "start_offset" in one for one in entities):
        return "doccano"
    return "native"
