"""Fewer joints read than the note counts, or a joint named only by its place: what was not read is asked, never
left out.

"Three joints were entered" against two joints read, or "L5-S1 together with its neighbor above" against L5-S1 alone.
"""

from __future__ import annotations

from extractor import anatomy
from extractor.assembly.facet import Facets
from extractor.assembly.sites import joints_of
from extractor.mentions import Cue, Reading, Sentence
from extractor.records import Flag, Span

_ZONES = frozenset({"title", "body", "neutral", "impression"})
_OTHER_DAY = frozenset({"historical", "planned", "negated", "teaching", "finding", "numbering"})
_JOINTS, _NERVES = "counted_joints_", "counted_nerves_"


def doubts(reading: Reading, found: Facets) -> tuple[Flag, ...]:
    """Flags for stated counts above what was read (level_conflict) and for unread neighbours (ambiguous_level)."""
    if any(flag.query in {"level_conflict", "ambiguous_level"} for flag in found.flags):
        return ()
    joints = joints_of(found.joints, found.nerves)
    if not joints:
        return ()
    most_joints = sum(2 if side == "bilateral" else 1 for side in joints.values())
    most_nerves = sum(2 if found.nerves.side_of(name) == "bilateral" else 1 for name in found.nerves.names)
    flags: list[Flag] = []
    for cue in reading.cues:
        if not cue.category.startswith(("counted_", "relative")) or not _tells(reading.sentences[cue.sentence]):
            continue
        if cue.category == "relative":
            if _neighbour_missing(reading, cue, set(joints)):
                flags.append(Flag("ambiguous_level", (Span(cue.start, cue.end),)))
        elif int(cue.category[-1]) > (
            max(most_joints, most_nerves) if cue.category.startswith(_JOINTS) else most_nerves or 9
        ):
            flags.append(Flag("level_conflict", (Span(cue.start, cue.end),)))
    return tuple(flags[:1])


def _tells(sentence: Sentence) -> bool:
    return sentence.zone in _ZONES and not sentence.cues & _OTHER_DAY


def _neighbour_missing(reading: Reading, cue: Cue, joints: set[str]) -> bool:
    """True when a sentence with one joint speaks of the next one and no neighbour of that joint was read."""
    sentence = reading.sentences[cue.sentence]
    if not sentence.cues & {"performed", "needlework"}:
        return False
    pairs = [
        item
        for hit in reading.levels
        if hit.sentence == cue.sentence
        for item in hit.mention.items
        if item.joined == "pair"
    ]
    if len(pairs) != 1:
        return False
    above, below = anatomy.above(pairs[0].top), anatomy.below(pairs[0].bottom)
    near = {anatomy.joint(above, pairs[0].top)} if above else set()
    near |= {anatomy.joint(pairs[0].bottom, below)} if below else set()
    return not near & joints
