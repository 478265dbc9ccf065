"""Many notes on a cluster: `code_notes(df)` turns a Spark DataFrame of notes into one of results (extra `spark`).

    from extractor.batch.spark import code_notes
    results = code_notes(spark.read.parquet("notes.parquet"), profile="medicare")
    results.write.parquet("results.parquet")

Each Python process of an executor builds its coder once and keeps it. Profile, day, options and pattern overlay
travel with the job: the overlay's files are sent as bytes and laid out in a folder of the executor. A note that cannot
be coded becomes a row with `failure`, and never ends the job.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from extractor.batch.readers.items import BadRecord, Columns, incoming
from extractor.batch.readers.parquet import record_of
from extractor.batch.runner import CodeNote
from extractor.batch.work import Failed, code_item, refused
from extractor.descriptors import Descriptors
from extractor.errors import InputError
from extractor.patterns import PatternFolder

if TYPE_CHECKING:
    import pyarrow
    from pyspark.sql import DataFrame

_ROWS = 256  # results in one batch that goes back to the JVM


def code_notes(
    df: DataFrame,
    *,
    id_column: str = "id",
    text_column: str = "text",
    profile: str = "cpt",
    patterns: str | Path | None = None,
    descriptors: str | Path | None = None,
    date_of_service: str | None = None,
    max_chars: int | None = None,
    supplies: bool = False,
) -> DataFrame:
    """The results of all notes of `df`, one row a note, in no certain order.

    Read are `id_column` and `text_column` (strings; ids are not compared with each other), `date_of_service` and
    `profile` where they are there; all other columns but binary ones are carried through. The columns of the result
    are those of `extractor.batch.tables.result_schema` and `failure` (string, null for a note that was coded; then
    all columns but `id` and `failure` are null). InputError: a column is missing, or the overlay or the file of
    descriptors cannot be read.
    """
    from extractor.batch.tables import result_schema

    for name in (id_column, text_column):
        if name not in df.columns:
            raise InputError(f'no column "{name}"')
    names = [item.name for item in df.schema if "binary" not in item.dataType.simpleString()]
    overlay = _packed(Path(patterns)) if patterns is not None else None
    if descriptors is not None:
        Descriptors.load(Path(descriptors))  # what is wrong with it is told here, by its name
    texts = Path(descriptors).read_bytes() if descriptors is not None else None
    code_batches = _code_batches(
        _Setting(profile, overlay, texts, date_of_service, max_chars, Columns(id_column, text_column), supplies)
    )
    return df.select(*(df[name] for name in names)).mapInArrow(code_batches, schema=_spark_schema(result_schema()))


def _spark_schema(schema: pyarrow.Schema) -> Any:
    import pyarrow
    from pyspark.sql.pandas.types import from_arrow_schema

    return from_arrow_schema(_nullable(schema.append(pyarrow.field("failure", pyarrow.string()))))


def _nullable(schema: pyarrow.Schema) -> pyarrow.Schema:
    """The schema as Spark sends it: no dictionaries, everything may be null."""
    import pyarrow

    fields = []
    for field in schema:
        kind = field.type.value_type if pyarrow.types.is_dictionary(field.type) else field.type
        fields.append(pyarrow.field(field.name, kind, nullable=True))
    return pyarrow.schema(fields)


def _packed(folder: Path) -> Mapping[str, bytes]:
    """The overlay's files by their names."""
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder")
    return {name: path.read_bytes() for name, path in PatternFolder(folder).own.items()}


@dataclass(frozen=True, slots=True)
class _Setting:
    """What travels with the job."""

    profile: str
    overlay: Mapping[str, bytes] | None
    descriptors: bytes | None
    day: str | None
    max_chars: int | None
    columns: Columns
    supplies: bool = False


def _code_batches(
    setting: _Setting,
) -> Callable[[Iterator[pyarrow.RecordBatch]], Iterator[pyarrow.RecordBatch]]:
    def code_batches(batches: Iterator[pyarrow.RecordBatch]) -> Iterator[pyarrow.RecordBatch]:
        code = coder_of_process(setting.profile, setting.overlay, setting.descriptors, setting.supplies)
        rows: list[dict[str, Any]] = []
        for batch in batches:
            for record in batch.to_pylist():
                rows.append(_row(record, code, setting))
                if len(rows) >= _ROWS:
                    yield _batch(rows)
                    rows = []
        if rows:
            yield _batch(rows)

    return code_batches


def _row(record: dict[str, Any], code: CodeNote, setting: _Setting) -> dict[str, Any]:
    from extractor.batch.tables import row_of

    item = incoming("row", record_of(record, setting.columns.id), setting.columns)
    if isinstance(item, BadRecord):
        key = record.get(setting.columns.id)
        return {"id": None if key is None else str(key), "failure": item.kind or item.reason}
    outcome = refused(item, setting.max_chars) or code_item(item, code, setting.day)
    if isinstance(outcome, Failed):
        return {"id": outcome.id, "failure": outcome.kind or outcome.reason}
    return row_of(outcome.line)


def _batch(rows: list[dict[str, Any]]) -> pyarrow.RecordBatch:
    import pyarrow

    from extractor.batch.tables import result_schema

    schema = _nullable(result_schema().append(pyarrow.field("failure", pyarrow.string())))
    return pyarrow.RecordBatch.from_pylist(rows, schema=schema)


_coders: dict[str, CodeNote] = {}  # of this process, by what they are made with
_folders: list[tempfile.TemporaryDirectory[str]] = []  # with the overlay and the descriptors of the coder


def coder_of_process(
    profile: str, overlay: Mapping[str, bytes] | None, descriptors: bytes | None = None, supplies: bool = False
) -> CodeNote:
    """The coder of this Python process; built with the first batch."""
    made_with = (profile, sorted((overlay or {}).items()), descriptors, supplies)
    digest = hashlib.sha256(repr(made_with).encode()).hexdigest()
    if digest not in _coders:
        from extractor.loading import load_coder

        _coders.clear()  # one at a time: a process serves one job
        folder = tempfile.TemporaryDirectory()  # of a name that nobody can have laid files under before
        _folders[:] = [folder]  # read as long as the coder lives: a code book when a note of its year comes
        patterns = Path(folder.name, "patterns") if overlay is not None else None
        texts = Path(folder.name, "descriptors.csv") if descriptors is not None else None
        if patterns is not None:
            patterns.mkdir()
            _lay_out(overlay or {}, patterns)
        if texts is not None:
            texts.write_bytes(descriptors or b"")
        _coders[digest] = load_coder(profile, patterns, texts, supplies)
    return _coders[digest]


def _lay_out(overlay: Mapping[str, bytes], folder: Path) -> None:
    for name, data in overlay.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
