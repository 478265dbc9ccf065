"""What was read, as spans with a label: the entity layer of a result.

Boundaries follow the annotation guideline (corpus/GUIDELINE.md): a side takes "on the" and "side" with it, an unbroken
list of nerves is one span, "intra-articular" is a target of its own beside "facet joint injection".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date

from extractor.assembly.procedures import Assembled
from extractor.patterns import PatternFolder, Row

_NOUN_LABEL = {
    "medial_branch": "Nerve",
    "dorsal_ramus": "Nerve",
    "nerve": "Nerve",
    "lateral_branch": "Nerve",
    "third_occipital_nerve": "Nerve",
    "transverse_process": "BoneSite",
    "superior_articular_process": "BoneSite",
    "articular_pillar": "BoneSite",
    "sacral_ala": "BoneSite",
}
_KIND_LABEL = {"nerve": "Nerve", "bone": "BoneSite"}
_UNMARKED = frozenset({"intent", "region", "caudal_word"})
_NO_TARGET = frozenset({"needling"})
_TARGET_NOUNS = frozenset({"medial_branch", "dorsal_ramus"})
_TAKEN, _FOUND = frozenset({"taken"}), frozenset({"found"})
_GENERIC = frozenset({"steroid"})
_AIM = 48  # characters before a side in which the words of turning are looked for
_LOOK = 12  # characters before a side in which "on the" is looked for


class EntityTable(Row):
    """entities.toml: expressions for the bounds of spans."""

    source: str
    date: date
    side_lead: str
    article: str
    side_word: str
    imaging_lead: str
    imaging_room: str
    imaging_tail: str
    probe_size: str
    no_imaging: str
    aimed: str
    body_part: str
    side_of_pain: str
    contrast_strength: str
    drug_tail: str
    drug_lead: str
    region_lead: str
    technique_tail: str
    no_target: str
    act: str
    gap: str
    entered: str
    list_gap: str


class _Compiled:
    """The expressions of the table, compiled."""

    def __init__(self, table: EntityTable) -> None:
        def of(pattern: str) -> re.Pattern[str]:
            return re.compile(pattern, re.IGNORECASE)

        self.side_lead = of(table.side_lead)
        self.article = of(table.article)
        self.side_word = of(table.side_word)
        self.imaging_lead = of(table.imaging_lead)
        self.imaging_room = of(table.imaging_room)
        self.imaging_tail = of(table.imaging_tail)
        self.probe_size = of(table.probe_size)
        self.no_imaging = of(table.no_imaging)
        self.aimed = of(table.aimed)
        self.body_part = of(table.body_part)
        self.side_of_pain = of(table.side_of_pain)
        self.contrast_strength = of(table.contrast_strength)
        self.drug_tail = of(table.drug_tail)
        self.drug_lead = of(table.drug_lead)
        self.region_lead = of(table.region_lead)
        self.technique_tail = of(table.technique_tail)
        self.no_target = of(table.no_target)
        self.act = of(table.act)
        self.gap = of(table.gap)
        self.entered = of(table.entered)
        self.list_gap = of(table.list_gap)


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


def _inside(item: Found, spans: list[tuple[int, int]]) -> bool:
    return any(start < item.end and item.start < end for start, end in spans)


class EntityReader:
    """Built once from the table; `read` is a pure function of what was assembled."""

    def __init__(self, patterns: PatternFolder) -> None:
        self._x = _Compiled(patterns.toml("entities.toml", EntityTable))

    def read(self, assembled: Assembled) -> list[Found]:
        """All entities in order of the text."""
        targets = list(self._targets(assembled))
        spans = [(item.start, item.end) for item in targets]
        agents = [a for a in self._agents(assembled) if not (a.value in _GENERIC and _inside(a, spans))]
        nouns = [noun for noun in self._nouns(assembled) if not _inside(noun, spans)]
        found = [
            *self._levels(assembled),
            *self._sides(assembled),
            *self._imaging(assembled),
            *targets,
            *nouns,
            *agents,
        ]
        return sorted(found, key=lambda item: (item.start, item.end, item.label))

    def _levels(self, assembled: Assembled) -> Iterator[Found]:
        text = assembled.reading.text
        last: Found | None = None
        for level in assembled.reading.levels:
            mention = level.mention
            value = ", ".join(
                item.top if item.top == item.bottom else f"{item.top}-{item.bottom}" for item in mention.items
            )
            attributes = {"noun": mention.noun} if mention.noun else {}
            taken = assembled.kinds.get(mention.start, "") if mention.noun in {"", "level"} else ""
            label = _NOUN_LABEL.get(mention.noun) or _KIND_LABEL.get(taken, "Level")
            if (
                label == "Nerve"
                and mention.noun != "third_occipital_nerve"
                and any(item.joined == "pair" for item in mention.items)
            ):
                label = "Level"  # "L4-5 and L5-S1 medial branch blocks" names joints
            item = Found(mention.start, mention.end, label, value, level.cues, level.boxed, attributes)
            if last and last.label == label == "Nerve" and self._x.list_gap.fullmatch(text, last.end, item.start):
                last = replace(last, end=item.end, value=f"{last.value}, {value}")  # "L3, L4 and L5 dorsal ramus"
                continue
            if last:
                yield last
            last = item
        if last:
            yield last

    def _nouns(self, assembled: Assembled) -> Iterator[Found]:
        """The nouns that levels qualify, where no target phrase holds them ("L5 DR")."""
        text = assembled.reading.text
        for level in assembled.reading.levels:
            mention = level.mention
            if mention.noun in _TARGET_NOUNS and mention.noun_start < mention.noun_end:
                if text[mention.noun_start : mention.noun_end].strip():
                    yield Found(
                        mention.noun_start, mention.noun_end, "Target", "medial_branch", level.cues, level.boxed
                    )

    def _sides(self, assembled: Assembled) -> Iterator[Found]:
        text = assembled.reading.text
        reading = assembled.reading
        starts = [*(level.start for level in reading.levels), *(target.start for target in reading.targets)]
        for side in assembled.reading.sides:
            if not text[side.start : side.end].strip(" )]|"):
                continue  # a tick of a grid stands at a blank
            named = any(side.end <= start <= side.end + 2 for start in starts)  # "turned to the left L5-S1 joint"
            aimed = not named and self._x.aimed.search(text, max(0, side.start - _AIM), side.start)
            if aimed or self._x.body_part.match(text, side.end):
                continue
            start, end = self._side_bounds(text, side.start, side.end)
            yield Found(start, end, "Side", side.value, side.cues, side.boxed)
        taken = [(side.start, side.end) for side in assembled.reading.sides]
        for match in self._x.side_of_pain.finditer(text):
            if not any(start < match.end() and match.start() < end for start, end in taken):
                start, end = self._side_bounds(text, *match.span())
                yield Found(start, end, "Side", match.group().lower(), _FOUND)

    def _imaging(self, assembled: Assembled) -> Iterator[Found]:
        text = assembled.reading.text
        last: Found | None = None
        for image in assembled.reading.imaging:
            start, end = image.start, image.end
            if image.value in {"diagnostic", "none"} or self._x.no_imaging.fullmatch(text, start, end):
                continue
            if lead := self._x.imaging_lead.match(text, start, end):
                start = lead.end()
            if room := self._x.imaging_room.search(text, start, end):
                end = room.start()
            if behind := self._x.imaging_tail.match(text, end):
                end = behind.end()
            item = Found(start, end, "Imaging", image.value, image.cues, image.boxed)
            between = (text, last.end, start) if last else None
            if (
                last
                and between
                and (start < last.end or self._x.gap.fullmatch(*between) or self._x.probe_size.fullmatch(*between))
            ):
                last = replace(last, end=max(end, last.end))
                continue
            if last:
                yield last
            last = item
        if last:
            yield last

    def _side_bounds(self, text: str, start: int, end: int) -> tuple[int, int]:
        if article := self._x.article.match(text, start, end):
            start = article.end()
        if lead := self._x.side_lead.search(text, max(0, start - _LOOK), start):
            start = lead.start()
        if behind := self._x.side_word.match(text, end):
            end = behind.end()
        return start, end

    def _targets(self, assembled: Assembled) -> Iterator[Found]:
        text = assembled.reading.text
        last: Found | None = None
        for target in assembled.reading.targets:
            kind, _, rest = target.value.partition(":")
            if kind in _UNMARKED or rest in _NO_TARGET or self._x.no_target.fullmatch(text, target.start, target.end):
                continue
            label = "Technique" if kind.endswith(("_rf", "neurolysis", "prp")) else "Target"
            start, end = target.start, target.end
            if region := self._x.region_lead.match(text, start, end):
                start = region.end()
            if label == "Technique" and (tool := self._x.technique_tail.search(text, start, end)):
                end = tool.start()
            if label == "Target" and kind != "other" and (act := self._x.act.match(text, end)):
                end = act.end()
            item = Found(start, end, label, rest or kind, target.cues, target.boxed)
            if last and last.label == label == "Technique" and self._x.gap.fullmatch(text, last.end, start):
                last = replace(last, end=end)  # "cooled RF ablation"
                continue
            if last:
                yield last
            if label == "Target" and (entered := self._x.entered.match(text, target.start, target.end)):
                yield replace(item, end=entered.end(1), value="intra_articular")
                item = replace(item, start=entered.end())
            last = item
        if last:
            yield last

    def _agents(self, assembled: Assembled) -> Iterator[Found]:
        text = assembled.reading.text
        roles = {(agent.start, agent.end): agent for agent in assembled.agents}
        for hit in assembled.reading.agents:
            agent = roles.get((hit.start, hit.end))
            role = agent.role if agent else "systemic" if hit.drug_class == "systemic" else ""
            attributes: dict[str, str] = {"role": role} if role else {}
            if agent:
                amounts = {
                    "concentration": agent.concentration,
                    "dose": agent.dose,
                    "volume": agent.volume,
                    "per": agent.per,
                }
                attributes |= {key: value for key, value in amounts.items() if value}
            start, end = hit.start, hit.end
            if free := self._x.drug_lead.match(text, start, end):
                start = free.end()
            if plain := self._x.drug_tail.search(text, start, end):
                end = plain.start()
            if hit.drug_class == "contrast" and (strength := self._x.contrast_strength.match(text, end)):
                end = strength.end()
            cues = _TAKEN if hit.drug_class == "systemic" else frozenset[str]()
            yield Found(start, end, "Agent", hit.name, cues, attributes=attributes)
