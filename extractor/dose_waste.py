"""What a note says of drug that was thrown away, sentence by sentence, and of which drug it says it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from extractor.dose_binding import Bound
from extractor.dose_items import Item, Items, figure, milligrams
from extractor.records import Span, Waste

_NOTHING = re.compile(r"\s*[:=]\s*(?:0(?![.\d]*\d)|zero|none|nil|no)\b", re.IGNORECASE)  # "Wasted: 0"
_TELLING = frozenset({"waste", "no_waste", "whole", "multi_dose"})
_OF_DRUG = frozenset({"not_drug", "drug", "amount", "rest", "vial"})


@dataclass(frozen=True, slots=True)
class Billed:
    """What is known of the drugs that are billed.

    products  the product of a drug, by its hit
    by_name   the product of a generic name
    given     the hits of all drugs at the target
    strength  mg/mL of a product
    used      mg of a product that are told beside it
    mixed     products that were mixed with another drug
    """

    products: Mapping[int, str]
    names: Mapping[int, str]
    by_name: Mapping[str, str]
    given: frozenset[int]
    strength: Mapping[str, Decimal]
    used: Mapping[str, Decimal]
    mixed: frozenset[str]


def wastes(
    items: Items,
    rows: Sequence[tuple[str, Sequence[Item]]],
    bound: Bound,
    billed: Billed,
    span_of: Callable[[int], Span],
) -> tuple[Waste, ...]:
    """All statements of the note. `rows`: the section and the items of each sentence; `span_of` an amount's place."""
    reader = _Reader(items, bound, billed, span_of)
    found: list[Waste] = []
    last = ""  # the product named last
    for section, row in rows:
        named = [billed.products[item.index] for item in row if item.kind == "drug" and item.index in billed.products]
        last = named[-1] if named else last
        if any(item.kind in _TELLING for item in row):
            found += reader.read(section, row, last)
    return tuple(found)


class _Reader:
    def __init__(self, items: Items, bound: Bound, billed: Billed, span_of: Callable[[int], Span]) -> None:
        self.items, self.bound, self.billed, self.span_of = items, bound, billed, span_of
        self.quantities = items.quantities

    def read(self, section: str, row: Sequence[Item], last: str) -> Iterable[Waste]:
        kinds = {item.kind for item in row}
        product = self._product(row, last)
        if product is None:
            return
        spans = tuple(Span(item.start, item.end, section) for item in row if item.kind in _TELLING)
        if any(item.kind == "waste" and _NOTHING.match(self.items.text, item.end) for item in row):
            kinds.add("no_waste")
        if "multi_dose" in kinds:
            yield Waste("multi_dose", product, None, spans)
        if "no_waste" in kinds or ("whole" in kinds and "waste" not in kinds):
            yield Waste("none", product, None, spans)
        elif "waste" in kinds and self._speaks_of_drug(row):
            yield self._thrown_away(row, product, spans)

    def _thrown_away(self, row: Sequence[Item], product: str, spans: tuple[Span, ...]) -> Waste:
        amounts = [item.index for item in row if item.kind == "amount" and item.index in self.bound.wasted]
        if self._of_mixture(row, amounts, product):
            return Waste("mixture", product, None, spans)
        told = [amount for index in amounts if (amount := self._amount(index, product)) is not None]
        if self.items.limited.intersection(amounts):
            return Waste("unclear", product, None, spans)
        if told:
            spans += tuple(map(self.span_of, amounts))
        elif any(item.kind == "rest" for item in row) and (left := self._left_in_vial(row, product)) is not None:
            told = [left]
        if len(set(told)) != 1:
            return Waste("unclear", product, None, spans)
        return Waste("wasted", product, told[0], spans) if any(told) else Waste("none", product, None, spans)

    def _of_mixture(self, row: Sequence[Item], amounts: Sequence[int], product: str) -> bool:
        """True where mL of a mixture were thrown away, or what was left of it after each place had its portion."""
        kinds = {item.kind for item in row}
        if product not in self.billed.mixed or "vial" in kinds:
            return False
        if amounts:
            loose = not any(index in self.items.owned for index in amounts)
            wasted = [self.quantities[index] for index in amounts]
            return loose and all(quantity.kind == "volume" and figure(quantity) != 0 for quantity in wasted)
        return "rest" in kinds and bool(self.bound.portions)

    def _speaks_of_drug(self, row: Sequence[Item]) -> bool:
        """False for "the needle was discarded in the sharps box"."""
        kinds = {item.kind for item in row}
        if "not_drug" in kinds and not kinds & (_OF_DRUG - {"not_drug"}):
            return False
        place = next(at for at, item in enumerate(row) if item.kind == "waste")
        before = [item for item in row[:place] if item.kind in _OF_DRUG]
        return not before or before[-1].kind != "not_drug"

    def _product(self, row: Sequence[Item], last: str) -> str | None:
        """The product that a sentence about waste speaks of; None where it speaks of another drug."""
        cue = next(item for item in row if item.kind in _TELLING)
        drugs = [item for item in row if item.kind == "drug"]
        every = set(self.billed.products.values())
        if not drugs:
            return next(iter(every)) if len(every) == 1 else last or None
        before = [item for item in drugs if item.end <= cue.start]
        nearest = (before[-1] if before else drugs[0]).index
        product = self.billed.products.get(nearest) or self.billed.by_name.get(self.billed.names[nearest])
        if product is not None:
            return product
        named = [self.billed.products[item.index] for item in drugs if item.index in self.billed.products]
        in_mg = any(
            item.kind == "amount" and item.index in self.bound.wasted and self.quantities[item.index].kind == "dose"
            for item in row
        )
        # "Kenalog 40 mg and bupivacaine 2 mL were used, 20 mg wasted"
        return named[-1] if named and in_mg and nearest in self.billed.given else None

    def _amount(self, index: int, product: str) -> Decimal | None:
        quantity = self.quantities[index]
        if index in self.items.limited:
            return None
        if quantity.kind == "dose":
            return milligrams(quantity)
        strength, volume = self.billed.strength.get(product), figure(quantity)
        return strength * volume if quantity.kind == "volume" and strength is not None and volume is not None else None

    def _left_in_vial(self, row: Sequence[Item], product: str) -> Decimal | None:
        """What the one vial held beyond the dose that is told, where the note tells both."""
        used, vials = self.billed.used.get(product), self._vials(row, product)
        held = {self._amount(index, product) for index in vials}
        full = held.pop() if len(held) == 1 else None
        if used is None or full is None or any(self.items.number_of(index) > 1 for index in vials):
            return None
        return full - used if full > used else None  # what was left of nothing cannot be thrown away

    def _vials(self, row: Sequence[Item], product: str) -> list[int]:
        """What vials of the product hold: those of the sentence about waste, else those of the note; mg before mL."""
        here = {item.index for item in row if item.kind == "amount"}
        vials = [
            index
            for index in sorted(self.bound.vial)
            if (owner := self.items.owned.get(index)) is None or self.billed.products.get(owner) == product
        ]
        near = [index for index in vials if index in here]
        by_kind = [
            [index for index in some if self.quantities[index].kind == kind]
            for some, kind in ((near, "dose"), (near, "volume"), (vials, "dose"))
        ]
        return next((found for found in by_kind if found), [])
