"""Bytes to text. Line ends, NUL and every other character stay as they are, because results point into this text."""

from __future__ import annotations

import codecs

_OTHER_FORMATS = {
    b"%PDF-": "a PDF",
    b"PK\x03\x04": "a zip archive or a Word file",
    b"\xd0\xcf\x11\xe0": "an old Word file",
    b"{\\rtf": "RTF",
    b"\x1f\x8b": "gzip",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"PAR1": "Parquet",
}
_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def other_format(data: bytes) -> str:
    """What the bytes are when they are a well-known kind of file that is not plain text, else "".

    >>> other_format(b"%PDF-1.7 ...")
    'a PDF'
    >>> other_format(b"PROCEDURE: facet joint injection")
    ''
    """
    return next((name for mark, name in _OTHER_FORMATS.items() if data.startswith(mark)), "")


def is_utf16(data: bytes) -> bool:
    """Whether the bytes begin with a UTF-16 byte order mark."""
    return data.startswith(_UTF16_MARKS)


def decode(data: bytes) -> tuple[str, str]:
    r"""The text, and a remark ("" when all is well) that says what had to be assumed.

    A byte order mark is no part of the text.

    >>> decode(b"\xef\xbb\xbfL4-5\r\n")
    ('L4-5\r\n', '')
    >>> decode("L4\u20135".encode("utf-16"))
    ('L4–5', '')
    >>> decode(b"L4\x965 facet")
    ('L4–5 facet', 'not UTF-8, read as Windows-1252 (cp1252)')
    >>> decode("L4\u20135, L5\u2013S1 ".encode() + b"\xff")
    ('L4–5, L5–S1 �', 'not clean UTF-8, bytes that cannot be read were replaced')
    """
    if is_utf16(data):
        try:
            return data.decode("utf-16"), ""
        except UnicodeDecodeError:
            return data.decode("utf-16", errors="replace"), "not clean UTF-16, bytes that cannot be read were replaced"
    try:
        return data.decode("utf-8-sig"), ""
    except UnicodeDecodeError:
        pass
    mended = data.decode("utf-8-sig", errors="replace")
    broken = mended.count("\ufffd")
    whole = sum(1 for character in mended if not character.isascii()) - broken
    if whole > broken:  # UTF-8 with a damaged place: reading all of it as cp1252 would spoil every dash
        return mended, "not clean UTF-8, bytes that cannot be read were replaced"
    return data.decode("cp1252", errors="replace"), "not UTF-8, read as Windows-1252 (cp1252)"
