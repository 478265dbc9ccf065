"""A bulk run from the inputs to OUT: chunks to the workers, outcomes in the order of the input, a run that can go on.

Few notes are coded in this process, as workers take seconds to start. What does not depend on the number of workers:
the bytes of OUT and of OUT.failures.jsonl, and the lines of complaint.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from extractor.batch.journal import Journal, State
from extractor.batch.pool import Pool, usable_cores
from extractor.batch.progress import Progress
from extractor.batch.runner import CodeNote
from extractor.batch.sources import STANDARD_INPUT, Incoming, Item, Remark, files_of
from extractor.batch.work import Coded, Failed, LoadCoder, Outcome, code_item, refused

CHUNK_CHARACTERS, CHUNK_NOTES = 60_000, 64  # one long note does not hold up the others
FEW_NOTES, FEW_CHARACTERS = 100, 400_000  # as long as workers take to start


@dataclass(frozen=True, slots=True)
class Bulk:
    """What a bulk run is asked to do. `load` builds a coder in whatever process, `here` is the one of this process, and
    `made_with` names what the results depend on besides the inputs."""

    inputs: Sequence[str]
    items: Iterable[Item]
    load: LoadCoder
    made_with: Sequence[str]
    here: CodeNote
    complain: Callable[[str], object]
    day: str | None = None
    workers: int = field(default_factory=usable_cores)
    note_timeout: float | None = None
    max_chars: int | None = None


Part = tuple[Item, Outcome | None]  # a record of the input with its outcome; None for a remark


def outcomes(call: Bulk, skip: int = 0, again: bool = False) -> Iterator[Part]:
    """Every record with what became of it, in order, without the first `skip` records. A run that was stopped goes on
    in workers (`again`): it may have been a note that stopped it."""
    items = iter(call.items)
    for _ in range(skip):
        next(items, None)
    if call.note_timeout or again:  # a limit needs a process that can be stopped
        yield from _in_workers(call, items)
        return
    first, few = ([], True) if call.workers == 1 else _first(items)
    alone = few or call.workers == 1
    yield from (_here if alone else _in_workers)(call, chain(first, items))


def _first(items: Iterator[Item]) -> tuple[list[Item], bool]:
    """The first records, and whether they are all there is and few."""
    first: list[Item] = []
    characters = 0
    for item in items:
        first.append(item)
        characters += _length(item)
        if len(first) > FEW_NOTES or characters > FEW_CHARACTERS and len(first) > 1:  # one note keeps one worker busy
            return first, False
    return first, True


def _here(call: Bulk, items: Iterable[Item]) -> Iterator[Part]:
    for item in items:
        outcome: Outcome | None = refused(item, call.max_chars)
        if outcome is None and isinstance(item, Incoming):
            outcome = code_item(item, call.here, call.day)
        yield item, outcome


def _in_workers(call: Bulk, items: Iterable[Item]) -> Iterator[Part]:
    waiting: list[list[Item]] = []  # the chunks that the pool has taken, and their other records

    def taken() -> Iterator[list[Incoming]]:
        for chunk in chunks(items):
            waiting.append(chunk)
            yield [item for item in chunk if isinstance(item, Incoming) and refused(item, call.max_chars) is None]

    with Pool(call.load, call.workers, call.day, call.note_timeout) as pool:
        for coded in pool.map(taken()):
            results = iter(coded)
            for item in waiting.pop(0):
                outcome: Outcome | None = refused(item, call.max_chars)
                if outcome is None and isinstance(item, Incoming):
                    outcome = next(results)
                yield item, outcome


def chunks(items: Iterable[Item]) -> Iterator[list[Item]]:
    """The records in lists of about as many characters."""
    chunk: list[Item] = []
    characters = 0
    for item in items:
        length = _length(item)
        if chunk and (characters + length > CHUNK_CHARACTERS or len(chunk) >= CHUNK_NOTES):
            yield chunk
            chunk, characters = [], 0
        chunk.append(item)
        characters += length
    if chunk:
        yield chunk


def _length(item: Item) -> int:
    return len(item.note.text) if isinstance(item, Incoming) else 0


def to_file(call: Bulk, out: Path, progress: Progress) -> Journal:
    """Runs to the part files of `out`, going on where the same call was stopped. The journal that comes back is whole,
    and not yet put in place."""
    journal = Journal(out, fingerprint(call))
    state = journal.state
    progress.begin(state)
    whole = True  # no record is half taken in
    try:
        for item, outcome in outcomes(call, state.records, journal.again):
            whole = False
            _take_in(call, state, item, outcome)
            if isinstance(outcome, Failed):
                journal.failure({"id": outcome.id or None, "source": outcome.where, "reason": outcome.reason})
            elif outcome is not None:
                journal.result(outcome.line)
            whole = True
            journal.checkpoint()
            progress.step(state)
        return journal
    except BaseException:
        if whole:  # else the last state holds
            journal.checkpoint(now=True)
        journal.close()
        raise
    finally:
        progress.end()


def to_stream(call: Bulk, write: Callable[[bytes], object]) -> State:
    """Runs to a stream that cannot be gone back in; what the summary tells."""
    state = State("")
    for item, outcome in outcomes(call):
        _take_in(call, state, item, outcome)
        if isinstance(outcome, Coded):
            write(outcome.line + b"\n")
    return state


def _take_in(call: Bulk, state: State, item: Item, outcome: Outcome | None) -> None:
    """Counts a record, and tells what there is to tell of it."""
    state.records += 1
    if outcome is None:
        assert isinstance(item, Remark)
        call.complain(f"{item.where}: {item.text}")
    elif isinstance(outcome, Failed):
        call.complain(f"{outcome.where}: {outcome.reason}")
        state.outcomes["failed"] += 1
        state.reasons[outcome.kind or outcome.reason] += 1
    else:
        _tell_clashes(item, outcome, state.clashes, call.complain)
        state.outcomes[outcome.status] += 1
        state.codes.update(outcome.codes)
        state.suggested.update(outcome.suggested)
        state.supplies.update(outcome.supplies)
        state.queries.update(outcome.queries)


def _tell_clashes(item: Item, outcome: Coded, known: list[str], complain: Callable[[str], object]) -> None:
    for key in outcome.clashes:
        if key not in known:
            known.append(key)
            complain(f'{item.where}: key "{key}" is not carried through: results have their own (and further records)')


def fingerprint(call: Bulk) -> str:
    """What must be the same for a run to go on: what results are made with, the options, and the files as they are. A
    run from standard input never goes on."""
    files: list[object] = []
    for name in call.inputs:
        if name == STANDARD_INPUT:
            files.append([name, time.time_ns(), os.getpid()])
            continue
        files += [_stamp(path) for path in files_of(name)]
    parts = [list(call.made_with), call.day, call.max_chars, call.note_timeout, files]
    return hashlib.sha256(json.dumps(parts).encode("utf-8", "surrogateescape")).hexdigest()


def _stamp(path: Path) -> list[object]:
    try:
        found = path.stat()
    except OSError:
        return [str(path)]
    return [os.path.realpath(path), found.st_size, found.st_mtime_ns]


def estimate(inputs: Sequence[str]) -> int | None:
    """About how many records there are; None where that cannot be told without reading everything."""
    total = 0
    for name in inputs:
        if name == STANDARD_INPUT:
            return None
        for path in files_of(name):
            if path.suffix.lower() in {".jsonl", ".ndjson"} and path.is_file():
                with path.open("rb") as stream:
                    total += sum(block.count(b"\n") for block in iter(lambda: stream.read(1 << 20), b""))
            elif path.suffix.lower() in {".txt", ".rtf"}:
                total += 1
            else:
                return None
    return total or None
