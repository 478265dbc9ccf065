"""The XHTML of a FHIR narrative as plain text. One pass, linear, without an XML parser: no entity is ever expanded.

Rules: FHIR R4 narrative (hl7.org/fhir/R4/narrative.html): no document type, head or script; styles stand inside.
Hidden elements are read like others. Images are left out.
"""

from __future__ import annotations

import re
from html import unescape
from typing import Any

from extractor.batch.readers.items import is_unicode
from extractor.errors import InputError
from extractor.fhir.vocabulary import must_be_bound

# A value of an attribute holds no "<": so every attempt ends at the next one, and all of them together are linear.
_TAG = re.compile(r"""<(/?)([A-Za-z][\w:.-]{0,60})((?:[^<>"']++|"[^"<]*+"|'[^'<]*+')*+)>""", re.ASCII)
_BLANKS = re.compile(r"[ \t\n\r\f]+")
_PARAGRAPHS = frozenset("p h1 h2 h3 h4 h5 h6 table ul ol dl blockquote pre".split())
_LINES = frozenset("div br hr li tr dt dd caption thead tbody tfoot address section article".split())
_CELLS = frozenset({"td", "th"})
_NO_PLACE = frozenset({"script", "head"})


def narrative_text(narrative: object, element: str) -> str:
    """The text of a Narrative; "" when there is none. `element` names it in errors ("Composition.section[0].text")."""
    if not isinstance(narrative, dict):
        return ""
    must_be_bound("Narrative.status", narrative.get("status"))
    div: Any = narrative.get("div")
    if not isinstance(div, str) or narrative.get("status") == "empty":
        return ""
    try:
        return xhtml_text(div)
    except InputError as error:
        raise InputError(f"{element}.div: {error}") from None


def xhtml_text(xhtml: str) -> str:
    """The text as a browser would show it: paragraphs with an empty line between, cells of a row with " | ".

    >>> xhtml_text("<div><p>Left  L4-5</p><table><tr><td>A</td><td>B&#160;&lt; 1</td></tr></table>done<br/>so</div>")
    'Left L4-5\\n\\nA | B\\xa0< 1\\n\\ndone\\nso'
    """
    if not is_unicode(xhtml):
        raise InputError("broken Unicode")
    page = _Page()
    place = 0
    while (begin := xhtml.find("<", place)) >= 0:
        page.text(xhtml[place:begin])
        if xhtml.startswith("<!--", begin):
            place = xhtml.find("-->", begin) + 3
            if place < 3:
                raise InputError("a comment has no end")
            continue
        if xhtml.startswith(("<!", "<?"), begin):
            raise InputError("a document type, CDATA section or instruction has no place in a narrative")
        tag = _TAG.match(xhtml, begin)
        if tag is None:  # not well-formed: a bare "<" is text
            page.text("<")
            place = begin + 1
            continue
        name, closes, alone = tag[2].rpartition(":")[2].lower(), bool(tag[1]), tag[3].endswith("/")
        page.tag(name, closes=closes, alone=alone)
        place = tag.end()
        if name == "style" and not closes and not alone:
            place = xhtml.find("</", place)
            if place < 0:
                raise InputError("a style has no end")
    page.text(xhtml[place:])
    return page.whole()


class _Page:
    """The lines that come out."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._line: list[str] = []
        self._begun = False  # the line holds more than blanks
        self._verbatim = 0  # how many <pre> are open

    def text(self, raw: str) -> None:
        if not raw:
            return
        try:
            text = unescape(raw) if "&" in raw else raw
        except ValueError:  # the number of a character with thousands of digits
            raise InputError("a character reference is not valid") from None
        if not self._verbatim:
            self._add(_BLANKS.sub(" ", text))
            return
        first, *more = text.replace("\r\n", "\n").split("\n")
        self._add(first)
        for line in more:
            self._end_line()
            self._add(line)

    def tag(self, name: str, *, closes: bool, alone: bool) -> None:
        if name in _NO_PLACE:
            raise InputError("script and head have no place in a narrative")
        if name in _CELLS and not closes and self._begun:
            self._line.append(" | ")
        if name in _LINES or name in _PARAGRAPHS:
            if self._line or name == "br":
                self._end_line()
            if name in _PARAGRAPHS and self._lines and self._lines[-1]:
                self._lines.append("")
        if name == "pre" and not alone:
            self._verbatim = max(0, self._verbatim + (-1 if closes else 1))

    def _add(self, text: str) -> None:
        self._line.append(text)
        self._begun = self._begun or bool(text.strip())

    def _end_line(self) -> None:
        line = "".join(self._line)
        self._lines.append(line.rstrip() if self._verbatim else re.sub("  +", " ", line.strip(" ")))
        self._line, self._begun = [], False

    def whole(self) -> str:
        self._end_line()
        kept: list[str] = []
        for line in self._lines:
            if line or (kept and kept[-1]):
                kept.append(line)
        return "\n".join(kept).strip("\n")
