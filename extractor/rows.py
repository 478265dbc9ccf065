"""The row models of the reading patterns (what a phrase means), and their loading."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from extractor.overlay import did_you_mean
from extractor.patterns import ExpressionText, PatternFolder, PhraseRow, Row, short

SECTION_KINDS = (
    "title",
    "planned",
    "body",
    "laterality",
    "guidance",
    "injectate",
    "skin",
    "contrast",
    "anesthesia",
    "sedation",
    "prep",
    "indication",
    "history",
    "medications",
    "allergies",
    "exam",
    "study",  # a title where it names a procedure, else an examination
    "imaging_findings",
    "diagnosis",
    "consent",
    "timeout",
    "findings",
    "impression",
    "plan",
    "discharge",
    "complications",
    "teaching",
    "addendum",
    "numbering",
    "comment",
    "admin",
)


class TargetRow(PhraseRow):
    """targets.csv: words that name a target, a technique, or a procedure out of scope ("other:...")."""

    concept: str


class ImagingRow(PhraseRow):
    """imaging.csv: words that name a modality ("diagnostic" = never guidance, "none" = said to be unguided)."""

    modality: Literal["fluoroscopy", "ct", "ultrasound", "mri", "diagnostic", "none"]


class SideRow(PhraseRow):
    """sides.csv: words that name a side; "none" marks words that only look like one, "adverb" the same unless
    words of a side lead to them ("on the left a needle"), "both" those that name the two joints of a single level."""

    side: Literal["left", "right", "bilateral", "both", "other_side", "none", "adverb"]


def _section_kind(kind: str) -> str:
    if kind not in SECTION_KINDS:
        raise ValueError(f"{short(kind)} is no kind of section{did_you_mean(kind, SECTION_KINDS)}")
    return kind


class SectionRow(PhraseRow):
    """sections.csv: headers."""

    kind: Annotated[str, AfterValidator(_section_kind)]


TOUCHED = ("target", "level", "imaging", "agent", "side")


class CueRow(PhraseRow):
    """cues.csv: what a cue says about which mentions (ConText direction), or about its whole sentence."""

    category: str
    direction: Literal["forward", "backward", "bidirectional", "terminate", "pseudo", "sentence"]
    applies_to: str = ""

    @model_validator(mode="after")
    def _typed(self) -> Self:
        """A cue of a sentence is about all of it; every other names what it may touch, or it touches nothing."""
        words = self.applies_to.split()
        for word in words:
            if word not in TOUCHED:
                raise ValueError(f"applies_to: {short(word)} is none of {', '.join(TOUCHED)}")
        if self.direction == "sentence" and words:
            raise ValueError("applies_to: a cue of its whole sentence has none")
        if self.direction != "sentence" and not words:
            raise ValueError(f"applies_to: empty, so the cue touches nothing; name some of {', '.join(TOUCHED)}")
        return self

    @property
    def key(self) -> str:
        """A phrase may stand once in each category."""
        return f"{self.phrase} ({self.category})"


class RegexCue(Row):
    """A cue that no phrase list can hold. Without a direction it reaches both ways where its category has a reach.

    The "#" of a category stands for the number that a group of the pattern finds ("counted_sites_#").
    """

    category: str
    pattern: ExpressionText
    example: str
    counter: str = ""
    direction: Literal["", "forward", "backward"] = ""


class SentenceTable(Row):
    """How sentences are cut."""

    abbreviations: frozenset[str]
    long_words: int
    longest_words: int
    starts: tuple[str, ...]
    no_start_after: frozenset[str]
    start_patterns: tuple[ExpressionText, ...]
    spoken_ends: tuple[str, ...]
    spoken_not: tuple[str, ...]


class SpokenHeaders(Row):
    """Headers without a mark, in dictation: phrase -> kind of section."""

    fewest_words: int
    most_capitals: float  # capital letters a word
    not_after: frozenset[str]
    not_before: frozenset[str]
    title_before: frozenset[str]
    body_before: frozenset[str]
    never_after: frozenset[str]
    only_before: dict[str, frozenset[str]]
    anywhere: dict[str, str]
    first: dict[str, str]
    late: dict[str, str]


class ReadingTable(Row):
    """reading.toml."""

    source: str
    date: date
    sentences: SentenceTable
    spoken_headers: SpokenHeaders
    context: dict[str, int]
    list_words: frozenset[str]
    every_words: frozenset[str]
    counts: dict[str, int]
    plain_denials: frozenset[str]
    measure_words: frozenset[str]
    under_words: frozenset[str]
    imaged_words: frozenset[str]
    reason_words: frozenset[str]
    exceptions: frozenset[str]
    resuming_words: frozenset[str]
    regex: tuple[RegexCue, ...] = Field(default=())


@dataclass(frozen=True)
class ReadingPatterns:
    """All rows that the pipeline needs, loaded once."""

    targets: tuple[TargetRow, ...]
    imaging: tuple[ImagingRow, ...]
    sides: tuple[SideRow, ...]
    sections: tuple[SectionRow, ...]
    cues: tuple[CueRow, ...]
    table: ReadingTable

    @classmethod
    def load(cls, folder: PatternFolder) -> ReadingPatterns:
        """Raises PatternError with file and row when anything is wrong."""
        return cls(
            targets=folder.csv("targets.csv", TargetRow),
            imaging=folder.csv("imaging.csv", ImagingRow),
            sides=folder.csv("sides.csv", SideRow),
            sections=folder.csv("sections.csv", SectionRow),
            cues=folder.csv("cues.csv", CueRow, key="key"),
            table=folder.toml("reading.toml", ReadingTable),
        )


@lru_cache(maxsize=16)
def alternation(phrases: tuple[str, ...]) -> re.Pattern[str]:
    """One case-insensitive pattern for whole words, longest first; blanks match any run of blanks.

    >>> alternation(("time out", "time")).findall("Time  out, then time")
    ['Time  out', 'time']
    """
    ordered = sorted(phrases, key=len, reverse=True)
    body = "|".join(r"\s+".join(map(re.escape, phrase.split())) for phrase in ordered)
    return re.compile(rf"(?<!\w)(?:{body})(?!\w)", re.IGNORECASE)


class MuscleRow(PhraseRow):
    """muscles.csv: names of muscles that take trigger point injections."""

    muscle: str


_BONES = frozenset({"transverse_process", "superior_articular_process"})


class NounRow(PhraseRow):
    """One row of patterns/level_nouns.csv. A plural in -s or -es is understood."""

    concept: str


@dataclass(frozen=True)
class AssemblyRows:
    """Rows that assembly needs."""

    muscles: tuple[MuscleRow, ...]
    bones: re.Pattern[str]  # the bone sites of medial branches, as written

    @classmethod
    def load(cls, folder: PatternFolder) -> AssemblyRows:
        """Raises PatternError with file and row when anything is wrong."""
        nouns = folder.csv("level_nouns.csv", NounRow)
        bones = tuple(row.phrase for row in nouns if row.concept in _BONES)
        return cls(muscles=folder.csv("muscles.csv", MuscleRow), bones=alternation(bones))
