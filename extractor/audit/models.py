"""The pydantic models of an audit, as they leave the house (`AuditReport.model_json_schema()`)."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from extractor.schema import ClaimLine, Evidence, Status, Versions

ItemState = Literal["met", "not_met", "not_stated", "not_applicable"]
Verdict = Literal["supported", "overcoded", "unsupported", "needs_answer", "not_judged"]
Severity = Literal["required", "expected", "advised"]
FindingKind = Literal[
    "bilateral_as_levels",
    "nerves_as_levels",
    "extra_level",
    "missing_level",
    "fewer_levels",
    "wrong_side",
    "missing_side",
    "diagnostic_as_therapeutic",
    "therapeutic_as_diagnostic",
    "ultrasound_as_fluoroscopy",
    "third_level",
    "imaging_not_documented",
    "imaging_billed",
    "same_day_epidural",
    "wrong_family",
    "not_performed",
    "wrong_region",
    "wrong_modifiers",
    "duplicate_line",
]


class _Out(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CheckedItem(_Out):
    """One item of the checklist. `not_stated` is silence of the note, `not_met` is what the note says itself."""

    id: str
    label: str
    severity: Severity
    state: ItemState
    reason: str
    source: str
    evidence: list[Evidence] = Field(default_factory=list)


class BilledLine(_Out):
    """One line of the claim as it was read, and what the note says of it. `place` is where it stands in the claims."""

    line: int = Field(description="Number of the line within its claim, from 1; findings point to it.")
    place: str
    code: str
    modifiers: list[str] = Field(default_factory=list)
    units: int = 1
    verdict: Verdict
    reason: str
    queries: list[str] = Field(default_factory=list, description="Ids of the open questions, for needs_answer.")


class Finding(_Out):
    """One cause of what is wrong with a claim. What only follows from it is not told again."""

    kind: FindingKind
    reason: str
    lines: list[int] = Field(default_factory=list, description="Numbers of the billed lines that it is about.")
    evidence: list[Evidence] = Field(default_factory=list)


class NoteAudit(_Out):
    """One note, its checklist, and where it has a claim, the comparison with it."""

    id: str
    status: Status
    checklist: list[CheckedItem] = Field(default_factory=list)
    claimed: bool = Field(default=False, description="Whether there is a claim for this note.")
    lines: list[BilledLine] = Field(default_factory=list)
    undercoded: list[ClaimLine] = Field(
        default_factory=list, description="Lines that the note supports and the claim lacks."
    )
    findings: list[Finding] = Field(default_factory=list)
    queries: list[str] = Field(default_factory=list, description="Ids of the note's open questions.")
    versions: Versions


class ItemCount(_Out):
    """How many notes are in each state of one item."""

    id: str
    label: str
    met: int = 0
    not_met: int = 0
    not_stated: int = 0
    not_applicable: int = 0


class AuditSummary(_Out):
    """The figures of an audit."""

    notes: int = 0
    failed: int = Field(default=0, description="Notes and rows of claims that could not be read.")
    claims: int = Field(default=0, description="Notes that have a claim.")
    lines: int = Field(default=0, description="Billed lines of those notes.")
    supported: int = 0
    overcoded: int = 0
    unsupported: int = 0
    needs_answer: int = 0
    not_judged: int = 0
    undercoded: int = 0
    findings: dict[str, int] = Field(default_factory=dict, description="Findings by kind.")
    items: list[ItemCount] = Field(default_factory=list)


class AuditReport(_Out):
    """All notes of an audit in their order, its figures, and what had no partner."""

    notes: list[NoteAudit] = Field(default_factory=list)
    claims_without_note: list[str] = Field(default_factory=list)
    notes_without_claim: list[str] = Field(default_factory=list)
    unknown_codes: list[str] = Field(default_factory=list, description="Billed codes that no code book lists.")
    summary: AuditSummary

    def to_json(self) -> str:
        """One line of JSON, the same bytes for the same audit."""
        return self.model_dump_json()
