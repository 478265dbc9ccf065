"""How well spans, their attributes and their relations were found.

The four schemes are those of SemEval 2013 task 9.1, which took the categories correct, incorrect, partial, missed and
spurious from MUC-5; `nervaluate` counts the same way. With spans that do not overlap, given in text order, all counts
and figures here are equal to those of nervaluate 1.2 (which wants the last character, not the end: `end - 1`).

Rules beyond nervaluate, which pairs in the order of its lists and knows one start and one end only:

- A span is the set of its code points. Fragments that touch are one; bounds are exact when the sets are the same.
- Two spans overlap when they share at least one hundredth of the code points of the gold span (nervaluate's default).
  A gap between fragments belongs to neither side.
- Each span is paired once at most. Identical spans with the same label are paired first (those with the same attributes
  before others), then identical spans with different labels, then what is left, in text order of the predictions.
- "Text order" is by start, end, fragments, label: the order in the file never matters.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from extractor.evaluation.records import Document, Entity, Fragment

Scheme = Literal["strict", "exact", "partial", "type"]
SCHEMES: tuple[Scheme, ...] = ("strict", "exact", "partial", "type")
_LEAST_SHARE = 100  # an overlap counts from one hundredth of the gold span on


# -- figures that all rooms of the evaluation share ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Share:
    """`hits` of `of` things; the share is None, not 0, where there is nothing to have a share of.

    >>> Share(3, 4).value, Share(0, 0).value
    (0.75, None)
    """

    hits: int = 0
    of: int = 0

    @property
    def value(self) -> float | None:
        return self.hits / self.of if self.of else None


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of the things of gold and prediction (MUC categories), and precision, recall and F1 from it.

    A partial match is worth one half. A figure without a denominator is 0.0, as in nervaluate and scikit-learn: look at
    `support` (things in gold) and `predicted` beside it.

    >>> Counts(correct=1, partial=1, missed=1).recall
    0.5
    """

    correct: int = 0
    incorrect: int = 0
    partial: int = 0
    missed: int = 0
    spurious: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.correct + other.correct,
            self.incorrect + other.incorrect,
            self.partial + other.partial,
            self.missed + other.missed,
            self.spurious + other.spurious,
        )

    @property
    def support(self) -> int:
        """Things in gold ("possible" in MUC)."""
        return self.correct + self.incorrect + self.partial + self.missed

    @property
    def predicted(self) -> int:
        """Things in the prediction ("actual" in MUC)."""
        return self.correct + self.incorrect + self.partial + self.spurious

    @property
    def precision(self) -> float:
        return (self.correct + 0.5 * self.partial) / self.predicted if self.predicted else 0.0

    @property
    def recall(self) -> float:
        return (self.correct + 0.5 * self.partial) / self.support if self.support else 0.0

    @property
    def f1(self) -> float:
        precision, recall = self.precision, self.recall
        return 2 * (precision * recall) / (precision + recall) if precision + recall else 0.0


@dataclass(frozen=True, slots=True)
class Average:
    """Plain means over labels."""

    precision: float = 0.0
    recall: float = 0.0
    f1: float = 0.0


@dataclass(frozen=True, slots=True)
class Breakdown:
    """Counts by label (in the order of their names), all together (`micro`), and the mean over labels (`macro`).

    `macro` is over every label of gold or prediction, as in seqeval and scikit-learn: one that was only ever predicted
    counts with zeros.
    """

    labels: Mapping[str, Counts]
    micro: Counts

    @property
    def macro(self) -> Average:
        rows, n = self.labels.values(), max(len(self.labels), 1)
        return Average(sum(r.precision for r in rows) / n, sum(r.recall for r in rows) / n, sum(r.f1 for r in rows) / n)


class SetTally:
    """Counts of things that are either in a set or not, by label: codes, lines, queries, relations."""

    def __init__(self) -> None:
        self._labels: dict[str, list[int]] = {}

    def add(self, label: str, correct: int, missed: int, spurious: int) -> None:
        row = self._labels.setdefault(label, [0, 0, 0])
        row[0] += correct
        row[1] += missed
        row[2] += spurious

    def add_sets(self, gold: frozenset[str], predicted: frozenset[str]) -> None:
        """Sets whose members are their own labels."""
        for label in gold | predicted:
            here, there = label in gold, label in predicted
            self.add(label, here and there, here and not there, there and not here)

    def breakdown(self) -> Breakdown:
        labels = {
            label: Counts(correct=correct, missed=missed, spurious=spurious)
            for label, (correct, missed, spurious) in sorted(self._labels.items())
        }
        return Breakdown(labels, sum(labels.values(), Counts()))


# -- pairing ---------------------------------------------------------------------------------------------------------


class _Placed(NamedTuple):
    """An entity in the form that is compared; tuples of this kind sort in text order."""

    start: int
    end: int
    span: tuple[Fragment, ...]
    label: str
    attributes: tuple[tuple[str, str], ...]
    id: str


_End = tuple[str, tuple[Fragment, ...]]  # what an end of a relation is compared by: label and span


class _Pair(NamedTuple):
    """Positions in the lists of gold and prediction; `kind` says what the two have in common."""

    gold: int
    predicted: int
    kind: Literal["twin", "span", "label", "overlap"]


def _joined(fragments: tuple[Fragment, ...]) -> tuple[Fragment, ...]:
    if len(fragments) == 1:
        return fragments
    joined = [fragments[0]]
    for start, end in fragments[1:]:
        if start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return tuple(joined)


def _placed(entities: Iterable[Entity]) -> list[_Placed]:
    return sorted(
        _Placed(e.start, e.end, _joined(e.fragments), e.label, tuple(sorted(e.attributes.items())), e.id)
        for e in entities
    )


def _overlaps(gold: Mapping[int, _Placed], predicted: Mapping[int, _Placed]) -> dict[int, list[int]]:
    """For each prediction the gold spans, in text order, that it overlaps.

    One sweep over the fragments by start: n log n and one step for each pair that does overlap, never all pairs.
    """
    fragments = [(start, end, 0, at) for at, item in gold.items() for start, end in item.span]
    fragments += [(start, end, 1, at) for at, item in predicted.items() for start, end in item.span]
    fragments.sort()
    open_: tuple[list[tuple[int, int]], list[tuple[int, int]]] = ([], [])  # (end, position), of gold and of prediction
    shared: dict[int, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for start, end, side, at in fragments:
        others = open_[1 - side]
        # only the other side is cleared, so that every fragment kept here is an overlap that has to be noted anyway
        others[:] = [other for other in others if other[0] > start]
        for other_end, other in others:
            here, there = (at, other) if side else (other, at)
            shared[here][there] += min(end, other_end) - start
        open_[side].append((end, at))
    length = {at: sum(end - start for start, end in item.span) for at, item in gold.items()}
    return {
        here: sorted(there for there, points in row.items() if points * _LEAST_SHARE >= length[there])
        for here, row in shared.items()
    }


class _Paired:
    """The pairs of one document. `within` pairs spans of the same label only, which gives the figures by label."""

    def __init__(self, gold: Sequence[Entity], predicted: Sequence[Entity]) -> None:
        self.gold = _placed(gold)
        self.predicted = _placed(predicted)
        # Twins are settled before anything else in every scheme, so the sweep sees only the spans that went wrong.
        golds, predictions = dict(enumerate(self.gold)), dict(enumerate(self.predicted))
        self.twins: list[_Pair] = [
            *_same(golds, predictions, "twin", lambda item: (item.span, item.label, item.attributes)),
            *_same(golds, predictions, "twin", lambda item: (item.span, item.label)),
        ]
        self._golds, self._predictions = golds, predictions
        self._near = _overlaps(golds, predictions) if golds and predictions else {}

    def by_place(self, within: bool) -> list[_Pair]:
        """Pairs for strict, exact and partial: the bounds decide, and the label only says what a pair is worth."""
        golds, predictions = dict(self._golds), dict(self._predictions)
        pairs = [] if within else _same(golds, predictions, "span", lambda item: item.span)
        for at, item in predictions.items():
            for near in self._near.get(at, ()):
                if near in golds and not (within and golds[near].label != item.label):
                    del golds[near]
                    pairs.append(_Pair(near, at, "overlap"))
                    break
        return [*self.twins, *pairs]

    def by_label(self, within: bool) -> list[_Pair]:
        """Pairs for type: the nearest overlapping span of the same label, else the first of another label."""
        golds = dict(self._golds)
        pairs = []
        for at, item in self._predictions.items():
            near = [gold for gold in self._near.get(at, ()) if gold in golds]
            same = [gold for gold in near if golds[gold].label == item.label]
            if same:
                best = min(same, key=lambda g: abs(item.start - golds[g].start) + abs(item.end - golds[g].end))
                pairs.append(_Pair(best, at, "label"))
                del golds[best]
            elif near and not within:
                pairs.append(_Pair(near[0], at, "overlap"))
                del golds[near[0]]
        return [*self.twins, *pairs]


def _same(
    golds: dict[int, _Placed],
    predictions: dict[int, _Placed],
    kind: Literal["twin", "span"],
    key: Callable[[_Placed], Hashable],
) -> list[_Pair]:
    """Pairs of equal key, in text order; they are taken out of both dictionaries."""
    waiting: dict[Hashable, deque[int]] = defaultdict(deque)
    for at, item in golds.items():
        waiting[key(item)].append(at)
    pairs = []
    for at, item in predictions.items():
        same = waiting.get(key(item))
        if same:
            pairs.append(_Pair(same.popleft(), at, kind))
    for pair in pairs:
        del golds[pair.gold]
        del predictions[pair.predicted]
    return pairs


# -- scores ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute over strictly matched spans.

    `counts`: correct (same value), incorrect (two values), missed (gold only), spurious (prediction only); spans where
    neither side has the attribute are not counted. `accuracy`: same value among the spans where gold has the attribute.
    """

    counts: Counts
    accuracy: Share


@dataclass(frozen=True, slots=True)
class SpanScores:
    """Figures on the spans of a corpus. All counts are of spans (or relations), added up over documents.

    strict   same label and same bounds; an overlap or another label is incorrect
    exact    same bounds, whatever the label; an overlap is incorrect
    partial  same bounds, whatever the label; an overlap is partial, worth one half
    type     same label and an overlap; an overlap with another label only is incorrect

    By label, only spans of that label are compared, so the labels do not add up to `micro`, in which a wrong label is
    seen (as in nervaluate: "overall" and "entities").
    """

    strict: Breakdown
    exact: Breakdown
    partial: Breakdown
    type: Breakdown
    attributes: Mapping[str, Attribute]  # by name
    all_attributes: Share  # of the strictly matched spans, those with all attributes the same
    relations_strict: Breakdown  # by label; right when both ends match strictly, and the direction
    relations_lenient: Breakdown  # by label; right when both ends match by type


_Outcome = Literal["correct", "incorrect", "partial"]
_WORTH: Mapping[Scheme, Mapping[str, _Outcome]] = {
    "strict": {"twin": "correct", "span": "incorrect", "overlap": "incorrect"},
    "exact": {"twin": "correct", "span": "correct", "overlap": "incorrect"},
    "partial": {"twin": "correct", "span": "correct", "overlap": "partial"},
    "type": {"twin": "correct", "label": "correct", "overlap": "incorrect"},
}


class SpanTally:
    """Adds up documents one at a time and keeps nothing of them but counts."""

    def __init__(self) -> None:
        self._micro: dict[Scheme, Counter[str]] = {scheme: Counter() for scheme in SCHEMES}
        self._labels: dict[Scheme, dict[str, Counter[str]]] = {scheme: {} for scheme in SCHEMES}
        self._attributes: dict[str, Counter[str]] = {}
        self._pairs = self._alike = 0
        self._strict, self._lenient = SetTally(), SetTally()

    def add(self, gold: Document, predicted: Document | None) -> Counts:
        """One document and what was predicted for it (None: nothing); the strict counts of this document.

        The entities and relations are those of checked documents: ids are unique and links lead somewhere.
        """
        paired = _Paired(gold.entities, predicted.entities if predicted else ())
        here = Counter[str]()
        places, labels = paired.by_place(within=False), paired.by_label(within=False)
        places_within, labels_within = paired.by_place(within=True), paired.by_label(within=True)
        support = Counter(item.label for item in paired.gold)
        found = Counter(item.label for item in paired.predicted)
        for scheme in SCHEMES:
            worth = _WORTH[scheme]
            pairs = labels if scheme == "type" else places
            counts = Counter[str](worth[pair.kind] for pair in pairs)
            counts["missed"] = len(paired.gold) - len(pairs)
            counts["spurious"] = len(paired.predicted) - len(pairs)
            self._micro[scheme].update(counts)
            if scheme == "strict":
                here = counts
            rows = self._labels[scheme]
            for label in support.keys() | found.keys():
                row = rows.setdefault(label, Counter())
                row["missed"] += support[label]
                row["spurious"] += found[label]
            for pair in labels_within if scheme == "type" else places_within:
                row = rows[paired.gold[pair.gold].label]
                row[worth[pair.kind]] += 1
                row["missed"] -= 1
                row["spurious"] -= 1
        self._add_attributes(paired)
        if gold.relations or (predicted and predicted.relations):
            self._add_relations(gold, predicted, paired, labels)
        return Counts(**here)

    def _add_attributes(self, paired: _Paired) -> None:
        for pair in paired.twins:
            want, got = paired.gold[pair.gold].attributes, paired.predicted[pair.predicted].attributes
            self._pairs += 1
            self._alike += want == got
            wanted, given = dict(want), dict(got)
            for name in wanted.keys() | given.keys():
                if name not in given:
                    outcome = "missed"
                elif name not in wanted:
                    outcome = "spurious"
                else:
                    outcome = "correct" if wanted[name] == given[name] else "incorrect"
                self._attributes.setdefault(name, Counter())[outcome] += 1

    def _add_relations(self, gold: Document, predicted: Document | None, paired: _Paired, labels: list[_Pair]) -> None:
        # An end is its label and span: of two twins it does not matter which one a relation hangs on.
        golds = {item.id: (item.label, item.span) for item in paired.gold}
        strict = {item.id: (item.label, item.span) for item in paired.predicted}
        _tally_relations(self._strict, gold, predicted, golds, strict)
        # Leniently, an end that is not in gold as it stands is the gold span that it was paired with.
        there = set(golds.values())
        moved = {
            paired.predicted[pair.predicted].id: golds[paired.gold[pair.gold].id]
            for pair in labels
            if pair.kind == "label"
        }
        lenient = {id_: end if end in there else moved.get(id_, end) for id_, end in strict.items()}
        _tally_relations(self._lenient, gold, predicted, golds, lenient)

    def scores(self) -> SpanScores:
        def breakdown(scheme: Scheme) -> Breakdown:
            rows = {label: Counts(**row) for label, row in sorted(self._labels[scheme].items())}
            return Breakdown(rows, Counts(**self._micro[scheme]))

        counts = {name: Counts(**row) for name, row in sorted(self._attributes.items())}
        return SpanScores(
            strict=breakdown("strict"),
            exact=breakdown("exact"),
            partial=breakdown("partial"),
            type=breakdown("type"),
            attributes={name: Attribute(row, Share(row.correct, row.support)) for name, row in counts.items()},
            all_attributes=Share(self._alike, self._pairs),
            relations_strict=self._strict.breakdown(),
            relations_lenient=self._lenient.breakdown(),
        )


def _tally_relations(
    tally: SetTally,
    gold: Document,
    predicted: Document | None,
    golds: Mapping[str, _End],
    predictions: Mapping[str, _End],
) -> None:
    want = Counter((r.label, golds[r.head], golds[r.tail]) for r in gold.relations)
    found = predicted.relations if predicted else ()
    got = Counter((r.label, predictions[r.head], predictions[r.tail]) for r in found)
    for key in want | got:
        both = min(want[key], got[key])
        tally.add(key[0], both, want[key] - both, got[key] - both)


def span_scores(pairs: Iterable[tuple[Document, Document | None]]) -> SpanScores:
    """Figures on (gold, predicted) documents of the same text; None where nothing was predicted.

    >>> gold = Document("a", "left L4-5", (Entity("T1", "Side", ((0, 4),)), Entity("T2", "Level", ((5, 9),))))
    >>> found = Document("a", "left L4-5", (Entity("T1", "Level", ((0, 4),)), Entity("T2", "Level", ((5, 7),))))
    >>> scores = span_scores([(gold, found)])
    >>> [getattr(scores, scheme).micro.f1 for scheme in SCHEMES]
    [0.0, 0.5, 0.75, 0.5]
    """
    tally = SpanTally()
    for gold, predicted in pairs:
        tally.add(gold, predicted)
    return tally.scores()
