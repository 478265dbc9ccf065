"""Tick boxes of templates: "[x] bupivacaine  [ ] ropivacaine", "Steroid: [ ] yes [x] no"."""

from __future__ import annotations

import re
from bisect import bisect_left

from extractor.agent_view import View

_BOX = re.compile(
    r"\[(?P<mark>[ _]{0,3}|\s?[xX*]\s?)\]|\((?P<round>[ _]{1,3}|\s?[xX*]\s?)\)"
    r"|(?P<sign>[\u2610\u2611\u2612\u2713\u2714])"
)
_LINE = 240
_OPTION_GAP = 28


_NEXT_FIELD = re.compile(r"\s{3,}[A-Za-z][A-Za-z /]{0,30}:")  # "mepivacaine 0.7 mL      Steroid: [x] no"


def unticked(view: View, hit: int) -> bool:
    """True when the drug stands beside an empty box, or its field has only "no" ticked."""
    start, end = view.hits[hit].start, view.hits[hit].end
    line_start = max(view.text.rfind("\n", max(0, start - _LINE), start) + 1, start - _LINE, 0)
    line_end = view.text.find("\n", end, end + _LINE)
    line_end = min(len(view.text), end + _LINE) if line_end < 0 else line_end
    boxes = list(_BOX.finditer(view.text, line_start, line_end))
    if not boxes:
        return False
    answers = [(box, _answer(view, box.end())) for box in boxes if box.start() >= end]
    label = view.text[end : answers[0][0].start()] if answers else ""
    later = view.hits[hit + 1].start if hit + 1 < len(view.hits) else len(view.text)
    if answers and later > answers[0][0].start() and answers[0][1] and ":" in label and not _NEXT_FIELD.search(label):
        return any(answer == "no" and _ticked(box) for box, answer in answers[:2])
    before = [box for box in boxes if box.end() <= start]
    after = [box for box in boxes if box.start() >= end]
    if _suffixed(view, hit, boxes[0], line_start):
        return bool(after) and after[0].start() - end <= _OPTION_GAP and not _ticked(after[0])
    if not before:
        return False
    between = view.text[before[-1].end() : start]
    beside = len(between) <= _OPTION_GAP and ":" not in between and "  " not in between.strip()
    return beside and not _ticked(before[-1])


def _ticked(box: re.Match[str]) -> bool:
    if box["sign"]:
        return box["sign"] != "\u2610"
    return (box["mark"] or box["round"] or "").strip(" _") != ""


def _suffixed(view: View, hit: int, first: re.Match[str], line_start: int) -> bool:
    """True when the boxes of a line stand after their drugs: a drug comes between the label and the first box."""
    label = view.text.rfind(":", line_start, first.start())
    left = max(label, line_start)
    while hit >= 0 and view.hits[hit].start >= left:
        if view.hits[hit].end <= first.start():
            return True
        hit -= 1
    return False


def _answer(view: View, offset: int) -> str:
    """ "yes" or "no" when that word follows the box, else ""."""
    index = bisect_left(view.starts, offset)
    cue = view.cue_of[index] if index < len(view.words) else None
    if cue is None:
        return ""
    if any(row.role == "not_used" and row.direction == "label" for row in cue.rows):
        return "no"
    return "yes" if cue.has("tick") else ""
