"""Where a billed code stands in the code book: which service, region and rung. No number stands here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from extractor.audit.rows import AuditTable
from extractor.coding.codebook import CodeBook
from extractor.schema import ProcedureOut

IMAGING, EPIDURAL, TRIGGER = "imaging", "epidural", "trigger_point"
GUIDED, ULTRASOUND, DENERVATION, FORAMEN = "facet_guided", "facet_ultrasound", "facet_denervation", "transforaminal"
FACET = frozenset({GUIDED, ULTRASOUND, DENERVATION})
EPIDURALS = frozenset({EPIDURAL, FORAMEN})
LADDERS = FACET | {FORAMEN}
_REGIONS = ("cervicothoracic", "lumbar")
_RUNGS = ("first", "second", "further")


@dataclass(frozen=True, slots=True)
class Place:
    """`rung` is 1 to 3 on a ladder and 0 elsewhere; `form` tells codes of one service and region apart."""

    service: str
    region: str = ""
    rung: int = 0
    form: str = ""


def _injected(item: ProcedureOut) -> bool:
    return item.technique == "injection"


# which procedures of a note a service is billed for
_DONE: Mapping[str, Callable[[ProcedureOut], bool]] = {
    GUIDED: lambda item: item.family == "facet" and _injected(item),
    ULTRASOUND: lambda item: item.family == "facet" and _injected(item),
    DENERVATION: lambda item: item.family == "facet" and item.technique in ("thermal_rf", "chemical_neurolysis"),
    FORAMEN: lambda item: item.family == "transforaminal",
    EPIDURAL: lambda item: item.family in ("interlaminar", "caudal"),
    TRIGGER: lambda item: item.family == "trigger_point",
    "sacroiliac_joint": lambda item: item.family == "sacroiliac_joint" and _injected(item),
    "sacral_block": lambda item: item.family == "sacral_lateral_branch" and _injected(item),
    "sacral_denervation": lambda item: (
        item.family in ("sacroiliac_joint", "sacral_lateral_branch") and not _injected(item)
    ),
    "prp": lambda item: item.technique == "prp",
    "unlisted": lambda item: item.technique in ("pulsed_rf", "cold_or_laser"),
}


def procedures_of(service: str, procedures: Iterable[ProcedureOut]) -> list[ProcedureOut]:
    """The procedures of a note that a service is billed for."""
    fits = _DONE.get(service)
    return [item for item in procedures if fits is not None and fits(item)]


@dataclass(frozen=True)
class Shelf:
    """The code book turned round: code -> place. `written`: the numbers that the profile writes otherwise; what other
    profiles write is known too, so that a number of another claim form is told as one.

    >>> from extractor.patterns import PatternFolder
    >>> folder = PatternFolder()
    >>> shelf = Shelf(CodeBook.load(folder), AuditTable.load(folder))
    >>> shelf.place("64494"), shelf.place("99213")
    (Place(service='facet_guided', region='lumbar', rung=2, form=''), None)
    >>> shelf.like("64494", "facet_ultrasound")
    '0217T'
    """

    book: CodeBook
    table: AuditTable
    written: Mapping[str, str] = field(default_factory=dict)

    def place(self, code: str) -> Place | None:
        """The place of a code; None for one that the code book does not list."""
        return self._places.get(code)

    def plain(self, code: str) -> str:
        """The number of the code book for one that the profile writes otherwise."""
        return self._plain.get(code, code)

    def like(self, code: str, service: str) -> str | None:
        """The code of the same region and rung in another service."""
        place = self._places.get(code)
        return self._codes.get(replace(place, service=service)) if place else None

    @cached_property
    def _plain(self) -> dict[str, str]:
        # A number that is a code of the book itself stands for itself, whatever a profile writes it for.
        every = [self.written, *(profile.replace for _, profile in sorted(self.book.profiles.items()))]
        return {
            new: old
            for written in reversed(every)  # this profile's own go before those of others
            for old, new in written.items()
            if old in self._listed and new not in self._listed
        }

    @cached_property
    def _codes(self) -> dict[Place, str]:
        return {place: code for code, place in reversed(self._places.items())}

    @cached_property
    def _places(self) -> dict[str, Place]:
        return self._listed | {new: self._listed[old] for new, old in self._plain.items()}

    @cached_property
    def _listed(self) -> dict[str, Place]:
        table = self.book.table
        places: dict[str, Place] = {}
        for service in type(table.ladders).model_fields:
            for region in _REGIONS:
                rungs = getattr(getattr(table.ladders, service), region)
                for rung, name in enumerate(_RUNGS, start=1):
                    places.setdefault(getattr(rungs, name), Place(service, region, rung))
        for region in _REGIONS:
            codes = getattr(table.epidural, region)
            places[codes.with_imaging] = Place(EPIDURAL, region, form="imaging")
            places[codes.without_imaging] = Place(EPIDURAL, region, form="no_imaging")
        single = table.single
        for service in ("sacroiliac_joint", "sacral_block", "sacral_denervation", "prp", "unlisted"):
            places[getattr(single, service)] = Place(service)
        places[single.trigger_few] = Place(TRIGGER, form="few")
        places[single.trigger_many] = Place(TRIGGER, form="many")
        for code in (*table.guidance.values(), *self.table.imaging_codes):
            places.setdefault(code, Place(IMAGING))
        return places
