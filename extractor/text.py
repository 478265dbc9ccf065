"""Text as given -> a clean view for reading, with a map back. The text as given is sacred: results point into it.

The clean view has "\\n" for every line end and no blanks before it, plain blanks for odd ones, "-" for every dash,
straight quotes, and no invisible characters (zero width, soft hyphen, NUL). A fraction such as a single-character half
becomes three characters.
"""

from __future__ import annotations

import re
import unicodedata
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spacy.tokens import Doc

_DASHES = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d\u2043\u00ac"), "-")
_BLANKS = dict.fromkeys(
    map(
        ord,
        "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000\t\x0b\x1f",
    ),
    " ",
)
_LINES = dict.fromkeys(map(ord, "\x0c\x1c\x1d\x1e\x85\u2028\u2029"), "\n")
_QUOTES = dict.fromkeys(map(ord, "\u2018\u2019\u201a\u201b\u2032\u00b4\u0060"), "'") | dict.fromkeys(
    map(ord, "\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb"), '"'
)
_GONE = dict.fromkeys(
    map(
        ord,
        "\x00\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\u2061\u2062\u2063\u2064\ufeff\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069",
    ),
    "",
)
# An expression without regard to case takes these for an i, but no table of words does: İ and ı of a Turkish keyboard.
_LETTERS = {ord("\u0130"): "I", ord("\u0131"): "i", ord("\u2044"): "/", ord("\u00d7"): "x"}
_TABLE: dict[int, str] = {**_DASHES, **_BLANKS, **_LINES, **_QUOTES, **_GONE, **_LETTERS}
_CONTROL = {n: " " for n in range(32) if chr(n) not in "\n\r" and n not in _TABLE} | {127: " "}
_TABLE |= _CONTROL


_LINE_ENDS, _IDLE = "\r\n" + "".join(map(chr, _LINES)), " " + "".join(map(chr, _BLANKS))
_DOUBLED = re.compile(r"  (?<=\S  )(?=\S)")  # begins with its blanks: so it is looked for as a string
_WRAP = re.compile(r"\n(?<=[^\n.:;!?|]{40}\n)(?=[a-z0-9(])")
_RUN = re.compile(r"[^\w\s]{60}")  # no writing: a run of signs that would make one endless word
_RUN_STEP = 20  # of every so many characters of a text, a run holds three in a row
_MAYBE_RUN = re.compile(r"[^\w\s]{3}")
_MANY = 1 << 15  # offsets that are kept ready
_FEW_LINES = 4  # fewer say nothing of how a text was wrapped
_OWN_BREAKS = 0.8  # share of line breaks that no editor would have made
WIDEST_WRAP = 100  # no editor wraps lines at more characters than this
_TYPED = 0.5  # share of lines that begin without a capital in a note whose writer uses none
_FEW_WORDS = 6  # a line of no more words may be a row of columns
_DIGEST = 16
_BRACKETS = re.compile(r"\([^()\n]{3,120}\)")


def brackets(text: str) -> list[tuple[int, int]]:
    """Stretches in round brackets on one line: what stands there is said aside.

    >>> brackets("R MBB #2 (1st 3/11: 85% x 5h)")
    [(9, 29)]
    """
    return [match.span() for match in _BRACKETS.finditer(text)]


def text_digest(text: str) -> str:
    """The first 16 hexadecimal digits of the SHA-256 of the text as given, in UTF-8, for the result's `versions`.

    It has no key: whoever has a text can find out whether a result is of it. See docs/threat-model.md.

    >>> text_digest("Left L4-5 facet joint injection.")
    '2f318d1122b2ebe3'
    """
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGEST]


@dataclass(frozen=True, slots=True)
class CleanText:
    """`text` is the clean view; `span(start, end)` gives the offsets in the text as given."""

    text: str
    given: str
    _map: array[int] | None  # clean offset -> given offset, one more than characters; None when they are the same

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Offsets of a clean stretch in the text as given.

        >>> note = clean("L4\\u200b\\u20135\\r\\nfacet")
        >>> note.text
        'L4-5\\nfacet'
        >>> note.given[slice(*note.span(0, 4))]
        'L4\\u200b\\u20135'
        """
        if self._map is None:
            return start, end
        first = self._map[start]
        last = self._map[end - 1] + 1 if end > start else first
        return first, last

    def seen_as(self, view: Callable[[str], str]) -> CleanText:
        """The same text as given with another clean view, which `view` makes of this one without changing its length.

        >>> clean("a b").seen_as(str.upper).text
        'A B'
        """
        text = view(self.text)
        return self if text is self.text else CleanText(text, self.given, self._map)

    def rewritten(self, edits: Sequence[tuple[int, int, str]]) -> CleanText:
        """The same text as given, with (start, end, new) stretches of the clean view replaced, in order and apart.

        >>> note = clean("can a log").rewritten([(0, 9, "kenalog")])
        >>> note.text, note.span(0, 7)
        ('kenalog', (0, 9))
        """
        if not edits:
            return self
        old = self._map if self._map is not None else _first_offsets(len(self.text) + 1)
        pieces: list[str] = []
        offsets = array("I")
        place = 0
        for start, end, new in edits:
            pieces += (self.text[place:start], new)
            offsets.extend(old[place:start])
            first, last = old[start], old[end - 1]
            offsets.extend(min(first + index, last) for index in range(len(new) - 1))
            offsets.extend((last,) if new else ())
            place = end
        pieces.append(self.text[place:])
        offsets.extend(old[place : len(self.text) + 1])
        return CleanText("".join(pieces), self.given, offsets)


def clean(given: str) -> CleanText:
    """The clean view of a text. Linear in its length.

    >>> clean("plain").text
    'plain'
    >>> clean("1\\u00bd mL").text
    '1 1/2 mL'
    """
    dropped = _idle_blanks(given)
    if not dropped and given.isascii() and given.isprintable():
        return CleanText(given, given, None)
    table = _table_for(given)
    if "\r" not in given and _one_for_one(given, table):
        text = given.translate(table)
        return _less(text, given, dropped) if dropped else CleanText(text, given, None)
    doubled = set(dropped)
    pieces: list[str] = []
    offsets = array("I")
    previous = ""
    for index, character in enumerate(given):
        if index in doubled:
            new = ""
        elif character == "\r":
            new = "" if given[index + 1 : index + 2] == "\n" else "\n"
        else:
            new = table.get(ord(character), character)
            if len(new) > 1 and previous.isdigit():
                new = " " + new
        pieces.append(new)
        offsets.extend([index] * len(new))
        previous = character
    offsets.append(len(given))
    return CleanText("".join(pieces), given, offsets)


def _one_for_one(given: str, table: dict[int, str]) -> bool:
    """True where the table makes one character of every character of the text: in ASCII, NUL alone goes."""
    if given.isascii():
        return "\x00" not in given
    return all(len(table.get(ord(character), character)) == 1 for character in set(given))


def _less(text: str, given: str, dropped: list[int]) -> CleanText:
    """The text without the characters at some offsets."""
    pieces: list[str] = []
    offsets = array("I")
    every = _first_offsets(len(text))
    place = 0
    for index in (*dropped, len(text)):
        pieces.append(text[place:index])
        offsets.extend(every[place:index])
        place = index + 1
    offsets.append(len(text))
    return CleanText("".join(pieces), given, offsets)


def _first_offsets(count: int) -> array[int]:
    """The numbers from 0 on, at least so many: for all notes but the longest they are made once."""
    return _offsets() if count <= _MANY else array("I", range(count))


@lru_cache(maxsize=1)
def _offsets() -> array[int]:
    return array("I", range(_MANY))


def _idle_blanks(given: str) -> list[int]:
    """The blanks at the end of lines, and the second of two blanks between words, which would keep phrases from
    matching; in order.

    Lines with wider gaps and short lines without a full stop may be columns and stay as they are.

    >>> _idle_blanks("The L4-5  joint was  not injected."), _idle_blanks("Right  Left"), _idle_blanks("Left: \\nL4-5")
    ([9, 20], [], [5])
    """
    found: list[int] = []
    tails = " \n" in given or " \r" in given or "\t" in given or not given.isascii()
    if not tails and "  " not in given:
        return found
    start = 0
    for line in given.splitlines(keepends=True):
        if "  " in line and _is_running(line):
            found += [start + match.end() - 1 for match in _DOUBLED.finditer(line)]
        body = line.rstrip(_LINE_ENDS) if tails else line
        if body != line:
            found += range(start + len(body.rstrip(_IDLE)), start + len(body))
        start += len(line)
    return found


def _is_running(line: str) -> bool:
    """True for a line of prose, which holds no columns."""
    line = line.strip()
    return "   " not in line and (line.endswith(".") or len(line.split(None, _FEW_WORDS)) > _FEW_WORDS)


def _table_for(given: str) -> dict[int, str]:
    """The fixed table and, for the characters of this text, their compatibility forms (ligatures, full width,
    fractions)."""
    if given.isascii():
        return _TABLE
    table = dict(_TABLE)
    for character in set(given):
        if "\ud800" <= character <= "\udfff":
            table[ord(character)] = "\ufffd"  # half a character, which no library takes
            continue
        if ord(character) > 127 and ord(character) not in table:
            form = unicodedata.normalize("NFKC", character).replace("\u2044", "/")
            if form != character and form.isascii():
                table[ord(character)] = form
    return table


def unwrapped(text: str) -> str:
    """The text, of the same length, with a blank where a long line was only wrapped: phrases go on over it.

    >>> unwrapped("A needle was advanced to the left medial\\nbranch.\\nPlan: none")
    'A needle was advanced to the left medial branch.\\nPlan: none'
    """
    if _WRAP.search(text) and not keeps_lines(text.split("\n")):
        text = _WRAP.sub(" ", text)
    if _MAYBE_RUN.search(text[::_RUN_STEP]):
        text = _RUN.sub(lambda match: match.group()[:-1] + " ", text)
    return text


def keeps_lines(lines: Sequence[str]) -> bool:
    """True where line breaks are the writer's own: an editor that wraps leaves no line so wide, and breaks only where
    the next word no longer fits; nor does it break short lines before words without a capital.

    >>> keeps_lines(["mbb L one jt, screws ok on xr", "fluoro. 25g x2", "asp neg. 2% lido", "better in clinic"])
    True
    """
    filled = [_filled(line) for line in lines if line and not line.isspace()]
    if len(filled) < _FEW_LINES:
        return False
    widest = max(map(len, filled))
    width = min(widest, WIDEST_WRAP)
    own = [
        len(line) > WIDEST_WRAP or len(line) + 1 + len(after.split(None, 1)[0]) <= width
        for line, after in pairwise(filled)
    ]
    if widest > WIDEST_WRAP:
        return sum(own) > _OWN_BREAKS * len(own)
    small = [not line[0].isupper() and line[0].isalnum() for line in filled]
    typed = sum(fits and begins for fits, begins in zip(own, small[1:], strict=True))
    return typed > 1 and sum(small) >= _TYPED * len(filled) and sum(own) >= _OWN_BREAKS * len(own) - 1


def _filled(line: str) -> str:
    """The line with one blank between words and none around it."""
    line = line.strip()
    return line if line.isprintable() and "  " not in line else " ".join(line.split())


def line_start(text: str, at: int, reach: int = 400) -> int:
    r"""Where the line begins in which an offset stands, looked for no further back than `reach` characters.

    >>> line_start("Right:\nL4-5 facet", 12), line_start(500 * "a", 450)
    (7, 50)
    """
    floor = max(0, at - reach)
    return max(text.rfind("\n", floor, at) + 1, floor)


def text_of(doc: Doc) -> str:
    """The text of a spaCy doc, joined once: spaCy builds it anew at every access."""
    found = doc.user_data.get("facetcode_text")
    if found is None:
        found = doc.user_data["facetcode_text"] = doc.text
    return str(found)
