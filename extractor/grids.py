"""Grids: levels down the side, sides across the top, in the cells a check box or a word.

    LEVEL     RIGHT   LEFT            Site   | Right         | Left
    L4-L5     [X]     [X]             L4-5   | injected 1 mL | injected 1 mL
    L5-S1     [ ]     [X]             L5-S1  | -- (fused)    | injected 1 mL

A grid is a line with two or more sides and no level, followed by lines that hold one level and a box, or a cell
between bars, for each side. A cell that is empty, or begins with a dash or an empty box, is not ticked. A list whose
last column is headed "Lesioned" or "Done" is read the same way, without sides: "no" there leaves its level out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_COLUMN = re.compile(r"\S+(?: \S+)*")  # columns stand two blanks or more apart
_LAST = r"(?:\||\s\s)\s?(?:{})\??\s?\|?$"
_LAST_CELL = 40  # characters at the end of a line that hold its last cell
_DONE = re.compile(
    _LAST.format("lesioned|treated|injected|blocked|done|performed|ablated|burned|completed|given"), re.IGNORECASE
)
_NOT_DONE = re.compile(_LAST.format(r"no|n|none|not [a-z]+|skipped|omitted|-+|\[ ?\]|\( ?\)"), re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that stands at an offset: a side, a level or a box with its value."""

    start: int
    end: int
    value: str


@dataclass(frozen=True, slots=True)
class Grid:
    """Sides ticked (at the boxes that tick them), levels without any tick, and the header's own side words."""

    ticked: tuple[Mark, ...]
    ticked_levels: frozenset[int]
    unticked_levels: frozenset[int]
    header_sides: frozenset[int]


def read(text: str, sides: Sequence[Mark], levels: Sequence[Mark], boxes: Sequence[Mark]) -> Grid:
    """All grids of a text. `boxes` have the value "checked" or "unchecked"."""
    ticked: list[Mark] = []
    unticked: set[int] = set()
    headers: set[int] = set()
    columns: list[Mark] = []
    places: list[int] = []  # bars before each side of the header
    asked = False  # the list has a column that tells what was done
    position = 0
    s = lv = b = 0
    for raw in text.splitlines(keepends=True):
        end = position + len(raw)
        here_sides, s = _upto(sides, s, end)
        here_levels, lv = _upto(levels, lv, end)
        here_boxes, b = _upto(boxes, b, end)
        position = end
        if len(here_sides) >= 2 and not here_levels and not here_boxes:
            columns = here_sides
            places = [text.count("|", end - len(raw), side.start) for side in here_sides]
        elif _DONE.search(raw.rstrip()[-_LAST_CELL:]) and not here_levels and ("|" in raw or "  " in raw.strip()):
            asked, columns = True, []
        elif asked and len(here_levels) == 1:
            if _NOT_DONE.search(raw.rstrip()[-_LAST_CELL:]):
                unticked.add(here_levels[0].start)
        elif columns and len(here_levels) == 1 and len(here_boxes) == len(columns) and not here_sides:
            headers.update(side.start for side in columns)
            if not any(box.value == "checked" for box in here_boxes):
                unticked.add(here_levels[0].start)
            marks = [(box, side.value) for side, box in zip(columns, here_boxes, strict=True) if box.value == "checked"]
            ticked += _ticks(here_levels[0], marks)
        elif columns and len(here_levels) == 1 and raw.count("|") >= len(columns):
            headers.update(side.start for side in columns)
            cells = _cells(raw, position - len(raw), places)
            marks = [
                (Mark(cell, cell + 1, ""), side.value) for side, cell in zip(columns, cells, strict=True) if cell >= 0
            ]
            ticked += _ticks(here_levels[0], marks)
            if all(cell < 0 for cell in cells):
                unticked.add(here_levels[0].start)
        elif columns and len(here_levels) == 1 and len(_COLUMN.findall(raw)) == len(columns) + 1 and not here_sides:
            headers.update(side.start for side in columns)
            found = list(_COLUMN.finditer(raw))[1:]
            marks = [
                (Mark(position - len(raw) + cell.start(), position - len(raw) + cell.end(), ""), side.value)
                for side, cell in zip(columns, found, strict=True)
                if _ticks_word(cell.group())
            ]
            ticked += _ticks(here_levels[0], marks)
            if not marks:
                unticked.add(here_levels[0].start)
        elif raw.strip(" |-+\n"):
            columns, asked = [], False
    behind = {mark.start for mark in ticked}
    on = frozenset(level.start for level in levels if level.end in behind)
    return Grid(tuple(ticked), on, frozenset(unticked), frozenset(headers))


def _ticks(level: Mark, marks: list[tuple[Mark, str]]) -> list[Mark]:
    """One side for a row: left and right ticks together are bilateral. It stands right behind its level."""
    if not marks:
        return []
    values = {value for _, value in marks}
    value = "bilateral" if len(values) > 1 else marks[0][1]
    return [Mark(level.end, level.end + 1, value)]


def _cells(line: str, offset: int, places: Sequence[int]) -> list[int]:
    """Where the cells below the sides of the header begin; -1 for a cell that ticks nothing.

    A row with fewer bars than its header keeps its sides in the last cells.
    """
    parts = line.rstrip().removesuffix("|").split("|")
    if not (places[0] and places[-1] < len(parts)):
        places = range(max(0, len(parts) - len(places)), len(parts))
    starts, at = [], 0
    for part in parts:
        starts.append(at)
        at += len(part) + 1
    found = []
    for start, part in [(starts[place], parts[place]) for place in places]:
        done = _ticks_word(part.strip())
        found.append(offset + start + len(part) - len(part.lstrip()) if done else -1)
    return found


def _ticks_word(words: str) -> bool:
    """True for a cell that tells of something done."""
    return bool(words) and words[0] not in "-[(" and words.lower() not in {"no", "none", "n/a", "nil"}


def _upto(marks: Sequence[Mark], index: int, end: int) -> tuple[list[Mark], int]:
    found = []
    while index < len(marks) and marks[index].start < end:
        found.append(marks[index])
        index += 1
    return found, index
