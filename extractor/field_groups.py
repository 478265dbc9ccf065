"""Fields that belong together, one group for each joint or nerve, in three layouts:

    proc.1.joint=L4/5        | foramen | L4-L5 | L5-S1 |        - R L5-S1
    proc.1.side=LT           | side    | Right | Right |          - entered: no
    proc.1.complete=TRUE     | done    | yes   | no    |          - given: nothing

A side in a field of its own is the side of the levels of its group, and a field that says that nothing was completed
denies them. Below a level there may also be an item for each side ("- L4-5", below it "- R: one pass, 1 mL in" and
"- L: could not be entered"). Levels with blanks to be filled behind them ("C3 __  C4 __") are denied. Linear in the
length of the text.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from extractor.grids import Mark

_KEYED = re.compile(
    r"[ \t]*(?P<group>[A-Za-z][A-Za-z.\[\]_]{0,30}?[.\[_ ]?\d{1,2}\]?[.\]_ ]{1,2})(?P<label>[A-Za-z_ ]{1,20})="
)
_BULLET = re.compile(r"(?P<indent>[ \t]*)[-*\u2022\u00b7>+\u25b8\u25ba\u25e6\u25cb\u25aa\u2013o][ \t]+(?=\S)")
_SIDE_ITEM = re.compile(r"(?P<side>r|l|rt|lt|right|left)(?:[ \t]*[-\u2013:=]|[ \t]{2,}|[ \t]+side\b|,)", re.IGNORECASE)
_REFUSED = re.compile(
    r"\bnot (?:entered|injected|done|treated|blocked|performed|reached|lesioned)\b"
    r"|\b(?:aborted|abandoned|skipped|deferred)\b|\bnothing (?:was )?(?:injected|given)\b"
    r"|\b(?:could not|cdnt|couldn.t|unable to) (?:be |get )?(?:enter|inject|reach|access|in)",
    re.IGNORECASE,
)
_FIELD_LINE = re.compile(
    r"[ \t]*(?P<label>[A-Za-z][A-Za-z /#-]{0,24}?(?: ?#?\d)?)(?:[ \t]*[:=]| ?\.{3,}|[ \t]{3,})[ \t]*(?P<value>\S.*)"
)
_SITE_LABEL = re.compile(r"(?:joint|level|nerve|site|target|facet|foramen|location)s?\b", re.IGNORECASE)
_BLANKS = re.compile(r"[ \t]{0,2}_{2,}")
_BOX = re.compile(r"[\u2610-\u2612]|[(\[][xX ]?[)\]]")
_WIDE = re.compile(r"\S+(?: \S+)*")
_SIDE_CELL = re.compile(r"(?P<side>r|l|rt|lt|right|left|both|bilat\w*|b/l)\.?", re.IGNORECASE)
_LABEL = re.compile(r"(?P<label>[A-Za-z][A-Za-z /]{1,20}?)[ \t]*:[ \t]*")
_ACT = re.compile(
    r"\b(?:complete[d]?|done|performed|treated|injected|blocked|lesioned|entered|status|given|result|outcome)\b",
    re.IGNORECASE,
)
_OFF = re.compile(
    r"\W*(?:no(?:[ ,;-].*)?|n|false|none|nothing|nil|0|-+"
    r"|not (?:done|entered|injected|treated|blocked|completed|performed)\b.*"
    r"|(?:aborted|abandoned|incomplete|skipped|deferred|omitted|failed|stopped)\b.*)\W*",
    re.IGNORECASE,
)
_OWN_LINE = 24  # characters beside its levels that the head of a nested group may have
_COLUMNS = 2  # sites that stand beside each other in a table


@dataclass(slots=True)
class _Group:
    levels: list[Mark] = field(default_factory=list)
    sides: list[Mark] = field(default_factory=list)  # in fields of their own
    used: list[Mark] = field(default_factory=list)  # side words that say nothing of any other level
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
    found = [
        *_keyed(text, sides, levels),
        *_labelled(text, levels),
        *_transposed(text, sides, levels),
        *_nested(text, sides, levels),
    ]
    sided: list[Mark] = []
    used: set[int] = set()
    told: list[Mark] = []
    denied = _blank(text, levels)
    for group in found:
        values = {side.value for side in group.sides}
        if values and values <= {"left", "right", "bilateral"}:
            value = next(iter(values)) if len(values) == 1 else "bilateral"
            sided += (Mark(level.start - 1, level.start, value) for level in group.levels)
            used.update(side.start for side in (*group.sides, *group.used))
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


def _labelled(text: str, levels: Sequence[Mark]) -> list[_Group]:
    """ "Joint: L5-S1 | Side: right | Injected: nothing": the fields below a level, up to the next level or prose."""
    found: list[_Group] = []
    group: _Group | None = None
    for start, line in _lines(text):
        row = _FIELD_LINE.match(line)
        if row is None:
            group = None
            continue
        named = _within(levels, start, start + len(line))
        if named:
            group = _Group(named) if _SITE_LABEL.match(row["label"]) else None
            if group:
                found.append(group)
        elif group:
            _answer(group, row["label"], row["value"])
    return found


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
    found: list[_Group] = []
    table: list[list[tuple[int, str]]] = []
    for start, line in (*_lines(text), (len(text), "")):
        cells = _cells(line, start)
        if len(cells) > _COLUMNS and (not table or len(cells) == len(table[-1])):
            table.append(cells)
            continue
        if table and not line.strip(" |-+=:"):
            continue
        found += _of_table(table, sides, levels)
        table = [cells] if len(cells) > _COLUMNS else []
    return found


def _cells(line: str, start: int) -> list[tuple[int, str]]:
    """The cells of a line with where each begins: between bars, or two blanks or more apart; none for a line of check
    boxes, whose columns are choices."""
    if _BOX.search(line):
        return []
    if line.count("|") >= _COLUMNS:
        cells: list[tuple[int, str]] = []
        place = start
        for cell in line.strip().split("|"):
            cells.append((line.find(cell, place - start) + start if cell else place, cell))
            place = cells[-1][0] + len(cell) + 1
        return [cell for cell in cells if cell[1].strip()]
    return [(start + match.start(), match.group()) for match in _WIDE.finditer(line)] if "  " in line.strip() else []


def _of_table(table: list[list[tuple[int, str]]], sides: Sequence[Mark], levels: Sequence[Mark]) -> list[_Group]:
    columns: dict[int, _Group] = {}
    headed = 0  # rows that begin with a level: those are tables with a row for each site
    for (label_at, label), *cells in table:
        headed += bool(_within(levels, label_at, label_at + len(label)))
        for index, (place, cell) in enumerate(cells):
            group = columns.setdefault(index, _Group())
            _add(group, label, cell, place, sides, levels)
            if not group.sides and (side := _SIDE_CELL.fullmatch(cell.strip())):
                group.sides.append(Mark(place, place + len(cell), _side(side["side"])))
    groups = [group for group in columns.values() if group.levels]
    return groups if len(groups) >= _COLUMNS and not headed else []


def _side(word: str) -> str:
    return {"r": "right", "l": "left"}.get(word[0].lower(), "bilateral")


def _blank(text: str, levels: Sequence[Mark]) -> set[int]:
    """Levels of a template that were never filled in: two or more with blanks behind them, "C3 __  C4 __"."""
    empty = {level.start for level in levels if _BLANKS.match(text, level.end)}
    return empty if len(empty) > 1 else set()


def _nested(text: str, sides: Sequence[Mark], levels: Sequence[Mark]) -> list[_Group]:
    """ "- R L5-S1" with deeper items below it: one that denies ("- entered: no"), or one for each side."""
    found: list[_Group] = []
    group: _Group | None = None
    depth = 0
    item: Mark | None = None  # the side that the lines at hand tell of
    for start, line in _lines(text):
        bullet = _BULLET.match(line)
        if bullet is None and not (group and line.startswith(" " * (depth + 2)) and line.strip()):
            group = None
            continue
        begin = bullet.end() if bullet else len(line) - len(line.lstrip())
        named = _within(levels, start, start + len(line))
        if group is not None and (bullet is None or len(bullet["indent"]) > depth) and not named:
            if bullet and (side := _SIDE_ITEM.match(line, begin)):
                item = Mark(start + begin, start + begin + len(side["side"]), _side(side["side"]))
                group.sides.append(item)
                group.used += _within(sides, start, start + len(line))
                group.told = True
            elif bullet and (label := _LABEL.match(line, begin)):
                item = None
                _answer(group, label["label"], line[label.end() :])
            if item and _REFUSED.search(line, begin):
                group.sides = [side for side in group.sides if side != item]
                group.denied = not group.sides
            elif item and group.sides:
                group.denied = False
            continue
        group, item = None, None
        if bullet and named and len(line) - begin - sum(mark.end - mark.start for mark in named) <= _OWN_LINE:
            group, depth = _Group(named), len(bullet["indent"])
            found.append(group)
    return found
