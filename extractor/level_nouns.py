"""Which noun a mention of levels modifies: "L4-5 facet joint", "medial branches of L3 and L4"."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

from extractor.level_numbers import Run
from extractor.level_tokens import Lexicon

_AFTER, _BEFORE, _WORDS = 48, 64, 3  # characters and words between a level and its noun
_COLUMNS = "   "


@dataclass(frozen=True, slots=True)
class Noun:
    """A noun found in the text; concept "" is a noun that no level modifies ("hip joint")."""

    start: int
    end: int
    concept: str


class Nouns:
    """All nouns of one text, and the search for the noun of each stretch."""

    def __init__(self, lexicon: Lexicon, text: str) -> None:
        self._x, self._text = lexicon, text
        self._weak = lexicon.words.guards.weak_concepts
        nouns, subject = lexicon.nouns.over(text)
        self._found = [Noun(m.start(), m.end(), lexicon.concept_of(m.group())) for m in nouns.finditer(subject)]
        self._starts = [noun.start for noun in self._found]

    def after(self, end: int, limit: int) -> Noun | None:
        """The noun right after a level (glued ones too: "L5DR"), before `limit`."""
        glued = self._x.glued_noun.match(self._text, end)
        if glued and self._text[end : end + 1].isalnum():
            return Noun(glued.start(), glued.end(), self._x.concept_of(glued.group()))
        bound, limit = limit, min(limit, end + _AFTER)
        place, weak = end, None
        first = bisect_left(self._starts, end)
        if first and self._found[first - 1].end > end and (inner := self._x.noun.match(self._text, end + 1)):
            return Noun(inner.start(), inner.end(), self._x.concept_of(inner.group()))  # "first sacral | foramen"
        for index in range(first, len(self._found)):
            noun = self._found[index]
            if noun.start >= limit or noun.end > bound or not self._near(place, noun.start):
                break
            if _COLUMNS in self._text[end : noun.start] and self._x.of_level.match(self._text, noun.end):
                break  # a column of its own: "T12      left TP of L1"
            if self._text[noun.end : noun.end + 1] == ":" and "\n" in self._text[end : noun.start]:
                break  # "... (x) L5-S1 | Nerves: ..." heads the next line
            if noun.concept not in self._weak:
                return noun if noun.concept else weak
            weak, place = weak or noun, noun.end
        return weak

    def in_columns(self, first: Run, second: Run) -> bool:
        """True when only so many blanks stand between two levels that they are cells of a table."""
        gap = self._text[first.end : second.start]
        return gap.isspace() and gap.startswith(_COLUMNS)

    def _near(self, start: int, end: int) -> bool:
        gap = self._text[start:end]
        if gap.startswith("\n") and ":" in gap:
            return False  # the next line has a header of its own
        if gap.startswith("\n") or gap.startswith(" ("):
            gap = gap[1:].removeprefix("(")  # a wrapped line, a noun in brackets
        stop = self._x.stop.search(gap)
        words = sum(1 for word in gap.replace(",", " ").replace(":", " ").split() if word not in ("-", ")"))
        return stop is None and words <= _WORDS

    def is_loose(self, end: int, noun: Noun) -> bool:
        """True when a comma, a bracket or two words part the level from its noun: one right before it is nearer."""
        gap = self._text[end : noun.start]
        return "," in gap or "(" in gap or len(gap.split()) > 1

    def touches(self, noun: Noun, start: int) -> bool:
        """True when only a preposition stands between a noun and the level after it ("joint at L4-5")."""
        return len(self._text[noun.end : start].split()) <= 1

    def before(self, start: int, floor: int) -> Noun | None:
        """The noun whose phrase leads to this level ("facet joint injections at the right ..."), not before `floor`."""
        index = bisect_left(self._starts, start) - 1
        place, weak = start, None
        floor = max(floor, start - _BEFORE)
        while index >= 0 and self._found[index].start >= floor:
            noun = self._found[index]
            gap = self._x.before.match(self._text, noun.end, place)
            if noun.end > place or gap is None or gap.end() != place or "\n\n" in gap.group():
                break
            if noun.concept not in self._weak:
                return noun if noun.concept else weak
            weak, place = weak or noun, noun.start
            index -= 1
        return weak
