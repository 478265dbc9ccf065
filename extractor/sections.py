"""Section headers of a note, as they are really written. Pure and linear.

A header is a phrase of sections.csv before a colon (at a line's start, or after a full stop, comma or wide gap when
it begins with a capital), alone on its line, or at a line's start before a full stop or dash. What a header does not
name stays in the section before it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from extractor.rows import SectionRow

_BREAK = re.compile(r"[.,;:)\]|]\s?|\s{2,}|\n")
_NUMBERING = re.compile(r"^[\s*#>\u2022-]*(?:\(?(?:\d{1,2}|[ivxIVX]{1,4}|[a-zA-Z])[.)]\s*)?")
_OPENING = re.compile(r"[ \t*#-]*([A-Z][A-Za-z]+(?: [A-Za-z]+)?)(?=[ ,:.(*-])")
_CAPITALS = re.compile(r"[A-Z][A-Z/&-]+(?: [A-Z/&-]+){0,6}")
_BY_WORD = frozenset({"history", "indication", "plan", "consent", "discharge", "medications", "exam", "complications"})
_ASIDE = re.compile(r"\s*\([^()]{0,60}\)$")
_STAMP = re.compile(r"(?<=[a-z])[\s(#]+\d[\d/:. -]*(?:am|pm|h|hrs)?\)?$")


@dataclass(frozen=True, slots=True)
class Section:
    """`start` is where the header begins, `text_start` where its text begins. `name` is the header's normal form."""

    start: int
    text_start: int
    end: int
    kind: str
    name: str


class SectionReader:
    """Built once from the rows; `read` is a pure function of the text."""

    def __init__(self, rows: tuple[SectionRow, ...]) -> None:
        self.kinds: Mapping[str, str] = {row.phrase: row.kind for row in rows}

    def read(self, text: str) -> tuple[Section, ...]:
        """All sections in order; text before the first header is a section of kind "" and name ""."""
        marks = self._headers(text)
        sections: list[Section] = []
        if not marks or marks[0][0] > 0:
            sections.append(Section(0, 0, marks[0][0] if marks else len(text), "", ""))
        for index, (start, text_start, kind, name) in enumerate(marks):
            end = marks[index + 1][0] if index + 1 < len(marks) else len(text)
            sections.append(Section(start, text_start, end, kind, name))
        return tuple(sections)

    def _headers(self, text: str) -> list[tuple[int, int, str, str]]:
        marks: list[tuple[int, int, str, str]] = []
        position = 0
        for raw in text.splitlines(keepends=True):
            line_start, position = position, position + len(raw)
            line = raw.rstrip("\n")
            if not line.strip():
                continue
            whole = self._lookup(line)
            if whole and len(line) <= 80 and not _looks_like_answer(line):
                marks.append((line_start, line_start + len(line), *whole))
                continue
            if unknown := self._capital_line(line):
                marks.append((line_start, line_start + len(line), *unknown))
                continue
            marks.extend(self._in_line(line, line_start))
        return marks

    def _capital_line(self, line: str) -> tuple[str, str] | None:
        """A heading in capitals that no row names: the kind of the longest row among its words, else none."""
        words = line.strip().rstrip(":").strip(" *_-=.")
        if not _CAPITALS.fullmatch(words) or len(words) > 60:
            return None
        tokens = words.lower().split()
        for size in range(len(tokens), 0, -1):
            for begin in range(len(tokens) - size + 1):
                name = " ".join(tokens[begin : begin + size])
                if len(name) > 5 and self.kinds.get(name) in _BY_WORD:
                    return self.kinds[name], words.lower()
        return None

    def _in_line(self, line: str, offset: int) -> list[tuple[int, int, str, str]]:
        marks: list[tuple[int, int, str, str]] = []
        floor = 0
        at = line.find(":")
        while at >= 0:
            found = self._before_colon(line, floor, at)
            if found:
                begin, kind, name = found
                end = at + 1
                while line[end : end + 1] == ":":
                    end += 1
                marks.append((offset + begin, offset + end, kind, name))
                floor = end
            at = line.find(":", at + 1)
        if not marks or marks[0][0] > offset + 1:
            opening = _OPENING.match(line)
            if opening and self.kinds.get(opening.group(1).lower()) == "addendum":
                marks.insert(0, (offset, offset + opening.end(), "addendum", opening.group(1).lower()))
                return marks
            first = re.match(
                r"[ \t]*(?:\d{1,2}[.)]\s*)?([A-Za-z][A-Za-z /&-]{1,38})(?:\.\s+(?=[A-Z\d\"])|\s+-{1,2}\s+(?=\S))", line
            )
            if first and line.lstrip()[:1].isupper():
                name = first.group(1).strip().lower()
                kind = self.kinds.get(name, "")
                if kind and kind not in {"admin", "laterality"} and len(name) > 3:
                    marks.insert(0, (offset, offset + first.end(), kind, name))
        return marks

    def _before_colon(self, line: str, floor: int, at: int) -> tuple[int, str, str] | None:
        window = max(floor, at - 60)
        chunk = line[window:at]
        begins = [window] if window == floor else []
        begins += [window + match.end() for match in _BREAK.finditer(chunk)]
        at_line_start = not line[:floor].strip()
        for begin in begins:
            found = self._lookup(line[begin:at])
            if not found:
                continue
            words = _NUMBERING.sub("", line[begin:at]).strip()
            mid_line = begin > floor or not at_line_start
            if mid_line and (not words[:1].isupper() or len(words) < 3):
                continue
            if len(words) == 1 and not words.isupper():
                continue
            return begin, *found
        return None

    def _lookup(self, words: str) -> tuple[str, str] | None:
        name = _NUMBERING.sub("", words, count=1).strip().rstrip(":").strip(" *_-=.").lower()
        name = re.sub(r"\s+", " ", name)
        name = name if name in self.kinds else _STAMP.sub("", name)
        kind = self.kinds.get(name, "")
        if not kind and name.endswith(")"):
            name = _ASIDE.sub("", name)
            kind = self.kinds.get(name, "")
        if not kind:
            bare = words.strip().rstrip(":").strip(" *_-=.").lower()
            kind = self.kinds.get(bare, "")
            name = bare
        return (kind, name) if kind else None


def _looks_like_answer(line: str) -> bool:
    """True for a short lower-case line such as "prone" or "none", which answers the header above it."""
    words = line.strip()
    return words[:1].islower() or (len(words) <= 3 and not words.endswith(":"))
