"""A pattern folder as it is, with all that is wrong in its files. Nothing here needs the pipeline."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from extractor.overlay import DISABLED, NoSuchItem, Table, is_known, merged, near, without
from extractor.patterns import DisabledRow, PatternFolder, PhraseRow, Row, pattern_files, short
from extractor.patterntools import tables
from extractor.patterntools.doubles import Placed, across, against_shipped, in_file, out_of_order, unread_values
from extractor.patterntools.files import CSV_FILES, table_model
from extractor.patterntools.findings import Finding
from extractor.patterntools.sheets import Sheet, read_sheet

Model = TypeVar("Model", bound=Row)


_WORKBOOKS = frozenset({".xlsx", ".xls", ".xlsm", ".ods"})


@dataclass
class Layers:
    """What was read of a folder. `rows` holds the rows without a fault, `tables` the TOML files that could be read,
    `texts` their words, `disabled` what is taken out of the shipped files, with the row that says so."""

    rows: dict[str, list[Placed]] = field(default_factory=dict)
    tables: dict[str, Table] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    disabled: dict[str, dict[str, int]] = field(default_factory=dict)
    reasons: dict[int, DisabledRow] = field(default_factory=dict)
    files: int = 0
    number_of_rows: int = 0
    faults: list[Finding] = field(default_factory=list)
    notices: list[Finding] = field(default_factory=list)

    def fault(self, file: str, row: int, what: str, mend: str) -> None:
        self.faults.append(Finding(file, row, what, mend))

    def sound(self) -> dict[str, list[Placed]]:
        """The rows in which nothing was found."""
        wrong = {finding.where for finding in self.faults}
        return {name: [p for p in rows if (name, p.number) not in wrong] for name, rows in self.rows.items()}


def read_layers(overlay: Path | None) -> Layers:
    """The shipped folder, or the user's over it, with all faults that show without trying a row."""
    shipped = PatternFolder()
    layers = Layers()
    for name, path in pattern_files(overlay or shipped.shipped).items():
        layers.files += 1
        if overlay is not None and not is_known(name, shipped.names):
            close = near(name, (*shipped.names, DISABLED))
            mend = f"Name it {close}" if close else f"Give it the name of a shipped file, or {DISABLED}"
            if close and Path(name).suffix.lower() in _WORKBOOKS:
                mend = f"Save the sheet as CSV UTF-8 (comma delimited) with the name {close}"
            layers.fault(name, 0, "no pattern file has this name", mend)
            continue
        try:
            data = path.read_bytes()
        except OSError as error:
            layers.fault(name, 0, f"cannot be read ({error.strerror})", "See who may read it")
            continue
        if name.endswith(".toml"):
            _table(layers, name, data)
        elif name == DISABLED:
            _disabled(layers, data, shipped)
        else:
            _rows(layers, name, data)
    for name in {*layers.tables, *(name for name in layers.disabled if name.endswith(".toml"))}:
        _merged_table(layers, name, shipped if overlay is not None else None)
    _compare(layers, shipped if overlay is not None else None)
    return layers


def _rows(layers: Layers, name: str, data: bytes) -> None:
    file = CSV_FILES.get(name)
    if file is None:
        layers.fault(name, 0, "the tools do not know the file", "Enter it in extractor/patterntools/files.py")
        return
    sheet = read_sheet(name, data, file.columns, file.optional)
    layers.rows[name] = [Placed(number, row) for number, row in _models(layers, sheet, file.model)]


def _models(layers: Layers, sheet: Sheet, model: type[Model]) -> list[tuple[int, Model]]:
    """The rows that fit the model; what does not fit is told."""
    layers.faults += sheet.faults
    layers.notices += sheet.notices
    layers.number_of_rows += len(sheet.rows)
    found = []
    for number, cells in sheet.rows:
        row = {column: bare for column, cell in cells.items() if (bare := cell.strip())}
        try:
            found.append((number, model.model_validate(row)))
        except ValidationError as error:
            for item in error.errors(include_url=False):
                layers.fault(sheet.name, number, *_misfit(dict(item), row))
    return found


def _misfit(error: dict[str, Any], row: Mapping[str, str]) -> tuple[str, str]:
    """What is wrong with a row, and the mend, from what its model says."""
    column = ".".join(map(str, error["loc"]))
    message = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "missing":
        return f"the {column} is missing", f"Fill in the column {column}"
    if error["type"] == "literal_error":
        value = row.get(column, "")
        allowed = [word.strip().strip("'") for word in str(error["ctx"]["expected"]).replace(" or ", ", ").split(",")]
        close = near(value, allowed)
        return (
            f"the {column} {short(value)} is none that is known",
            f"Write {close}" if close else f"Use {', '.join(allowed)}",
        )
    what, _, hint = message.partition("; did you mean ")
    mend = f"Write {hint.rstrip('?')}" if hint else f"Write the {column or 'row'} as the shipped rows do"
    if not column and "applies_to: " in what:
        mend = "Write the applies_to as the shipped rows of this direction do"
    return f"{column}: {what}" if column else what, mend


def _table(layers: Layers, name: str, data: bytes) -> None:
    own, text, faults, notices = tables.read(name, data)
    layers.faults += faults
    layers.notices += notices
    layers.texts[name] = text
    if own is not None:
        layers.tables[name] = own
        try:
            layers.faults += tables.own_findings(name, text, own)
        except RecursionError:
            layers.fault(name, 0, "nested too deeply", "Compare it with the shipped file")


def _merged_table(layers: Layers, name: str, under: PatternFolder | None) -> None:
    """Whether the model takes the table, the user's laid over the shipped one where there is one under it."""
    model, own = table_model(name), layers.tables.get(name, {})
    if model is None:
        layers.fault(name, 0, "the tools do not know the file", "Enter it in extractor/patterntools/files.py")
        return
    shipped = under.table(name) if under is not None and name in under.names else {}
    for id_ in layers.disabled.get(name, {}):
        shipped = without(shipped, id_)
    found = tables.schema_findings(name, layers.texts.get(name, ""), merged(shipped, own), shipped, model)
    if name not in layers.tables:  # only what was disabled can be the cause
        number = min(layers.disabled[name].values())
        found = [Finding(DISABLED, number, f"{name} then is wrong: {f.what}", "Disable less of it") for f in found]
    layers.faults += found


def _disabled(layers: Layers, data: bytes, shipped: PatternFolder) -> None:
    sheet = read_sheet(DISABLED, data, tuple(DisabledRow.model_fields), frozenset())
    for number, row in _models(layers, sheet, DisabledRow):
        ids = layers.disabled.setdefault(row.file, {})
        if row.file not in shipped.names:
            close = near(row.file, shipped.names)
            mend = f"Write {close}" if close else "Write the name of a shipped file"
            layers.fault(DISABLED, number, f"no shipped file is named {short(row.file)}", mend)
        elif row.id in ids:
            layers.fault(DISABLED, number, f"{short(row.id)} is disabled twice", "Delete the row")
        elif (hint := _missing(shipped, row)) is not None:
            mend = hint or f"Look the id up in the shipped {row.file}"
            layers.fault(DISABLED, number, f"{row.file} has no {short(row.id)}", mend)
        else:
            ids[row.id] = number
            layers.reasons[number] = row
    layers.disabled = {name: ids for name, ids in layers.disabled.items() if ids}


def _missing(shipped: PatternFolder, row: DisabledRow) -> str | None:
    """None where the shipped file has what is to be disabled; else the mend, or ""."""
    if row.file.endswith(".toml"):
        try:
            without(shipped.table(row.file), row.id)
        except NoSuchItem as error:
            hint = str(error).removeprefix("; ")
            close = hint.removeprefix("did you mean ").rstrip("?").strip("'\"")
            within = f"{row.id.partition('[')[0]}[{close}]" if row.id.endswith("]") else close
            return f"Write {within}" if close != hint else hint[:1].upper() + hint[1:]
        return None
    file = CSV_FILES[row.file]
    keys = [file.key_of(known) for known in shipped.csv(row.file, file.model, file.key)]
    close = near(row.id, keys)
    return None if row.id in keys else f"Write {close}" if close else ""


def _compare(layers: Layers, under: PatternFolder | None) -> None:
    """Rows beside each other: in a file, over the shipped ones, and across the files."""
    whole: dict[str, list[PhraseRow]] = {}
    for name, file in CSV_FILES.items():
        placed = layers.rows.get(name, [])
        layers.faults += in_file(name, placed)
        if under is None:
            layers.faults += out_of_order(name, placed)
            whole[name] = [here.row for here in placed]
            continue
        shipped, gone = under.csv(name, file.model, file.key), layers.disabled.get(name, {})
        faults, notices = against_shipped(name, placed, shipped, gone)
        known = {file.value_of(row) for row in shipped} | (_regex_categories(under) if name == "cues.csv" else set())
        layers.faults += faults + unread_values(name, placed, known)
        layers.notices += notices
        own = {file.key_of(here.row) for here in placed}
        whole[name] = [row for row in shipped if file.key_of(row) not in own and file.key_of(row) not in gone]
        whole[name] += [here.row for here in placed]
    layers.faults += across(layers.rows, whole)


def _regex_categories(folder: PatternFolder) -> set[str]:
    return {str(row["category"]) for row in folder.table("reading.toml").get("regex", [])}


def write_sound(layers: Layers, folder: Path) -> None:
    """The parts of an overlay in which nothing was found, as an overlay of its own."""
    wrong = {finding.file for finding in layers.faults}
    for name, rows in layers.sound().items():
        _write_csv(folder / name, CSV_FILES[name].columns, [here.row.model_dump() for here in rows])
    for name in layers.tables:
        if name not in wrong:
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(layers.texts[name], encoding="utf-8")
    bad = {finding.row for finding in layers.faults if finding.file == DISABLED}
    reasons = [row.model_dump() for number, row in layers.reasons.items() if number not in bad]
    _write_csv(folder / DISABLED, tuple(DisabledRow.model_fields), reasons)


def _write_csv(path: Path, columns: tuple[str, ...], rows: list[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, columns)
        writer.writeheader()
        writer.writerows(rows)
