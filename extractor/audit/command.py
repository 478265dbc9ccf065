"""`facetcode audit`: notes coded, checked and held against their claims; the report printed or written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from extractor.audit.checklist import Checklist
from extractor.audit.claims import Claim, read_claims
from extractor.audit.compare import Comparison, Rules, compare
from extractor.audit.models import AuditReport, NoteAudit
from extractor.audit.report import RENDERED
from extractor.audit.rows import AuditTable
from extractor.audit.summary import summary_of
from extractor.batch.runner import CodeNote, code_one
from extractor.batch.sinks import STANDARD_OUTPUT, open_sink
from extractor.batch.sources import BadRecord, Incoming, Item, Remark, open_sources, printable
from extractor.coding.codebook import CodeBook
from extractor.patterns import PatternFolder
from extractor.schema import CodingResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """The call of an audit. Without `claims`, the checklist alone."""

    inputs: Sequence[str]
    claims: Path | None
    patterns: Path | None
    day: str | None
    form: str
    out: str


class Auditor:
    """Checks coded notes. Built once from the patterns; raises PatternError for a wrong row."""

    def __init__(self, patterns: Path | None) -> None:
        self._folder = PatternFolder(patterns)
        self._table = AuditTable.load(self._folder)
        self._checklist = Checklist(self._folder, self._table)
        self._rules: dict[str, Rules] = {}

    @property
    def profiles(self) -> frozenset[str]:
        """The names of all claim profiles."""
        return frozenset(CodeBook.load(self._folder).profiles)

    def rules(self, year: str) -> Rules:
        """The rules under the code book of a year."""
        if year not in self._rules:
            self._rules[year] = Rules.of(CodeBook.load(self._folder, year), self._table)
        return self._rules[year]

    def audit(self, text: str, result: CodingResult, claim: Claim | None) -> tuple[NoteAudit, list[str]]:
        """One note, and the billed codes that no code book lists."""
        rules = self.rules(result.versions.codes)
        outcome = compare(result, claim.lines, rules) if claim else Comparison([], [], [], [])
        audited = NoteAudit(
            id=result.id,
            status=result.status,
            checklist=self._checklist.check(text, result, rules.book),
            claimed=claim is not None,
            lines=outcome.lines,
            undercoded=outcome.undercoded,
            findings=outcome.findings,
            queries=[query.id for query in result.queries],
            versions=result.versions,
        )
        return audited, outcome.unknown


def run(call: Audit, code: CodeNote, say: Callable[[str], object], complain: Callable[[str], object]) -> int:
    """Audits all notes and writes the report; the number of notes and rows that failed. InputError: the call or a file
    is wrong."""
    auditor = Auditor(call.patterns)
    items = open_sources(call.inputs)
    claims: dict[str, Claim] = {}
    failed = 0
    if call.claims is not None:
        claims, bad = read_claims(call.claims, auditor.profiles)
        failed = len(bad)
        for row in bad:
            complain(f"{row.where}: {row.reason}")
    notes: list[NoteAudit] = []
    unknown: dict[str, None] = {}
    for outcome in _coded(items, claims, code, call.day, complain):
        if outcome is None:
            failed += 1
            continue
        audited, codes = auditor.audit(*outcome)
        notes.append(audited)
        unknown |= dict.fromkeys(codes)
    seen = {note.id.strip() for note in notes}
    report = AuditReport(
        notes=notes,
        claims_without_note=[id_ for id_ in claims if id_ not in seen],
        notes_without_claim=[note.id for note in notes if call.claims is not None and not note.claimed],
        unknown_codes=list(unknown),
        summary=summary_of(notes, failed),
    )
    _write(RENDERED[call.form](report, call.claims is not None), call, say)
    return failed


def _coded(
    items: Iterator[Item], claims: dict[str, Claim], code: CodeNote, day: str | None, complain: Callable[[str], object]
) -> Iterator[tuple[str, CodingResult, Claim | None] | None]:
    """Text, result and claim of each note; None for one that failed."""
    for item in items:
        if isinstance(item, Remark):
            complain(f"{item.where}: {item.text}")
            continue
        claim = claims.get(item.note.id.strip()) if isinstance(item, Incoming) else None
        if isinstance(item, Incoming) and claim and _other_day(item, claim):
            complain(f"{item.where}: the claim has another date of service; judged under that of the note")
        outcome = item if isinstance(item, BadRecord) else code_one(_as_billed(item, claim), code, day)
        if isinstance(outcome, BadRecord):
            complain(f"{outcome.where}: {outcome.reason}")
            yield None
        else:
            note, result = outcome
            yield note.text, result, claim


def _other_day(item: Incoming, claim: Claim) -> bool:
    """True where note and claim bring different dates of service."""
    return bool(item.note.date_of_service and claim.day) and item.note.date_of_service != claim.day


def _as_billed(item: Incoming, claim: Claim | None) -> Incoming:
    """The note with the profile and the day of its claim: the claim tells under which rules it was made."""
    if claim is None:
        return item
    given = {"profile": claim.profile, "date_of_service": None if item.note.date_of_service else claim.day}
    return Incoming(item.where, item.note.model_copy(update={key: value for key, value in given.items() if value}))


def _write(text: str, call: Audit, say: Callable[[str], object]) -> None:
    if call.out == STANDARD_OUTPUT:
        say(text)
        return
    inputs = [*call.inputs, *([str(call.claims)] if call.claims else [])]
    with open_sink(call.out, inputs) as stream:
        stream.write(text.encode("utf-8", errors="replace") + b"\n")
    say(f"{printable(call.out)}: written")
