"""What the extractor read, as annotations: for people who would rather correct than start from nothing."""

from __future__ import annotations

import re
from bisect import bisect_right

from extractor.coding.lines import ClaimLine
from extractor.evaluation.records import Coding, Document, Entity, Line
from extractor.evaluation.relations import relations
from extractor.schema import CodingResult

_AMOUNT = re.compile(
    r"(?<![\w./-])(?:\d+(?:\.\d+)?|\.\d+|half an?|one half|quarter of an?|one|two|three|four|five)\s?"
    r"(?:%|percent|mL|ml|mls|millilit(?:er|re)s?|cc|mg|milligrams?|mcg)(?!\w)",
    re.IGNORECASE,
)
_NEAR = 60  # characters between an amount and the drug that it belongs to


def coding_of(result: CodingResult) -> Coding:
    """The document layer of a result."""
    return Coding(
        status=result.status,
        lines=tuple(Line(line.code, line.side, tuple(line.joints)) for line in result.lines),
        claim=tuple(ClaimLine(line.code, tuple(line.modifiers), line.units) for line in result.claim),
        imaging=tuple(result.summary.imaging),
        injectate=tuple(result.summary.injectate),
        target=tuple(result.summary.target),
        queries=tuple(query.id for query in result.queries),
    )


def document_of(result: CodingResult, text: str, author: str = "") -> Document:
    """A result with its note as a document: entities in order of the text (T1, T2, ...), amounts near drugs as Dose,
    relations by nearness.

    `text` is the note as given: offsets of the result refer to it.
    """
    found: list[tuple[int, int, str, dict[str, str]]] = []
    for entity in result.entities:
        attributes = {"assertion": entity.assertion, "value": entity.value}
        if role := entity.attributes.get("role"):
            attributes["role"] = role
        found.append((entity.start, entity.end, entity.label, attributes))
    drugs = sorted(
        (start, end) for start, end, label, known in found if label == "Agent" and known.get("role") != "systemic"
    )
    starts = [start for start, _ in drugs]
    for match in _AMOUNT.finditer(text):
        at = bisect_right(starts, match.start())
        if any(start - _NEAR <= match.start() <= end + _NEAR for start, end in drugs[max(0, at - 1) : at + 1]):
            found.append((match.start(), match.end(), "Dose", {"value": match.group()}))
    unique = {(start, end, label): attributes for start, end, label, attributes in found}
    entities = tuple(
        Entity(f"T{number}", label, ((start, end),), attributes)
        for number, ((start, end, label), attributes) in enumerate(sorted(unique.items(), key=lambda item: item[0]), 1)
    )
    return Document(result.id, text, entities, relations(text, entities), coding_of(result), author)
