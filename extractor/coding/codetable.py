"""What a code book of one year holds (patterns/codes/<year>.toml): codes, ladders, and the days on which they hold."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from extractor.patterns import Row


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

    def all(self) -> frozenset[str]:
        return frozenset((self.first, self.second, self.further))


class Ladder(Row):
    """The rungs of one service above and below the thoracolumbar junction."""

    cervicothoracic: Rungs
    lumbar: Rungs
    spread: Literal["grouped", "single"]
    junction: bool
    source: str

    def codes(self) -> frozenset[str]:
        return self.cervicothoracic.all() | self.lumbar.all()


class EpiduralCodes(Row):
    with_imaging: str
    without_imaging: str


class Epidural(Row):
    cervicothoracic: EpiduralCodes
    lumbar: EpiduralCodes

    def codes(self) -> frozenset[str]:
        regions = (self.cervicothoracic, self.lumbar)
        return frozenset(code for row in regions for code in (row.with_imaging, row.without_imaging))


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

    def all(self) -> tuple[Ladder, ...]:
        return self.facet_guided, self.facet_ultrasound, self.facet_denervation, self.transforaminal


class Validity(Row):
    """The first and the last day of service of some codes, as far as they are known."""

    codes: tuple[str, ...] = Field(min_length=1)
    first: Annotated[dt.date | None, Field(alias="from")] = None
    last: Annotated[dt.date | None, Field(alias="until")] = None
    source: str

    @model_validator(mode="after")
    def _some_days(self) -> Self:
        if self.first is None and self.last is None:
            raise ValueError("neither from nor until is given")
        if self.first and self.last and self.last < self.first:
            raise ValueError("until is before from")
        return self


class Substitute(Row):
    """A number outside the book that a profile may write in place of a code."""

    label: str
    source: str


class CodeTable(Row):
    """One code book, whole: what its own file says and what it took over from the book that it is based on."""

    year: str
    source: str
    date: dt.date
    first: dt.date = Field(alias="from")
    last: dt.date = Field(alias="until")
    thermal_minimum_celsius: float
    codes: dict[str, Code]
    validity: dict[str, Validity] = Field(default_factory=dict)
    substitutes: dict[str, Substitute] = Field(default_factory=dict)
    ladders: Ladders
    epidural: Epidural
    single: Single
    guidance: dict[str, str]

    def covers(self, day: dt.date) -> bool:
        """Whether the book is that of the day."""
        return self.first <= day <= self.last

    def validity_of(self, number: str) -> Validity | None:
        """The days of a code; None where nothing is known of them."""
        return next((row for row in self.validity.values() if number in row.codes), None)

    def ladder_codes(self) -> frozenset[str]:
        """The codes that are counted by joint or level."""
        return frozenset(code for ladder in self.ladders.all() for code in ladder.codes())

    def used(self) -> frozenset[str]:
        """Every code number that a line can get."""
        singles = (value for value in self.single.model_dump().values() if isinstance(value, str))
        return self.ladder_codes() | self.epidural.codes() | frozenset(singles)

    def faults(self) -> list[str]:
        """What does not fit together within the book, a sentence each.

        A code that is valid on no day of the book has no place in it; one that begins or ends within it has.
        """
        found = [f"{number} is used but not listed under codes" for number in sorted(self.used() - self.codes.keys())]
        seen: dict[str, str] = {}
        for name, row in self.validity.items():
            for number in row.codes:
                if number not in self.codes:
                    found.append(f"validity.{name}: {number} is not listed under codes")
                if number in seen:
                    found.append(f"validity.{name}: {number} stands in validity.{seen[number]} already")
                seen[number] = name
                if row.first is not None and row.first > self.last:
                    found.append(f"{number} is valid from {row.first} only, and the book ends {self.last}: remove it")
                if row.last is not None and row.last < self.first:
                    found.append(f"{number} was valid until {row.last}, and the book begins {self.first}: remove it")
        found += [f"substitutes: {number} is a code itself" for number in self.substitutes if number in self.codes]
        return found
