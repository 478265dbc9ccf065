"""`facetcode annotate`, without the parsing of its options: what was read in notes, in a format of annotation tools."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from extractor.batch.runner import CodeNote, code_one
from extractor.batch.sinks import STANDARD_OUTPUT
from extractor.batch.sources import BadRecord, Item, Remark, open_sources
from extractor.errors import InputError
from extractor.evaluation import formats
from extractor.evaluation.formats import common
from extractor.evaluation.preannotate import document_of
from extractor.evaluation.records import Document


def annotate(
    inputs: Sequence[str],
    out: Path,
    form: str,
    code: CodeNote,
    day: str | None,
    say: Callable[[str], None],
    complain: Callable[[str], None],
) -> int:
    """Writes pre-annotations of all good notes; 1 when a record was bad. `InputError` when `out` is a file that is
    there: it may hold an annotator's work."""
    if out.is_file():
        raise InputError(f"{common.shown(out)}: is there already")
    done = _Progress()
    formats.write(done.documents(open_sources(inputs), code, day, complain), out, form)
    if str(out) != STANDARD_OUTPUT:
        say(f"{common.shown(out)}: {done.good} of {done.good + done.bad} notes written")
    return 1 if done.bad else 0


class _Progress:
    def __init__(self) -> None:
        self.good = self.bad = 0

    def documents(
        self, items: Iterator[Item], code: CodeNote, day: str | None, complain: Callable[[str], None]
    ) -> Iterator[Document]:
        for item in items:
            if isinstance(item, Remark):
                complain(f"{item.where}: {item.text}")
                continue
            outcome = item if isinstance(item, BadRecord) else code_one(item, code, day)
            if isinstance(outcome, BadRecord):
                self.bad += 1
                complain(f"{outcome.where}: {outcome.reason}")
                continue
            self.good += 1
            note, result = outcome
            yield document_of(result, note.text)
