"""How many joints, nerves, sides and places a session treated: what "at each" multiplies by.

A count is None where the procedures do not settle it; then the dose is asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from extractor.anatomy import nerves_of_joint
from extractor.records import Procedure, SidedSite

SITE = "site"  # a place where the needle went

Counts = Mapping[str, int | None]


def counts(procedures: Sequence[Procedure]) -> Counts:
    """The number of each kind of place, by the nouns of patterns/doses.csv.

    >>> from extractor.records import SidedSite
    >>> joints = (SidedSite("L4-L5", "bilateral"), SidedSite("L5-S1", "left"))
    >>> counts([Procedure("facet", targets=("facet_joint",), joints=joints)])
    {'joint': 3, 'site': 3, 'level': None, 'side': 2}
    """
    each = [_counts(procedure) for procedure in procedures if not procedure.discontinued]
    if len(each) == 1:
        return each[0]
    merged: dict[str, int | None] = {}
    for found in each:
        for noun, number in found.items():
            merged[noun] = None if noun in merged else number
    sites = [found.get(SITE) for found in each]
    known = [number for number in sites if number is not None]
    return {**merged, SITE: sum(known) if each and len(known) == len(sites) else None}


def _counts(procedure: Procedure) -> dict[str, int | None]:
    joints, nerves = _sided(procedure.joints), _sided(procedure.nerves)
    sides = {side for _, side in (*joints, *nerves)}
    one_side = len(sides) == 1
    if procedure.family == "facet":
        by_nerve = bool(nerves) or "medial_branch" in procedure.targets
        if by_nerve and joints and "facet_joint" in procedure.targets:
            return {"joint": len(joints), "nerve": len(nerves) or None, SITE: None, "side": len(sides)}
        if by_nerve:
            branches = nerves or {(nerve, side) for name, side in joints for nerve in nerves_of_joint(name)}
            return {"nerve": len(branches), SITE: len(branches), "joint": len(joints) or None, "side": len(sides)}
        level = len(joints) if one_side else None  # on both sides "each level" may be one needle or two
        return {"joint": len(joints), SITE: len(joints), "level": level, "side": len(sides)}
    if procedure.family == "transforaminal":
        level = len(joints) if one_side else None
        return {"foramen": len(joints), "nerve": len(joints), SITE: len(joints), "level": level, "side": len(sides)}
    if procedure.family in ("interlaminar", "caudal"):
        number = max(1, len({name for name, _ in joints}))
        return {SITE: number, "level": number}
    if procedure.family == "sacroiliac_joint":
        number = 2 if procedure.side == "bilateral" else 1
        return {SITE: number, "joint": number, "side": number}
    if procedure.family == "sacral_lateral_branch":
        return {SITE: len(nerves) or None, "nerve": len(nerves) or None, "side": len(sides) or None}
    return {SITE: None, "muscle": procedure.muscles}


def _sided(sites: Iterable[SidedSite]) -> set[tuple[str, str]]:
    """Each place once a side; a side that is not told is one side."""
    both = ("left", "right")
    return {(site.site, side) for site in sites for side in (both if site.side == "bilateral" else (site.side,))}
