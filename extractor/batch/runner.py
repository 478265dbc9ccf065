"""Notes one after another, in this process: results as they come, one line for each that failed, on with the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from extractor.batch.sources import BadRecord, Incoming, Item, Remark, printable
from extractor.errors import FacetcodeError
from extractor.schema import CodingResult, Note


class CodeNote(Protocol):
    """What the runner needs of a coder: `Coder(...).code`, or anything that is called like it."""

    def __call__(
        self, text: str, id: str = "note", profile: str | None = None, date_of_service: str | None = None
    ) -> CodingResult: ...


def run(
    items: Iterable[Item],
    code: CodeNote,
    write: Callable[[Note, CodingResult], object],
    complain: Callable[[str], object],
    date_of_service: str | None = None,
) -> int:
    """Codes single notes, in order; the number of those that failed. `write` gets each result, `complain` one line a
    trouble, never with text of a note.

    `date_of_service` is for the notes that bring none of their own.
    """
    failed = 0
    for item in items:
        if isinstance(item, Remark):
            complain(f"{item.where}: {item.text}")
            continue
        outcome = code_one(item, code, date_of_service) if isinstance(item, Incoming) else item
        if isinstance(outcome, BadRecord):
            complain(f"{outcome.where}: {outcome.reason}")
            failed += 1
        else:
            write(*outcome)
    return failed


def code_one(
    item: Incoming, code: CodeNote, date_of_service: str | None = None
) -> tuple[Note, CodingResult] | BadRecord:
    """One note coded. Whatever goes wrong in it stays with it."""
    note = item.note
    day = note.date_of_service or date_of_service
    try:
        return note, code(note.text, id=note.id, profile=note.profile, date_of_service=day)
    except FacetcodeError as error:
        return BadRecord(item.where, str(error))
    except Exception as error:  # its message may quote the note, so only its type is told
        kind = f"could not be coded ({type(error).__name__})"
        return BadRecord(item.where, f"note {printable(note.id)} {kind}", kind)
