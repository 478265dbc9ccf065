"""The things in a sentence that tell of amounts, in order: drugs, quantities, and the cues of patterns/doses.csv.

"Each joint was injected with 1 mL of a mixture of 4 mL bupivacaine and 80 mg Kenalog" is a row of items; what "each"
speaks of is a matter of which items stand on its two sides, and of the few words between them.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Annotated, Literal

from pydantic import Field

from extractor.agent_amounts import beside
from extractor.agent_doses import Quantity, quantities
from extractor.agent_view import Phrases, View
from extractor.mentions import Reading
from extractor.patterns import PhraseRow

Role = Literal[
    "each",
    "joint",  # this and the next: what "each" is said of
    "nerve",
    "side",
    "level",
    "site",
    "foramen",
    "muscle",
    "total",
    "divided",
    "mixture",
    "prepared",
    "vial",
    "multi_dose",
    "waste",
    "no_waste",
    "whole",
    "rest",
    "not_drug",
    "limit",  # "up to 5 mg": no exact amount
    "limit_beside",  # "at most 5 mg", "5 mg at most", "5 mg or less"
]
NOUNS = frozenset({"joint", "nerve", "side", "level", "site", "foramen", "muscle"})
_NUMBERS = {word: n for n, word in enumerate("two three four five six seven eight nine ten".split(), 2)}
_FIGURES = frozenset("23456789")
_BETWEEN = 3  # words between "each" and its noun
_NO_NOUN = frozenset("at in into on to was were with and of for by had has is received containing mg ml cc".split())
_CLAUSE = re.compile(r"[;,]|\.\s|\n|\b(?:and|with|then|but|of which)\b", re.IGNORECASE)
_STOP = re.compile(
    r"[;|]|\.\s|\n|\b(?:was|were|then|after|followed|into|at|through|over|each|per|injected|placed|given|for a)\b",
    re.IGNORECASE,
)
_LONGEST_GAP = 48
MOST_TOGETHER = 24  # items of one mixture
_COUNT_REACH = 12
_COUNT = re.compile(r"(?<![.,/\d])\b(\d|[a-z]{3,5})\s(?:x\s)?$", re.IGNORECASE)
_COUNTED = {"one": 1, **_NUMBERS}
_SHARE_REACH = 40
_SHARE = re.compile(  # "half of a", "a quarter of the", "1/2", "50% of one"
    r"(?P<more>\b(?:and|\d{1,3}|[\d.]{1,4}x)\s+)?\b(?:(?:an?|one)[\s-]+)?"
    r"(?P<part>half|quarter|(?<![\d/.])[1-9]/[1-9]|(?<![\d/.])[1-9]\d?\s?%(?=\s+of\b))"
    r"(?:\s+of)?(?:\s+(?:an?|the|one|this|that|our|1))?\s+$",
    re.IGNORECASE,
)
_SOME_SHARE = re.compile(
    r"\b(?:half|halves|quarters?|thirds?|fourths?|fifths?|part|portion|fraction|some|most)\b"
    r"|(?<![\w./-])\d/\d(?![\w/.])(?!\s?-?(?:inch|in\b))|\b\d{1,2}\s?%\s+of\b",
    re.IGNORECASE,
)
_WITH_EACH = frozenset({"half", "portion", "part"})  # "a 40 mg vial, half in each joint"
_BROKEN_COUNT = re.compile(r"(?<![\w.])\d{0,2}[.,]\d{1,2}\s+(?:x\s)?$")
_LIMITS = frozenset({"limit", "limit_beside"})
_LIMIT_GAP = re.compile(r"[\s:(]*(?:(?:of|to|about|approximately|only|an?|the|total)\s+)*", re.IGNORECASE)
_LIMIT_BEFORE = re.compile(r"[<>\u2264\u2265]\s?=?\s?$")
_LIMIT_BEHIND = re.compile(r"\s?[,(]?\s?$")
_OF = re.compile(r"\s*(?:of\s+)?(?:(?:the|a)\s+)?", re.IGNORECASE)


class DoseRow(PhraseRow):
    """One row of doses.csv: a phrase and what it tells of the amounts beside it."""

    phrase: Annotated[str, Field(pattern="[A-Za-z0-9/]")]
    role: Role


@dataclass(frozen=True, slots=True)
class Item:
    """A drug (`index` in view.hits), a quantity (`index` in the quantities), or a cue with its role.

    A cue "each" has the noun that it is said of, and the number where it is told ("each of the four joints").
    """

    kind: str  # "drug", "amount" or the role of a cue
    start: int
    end: int
    index: int = -1
    noun: str = ""
    count: int = 0


class Items:
    """All items of a note, and who stands beside whom."""

    def __init__(self, reading: Reading, view: View, cues: Phrases[DoseRow], unnamed: Set[str]) -> None:
        self.text = reading.text
        self.quantities: tuple[Quantity, ...] = quantities(reading.text)
        self._amount_starts = [amount.start for amount in self.quantities]
        self._starts = [sentence.start for sentence in reading.sentences]
        drugs = [(index, hit) for index, hit in enumerate(view.hits) if hit.name not in unnamed]
        taken = sorted(
            [(hit.start, hit.end) for _, hit in drugs] + [(amount.start, amount.end) for amount in self.quantities]
        )
        found = [Item("drug", hit.start, hit.end, index) for index, hit in drugs]
        found += [Item("amount", amount.start, amount.end, index) for index, amount in enumerate(self.quantities)]
        told = list(_cues(view, cues, taken))
        found += [item for item in told if item.kind not in _LIMITS]
        self.limits = [item for item in told if item.kind in _LIMITS]
        self.limited = frozenset(_limited(reading.text, self.quantities, self.limits))  # amounts that are no exact ones
        self.all = sorted(found, key=lambda item: (item.start, item.end))
        self._item_starts = [item.start for item in self.all]
        by_start = {amount.start: index for index, amount in enumerate(self.quantities)}
        self.owned: dict[int, int] = {}  # quantity -> the drug that it belongs to
        for hit, _ in drugs:
            for amount in beside(view, hit):
                if amount.start in by_start:
                    self.owned.setdefault(by_start[amount.start], hit)
        self._of_drug: dict[int, list[int]] = {}
        for index, hit in self.owned.items():
            self._of_drug.setdefault(hit, []).append(index)

    def of_drug(self, hit: int) -> list[int]:
        """The quantities that belong to a drug."""
        return self._of_drug.get(hit, [])

    def sentence_of(self, offset: int) -> int:
        return max(0, bisect_right(self._starts, offset) - 1)

    def sentence_start(self, offset: int) -> int:
        return self._starts[self.sentence_of(offset)] if self._starts else 0

    def within(self, start: int, end: int) -> list[Item]:
        """The items between two offsets."""
        return self.all[bisect_left(self._item_starts, start) : bisect_left(self._item_starts, end)]

    def number_of(self, index: int) -> int:
        """How many vials: "two 40 mg vials"."""
        start = self.quantities[index].start
        match = _COUNT.search(self.text[max(0, start - _COUNT_REACH) : start])
        return int(match[1]) if match and match[1].isdigit() else _COUNTED.get(match[1].lower(), 1) if match else 1

    def share_of(self, index: int) -> Decimal | None:
        """The part of an amount that the words directly before it tell of ("half of a 40 mg vial"); 1 where they tell
        of none, and None where it cannot be read ("one and a half 40 mg vials", "a third of a")."""
        start = self.quantities[index].start
        before = self.text[max(self.sentence_start(start), start - _SHARE_REACH) : start]
        if _BROKEN_COUNT.search(before):
            return None
        match = _SHARE.search(before)
        return Decimal(1) if match is None else None if match["more"] else _share(match["part"].lower())

    def shared(self, row: Sequence[Item]) -> bool:
        """True where a sentence tells of a part of the vial somewhere, and not of one for each place."""
        if not row:
            return False
        start = self.sentence_start(row[0].start)
        place = self.sentence_of(start) + 1
        end = self._starts[place] if place < len(self._starts) else len(self.text)
        each = any(item.kind == "each" or (item.kind == "divided" and "each" in self._words(item)) for item in row)
        for match in _SOME_SHARE.finditer(self.text, start, end):
            own = bisect_right(self._amount_starts, match.start()) - 1
            if own >= 0 and match.start() < self.quantities[own].end and not match[0].endswith("of"):
                continue  # "half a cc"
            if not (each and match[0].lower() in _WITH_EACH):
                return True
        return False

    def _words(self, item: Item) -> str:
        return self.text[item.start : item.end].lower()

    def gap(self, left: Item, right: Item) -> str:
        return self.text[left.end : right.start]

    def roles_beside(self, row: Sequence[Item], place: int, step: int) -> dict[str, str]:
        """The cues of the same clause on one side of an amount, each with the words between.

        Drugs are passed, other amounts end the clause but for the volume of a vial ("40 mg/2 mL vial").
        """
        roles: dict[str, str] = {}
        own = row[place]
        at = place + step
        while 0 <= at < len(row):
            between = self.text[own.end : row[at].start] if step > 0 else self.text[row[at].end : own.start]
            if _CLAUSE.search(between) or len(between) > _LONGEST_GAP:
                break
            if row[at].kind == "amount" and between.strip() not in ("/", "per", "("):
                break
            if row[at].kind not in ("amount", "drug"):
                roles.setdefault(row[at].kind, between)
            at += step
        return roles

    def group(self, row: Sequence[Item], place: int, step: int) -> list[Item]:
        """The amounts and drugs that are given together, from the one at a place on to one side.

        A volume after a comma with no drug of its own begins anew: "Kenalog 40 mg, 1 mL at each site".
        """
        first = max(0, place + 1 - MOST_TOGETHER)
        window = row[place : place + MOST_TOGETHER] if step > 0 else row[first : place + 1][::-1]
        near = [item for item in window if item.kind in ("amount", "drug")]
        found = near[:1]
        for item in near[1:]:
            left, right = (found[-1], item) if step > 0 else (item, found[-1])
            between = self.gap(left, right)
            if len(between) > _LONGEST_GAP or _STOP.search(between):
                break
            if "," in between and self._bare(row, right):
                break
            if self._is_dose(left) and self._is_dose(right):
                break  # "40 mg in total, 20 mg at each joint"
            found.append(item)
        return found

    def _is_dose(self, item: Item) -> bool:
        return item.kind == "amount" and self.quantities[item.index].kind == "dose"

    def _bare(self, row: Sequence[Item], item: Item) -> bool:
        """True for a volume that no drug follows directly."""
        if item.kind != "amount" or self.quantities[item.index].kind != "volume":
            return False
        at = bisect_left(row, item.end, key=lambda other: other.start)
        after = [other for other in row[at : at + MOST_TOGETHER] if other.kind in ("amount", "drug")]
        while after and after[0].kind == "amount" and self.quantities[after[0].index].kind == "concentration":
            if not _OF.fullmatch(self.gap(item, after[0])):
                return True
            item = after.pop(0)
        return not (after and after[0].kind == "drug" and _OF.fullmatch(self.gap(item, after[0])))


def _share(part: str) -> Decimal | None:
    """
    >>> [_share(part) for part in ("half", "1/4", "75%", "1/3", "4/2")]
    [Decimal('0.5'), Decimal('0.25'), Decimal('0.75'), None, None]
    """
    if part in ("half", "quarter"):
        return Decimal("0.5") if part == "half" else Decimal("0.25")
    if part.endswith("%"):
        return Decimal(part.rstrip("% ")) / 100
    above, under = map(int, part.split("/"))
    value = Decimal(above) / Decimal(under)
    return value if above < under and value * 1000 % 1 == 0 else None


def figure(quantity: Quantity) -> Decimal | None:
    """The figure of a normalised quantity; None for a range.

    >>> [figure(quantity) for quantity in quantities("0.5 mL of 20-40 mg")]
    [Decimal('0.5'), None]
    """
    try:
        return Decimal(quantity.value.rstrip("%").split()[0])
    except (InvalidOperation, IndexError):
        return None


def milligrams(quantity: Quantity) -> Decimal | None:
    """The mg of a dose, or the mg/mL of a concentration; None for a range and for other units.

    >>> [milligrams(quantity) for quantity in quantities("500 mcg, 40 mg/mL, 10 units")]
    [Decimal('0.5'), Decimal('40'), None]
    """
    number = figure(quantity)
    if number is None or "units" in quantity.value:
        return None
    return number / 1000 if "mcg" in quantity.value else number


def _cues(view: View, cues: Phrases[DoseRow], taken: Sequence[tuple[int, int]]) -> Iterable[Item]:
    starts = [start for start, _ in taken]
    placed = []
    for first, last, row in cues.all(view.words):
        start, end = view.starts[first], view.ends[last - 1]
        place = bisect_left(starts, end) - 1
        if place < 0 or taken[place][1] <= start:
            placed.append((first, last, row.role))
    nouns = {first: (last, role) for first, last, role in placed if role in NOUNS}
    for first, last, role in placed:
        if role == "each":
            yield from _each(view, first, last, nouns)
        elif role not in NOUNS:
            yield Item(role, view.starts[first], view.ends[last - 1])


def _limited(text: str, amounts: Sequence[Quantity], limits: Sequence[Item]) -> Iterable[int]:
    """The amounts with a limit directly before or behind them: "no more than 5 mg", "< 5 mg", "5 mg or less"."""
    starts, ends = [amount.start for amount in amounts], [amount.end for amount in amounts]
    for limit in limits:
        after = bisect_left(starts, limit.end)
        if after < len(amounts) and starts[after] - limit.end <= _LONGEST_GAP:
            if _LIMIT_GAP.fullmatch(text, limit.end, starts[after]):
                yield after
                continue
        if limit.kind == "limit":
            continue  # "40 mg over two minutes"
        before = bisect_right(ends, limit.start) - 1
        if before >= 0 and _LIMIT_BEHIND.fullmatch(text, ends[before], limit.start):
            yield before
    for index, start in enumerate(starts):
        if _LIMIT_BEFORE.search(text[max(0, start - 4) : start]):
            yield index


def _each(view: View, first: int, last: int, nouns: Mapping[int, tuple[int, str]]) -> Iterable[Item]:
    """ "each joint", "per site", "each of the four lumbar facet joints"; "each" alone is said of the place."""
    word = view.words[first]
    tight = word in ("/", "per")
    count = 0
    for at in range(last, min(len(view.words), last + 1 + (0 if word == "/" else 1 if tight else _BETWEEN))):
        if at in nouns:
            end, noun = nouns[at]
            yield Item("each", view.starts[first], view.ends[end - 1], -1, noun, count)
            return
        token = view.words[at]
        count = int(token) if token in _FIGURES else _NUMBERS.get(token, count)
        if token in _NO_NOUN or view.hit_of[at] >= 0 or not (token.isalnum()):
            break
    following = view.words[last] if last < len(view.words) else ""
    if following == "of" and _one_drug(view, view.starts[last]):
        following = ""  # "0.5 mL each of Kenalog 40 mg/mL"
    if not tight and following != "of" and not (last < len(view.words) and view.hit_of[last] >= 0):
        yield Item("each", view.starts[first], view.ends[last - 1], -1, "site")


def _one_drug(view: View, start: int) -> bool:
    """True where one drug follows and no other with it: "each of bupivacaine and Kenalog" is said of the drugs."""
    hits = view.hits
    first = bisect_left(hits, start, key=lambda hit: hit.start)
    if first == len(hits) or hits[first].start - start > _LONGEST_GAP:
        return False
    if first + 1 == len(hits) or hits[first + 1].start - hits[first].end > 2 * _LONGEST_GAP:
        return True
    return _STOP.search(view.text, hits[first].end, hits[first + 1].start) is not None
