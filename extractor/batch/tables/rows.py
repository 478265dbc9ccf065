"""Result lines as rows: parsed, with every field of a result in place and the record's own keys in one column."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from extractor.batch.sources import is_unicode, printable
from extractor.errors import InputError
from extractor.schema import CodingResult

Row = dict[str, Any]

# A batch ends at the first that is reached. Parsed rows and their columns take some ten times the bytes of the lines.
BATCH_NOTES = 2_000
BATCH_BYTES = 8 << 20

SEPARATOR = "; "  # between the values of a list in one cell

_STRINGS = ("id", "status")
_LISTS = ("lines", "claim", "supplies", "queries", "warnings", "rejected", "procedures", "entities")


def row_of(line: bytes | Mapping[str, Any]) -> Row:
    """One result as a row in the shape of `result_schema()`: the fields of `CodingResult` in order, then `carried`.

    `carried` is a JSON object as a string, "{}" when the record brought no keys of its own. Lists and the summary are
    empty where an older result has none. The lists are checked to be lists, not what is in them: whoever writes the row
    does that. The given mapping is not changed, but the row shares its lists.

    Raises InputError (never with text of the note) for what is not JSON or has no id, status or versions.

    >>> row = row_of(b'{"id":"n1","status":"no_code","versions":{"engine":"0"},"site":"A"}')
    >>> row["summary"], row["lines"], row["carried"]
    ({'imaging': [], 'injectate': [], 'target': []}, [], '{"site":"A"}')
    """
    record = _parsed(line) if isinstance(line, bytes) else line
    if not isinstance(record, Mapping):
        raise InputError("not a JSON object")
    row: Row = {}
    for key in CodingResult.model_fields:
        value = record.get(key)
        if key in _STRINGS:
            if not isinstance(value, str):
                raise InputError(f'key "{key}" is not a string')
        elif key in _LISTS:
            value = [] if value is None else value
            if not isinstance(value, list):
                raise InputError(f'key "{key}" is not a list')
        else:
            if value is None and key == "summary":
                value = {"imaging": [], "injectate": [], "target": []}
            if not isinstance(value, Mapping):
                raise InputError(f'key "{key}" is not an object')
        row[key] = value
    row["carried"] = _json_text({key: value for key, value in record.items() if key not in CodingResult.model_fields})
    return row


def _parsed(line: bytes) -> object:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        raise InputError("not valid JSON") from None


def _json_text(value: Mapping[str, Any]) -> str:
    if not value:
        return "{}"
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    # JSON may hold half a character, which no table can: written as an escape it can.
    return text if is_unicode(text) else json.dumps(value, separators=(",", ":"))


def batches(lines: Iterable[bytes]) -> Iterator[list[Row]]:
    """The rows of some lines, in order, in lists of bounded size. InputError names the number of a wrong line."""
    batch: list[Row] = []
    size = 0
    for number, line in enumerate(lines, start=1):
        if not line or line.isspace():
            continue
        try:
            batch.append(row_of(line))
        except InputError as error:
            raise InputError(f"result line {number}: {error}") from None
        size += len(line)
        if len(batch) >= BATCH_NOTES or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


# What plain Python and the libraries raise when a list holds a number, an object no key and so on.
MISSHAPEN = (AttributeError, KeyError, TypeError, ValueError, OverflowError)


def misshapen(row: Mapping[str, Any]) -> InputError:
    """The error for a row whose insides are not those of a result. What the library said may quote the note."""
    return InputError(f"result {printable(row['id'])}: not in the shape that facetcode run writes")


def claims_of_lines(row: Row) -> list[tuple[str, int | None]]:
    r"""For each code line the modifiers and the units that its code has on the claim; ("", None) when it has none.

    A claim knows codes, not lines: a code may have several claim lines (one a side), or one for two code lines. So the
    first line of a code bears all that the claim says of it, the modifiers of each claim line in a group ("RT KX; LT
    KX") and the units of all together; a further line of the same code bears nothing: nothing is counted twice.

    >>> claim = [{"code": "A", "modifiers": ["RT"], "units": 1}, {"code": "A", "modifiers": ["LT"], "units": 2}]
    >>> claims_of_lines({"lines": [{"code": "A"}, {"code": "A"}, {"code": "B"}], "claim": claim})
    [('RT; LT', 3), ('', None), ('', None)]
    """
    claims: dict[str, tuple[list[str], int]] = {}
    for item in row["claim"]:
        groups, units = claims.get(item["code"], ([], 0))
        group = " ".join(item["modifiers"])
        claims[item["code"]] = ([*groups, group] if group else groups, units + item["units"])
    found: list[tuple[str, int | None]] = []
    for line in row["lines"]:
        groups_units = claims.pop(line["code"], None)
        found.append(("", None) if groups_units is None else (SEPARATOR.join(groups_units[0]), groups_units[1]))
    return found


@contextmanager
def created(path: Path) -> Iterator[BinaryIO]:
    """A new file to write to: on the disk when the block ends, gone when it fails. InputError if it cannot be made."""
    try:
        stream = path.open("wb")
    except OSError as error:
        raise unwritable(path, error.strerror) from None
    with removed_on_error(path), stream:
        yield stream
        stream.flush()
        to_disk(stream.fileno())


@contextmanager
def removed_on_error(path: Path) -> Iterator[None]:
    """Half a table looks like a whole one to some readers, so none is left behind: the JSONL is still there."""
    try:
        yield
    except BaseException:
        if path.is_file():
            path.unlink()
        raise


def to_disk(descriptor: int) -> None:
    """Waits until the file is on the disk; a device (/dev/null) has nothing to wait for."""
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.fsync(descriptor)


def unwritable(path: Path, why: object) -> InputError:
    """The error for a file that cannot be made or filled."""
    return InputError(f"{printable(str(path))}: cannot be written ({why})")
