"""The words around the drugs of a note: tokens, cues, clause borders and the walk from a drug to its cues.

A dictation may be one sentence of two hundred words, so a cue belongs to a drug by nearness, not by sentence.
`View.walk` goes from a drug to the left or right and yields every cue with a cost: one for each word, more for a comma,
a bracket, a new clause, another drug, and a wall at the end of a sentence or where a new needle comes in.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Generic, Literal, TypeVar

from extractor.agent_doses import NUMBER_WORDS, UNIT_WORDS
from extractor.patterns import PhraseRow, findable

Value = TypeVar("Value")
Way = Literal["left", "right"]

_TOKEN = re.compile(r"[A-Za-z]+|\d+(?:[.,]\d+)*|\.\d+|[^\sA-Za-z0-9'\"-]")
_LABEL = re.compile(r"[A-Za-z][A-Za-z /()]{0,40}:")
_SOFT = {",": 2, ";": 6, "(": 3, ")": 3, ":": 0, "/": 1, "%": 0, ".": 10, "|": 7}
REACH = 20


class RoleRow(PhraseRow):
    """One cue of agent_roles.csv. A phrase may have several roles, hence the key."""

    phrase: Annotated[str, findable(_TOKEN)]
    role: Literal[
        "injectate",  # at the target
        "skin_anesthetic",
        "flush",
        "systemic",
        "each",  # an amount for each nerve, joint or site; speaks for the target
        "total",
        "stock",  # a mixture of which only a part is injected
        "not_used",
        "correction",
        "alternative",
        "procedure_name",  # "steroid injection" names no drug
        "joiner",  # between the parts of a mixture
        "filler",  # may stand between a drug and its amounts or cues
        "clause",
        "needle",  # a wall for cues
        "abbreviation",
        "tick",
        "neutral",  # swallows words that would be a cue ("skin prep", "IV access")
    ]
    direction: Literal["before", "after", "both", "label"]
    weight: Literal["strong", "weak"]

    @property
    def key(self) -> str:
        """As "skin (skin_anesthetic, both)"."""
        return f"{self.phrase} ({self.role}, {self.direction})"


@dataclass(frozen=True, slots=True)
class AgentHit:
    """A drug name in the text: offsets, generic name and class."""

    start: int
    end: int
    name: str
    drug_class: str


@dataclass(frozen=True, slots=True)
class SentenceView:
    """A sentence as the caller sees it: offsets, kind of section and assertion."""

    start: int
    end: int
    section: str
    assertion: str


def words_of(text: str) -> tuple[str, ...]:
    """The words, numbers and signs of a text in small letters, as cues are looked up.

    >>> words_of("0.5 mL: each")
    ('0.5', 'ml', ':', 'each')
    """
    return tuple(match.group().lower() for match in _TOKEN.finditer(text))


class Phrases(Generic[Value]):
    """Phrases of one or more words, found longest first by dictionary look-ups, in linear time.

    >>> phrases = Phrases({"skin": 1, "skin wheal": 2})
    >>> phrases.at(["a", "skin", "wheal"], 1)
    (3, 2)
    """

    def __init__(self, values: dict[str, Value]) -> None:
        self._by_first: dict[str, list[tuple[tuple[str, ...], Value]]] = {}
        for phrase, value in values.items():
            words = words_of(phrase)
            self._by_first.setdefault(words[0], []).append((words, value))
        for entries in self._by_first.values():
            entries.sort(key=lambda entry: -len(entry[0]))

    def all(self, words: Sequence[str]) -> Iterator[tuple[int, int, Value]]:
        """All phrases from left to right without overlaps, as (index, end index, value)."""
        ahead = 0
        for index in [index for index, word in enumerate(words) if word in self._by_first]:
            if index >= ahead and (found := self.at(words, index)) is not None:
                ahead = found[0]
                yield index, *found

    def at(self, words: Sequence[str], index: int) -> tuple[int, Value] | None:
        """The longest phrase that begins at `index`, as (end index, value)."""
        for phrase, value in self._by_first.get(words[index], ()):
            if len(phrase) == 1 or tuple(words[index : index + len(phrase)]) == phrase:
                return index + len(phrase), value
        return None


@dataclass(frozen=True, slots=True)
class Cue:
    """A cue phrase of the note, in token indexes."""

    start: int
    end: int
    rows: tuple[RoleRow, ...]

    def has(self, *roles: str) -> bool:
        """True when the phrase has one of the roles."""
        for row in self.rows:  # noqa: SIM110  # no `any`: this is asked for every word about every drug
            if row.role in roles:
                return True
        return False


@dataclass(frozen=True, slots=True)
class Near:
    """A row that governs a drug, its cost from there, and the cue it came from."""

    row: RoleRow
    cost: int
    cue: Cue


class View:
    """One note, tokenised once, with its drugs and its cues."""

    def __init__(
        self, text: str, sentences: Sequence[SentenceView], hits: Sequence[AgentHit], cues: Phrases[tuple[RoleRow, ...]]
    ) -> None:
        self.text = text
        self.sentences = sentences
        self._sentence_starts = [sentence.start for sentence in sentences]
        tokens = [token.span() for token in _TOKEN.finditer(text)]
        self.starts = [start for start, _ in tokens]
        self.ends = [end for _, end in tokens]
        self.words = [text[start:end].lower() for start, end in tokens]
        placed = [Cue(*found) for found in cues.all(self.words)]
        self.hits = self._visible(hits, placed)
        self.hit_of = [-1] * len(self.words)
        self.spans: list[tuple[int, int]] = []
        for number, hit in enumerate(self.hits):
            first, last = bisect_right(self.starts, hit.start) - 1, bisect_right(self.starts, hit.end - 1)
            self.spans.append((first, last))
            for index in range(first, last):
                self.hit_of[index] = number
        self._borders: dict[int, int] = {}  # those that were asked for
        self.cue_of: list[Cue | None] = [None] * len(self.words)
        for cue in placed:
            if all(self.hit_of[index] < 0 for index in range(cue.start, cue.end)):
                for index in range(cue.start, cue.end):
                    self.cue_of[index] = cue
        self.cues = [cue for cue in placed if self.cue_of[cue.start] is cue]

    def _visible(self, hits: Sequence[AgentHit], placed: Sequence[Cue]) -> list[AgentHit]:
        """The drugs without those generic words that are part of a longer cue ("for local anesthetic")."""
        covered: list[tuple[int, int]] = [
            (self.starts[cue.start], self.ends[cue.end - 1]) for cue in placed if cue.end - cue.start > 1
        ]
        starts = [start for start, _ in covered]
        kept: list[AgentHit] = []
        for hit in hits:
            number = bisect_right(starts, hit.start) - 1
            inside = number >= 0 and covered[number][1] >= hit.end
            if not (inside and hit.drug_class == "generic"):
                kept.append(hit)
        return kept

    def sentence(self, offset: int) -> SentenceView | None:
        """The caller's sentence around an offset."""
        number = bisect_right(self._sentence_starts, offset) - 1
        if number < 0 or self.sentences[number].end <= offset:
            return None
        return self.sentences[number]

    def border(self, index: int) -> int:
        """The cost of crossing to a token from the one before it; REACH + 1 is a wall."""
        known = self._borders.get(index)
        if known is None:
            known = self._borders[index] = self._crossing(index)
        return known

    def _crossing(self, index: int) -> int:
        if index == 0:
            return REACH + 1
        start, end = self.starts[index], self.ends[index - 1]
        gap = self.text[end:start]
        apart = bisect_right(self._sentence_starts, start) != bisect_right(
            self._sentence_starts, self.starts[index - 1]
        )
        if apart or gap.count("\n") > 1 or self._full_stop(index, gap):
            return REACH + 1
        if "\n" not in gap:
            return 0
        bullet = "-" in gap or self.words[index] in ("[", "*") or _LABEL.match(self.text, start)
        return REACH + 1 if bullet else 6 if self.text[start].isupper() else 0

    def _full_stop(self, index: int, gap: str) -> bool:
        if index == 0 or self.words[index - 1] not in (".", "!", "?") or not gap:
            return False
        if self.text[self.starts[index]].islower():
            return False
        before = self.cue_of[index - 2] if index > 1 else None
        return before is None or not before.has("abbreviation") or self.words[index - 1] != "."

    def is_amount(self, index: int) -> bool:
        """True for figures, number words and units."""
        word = self.words[index]
        return word[-1].isdigit() or word in NUMBER_WORDS or word in UNIT_WORDS

    def walk(self, hit: int, way: Way, passes: frozenset[int] = frozenset()) -> Iterator[Near]:
        """Cues on one side of a drug, nearest first. Drugs in `passes` (partners in a mixture) are crossed cheaply."""
        cost = 0
        index = self.spans[hit][0] - 1 if way == "left" else self.spans[hit][1]
        while 0 <= index < len(self.words):
            cost += self.border(index + 1 if way == "left" else index)
            if cost > REACH:
                return
            other, cue = self.hit_of[index], self.cue_of[index]
            first, last = index, index + 1
            if other >= 0:
                cost += 2 if other in passes else 8
                first, last = self.spans[other]
            elif cue is not None:
                for row in cue.rows:
                    if self._governs(row, cue, hit, way):
                        yield Near(row, cost, cue)
                cost += self._cue_cost(cue)
                first, last = cue.start, cue.end
            else:
                cost += 0 if self.is_amount(index) else _SOFT.get(self.words[index], 1)
            cost += max(map(self.border, range(first + 1, last)), default=0)
            index = first - 1 if way == "left" else last

    def _governs(self, row: RoleRow, cue: Cue, hit: int, way: Way) -> bool:
        if row.direction == "label":
            return way == "right" and cue.start == self.spans[hit][1] + 1 and self.words[cue.start - 1] == ":"
        return row.direction == "both" or row.direction == ("before" if way == "left" else "after")

    def _cue_cost(self, cue: Cue) -> int:
        if cue.has("needle"):
            return REACH
        if cue.has("clause"):
            return 4
        if cue.has("filler", "joiner", "correction"):
            return 0
        return cue.end - cue.start

    def gap(self, left: int, right: int, *roles: str) -> bool:
        """True when only amounts, commas, brackets and cues of the given roles stand between two drugs."""
        index, stop = self.spans[left][1], self.spans[right][0]
        if stop - index > 16:
            return False
        while index < stop:
            if self.border(index) > 6:
                return False
            cue = self.cue_of[index]
            if cue is not None and cue.has(*roles):
                index = cue.end
            elif self.is_amount(index) or self.words[index] in (",", "(", ")", ":", "+", "/", "#"):
                index += 1
            else:
                return False
        return self.border(stop) <= 6

    def gap_has(self, left: int, right: int, role: str) -> bool:
        """True when a cue of this role stands between two drugs."""
        return any(cue is not None and cue.has(role) for cue in self.cue_of[self.spans[left][1] : self.spans[right][0]])
