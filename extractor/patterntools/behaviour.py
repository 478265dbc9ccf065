"""What the rows do when they are tried: each in its example and its counter-example, with all other rows around it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from extractor.coding.codebook import CodeBook
from extractor.errors import PatternError
from extractor.overlay import near
from extractor.patterns import PhraseRow, short
from extractor.patterntools.doubles import Placed
from extractor.patterntools.examples import (
    Rooms,
    fires,
    head_is_lost,
    holds,
    regex_fires,
    respelled_fires,
    splits,
)
from extractor.patterntools.files import CSV_FILES
from extractor.patterntools.findings import Finding
from extractor.patterntools.tables import line_of
from extractor.rows import ReadingTable
from extractor.text import clean


def tried(rooms: Rooms, name: str, placed: Iterable[Placed]) -> list[Finding]:
    """All that is wrong with what rows of a CSV file do."""
    return [Finding(name, here.number, *found) for here in placed for found in _row(rooms, name, here.row)]


def _row(rooms: Rooms, name: str, row: PhraseRow) -> list[tuple[str, str]]:
    phrase, value = short(row.phrase), CSV_FILES[name].value
    if head_is_lost(name, row.phrase):
        return [
            (
                f"the phrase {phrase} can never match: headers are looked up in small letters",
                f"Write {row.phrase.lower()}",
            )
        ]
    if splits(rooms, name, row.phrase):
        what = f"the phrase {phrase} is cut into other words inside a note than alone, so that it can never match"
        return [(what, "Write it in small letters, with a blank where words meet")]
    found = []
    if not holds(row.phrase, row.example):
        found.append((f"the example does not hold the phrase {phrase}", "Write a sentence of a note with the phrase"))
    elif not fires(rooms, name, row, row.example):
        what = f"in its example {phrase} does not do what the row says"
        found.append((what, f"Look with `facetcode patterns try`, then mend the {value}, the phrase or the example"))
    if row.counter and not holds(row.phrase, row.counter):
        found.append((f"the counter-example does not hold the phrase {phrase}", "Write a sentence with the phrase"))
    elif row.counter and fires(rooms, name, row, row.counter):
        found.append((f"{phrase} fires in its counter-example", "Make the phrase longer, or mend the counter-example"))
    return found


def heard_otherwise(rooms: Rooms, name: str, placed: Iterable[Placed]) -> list[Finding]:
    """Rows whose phrase is a misspelling that is undone before rows are looked for (hearing.toml)."""
    found = []
    for here in placed:
        phrase = here.row.phrase
        if not holds(phrase, rooms.hearing.heard(clean(f"The right {phrase} was seen.")).text):
            what = (
                f"{short(phrase)} is undone as a misspelling before rows are looked for, so that the row is not needed"
            )
            found.append(Finding(name, here.number, what, "Delete it, unless you use the spaCy components alone"))
    return found


def shipped_rows_hurt(rooms: Rooms, name: str, rows: Iterable[PhraseRow]) -> list[Finding]:
    """Shipped rows that under an overlay no longer do in their examples what they say."""
    found = []
    for row in rows:
        if not fires(rooms, name, row, row.example):
            what = f"the shipped row {short(CSV_FILES[name].key_of(row))} no longer does in its example what it says"
            found.append(Finding(name, 0, what, "Nothing to mend if that is meant"))
    return found


def tried_tables(rooms: Rooms, texts: dict[str, str], shipped: dict[str, int]) -> list[Finding]:
    """The [[regex]] and [[respelled]] of tables, each with its example. `shipped` is the number of those that come
    before the user's own; `texts` are the files that are checked."""
    found: list[Finding] = []
    if "reading.toml" in texts:
        own = rooms.rows.table.regex[shipped.get("reading.toml", 0) :]
        found += _patterns(texts, "reading.toml", "regex", own, lambda row, text: regex_fires(rooms, row, text))
        found += _reach(
            texts["reading.toml"], rooms.rows.table, {row.category for row in rooms.rows.cues} | _both(rooms)
        )
    if "hearing.toml" in texts:
        rows = rooms.hearing.respelled[shipped.get("hearing.toml", 0) :]
        found += _patterns(
            texts, "hearing.toml", "respelled", rows, lambda row, text: respelled_fires(rooms, row, text)
        )
    return found


def _patterns(
    texts: dict[str, str], name: str, key: str, rows: Sequence[Any], does: Callable[[Any, str], bool]
) -> list[Finding]:
    found = []
    for index, row in enumerate(rows):
        line = line_of(texts[name], (key, index, "pattern"))
        if not does(row, row.example):
            what = f"{key} {index + 1} does not do in its example {short(row.example)} what it says"
            found.append(Finding(name, line, what, "Mend the pattern or the example"))
        if row.counter and does(row, row.counter):
            what = f"{key} {index + 1} fires in its counter-example {short(row.counter)}"
            found.append(Finding(name, line, what, "Narrow the pattern, or mend the counter-example"))
    return found


def _both(rooms: Rooms) -> set[str]:
    """Categories with a direction behind them, as a reach may be given for one direction only."""
    return {f"{row.category}_{row.direction}" for row in rooms.rows.cues}


def _reach(text: str, table: ReadingTable, known: set[str]) -> list[Finding]:
    """A reach that no cue has, and cues of a near reach for which none is given."""
    found = []
    for name in sorted(set(table.context) - known):
        close = near(name, known)
        mend = f"Write {close}" if close else "Take it away"
        found.append(Finding("reading.toml", line_of(text, ("context", name)), f"no cue has the reach {name}", mend))
    for name in sorted({name for name in known if name.endswith("_near")} - set(table.context)):
        found.append(Finding("reading.toml", 0, f"context has no reach for the cues {name}", f"Add {name} = ..."))
    return found


def book_findings(rooms: Rooms, years: Iterable[str]) -> list[Finding]:
    """Tables of codes, rules, questions and profiles that do not fit together."""
    found = []
    for year in years:
        try:
            CodeBook.load(rooms.folder, year)
        except PatternError as error:
            found += [from_error(error)] if from_error(error) not in found else []
    return found


def from_error(error: PatternError) -> Finding:
    """A fault as the loader tells it ("overlay sides.csv row 3: ...")."""
    place, _, what = str(error).removeprefix("overlay ").partition(": ")
    file, _, row = place.partition(" row ")
    return Finding(file, int(row) if row.isdigit() else 0, what, "Write it as the shipped files do")
