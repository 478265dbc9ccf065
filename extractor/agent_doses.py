"""Quantities as they stand beside a drug: concentrations, doses and volumes, in figures or in words.

`quantities` reads a stretch of text; `Quantity.value` is normalised ("half a cc" is "0.5 mL", "forty per cc" is
"40 mg/mL"). Every repetition in the expressions below is bounded, so that reading is linear in the length of the text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Literal

Kind = Literal["concentration", "dose", "volume"]

_TEENS = "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()
_ONES = {word: n for n, word in enumerate(["zero", *"one two three four five six seven eight nine".split(), *_TEENS])}
_TENS = {word: n * 10 for n, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), 2)}
_PARTS = {"half": Decimal("0.5"), "quarter": Decimal("0.25")}
NUMBER_WORDS = frozenset({*_ONES, *_TENS, *_PARTS, "hundred", "point", "oh"})

_UNITS: dict[str, tuple[Kind, str]] = {
    "mg/ml": ("concentration", "mg/mL"),
    "mcg/ml": ("concentration", "mcg/mL"),
    "per ml": ("concentration", "mg/mL"),
    "%": ("concentration", "%"),
    "mg": ("dose", "mg"),
    "mcg": ("dose", "mcg"),
    "units": ("dose", "units"),
    "ml": ("volume", "mL"),
}
UNIT_WORDS = frozenset(
    "mg mgs milligram milligrams mcg ug microgram micrograms ml mls cc ccs c"
    " milliliter milliliters millilitre millilitres percent cent units unit % /".split()
)

_ML = r"(?:mls?|ccs?|c\.?\s?c\.?|milliliters?|millilitres?)"
_MG = r"(?:mgs?|milligrams?)"
_MCG = r"(?:mcgs?|ug|micrograms?)"
_WORD = "|".join(sorted({*NUMBER_WORDS, "a", "an", "and"}, key=len, reverse=True))
_FIRST = _WORD.replace("and|", "", 1)
_THOUSANDS = r"[1-9]\d{0,2}(?:,\d{3}){1,3}(?![\d,])(?:\.\d{1,4})?"  # "4,000"; "0,125" and "1,5" are decimals
# Not the last figure of a power ("1e3", "10^3"), and not a level with an amount behind its comma ("L5,40 mg").
_NO_TAIL = r"(?<![\d.^])(?<!\d[eE])(?<!\d[eE][+-])(?<!\d\*\*)(?!(?<=[A-Za-z])\d{1,2},\d)"
_FRACTION = r"(?:\s\d{1,2}/\d{1,2}|/\d{1,2}(?:ths?|nd|rd)?)?"
_FIGURE = rf"(?:(?:{_THOUSANDS}|\d{{1,6}}(?:[.,]\d{{1,4}})?){_FRACTION}|\.\d{{1,4}})"
_QUANTITY = re.compile(
    rf"(?:{_NO_TAIL}(?P<figure>{_FIGURE})(?:\s?(?:-|to)\s?(?P<upper>{_FIGURE}))?"
    rf"|(?<![A-Za-z])(?P<words>(?:{_FIRST})(?:[\s-](?:{_WORD})){{0,5}}))"
    rf"[\s-]{{0,2}}(?:of\san?\s)?"
    rf"(?P<unit>(?:{_MG}|{_MCG})\s?(?:/|per)\s?(?:1\s?)?{_ML}|per\s{_ML}|{_MG}|{_MCG}|{_ML}|%|per\s?cent|units?)"
    r"(?![A-Za-z])",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Quantity:
    """One amount with its normalised value and its place in the text."""

    kind: Kind
    value: str
    start: int
    end: int


def quantities(text: str, start: int = 0, end: int | None = None) -> tuple[Quantity, ...]:
    """All amounts in `text[start:end]`, in order.

    >>> [q.value for q in quantities("0.5 mL of .5% and half a cc of forty per cc")]
    ['0.5 mL', '0.5%', '0.5 mL', '40 mg/mL']
    >>> [q.value for q in quantities("point two five percent, 1 1/2 cc, 80 milligrams")]
    ['0.25%', '1.5 mL', '80 mg']
    """
    found: list[Quantity] = []
    for match in _QUANTITY.finditer(text, start, len(text) if end is None else end):
        amount = _figure(match["figure"]) if match["figure"] else _words(match["words"])
        if amount is None:
            continue
        kind, unit = _unit(match["unit"])
        number = _plain(amount)
        if match["upper"] and (upper := _figure(match["upper"])) is not None:
            number = f"{number}-{_plain(upper)}"
        value = f"{number}{unit}" if unit == "%" else f"{number} {unit}"
        found.append(Quantity(kind, value, match.start(), match.end()))
    return tuple(found)


def _unit(given: str) -> tuple[Kind, str]:
    unit = given.lower()
    small = unit.startswith(("mcg", "ug", "microg"))
    if unit == "%" or unit.replace(" ", "") == "percent":
        return _UNITS["%"]
    if unit.startswith("per"):
        return _UNITS["per ml"]
    if "/" in unit or "per" in unit:
        return _UNITS["mcg/ml" if small else "mg/ml"]
    if small:
        return _UNITS["mcg"]
    if unit.startswith("mg") or unit.startswith("millig"):
        return _UNITS["mg"]
    return _UNITS["units"] if unit.startswith("unit") else _UNITS["ml"]


def _plain(amount: Decimal) -> str:
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _figure(given: str) -> Decimal | None:
    """A number in figures: "0,5", "4,000" (thousands), ".25", "1/2", "1 1/2", "1/8th"."""
    total = Decimal(0)
    try:
        for part in given.split():
            above, slash, under = part.partition("/")
            value = Decimal(above.replace(",", "" if re.fullmatch(_THOUSANDS, above) else "."))
            divisor = Decimal(under.rstrip("thsndr")) if slash else Decimal(1)
            total += value / divisor
    except (InvalidOperation, ArithmeticError):
        return None
    return total.quantize(Decimal("0.0001"))


def _words(given: str) -> Decimal | None:
    """A number in words: "point two five", "one and a half", "forty five", "one hundred twenty", "a".

    >>> _words("one and a half"), _words("point seven five"), _words("forty five"), _words("a")
    (Decimal('1.5'), Decimal('0.75'), Decimal('45'), Decimal('1'))
    """
    whole: Decimal | None = None
    digits: list[str] | None = None
    for word in re.split(r"[\s-]+", given.lower()):
        if word == "point":
            digits = []
        elif digits is not None:
            value = _ONES.get(word, 0 if word == "oh" else None)
            if value is None and word in _TENS:
                value = _TENS[word]
            if value is None:
                return None
            digits.append(str(value))
        elif word in _PARTS:
            # "one half" is a half, "one and a half" is more
            added = whole if whole is not None and "and" in given.lower().split() else Decimal(0)
            whole = added + _PARTS[word]
        elif word in _ONES or word in _TENS:
            whole = (whole or Decimal(0)) + (_ONES[word] if word in _ONES else _TENS[word])
        elif word == "hundred":
            whole = (whole or Decimal(1)) * 100
        elif word in ("a", "an") and whole is None and given.lower() in ("a", "an"):
            whole = Decimal(1)
    if digits:
        return (whole or Decimal(0)) + Decimal("0." + "".join(digits))
    return whole
