"""Phrases of the checklist found in a note: by sentence and section, denied or not."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

from extractor.audit.phrases import any_of, compiled, value_of
from extractor.audit.rows import ChecklistPhrase, ChecklistRows, Denials
from extractor.boxes import plain_boxes
from extractor.errors import PatternError
from extractor.literals import Present, needed
from extractor.patterns import PatternFolder
from extractor.rows import ReadingPatterns
from extractor.schema import Evidence
from extractor.sections import SectionReader
from extractor.sentences import SentenceSplitter
from extractor.text import CleanText, clean, unwrapped

Shown = Literal["met", "not_met"]
_UNTICKED = re.compile(r"\[ ?\][ \t]*(?:\w+[ \t]){0,2}$")
_LOOK_BACK = 90  # characters before a phrase in which a denial is looked for
_LOOK_AHEAD = 90  # and behind it


class Sentence(NamedTuple):
    """A sentence of the clean text with the section it stands in."""

    start: int
    end: int
    kind: str
    section: str


@dataclass(frozen=True, slots=True)
class Found:
    """What a phrase (or a fact) shows of a part of an item, and the words that do; `start` and `end` are offsets of
    the clean text."""

    part: str
    shows: Shown
    evidence: tuple[Evidence, ...] = ()
    sentence: Sentence | None = None


@dataclass(frozen=True, slots=True)
class Heard:
    """A note as the checklist reads it."""

    note: CleanText
    text: str
    sentences: tuple[Sentence, ...]

    def given(self, sentence: Sentence) -> tuple[int, int]:
        """A sentence's offsets in the text as given."""
        return self.note.span(sentence.start, sentence.end)


class PhraseReader:
    """Built once from the rows; `read` is a pure function of the text and linear in its length."""

    def __init__(self, folder: PatternFolder, rows: ChecklistRows) -> None:
        reading = ReadingPatterns.load(folder)
        self._sections = SectionReader(reading.sections, reading.table.spoken_headers)
        self._sentences = SentenceSplitter(reading.table.sentences)
        self.rows = rows
        self._denied = _Denial(rows.table.denials)
        self._phrases: list[tuple[ChecklistPhrase, re.Pattern[str], tuple[tuple[str, ...], ...], frozenset[str]]] = []
        for row in rows.phrases:
            try:
                pattern = compiled(row.phrase, rows.table.numbers)
            except ValueError as error:
                raise PatternError(f"checklist_phrases.csv: {row.phrase!r}: {error}") from None
            self._phrases.append((row, pattern, needed(pattern.pattern), frozenset(row.only.split())))

    def hear(self, text: str) -> Heard:
        """The note cut into sentences with their sections."""
        note = clean(text).seen_as(plain_boxes)
        view = unwrapped(note.text)
        sections = self._sections.read(view)
        starts = [section.start for section in sections]
        sentences = []
        for start, end in self._sentences.split(view, (begin for begin in starts if begin)):
            section = sections[max(0, bisect_right(starts, start) - 1)]
            sentences.append(Sentence(start, end, section.kind, section.name))
        return Heard(note, view, tuple(sentences))

    def read(self, heard: Heard) -> dict[str, list[Found]]:
        """All that phrases show, by item."""
        present = Present(heard.text)
        found: dict[str, list[Found]] = {}
        for row, pattern, needs, only in self._phrases:
            if not present.allows(needs):
                continue
            for sentence in heard.sentences:
                if only and sentence.kind not in only:
                    continue
                if not only and sentence.kind in self.rows.table.denials.silent:
                    continue
                found.setdefault(row.item, []).extend(self._in_sentence(row, pattern, sentence, heard))
        return found

    def _in_sentence(
        self, row: ChecklistPhrase, pattern: re.Pattern[str], sentence: Sentence, heard: Heard
    ) -> Iterator[Found]:
        for match in pattern.finditer(heard.text, sentence.start, sentence.end):
            shows = self._shown(row, match, sentence, heard.text)
            if shows:
                start, end = heard.note.span(match.start(), match.end())
                words = Evidence(start=start, end=end, text=heard.note.given[start:end], section=sentence.section)
                yield Found(row.part, shows, (words,), sentence)

    def _shown(self, row: ChecklistPhrase, match: re.Match[str], sentence: Sentence, text: str) -> Shown | Literal[""]:
        before = text[max(sentence.start, match.start() - _LOOK_BACK) : match.start()]
        behind = text[match.end() : min(sentence.end, match.end() + _LOOK_AHEAD)]
        if _UNTICKED.search(before) or self._denied.is_unsaid(before):
            return ""
        if self._denied.denies(row.phrase, before, match.group(), behind):
            return row.denied
        if row.least is not None and value_of(match.group(1), self.rows.table.numbers) < row.least:
            return row.less
        return row.shows


class _Denial:
    """Whether the words around a phrase deny it, or make it a plan."""

    def __init__(self, rows: Denials) -> None:
        stop = any_of(rows.stops)
        word = rf"[^\w.;]{{1,4}}(?!(?:{stop}))[\w'/%+-]{{1,30}}"
        near, far = any_of(rows.near), any_of(rows.far)
        self._before = re.compile(
            rf"(?:(?:{near})(?:{word}){{0,3}}|(?:{far})(?:{word}){{0,10}})[^\w.;]{{0,4}}$", re.IGNORECASE
        )
        self._inside = re.compile(near, re.IGNORECASE)
        answers = any_of(rows.answers)
        self._behind = re.compile(
            rf"[^\w.;]{{0,4}}(?:{any_of(rows.behind)})|[ \t]{{0,3}}[:=]\s{{0,3}}(?:{answers})", re.IGNORECASE
        )
        self._unsaid = re.compile(rf"(?:{any_of(rows.unsaid)})(?:{word}){{0,5}}[^\w.;]{{0,4}}$", re.IGNORECASE)

    def denies(self, phrase: str, before: str, words: str, behind: str) -> bool:
        """True for a denial before, within or behind; what the phrase itself denies is its own matter."""
        own = self._inside.search(phrase.replace("|", " ").replace("_", " ")) is not None
        if not own and self._inside.search(words):
            return True
        return self._before.search(before) is not None or (not own and self._behind.match(behind) is not None)

    def is_unsaid(self, before: str) -> bool:
        """True for what is only planned, warned of or made a condition."""
        return self._unsaid.search(before) is not None
