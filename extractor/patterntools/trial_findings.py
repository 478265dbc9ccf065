"""What `facetcode patterns try` tells: plain records, one for each thing that was read or left out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from extractor.patterntools.origin import Origin
from extractor.schema import CodingResult


@dataclass(frozen=True, slots=True)
class Finding:
    """A stretch of the note as given (`text == note[start:end]`), what was read there, and by which rows.

    `zone` is what the facts of its sentence are worth ("body" and "title" are read as done). `why` says what decided,
    or why it was left out.
    """

    start: int
    end: int
    text: str
    label: str
    value: str
    rows: tuple[Origin, ...] = ()
    section: str = ""
    zone: str = ""
    why: str = ""

    def as_json(self) -> dict[str, Any]:
        """Plain data, without the fields that are empty."""
        told = {name: getattr(self, name) for name in ("start", "end", "text", "label", "value")}
        told |= {name: value for name in ("section", "zone", "why") if (value := getattr(self, name))}
        rows = [
            {"file": row.file, "row": row.row, "key": row.key, "overlay": row.overlay, "name": str(row)}
            for row in self.rows
        ]
        return told | ({"rows": rows} if rows else {})


Findings = tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Trial:
    """One note on its way through the rooms, front to back, and its result. Offsets are of the text as given."""

    result: CodingResult
    heard: Findings = ()  # spoken marks, misspellings and words by their sound; value: what was read instead
    sections: Findings = ()  # headers; value: kind of section
    sentences: Findings = ()  # value: zone
    matches: Findings = ()  # targets, imaging, sides, muscles
    levels: Findings = ()
    drugs: Findings = ()  # value: generic name; why: role
    cues: Findings = ()  # value: category
    assertion: Findings = ()  # value: performed, planned, historical, negated, hypothetical
    discarded: Findings = ()
    unread: Findings = ()  # words that no row matches
    note: str = field(default="")  # why the whole note tells of no procedure, where it does not

    def groups(self) -> dict[str, Findings]:
        """The groups by name, in the order of the rooms."""
        names = ("heard", "sections", "sentences", "matches", "levels", "drugs", "cues", "assertion", "discarded")
        return {name: getattr(self, name) for name in (*names, "unread")}
