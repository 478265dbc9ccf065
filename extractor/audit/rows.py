"""The row models of patterns/audit.toml, checklist.toml and checklist_phrases.csv, and their loading."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal, get_args

from pydantic import Field, field_validator

from extractor.audit.models import FindingKind, Severity
from extractor.errors import PatternError
from extractor.patterns import PatternFolder, PhraseRow, Row
from extractor.rows import SECTION_KINDS

OWN_PARTS = frozenset({"mention", "volume"})  # parts that a reader of facts weighs

_VERDICTS = frozenset({"supported", "needs_answer", "overcoded", "unsupported", "not_judged"})
_OTHER_REASONS = _VERDICTS | {"third_level_units", "other_number", "other_claims"}
_FILLED = dict.fromkeys(("codes", "levels", "billed", "sides", "nerves", "query", "covered"), "")


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


class Denials(Row):
    """Words that deny a phrase, and words that make it a plan. "_" stands for a blank, as in phrases."""

    near: tuple[str, ...]
    far: tuple[str, ...]
    behind: tuple[str, ...]
    answers: tuple[str, ...]
    stops: tuple[str, ...]
    unsaid: tuple[str, ...]
    silent: frozenset[str]


class When(Row):
    """A part that must be found in a note of these techniques for an item to apply."""

    part: str
    techniques: frozenset[str]


class ItemRow(Row):
    """One item of the checklist."""

    label: str
    families: frozenset[str] = frozenset()
    techniques: frozenset[str] = frozenset()
    intents: frozenset[str] = frozenset()
    severity: Severity
    source: str
    fact: str = ""
    parts: dict[str, str] = Field(default_factory=dict)
    unless: str = ""
    when: When | None = None
    prefers: Literal["met", "not_met"] = "met"
    met: str
    not_met: str
    not_stated: str


class ChecklistTable(Row):
    """patterns/checklist.toml"""

    source: str
    date: date
    denials: Denials
    numbers: dict[str, int]
    items: dict[str, ItemRow]


class ChecklistPhrase(PhraseRow):
    """checklist_phrases.csv: what a phrase shows of a part of an item, and what it shows where it is denied.

    With `least` the first number of the phrase decides: at least so much shows what the row says, less shows what
    `less` says (nothing, where that is empty). `only` names the kinds of sections in which the phrase counts; none
    means all but the silent ones.
    """

    item: str
    part: str
    shows: Literal["met", "not_met"]
    denied: Literal["", "met", "not_met"] = ""
    least: int | None = None
    less: Literal["", "met", "not_met"] = ""
    only: str = ""

    @property
    def key(self) -> str:
        """A phrase may stand once for each part of an item."""
        return f"{self.item} {self.part} {self.phrase} {self.only}"


@dataclass(frozen=True)
class ChecklistRows:
    """The items with their phrases."""

    table: ChecklistTable
    phrases: tuple[ChecklistPhrase, ...]

    @classmethod
    def load(cls, folder: PatternFolder) -> ChecklistRows:
        """Raises PatternError with file and row when anything is wrong."""
        table = folder.toml("checklist.toml", ChecklistTable)
        phrases = folder.csv("checklist_phrases.csv", ChecklistPhrase, key="key")
        for row in phrases:
            item = table.items.get(row.item)
            where = f"checklist_phrases.csv: {row.phrase!r}"
            if item is None:
                raise PatternError(f"{where}: no item {row.item!r} in checklist.toml")
            if row.part not in {*item.parts, item.unless, item.when.part if item.when else "", *OWN_PARTS}:
                raise PatternError(f"{where}: item {row.item!r} has no part {row.part!r}")
            for kind in row.only.split():
                if kind not in SECTION_KINDS:
                    raise PatternError(f"{where}: no kind of section {kind!r}")
        return cls(table, phrases)
