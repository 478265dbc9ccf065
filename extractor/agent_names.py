"""Drug names in text: agents.csv as a dictionary of phrases, plus single-letter misspellings of the long names.

The matcher splits the text into runs of letters and of digits and looks phrases up by their first word, longest first,
so that the time is linear in the length of the text however many names there are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Literal

from extractor.agent_view import AgentHit
from extractor.patterns import PatternFolder, Row

_WORD = re.compile(r"[A-Za-z]+|\d+")
_WORDS = re.compile(rf"({_WORD.pattern})")  # splits a text into what stands between words, and words
_JOIN = re.compile(r"[\s\-/.']{0,3}")
_FUZZY = frozenset({"local_anesthetic", "steroid", "contrast"})
_SHORTEST, _LONGEST = 8, 30  # a slip in a shorter word may be another word; a longer run of letters is no name
_MEMORY = 20_000


class DrugName(Row):
    """One row of agents.csv."""

    phrase: str
    name: str
    drug_class: Literal[
        "local_anesthetic",
        "steroid",
        "contrast",
        "sedation",
        "prep",
        "neurolytic",
        "biologic",
        "vehicle",
        "systemic",
        "other",
        "generic",
    ]
    example: str


class DrugNames:
    """The names of agents.csv, ready to be looked up.

    >>> names = DrugNames(PatternFolder())
    >>> [(hit.name, hit.start) for hit in names.hits("Depo-Medrol and 0.5% bupivacainne")]
    [('methylprednisolone', 0), ('bupivacaine', 21)]
    """

    def __init__(self, patterns: PatternFolder) -> None:
        rows = patterns.csv("agents.csv", DrugName)
        self._rows: dict[str, list[tuple[tuple[str, ...], DrugName]]] = {}
        for row in rows:
            words = tuple(match.group().lower() for match in _WORD.finditer(row.phrase))
            self._rows.setdefault(words[0], []).append((words, row))
        for entries in self._rows.values():
            entries.sort(key=lambda entry: -len(entry[0]))
        self._near = _one_letter_off(row.phrase for row in rows if row.drug_class in _FUZZY and row.name != "contrast")
        self._spelling: dict[str, str] = {}
        self._plain: set[str] = set()  # words that were found to begin no name

    def hits(self, text: str) -> tuple[AgentHit, ...]:
        """All names of a text, longest first, without overlaps."""
        lowered = text.lower()
        if len(lowered) != len(text):  # a letter that is two in small: keep the offsets
            lowered = "".join(letter.lower() if len(letter.lower()) == 1 else letter for letter in text)
        pieces = _WORDS.split(lowered)
        words, plain = pieces[1::2], self._plain
        starts = [0, *accumulate(map(len, pieces))]
        found: list[AgentHit] = []
        ahead = 0  # the first word behind the last name
        for index in [index for index, word in enumerate(words) if word not in plain]:
            if index < ahead:
                continue
            for name, row in self._names_from(words[index]):
                last = index + len(name) - 1
                if last == index or _stands(text, words[index : last + 1], starts[2 * index + 1 : 2 * last + 3], name):
                    found.append(AgentHit(starts[2 * index + 1], starts[2 * last + 2], row.name, row.drug_class))
                    ahead = last + 1
                    break
        return tuple(found)

    def _names_from(self, word: str) -> list[tuple[tuple[str, ...], DrugName]]:
        """The names that begin with a word, or with the word that it misspells."""
        entries = self._rows.get(word, [])
        if not entries and _SHORTEST <= len(word) <= _LONGEST and word.isalpha():
            correct = self._correct(word)
            entries = [((word, *words[1:]), row) for words, row in self._rows[correct]] if correct else []
        if not entries and len(word) <= _LONGEST and len(self._plain) < _MEMORY:
            self._plain.add(word)
        return entries

    def _correct(self, word: str) -> str:
        """The name that a long word misspells by one letter, or ""."""
        known = self._spelling.get(word)
        if known is None:
            known = next((self._near[form] for form in (word, *_shorter(word)) if form in self._near), "")
            if len(self._spelling) < _MEMORY:
                self._spelling[word] = known
        return known


def _stands(text: str, words: Sequence[str], starts: Sequence[int], name: Sequence[str]) -> bool:
    """True when the words are the name, with nothing but blanks, hyphens and the like between them.

    `starts` are the offsets of each word and of what stands behind it.
    """
    if tuple(words) != tuple(name):
        return False
    gaps = zip(starts[1::2], starts[2::2], strict=False)
    return all(_JOIN.fullmatch(text, start, end) is not None for start, end in gaps)


def _shorter(word: str) -> tuple[str, ...]:
    return tuple(word[:index] + word[index + 1 :] for index in range(1, len(word)))


def _one_letter_off(phrases: Iterable[str]) -> dict[str, str]:
    """Forms of the long one-word names with one letter left out, each with its name: the index for misspellings."""
    near: dict[str, str] = {}
    for phrase in phrases:
        if phrase.isalpha() and len(phrase) >= _SHORTEST:
            for form in (phrase, *_shorter(phrase)):
                near.setdefault(form, phrase)
    return near
