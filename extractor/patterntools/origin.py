"""Where a row stands that fired: its file, the row of it, and whether it is one of the user's own.

The pipeline keeps what a row says and not where it was read. So a row is looked up afterwards, in the user's folder
first, as its rows replace ours.
"""

from __future__ import annotations

import csv
import io
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from extractor.patterns import PatternFolder

Keys = tuple[str, ...]
_LONGEST_KEY = 60  # characters of an expression that are shown


@dataclass(frozen=True, slots=True)
class Origin:
    """One row of a pattern file. `row` is its line in the file, in TOML that of its heading; 0 for a word of a list."""

    file: str
    row: int
    key: str
    overlay: bool = False

    def __str__(self) -> str:
        r"""As in `targets.csv row 7 "facet block"`.

        >>> print(Origin("targets.csv", 7, "facet block", True))
        overlay targets.csv row 7 "facet block"
        """
        place = f" {'line' if self.file.endswith('.toml') else 'row'} {self.row}" if self.row else ""
        key = self.key if len(self.key) <= _LONGEST_KEY else f"{self.key[:_LONGEST_KEY]}..."
        return f'{"overlay " if self.overlay else ""}{self.file}{place} "{key}"'


class Origins:
    """Rows of one pattern set by what they say; each file is read once, when it is first asked about."""

    def __init__(self, patterns: PatternFolder) -> None:
        self._patterns = patterns
        self._rows: dict[tuple[str, Keys], dict[Keys, Origin]] = {}
        self._items: dict[tuple[str, str, Keys], dict[Keys, Origin]] = {}
        self._tables: dict[Path, dict[str, Any]] = {}

    def csv(self, name: str, **columns: str) -> tuple[Origin, ...]:
        """The row of a CSV file that has these values, or nothing.

        >>> [origin] = Origins(PatternFolder()).csv("sides.csv", phrase="left")
        >>> origin.file, origin.key
        ('sides.csv', 'left')
        """
        asked = name, tuple(columns)
        if asked not in self._rows:
            self._rows[asked] = {
                key: Origin(name, row, key[0], overlay)
                for path, overlay in self._files(name)
                for row, key in _csv_keys(path, tuple(columns))
            }
        found = self._rows[asked].get(tuple(columns.values()))
        return (found,) if found else ()

    def item(self, name: str, array: str, **fields: str) -> tuple[Origin, ...]:
        """The table of an array ([[array]]) of a TOML file whose fields have these values, or nothing. Its row is the
        line of its heading."""
        asked = name, array, tuple(fields)
        if asked not in self._items:
            self._items[asked] = {
                key: Origin(name, row, key[0], overlay)
                for path, overlay in self._files(name)
                for row, key in _table_keys(path, self._table(path).get(array, []), array, tuple(fields))
            }
        found = self._items[asked].get(tuple(fields.values()))
        return (found,) if found else ()

    def word(self, name: str, path: str, word: str) -> tuple[Origin, ...]:
        """A word of a list or a table of a TOML file, as "sounds.drugs"; the user's where the user's file has it."""
        own = [overlay for file, overlay in self._files(name) if word in _at(self._table(file), path)]
        return (Origin(name, 0, f"{path}: {word}", own[-1]),) if own else ()

    def _table(self, path: Path) -> dict[str, Any]:
        if path not in self._tables:
            self._tables[path] = tomllib.loads(path.read_text(encoding="utf-8-sig"))
        return self._tables[path]

    def _files(self, name: str) -> Iterator[tuple[Path, bool]]:
        """Ours and then the user's, which win."""
        yield self._patterns.shipped / name, False
        if name in self._patterns.own:
            yield self._patterns.own[name], True


def _csv_keys(path: Path, columns: Keys) -> Iterator[tuple[int, Keys]]:
    reader = csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline=""))
    for row in reader:
        yield reader.line_num, tuple(row.get(column) or "" for column in columns)


def _table_keys(path: Path, items: list[Any], array: str, fields: Keys) -> Iterator[tuple[int, Keys]]:
    text = path.read_text(encoding="utf-8-sig")
    lines = [number for number, line in enumerate(text.splitlines(), start=1) if line.strip() == f"[[{array}]]"]
    if len(lines) != len(items):  # written in another way: they are found, and their lines are not told
        lines = [0] * len(items)
    for number, item in zip(lines, items, strict=True):
        yield number, tuple(str(item.get(field, "")) for field in fields)


def _at(table: Any, path: str) -> Any:
    for part in path.split("."):
        table = table.get(part, {}) if isinstance(table, dict) else {}
    return table
