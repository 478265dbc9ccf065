"""The tables that the coding room reads: codes of a year, claim profiles, queries and rules.

Everything a certified coder may want to change stands in patterns/codes/<year>.toml, profiles.toml, queries.toml and
rules.toml. Loading checks that the tables fit together, so that no note can meet a code without a rule.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from string import Formatter
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from extractor.errors import InputError, PatternError
from extractor.patterns import PatternFolder, Row

DEFAULT_YEAR = "2026"
_PLACEHOLDERS = frozenset({"joint", "joints", "nerves", "codes", "sites"})


def _template(text: str) -> str:
    """Only plain, known placeholders, so that a row can never break the coding of a note."""
    for _, name, spec, conversion in Formatter().parse(text):
        if name is not None and (name not in _PLACEHOLDERS or spec or conversion):
            raise ValueError(f"unknown placeholder {{{name}}}")
    return text


Template = Annotated[str, AfterValidator(_template)]


class Code(Row):
    """One code number with our own label and what the claim needs to know of it."""

    label: str
    rule: str
    side: bool = True
    side_modifiers: bool = True
    add_on: bool = False
    units: Literal["line", "joint", "day"] = "line"
    guidance: bool = False
    diagnostic: bool = False


class Rungs(Row):
    """The codes of the first, the second and every further level of one region."""

    first: str
    second: str
    further: str

    def code(self, rank: int) -> str:
        """The code of the level of that rank, counted from 1."""
        return (self.first, self.second, self.further)[min(rank, 3) - 1]


class Ladder(Row):
    """The rungs of one service above and below the thoracolumbar junction."""

    cervicothoracic: Rungs
    lumbar: Rungs
    spread: Literal["grouped", "single"]
    junction: bool
    source: str


class EpiduralCodes(Row):
    with_imaging: str
    without_imaging: str


class Epidural(Row):
    cervicothoracic: EpiduralCodes
    lumbar: EpiduralCodes


class Single(Row):
    """Codes that are not counted by level."""

    sacroiliac_joint: str
    sacral_block: str
    sacral_denervation: str
    trigger_few: str
    trigger_many: str
    trigger_many_from: int = Field(ge=2)
    prp: str
    unlisted: str


class Ladders(Row):
    facet_guided: Ladder
    facet_ultrasound: Ladder
    facet_denervation: Ladder
    transforaminal: Ladder


class CodeTable(Row):
    """patterns/codes/<year>.toml"""

    year: str
    source: str
    date: date
    thermal_minimum_celsius: float
    codes: dict[str, Code]
    ladders: Ladders
    epidural: Epidural
    single: Single
    guidance: dict[str, str]

    def ladder_codes(self) -> frozenset[str]:
        """The codes that are counted by joint or level."""
        ladders = (getattr(self.ladders, name) for name in type(self.ladders).model_fields)
        rungs = [rungs for ladder in ladders for rungs in (ladder.cervicothoracic, ladder.lumbar)]
        return frozenset(code for row in rungs for code in (row.first, row.second, row.further))

    def used(self) -> frozenset[str]:
        """Every code number that a line can get."""
        epidural = (self.epidural.cervicothoracic, self.epidural.lumbar)
        return self.ladder_codes().union(
            (code for row in epidural for code in (row.with_imaging, row.without_imaging)),
            (value for value in self.single.model_dump().values() if isinstance(value, str)),
        )


Bilateral = Literal["modifier", "twice", "lines"]


class Profile(Row):
    """How lines become claim lines for one kind of claim."""

    label: str
    source: str
    date: date
    bilateral_primary: Bilateral
    bilateral_add_on: Bilateral
    third_level: Literal["once", "each"] = "once"
    diagnostic: str = ""
    covered_levels: int = Field(default=2, ge=1)
    coverage: tuple[str, ...] = ()
    replace: dict[str, str] = Field(default_factory=dict)
    supplies: Literal["separate", "packaged"] = "separate"

    @cached_property
    def fingerprint(self) -> str:
        """A short hash of the row, for the result's `versions`."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:12]


class Modifiers(Row):
    left: str
    right: str
    both: str


class ProfileTable(Row):
    modifiers: Modifiers
    profiles: dict[str, Profile]


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
    """All tables of the coding room.

    >>> book = CodeBook.load(PatternFolder())
    >>> book.code("64493").rule
    'facet-lumbar-first'
    >>> book.reason("junction-is-thoracic")
    'T12-L1 belongs with the cervical and thoracic joints.'
    """

    table: CodeTable
    modifiers: Modifiers
    profiles: Mapping[str, Profile]
    queries: Mapping[str, QueryRow]
    rules: Mapping[str, Rule]

    @classmethod
    def load(cls, folder: PatternFolder, year: str = DEFAULT_YEAR) -> CodeBook:
        """The tables of a patterns folder; `PatternError` when they do not fit together."""
        if not (year.isascii() and year.isdigit()):
            raise PatternError("a code book is named by its year")
        table = folder.toml(f"codes/{year}.toml", CodeTable)
        claims = folder.toml("profiles.toml", ProfileTable)
        book = cls(
            table=table,
            modifiers=claims.modifiers,
            profiles=claims.profiles,
            queries=folder.toml("queries.toml", QueryTable).queries,
            rules=folder.toml("rules.toml", RuleTable).rules,
        )
        book._check()
        return book

    def _check(self) -> None:
        for number in sorted(self.table.used() - self.table.codes.keys()):
            raise PatternError(f"codes/{self.year}.toml: {number} is used but not listed under codes")
        for number, code in self.table.codes.items():
            if code.rule not in self.rules:
                raise PatternError(f"codes/{self.year}.toml: {number}: no rule {code.rule!r} in rules.toml")
        for name, profile in self.profiles.items():
            for id_ in profile.coverage:
                if id_ not in self.queries or self.queries[id_].severity != "info":
                    raise PatternError(f"profiles.toml: {name}: {id_!r} is no query of severity info in queries.toml")

    @property
    def year(self) -> str:
        """The year of the code table, for the result's `versions`."""
        return self.table.year

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


class _Blank(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "-"
