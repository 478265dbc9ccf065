"""Two lines of one note, the recorded one and the one made again: the same bytes, or what differs. Pure.

Fields are named by dotted paths ("lines.0.evidence.2.start"). Their values are told only where they can be no words of
a note: offsets and other numbers, codes, modifiers, sides, joints, and stamps in their own form.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from extractor.audit.results import Stamped, parsed
from extractor.batch.readers.items import printable
from extractor.schema import Note
from extractor.text import text_digest

Verdict = Literal["equal", "stamps", "differs"]

MOST_FIELDS = 20  # of one record that are named; a record of strangers may have a million
_STAMPS = "versions"
_TEXT = "text"  # the stamp of the note's own text
_ABSENT: Any = object()
_HASH = r"(?:[0-9a-f]{12})?"
_TELLABLE = {
    **{name: re.compile(_HASH) for name in ("patterns", "overlay", "profile_hash", "descriptors")},
    "versions.text": re.compile(r"(?:[0-9a-f]{16})?"),
    "engine": re.compile(r"\d[\w.+-]{0,30}", re.ASCII),
    "codes": re.compile(r"\d{4}", re.ASCII),
    "profile": re.compile(r"[a-z][a-z0-9-]{0,30}"),
    "date_of_service": re.compile(r"\d{4}-\d\d-\d\d", re.ASCII),
    "code": re.compile(r"[0-9A-Z]{5}"),
    "modifier": re.compile(r"[0-9A-Z]{2}"),
    "modifiers": re.compile(r"[0-9A-Z]{2}"),
    "side": re.compile(r"left|right|bilateral|unspecified"),
    "joints": re.compile(r"[CTLS]\d{1,2}-[CTLS]\d{1,2}", re.ASCII),
    "status": re.compile(r"coded|review|no_code"),
}


@dataclass(frozen=True, slots=True)
class Difference:
    """One field that differs: its value in the record and here, "" where they are not told."""

    path: str
    recorded: str = ""
    here: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """`stamps`: of the result's versions. `fields`: all others, the first `MOST_FIELDS` of them, and `more` besides.
    `other_text`: the note is not the text that was coded. `rewritten`: the same fields in other bytes (another order,
    blanks, escapes or line end). `brought`: the note's own profile or date, where it is not that of the record."""

    verdict: Verdict
    stamps: tuple[Difference, ...] = ()
    fields: tuple[Difference, ...] = ()
    more: int = 0
    other_text: bool = False
    rewritten: bool = False
    brought: tuple[Difference, ...] = ()


def with_note(found: Comparison, note: Note, made: Stamped) -> Comparison:
    """The comparison with what the note itself brings: a profile or a date that is not the one that the record is
    stamped with, and would have been coded with. A note that brings none leaves it to the stamp.

    >>> made = Stamped("n1", "cpt", "2026-01-31")
    >>> note = Note(id="n1", text="", date_of_service="2026-02-28")
    >>> with_note(Comparison("equal"), note, made).brought
    (Difference(path='date_of_service', recorded='2026-01-31', here='2026-02-28'),)
    >>> with_note(Comparison("equal"), Note(id="n1", text=""), made).verdict
    'equal'
    """
    pairs = {
        "profile": (made.profile, note.profile),
        "date_of_service": (made.date_of_service, note.date_of_service),
    }
    brought = tuple(
        Difference(name, _told(name, recorded), _told(name, own))
        for name, (recorded, own) in pairs.items()
        if own is not None and own != recorded
    )
    return replace(found, verdict="differs", brought=brought) if brought else found


def compare(recorded: bytes, here: bytes, text: str) -> Comparison:
    """What differs between the recorded line and the line made again from `text`; both hold a JSON object.

    >>> line = b'{"id":"n1","lines":[{"code":"64493"}],"versions":{"engine":"0.1.0"}}'
    >>> compare(line, line, "").verdict
    'equal'
    >>> compare(line, line.replace(b"64493", b"64490"), "").fields
    (Difference(path='lines.0.code', recorded='64493', here='64490'),)
    >>> compare(line, line.replace(b"0.1.0", b"0.2.0"), "").verdict
    'stamps'
    """
    if recorded == here:
        return Comparison("equal")
    before, now = parsed(recorded), parsed(here)
    stamps = tuple(_stamps(before[_STAMPS], now[_STAMPS]))
    fields: list[Difference] = []
    more = 0
    for difference in _fields(_without_stamps(before), _without_stamps(now)):
        if len(fields) < MOST_FIELDS:
            fields.append(difference)
        else:
            more += 1
    other_text = is_other_text(before, text)
    rewritten = not (stamps or fields or other_text)
    verdict: Verdict = "stamps" if stamps and not fields and not other_text else "differs"
    return Comparison(verdict, stamps, tuple(fields), more, other_text, rewritten)


def is_other_text(record: Mapping[str, Any], text: str) -> bool:
    """Whether the record is of another text: by its stamp, or where it has none by its quotes.

    >>> quote = {"start": 5, "end": 9, "text": "L4-5"}
    >>> [is_other_text({"lines": [{"evidence": [quote]}]}, text) for text in ("Left L4-5", "Left L3-4")]
    [False, True]
    """
    stamp = record.get(_STAMPS, {}).get(_TEXT)
    if stamp:
        return bool(stamp != text_digest(text))
    return any(end - start != len(words) or text[start:end] != words for start, end, words in _quotes(record))


def _quotes(record: Mapping[str, Any]) -> Iterator[tuple[int, int, str]]:
    """Everything in the record that quotes the note, whatever it is the evidence of."""
    waiting: list[Any] = [record.get(name) for name in ("lines", "queries", "entities", "procedures", "supplies")]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting += value
        elif isinstance(value, dict):
            waiting += value.values()
            start, end, words = value.get("start"), value.get("end"), value.get("text")
            if isinstance(start, int) and isinstance(end, int) and isinstance(words, str):
                yield start, end, words


def _without_stamps(record: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name != _STAMPS}


def _stamps(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Difference]:
    """The stamps that differ, in their order here; another text is told otherwise (`is_other_text`). One that a result
    of an older version does not have differs, too."""
    for name in [*now, *(name for name in before if name not in now)]:
        recorded, here = before.get(name, _ABSENT), now.get(name, _ABSENT)
        told = f"{_STAMPS}.{name}" if name == _TEXT else name
        if recorded != here and (name != _TEXT or recorded is _ABSENT or recorded == ""):
            yield Difference(printable(name), _told(told, recorded), _told(told, here))


def _fields(before: Any, now: Any) -> Iterator[Difference]:
    """What differs, in the order of the record. Without recursion: a record of strangers may be nested deeply."""
    waiting: list[tuple[tuple[str, ...], str, Any, Any]] = [((), "", before, now)]
    while waiting:
        path, name, one, other = waiting.pop()
        if isinstance(one, dict) and isinstance(other, dict):
            names = [*one, *(key for key in other if key not in one)]
            waiting += [
                ((*path, printable(key)), key, one.get(key, _ABSENT), other.get(key, _ABSENT))
                for key in reversed(names)
            ]
        elif isinstance(one, list) and isinstance(other, list):
            if len(one) != len(other):
                yield Difference(".".join(path), _counted(one), _counted(other))
            pairs = list(enumerate(zip(one, other, strict=False)))
            waiting += [((*path, str(index)), name, *pair) for index, pair in reversed(pairs)]
        elif one is not other and (type(one) is not type(other) or one != other):
            yield Difference(".".join(path), _told(name, one), _told(name, other))


def _counted(values: Sequence[Any]) -> str:
    return f"{len(values)} of them"


def _told(name: str, value: Any) -> str:
    """A value that may be told: see the head of this module."""
    if value is _ABSENT:
        return "absent"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int) and abs(value) < 10**12:
        return str(value)
    form = _TELLABLE.get(name)
    if form is not None and isinstance(value, str) and form.fullmatch(value):
        return value or "none"
    return ""
