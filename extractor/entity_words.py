"""Spans that only the table of the entity layer knows: words that decide no code, and so are none of the reading's."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property

from extractor.entity_table import EntityTable, Found, Taken, Words
from extractor.literals import Present, Sought
from extractor.mentions import Reading

_SAME = "same_side"  # in the table: the side named last
_OTHER = ("other:", "region:", "intent:")  # targets that notes of all kinds name
_BOX = 6  # characters before a word in which its check box is looked for
_AIM = 48  # characters before a word in which the words of turning and denying are looked for
_NEGATED, _FOUND = frozenset({"negated"}), frozenset({"found"})
_STATED = frozenset({"exam", "finding", "historical"})
_DONE = frozenset({"performed", "needlework"})
_SITES = frozenset({"Level", "Nerve", "BoneSite"})


class OwnWords:
    """The words of the table in one note, beside what was read there."""

    def __init__(self, table: EntityTable, reading: Reading, read: Sequence[Found]) -> None:
        self._x = table
        self._reading = reading
        self._read = read
        self._sites_and_agents = self._taken(_SITES | {"Agent"})
        self._after_level = {item.end for item in read if item.label in {"Level", "Nerve"}}

    def found(self) -> Iterator[Found]:
        """Spans where nothing of their label was read; of two that overlap the one that begins first stands, and of
        two that begin together the one whose row comes first."""
        if not (self._reading.levels or any(not hit.value.startswith(_OTHER) for hit in self._reading.targets)):
            return  # a note of something else
        present = Present(self._reading.text)
        for label, rows in self._x.words_by_label.items():
            end = 0
            for item in self._standing(label, rows, present):
                if item.start >= end:
                    end = item.end
                    yield item

    def _standing(self, label: str, rows: Iterable[tuple[Words, Sought]], present: Present) -> list[Found]:
        taken = self._taken({label})
        spans: dict[int, Found] = {}
        for row, sought in rows:
            for match in sought.matches(present):
                start, end = match.span("span" if match.groupdict().get("span") else 0)
                if start in spans or taken.meets(start, end) or self._sites_and_agents.meets(start, end):
                    continue
                if self._fits(row, start, end):
                    spans[start] = self._item(row, start, end)
        return [spans[start] for start in sorted(spans)]

    def _taken(self, labels: frozenset[str] | set[str]) -> Taken:
        return Taken((item.start, item.end) for item in self._read if item.label in labels)

    def _fits(self, row: Words, start: int, end: int) -> bool:
        if row.after_level:
            return bool({start - 1, start - 2} & self._after_level)
        if row.label != "Side" or row.free:
            return True
        text = self._reading.text
        aimed = self._x.aimed.search(text, max(0, start - _AIM), start)
        return not (aimed or self._x.body_part.match(text, end) or self._x.no_side.match(text, start))

    def _item(self, row: Words, start: int, end: int) -> Found:
        text = self._reading.text
        boxed = "unchecked" if self._x.box_before.search(text, max(0, start - _BOX), start) else ""
        value = self._side_before(start) if row.value == _SAME else row.value
        if not value:
            value = text[start:end].upper() if row.label in _SITES else text[start:end].lower()
        attributes = {"role": "systemic"} if row.cue == "taken" else {}
        return Found(start, end, row.label, value, self._cues(row, start, end), boxed, attributes)

    def _cues(self, row: Words, start: int, end: int) -> frozenset[str]:
        text = self._reading.text
        if self._x.denied.search(text, max(0, start - _AIM), start) or self._x.denied_behind.match(text, end):
            return _NEGATED
        if row.cue:
            return frozenset({row.cue})
        place = bisect_right(self._sentence_starts, start)
        cues = self._reading.sentences[place - 1].cues if place else frozenset[str]()
        return _FOUND if cues & _STATED and not cues & _DONE else frozenset()

    def _side_before(self, start: int) -> str:
        place = bisect_right(self._sides, (start, ""))
        return self._sides[place - 1][1] if place else ""

    @cached_property
    def _sides(self) -> list[tuple[int, str]]:
        return sorted((item.start, item.value) for item in self._read if item.label == "Side")

    @cached_property
    def _sentence_starts(self) -> list[int]:
        return [sentence.start for sentence in self._reading.sentences]
