"""What was read, as spans with a label: the entity layer of a result.

Boundaries follow the annotation guideline (corpus/GUIDELINE.md): a side takes "on the" and "side" with it, an unbroken
list of nerves is one span, "intra-articular" is a target of its own beside "facet joint injection".
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import replace

from extractor.assembly.procedures import Assembled
from extractor.entity_table import EntityTable, Found, Taken
from extractor.entity_words import OwnWords
from extractor.mentions import LevelHit
from extractor.patterns import PatternFolder

__all__ = ["EntityReader", "Found"]

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
_BARE = frozenset({"", "level"})
_TOLD = frozenset({"title", "body", "neutral", "impression", "addendum", "planned", "plan"})
_UNMARKED = frozenset({"intent", "region", "caudal_word"})
_NO_TARGET = frozenset({"needling", "peripheral"})
_TARGET_NOUNS = frozenset({"medial_branch", "dorsal_ramus"})
_TAKEN = frozenset({"taken"})
_NEGATED = frozenset({"negated"})
_GENERIC = frozenset({"steroid"})
_AIM = 48  # characters before a side in which the words of turning are looked for
_RUN = 40  # characters between two levels of one list in which its noun is carried on
_BEFORE = 64  # characters before levels in which the act that they stand for is looked for
_LOOK = 12  # characters before a side in which "on the" is looked for


class EntityReader:
    """Built once from the table; `read` is a pure function of what was assembled."""

    def __init__(self, patterns: PatternFolder) -> None:
        self._x = patterns.toml("entities.toml", EntityTable)

    def read(self, assembled: Assembled) -> list[Found]:
        """All entities in order of the text."""
        targets = list(self._targets(assembled))
        taken = Taken((item.start, item.end) for item in targets)
        agents = [a for a in self._agents(assembled) if not (a.value in _GENERIC and taken.meets(a.start, a.end))]
        nouns = [noun for noun in self._nouns(assembled) if not taken.meets(noun.start, noun.end)]
        read = [
            *self._levels(assembled),
            *self._sides(assembled),
            *self._imaging(assembled),
            *targets,
            *nouns,
            *agents,
        ]
        found = [*read, *(self._whole(item, assembled) for item in OwnWords(self._x, assembled.reading, read).found())]
        found = [item for item in found if item.label != "Target" or self._aims(assembled.reading.text, item)]
        return sorted(found, key=lambda item: (item.start, item.end, item.label))

    def _aims(self, text: str, target: Found) -> bool:
        """False for words that only tell where contrast went or what hurt: "epidural spread", "SI tests"."""
        if self._x.no_act.match(text, target.start):
            return False
        return target.value != "epidural" or not self._x.no_act_before.search(
            text, max(0, target.start - _LOOK), target.start
        )

    def _whole(self, item: Found, assembled: Assembled) -> Found:
        """A side that only the table knows, with the words about it."""
        if item.label != "Side":
            return item
        start, end = self._side_bounds(assembled.reading.text, item.start, item.end)
        return replace(item, start=start, end=end)

    def _levels(self, assembled: Assembled) -> Iterator[Found]:
        text = assembled.reading.text
        blocked = _nerves_named(assembled)
        last: Found | None = None
        for level in assembled.reading.levels:
            mention = level.mention
            value = ", ".join(item.name for item in mention.items)
            attributes = {"noun": mention.noun} if mention.noun else {}
            label = self._level_label(level, last, assembled)
            if label == "Level" and mention.noun in _BARE and blocked.issuperset(item.name for item in mention.items):
                told = assembled.reading.sentences[level.sentence].zone in _TOLD
                landmark = self._x.landmark_before.search(text, max(0, mention.start - _RUN), mention.start)
                label = "Nerve" if told and not landmark else label
            item = Found(mention.start, mention.end, label, value, level.cues, level.boxed, attributes)
            if last and last.label == label == "Nerve" and self._x.list_gap.fullmatch(text, last.end, item.start):
                last = replace(last, end=item.end, value=f"{last.value}, {value}")  # "L3, L4 and L5 dorsal ramus"
                continue
            if last:
                yield last
            last = item
        if last:
            yield last

    def _level_label(self, level: LevelHit, last: Found | None, assembled: Assembled) -> str:
        """What a list of levels names: by its noun, by what assembly took it for, by the words around it."""
        text, mention = assembled.reading.text, level.mention
        pairs = any(item.joined == "pair" for item in mention.items) or _chained([item.name for item in mention.items])
        if self._x.bone_before_nerve.match(text, mention.end) and not pairs:
            return "BoneSite"  # "at L4 (left L3 medial branch)"
        if not pairs and self._x.nerve_of.search(text, max(0, mention.start - _RUN), mention.start):
            return "Nerve"  # "the medial branch of L4 on the transverse process"
        bare = mention.noun in _BARE
        if bare and not pairs and self._x.bone_before.search(text, max(0, mention.start - _BEFORE), mention.start):
            return "BoneSite"  # "at the waist of C three"
        if bare and last and last.label == "Nerve" and self._x.nerve_at_bone.fullmatch(text, last.end, mention.start):
            return "BoneSite"  # "the L3 medial branch at L4"
        taken = assembled.kinds.get(mention.start, "") if bare else ""
        label = _NOUN_LABEL.get(mention.noun) or _KIND_LABEL.get(taken, "Level")
        if pairs:  # "L4-5 and L5-S1 medial branch blocks" names joints
            return "Level" if label == "Nerve" and mention.noun != "third_occipital_nerve" else label
        if label == "Level" and bare:
            return self._bare_label(text, mention.start, mention.end, last)
        return label

    def _bare_label(self, text: str, start: int, end: int, last: Found | None) -> str:
        """What vertebrae without a noun name: by the act beside them, or as the list goes on."""
        window = max(0, start - _BEFORE)
        if self._x.nerve_behind.match(text, end) or self._x.nerve_before.search(text, window, start):
            return "Nerve"
        if self._x.bone_before.search(text, window, start):
            return "BoneSite"
        if last and last.label in {"Nerve", "BoneSite"} and 0 <= start - last.end <= _RUN:
            run = self._x.nerve_run if last.label == "Nerve" else self._x.bone_run
            if run.fullmatch(text, last.end, start):
                return last.label
        return "Level"

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
        reading = assembled.reading
        text = reading.text
        starts = sorted({*(level.start for level in reading.levels), *(target.start for target in reading.targets)})
        last: Found | None = None
        for side in reading.sides:
            if not text[side.start : side.end].strip(" )]|"):
                continue  # a tick of a grid stands at a blank
            place = bisect_left(starts, side.end)
            named = place < len(starts) and starts[place] <= side.end + 2  # "turned to the left L5-S1 joint"
            aimed = not named and self._x.aimed.search(text, max(0, side.start - _AIM), side.start)
            if aimed or self._x.body_part.match(text, side.end) or self._x.no_side.match(text, side.start):
                continue
            start, end = self._side_bounds(text, side.start, side.end)
            if last and self._x.more_than.fullmatch(text, last.end, max(last.end, start)):
                last = replace(last, end=end, value="bilateral")  # "right more than left"
                continue
            if last:
                yield last
            last = Found(start, end, "Side", side.value, side.cues, side.boxed)
        if last:
            yield last

    def _imaging(self, assembled: Assembled) -> Iterator[Found]:
        text = assembled.reading.text
        last: Found | None = None
        for image in assembled.reading.imaging:
            start, end = image.start, image.end
            if image.value == "none" and (bare := self._x.bare_modality.search(text, start, end)):
                value = str(bare.lastgroup)
                start, end = bare.span(value)  # "no fluoroscopy": said, and denied
                image = replace(image, value=value, cues=_NEGATED)
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
        if tail := self._x.side_tail.search(text, start, end):
            end = tail.start()
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
            if label == "Target" and (tail := self._x.target_tail.search(text, start, end)):
                end = tail.start()
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
                if self._x.entered_only.fullmatch(text, entered.end(), item.end):
                    last = None
                    continue
                item = replace(item, start=entered.end())
            last = item
        if last:
            yield last

    def _agents(self, assembled: Assembled) -> Iterator[Found]:
        text = assembled.reading.text
        roles = {(agent.start, agent.end): agent for agent in assembled.agents}
        for hit in assembled.reading.agents:
            if self._x.no_agent.match(text, hit.start):
                continue
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


def _nerves_named(assembled: Assembled) -> frozenset[str]:
    """The vertebrae that name nerves somewhere in the note, and none where it treats joints by name: in such a note
    they name nerves without a noun, too ("... was injected at L3 and again at L5")."""
    names: set[str] = set()
    for level in assembled.reading.levels:
        nerve = _NOUN_LABEL.get(level.mention.noun) == "Nerve" or assembled.kinds.get(level.start) == "nerve"
        if nerve:
            names.update(item.name for item in level.mention.items if not item.joined and item.name[0] != "S")
    return frozenset(names)


def _chained(names: list[str]) -> bool:
    """True for joints spoken as a list: "l four five and l five s one" is L4, L5, L5, S1."""
    return (
        len(names) > 2 and len(names) % 2 == 0 and all(a == b for a, b in zip(names[1::2], names[2::2], strict=False))
    )
