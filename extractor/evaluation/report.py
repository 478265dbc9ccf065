"""Scores for people: the rows of every table, and the tables for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from extractor.batch.sources import printable
from extractor.evaluation.agreement import Agreement
from extractor.evaluation.codes import MISSING, CodeScores
from extractor.evaluation.scores import Scores
from extractor.evaluation.spans import Breakdown, Share
from extractor.evaluation.uncertainty import Interval, Paired, upper_bound

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

_CHANGED = 200  # ids that two runs list
STATUS = ("coded", "review", "no_code", MISSING)


def share(value: Share) -> str:
    """ "0.993 (143 of 144)"; "-" of nothing."""
    return "-" if value.value is None else f"{value.value:.3f} ({value.hits} of {value.of})"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def figures(scores: Scores) -> list[tuple[str, str, str]]:
    """The figures in front of everything else: name, value, 95% interval over authors."""
    found: list[tuple[str, str, str]] = []
    if (coding := scores.coding) is not None:
        found += [
            ("exact note (status, codes, sides, joints)", share(coding.right), _interval(scores, "right")),
            ("codes only", share(coding.codes_right), _interval(scores, "codes_right")),
            ("released as coded", share(coding.released), _interval(scores, "released")),
            ("released and exactly right", share(coding.released_precision), _precision(scores, coding)),
            (
                "released with a line too many",
                str(len(coding.overcoded_released)),
                "" if scores.overcoded_bound is None else f"at most {scores.overcoded_bound:.3f} of them (exact)",
            ),
            ("overcoding: codes, notes", f"{share(coding.overcoding.codes)}, {share(coding.overcoding.notes)}", ""),
            ("undercoding: codes, notes", f"{share(coding.undercoding.codes)}, {share(coding.undercoding.notes)}", ""),
            ("code lines, F1", _number(coding.lines.f1), _interval(scores, "line_f1")),
        ]
        found += [(f"{name}, same set", share(value), "") for name, value in coding.facts.items()]
        if coding.claim.of:
            found.append(("claim lines, modifiers, units", share(coding.claim), ""))
    if (spans := scores.spans) is not None:
        found += [
            ("entities, strict F1", _number(spans.strict.micro.f1), _interval(scores, "strict_f1")),
            ("entities, lenient (type) F1", _number(spans.type.micro.f1), ""),
        ]
        found += [(f"attribute {name}", share(value.accuracy), "") for name, value in spans.attributes.items()]
    return found


def _interval(scores: Scores, name: str) -> str:
    found: Interval | None = scores.intervals.get(name)
    if found is None or found.low is None or found.high is None:
        return ""
    if found.low == found.high:
        return "all alike"  # resampling cannot tell how rare the other case is
    return f"{found.low:.3f} to {found.high:.3f}"


def _precision(scores: Scores, coding: CodeScores) -> str:
    """Where nothing released was wrong, resampling says nothing: the exact lower bound of a count without a miss."""
    share = coding.released_precision
    if share.of and share.hits == share.of:
        return f"at least {1 - upper_bound(0, share.of):.3f} (exact)"
    return _interval(scores, "released_precision")


def tables(scores: Scores, title: str) -> list[RenderableType]:
    """The tables for a terminal, made with rich."""
    head = _rich(f"{title}: {scores.notes} notes", "figure", "value", "95% interval, by author")
    for row in figures(scores):
        head.add_row(*row)
    found: list[RenderableType] = [head]
    if scores.coding:
        codes = _rich("codes", "code", "precision", "recall", "F1", "support")
        for code in code_rows(scores.coding.codes):
            codes.add_row(*code)
        status = _rich("status (gold down, predicted across)", "", *STATUS)
        for gold in STATUS[:3]:
            counts = scores.coding.status.get(gold, {})
            status.add_row(gold, *(str(counts.get(name, 0)) for name in STATUS))
        found += [codes, status]
    if scores.spans:
        spans = _rich(
            "entities", "label", "strict P", "strict R", "strict F1", "exact F1", "partial F1", "type F1", "support"
        )
        for label in span_rows(scores):
            spans.add_row(*label)
        found.append(spans)
        relations = _rich("relations", "label", "strict F1", "lenient F1", "support")
        for relation in relation_rows(scores):
            relations.add_row(*relation)
        found.append(relations)
    return found


def agreed(found: Agreement) -> list[RenderableType]:
    """Two annotators' agreement as tables for a terminal."""
    alone = f", {len(found.one_only)} more of one only" if found.one_only else ""
    head = _rich(f"two annotators, {found.notes} notes{alone}", "figure", "value")
    head.add_row("status, the same", share(found.status))
    head.add_row("status, Cohen's kappa", _number(found.kappa))
    head.add_row("lines, the same (codes, sides, joints)", share(found.lines))
    spans = _rich("entities", "label", "strict F1", "lenient F1", "first", "second")
    for label, one in [*sorted(found.labels.items()), ("all (micro)", found.spans)]:
        spans.add_row(label, _number(one.strict), _number(one.lenient), *map(str, one.spans))
    return [head, spans]


def _rich(name: str, *columns: str) -> Table:
    from rich.table import Table

    made = Table(title=name, title_justify="left")
    for number, column in enumerate(columns):
        made.add_column(column, justify="right" if number else "left", no_wrap=not number)
    return made


def code_rows(breakdown: Breakdown) -> list[tuple[str, str, str, str, str]]:
    return [
        (label, _number(c.precision), _number(c.recall), _number(c.f1), str(c.support))
        for label, c in sorted(breakdown.labels.items())
    ]


def span_rows(scores: Scores) -> list[tuple[str, ...]]:
    assert scores.spans is not None
    spans = scores.spans
    rows = []
    for label in [*sorted(spans.strict.labels), ""]:
        schemes = (spans.strict, spans.exact, spans.partial, spans.type)
        counts = [scheme.labels.get(label) if label else scheme.micro for scheme in schemes]
        strict, exact, partial, kind = counts
        if strict is None or exact is None or partial is None or kind is None:
            continue
        figures = (strict.precision, strict.recall, strict.f1, exact.f1, partial.f1, kind.f1)
        rows.append((label or "all (micro)", *map(_number, figures), str(strict.support)))
    macro = spans.strict.macro
    rows.append(("all (macro)", _number(macro.precision), _number(macro.recall), _number(macro.f1), "", "", "", ""))
    return rows


def relation_rows(scores: Scores) -> list[tuple[str, ...]]:
    assert scores.spans is not None
    strict, lenient = scores.spans.relations_strict, scores.spans.relations_lenient
    pairs = [(label, strict.labels[label], lenient.labels[label]) for label in sorted(strict.labels)]
    pairs.append(("all (micro)", strict.micro, lenient.micro))
    return [(name, _number(one.f1), _number(two.f1), str(one.support)) for name, one, two in pairs]


def ids(names: Sequence[str], most: int) -> str:
    """Ids in one line, not more than `most` of them.

    >>> ids(["a", "b", "c"], 2), ids([], 2)
    ('a, b and 1 more', '-')
    """
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(printable(name) for name in names[:most]) + more or "-"


def compared(paired: Paired) -> str:
    """Two runs in three lines."""
    head = f"{len(paired.better)} notes better, {len(paired.worse)} worse, McNemar p = {paired.p:.4f}"
    return f"{head}\n  better: {ids(paired.better, _CHANGED)}\n  worse: {ids(paired.worse, _CHANGED)}"
