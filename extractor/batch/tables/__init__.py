"""Result lines as other tables: Parquet (nested), CSV (one row a code line), SQLite (one table a kind of thing).

The results of a run are JSONL first, always; a table is made from their lines at the end, a batch at a time, so that
memory stays bounded. The same lines give the same bytes (of the same library version). A new form is one more module
and one more row of `FORMS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from extractor.batch.tables.database import write_sqlite
from extractor.batch.tables.parquet import require_pyarrow, result_schema, rows_to_batch, write_parquet
from extractor.batch.tables.rows import row_of
from extractor.batch.tables.spreadsheet import write_csv

__all__ = ["FORMS", "require", "result_schema", "row_of", "rows_to_batch"]

# Each takes result lines (bytes, with or without their line feed; blank ones are skipped) and the path of a file that
# it makes anew, and returns how many notes it wrote, when the file is closed and on the disk. The path should be a
# temporary name: on any error what was begun is removed, and the error goes on. InputError: a line is no result, an id
# stands twice (SQLite), the file cannot be written, a library is missing. OSError: the disk.
FORMS: dict[str, Callable[[Iterable[bytes], Path], int]] = {
    ".parquet": write_parquet,
    ".csv": write_csv,
    ".sqlite": write_sqlite,
    ".db": write_sqlite,
}


def require(suffix: str) -> None:
    """`InputError` when a library that this form needs is missing: to be told before a long run, not after it.

    >>> require(".csv")
    """
    if FORMS.get(suffix) is write_parquet:
        require_pyarrow()
