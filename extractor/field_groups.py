"""Fields that belong together, one group for each joint or nerve, in three layouts:

    proc.1.joint=L4/5        | foramen | L4-L5 | L5-S1 |        - R L5-S1
    proc.1.side=LT           | side    | Right | Right |          - entered: no
    proc.1.complete=TRUE     | done    | yes   | no    |          - given: nothing

A side in a field of its own is the side of the levels of its group, and a field that says that nothing was completed
denies them. Linear in the length of the text.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from extractor.grids import Mark

_KEYED = re.compile(
    r"(?P<group>[A-Za-z][A-Za-z.\[\]_]{0,30}?[.\[_ ]?\d{1,2}\]?[.\]_ ]{1,2})(?P<label>[A-Za-z_ ]{1,20})="
)
_BULLET = re.compile(r"(?P<indent>[ \t]*)[-*\u2022\u00b7>+][ \t]+(?=\S)")
_LABEL = re.compile(r"(?P<label>[A-Za-z][A-Za-z /]{1,20}?)[ \t]*:[ \t]*")
_ACT = re.compile(
    r"\b(?:complete[d]?|done|performed|treated|injected|blocked|lesioned|entered|status|given)\b", re.IGNORECASE
)
_OFF = re.compile(
    r"\W*(?:no|n|false|none|nothing|nil|0|-+|not (?:done|entered|injected|treated|blocked|completed|performed)\b.*"
    r"|(?:aborted|abandoned|incomplete|skipped|deferred|omitted|failed|stopped)\b.*)\W*",
    re.IGNORECASE,
)
_OWN_LINE = 24  # characters beside its levels that the head of a nested group may have
_COLUMNS = 2  # sites that stand beside each other in a table


@dataclass(slots=True)
class _Group:
    levels: list[Mark] = field(default_factory=list)
    sides: list[Mark] = field(default_factory=list)  # in fields of their own
    denied: bool = False
    told: bool = False  # a field of its own speaks of the act


@dataclass(frozen=True, slots=True)
class Fields:
    """Sides found for levels (marks just before their level), the side words that they came from, the levels with
    fields of their own about the act, and the levels that such a field denies."""

    sided: tuple[Mark, ...] = ()
    told: tuple[Mark, ...] = ()
    used_sides: frozenset[int] = frozenset()
    denied: frozenset[int] = frozenset()


def read(text: str, sides: Sequence[Mark], levels: Sequence[Mark]) -> Fields:
    """All groups of a text. `sides` and `levels` are in order."""
    if not levels:
        return Fields()
    found = [*_keyed(text, sides, levels), *_transposed(text, sides, levels), *_nested(text, levels)]
    sided: list[Mark] = []
    used: set[int] = set()
    told: list[Mark] = []
    denied: set[int] = set()
    for group in found:
        values = {side.value for side in group.sides}
        if values and values <= {"left", "right", "bilateral"}:
            value = next(iter(values)) if len(values) == 1 else "bilateral"
            sided += (Mark(level.start - 1, level.start, value) for level in group.levels)
            used.update(side.start for side in group.sides)
        if group.told or values:
            told += group.levels
        if group.denied:
            denied.update(level.start for level in group.levels)
    return Fields(tuple(sided), tuple(told), frozenset(used), frozenset(denied))


def _within(marks: Sequence[Mark], start: int, end: int) -> list[Mark]:
    low = bisect_left(marks, start, key=lambda mark: mark.start)
    return list(marks[low : bisect_left(marks, end, key=lambda mark: mark.start)])


def _lines(text: str) -> Iterator[tuple[int, str]]:
    place = 0
    for raw in text.splitlines(keepends=True):
        yield place, raw.rstrip("\n")
        place += len(raw)


def _keyed(text: str, sides: Sequence[Mark], levels: Sequence[Mark]) -> list[_Group]:
    """ "proc.1.joint=L4/5 | proc.1.side=LT": lines whose names differ in their last word only."""
    if "=" not in text:
        return []
    groups: dict[str, _Group] = {}
    for start, line in _lines(text):
        key = _KEYED.match(line)
        if key is None:
            continue
        group = groups.setdefault(key["group"], _Group())
        _add(group, key["label"], line[key.end() :], start + key.end(), sides, levels)
    return list(groups.values())


def _add(group: _Group, label: str, value: str, start: int, sides: Sequence[Mark], levels: Sequence[Mark]) -> None:
    named = _within(levels, start, start + len(value))
    group.levels += named
    if not named:
        group.sides += _within(sides, start, start + len(value))
    _answer(group, label, value)


def _answer(group: _Group, label: str, value: str) -> None:
    if value.strip() and _ACT.search(label):
        group.told = True
        group.denied |= _OFF.fullmatch(value.strip()) is not None


def _transposed(text: str, sides: Sequence[Mark], levels: Sequence[Mark]) -> list[_Group]:
    """Tables with a column for each site: "| foramen | L4-L5 | L5-S1 |" above "| side | Right | Right |"."""
    if text.count("|") < 2 * _COLUMNS:
        return []
    found: list[_Group] = []
    table: list[tuple[int, list[str]]] = []
    for start, line in (*_lines(text), (len(text), "")):
        if line.count("|") >= _COLUMNS:
            table.append((start, line.split("|")))
        else:
            found += _of_table(table, sides, levels)
            table = []
    return found


def _of_table(table: list[tuple[int, list[str]]], sides: Sequence[Mark], levels: Sequence[Mark]) -> list[_Group]:
    columns: dict[int, _Group] = {}
    headed = 0  # rows that begin with a level: those are tables with a row for each site
    for start, cells in table:
        first = next((index for index, cell in enumerate(cells) if cell.strip()), len(cells))
        label = cells[first] if first < len(cells) else ""
        place = start + sum(len(cell) + 1 for cell in cells[: first + 1])
        headed += bool(_within(levels, start, place))
        for index in range(first + 1, len(cells)):
            group = columns.setdefault(index - first, _Group())
            _add(group, label, cells[index], place, sides, levels)
            place += len(cells[index]) + 1
    groups = [group for group in columns.values() if group.levels]
    return groups if len(groups) >= _COLUMNS and not headed else []


def _nested(text: str, levels: Sequence[Mark]) -> list[_Group]:
    """ "- R L5-S1" with deeper bullets below it, one of which denies: "- entered: no"."""
    found: list[_Group] = []
    group: _Group | None = None
    depth = 0
    for start, line in _lines(text):
        bullet = _BULLET.match(line)
        if bullet is None:
            group = None
            continue
        indent = len(bullet["indent"])
        named = _within(levels, start, start + len(line))
        if group is not None and indent > depth and not named:
            label = _LABEL.match(line, bullet.end())
            if label:
                _answer(group, label["label"], line[label.end() :])
            continue
        group = None
        if named and len(line) - bullet.end() - sum(mark.end - mark.start for mark in named) <= _OWN_LINE:
            group, depth = _Group(named), indent
            found.append(group)
    return found
