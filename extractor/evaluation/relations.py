"""Which mentions of one sentence belong together: the relations of the annotation guideline, by nearness.

This is a proposal for annotators and a baseline for the relation scores. The coder itself does not read it: it builds
procedures from the sentences (`extractor.assembly`).
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence

from extractor.evaluation.records import Entity, Relation

_BREAK = re.compile(r"(?<=[.!?])\s+|;|\n[^\S\n]*\n|\n(?=[^\S\n]*(?:[-*•\[(]|\d{1,2}[.)]|[^\n:]{1,40}:))")
_FAR = 160  # characters; raw dictation has no sentence ends
_LEVELS = frozenset({"Level", "Nerve", "BoneSite"})


def relations(text: str, entities: Sequence[Entity]) -> tuple[Relation, ...]:
    """level-side, level-target and agent-site among what was performed, in order of the text (R1, R2, ...).

    A level takes the nearest side and the nearest target of its sentence, an injectate the nearest level, or the
    nearest target where its sentence names no level. The gap is counted between the ends of the two spans.
    """
    found: list[tuple[str, str, str]] = []
    for group in _sentences(text, entities):
        levels = [entity for entity in group if entity.label in _LEVELS]
        sides = [entity for entity in group if entity.label == "Side"]
        targets = [entity for entity in group if entity.label == "Target"]
        for entity in group:
            if entity.label in _LEVELS:
                found += _link("level-side", entity, sides)
            if entity.label in {"Level", "Nerve"}:
                found += _link("level-target", entity, targets)
            if entity.label == "Agent" and entity.attributes.get("role") == "injectate":
                found += _link("agent-site", entity, levels or targets)
    return tuple(Relation(f"R{number}", *link) for number, link in enumerate(found, 1))


def _sentences(text: str, entities: Sequence[Entity]) -> Iterator[list[Entity]]:
    ends = [match.end() for match in _BREAK.finditer(text)]
    groups: dict[int, list[Entity]] = defaultdict(list)
    for entity in sorted(entities, key=lambda entity: (entity.start, entity.end)):
        if entity.attributes.get("assertion") == "performed":
            groups[bisect_right(ends, entity.start)].append(entity)
    yield from groups.values()


def _link(label: str, head: Entity, tails: Sequence[Entity]) -> Iterator[tuple[str, str, str]]:
    at = bisect_right(tails, head.start, key=lambda tail: tail.start)
    near = min(tails[max(0, at - 1) : at + 1], key=lambda tail: _gap(head, tail), default=None)
    if near is not None and _gap(head, near) <= _FAR:
        yield label, head.id, near.id


def _gap(one: Entity, other: Entity) -> int:
    return max(one.start, other.start) - min(one.end, other.end)
