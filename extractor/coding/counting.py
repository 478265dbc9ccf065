"""From sided joints and nerves to the facet levels of one session (rulings 1 to 4, 6 and 8).

A level is a joint. Per side, a joint counts when it was treated itself or when both its nerves were; the sides are then
united. Nothing here knows a code.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from extractor import anatomy
from extractor.records import Side, SidedSite, Span

_SIDES: tuple[Side, ...] = ("left", "right")
_SIX_LUMBAR = (*(name for name in anatomy.ALL_JOINTS if name != "L5-S1"), "L5-L6", "L6-S1")
# The third occipital nerve alone supplies C2-C3, but notes also count it the plain cervical way: branches C2 and C3.
_PLAIN_C2_C3 = frozenset({"C2", "C3"})
_UNLISTED_UPPER = frozenset({"C0-C1", "C1-C2"})


@dataclass(frozen=True, slots=True)
class Level:
    """One counted joint: its side, whether it was treated itself, and the treated nerves that supply it."""

    joint: str
    side: Side
    itself: bool = True
    nerves: tuple[str, ...] = ()
    evidence: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Count:
    """The levels (bilateral first, then cranial to caudal) and the nerves that complete no joint."""

    levels: tuple[Level, ...] = ()
    leftovers: tuple[SidedSite, ...] = ()
    lone: bool = False  # on some side a single nerve was treated, and nothing else


def union(first: Side, second: Side) -> Side:
    """Both sides taken together.

    >>> union("left", "right"), union("unspecified", "left"), union("bilateral", "right")
    ('bilateral', 'left', 'bilateral')
    """
    if first == second or second == "unspecified":
        return first
    return second if first == "unspecified" else "bilateral"


def minus(side: Side, other: Side) -> Side | None:
    """What is left of a side without the other; a side that is not told may be any.

    >>> minus("bilateral", "left"), minus("left", "right"), minus("left", "unspecified")
    ('right', 'left', None)
    """
    if "unspecified" in (side, other) or other in (side, "bilateral"):
        return None
    if side == "bilateral":
        return "left" if other == "right" else "right"
    return side


def site_order(name: str) -> tuple[float, str]:
    """Sort key of a joint, nerve or foramen, cranial to caudal; the third occipital nerve beside C2-C3.

    >>> sorted(["L5-S1", "C0-C1", "T12-L1", "S1"], key=site_order)
    ['C0-C1', 'T12-L1', 'L5-S1', 'S1']
    """
    if name == "TON":
        return anatomy.order("C2") + 0.5, name
    upper = name.partition("-")[0]
    known = anatomy.is_vertebra(upper) or upper == "C8"
    return (anatomy.order(upper) if known else -1.0), name


def is_joint(name: str) -> bool:
    """True for two neighbouring vertebrae, and for the joint between the skull and C1.

    >>> is_joint("L4-L5"), is_joint("L6-S1"), is_joint("L3-S1"), is_joint("L4")
    (True, True, False, False)
    """
    upper, _, lower = name.partition("-")
    if name in _UNLISTED_UPPER:
        return True
    return anatomy.is_vertebra(upper) and anatomy.is_vertebra(lower) and anatomy.adjacent(upper, lower)


def has_no_own_code(joint: str) -> bool:
    """The two uppermost joints are no facet joints in the sense of the code families."""
    return joint in _UNLISTED_UPPER


def supplies(nerve: str, joint: str) -> bool:
    """True when the nerve is one of the two of the joint."""
    if joint == "C2-C3" and nerve in _PLAIN_C2_C3:
        return True
    return not has_no_own_code(joint) and nerve in anatomy.nerves_of_joint(joint)


def completed(nerves: Iterable[str], six_lumbar: bool = False) -> set[str]:
    """The joints both of whose nerves are there (one side).

    >>> sorted(completed(["L3", "L4", "L5", "S1"]))
    ['L4-L5', 'L5-S1']
    >>> sorted(completed(["C2", "C3"])), sorted(completed(["L4", "L5"], six_lumbar=True))
    (['C2-C3'], ['L5-L6'])
    """
    have = set(nerves)
    joints = set(anatomy.joints_supplied(have, _SIX_LUMBAR if six_lumbar else anatomy.ALL_JOINTS))
    return joints | {"C2-C3"} if have >= _PLAIN_C2_C3 else joints


def countable(nerves: set[str], company: bool = False) -> set[str]:
    """The nerves without the sacral branches, which add nothing beside other nerves or a treated joint.

    >>> sorted(countable({"L4", "L5", "S1"})), sorted(countable({"S1"})), sorted(countable({"S1"}, company=True))
    (['L4', 'L5'], ['S1'], [])
    """
    spinal = {name for name in nerves if not name.startswith("S")}
    return spinal if spinal or company else set(nerves)


def count(joints: Sequence[SidedSite], nerves: Sequence[SidedSite]) -> Count:
    """The levels of all joints and nerves of one kind of service in a session.

    >>> nerves = [SidedSite(name, "right") for name in ("L3", "L4", "L5", "S1")]
    >>> [(level.joint, level.side) for level in count([], nerves).levels]
    [('L4-L5', 'right'), ('L5-S1', 'right')]
    >>> count([], [SidedSite("L3", "left"), SidedSite("L5", "left")]).levels
    ()
    """
    six = any("L6" in site.site for site in (*joints, *nerves))
    entered = {side: _on(joints, side) for side in _SIDES}
    blocked = {side: _on(nerves, side) for side in _SIDES}
    done = {side: entered[side] | completed(blocked[side], six) for side in _SIDES}
    sided = done["left"] | done["right"]
    # A nerve or joint whose side is not told joins whatever it completes; what is told elsewhere wins.
    told = blocked["left"] | blocked["right"]
    untold = {site.site for site in nerves if site.side == "unspecified"} - told
    open_joints = {site.site for site in joints if site.side == "unspecified"}
    open_joints |= {name for name in completed(untold | told, six) if any(supplies(nerve, name) for nerve in untold)}
    open_joints -= sided

    levels = []
    for name in sided | open_joints:
        side: Side = "unspecified"
        for which in _SIDES:
            if name in done[which]:
                side = union(side, which)
        levels.append(_level(name, side, joints, nerves))
    levels.sort(key=_bilateral_first)

    leftovers: list[SidedSite] = []
    lone = False
    for where, names in (*blocked.items(), ("unspecified", untold)):
        here = (sided if where == "unspecified" else done[where]) | open_joints
        own = countable(names, company=bool(here))
        left = [name for name in own if not any(supplies(name, joint) for joint in here)]
        leftovers += [SidedSite(name, where) for name in left]
        lone |= len(left) == len(own) == 1
    evidence = _evidence_of(nerves)
    return Count(
        levels=tuple(levels),
        leftovers=tuple(
            replace(site, evidence=evidence.get(site.site, ()))
            for site in sorted(leftovers, key=lambda site: (site_order(site.site), site.side))
        ),
        lone=lone,
    )


def without(counted: Count, taken: Sequence[Level]) -> Count:
    """The count less the joints (and the nerves of joints) that another service of the session took on the same side.

    >>> both = Count(levels=(Level("L4-L5", "bilateral"), Level("L5-S1", "left")))
    >>> [(level.joint, level.side) for level in without(both, [Level("L4-L5", "left")]).levels]
    [('L4-L5', 'right'), ('L5-S1', 'left')]
    """
    levels = []
    for level in counted.levels:
        side: Side | None = level.side
        for other in taken:
            if other.joint == level.joint and side is not None:
                side = minus(side, other.side)
        if side is not None:
            levels.append(replace(level, side=side))
    leftovers = tuple(
        site
        for site in counted.leftovers
        if not any(supplies(site.site, other.joint) and minus(site.side, other.side) is None for other in taken)
    )
    return replace(
        counted,
        levels=tuple(sorted(levels, key=_bilateral_first)),
        leftovers=leftovers,
        lone=counted.lone and bool(leftovers),
    )


def _bilateral_first(level: Level) -> tuple[bool, tuple[float, str]]:
    return level.side != "bilateral", site_order(level.joint)


def _on(sites: Sequence[SidedSite], side: Side) -> set[str]:
    return {site.site for site in sites if site.side in (side, "bilateral")}


def _evidence_of(sites: Sequence[SidedSite]) -> Mapping[str, tuple[Span, ...]]:
    found: dict[str, tuple[Span, ...]] = {}
    for site in sites:
        found[site.site] = (*found.get(site.site, ()), *site.evidence)
    return found


def _level(name: str, side: Side, joints: Sequence[SidedSite], nerves: Sequence[SidedSite]) -> Level:
    own = [site for site in joints if site.site == name]
    feeding = [site for site in nerves if "-" in name and supplies(site.site, name)]
    return Level(
        joint=name,
        side=side,
        itself=bool(own),
        nerves=tuple(sorted({site.site for site in feeding}, key=site_order)),
        evidence=tuple(span for site in (*own, *feeding) for span in site.evidence),
    )
