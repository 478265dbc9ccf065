"""Where results go: a JSONL file that appears whole, or standard output.

The file is written as OUT.part while the notes come in and renamed at the end, so that a broken run never leaves half
a file under the name that the next step looks for, and what was written is still there to look at.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from extractor.batch.sources import files_of, is_unicode, printable
from extractor.errors import InputError
from extractor.schema import CodingResult

STANDARD_OUTPUT = "-"


@contextmanager
def open_sink(out: str, inputs: Sequence[str] = (), *, own: bool = False) -> Iterator[BinaryIO]:
    """A place to write lines to; `InputError` when it cannot be written or is one of the inputs. With `own` a file is
    readable by its owner alone."""
    path, shown = check_output(out, inputs), printable(out)
    if out == STANDARD_OUTPUT:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    if path is None:  # a device or a pipe must not be replaced by a file
        with _opened(Path(out), shown) as stream:
            yield stream
        return
    part = path.with_name(path.name + ".part")
    with _opened(part, shown) as stream:
        if own and os.name == "posix":  # a file left by a broken run has the rights that it had
            os.fchmod(stream.fileno(), 0o600)
        yield stream
    os.replace(part, path)


def check_output(out: str, inputs: Sequence[str] = ()) -> Path | None:
    """The file that results go to; None for standard output, devices and pipes, which are written to note by note.
    InputError when it is a folder or one of the inputs."""
    if out == STANDARD_OUTPUT:
        return None
    shown = printable(out)
    if os.path.exists(out) and not os.path.isfile(out) and not os.path.isdir(out):
        return None
    path = Path(os.path.realpath(out))  # a link stays a link
    if path.is_dir():
        raise InputError(f"{shown}: is a folder, not a file to write")
    if path.exists() and any(
        os.path.samefile(found, path) for name in inputs for found in files_of(name) if found.exists()
    ):
        raise InputError(f"{shown}: is an input too, it would be overwritten")
    if not path.parent.is_dir():
        raise InputError(f"{shown}: cannot be written (No such file or directory)")
    if not os.access(path.parent, os.W_OK):
        raise InputError(f"{shown}: cannot be written (Permission denied)")
    return path


def _opened(path: Path, shown: str) -> BinaryIO:
    try:
        return path.open("wb")
    except OSError as error:
        raise InputError(f"{shown}: cannot be written ({error.strerror})") from None


def result_line(result: CodingResult, carried: Mapping[str, Any]) -> str:
    """The result as one line of JSON, with the record's own further keys behind the result's.

    >>> from extractor.schema import CodingResult, Versions
    >>> versions = Versions(engine="0", patterns="0", codes="2026", profile="cpt")
    >>> result_line(CodingResult(id="n1", status="no_code", versions=versions), {"site": "A", "id": "other"})[-13:]
    '},"site":"A"}'
    """
    own = result.to_json()
    more = {key: value for key, value in carried.items() if key not in CodingResult.model_fields}
    if not more:
        return own
    rest = json.dumps(more, ensure_ascii=False, separators=(",", ":"))
    if not is_unicode(rest):
        rest = json.dumps(more, separators=(",", ":"))
    return f"{own[:-1]},{rest[1:]}"
