"""`facetcode run`: the call checked, the run made, the results put in place under their name."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from extractor import __version__
from extractor.batch import bulk, progress
from extractor.batch.journal import FAILURES, Journal
from extractor.batch.pool import usable_cores
from extractor.batch.sinks import STANDARD_OUTPUT, check_output, open_sink
from extractor.batch.sources import open_sources, printable
from extractor.batch.tables import FORMS, require
from extractor.batch.work import LoadCoder
from extractor.descriptors import Descriptors
from extractor.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What every engine of `facetcode run` is asked."""

    inputs: Sequence[str]
    out: str
    profile: str
    patterns: Path | None
    descriptors: Path | None
    day: str | None
    id_column: str
    text_column: str
    max_chars: int | None
    summary: Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Run(Call):
    """The call of a run on this machine. Without `workers`, all cores work."""

    workers: int | None
    note_timeout: float | None


def run(call: Run, load: LoadCoder, say: Callable[[str], object], complain: Callable[[str], object]) -> int:
    """Codes all notes; the number of records that failed. InputError: the call or a file is wrong."""
    out = check_output(call.out, call.inputs)
    if call.summary is not None:
        progress.check_summary(call.summary, call.out, call.inputs)
    if out is not None:
        require(out.suffix.lower())
    items = open_sources(call.inputs, call.id_column, call.text_column)
    first = load()  # a wrong profile or pattern is told before anything is written
    job = bulk.Bulk(
        inputs=call.inputs,
        items=items,
        load=load,
        here=first,
        made_with=_made_with(call),
        complain=complain,
        day=call.day,
        workers=call.workers or usable_cores(),
        note_timeout=call.note_timeout,
        max_chars=call.max_chars,
    )
    if out is None:
        with open_sink(call.out, call.inputs) as stream:

            def write(line: bytes) -> None:
                stream.write(line)
                stream.flush()

            figures = progress.summary(bulk.to_stream(job, write))
    else:
        journal = bulk.to_file(job, out, progress.Progress(complain, bulk.estimate(call.inputs)))
        figures = progress.summary(journal.state)
        _put_in_place(journal, out)
    return tell(call, figures, say)


def tell(call: Call, figures: dict[str, Any], say: Callable[[str], object]) -> int:
    """The figures of a run that has ended: to their file, and to people. The number of records that failed."""
    if call.summary is not None:
        progress.write_figures(figures, call.summary)
    if call.out != STANDARD_OUTPUT:
        with suppress(OSError):  # the work is done and in place, whoever has stopped reading
            for line in (progress.status_line(figures), *progress.summary_table(figures)):
                say(line)
    failed: int = figures["status"]["failed"]
    return failed


def _put_in_place(journal: Journal, out: Path) -> None:
    """The results under their name, whole: as they are, or as the table that the name asks for."""
    lines = new = journal.lines()
    suffix = out.suffix.lower()
    if suffix in FORMS:
        new = out.with_name(out.name + ".new")
        with lines.open("rb") as stream:
            FORMS[suffix](stream, new)
    journal.finish(out.with_name(out.name + FAILURES))
    os.replace(new, out)
    journal.forget()


def _made_with(call: Run) -> list[str]:
    """What results depend on besides the inputs; a run goes on only with the same."""
    descriptors = Descriptors.load(call.descriptors).fingerprint if call.descriptors is not None else ""
    patterns = [str(call.patterns), call.profile, _fingerprint(call)]
    return [__version__, *patterns, descriptors, call.id_column, call.text_column]


def _fingerprint(call: Run) -> str:
    """The pattern rows, and those laid over them."""
    from extractor.patterns import PatternFolder

    try:
        return PatternFolder(call.patterns).fingerprint
    except OSError as error:
        raise InputError(f"{printable(str(call.patterns))}: cannot be read ({error.strerror})") from None
