"""patterns/ -> frozen, validated models. Any bad row stops the load with its file and row.

`PatternFolder.csv` and `PatternFolder.toml` are the only ways in. A CSV row that does not fit its model, an unknown
column, a duplicate phrase or a stray blank raises `PatternError` ("agents.csv row 14: ..."). An overlay folder given by
the user is laid over the shipped one: its rows are added, a row with the same key replaces the shipped one, its TOML
tables are merged into the shipped ones, and its `disabled.csv` takes shipped rows out (`extractor.overlay` has the
rules). Faults of its files are told as "overlay agents.csv row 2: ...".

`facetcode patterns check` (`extractor.patterntools`) finds all faults at once, and says how to mend them.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from extractor.errors import PatternError
from extractor.expressions import MOST, runs_away
from extractor.overlay import DISABLED, NoSuchItem, Table, did_you_mean, is_known, merged, without

Model = TypeVar("Model", bound=BaseModel)
LAST_COLUMN = "counter"  # may be left out at the end of a row: few rows need a counter-example
_SUFFIXES = frozenset({".csv", ".toml"})
# what a spreadsheet or an editor makes of them: told, not passed over
_MEANT = _SUFFIXES | {".tsv", ".xlsx", ".xls", ".xlsm", ".ods", ".numbers"}
_QUOTED = 60  # characters of a file's own words in a message


class Row(BaseModel):
    """Base of every pattern row and table: frozen, and no unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=False)


class PhraseRow(Row):
    """Base of the rows of CSV files: a phrase, a text in which it does what the row says, and where it is known to be
    risky a text that holds it and in which it must not."""

    phrase: str
    example: str
    counter: str = ""


def findable(words: re.Pattern[str]) -> AfterValidator:
    """Refuses a phrase in which a reader that looks for `words` would never find anything."""

    def checked(phrase: str) -> str:
        if words.search(phrase) is None:
            raise ValueError("no letter or digit in it, so it can never be found")
        return phrase

    return AfterValidator(checked)


def _compiles(pattern: str) -> str:
    try:
        re.compile(pattern, re.IGNORECASE)
        endless = runs_away(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"no expression: {error}") from None
    if endless:
        raise ValueError(f"may run without end: a repeat round a repeat needs a bound, as {{0,{MOST}}} in place of *")
    return pattern


ExpressionText = Annotated[str, AfterValidator(_compiles)]  # as written; its reader compiles it


class DisabledRow(Row):
    """disabled.csv of an overlay: a shipped row that is to count for nothing, and why."""

    file: str  # as "agents.csv" or "profiles.toml"
    id: str = Field(min_length=1)
    reason: str

    @property
    def key(self) -> str:
        return f"{self.file}: {self.id}"


def shipped_folder() -> Path:
    """The folder of the patterns that came with the package (inside the wheel, or the checkout's own)."""
    inside = Path(__file__).parent / "_patterns"
    return inside if inside.is_dir() else Path(__file__).parent.parent / "patterns"


def pattern_files(root: Path) -> dict[str, Path]:
    """All files below a folder that are patterns or mean to be, by their names with "/". Hidden ones are none."""
    return {name: path for name, path in _visible(root) if path.suffix.lower() in _MEANT and path.is_file()}


def _visible(root: Path) -> Iterator[tuple[str, Path]]:
    """What is below a folder, by its name with "/", without what is hidden; folders that are links are not entered."""
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root)
        if not any(part[0] in ".~" for part in name.parts):
            yield name.as_posix(), path


def refuse_unreadable(overlay: Path) -> None:
    """PatternError for an overlay that is no folder, or in which something cannot be read as it seems to be meant: a
    folder that is a link, or what has the name of a pattern file and is none (a folder, a pipe, a link to nothing)."""
    if not overlay.is_dir():
        raise PatternError(f"{overlay}: no such patterns folder")
    for name, path in _visible(overlay):
        if path.is_symlink() and path.is_dir():
            raise PatternError(f"overlay {name}: a folder that is a link is not read; put the folder itself there")
        if path.suffix.lower() in _MEANT and not path.is_file():
            raise PatternError(f"overlay {name}: not a regular file")


def no_pattern_file(overlay: Path) -> PatternError:
    """What is wrong with an overlay that changes nothing, such as the folder beside the one that was meant."""
    return PatternError(f"{overlay}: holds no pattern file, as agents.csv or profiles.toml")


@dataclass(frozen=True)
class PatternFolder:
    """The shipped patterns with an optional overlay folder of the user's.

    PatternError: the overlay is no folder, holds no pattern file, or one of a name that means nothing here, or what
    `refuse_unreadable` refuses.
    """

    overlay: Path | None = None

    def __post_init__(self) -> None:
        if self.overlay is None:
            return
        refuse_unreadable(self.overlay)
        if not self.own:
            raise no_pattern_file(self.overlay)
        for name in self.own:
            self.check_name(name)

    @cached_property
    def shipped(self) -> Path:
        return shipped_folder()

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of the shipped files."""
        return tuple(pattern_files(self.shipped))

    @cached_property
    def own(self) -> dict[str, Path]:
        """The user's files by their names. No other is read, so that the hash is of all that has an effect."""
        return pattern_files(self.overlay) if self.overlay is not None else {}

    def check_name(self, name: str) -> None:
        """PatternError for an overlay's file whose name is not known."""
        if not is_known(name, self.names):
            raise PatternError(f"overlay {name}: no pattern file has this name{did_you_mean(name, self.names)}")

    @cached_property
    def disabled(self) -> dict[str, dict[str, int]]:
        """What the overlay takes out: file -> id -> row of disabled.csv."""
        found: dict[str, dict[str, int]] = {}
        path = self._own(DISABLED)
        if path is not None:
            for key, (number, row) in _keyed(path, f"overlay {DISABLED}", DisabledRow, "key").items():
                if row.file not in self.names:
                    hint = did_you_mean(row.file, self.names)
                    raise PatternError(f"overlay {DISABLED} row {number}: no shipped file {short(row.file)}{hint}")
                found.setdefault(row.file, {})[key.removeprefix(f"{row.file}: ")] = number
        return found

    def csv(self, name: str, model: type[Model], key: str = "phrase") -> tuple[Model, ...]:
        """All rows of a CSV file as `model`s. A repeated `key` within one file is an error; a row of the overlay
        replaces the shipped one with its key, and what the overlay disables is left out."""
        rows = {value: row for value, (_, row) in _keyed(self.shipped / name, name, model, key).items()}
        for id_, number in self.disabled.get(name, {}).items():
            if id_ not in rows:
                raise self._no_such(number, name, id_, did_you_mean(id_, rows))
            del rows[id_]
        own = self._own(name)
        if own is not None:
            rows |= {value: row for value, (_, row) in _keyed(own, f"overlay {name}", model, key).items()}
        return tuple(rows.values())

    def toml(self, name: str, model: type[Model]) -> Model:
        """A TOML table as `model`: the shipped one with the overlay's merged into it."""
        where = f"{name} without what the overlay disables" if name in self.disabled else name
        if self._own(name) is not None:
            where = f"overlay {name}"
        return _validated(model, self.table(name), where)

    def table(self, name: str) -> Table:
        """The same as plain data, before it is validated."""
        own = self._own(name)
        shipped: Table = {}
        if own is None or (self.shipped / name).is_file():
            shipped = read_table(self.shipped / name, name)
        for id_, number in self.disabled.get(name, {}).items():
            try:
                shipped = without(shipped, id_)
            except NoSuchItem as error:
                raise self._no_such(number, name, id_, str(error)) from None
        return merged(shipped, read_table(own, f"overlay {name}")) if own is not None else shipped

    def _own(self, name: str) -> Path | None:
        return self.own.get(name)

    def _no_such(self, number: int, name: str, id_: str, hint: str) -> PatternError:
        return PatternError(f"overlay {DISABLED} row {number}: {name} has no {short(id_)}{hint}")

    @cached_property
    def fingerprint(self) -> str:
        """A short hash of every pattern file, for the result's `versions`."""
        return _hash_of(pattern_files(self.shipped), self.own)

    @cached_property
    def overlay_fingerprint(self) -> str:
        """A short hash of the user's own pattern files; empty where there are none."""
        return _hash_of(self.own) if self.overlay else ""


def short(words: str) -> str:
    """Words of a pattern file for a message, in quotes and cut where they are endless."""
    return repr(words if len(words) <= _QUOTED else f"{words[:_QUOTED]}...")


def _hash_of(*folders: dict[str, Path]) -> str:
    digest = hashlib.sha256()
    for files in folders:
        for name, path in files.items():
            if path.suffix in _SUFFIXES:
                digest.update(name.encode())
                digest.update(path.read_bytes().replace(b"\r\n", b"\n"))
    return digest.hexdigest()[:12]


def read_table(path: Path, where: str) -> Table:
    """A TOML file as plain data."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise PatternError(f"{where}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise PatternError(f"{where}: not UTF-8") from None
    except ValueError as error:  # tomllib's own, and a number or a day that is none
        raise PatternError(f"{where}: {error}") from None
    except RecursionError:
        raise PatternError(f"{where}: nested too deeply") from None


def _keyed(path: Path, where: str, model: type[Model], key: str) -> dict[str, tuple[int, Model]]:
    """The rows of one CSV file by their key, each with its number."""
    rows: dict[str, tuple[int, Model]] = {}
    columns = [name for name, field in model.model_fields.items() if field.is_required()]
    for number, row in _csv_rows(path, where, columns):
        item = _validated(model, row, f"{where} row {number}")
        value = str(getattr(item, key))
        if value in rows:
            raise PatternError(f"{where} row {number}: {key} {short(value)} stands twice")
        rows[value] = (number, item)
    return rows


def _csv_rows(path: Path, where: str, columns: Sequence[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise PatternError(f"{where}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise PatternError(f"{where}: not UTF-8") from None
    reader = csv.DictReader(io.StringIO(text, newline=""))
    try:
        if not {*columns} <= {*(reader.fieldnames or ())}:
            raise PatternError(f"{where}: the first line must name the columns {', '.join(columns)}")
        yield from _checked_rows(reader, where)
    except csv.Error as error:
        raise PatternError(f"{where} row {reader.line_num}: {error}") from None


def _checked_rows(reader: csv.DictReader[str], where: str) -> Iterator[tuple[int, dict[str, Any]]]:
    for row in reader:
        number = reader.line_num
        if None in row:
            raise PatternError(f"{where} row {number}: more fields than columns")
        if row.get(LAST_COLUMN, "") is None:
            row[LAST_COLUMN] = ""
        if None in row.values():
            raise PatternError(f"{where} row {number}: fewer fields than columns")
        for column, value in row.items():
            if value != value.strip():
                raise PatternError(f"{where} row {number}: blank at an end of {short(column)}")
        yield number, {column: value for column, value in row.items() if value != ""}


def _validated(model: type[Model], data: Any, where: str) -> Model:
    try:
        return model.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        field = "".join(f"{part}: " for part in [".".join(map(str, first["loc"]))] if part)
        raise PatternError(f"{where}: {field}{first['msg'].removeprefix('Value error, ')}") from None
