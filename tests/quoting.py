"""The quotes of a result, and a note with the sentences that hold some of them blanked out."""

from __future__ import annotations

from collections.abc import Iterable

from extractor.pipeline.shared import reading
from extractor.schema import CodingResult, Evidence
from extractor.sentences import SentenceSplitter
from extractor.text import clean

SPLITTER = SentenceSplitter(reading(None).table.sentences)


def quotes(result: CodingResult) -> list[Evidence]:
    """The evidence of lines and queries, and of procedures with their sites and drugs."""
    found = [item for line in result.lines for item in line.evidence]
    found += [item for query in result.queries for item in query.evidence]
    for procedure in result.procedures:
        found += procedure.evidence
        found += [item for site in (*procedure.joints, *procedure.nerves) for item in site.evidence]
        found += [agent.evidence for agent in procedure.agents]
    return found


def misquoted(text: str, result: CodingResult) -> list[str]:
    """Quotes and entities that are empty or not the text at their offsets."""
    found = (*quotes(result), *result.entities)
    return [item.text for item in found if text[item.start : item.end] != item.text or not item.text]


def lines_of(result: CodingResult) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(line.code, line.side, tuple(line.joints)) for line in result.lines]


def without(text: str, evidence: Iterable[Evidence]) -> str:
    """The text with every sentence that holds one of the quotes blanked out, of the same length."""
    view = clean(text)
    places = {(item.start, item.end) for item in evidence}
    letters = list(text)
    for start, end in SPLITTER.split(view.text):
        given_start, given_end = view.span(start, end)
        if any(a < given_end and given_start < b for a, b in places):
            letters[given_start:given_end] = " " * (given_end - given_start)
    return "".join(letters)
