"""What a form prints beside its answers and what is no answer: the numbers of its items, and the legends of its codes.

    A1 Pre      M47.816                      B2 Side       R  (R = right, L = left, B = both)
    C1   L3     R     L4 SAP/TP              B5 Guidance   F  (F = fluoro, C = CT, N = none)

"C1" and "L2" as numbers of items would be read as vertebrae. A form numbers its items when a line begins with A1 and
three letters or more have items from 1 on. A legend explains all choices, the chosen one stands before it: it becomes a
row of check boxes. Fields with "=" or the
arrow of a drop-down list for ":" are read as the others. The length of the text never changes.
"""

from __future__ import annotations

import re

from extractor.literals import folded

_JOINED = re.compile(r"(?<=[A-Za-z])_(?=[A-Za-z])")
_DROP_DOWN = re.compile(r"(?<=[A-Za-z)]) ?[\u25bc\u25be\u2304\u23f7\u25bf](?=[ \t]+\S)")
_DOTS = re.compile(r"(?<=[A-Za-z)]) ?\.{4,}(?= ?[CTLS]\d)")  # "Interspace ....... L4-L5"
_STRUCK = re.compile(r"\{xx\b[^{}]{0,200}?\bxx\}|~~(?! )[^~\n]{1,200}(?<! )~~")
_PICK_LIST = re.compile(r"<[^<>\n|]{0,60}(?:\|[^<>\n|]{0,60}){1,20}>")  # the choices, left behind the chosen one
_FIRST = re.compile(r"^[ \t]*A1\b[ \t:.)]", re.MULTILINE)
_CODE = re.compile(r"(?:^[ \t]*|[ \t]{3})(?P<code>(?P<letter>[A-Z])(?P<number>\d{1,2}))(?=[ \t:.)])", re.MULTILINE)
_EQUALS = re.compile(r"(?<=[A-Za-z)]) = (?=\S)")
_ANSWERS = 3  # fields written with "=" that make a form
_LETTERS = 3  # letters with items of their own that make a form
_CHOICE = r"[A-Za-z]{1,2} ?= ?[^,;()=\n]{1,30}"
_LEGEND = re.compile(
    rf"(?P<value>\b[A-Za-z]{{1,2}})(?P<gap>[ \t]{{1,6}})\((?P<choices>{_CHOICE}(?:[,;] ?{_CHOICE}){{1,8}})\)"
)
_ONE = re.compile(r"(?P<code>[A-Za-z]{1,2})(?P<sign> ?= ?)")


def without_form_codes(text: str) -> str:
    """The text with blanks for numbers of items and within names of fields, and with check boxes for legends.

    >>> without_form_codes("SI_JT[R]: Y")
    'SI JT[R]: Y'

    >>> without_form_codes("Side  L  (R = right, L = left)")
    'Side  L  (\\u2610   right, \\u2612   left)'
    >>> without_form_codes("A1 Pre\\nA2 Post\\nB1 Name\\nC1   L3   R").splitlines()[-1]
    '     L3   R'
    """
    if "_" in text:
        text = _JOINED.sub(" ", text)
    if "xx" in text or "~~" in text:
        text = _STRUCK.sub(_blanked, text)
    if "<" in text and "|" in text:
        text = _PICK_LIST.sub(_blanked, text)
    if not text.isascii():
        text = _DROP_DOWN.sub(lambda match: ":" + " " * (len(match.group()) - 1), text)
    if "...." in text:
        text = _DOTS.sub(lambda match: ":" + " " * (len(match.group()) - 1), text)
    if "=" in text and "(" in text:
        text = _LEGEND.sub(_boxed, text)
    if text.count(" = ") >= _ANSWERS:
        text = _EQUALS.sub(":  ", text)
    if "a1" in folded(text) and _FIRST.search(text):
        found = list(_CODE.finditer(text))
        numbered = _numbered(found)
        if len(numbered) >= _LETTERS:
            marks = [match.span("code") for match in found if match["letter"] in numbered]
            pieces: list[str] = []
            place = 0
            for start, end in marks:
                pieces += (text[place:start], " " * (end - start))
                place = end
            text = "".join((*pieces, text[place:]))
    return text


def _blanked(match: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", match.group())


def _numbered(found: list[re.Match[str]]) -> set[str]:
    """Letters whose items are counted from 1 on."""
    last: dict[str, int] = {}
    broken: set[str] = set()
    for match in found:
        letter, number = match["letter"], int(match["number"])
        if number != last.get(letter, 0) + 1:
            broken.add(letter)
        last[letter] = number
    return last.keys() - broken


def _boxed(match: re.Match[str]) -> str:
    value = match["value"].lower()
    choices = [one["code"].lower() for one in _ONE.finditer(match["choices"])]
    if choices.count(value) != 1:
        return match.group()

    def box(one: re.Match[str]) -> str:
        return ("\u2612" if one["code"].lower() == value else "\u2610") + " " * (len(one.group()) - 1)

    return f"{match['value']}{match['gap']}({_ONE.sub(box, match['choices'])})"
