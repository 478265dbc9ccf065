"""The figures of an audit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from extractor.audit.models import AuditSummary, ItemCount, NoteAudit


def summary_of(notes: Sequence[NoteAudit], failed: int) -> AuditSummary:
    """Notes, lines by verdict, findings by kind, and the states of each item of the checklist."""
    verdicts = Counter(line.verdict for note in notes for line in note.lines)
    kinds = Counter(finding.kind for note in notes for finding in note.findings)
    labels = {item.id: item.label for note in notes for item in note.checklist}
    states = Counter((item.id, item.state) for note in notes for item in note.checklist)
    return AuditSummary(
        notes=len(notes),
        failed=failed,
        claims=sum(note.claimed for note in notes),
        lines=sum(verdicts.values()),
        supported=verdicts["supported"],
        overcoded=verdicts["overcoded"],
        unsupported=verdicts["unsupported"],
        needs_answer=verdicts["needs_answer"],
        not_judged=verdicts["not_judged"],
        undercoded=sum(len(note.undercoded) for note in notes),
        findings=dict(sorted(kinds.items())),
        items=[
            ItemCount(
                id=id_,
                label=label,
                met=states[id_, "met"],
                not_met=states[id_, "not_met"],
                not_stated=states[id_, "not_stated"],
                not_applicable=states[id_, "not_applicable"],
            )
            for id_, label in labels.items()
        ],
    )
