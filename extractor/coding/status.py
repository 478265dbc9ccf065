"""The verdict on the whole note, and the coverage warnings that never change it."""

from __future__ import annotations

from collections.abc import Sequence

from extractor.coding.counting import Level
from extractor.coding.facet import FacetCoding
from extractor.coding.ladder import BELOW_JUNCTION, JUNCTION, is_upper
from extractor.coding.lines import Line, Query
from extractor.coding.profiles import Profile
from extractor.records import Procedure
from extractor.schema import Status

_EPIDURAL = frozenset({"transforaminal", "interlaminar", "caudal"})


def decide(lines: Sequence[Line], queries: Sequence[Query]) -> Status:
    """coded when lines stand and no question is open; anything else that was performed is for a person to decide."""
    return "coded" if lines and not queries else "review"


def coverage(procedures: Sequence[Procedure], facet: FacetCoding, profile: Profile) -> list[str]:
    """The ids of the coverage warnings that apply and that the profile wants to see."""
    found = {
        "coverage_levels": any(
            _crowded(levels, profile.covered_levels) for levels in (facet.injected, facet.denervated)
        ),
        "coverage_regions": len(_regions((*facet.injected, *facet.denervated))) > 1,
        "coverage_block_and_denervation": bool(facet.injected and facet.denervated),
        "coverage_ultrasound": any(
            item.family == "facet" and item.technique == "injection" and set(item.imaging) == {"ultrasound"}
            for item in procedures
        ),
    }
    kinds = {"epidural" if item.family in _EPIDURAL else item.family for item in procedures}
    found["coverage_epidural_facet"] = {"epidural", "facet"} <= kinds
    found["coverage_several_kinds"] = len(kinds) > 1 and kinds != {"epidural", "facet"}
    return [id_ for id_ in profile.coverage if found.get(id_, False)]


def _regions(levels: Sequence[Level]) -> dict[str, set[str]]:
    """The joints by region; T12-L1 with L1-L2 is one lumbar session."""
    joints = {level.joint for level in levels}
    across = {JUNCTION, BELOW_JUNCTION} <= joints
    regions: dict[str, set[str]] = {}
    for name in joints:
        upper = is_upper(name) and not (across and name == JUNCTION)
        regions.setdefault("cervicothoracic" if upper else "lumbar", set()).add(name)
    return regions


def _crowded(levels: Sequence[Level], covered: int) -> bool:
    return any(len(joints) > covered for joints in _regions(levels).values())
