"""Letters that stand in every match of an expression: where they are missing from a text, it need not be run.

A regular expression without regard to case is slow to look for, a plain string is quick. `needed` reads an expression
and names groups of strings; of each group one stands in every match, in small letters. It is careful rather than
clever: what it does not know asks for nothing, so that the expression is run as before.

>>> needed(r"\\bno attempt (?:was|had been) made\\b")
(('no attempt was made', 'no attempt had been made'),)
>>> needed(r"\\bx(?:-?ray| +film)\\b")
(('ray', 'film'),)
>>> needed(r"\\d+ ?%|half")
(('%', 'half'),)
>>> needed(r"(?-i:\\bNS)(?=\\s+bolus)")
(('bolus',), ('NS',))
>>> needed(r"\\w+")
()

`Sought` goes further where every match begins with one of a few strings: it tries the expression only where one stands.

>>> Sought(re.compile(r"\\b(?:left|right) side\\b", re.IGNORECASE)).heads
('left side', 'right side')
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product

Needs = tuple[tuple[str, ...], ...]

_MOST_STRINGS = 24  # of one group: more are slower to look for than the expression itself
_MOST_JOINED = 8  # strings of pieces behind each other
_MOST_GROUPS = 3
_LONG = 5  # letters of a beginning that is found seldom enough
_AROUND = re.compile(r"\(\?<?[=!]")
_OPENING = re.compile(r"\((?:\?(?:P<\w+>|>|-?i?:))?")
_COUNT = re.compile(r"(?:[*+?]|\{(?P<least>\d*)(?:,\d*)?\})[+?]?")
_AT = frozenset("AbBZ")  # escapes that match a place
_WRITTEN = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v"}
# letters that match a small one without regard to case and are no capital of it
_FOLDS = (("i\u0307", "i"), ("\u0131", "i"), ("\u017f", "s"))


def folded(text: str) -> str:
    """The text in small letters, for the strings of `needed` to be looked for.

    >>> folded("Left \\u017fide")
    'left side'
    """
    small = text.lower()
    if not small.isascii():
        for letter, plain in _FOLDS:
            small = small.replace(letter, plain)
    return small


class Present(dict[str, bool]):
    """Which strings stand in one text; each is looked for once. Those with capitals must stand there as written."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text, self._folded = text, folded(text)
        # Folding only ever drops characters; and what begins with a digit is looked for by those of ASCII.
        self.searchable = text.isascii() or (len(self._folded) == len(text) and not _has_odd_digit(text))
        self._places: dict[str, list[int]] = {}

    def __missing__(self, string: str) -> bool:
        found = self[string] = string in self._searched(string)
        return found

    def _searched(self, string: str) -> str:
        return self.text if _has_capital(string) else self._folded

    def allows(self, needs: Needs) -> bool:
        """False where an expression with these needs cannot match."""
        for group in needs:  # loops, and not `all` and `any`: this is asked for every expression in every note
            for string in group:
                if self[string]:
                    break
            else:
                return False
        return True

    def places(self, strings: Iterable[str]) -> Sequence[int]:
        """Where one of the strings begins, in order. True of the text only where it is `searchable`."""
        found = [self._begins(string) for string in strings if self[string]]
        return found[0] if len(found) == 1 else sorted({place for places in found for place in places})

    def _begins(self, string: str) -> list[int]:
        found = self._places.get(string)
        if found is None:
            found = self._places[string] = []
            text = self._searched(string)
            place = text.find(string)
            while place >= 0:
                found.append(place)
                place = text.find(string, place + 1)
        return found


class Sought:
    """An expression, compiled without regard to case, that is looked for only where it may match."""

    def __init__(self, pattern: re.Pattern[str], needs: Needs = ()) -> None:
        self.pattern = pattern
        self.needs = (*needs, *needed(pattern.pattern))  # those given come first
        self.heads = heads(pattern.pattern)

    def matches(self, present: Present) -> Iterator[re.Match[str]]:
        """The matches that `finditer` finds in the text."""
        if not present.allows(self.needs):
            return
        if not self.heads or not present.searchable:
            yield from self.pattern.finditer(present.text)
            return
        end = 0
        match = self.pattern.match
        for place in present.places(self.heads):
            if place >= end and (found := match(present.text, place)):
                end = found.end()
                yield found


_UNIT = re.compile(r"\\.|\(\?P<\w+>|.", re.DOTALL)  # an escape, the name of a group, a character
_OF_CASE = ("(?i", "(?-i")


class Caseless:
    """An expression without regard to case. Over an ASCII text in small letters it is run as written, which takes less
    than half the time: `over` gives what to run, and over what; offsets are those of the text.

    >>> pattern, subject = Caseless("[LS][1-5] facets?").over("Left L4 Facet")
    >>> pattern.search(subject).span()
    (5, 13)
    """

    def __init__(self, pattern: str) -> None:
        self._any = re.compile(pattern, re.IGNORECASE)
        small = "".join(unit.lower() if len(unit) == 1 else unit for unit in _UNIT.findall(pattern))
        self._small = None if any(sign in pattern for sign in _OF_CASE) else re.compile(small)

    @property
    def pattern(self) -> str:
        """As written."""
        return self._any.pattern

    def over(self, text: str) -> tuple[re.Pattern[str], str]:
        """What to run for a text, and over what: letters beyond ASCII may have several capitals, or none."""
        return (self._small, text.lower()) if self._small and text.isascii() else (self._any, text)


class _UnknownError(Exception):
    """Syntax that is not read here."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """What a part of an expression matches: all of its strings where they are few and known, else what it needs."""

    strings: tuple[str, ...] | None
    needs: Needs = ()
    begins: tuple[str, ...] | None = None  # of what it matches, where the strings are not known

    @property
    def heads(self) -> tuple[str, ...] | None:
        """What it matches begins with one of them; an empty string where it may match a place alone."""
        return self.begins if self.strings is None else self.strings

    @property
    def all_needs(self) -> Needs:
        """With its own strings as a group."""
        return (*self.needs, *_group(self.strings))


_ANYTHING = _Piece(None)
_PLACE: tuple[str, ...] = ("",)
_NOTHING = _Piece(_PLACE)


def _has_odd_digit(text: str) -> bool:
    return any(character.isdecimal() and not character.isascii() for character in set(text))


def _has_capital(string: str) -> bool:
    return string != string.lower()


def needed(pattern: str) -> Needs:
    """Groups of strings: of each group, one stands in every text in which the expression matches, as `Present` looks
    for it. The expression is taken to be compiled without regard to case."""
    try:
        piece, end = _alternatives(pattern, 0, False)
    except (_UnknownError, IndexError):
        return ()
    if end < len(pattern):
        return ()
    return tuple(sorted(piece.all_needs, key=_worth)[:_MOST_GROUPS])


def heads(pattern: str) -> tuple[str, ...]:
    """Strings as those of `needed`: every match begins with one of them. None where they are not known, or so short
    that they stand everywhere."""
    try:
        piece, end = _alternatives(pattern, 0, False)
    except (_UnknownError, IndexError):
        return ()
    if end < len(pattern) or piece.heads is None or not all(map(_tells, piece.heads)):
        return ()
    return tuple(head for head in dict.fromkeys(piece.heads) if not any(map(head.startswith, {*piece.heads} - {head})))


def _tells(head: str) -> bool:
    return bool(head.strip()) and (len(head) > 1 or not head.isalpha() or _has_capital(head))


def _worth(group: tuple[str, ...]) -> float:
    """Little for the best groups, which are quick to look for and seldom found: few strings, of signs or long."""
    return sum(4 / len(string) if any(map(str.isalnum, string)) else 0.5 for string in group)


def _group(strings: tuple[str, ...] | None) -> Needs:
    """The strings as a group, unless they are too many or too short to tell anything."""
    if not strings or len(strings) > _MOST_STRINGS:
        return ()
    if any(not string.strip() or (len(string) == 1 and string.isalnum()) for string in strings):
        return ()
    kept = tuple(s for s in dict.fromkeys(strings) if not any(t != s and t in s for t in strings))
    return (kept,)


def _alternatives(pattern: str, at: int, cased: bool) -> tuple[_Piece, int]:
    """Branches up to the end or to a closing bracket."""
    branches = []
    while True:
        piece, at = _row(pattern, at, cased)
        branches.append(piece)
        if pattern[at : at + 1] != "|":
            return _either(branches), at
        at += 1


def _either(branches: list[_Piece]) -> _Piece:
    if len(branches) == 1:
        return branches[0]
    strings: list[str] = []
    best: list[str] = []
    known = helped = True
    for branch in branches:
        known = known and branch.strings is not None
        strings += branch.strings or ()
        groups = branch.all_needs
        helped = helped and bool(groups)
        if groups:
            chosen: tuple[str, ...] = min(groups, key=_worth)
            best += chosen
    if known and len(strings) <= _MOST_STRINGS:
        return _Piece(tuple(dict.fromkeys(strings)))
    heads = [head for branch in branches for head in branch.heads or ()]
    begins = None if any(branch.heads is None for branch in branches) else _few(heads)
    return _Piece(None, _group(tuple(best)) if helped else (), begins)


def _few(strings: Iterable[str]) -> tuple[str, ...] | None:
    """Each of them once; None where they are too many."""
    found = tuple(dict.fromkeys(strings))
    return found if len(found) <= _MOST_STRINGS else None


def _row(pattern: str, at: int, cased: bool) -> tuple[_Piece, int]:
    """Pieces behind each other, up to a bar, a closing bracket or the end."""
    strings: tuple[str, ...] | None = ("",)  # of the pieces that stand together
    needs: Needs = ()
    pieces: list[_Piece] = []
    whole = True
    while at < len(pattern) and pattern[at] not in "|)":
        piece, at = _counted(pattern, at, cased)
        joined = _joined(strings, piece.strings)
        if joined is None:
            whole = False
            needs = (*needs, *_group(strings), *piece.needs)
        strings = piece.strings if joined is None else joined
        pieces.append(piece)
    return _Piece(strings) if whole else _Piece(None, (*needs, *_group(strings)), _begins(pieces)), at


def _begins(pieces: Iterable[_Piece]) -> tuple[str, ...] | None:
    """What pieces behind each other begin with."""
    found: list[str] = []
    row = _PLACE  # what the pieces match from the first one on
    for piece in pieces:
        if piece.heads == _PLACE:
            continue
        longer = _joined(row, piece.strings, _MOST_STRINGS) if min(map(len, row)) < _LONG else None
        if longer is not None:
            row = longer
            continue
        found += filter(None, row)
        if "" not in row:
            return _few(found)
        if piece.heads is None:
            return None
        found += filter(None, piece.heads)
        if "" not in piece.heads:
            return _few(found)
        row = _PLACE
    return _few((*found, *row))


def _joined(
    before: tuple[str, ...] | None, after: tuple[str, ...] | None, most: int = _MOST_JOINED
) -> tuple[str, ...] | None:
    """Every string before every other; None where they are unknown or too many."""
    if before is None or after is None or len(before) * len(after) > most:
        return None
    return tuple(dict.fromkeys(map("".join, product(before, after))))


def _counted(pattern: str, at: int, cased: bool) -> tuple[_Piece, int]:
    """One piece with what says how often it stands."""
    piece, at = _single(pattern, at, cased)
    count = _COUNT.match(pattern, at)
    if count is None:
        return piece, at
    written = count.group().rstrip("+?") or count.group()[0]
    skipped = None if piece.heads is None else (*piece.heads, "")
    if written == "?" or written == "{0,1}":
        return _Piece(None if piece.strings is None else (*piece.strings, ""), (), skipped), count.end()
    least = int(count["least"] or 0) if written[0] == "{" else 1 if count.group()[0] == "+" else 0
    return (_Piece(None, piece.all_needs, piece.heads) if least else _Piece(None, (), skipped)), count.end()


def _single(pattern: str, at: int, cased: bool) -> tuple[_Piece, int]:
    sign = pattern[at]
    if sign == "(":
        return _bracket(pattern, at, cased)
    if sign == "[":
        return _class(pattern, at, cased)
    if sign == "\\":
        return _escape(pattern[at + 1]), at + 2
    if sign in "^$":
        return _NOTHING, at + 1
    if sign == ".":
        return _ANYTHING, at + 1
    if sign in "*+?{":
        raise _UnknownError
    return _letter(sign, cased), at + 1


def _letter(character: str, cased: bool = False) -> _Piece:
    """One character as written, or in small; beyond ASCII only such as have no capital."""
    if not character.isascii() and (character.lower() != character or character.upper() != character):
        return _ANYTHING
    return _Piece((character if cased else character.lower(),))


def _escape(character: str) -> _Piece:
    if character in _AT:
        return _NOTHING
    if character in _WRITTEN:
        return _Piece((_WRITTEN[character],))
    if character == "d":
        return _digits("0", "9")
    if character in "DsSwW":
        return _ANYTHING
    if character.isascii() and character.isalnum():
        raise _UnknownError  # a back reference, a code point
    return _letter(character)


def _digits(first: str, last: str) -> _Piece:
    """A range of digits: too many to be looked for one by one, but few to begin with."""
    if not (first + last).isascii() or not (first + last).isdecimal():
        return _ANYTHING
    return _Piece(None, (), tuple(map(str, range(int(first), int(last) + 1))))


def _bracket(pattern: str, at: int, cased: bool) -> tuple[_Piece, int]:
    around = _AROUND.match(pattern, at)
    opening = around or _OPENING.match(pattern, at)
    if opening is None or pattern[opening.end() : opening.end() + 1] == "?":
        raise _UnknownError
    turned = opening.group().startswith(("(?i", "(?-i"))  # regards case from here on, or does no more
    piece, end = _alternatives(pattern, opening.end(), opening.group() == "(?-i:" if turned else cased)
    if pattern[end] != ")":
        raise _UnknownError
    if around and "!" in opening.group():
        piece = _NOTHING
    elif around or turned:  # stands there, but not in a row with what is beside it
        piece = _Piece(None, piece.all_needs, _PLACE if around else piece.heads)
    return piece, end + 1


def _class(pattern: str, at: int, cased: bool) -> tuple[_Piece, int]:
    """A set of characters: known where it is a few written ones."""
    end = at + 1
    negated = pattern[end] == "^"
    end += negated
    members: list[_Piece] = []
    first = end
    while pattern[end] != "]" or end == first:
        if pattern[end] == "\\":
            members.append(_ANYTHING if pattern[end + 1] in "b" else _escape(pattern[end + 1]))
            end += 2
        elif pattern[end + 1] == "-" and pattern[end + 2] != "]":
            members.append(_digits(pattern[end], pattern[end + 2]))
            end += 4 if pattern[end + 2] == "\\" else 3
        else:
            members.append(_letter(pattern[end], cased))
            end += 1
    end += 1
    if negated or any(member.heads is None for member in members):
        return _ANYTHING, end
    if any(member.strings is None for member in members):
        return _Piece(None, (), _few(head for member in members for head in member.heads or ())), end
    return _Piece(tuple(dict.fromkeys(string for member in members for string in member.strings or ()))), end
