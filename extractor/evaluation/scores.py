"""All figures of a run against gold, in one pass over the documents.

    scores = score(gold_documents, predicted_documents)
    scores.coding.right.value, scores.spans.strict.micro.f1, scores.intervals["right"]

Of a note nothing is kept but a few numbers and its id.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

from extractor.coding.codebook import CodeBook
from extractor.errors import InputError
from extractor.evaluation.codes import CONFIDENCE, CodeScores, CodeTally, NoteOutcome, sideless_codes
from extractor.evaluation.records import Document
from extractor.evaluation.spans import Breakdown, Counts, Share, SpanScores, SpanTally
from extractor.evaluation.uncertainty import (
    LEVEL,
    RESAMPLES,
    SEED,
    Interval,
    bootstrap_sums,
    cluster_of,
    upper_bound,
)
from extractor.patterns import PatternFolder


@dataclass(frozen=True, slots=True)
class Scores:
    """Everything that is said about one run.

    `coding` or `spans` is None where no gold note has that layer: a corpus without spans says nothing about them. Where
    some notes have spans, a note without any has none on purpose.
    """

    notes: int  # gold notes
    missing: tuple[str, ...]  # ids of gold notes without a prediction, in the order of gold
    ignored: tuple[str, ...]  # ids of predictions without a gold note, sorted
    coding: CodeScores | None
    spans: SpanScores | None
    intervals: Mapping[str, Interval]  # by the name of the figure; clustered by author
    overcoded_bound: float | None  # upper bound (exact, one-sided) of overcoded notes among the released
    outcomes: tuple[NoteOutcome, ...]  # one a note with a coding in gold

    def right(self) -> dict[str, bool]:
        """Right or wrong by id, for `extractor.evaluation.uncertainty.compare_runs`."""
        return {note.id: note.right for note in self.outcomes}

    def to_json(self) -> dict[str, Any]:
        """Plain dicts, lists, numbers and strings, in the order of the fields; the same run gives the same bytes."""
        plain: dict[str, Any] = _plain(self)
        return plain


def score(
    gold: Iterable[Document],
    predicted: Mapping[str, Document] | Iterable[Document],
    *,
    seed: int = SEED,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
    sideless: Set[str] | None = None,
    confidence: str = CONFIDENCE,
) -> Scores:
    """Scores predictions against gold notes, paired by id.

    Both may be streams; predictions in the order of gold are never held back, others wait without their text. A gold
    note without a prediction is missing and wrong; predictions without gold are listed and ignored. `sideless` are the
    codes without a side (default: those of the shipped code book), `confidence` the key of `carried` that orders the
    risk-coverage curve. `InputError`: no gold, an id that stands twice on one side, or a prediction of another text.
    """
    if sideless is None:
        sideless = sideless_codes(CodeBook.load(PatternFolder()))
    predictions = _Predictions(predicted)
    codes, spans = CodeTally(sideless, confidence), SpanTally()
    seen: set[str] = set()
    missing: list[str] = []
    span_rows: list[tuple[int, int, int]] = []
    clusters: list[str] = []
    for document in gold:
        if document.id in seen:
            raise InputError(f"{document.id}: the gold note is there twice")
        seen.add(document.id)
        found = predictions.take(document)
        if found is None:
            missing.append(document.id)
        codes.add(document, found)
        strict = spans.add(document, found)
        span_rows.append((strict.correct, strict.predicted, strict.support))
        clusters.append(cluster_of(document.author, document.id))
    if not seen:
        raise InputError("there is no gold note to score against")

    outcomes = codes.outcomes
    coding = codes.scores() if outcomes else None
    has_spans = any(row[2] for row in span_rows)
    intervals: dict[str, Interval] = {}
    if outcomes:
        rows = [_row(note) for note in outcomes]
        authors = [cluster_of(note.author, note.id) for note in outcomes]
        intervals |= bootstrap_sums(rows, authors, _CODING, resamples=resamples, level=level, seed=seed)
    if has_spans:
        intervals |= bootstrap_sums(span_rows, clusters, _SPANS, resamples=resamples, level=level, seed=seed)
    bound = None
    if coding and coding.released.hits:
        bound = upper_bound(len(coding.overcoded_released), coding.released.hits, level)
    return Scores(
        notes=len(seen),
        missing=tuple(missing),
        ignored=predictions.left(),
        coding=coding,
        spans=spans.scores() if has_spans else None,
        intervals=intervals,
        overcoded_bound=bound,
        outcomes=outcomes,
    )


class _Predictions:
    """Predictions by id, read no further than needed."""

    def __init__(self, predicted: Mapping[str, Document] | Iterable[Document]) -> None:
        self._known: Mapping[str, Document] = predicted if isinstance(predicted, Mapping) else {}
        self._coming: Iterator[Document] = iter(() if isinstance(predicted, Mapping) else predicted)
        self._waiting: dict[str, tuple[Document, int]] = {}  # without the text, but with its hash
        self._taken: set[str] = set()

    def take(self, gold: Document) -> Document | None:
        """The prediction for a gold note, once."""
        found = self._known.get(gold.id)
        while found is None and gold.id not in self._waiting and (coming := self._next()) is not None:
            if coming.id == gold.id:
                found = coming
            else:
                self._wait(coming)
        found, text = (found, hash(found.text)) if found else self._waiting.pop(gold.id, (None, 0))
        if found is None:
            return None
        self._taken.add(gold.id)
        # Offsets into another text would be compared as if they meant something. A side may leave its text out.
        if gold.text and text not in (hash(""), hash(gold.text)):
            raise InputError(f"{gold.id}: the prediction is of another text than the gold note")
        return found

    def _wait(self, coming: Document) -> None:
        self._waiting[coming.id] = replace(coming, text=""), hash(coming.text)

    def _next(self) -> Document | None:
        coming = next(self._coming, None)
        if coming is not None and (coming.id in self._waiting or coming.id in self._taken):
            raise InputError(f"{coming.id}: the prediction is there twice")
        return coming

    def left(self) -> tuple[str, ...]:
        """The ids that no gold note asked for."""
        while (coming := self._next()) is not None:
            self._wait(coming)
        return tuple(sorted((self._known.keys() - self._taken) | self._waiting.keys()))


# -- statistics of column sums, for the intervals --------------------------------------------------------------------


def _row(note: NoteOutcome) -> tuple[int, ...]:
    released = note.released
    return (
        1,
        note.right,
        note.codes_right,
        released,
        released and note.acceptable,
        released and note.overcoded,
        note.lines_correct,
        note.lines_predicted,
        note.lines_gold,
    )


def _ratio(of: int, to: int) -> Callable[[Sequence[float]], float | None]:
    return lambda sums: sums[of] / sums[to] if sums[to] else None


def _f1(correct: int, predicted: int, support: int) -> Callable[[Sequence[float]], float | None]:
    """F1 of sums: twice the correct ones over all things of both sides, which is the harmonic mean of P and R."""

    def f1(sums: Sequence[float]) -> float | None:
        both = sums[predicted] + sums[support]
        return 2 * sums[correct] / both if both else None

    return f1


_CODING = {
    "right": _ratio(1, 0),
    "codes_right": _ratio(2, 0),
    "released": _ratio(3, 0),
    "released_precision": _ratio(4, 3),
    "overcoded_of_released": _ratio(5, 3),
    "line_f1": _f1(6, 7, 8),
}
_SPANS = {"strict_f1": _f1(0, 1, 2)}


# -- JSON ------------------------------------------------------------------------------------------------------------


def _plain(value: Any) -> Any:
    """The fields of a record, with the figures that are worked out from them."""
    if isinstance(value, Counts):
        names = ("support", "predicted", "precision", "recall", "f1")
        return _fields(value) | {name: getattr(value, name) for name in names}
    if isinstance(value, Breakdown):
        return {"micro": _plain(value.micro), "macro": _plain(value.macro), "labels": _plain(value.labels)}
    if isinstance(value, Share):
        return {"hits": value.hits, "of": value.of, "share": value.value}
    if isinstance(value, NoteOutcome):
        return value._asdict()
    if is_dataclass(value):
        return _fields(value)
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value


def _fields(value: Any) -> dict[str, Any]:
    return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
