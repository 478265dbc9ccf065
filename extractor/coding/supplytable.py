"""patterns/supplies.toml: which drugs have a HCPCS code of their own, on which days, and in which units."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from string import Formatter
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from extractor.patterns import PatternFolder, Row

_PLACEHOLDERS = frozenset({"amount", "product", "per", "each", "sites"})


def _template(text: str) -> str:
    for _, name, spec, conversion in Formatter().parse(text):
        if name is not None and (name not in _PLACEHOLDERS or spec or conversion):
            raise ValueError(f"unknown placeholder {{{name}}}")
    return text


Reason = Annotated[str, AfterValidator(_template)]
Milligrams = Annotated[Decimal, Field(gt=0)]


class SupplyCode(Row):
    """A code, the mg of one unit, and the days on which it holds. `vial`: a unit is one injection of up to `per` mg."""

    code: str
    per: Milligrams
    from_: date = Field(default=date.min, alias="from")
    to: date = date.max
    vial: bool = False
    source: str

    def holds(self, day: date) -> bool:
        return self.from_ <= day <= self.to


class SupplyDrug(Row):
    """A product: the generic name of agents.csv, and the words that tell its salt or form from others of the name."""

    name: str
    product: str
    words: tuple[str, ...] = ()
    strengths: tuple[Milligrams, ...] = ()
    codes: tuple[SupplyCode, ...] = ()

    @model_validator(mode="after")
    def _one_code_a_day(self) -> SupplyDrug:
        """On no day two codes, unless the dose of the injection chooses among them."""
        for index, one in enumerate(self.codes):
            for other in self.codes[index + 1 :]:
                together = one.from_ <= other.to and other.from_ <= one.to
                if together and not (one.vial and other.vial and one.per != other.per):
                    raise ValueError(f"{self.product}: {one.code} and {other.code} hold on the same days")
        return self

    def codes_on(self, day: date | None) -> tuple[SupplyCode, ...]:
        """The codes of that day, smallest unit first; without a day the newest."""
        chosen = day if day is not None else max((code.to for code in self.codes), default=date.max)
        return tuple(sorted((code for code in self.codes if code.holds(chosen)), key=lambda code: code.per))


class Unnamed(Row):
    """A word that names no drug ("steroid"): asked, where no drug is named."""

    name: str


class NotBilled(Row):
    """What is part of the procedure, by generic name or by class, with the codes that are therefore not listed."""

    name: str = ""
    drug_class: str = ""
    codes: tuple[str, ...]
    reason: str
    source: str


class WasteModifiers(Row):
    wasted: str
    none_wasted: str
    none_wasted_from: date
    wanted_from: date
    source: str


class SupplyReasons(Row):
    given: Reason
    each: Reason
    vial: Reason
    wasted: Reason


class SupplyTable(Row):
    """The whole file.

    >>> table = SupplyTable.load(PatternFolder())
    >>> [code.code for code in table.product("triamcinolone acetonide").codes_on(None)]
    ['J3301']
    """

    source: str
    date: date
    modifiers: WasteModifiers
    reasons: SupplyReasons
    drugs: tuple[SupplyDrug, ...]
    unnamed: tuple[Unnamed, ...] = ()
    not_billed: tuple[NotBilled, ...] = ()

    @model_validator(mode="after")
    def _usual_product(self) -> SupplyTable:
        """Each product once, and for each name one that is taken where no word tells them apart."""
        products = [drug.product for drug in self.drugs]
        for product in products:
            if products.count(product) > 1:
                raise ValueError(f"product {product!r} stands twice")
        for name in {drug.name for drug in self.drugs}:
            if sum(drug.name == name and not drug.words for drug in self.drugs) != 1:
                raise ValueError(f"{name!r} needs one product without words, the usual one")
        return self

    @classmethod
    def load(cls, folder: PatternFolder) -> SupplyTable:
        """Raises PatternError when anything is wrong."""
        return folder.toml("supplies.toml", cls)

    def product(self, name: str) -> SupplyDrug:
        return next(drug for drug in self.drugs if drug.product == name)
