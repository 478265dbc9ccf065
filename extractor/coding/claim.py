"""Code lines -> claim lines under a profile. The profile changes how a line is written, never which codes there are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from extractor.coding.codebook import CodeBook
from extractor.coding.lines import ClaimLine, Line, Suggestion, merged
from extractor.coding.profiles import Profile
from extractor.coding.suggestions import combined, suggestions


def claim_lines(lines: Sequence[Line], book: CodeBook, profile: Profile) -> tuple[ClaimLine, ...]:
    """The claim of some lines; equal code and modifiers become one line with the units added up.

    >>> from extractor.patterns import PatternFolder
    >>> book = CodeBook.load(PatternFolder())
    >>> lines = [Line("64493", "bilateral", ("L4-L5",)), Line("64494", "bilateral", ("L5-S1",))]
    >>> for name in ("cpt", "medicare", "medicare-asc"):
    ...     print([(c.code, *c.modifiers, c.units) for c in claim_lines(lines, book, book.profile(name))])
    [('64493', '50', 1), ('64494', 2)]
    [('64493', '50', 1), ('64494', '50', 1)]
    [('64493', 'RT', 1), ('64493', 'LT', 1), ('64494', 'RT', 1), ('64494', 'LT', 1)]
    """
    units: dict[tuple[str, tuple[str, ...]], int] = {}
    suggested: dict[tuple[str, tuple[str, ...]], tuple[Suggestion, ...]] = {}
    for line in _once_a_day(lines, book, profile):
        extra = suggestions(line, lines, book, profile)
        for item in _written(line, book, profile):
            key = (item.code, item.modifiers)
            units[key] = units.get(key, 0) + item.units
            suggested[key] = (*suggested.get(key, ()), *extra)
    return tuple(ClaimLine(*key, number, combined(suggested[key])) for key, number in units.items())


def _once_a_day(lines: Sequence[Line], book: CodeBook, profile: Profile) -> Iterable[Line]:
    """Lines of a code that is one unit a day, whatever the joints and however the sides differ, become one."""
    if profile.third_level == "each":
        return lines
    kept: dict[object, Line] = {}
    for index, line in enumerate(lines):
        key: object = line.code if book.code(line.code).units == "day" else index
        kept[key] = merged(kept[key], line) if key in kept else line
    return kept.values()


def _written(line: Line, book: CodeBook, profile: Profile) -> list[ClaimLine]:
    row, marks = book.code(line.code), book.modifiers
    number = profile.replace.get(line.code, line.code)
    each = row.units == "joint" or (row.units == "day" and profile.third_level == "each")
    units = max(1, len(line.joints)) if each else 1
    extra = (profile.diagnostic,) if line.diagnostic and profile.diagnostic else ()
    if line.side == "unspecified" or not row.side_modifiers:
        return [ClaimLine(number, extra, units)]
    if line.side == "bilateral":
        style = profile.bilateral_add_on if row.add_on else profile.bilateral_primary
        if style == "modifier":
            return [ClaimLine(number, (marks.both, *extra), units)]
        if style == "twice":
            return [ClaimLine(number, extra, 2 * units)]
        return [ClaimLine(number, (mark, *extra), units) for mark in (marks.right, marks.left)]
    return [ClaimLine(number, (marks.left if line.side == "left" else marks.right, *extra), units)]
