"""The words of the note that a finding rests on."""

from __future__ import annotations

from collections.abc import Iterable

from extractor.audit.models import FindingKind
from extractor.schema import CodingResult, Evidence

_MOST = 6
_BY_SITE: frozenset[FindingKind] = frozenset(
    {
        *("bilateral_as_levels", "nerves_as_levels", "extra_level", "fewer_levels", "wrong_side", "wrong_region"),
        *("third_level", "duplicate_line", "wrong_modifiers"),
    }
)
_BY_QUESTION: dict[FindingKind, tuple[str, ...]] = {
    "missing_level": ("missing_level",),
    "missing_side": ("missing_side",),
    "imaging_not_documented": ("missing_imaging",),
    "nerves_as_levels": ("single_nerve", "incomplete_joint"),
    "not_performed": ("discontinued",),
}


def evidence_of(kind: FindingKind, result: CodingResult) -> list[Evidence]:
    """At most six quotes, in the order of the note; none where the finding is that the note says nothing."""
    asked = [item for query in result.queries if query.id in _BY_QUESTION.get(kind, ()) for item in query.evidence]
    if asked:
        return _first(asked)
    if kind in _BY_SITE:
        sites = [site for item in result.procedures for site in (*item.joints, *item.nerves)]
        sides = {(item.start, item.end) for item in result.entities if item.label == "Side"}
        of_side = kind in ("bilateral_as_levels", "wrong_side", "wrong_modifiers")
        quotes = [quote for site in sites for quote in site.evidence]
        return _first(quote for quote in quotes if of_side or (quote.start, quote.end) not in sides)
    if kind == "ultrasound_as_fluoroscopy":
        return _entities(result, "Imaging", "ultrasound")
    if kind == "not_performed":
        return _first(
            Evidence(start=item.start, end=item.end, text=item.text, section=item.section)
            for item in result.entities
            if item.label in ("Target", "Technique") and item.assertion != "performed"
        )
    return _first(quote for item in result.procedures for quote in item.evidence)


def _entities(result: CodingResult, label: str, value: str) -> list[Evidence]:
    return _first(
        Evidence(start=item.start, end=item.end, text=item.text, section=item.section)
        for item in result.entities
        if item.label == label and item.value == value and item.assertion == "performed"
    )


def _first(quotes: Iterable[Evidence]) -> list[Evidence]:
    unique = {(item.start, item.end): item for item in quotes}
    return [unique[place] for place in sorted(unique)][:_MOST]
