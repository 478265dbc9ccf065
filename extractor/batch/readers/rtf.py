"""RTF as one note. The note's text is the plain text that striprtf makes of it: all offsets refer to that plain text,
which stands in no file. Rules: Rich Text Format Specification 1.9.1 (groups, \\ansicpg, \\bin).

Headers, footers, comments and pictures are not part of the text; cells of a table are parted by "|".
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from extractor.batch.readers.items import BadRecord, Item, Remark, Source, incoming, library
from extractor.batch.readers.streams import read_all
from extractor.errors import InputError

_BEGIN = b"{\\rtf"
_CODE_PAGE = re.compile(rb"\\ansicpg(\d{1,5})")
_TOKEN = re.compile(rb"\\bin(\d{1,9}) ?|\\[^b]|\\b(?!in\d)|([{}])", re.DOTALL)
_FONT_TABLE = re.compile(r"\{[^{}]*\\fonttbl")
_BRACE = re.compile(r"[{}]")
_FONT = re.compile(r"\\f(\d{1,6})(?!\d)")
_CHARSET = re.compile(r"\\fcharset(\d{1,3})(?!\d)")
_FIELD = re.compile(r"(\{\\field)\{", re.IGNORECASE)


def check(source: Source) -> None:
    """Whether RTF can be read here."""
    library("striprtf.striprtf", source.where)


def read(source: Source) -> Iterator[Item]:
    """The one note of the file."""
    try:
        text, remark = plain_text(read_all(source.path), source.where)
    except InputError as error:
        yield BadRecord(source.where, str(error))
        return
    if remark:
        yield Remark(source.where, remark)
    yield incoming(source.where, {"id": source.note_id, "text": text})


def is_rtf(data: bytes) -> bool:
    """Whether the bytes begin as RTF does."""
    return data.removeprefix(b"\xef\xbb\xbf").lstrip()[: len(_BEGIN)] == _BEGIN


def plain_text(data: bytes, where: str) -> tuple[str, str]:
    r"""The plain text, and a remark ("" when all is well); `InputError` when it is no whole RTF.

    >>> plain_text(rb"{\rtf1\ansi Left L4-5\par {\b facet} joint\'96done}", "n.rtf")
    ('Left L4-5\nfacet joint–done', '')
    """
    if not is_rtf(data):
        raise InputError("this is not RTF")
    rtf, remark = _decoded(_whole(data.lstrip()))
    rtf_to_text = library("striprtf.striprtf", where).rtf_to_text
    try:
        text = str(rtf_to_text(_harmless(rtf), errors="replace"))
    except Exception:  # the library raises what Python happens to raise: ValueError, TypeError, LookupError ...
        raise InputError("broken RTF") from None
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"), remark  # \u gives halves of characters


def _whole(data: bytes) -> bytes:
    """The outer group without raw bytes of pictures (the library miscounts them); `InputError` when it is never closed:
    the library reads on over a missing end, and half a note would be coded.
    """
    kept: list[bytes] = []
    depth = place = begin = 0
    while found := _TOKEN.search(data, place):
        place = found.end()
        if found[1]:
            kept.append(data[begin : found.start()])
            begin = place = place + int(found[1])
        elif found[2]:
            depth += 1 if found[2] == b"{" else -1
            if depth == 0:
                return b"".join([*kept, data[begin:place]])
    raise InputError("broken RTF (it breaks off inside a group)")


def _decoded(data: bytes) -> tuple[str, str]:
    """RTF is ASCII by its specification; what writers put in besides is in the code page of the file, or in UTF-8."""
    try:
        return data.decode("utf-8-sig"), "" if data.isascii() else "RTF with raw UTF-8, read as such"
    except UnicodeDecodeError:
        pass
    page = _CODE_PAGE.search(data)
    try:
        return data.decode(f"cp{int(page[1])}" if page else "cp1252", "replace"), ""
    except LookupError:
        return data.decode("cp1252", "replace"), "RTF of an unknown code page, read as Windows-1252 (cp1252)"


def _harmless(rtf: str) -> str:
    r"""The same RTF for the library, without what its patterns for font tables and links take hours for.

    The font table keeps number and character set of each font. A blank after \field changes nothing in RTF, and keeps
    the library from writing the addresses of links into the text.
    """
    rtf = _FIELD.sub(r"\1 {", rtf)
    begin = _FONT_TABLE.search(rtf)
    if begin is None:
        return rtf
    depth, end = 1, len(rtf)
    for brace in _BRACE.finditer(rtf, begin.end()):
        depth += 1 if brace.group() == "{" else -1
        if depth == 0:
            end = brace.end()
            break
    fonts = []
    for entry in rtf[begin.end() : end].split(";"):
        number, charset = _FONT.search(entry), _CHARSET.search(entry)
        if number and charset:
            fonts.append(f"{{\\f{number[1]}\\fcharset{charset[1]} x;}}\n")
    return f"{rtf[: begin.start()]}{{\\fonttbl\n{''.join(fonts)}}}{rtf[end:]}"
