"""How far two annotators of the same notes agree: what an annotation can at best be scored against."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass

from extractor.errors import InputError
from extractor.evaluation.codes import line_set
from extractor.evaluation.records import Document
from extractor.evaluation.spans import Share, SpanTally


@dataclass(frozen=True, slots=True)
class SpanAgreement:
    """F1 of one annotator's spans against the other's (Hripcsak and Rothschild 2005); 0.0 where neither has any.

    `strict`: same label and bounds. `lenient`: same label and an overlap, the mean of both directions, because pairing
    and the least overlap look at one side. `spans`: how many the first and the second annotator have.
    """

    strict: float
    lenient: float
    spans: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Agreement:
    """Agreement over the notes that both annotated; swapping the annotators changes nothing but the order of pairs."""

    notes: int
    one_only: tuple[str, ...]  # ids of notes that one of the two did not annotate
    coded: int  # notes where both have a coding: status, kappa and lines are of these
    status: Share  # the same status
    kappa: float | None  # Cohen's, of the status; None where no note has two codings
    lines: Share  # the same set of (code, side, joints)
    spans: SpanAgreement
    labels: Mapping[str, SpanAgreement]  # by label


def cohen_kappa(pairs: Iterable[tuple[str, str]]) -> float:
    """Cohen's kappa (1960) of two annotators' categories, unweighted: (observed - expected) / (1 - expected).

    Where both use one and the same category throughout, agreement by chance is certain and kappa is 0/0. It is 1.0
    here, since they do agree on everything; read it with the number of categories. No pairs at all: `InputError`.

    >>> cohen_kappa([("a", "a"), ("a", "b"), ("b", "b"), ("b", "b")]), cohen_kappa([("a", "a")])
    (0.5, 1.0)
    """
    table = Counter(pairs)
    n = table.total()
    if not n:
        raise InputError("no notes to compare")
    first, second = Counter[str](), Counter[str]()
    for (one, other), count in table.items():
        first[one] += count
        second[other] += count
    agreed = sum(count for (one, other), count in table.items() if one == other)
    # in whole numbers (everything times n squared): the degenerate case is an equality, not a matter of digits
    chance = sum(first[name] * second[name] for name in first)
    return 1.0 if chance == n * n else (n * agreed - chance) / (n * n - chance)


def agreement(first: Iterable[Document], second: Iterable[Document], sideless: Set[str]) -> Agreement:
    """Compares two annotators' documents, paired by id. `sideless`: see `extractor.evaluation.codes.sideless_codes`."""
    others = _by_id(second)
    there, back = SpanTally(), SpanTally()
    statuses: list[tuple[str, str]] = []
    same_lines = notes = 0
    one_only: list[str] = []
    for id_, one in _by_id(first).items():
        other = others.pop(id_, None)
        if other is None:
            one_only.append(id_)
            continue
        notes += 1
        there.add(one, other)
        back.add(other, one)
        if one.coding and other.coding:
            statuses.append((one.coding.status, other.coding.status))
            same_lines += line_set(one.coding, sideless) == line_set(other.coding, sideless)
    if not notes:
        raise InputError("the annotators have no note in common")
    forth, reverse = there.scores(), back.scores()

    def spans(label: str | None) -> SpanAgreement:
        strict = forth.strict.labels[label] if label else forth.strict.micro
        one = forth.type.labels[label] if label else forth.type.micro
        other = reverse.type.labels[label] if label else reverse.type.micro
        return SpanAgreement(strict.f1, (one.f1 + other.f1) / 2, (strict.support, strict.predicted))

    return Agreement(
        notes=notes,
        one_only=tuple(sorted([*one_only, *others])),
        coded=len(statuses),
        status=Share(sum(one == other for one, other in statuses), len(statuses)),
        kappa=cohen_kappa(statuses) if statuses else None,
        lines=Share(same_lines, len(statuses)),
        spans=spans(None),
        labels={label: spans(label) for label in forth.strict.labels},
    )


def _by_id(documents: Iterable[Document]) -> dict[str, Document]:
    by_id: dict[str, Document] = {}
    for document in documents:
        if document.id in by_id:
            raise InputError(f"{document.id}: the note is there twice")
        by_id[document.id] = document
    return by_id
