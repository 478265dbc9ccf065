"""The pattern files as the tools know them: the model of each, the key and order of its rows, how phrases are found.

A new file of patterns is one more entry here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from extractor.agent_names import DrugName
from extractor.agent_table import AnestheticTable
from extractor.agent_view import RoleRow, words_of
from extractor.audit.rows import AuditTable, ChecklistPhrase, ChecklistTable
from extractor.coding.codebook import QueryTable, RuleTable
from extractor.coding.profiles import ProfileTable
from extractor.coding.supplytable import SupplyTable
from extractor.coding.years import YearFile
from extractor.dose_items import DoseRow
from extractor.entity_table import EntityTable
from extractor.hearing import HearingTable
from extractor.level_tokens import LevelWords, plain
from extractor.patterns import LAST_COLUMN, PhraseRow, Row
from extractor.rows import CueRow, ImagingRow, MuscleRow, NounRow, ReadingTable, SectionRow, SideRow, TargetRow

LOOKALIKES = frozenset({"none", "adverb"})  # values of rows that only keep others from matching


@dataclass(frozen=True)
class CsvFile:
    """A CSV file. `value` is the column that says what the phrase means; `lookup` is the same for phrases that are
    found in the same words. Values are free words where it is `open`; else an overlay has to use those that are
    shipped, as nothing reads another. Rows are in the order of the columns `order`. A phrase is words as they stand in
    a note where it is `plain`; else it is an expression that only its reader understands."""

    model: type[PhraseRow]
    value: str
    order: tuple[str, ...]
    lookup: Callable[[Any], str]
    key: str = "phrase"
    open: bool = False
    plain: bool = True

    @property
    def columns(self) -> tuple[str, ...]:
        """Its columns: the phrase first, example and counter-example last."""
        names = [name for name in self.model.model_fields if name not in {"phrase", "example", LAST_COLUMN}]
        return ("phrase", *names, "example", LAST_COLUMN)

    @property
    def optional(self) -> frozenset[str]:
        """Columns that need not be there."""
        return frozenset(name for name, field in self.model.model_fields.items() if not field.is_required())

    def key_of(self, row: PhraseRow) -> str:
        return str(getattr(row, self.key))

    def value_of(self, row: PhraseRow) -> str:
        return str(getattr(row, self.value))

    def place(self, row: PhraseRow) -> tuple[str, ...]:
        """Where a row stands among the others."""
        return tuple(getattr(row, name) for name in self.order)


def _small(row: PhraseRow) -> str:
    return row.phrase.lower()


def _cue(row: CueRow) -> str:
    """A cue of a whole sentence is heard beside others; of all others with one phrase only one is."""
    apart = row.direction == "sentence" or row.category == "negated_side"
    return f"{row.phrase.lower()} ({row.category if apart else 'context'})"


def _words(row: PhraseRow) -> str:
    return " ".join(words_of(row.phrase))


def _role(row: RoleRow) -> str:
    return f"{_words(row)} ({row.role}, {row.direction})"


def _checked(row: ChecklistPhrase) -> str:
    return row.key.lower()


CSV_FILES: dict[str, CsvFile] = {
    "agents.csv": CsvFile(DrugName, "name", ("name", "phrase"), _words, open=True),
    "agent_roles.csv": CsvFile(RoleRow, "role", ("role", "direction", "phrase"), _role, "key"),
    "checklist_phrases.csv": CsvFile(
        ChecklistPhrase, "shows", ("item", "part", "phrase", "only"), _checked, "key", open=True, plain=False
    ),
    "cues.csv": CsvFile(CueRow, "category", ("category", "direction", "phrase"), _cue, "key"),
    "doses.csv": CsvFile(DoseRow, "role", ("role", "phrase"), _words),
    "imaging.csv": CsvFile(ImagingRow, "modality", ("modality", "phrase"), _small),
    "level_nouns.csv": CsvFile(NounRow, "concept", ("concept", "phrase"), lambda row: plain(row.phrase)),
    "muscles.csv": CsvFile(MuscleRow, "muscle", ("muscle", "phrase"), _small, open=True),
    "sections.csv": CsvFile(SectionRow, "kind", ("kind", "phrase"), _small),
    "sides.csv": CsvFile(SideRow, "side", ("side", "phrase"), _small),
    "targets.csv": CsvFile(TargetRow, "concept", ("concept", "phrase"), _small),
}

TOML_FILES: dict[str, type[Row]] = {
    "agents.toml": AnestheticTable,
    "audit.toml": AuditTable,
    "checklist.toml": ChecklistTable,
    "entities.toml": EntityTable,
    "hearing.toml": HearingTable,
    "levels.toml": LevelWords,
    "profiles.toml": ProfileTable,
    "queries.toml": QueryTable,
    "reading.toml": ReadingTable,
    "rules.toml": RuleTable,
    "supplies.toml": SupplyTable,
}
_CODES = "codes/"

# Words of one of these pairs cannot be both: the span would have two labels, and the results would contradict.
APART = (
    ("agents.csv", "imaging.csv"),
    ("agents.csv", "level_nouns.csv"),
    ("agents.csv", "muscles.csv"),
    ("agents.csv", "sides.csv"),
    ("imaging.csv", "muscles.csv"),
    ("imaging.csv", "sides.csv"),
    ("imaging.csv", "targets.csv"),
    ("level_nouns.csv", "sides.csv"),
    ("muscles.csv", "sides.csv"),
    ("sides.csv", "targets.csv"),
)


def table_model(name: str) -> type[Row] | None:
    """The model of a TOML file; None for one that only its reader knows."""
    return YearFile if name.startswith(_CODES) else TOML_FILES.get(name)
