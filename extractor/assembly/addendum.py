"""A correcting addendum governs the body (ruling 7)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from extractor.assembly.sides import Sided
from extractor.levels import as_joints
from extractor.mentions import Reading
from extractor.records import Procedure, Side


def corrected_by_addendum(reading: Reading, sided: Sided, procedures: list[Procedure]) -> list[Procedure]:
    """A correcting addendum governs the body: its side replaces the side, its levels the levels (ruling 7)."""
    notes = [s for s in reading.sentences if s.zone == "addendum"]
    if not notes:
        return procedures
    spared = {hit.sentence for hit in reading.sides if "negated_side" in hit.cues}
    spoken = {s.index: s.cues for s in notes if "negated" not in s.cues or s.index in spared}
    telling = {index for index, cues in spoken.items() if "performed" in cues}
    if not telling and any(s.cues & {"correction", "amended"} for s in notes):
        telling = set(spoken)
    said = [hit for hit in reading.sides if hit.sentence in telling and "negated_side" not in hit.cues]
    values = {hit.value for hit in said if hit.value in {"left", "right", "bilateral"}}
    levels = [lv for lv in sided.levels if lv.zone == "addendum" and lv.side and "negated" not in lv.hit.cues]
    sides = {level.side for level in levels} or values
    side = next(iter(sides)) if len(sides) == 1 else ""
    if not side:
        return procedures
    named = {joint for level in levels for joint in as_joints(level.hit.mention)}
    return [_resided(p, side, named) for p in procedures]  # type: ignore[arg-type]


def _resided(procedure: Procedure, side: Side, named: Collection[str]) -> Procedure:
    """With the side of the addendum; where that names joints, and others stay beside them, at these alone."""
    joints = {site.site for site in procedure.joints}
    those = joints & set(named) or joints
    return replace(
        procedure,
        side=side if procedure.side != "unspecified" else procedure.side,
        joints=tuple(replace(site, side=side) if site.site in those else site for site in procedure.joints),
        nerves=tuple(replace(site, side=side) for site in procedure.nerves),
        flags=tuple(flag for flag in procedure.flags if flag.query != "side_conflict"),
    )
