"""One record of a bulk run, coded: plain data in and plain data out, so that it may cross processes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from extractor.batch.runner import CodeNote, code_one
from extractor.batch.sinks import result_line
from extractor.batch.sources import BadRecord, Incoming, Item
from extractor.schema import CodingResult

LoadCoder = Callable[[], CodeNote]  # must be picklable: it is called in each worker


@dataclass(frozen=True, slots=True)
class Coded:
    """A coded note: its line of JSON, what the summary counts of it, and the carried keys that a result has itself."""

    id: str
    status: str
    line: bytes
    codes: tuple[str, ...] = ()
    suggested: tuple[str, ...] = ()
    supplies: tuple[str, ...] = ()
    queries: tuple[str, ...] = ()
    clashes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Failed:
    """A record that could not be coded; `reason` never holds text of the note."""

    id: str
    where: str
    reason: str
    kind: str = ""  # the reason without ids and places, where it holds any


Outcome = Coded | Failed


def code_item(item: Incoming, code: CodeNote, day: str | None) -> Outcome:
    """One note coded, whatever happens in it."""
    outcome = code_one(item, code, day)
    if isinstance(outcome, BadRecord):
        return Failed(item.note.id, outcome.where, outcome.reason, outcome.kind)
    note, result = outcome
    carried = note.carried
    return Coded(
        id=note.id,
        status=result.status,
        line=result_line(result, carried).encode(),
        codes=tuple(line.code for line in result.lines),
        suggested=tuple(f"{item.code}-{one.modifier}" for item in result.claim for one in item.suggested),
        supplies=tuple(supply.code for supply in result.supplies),
        queries=tuple(query.id for query in result.queries),
        clashes=tuple(sorted(carried.keys() & CodingResult.model_fields.keys())),
    )


def refused(item: Item, max_chars: int | None) -> Failed | None:
    """The outcome of a record that is not coded."""
    if isinstance(item, BadRecord):
        return Failed("", item.where, item.reason, item.kind)
    if isinstance(item, Incoming) and max_chars is not None and len(item.note.text) > max_chars:
        return Failed(item.note.id, item.where, f"longer than {max_chars} characters")
    return None
