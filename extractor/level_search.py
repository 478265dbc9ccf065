"""The places of one text where a level may start, read in order into drafts."""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass

from extractor.level_nouns import Noun, Nouns
from extractor.level_numbers import neighbours
from extractor.level_scanner import Reading, Scanner
from extractor.level_tokens import Lexicon, Site, plain


@dataclass(frozen=True, slots=True)
class Draft:
    """A mention on its way: a reading or a site without a number, and its noun."""

    start: int
    end: int
    reading: Reading | None
    site: Site | None = None
    noun: Noun | None = None
    source: str = ""  # "after", "before" or "shared"


class Search:
    """The places of one text where a level may start, read in order."""

    def __init__(self, lexicon: Lexicon, scanner: Scanner, text: str) -> None:
        self._x, self._scanner, self._text = lexicon, scanner, text
        self._nouns: Nouns | None = None
        self._regions: tuple[list[int], list[str]] | None = None
        self._present: dict[tuple[str, ...], bool] = {}
        self._skip = 0
        self.refused: list[tuple[int, int, str]] = []  # where a level might have begun, and what it looked like

    def drafts(self) -> list[Draft]:
        found: list[Draft] = []
        position = 0
        anchor, subject = self._x.anchor.over(self._text)
        while match := anchor.search(subject, position):
            draft = self._draft(match, found)
            if draft is None:
                self.refused.append((match.start(), match.end(), match.lastgroup or ""))
                # a list of numbers that is no level is left as a whole
                position = max(match.end() if match.lastgroup != "vertebra" else match.start() + 1, self._skip)
                continue
            found.append(draft)
            position = draft.end
        return found

    def _draft(self, match: re.Match[str], found: list[Draft]) -> Draft | None:
        start = match.start()
        if match.lastgroup == "site":
            return self._site(match)
        if match.lastgroup == "bare":
            reading = self._bare(start, found)
        else:
            reading = self._scanner.reading(self._text, start)
        return Draft(reading.start, reading.end, reading) if reading else None

    def _site(self, match: re.Match[str]) -> Draft | None:
        written = self._text[match.start() : match.end()]
        site = self._x.sites[plain(written)]
        if site.cased and written not in site.phrases:
            return None
        near = self._text[max(0, match.start() - 40) : match.end() + 40].lower()
        if any(word.lower() in near for word in site.unless_near):
            return None
        if site.needs and not self._has_any(site.needs):
            return None
        return Draft(match.start(), match.end(), None, site)

    def _has_any(self, words: tuple[str, ...]) -> bool:
        """Whether the text has one of the words; looked up once a text, not once a site."""
        if words not in self._present:
            lowered = self._text.lower()
            self._present[words] = any(word.lower() in lowered for word in words)
        return self._present[words]

    # -- numbers without a letter ------------------------------------------------------------------------------

    def _bare(self, start: int, found: list[Draft]) -> Reading | None:
        hint = self._region(start, found)
        reading = self._scanner.reading(self._text, start, hint or "L1")
        if reading is None or len(reading.names) < 2:
            return None
        if not hint and "S1" not in reading.names:
            return None  # of no known region; only "5-1" speaks for itself
        pairs = all(run.how in ("join", "blank") and len(run.names) == 2 for run in reading.runs)
        rising = all(neighbours(a, b) for a, b in zip(reading.names, reading.names[1:], strict=False))
        if not pairs and not rising:
            return None
        if self._goes_on(start, found, reading) or self._noun_allows(reading, pairs):
            return reading
        if all(run.bare for run in reading.runs):
            self._skip = reading.end
        return None

    def _region(self, start: int, found: list[Draft]) -> str:
        """A vertebra of the region that the text speaks of here: the last level, or else the last region word."""
        if self._regions is None:
            self._regions = self._region_words()
        if found and found[-1].reading and start - found[-1].end < 300:
            return found[-1].reading.names[0]
        places, letters = self._regions
        if not letters:
            return ""
        return f"{letters[max(0, bisect_left(places, start) - 1)]}1"

    def _region_words(self) -> tuple[list[int], list[str]]:
        regions = {plain(phrase): letter for phrase, letter in self._x.words.context_regions.items()}
        words, subject = self._x.context_region.over(self._text)
        matches = [(m.start(), regions[plain(m.group())]) for m in words.finditer(subject)]
        return [place for place, _ in matches], [letter for _, letter in matches]

    def _goes_on(self, start: int, found: list[Draft], reading: Reading) -> bool:
        """ "right L3-4, left 4-5": only a side stands between this pair and the level before."""
        if not found or found[-1].reading is None or start - found[-1].end > 24:
            return False
        gap = self._x.between.match(self._text, found[-1].end, start)
        sided = (
            gap is not None and gap.end() == start and any(c.isalpha() for c in gap.group()) and "\n" not in gap.group()
        )
        return (
            sided and found[-1].reading.runs[-1].how in ("join", "blank") and reading.runs[0].how in ("join", "blank")
        )

    def _noun_allows(self, reading: Reading, pairs: bool) -> bool:
        if self._nouns is None:
            self._nouns = Nouns(self._x, self._text)
        text, concepts = self._text, self._x.words.guards.bare_concepts
        slashed = "/" in text[reading.start : reading.end]
        noun = self._nouns.before(reading.start, reading.start - 30)
        if noun and noun.concept in concepts and not self._measures(noun):
            return not (slashed and len(reading.runs) == 1 and noun.concept not in ("facet_joint", "level"))
        noun = self._nouns.after(reading.end, reading.end + 16)
        if noun is None or noun.concept not in ("facet_joint", "level") or not pairs:
            return False
        plural = text[noun.start : noun.end].lower().endswith("s")
        led = self._x.led_by.search(text[max(0, reading.start - 12) : reading.start])
        if noun.concept == "level":
            return led is not None and not plural
        return not plural or led is not None or len(reading.runs) > 1

    def _measures(self, noun: Noun) -> bool:
        before = self._text[max(0, noun.start - 16) : noun.start].lower().split()
        return bool(before) and before[-1].strip(":,-") in self._x.words.guards.level_of
