"""An audit for people (text), for programs (JSON) and for spreadsheets (CSV). Note text is hostile input: on the
terminal every character that does not print is replaced, and no cell runs as a formula."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from extractor.audit.models import AuditReport, CheckedItem, NoteAudit
from extractor.batch.tables.spreadsheet import record
from extractor.report import plain, quotes
from extractor.schema import ClaimLine, Evidence

COLUMNS = ("id", "status", "what", "name", "verdict", "line", "code", "modifiers", "units", "reason", "evidence")


def text_report(report: AuditReport, claimed: bool) -> str:
    """With claims the comparison, without them the checklist of each note; the figures at the end."""
    lines = [line for note in report.notes for line in (_compared(note) if claimed else _checked(note))]
    return "\n".join((*lines, *(_claim_figures(report) if claimed else _item_figures(report))))


def json_report(report: AuditReport, claimed: bool) -> str:
    """The whole report, as its JSON Schema describes it."""
    return report.to_json()


def csv_report(report: AuditReport, claimed: bool) -> str:
    """One row an item, billed line, line not billed, or finding."""
    rows = [row for note in report.notes for row in _rows(note)]
    rows += [(id_, "", "claim without note", "", "", "", "", "", "", "", "") for id_ in report.claims_without_note]
    return b"".join(map(record, (COLUMNS, *rows))).decode().rstrip("\n")


RENDERED: Mapping[str, Callable[[AuditReport, bool], str]] = {
    "text": text_report,
    "json": json_report,
    "csv": csv_report,
}


def _written(item: ClaimLine) -> str:
    return "-".join((item.code, *item.modifiers)) + (f" x{item.units}" if item.units > 1 else "")


def _said(word: str) -> str:
    return word.replace("_", " ")


def _checked(note: NoteAudit) -> Iterator[str]:
    yield f"{plain(note.id)}: {note.status.upper()}"
    if all(item.state == "not_applicable" for item in note.checklist):
        yield "  no procedure to check"
        return
    for item in note.checklist:
        if item.state != "not_applicable":
            yield f"  {_said(item.state):<10}  {item.label}: {item.reason}"
            yield from quotes(item.evidence)


def _compared(note: NoteAudit) -> Iterator[str]:
    if not note.claimed:
        yield f"{plain(note.id)}: {note.status.upper()}, no claim"
        return
    supported = sum(line.verdict == "supported" for line in note.lines)
    yield f"{plain(note.id)}: {note.status.upper()}, {supported} of {len(note.lines)} billed lines supported"
    for line in note.lines:
        billed = ClaimLine(code=line.code, modifiers=line.modifiers, units=line.units)
        yield f"  {line.line}  {_written(billed):<14}  {_said(line.verdict)}: {line.reason}"
    yield from (f"  -  {_written(item):<14}  not billed" for item in note.undercoded)
    for found in note.findings:
        about = f" (line {', '.join(map(str, found.lines))})" if found.lines else ""
        yield f"  finding {found.kind}{about}: {found.reason}"
        yield from quotes(found.evidence)


def _claim_figures(report: AuditReport) -> Iterator[str]:
    figures = report.summary
    yield ""
    yield f"notes {figures.notes}, with a claim {figures.claims}, failed {figures.failed}"
    yield (
        f"lines billed {figures.lines}: supported {figures.supported}, overcoded {figures.overcoded}, unsupported "
        f"{figures.unsupported}, needs answer {figures.needs_answer}, not judged {figures.not_judged}; "
        f"undercoded {figures.undercoded}"
    )
    yield f"findings {sum(figures.findings.values())}"
    yield from (f"  {kind:<26} {count}" for kind, count in figures.findings.items())
    for label, names in (
        ("claims without a note", report.claims_without_note),
        ("notes without a claim", report.notes_without_claim),
        ("codes that no code book lists", report.unknown_codes),
    ):
        if names:
            yield f"{label}: {plain(', '.join(names))}"


def _item_figures(report: AuditReport) -> Iterator[str]:
    yield ""
    yield f"notes {report.summary.notes}, failed {report.summary.failed}"
    width = max((len(item.label) for item in report.summary.items), default=4)
    yield f"{'item':<{width}} {'met':>6} {'not met':>8} {'not stated':>11} {'not applicable':>15}"
    for item in report.summary.items:
        label = f"{item.label:<{width}} {item.met:>6} {item.not_met:>8} {item.not_stated:>11} {item.not_applicable:>15}"
        yield label


def _rows(note: NoteAudit) -> Iterator[Sequence[str]]:
    for item in note.checklist:
        yield _item_row(note, item)
    for line in note.lines:
        billed = (str(line.line), line.code, " ".join(line.modifiers), str(line.units))
        yield (note.id, note.status, "billed line", "", line.verdict, *billed, line.reason, "")
    for short in note.undercoded:
        billed = ("", short.code, " ".join(short.modifiers), str(short.units))
        yield (note.id, note.status, "line not billed", "", "undercoded", *billed, "", "")
    for found in note.findings:
        about = ("; ".join(map(str, found.lines)), "", "", "")
        yield (note.id, note.status, "finding", found.kind, "", *about, found.reason, _places(found.evidence))


def _item_row(note: NoteAudit, item: CheckedItem) -> Sequence[str]:
    return (note.id, note.status, "item", item.id, item.state, "", "", "", "", item.reason, _places(item.evidence))


def _places(evidence: Sequence[Evidence]) -> str:
    return ";".join(f"{words.start}-{words.end}" for words in evidence)
