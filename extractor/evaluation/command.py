"""`facetcode evaluate`, without the parsing of its options."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from extractor.batch.runner import CodeNote, code_one
from extractor.batch.sinks import open_sink
from extractor.batch.sources import BadRecord, Incoming, printable
from extractor.coding.codebook import CodeBook
from extractor.errors import InputError
from extractor.evaluation import corpus, page, report
from extractor.evaluation.agreement import agreement
from extractor.evaluation.codes import sideless_codes
from extractor.evaluation.formats import common
from extractor.evaluation.noise import noisy
from extractor.evaluation.preannotate import document_of
from extractor.evaluation.records import LABELS, Document
from extractor.evaluation.scores import Scores, score
from extractor.evaluation.uncertainty import Paired, compare_runs
from extractor.patterns import PatternFolder
from extractor.schema import Note

if TYPE_CHECKING:
    from rich.console import RenderableType

FLOORS = ("right", "codes_right", "released", "released_precision", "line_f1", "strict_f1", *LABELS)
INCOMPLETE = 1  # exit code when a figure is below its floor or a note has no prediction
_LISTED = 20  # ids in one line

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The options of one call."""

    corpus: Path
    predictions: Path | None = None
    against: Path | None = None
    second: Path | None = None
    form: str | None = None
    labels: Path | None = None
    shape: str = "text"
    html: Path | None = None
    noise: str | None = None
    floors: tuple[str, ...] = ()
    day: str | None = None


def evaluate(call: Evaluation, code: CodeNote | None, say: Say, complain: Say) -> int:
    """Scores, prints, writes the page; 0, or `INCOMPLETE`. `code` is not needed for predictions of a file.

    Raises `InputError` for options that do not go together and for whatever the readers and `score` raise it.
    """
    check(call)
    if call.second is not None:
        return _annotators(call, call.second, say)
    floors = [_floor(text) for text in call.floors]
    scores = score(_gold(call), _predicted(call, code, complain))
    if scores.ignored and len(scores.missing) == scores.notes:
        raise InputError("no prediction has the id of a gold note")
    paired = _compared(call, scores)
    title = f"{call.corpus.name}{'' if call.noise is None else f', noise {call.noise}'}"
    say(_json(scores, paired) if call.shape == "json" else _text(scores, title, paired))
    if call.html:
        _write_page(call, call.html, code, scores, title, paired)
    low = [line for key, floor in floors if (line := _below(scores, key, floor))]
    for line in low:
        complain(line)
    return INCOMPLETE if low or scores.missing else 0


def check(call: Evaluation) -> None:
    """Whether the options go together; before anything costly is done."""
    if not (call.corpus.is_file() or call.corpus.is_dir()):
        raise InputError(f"{common.shown(call.corpus)}: no such file or folder")  # nor a pipe: it is read twice
    scoring = (call.predictions, call.against, call.html, call.noise, call.floors or None)
    if call.second is not None and any(option is not None for option in scoring):
        raise InputError("--agreement compares annotators: no --predictions, --against, --html, --noise, --fail-under")
    if call.noise is not None and (call.predictions or call.against):
        raise InputError("--noise is for our own run: predictions of the clean notes say nothing about the noisy ones")
    if call.html is None:
        return
    if not call.html.absolute().parent.is_dir():
        raise InputError(f"{common.shown(call.html)}: no such folder")
    if call.corpus.is_dir() and call.html.resolve().is_relative_to(call.corpus.resolve()):
        raise InputError(f"{common.shown(call.html)}: lies in the corpus")


def _annotators(call: Evaluation, second: Path, say: Say) -> int:
    mapping = corpus.label_map(call.labels) if call.labels else None
    found = agreement(
        corpus.corpus(call.corpus, call.form, mapping),
        corpus.corpus(second, call.form, mapping),
        sideless_codes(CodeBook.load(PatternFolder())),
    )
    as_json = call.shape == "json"
    say(json.dumps(asdict(found), ensure_ascii=False, indent=1) if as_json else _printed(report.agreed(found)))
    return 0


# -- what is scored --------------------------------------------------------------------------------------------------


def _gold(call: Evaluation) -> Iterator[Document]:
    mapping = corpus.label_map(call.labels) if call.labels else None
    for document in corpus.corpus(call.corpus, call.form, mapping):
        if not document.text.strip():
            raise InputError(f"{common.shown(call.corpus)}: {printable(document.id)} has no text")
        yield document if call.noise is None else noisy(document, call.noise)


def _predicted(call: Evaluation, code: CodeNote | None, complain: Say) -> Iterator[Document]:
    if call.predictions:
        yield from corpus.predictions(call.predictions, corpus.label_map(call.labels) if call.labels else None)
        return
    assert code is not None
    for document in _gold(call):
        if found := _coded(document, code, call.day, complain):
            yield found


def _coded(document: Document, code: CodeNote, day: str | None, complain: Say) -> Document | None:
    """Our own prediction; a note that cannot be coded has none. A date of service of the record goes before `day`."""
    own = document.carried.get("date_of_service")
    note = Note(id=document.id, text=document.text, date_of_service=own if isinstance(own, str) else None)
    outcome = code_one(Incoming(printable(document.id), note), code, day)
    if isinstance(outcome, BadRecord):
        complain(f"{outcome.where}: {outcome.reason}")
        return None
    return document_of(outcome[1], document.text, document.author)


def _compared(call: Evaluation, scores: Scores) -> Paired | None:
    if call.against is None:
        return None
    if scores.coding is None:
        raise InputError("--against compares codes, and the corpus has none")
    mapping = corpus.label_map(call.labels) if call.labels else None
    other = score(_gold(call), corpus.predictions(call.against, mapping))
    return compare_runs(other.right(), scores.right())


# -- what is shown ---------------------------------------------------------------------------------------------------


def _json(scores: Scores, paired: Paired | None) -> str:
    found = scores.to_json() | ({"compared": asdict(paired)} if paired else {})
    return json.dumps(found, ensure_ascii=False, indent=1)


def _text(scores: Scores, title: str, paired: Paired | None) -> str:
    lines = [_printed(report.tables(scores, title))]
    if scores.missing:
        lines.append(f"without a prediction: {report.ids(scores.missing, _LISTED)}")
    if scores.ignored:
        lines.append(f"predictions without a gold note: {report.ids(scores.ignored, _LISTED)}")
    if scores.coding is None:
        lines.append("no codes in this corpus")
    else:
        lines.append(f"wrong: {report.ids([note.id for note in scores.outcomes if not note.right], _LISTED)}")
    if scores.spans and (dose := scores.spans.strict.labels.get("Dose")) and dose.support and not dose.predicted:
        lines.append("no Dose was predicted: results of facetcode run have none, those of facetcode annotate do")
    if paired is not None:
        lines.append(report.compared(paired))
    return "\n".join(lines)


def _printed(tables: Iterable[RenderableType]) -> str:
    from rich.console import Console

    console = Console(width=118, force_terminal=False, color_system=None, highlight=False, markup=False, emoji=False)
    with console.capture() as captured:
        for table in tables:
            console.print(table)
    return "\n".join(line.rstrip() for line in captured.get().rstrip("\n").split("\n"))


def _write_page(
    call: Evaluation, html: Path, code: CodeNote | None, scores: Scores, title: str, paired: Paired | None
) -> None:
    inputs = [str(path) for path in (call.corpus, call.predictions, call.against, call.labels) if path]
    wrong = {note.id for note in scores.outcomes if not note.right}
    with open_sink(str(html), inputs) as stream:
        for part in page.html_page(scores, title, _wrong_notes(call, code, wrong), paired):
            stream.write(f"{part}\n".encode())


def _wrong_notes(
    call: Evaluation, code: CodeNote | None, wrong: set[str]
) -> Iterator[tuple[Document, Document | None]]:
    found: dict[str, Document] = {}
    if call.predictions:
        mapping = corpus.label_map(call.labels) if call.labels else None
        found = {each.id: each for each in corpus.predictions(call.predictions, mapping) if each.id in wrong}
    for document in _gold(call):
        if document.id in wrong:
            ours = _coded(document, code, call.day, lambda _: None) if code else found.get(document.id)
            yield document, ours


# -- floors ----------------------------------------------------------------------------------------------------------


def _floor(text: str) -> tuple[str, float]:
    key, _, value = text.partition("=")
    if key not in FLOORS:
        raise InputError(f"--fail-under {printable(key)}: not one of {', '.join(FLOORS)}")
    try:
        floor = float(value)
    except ValueError:
        floor = -1.0
    if not 0 <= floor <= 1:
        raise InputError(f"--fail-under {key}: give a number from 0 to 1, as in {key}=0.95")
    return key, floor


def _below(scores: Scores, key: str, floor: float) -> str:
    """What to say where a figure is below its floor; strict F1 for a label. A figure without a value is below."""
    value: float | None = None
    if (interval := scores.intervals.get(key)) is not None:
        value = interval.value
    elif scores.spans and (counts := scores.spans.strict.labels.get(key)) is not None:
        value = counts.f1
    if value is None:
        return f"{key} has no value here"
    return f"{key} is {value:.4f}, below {floor}" if value < floor else ""
