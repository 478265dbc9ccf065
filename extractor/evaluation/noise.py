"""A noisy twin of a corpus: the same notes with the errors of speech recognition, and their annotations moved along.

Rates and their source stand in `noise.toml`. The generator is seeded: the same text and seed give the same twin on any
machine. Words that decide a code are only ever replaced by a homophone of the field, so that the gold stays the gold.
"""

from __future__ import annotations

import random
import re
import tomllib
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from pathlib import Path

from extractor.errors import InputError
from extractor.evaluation.records import Document, Entity
from extractor.patterns import Row

_WORD = re.compile(r"\S+")
Edit = tuple[int, int, str]  # start and end in the clean text, and what stands there in the noisy one


class NoiseTable(Row):
    """noise.toml. Shares are of all errors; what is neither deletion nor insertion is a substitution."""

    source: str
    date: date
    errors_per_word: float
    deletions: float
    insertions: float
    clinical: float  # share of the errors that fall on a word that decides a code
    inserted: tuple[str, ...]
    decisive: frozenset[str]
    homophones: Mapping[str, tuple[str, ...]]
    confusions: Mapping[str, tuple[str, ...]]


@cache
def noise_table() -> NoiseTable:
    """The shipped table."""
    return NoiseTable.model_validate(tomllib.loads(Path(__file__).with_name("noise.toml").read_text("utf-8")))


@dataclass(frozen=True, slots=True)
class _Word:
    start: int
    end: int
    plain: str
    decisive: bool


def noisy_text(text: str, seed: str, table: NoiseTable | None = None) -> tuple[str, list[Edit]]:
    """The text with errors, and the edits that made it, in order.

    >>> note = "The needle was placed under fluoroscopy."
    >>> noisy_text(note, "a") == noisy_text(note, "a"), noisy_text("", "a")
    (True, ('', []))
    """
    table = table or noise_table()
    words = [_word(match, text, table) for match in _WORD.finditer(text)]
    chance = random.Random(seed)
    wanted = sum(chance.random() < table.errors_per_word for _ in words)
    edits: dict[int, Edit] = {}
    for _ in range(wanted):
        if edit := _error(text, words, edits, chance, table):
            edits[edit[0]] = edit[1]
    ordered = [edits[index] for index in sorted(edits)]
    parts: list[str] = []
    last = 0
    for start, end, new in ordered:
        parts += [text[last:start], new]
        last = end
    return "".join([*parts, text[last:]]), ordered


def _word(match: re.Match[str], text: str, table: NoiseTable) -> _Word:
    """A word between blanks, without the marks around it."""
    start, end = match.span()
    while start < end and not text[start].isalnum():
        start += 1
    while start < end and not text[end - 1].isalnum():
        end -= 1
    plain = text[start:end].lower()
    return _Word(start, end, plain, plain in table.decisive or not plain.isalpha())


def _error(
    text: str, words: Sequence[_Word], taken: Mapping[int, Edit], chance: random.Random, table: NoiseTable
) -> tuple[int, Edit] | None:
    """One error at a word that has none yet; None when no word can take one."""
    kind = chance.random()
    clinical = chance.random() < table.clinical / (1 - table.deletions - table.insertions)  # only ever a substitution
    free = [index for index, word in enumerate(words) if index not in taken and word.plain]
    plain = [index for index in free if not words[index].decisive and words[index].plain not in table.homophones]
    if kind < table.deletions + table.insertions:
        if not plain:
            return None
        index = chance.choice(plain)
        start, end = words[index].start, words[index].end
        if kind >= table.deletions:
            return index, (start, start, chance.choice(table.inserted) + " ")
        return index, (start, end + (text[end : end + 1] == " "), "")
    heard = [index for index in free if words[index].plain in table.homophones]
    confused = [index for index in plain if words[index].plain in table.confusions]
    if heard and (clinical or not confused):
        return _replaced(words, chance.choice(heard), table.homophones, chance)
    return _replaced(words, chance.choice(confused), table.confusions, chance) if confused else None


def _replaced(
    words: Sequence[_Word], index: int, by: Mapping[str, tuple[str, ...]], chance: random.Random
) -> tuple[int, Edit]:
    word = words[index]
    return index, (word.start, word.end, chance.choice(by[word.plain]))


def noisy(document: Document, seed: str, table: NoiseTable | None = None) -> Document:
    """The twin of a document: its entities cover the same words, however they are written now; an entity whose words
    are all gone is left out, and so are its relations. The seed is joined with the id, so that notes differ."""
    text, edits = noisy_text(document.text, f"{seed}:{document.id}", table)
    entities = [moved for entity in document.entities if (moved := _moved(entity, text, edits))]
    kept = {entity.id for entity in entities}
    relations = tuple(r for r in document.relations if r.head in kept and r.tail in kept)
    if not text.strip():
        raise InputError(f"{document.id}: nothing of the text is left")
    return replace(document, text=text, entities=tuple(entities), relations=relations)


def _moved(entity: Entity, text: str, edits: Sequence[Edit]) -> Entity | None:
    fragments = []
    for begin, finish in entity.fragments:
        start, end = _at(begin, edits, False), _at(finish, edits, True)
        while start < end and text[start].isspace():
            start += 1
        while start < end and text[end - 1].isspace():
            end -= 1
        if start < end:
            fragments.append((start, end))
    return replace(entity, fragments=tuple(fragments)) if fragments else None


def _at(offset: int, edits: Sequence[Edit], end: bool) -> int:
    """Where an offset of the clean text stands in the noisy one. An end keeps what replaced the word before it; a start
    comes behind what was inserted at it."""
    index = bisect_right(edits, offset, key=lambda edit: edit[0])
    if end and index and edits[index - 1][0] == offset:
        index -= 1  # what begins here comes after the span
    shift = sum(len(new) - (stop - start) for start, stop, new in edits[:index])
    if index and edits[index - 1][1] > offset:  # inside a replaced word: its nearer edge
        start, stop, new = edits[index - 1]
        before = shift - (len(new) - (stop - start))
        return start + before + (len(new) if end else 0)
    return offset + shift
