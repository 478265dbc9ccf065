"""Drug names in text: agents.csv as a dictionary of phrases, plus single-letter misspellings of the long names.

The matcher splits the text into runs of letters and of digits and looks phrases up by their first word, longest first,
so that the time is linear in the length of the text however many names there are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from string import ascii_lowercase, digits
from typing import Annotated, Literal

from extractor.agent_view import AgentHit
from extractor.patterns import PatternFolder, PhraseRow, findable
from extractor.words import Kept, in_small, words_apart

_WORD = re.compile(r"[A-Za-z]+|\d+")
_WORD_HERE = re.compile(r"[a-z]+|(?<!\d)\d+")
_NEXT = re.compile(rf"[\s\-/.']{{0,3}}({_WORD.pattern})")
_FUZZY = frozenset({"local_anesthetic", "steroid", "contrast"})
_SHORTEST, _LONGEST = 8, 30  # a slip in a shorter word may be another word; a longer run of letters is no name
_MEMORY = 20_000


class DrugName(PhraseRow):
    """One row of agents.csv."""

    phrase: Annotated[str, findable(_WORD)]
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
        self._goes_on = Kept(self._characters_after, _LONGEST)

    def hits(self, text: str) -> tuple[AgentHit, ...]:
        """All names of a text, longest first, without overlaps."""
        lowered = in_small(text)
        runs = words_apart(lowered, numbers=True)
        told = [
            index
            for index, goes_on in enumerate(map(self._goes_on.__getitem__, runs))
            if goes_on and runs[index + 1][:1] in goes_on
        ]
        found: list[AgentHit] = []
        place = before = ahead = 0  # where a run begins, and which; where the last name ends
        for index in told:
            place += sum(map(len, runs[before:index])) + index - before
            before = index
            for word in _WORD_HERE.finditer(lowered, place):
                if word.start() >= place + len(runs[index]):
                    break
                if word.start() < ahead:
                    continue
                for name, row in self._names_from(word.group()):
                    end = _end(lowered, word.end(), name)
                    if end:
                        found.append(AgentHit(word.start(), end, row.name, row.drug_class))
                        ahead = end
                        break
        return tuple(found)

    def row_of(self, written: str) -> DrugName | None:
        """The row by which a name was found, from the words of its hit; None for words that are no name.

        >>> DrugNames(PatternFolder()).row_of("Bupivacainne").name
        'bupivacaine'
        """
        lowered = in_small(written)
        word = _WORD_HERE.search(lowered)
        if word is None:
            return None
        return next((row for name, row in self._names_from(word.group()) if _end(lowered, word.end(), name)), None)

    def _characters_after(self, run: str) -> str:
        """With what the next run must begin, if it is not further away, for a name to begin in this run of letters and
        digits; nothing where none begins anyway."""
        words = _WORD.findall(run)
        names = [name for word in words for name, _ in self._names_from(word)]
        if names and (len(words) > 1 or any(len(name) == 1 for name in names)):
            return ascii_lowercase + digits
        return "".join({name[1][0] for name in names})

    def _names_from(self, word: str) -> list[tuple[tuple[str, ...], DrugName]]:
        """The names that begin with a word, or with the word that it misspells."""
        entries = self._rows.get(word, [])
        if not entries and _SHORTEST <= len(word) <= _LONGEST and word.isalpha():
            correct = self._correct(word)
            entries = [((word, *words[1:]), row) for words, row in self._rows[correct]] if correct else []
        return entries

    def _correct(self, word: str) -> str:
        """The name that a long word misspells by one letter, or ""."""
        known = self._spelling.get(word)
        if known is None:
            known = next((self._near[form] for form in (word, *_shorter(word)) if form in self._near), "")
            if len(self._spelling) < _MEMORY:
                self._spelling[word] = known
        return known


def _end(lowered: str, place: int, name: tuple[str, ...]) -> int:
    """Where a name ends whose first word ends at a place, with nothing but blanks, hyphens and the like between its
    words; 0 when it does not stand there."""
    for word in name[1:]:
        following = _NEXT.match(lowered, place)
        if following is None or following[1] != word:
            return 0
        place = following.end()
    return place


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
