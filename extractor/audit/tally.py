"""Units of one code by the side that its modifiers tell, and the levels that they stand for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from extractor.coding.profiles import Modifiers

RIGHT, LEFT = "right", "left"
_BOTH = frozenset({RIGHT, LEFT})


@dataclass(frozen=True, slots=True)
class Tally:
    """Units with the modifier of both sides, of the right, of the left, and without any."""

    both: int = 0
    right: int = 0
    left: int = 0
    none: int = 0

    def plus(self, modifiers: Iterable[str], units: int, marks: Modifiers) -> Tally:
        """The tally with one more line in it."""
        given = set(modifiers)
        if marks.both in given or {marks.right, marks.left} <= given:
            return Tally(self.both + units, self.right, self.left, self.none)
        if marks.right in given:
            return Tally(self.both, self.right + units, self.left, self.none)
        if marks.left in given:
            return Tally(self.both, self.right, self.left + units, self.none)
        return Tally(self.both, self.right, self.left, self.none + units)

    @property
    def two_sided(self) -> bool:
        """True where modifiers tell that both sides are meant."""
        return bool(self.both or (self.right and self.left))

    @property
    def sides(self) -> frozenset[str]:
        """The sides that modifiers tell; empty where none does."""
        if self.two_sided:
            return _BOTH
        return frozenset({RIGHT} if self.right else {LEFT} if self.left else ())

    def levels(self, add_on: bool, two_sided: bool) -> int:
        """The levels that the units stand for. `two_sided`: the claim bills both sides, so that two units of an add-on
        without a side are its two sides.

        >>> Tally(both=1).levels(False, True), Tally(right=1, left=1).levels(False, True)
        (1, 1)
        >>> Tally(none=2).levels(True, True), Tally(none=2).levels(True, False)
        (1, 2)
        >>> Tally(none=2).levels(False, False), Tally(right=2).levels(True, False)
        (2, 2)
        """
        plain = (self.none + 1) // 2 if add_on and two_sided else self.none
        return self.both + max(self.right, self.left) + plain


def tallies(lines: Iterable[tuple[str, Iterable[str], int]], marks: Modifiers) -> dict[str, Tally]:
    """(code, modifiers, units) lines -> the tally of each code, in order."""
    found: dict[str, Tally] = {}
    for code, modifiers, units in lines:
        found[code] = found.get(code, Tally()).plus(modifiers, units, marks)
    return found


def bills_both_sides(found: Mapping[str, Tally]) -> bool:
    """True where any code of a claim is billed for both sides."""
    return any(tally.two_sided for tally in found.values())
