"""Section headers of a note, as they are really written. Pure and linear.

A header is a phrase of sections.csv before a colon (at a line's start, or after a full stop, comma or wide gap when
it begins with a capital), alone on its line, or at a line's start before a full stop or dash. What a header does not
name stays in the section before it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice

from extractor.literals import Caseless
from extractor.rows import SectionRow, SpokenHeaders, alternation

_BREAK = re.compile(r"[.,;:)\]|]\s?|\s{2,}|\n")
_NUMBERING = re.compile(r"^[\s*#>\u2022-]*(?:\(?(?:\d{1,2}|[ivxIVX]{1,4}|[a-zA-Z])[.)]\s*)?")
_OPENING = re.compile(r"[ \t*#-]*([A-Z][A-Za-z]+(?: [A-Za-z]+)?)(?=[ ,:.(*-])")
_LEADER = re.compile(r"[ \t]*([A-Z][A-Za-z /&()-]{1,38}?)[ \t]*(?:\.[ .]{2,}|_{4,})[ \t]*(?=\S)")
_LEADER_SIGNS = ("..", ". .", ".  ", "____")
_SENTENCE_HEADER = re.compile(r"([A-Z](?<=[a-z0-9)][.] .)[A-Za-z-]{3,}(?: [a-z-]+){0,3})[.] (?=[A-Z0-9])")
_NESTED = re.compile(r"[ \t]*([A-Z][A-Za-z ]{2,20}?)[ \t]+-{1,2}[ \t]+(?=\S)")
_LABEL = re.compile(r"[ \t]*([A-Z][A-Za-z]+(?: [A-Za-z]+){1,3})[ \t]*:(?=[ \t]*\S)")
_FIELD = re.compile(r"[ \t]*([A-Z][A-Za-z()/]{2,14}(?: [A-Za-z]{2,12})?)[ \t]{2,}(?=\S)")
_COLUMN = re.compile(
    r"[ \t]*(?:(?:\d{1,2}(?:\.\d{1,2})?|[A-Z])[.)]?[ \t]{1,3})?"
    r"([A-Z][A-Za-z()/-]{1,14}(?: [A-Za-z]{2,12}){0,2})(?:[ \t]{2,}\|?|[ \t]?\|)[ \t]*(?=[^\s|])"
)
_GAP = re.compile(r"\S {3,}\S")
_FORM = 3  # such lines with headers of ours make a form, whose labels stand in a column of their own
_NUMBERED = re.compile(r"[ \t]*procedure\s+(?:#?\d{1,2}(?:\s+of\s+\d{1,2})?|[A-H])\s*[-:),.]\s*(?=\S)", re.IGNORECASE)
_SILENT = frozenset(
    {"medications", "allergies", "history", "exam", "imaging_findings", "diagnosis", "admin", "indication"}
)
_ENDED = _SILENT | {"laterality", "guidance", "consent"}  # what an unknown field of a form does not go on with
_KEY = re.compile(r"[ \t]*([A-Za-z][A-Za-z_ ]{0,20}(?:[.\[\]\d_]{1,6}[A-Za-z_ ]{0,20}){1,4}|[A-Za-z]{2,20})=")
_CHOOSERS = ("select ", "choose ", "enter ", "specify ")  # "Select side: right"
_ITEM = re.compile(r"^[ \t]*(?:\d{1,2}(?:\.\d{1,2})?|[A-Z])[.)]?[ \t]{1,3}(?=[A-Za-z])")
_SHORT_LABEL = re.compile(r"[ \t]*([A-Z]{2,3}):[ \t]+(?=\S)")
_SHORT_LINES = re.compile(r"^[ \t]*[A-Z]{2,3}:[ \t]+(?=\S)", re.MULTILINE)
_SHORT_LABELS = 8  # lines that begin with two or three capitals and a colon make a form of abbreviations
_OWN_MEANING = frozenset({"CT", "MR", "US"})  # contrast, medical record: in such a form no studies
_OLD_LINE = re.compile(
    r"[ \t*#-]{0,4}(?:past|prior|previous|earlier|old) (?:\w+ ){0,2}"
    r"(?:interventions?|procedures?|injections?|blocks?|treatments?|surger(?:y|ies)|operations?)(?: history)?"
    r"[ \t]*:?[ \t]*",
    re.IGNORECASE,
)
_KEY_PARTS = re.compile(r"[.\[\]\d_ ]+")
_KEYS = 5  # lines of "name=value" that make a dump of fields
_APART_FROM_ACT = _SILENT | {"plan", "discharge", "consent", "findings", "complications", "timeout"}
_FIRST_WORDS = re.compile(
    r"[ \t]*(?:\d{1,2}[.)]\s*)?([A-Za-z][A-Za-z /&-]{1,38})(?:\.\s+(?=[A-Z\d\"])|\s+-{1,2}\s+(?=\S))"
)
_OF_ACT = frozenset({"body", "laterality", "guidance", "injectate"})
_HEADED = re.compile(
    r"[ \t]*(?!(?i:left|right|both|bilat\w*|his|her|the|this|that|their|my|our|your|no|and|with|a|an|as|in|on"
    r"|we|i|she|he|they|it|you|after|before|then)\b)"
    r"([A-Z][A-Za-z']+(?:[ _][A-Za-z'/&-]+){1,5})[ \t]*:"
)
_PREPOSITION = re.compile(r"\b(?:of|for|at|in|on|with|from|to|during|before|after|regarding|today|done)\b.*")
_OF_OLD = frozenset({"previous", "prev", "prior", "past", "earlier", "old", "last"})
_TOLD_OF = frozenset({"text", "note", "notes", "report", "record", "inj", "injection", "injections", "procedures"})
_BY_HEAD = frozenset(
    {
        *("history", "indication", "plan", "consent", "discharge", "exam", "complications"),
        *("imaging_findings", "diagnosis", "body", "guidance", "contrast", "injectate", "sedation", "prep", "timeout"),
    }
)
_OWN_HEADER = re.compile(r"[ \t]*([A-Z][A-Z]+(?:[ /&-]+[A-Z]+){0,3}):(?=[ \t]*[A-Z])")
_PROSE = 12  # blanks: a field of a form holds less
_CAPITALS = re.compile(r"[A-Z][A-Z/&-]+(?: [A-Z/&-]+){0,6}")
_CAPITAL_HEAD = re.compile(
    r"[ \t]*(?:[-*\u2022][ \t]+)?([A-Z]{3}[A-Z /&-]{0,28}):?[ \t]*"
)  # "- JOINT LOG" below "- PRE"
_BY_WORD = frozenset({"history", "indication", "plan", "consent", "discharge", "medications", "exam", "complications"})
_ASIDE = re.compile(r"\s*\([^()]{0,60}\)$")
_TWICE = re.compile(r"\b(\w{1,12})(?: \1\b)+")
_STAMP = re.compile(r"(?<=[a-z])[\s(#]+\d[\d/:. -]*(?:am|pm|h|hrs)?\)?$")


_CAPITALISED = re.compile(r"\b[A-Z][a-z]")
_START = 3  # a header at the beginning of the text begins no later than this
_LATE = 0.6  # share of the text after which a plan may begin
_SAME = r"\s+(?:is\s+)?(?:the\s+)?same\b"  # "post op diagnosis the same"
_OPENERS = frozenset({"diagnosis", "indication"})
_SHORTEST_SPEECH = 8  # words of a line that begins with a spoken header: "diagnosis ... procedure ..."
_WRITTEN_END = re.compile(r"[.;] [A-Z]")
_WORDS_A_SENTENCE = 40  # more words than this for each written end: speech without marks
_HEAD = 3  # letters by which most words are known to begin no header
_LONGEST_LINE = 80  # a header alone on its line is no longer than this
_SURE_WORDS = 3  # a phrase of so many words is a header whatever stands before it
Mark = tuple[int, int, str, str, bool]  # start, where its text begins, kind, name, spoken


@dataclass(frozen=True, slots=True)
class Section:
    """`start` is where the header begins, `text_start` where its text begins. `name` is the header's normal form."""

    start: int
    text_start: int
    end: int
    kind: str
    name: str
    spoken: bool = False  # the header has no mark: where its text ends is not certain


class SpokenReader:
    """Headers that dictation speaks inline, without any mark."""

    def __init__(self, table: SpokenHeaders) -> None:
        self._table = table
        self._kinds = table.anywhere | table.first | table.late
        self._phrases = Caseless(rf"(?P<name>{alternation(tuple(self._kinds)).pattern})(?:{_SAME})?")

    def is_dictation(self, line: str) -> bool:
        """True for a long line with hardly any capital letter."""
        words = line.count(" ") + 1
        if words < self._table.fewest_words:
            if words < _SHORTEST_SPEECH or not line[0].islower():
                return False
            phrases, subject = self._phrases.over(line)
            opening = phrases.match(subject)
            return opening is not None and self._kinds[" ".join(opening["name"].lower().split())] in _OPENERS
        most = int(self._table.most_capitals * words)  # "L4" and "MRI" are none
        return next(islice(_CAPITALISED.finditer(line), most, None), None) is None

    def marks(self, line: str, offset: int, length: int) -> list[tuple[int, int, str, str, bool]]:
        """The spoken headers of a line that begins at `offset` in a text of `length` characters."""
        found: list[tuple[int, int, str, str, bool]] = []
        written = len(_WRITTEN_END.findall(line)) * _WORDS_A_SENTENCE > line.count(" ")  # prose with its marks
        phrases, subject = self._phrases.over(line)
        for match in phrases.finditer(subject):
            name = " ".join(match.group("name").lower().split())
            start, end = match.span()
            before = line[max(0, start - 20) : start].split()
            after = line[end : end + 20].split()
            at = offset + start
            if written and start and before and before[-1][-1] not in ".:;":
                continue  # "He had a gallbladder operation in 1988"
            if name in self._table.first and (before or at > _START):
                continue
            if name in self._table.late and at < _LATE * length:
                continue
            if name in self._table.only_before and after and after[0].lower() not in self._table.only_before[name]:
                continue
            follows = bool(found) and start - (found[-1][1] - offset) <= 1  # "post op same | operation"
            guards = self._table.not_after
            if after and after[0].lower() in self._table.title_before and self._kinds[name] == "title":
                guards = self._table.never_after
            guarded = bool(before) and before[-1].lower() in guards
            if guarded and not follows and len(name.split()) < _SURE_WORDS:
                continue
            if not after or after[0].lower().rstrip(",.") in self._table.not_before:
                continue
            kind = self._kinds[name]
            if kind == "title" and after[0].lower() in self._table.body_before:
                kind = "body"
            found.append((at, offset + end, kind, name, True))
        return found


class SectionReader:
    """Built once from the rows; `read` is a pure function of the text."""

    def __init__(self, rows: tuple[SectionRow, ...], spoken: SpokenHeaders | None = None) -> None:
        self.kinds: Mapping[str, str] = {row.phrase: row.kind for row in rows}
        self._heads = frozenset(phrase[:_HEAD] for phrase in self.kinds)
        self._spoken = SpokenReader(spoken) if spoken else None

    def read(self, text: str) -> tuple[Section, ...]:
        """All sections in order; text before the first header is a section of kind "" and name ""."""
        marks = _assessed_before(self._headers(text))
        sections: list[Section] = []
        if not marks or marks[0][0] > 0:
            sections.append(Section(0, 0, marks[0][0] if marks else len(text), "", ""))
        for index, (start, text_start, kind, name, spoken) in enumerate(marks):
            end = marks[index + 1][0] if index + 1 < len(marks) else len(text)
            sections.append(Section(start, text_start, end, kind, name, spoken))
        return tuple(sections)

    def _headers(self, text: str) -> list[Mark]:
        marks: list[Mark] = []
        position = 0
        form = self._is_form(text)
        keyed = "=" in text and sum(_KEY.match(line) is not None for line in text.split("\n")) >= _KEYS
        answers = self._answers_at(text) if form else -1
        short = sum(1 for _ in _SHORT_LINES.finditer(text)) >= _SHORT_LABELS
        for raw in text.splitlines(keepends=True):
            line_start, position = position, position + len(raw)
            line = raw.rstrip("\n")
            if not line.strip():
                continue
            if keyed and (key := _KEY.match(line)):
                marks.append((line_start, line_start + key.end(), *self._of_key(key[1]), False))
                continue
            if (
                short
                and (label := _SHORT_LABEL.match(line))
                and marks
                and marks[-1][2] in _ENDED | {"imaging_findings"}
            ):
                kind = "" if label[1] in _OWN_MEANING else self.kinds.get(label[1].lower(), "")
                marks.append((line_start, line_start + label.end(), kind, label[1].lower(), False))
                continue
            whole = self._lookup(line) if len(line) <= _LONGEST_LINE else None
            if whole and not _looks_like_answer(line):
                marks.append((line_start, line_start + len(line), *whole, False))
                continue
            if old := _OLD_LINE.fullmatch(line):
                marks.append((line_start, line_start + len(line), "history", old[0].strip(" :").lower(), False))
                continue
            if unknown := self._capital_line(line):
                marks.append((line_start, line_start + len(line), *unknown, False))
                continue
            if marks and marks[-1][2] == "findings" and (head := _CAPITAL_HEAD.fullmatch(line)):
                marks.append((line_start, line_start + len(line), "", head[1].strip().lower(), False))
                continue
            written = [(*mark, False) for mark in self._in_line(line, line_start, marks[-1][2] if marks else "")]
            if form and (field := self._of_column(line)):
                inner = [mark for mark in written if mark[0] >= line_start + field[0]]
                written = [(line_start, line_start + field[0], *field[1:], False), *inner]
            elif form and not written and marks and marks[-1][2] in _ENDED and (name := _unknown(line, answers)):
                written = [(line_start, line_start + answers, "", name, False)]
            if self._spoken and self._spoken.is_dictation(line):
                taken = {start for start, _, _, _, _ in written}
                spoken = self._spoken.marks(line, line_start, len(text))
                written = sorted([*written, *(mark for mark in spoken if mark[0] not in taken)])
            marks.extend(written)
        return marks

    def _is_form(self, text: str) -> bool:
        """True for a note of fields whose labels, in a column of their own, are headers of ours."""
        if "  " not in text and "|" not in text:
            return False
        kinds = [field[1] for line in text.split("\n") if (field := self._of_column(line))]
        return len(kinds) >= _FORM and len(set(kinds)) > 1

    def _of_key(self, key: str) -> tuple[str, str]:
        """Kind and name of a line "hx.prev[1].proc=...": its first word tells where it does not stand for the act
        itself, else its last, else its first."""
        words = [word.lower() for word in _KEY_PARTS.split(key) if word]
        if len(words) == 1 and words[0] not in self.kinds and words[0].startswith("proc"):
            words = ["proc", words[0].removeprefix("proc")]  # "PROCSIDE=LEFT"
        first, last = self.kinds.get(words[0], ""), self.kinds.get(words[-1], "")
        return (first if first in _APART_FROM_ACT else last or first), " ".join(words)

    def _answers_at(self, text: str) -> int:
        """Where in their lines most answers of a form begin; -1 where they stand in no column of their own."""
        places = Counter(field[0] for line in text.split("\n") if (field := self._of_column(line)))
        place, times = places.most_common(1)[0]
        return place if times >= _FORM else -1

    def _of_column(self, line: str) -> tuple[int, str, str] | None:
        """The header that alone fills the first of two columns: where the second begins, kind and name."""
        field = _COLUMN.match(line)
        if field is None or line.find("|", field.end()) >= 0 or _GAP.search(line, field.end()):
            return None
        named = self._lookup(field.group(1))
        return (field.end(), *named) if named else None

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

    def _by_words(self, label: str) -> tuple[str, str] | None:
        """A label that no row names ("LEVELS DONE:"): the kind of a word of it, where that tells of the act."""
        for word in label.lower().split():
            if self.kinds.get(word) in _OF_ACT and len(word) > 4:
                return self.kinds[word], label.lower()
        return None

    def _by_head(self, label: str) -> tuple[str, str] | None:
        """A label that no row names, by the noun that it is about: "HISTORY IN BRIEF", "Relevant imaging findings", and
        by the day that it is about: "PREVIOUS OP TEXT"."""
        label = label.lower().replace("_", " ")
        words = _PREPOSITION.sub("", label).split()
        if words and words[0] in _OF_OLD and words[-1] in _TOLD_OF:
            return "history", label
        for begin in range(len(words)):
            kind = self.kinds.get(" ".join(words[begin:]), "")
            if kind:
                return (kind, label) if kind in _BY_HEAD else None
        return None

    def _in_line(self, line: str, offset: int, last_kind: str) -> list[tuple[int, int, str, str]]:
        marks: list[tuple[int, int, str, str]] = []
        floor = 0
        for match in _SENTENCE_HEADER.finditer(line) if line.count(". ") > 1 else ():
            if dictated := self._lookup(match.group(1)):
                if dictated[0] not in {"admin", "laterality", "comment", "allergies"}:
                    marks.append((offset + match.start(1), offset + match.end(), *dictated))
        dotted = {start for start, _, _, _ in marks}
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
                if nested := _NESTED.match(line, end):  # "P: Proc - left L4-5 ..."
                    inner = self._lookup(nested.group(1))
                    if inner and inner[0] == "title":
                        marks.append((offset + nested.start(1), offset + nested.end(), *inner))
            at = line.find(":", at + 1)
        if dotted:
            marks.sort()
        free = marks[0][0] - offset if marks else len(line)  # characters before the first mark
        if free > 1 and (head := self._at_head(line, last_kind, free)):
            end, kind, name = head
            marks.insert(0, (offset, offset + end, kind, name))
        return marks

    def _at_head(self, line: str, last_kind: str, free: int) -> tuple[int, str, str] | None:
        """A header at the beginning of a line, within its first `free` characters, that no colon alone tells: where its
        text begins, its kind and its name. What each expression needs is looked for before it is run."""
        led = any(sign in line for sign in _LEADER_SIGNS)
        leader = _LEADER.match(line) if led else None
        if leader and leader.end() <= free and (named := self._lookup(leader[1]) or self._by_head(leader[1])):
            return leader.end(), *named
        if leader and leader.end() <= free and last_kind in _ENDED:
            return leader.end(), "", leader[1].strip().lower()
        numbered = _NUMBERED.match(line)
        if numbered and numbered.end() <= free:
            return numbered.end(), "title", "procedure"
        field = _FIELD.match(line) if "  " in line or "\t" in line else None
        if field and field.end() <= free and (named := self._lookup(field.group(1))):
            if named[0] in {"laterality", "guidance"} or (named[0] == "title" and field.group(1).isupper()):
                return field.end(), *named
        if ":" in line and (labelled := self._labelled(line, last_kind, free)):
            return labelled
        opening = _OPENING.match(line)
        if opening and self.kinds.get(opening.group(1).lower()) == "addendum":
            return opening.end(), "addendum", opening.group(1).lower()
        first = _FIRST_WORDS.match(line)
        if first and line.lstrip()[:1].isupper():
            name = first.group(1).strip().lower()
            kind = self.kinds.get(name, "")
            short = len(name) <= 3 and not (kind in {"diagnosis", "history"} and first.group().rstrip().endswith("-"))
            if kind and kind not in {"admin", "laterality"} and not short:  # "Dx - ..."
                return first.end(), kind, name
        return None

    def _labelled(self, line: str, last_kind: str, free: int) -> tuple[int, str, str] | None:
        """A label before a colon that no row names."""
        label = _LABEL.match(line) if last_kind in _SILENT else None
        if label and label.end() <= free and (named := self._by_words(label.group(1))):
            return label.end(), *named
        headed = _HEADED.match(line)
        if headed and headed.end() <= free and (named := self._by_head(headed.group(1))):
            return headed.end(), *named
        own = _OWN_HEADER.match(line) if last_kind == "title" else None
        if own and own.end() <= free and line.count(" ", own.end()) >= _PROSE:
            return own.end(), "", own.group(1).lower()  # "STORY: ..." is no more title
        return None

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
        name = " ".join(name.replace("_", " ").split())
        kind = self.kinds.get(name, "")
        begins = name[:_HEAD]
        if not kind and (begins in self._heads or not begins.isalpha()):  # nothing below changes these letters
            name = _TWICE.sub(r"\1", name)  # "NAME of OF PROCEDURE"
            name = name if name in self.kinds else _STAMP.sub("", name)
            kind = self.kinds.get(name, "")
            if not kind and name.endswith(")"):
                name = _ASIDE.sub("", name)
                kind = self.kinds.get(name, "")
        if not kind and name.startswith(_CHOOSERS):
            name = name.partition(" ")[2]
            kind = self.kinds.get(name, "")
        if not kind and " / " in name:
            name = name.replace(" / ", "/")
            kind = self.kinds.get(name, "")
        if not kind:
            bare = words.strip().rstrip(":").strip(" *_-=.").lower()
            kind = self.kinds.get(bare, "")
            name = bare
        return (kind, name) if kind else None


def _assessed_before(marks: list[Mark]) -> list[Mark]:
    """An assessment that stands before the procedure is what led to it; behind it, what came of it."""
    acts = [index for index, mark in enumerate(marks) if mark[2] in {"title", "body"}]
    first = acts[0] if acts else 0
    return [
        (*mark[:2], "diagnosis", *mark[3:]) if index < first and mark[3].startswith("assessment") else mark
        for index, mark in enumerate(marks)
    ]


def _unknown(line: str, answers: int) -> str:
    """The label of a form's line that no row names, where the answer stands in the column of the answers: it ends what
    the field before it told."""
    label = _ITEM.sub("", line[: max(answers, 0)])
    own = label.endswith("  ") and line[answers : answers + 1].strip() and "  " not in label.strip()
    return label.strip().lower() if own and label.lstrip()[:1].isalpha() else ""


def _looks_like_answer(line: str) -> bool:
    """True for a short lower-case line such as "prone" or "none", which answers the header above it."""
    words = line.strip()
    marked = words.endswith(":") or (words.isupper() and "/" in words)  # "A/P"
    return words[:1].islower() or (len(words) <= 3 and not marked)
