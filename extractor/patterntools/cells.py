"""What is wrong with one cell: stray blanks, odd characters, and what a spreadsheet made of it. Pure.

A spreadsheet takes 3-4 for the fourth of March, drops the first zero of 0213T's number, writes 0.25 as .25 and 64493 as
64,493, and an editor makes quotes typographic. The cell then never matches, or is another code.
"""

from __future__ import annotations

import re

from extractor.patterns import short
from extractor.patterntools.findings import Finding
from extractor.text import clean

_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
_DAY_MONTH = re.compile(r"(\d{1,2})-([A-Za-z]{3})(?:-\d{2,4})?")
_MONTH_YEAR = re.compile(r"([A-Za-z]{3})-(\d{2})")
_ISO = re.compile(r"\d{4}-(\d{2})-(\d{2})(?:[ T]\d{2}:\d{2}(?::\d{2})?)?")
_SLASHES = re.compile(r"(\d{1,2})[/.](\d{1,2})[/.]\d{2,4}")
_NO_ZERO = re.compile(r"\.\d+ ?%?")
_SHORT_CODE = re.compile(r"\d{3}T")
_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+")
_SCIENTIFIC = re.compile(r"\d(?:[.,]\d+)?E[+-]?\d{1,2}")
_DECIMAL = re.compile(r"(\d{4,6})\.0+")
_FORMULA = re.compile(r"#(?:NAME\?|REF!|VALUE!|N/A|DIV/0!|NUM!|NULL!)|[=@].*", re.DOTALL)
_GUARD = re.compile(r"'\S.*")
_TRUTH = frozenset({"TRUE", "FALSE"})
_GARBLED = re.compile("\u00e2\u20ac|\u00c3[\u0080-\u00bf\u0192\u2018-\u203a]|\u00c2[\u00a0-\u00bf]|\ufffd")
_TYPOGRAPHIC = re.compile("[\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u00ab\u00bb]")
_AS_TEXT = "and format the column as text first"


def _found(what: str, mend: str) -> Finding:
    return Finding("", 0, what, mend)


def cell_findings(column: str, value: str) -> list[Finding]:
    """All faults of a cell, without file and row.

    >>> [finding.what for finding in cell_findings("phrase", "4-Mar")]
    ["the phrase '4-Mar' is a date that a spreadsheet made"]
    """
    found = _blanks(column, value)
    bare = value.strip()
    found += _characters(column, bare)
    damage = spreadsheet_damage(bare)
    if damage is not None:
        found.append(_found(f"the {column} {short(bare)} {damage[0]}", damage[1]))
    return found


def _blanks(column: str, value: str) -> list[Finding]:
    found = []
    bare = value.strip()
    if value != bare:
        found.append(_found(f"a stray blank at an end of the {column} {short(value)}", "Take the blank away"))
    if "  " in bare:
        found.append(_found(f"a doubled blank in the {column} {short(bare)}", "Leave one blank"))
    if "\n" in bare or "\r" in bare:
        found.append(
            _found(
                f"a line break in the {column}",
                "Write the cell on one line; if it holds the next rows, a quote in this row is not closed",
            )
        )
    return found


def _characters(column: str, bare: str) -> list[Finding]:
    """Characters that nobody sees, and such as notes are read without."""
    if _GARBLED.search(bare):
        return [
            _found(
                f"garbled letters in the {column} {short(bare)}",
                "Write them anew: the file was saved in one encoding and read in another",
            )
        ]
    if _TYPOGRAPHIC.search(bare):
        return [_found(f"typographic quotes in the {column} {short(bare)}", "Type plain ones (' or \")")]
    read = clean(bare).text
    if read == bare.replace("\r\n", "\n") or (column in {"example", "counter"} and bare.isprintable()):
        return []
    if len(read) < len(bare) or not bare.isprintable():
        return [_found(f"odd blanks or invisible characters in the {column} {short(bare)}", f"Write {short(read)}")]
    return [
        _found(f"the {column} {short(bare)} can never match: notes are read with {short(read)}", f"Write {short(read)}")
    ]


def spreadsheet_damage(value: str) -> tuple[str, str] | None:
    """What a spreadsheet made of a whole cell, and the mend; None where it shows no damage.

    >>> spreadsheet_damage("64,493")
    ('is a number with a thousands separator', 'Write 64493')
    >>> spreadsheet_damage("213T")
    ('lost its first zero', 'Write 0213T, and format the column as text first')
    """
    dated = _undated(value)
    if dated:
        return "is a date that a spreadsheet made", f"Write {dated} if that was meant, {_AS_TEXT}"
    if _NO_ZERO.fullmatch(value):
        return "lost its first zero", f"Write 0{value}"
    if _SHORT_CODE.fullmatch(value):
        return "lost its first zero", f"Write 0{value}, {_AS_TEXT}"
    if _THOUSANDS.fullmatch(value):
        return "is a number with a thousands separator", f"Write {value.replace(',', '')}"
    if _SCIENTIFIC.fullmatch(value):
        return "is a number in scientific notation", f"Write all its digits, {_AS_TEXT}"
    if decimal := _DECIMAL.fullmatch(value):
        return "is a number with decimals", f"Write {decimal[1]}"
    if _FORMULA.fullmatch(value):
        return "is a formula, or the error of one", f"Write the words themselves, {_AS_TEXT}"
    if _GUARD.fullmatch(value) and not value.endswith("'"):
        return "begins with the apostrophe that keeps a spreadsheet from changing it", f"Write {value[1:]}"
    if value in _TRUTH:
        return "is a truth value that a spreadsheet made", f"Write {value.lower()}, {_AS_TEXT}"
    return None


def _undated(value: str) -> str:
    """What a date was made of, as "3-4" or "3-4 or mar-4"; "" for what is no date."""
    if found := _DAY_MONTH.fullmatch(value):
        return _either(found[2], int(found[1]))
    if found := _MONTH_YEAR.fullmatch(value):
        return _either(found[1], int(found[2]))
    found = _ISO.fullmatch(value) or _SLASHES.fullmatch(value)
    return f"{int(found[1])}-{int(found[2])}" if found else ""


def _either(month: str, number: int) -> str:
    """Numbers of a level, or a name that begins like a month ("dec-10" of Decadron)."""
    return f"{_month(month)}-{number} or {month.lower()}-{number}" if _month(month) else ""


def _month(name: str) -> int:
    return _MONTHS.index(name.lower()) + 1 if name.lower() in _MONTHS else 0
