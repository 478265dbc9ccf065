"""Scores for people as one self-contained page, and as a picture.

The page has no script and loads nothing; note text is escaped. It shows the text of wrong notes, so it is as private as
the notes are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape

from extractor.evaluation.codes import CodeScores
from extractor.evaluation.records import LABELS, Coding, Document, Entity
from extractor.evaluation.report import STATUS, code_rows, compared, figures, relation_rows, span_rows
from extractor.evaluation.scores import Scores
from extractor.evaluation.uncertainty import Paired

_BAR, _PLOT = 260, 300  # pixels
_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:72rem;padding:0 1rem;color:#1c2430;background:#fff}
table{border-collapse:collapse;margin:.5rem 0 1.5rem}
td,th{border:1px solid #c9d1dc;padding:.2rem .6rem;text-align:right}
td:first-child,th:first-child{text-align:left}h2{margin-top:2rem}
.sides{display:grid;grid-template-columns:1fr 1fr;gap:1rem}
pre{white-space:pre-wrap;overflow-wrap:anywhere;background:#f5f7fa;padding:.6rem;font:13px/1.55 ui-monospace,monospace}
mark{border-radius:3px;padding:0 .1em;border-bottom:2px solid #1c2430}.l0{background:#ffe3a8}.l1{background:#c9e4ff}
.l2{background:#d8f2c9}.l3{background:#f3d0e6}.l4{background:#d9d3f5}.l5{background:#c8eee8}.l6{background:#eadfcb}
.l7{background:#fbd3c5}.l8{background:#e3e6ea}
@media (prefers-color-scheme:dark){body{background:#161b22;color:#e6eaf0}pre{background:#1d232d}mark{color:#161b22}
td,th{border-color:#3a4454}}
"""


def html_page(
    scores: Scores, title: str, wrong: Iterable[tuple[Document, Document | None]], paired: Paired | None = None
) -> Iterator[str]:
    """One page in parts: figures, plots, tables, and each wrong note with gold and prediction side by side."""
    yield "<!doctype html>"
    yield f'<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
    yield "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
    yield f"<style>{_STYLE}</style></head><body>"
    yield f"<h1>{escape(title)}</h1><p>{scores.notes} notes, {len(scores.missing)} without a prediction.</p>"
    yield _table(("figure", "value", "95% interval, by author"), figures(scores))
    if paired is not None:
        yield f"<h2>Against the other run</h2><pre>{escape(compared(paired))}</pre>"
    if scores.coding is not None:
        yield from _codes(scores.coding)
    if scores.spans is not None:
        columns = ("label", "strict P", "strict R", "strict F1", "exact F1", "partial F1", "type F1", "support")
        yield f"<h2>Entities</h2>{_table(columns, span_rows(scores))}"
        yield f"<h2>Relations</h2>{_table(('label', 'strict F1', 'lenient F1', 'support'), relation_rows(scores))}"
    yield "<h2>Wrong notes</h2>"
    for gold, found in wrong:
        yield _note(gold, found)
    yield "</body></html>"


def _codes(coding: CodeScores) -> Iterator[str]:
    labels = sorted(coding.codes.labels.items())
    yield f"<h2>F1 by code</h2>{_bars([(label, counts.f1, counts.support) for label, counts in labels])}"
    yield _table(("code", "precision", "recall", "F1", "support"), code_rows(coding.codes))
    yield f"<h2>Status</h2>{_confusion(coding.status)}"
    yield f"<h2>Risk and coverage</h2>{_risk(coding)}"


def picture(scores: Scores, title: str) -> str:
    """The plots of the page as one SVG file, for a README; `scores` must have codes."""
    assert scores.coding is not None
    labels = sorted(scores.coding.codes.labels.items())
    bars = _bars([(label, counts.f1, counts.support) for label, counts in labels], x=20, y=50)
    risk = _risk(scores.coding, x=500, y=50)
    height = max(22 * len(labels) + 80, _PLOT // 2 + 130)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="900" height="{height}" font-family="sans-serif" '
        f'color="#1c2430" fill="#1c2430">'
        f'<rect width="100%" height="100%" fill="#fff"/><text x="20" y="30" font-size="16">{escape(title)}</text>'
        f"{bars}{risk}</svg>\n"
    )


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(column)}</th>" for column in columns)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><tr>{head}</tr>{body}</table>"


def _bars(rows: Sequence[tuple[str, float, int]], x: int = 0, y: int = 0) -> str:
    lines = []
    for number, (label, value, support) in enumerate(rows):
        top = 22 * number
        lines.append(
            f'<text x="0" y="{top + 15}">{escape(label)}</text><rect x="70" y="{top + 3}" width="{_BAR * value:.1f}" '
            f'height="15" fill="#4a7fb5"/>'
            f'<text x="{78 + _BAR * value:.1f}" y="{top + 15}">{value:.3f} ({support})</text>'
        )
    height = 22 * len(rows) + 6
    return (
        f'<svg role="img" aria-label="F1 by code" x="{x}" y="{y}" width="{_BAR + 190}" height="{height}" '
        f'fill="currentColor" font-size="13">{"".join(lines)}</svg>'
    )


def _confusion(status: Mapping[str, Mapping[str, int]]) -> str:
    rows = [(gold, *(str(status.get(gold, {}).get(name, 0)) for name in STATUS)) for gold in STATUS[:3]]
    return _table(("gold, predicted", *STATUS), rows)


def _risk(coding: CodeScores, x: int = 0, y: int = 0) -> str:
    """The share of wrong notes among those that are taken over as they stand, the surest first."""
    points = [(0.0, 0.0), *((point.coverage, point.risk) for point in coding.risk_coverage)]
    top = max(0.05, *(risk for _, risk in points))
    path = " ".join(f"{40 + _PLOT * share:.1f},{10 + _PLOT / 2 * (1 - risk / top):.1f}" for share, risk in points)
    return (
        f'<svg role="img" aria-label="risk by coverage" x="{x}" y="{y}" width="{_PLOT + 60}" '
        f'height="{_PLOT // 2 + 50}" fill="currentColor" font-size="12">'
        f'<rect x="40" y="10" width="{_PLOT}" height="{_PLOT // 2}" fill="none" stroke="#8893a2"/>'
        f'<polyline points="{path}" fill="none" stroke="#b5564a" stroke-width="2"/>'
        f'<text x="2" y="20">{top:.2f}</text><text x="14" y="{_PLOT // 2 + 12}">0</text>'
        f'<text x="40" y="{_PLOT // 2 + 40}">risk (up) by coverage (0 to 1)</text></svg>'
    )


def _note(gold: Document, found: Document | None) -> str:
    sides = (("gold", gold), ("predicted", found))
    cells = []
    for name, document in sides:
        coding = document.coding if document else None
        entities = document.entities if document else ()
        cells.append(f"<div><h4>{name}: {escape(_said(coding))}</h4><pre>{_marked(gold.text, entities)}</pre></div>")
    return f'<h3>{escape(gold.id)}</h3><div class="sides">{"".join(cells)}</div>'


def _said(coding: Coding | None) -> str:
    if coding is None:
        return "nothing"
    lines = "; ".join(" ".join((line.code, line.side, *line.joints)) for line in coding.lines)
    asked = f" (asks {', '.join(coding.queries)})" if coding.queries else ""
    return f"{coding.status}{': ' if lines else ''}{lines}{asked}"


def _marked(text: str, entities: Sequence[Entity]) -> str:
    """The text with its spans; where spans overlap, the first keeps the words."""
    parts: list[str] = []
    at = 0
    for start, end, label in sorted((s, e, entity.label) for entity in entities for s, e in entity.fragments):
        if start < at or end > len(text):
            continue
        number = LABELS.index(label) if label in LABELS else len(LABELS) - 1
        parts += [
            escape(text[at:start]),
            f'<mark class="l{number}" title="{escape(label)}">{escape(text[start:end])}</mark>',
        ]
        at = end
    return "".join([*parts, escape(text[at:])])
