"""What is asked of a user's own rows only: shipped ones are known to be meant."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from extractor.agent_names import DrugName
from extractor.overlay import DISABLED, Table, merged
from extractor.patterns import PatternFolder, short
from extractor.patterntools.doubles import Placed
from extractor.patterntools.examples import Rooms, holds, places
from extractor.patterntools.files import CSV_FILES
from extractor.patterntools.findings import Finding
from extractor.text import clean

_COMMON = 0.1  # share of the notes of the corpus beyond which a phrase is no term
_IN_SCOPE = "\n\nFacet joint."
_MISTYPED = 0.85  # likeness of a name to another beyond which it is rather a slip than a new drug
_BARE_NUMBER = re.compile(r"\d{4,}")
_DOSE_BEHIND = re.compile(r"[a-z][ -]\d{1,3}$")  # "kenalog-40"
_CROWDED = "coverage_levels"
_MISNAMED = (".txt", ".bak", ".tml")


def cues_that_reach_nothing(rooms: Rooms, placed: Iterable[Placed]) -> Iterator[Finding]:
    """Cues that touch nothing in their own example, although they name what they may touch: the direction is wrong, or
    `applies_to`, or the example is no whole sentence. The shipped examples are shorter, and are tried in notes."""
    for here in placed:
        row: Any = here.row
        if not row.applies_to or row.direction in {"terminate", "pseudo"}:
            continue
        start, end = places(row.phrase, row.example)
        touched = rooms.nlp(clean(row.example).text + _IN_SCOPE)._.facetcode_assertions
        if not any(a < end and start < b for _, _, _, _, a, b in touched):
            what = f"in its example {short(row.phrase)} reaches nothing that it applies to ({row.applies_to})"
            mend = "Write a whole sentence with such a thing as the example; else the direction or applies_to is wrong"
            yield Finding("cues.csv", here.number, what, mend)


def common_phrases(rows: Mapping[str, Sequence[Placed]], texts: Sequence[str]) -> Iterator[Finding]:
    """Phrases that stand in very many notes: a row for such a word does more than its writer thinks."""
    for name, placed in sorted(rows.items()):
        for here in placed if CSV_FILES[name].plain else ():
            count = sum(here.row.phrase.lower() in text.lower() and holds(here.row.phrase, text) for text in texts)
            if count > _COMMON * len(texts):
                what = f"{short(here.row.phrase)} stands in {count:,} of {len(texts):,} notes of the corpus"
                yield Finding(
                    name, here.number, what, "See with `facetcode patterns diff` that no more changes than you want"
                )


def new_drugs(placed: Iterable[Placed], shipped: PatternFolder) -> Iterator[Finding]:
    """Generic names that are nearly those of shipped rows."""
    known = _classes(shipped)
    for here in placed:
        row: Any = here.row
        if row.name not in known:
            for close in get_close_matches(row.name, known, 1, _MISTYPED):
                what = f"no shipped drug has the name {short(row.name)}"
                yield Finding("agents.csv", here.number, what, f"Write {close} if that is meant")


def other_classes(placed: Iterable[Placed], shipped: PatternFolder) -> Iterator[Finding]:
    """Shipped generic names with a class that is another in the shipped rows: a drug has one."""
    known = _classes(shipped)
    for here in placed:
        row: Any = here.row
        if row.name in known and row.drug_class not in known[row.name]:
            what = f"the shipped {short(row.name)} is {' or '.join(sorted(known[row.name]))}, not {row.drug_class}"
            yield Finding("agents.csv", here.number, what, "Write that class, or another generic name")


def _classes(shipped: PatternFolder) -> dict[str, set[str]]:
    known: dict[str, set[str]] = {}
    for drug in shipped.csv("agents.csv", DrugName):
        known.setdefault(drug.name, set()).add(drug.drug_class)
    return known


def odd_phrases(rows: Mapping[str, Sequence[Placed]]) -> Iterator[Finding]:
    """Phrases that are a bare number, as a spreadsheet makes one of a date: no word of a note."""
    for name, placed in sorted(rows.items()):
        for here in placed:
            if _BARE_NUMBER.fullmatch(here.row.phrase):
                what = f"the phrase {short(here.row.phrase)} is a bare number"
                yield Finding(
                    name, here.number, what, "Write the words themselves, and format the column as text first"
                )


def doubtful_drugs(placed: Sequence[Placed]) -> Iterator[Finding]:
    """Brands that swallow their dose, and two generic names of the user that are nearly one."""
    known = {drug.name for drug in PatternFolder().csv("agents.csv", DrugName)}
    named: dict[str, int] = {}
    for here in placed:
        row: Any = here.row
        if _DOSE_BEHIND.search(row.phrase):
            what = (
                f"the number at the end of {short(row.phrase)} is read as a part of the name, and no longer as a dose"
            )
            yield Finding("agents.csv", here.number, what, "Write the name alone, unless the number is part of it")
        if row.name not in known and row.name not in named:
            for close in get_close_matches(row.name, named, 1, _MISTYPED):
                what = f"the names {short(row.name)} and {short(close)} (row {named[close]}) are two drugs"
                yield Finding("agents.csv", here.number, what, "Write the same name if they are one")
            named[row.name] = here.number


def limits_without_warning(tables: Mapping[str, Table], shipped: PatternFolder) -> Iterator[Finding]:
    """Profiles that say how many levels are covered, and do not show the warning that tells of more."""
    theirs = shipped.table("profiles.toml")["profiles"]
    for name, profile in sorted(tables.get("profiles.toml", {}).get("profiles", {}).items()):
        fresh = isinstance(profile, dict) and name not in theirs and "covered_levels" in profile
        if fresh and _CROWDED not in profile.get("coverage", ()):
            what = f"{name}: covered_levels tells nothing as long as coverage does not hold {_CROWDED!r}"
            yield Finding("profiles.toml", 0, what, "Add it to coverage, or take covered_levels out")


def new_letters(tables: Mapping[str, Table], shipped: PatternFolder) -> Iterator[Finding]:
    """What words before numbers are read as from now on: nothing else shows a slip in the letter."""
    theirs = shipped.table("levels.toml").get("letters", {})
    for word, letter in sorted(tables.get("levels.toml", {}).get("letters", {}).items()):
        if theirs.get(word) != letter:
            yield Finding(
                "levels.toml", 0, f"{word}4-5 is read as {letter}4-{letter}5", "Nothing to mend if that is meant"
            )


def replaced_values(tables: Mapping[str, Table], shipped: PatternFolder) -> Iterator[Finding]:
    """Values of shipped tables that a user's table changes, such as a modifier of a shipped profile."""
    for name, own in sorted(tables.items()):
        if name in shipped.names:
            for path in _changed(own, shipped.table(name)):
                yield Finding(name, 0, f"{path} replaces the shipped value", "Nothing to mend if that is meant")


def _changed(own: Any, theirs: Any, path: str = "") -> Iterator[str]:
    if isinstance(own, dict) and isinstance(theirs, dict):
        for key, value in own.items():
            if key in theirs:
                yield from _changed(value, theirs[key], f"{path}.{key}" if path else key)
    elif not isinstance(own, list) and own != theirs and path not in {"date", "source"}:
        yield path


def arrays_without_effect(tables: Mapping[str, Table], shipped: PatternFolder) -> Iterator[Finding]:
    """Arrays of a user's table that add no item to the shipped one. Whoever writes one to take items out is mistaken;
    a copy of the shipped array is not told."""
    for name, own in sorted(tables.items()):
        if name in shipped.names:
            for path in _idle_arrays(own, shipped.table(name)):
                what = f"{path} changes nothing: an array adds items, and this one has none that is new"
                mend = f"To take an item out, write a row {name},{path}[the item] into {DISABLED}"
                yield Finding(name, 0, what, mend)


def _idle_arrays(own: Any, theirs: Any, path: str = "") -> Iterator[str]:
    if isinstance(own, dict) and isinstance(theirs, dict):
        for key, value in own.items():
            if key in theirs or value == []:  # a shipped table may leave out a key that is empty
                yield from _idle_arrays(value, theirs.get(key), f"{path}.{key}" if path else key)
    elif isinstance(own, list) and own != theirs:
        if not own or merged({"": theirs}, {"": own})[""] == theirs:
            yield path


def unread_files(overlay: Path) -> Iterator[Finding]:
    """Files that were to be rows and are not read, as their names do not end so."""
    for path in sorted(overlay.rglob("*")):
        name = path.relative_to(overlay).as_posix()
        if path.is_file() and path.name[0] not in ".~" and path.suffix.lower() in _MISNAMED:
            stem = path.name.removesuffix(path.suffix)
            mend = f"Name it {stem}" if Path(stem).suffix in {".csv", ".toml"} else "Save it as CSV, or take it away"
            yield Finding(name, 0, "this file is not read: only .csv and .toml are", mend)
