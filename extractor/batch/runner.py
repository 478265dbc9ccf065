"""Many notes, one after another: results out as they come, one line for each record that failed, on with the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Protocol

from extractor.batch.sources import BadRecord, Incoming, Item, Remark, printable
from extractor.errors import FacetcodeError
from extractor.schema import CodingResult, Note


class CodeNote(Protocol):
    """What the runner needs of a coder: `Coder(...).code`, or anything that is called like it."""

    def __call__(
        self, text: str, id: str = "note", profile: str | None = None, date_of_service: str | None = None
    ) -> CodingResult: ...


@dataclass(frozen=True, slots=True)
class Tally:
    """How many records ended how."""

    coded: int = 0
    review: int = 0
    no_code: int = 0
    failed: int = 0

    @property
    def total(self) -> int:
        return self.coded + self.review + self.no_code + self.failed

    def plus(self, outcome: str) -> Tally:
        """The tally with one more record.

        >>> Tally().plus("coded").plus("failed")
        Tally(coded=1, review=0, no_code=0, failed=1)
        """
        return replace(self, **{outcome: getattr(self, outcome) + 1})


def run(
    items: Iterable[Item],
    code: CodeNote,
    write: Callable[[Note, CodingResult], object],
    complain: Callable[[str], object],
    date_of_service: str | None = None,
) -> Tally:
    """Codes every note, in order. `write` gets each result, `complain` one line a trouble, never with text of a note.

    `date_of_service` is for the notes that bring none of their own.
    """
    tally = Tally()
    clashes: set[str] = set()
    for item in items:
        if isinstance(item, Remark):
            complain(f"{item.where}: {item.text}")
            continue
        outcome = code_one(item, code, date_of_service) if isinstance(item, Incoming) else item
        if isinstance(outcome, BadRecord):
            complain(f"{outcome.where}: {outcome.reason}")
            tally = tally.plus("failed")
            continue
        note, result = outcome
        for key in sorted(note.carried.keys() & CodingResult.model_fields.keys() - clashes):
            clashes.add(key)
            complain(f'{item.where}: key "{key}" is not carried through: results have their own (and further records)')
        write(note, result)
        tally = tally.plus(result.status)
    return tally


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
