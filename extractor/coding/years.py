"""The code books of all years: each file of patterns/codes/ holds what differs from the book that it is based on.

The books follow each other day by day, without a gap and without an overlap, so that a date of service has at most one.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any

from pydantic import ConfigDict, Field, ValidationError

from extractor.coding.codetable import CodeTable
from extractor.errors import InputError, PatternError
from extractor.patterns import PatternFolder, Row


class YearFile(Row):
    """patterns/codes/<year>.toml as written. Without `based_on` it holds a whole book; further keys are the facts."""

    model_config = ConfigDict(extra="allow")

    year: str
    source: str
    date: dt.date
    first: dt.date = Field(alias="from")
    last: dt.date = Field(alias="until")
    based_on: str = ""
    removed: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return f"codes/{self.year}.toml"


class CodeYears:
    """The code tables of a patterns folder, by year. PatternError names the file whose rows are wrong.

    >>> years = CodeYears(PatternFolder())
    >>> years.newest, years.of_day(day_of("2024-12-31")), years.of_day(day_of("2019-06-01"))
    ('2026', '2024', '2020')
    """

    def __init__(self, folder: PatternFolder) -> None:
        self._folder = folder
        self._facts: dict[str, dict[str, Any]] = {}
        self._tables: dict[str, CodeTable] = {}

    @cached_property
    def files(self) -> Mapping[str, YearFile]:
        """The files by year, in the order of their days; checked against each other."""
        found: dict[str, YearFile] = {}
        for year in _years(self._folder):
            file = self._folder.toml(f"codes/{year}.toml", YearFile)
            if file.year != year:
                raise PatternError(f"codes/{year}.toml: year: {file.year!r} is not that of the file's name")
            found[year] = file
        if not found:
            raise PatternError("codes: no code book <year>.toml")
        _check_days(tuple(found.values()))
        return found

    @property
    def newest(self) -> str:
        """The year for notes without a date: the newest that came with the package, whatever an overlay adds."""
        return max(_stems(self._folder.names))

    def named(self, table: str) -> frozenset[str]:
        """The numbers that stand in a table (codes, substitutes) of any year."""
        tables = [(file.model_extra or {}).get(table) for file in self.files.values()]
        return frozenset(number for rows in tables if isinstance(rows, dict) for number in rows)

    def of_day(self, day: dt.date) -> str:
        """The year whose book covers the day; the nearest where none does."""
        return next((year for year, file in self.files.items() if day <= file.last), list(self.files)[-1])

    def table(self, year: str) -> CodeTable:
        """The whole table of a year, and of those that it is based on before it."""
        if year not in self._tables:
            if year not in self.files:
                raise PatternError(f"there is no code book of that year; known years: {', '.join(self.files)}")
            file = self.files[year]
            self._facts[year] = facts = self._facts_of(file)
            table = _checked(file, facts)
            for fault in table.faults():
                raise PatternError(f"{file.name}: {fault}")
            self._tables[year] = table
        return self._tables[year]

    def _facts_of(self, file: YearFile) -> dict[str, Any]:
        """All facts of a year: its own laid over those of the book that it is based on."""
        own = dict(file.model_extra or {})
        if not file.based_on:
            if file.removed:
                raise PatternError(f"{file.name}: removed: the book is based on no other")
            return own
        if file.based_on not in self.files:
            raise PatternError(f"{file.name}: based_on: there is no codes/{file.based_on}.toml")
        if file.based_on >= file.year:  # so that every chain ends
            raise PatternError(f"{file.name}: based_on: {file.based_on} is no earlier book")
        base = self.table(file.based_on)  # what is wrong there is told of its file
        for number in file.removed:
            if number not in base.codes:
                raise PatternError(f"{file.name}: removed: {number} is no code of {file.based_on}")
        return laid_over(_without(self._facts[file.based_on], frozenset(file.removed)), own)


def laid_over(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """A later year laid over an earlier one, key by key; a list or a single value replaces.

    >>> laid_over({"a": {"x": 1, "y": 2}, "b": [1]}, {"a": {"y": 3}, "b": [2]})
    {'a': {'x': 1, 'y': 3}, 'b': [2]}
    """
    found = dict(base)
    for key, value in over.items():
        old = found.get(key)
        found[key] = laid_over(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return found


def day_of(text: str) -> dt.date:
    """The day of a date of service; InputError when it is none, written YYYY-MM-DD.

    >>> day_of("2026-01-31")
    datetime.date(2026, 1, 31)
    >>> day_of("20260131")
    Traceback (most recent call last):
    extractor.errors.InputError: the date of service is not a date like 2026-01-31
    """
    try:
        day = dt.date.fromisoformat(text)
        if day.isoformat() == text:
            return day
    except ValueError:
        pass
    raise InputError("the date of service is not a date like 2026-01-31")


def _checked(file: YearFile, facts: Mapping[str, Any]) -> CodeTable:
    head = {"year": file.year, "source": file.source, "date": file.date, "from": file.first, "until": file.last}
    try:
        return CodeTable.model_validate({**facts, **head})
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise PatternError(f"{file.name}: {place}: {first['msg']}") from None


def _without(facts: Mapping[str, Any], gone: frozenset[str]) -> dict[str, Any]:
    """The facts of a checked book without some of its codes."""
    validity: dict[str, Any] = {}
    for name, row in facts.get("validity", {}).items():
        if left := [number for number in row["codes"] if number not in gone]:
            validity[name] = {**row, "codes": left}
    codes = {number: row for number, row in facts["codes"].items() if number not in gone}
    return {**facts, "codes": codes, "validity": validity}


def _stems(names: Iterable[str]) -> list[str]:
    return [path.stem for path in map(PurePosixPath, names) if path.match("codes/*.toml")]


def _years(folder: PatternFolder) -> list[str]:
    """The years that have a file, shipped or laid over."""
    stems = sorted(_stems({*folder.names, *folder.own}))
    for stem in stems:
        if not (stem.isascii() and stem.isdigit() and len(stem) == 4):
            raise PatternError(f"codes/{stem}.toml: a code book is named by its year")
    return stems


def _check_days(files: tuple[YearFile, ...]) -> None:
    for file in files:
        if file.last < file.first:
            raise PatternError(f"{file.name}: until: {file.last} is before from, {file.first}")
    for before, after in zip(files, files[1:], strict=False):
        if (after.first - before.last).days != 1:
            what = "there is a gap" if after.first > before.last else "they overlap"
            raise PatternError(f"{after.name}: from: {after.first}, but {before.name} ends {before.last}: {what}")
