"""A noisy twin of a corpus: the same notes with the errors of speech recognition, and their annotations moved along.

Rates and their source stand in `noise.toml`. The generator is seeded: the same text and seed give the same twin on any
machine. Words that decide a code, by the lists of the table or because they lie in a span that decides, are only ever
replaced by a homophone of the field, so that the gold stays the gold.
"""

from __future__ import annotations

import random
import re
import tomllib
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache, cached_property
from itertools import accumulate, groupby, pairwise
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from extractor.errors import InputError
from extractor.evaluation.records import Document, Entity, Fragment
from extractor.patterns import Row

PROTECTED = frozenset({"Level", "Nerve", "BoneSite", "Side", "Target", "Technique", "Imaging", "Agent"})
_WORD = re.compile(r"\S+")
Edit = tuple[int, int, str]  # start and end in the clean text, and what stands there in the noisy one
Kind = Literal["deletion", "insertion", "homophone", "confusion"]
_KINDS: tuple[Kind, ...] = ("deletion", "insertion", "homophone", "confusion")
# A substitution that finds no word of its own kind is made as the other one, so that the rate of substitutions holds.
_INSTEAD: Mapping[Kind, Kind] = {"homophone": "confusion", "confusion": "homophone"}
_Share = Annotated[float, Field(ge=0, le=1)]
_Words = Annotated[tuple[str, ...], Field(min_length=1)]


class NoiseTable(Row):
    """noise.toml. Shares are of all errors; what is neither deletion, insertion nor homophone is a confusion.

    A table by which a word that decides a code could come in is refused with `InputError`.
    """

    source: str
    date: date
    errors_per_word: _Share
    deletions: _Share
    insertions: _Share
    homophone_share: _Share
    inserted: _Words
    decisive: frozenset[str]
    links: frozenset[str]
    letters: frozenset[str]
    numerals: frozenset[str]
    homophones: Mapping[str, _Words]
    spoken: Mapping[str, _Words]
    confusions: Mapping[str, _Words]

    @cached_property
    def kept(self) -> frozenset[str]:
        """All words that decide wherever they stand."""
        return self.decisive | self.letters | self.numerals | self.homophones.keys() | self.spoken.keys()

    @property
    def weights(self) -> tuple[float, ...]:
        """The shares of the kinds of errors, in the order of `_KINDS`."""
        shares = (self.deletions, self.insertions, self.homophone_share)
        return (*shares, 1 - sum(shares))

    @model_validator(mode="after")
    def _decides_nothing(self) -> Self:
        if self.weights[-1] < 0:
            raise InputError("noise table: the shares of the errors are more than 1")
        for key in (*self.homophones, *self.spoken, *self.confusions):
            if not key.isalpha() or key != key.lower():
                raise InputError(f"noise table: {key!r} is not one word in small letters")
        self._check_homophones()
        self._check_confusions()
        return self

    def _check_homophones(self) -> None:
        for said, written in _pairs(self.homophones, self.spoken):
            if written in self.kept:
                raise InputError(f"noise table: {written!r} for {said!r} decides a code itself")

    def _check_confusions(self) -> None:
        """Neither a decisive word nor what one is written as: a reader takes "to" behind "L" for a two."""
        never = self.kept | {written for _, written in _pairs(self.homophones, self.spoken)}
        for key in self.confusions:
            if key in self.kept:
                raise InputError(f"noise table: {key!r} decides a code and may only have homophones")
        for said, written in (*(("", word) for word in self.inserted), *_pairs(self.confusions)):
            if found := sorted(never.intersection(written.lower().split())):
                place = f"for {said!r}" if said else "among the inserted words"
                raise InputError(f"noise table: {found[0]!r} {place} decides a code or is written for a word that does")


def _pairs(*maps: Mapping[str, tuple[str, ...]]) -> Iterator[tuple[str, str]]:
    return ((said, written) for table in maps for said, many in table.items() for written in many)


@cache
def noise_table() -> NoiseTable:
    """The shipped table."""
    return NoiseTable.model_validate(tomllib.loads(Path(__file__).with_name("noise.toml").read_text("utf-8")))


@dataclass(frozen=True, slots=True)
class _Word:
    """A word between blanks, without the marks around it; `plain` is empty for marks alone."""

    start: int
    end: int
    plain: str
    decisive: bool
    homophones: tuple[str, ...] = ()


def noisy_text(
    text: str, seed: str, table: NoiseTable | None = None, protected: Iterable[Fragment] = ()
) -> tuple[str, list[Edit]]:
    """The text with errors, and the edits that made it, in order. Words that reach into a range of `protected` are
    decisive, whatever they are. A text of which nothing would be left stays as it is.

    >>> note = "The needle was placed under fluoroscopy."
    >>> noisy_text(note, "a") == noisy_text(note, "a"), noisy_text("", "a")
    (True, ('', []))
    """
    table = table or noise_table()
    edits = _edits(text, _words(text, table, protected), random.Random(seed), table)
    parts: list[str] = []
    last = 0
    for start, end, new in edits:
        parts += [text[last:start], new]
        last = end
    made = "".join([*parts, text[last:]])
    return (made, edits) if any(map(str.isalnum, made)) else (text, [])


def _words(text: str, table: NoiseTable, protected: Iterable[Fragment]) -> list[_Word]:
    ranges = sorted(protected)
    starts = [start for start, _ in ranges]
    reach = list(accumulate((end for _, end in ranges), max))  # ranges may overlap: as far as any up to here goes
    words = []
    for match in _WORD.finditer(text):
        start, end = _trimmed(text, *match.span(), str.isalnum)
        plain = text[start:end].lower()
        before = bisect_right(starts, end - 1)
        held = before > 0 and reach[before - 1] > start
        # what is not letters alone is a number, a level or a compound
        decisive = held or plain in table.kept or not plain.isalpha()
        words.append(_Word(start, end, plain, decisive, table.homophones.get(plain, ())))
    return _with_spoken(text, _with_links(words, table), table)


def _trimmed(text: str, start: int, end: int, wanted: Callable[[str], bool]) -> tuple[int, int]:
    """The range without the characters at its edges that are not wanted."""
    while start < end and not wanted(text[start]):
        start += 1
    while start < end and not wanted(text[end - 1]):
        end -= 1
    return start, end


def _with_links(words: Sequence[_Word], table: NoiseTable) -> list[_Word]:
    """Words that join two decisive ones are decisive: "C4 C7" is not "C4 to C7"."""
    made: list[_Word] = []
    for linking, run in groupby(words, key=lambda word: word.plain in table.links):
        group = list(run)
        after = len(made) + len(group)
        joined = linking and made and made[-1].decisive and after < len(words) and words[after].decisive
        made += [replace(word, decisive=True) for word in group] if joined else group
    return made


def _with_spoken(text: str, words: list[_Word], table: NoiseTable) -> list[_Word]:
    """Adds the homophones of spoken levels, at the letter and the numeral of each."""
    for index, (first, second) in enumerate(pairwise(words)):
        if first.plain in table.letters and second.plain in table.numerals and text[first.end : second.start].isspace():
            for place, word in ((index, first), (index + 1, second)):
                words[place] = replace(word, homophones=table.spoken.get(word.plain, word.homophones))
    return words


def _edits(text: str, words: Sequence[_Word], chance: random.Random, table: NoiseTable) -> list[Edit]:
    """The errors, in order, at most one at a word. The kind is drawn first, so that the rates hold over a corpus
    however many words of a note are decisive; an error for which the note has no word left is not made."""
    wanted = sum(chance.random() < table.errors_per_word for _ in words)
    pools = _pools(words, chance, table)
    edits: dict[int, Edit] = {}
    for kind in chance.choices(_KINDS, table.weights, k=wanted):
        index = _free(pools[kind], edits)
        if index is None and kind in _INSTEAD:
            kind = _INSTEAD[kind]
            index = _free(pools[kind], edits)
        if index is not None:
            edits[index] = _edit(text, words[index], kind, chance, table)
    return [edits[index] for index in sorted(edits)]


def _pools(words: Sequence[_Word], chance: random.Random, table: NoiseTable) -> dict[Kind, list[int]]:
    """The words at which an error of each kind may be, shuffled once: taking the last is then a random draw."""
    plain = [index for index, word in enumerate(words) if not word.decisive]
    pools: dict[Kind, list[int]] = {
        "deletion": plain,
        "insertion": list(plain),
        "homophone": [index for index, word in enumerate(words) if word.homophones],
        "confusion": [index for index in plain if words[index].plain in table.confusions],
    }
    for kind in _KINDS:
        chance.shuffle(pools[kind])
    return pools


def _free(pool: list[int], taken: Mapping[int, Edit]) -> int | None:
    """Takes words from the pool until one has no error yet."""
    while pool:
        if (index := pool.pop()) not in taken:
            return index
    return None


def _edit(text: str, word: _Word, kind: Kind, chance: random.Random, table: NoiseTable) -> Edit:
    if kind == "deletion":
        return word.start, word.end + (text[word.end : word.end + 1] == " "), ""
    if kind == "insertion":
        return word.start, word.start, chance.choice(table.inserted) + " "
    return word.start, word.end, chance.choice(word.homophones if kind == "homophone" else table.confusions[word.plain])


def noisy(document: Document, seed: str, table: NoiseTable | None = None) -> Document:
    """The twin of a document: its entities cover the same words, however they are written now, and no word is lost in
    those whose label is `PROTECTED`. Another entity whose words are all gone is left out, and so are its relations.
    The seed is joined with the id, so that notes differ."""
    held = [part for entity in document.entities if entity.label in PROTECTED for part in entity.fragments]
    text, edits = noisy_text(document.text, f"{seed}:{document.id}", table, held)
    moves = _Moves(edits)
    entities = tuple(moved for entity in document.entities if (moved := _moved(entity, text, moves)))
    kept = {entity.id for entity in entities}
    relations = tuple(r for r in document.relations if r.head in kept and r.tail in kept)
    return replace(document, text=text, entities=entities, relations=relations)


def _moved(entity: Entity, text: str, moves: _Moves) -> Entity | None:
    fragments = []
    for begin, finish in entity.fragments:
        start, end = _trimmed(text, moves.at(begin, False), moves.at(finish, True), lambda mark: not mark.isspace())
        if start < end:
            fragments.append((start, end))
    return replace(entity, fragments=tuple(fragments)) if fragments else None


class _Moves:
    """Where offsets of the clean text stand in the noisy one."""

    def __init__(self, edits: Sequence[Edit]) -> None:
        self._edits = edits
        self._starts = [start for start, _, _ in edits]
        grown = (len(new) - (stop - start) for start, stop, new in edits)
        self._shifts = list(accumulate(grown, initial=0))  # by all edits before the one at the same index

    def at(self, offset: int, end: bool) -> int:
        """An end keeps what replaced the word before it; a start comes behind what was inserted at it."""
        index = bisect_right(self._starts, offset)
        if end and index and self._starts[index - 1] == offset:
            index -= 1  # what begins here comes after the span
        if index and self._edits[index - 1][1] > offset:  # inside a replaced word: its nearer edge
            start, _, new = self._edits[index - 1]
            return start + self._shifts[index - 1] + (len(new) if end else 0)
        return offset + self._shifts[index]
