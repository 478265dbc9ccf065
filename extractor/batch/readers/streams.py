"""Files as streams of bytes and of lines, packed (.gz, .zst) or not. Nothing is held but the record that is read."""

from __future__ import annotations

import codecs
import gzip
import io
import zlib
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from extractor.batch.decoding import decode, is_utf16
from extractor.batch.readers.items import library, printable
from extractor.errors import FacetcodeError, InputError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

PACKED = (".gz", ".zst")
MOST_BYTES = 256 * 2**20  # of one record; no note is so long, but a small archive may unpack to any size
_PIECE = 64 * 2**10
_ZST_PIECE = 2**10  # zstd unpacks a piece at once, in the worst case to 30,000 times its size


class Damaged(FacetcodeError):
    """An archive that cannot be unpacked to its end."""


def unpacked(path: Path) -> Path:
    """The name without the suffix of the packing.

    >>> unpacked(Path("notes.jsonl.GZ")).name, unpacked(Path("notes.jsonl")).name
    ('notes.jsonl', 'notes.jsonl')
    """
    return path.with_suffix("") if path.suffix.lower() in PACKED else path


def open_bytes(path: Path) -> BinaryIO:
    """The bytes of a file, unpacked on the way; reading raises `Damaged` when the archive is broken."""
    suffix = path.suffix.lower()
    if suffix not in PACKED:
        return path.open("rb")
    file = path.open("rb")
    pieces = _gzip_pieces(file) if suffix == ".gz" else _zst_pieces(file, printable(str(path)))
    return cast(BinaryIO, io.BufferedReader(_Unpacking(file, pieces), _PIECE))


def read_all(path: Path) -> bytes:
    """All bytes of a file that holds one note."""
    pieces, size = [], 0
    with open_bytes(path) as stream:
        while piece := stream.read(_PIECE):
            pieces.append(piece)
            size += len(piece)
            if size > MOST_BYTES:
                raise InputError(too_long())
    return b"".join(pieces)


def too_long() -> str:
    """The complaint about a record above `MOST_BYTES`."""
    return f"longer than {MOST_BYTES // 2**20} MB"


class _Unpacking(io.RawIOBase):
    def __init__(self, file: BinaryIO, pieces: Generator[bytes, None, None]) -> None:
        self._file, self._pieces = file, pieces
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._rest = memoryview(piece)
        target = memoryview(buffer).cast("B")
        size = min(len(target), len(self._rest))
        target[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size

    def close(self) -> None:
        self._pieces.close()
        self._file.close()
        super().close()


def _gzip_pieces(file: BinaryIO) -> Generator[bytes, None, None]:
    try:
        with gzip.GzipFile(fileobj=file) as archive:
            while piece := archive.read1(_PIECE):  # not read(): it would drop what it has when the archive breaks off
                yield piece
    except (gzip.BadGzipFile, EOFError, zlib.error):
        raise Damaged("the gzip archive is damaged") from None


def _zst_pieces(file: BinaryIO, where: str) -> Generator[bytes, None, None]:
    """One frame after another. The stream reader of the library would take a file that breaks off for a whole one."""
    zstandard = library("zstandard", where)
    opener = zstandard.ZstdDecompressor()
    frame = None
    try:
        while packed := file.read(_ZST_PIECE):
            while packed:
                frame = frame or opener.decompressobj()
                if piece := frame.decompress(packed):
                    yield piece
                packed, frame = (frame.unused_data, None) if frame.eof else (b"", frame)
    except zstandard.ZstdError:
        raise Damaged("the zstd archive is damaged") from None
    if frame is not None:
        raise Damaged("the zstd archive is damaged")


def lines(stream: BinaryIO) -> Iterator[tuple[int, str | None, str]]:
    """Number, text (None: too long) and remark of each line. Only a line feed ends a line: texts may hold others."""
    raw = stream.readline(MOST_BYTES + 1)
    if is_utf16(raw):
        yield from _utf16_lines(raw, stream)
        return
    number = 1
    while raw:
        if len(raw) > MOST_BYTES:
            while raw and not raw.endswith(b"\n"):
                raw = stream.readline(_PIECE)
            yield number, None, ""
        else:
            yield number, *decode(raw)
        raw = stream.readline(MOST_BYTES + 1)
        number += 1


def _utf16_lines(begun: bytes, stream: BinaryIO) -> Iterator[tuple[int, str | None, str]]:
    decoder = codecs.getincrementaldecoder("utf-16")("replace")
    number, size = 1, 0
    parts: list[str] = []
    data = begun
    while True:
        *ended, rest = decoder.decode(data, final=not data).split("\n")
        for part in ended:
            yield _utf16_line(number, parts, part + "\n", size)
            parts, size = [], 0
            number += 1
        size += len(rest)
        if size <= MOST_BYTES:
            parts.append(rest)
        if not data:
            break
        data = stream.read(_PIECE)
    if size:
        yield _utf16_line(number, parts, "", size)


def _utf16_line(number: int, parts: list[str], last: str, size: int) -> tuple[int, str | None, str]:
    if size + len(last) > MOST_BYTES:
        return number, None, ""
    text = "".join(parts) + last
    broken = "\ufffd" in text
    return number, text, "not clean UTF-16, bytes that cannot be read were replaced" if broken else ""
