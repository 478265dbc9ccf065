"""The checklist of one note: each item met, not met, not stated, or not applicable. Silence is never "not met"."""

from __future__ import annotations

from collections.abc import Sequence

from extractor.audit.facts import READERS, WHOLE, Facts
from extractor.audit.models import CheckedItem, ItemState
from extractor.audit.reading import Found, PhraseReader
from extractor.audit.rows import AuditTable, ChecklistRows, ItemRow
from extractor.audit.shelf import Shelf
from extractor.coding.codebook import CodeBook
from extractor.errors import PatternError
from extractor.patterns import PatternFolder
from extractor.schema import CodingResult, Evidence, ProcedureOut

_MOST_QUOTES = 4
_NOT_APPLICABLE = "This does not apply to what was done."


class Checklist:
    """Built once from the patterns; `check` is a pure function of the text and its result."""

    def __init__(self, folder: PatternFolder, table: AuditTable) -> None:
        self.rows = ChecklistRows.load(folder)
        for name, item in self.rows.table.items.items():
            if item.fact and item.fact not in READERS:
                raise PatternError(f"checklist.toml: {name}: no reader {item.fact!r}")
        self._table = table
        self._reader = PhraseReader(folder, self.rows)

    def check(self, text: str, result: CodingResult, book: CodeBook) -> list[CheckedItem]:
        """All items, in the order of the table."""
        heard = self._reader.hear(text)
        phrases = self._reader.read(heard) if result.procedures else {}
        shelf = Shelf(book, self._table)
        checked = []
        for name, item in self.rows.table.items.items():
            procedures = _applying(item, result.procedures)
            found: Sequence[Found] = phrases.get(name, [])
            if not procedures or not _occasion(item, procedures, found):
                checked.append(_checked(name, item, "not_applicable", ()))
                continue
            if item.fact:
                found = READERS[item.fact](Facts(result, procedures, heard, book, shelf), found)
            state, evidence, lacking = _state(item, found)
            checked.append(_checked(name, item, state, evidence, lacking))
        return checked


def _applying(item: ItemRow, procedures: Sequence[ProcedureOut]) -> tuple[ProcedureOut, ...]:
    """The procedures of a note that an item is about."""
    return tuple(
        procedure
        for procedure in procedures
        if (not item.families or procedure.family in item.families)
        and (not item.techniques or procedure.technique in item.techniques)
        and (not item.intents or procedure.intent in item.intents)
    )


def _occasion(item: ItemRow, procedures: Sequence[ProcedureOut], found: Sequence[Found]) -> bool:
    """Whether the note gives an occasion for the item: a second block, for the relief of the first."""
    if item.when is None or any(procedure.technique not in item.when.techniques for procedure in procedures):
        return True
    return any(one.part == item.when.part for one in found)


def _state(item: ItemRow, found: Sequence[Found]) -> tuple[ItemState, tuple[Evidence, ...], list[str]]:
    """The state, the words that show it, and the parts that are lacking where it is not stated."""
    whole = [one for one in found if one.part == WHOLE]
    if whole:
        return whole[0].shows, _quotes(whole), []
    excused = [one for one in found if item.unless and one.part == item.unless and one.shows == "met"]
    if excused:
        return "met", _quotes(excused), []
    shown: dict[str, str] = {}
    for part in item.parts:
        states = {one.shows for one in found if one.part == part}
        if states:
            shown[part] = next(iter(states)) if len(states) == 1 else item.prefers
    against = [one for one in found if shown.get(one.part) == "not_met" == one.shows]
    if against:
        return "not_met", _quotes(against), []
    lacking = [words for part, words in item.parts.items() if part not in shown]
    told = [one for one in found if shown.get(one.part) == "met" == one.shows]
    if item.parts and not lacking:
        return "met", _quotes(told), []
    return "not_stated", _quotes(told), lacking if len(lacking) < len(item.parts) else []


def _quotes(found: Sequence[Found]) -> tuple[Evidence, ...]:
    """The first words for each part, in the order of the note; words within others are left out."""
    quotes = sorted({(words.start, -words.end, one.part): words for one in found for words in one.evidence}.items())
    kept: list[Evidence] = []
    parts: dict[str, int] = {}
    furthest = -1  # all that are kept begin no later
    for (_, _, part), words in quotes:
        if words.end > furthest and (part == WHOLE or parts.get(part, 0) < _MOST_QUOTES // 2):
            parts[part] = parts.get(part, 0) + 1
            kept.append(words)
            furthest = words.end
    return tuple(kept[:_MOST_QUOTES])


def _checked(
    name: str, item: ItemRow, state: ItemState, evidence: Sequence[Evidence], lacking: Sequence[str] = ()
) -> CheckedItem:
    reasons = {
        "met": item.met,
        "not_met": item.not_met,
        "not_stated": item.not_stated + (f" Lacking: {', '.join(lacking)}." if lacking else ""),
        "not_applicable": _NOT_APPLICABLE,
    }
    return CheckedItem(
        id=name,
        label=item.label,
        severity=item.severity,
        state=state,
        reason=reasons[state],
        source=item.source,
        evidence=list(evidence),
    )
