"""A CSV file as rows, whatever a spreadsheet or an editor did to it. Reads on after a fault, to find them all."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, field

from extractor.overlay import near
from extractor.patterns import LAST_COLUMN, short
from extractor.patterntools.cells import cell_findings
from extractor.patterntools.findings import Finding, at

_BOM = b"\xef\xbb\xbf"
_WIDE = (b"\xff\xfe", b"\xfe\xff")
_SIGNS = {";": "semicolons", "\t": "tabs", "|": "bars"}
_SAVE = "Save it as CSV UTF-8 (comma delimited)"


@dataclass
class Sheet:
    """The rows that have a cell for every column, each with its number; none where a needed column is missing."""

    name: str
    rows: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    faults: list[Finding] = field(default_factory=list)
    notices: list[Finding] = field(default_factory=list)

    def fault(self, row: int, what: str, mend: str) -> None:
        self.faults.append(Finding(self.name, row, what, mend))


def decoded(name: str, data: bytes) -> tuple[str, list[Finding], list[Finding]]:
    """The text of a pattern file with the faults and notices of its encoding."""
    save = _SAVE if name.endswith(".csv") else "Save it as UTF-8"
    if data.startswith(_WIDE):
        return data.decode("utf-16", errors="replace"), [Finding(name, 0, "saved as UTF-16", save)], []
    notices = []
    if data.startswith(_BOM):
        what = "begins with a byte order mark, which is read over"
        notices.append(Finding(name, 0, what, "Save it as UTF-8 without one if your editor can"))
    try:
        return data.decode("utf-8-sig"), [], notices
    except UnicodeDecodeError as error:
        row = data.count(b"\n", 0, error.start) + 1
        fault = Finding(name, row, "not UTF-8, most likely saved as Windows-1252", save)
        return data.decode("cp1252", errors="replace"), [fault], notices


def read_sheet(name: str, data: bytes, columns: Sequence[str], optional: frozenset[str]) -> Sheet:
    """The rows of a CSV file with the faults of its form. `columns` are those known; `optional` need not be there."""
    sheet = Sheet(name)
    text, sheet.faults, sheet.notices = decoded(name, data)
    head = text.split("\n", 1)[0].strip()
    if not head:
        sheet.fault(1, "no head line", f"Begin with the line {','.join(c for c in columns if c not in optional)}")
        return sheet
    sign = next((sign for sign in _SIGNS if sign in head and "," not in head), ",")
    if sign != ",":
        sheet.fault(1, f"saved with {_SIGNS[sign]} between the columns", f"{_SAVE}, or replace them with commas")
    reader = csv.reader(io.StringIO(text.replace("\0", ""), newline=""), delimiter=sign)
    try:
        names = _head(sheet, next(reader), columns, optional)
        for cells in reader:
            _row(sheet, reader.line_num, cells, names)
    except csv.Error as error:
        sheet.fault(reader.line_num, f"cannot be read ({error})", "Look for a quote that is not closed")
        names = []
    if not set(columns) - optional <= set(names):
        sheet.rows = []
    if "\0" in text:
        sheet.fault(0, "holds characters of no text (NUL)", _SAVE)
    return sheet


def _head(sheet: Sheet, given: list[str], columns: Sequence[str], optional: frozenset[str]) -> list[str]:
    """The columns of the head, misspelt ones under the name that they mean; "" for one that means nothing."""
    names: list[str] = []
    if not any(near(column.strip(), columns) or column.strip() in columns for column in given):
        sheet.fault(1, "this is no head", f"Put a first line above it that names the columns: {','.join(columns)}")
        return names
    for column in given:
        meant = column if column in columns else near(column.strip(), [c for c in columns if c not in given])
        if not column.strip():
            sheet.fault(1, "a column without a name", "Take the comma at the end of the head away, or name the column")
        elif meant in names:
            sheet.fault(1, f"the column {short(column)} stands twice", "Take one of the two away")
        elif column not in columns:
            mend = f"Write {short(meant)}" if meant else f"Take it away; known are {', '.join(columns)}"
            sheet.fault(1, f"no column is named {short(column)}", mend)
        names.append("" if meant in names else meant)
    for column in columns:
        if column not in names and column not in optional:
            sheet.fault(1, f"the column {column!r} is missing", f"Write it into the head; it has {', '.join(columns)}")
    return names


def _row(sheet: Sheet, number: int, cells: list[str], names: list[str]) -> None:
    if not cells:
        return  # an empty line
    if not any(cell.strip() for cell in cells):
        sheet.fault(number, "a row of empty cells", "Delete the row")
        return
    short_by = len(names) - len(cells)
    if short_by == 1 and names[-1] == LAST_COLUMN:
        cells = [*cells, ""]
    elif short_by > 0:
        sheet.fault(number, *_fewer(cells, len(names)))
    elif short_by < 0:
        sheet.fault(number, *_more(cells, len(names)))
    row = {name: cell for name, cell in zip(names, cells, strict=False) if name}
    for column, cell in row.items():
        sheet.faults += at(sheet.name, number, cell_findings(column, cell))
    if short_by in {0, 1} and len(cells) == len(names):
        sheet.rows.append((number, row))


def _fields(cells: list[str]) -> str:
    return "1 field" if len(cells) == 1 else f"{len(cells)} fields"


def _fewer(cells: list[str], wanted: int) -> tuple[str, str]:
    what = f"{_fields(cells)}, but the head has {wanted} columns"
    sign = next((sign for sign in _SIGNS if len(cells) == 1 and sign in cells[0]), "")
    return what, f"Write commas in place of {_SIGNS[sign]}" if sign else "Fill in what is missing"


def _more(cells: list[str], wanted: int) -> tuple[str, str]:
    what = f"{_fields(cells)}, but the head has {wanted} columns"
    if not any(cells[wanted:]):
        return what, "Take the commas at the end away"
    return what, 'Put a field that holds a comma into straight quotes ("...")'
