"""A TOML file as data, and all that is wrong with it: with the file alone, and laid over the shipped one."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from extractor.overlay import Table
from extractor.patterns import Row, short
from extractor.patterntools.cells import spreadsheet_damage
from extractor.patterntools.findings import Finding
from extractor.patterntools.sheets import decoded
from extractor.text import clean

Path = tuple[str | int, ...]
_AT = re.compile(r" \((?:at line (\d+), column \d+|at end of document)\)")
_HEADER = re.compile(r"\s*(\[\[?)\s*([^\[\]#]+?)\s*\]\]?\s*(?:#.*)?")
_KEY = re.compile(r"""\s*("[^"]*"|'[^']*'|[\w.-]+)\s*=""")
_DOUBLE = ("Cannot overwrite", "Cannot declare", "Duplicate", "Cannot mutate")
_TYPOGRAPHIC = re.compile("[\u2018\u2019\u201c\u201d\u201e]")
_NUMBERED = ("codes/", "profiles.toml")  # files that hold code numbers


def read(name: str, data: bytes) -> tuple[Table | None, str, list[Finding], list[Finding]]:
    """A file as (data or None, text, faults, notices)."""
    text, faults, notices = decoded(name, data)
    try:
        return tomllib.loads(text), text, faults, notices
    except RecursionError:
        faults.append(Finding(name, 0, "nested too deeply", "Compare it with the shipped file"))
    except ValueError as error:
        faults.append(_syntax(name, text, str(error)))
    return None, text, faults, notices


def _syntax(name: str, text: str, message: str) -> Finding:
    found = _AT.search(message)
    number = int(found[1]) if found and found[1] else 0
    lines = text.splitlines()
    line = lines[number - 1] if 0 < number <= len(lines) else ""
    if _TYPOGRAPHIC.search(line):
        return Finding(name, number, "typographic quotes around a text", 'Type plain ones (")')
    if message.startswith(_DOUBLE):
        return Finding(name, number, "a key or a table stands twice", "Take one of the two away")
    what = f"no TOML: {_AT.sub('', message)[:120]}"
    return Finding(name, number, what, "Look for a quote or a bracket that is not closed, or a text without quotes")


def own_findings(name: str, text: str, own: Table) -> list[Finding]:
    """What is wrong in the file alone: odd characters, words twice in a list, code numbers that a spreadsheet hurt."""
    found = []
    for path, value, is_key in _texts(own):
        what = "the key" if is_key else f"{dotted(path)}:"
        if clean(value).text.strip() != value.strip() and not value.isprintable() and "\n" not in value:
            line = _near_line(text, path)
            found.append(Finding(name, line, f"{what} {short(value)} holds odd blanks or characters", "Type it anew"))
        coded = name.startswith(_NUMBERED) and path[-1:] != ("date",)
        damage = spreadsheet_damage(value) if coded else None
        if damage is not None:
            found.append(Finding(name, _near_line(text, path), f"{what} {short(value)} {damage[0]}", damage[1]))
    for path, items in _lists(own):
        seen: set[str] = set()
        for item in items:
            if repr(item) in seen:
                what = f"{dotted(path)}: {_named(item)} stands twice"
                found.append(Finding(name, line_of(text, path), what, "Take one of the two away"))
            seen.add(repr(item))
    return found


def _named(item: Any) -> str:
    if isinstance(item, dict):
        return short(str(next(iter(item.values()), "")))
    return short(str(item))


def schema_findings(name: str, text: str, whole: Table, shipped: Table, model: type[Row]) -> list[Finding]:
    """What the model refuses in the shipped table with the user's laid over it; `text` is the user's file."""
    try:
        model.model_validate(whole)
    except ValidationError as error:
        return [_refused(name, text, shipped, dict(item)) for item in error.errors(include_url=False)]
    return []


def _refused(name: str, text: str, shipped: Table, error: dict[str, Any]) -> Finding:
    path: Path = _in_own_file(error["loc"], shipped)
    message = str(error["msg"]).removeprefix("Value error, ")
    known = {
        "missing": ("missing", "Add it"),
        "extra_forbidden": ("no such key", "Take it away, or write its name as the shipped file does"),
    }
    message = message[:1].lower() + message[1:]
    what, mend = known.get(str(error["type"]), (message, "Write it as the shipped file does"))
    return Finding(name, _near_line(text, path), f"{dotted(path)}: {what}" if path else what, mend)


def _in_own_file(loc: Path, shipped: Table) -> Path:
    """A path in the merged table as one in the user's file: its items of an array come behind the shipped ones."""
    place: Any = shipped
    path: list[str | int] = []
    for part in loc:
        if isinstance(part, int) and isinstance(place, list):
            path.append(part - len(place) if part >= len(place) else part)
            place = None
        else:
            path.append(part)
            place = place.get(part) if isinstance(place, dict) else None
    return tuple(path)


def dotted(path: Path) -> str:
    """A path as a reader counts.

    >>> dotted(("regex", 0, "pattern"))
    'regex 1 pattern'
    """
    words = ""
    for part in path:
        words += f" {part + 1} " if isinstance(part, int) else f"{'' if words[-1:] in {'', ' '} else '.'}{part}"
    return words.strip()


def line_of(text: str, path: Path) -> int:
    """The line of a TOML text in which a key stands, as far as it can be told without a full parser; else 0.

    >>> line_of('[a]\\nx = 1\\n[[r]]\\ny = 1\\n[[r]]\\ny = 2\\n', ("r", 1, "y"))
    6
    """
    wanted = [part for part in path if isinstance(part, str)]
    number = next((part for part in path if isinstance(part, int)), 0)
    table: list[str] = []
    counts: dict[str, int] = {}  # how often an array of tables has begun
    item = number
    for line, words in enumerate(text.splitlines(), start=1):
        if header := _HEADER.fullmatch(words):
            table = [part.strip().strip("\"'") for part in header[2].split(".")]
            counts[header[2]] = counts.get(header[2], -1) + 1
            item = counts[header[2]] if header[1] == "[[" else number
            here = table
        elif key := _KEY.match(words):
            here = [*table, *([key[1][1:-1]] if key[1][0] in "\"'" else key[1].split("."))]
        else:
            continue
        if here == wanted and item == number:
            return line
    return 0


def _near_line(text: str, path: Path) -> int:
    """The line of a key, or of what it stands in."""
    return next((line for end in range(len(path), 0, -1) if (line := line_of(text, path[:end]))), 0)


def _texts(table: Any, path: Path = ()) -> Iterator[tuple[Path, str, bool]]:
    """Every text with its path, and whether it is a key."""
    if isinstance(table, dict):
        for key, value in table.items():
            yield (*path, key), key, True
            yield from _texts(value, (*path, key))
    elif isinstance(table, list):
        for index, value in enumerate(table):
            yield from _texts(value, (*path, index))
    elif isinstance(table, str):
        yield path, table, False


def _lists(table: Any, path: Path = ()) -> Iterator[tuple[Path, list[Any]]]:
    if isinstance(table, dict):
        for key, value in table.items():
            yield from _lists(value, (*path, key))
    elif isinstance(table, list):
        if not any(isinstance(item, int | float) for item in table):
            yield path, table
        for index, value in enumerate(table):
            yield from _lists(value, (*path, index))
