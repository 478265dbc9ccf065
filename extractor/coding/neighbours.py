"""Neighbouring codes that were considered and not given, each with its reason."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from extractor.coding.codebook import CodeBook
from extractor.coding.codetable import Ladder, Rungs
from extractor.coding.counting import Level, site_order
from extractor.coding.ladder import BELOW_JUNCTION, JUNCTION, Placed, is_upper
from extractor.coding.lines import Line, Rejected
from extractor.records import Procedure


def firsts(ladder: Ladder, joints: Iterable[str]) -> tuple[str, ...]:
    """The first-level codes of the regions of some joints."""
    return tuple(dict.fromkeys((ladder.cervicothoracic if is_upper(name) else ladder.lumbar).first for name in joints))


def of_counting(levels: Sequence[Level], placed: Placed, ladder: Ladder, book: CodeBook) -> list[Rejected]:
    """The next add-on that nerves or sides do not earn, and the codes of the other side of the junction."""
    given = {code for code, _ in placed.codes}
    joints = {level.joint for level in levels}
    upper = [level for level in levels if is_upper(level.joint)]
    lower = [level for level in levels if not is_upper(level.joint)]
    if {JUNCTION, BELOW_JUNCTION} <= joints:
        runs = [(ladder.lumbar, [*upper, *lower])]  # the two are counted on as one run
    else:
        runs = [(rungs, run) for rungs, run in ((ladder.cervicothoracic, upper), (ladder.lumbar, lower)) if run]
    out = [found for rungs, run in runs if (found := _spare(run, rungs, given, book))]
    if JUNCTION in joints and ladder.lumbar.first not in given:
        out.append(Rejected(ladder.lumbar.first, book.reason("junction-is-thoracic")))
    by_nerves = any(level.joint == BELOW_JUNCTION and level.nerves for level in levels)
    if by_nerves and ladder.cervicothoracic.first not in given:
        out.append(Rejected(ladder.cervicothoracic.first, book.reason("branches-of-l1-l2")))
    return out


def _spare(run: Sequence[Level], rungs: Rungs, given: set[str], book: CodeBook) -> Rejected | None:
    """The code that one more level would have taken, when nerves or sides look like one more level."""
    code = rungs.code(len(run) + 1)
    if code in given:
        return None
    nerves = sorted({nerve for level in run for nerve in level.nerves}, key=site_order)
    if len(nerves) > len(run):
        joints = ", ".join(level.joint for level in run)
        return Rejected(code, book.reason("nerves-are-not-levels", nerves=", ".join(nerves), joints=joints))
    both = [level.joint for level in run if level.side == "bilateral"]
    return Rejected(code, book.reason("sides-are-not-levels", joints=", ".join(both))) if both else None


def of_guidance(lines: Sequence[Line], procedures: Sequence[Procedure], book: CodeBook) -> list[Rejected]:
    """Separate guidance codes: never charged beside a code that includes its guidance."""
    codes = tuple(dict.fromkeys(line.code for line in lines if book.code(line.code).guidance))
    if not codes:
        return []
    used = {kind for procedure in procedures for kind in procedure.imaging}
    reason = book.reason("guidance-included", codes=", ".join(codes))
    return [Rejected(number, reason) for kind, number in book.table.guidance.items() if kind in used]
