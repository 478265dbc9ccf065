"""`facetcode evaluate` and `facetcode annotate`, without the parsing of their options."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING

from extractor.batch.runner import CodeNote
from extractor.coding.codebook import CodeBook
from extractor.errors import FacetcodeError, InputError
from extractor.evaluation import corpus, formats, page, report
from extractor.evaluation.agreement import agreement
from extractor.evaluation.codes import sideless_codes
from extractor.evaluation.noise import noisy
from extractor.evaluation.preannotate import document_of
from extractor.evaluation.records import Document
from extractor.evaluation.scores import Scores, score
from extractor.evaluation.uncertainty import Paired, compare_runs
from extractor.patterns import PatternFolder
from extractor.schema import Note

if TYPE_CHECKING:
    from rich.console import RenderableType

BELOW = 1  # exit code when a figure is below its floor


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The options of one call."""

    corpus: Path
    predictions: Path | None = None
    against: Path | None = None
    form: str | None = None
    labels: Path | None = None
    shape: str = "text"
    html: Path | None = None
    noise: str | None = None
    floors: tuple[str, ...] = ()
    day: str | None = None


def evaluate(call: Evaluation, code: CodeNote | None, say: Callable[[str], None]) -> int:
    """Scores, prints, writes the page; 0, or `BELOW` when a figure is below its floor."""
    floors = [_floor(text) for text in call.floors]
    scores = score(_gold(call), _predicted(call, code))
    low = [
        f"{key} is {_shown(value)}, below {floor}" for key, floor in floors if (value := _figure(scores, key)) < floor
    ]
    paired = _compared(call, scores)
    title = f"{call.corpus.name}{f', noise {call.noise}' if call.noise else ''}"
    if call.shape == "json":
        say(json.dumps(scores.to_json(), ensure_ascii=False, indent=1))
    else:
        say(_text(scores, title, paired))
    if call.html:
        _page(call, code, scores, title, paired)
    for line in low:
        say(line)
    return BELOW if low else 0


def annotators(
    first: Path, second: Path, form: str | None, labels: Path | None, shape: str, say: Callable[[str], None]
) -> int:
    """Prints how far two annotators of the same notes agree; notes that only one of them has are left out."""
    mapping = corpus.label_map(labels) if labels else None
    found = agreement(
        corpus.corpus(first, form, mapping),
        corpus.corpus(second, form, mapping),
        sideless_codes(CodeBook.load(PatternFolder())),
    )
    say(json.dumps(asdict(found), ensure_ascii=False, indent=1) if shape == "json" else _printed(report.agreed(found)))
    return 0


def annotate(
    inputs: Sequence[str],
    out: Path,
    form: str,
    code: CodeNote,
    day: str | None,
    say: Callable[[str], None],
    complain: Callable[[str], None],
) -> int:
    """Writes pre-annotations of all good notes; 1 when a record was bad."""
    from extractor.batch.sources import BadRecord, Incoming, open_sources

    bad = 0

    def documents() -> Iterator[Document]:
        nonlocal bad
        for item in open_sources(inputs):
            if isinstance(item, Incoming):
                note = item.note
                yield document_of(code(note.text, note.id, note.profile, note.date_of_service or day), note.text)
            elif isinstance(item, BadRecord):
                bad += 1
                complain(f"{item.where}: {item.reason}")

    formats.write(documents(), out, form)
    say(f"{out}: written")
    return 1 if bad else 0


def _gold(call: Evaluation) -> Iterator[Document]:
    mapping = corpus.label_map(call.labels) if call.labels else None
    for document in corpus.corpus(call.corpus, call.form, mapping):
        if not document.text.strip():
            raise InputError(f"{call.corpus}: {document.id} has no text")
        yield noisy(document, call.noise) if call.noise else document


def _predicted(call: Evaluation, code: CodeNote | None) -> Iterator[Document]:
    if call.predictions:
        return corpus.predictions(call.predictions)
    assert code is not None
    return (_coded(document, code, call.day) for document in _gold(call))


def _coded(document: Document, code: CodeNote, day: str | None) -> Document:
    note = Note(id=document.id, text=document.text)
    try:
        return document_of(code(note.text, note.id, None, day), note.text, document.author)
    except FacetcodeError as error:
        raise InputError(f"{document.id}: {error}") from None


def _compared(call: Evaluation, scores: Scores) -> Paired | None:
    if call.against is None:
        return None
    other = score(_gold(call), corpus.predictions(call.against))
    return compare_runs(other.right(), scores.right())


def _text(scores: Scores, title: str, paired: Paired | None) -> str:
    lines = _printed(report.tables(scores, title)).split("\n")
    if scores.missing:
        lines.append(f"without a prediction: {', '.join(scores.missing)}")
    if scores.ignored:
        lines.append(f"predictions without a gold note: {', '.join(scores.ignored)}")
    wrong = [note.id for note in scores.outcomes if not note.right]
    lines.append(f"wrong: {', '.join(wrong) or '-'}")
    if paired is not None:
        lines.append(report.compared(paired))
    return "\n".join(lines)


def _printed(tables: Iterable[RenderableType]) -> str:
    from rich.console import Console

    console = Console(width=118, force_terminal=False, color_system=None, highlight=False)
    with console.capture() as captured:
        for table in tables:
            console.print(table)
    return "\n".join(line.rstrip() for line in captured.get().rstrip("\n").split("\n"))


def _page(call: Evaluation, code: CodeNote | None, scores: Scores, title: str, paired: Paired | None) -> None:
    assert call.html is not None
    wrong = {note.id for note in scores.outcomes if not note.right}
    found = {document.id: document for document in _predicted(call, code) if document.id in wrong}
    pairs: Iterable[tuple[Document, Document | None]] = (
        (document, found.get(document.id)) for document in _gold(call) if document.id in wrong
    )
    try:
        call.html.write_text(page.html_page(scores, title, pairs, paired), encoding="utf-8")
    except OSError as error:
        raise InputError(f"{call.html}: cannot be written ({error.strerror})") from None


def _floor(text: str) -> tuple[str, float]:
    key, _, value = text.partition("=")
    try:
        if isfinite(floor := float(value)):
            return key, floor
        raise ValueError
    except ValueError:
        raise InputError(f"--fail-under {text}: not KEY=VALUE with a number") from None


def _figure(scores: Scores, key: str) -> float:
    """A figure by the name of its interval (right, released_precision, strict_f1 ...) or of a label's strict F1."""
    if (interval := scores.intervals.get(key)) is not None and interval.value is not None:
        return interval.value
    if scores.spans and (counts := scores.spans.strict.labels.get(key)) is not None:
        return counts.f1 or 0.0
    known = ", ".join((*scores.intervals, *(scores.spans.strict.labels if scores.spans else ())))
    raise InputError(f"--fail-under {key}: not one of {known}")


def _shown(value: float) -> str:
    return f"{value:.4f}"
