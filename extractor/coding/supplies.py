"""Drug supplies: what the note says of amounts -> HCPCS lines with whole units, and what must be asked.

Only asked for by an option. Two statements of one amount are never added up: the dose of an injection told in its
title, its list of drugs and its body is one dose. Amounts are added only for places that are told apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_CEILING, Decimal

from extractor.coding.codebook import CodeBook
from extractor.coding.lines import Ask, Coding, Rejected, SupplyLine, ordered_spans
from extractor.coding.queries import questions
from extractor.coding.sitecount import SITE, Counts, counts
from extractor.coding.status import decide
from extractor.coding.supplytable import SupplyCode, SupplyDrug, SupplyTable
from extractor.records import Agent, Dose, Doses, Procedure, Span, Waste

_PACKAGED = "packaged"
_MOST = Decimal(100_000)  # mg; more is no dose
_SLACK = Decimal("0.9")  # a syringe is not emptied to the last drop
_SEVERAL = Decimal("1.5")


@dataclass(frozen=True, slots=True)
class Total:
    """The dose of one product at all places together. `each` is the dose of one of `places`, where that was told."""

    amount: Decimal
    each: Decimal | None = None
    places: int = 1


def with_supplies(
    coding: Coding,
    procedures: Sequence[Procedure],
    doses: Doses,
    table: SupplyTable,
    book: CodeBook,
    profile: str,
    day: date | None = None,
) -> Coding:
    """The coding with its drug supplies, and with the queries that they raise (review, as every open question is)."""
    done = [procedure for procedure in procedures if not procedure.discontinued]
    if not done:
        return coding
    if book.profile(profile).supplies == _PACKAGED:
        _, said = questions([Ask("supply_packaged")] if _billed(doses, table) else [], book)
        return replace(coding, warnings=(*coding.warnings, *said))
    lines, asks = supply_lines(doses, counts(done), table, day)
    queries, warnings = questions(asks, book)
    asked = (*coding.queries, *queries)
    agents = dict.fromkeys(agent for procedure in done for agent in procedure.agents)
    return replace(
        coding,
        status=decide(coding.lines, asked),
        supplies=lines,
        queries=asked,
        warnings=(*coding.warnings, *warnings),
        rejected=tuple(dict.fromkeys((*coding.rejected, *_not_billed(agents, table)))),
    )


def supply_lines(
    doses: Doses, places: Counts, table: SupplyTable, day: date | None = None
) -> tuple[tuple[SupplyLine, ...], tuple[Ask, ...]]:
    """The lines of all products in the order of the note, and what must be asked or told.

    >>> from extractor.patterns import PatternFolder
    >>> told = Dose("triamcinolone", "triamcinolone acetonide", "each", Decimal(20), noun="joint")
    >>> lines, asks = supply_lines(Doses((told,)), {"joint": 2}, SupplyTable.load(PatternFolder()))
    >>> [(line.code, line.units, line.amount) for line in lines], [ask.query for ask in asks]
    ([('J3301', 4, '40 mg')], ['supply_waste_not_stated'])
    """
    by_product: dict[str, list[Dose]] = {}
    for dose in doses.doses:
        by_product.setdefault(dose.product, []).append(dose)
    lines: list[SupplyLine] = []
    asks: list[Ask] = []
    total: Total | str
    for product, told in by_product.items():
        evidence = ordered_spans(span for dose in told for span in dose.evidence)
        if not product:
            if len(by_product) == 1:
                asks.append(Ask("missing_drug", (), evidence))
            continue
        drug = table.product(product)
        codes = drug.codes_on(day)
        if not codes:
            asks.append(Ask("supply_unlisted", (product,), evidence))
            continue
        wastes = [waste for waste in doses.wastes if waste.product in ("", product)]
        total = "dose_unclear" if any(w.kind == "mixture" for w in wastes) else total_of(told, places)
        if not isinstance(total, Total):
            asks.append(Ask(total, (product,), evidence))
            continue
        given = _given(drug, codes, total, table, evidence)
        if not given:
            asks.append(Ask("supply_code", (product,), evidence))
            continue
        marked, ask = _with_waste(given, drug, codes, total, wastes, table, day)
        lines += marked
        asks += ask
    return tuple(lines), tuple(asks)


def total_of(told: Sequence[Dose], places: Counts) -> Total | str:
    """The total of one product, or the id of the query to ask: missing_dose or dose_unclear.

    >>> one = Dose("triamcinolone", "triamcinolone acetonide", amount=Decimal(40))
    >>> total_of([one], {"site": 1}), total_of([one, one], {"site": 1}).amount, total_of([one], {"site": 2})
    (Total(amount=Decimal('40'), each=None, places=1), Decimal('40'), 'dose_unclear')
    """
    stated = [dose for dose in told if dose.amount is not None or dose.kind == "unclear"]
    if not stated:
        return "missing_dose"
    found: set[Total] = set()
    plain: list[Dose] = []
    sure = False  # a total in so many words settles what else is unclear
    doubt = False
    for dose in stated:
        if dose.amount is not None and not 0 < dose.amount <= _MOST:
            return "dose_unclear"
        if dose.amount is None or dose.kind == "unclear":
            doubt = True
        elif dose.kind == "plain":
            plain.append(dose)
        elif dose.kind == "total":
            found.add(Total(dose.amount))
            sure = True
        elif dose.kind == "each":
            number = _number(dose, places)
            if number is None:
                doubt = True
            else:
                found.add(Total(dose.amount * number, dose.amount, number))
        elif _holds_all(dose, places):
            found.add(Total(dose.amount))
        else:
            doubt = True
    if doubt and not sure:
        return "dose_unclear"
    if not found:
        return _of_plain(plain, places.get(SITE))
    if len({total.amount for total in found}) > 1:
        return "dose_unclear"
    best = max(found, key=lambda total: (total.each is not None, total.places))
    fitting = {best.amount, *(total.each for total in found)}
    if best.each is None and (number := places.get(SITE)):
        fitting.add(best.amount / number)
    return best if all(dose.amount in fitting for dose in plain) else "dose_unclear"


def _number(dose: Dose, places: Counts) -> int | None:
    """How many places "each" stands for; None where the note and the procedures do not agree, or do not say."""
    known = places.get(dose.noun)
    if dose.count:
        return dose.count if known is None or known == dose.count else None
    return known or None


def _holds_all(dose: Dose, places: Counts) -> bool:
    """True where the mixture is large enough for all portions that were taken from it: so its dose is the total."""
    if dose.portion is None:
        return True
    if dose.mixed is None:
        return False
    number = _number(dose, places)
    return dose.mixed >= (dose.portion * number * _SLACK if number else dose.portion * _SEVERAL)


def _of_plain(plain: Sequence[Dose], number: int | None) -> Total | str:
    """Amounts without "each" or "total": clear for one place, or where every place is told with its own."""
    amounts = {dose.amount for dose in plain if dose.amount is not None}
    if number == 1 and len(amounts) == 1:
        return Total(amounts.pop())
    by_place: dict[str, set[Decimal]] = {}
    for dose in plain:
        if dose.amount is not None:
            by_place.setdefault(dose.place, set()).add(dose.amount)
    told = "" not in by_place and all(len(values) == 1 for values in by_place.values())
    if number is None or number == 1 or not told or len(by_place) != number:
        return "dose_unclear"
    parts = [value for values in by_place.values() for value in values]
    return Total(sum(parts, Decimal(0)), parts[0] if len(amounts) == 1 else None, number)


def _given(
    drug: SupplyDrug, codes: Sequence[SupplyCode], total: Total, table: SupplyTable, evidence: tuple[Span, ...]
) -> list[SupplyLine]:
    """The lines for what was given; none where no code fits the dose."""
    if not codes[0].vial:
        code = codes[0]
        reasons = table.reasons
        template = reasons.each if total.each is not None and total.places > 1 else reasons.given
        reason = template.format(
            amount=_mg(total.amount),
            product=drug.product,
            per=_plain(code.per),
            each=_plain(total.each or total.amount),
            sites=total.places,
        )
        return [_line(code, units(total.amount, code.per), drug, total.amount, reason, evidence)]
    chosen = _vials(total, codes)
    return [
        _line(
            code,
            number,
            drug,
            number * code.per,
            table.reasons.vial.format(amount=_mg(number * code.per), product=drug.product, per=_plain(code.per)),
            evidence,
        )
        for code, number in chosen
    ]


def _vials(total: Total, codes: Sequence[SupplyCode]) -> list[tuple[SupplyCode, int]]:
    """One code for each injection where its dose is one of theirs; else the fewest that make up the total exactly."""
    for code in codes:
        if total.each == code.per:
            return [(code, total.places)]
    left = total.amount
    chosen: list[tuple[SupplyCode, int]] = []
    for code in reversed(codes):
        number = int(left // code.per)
        if number:
            chosen.append((code, number))
            left -= number * code.per
    return chosen if left == 0 else []


def units(amount: Decimal, per: Decimal) -> int:
    """Whole units, begun ones counted.

    >>> units(Decimal(32), Decimal(10)), units(Decimal(40), Decimal(10))
    (4, 4)
    """
    return int((amount / per).to_integral_value(ROUND_CEILING))


def _with_waste(
    given: Sequence[SupplyLine],
    drug: SupplyDrug,
    codes: Sequence[SupplyCode],
    total: Total,
    wastes: Sequence[Waste],
    table: SupplyTable,
    day: date | None,
) -> tuple[list[SupplyLine], list[Ask]]:
    """The lines with the modifiers that the documented waste asks for, and a line for the units thrown away."""
    marks = table.modifiers
    evidence = ordered_spans(span for waste in wastes for span in waste.evidence)
    kinds = {waste.kind for waste in wastes}
    if "multi_dose" in kinds:
        return list(given), []
    if not kinds:
        wanted = day is None or day >= marks.wanted_from
        return list(given), [Ask("supply_waste_not_stated")] if wanted else []
    amounts = {waste.amount for waste in wastes if waste.kind == "wasted"}
    if kinds == {"none"}:
        if day is not None and day < marks.none_wasted_from:
            return list(given), []
        return [_marked(line, marks.none_wasted, evidence) for line in given], []
    amount = next(iter(amounts), None)
    if kinds - {"wasted", "unclear"} or len(amounts) != 1 or amount is None or codes[0].vial:
        return list(given), [Ask("supply_waste_unclear")]
    code = codes[0]
    more = units(total.amount + amount, code.per) - units(total.amount, code.per)
    if more <= 0:  # less than one unit: its unit is on the line already
        return list(given), []
    reason = table.reasons.wasted.format(amount=_mg(amount), product=drug.product)
    return [*given, _marked(_line(code, more, drug, amount, reason, evidence), marks.wasted, ())], []


def _line(
    code: SupplyCode, number: int, drug: SupplyDrug, amount: Decimal, reason: str, evidence: tuple[Span, ...]
) -> SupplyLine:
    return SupplyLine(code.code, number, (), drug.name, _mg(amount), reason, evidence)


def _marked(line: SupplyLine, modifier: str, evidence: tuple[Span, ...]) -> SupplyLine:
    return replace(line, modifiers=(modifier,), evidence=ordered_spans((*line.evidence, *evidence)))


def _billed(doses: Doses, table: SupplyTable) -> bool:
    return any(dose.product and table.product(dose.product).codes for dose in doses.doses)


def _not_billed(agents: Iterable[Agent], table: SupplyTable) -> list[Rejected]:
    """The codes of drugs that are part of the procedure, with the reason."""
    found = list(agents)
    return [
        Rejected(code, row.reason)
        for row in table.not_billed
        if any(agent.name == row.name or (row.drug_class and agent.drug_class == row.drug_class) for agent in found)
        for code in row.codes
    ]


def _plain(amount: Decimal) -> str:
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _mg(amount: Decimal) -> str:
    return f"{_plain(amount)} mg"
