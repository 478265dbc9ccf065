"""Sentences of a clinical note: line-aware, and with cuts in unpunctuated dictation. Pure and linear.

A line break ends a sentence unless the line was only wrapped; a full stop ends one unless it belongs to an
abbreviation, an initial or a list number. A sentence of more than `long_words` words is cut where a phrase of
`starts` begins a new thought.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cached_property

from extractor.literals import Present, needed
from extractor.rows import SentenceTable, alternation
from extractor.text import WIDEST_WRAP, keeps_lines

# one set of characters stands first, which is quick to look for
_CANDIDATE = re.compile(
    r"[\n.!?;,\u2022\u25aa\u25cf\u2023]"
    r"(?:(?<=[\n\u2022\u25aa\u25cf\u2023])|(?<=[.!?;])[.!?;]*[\"')\]]*(?=\s|$)|(?<=[a-z).:%\]],)(?=[A-Z\d]))"
)
_LIST_ITEM = re.compile(r"[ \t]*(?:[-*\u2022\u25aa>]|\(?\d{1,2}[.)]|\(?[a-zA-Z][.)]|\[|\()")
_LEVEL_END = re.compile(r"(?:\b[CTLS]\d{1,2}|[CTLS]?\d)\s*$", re.IGNORECASE)
_WORD_BEFORE = re.compile(r"([A-Za-z.]+|\d+)$")
_LONGEST = 110
_SHORT_LINE = 45  # no editor wraps lines at fewer characters
_DOUBT = re.compile(r"\s\?\s?[a-z]")  # "refer for ? cervical facet blocks"
_SIDE_AFTER = re.compile(r"(?:and )?then (?:on )?(?:the )?(?:left|right)\b", re.IGNORECASE)
_SIDE_BEFORE = re.compile(r"\b(?:left|right)(?: side)?\s*(?:and\s*)?$", re.IGNORECASE)
_LAST_TIME = re.compile(
    r"last (?:fall|spring|summer|winter|autumn|year|month|week|time|visit|january|february|march|april|may|june|july"
    r"|august|september|october|november|december)\b(?! (?:s?he|i|we|was|it)\b)",
    re.IGNORECASE,
)
_NOUN_AFTER = re.compile(r"facets?\b", re.IGNORECASE)
_LEFT_OUT = re.compile(
    r"(?:so )?(?:i|we) (?:did not|didn'?t|left|skipped|could not|couldn'?t|never|stayed|was not|were not)\b",
    re.IGNORECASE,
)
_LEVEL_SAID = re.compile(r"(?:\d|\b(?:one|two|three|four|five|joint|level|side|nerve|branch|facet))\s*$", re.IGNORECASE)
_ROMAN, _LONGEST_NUMERAL = frozenset("IVX"), 4
_INDENT = 8  # blanks before a numeral that heads its line
_ELLIPSIS = 3
_FEW_ENDS = 30  # more words than this for each sentence end: dictation without punctuation


class _Lines:
    """How a text was wrapped; asked for where a line may only have been wrapped, which is seldom."""

    def __init__(self, text: str) -> None:
        self._text = text

    @cached_property
    def widest(self) -> int:
        """Characters of its longest line; 0 where its line breaks are the writer's own."""
        lines = self._text.split("\n")
        return 0 if keeps_lines(lines) else max(map(len, lines))


class SentenceSplitter:
    """Built once from the table; `split` is a pure function of the text."""

    def __init__(self, table: SentenceTable) -> None:
        self.table = table
        self._starts = re.compile("|".join([alternation(table.starts).pattern, *table.start_patterns]), re.IGNORECASE)
        ends = "|".join(re.escape(word) for word in table.spoken_ends)
        not_words = "|".join(re.escape(word) for word in table.spoken_not)
        self._spoken = re.compile(rf"(?<!\w)(?:{ends})(?!\w)(?!\s+(?:{not_words})\b)", re.IGNORECASE)
        self._spoken_needs = needed(self._spoken.pattern)
        self._spoken_not_before = re.compile(rf"(?<!\w)(?:{not_words})\s+$", re.IGNORECASE)

    def split(self, text: str, section_starts: Iterable[int] = ()) -> list[tuple[int, int]]:
        """Sentence spans without surrounding blanks, in order; every word of the text is in exactly one.

        A section header (`section_starts`) always begins a sentence.
        """
        spans: list[tuple[int, int]] = []
        cuts = sorted({*self._cuts(text), *section_starts})
        words = text.count(" ") + 1
        limit = self.table.long_words if words > _FEW_ENDS * (len(cuts) + 1) else self.table.longest_words
        start = 0
        for cut in cuts:
            self._add(text, start, cut, spans, limit)
            start = cut
        self._add(text, start, len(text), spans, limit)
        return spans

    def _add(self, text: str, start: int, end: int, spans: list[tuple[int, int]], limit: int) -> None:
        piece = text[start:end].rstrip()
        start, end = start + len(piece) - len(piece.lstrip()), start + len(piece)
        if start >= end:
            return
        if end - start <= limit or text.count(" ", start, end) < limit:
            spans.append((start, end))
            return
        begin = start
        for match in self._starts.finditer(text, start + 1, end):
            before = text[max(begin, match.start() - 12) : match.start()].split()
            if before and before[-1].lower() in self.table.no_start_after:
                continue
            if _LAST_TIME.match(text, match.start()):
                continue  # "the right side was burned last fall"
            if _SIDE_AFTER.match(text, match.start()) and _SIDE_BEFORE.search(
                text[max(0, match.start() - 24) : match.start()]
            ):
                continue  # "first on the left then on the right"
            if _NOUN_AFTER.match(text, match.start()) and _LEVEL_SAID.search(
                text[max(0, match.start() - 16) : match.start()]
            ):
                continue  # "left L3-4 and L4-5 facet injections"
            if _LEFT_OUT.match(text, match.start()) and _LEVEL_SAID.search(
                text[max(0, match.start() - 16) : match.start()]
            ):
                continue  # "left L4 5 i did not do"
            if text.count(" ", begin, match.start()) >= 2:
                spans.extend(_capped(text, begin, match.start()))
                begin = match.start()
        spans.extend(_capped(text, begin, end))

    def _cuts(self, text: str) -> list[int]:
        cuts: list[int] = []
        lines = _Lines(text)
        for match in _CANDIDATE.finditer(text):
            at, end = match.start(), match.end()
            if end - at > _ELLIPSIS and text[at] == ".":
                continue  # a row of dots leads to what follows on the line
            mark = text[at]
            if mark == "\n":
                if self._ends_line(text, at, lines):
                    cuts.append(end)
            elif mark == ",":
                # transcription services join headings and list items with a bare comma
                if text[end].isupper() and not text[end : end + 2].isupper():
                    cuts.append(end)
                elif re.match(r"\d\.\s|[A-Z][A-Z /]{3,40}:", text[end : end + 45]):
                    cuts.append(end)
            elif mark == ".":
                if self._ends_sentence(text, at):
                    cuts.append(end)
            elif not (mark == "?" and _DOUBT.match(text, at - 1)):
                cuts.append(end)
        for match in self._spoken.finditer(text) if Present(text).allows(self._spoken_needs) else ():
            if not self._spoken_not_before.search(text[max(0, match.start() - 14) : match.start()]):
                cuts.append(match.end())
        cuts.sort()
        return cuts

    def _ends_sentence(self, text: str, at: int) -> bool:
        before = text[max(0, at - 14) : at]
        plain = before.rpartition(" ")[2]
        if len(plain) > 1 and plain.isalpha() and plain.isascii():  # most words, without an expression
            begin = at - len(plain)
            listed = _ROMAN.issuperset(plain) and text[max(0, begin - _INDENT) : begin].rpartition("\n")[2].isspace()
            return plain.lower() not in self.table.abbreviations and not listed
        if (numeral := before.rpartition("\n")[2]) and _ROMAN.issuperset(numeral):
            return len(numeral) > _LONGEST_NUMERAL  # "II. PROCEDURE"
        word = _WORD_BEFORE.search(before)
        if word is None:
            return True
        value = word.group(1)
        if value.isdigit():
            line = text.rfind("\n", max(0, at - 6), at)
            before = text[max(0, at - len(value) - 3) : at - len(value)]
            starts_line = line >= 0 and text[line + 1 : at].strip() == value
            return not (
                len(value) <= 2 and (starts_line or at == len(value) or before.rstrip(" ").endswith((",", ":")))
            )
        if len(value) == 1:
            return value.islower() or text[max(0, at - 3) : at - 1].strip("., ").isdigit()
        return value.lower() not in self.table.abbreviations

    def _ends_line(self, text: str, at: int, lines: _Lines) -> bool:
        if text[at - 1 : at] == "\n" or text[at + 1 : at + 2] == "\n":
            return True  # beside an empty line
        following = text[at + 1 : at + 60]
        if not following.strip(" \t") or following.lstrip(" \t").startswith("\n"):
            return True
        begin = text.rfind("\n", max(0, at - 400), at) + 1
        line = text[max(begin, at - 400) : at].rstrip()
        if not line:
            return True
        first = following.lstrip()[:1]
        if re.match(r"[ \t]*\d{1,2}:?\d\d[ :]", following):
            return True  # a log with a time at the head of each line
        if _LEVEL_END.search(line[-4:]) and re.match(r"\s*[-/]\s?[LTSC]?\d", following):
            return False
        if line.endswith("-") and re.match(r"\s*[LTSC]?\d", following) and _LEVEL_END.search(line[-6:-1]):
            return False
        if "|" in line or "|" in following or "\t" in line or "   " in line.strip():
            return True  # a table or a column of fields
        if line[-1] in ".:;!?" or _LIST_ITEM.match(following):
            return True
        if first.islower():
            word = following.split(None, 1)[0]
            if not lines.widest:
                return True
            width = len(line.strip())
            return width < _SHORT_LINE and width + 1 + len(word) < min(lines.widest, WIDEST_WRAP)
        if line[-1] == ",":
            return False
        long_line = len(line) >= 60
        header = re.match(r"[ \t]*[A-Z][A-Za-z /()&-]{0,40}:", following)
        return not long_line or header is not None or not lines.widest


def _capped(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """The stretch, cut at every `_LONGEST` words so that no later room meets an endless sentence."""
    piece = text[start:end]
    start, end = start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip())
    if start >= end:
        return []
    if end - start < 500 or text.count(" ", start, end) < _LONGEST:
        if end - start < 3000:
            return [(start, end)]
    spans: list[tuple[int, int]] = []
    begin, words = start, 0
    for index in range(start, end):
        if index < begin:
            continue  # among the blanks behind a cut
        if text[index] == " ":
            words += 1
        if words >= _LONGEST or index - begin >= 3000:
            spans.append((begin, index))
            begin, words = index, 0
            while begin < end and text[begin] == " ":
                begin += 1
    if begin < end:
        spans.append((begin, end))
    return [(a, b) for a, b in spans if b > a]
