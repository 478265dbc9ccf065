"""The grammar of vertebral levels: text -> joints, nerves and bone sites as people write, dictate and type them.

    >>> grammar = LevelGrammar(PatternFolder())
    >>> [mention] = grammar.find("Bilateral L3-4, 4-5 and 5-1 facet joint injections")
    >>> as_joints(mention), mention.noun
    (('L3-L4', 'L4-L5', 'L5-S1'), 'facet_joint')

A new spelling goes to patterns/levels.toml, a new noun to patterns/level_nouns.csv. The way of a text: one anchor
expression finds places where a level may start, `level_scanner` reads from there, `level_nouns` looks for the noun,
`level_context` throws out what only looks like a level.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

from extractor.anatomy import joint, nerve_at_bone, order, run
from extractor.level_context import Context
from extractor.level_items import items_of, site_mention
from extractor.level_nouns import Noun, Nouns
from extractor.level_numbers import neighbours
from extractor.level_scanner import Reading, Scanner
from extractor.level_search import Draft, Search
from extractor.level_tokens import Lexicon, plain
from extractor.patterns import PatternFolder
from extractor.records import LevelItem, LevelMention  # noqa: F401  LevelItem is for the doctests

_BONES = frozenset({"transverse_process", "superior_articular_process"})
_LOOKS = {
    "bare": "a number without a letter, and no level before it or noun beside it makes it one",
    "ordinal": "an ordinal that no region follows",
    "site": "its row in levels.toml wants other words in the note, or other letters, or forbids those beside it",
    "vertebra": "a letter and a number that are no vertebra",
}


class Refused(NamedTuple):
    """A stretch that is not read as a level."""

    start: int
    end: int
    reason: str


class LevelGrammar:
    """Finds levels in clean text. Tables are read and compiled once; `find` keeps no state."""

    def __init__(self, patterns: PatternFolder) -> None:
        self._lexicon = Lexicon(patterns)
        self._scanner = Scanner(self._lexicon)
        self._context = Context(self._lexicon)
        self._guards = self._lexicon.words.guards

    def nouns(self, text: str) -> list[str]:
        """The nouns of level_nouns.csv in a text, without case, blanks and hyphens.

        >>> LevelGrammar(PatternFolder()).nouns("The L4-5 facet joints.")
        ['facetjoints']
        """
        nouns, subject = self._lexicon.nouns.over(text)
        return [plain(match.group()) for match in nouns.finditer(subject)]

    def find(self, text: str) -> tuple[LevelMention, ...]:
        """All mentions in order, not overlapping. Linear in the length of the text.

        >>> grammar = LevelGrammar(PatternFolder())
        >>> [(m.noun, as_vertebrae(m)) for m in grammar.find("L3 medial branch at the L4 transverse process")]
        [('medial_branch', ('L3',)), ('transverse_process', ('L4',))]
        >>> grammar.find("T1, T2 and STIR images; S1 and S2 heart sounds; 4-5 mL in 3-4 weeks")
        ()
        """
        drafts = Search(self._lexicon, self._scanner, text).drafts()
        if not drafts:
            return ()
        nouns = Nouns(self._lexicon, text)
        drafts = self._with_nouns(text, drafts, nouns)
        kept = [draft for draft in drafts if draft.reading is None or self._is_level(text, draft)]
        return tuple(self._mention(text, draft) for draft in kept)

    def refused(self, text: str) -> tuple[Refused, ...]:
        """What looks like a level and is not read as one, in order, each with the reason.

        >>> [(r.start, r.end, r.reason) for r in LevelGrammar(PatternFolder()).refused("needles 4-5 mm apart")]
        [(8, 9, 'a number without a letter, and no level before it or noun beside it makes it one')]
        """
        search = Search(self._lexicon, self._scanner, text)
        drafts = self._with_nouns(text, search.drafts(), Nouns(self._lexicon, text))
        found = [Refused(start, end, _LOOKS[kind]) for start, end, kind in search.refused]
        for draft in drafts:
            if draft.reading is not None and (objection := self._objection(text, draft)):
                found.append(Refused(draft.start, draft.end, objection))
        return tuple(sorted(found))

    def _is_level(self, text: str, draft: Draft) -> bool:
        return not self._objection(text, draft)

    def _objection(self, text: str, draft: Draft) -> str:
        assert draft.reading is not None
        return self._context.objection(text, draft.reading, draft.noun.concept if draft.noun else "")

    # -- nouns -------------------------------------------------------------------------------------------------

    def _with_nouns(self, text: str, drafts: list[Draft], nouns: Nouns) -> list[Draft]:
        found = _merge_ala(text, drafts)
        for index, draft in enumerate(found):
            limit = found[index + 1].start if index + 1 < len(found) else len(text)
            noun = nouns.after(draft.end, limit) if draft.reading is not None else None
            if noun is None or _bracketed_with_next(text, draft.end, noun, limit):
                continue
            if noun.concept in self._guards.last_only and index + 1 < len(found):
                following = found[index + 1]
                if text[noun.end : limit].isspace() and self._leads(draft, following, nouns):
                    continue
            found[index] = replace(draft, noun=noun, source="after")
        for index, draft in enumerate(found):
            if draft.reading is None or (draft.noun and not self._replaceable(draft, nouns)):
                continue
            floor = max((d.noun.end if d.noun else d.end for d in found[max(0, index - 1) : index]), default=0)
            floor = max(floor, found[index - 1].end if index else 0)
            if index + 1 < len(found) and _lies_on(text, draft, found[index + 1]):
                continue
            if noun := nouns.before(draft.start, floor):
                if noun.concept in _BONES and _FOR.search(text, noun.end, draft.start) and index + 1 < len(found):
                    continue  # "the base of the process on the right for the L2, the L3 and the L4 medial branches"
                if draft.noun is None or self._nearer(text, draft, noun, nouns):
                    found[index] = replace(draft, noun=noun, source="before")
        found = [part for draft in found for part in self._split(draft, nouns)]
        self._share(text, found)
        return found

    @staticmethod
    def _leads(draft: Draft, following: Draft, nouns: Nouns) -> bool:
        """Medial branches L3 L4 dorsal ramus L5: spoken without a pause, the noun belongs to the level after it."""
        if draft.reading is None or following.reading is None or following.reading.names != ("L5",):
            return False
        return "L5" not in draft.reading.names and nouns.after(following.end, following.end + 16) is None

    def _nearer(self, text: str, draft: Draft, before: Noun, nouns: Nouns) -> bool:
        """Whether a noun before the level is to be preferred to the one found after it."""
        assert draft.noun is not None
        weak = self._guards.weak_concepts | self._guards.plain_concepts
        if before.concept in weak or draft.noun.concept in weak:
            return before.concept not in weak
        gap = text[draft.end : draft.noun.start]
        return "," in gap or "(" in gap or nouns.touches(before, draft.start)

    def _split(self, draft: Draft, nouns: Nouns) -> list[Draft]:
        """Medial branches L3, L4 and the L5 dorsal ramus: the last level alone has the noun behind it."""
        reading, noun = draft.reading, draft.noun
        if not (reading and noun and draft.source == "after"):
            return [draft]
        if noun.concept in _BONES and len(reading.runs) > 1 and nouns.in_columns(*reading.runs[-2:]):
            return [*_parted(reading, None, noun)]  # a nerve, and in the next column its bone: "L2    L3 SAP/TP"
        if noun.concept not in self._guards.last_only:
            return [draft]
        lead = nouns.before(draft.start, 0)
        if (
            len(reading.runs) < 2
            or reading.runs[-1].how
            or lead is None
            or lead.concept not in self._guards.nerve_concepts
        ):
            return [draft]
        if lead.concept == noun.concept:
            return [draft]
        return [*_parted(reading, lead, noun)]

    def _replaceable(self, draft: Draft, nouns: Nouns) -> bool:
        assert draft.noun is not None
        weak = draft.noun.concept in self._guards.weak_concepts | self._guards.plain_concepts
        return weak or nouns.is_loose(draft.end, draft.noun)

    def _share(self, text: str, found: list[Draft]) -> None:
        """Right L4-5 and left L5-S1 facets: levels joined only by side words have one noun."""

        def linked(first: Draft, second: Draft) -> bool:
            start, end = (first.noun.end if first.noun and first.source == "after" else first.end), second.start
            gap = self._lexicon.between.match(text, start, end) if end - start <= 40 else None
            return gap is not None and gap.end() == end and "\n\n" not in gap.group()

        def bare(draft: Draft) -> bool:
            return draft.reading is not None and draft.noun is None

        for index in range(1, len(found)):
            first, second = found[index - 1], found[index]
            if bare(second) and first.noun and first.source in ("before", "shared") and linked(first, second):
                found[index] = replace(second, noun=first.noun, source="shared")
        for index in range(len(found) - 2, -1, -1):
            first, second = found[index], found[index + 1]
            same = first.reading and second.reading and first.reading.names == second.reading.names
            if (
                bare(first)
                and not same
                and not _nerve_on_bone(text, first, second)
                and not (second.noun and second.noun.concept in _BONES and "   " in text[first.end : second.start])
                and second.noun
                and second.source in ("after", "shared")
                and linked(first, second)
            ):
                found[index] = replace(first, noun=second.noun, source="shared")

    # -- records -----------------------------------------------------------------------------------------------

    def _mention(self, text: str, draft: Draft) -> LevelMention:
        if draft.site is not None:
            return site_mention(draft.start, draft.end, draft.site)
        assert draft.reading is not None
        noun, start = draft.noun, draft.start
        concept = noun.concept if noun else ""
        items = items_of(text, draft.reading, concept, self._lexicon)
        if concept == "neural_foramen" and all(item.top[0] == "S" for item in items):
            concept = "sacral_foramen"
        if noun is None:
            return LevelMention(start, draft.end, items)
        return LevelMention(start, draft.end, items, concept, noun.start, noun.end)


_ON_BONE = re.compile(r"\s*(?:at|on|over|@)\b", re.IGNORECASE)


def _nerve_on_bone(text: str, first: Draft, second: Draft) -> bool:
    """True for "L3 at the L4 TP": the first is the nerve that lies on the second, and has not its noun."""
    if first.reading is None or second.reading is None or second.noun is None or second.noun.concept not in _BONES:
        return False
    lies_there = nerve_at_bone(second.reading.names[0]) == first.reading.names[-1]
    return lies_there and _ON_BONE.match(text, first.end, second.start) is not None


def _bracketed_with_next(text: str, end: int, noun: Noun, following: int) -> bool:
    """True for "L1 (TP L2)": the noun in the bracket belongs to the level in the bracket."""
    gap = text[noun.end : following]
    return "(" in text[end : noun.start] and len(gap) <= 8 and ")" not in gap and following < len(text)


_FOR = re.compile(r"\bfor\s+(?:the\s+)?(?:(?:right|left)\s+)?$", re.IGNORECASE)
_ON = re.compile(r"\s*(?:at|on|over|near)\s+(?:the\s+)?", re.IGNORECASE)


def _lies_on(text: str, draft: Draft, following: Draft) -> bool:
    """True for "l five at sacral ala": the nerve, whatever bone was named before it."""
    if draft.reading is None or draft.reading.names != ("L5",) or following.site is None:
        return False
    return following.site.noun == "sacral_ala" and _ON.fullmatch(text, draft.end, following.start) is not None


def _parted(reading: Reading, lead: Noun | None, noun: Noun) -> tuple[Draft, Draft]:
    """The last level with the noun behind it, those before it with the noun that leads to them."""
    first, last = replace(reading, runs=reading.runs[:-1]), replace(reading, runs=reading.runs[-1:])
    return (
        Draft(first.start, first.end, first, noun=lead, source="before" if lead else ""),
        Draft(last.start, last.end, last, noun=noun, source="after"),
    )


def _merge_ala(text: str, drafts: list[Draft]) -> list[Draft]:
    """ "S1 ala" is one thing: the site's words are the noun of the level before."""
    found: list[Draft] = []
    for draft in drafts:
        previous = found[-1] if found else None
        if draft.site and previous and previous.reading and previous.reading.names == (draft.site.top,):
            if draft.site.top == draft.site.bottom and text[previous.end : draft.start].isspace():
                continue
        found.append(draft)
    return found


# -- readings of a mention ---------------------------------------------------------------------------------------


def _vertebrae(top: str, bottom: str) -> tuple[str, ...]:
    if top == bottom:
        return (top,)
    if bottom == "C8":
        return (*run(top, "C7"), "C8")
    return ("C8", *run("T1", bottom)) if top == "C8" else run(top, bottom)


def _unique(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def as_joints(mention: LevelMention) -> tuple[str, ...]:
    """The joints named by pairs, chains and ranges, in the order of writing; single vertebrae name none.

    >>> as_joints(LevelMention(0, 5, (LevelItem(0, 5, "L3", "S1", "range"), LevelItem(7, 9, "L2", "L2"))))
    ('L3-L4', 'L4-L5', 'L5-S1')
    """
    names = [_vertebrae(item.top, item.bottom) for item in mention.items if item.joined]
    return _unique(joint(a, b) for group in names for a, b in zip(group, group[1:], strict=False) if "C8" not in (a, b))


def as_vertebrae(mention: LevelMention) -> tuple[str, ...]:
    """All vertebrae (or nerves) from the top to the bottom of every item.

    >>> as_vertebrae(LevelMention(0, 5, (LevelItem(0, 5, "L3", "L5", "range"),)))
    ('L3', 'L4', 'L5')
    """
    return _unique(name for item in mention.items for name in _vertebrae(item.top, item.bottom))


def bare_list_joints(mention: LevelMention) -> tuple[str, ...]:
    """The joints between single vertebrae listed one after another ("L4, L5, S1"): a customary but doubtful reading.

    >>> bare_list_joints(LevelMention(0, 9, (LevelItem(0, 2, "L4", "L4"), LevelItem(4, 6, "L5", "L5"))))
    ('L4-L5',)
    """
    names = [item.top for item in mention.items if not item.joined]
    ordered = sorted(set(names), key=order)
    pairs = zip(ordered, ordered[1:], strict=False)
    return tuple(joint(a, b) for a, b in pairs if neighbours(a, b) and "C8" not in (a, b))
