"""The row models of patterns/audit.toml, checklist.toml and checklist_phrases.csv, and their loading."""

from __future__ import annotations

from datetime import date
from typing import get_args

from pydantic import field_validator

from extractor.audit.models import FindingKind
from extractor.patterns import PatternFolder, Row

_OTHER_REASONS = frozenset({"third_level_units", "supported", "needs_answer", "overcoded", "unsupported", "not_judged"})
_FILLED = {name: "" for name in ("codes", "levels", "billed", "sides", "nerves", "query", "covered")}


class AuditModifiers(Row):
    """Modifiers beyond those of profiles.toml."""

    stopped: frozenset[str]
    distinct: frozenset[str]
    never_add_on: frozenset[str]


class AuditTable(Row):
    """patterns/audit.toml"""

    source: str
    date: date
    no_payer: frozenset[str]
    imaging_codes: tuple[str, ...]
    questions: dict[str, FindingKind]
    modifiers: AuditModifiers
    reasons: dict[str, str]

    @field_validator("reasons")
    @classmethod
    def _all_there(cls, reasons: dict[str, str]) -> dict[str, str]:
        wanted = {*get_args(FindingKind), *_OTHER_REASONS}
        if reasons.keys() != wanted:
            raise ValueError(f"reasons are missing or unknown: {', '.join(sorted(wanted ^ reasons.keys()))}")
        for name, text in reasons.items():
            try:
                text.format_map(_FILLED)
            except (KeyError, ValueError, IndexError, AttributeError):
                raise ValueError(f"{name}: a placeholder that is not known") from None
        return reasons

    @classmethod
    def load(cls, folder: PatternFolder) -> AuditTable:
        """Raises PatternError when the table is wrong."""
        return folder.toml("audit.toml", cls)

    def reason(self, name: str, **values: object) -> str:
        """The sentence of a finding or verdict with its placeholders filled in."""
        return self.reasons[name].format_map(_FILLED | values)
