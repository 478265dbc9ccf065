"""Descriptors of codes from a file of the user's. CPT descriptors belong to the AMA: none is shipped."""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from extractor.batch.readers.items import printable
from extractor.errors import InputError

_COLUMNS = ["code", "descriptor"]
_CODE = re.compile(r"[0-9A-Z][0-9]{3}[0-9A-Z]")  # a CPT or HCPCS number, not one that a spreadsheet made of it
_LONGEST = 100_000  # characters of a cell
LARGEST = 64 * 2**20  # bytes; all of CPT and HCPCS have a few


@dataclass(frozen=True)
class Descriptors:
    """Descriptors by code, and the hash of the file for the result's `versions`."""

    texts: Mapping[str, str]
    fingerprint: str

    @classmethod
    def load(cls, path: Path) -> Descriptors:
        """Reads a CSV file with the columns code and descriptor, in UTF-8. InputError names the file and the row."""
        name = printable(str(path))
        try:
            if path.exists() and not path.is_file():  # a device or a pipe may never end
                raise InputError(f"{name}: cannot be read (not a regular file)")
            if path.stat().st_size > LARGEST:
                raise InputError(f"{name}: larger than {LARGEST // 2**20} MB")
            data = path.read_bytes()
        except OSError as error:
            raise InputError(f"{name}: cannot be read ({error.strerror})") from None
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise InputError(f"{name}: not UTF-8") from None
        texts: dict[str, str] = {}
        for number, code, descriptor in _rows(text, name):
            if code in texts:
                raise InputError(f"{name} row {number}: {code} stands twice")
            texts[code] = descriptor
        return cls(texts, hashlib.sha256(data.replace(b"\r\n", b"\n")).hexdigest()[:12])


def _rows(text: str, name: str) -> Iterator[tuple[int, str, str]]:
    """The row's number in the file, its code and its descriptor. No message shows what stands in a row."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        if [cell.strip() for cell in next(reader, [])] != _COLUMNS:
            raise InputError(f"{name} row 1: the columns must be code,descriptor")
        for row in reader:
            number = reader.line_num
            if not row:
                continue  # an empty line
            if (
                max(map(len, row)) > _LONGEST
            ):  # the limit of the csv module is the process's, and readers of notes set it
                raise csv.Error
            if len(row) != len(_COLUMNS):
                raise InputError(
                    f"{name} row {number}: {len(row)} fields, not 2: a descriptor with a comma needs quotes"
                )
            code, descriptor = (" ".join(cell.split()) for cell in row)
            if not _CODE.fullmatch(code):
                raise InputError(f"{name} row {number}: the code is no number of five digits or capital letters")
            if not descriptor:
                raise InputError(f"{name} row {number}: the descriptor is empty")
            yield number, code, descriptor
    except csv.Error:
        raise InputError(f"{name} row {reader.line_num}: not readable as CSV") from None
