"""How much of each drug went to the target, and what was thrown away: the statements of a note, one by one.

Read only where drug supplies are asked for. Nothing is added up or decided here: that is `extractor.coding.supplies`.
Which words say "each", "in total", "vial" or "wasted" are rows of patterns/doses.csv; which drugs there are stands in
patterns/supplies.toml.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from typing import TYPE_CHECKING

from extractor.agent_amounts import beside, takes_back
from extractor.agent_doses import Quantity
from extractor.agent_view import Phrases, View
from extractor.assembly.encounter import drug_sentences
from extractor.coding.supplytable import SupplyDrug, SupplyTable
from extractor.dose_items import DoseRow, Item, Items
from extractor.patterns import PatternFolder
from extractor.records import Agent, Dose, Doses, Span, Waste

if TYPE_CHECKING:
    from extractor.agents import AgentReader
    from extractor.assembly.procedures import Assembled
    from extractor.mentions import Sentence

_ELSEWHERE = frozenset(
    {"history", "plan", "planned", "consent", "teaching", "exam", "finding", "allergies", "discharge"}
)
_FOLLOWING = 3  # sentences behind a drug that may tell more of its amounts
_TIMES = re.compile(r"\)?\s{0,2}x\s?(\d{1,2})(?![\d/-]|\.\d|\s?(?:m[gl]|cc|\d))", re.IGNORECASE)
_STRENGTH = re.compile(r"[\s-]{0,2}(\d{1,2})(?![\d.,/%]\d|\d|%|\s?(?:mg|mcg|ml|cc|gauge|g\b|x\b|units))", re.IGNORECASE)
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
_NEAR = 14
_CORRECTED = 40
_COUNT_REACH = 12
_PORTION = re.compile(r"\s*(?:of|from)\s+(?:(?:an?|the|this|that|our|said|such)\s+)?(?:[\w-]+\s+){0,3}", re.IGNORECASE)
_INSIDE = re.compile(r"\b(?:containing|contained|with|in|of a|of the|consisting)\b", re.IGNORECASE)
_OF_ONE = re.compile(r"/\s?1\s?\w")
_COUNT = re.compile(r"\b(\d|[a-z]{3,5})\s(?:x\s)?$", re.IGNORECASE)
_NUMBERS = {word: n for n, word in enumerate("one two three four five six".split(), 1)}
_SAME = frozenset({"amount", "drug"})


class DoseReader:
    """Reads the amounts of a note; built once from the patterns, then read-only."""

    def __init__(self, patterns: PatternFolder) -> None:
        self.table = SupplyTable.load(patterns)
        rows = patterns.csv("doses.csv", DoseRow)
        self.cues: Phrases[DoseRow] = Phrases({row.phrase: row for row in rows})
        self._names = {drug.name for drug in self.table.drugs}
        self.unnamed = {row.name for row in self.table.unnamed}

    def read(self, assembled: Assembled, agents: AgentReader) -> Doses:
        """The statements about all drugs that went to the target of a procedure."""
        used = dict.fromkeys(agent for p in assembled.procedures if not p.discontinued for agent in p.agents)
        given = [agent for agent in used if agent.role == "injectate"]
        billed = [agent for agent in given if agent.name in self._names]
        if not billed:
            asked = [agent for agent in given if agent.name in self.unnamed]
            return Doses(tuple(Dose(a.name, "", evidence=(Span(a.start, a.end, a.section),)) for a in asked[:1]))
        reading = assembled.reading
        view = agents.view(reading.text, drug_sentences(reading), reading.agents)
        return _Note(self, assembled, view, given, billed).doses()

    def product(self, agent: Agent, text: str) -> SupplyDrug:
        """The salt or form that the words at a mention tell of; else the usual one."""
        words = re.findall(r"[a-z0-9]+", text[agent.start : agent.end + 24].lower())
        named = " ".join(words)
        usual, best = None, None
        for drug in self.table.drugs:
            if drug.name != agent.name:
                continue
            if not drug.words:
                usual = drug
            elif any(f" {word} " in f" {named} " for word in drug.words):
                best = best or drug
        assert usual is not None  # the table is checked for it
        return best or usual


@dataclass(slots=True)
class _Mention:
    """One drug at the target with its own amounts (indexes of quantities)."""

    agent: Agent
    product: SupplyDrug
    own: list[int]
    sentence: int


@dataclass(slots=True)
class _Bound:
    """What the cues of the note say of single amounts, by the index of the quantity."""

    each: dict[int, Item] = field(default_factory=dict)
    each_drug: dict[int, Item] = field(default_factory=dict)  # of a drug, by its hit
    total: set[int] = field(default_factory=set)
    divided: set[int] = field(default_factory=set)
    wasted: set[int] = field(default_factory=set)
    vial: set[int] = field(default_factory=set)
    portion: set[int] = field(default_factory=set)
    in_mixture: set[int] = field(default_factory=set)  # amounts of a mixture of which each place got a portion


class _Note:
    """The statements of one note."""

    def __init__(
        self, reader: DoseReader, assembled: Assembled, view: View, given: Sequence[Agent], billed: Sequence[Agent]
    ) -> None:
        self.reader, self.view, self.assembled = reader, view, assembled
        self.reading = assembled.reading
        self.text = self.reading.text
        self.items = Items(self.reading, view, reader.cues, reader.unnamed)
        self.quantities = self.items.quantities
        self._by_start = {quantity.start: index for index, quantity in enumerate(self.quantities)}
        self._hit_at = {hit.start: index for index, hit in enumerate(view.hits)}
        self.owned: dict[int, int] = {}  # quantity -> hit
        for hit in range(len(view.hits)):
            for quantity in beside(view, hit):
                index = self._by_start.get(quantity.start)
                if index is not None:
                    self.owned.setdefault(index, hit)
        unnamed = {index for index, hit in enumerate(view.hits) if hit.name in reader.unnamed}
        self.owned = {index: hit for index, hit in self.owned.items() if hit not in unnamed}
        self.taken_back = {
            index
            for index, (one, other) in enumerate(pairwise(self.quantities))
            if one.kind == other.kind and other.start - one.end < _CORRECTED and takes_back(view, one.end, other.start)
        }
        self.given = {self._hit_at[agent.start] for agent in given if agent.start in self._hit_at}
        self.mentions = [
            _Mention(
                agent,
                reader.product(agent, self.text),
                [index for index, hit in self.owned.items() if hit == self._hit_at.get(agent.start)],
                self.items.sentence_of(agent.start),
            )
            for agent in billed
        ]
        self.bound = _Bound()
        self.portions: list[tuple[Decimal, Item]] = []
        self.rows: list[tuple[Sentence, list[Item]]] = []
        for sentence in self.reading.sentences:
            row = self.items.within(sentence.start, sentence.end)
            if row and sentence.zone not in _ELSEWHERE:
                self.rows.append((sentence, row))
                self._classify(row)
        previous: list[Item] = []
        for _, row in self.rows:
            self._bind(row, previous)
            previous = row

    # -- what is said of single amounts ---------------------------------------------------------------------------

    def _classify(self, row: Sequence[Item]) -> None:
        for place, item in enumerate(row):
            if item.kind != "amount":
                continue
            after = self.items.roles_beside(row, place, 1)
            before = self.items.roles_beside(row, place, -1)
            if "waste" in after or "waste" in before:
                self.bound.wasted.add(item.index)
            elif "vial" in after or len(before.get("vial", " " * _NEAR)) < _NEAR:
                self.bound.vial.add(item.index)
            elif (
                self.quantities[item.index].kind == "volume"
                and "mixture" in after
                and _PORTION.fullmatch(after["mixture"])
            ):
                self.bound.portion.add(item.index)

    def _bind(self, row: Sequence[Item], previous: Sequence[Item]) -> None:
        for place, item in enumerate(row):
            if item.kind == "each":
                self._bind_each(row, place)
            elif item.kind == "total":
                self._bind_total(row, place)
            elif item.kind == "divided":
                drugs = [other for other in row if other.kind == "drug"]
                before = self._doses(row[:place]) or self._doses(row[place:])
                if not before and not drugs:
                    before = self._doses(previous)
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
        hit = self.owned.get(index)
        return hit is not None and self.view.hits[hit].name in self.reader._names

    def _bind_each(self, row: Sequence[Item], place: int) -> None:
        each = row[place]
        after = next((at for at in range(place + 1, len(row)) if row[at].kind in _SAME), None)
        before = next((at for at in range(place - 1, -1, -1) if row[at].kind in _SAME), None)
        text = self.text[max(row[0].start - _LEAD_REACH, each.start - _LEAD_REACH, 0) : each.start]
        first = self.items.sentence_of(each.start)
        start = self.reading.sentences[first].start
        text = self.text[max(start, each.start - _LEAD_REACH) : each.start]
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
            if self.quantities[index].kind == "volume" and (index not in self.owned or self._after_dose(index, group))
        ]
        if portions or (not drugs and amounts and len(loose) == len(amounts)):
            for index in portions or loose:
                amount = _number(self.quantities[index])
                if amount is not None:
                    self.portions.append((amount, each))
                self.bound.portion.add(index)
            self.bound.in_mixture.update(index for index in amounts if index not in self.bound.portion)
            return
        for index in amounts:
            self.bound.each[index] = each
        for hit in drugs:
            self.bound.each_drug[hit] = each

    def _after_dose(self, index: int, group: Sequence[Item]) -> bool:
        """True for a volume that stands apart from the dose of its drug: a portion of what was made."""
        hit = self.owned[index]
        if any(item.kind == "drug" for item in group):
            return False
        return any(self.quantities[other].kind == "dose" for other, owner in self.owned.items() if owner == hit)

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
            if self.text[row[at].end : total.start].count(",") or total.start - row[at].end > 3 * _NEAR:
                return
            if row[at].kind == "amount":
                self.bound.total.add(row[at].index)
                return

    # -- statements -----------------------------------------------------------------------------------------------

    def doses(self) -> Doses:
        found: list[Dose] = []
        for mention in self.mentions:
            found += self._of_mention(mention)
        products = {mention.product.product for mention in self.mentions}
        if len(products) == 1:
            found += self._loose(self.mentions)
        wastes = [waste for sentence, row in self.rows for waste in self._wastes(sentence, row)]
        return Doses(tuple(self._usual_merged(found)), tuple(wastes))

    def _usual_merged(self, found: list[Dose]) -> list[Dose]:
        """ "Triamcinolone" beside "Zilretta" is the same drug by its plain name."""
        special = {dose.name: dose.product for dose in found if self.reader.table.product(dose.product).words}
        usual = {
            drug.product: special[drug.name]
            for drug in self.reader.table.drugs
            if not drug.words and drug.name in special
        }
        unproved = {
            product
            for product in usual
            if not any(dose.product == product and dose.amount is not None for dose in found)
        }
        return [replace(d, product=usual[d.product]) if d.product in unproved else d for d in found]

    def _of_mention(self, mention: _Mention) -> list[Dose]:
        own = [index for index in mention.own if index not in self.bound.wasted]
        doses = [index for index in own if self.quantities[index].kind == "dose" and index not in self.bound.vial]
        found = [self._dose(mention, [index], _milligrams(self.quantities[index])) for index in doses]
        if doses:
            return self._checked(mention, found, doses, own)
        strength, shown = self._strength(mention, own)
        volumes = [
            index
            for index in own
            if self.quantities[index].kind == "volume"
            and index not in self.bound.vial
            and (index not in self.bound.portion or not self._partners(mention))
            and not self._in_words(index, mention)
        ]
        if strength is not None and volumes:
            return [
                self._dose(mention, [index, *shown], _times(strength, _number(self.quantities[index])))
                for index in volumes
            ]
        if strength is not None and shown and _OF_ONE.search(self._written(shown[0])):
            return [self._dose(mention, shown, strength)]  # "40 mg/1 mL of Depo-Medrol"
        if not self._rest_told(mention):
            row = next((row for sentence, row in self.rows if sentence.index == mention.sentence), [])
            vials = [i.index for i in row if i.kind == "amount" and self._held_by(i.index, mention)]
            if vials:
                held = _milligrams(self.quantities[vials[0]])
                return [self._dose(mention, vials[:1], _times(held, self._vials(vials[0])))]
        return [Dose(mention.agent.name, mention.product.product, evidence=(self._span(mention.agent),))]

    def _written(self, index: int) -> str:
        return self.text[self.quantities[index].start : self.quantities[index].end]

    def _held_by(self, index: int, mention: _Mention) -> bool:
        """True for the mg that a vial of the drug holds."""
        owner = self.owned.get(index)
        own = owner is None or owner == self._hit_at.get(mention.agent.start)
        return own and index in self.bound.vial and self.quantities[index].kind == "dose"

    def _vials(self, index: int) -> Decimal:
        """How many: "two 40 mg vials"."""
        start = self.quantities[index].start
        match = _COUNT.search(self.text[max(0, start - _COUNT_REACH) : start])
        return Decimal(match[1] if match[1].isdigit() else _NUMBERS.get(match[1].lower(), 1)) if match else Decimal(1)

    def _in_words(self, index: int, mention: _Mention) -> bool:
        """True for "2 mL of a solution of Kenalog ...": the volume is not that of the drug."""
        quantity = self.quantities[index]
        if index in self.bound.portion:
            return bool(self._partners(mention))
        return quantity.end <= mention.agent.start and bool(
            re.search(r"\b(?:mixture|containing|syringe)\b", self.text[quantity.end : mention.agent.start])
        )

    def _checked(self, mention: _Mention, found: list[Dose], doses: list[int], own: list[int]) -> list[Dose]:
        """ "0.5 mL of Kenalog 40 mg" may be half a vial of 40 mg/mL, so its dose is 20 mg or 40 mg."""
        strengths = mention.product.strengths
        volumes = [
            index
            for index in own
            if self.quantities[index].kind == "volume"
            and index not in self.bound.portion
            and index not in self.bound.vial
            and not self._in_words(index, mention)
        ]
        if len(doses) != 1 or len(volumes) != 1 or not strengths or self._partners(mention):
            return found
        quantity, held = self.quantities[volumes[0]], self.quantities[doses[0]]
        dose, volume = _milligrams(held), _number(quantity)
        if dose is None or not volume or volume == 1 or dose not in strengths:
            return found
        apart = quantity.end <= mention.agent.start and mention.agent.end <= held.start
        if not apart or _INSIDE.search(self.text[quantity.end : mention.agent.start]):
            return found
        return [_unclear(item) for item in found]

    def _dose(self, mention: _Mention, indexes: list[int], amount: Decimal | None) -> Dose:
        hit = self._hit_at.get(mention.agent.start, -1)
        spans = (self._span(mention.agent), *map(self._quantity_span, indexes))
        dose = Dose(mention.agent.name, mention.product.product, amount=amount, evidence=spans)
        return self._stated(dose, indexes, hit, mention.sentence)

    def _stated(self, dose: Dose, indexes: list[int], hit: int, sentence: int) -> Dose:
        """The dose with what the note says of its amounts (the first of `indexes` counts)."""
        bound, main, amount = self.bound, indexes[0], dose.amount
        dose = replace(dose, place=self._place(sentence))
        if amount is None:
            return replace(dose, kind="unclear")
        if times := self._multiplied(main, hit):
            return replace(dose, kind="total", amount=amount * times)
        if main in bound.divided:
            return replace(dose, kind="total")
        each = bound.each.get(main)
        if each is None and hit >= 0 and not bound.in_mixture.intersection(indexes) and self._near_only(main, hit):
            each = bound.each_drug.get(hit)
        if each is not None:
            return replace(dose, kind="each", noun=each.noun, count=each.count)
        if main in bound.total:
            return replace(dose, kind="total")
        prepared = self._prepared(sentence)
        if self.portions and hit >= 0:
            mixed = self._mixed(hit, amount)
            if mixed is not None or not prepared:
                portion, each = self.portions[0]
                return replace(dose, kind="stock", noun=each.noun, count=each.count, portion=portion, mixed=mixed)
        return replace(dose, kind="total" if prepared else "plain")

    def _near_only(self, main: int, hit: int) -> bool:
        """True where the drug has no other amount of the kind: then what is said of the drug is said of it."""
        kind = self.quantities[main].kind
        same = [index for index, owner in self.owned.items() if owner == hit and self.quantities[index].kind == kind]
        return len([index for index in same if index not in self.bound.wasted | self.bound.vial]) == 1

    def _multiplied(self, index: int, hit: int) -> int:
        ends = [self.quantities[index].end] + ([self.view.hits[hit].end] if hit >= 0 else [])
        for end in ends:
            match = _TIMES.match(self.text, end)
            if match:
                return int(match[1])
        return 0

    def _prepared(self, sentence: int) -> bool:
        s = self.reading.sentences[sentence]
        return any(item.kind == "prepared" for item in self.items.within(s.start, s.end))

    def _partners(self, mention: _Mention) -> list[int]:
        """Other drugs of the same sentence that went to the target."""
        own = self._hit_at.get(mention.agent.start, -1)
        return self._beside_in_sentence(own)

    def _beside_in_sentence(self, hit: int) -> list[int]:
        if hit < 0:
            return []
        sentence = self.items.sentence_of(self.view.hits[hit].start)
        return [
            other
            for other in sorted(self.given)
            if other != hit
            and self.view.hits[other].name != self.view.hits[hit].name
            and self.items.sentence_of(self.view.hits[other].start) == sentence
        ]

    def _mixed(self, hit: int, amount: Decimal) -> Decimal | None:
        """The largest volume, in mL, that a mixture may have; None where a partner has no volume."""
        drug = self.reader.product(self._agent(hit), self.text)
        own = self._volume(hit)
        volume = own if own is not None else amount / min(drug.strengths) if drug.strengths else None
        if volume is None:
            return None
        for other in self._beside_in_sentence(hit):
            part = self._volume(other)
            if part is None:
                return None
            volume += part
        return volume

    def _volume(self, hit: int) -> Decimal | None:
        for index, owner in self.owned.items():
            if owner == hit and self.quantities[index].kind == "volume" and index not in self.bound.portion:
                return _number(self.quantities[index])
        return None

    def _agent(self, hit: int) -> Agent:
        start = self.view.hits[hit].start
        return next(mention.agent for mention in self.mentions if mention.agent.start == start)

    def _strength(self, mention: _Mention, own: Sequence[int]) -> tuple[Decimal | None, list[int]]:
        """mg/mL as written, as part of the brand ("Kenalog-40"), or the only one in which the drug is sold."""
        for index in own:
            quantity = self.quantities[index]
            if quantity.kind == "concentration" and "%" not in quantity.value:
                return _milligrams(quantity), [index]
        named = _STRENGTH.match(self.text, mention.agent.end)
        if named and Decimal(named[1]) in mention.product.strengths:
            return Decimal(named[1]), []
        strengths = mention.product.strengths
        return (strengths[0], []) if len(strengths) == 1 else (None, [])

    def _loose(self, mentions: Sequence[_Mention]) -> list[Dose]:
        """Amounts in mg beside no drug, in the sentence of a drug or soon after: "20 mg was placed in each joint"."""
        drug = mentions[0].product
        after = {mention.sentence + step for mention in mentions for step in range(_FOLLOWING + 1)}
        found = []
        for sentence, row in self.rows:
            if sentence.index not in after:
                continue
            others = {
                self.view.hits[item.index].name for item in row if item.kind == "drug" and item.index not in self.given
            }
            for item in row:
                quantity = self.quantities[item.index] if item.kind == "amount" else None
                if quantity is None or quantity.kind != "dose" or item.index in self.owned:
                    continue
                if item.index in self.bound.wasted | self.bound.vial | self.taken_back or (
                    others and item.index not in self.bound.total
                ):
                    continue
                spans = (self._quantity_span(item.index),)
                dose = Dose(drug.name, drug.product, amount=_milligrams(quantity), evidence=spans)
                found.append(self._stated(dose, [item.index], -1, sentence.index))
        return found

    def _place(self, index: int) -> str:
        """The one joint, nerve or side that a sentence tells of, else ""."""
        levels = {item.name for hit in self.reading.levels if hit.sentence == index for item in hit.mention.items}
        sides = {hit.value for hit in self.reading.sides if hit.sentence == index}
        if len(levels) > 1 or len(sides) > 1 or "bilateral" in sides:
            return ""
        return " ".join(sorted(sides) + sorted(levels))

    # -- waste ----------------------------------------------------------------------------------------------------

    def _rest_told(self, mention: _Mention) -> bool:
        return any(
            sentence.index in range(mention.sentence, mention.sentence + _FOLLOWING + 1)
            and any(item.kind in ("waste", "rest") for item in row)
            and not any(item.kind == "no_waste" for item in row)
            for sentence, row in self.rows
        )

    def _wastes(self, sentence: Sentence, row: Sequence[Item]) -> Iterable[Waste]:
        kinds = {item.kind for item in row}
        if not kinds & {"waste", "no_waste", "whole", "multi_dose"}:
            return
        product = self._wasted_product(sentence, row)
        if product is None:
            return
        spans = tuple(
            Span(item.start, item.end, sentence.section)
            for item in row
            if item.kind in ("waste", "no_waste", "whole", "multi_dose")
        )
        if "multi_dose" in kinds:
            yield Waste("multi_dose", product, None, spans)
        if "no_waste" in kinds or ("whole" in kinds and "waste" not in kinds):
            yield Waste("none", product, None, spans)
            return
        if "waste" not in kinds:
            return
        if not kinds & {"amount", "drug", "vial", "rest"} and "not_drug" in kinds:
            return  # "the needle was discarded"
        amounts = [item.index for item in row if item.kind == "amount" and item.index in self.bound.wasted]
        if self._of_mixture(row, amounts, product):
            yield Waste("mixture", product, None, spans)
            return
        told = [amount for index in amounts if (amount := self._wasted_amount(index, product)) is not None]
        if told and all(amount == 0 for amount in told):
            yield Waste("none", product, None, spans)
        elif told:
            spans += tuple(self._quantity_span(index) for index in amounts)
            yield Waste("wasted", product, told[0], spans)
        elif "rest" in kinds and (left := self._left_in_vial(product)) is not None:
            yield Waste("wasted", product, left, spans) if left else Waste("none", product, None, spans)
        elif self._speaks_of_drug(row):
            yield Waste("unclear", product, None, spans)

    def _of_mixture(self, row: Sequence[Item], amounts: Sequence[int], product: str) -> bool:
        """True where mL of a mixture were thrown away, or what was left of it after each place had its portion."""
        kinds = {item.kind for item in row}
        mixed = any(m.product.product == product and self._partners(m) for m in self.mentions)
        if not mixed or "vial" in kinds:
            return False
        if amounts:
            figures = [self.quantities[index] for index in amounts]
            loose = not any(index in self.owned for index in amounts)
            return loose and all(figure.kind == "volume" and _number(figure) != 0 for figure in figures)
        return "rest" in kinds and bool(self.portions)

    def _speaks_of_drug(self, row: Sequence[Item]) -> bool:
        place = next(at for at, item in enumerate(row) if item.kind == "waste")
        before = [item for item in row[:place] if item.kind in ("not_drug", "drug", "amount", "rest", "vial")]
        return not before or before[-1].kind != "not_drug"

    def _wasted_product(self, sentence: Sentence, row: Sequence[Item]) -> str | None:
        """The product that a sentence about waste speaks of; None where it speaks of another drug."""
        cue = next(item for item in row if item.kind in ("waste", "no_waste", "whole", "multi_dose"))
        by_start = {mention.agent.start: mention for mention in self.mentions}
        drugs = [item for item in row if item.kind == "drug"]
        if not drugs:
            near = [m for m in self.mentions if 0 <= sentence.index - m.sentence <= _FOLLOWING]
            products = {m.product.product for m in self.mentions}
            if len(products) == 1:
                return next(iter(products))
            last = {m.product.product for m in near if m.sentence == max(n.sentence for n in near)}
            return next(iter(last)) if len(last) == 1 else None
        named = [item for item in drugs if item.start in by_start]
        before = [item for item in drugs if item.end <= cue.start]
        nearest = before[-1] if before else drugs[0]
        if nearest.start in by_start:
            return by_start[nearest.start].product.product
        name = self.view.hits[nearest.index].name
        same = {m.product.product for m in self.mentions if m.agent.name == name}
        if same:
            return next(iter(same))
        mixed = named and nearest.index in self.given  # "Kenalog 40 mg and bupivacaine 2 mL were used, 20 mg wasted"
        if mixed and any(
            item.index in self.bound.wasted and self.quantities[item.index].kind == "dose"
            for item in row
            if item.kind == "amount"
        ):
            return by_start[named[-1].start].product.product
        return None

    def _wasted_amount(self, index: int, product: str) -> Decimal | None:
        quantity = self.quantities[index]
        if quantity.kind == "dose":
            return _milligrams(quantity)
        if quantity.kind != "volume":
            return None
        for mention in self.mentions:
            if mention.product.product == product:
                strength, _ = self._strength(mention, mention.own)
                if strength is not None:
                    return _times(strength, _number(quantity))
        return None

    def _left_in_vial(self, product: str) -> Decimal | None:
        """What the vial held beyond the dose that is told with it, where the note tells both."""
        held = [
            amount
            for index in sorted(self.bound.vial)
            if self.quantities[index].kind == "dose" and (amount := _milligrams(self.quantities[index])) is not None
        ]
        used = {
            dose.amount
            for mention in self.mentions
            if mention.product.product == product
            for dose in self._of_mention(mention)
            if dose.kind in ("plain", "total") and dose.amount is not None
        }
        if len(set(held)) != 1 or len(used) != 1:
            return None
        left = held[0] - used.pop()
        return left if left >= 0 else None

    def _span(self, agent: Agent) -> Span:
        return Span(agent.start, agent.end, agent.section)

    def _quantity_span(self, index: int) -> Span:
        quantity = self.quantities[index]
        sentence = self.reading.sentences[self.items.sentence_of(quantity.start)]
        return Span(quantity.start, quantity.end, sentence.section)


def _unclear(dose: Dose) -> Dose:
    return replace(dose, kind="unclear")


def _number(quantity: Quantity) -> Decimal | None:
    """The figure of a normalised quantity; None for a range."""
    try:
        return Decimal(quantity.value.rstrip("%").split()[0])
    except (InvalidOperation, IndexError):
        return None


def _milligrams(quantity: Quantity) -> Decimal | None:
    number = _number(quantity)
    if number is None or "units" in quantity.value:
        return None
    return number / 1000 if "mcg" in quantity.value else number


def _times(strength: Decimal | None, volume: Decimal | None) -> Decimal | None:
    return None if strength is None or volume is None else strength * volume
