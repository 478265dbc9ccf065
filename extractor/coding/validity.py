"""A code outside its own days is refused: no line, the reason among the rejected, and a question."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from extractor.coding.codebook import CodeBook
from extractor.coding.codetable import Ladder, Rungs
from extractor.coding.lines import Ask, Line, Part, Rejected


def on_day(lines: Sequence[Line], book: CodeBook, day: date | None) -> Part:
    """The lines whose codes are valid on the day, with what is refused and asked; all of them where no day is told.

    An add-on goes with its first level: without that it cannot be reported. A day that no book covers is asked about
    wherever there is anything to report; the book is then the nearest, and its lines are candidates.
    """
    if day is None or not lines:
        return Part(tuple(lines))
    asks: tuple[Ask, ...] = () if book.table.covers(day) else (Ask("no_code_book"),)
    refused = {line.code: why for line in lines if (why := _out_of_days(line.code, book, day))}
    if not refused:
        return Part(tuple(lines), asks)
    given = frozenset(line.code for line in lines)
    for line in lines:
        first = first_level(line.code, given, book)
        if line.code not in refused and first in refused:
            refused[line.code] = book.reason("add-on-without-first", codes=first)
    spans = tuple(span for line in lines if line.code in refused for span in line.evidence)
    asks = (*asks, Ask("code_not_valid", tuple(refused), spans))
    return Part(
        tuple(line for line in lines if line.code not in refused),
        asks,
        tuple(Rejected(code, why) for code, why in refused.items()),
    )


def _out_of_days(code: str, book: CodeBook, day: date) -> str:
    """Why the code cannot be reported on the day; "" when it can."""
    days = book.table.validity_of(code)
    if days and days.first and day < days.first:
        return book.reason("code-not-yet-valid", first=days.first.isoformat(), day=day.isoformat())
    if days and days.last and day > days.last:
        return book.reason("code-no-longer-valid", last=days.last.isoformat(), day=day.isoformat())
    return ""


def first_level(code: str, given: frozenset[str], book: CodeBook) -> str:
    """The first-level code that an add-on of these codes stands beside; "" for a code that is no add-on.

    It is that of its own region; of the other one where its own is not among the codes, as for L1-L2 with T12-L1.
    """
    if not book.code(code).add_on:
        return ""
    for ladder in book.table.ladders.all():
        for rungs, other in _regions(ladder):
            if code in rungs.all():
                return rungs.first if rungs.first in given else other.first
    return ""


def _regions(ladder: Ladder) -> tuple[tuple[Rungs, Rungs], tuple[Rungs, Rungs]]:
    upper, lower = ladder.cervicothoracic, ladder.lumbar
    return (upper, lower), (lower, upper)
