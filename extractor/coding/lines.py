"""What the coding room gives back, and the pieces it is put together from. Plain, typed, immutable."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from extractor.coding.codebook import CodeBook
from extractor.coding.counting import union
from extractor.records import Side, Span
from extractor.schema import Status

Stop = Literal["", "unknown", "after_anesthesia"]  # whether the service was broken off, and when as far as is told


@dataclass(frozen=True, slots=True)
class Line:
    """One code with its side and joints, and why. `reasons[0]` is the text of `rule`."""

    code: str
    side: Side
    joints: tuple[str, ...] = ()
    label: str = ""
    rule: str = ""
    reasons: tuple[str, ...] = ()
    evidence: tuple[Span, ...] = ()
    diagnostic: bool = False  # the note calls this injection diagnostic
    stopped: Stop = ""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A modifier that a person may add to a claim line, and when it belongs there."""

    modifier: str
    reason: str


@dataclass(frozen=True, slots=True)
class ClaimLine:
    """One line of the claim under the chosen profile."""

    code: str
    modifiers: tuple[str, ...] = ()
    units: int = 1
    suggested: tuple[Suggestion, ...] = ()


@dataclass(frozen=True, slots=True)
class Query:
    """One open question to the physician."""

    id: str
    question: str
    evidence: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Rejected:
    """A neighbouring code that was considered and not given."""

    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Coding:
    """The verdict on the procedures of one note."""

    status: Status
    lines: tuple[Line, ...] = ()
    claim: tuple[ClaimLine, ...] = ()
    queries: tuple[Query, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ask:
    """The wish to ask: the id of a query, the sites it is about, and the words that raised it."""

    query: str
    sites: tuple[str, ...] = ()
    evidence: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """What one family adds to the coding."""

    lines: tuple[Line, ...] = ()
    asks: tuple[Ask, ...] = ()
    rejected: tuple[Rejected, ...] = ()


def joined(parts: Iterable[Part]) -> Part:
    """The parts one after another."""
    lines: list[Line] = []
    asks: list[Ask] = []
    rejected: list[Rejected] = []
    for part in parts:
        lines += part.lines
        asks += part.asks
        rejected += part.rejected
    return Part(tuple(lines), tuple(asks), tuple(rejected))


def ordered_spans(spans: Iterable[Span]) -> tuple[Span, ...]:
    """The spans in the order of the note, each once.

    >>> [span.start for span in ordered_spans([Span(9, 12), Span(0, 4), Span(9, 12)])]
    [0, 9]
    """
    return tuple(sorted(set(spans), key=lambda span: (span.start, span.end, span.section)))


def make_line(
    book: CodeBook,
    code: str,
    side: Side,
    joints: tuple[str, ...] = (),
    reasons: Iterable[str] = (),
    evidence: Iterable[Span] = (),
    diagnostic: bool = False,
    stopped: Stop = "",
) -> Line:
    """A line with the label and rule of its code; a code without sides never gets one."""
    row = book.code(code)
    return Line(
        code=code,
        side=side if row.side else "unspecified",
        joints=joints,
        label=row.label,
        rule=row.rule,
        reasons=(book.reason(row.rule), *reasons),
        evidence=ordered_spans(evidence),
        diagnostic=diagnostic and row.diagnostic,
        stopped=stopped,
    )


def merged(first: Line, second: Line) -> Line:
    """Two lines of a code that is reported once for each side (sacroiliac, epidural, trigger points) as one."""
    return replace(
        first,
        side=union(first.side, second.side),
        joints=tuple(dict.fromkeys((*first.joints, *second.joints))),
        reasons=tuple(dict.fromkeys((*first.reasons, *second.reasons))),
        evidence=ordered_spans((*first.evidence, *second.evidence)),
        diagnostic=first.diagnostic and second.diagnostic,
        stopped=_both_stopped(first.stopped, second.stopped),
    )


def _both_stopped(first: Stop, second: Stop) -> Stop:
    if first == second:
        return first
    return "unknown" if first and second else ""
