"""The coding room: procedures -> lines, queries, status and claim. Pure; every number and rule comes from tables."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from extractor.coding.claim import claim_lines
from extractor.coding.codebook import CodeBook, CodeBooks
from extractor.coding.facet import code_facet
from extractor.coding.lines import Ask, ClaimLine, Coding, Line, Query, Rejected, Suggestion
from extractor.coding.neighbours import of_guidance
from extractor.coding.queries import flag_asks, questions, side_asks
from extractor.coding.session import code_others, reported_once, shared_targets, without_stopped_parts
from extractor.coding.status import coverage, decide
from extractor.coding.validity import on_day
from extractor.records import Procedure

__all__ = [
    "ClaimLine", "CodeBook", "CodeBooks", "Coding", "Line", "Query", "Rejected", "Suggestion", "code_procedures",
]  # fmt: skip


def code_procedures(
    procedures: Sequence[Procedure],
    book: CodeBook,
    profile: str,
    *,
    planned_only: bool = False,
    day: date | None = None,
) -> Coding:
    """Code what was done at one encounter. `planned_only`: the note tells of such procedures as plans only; `day` is
    the date of service, on which codes must be valid.

    >>> from extractor.patterns import PatternFolder
    >>> from extractor.records import Agent, SidedSite
    >>> block = Procedure(
    ...     "facet",
    ...     nerves=tuple(SidedSite(name, "right") for name in ("L3", "L4", "L5")),
    ...     imaging=("fluoroscopy",),
    ...     agents=(Agent("bupivacaine", "injectate", 0, 0),),
    ... )
    >>> coding = code_procedures([block], CodeBook.load(PatternFolder()), "cpt")
    >>> coding.status, [(line.code, line.side, line.joints) for line in coding.lines]
    ('coded', [('64493', 'right', ('L4-L5',)), ('64494', 'right', ('L5-S1',))])
    >>> coding.rejected[0].code
    '64495'
    """
    claim_profile = book.profile(profile)
    if planned_only or not procedures:
        _, notes = questions([Ask("planned_only")] if planned_only else [], book)
        return Coding("no_code", warnings=notes)

    done, stopped = without_stopped_parts(procedures)
    facet = code_facet([item for item in done if item.family == "facet"], book)
    rest = code_others(done, book)
    found, dropped = reported_once((*sorted(facet.part.lines, key=_code), *rest.lines), book)
    valid = on_day(found, book, day)
    lines = valid.lines
    asks = [
        *facet.part.asks,
        *rest.asks,
        *shared_targets(done),
        *side_asks(lines, book),
        *flag_asks(done),
        *stopped,
        *valid.asks,
        *(Ask(id_) for id_ in coverage(done, facet, claim_profile)),
    ]
    if claim_profile.reduced and any(ask.query == "single_nerve" for ask in asks):
        asks.append(Ask("reduced_modifier"))
    queries, warnings = questions(asks, book)
    given = {line.code for line in lines}
    rejected = (*facet.part.rejected, *rest.rejected, *dropped, *valid.rejected, *of_guidance(lines, done, book))
    return Coding(
        status=decide(lines, queries),
        lines=lines,
        claim=claim_lines(lines, book, claim_profile),
        queries=queries,
        rejected=tuple(dict.fromkeys(item for item in rejected if item.code not in given)),
        warnings=warnings,
    )


def _code(line: Line) -> str:
    return line.code
