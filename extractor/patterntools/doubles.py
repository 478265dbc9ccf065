"""Rows that stand twice, that contradict others, that are out of order, or whose value nothing reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from extractor.overlay import DISABLED, near
from extractor.patterns import PhraseRow, short
from extractor.patterntools.files import APART, CSV_FILES, LOOKALIKES, CsvFile
from extractor.patterntools.findings import Finding


@dataclass(frozen=True, slots=True)
class Placed:
    """A row and where it stands; number 0 is a shipped row under an overlay."""

    number: int
    row: PhraseRow


def in_file(name: str, placed: Sequence[Placed]) -> list[Finding]:
    """Rows of one file that are found in the same words."""
    file = CSV_FILES[name]
    first: dict[str, Placed] = {}
    found = []
    for here in placed:
        there = first.setdefault(file.lookup(here.row), here)
        if there is not here and _collide(file, here.row, there.row):
            found.append(Finding(name, here.number, *_double(file, here.row, there)))
    return found


def _collide(file: CsvFile, one: PhraseRow, other: PhraseRow) -> bool:
    """Two ways of writing one name are no harm where both mean the same."""
    return one.phrase.lower() == other.phrase.lower() or file.value_of(one) != file.value_of(other)


def _double(file: CsvFile, row: PhraseRow, there: Placed) -> tuple[str, str]:
    where = f"row {there.number}" if there.number else "a shipped row"
    if file.value_of(row) == file.value_of(there.row):
        return f"{short(file.key_of(row))} stands twice, as in {where}", "Delete one of the two"
    what = f"the phrase {short(row.phrase)} stands in {where} as well, with the {file.value} {file.value_of(there.row)}"
    return f"{what}; only one of the two can be found", f"Decide for one {file.value} and delete the other row"


def against_shipped(
    name: str, placed: Sequence[Placed], shipped: Sequence[PhraseRow], disabled: Iterable[str]
) -> tuple[list[Finding], list[Finding]]:
    """What an overlay's rows do to the shipped rows of their file: faults and notices."""
    file, gone = CSV_FILES[name], set(disabled)
    by_key = {file.key_of(row): row for row in shipped}
    by_lookup = {file.lookup(row): row for row in shipped if file.key_of(row) not in gone}
    faults, notices, idle = [], [], []
    for here in placed:
        key = file.key_of(here.row)
        like = by_lookup.get(file.lookup(here.row))
        if key in by_key:
            changed = _changed(here.row, by_key[key])
            if changed:
                what = f"replaces the shipped row {short(key)}: {changed}"
                mend = "Every note with it changes: delete the row unless that is meant"
                notices.append(Finding(name, here.number, what, mend))
            else:
                idle.append(here)
        elif like is not None and _collide(file, here.row, like):
            what, mend = _double(file, here.row, Placed(0, like))
            if file.value_of(here.row) != file.value_of(like):
                mend = f"Disable the shipped row ({_disabling(name, file.key_of(like))} in {DISABLED})"
                mend += (
                    f", or write {short(like.phrase)} to replace it" if file.key == "phrase" else ", or delete yours"
                )
            faults.append(Finding(name, here.number, what, mend))
    if idle:
        first = short(file.key_of(idle[0].row))
        what = (
            f"{first} is shipped already" if len(idle) == 1 else f"{first} and {len(idle) - 1} more are shipped already"
        )
        notices.append(Finding(name, idle[0].number, f"{what}, so that the row changes nothing", "Delete the row"))
    return faults, notices


def _disabling(name: str, key: str) -> str:
    """The line that takes a shipped row out."""
    return f'{name},"{key}",why' if "," in key else f"{name},{key},why"


def _changed(row: PhraseRow, shipped: PhraseRow) -> str:
    return ", ".join(
        f"{column} {short(str(old))} becomes {short(str(getattr(row, column)))}"
        for column, old in shipped.model_dump().items()
        if column not in {"phrase", "example", "counter"} and old != getattr(row, column)
    )


def across(placed: Mapping[str, Sequence[Placed]], whole: Mapping[str, Sequence[PhraseRow]]) -> list[Finding]:
    """Phrases that an overlay's rows, or the shipped ones, have in two files of which only one can be right."""
    found = []
    for one, other in [*APART, *((b, a) for a, b in APART)]:
        theirs = {_plain(row): row for row in whole.get(other, ()) if CSV_FILES[other].value_of(row) not in LOOKALIKES}
        for here in placed.get(one, ()):
            row = theirs.get(_plain(here.row))
            if row is not None and CSV_FILES[one].value_of(here.row) not in LOOKALIKES:
                file = CSV_FILES[other]
                what = f"the phrase {short(here.row.phrase)} is in {other}, too ({file.value} {file.value_of(row)})"
                found.append(Finding(one, here.number, what, f"Keep the one that is right, in {one} or in {other}"))
    return found


def _plain(row: PhraseRow) -> str:
    return " ".join(row.phrase.lower().replace("-", " ").split())


def unread_values(name: str, placed: Sequence[Placed], known: Iterable[str]) -> list[Finding]:
    """Values that no shipped row has: nothing in the product reads them."""
    file, values = CSV_FILES[name], sorted(set(known))
    found = []
    for here in placed:
        value = file.value_of(here.row)
        if not file.open and value not in values:
            close = near(value, values)
            mend = f"Write {close}" if close else f"Use a {file.value} of the shipped file"
            found.append(Finding(name, here.number, f"nothing reads the {file.value} {short(value)}", mend))
    return found


def out_of_order(name: str, placed: Sequence[Placed]) -> list[Finding]:
    """Rows that stand behind one that comes after them. Order changes no result, but keeps like rows together."""
    file = CSV_FILES[name]
    found = []
    for before, here in pairwise(placed):
        if file.place(here.row) < file.place(before.row):
            what = f"{short(file.key_of(here.row))} stands behind {short(file.key_of(before.row))}"
            by = ", then by ".join(file.order)
            found.append(Finding(name, here.number, what, f"Rows are sorted by {by}: scripts/sort_patterns.py does it"))
    return found
