"""The table of entities.toml, and the spans that it makes: what the entity layer is built from."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from itertools import accumulate
from typing import Annotated

from pydantic import BeforeValidator

from extractor.literals import Sought
from extractor.patterns import Row


def _compiled(value: object) -> re.Pattern[str]:
    if not isinstance(value, str):
        raise ValueError("not an expression")
    try:
        return re.compile(value, re.IGNORECASE)
    except re.error as error:
        raise ValueError(f"no expression: {error}") from None


Expression = Annotated[re.Pattern[str], BeforeValidator(_compiled)]


class Words(Row):
    """Words that are a span by themselves: the group "span" of the expression, or all of it."""

    label: str
    value: str = ""  # empty: the words themselves
    words: Expression
    needs: tuple[str, ...] = ()  # in small letters: where none of them stands in the text, the words do not
    cue: str = ""  # "found" or "negated" where the words say so themselves
    free: bool = False  # a side that stands whatever part of the body or turn of the tube is named beside it
    after_level: bool = False  # only right behind a level


class EntityTable(Row):
    """entities.toml: expressions for the bounds of spans."""

    source: str
    date: date
    side_lead: Expression
    article: Expression
    side_word: Expression
    more_than: Expression
    imaging_lead: Expression
    imaging_room: Expression
    imaging_tail: Expression
    probe_size: Expression
    no_imaging: Expression
    aimed: Expression
    body_part: Expression
    contrast_strength: Expression
    drug_tail: Expression
    drug_lead: Expression
    region_lead: Expression
    technique_tail: Expression
    no_target: Expression
    act: Expression
    no_act: Expression
    no_act_before: Expression
    gap: Expression
    entered: Expression
    list_gap: Expression
    no_side: Expression
    bone_before_nerve: Expression
    nerve_behind: Expression
    nerve_run: Expression
    side_tail: Expression
    no_agent: Expression
    denied: Expression
    denied_behind: Expression
    nerve_of: Expression
    nerve_before: Expression
    bone_run: Expression
    bone_before: Expression
    nerve_at_bone: Expression
    landmark_before: Expression
    entered_only: Expression
    target_tail: Expression
    box_before: Expression
    bare_modality: Expression
    word: tuple[Words, ...]

    @cached_property
    def words_by_label(self) -> dict[str, list[tuple[Words, Sought]]]:
        """The rows of each label in their order, each with its words as they are looked for."""
        rows: dict[str, list[tuple[Words, Sought]]] = {}
        for row in self.word:
            sought = Sought(row.words, (row.needs,) if row.needs else ())
            rows.setdefault(row.label, []).append((row, sought))
        return rows


@dataclass(frozen=True, slots=True)
class Found:
    """One span of the clean text; `cues` and `boxed` decide its assertion."""

    start: int
    end: int
    label: str
    value: str
    cues: frozenset[str] = frozenset()
    boxed: str = ""
    attributes: dict[str, str] = field(default_factory=dict)


class Taken:
    """Stretches of the text that are spoken for; asking is logarithmic, so that a long note stays cheap."""

    def __init__(self, spans: Iterable[tuple[int, int]]) -> None:
        ordered = sorted(spans)
        self._starts = [start for start, _ in ordered]
        self._ends = list(accumulate((end for _, end in ordered), max))

    def meets(self, start: int, end: int) -> bool:
        """True when one of the stretches overlaps this one."""
        before = bisect_left(self._starts, end)  # those that begin before this one ends
        return before > 0 and self._ends[before - 1] > start
