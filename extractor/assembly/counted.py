"""Fewer joints read than the note counts, or a joint named only by its place: what was not read is asked, never
left out.

"Three joints were entered" against two joints read, "L5-S1 together with its neighbor above" against L5-S1 alone, or
"the second level was not done".
"""

from __future__ import annotations

from collections.abc import Collection

from extractor import anatomy
from extractor.assembly.facet import Facets
from extractor.assembly.sites import joints_of
from extractor.mentions import Cue, Reading, Sentence
from extractor.records import Flag, Span

_ZONES = frozenset({"title", "body", "neutral", "impression"})
_OTHER_DAY = frozenset({"historical", "planned", "negated", "teaching", "finding", "numbering"})
_JOINTS, _SITES, _UNTREATED = "counted_joints_", "counted_sites_", "untreated_level"


def doubts(reading: Reading, found: Facets, left_out: Collection[str], alone: bool) -> tuple[Flag, ...]:
    """Flags for counts that do not fit what was read (level_conflict) and for unread neighbours (ambiguous_level).

    Joints that the note says were `left_out` account for what was counted and not done. Sites are counted only where
    the facets stand `alone`: elsewhere they may be those of another family.
    """
    if any(flag.query in {"level_conflict", "ambiguous_level"} for flag in found.flags):
        return ()
    joints = joints_of(found.joints, found.nerves)
    if not joints:
        return ()
    most_joints = sum(2 if side == "bilateral" else 1 for side in joints.values())
    most_joints += 2 * len(set(left_out) - set(joints))
    most_nerves = sum(2 if found.nerves.side_of(name) == "bilateral" else 1 for name in found.nerves.names)
    plausible = _plausible(reading, joints, found)
    flags: list[Flag] = []
    for cue in reading.cues:
        sites = cue.category.startswith(_SITES)
        if cue.category == "correction" and _corrected_with_old(reading, cue):
            flags.append(Flag("level_conflict", (Span(cue.start, cue.end),)))
            continue
        if cue.category == _UNTREATED and _leaves_one_out(reading, cue, left_out, len(joints)):
            flags.append(Flag("level_conflict", (Span(cue.start, cue.end),)))
            continue
        if not cue.category.startswith(("counted_", "relative")) or not _tells(reading.sentences[cue.sentence], sites):
            continue
        if cue.category == "relative":
            if _neighbour_missing(reading, cue, set(joints)):
                flags.append(Flag("ambiguous_level", (Span(cue.start, cue.end),)))
        elif sites:
            if alone and not left_out and _count(cue) not in plausible:
                flags.append(Flag("level_conflict", (Span(cue.start, cue.end),)))
        elif _fewer_in_title(reading, cue, len(joints)) or _count(cue) > (
            max(most_joints, most_nerves) if cue.category.startswith(_JOINTS) else most_nerves or 9
        ):
            flags.append(Flag("level_conflict", (Span(cue.start, cue.end),)))
    return tuple(flags[:1])


def _corrected_with_old(reading: Reading, cue: Cue) -> bool:
    """True for a correction that tells of another day in the same breath: "no, strike that, it was L4/5 and L5/S1, the
    L3/4 was last year". Which of them stand is asked."""
    return reading.sentences[cue.sentence].zone in _ZONES and any(
        hit.sentence == cue.sentence
        and hit.start >= cue.end
        and "historical" in hit.cues
        and len(hit.mention.items) > 1
        for hit in reading.levels
    )


def _leaves_one_out(reading: Reading, cue: Cue, left_out: Collection[str], joints: int) -> bool:
    """True for "the second level was not done" where nothing tells which of several joints that was."""
    sentence = reading.sentences[cue.sentence]
    told = sentence.zone in _ZONES | {"complications"} and not sentence.cues & {"historical", "planned"}
    return told and joints > 1 and not left_out and all(hit.sentence != cue.sentence for hit in reading.levels)


def _fewer_in_title(reading: Reading, cue: Cue, joints: int) -> bool:
    """True where a title counts fewer joints than were read ("injection of two lumbar facet joints")."""
    if not cue.category.startswith(_JOINTS) or reading.sentences[cue.sentence].zone != "title":
        return False
    counted = [other for other in reading.cues if other.sentence == cue.sentence and other.category.startswith(_JOINTS)]
    return len(counted) == 1 and _count(cue) < joints


_APART = frozenset({"S1", "TON"})  # nerves that people count apart from the medial branches


def _count(cue: Cue) -> int:
    return int(cue.category.rpartition("_")[2])


def _plausible(reading: Reading, joints: dict[str, str], found: Facets) -> set[int]:
    """The numbers that "each of the six sites" may mean: joints or nerves, of one side or of both."""
    numbers: set[int] = set()
    nerves = {name: found.nerves.side_of(name) for name in found.nerves.names}
    for sides in (
        *(() if nerves and not found.joints else (joints,)),
        nerves,
        {name: side for name, side in nerves.items() if name not in _APART},
    ):
        on_both = sum(side == "bilateral" for side in sides.values())
        left, right = (on_both + sum(side == name for side in sides.values()) for name in ("left", "right"))
        numbers |= {left, right, len(sides), len(sides) + on_both}
    beside = any(item.top == item.bottom == "S1" for hit in reading.levels for item in hit.mention.items)
    return numbers | {number + extra for number in numbers for extra in (1, 2) if beside}  # an S1 branch adds no joint


def _tells(sentence: Sentence, sites: bool) -> bool:
    """Where sites are counted nothing was left out, whatever is denied beside them ("all six: no blood")."""
    return sentence.zone in _ZONES and not sentence.cues & (_OTHER_DAY - {"negated"} if sites else _OTHER_DAY)


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
