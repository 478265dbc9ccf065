"""How well the document layer was coded: status, lines, claim, queries and facts of notes.

Lines are compared as sets of (code, side, joints), in no order; a code that the code book reports without a side is
compared as "unspecified". All shares are of notes unless they say otherwise. A note without a prediction is missing: it
is wrong wherever it could have been right, and what its gold holds was not found.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from typing import NamedTuple

from extractor.coding.codebook import CodeBook
from extractor.errors import InputError
from extractor.evaluation.records import Coding, Document
from extractor.evaluation.spans import Breakdown, Counts, SetTally, Share

CONFIDENCE = "confidence"
FACTS = ("imaging", "injectate", "target")
MISSING = "missing"  # stands where the status of a prediction would
_NOTHING = "none_documented"  # as good as an empty list
_SURENESS = ("coded", "no_code", "review")  # surest first; where no confidence is given

_MOST = sys.float_info.max  # what is beyond, or not comparable (NaN), is no confidence

LineKey = tuple[str, str, tuple[str, ...]]


def sideless_codes(book: CodeBook) -> frozenset[str]:
    """The codes that are reported once, whatever the side.

    >>> from extractor.patterns import PatternFolder
    >>> sorted(sideless_codes(CodeBook.load(PatternFolder())))[:2]
    ['20552', '20553']
    """
    return frozenset(number for number, code in book.table.codes.items() if not code.side)


def line_set(coding: Coding, sideless: Set[str]) -> frozenset[LineKey]:
    """The lines as they are compared.

    >>> from extractor.evaluation.records import Line
    >>> line_set(Coding("coded", (Line("1", "left", ("L5-S1", "L4-L5")),)), {"1"})
    frozenset({('1', 'unspecified', ('L4-L5', 'L5-S1'))})
    """
    return frozenset(
        (line.code, "unspecified" if line.code in sideless else line.side, tuple(sorted(line.joints)))
        for line in coding.lines
    )


def settled_right(gold: str, status: str, same: bool, empty: bool) -> bool:
    """Whether a note is settled as gold says: coded with the same lines, review as review, no_code with no line.

    `gold` and `status` are the two statuses; `same` and `empty` say whether the lines are the same as those of gold,
    and whether the prediction has none. The lines of a review are candidates and are not compared.

    >>> settled_right("review", "review", same=False, empty=False)
    True
    """
    if gold == "coded":
        return status == "coded" and same
    return status == gold and (gold == "review" or empty)


def acceptable(gold: str, status: str, same: bool, empty: bool) -> bool:
    """Whether the lines of a note could have been taken over as they stand, with no person asked.

    Arguments as in `settled_right`. What gold wants reviewed never can; a review with the lines of a coded gold, or
    with no line where gold has no_code, can.

    >>> acceptable("coded", "review", same=True, empty=False)
    True
    """
    if gold == "coded":
        return same and status not in (MISSING, "no_code")
    return gold == "no_code" and empty and status not in (MISSING, "coded")


class NoteOutcome(NamedTuple):
    """What is kept of a note: a few numbers and its id, none of its words. Lines are (code, side, joints)."""

    id: str
    author: str
    gold: str  # status
    status: str  # predicted, or "missing"
    right: bool  # see `settled_right`
    codes_right: bool  # the same, comparing codes without sides and joints
    acceptable: bool  # see `acceptable`
    overcoded: bool  # a line that gold does not have
    confidence: float | None
    lines_correct: int
    lines_predicted: int
    lines_gold: int

    @property
    def released(self) -> bool:
        """Went out as `coded`, with no person asked."""
        return self.status == "coded"


@dataclass(frozen=True, slots=True)
class Excess:
    """Codes that one side has beyond the other, code over code and case over case (as coding audits count).

    `codes` is a share of codes (each code once a note), `notes` one of all notes: those with at least one such code.
    """

    codes: Share
    notes: Share


@dataclass(frozen=True, slots=True)
class RiskPoint:
    """The notes that are at least as sure as `at`, taken over as they stand.

    `notes` are covered, `wrong` of them are not acceptable; `coverage` is their share of all notes, `risk` the share of
    wrong ones among them.
    """

    at: float | str  # the confidence, or the status where no confidence is given
    notes: int
    wrong: int
    coverage: float
    risk: float


@dataclass(frozen=True, slots=True)
class CodeScores:
    """Figures on the coding of a corpus. Counts are of notes but where another thing is named."""

    notes: int
    missing: int  # without a prediction
    right: Share  # status, codes, sides and joints: see `settled_right`
    codes_right: Share  # the same, comparing codes only
    claim: Share  # codes, modifiers and units, in no order; of the notes where both sides have a claim
    lines: Counts  # of (code, side, joints)
    codes: Breakdown  # by code; each code once a note
    overcoding: Excess  # codes: of the predicted ones, those that gold does not have
    undercoding: Excess  # codes: of those in gold, those that were not predicted
    status: Mapping[str, Mapping[str, int]]  # gold -> predicted (or "missing") -> notes
    released: Share  # predicted as coded
    released_precision: Share  # of the released, those that gold has coded with the same lines
    overcoded_released: tuple[str, ...]  # ids of released notes with a line that gold does not have: the worst outcome
    risk_coverage: tuple[RiskPoint, ...]  # surest first
    queries: Breakdown  # by query id; over the notes where both sides have queries
    facts: Mapping[str, Share]  # imaging, injectate, target: the same set, where gold has it and is not no_code


class CodeTally:
    """Adds up notes one at a time; of a note only its `NoteOutcome` is kept."""

    def __init__(self, sideless: Set[str], confidence: str = CONFIDENCE) -> None:
        self._sideless = sideless
        self._confidence = confidence
        self._outcomes: list[NoteOutcome] = []
        self._codes, self._queries = SetTally(), SetTally()
        self._status: dict[str, Counter[str]] = {}
        self._hits: Counter[str] = Counter()
        self._of: Counter[str] = Counter()

    def add(self, gold: Document, predicted: Document | None) -> NoteOutcome | None:
        """One note; None where gold has no coding, which says nothing about any prediction.

        A prediction without a coding is a missing one. A confidence is a number under the key of that name in the
        prediction's `carried`; `InputError` where something else stands there.
        """
        want, got = gold.coding, predicted.coding if predicted else None
        if want is None:
            return None
        expected = line_set(want, self._sideless)
        found: frozenset[LineKey] = line_set(got, self._sideless) if got else frozenset()
        codes, codes_found = frozenset(line[0] for line in expected), frozenset(line[0] for line in found)
        status = got.status if got else MISSING
        outcome = NoteOutcome(
            id=gold.id,
            author=gold.author,
            gold=want.status,
            status=status,
            right=settled_right(want.status, status, expected == found, not found),
            codes_right=settled_right(want.status, status, codes == codes_found, not found),
            acceptable=acceptable(want.status, status, expected == found, not found),
            overcoded=bool(found - expected),
            confidence=self._sure(predicted),
            lines_correct=len(expected & found),
            lines_predicted=len(found),
            lines_gold=len(expected),
        )
        self._outcomes.append(outcome)
        self._codes.add_sets(codes, codes_found)
        self._count("over_notes", not codes_found <= codes)
        self._count("under_notes", not codes <= codes_found)
        self._status.setdefault(want.status, Counter())[status] += 1
        self._add_layers(want, got)
        return outcome

    def _add_layers(self, want: Coding, got: Coding | None) -> None:
        if want.claim is not None and (got is None or got.claim is not None):
            self._count("claim", got is not None and _claim(want) == _claim(got))
        if want.queries is not None and (got is None or got.queries is not None):
            self._queries.add_sets(frozenset(want.queries), frozenset((got.queries if got else None) or ()))
        for name in FACTS:
            if getattr(want, name) is not None and want.status != "no_code":
                self._count(name, got is not None and _fact(want, name) == _fact(got, name))

    def _count(self, name: str, hit: bool) -> None:
        self._hits[name] += hit
        self._of[name] += 1

    def _share(self, name: str) -> Share:
        return Share(self._hits[name], self._of[name])

    def _sure(self, predicted: Document | None) -> float | None:
        given = predicted.carried.get(self._confidence) if predicted else None
        if given is None or predicted is None:
            return None
        if isinstance(given, bool) or not isinstance(given, int | float) or not -_MOST < given < _MOST:
            raise InputError(f"{predicted.id}: {self._confidence} is not a number")
        return float(given)

    @property
    def outcomes(self) -> tuple[NoteOutcome, ...]:
        """What became of each note, in the order they came."""
        return tuple(self._outcomes)

    def scores(self) -> CodeScores:
        notes, n = self._outcomes, len(self._outcomes)
        released = [note for note in notes if note.released]
        codes = self._codes.breakdown()
        return CodeScores(
            notes=n,
            missing=sum(note.status == MISSING for note in notes),
            right=Share(sum(note.right for note in notes), n),
            codes_right=Share(sum(note.codes_right for note in notes), n),
            claim=self._share("claim"),
            lines=line_counts(notes),
            codes=codes,
            overcoding=Excess(Share(codes.micro.spurious, codes.micro.predicted), self._share("over_notes")),
            undercoding=Excess(Share(codes.micro.missed, codes.micro.support), self._share("under_notes")),
            status={gold: dict(sorted(row.items())) for gold, row in sorted(self._status.items())},
            released=Share(len(released), n),
            released_precision=Share(sum(note.acceptable for note in released), len(released)),
            overcoded_released=tuple(note.id for note in released if note.overcoded),
            risk_coverage=risk_coverage(notes),
            queries=self._queries.breakdown(),
            facts={name: self._share(name) for name in FACTS},
        )


def line_counts(notes: Iterable[NoteOutcome]) -> Counts:
    """Lines of all notes, of any status, added up."""
    correct = missed = spurious = 0
    for note in notes:
        correct += note.lines_correct
        missed += note.lines_gold - note.lines_correct
        spurious += note.lines_predicted - note.lines_correct
    return Counts(correct=correct, missed=missed, spurious=spurious)


def _claim(coding: Coding) -> Counter[tuple[str, tuple[str, ...], int]]:
    return Counter((line.code, tuple(sorted(line.modifiers)), line.units) for line in coding.claim or ())


def _fact(coding: Coding, name: str) -> set[str]:
    return set(getattr(coding, name) or ()) - {_NOTHING}


# -- risk and coverage -----------------------------------------------------------------------------------------------


def risk_coverage(notes: Iterable[NoteOutcome]) -> tuple[RiskPoint, ...]:
    """The risk-coverage curve (El-Yaniv and Wiener 2010): how wrong the surest notes are, for each number of them.

    Notes are covered from the highest confidence down; equal ones together, and those without one after all others, by
    status. Where no note has a confidence, the status alone decides: coded, then no_code, then review, then any other.
    A covered note is wrong when it is not `acceptable`: at the point of `coded`, coverage is the released share and
    risk is 1 minus the released precision. Missing predictions are never covered.
    """
    kept = list(notes)
    groups: dict[tuple[int, float, str], list[NoteOutcome]] = {}
    for note in kept:
        if note.status != MISSING:
            groups.setdefault(_sureness(note), []).append(note)
    return tuple(_curve(groups, len(kept)))


def _sureness(note: NoteOutcome) -> tuple[int, float, str]:
    if note.confidence is not None:
        return (0, -note.confidence, "")
    rank = _SURENESS.index(note.status) if note.status in _SURENESS else len(_SURENESS)
    return (1, rank, note.status)


def _curve(groups: Mapping[tuple[int, float, str], list[NoteOutcome]], of: int) -> Iterator[RiskPoint]:
    covered = wrong = 0
    for _, group in sorted(groups.items(), key=lambda item: item[0]):
        covered += len(group)
        wrong += sum(not note.acceptable for note in group)
        confidence = group[0].confidence
        at = group[0].status if confidence is None else confidence
        yield RiskPoint(at, covered, wrong, covered / of, wrong / covered)


def code_scores(
    pairs: Iterable[tuple[Document, Document | None]], sideless: Set[str], confidence: str = CONFIDENCE
) -> CodeScores:
    """Figures on (gold, predicted) notes; None where there is no prediction. `sideless`: see `sideless_codes`."""
    tally = CodeTally(sideless, confidence)
    for gold, predicted in pairs:
        tally.add(gold, predicted)
    return tally.scores()
