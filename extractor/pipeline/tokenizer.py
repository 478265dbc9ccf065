"""medspaCy's tokenizer with a quick way past its expressions for words of plain letters.

spaCy looks for prefixes, suffixes and infixes of every word that it meets for the first time, with alternations of a
hundred branches. None of them matches in letters of ASCII alone, and of letters with one sign behind them only the sign
can be split off. The tokens are those of medspaCy.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from medspacy.custom_tokenizer import create_medspacy_tokenizer
from spacy.language import Language

Search = Callable[[str], re.Match[str] | None]
_LOOK_BEHIND = 6  # characters before the last one: more than any suffix of one sign looks at


def build_tokenizer(nlp: Language) -> Any:
    """medspaCy's tokenizer for a pipeline."""
    tokenizer = create_medspacy_tokenizer(nlp)
    tokenizer.prefix_search = quick_prefix(tokenizer.prefix_search)
    tokenizer.suffix_search = quick_suffix(tokenizer.suffix_search)
    tokenizer.infix_finditer = quick_infixes(tokenizer.infix_finditer)
    return tokenizer


def quick_prefix(search: Search) -> Search:
    """No prefix begins with a letter but signs of currency ("US$")."""

    def quick(word: str) -> re.Match[str] | None:
        return None if word[:1].isalnum() and word.isascii() and "$" not in word else search(word)

    return quick


def quick_suffix(search: Search) -> Search:
    """No suffix of letters alone; of letters and one sign, the sign."""

    def quick(word: str) -> re.Match[str] | None:
        if not word.isascii() or not word[:-1].isalpha():
            return search(word)
        return None if word[-1].isalpha() else search(word[-_LOOK_BEHIND:])

    return quick


def quick_infixes(finditer: Callable[[str], Iterable[re.Match[str]]]) -> Callable[[str], Iterable[re.Match[str]]]:
    """No infix in letters and digits."""

    def quick(word: str) -> Iterable[re.Match[str]]:
        return () if word.isalnum() and word.isascii() else finditer(word)

    return quick
