"""Check boxes and radio buttons in the notations of different systems, brought to one: "(x)" and "( )", "\\u2612" and
"\\u2610".

    Side:  \u25cb Right   \u25cf Left      Guidance (o) fluoroscopy  ( ) ultrasound      (   ) NONE  ( X ) CAUDAL

Forms of questions become forms of fields: "SIDE?  R" reads "SIDE:  R". A list of choices with the chosen one behind it
goes: "{RIGHT/LEFT/BILATERAL:18021} left" reads "left".

A filled circle alone is a bullet, and "(o)" alone may be anything: they are read as buttons only in a note that has a
line with chosen and unchosen ones beside each other. The length of the text never changes.
"""

from __future__ import annotations

import re

from extractor.form_codes import without_form_codes
from extractor.literals import folded

_EMPTY, _FULL = "\u25cb\u25ef\u25cc\u26aa", "\u25cf\u25c9\u29bf\u26ab\u25d9\U0001f518"
_CIRCLES = {**dict.fromkeys(map(ord, _EMPTY), "\u2610"), **dict.fromkeys(map(ord, _FULL), "\u2612")}
_CIRCLE_ROW = re.compile(rf"[{_EMPTY}][^\n{_FULL}{_EMPTY}]*[{_FULL}]|[{_FULL}][^\n{_FULL}{_EMPTY}]*[{_EMPTY}]")
_BUTTON = re.compile(r"([(\[])([oO*\u2022\u25cf])([)\]])")
_BUTTON_ROW = re.compile(
    r"[(\[] {0,4}[)\]][^\n()\[\]]*[(\[][oO*\u2022\u25cf][)\]]|[(\[][oO*\u2022\u25cf][)\]][^\n()\[\]]*[(\[] {0,4}[)\]]"
)
_WIDE = re.compile(r"([(\[])([ ]{0,4})([xX\u2713\u2714]?)([ ]{0,4})([)\]])")
_QUESTION = re.compile(r"^([ \t]*(?:\d{1,2}[.)][ \t]*)?[A-Z][^?:\n]{1,80})\?(?=[ \t]+\S)", re.MULTILINE)
_LATIN = re.compile(r"^([ \t]*)(dx|sin)([ \t]{1,12})(sin|dx)(?=[ \t]*$)", re.IGNORECASE | re.MULTILINE)
_LATIN_NEEDS = ("dx", "sin ", "sin\t")  # one of these stands in every match, in small letters
_PLUS, _MINUS = re.compile(r"\[ ?\+ ?\]"), re.compile(r"\[ ?- ?\]")
_CHOSEN = re.compile(r"\{(?P<choices>[A-Za-z][^{}\n:]{1,120})(?::\d{1,10})?\}(?=[ \t]{1,3}(?P<chosen>[A-Za-z]+))")
_FORM = 3  # questions that make a form


def plain_boxes(text: str) -> str:
    """The text with every box in one notation, at the same offsets.

    >>> plain_boxes("Side (o) Left ( ) Right")
    'Side (x) Left ( ) Right'
    >>> plain_boxes("(   ) CAUDAL  ( X ) INTERLAMINAR")
    '( )   CAUDAL  (X)   INTERLAMINAR'
    >>> plain_boxes("Side: {LEFT/RIGHT:91} left"), plain_boxes("Side: {LEFT/RIGHT:91}")
    ('Side:                 left', 'Side: {LEFT/RIGHT:91}')
    >>> plain_boxes("\\u25cf L4-5 \\u25cb L5-S1") == "\\u2612 L4-5 \\u2610 L5-S1", plain_boxes("\\u25cf Prone")
    (True, '\\u25cf Prone')
    """
    text = without_form_codes(text)
    boxes = "(" in text or "[" in text
    if boxes and _BUTTON_ROW.search(text):
        text = _BUTTON.sub(r"\1x\3", text)
    if not text.isascii() and _CIRCLE_ROW.search(text):
        text = text.translate(_CIRCLES)
    small = folded(text)
    if any(side in small for side in _LATIN_NEEDS):  # "dx   sin" over two columns
        text = _LATIN.sub(lambda match: match[1] + _latin(match[2]) + match[3] + _latin(match[4]), text)
    if boxes and _MINUS.search(text) and _PLUS.search(text):
        text = _PLUS.sub(lambda match: match[0].replace("+", "x"), text)
        text = _MINUS.sub(lambda match: match[0].replace("-", " "), text)
    if text.count("?") >= _FORM and len(_QUESTION.findall(text)) >= _FORM:
        text = _QUESTION.sub(r"\1:", text)
    if "{" in text:
        text = _CHOSEN.sub(_chosen, text)
    return _WIDE.sub(_narrow, text) if boxes else text


def _chosen(match: re.Match[str]) -> str:
    choices = [choice.strip().lower() for choice in match["choices"].split("/")]
    taken = len(choices) > 1 and match["chosen"].lower() in choices
    return " " * len(match.group()) if taken else match.group()


def _latin(side: str) -> str:
    return "R" + " " * (len(side) - 1) if side.lower() == "dx" else "L" + " " * (len(side) - 1)


def _narrow(match: re.Match[str]) -> str:
    opening, before, mark, after, closing = match.groups()
    if (opening == "(") != (closing == ")"):
        return match.group()
    blanks = len(before) + len(after)
    if mark:
        return f"{opening}{mark}{closing}{' ' * blanks}"
    return f"{opening} {closing}{' ' * (blanks - 1)}" if blanks > 1 else match.group()
