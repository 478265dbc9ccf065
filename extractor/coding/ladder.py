"""Counted levels -> lines: who is the first level, who the second, and which share an add-on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from extractor import anatomy
from extractor.coding.codebook import CodeBook
from extractor.coding.codetable import Ladder
from extractor.coding.counting import Level, site_order
from extractor.coding.lines import Line, Stop, make_line
from extractor.records import Side, Span

JUNCTION, BELOW_JUNCTION = "T12-L1", "L1-L2"


@dataclass(frozen=True, slots=True)
class Placed:
    """The code of each level, in order; `mixed` when the thoracolumbar junction leaves the codes open."""

    codes: tuple[tuple[str, Level], ...]
    mixed: bool = False


def is_upper(site: str) -> bool:
    """True for the cervical and thoracic levels, T12-L1 included.

    >>> is_upper("C7-T1"), is_upper("T12-L1"), is_upper("L1-L2"), is_upper("S1")
    (True, True, False, False)
    """
    return anatomy.region(site) in ("cervical", "thoracic")


def place(levels: Sequence[Level], ladder: Ladder) -> Placed:
    """Give every level its code. Levels come bilateral first, then cranial to caudal, and keep that order.

    T12-L1 takes the thoracic code; L1-L2 treated with it goes on counting below instead of starting anew. More joints
    on either side of the two, or a gap below T12-L1, are left to a coder.
    """
    upper = [level for level in levels if is_upper(level.joint)]
    lower = [level for level in levels if not is_upper(level.joint)]
    names = {level.joint for level in levels}
    across = JUNCTION in names and bool(lower)
    adjoining = across and BELOW_JUNCTION in names
    mixed = across and not (adjoining and ladder.junction and len(upper) == len(lower) == 1)
    start = 2 if adjoining else 1
    codes = [(ladder.cervicothoracic.code(rank), level) for rank, level in enumerate(upper, 1)]
    codes += [(ladder.lumbar.code(rank), level) for rank, level in enumerate(lower, start)]
    return Placed(tuple(codes), mixed)


def lines_of(
    placed: Placed,
    ladder: Ladder,
    book: CodeBook,
    evidence: Callable[[Level], Sequence[Span]],
    diagnostic: bool = False,
    stopped: Stop = "",
) -> tuple[Line, ...]:
    """The lines: levels of one code and side share a line where the ladder says so."""
    groups: dict[tuple[str, Side, str], list[Level]] = {}
    for code, level in placed.codes:
        own = level.joint if ladder.spread == "single" else ""
        groups.setdefault((code, level.side, own), []).append(level)
    return tuple(
        make_line(
            book,
            code,
            side,
            joints=tuple(sorted((level.joint for level in levels), key=site_order)),
            reasons=[why for level in levels if (why := _why(level, book))],
            evidence=[span for level in levels for span in evidence(level)],
            diagnostic=diagnostic,
            stopped=stopped,
        )
        for (code, side, _), levels in groups.items()
    )


def _why(level: Level, book: CodeBook) -> str:
    if "-" not in level.joint:
        return ""
    nerves = ", ".join(level.nerves)
    if level.itself:
        return book.reason("joint-both-ways" if level.nerves else "joint-itself", joint=level.joint)
    rule = "joint-by-one-nerve" if len(level.nerves) == 1 else "joint-by-nerves"
    return book.reason(rule, joint=level.joint, nerves=nerves)
