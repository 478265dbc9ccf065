"""Reads one numbered vertebra: "L4", "el four", "L45", "lumbar 4", "fifth lumbar", or a number without a letter."""

from __future__ import annotations

from dataclasses import dataclass, replace

from extractor.anatomy import adjacent, order
from extractor.level_tokens import LAST_NUMBER, NEXT_REGION, Lexicon

_MOST_ORDINALS = 6  # keeps the reading of hostile text linear


@dataclass(frozen=True, slots=True)
class Run:
    """Vertebrae read together. `how`: "" one alone, join (L4-5, L45), blank (L 4 5), range (L3 to S1)."""

    start: int
    end: int
    names: tuple[str, ...]
    how: str = ""
    bare: bool = False  # the first number has no letter of its own
    spaced: bool = False  # a blank stands between region and number
    worded: bool = False  # spoken: words for numbers
    after_blank: bool = False  # only a blank joins it to the run before
    spots: tuple[tuple[int, int], ...] = ()  # where each name stands, for blank runs


def valid(letter: str, number: int) -> bool:
    return 1 <= number <= LAST_NUMBER[letter]


def _following(name: str) -> tuple[str, ...]:
    """What may follow a vertebra directly (L5 is followed by S1 or L6)."""
    same = (f"{name[0]}{int(name[1:]) + 1}",) if valid(name[0], int(name[1:]) + 1) else ()
    return (*same, NEXT_REGION[name]) if name in NEXT_REGION else same


def neighbours(upper: str, lower: str) -> bool:
    """Like `adjacent`, for the C8 nerve too.

    >>> neighbours("L5", "S1"), neighbours("C7", "C8"), neighbours("L3", "L5")
    (True, True, False)
    """
    if "C8" in (upper, lower):
        return (upper, lower) in (("C7", "C8"), ("C8", "T1"))
    return adjacent(upper, lower)


def split_digits(letter: str, digits: str) -> tuple[str, ...]:
    """The vertebrae of a letter with digits: one, or several glued ones that follow each other.

    >>> split_digits("L", "4"), split_digits("L", "45"), split_digits("T", "12"), split_digits("T", "1011")
    (('L4',), ('L4', 'L5'), ('T12',), ('T10', 'T11'))
    >>> split_digits("L", "40"), split_digits("L", "345"), split_digits("L", "51"), split_digits("T", "98")
    ((), ('L3', 'L4', 'L5'), ('L5', 'S1'), ())
    """
    if valid(letter, int(digits)):
        return (f"{letter}{int(digits)}",)
    first = 2 if letter == "T" and len(digits) > 2 and digits[0] == "1" else 1
    if not valid(letter, int(digits[:first])):
        return ()
    names = [f"{letter}{digits[:first]}"]
    rest = digits[first:]
    while rest:
        onward = next((name for name in _following(names[-1]) if rest.startswith(name[1:]) and name != "L6"), None)
        if onward is None:
            return ()
        names.append(onward)
        rest = rest[len(onward) - 1 :]
    return tuple(names)


class Numbers:
    """Reads single vertebrae at a given place with the expressions of a `Lexicon`."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._x = lexicon

    def one(self, text: str, start: int) -> Run | None:
        """A region with its number: "L4", "el four", "lumbar 4", "L45"."""
        match = self._x.vertebra.match(text, start)
        if match is None:
            return None
        written = (match["letter"] or match["spoken"] or match["word"]).lower()
        letter, gap = self._x.letter_of["".join(written.split())], match["gap"]
        if match["number"]:
            if not gap or (match["letter"] is None and match["spoken"] is None and "\n" in gap):
                return None
            number = self._x.number_of[match["number"].lower()]
            names: tuple[str, ...] = (f"{letter}{number}",) if valid(letter, number) else ()
        else:
            if "\n" in gap or (match["word"] and not gap):
                return None
            names = split_digits(letter, match["digits"])
            if not self.ends(text, match.end()):
                return None
        if not names:
            return None
        spaced = " " in gap or "\n" in gap
        return Run(
            start,
            match.end(),
            names,
            "join" if len(names) > 1 else "",
            False,
            spaced,
            bool(match["number"]),
            spots=((start, match.end()),),
        )

    def ends(self, text: str, end: int) -> bool:
        """True when a written number really ends here: no decimal, no longer token but a glued level or noun."""
        after = text[end : end + 2]
        if not after or after[0] in " \n,;:)(-/*" or (after[0] in "xX" and after[1:].isdigit()):
            return True
        if after[0] == "." or after[0] == "'":
            return not after[1:].isdigit()
        if after[0].isalnum() or after[0] in "_%#$":
            glued = self._x.vertebra.match(text, end)
            return bool(glued and glued["digits"] and not glued["gap"]) or bool(self._x.glued_noun.match(text, end))
        return True

    def bare(self, text: str, start: int, hint: str) -> Run | None:
        match = self._x.number.match(text, start)
        if match is None or (match["digits"] and not self.ends(text, match.end())):
            return None
        number = int(match["digits"] or self._x.number_of[match["number"].lower()])
        region = hint[0]
        if not valid(region, number) or (region == "S" and number > 3):
            region = {"S": "L", "L": "T", "T": "C", "C": "C"}[region]
        if region == "T" and number < int(hint[1:]) - 1 and hint[0] == "T":
            region = "L"
        if not valid(region, number):
            return None
        return Run(
            start,
            match.end(),
            (f"{region}{number}",),
            bare=True,
            worded=bool(match["number"]),
            spots=((start, match.end()),),
        )

    def ordinals(self, text: str, start: int) -> list[Run]:
        x = self._x
        found: list[tuple[int, int, int]] = []
        ranged, place = False, start
        while len(found) < _MOST_ORDINALS and (match := x.ordinal.match(text, place)):
            written = match.group().lower()
            number = x.ordinal_of.get(written) or int(written[:-2])
            found.append((match.start(), match.end(), number))
            if connection := x.listing.match(text, match.end()):
                place = connection.end()
            elif connection := (x.range.match(text, match.end()) or x.dash.match(text, match.end())):
                ranged, place = True, connection.end()
            else:
                break
        if not found or (region := x.region_word.match(text, found[-1][1])) is None:
            return []
        letter = x.letter_of[region["word"].lower()]
        end = region.end()
        if x.ramus.match(text, region.start("word")):
            letter, end = "L", found[-1][1]  # "the fifth dorsal ramus": dorsal names the nerve, not the region
        elif letter == "T" and (sacral := x.region_word.match(text, end)) and sacral["word"].lower() == "sacral":
            letter, end = "S", sacral.end()  # "the first dorsal sacral foramen"
        if not all(valid(letter, number) for _, _, number in found):
            return []
        names = tuple(f"{letter}{number}" for _, _, number in found)
        if ranged:
            if len(found) != 2 or order(names[0]) >= order(names[1]):
                return []
            return [Run(start, end, names, "join" if neighbours(*names) else "range")]
        runs = [Run(s, e, (name,)) for (s, e, _), name in zip(found, names, strict=True)]
        runs[-1] = replace(runs[-1], end=end)
        return runs
