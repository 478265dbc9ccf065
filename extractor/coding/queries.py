"""From doubts to questions: each id once, with its sites and words; ids of severity info become warnings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from extractor.coding.codebook import CodeBook
from extractor.coding.lines import Ask, Line, Query, ordered_spans
from extractor.records import Procedure


def flag_asks(procedures: Iterable[Procedure]) -> list[Ask]:
    """What assembly found, and procedures that were stopped early."""
    asks: list[Ask] = []
    for procedure in procedures:
        sites = tuple(dict.fromkeys(site.site for site in procedure.joints))
        asks += [
            Ask(flag.query, sites if flag.query == "ambiguous_level" else (), flag.evidence) for flag in procedure.flags
        ]
        if procedure.discontinued:
            asks.append(Ask("discontinued", (), procedure.evidence))
            asks.append(Ask("discontinued_modifiers"))
    return asks


def side_asks(lines: Iterable[Line], book: CodeBook) -> list[Ask]:
    """A line whose code has sides, without one."""
    return [
        Ask("missing_side", line.joints, line.evidence)
        for line in lines
        if line.side == "unspecified" and book.code(line.code).side
    ]


def questions(asks: Sequence[Ask], book: CodeBook) -> tuple[tuple[Query, ...], tuple[str, ...]]:
    """The queries to ask, and the warnings, in the order in which their ids first came up.

    >>> from extractor.patterns import PatternFolder
    >>> book = CodeBook.load(PatternFolder())
    >>> queries, _ = questions([Ask("missing_side", ("L4-L5",)), Ask("missing_side", ("L5-S1",))], book)
    >>> queries[0].question
    'Which side was treated at L4-L5, L5-S1? The procedure does not say left, right or both.'
    """
    by_id: dict[str, list[Ask]] = {}
    for ask in asks:
        by_id.setdefault(ask.query, []).append(ask)
    queries: list[Query] = []
    warnings: list[str] = []
    for id_, same in by_id.items():
        row = book.query(id_)
        sites = ", ".join(dict.fromkeys(site for ask in same for site in ask.sites))
        text = row.question_sites.format(sites=sites) if sites and row.question_sites else row.question
        if row.severity == "info":
            warnings.append(text)
            continue
        queries.append(Query(id_, text, ordered_spans(span for ask in same for span in ask.evidence)))
    return tuple(queries), tuple(warnings)
