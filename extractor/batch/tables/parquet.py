"""Results as Parquet: one row a note, the nested things as nested columns. pyarrow is loaded when it is needed."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

from extractor.batch.tables.rows import MISSHAPEN, Row, batches, created, misshapen
from extractor.errors import InputError
from extractor.schema import Versions

Schema: TypeAlias = Any  # pyarrow.Schema; pyarrow brings no types
RecordBatch: TypeAlias = Any  # pyarrow.RecordBatch


@cache
def result_schema() -> Schema:
    """The schema of a table of results, one row a note: the fields of `CodingResult`, and `carried`.

        id          string
        status      string: coded, review, no_code
        lines       list of struct: code, side, joints (list of string), label, descriptor, rule, reasons (list of
                    string), evidence
        claim       list of struct: code, modifiers (list of string), units (int32), suggested (list of struct:
                    modifier, reason)
        supplies    list of struct: code, units (int32), modifiers (list of string), name, amount, reason, evidence
        summary     struct: imaging, injectate, target (each a list of string)
        queries     list of struct: id, question, evidence
        warnings    list of string
        rejected    list of struct: code, reason
        procedures  list of struct: family, technique, targets (list of string), joints and nerves (each a list of
                    struct: site, side, evidence), side, imaging (list of string), agents (list of struct: name,
                    role, drug_class, concentration, dose, volume, per, evidence (one struct)), intent,
                    discontinued (bool), evidence
        entities    list of struct: label, start, end (int64), text, value, section, assertion, attributes (map of
                    string to string)
        versions    struct: engine, patterns, overlay, codes, profile, profile_hash, date_of_service, descriptors
        carried     string: a JSON object of the keys that the input record brought and that are no fields of a result

    `evidence` is a list of struct: start, end (int64), text, section; offsets count Unicode code points of the note as
    given, from 0, the end exclusive. What is not said otherwise is a string. A list is empty where there is nothing;
    null is only what a result of an older version does not have. All strings are plain, not of Arrow's dictionary type,
    which other readers of Arrow data take less gladly; in the file Parquet itself encodes them by dictionary.

    Raises InputError when pyarrow is missing.
    """
    pa = require_pyarrow()
    string, integer = pa.string(), pa.int64()
    strings = pa.list_(string)

    def struct(*fields: tuple[str, Any] | str) -> Any:
        return pa.struct([(field, string) if isinstance(field, str) else field for field in fields])

    one_evidence = struct(("start", integer), ("end", integer), "text", "section")
    evidence = ("evidence", pa.list_(one_evidence))
    sites = pa.list_(struct("site", "side", evidence))
    line = struct("code", "side", ("joints", strings), "label", "descriptor", "rule", ("reasons", strings), evidence)
    units, modifiers = ("units", pa.int32()), ("modifiers", strings)
    claim = struct("code", modifiers, units, ("suggested", pa.list_(struct("modifier", "reason"))))
    supply = struct("code", units, modifiers, "name", "amount", "reason", evidence)
    amounts = ("drug_class", "concentration", "dose", "volume", "per")
    agent = struct("name", "role", *amounts, ("evidence", one_evidence))
    procedure = struct(
        "family",
        "technique",
        ("targets", strings),
        ("joints", sites),
        ("nerves", sites),
        "side",
        ("imaging", strings),
        ("agents", pa.list_(agent)),
        "intent",
        ("discontinued", pa.bool_()),
        evidence,
    )
    entity = struct(
        "label",
        ("start", integer),
        ("end", integer),
        "text",
        "value",
        "section",
        "assertion",
        ("attributes", pa.map_(string, string)),
    )
    return pa.schema(
        [
            ("id", string),
            ("status", string),
            ("lines", pa.list_(line)),
            ("claim", pa.list_(claim)),
            ("supplies", pa.list_(supply)),
            ("summary", struct(("imaging", strings), ("injectate", strings), ("target", strings))),
            ("queries", pa.list_(struct("id", "question", evidence))),
            ("warnings", strings),
            ("rejected", pa.list_(struct("code", "reason"))),
            ("procedures", pa.list_(procedure)),
            ("entities", pa.list_(entity)),
            ("versions", struct(*Versions.model_fields)),
            ("carried", string),
        ]
    )


def rows_to_batch(rows: Sequence[Row]) -> RecordBatch:
    """Rows (of `row_of`) as one record batch of `result_schema()`, in their order.

    Raises InputError when pyarrow is missing or what is in a row does not fit; it names the id of the first such row.
    """
    batch = require_pyarrow().RecordBatch
    try:
        return batch.from_pylist(list(rows), schema=result_schema())
    except MISSHAPEN:  # those of pyarrow are such, too
        for row in rows:
            try:
                batch.from_pylist([row], schema=result_schema())
            except MISSHAPEN:
                raise misshapen(row) from None
        raise InputError("a batch of results is too large for one table") from None


def write_parquet(lines: Iterable[bytes], path: Path) -> int:
    """Writes the file, one row group a batch, and returns the number of notes. Errors: see `FORMS`."""
    require_pyarrow()
    parquet = importlib.import_module("pyarrow.parquet")
    count = 0
    with created(path) as stream, parquet.ParquetWriter(stream, result_schema(), compression="zstd") as writer:
        for rows in batches(lines):
            writer.write_batch(rows_to_batch(rows))
            count += len(rows)
            del rows  # or two batches stand in memory while the next one is read
    return count


def require_pyarrow() -> Any:
    """pyarrow; `InputError` when it is not installed."""
    # By name: pyarrow is an optional extra and brings no type marker, so that mypy needs no exception for it.
    try:
        return importlib.import_module("pyarrow")
    except ImportError:
        raise InputError("Parquet needs pyarrow: pip install 'facetcode[batch]'") from None
