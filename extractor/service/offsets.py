r"""Offsets in other units than Python's code points: browsers count UTF-16 units, Go and Rust UTF-8 bytes.

>>> translation("\U0001F9B4 L4-5", [0, 2, 6], "utf16")
{0: 0, 2: 3, 6: 7}
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any, Literal

Unit = Literal["codepoint", "utf16", "utf8"]

_PLACES = ("start", "end")  # every whole number under these names in a result is an offset into the note
_ENCODINGS = {"utf16": ("utf-16-le", 2), "utf8": ("utf-8", 1)}  # Python's name and the bytes of one unit; -le: no mark


def translation(text: str, places: Iterable[int], unit: Unit) -> dict[int, int]:
    """Where each place of the text (0-based, in code points, not beyond the end) lies in the given unit.

    Takes time in proportion to the text. Halves of a character (lone surrogates) count as what an encoder that lets
    them pass makes of them: one UTF-16 unit, three UTF-8 bytes.
    """
    wanted = sorted({0, *places})
    if unit == "codepoint" or text.isascii():  # all units are one then
        return {place: place for place in wanted}
    encoding, width = _ENCODINGS[unit]
    found, there = {0: 0}, 0
    for start, end in pairwise(wanted):  # each piece is encoded once; from the beginning each time would be quadratic
        there += len(text[start:end].encode(encoding, "surrogatepass")) // width
        found[end] = there
    return found


def convert(value: dict[str, Any], text: str, unit: Unit) -> dict[str, Any]:
    """A result as plain data, with every "start" and "end" in it turned from code points of `text` into the unit.

    Changes and returns `value`.

    >>> convert({"lines": [{"start": 0, "end": 2}]}, "\\u00e9\\u00e9", "utf8")
    {'lines': [{'start': 0, 'end': 4}]}
    """
    spots = list(_spots(value))
    table = translation(text, (spot[key] for spot, key in spots), unit)
    for spot, key in spots:
        spot[key] = table[spot[key]]
    return value


def _spots(value: Any) -> Iterator[tuple[dict[str, Any], str]]:
    """Each offset by the object that holds it and its key there."""
    if isinstance(value, dict):
        yield from ((value, key) for key in _PLACES if isinstance(value.get(key), int))
        for part in value.values():
            yield from _spots(part)
    elif isinstance(value, list):
        for part in value:
            yield from _spots(part)
