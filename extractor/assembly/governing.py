"""Which kind of section really governs a sentence: headers end earlier than the next header says.

A field ("Skin: lidocaine 1%") ends with its line, a history or consent with the first needle of a body that has no
header of its own, a plan at the head of a note with what was done below it.
"""

from __future__ import annotations

import re

from extractor.assembly.seen import Seen
from extractor.mentions import Sentence
from extractor.text import line_start

_CONTAINERS = frozenset(
    {"title", "body", "history", "indication", "exam", "plan", "discharge", "impression", "findings"}
)
_FIELDS = frozenset(
    {
        "planned",
        "skin",
        "contrast",
        "anesthesia",
        "sedation",
        "prep",
        "guidance",
        "laterality",
        "complications",
        "timeout",
        "admin",
        "allergies",
        "injectate",
        "numbering",
        "comment",
    }
)
_SHORT_FIELDS = frozenset(
    {"skin", "contrast", "anesthesia", "sedation", "prep", "guidance", "complications", "timeout"}
)
_LEAVABLE = frozenset(
    {
        "history",
        "indication",
        "consent",
        "exam",
        "imaging_findings",
        "diagnosis",
        "medications",
        "allergies",
        "admin",
        "teaching",
        "timeout",
    }
)
_TITLES = frozenset({"title", "study"})
_LISTS = frozenset({"medications", "allergies", "admin"})
_TODAY = re.compile(r"(?:today|now|this time)\b(?! (?:s?he|the patient|pt|they) )", re.IGNORECASE)
_OWN_LINE = 3  # characters before a header that stands at the beginning of its line
_HEADER_MARKS = 4  # characters by which a line that is only a header may be longer than its name


class Governing:
    """Asked once for each sentence, in order; remembers what the sentences before told."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen
        self._first_worked = min(seen.worked, default=0)
        self._left = False  # the text has left its section although no header says so
        self._container = ""  # the last kind that can hold field lines ("Skin: ...") within it
        self._inline = False  # the header stands behind other words on its line
        self._bare_header = False  # the header stood alone: the next sentence is the first of its field

    def kind_of(self, sentence: Sentence, bodied: bool) -> tuple[str, bool]:
        """The kind that governs the sentence ("" for running text), and whether the text leaves its section here.

        `bodied`: a sentence of the body has been met.
        """
        opens = sentence.first_in_section or self._bare_header
        self._bare_header = False
        if sentence.first_in_section:
            line = self._seen.text[line_start(self._seen.text, sentence.start) : sentence.start]
            self._inline = len(line.strip()) > _OWN_LINE
            self._bare_header = self._is_bare_header(sentence)
            self._left = False
            if sentence.kind not in _FIELDS:
                self._container = ""
        kind = self._named(sentence)
        if kind in _CONTAINERS and not self._left:
            self._container = kind if kind != "title" else ""
        if kind in _FIELDS and not opens and _field_ended(sentence, kind):
            apart = sentence.paragraph > sentence.header_paragraph or kind == "planned"
            kind = "" if self._container in _LEAVABLE and apart else self._container
        if kind == "plan":
            kind = self._after_plan(sentence, bodied)
        leaves = kind in _LEAVABLE and not self._left and self._begins_body(sentence, kind)
        if leaves:
            self._left, self._container = True, ""
        return "" if self._left and kind in _LEAVABLE else kind, leaves

    def _is_bare_header(self, sentence: Sentence) -> bool:
        if sentence.end - sentence.start > len(sentence.section) + _HEADER_MARKS:
            return False
        text = self._seen.text
        return text[sentence.end - 1] == ":" or text[sentence.end : sentence.end + 1] in ("\n", ":")

    def _named(self, sentence: Sentence) -> str:
        """The kind that the header gives, where the sentence is of that kind at all."""
        kind = sentence.kind
        if kind == "diagnosis" and sentence.spoken and not sentence.first_in_section:
            return ""  # a diagnosis that was only spoken ends with its clause
        if kind not in _TITLES:
            return kind
        last = self._seen.naming.get((sentence.section, sentence.header_line))
        if last is None and kind == "study":
            return "exam"
        if last is None or last < sentence.index:
            return ""
        if "exam" in sentence.cues and sentence.index not in self._seen.procedural:
            return "exam"
        return "title"

    def _after_plan(self, sentence: Sentence, bodied: bool) -> str:
        """ "Plan: L L4-5 facet inj" at the head of the note, and what was done below it."""
        if not bodied and not self._left:
            if sentence.index in self._seen.worked or _leaves(sentence, False, False):
                self._left, self._container = True, ""
            elif sentence.index < self._first_worked and sentence.index in self._seen.target:
                return "planned"
        return "" if self._left else "plan"

    def _begins_body(self, sentence: Sentence, kind: str) -> bool:
        seen, index = self._seen, sentence.index
        if self._inline and kind == "history" and sentence.line > sentence.header_line and index in seen.procedural:
            return not sentence.cues & {"historical", "planned", "negated", "explained", "finding"}
        alone = sentence.paragraph > sentence.header_paragraph and index in seen.procedural & seen.level
        if alone and seen.text[sentence.start : sentence.end].isupper():
            return not sentence.cues & {"historical", "planned", "negated", "finding"}  # a title in capitals
        if not sentence.cues and index not in seen.worked:
            return False
        # a template's choices below an imported list
        boxed = (
            kind in _LISTS | {"history", "indication"}
            and sentence.paragraph > sentence.header_paragraph
            and index in seen.target
        )
        if boxed and sentence.cues & {"checked", "unchecked"}:
            return True
        if "grid_row" in sentence.cues and sentence.paragraph > sentence.header_paragraph and index in seen.nerved:
            return not sentence.cues & {"historical", "planned"}  # a lesion log below "Prior tx: ..."
        if kind == "imaging_findings" and index in seen.drugged and "performed" in sentence.cues:
            return True
        if index in seen.target and sentence.line > sentence.header_line and _TODAY.match(seen.text, sentence.start):
            return not sentence.cues & {"historical", "planned", "negated", "explained"}  # "today R SI jt IA"
        return _leaves(sentence, index in seen.worked, index in seen.level)


def _field_ended(sentence: Sentence, kind: str) -> bool:
    below = sentence.spoken or sentence.line > sentence.header_line
    return kind in _SHORT_FIELDS or below or "needlework" in sentence.cues


def _leaves(sentence: Sentence, working: bool, level: bool) -> bool:
    """True for the first sentence of a body that stands under a header such as "Consent" or "Medications" without
    one of its own; `working`: it begins a stretch of needle work; `level`: it holds a level."""
    if sentence.cues & {"historical", "planned", "explained"}:
        return False
    if sentence.cues >= {"performed", "today"} and "exam" not in sentence.cues and sentence.line > sentence.header_line:
        return True
    if working and (sentence.line > sentence.header_line or sentence.kind in _FIELDS):
        return True
    if "needlework" not in sentence.cues:
        return False
    if sentence.spoken and not sentence.first_in_section:
        return True
    if sentence.paragraph > sentence.header_paragraph:
        return True
    if sentence.kind in {"consent", "timeout"} and "consent" not in sentence.cues:
        return True
    if level and not sentence.cues & {"finding", "exam", "negated"} and sentence.line > sentence.header_line:
        return True  # "#1: prone, 22G to L L5-S1 foramen" on a line below "Hx: ..."
    return sentence.line > sentence.header_line and sentence.kind not in {"history", "indication", "exam"}
