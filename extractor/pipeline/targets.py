"""Targets, imaging and sides as medspaCy's target rules in its matcher; overlaps are settled here.

The matcher keeps every match (`prune=False`), and a span is made only of what is kept (medspaCy's TargetMatcher makes
one of every match, with an extension attribute on each); then within one label the longest wins, and "none" rows
(words that only look like a side) are dropped after they have beaten what they contain.
"""

from collections.abc import Iterable
from typing import NamedTuple

from medspacy.common.medspacy_matcher import MedspacyMatcher
from medspacy.target_matcher import TargetRule
from spacy.language import Language
from spacy.tokens import Doc, Span

from extractor.pipeline.shared import drop_empty_matcher, reading
from extractor.rows import ReadingPatterns

GROUP = "facetcode_targets"
_LONGEST_INITIALS = 4
_LOOKALIKES = frozenset({"none", "adverb"})
Match = tuple[int, int, str]  # first token, token behind the last, value of the row


class _Rule(NamedTuple):
    label: str
    value: str
    as_written: str  # what it must read, where its phrase has capitals
    phrase: str


class RowMatch(NamedTuple):
    """Where a row matches, whatever becomes of the match; `fits` is False where its capitals stand otherwise."""

    start: int  # characters
    end: int
    label: str
    value: str
    phrase: str
    fits: bool


class Targets:
    """Sets the span group "facetcode_targets"; a span's label is Target, Imaging or Side and its kb_id the value."""

    def __init__(self, nlp: Language, patterns: ReadingPatterns) -> None:
        self.matcher = MedspacyMatcher(nlp, name=GROUP, prune=False)
        rows = [
            ("Context" if row.concept.startswith(("intent:", "region:")) else "Target", row.phrase, row.concept)
            for row in patterns.targets
        ]
        rows += [("Imaging", row.phrase, row.modality) for row in patterns.imaging]
        rows += [("Side", row.phrase, row.side) for row in patterns.sides]
        drop_empty_matcher(self.matcher)
        self.matcher.add([TargetRule(literal=phrase, category=label) for label, phrase, _ in rows])
        strings = nlp.vocab.strings
        self._rules = {
            strings.add(rule_id): _Rule(label, value, phrase if _capitals(phrase) else "", phrase)
            for (rule_id, rule), (label, phrase, value) in zip(self.matcher.rule_map.items(), rows, strict=True)
        }

    def __call__(self, doc: Doc) -> Doc:
        by_label: dict[str, list[Match]] = {}
        for match, start, end in self.matcher(doc):
            rule = self._rules[match]
            if rule.as_written and doc[start:end].text != rule.as_written:
                continue  # "US" is not "us"
            if rule.label == "Target" and end - start == 1 and _is_name(doc, start):
                continue  # "Esi Boateng, MD" is no epidural steroid injection
            if rule.value == "adverb" and start and doc[start - 1].text == "|":
                continue  # "| RIGHT today | LEFT today |" are the heads of columns
            by_label.setdefault(rule.label, []).append((start, end, rule.value))
        kept: list[Span] = []
        for label, found in by_label.items():
            for start, end, value in longest(_without_lookalikes(found) if label == "Side" else found):
                if value not in _LOOKALIKES or label == "Imaging":  # "none" rows only keep others from matching
                    kept.append(Span(doc, start, end, label=label, kb_id=value))
        kept.sort(key=lambda span: (span.start, span.end))
        doc.spans[GROUP] = kept
        return doc

    def matches(self, doc: Doc) -> list[RowMatch]:
        """Every match in order of the text, before overlaps are settled: for those who ask why one is not read."""
        found = []
        for match, start, end in self.matcher(doc):
            label, value, as_written, phrase = self._rules[match]
            span = doc[start:end]
            fits = not as_written or span.text == as_written
            found.append(RowMatch(span.start_char, span.end_char, label, value, phrase, fits))
        return sorted(found)


def _capitals(phrase: str) -> bool:
    """A phrase written with capitals matches only as written."""
    return any(character.isupper() for character in phrase)


def _is_name(doc: Doc, index: int) -> bool:
    """True for a short word with one capital before another such word."""
    word = doc[index].text
    follows = next((token.text for token in doc[index + 1 : index + 3] if not token.is_space), "")
    return len(word) <= _LONGEST_INITIALS and word.istitle() and follows.istitle() and follows.isalpha()


def _without_lookalikes(matches: list[Match]) -> list[Match]:
    """Without the words that only look like a side ("left calf"), and without the sides that overlap them ("on the
    left")."""
    alike = [match for match in matches if match[2] in _LOOKALIKES]
    if not alike:
        return matches
    sides = [match for match in matches if match[2] not in _LOOKALIKES]
    # "left hand side" is a side although "left hand" is none, and so is "on the left a needle"
    alike = [match for match in alike if not any(_holds(side, match) for side in sides)]
    alike = [match for match in alike if match[2] == "none" or not any(_leads(side, match) for side in sides)]
    taken = {i for start, end, _ in alike for i in range(start, end)}
    return [match for match in sides if taken.isdisjoint(range(match[0], match[1]))]


def _leads(side: Match, alike: Match) -> bool:
    return side[0] < alike[0] < side[1]


def _holds(outer: Match, inner: Match) -> bool:
    return outer[0] <= inner[0] and inner[1] <= outer[1] and outer[1] - outer[0] > inner[1] - inner[0]


def longest(matches: Iterable[Match]) -> list[Match]:
    """Non-overlapping matches, longer before shorter, earlier before later."""
    kept: list[Match] = []
    taken: set[int] = set()
    for match in sorted(matches, key=lambda match: (match[0] - match[1], match[0])):
        tokens = range(match[0], match[1])
        if taken.isdisjoint(tokens):
            kept.append(match)
            taken.update(tokens)
    return kept


@Language.factory("facetcode_targets", default_config={"overlay": None})
def create(nlp: Language, name: str, overlay: str | None) -> Targets:
    """Factory of the target component."""
    return Targets(nlp, reading(overlay))
