"""Check-box grids: levels down the side, sides across the top.

    LEVEL     RIGHT   LEFT
    L4-L5     [X]     [X]
    L5-S1     [ ]     [X]

A grid is a line with two or more sides and no level, followed by lines that hold one level and as many boxes as there are sides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


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
    unticked_levels: frozenset[int]
    header_sides: frozenset[int]


def read(text: str, sides: Sequence[Mark], levels: Sequence[Mark], boxes: Sequence[Mark]) -> Grid:
    """All grids of a text. `boxes` have the value "checked" or "unchecked"."""
    ticked: list[Mark] = []
    unticked: set[int] = set()
    headers: set[int] = set()
    columns: list[Mark] = []
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
        elif columns and len(here_levels) == 1 and len(here_boxes) == len(columns) and not here_sides:
            headers.update(side.start for side in columns)
            on = [side.value for side, box in zip(columns, here_boxes, strict=True) if box.value == "checked"]
            if not on:
                unticked.add(here_levels[0].start)
            for side, box in zip(columns, here_boxes, strict=True):
                if box.value == "checked":
                    ticked.append(Mark(box.start, box.end, side.value))
        elif raw.strip():
            columns = []
    return Grid(tuple(ticked), frozenset(unticked), frozenset(headers))


def _upto(marks: Sequence[Mark], index: int, end: int) -> tuple[list[Mark], int]:
    found = []
    while index < len(marks) and marks[index].start < end:
        found.append(marks[index])
        index += 1
    return found, index
