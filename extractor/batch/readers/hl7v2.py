"""HL7 v2: documents (MDM) and results (ORU) as notes, one a message, with one or many messages a file.

Rules: HL7 v2.5.1, chapters 2 (delimiters, 2.7 escape sequences, 2.10.3 batches), 7 (ORU, OBX) and 9 (MDM, TXA). The
file is cut here and not by the library, so that only one message is held: segments end with a carriage return, but
files come with line feeds too, and with the bytes of MLLP. A line that begins no segment goes on the one before.
"""

from __future__ import annotations

import io
import re
from base64 import b64decode
from collections.abc import Iterator
from functools import lru_cache, partial
from typing import Any, BinaryIO

from extractor.batch.decoding import decode, other_format
from extractor.batch.readers import rtf, streams
from extractor.batch.readers.items import NO_NOTES, BadRecord, Item, Remark, Source, incoming, is_date, library
from extractor.errors import InputError

_READ = frozenset({("MDM", event) for event in ("T02", "T04", "T06", "T08", "T10")} | {("ORU", "R01")})
_IDS = (("TXA", 12), ("OBR", 3), ("ORC", 3), ("MSH", 10))
_DAYS = (("TXA", 4), ("OBR", 7), ("MSH", 7))
_BATCH = (b"FHS", b"BHS", b"BTS", b"FTS")
_SEGMENT = re.compile(rb"[A-Z][A-Z0-9]{2}(?:[^A-Za-z0-9\s]|$)")
_MLLP = b"\x0b\x1c"
_TEXT, _NO_TEXT = frozenset({"TX", "FT", "ST"}), '""'  # "" is how HL7 says that a value is deleted
_NAME = re.compile(r"[A-Z0-9_]{1,8}")


def check(source: Source) -> None:
    """Whether HL7 can be read here."""
    library("hl7", source.where)


def read(source: Source) -> Iterator[Item]:
    """The notes of the file's messages, in order."""
    parse = library("hl7", source.where).parse
    number, told = 0, False
    with streams.open_bytes(source.path) as stream:
        for message in _messages(stream):
            if message is _STRAY:
                yield BadRecord(source.where, "does not begin with an MSH segment")
                continue
            number += 1
            where = f"{source.where} message {number}"
            if message is _LONG:
                yield BadRecord(where, streams.too_long())
                continue
            text, remark = decode(message)
            if remark and not told:
                yield Remark(where, f"{remark} (and further messages alike)")
                told = True
            yield from _items(parse, text, where)
    if not number:
        yield BadRecord(source.where, NO_NOTES)


_STRAY, _LONG = b"stray", b"long"  # told apart by identity


def _messages(stream: BinaryIO) -> Iterator[bytes]:
    """Each message, its segments parted by carriage returns; `_STRAY` for lines before the first, `_LONG` for one
    above the limit."""
    message: list[bytes] = []
    size = blank = 0
    begun = stray = open_ended = False
    for line in _lines(stream):
        if line.startswith(b"MSH") and _SEGMENT.match(line):
            if begun:
                yield _joined(message, size)
            message, size, blank = [line], len(line), 0
            begun = open_ended = True
        elif not line.strip():
            blank += 1
        elif line.startswith(_BATCH):
            open_ended = False
        elif not begun:
            if not stray:
                yield _STRAY
            stray = True
        else:
            size += len(line) + blank + 1
            if size <= streams.MOST_BYTES:
                if _SEGMENT.match(line):
                    message.append(b"\r" + line)
                elif open_ended:
                    message.append(b"\n" * (blank + 1) + line)  # text that was not escaped
            blank = 0
    if begun:
        yield _joined(message, size)


def _joined(message: list[bytes], size: int) -> bytes:
    return b"".join(message) if size <= streams.MOST_BYTES else _LONG


def _lines(stream: BinaryIO) -> Iterator[bytes]:
    """Lines that end with any line end. Latin-1 takes and gives back every byte."""
    text = io.TextIOWrapper(stream, encoding="latin-1", newline=None)
    first = True
    for line in iter(partial(text.readline, streams.MOST_BYTES + 1), ""):
        raw = line.rstrip("\n").encode("latin-1")
        yield (raw.removeprefix(b"\xef\xbb\xbf") if first else raw).strip(_MLLP)
        first = False


class _Message:
    """A parsed message: fields by segment and number, with the delimiters that the message chose."""

    def __init__(self, parsed: Any) -> None:
        self._segments = [segment for segment in parsed if len(segment)]
        self.escape = str(parsed.esc)
        _, self.field, self.repetition, self.component, self.sub = (str(part) for part in parsed.separators)

    def segments(self, name: str) -> list[Any]:
        return [segment for segment in self._segments if str(segment[0]) == name]

    def first(self, name: str, field: int) -> str:
        """First component of a field of the first such segment."""
        for segment in self.segments(name)[:1]:
            value = value_of(segment, field).split(self.repetition)[0].split(self.component)[0]
            return "" if value == _NO_TEXT else self.plain(value).strip()
        return ""

    def plain(self, value: str) -> str:
        """The value without escape sequences."""
        marks = {"F": self.field, "S": self.component, "T": self.sub, "R": self.repetition, "E": self.escape, "P": "#"}
        return _sequences(self.escape).sub(lambda found: marks.get(found[1]) or _meaning(found[1]), value)


def value_of(segment: Any, field: int) -> str:
    """A field as it stands in the message."""
    return str(segment[field]) if field < len(segment) else ""


@lru_cache(maxsize=16)
def _sequences(escape: str) -> re.Pattern[str]:
    """The escape sequences of 2.7: delimiters, highlighting, character sets, bytes, local ones, formatting of FT."""
    mark = re.escape(escape)
    return re.compile(
        rf"{mark}([FSTREPHN]|X(?:[0-9A-Fa-f ][0-9A-Fa-f])+|C[0-9A-Fa-f]{{4}}|M[0-9A-Fa-f]{{4,6}}|Z[0-9A-Za-z]{{1,8}}"
        rf"|\.[A-Za-z]{{2}}[+-]?[0-9]{{0,3}}){mark}"
    )


def _meaning(sequence: str) -> str:
    r"""What a sequence stands for that is no delimiter: line ends, blanks, bytes; else nothing.

    >>> _meaning(".br"), _meaning(".sp2"), _meaning(".ce"), _meaning(".sk3"), _meaning(".in+4"), _meaning("H")
    ('\n', '\n\n', '\n', '   ', '', '')
    >>> _meaning("XE28093")
    '–'
    """
    if sequence.startswith("X"):
        return decode(bytes.fromhex(sequence[1:].replace(" ", "0")))[0]  # python-hl7 writes " a" for a line feed
    if not sequence.startswith("."):
        return ""
    command, count = sequence[1:3].lower(), sequence[3:].strip("+-")
    times = int(count or 1)
    return {"br": "\n", "sp": "\n" * times, "ce": "\n", "sk": " " * times}.get(command, "")


def _items(parse: Any, text: str, where: str) -> Iterator[Item]:
    try:
        message = _Message(parse(text))
    except Exception:  # the library asserts and indexes its way through
        yield BadRecord(where, "broken HL7 message")
        return
    try:
        _must_be_read(message)
        note, remarks = _note_text(message, where)
    except InputError as error:
        yield BadRecord(where, str(error))
        return
    for remark in remarks:
        yield Remark(where, remark)
    note_id = next((found for name, field in _IDS if (found := message.first(name, field))), "")
    days = (_day(message.first(name, field)) for name, field in _DAYS)
    yield incoming(where, {"id": note_id, "text": note, "date_of_service": next(filter(None, days), None)})


def _must_be_read(message: _Message) -> None:
    for segment in message.segments("MSH")[:1]:
        kind, event, *_ = [*value_of(segment, 9).split(message.component), ""]
        if (kind, event) not in _READ:
            shown = "^".join(part if _NAME.fullmatch(part) else "?" for part in (kind, event) if part) or "?"
            raise InputError(f"messages of type {shown} are not read, only MDM^T02 (T04, T06, T08, T10) and ORU^R01")


def _day(stamp: str) -> str:
    """The day of a time stamp YYYYMMDD..., or "".

    >>> _day("20260131083000-0500"), _day("20260230"), _day("2026")
    ('2026-01-31', '', '')
    """
    day = f"{stamp[:4]}-{stamp[4:6]}-{stamp[6:8]}"
    return day if is_date(day) else ""


def _note_text(message: _Message, where: str) -> tuple[str, list[str]]:
    parts, remarks, others = [], [], False
    for segment in message.segments("OBX"):
        kind = value_of(segment, 2)
        if kind in _TEXT and value_of(segment, 5) != _NO_TEXT and len(segment) > 5:
            parts.append("\n".join(message.plain(str(repetition)) for repetition in segment[5]))
        elif kind == "ED":
            for repetition in value_of(segment, 5).split(message.repetition):
                found = _encapsulated(message, repetition.split(message.component, 4), where)
                others = others or found is None
                if found is not None:
                    parts.append(found[0])
                    remarks += [found[1]] if found[1] else []
    if not parts:
        raise InputError("no text in OBX segments" + (" (only documents of other formats)" if others else ""))
    return "\n".join(parts), remarks


def _encapsulated(message: _Message, components: list[str], where: str) -> tuple[str, str] | None:
    """The text of an ED value (source ^ type ^ subtype ^ encoding ^ data), and a remark; None when it is no text."""
    _, kind, subtype, encoding, content = [*components, "", "", "", ""][:5]
    known = kind.upper() in ("TEXT", "TX", "FT", "TXT") or subtype.upper() in ("RTF", "TXT", "TEXT", "PLAIN")
    if not known or subtype.upper() in ("HTML", "XML", "PDF"):
        return None
    if encoding.upper() in ("", "A"):
        return message.plain(content), ""
    try:
        if encoding.upper() == "HEX":
            data = bytes.fromhex(message.plain(content))
        else:
            data = b64decode("".join(message.plain(content).split()), validate=True)
    except ValueError:
        raise InputError("an encapsulated document cannot be decoded") from None
    if rtf.is_rtf(data):
        return rtf.plain_text(data, where)
    return None if other_format(data) else decode(data)
