"""How much of each drug went to the target, and what was thrown away: the statements of a note, one by one.

Read only where drug supplies are asked for. Nothing is added up or decided here: that is `extractor.coding.supplies`.
Which words say "each", "in total", "vial" or "wasted" are rows of patterns/doses.csv; which drugs there are stands in
patterns/supplies.toml.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING

from extractor.agent_amounts import takes_back
from extractor.agent_view import Phrases, View
from extractor.assembly.encounter import drug_sentences
from extractor.coding.supplytable import SupplyDrug, SupplyTable
from extractor.dose_binding import bind
from extractor.dose_items import MOST_TOGETHER, DoseRow, Item, Items, figure, milligrams
from extractor.dose_waste import Billed, wastes
from extractor.patterns import PatternFolder
from extractor.records import Agent, Dose, Doses, Span

if TYPE_CHECKING:
    from extractor.agents import AgentReader
    from extractor.assembly.procedures import Assembled

_ELSEWHERE = frozenset(
    {"history", "plan", "planned", "consent", "teaching", "exam", "finding", "allergies", "discharge"}
)
_FOLLOWING = 3  # sentences behind a drug that may tell more of its amounts
_PRODUCT_REACH = 24
_TIMES = re.compile(r"\)?\s{0,2}x\s?(\d{1,2})(?![\d/-]|\.\d|\s?(?:m[gl]|cc|\d))", re.IGNORECASE)
_STRENGTH = re.compile(r"[\s-]{0,2}(\d{1,2})(?![\d.,/%]\d|\d|%|\s?(?:mg|mcg|ml|cc|gauge|g\b|x\b|units))", re.IGNORECASE)
_CORRECTED = 40  # characters
_INSIDE = re.compile(r"\b(?:containing|contained|with|in|of a|of the|consisting)\b", re.IGNORECASE)
_OF_MIXTURE = re.compile(r"\b(?:mixture|containing|syringe)\b", re.IGNORECASE)
_OF_ONE = re.compile(r"/\s?1\s?\w")


class DoseReader:
    """Reads the amounts of a note; built once from the patterns, then read-only."""

    def __init__(self, patterns: PatternFolder) -> None:
        self.table = SupplyTable.load(patterns)
        rows = patterns.csv("doses.csv", DoseRow)
        self.cues: Phrases[DoseRow] = Phrases({row.phrase: row for row in rows})
        self.names = frozenset(drug.name for drug in self.table.drugs)
        self.unnamed = frozenset(row.name for row in self.table.unnamed)

    def read(self, assembled: Assembled, agents: AgentReader) -> Doses:
        """The statements about all drugs that went to the target of a procedure."""
        used = dict.fromkeys(agent for p in assembled.procedures if not p.discontinued for agent in p.agents)
        given = [agent for agent in used if agent.role == "injectate"]
        billed = [agent for agent in given if agent.name in self.names]
        if not billed:
            asked = [agent for agent in given if agent.name in self.unnamed]
            return Doses(tuple(Dose(a.name, "", evidence=(Span(a.start, a.end, a.section),)) for a in asked[:1]))
        reading = assembled.reading
        view = agents.view(reading.text, drug_sentences(reading), reading.agents)
        return _Note(self, assembled, view, given, billed).doses()

    def product(self, agent: Agent, text: str) -> SupplyDrug:
        """The salt or form that the words at a mention tell of; else the usual one (the table has one a name)."""
        words = re.findall(r"[a-z0-9]+", text[agent.start : agent.end + _PRODUCT_REACH].lower())
        named = f" {' '.join(words)} "
        drugs = [drug for drug in self.table.drugs if drug.name == agent.name]
        told = [drug for drug in drugs if any(f" {word} " in named for word in drug.words)]
        return told[0] if told else next(drug for drug in drugs if not drug.words)


@dataclass(frozen=True, slots=True)
class _Mention:
    """One drug at the target: its hit, its own amounts (indexes of quantities), and its partners in the sentence."""

    agent: Agent
    hit: int
    product: SupplyDrug
    own: Sequence[int]
    sentence: int
    partners: Sequence[int]


class _Note:
    """The statements of one note."""

    def __init__(
        self, reader: DoseReader, assembled: Assembled, view: View, given: Sequence[Agent], billed: Sequence[Agent]
    ) -> None:
        self.reader, self.view, self.reading = reader, view, assembled.reading
        self.text = self.reading.text
        self.items = Items(self.reading, view, reader.cues, reader.unnamed)
        self.quantities = self.items.quantities
        self.rows: dict[int, list[Item]] = {}
        for sentence in self.reading.sentences:
            row = self.items.within(sentence.start, sentence.end)
            if row and sentence.zone not in _ELSEWHERE:
                self.rows[sentence.index] = row
        hit_at = {hit.start: index for index, hit in enumerate(view.hits)}
        self.given = frozenset(hit_at[agent.start] for agent in given if agent.start in hit_at)
        at_target: dict[int, list[int]] = {}
        for hit in sorted(self.given):
            at_target.setdefault(self.items.sentence_of(view.hits[hit].start), []).append(hit)
        self.mentions = [
            self._mention(agent, hit_at[agent.start], at_target) for agent in billed if agent.start in hit_at
        ]
        self.bound = bind(self.items, list(self.rows.values()), {mention.hit for mention in self.mentions})
        self.levels: dict[int, list[tuple[int, str]]] = {}  # by sentence: where each begins, and its name
        for level in self.reading.levels:
            named = [(item.start, item.name) for item in level.mention.items]
            self.levels.setdefault(level.sentence, []).extend(named)
        self.sides: dict[int, list[tuple[int, str]]] = {}
        for side in self.reading.sides:
            self.sides.setdefault(side.sentence, []).append((side.start, side.value))
        self.places = self._places()

    def _mention(self, agent: Agent, hit: int, at_target: dict[int, list[int]]) -> _Mention:
        sentence = self.items.sentence_of(agent.start)
        beside = at_target.get(sentence, [])[:MOST_TOGETHER]
        partners = [other for other in beside if self.view.hits[other].name != agent.name]
        product = self.reader.product(agent, self.text)
        return _Mention(agent, hit, product, self.items.of_drug(hit), sentence, partners)

    def _places(self) -> dict[int, str]:
        """The one joint, nerve or side that a sentence tells of."""
        levels = {index: {name for _, name in named} for index, named in self.levels.items()}
        sides = {index: {name for _, name in named} for index, named in self.sides.items()}
        return {
            index: " ".join((*sides.get(index, ()), *levels.get(index, ())))
            for index in self.rows
            if len(levels.get(index, ())) <= 1 and len(sides.get(index, ())) <= 1
            if "bilateral" not in sides.get(index, ())
        }

    def doses(self) -> Doses:
        """All statements, those beside a drug first."""
        found = [dose for mention in self.mentions for dose in self._of_mention(mention)]
        products = {mention.product.product for mention in self.mentions}
        if len(products) == 1:
            found += self._loose(self.mentions[0].product)
        by_section = [(self.reading.sentences[index].section, row) for index, row in self.rows.items()]
        thrown = wastes(self.items, by_section, self.bound, self._billed(found), self._quantity_span)
        return Doses(tuple(self._usual_merged(found)), thrown)

    def _billed(self, found: Iterable[Dose]) -> Billed:
        strength: dict[str, Decimal] = {}
        used: dict[str, Decimal] = {}
        for mention in self.mentions:
            told, _ = self._strength(mention)
            if told is not None:
                strength.setdefault(mention.product.product, told)
        for product in {mention.product.product for mention in self.mentions}:
            told_of = [dose for dose in found if dose.product == product and dose.amount is not None]
            amounts = {dose.amount for dose in told_of if dose.amount is not None}
            one = len(amounts) == 1 and len({dose.place for dose in told_of if dose.place}) <= 1
            if one and all(dose.kind in ("plain", "total") for dose in told_of):
                used[product] = amounts.pop()
        return Billed(
            products={mention.hit: mention.product.product for mention in self.mentions},
            names={index: hit.name for index, hit in enumerate(self.view.hits)},
            by_name={mention.agent.name: mention.product.product for mention in self.mentions},
            given=self.given,
            strength=strength,
            used=used,
            mixed=frozenset(mention.product.product for mention in self.mentions if mention.partners),
        )

    def _usual_merged(self, found: list[Dose]) -> list[Dose]:
        """The plain name beside that of a form ("triamcinolone" and "Zilretta") is of the same drug, where it has no
        amount of its own."""
        special = {dose.name: dose.product for dose in found if self.reader.table.product(dose.product).words}
        dosed = {dose.product for dose in found if dose.amount is not None}
        return [replace(d, product=special.get(d.name, d.product)) if d.product not in dosed else d for d in found]

    # -- the amounts of one drug ----------------------------------------------------------------------------------

    def _of_mention(self, mention: _Mention) -> list[Dose]:
        """What is said beside one mention: a dose; strength and volume; the vials; else that it has no amount."""
        bound = self.bound
        own = [index for index in mention.own if index not in bound.wasted and index not in bound.vial]
        doses = [index for index in own if self.quantities[index].kind == "dose"]
        volumes = [
            index
            for index in own
            if self.quantities[index].kind == "volume" and not (index in bound.portion and mention.partners)
        ]
        mixed = [index for index in volumes if self._of_mixture(index, mention)]
        volumes = self._inner([index for index in volumes if index not in mixed], mention)
        if doses:
            found = [self._dose(mention, [index], milligrams(self.quantities[index])) for index in doses]
            doubtful = len(doses) == len(volumes) == 1 and self._two_ways(mention, doses[0], volumes[0])
            if not any(item.kind == "each" for item in self.rows.get(mention.sentence, ())):
                doubtful |= any(self.items.share_of(index) != 1 for index in doses)  # "half of the 40 mg"
            return [replace(dose, kind="unclear") for dose in found] if doubtful else found
        strength, shown = self._strength(mention)
        if strength is not None and volumes:
            return [
                self._dose(mention, [index, *shown], _times(strength, figure(self.quantities[index])))
                for index in volumes
            ]
        if strength is not None and shown and self._of_one(shown[0]):
            return [self._dose(mention, shown, strength)]  # "40 mg/1 mL of Depo-Medrol"
        if strength is not None and mixed:
            return [self._dose(mention, [*mixed, *shown], None)]
        vials = [] if self._rest_told(mention) else self._vials(mention)
        if vials:
            vial = self.quantities[vials[0]]
            held = milligrams(vial) if vial.kind == "dose" else _times(strength, figure(vial))
            share = self.items.share_of(vials[0])
            if share == 1 and vials[0] not in bound.total and self.items.shared(self.rows.get(mention.sentence, ())):
                share = None
            if share != 1:
                bound.divided.discard(vials[0])  # "1/2 of the 40 mg vial": the part is counted already
            number = self.items.number_of(vials[0]) if share == 1 else 1
            return [self._dose(mention, vials, _times(_times(held, Decimal(number)), share))]
        return [Dose(mention.agent.name, mention.product.product, evidence=(self._span(mention.agent),))]

    def _two_ways(self, mention: _Mention, dose: int, volume: int) -> bool:
        """ "0.5 mL of Kenalog 40 mg" may be half a vial of 40 mg/mL, so its dose is 20 mg or 40 mg."""
        told, part = self.quantities[dose], self.quantities[volume]
        if mention.partners or figure(part) == 1 or milligrams(told) not in mention.product.strengths:
            return False
        apart = part.end <= mention.agent.start and mention.agent.end <= told.start
        return apart and not _INSIDE.search(self.text, part.end, mention.agent.start)

    def _of_mixture(self, index: int, mention: _Mention) -> bool:
        """True for "2 mL of a mixture of Kenalog ...": the volume is not that of the drug."""
        end, start = self.quantities[index].end, mention.agent.start
        if end > start:
            return False
        named = mention.partners and any(item.kind == "mixture" for item in self.items.within(end, start))
        return bool(named) or _OF_MIXTURE.search(self.text, end, start) is not None

    def _inner(self, volumes: list[int], mention: _Mention) -> list[int]:
        """Of several volumes before a drug only the nearest: "3 mL (1 mL Kenalog 80 mg/mL, 2 mL saline)"."""
        before = [index for index in volumes if self.quantities[index].end <= mention.agent.start]
        return [index for index in volumes if index not in before[:-1]]

    def _strength(self, mention: _Mention) -> tuple[Decimal | None, list[int]]:
        """mg/mL as written, as part of the brand ("Kenalog-40"), or the only one in which the drug is sold."""
        for index in mention.own:
            quantity = self.quantities[index]
            if quantity.kind == "concentration" and "%" not in quantity.value and index not in self.bound.wasted:
                return milligrams(quantity), [index]
        strengths = mention.product.strengths
        named = _STRENGTH.match(self.text, mention.agent.end)
        if named and Decimal(named[1]) in strengths:
            return Decimal(named[1]), []
        return (strengths[0], []) if len(strengths) == 1 else (None, [])

    def _of_one(self, index: int) -> bool:
        """True for "40 mg/1 mL", which is said of a vial that was given, not of a strength."""
        return _OF_ONE.search(self.text, self.quantities[index].start, self.quantities[index].end) is not None

    def _vials(self, mention: _Mention) -> list[int]:
        """The mg that a vial of the drug holds, in its sentence; else its mL."""
        told = [
            item.index
            for item in self.rows.get(mention.sentence, ())
            if item.kind == "amount" and item.index in self.bound.vial
            if self.items.owned.get(item.index) in (None, mention.hit)
        ]
        by_kind = {self.quantities[index].kind: index for index in reversed(told)}
        return [by_kind[kind] for kind in ("dose", "volume") if kind in by_kind][:1]

    def _rest_told(self, mention: _Mention) -> bool:
        """True where something was left in the vial."""
        for index in range(mention.sentence, mention.sentence + _FOLLOWING + 1):
            kinds = {item.kind for item in self.rows.get(index, ())}
            if kinds & {"waste", "rest"} and "no_waste" not in kinds:
                return True
        return False

    # -- what is said of an amount --------------------------------------------------------------------------------

    def _dose(self, mention: _Mention, indexes: list[int], amount: Decimal | None) -> Dose:
        spans = (self._span(mention.agent), *map(self._quantity_span, indexes))
        dose = Dose(mention.agent.name, mention.product.product, amount=amount, evidence=spans)
        return self._stated(dose, indexes, mention.sentence, mention)

    def _stated(self, dose: Dose, indexes: list[int], sentence: int, mention: _Mention | None = None) -> Dose:
        """The dose with what the note says of its amounts (the first of `indexes` counts)."""
        bound, main, amount = self.bound, indexes[0], dose.amount
        dose = replace(dose, place=self.places.get(sentence, "") or self._place_of(main, sentence))
        if amount is None or self.items.limited.intersection(indexes):
            return replace(dose, kind="unclear")
        if times := self._multiplied(main, mention):
            return replace(dose, kind="total", amount=amount * times)
        if main in bound.divided:
            return replace(dose, kind="total")
        each = bound.each.get(main)
        if each is None and mention and not bound.in_mixture.intersection(indexes) and self._alone(main, mention):
            each = bound.each_drug.get(mention.hit)
        if each is not None:
            return replace(dose, kind="each", noun=each.noun, count=each.count)
        if main in bound.total:
            return replace(dose, kind="total")
        prepared = any(item.kind == "prepared" for item in self.rows.get(sentence, ()))
        if bound.portions and mention:
            mixed = self._mixed(mention, amount)
            if mixed is not None or not prepared:
                portion, each = bound.portions[0]
                return replace(dose, kind="stock", noun=each.noun, count=each.count, portion=portion, mixed=mixed)
        return replace(dose, kind="total" if prepared else "plain")

    def _place_of(self, main: int, sentence: int) -> str:
        """The one level or side beside an amount, in a sentence with several of both: "20 mg into L3-4 and 40 mg into
        L4-5", "80 mg on the right and 40 mg on the left"."""
        levels, sides = self.levels.get(sentence, []), self.sides.get(sentence, [])
        named = (levels if len(levels) > 1 else [] if levels else sides)[:MOST_TOGETHER]
        row = self.rows.get(sentence, [])[:MOST_TOGETHER]
        doses = [
            self.quantities[item.index]
            for item in row
            if item.kind == "amount" and self.quantities[item.index].kind == "dose"
            if item.index not in self.bound.wasted and item.index not in self.bound.vial
        ]
        own = self.quantities[main]
        if len(named) < 2 or len(doses) < 2 or own not in doses:
            return ""
        at = doses.index(own)
        if named[0][0] < doses[0].start:  # "L3-4: 20 mg, L4-5: 40 mg"
            start, end = (doses[at - 1].end if at else 0), own.start
        else:
            start, end = own.end, (doses[at + 1].start if at + 1 < len(doses) else len(self.text))
        found = {name for place, name in named if start <= place < end}
        return found.pop() if len(found) == 1 else ""

    def _alone(self, main: int, mention: _Mention) -> bool:
        """True where the drug has no other amount of the kind: then what is said of the drug is said of it."""
        set_apart = self.bound.wasted | self.bound.vial if len(mention.own) > 1 else set()
        kind = self.quantities[main].kind
        return [i for i in mention.own if self.quantities[i].kind == kind and i not in set_apart] == [main]

    def _multiplied(self, index: int, mention: _Mention | None) -> int:
        ends = [self.quantities[index].end, *([mention.agent.end] if mention else [])]
        found = [match for end in ends if (match := _TIMES.match(self.text, end))]
        return int(found[0][1]) if found else 0

    def _mixed(self, mention: _Mention, amount: Decimal) -> Decimal | None:
        """The largest volume, in mL, that a mixture may have; None where a partner has no volume."""
        strengths = mention.product.strengths
        own = self._volume(mention.hit)
        parts = [own if own is not None else amount / min(strengths) if strengths else None]
        parts += [self._volume(other) for other in mention.partners]
        known = [part for part in parts if part is not None]
        return sum(known, Decimal(0)) if len(known) == len(parts) else None

    def _volume(self, hit: int) -> Decimal | None:
        for index in self.items.of_drug(hit):
            if self.quantities[index].kind == "volume" and index not in self.bound.portion:
                return figure(self.quantities[index])
        return None

    def _loose(self, drug: SupplyDrug) -> list[Dose]:
        """Amounts in mg beside no drug, in the sentence of a drug or soon after: "20 mg was placed in each joint"."""
        bound = self.bound
        apart = bound.wasted | bound.vial | self._taken_back() | self.items.owned.keys()
        near = {mention.sentence + step for mention in self.mentions for step in range(_FOLLOWING + 1)}
        found = []
        for sentence in sorted(near & self.rows.keys()):
            row = self.rows[sentence]
            others = any(item.kind == "drug" and item.index not in self.given for item in row)
            for item in row:
                if item.kind != "amount" or item.index in apart or self.quantities[item.index].kind != "dose":
                    continue
                if others and item.index not in bound.total:
                    continue  # it may be that of a drug elsewhere
                amount = milligrams(self.quantities[item.index])
                dose = Dose(drug.name, drug.product, amount=amount, evidence=(self._quantity_span(item.index),))
                found.append(self._stated(dose, [item.index], sentence))
        return found

    def _taken_back(self) -> set[int]:
        """Amounts that a correction takes back: "40 mg, correction, 20 mg"."""
        return {
            index
            for index, (one, other) in enumerate(pairwise(self.quantities))
            if one.kind == other.kind and other.start - one.end < _CORRECTED
            if takes_back(self.view, one.end, other.start)
        }

    def _span(self, agent: Agent) -> Span:
        return Span(agent.start, agent.end, self.reading.sentences[self.items.sentence_of(agent.start)].section)

    def _quantity_span(self, index: int) -> Span:
        quantity = self.quantities[index]
        return Span(
            quantity.start,
            quantity.end,
            self.reading.sentences[self.items.sentence_of(quantity.start)].section,
        )


def _times(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    return None if one is None or other is None else one * other
