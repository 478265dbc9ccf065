"""Radio buttons copied as text: "o" before what was not chosen and "*" before what was.

    Side:  o L   * R   o Both            Injection type (choose one):
                                           o Lumbar facet
                                           * Sacroiliac joint

Choices left in braces are read too, the chosen ones between stars: "{Left / Right / *Bilateral*}".

A row of options is one line with two or more of the marks behind a colon; a column is a run of lines below a line that
ends in a colon or speaks of a choice, at one depth, each with one of the marks, and with exactly one chosen: nested
bullets and footnotes, which use the same marks, are left alone.
"""

from __future__ import annotations

import re

_MARK = re.compile(r"(?P<mark>[o*])(?<![^\s:].)[ \t]{1,4}(?=[A-Za-z0-9])")  # its sign first, which is quick to look for
_ITEM = re.compile(r"(?P<indent>[ \t]*)(?P<mark>[o*])[ \t]{1,4}[A-Za-z0-9]")
_ACTS = r"completed|done|used|injected|treated|performed|blocked|entered"
_ANSWER = re.compile(
    rf"(?<!\.)\.{{4,400}} {{0,4}}(?P<answer>yes|y|{_ACTS}|no|n|none|not {{1,3}}(?:{_ACTS}))[ \t]{{0,3}}(?=\n|$|\.\s)",
    re.IGNORECASE,
)
_DENIED = re.compile(
    r"^(?P<label>[^:?=\n]{2,80})(?P<answer>[:?=] {0,12}no?\.?| {3,}\(?n/a\)?)[ \t]{0,3}$", re.IGNORECASE | re.MULTILINE
)
_BRIEF = re.compile(r"(?P<answer> ?: ?)(?P<word>y(?:es)?|no?)(?=\s|[,;.]|$)", re.IGNORECASE)
# What stands in every match of the two above, and begins with a sign, which is quick to look for.
_ENDS_DENIED = re.compile(r"(?:[:?=] {0,12}no?\.?| {3,}\(?n/a\)?)[ \t]{0,3}$", re.IGNORECASE | re.MULTILINE)
_HAS_BRIEF = re.compile(r": ?(?:y(?:es)?|no?)(?=\s|[,;.]|$)", re.IGNORECASE)
_OF_IMAGING = re.compile(r"imag|guid", re.IGNORECASE)  # "Image guidance: no" is a modality of its own
_BRACE = re.compile(r"\{[^{}\n]{1,200}\}")
_STARRED = re.compile(r"(?<![\w*])\*[^*{}\n]{1,60}\*(?![\w*])")
_HEADING = re.compile(r":\s*$|\b(?:choose|select|pick|tick|mark)\b", re.IGNORECASE)
_LONGEST_HEADING = 80
_NONE, _CHOSEN = "o", "*"
Pick = tuple[int, int, str]


def picks(text: str) -> list[Pick]:
    """(start, end, "checked" or "unchecked") of every mark, in order; so are answers behind a row of dots.

    >>> picks("Side:  o L   * R")
    [(7, 8, 'unchecked'), (13, 14, 'checked')]
    >>> picks("* Procedure\\n  o L4-5\\n  o L5-S1")
    []
    """
    marked = any(sign in text for sign in ("*", "....", " o ", "\no "))
    if not marked and not _HAS_BRIEF.search(text) and not _denials(text):
        return []
    return sorted(_options(text) + _answers(text) + _braced(text))


def _options(text: str) -> list[Pick]:
    """The marks of rows and columns of options."""
    if not _MARK.search(text):
        return []
    found: list[Pick] = []
    column: list[Pick] = []
    depth: int | None = None
    headed = False
    above = ""  # the last line without an option
    position = 0
    for line in text.splitlines(keepends=True):
        here = [(position + m.start("mark"), position + m.end("mark"), m["mark"]) for m in _MARK.finditer(line)]
        if len(here) > 1 and ":" in line[: here[0][0] - position]:
            found += [(start, end, "checked" if mark == _CHOSEN else "unchecked") for start, end, mark in here]
        item = _ITEM.match(line) if len(here) == 1 else None
        if item is None or len(item["indent"]) != depth:
            found += _chosen(column)
            column, depth = [], None
            headed = item is not None and _HEADING.search(above[-_LONGEST_HEADING:]) is not None
        if item is not None and headed:
            depth = len(item["indent"])
            column += here
        elif item is None:
            above = line
        position += len(line)
    return found + _chosen(column)


def _braced(text: str) -> list[Pick]:
    """The marks of options in braces with at least one between stars; what stands behind the brace is plain text again.

    >>> _braced("Side: {Left / *Right*}")
    [(6, 7, 'unchecked'), (14, 15, 'checked'), (20, 21, 'unchecked'), (21, 22, 'checked')]
    """
    found: list[Pick] = []
    if "*" not in text:
        return found
    for brace in _BRACE.finditer(text):
        starred = [match.span() for match in _STARRED.finditer(text, brace.start(), brace.end())]
        if not starred:
            continue
        place = brace.start()
        for start, end in starred:
            if place < start:
                found.append((place, place + 1, "unchecked"))
            found.append((start, start + 1, "checked"))
            place = end - 1
        found += [(place, place + 1, "unchecked"), (brace.end() - 1, brace.end(), "checked")]
    return found


def _answers(text: str) -> list[Pick]:
    """The answer is the box of what stands before it: "Epidural ......... no", "L4-5 ....... COMPLETED", and
    "Fluoroscopy used: No" ("yes" behind a colon may answer anything)."""
    found = [
        (*match.span("answer"), "unchecked" if match["answer"][0] in "nN" else "checked")
        for match in (_ANSWER.finditer(text) if "...." in text else ())
    ]
    found += [
        (*match.span("answer"), "unchecked") for match in _denials(text) if not _OF_IMAGING.search(match["label"])
    ]
    return found + _brief(text, {start for start, _, _ in found})


def _denials(text: str) -> list[re.Match[str]]:
    """Lines that end with a denial."""
    return list(_DENIED.finditer(text)) if _ENDS_DENIED.search(text) else []


def _brief(text: str, known: set[int]) -> list[Pick]:
    """The denials of a row of brief answers: "L1:N  L2:N  L3:Y"."""
    found: list[Pick] = []
    if not _HAS_BRIEF.search(text):
        return found
    position = 0
    for line in text.splitlines(keepends=True):
        marks = list(_BRIEF.finditer(line)) if line.count(":") > 1 else []
        if len(marks) > 1:
            found += [
                (position + mark.start(), position + mark.end(), "unchecked")
                for mark in marks
                if mark["word"][0] in "nN" and position + mark.start() not in known
            ]
        position += len(line)
    return found


def _chosen(marks: list[Pick]) -> list[Pick]:
    """The marks with their states; nothing unless exactly one of them is the chosen one."""
    if sum(mark == _CHOSEN for _, _, mark in marks) != 1 or not any(mark == _NONE for _, _, mark in marks):
        return []
    return [(start, end, "checked" if mark == _CHOSEN else "unchecked") for start, end, mark in marks]
