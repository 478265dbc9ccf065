"""The billed lines of one service held against what the note supports of it: the causes of what does not fit.

Only causes are told: where right and left were billed as levels, the further level is no finding of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from extractor.audit.claims import Billed
from extractor.audit.models import FindingKind, Verdict
from extractor.audit.rows import AuditTable
from extractor.audit.shelf import LADDERS, Shelf, procedures_of
from extractor.audit.tally import LEFT, RIGHT, Tally, bills_both_sides, tallies
from extractor.coding.codetable import Code
from extractor.coding.profiles import Profile
from extractor.schema import ClaimLine, CodeLine, CodingResult


@dataclass(frozen=True, slots=True)
class Cause:
    """A finding before it gets its words: `lines` are numbers of billed lines."""

    kind: FindingKind
    lines: tuple[int, ...]
    values: Mapping[str, object] = field(default_factory=dict)
    reason: str = ""  # the name of another reason than that of the kind


@dataclass(frozen=True)
class Service:
    """One service of one note: its billed lines (with the codes of the code book) and what the note supports."""

    name: str
    billed: tuple[Billed, ...]
    expected: tuple[ClaimLine, ...]
    lines: tuple[CodeLine, ...]
    result: CodingResult
    shelf: Shelf
    table: AuditTable
    profile: Profile

    @cached_property
    def have(self) -> dict[str, Tally]:
        """What is billed, by code."""
        return tallies(((item.code, item.modifiers, item.units) for item in self.billed), self.shelf.book.modifiers)

    @cached_property
    def want(self) -> dict[str, Tally]:
        """What the note supports, by code."""
        lines = ((self.shelf.plain(item.code), item.modifiers, item.units) for item in self.expected)
        return tallies(lines, self.shelf.book.modifiers)

    def row(self, code: str) -> Code:
        """The code book's row."""
        return self.shelf.book.code(code)

    def levels(self, code: str) -> int:
        """Levels billed with a code."""
        return self.levels_of(code, self.have.get(code, Tally()))

    def levels_of(self, code: str, tally: Tally) -> int:
        """The levels that some billed units of a code stand for."""
        if tally == self.want.get(code):
            return self.supported(code)
        if self._each_its_own(code, tally):
            return tally.right + tally.left
        return tally.levels(self.row(code).add_on, bills_both_sides(self.have))

    def _each_its_own(self, code: str, tally: Tally) -> bool:
        """True where right and left are billed as a first level each, and are two joints, on one side each."""
        if code not in self.want or self.row(code).add_on or not (tally.right and tally.left):
            return False
        return {"right", "left"} <= {line.side for line in self.lines} and self.want.get(code, Tally()).sides < {
            "right",
            "left",
        }

    def supported(self, code: str) -> int:
        """Levels of a code that the note supports."""
        return self.want.get(code, Tally()).levels(self.row(code).add_on, bills_both_sides(self.want))

    @cached_property
    def codes(self) -> tuple[str, ...]:
        """All codes, billed or supported, in order."""
        return tuple(sorted({*self.have, *self.want}))

    @cached_property
    def over(self) -> tuple[str, ...]:
        """Codes with more levels than the note supports."""
        return tuple(code for code in self.codes if self.levels(code) > self.supported(code))

    @cached_property
    def under(self) -> tuple[str, ...]:
        """Codes with fewer levels than the note supports."""
        return tuple(code for code in self.codes if self.levels(code) < self.supported(code))

    @cached_property
    def count_billed(self) -> int:
        return sum(map(self.levels, self.codes))

    @cached_property
    def count_supported(self) -> int:
        return sum(map(self.supported, self.codes))

    @cached_property
    def sided_levels(self) -> int:
        """Levels counted for each side of its own, as they must not be."""
        return sum(max(1, len(line.joints)) * (2 if line.side == "bilateral" else 1) for line in self.lines)

    @cached_property
    def two_sided_note(self) -> bool:
        return any(line.side == "bilateral" for line in self.lines)

    @cached_property
    def nerves(self) -> tuple[int, int]:
        """Nerves of the note on the side with more of them, and on both sides together."""
        sites = [site for item in procedures_of(self.name, self.result.procedures) for site in item.nerves]
        sided = {
            side: {site.site for site in sites if site.side in (side, "bilateral", "unspecified")}
            for side in ("right", "left")
        }
        return max(map(len, sided.values())), sum(map(len, sided.values()))

    def numbers(self, codes: Iterable[str]) -> tuple[int, ...]:
        """Numbers of the billed lines with these codes."""
        wanted = set(codes)
        return tuple(item.line for item in self.billed if item.code in wanted)

    def values(self) -> dict[str, object]:
        """What the words of a reason may name."""
        return {"levels": self.count_supported, "billed": self.count_billed}


def causes(service: Service) -> tuple[list[Cause], set[str]]:
    """What is wrong with the lines of a service, cause by cause, and the codes that a cause about another region or
    rung explains (they fit nothing)."""
    found = _counts(service)
    astray = {code for code in service.over if not service.supported(code)} if _regions(service) else set()
    if any(cause.kind == "bilateral_as_levels" for cause in found):
        return found, astray  # the sides were billed as levels: neither sides nor form are faults of their own
    odd = _odd_sides(service)
    sides = _sides(service, odd)
    if sides and _side_for_level(service):
        found = [cause for cause in found if cause.kind != "fewer_levels"]
    found += sides
    unbilled = _unbilled_sides(service)
    if unbilled:
        found.append(Cause("fewer_levels", (), {"codes": ", ".join(map(claimed, unbilled))}))
    form = _form(service, set(service.numbers(odd)))
    if form and not any(set(form.lines) <= set(cause.lines) for cause in found):
        found.append(form)
    return found, astray


def _regions(service: Service) -> bool:
    """True where the codes are those of another region, or of another rung across the thoracolumbar junction."""

    def places(codes: Iterable[str]) -> Counter[str]:
        return Counter(place.region for code in codes if (place := service.shelf.place(code)) for _ in range(1))

    if service.name not in LADDERS and service.name != "epidural":
        return False
    have, want = places(service.have), places(service.want)
    if not service.over or not want:
        return False
    if have.keys().isdisjoint(want.keys()):
        return True
    if service.count_billed != service.count_supported:
        return False
    return len(have | want) > 1


def _counts(service: Service) -> list[Cause]:
    if _regions(service):
        codes = ", ".join(code for code in service.want)
        found = [Cause("wrong_region", service.numbers(service.over), {"codes": codes}), *_other_side(service)]
        if service.count_billed > service.count_supported:
            found.append(Cause(_why_more(service), service.numbers(service.over), service.values()))
        elif service.count_billed < service.count_supported:
            found.append(Cause("fewer_levels", (), {"codes": ", ".join(service.under)}))
        return found
    if service.over:
        units = _day_units(service)
        if units:
            return [Cause("third_level", service.numbers(units), {}, "third_level_units")]
        if service.count_billed > service.count_supported or _first_again(service):
            return [Cause(_why_more(service), service.numbers(service.over), service.values())]
        if service.count_billed == service.count_supported:
            return [Cause("extra_level", service.numbers(service.over), service.values())]
    if service.under:
        return [Cause("fewer_levels", (), {"codes": ", ".join(service.under)})]
    return []


def _other_side(service: Service) -> list[Cause]:
    """The other side billed with codes of another region."""
    billed = frozenset[str]().union(*(tally.sides for tally in service.have.values()))
    noted = frozenset[str]().union(*(_noted(service, code) for code in service.want))
    if not billed or not noted or billed & noted:
        return []
    return [Cause("wrong_side", service.numbers(service.have), {"sides": ", ".join(sorted(noted))})]


def _day_units(service: Service) -> list[str]:
    """Codes that are one unit a day and billed more often."""
    if service.profile.third_level == "each":
        return []
    return [code for code in service.over if service.row(code).units == "day" and service.supported(code)]


def _first_again(service: Service) -> bool:
    """True where the first level is billed for a further one as well."""
    return any(not service.row(code).add_on and service.supported(code) for code in service.over)


def _why_more(service: Service) -> FindingKind:
    """Why more levels are billed than the note supports."""
    extra = [service.have[code] for code in service.over]
    one_sided = not any(tally.two_sided for tally in extra)
    unsaid = not any(tally.sides for tally in service.have.values())
    first = [code for code in service.over if not service.row(code).add_on and service.supported(code)]
    repeated = _repeated(service)
    most, all_ = service.nerves
    billed = service.count_billed
    differing = len({line.side for line in service.lines}) > 1
    if service.two_sided_note or differing:
        if first and all(not service.have[code].both for code in first):
            unsided = all(not service.have[code].sides and service.row(code).side_modifiers for code in first)
            if not repeated or unsided:
                return "bilateral_as_levels"
    if repeated:
        return "duplicate_line"
    if any(_doubled(service, code) for code in service.over):
        return "wrong_modifiers"
    if service.two_sided_note and _each_side_a_level(service):
        return "bilateral_as_levels"
    two_sided_units = bills_both_sides(service.have) and any(
        service.row(code).add_on and service.have[code].none > 1 for code in service.over
    )
    if service.two_sided_note and one_sided and not two_sided_units and billed <= service.sided_levels:
        if unsaid or most != billed or any(tally.sides for tally in extra):
            return "bilateral_as_levels"
    named = service.count_supported + len(_only_named(service))
    if named < billed or not _only_named(service):
        if (service.name not in LADDERS and most > 1) or most >= billed or (all_ == billed and all_ > most):
            return "nerves_as_levels"
    return "extra_level"


def _only_named(service: Service) -> set[str]:
    """Joints next to those that were done which the note names as planned or denied only: more likely billed than
    nerves that were counted as levels."""
    done = {joint for line in service.lines for joint in line.joints}
    named = {
        entity.value
        for entity in service.result.entities
        if entity.label == "Level" and entity.assertion in {"planned", "negated"} and "," not in entity.value
    }
    ends = {end for joint in done for end in joint.split("-")}
    return {joint for joint in named - done if ends & set(joint.split("-"))}


def _doubled(service: Service, code: str) -> bool:
    """True where the modifier of both sides is billed with two units, one for each side."""
    is_form = bool(service.supported(code)) and service.row(code).units != "joint"
    return is_form and service.have[code].both == 2 * service.want[code].both > 0


def _each_side_a_level(service: Service) -> bool:
    """True where as many units are billed as there are joints on the right and on the left, and the first level for
    one side alone: "64493-RT, 64494-LT, 64495-RT, 64495-LT" for two joints on both sides."""
    tallies_ = service.have.values()
    units = sum(tally.right + tally.left + tally.none for tally in tallies_)
    first = [tally for code, tally in service.have.items() if not service.row(code).add_on]
    return (
        units == service.sided_levels
        and not any(tally.both for tally in tallies_)
        and all(not tally.two_sided for tally in first)
    )


def _repeated(service: Service) -> bool:
    """True where the same line stands twice and once would be enough."""
    rows = Counter((item.code, frozenset(item.modifiers)) for item in service.billed)
    twice = {code for (code, _), count in rows.items() if count > 1}
    once = {(item.code, frozenset(item.modifiers)): item for item in service.billed}
    kept = tallies(((item.code, item.modifiers, item.units) for item in once.values()), service.shelf.book.modifiers)
    two_sided = bills_both_sides(kept)
    return any(
        code in twice
        and code in service.want
        and kept[code].levels(service.row(code).add_on, two_sided) <= service.supported(code)
        for code in service.over
    )


def _odd_sides(service: Service) -> list[str]:
    """Codes billed for other sides than those of the note."""
    judged = [code for code in service.codes if code in service.have and code in service.want]
    odd = [
        code
        for code in judged
        if service.have[code].sides and _noted(service, code) and service.have[code].sides != _noted(service, code)
    ]
    have = sorted(sorted(service.have[code].sides) for code in judged)
    want = sorted(sorted(_noted(service, code)) for code in judged)
    if have == want and not service.over and not service.under:
        return []  # which of two joints comes first is free: right first and left second, or the other way round
    return odd


def _sides(service: Service, odd: Sequence[str]) -> list[Cause]:
    """Lines billed for a side that is none of the note's."""
    wrong = [item.line for item in service.billed if item.code in odd and not _of_noted_side(service, item)]
    if not wrong:
        return []
    noted = sorted({line.side for line in service.lines})
    return [Cause("wrong_side", tuple(wrong), {"sides": ", ".join(noted)})]


def _of_noted_side(service: Service, item: Billed) -> bool:
    """True for a line whose own side, if it has one, is among those of the note."""
    own = Tally().plus(item.modifiers, item.units, service.shelf.book.modifiers)
    return own.sides <= _noted(service, item.code)


def _unbilled_sides(service: Service) -> list[ClaimLine]:
    """The other side of codes of which the note supports both sides and one is billed."""
    marks = service.shelf.book.modifiers
    short: list[ClaimLine] = []
    for code in _odd_sides(service):
        lacking = _noted(service, code) - service.have[code].sides
        if code in service.under or not service.have[code].sides < _noted(service, code):
            continue
        for mark in [mark for side, mark in ((RIGHT, marks.right), (LEFT, marks.left)) if side in lacking]:
            lines = [item for item in service.expected if service.shelf.plain(item.code) == code]
            short += [item for item in lines if mark in item.modifiers] or [_for_side(item, mark) for item in lines[:1]]
    return short


def _for_side(item: ClaimLine, mark: str) -> ClaimLine:
    """The half of a line for both sides."""
    return ClaimLine(code=item.code, modifiers=[mark])


def _side_for_level(service: Service) -> bool:
    """True where both sides of one level are billed for two levels of one side, as "64493-50" must not be."""
    return service.count_supported == sum(2 * tally.both for tally in service.have.values()) and not service.over


def _noted(service: Service, code: str) -> frozenset[str]:
    """The sides of a code in the note; empty where the note tells none or the code has none."""
    row = service.row(code)
    sides = {line.side for line in service.lines if line.code == code}
    if not row.side or not row.side_modifiers or "unspecified" in sides:
        return frozenset()
    return frozenset({"right", "left"} if "bilateral" in sides else sides)


def _form(service: Service, wrong_sides: set[int]) -> Cause | None:
    """Lines whose codes and sides are right and that are written otherwise than the profile asks."""
    odd: list[int] = []
    wanted = dict.fromkeys(service.want)
    swapped = not wrong_sides and not service.over and not service.under and _swapped(service)
    for code in service.codes:
        if code in service.over or code in service.under or code not in service.have or swapped:
            continue
        free = service.row(code).side and (not service.row(code).side_modifiers or _unsaid(service, code))
        if service.have[code] != service.want[code] and not free:
            odd += [number for number in service.numbers([code]) if number not in wrong_sides]
    odd += [item.line for item in service.billed if _misused(service, item)]
    if not odd:
        return None
    marks = ", ".join(claimed(item) for item in service.expected if service.shelf.plain(item.code) in wanted)
    return Cause("wrong_modifiers", tuple(sorted(set(odd))), {"codes": marks})


def _swapped(service: Service) -> bool:
    """True where the tallies only belong to other rungs: right first and left second, or the other way round."""

    def units(found: dict[str, Tally]) -> list[tuple[int, ...]]:
        return sorted((tally.both, tally.right, tally.left, tally.none) for tally in found.values())

    return units(service.have) == units(service.want)


def _unsaid(service: Service, code: str) -> bool:
    return any(line.side == "unspecified" for line in service.lines if line.code == code)


def _misused(service: Service, item: Billed) -> bool:
    """True for a modifier that such a line never carries."""
    given, marks = set(item.modifiers), service.table.modifiers
    stopped = any(procedure.discontinued for procedure in service.result.procedures)
    if given & marks.stopped and not stopped and not service.result.queries:
        return True
    if not service.row(item.code).add_on:
        return False
    regions = {place.region for code in service.have if (place := service.shelf.place(code))}
    alone = len(regions) == 1 and len(service.result.procedures) == 1
    return bool(given & marks.never_add_on or (alone and given & marks.distinct))


def claimed(item: ClaimLine) -> str:
    """A claim line in one word: 64494-RT x2."""
    return "-".join((item.code, *item.modifiers)) + (f" x{item.units}" if item.units > 1 else "")


def verdicts(service: Service, found: Sequence[Cause], astray: set[str]) -> dict[int, Verdict]:
    """The verdict on each billed line of a service that the note supports at all."""
    told: dict[int, Verdict] = {}
    for code in service.have:
        rows = [item for item in service.billed if item.code == code]
        kept = Tally()
        for item in sorted(rows, key=lambda item: not _of_noted_side(service, item)):
            more = kept.plus(item.modifiers, item.units, service.shelf.book.modifiers)
            if code in astray:
                told[item.line] = "unsupported"
            elif code in service.over and (len(rows) == 1 or service.levels_of(code, more) > service.supported(code)):
                told[item.line] = "overcoded"
            else:
                told[item.line] = "supported"
                kept = more
    for cause in found:
        if cause.kind == "wrong_side":
            for item in service.billed:
                if item.line in cause.lines:
                    more_sides = service.have[item.code].sides > _noted(service, item.code)
                    told[item.line] = "overcoded" if more_sides else "unsupported"
    return told


def missing(service: Service, found: Sequence[Cause]) -> list[ClaimLine]:
    """Supported lines that are not billed."""
    short = [item for item in service.expected if service.shelf.plain(item.code) in service.under]
    short = [item for item in short if service.shelf.plain(item.code) not in service.have] or short
    if any(cause.kind == "bilateral_as_levels" for cause in found):
        return short  # the other side is billed, as a level
    return short + _unbilled_sides(service)
