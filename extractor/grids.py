"""Grids: levels down the side, sides across the top, in the cells a check box or a word.

    LEVEL     RIGHT   LEFT            Site   | Right         | Left          Nerve    | Lesioned | Motor
    L4-L5     [X]     [X]             L4-5   | injected 1 mL | injected 1 mL  L3 MB    | yes      | neg
    L5-S1             [X]             L5-S1  | -- (fused)    | injected 1 mL  L2 MB    | no       |

A grid is a line with two or more sides and no level, or with a column that tells what was done, followed by lines that
begin with a level; levels in other columns tell where it lies ("L3 | L4 TP"). Two kinds of rows need no head: those
that answer for each side ("L3-4  right: yes  left: no"), and those whose cells are all off ("C7 MB   -   -   -"). A
cell is on ("x", "1 mL", "injected"), off (empty, "no", "not done", a dash, an empty box) or open: what else stands
there is asked about and decides nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

_COLUMN = re.compile(r"\S+(?: \S+)*")  # columns stand two blanks or more apart
_APART = re.compile(r"\||\t|  ")
_SHIFT = 6  # characters by which a cell may stand beside the head of its column
_LONGEST_CELL = 60
_DONE = re.compile(
    r"\W*(?:lesioned|treated|injected|blocked|done|performed|ablated|burned|completed|entered|y/n|yes/no)\W*",
    re.IGNORECASE,
)
_PLAINLY = re.compile(r"\W*(?:done|performed|completed|entered|y/n|yes/no)\W*", re.IGNORECASE)
_OFF = re.compile(
    r"[-\u2013\u2014_.\s]*|(?:no|not|none|nil|unable|fused|skipped|omitted|deferred|aborted|held|refused|declined)\b.*|n\.?"
    r"|n\.?/?a\.?|[0o]|0 ?ml|attempted.*|[\u2610\u2717\u2718\u2715].*|[-\u2013\u2014]+ ?\(.*|\[[ _]?\].*|\([ _]?\).*",
    re.IGNORECASE,
)
_ON = re.compile(
    r"x+|\+|[1-9]|i|inj\.?|y\.?|\d*\.\d+|yes\b.*|ok|good\b.*|done\b.*|\d+ ?\u00b0? ?c\b.*"
    r"|[\u2611\u2612\u2713\u2714].*|\[ ?[x\u2713] ?\].*|\( ?[x\u2713] ?\).*"
    r"|(?:injected|blocked|treated|entered|lesioned|completed|performed|ablated)\b.*"
    r"|(?:\w[\w .,%/-]* )?[\d.,]+ ?(?:ml|cc|mg)\b.*",
    re.IGNORECASE,
)
_REMARK = re.compile(r"\([^()]*\)")
_REFUSED = re.compile(
    r"[ \t]{0,8}(?P<label>\S{1,12}(?: \S{1,12}){0,4}) {3,40}"
    r"(?:no|none|not (?:done|treated|injected|blocked)|n/a|-{1,2})",
    re.IGNORECASE,
)
_OLD = re.compile(r"\b(?:prior|previous|prev|last|past|old|planned|next|future)\b", re.IGNORECASE)
_TURNED = re.compile(r"\b(?:not|no|but|except|refused|aborted|failed|unable)\b", re.IGNORECASE)
_ANSWER = re.compile(r"\s?[:=]\s?(?P<word>[A-Za-z0-9.+\u2713\u2714/-]+)")
_ACT = re.compile(
    r" (?P<word>(?:not )?(?:done|injected|treated|blocked|lesioned)\b[^|\n]{0,20}?)\s*(?=$|  |\n)", re.IGNORECASE
)
_BOX_GAP = 2  # characters between a side and its box
_SHORT_CELL = 12
_FEW_CELLS = 2  # a row of no more cells may be a sentence
State = Literal["on", "off", "open"]


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that stands at an offset: a side, a level or a box with its value."""

    start: int
    end: int
    value: str


@dataclass(frozen=True, slots=True)
class Grid:
    """Sides ticked (at the boxes that tick them), levels without any tick, the header's own side words, the rows with a
    cell that is neither on nor off, the levels of rows that are off from end
    to end, and the levels of rows that are on in a column that tells what was done."""

    ticked: tuple[Mark, ...]
    ticked_levels: frozenset[int]
    unticked_levels: frozenset[int]
    header_sides: frozenset[int]
    open_rows: tuple[Mark, ...]
    denied_levels: frozenset[int]
    done_rows: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class _Head:
    """The head of a grid: its sides (none for a column that tells what was done), where they stand in their line, how
    many bars stand before them, and where its other columns stand."""

    sides: tuple[Mark, ...]
    places: tuple[int, ...]
    bars: tuple[int, ...]
    width: int
    others: tuple[int, ...] = ()


def read(text: str, sides: Sequence[Mark], levels: Sequence[Mark], boxes: Sequence[Mark]) -> Grid:
    """All grids of a text. `boxes` have the value "checked" or "unchecked".

    >>> text = "   L3    L4\\nLEFT   -   done\\n"  # levels across and sides down: not read, but told
    >>> level, side = Mark(3, 11, ""), Mark(12, 16, "left")
    >>> read(text, [side], [level], []).open_rows == (level,), read(text[:11], [], [level], []).open_rows
    (True, ())
    """
    ticked: list[Mark] = []
    unticked: set[int] = set()
    headers: set[int] = set()
    unclear: list[Mark] = []
    denied: set[int] = set()
    done: list[Mark] = []
    head: _Head | None = None
    across: list[Mark] = []  # levels side by side in the line before
    position = 0
    s = lv = b = 0
    for raw in text.splitlines(keepends=True):
        if lv == len(levels) and not across:
            break  # every row has its levels
        begin, position = position, position + len(raw)
        here_sides, s = _upto(sides, s, position)
        here_levels, lv = _upto(levels, lv, position)
        here_boxes, b = _upto(boxes, b, position)
        if here_levels or (not here_sides and raw.strip(" |-+=:\n")):
            across = here_levels if here_levels and not here_sides and _in_columns(raw, begin, here_levels) else []
        elif across and here_sides and _row_of_side(raw, begin, here_sides[0]):
            unclear += across  # levels across and sides down: which cell belongs to which level is asked about
            across = []
        found = None if here_levels or here_boxes else _head_of(raw, begin, here_sides)
        if found is not None:
            head = found
        elif here_levels and (answers := _answers(raw, begin, here_levels, here_sides, here_boxes)):
            headers.update(side.start for side in here_sides)
            on = {side for side, state in answers if state == "on"}
            if "open" in {state for _, state in answers}:
                unclear.append(here_levels[0])
            elif on:
                end = here_levels[0].end
                ticked.append(Mark(end, end + 1, "bilateral" if len(on) > 1 else on.pop()))
                unticked.update(beside.start for beside in here_levels[1:])  # the bone of the nerve
            else:
                unticked.add(here_levels[0].start)
        elif here_levels and not here_boxes and _all_off(raw, begin, here_levels):
            denied.update(level.start for level in here_levels)
        elif head is not None and here_levels and _one_row(raw, begin, here_levels, head):
            level = here_levels[0]
            remark = raw.find("(", level.end - begin)
            here_sides = [side for side in here_sides if remark < 0 or side.start - begin < remark]
            if here_sides and head.sides and not head.bars[0]:
                continue  # a row that says its own side
            states = _cells(raw, begin, head, level, here_boxes)
            if states is None:
                continue
            headers.update(side.start for side in head.sides)
            if "open" in states:
                unclear.append(level)
            elif "on" not in states:
                (unticked if head.sides else denied).update(level.start for level in here_levels)
            elif not head.sides:
                done.append(level)
            else:
                on = {side.value for side, state in zip(head.sides, states, strict=True) if state == "on"}
                ticked.append(Mark(level.end, level.end + 1, "bilateral" if len(on) > 1 else on.pop()))
                unticked.update(beside.start for beside in here_levels[1:])  # "L3 MB (at L4)": one nerve, one row
        elif raw.strip(" |-+=:\n"):
            head = None
    behind = {mark.start for mark in ticked}
    on_levels = frozenset(level.start for level in levels if level.end in behind)
    return Grid(
        tuple(ticked),
        on_levels,
        frozenset(unticked),
        frozenset(headers),
        tuple(unclear),
        frozenset(denied),
        tuple(done),
    )


def _answers(
    raw: str, begin: int, levels: Sequence[Mark], sides: Sequence[Mark], boxes: Sequence[Mark]
) -> list[tuple[str, State]] | None:
    """What a row answers for each of its sides: "L3-4   right: yes    left: no", "L1 MB   R [x]   L [ ]",
    "L3-4   [x] R   [ ] L", "L2 MB   R done 0.4 mL   L done 0.4 mL"."""
    if len(sides) < 2 or sides[0].start < levels[-1].end:
        return None
    if any(box.start < sides[0].start for box in boxes):
        return _boxes_before(levels, sides, boxes)
    if not _in_one_cell(raw, begin, levels) and "(" not in raw[levels[0].end - begin : levels[1].start - begin]:
        return None
    found: list[tuple[str, State]] = []
    ends = [*(side.start - begin for side in sides[1:]), len(raw)]
    for side, end in zip(sides, ends, strict=True):
        box = next((box for box in boxes if 0 <= box.start - side.end <= _BOX_GAP), None)
        answer = _ANSWER.match(raw, side.end - begin)
        if box is None and answer is None:
            answer = _ACT.match(raw, side.end - begin, end)
        if box is None and answer is None:
            return None
        found.append(
            (side.value, "on" if box and box.value == "checked" else _state(answer["word"]) if answer else "off")
        )
    return found


def _boxes_before(
    levels: Sequence[Mark], sides: Sequence[Mark], boxes: Sequence[Mark]
) -> list[tuple[str, State]] | None:
    """The answers of a row whose boxes stand before their sides, and behind its level: "L3-4   [x] R   [ ] L"."""
    if boxes[0].start < levels[-1].end:
        return None
    found: list[tuple[str, State]] = []
    for side in sides:
        box = next((box for box in boxes if 0 <= side.start - box.end <= _BOX_GAP), None)
        if box is None:
            return None
        found.append((side.value, "on" if box.value == "checked" else "off"))
    return found


def _all_off(raw: str, begin: int, levels: Sequence[Mark]) -> bool:
    """True for a row that begins with a level and has nothing but empty cells behind it: "L5-S1 R   NO   -   none"."""
    if not _in_one_cell(raw, begin, levels):
        return False
    if (answer := _REFUSED.fullmatch(raw.rstrip())) and levels[-1].end - begin <= answer.end("label"):
        return True  # "C7          no"
    if raw[: levels[0].start - begin].strip(" |-*\u2022"):
        return False
    cells = raw.strip().strip("|").split("|") if "|" in raw else [match.group() for match in _COLUMN.finditer(raw)]
    return len(cells) > _FEW_CELLS and all(cell.strip() and _OFF.fullmatch(cell.strip()) for cell in cells[1:])


def _one_row(raw: str, begin: int, levels: Sequence[Mark], head: _Head) -> bool:
    """True for the levels of one row, with those of other columns than the head's: "| L3 | L4 TP | ok | ok |"."""
    if _in_one_cell(raw, begin, levels):
        return True
    if head.bars[0]:
        first, *others = (raw.count("|", 0, level.start - begin) for level in levels)
        return first < min(head.bars) and not set(others) & set(head.bars)
    if raw[: levels[0].start - begin].strip(" -*\u2022"):
        return False
    return not head.sides or all(level.end - begin < min(head.places) for level in levels)


def _in_columns(raw: str, begin: int, levels: Sequence[Mark]) -> bool:
    """True for a line of levels that stand in columns: "        L3    L4    L5 dorsal ramus"."""
    line = raw[levels[0].start - begin : levels[-1].end - begin]
    return not raw[: levels[0].start - begin].strip(" |\t") and _APART.search(line) is not None


def _row_of_side(raw: str, begin: int, side: Mark) -> bool:
    """True for a side with cells behind it, one of them off: "  LEFT    -    blk   blk"."""
    if raw[: side.start - begin].strip(" |\t-*"):
        return False
    cells = [cell.strip() for cell in re.split(r"\||\t| {2,}", raw[side.end - begin :].strip()) if cell.strip()]
    return len(cells) > 1 and all(len(cell) <= _SHORT_CELL for cell in cells) and any(map(_OFF.fullmatch, cells))


def _in_one_cell(raw: str, begin: int, levels: Sequence[Mark]) -> bool:
    """True for the levels of one row: "L4-5", or a nerve with its bone site ("L3 MB (at L4)")."""
    return not _APART.search(raw, levels[0].start - begin, levels[-1].start - begin)


def _head_of(raw: str, begin: int, sides: Sequence[Mark]) -> _Head | None:
    """The head in a line without levels and boxes, if it is one: columns, not prose."""
    sides = [side for side in sides if not _of_old(raw, side.start - begin)]
    if len(sides) >= 2:
        if any(not _APART.search(raw, a.end - begin, z.start - begin) for a, z in zip(sides, sides[1:], strict=False)):
            return None
        places = tuple(side.start - begin for side in sides)
        others = tuple(
            match.start() for match in _COLUMN.finditer(raw) if not any(m in range(*match.span()) for m in places)
        )
        bars = tuple(raw.count("|", 0, place) for place in places)
        return _Head(tuple(sides), places, bars, raw.count("|"), others)
    if sides:
        return None
    cells = raw.split("|") if "|" in raw else [match.group() for match in _COLUMN.finditer(raw)]
    named = [
        index for index, cell in enumerate(cells) if len(cell) <= _LONGEST_CELL and _DONE.fullmatch(cell.strip(" ?\n"))
    ]
    if len(named) > 1:  # "Done | ... | Injected": the plainest tells
        named = [index for index in named if _PLAINLY.fullmatch(cells[index].strip(" ?\n"))] or named[-1:]
    if not named or len(cells) < 2 or (named[0] == 0 and "|" not in raw):
        return None
    if "|" in raw:
        return _Head((), (raw.index(cells[named[0]]),), (named[0],), raw.count("|")) if named[0] else None
    columns = [match.start() for match in _COLUMN.finditer(raw)]
    return _Head((), (columns[named[0]],), (0,), 0, tuple(columns[named[0] + 1 :]))


def _of_old(raw: str, place: int) -> bool:
    """True for a column of another day: "| LEFT today | prior visit 04/01/25 (R only) |"."""
    cell = raw[raw.rfind("|", 0, place) + 1 : place]
    return "|" in raw and _OLD.search(cell) is not None


def _cells(raw: str, begin: int, head: _Head, level: Mark, boxes: Sequence[Mark]) -> list[State] | None:
    """The state of each cell below the head; None for a line that is no row of it."""
    if head.bars[0]:
        parts = raw.rstrip().split("|")
        if not parts[-1] and len(parts) > head.width + 1:
            parts.pop()
        if len(parts) < 2:
            return None
        if raw.count("|") < head.width - 1:
            bars: Sequence[int] = range(len(parts) - len(head.bars), len(parts))  # no cell for a last remark
            if len(parts) <= len(head.bars):
                return ["open"]
        else:
            bars = head.bars
        return [_state(parts[bar]) if 0 <= bar < len(parts) else "off" for bar in bars]
    if not head.sides:
        cells = list(_COLUMN.finditer(raw))
        if head.others:  # the column has others behind it: its cell stands below its head
            cells = [cell for cell in cells[1:] if abs(cell.start() - head.places[0]) <= _SHIFT]
            return [_state(cells[0].group())] if cells else None
        return [_state(cells[-1].group())] if len(cells) > 1 else None
    if boxes:
        if len(boxes) == len(head.sides):
            return ["on" if box.value == "checked" else "off" for box in boxes]
        return _placed([(box.start - begin, "on" if box.value == "checked" else "off") for box in boxes], head)
    words = [match for match in _COLUMN.finditer(raw) if begin + match.start() >= level.end]
    if len(words) > len(head.sides) and _REMARK.fullmatch(words[-1].group()):
        words.pop()  # "L3     0      0      (fused segment, skipped)"
    if any(len(match.group()) > _LONGEST_CELL for match in words) or not (words or _APART.search(raw)):
        return None
    if len(words) == len(head.sides):
        return [_state(match.group()) for match in words]
    states = _placed([(match.start(), _state(match.group())) for match in words], head)
    filled = {place for place in head.places for match in words if abs(match.start() - place) <= _SHIFT}
    told = len(filled) == len(head.places)  # "L2 m.b.   L3 TP   --   --"
    return states if told or any(_state(match.group()) == "on" for match in words) else None


def _placed(cells: Sequence[tuple[int, State]], head: _Head) -> list[State]:
    """The states of the columns by where the cells stand; one that stands below no head leaves its row open."""
    states: list[State] = ["off"] * len(head.places)
    for place, state in cells:
        if any(abs(other - place) <= min(_SHIFT, *(abs(p - place) - 1 for p in head.places)) for other in head.others):
            continue  # "mL/site"
        nearest = min(range(len(head.places)), key=lambda index: abs(head.places[index] - place))
        if abs(head.places[nearest] - place) > _SHIFT:
            return ["open"]
        states[nearest] = state
    return states


def _state(words: str) -> State:
    """What a cell says.

    >>> [_state(cell) for cell in ("x", "1 mL", " ", "not done", "-- (fused)", "easy", "1 mL, but aborted")]
    ['on', 'on', 'off', 'off', 'off', 'open', 'open']
    """
    words = words.strip()[:_LONGEST_CELL]
    if _OFF.fullmatch(words):
        return "off"
    return "on" if _ON.fullmatch(words) and not _TURNED.search(words) else "open"


def _upto(marks: Sequence[Mark], index: int, end: int) -> tuple[list[Mark], int]:
    found = []
    while index < len(marks) and marks[index].start < end:
        found.append(marks[index])
        index += 1
    return found, index
