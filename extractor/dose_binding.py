"""What the cues of a note say of its single amounts: each of which places, in total, a vial, thrown away, a portion.

A cue is bound to the amounts beside it by the few words between them; see `extractor.dose_items`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from decimal import Decimal

from extractor.dose_items import MOST_TOGETHER, Item, Items, figure

_SUBJECT = re.compile(
    r"\s*(?:\w+\s){0,2}?(?:was|were|received?|receives|gets?|got|took|takes|is|had|then)\b", re.IGNORECASE
)
_LEAD = re.compile(
    r"(?:^|[.;,:\n]|\band\b|\bthen\b)[\s-]*(?:(?:then|and|next|at|in|into|to|through|via|on|for|the|from|with)\s+)*$",
    re.IGNORECASE,
)
_LEAD_REACH = 60
_BEFORE_TOTAL = re.compile(
    r"\s*(?:(?:dose|steroid|amount|given|used|injected|administered)\s*)*(?:of|was|is|were|:|=|-)?\s*"
    r"(?:about|approximately|approx\.?)?\s*",
    re.IGNORECASE,
)
_BEFORE_VIAL, _BEHIND_AMOUNT = 14, 42  # characters
_PORTION = re.compile(r"\s*(?:of|from)\s+(?:(?:an?|the|this|that|our|said|such)\s+)?(?:[\w-]+\s+){0,3}", re.IGNORECASE)
# "40 mg single-dose vial", "40 mg/1 mL Kenalog vial"; not "20 mg from the vial", "20 mg (vial ...)"
_VIAL_NEXT = re.compile(
    r"(?!.*\b(?:of|from|in|within|inside|per|out|left|remain\w*|unused|was|were|is|are)\b)"
    r"[\s/-]*(?:[\d.]{1,5}\s?\w+[\s-]+)?(?:[\w-]+\s+){0,2}",
    re.IGNORECASE,
)
_WHOLE_BEFORE = re.compile(  # "the rest of the", "20 mg of a"
    r"\b(?:of|from)\s+(?:the|an?|this|that|our|his|her|said)\s+(?:[\w-]+\s+){0,2}$", re.IGNORECASE
)
_WHOLE_REACH = 48
_WAS = re.compile(r"\s*(?:[\w-]+\s+){1,3}(?:was|were)\s+(?:then\s+)?", re.IGNORECASE)
_GIVEN = frozenset({"amount", "drug"})


@dataclass(slots=True)
class Bound:
    """What is said of single amounts, by the index of the quantity."""

    each: dict[int, Item] = field(default_factory=dict)
    each_drug: dict[int, Item] = field(default_factory=dict)  # of a drug, by its hit
    total: set[int] = field(default_factory=set)
    divided: set[int] = field(default_factory=set)
    wasted: set[int] = field(default_factory=set)
    vial: set[int] = field(default_factory=set)
    portion: set[int] = field(default_factory=set)  # of a mixture
    in_mixture: set[int] = field(default_factory=set)  # amounts of a mixture of which each place got a portion
    portions: list[tuple[Decimal, Item]] = field(default_factory=list)  # mL, and the "each" that it is said of


def bind(items: Items, rows: Sequence[Sequence[Item]], billed: Set[int]) -> Bound:
    """Binds the cues of all rows (the items of one sentence each); `billed` are the hits of drugs that are billed."""
    return _Binder(items, rows, billed).bound


class _Binder:
    def __init__(self, items: Items, rows: Sequence[Sequence[Item]], billed: Set[int]) -> None:
        self.items, self.billed = items, billed
        self.text, self.quantities = items.text, items.quantities
        self.bound = Bound()
        for row in rows:
            self._classify(row)
        previous: Sequence[Item] = ()
        dosed: Sequence[Item] = ()  # the last row with doses
        for row in rows:
            self._bind(row, previous, dosed)
            previous = row
            dosed = row if self._doses(row) else dosed

    def _classify(self, row: Sequence[Item]) -> None:
        for place, item in enumerate(row):
            if item.kind != "amount":
                continue
            after = self.items.roles_beside(row, place, 1)
            before = self.items.roles_beside(row, place, -1)
            if "waste" in after or "waste" in before:
                if self._whole(item, after):
                    self.bound.vial.add(item.index)
                    self.bound.wasted.update(self._part_before(row, place, after))
                else:
                    self.bound.wasted.add(item.index)
            elif (
                "vial" in after
                or self._vials_of(row, place)
                or len(before.get("vial", " " * _BEFORE_VIAL)) < _BEFORE_VIAL
            ):
                self.bound.vial.add(item.index)
            elif (
                self.quantities[item.index].kind == "volume"
                and "mixture" in after
                and _PORTION.fullmatch(after["mixture"])
            ):
                self.bound.portion.add(item.index)

    def _whole(self, item: Item, after: Mapping[str, str]) -> bool:
        """True for an amount beside "wasted" which is that of the vial: "the rest of the 40 mg vial was wasted"."""
        if "vial" in after and _VIAL_NEXT.fullmatch(after["vial"]):
            return True
        start = max(self.items.sentence_start(item.start), item.start - _WHOLE_REACH)
        return _WHOLE_BEFORE.search(self.text[start : item.start]) is not None

    def _part_before(self, row: Sequence[Item], place: int, after: Mapping[str, str]) -> Iterable[int]:
        """The 20 mg of "20 mg of a 40 mg vial was discarded"."""
        if place and row[place - 1].kind == "amount" and "rest" not in after:
            if _PORTION.fullmatch(self.items.gap(row[place - 1], row[place])):
                if _WAS.fullmatch(after.get("waste", "")):
                    yield row[place - 1].index

    def _vials_of(self, row: Sequence[Item], place: int) -> bool:
        """True for "two vials of Depo-Medrol 40 mg"."""
        before = row[max(0, place - 2) : place]
        return (
            [item.kind for item in before] == ["vial", "drug"]
            and self.items.gap(before[0], before[1]).strip().lower() == "of"
            and not self.items.gap(before[1], row[place]).strip()
        )

    def _bind(self, row: Sequence[Item], previous: Sequence[Item], dosed: Sequence[Item]) -> None:
        for place, item in enumerate(row):
            if item.kind == "each":
                self._bind_each(row, place)
            elif item.kind == "total":
                self._bind_total(row, place)
            elif item.kind == "divided":
                drugs = [other for other in row if other.kind == "drug"]
                near = slice(max(0, place - MOST_TOGETHER), place), slice(place, place + MOST_TOGETHER)
                before = self._doses(row[near[0]]) or self._doses(row[near[1]])
                if not before and not drugs:
                    of_all = any(other.kind in ("each", "mixture") for other in row)  # "1/3 of the mixture at each"
                    before = self._doses((dosed if of_all else previous)[-MOST_TOGETHER:])
                self.bound.divided.update(before)

    def _doses(self, row: Iterable[Item]) -> list[int]:
        """Amounts of drug, or of the solution of a drug whose strength is told."""
        return [
            item.index
            for item in row
            if item.kind == "amount"
            and item.index not in self.bound.wasted
            and (self.quantities[item.index].kind == "dose" or self._of_billed(item.index))
        ]

    def _of_billed(self, index: int) -> bool:
        return self.items.owned.get(index, -1) in self.billed

    def _bind_each(self, row: Sequence[Item], place: int) -> None:
        each = row[place]
        after = next((at for at in range(place + 1, len(row)) if row[at].kind in _GIVEN), None)
        before = next((at for at in range(place - 1, -1, -1) if row[at].kind in _GIVEN), None)
        text = self.text[max(self.items.sentence_start(each.start), each.start - _LEAD_REACH) : each.start]
        leads = _SUBJECT.match(self.text, each.end) or _LEAD.search(text)
        if after is not None and (leads or before is None):
            group = self.items.group(row, after, 1)
        elif before is not None:
            group = self.items.group(row, before, -1)
        else:
            return
        amounts = [item.index for item in group if item.kind == "amount" and item.index not in self.bound.wasted]
        portions = [index for index in amounts if index in self.bound.portion]
        drugs = [item.index for item in group if item.kind == "drug"]
        loose = [
            index
            for index in amounts
            if self.quantities[index].kind == "volume"
            and (index not in self.items.owned or self._after_dose(index, group))
        ]
        if portions or (not drugs and amounts and len(loose) == len(amounts)):
            for index in portions or loose:
                amount = figure(self.quantities[index])
                if amount is not None:
                    self.bound.portions.append((amount, each))
                self.bound.portion.add(index)
            self.bound.in_mixture.update(index for index in amounts if index not in self.bound.portion)
            return
        for index in amounts:
            self.bound.each[index] = each
        for hit in drugs:
            self.bound.each_drug[hit] = each

    def _after_dose(self, index: int, group: Sequence[Item]) -> bool:
        """True for a volume that stands apart from the dose of its drug: a portion of what was made."""
        if any(item.kind == "drug" for item in group):
            return False
        return any(self.quantities[other].kind == "dose" for other in self.items.of_drug(self.items.owned[index]))

    def _bind_total(self, row: Sequence[Item], place: int) -> None:
        total = row[place]
        if place + 1 < len(row) and row[place + 1].kind == "amount":
            if _BEFORE_TOTAL.fullmatch(self.items.gap(total, row[place + 1])):
                self.bound.total.add(row[place + 1].index)
                return
        if [item.kind for item in row[place + 1 : place + 3]] == ["drug", "amount"]:  # "total Kenalog dose 40 mg"
            gaps = (self.items.gap(total, row[place + 1]), self.items.gap(row[place + 1], row[place + 2]))
            if all(_BEFORE_TOTAL.fullmatch(gap) for gap in gaps):
                self.bound.total.add(row[place + 2].index)
                return
        for at in range(place - 1, -1, -1):
            if self.text[row[at].end : total.start].count(",") or total.start - row[at].end > _BEHIND_AMOUNT:
                return
            if row[at].kind == "amount":
                self.bound.total.add(row[at].index)
                return
