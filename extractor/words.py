"""The words of a text as strings, for those who look every word up: a split at blanks is the quickest there is."""

from __future__ import annotations

from collections.abc import Callable
from string import ascii_lowercase, digits
from typing import TypeVar

_T = TypeVar("_T")
_MEMORY = 50_000


def _keeping(kept: str) -> bytes:
    """A table that leaves some characters and makes blanks of all others."""
    return bytes(code if chr(code) in kept else ord(" ") for code in range(256))


_LETTERS, _LETTERS_AND_DIGITS = _keeping(ascii_lowercase), _keeping(ascii_lowercase + digits)


def in_small(text: str) -> str:
    """The text in small letters, of the same length.

    >>> in_small("L4-5 Facet"), len(in_small("\u0130"))
    ('l4-5 facet', 1)
    """
    lowered = text.lower()
    if len(lowered) != len(text):  # a letter that is two in small
        lowered = "".join(small if len(small := letter.lower()) == 1 else letter for letter in text)
    return lowered


def words_apart(lowered: str, numbers: bool = False) -> list[str]:
    """The runs of plain letters, or of these and digits, with "" where other characters stand beside each other and at
    the end: each begins one character behind the one before it.

    >>> words_apart("at l4-5, facet")
    ['at', 'l', '', '', '', '', 'facet', '']
    >>> words_apart("at l4-5, facet", numbers=True)
    ['at', 'l4', '5', '', 'facet', '']
    """
    kept = lowered.encode("ascii", "replace").translate(_LETTERS_AND_DIGITS if numbers else _LETTERS)
    return (kept.decode("ascii") + " ").split(" ")


class Kept(dict[str, _T]):
    """What a function says of words; kept for many of them, and for none that is too long."""

    def __init__(self, said_of: Callable[[str], _T], longest: int, most: int = _MEMORY) -> None:
        super().__init__()
        self._said_of, self._longest, self._most = said_of, longest, most

    def __missing__(self, word: str) -> _T:
        found = self._said_of(word)
        if len(word) <= self._longest:
            if len(self) >= self._most:
                self.clear()
            self[word] = found
        return found
