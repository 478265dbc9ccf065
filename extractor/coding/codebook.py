"""The tables that the coding room reads: codes of a year, claim profiles, queries and rules.

Everything a certified coder may want to change stands in patterns/codes/<year>.toml, profiles.toml, queries.toml and
rules.toml. Loading checks that the tables fit together, so that no note can meet a code without a rule.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from string import Formatter
from typing import Annotated, Literal

from pydantic import AfterValidator

from extractor.coding.codetable import Code, CodeTable
from extractor.coding.profiles import KnownNames, Modifiers, Profile, ProfileTable
from extractor.coding.years import CodeYears
from extractor.errors import InputError, PatternError
from extractor.patterns import PatternFolder, Row

_PLACEHOLDERS = frozenset({"joint", "joints", "nerves", "codes", "sites", "first", "last", "day"})


def _template(text: str) -> str:
    """Only plain, known placeholders, so that a row can never break the coding of a note."""
    for _, name, spec, conversion in Formatter().parse(text):
        if name is not None and (name not in _PLACEHOLDERS or spec or conversion):
            raise ValueError(f"unknown placeholder {{{name}}}")
    return text


Template = Annotated[str, AfterValidator(_template)]


class QueryRow(Row):
    """One question; `question_sites` is used when the sites in doubt are known."""

    severity: Literal["review", "info"]
    question: str
    question_sites: Template = ""


class QueryTable(Row):
    source: str
    date: date
    queries: dict[str, QueryRow]


class Rule(Row):
    text: Template
    source: str


class RuleTable(Row):
    date: date
    rules: dict[str, Rule]


@dataclass(frozen=True)
class CodeBook:
    """All tables of the coding room for the days of one year.

    >>> book = CodeBook.load(PatternFolder())
    >>> book.code("64493").rule
    'facet-lumbar-first'
    >>> book.reason("junction-is-thoracic")
    'T12-L1 belongs with the cervical and thoracic joints.'
    """

    table: CodeTable
    claims: ProfileTable
    queries: Mapping[str, QueryRow]
    rules: Mapping[str, Rule]

    @classmethod
    def load(cls, folder: PatternFolder, year: str | None = None) -> CodeBook:
        """The tables of a patterns folder, of the newest shipped year where none is given; `PatternError` when they do
        not fit together."""
        books = CodeBooks(folder)
        return books.newest if year is None else books.of_year(year)

    def check(self) -> None:
        """Raises PatternError for the first code without its rule."""
        for number, code in self.table.codes.items():
            if code.rule not in self.rules:
                raise PatternError(f"codes/{self.year}.toml: {number}: no rule {code.rule!r} in rules.toml")

    @property
    def year(self) -> str:
        """The year of the code table, for the result's `versions`."""
        return self.table.year

    @property
    def modifiers(self) -> Modifiers:
        """The modifiers of the sides."""
        return self.claims.modifiers

    @property
    def profiles(self) -> Mapping[str, Profile]:
        """The claim profiles by name."""
        return self.claims.profiles

    def code(self, number: str) -> Code:
        return self.table.codes[number]

    def profile(self, name: str) -> Profile:
        """The claim profile of that name; `InputError` with the known names when there is none."""
        if name not in self.profiles:
            raise InputError(f"no such profile; known profiles: {', '.join(sorted(self.profiles))}")
        return self.profiles[name]

    def query(self, id_: str) -> QueryRow:
        if id_ not in self.queries:
            raise PatternError(f"queries.toml: no query {id_!r}")
        return self.queries[id_]

    def reason(self, rule: str, **values: str) -> str:
        """The sentence of a rule with its placeholders filled in."""
        if rule not in self.rules:
            raise PatternError(f"rules.toml: no rule {rule!r}")
        return self.rules[rule].text.format_map(_Blank(values))


class CodeBooks:
    """The code books of a patterns folder. Each is put together when the first note of its year comes, and kept."""

    def __init__(self, folder: PatternFolder) -> None:
        self._folder = folder
        self._years = CodeYears(folder)
        self._books: dict[str, CodeBook] = {}

    @cached_property
    def newest(self) -> CodeBook:
        """The book for notes without a date."""
        return self.of_year(self._years.newest)

    def of_day(self, day: date | None) -> CodeBook:
        """The book of the day; the nearest where no book covers it (see `CodeTable.covers`)."""
        return self.newest if day is None else self.of_year(self._years.of_day(day))

    def of_year(self, year: str) -> CodeBook:
        if year not in self._books:
            claims, queries, rules = self._shared
            book = CodeBook(self._years.table(year), claims, queries, rules)
            book.check()
            self._books[year] = book
        return self._books[year]

    def check(self) -> None:
        """Puts every book together. Raises PatternError for the first that is wrong."""
        for year in self._years.files:
            self.of_year(year)

    @cached_property
    def _shared(self) -> tuple[ProfileTable, Mapping[str, QueryRow], Mapping[str, Rule]]:
        """The tables that are the same in all years, checked against each other."""
        claims = self._folder.toml("profiles.toml", ProfileTable)
        queries = self._folder.toml("queries.toml", QueryTable).queries
        rules = self._folder.toml("rules.toml", RuleTable).rules
        warnings = frozenset(id_ for id_, row in queries.items() if row.severity == "info")
        codes, substitutes = self._years.named("codes"), self._years.named("substitutes")
        for fault in claims.faults(KnownNames(codes, substitutes, warnings, frozenset(rules))):
            raise PatternError(f"profiles.toml: {fault}")
        return claims, queries, rules


class _Blank(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "-"
