"""The state of a bulk run on disk, so that the same command goes on where it was stopped.

While a run is under way, OUT.part (the result lines so far), OUT.part.failures and OUT.part.state stand beside OUT. The
state says how many records of the input are done and how long the two files were then; what was written behind those
lengths is cut off when a run goes on. The files are flushed to the disk before the state is, and the state is replaced
as a whole: after a stop at any moment no note is lost, doubled or half written.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections import Counter
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, BinaryIO

from extractor.batch.sources import printable
from extractor.errors import InputError

_EVERY = 2.0  # seconds between two states: what a stop costs at most
_FORM = 2
FAILURES = ".failures.jsonl"  # behind the name of OUT
PART_FILES = (".part", ".part.failures", ".part.state")


@dataclass(slots=True)
class State:
    """How far a run is. `call` is what must be the same for it to go on."""

    call: str
    records: int = 0
    results: int = 0  # bytes
    failures: int = 0  # bytes
    outcomes: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    suggested: Counter[str] = field(default_factory=Counter)
    supplies: Counter[str] = field(default_factory=Counter)
    queries: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    clashes: list[str] = field(default_factory=list)


class Journal:
    """The part files of one run. InputError when they cannot be written, or when another run writes them."""

    def __init__(self, out: Path, call: str) -> None:
        self.out = out
        self._part, self._failures_part, self._state_path = (out.with_name(out.name + end) for end in PART_FILES)
        self._results = _opened(self._part)
        try:
            fcntl.flock(self._results, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise InputError(f"{printable(str(self._part))}: another run is writing it") from None
        if not _same(self._results, self._part):  # it was renamed by the run that held it, between the two calls
            raise InputError(f"{printable(str(self._part))}: another run is writing it")
        self._failures = _opened(self._failures_part)
        self._saved = time.monotonic()
        self.again = False  # whether an earlier run of the same call was stopped
        self.state = self._read_state(call)
        for stream, length in ((self._results, self.state.results), (self._failures, self.state.failures)):
            stream.truncate(length)
            stream.seek(length)
        self.checkpoint(now=True)

    def _read_state(self, call: str) -> State:
        """The state of a run with the same call whose files are all there; else a new one."""
        try:
            kept: dict[str, Any] = json.loads(self._state_path.read_bytes())
            if kept.pop("form") != _FORM or kept["call"] != call:
                return State(call)
            state = State(call)
            for key in ("records", "results", "failures"):
                setattr(state, key, int(kept[key]))
            for key in ("outcomes", "codes", "suggested", "supplies", "queries", "reasons"):
                setattr(state, key, Counter(kept[key]))
            state.clashes = list(kept["clashes"])
            whole = _length(self._results) >= state.results and _length(self._failures) >= state.failures
        except (OSError, ValueError, KeyError, TypeError):
            return State(call)
        self.again = True
        return state if whole else State(call)

    def result(self, line: bytes) -> None:
        """One result."""
        self.state.results += self._results.write(line + b"\n")

    def failure(self, record: dict[str, str | None]) -> None:
        """One record that failed."""
        self.state.failures += self._failures.write(json.dumps(record, ensure_ascii=False).encode() + b"\n")

    def checkpoint(self, now: bool = False) -> None:
        """Saves the state when the last one is old enough, or `now`."""
        if not now and time.monotonic() - self._saved < _EVERY:
            return
        for stream in (self._results, self._failures):
            stream.flush()
            os.fsync(stream.fileno())
        text = json.dumps({"form": _FORM, **{item.name: getattr(self.state, item.name) for item in fields(self.state)}})
        write_whole(self._state_path, text.encode())
        self._saved = time.monotonic()

    def close(self) -> None:
        """Leaves the part files as they are, for the next run."""
        for stream in (self._results, self._failures):
            stream.close()

    def lines(self) -> Path:
        """The path of the result lines, whole and on the disk; the run can still go on from here."""
        self.checkpoint(now=True)
        return self._part

    def finish(self, failures_out: Path) -> Path:
        """Ends the run: the failures get their name (no file when there are none). The path of the result lines, now
        whole, is given back; the caller puts them in place and then calls `forget`."""
        self.checkpoint(now=True)
        if self.state.failures:
            os.replace(self._failures_part, failures_out)
        else:
            self._failures_part.unlink(missing_ok=True)
            failures_out.unlink(missing_ok=True)
        return self._part

    def forget(self) -> None:
        """Removes what is left of the run."""
        if _same(self._results, self._part):  # else it has its name by now, and what stands there is another run's
            self._part.unlink()
        for path in (self._failures_part, self._state_path):
            path.unlink(missing_ok=True)
        self.close()  # not before: the lock keeps other runs off the part files


def write_whole(path: Path, data: bytes) -> None:
    """A file that appears whole or not at all, on the disk when this returns."""
    new = path.with_name(path.name + ".new")
    with _opened(new) as stream:
        stream.truncate(0)
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(new, path)


def _same(stream: BinaryIO, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(stream.fileno()), path.stat())
    except OSError:
        return False


def _length(stream: BinaryIO) -> int:
    return os.fstat(stream.fileno()).st_size


def _opened(path: Path) -> BinaryIO:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise InputError(f"{printable(str(path))}: cannot be written ({error.strerror})") from None
    return os.fdopen(descriptor, "r+b")
