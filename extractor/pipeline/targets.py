"""Targets, imaging and sides through medspaCy's TargetMatcher; overlaps are settled here, not by the matcher.

The matcher keeps every match (`prune=False`, span group); then within one label the longest wins, and "none" rows
(words that only look like a side) are dropped after they have beaten what they contain.
"""

from collections.abc import Iterable

from medspacy.target_matcher import TargetMatcher, TargetRule
from spacy.language import Language
from spacy.tokens import Doc, Span

from extractor.pipeline.shared import drop_empty_matcher, reading
from extractor.rows import ReadingPatterns

GROUP = "facetcode_targets"
_LOOKALIKES = frozenset({"none", "adverb"})


class Targets:
    """Sets the span group "facetcode_targets"; a span's label is Target, Imaging or Side and its kb_id the value."""

    def __init__(self, nlp: Language, patterns: ReadingPatterns) -> None:
        self.matcher = TargetMatcher(nlp, result_type=None, prune=False)
        rows = [
            ("Context" if row.concept.startswith(("intent:", "region:")) else "Target", row.phrase, row.concept)
            for row in patterns.targets
        ]
        rows += [("Imaging", row.phrase, row.modality) for row in patterns.imaging]
        rows += [("Side", row.phrase, row.side) for row in patterns.sides]
        drop_empty_matcher(self.matcher._TargetMatcher__matcher)
        self.matcher.add(
            [TargetRule(literal=phrase, category=label, metadata={"value": value}) for label, phrase, value in rows]
        )

    def __call__(self, doc: Doc) -> Doc:
        kept: list[Span] = []
        spans = self.matcher(doc)
        by_label: dict[str, list[Span]] = {}
        for span in spans:
            if any(character.isupper() for character in span._.target_rule.literal) and not _as_written(span):
                continue
            by_label.setdefault(span.label_, []).append(span)
        for label, found in by_label.items():
            if label == "Side":
                found = _without_lookalikes(found)
            for span in longest(found):
                value = span._.target_rule.metadata["value"]
                if value not in _LOOKALIKES or label == "Imaging":  # "none" rows only keep others from matching
                    kept.append(Span(doc, span.start, span.end, label=label, kb_id=value))
        kept.sort(key=lambda span: (span.start, span.end))
        doc.spans[GROUP] = kept
        return doc


def _as_written(span: Span) -> bool:
    """A phrase written with capitals matches only as written ("US" is not "us")."""
    return bool(span.text == span._.target_rule.literal)


def _without_lookalikes(spans: list[Span]) -> list[Span]:
    """Without the words that only look like a side ("left calf"), and without the sides that overlap them ("on the
    left")."""
    alike = [span for span in spans if _value(span) in _LOOKALIKES]
    sides = [span for span in spans if _value(span) not in _LOOKALIKES]
    # "left hand side" is a side although "left hand" is none, and so is "on the left a needle"
    alike = [span for span in alike if not any(_holds(side, span) for side in sides)]
    alike = [span for span in alike if _value(span) == "none" or not any(_leads(side, span) for side in sides)]
    taken = {i for span in alike for i in range(span.start, span.end)}
    return [span for span in sides if not any(index in taken for index in range(span.start, span.end))]


def _value(span: Span) -> str:
    return str(span._.target_rule.metadata["value"])


def _leads(side: Span, alike: Span) -> bool:
    return side.start < alike.start < side.end


def _holds(outer: Span, inner: Span) -> bool:
    return outer.start <= inner.start and inner.end <= outer.end and len(outer) > len(inner)


def longest(spans: Iterable[Span]) -> list[Span]:
    """Non-overlapping spans, longer before shorter, earlier before later."""
    kept: list[Span] = []
    taken: set[int] = set()
    for span in sorted(spans, key=lambda span: (span.start - span.end, span.start)):
        if not any(index in taken for index in range(span.start, span.end)):
            kept.append(span)
            taken.update(range(span.start, span.end))
    return kept


@Language.factory("facetcode_targets", default_config={"overlay": None})
def create(nlp: Language, name: str, overlay: str | None) -> Targets:
    """Factory of the target component."""
    return Targets(nlp, reading(overlay))
