"""The small language of checklist_phrases.csv -> expressions.

A phrase is words with blanks between them:
    a|b        one of several words; "_" in a word stands for a blank
    word*      a word that begins so
    word?      a word that may be missing
    !word      not followed by that word
    #          a number, in digits or as a word of the table
    ...        up to six other words of the same sentence

>>> find = compiled("images|films ... saved|archived", {}).search
>>> bool(find("Images of each level were archived.")), bool(find("Images were reviewed."))
(True, False)
>>> compiled("# %|percent ... relief", {"eighty": 80}).search("some eighty percent relief")[1]
'eighty'
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

_GAP = r"(?:[^\w.;]{1,4}[\w.%/'+-]{1,30}){0,6}?"
_BETWEEN, _CLOSE = r"[^\w.;]{1,4}", r"[^\w.;]{0,3}"
_TEN = 10
_SIGN = re.compile(r"\W")


def compiled(phrase: str, numbers: Mapping[str, int]) -> re.Pattern[str]:
    """The expression of a phrase; its groups are the numbers. Raises ValueError for a phrase that is none."""
    pieces: list[str] = []
    between = ""
    for token in phrase.split():
        if token == "...":
            if not pieces:
                raise ValueError("a phrase cannot begin with a gap")
            pieces.append(_GAP)
            continue
        if token.startswith("!"):
            pieces.append(rf"(?!{_CLOSE}(?:{_choice(token[1:])})\b)")
            continue
        body = _number(token, numbers) if token.startswith("#") and not token[1:2].isdigit() else _choice(token)
        gap = between and (_CLOSE if pieces[-1].endswith(_NUMBER_END) or _only_signs(token) else between)
        if token.endswith("?") and len(token) > 1:
            pieces.append(rf"(?:{gap}(?:{body}))?")
        else:
            pieces.append(rf"{gap}(?:{body})")
        between = _BETWEEN
    if not pieces or pieces[-1] == _GAP:
        raise ValueError("a phrase cannot end with a gap")
    return re.compile("".join(pieces), re.IGNORECASE)


_NUMBER_END = "(?# number))"


def _number(token: str, numbers: Mapping[str, int]) -> str:
    small = "|".join(word for word, value in numbers.items() if value < _TEN)
    words = "".join(
        f"|{re.escape(word)}" + (f"(?:[ -](?:{small}))?" if small and value > _TEN else "")
        for word, value in sorted(numbers.items(), key=lambda item: -len(item[0]))
    )
    rest = re.escape(token[1:]) + (r"(?!\w)" if token[1:] else "")
    return rf"(?<![\w.])(\d{{1,4}}(?:\.\d)?{words})(?![\d.]\d){rest}(?# number)"


def _choice(token: str) -> str:
    words = [word for word in token.removesuffix("?").split("|") if word]
    if not words:
        raise ValueError("a word is empty")
    return "|".join(map(word_pattern, sorted(words, key=len, reverse=True)))


def word_pattern(word: str) -> str:
    """One word of a phrase, whole."""
    stem = word.removesuffix("*") if len(word) > 1 else word
    body = r"\s{1,3}".join(map(re.escape, stem.split("_")))
    before = r"(?<!\w)" if stem[:1].isalnum() else ""
    if stem != word:
        return rf"{before}{body}\w{{0,20}}"
    return f"{before}{body}" + (r"(?!\w)" if stem[-1:].isalnum() else "")


def _only_signs(token: str) -> bool:
    return all(_SIGN.match(word) is not None for word in token.removesuffix("?").split("|") if word)


def any_of(words: Iterable[str]) -> str:
    """A choice of words, as a piece of an expression."""
    return "|".join(map(word_pattern, sorted(words, key=len, reverse=True)))


def value_of(text: str, numbers: Mapping[str, int]) -> float:
    """The number that a group of an expression found.

    >>> value_of("7.5", {}), value_of("Eighty", {"eighty": 80})
    (7.5, 80)
    >>> value_of("eighty-five", {"eighty": 80, "five": 5})
    85
    """
    words = text.lower().replace("-", " ").split()
    return sum(numbers[word] for word in words) if words[0] in numbers else float(text)
