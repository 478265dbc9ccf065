"""Vertebrae, facet joints and the nerves that supply them.

Names: a vertebra is "C1".."C7", "T1".."T12", "L1".."L6", "S1".."S5"; a joint is two neighbours, "L4-L5"; a nerve has
the name of a vertebra ("L3" the L3 medial branch, "L5" the L5 dorsal ramus), and there is a cervical nerve "C8".
Rulings 2, 4 and 8 (counting) are the source of every table here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

_CERVICAL = [f"C{n}" for n in range(1, 8)]
_THORACIC = [f"T{n}" for n in range(1, 13)]
_LUMBAR = [f"L{n}" for n in range(1, 6)]
_SACRAL = [f"S{n}" for n in range(1, 6)]

SPINE: tuple[str, ...] = (*_CERVICAL, *_THORACIC, *_LUMBAR, *_SACRAL)
_POSITION = {name: index for index, name in enumerate(SPINE)}


def order(vertebra: str) -> float:
    """Position from the skull down, so that levels sort cranial to caudal; L6 lies between L5 and S1.

    >>> sorted(["S1", "L6", "L5", "C8", "T1", "C7"], key=order)
    ['C7', 'C8', 'T1', 'L5', 'L6', 'S1']
    """
    if vertebra == "L6":
        return _POSITION["L5"] + 0.5
    if vertebra == "C8":
        return _POSITION["C7"] + 0.5
    return _POSITION[vertebra]


def is_vertebra(name: str) -> bool:
    """True for C1-C7, T1-T12, L1-L6 and S1-S5."""
    return name in _POSITION or name == "L6"


def below(vertebra: str) -> str | None:
    """The next vertebra down, in a spine of five lumbar vertebrae; None below S5. L6 is followed by S1."""
    if vertebra == "L6":
        return "S1"
    index = _POSITION[vertebra] + 1
    return SPINE[index] if index < len(SPINE) else None


def above(vertebra: str) -> str | None:
    """The next vertebra up; None above C1. The one above L6 is L5."""
    if vertebra == "L6":
        return "L5"
    index = _POSITION[vertebra] - 1
    return SPINE[index] if index >= 0 else None


def adjacent(upper: str, lower: str) -> bool:
    """True when the two vertebrae form one joint (L5-L6 and L6-S1 included).

    >>> adjacent("L5", "S1"), adjacent("L5", "L6"), adjacent("L6", "S1"), adjacent("L3", "L5")
    (True, True, True, False)
    """
    return below(upper) == lower or (upper, lower) == ("L5", "L6")


def run(top: str, bottom: str) -> tuple[str, ...]:
    """All vertebrae from top to bottom, both included. Raises ValueError when bottom lies above top.

    >>> run("L3", "S1")
    ('L3', 'L4', 'L5', 'S1')
    >>> run("L5", "L6")
    ('L5', 'L6')
    """
    if order(bottom) < order(top):
        raise ValueError(f"{bottom} lies above {top}")
    if bottom == "L6":
        return (*run(top, "L5"), "L6") if top != "L6" else ("L6",)
    if top == "L6":
        return ("L6", *run("S1", bottom))
    return SPINE[_POSITION[top] : _POSITION[bottom] + 1]


def joint(upper: str, lower: str) -> str:
    """The name of the joint between two neighbours."""
    return f"{upper}-{lower}"


def joints_between(top: str, bottom: str) -> tuple[str, ...]:
    """The joints of a run of vertebrae.

    >>> joints_between("L3", "S1")
    ('L3-L4', 'L4-L5', 'L5-S1')
    >>> joints_between("L4", "L4")
    ()
    """
    names = run(top, bottom)
    return tuple(joint(a, b) for a, b in zip(names, names[1:], strict=False))


def joint_order(name: str) -> float:
    """Sort key of a joint or of a single vertebra, cranial to caudal."""
    return order(name.split("-")[0])


def region(name: str) -> str:
    """Region of a joint or vertebra: "cervical", "thoracic", "lumbar" or "sacral", by its upper vertebra.

    >>> region("C7-T1"), region("T12-L1"), region("L5-S1"), region("S1")
    ('cervical', 'thoracic', 'lumbar', 'sacral')
    """
    return {"C": "cervical", "T": "thoracic", "L": "lumbar", "S": "sacral"}[name[0]]


@lru_cache(maxsize=256)
def nerves_of_joint(name: str) -> tuple[str, ...]:
    """The two nerves that supply a joint; one for C2-C3 (the third occipital nerve); none above.

    >>> nerves_of_joint("L4-L5"), nerves_of_joint("L5-S1"), nerves_of_joint("L1-L2"), nerves_of_joint("T12-L1")
    (('L3', 'L4'), ('L4', 'L5'), ('T12', 'L1'), ('T11', 'T12'))
    >>> nerves_of_joint("C5-C6"), nerves_of_joint("C7-T1"), nerves_of_joint("C2-C3")
    (('C5', 'C6'), ('C7', 'C8'), ('TON',))
    >>> nerves_of_joint("T1-T2"), nerves_of_joint("L6-S1"), nerves_of_joint("L5-L6")
    (('C8', 'T1'), ('L5', 'L6'), ('L4', 'L5'))
    """
    upper, lower = name.split("-")
    if upper == "C7":
        return ("C7", "C8")
    if name == "C2-C3":
        return ("TON",)
    if upper[0] == "C":
        return (upper, lower) if upper not in ("C1",) else ()
    if upper == "T1":
        return ("C8", "T1")
    if upper[0] == "S":
        return ()
    higher = above(upper)
    return (higher, upper) if higher else ()


def nerve_at_bone(vertebra: str) -> str | None:
    """The nerve that lies on the transverse process (or sacral ala, "S1") of a vertebra.

    Thoracolumbar: nerve Ln lies on the process of L(n+1). Cervical: the nerve on the articular pillar has the
    pillar's own name. Below S1 there is none.

    >>> nerve_at_bone("L4"), nerve_at_bone("S1"), nerve_at_bone("L1"), nerve_at_bone("C5"), nerve_at_bone("T1")
    ('L3', 'L5', 'T12', 'C5', 'C8')
    """
    if vertebra[0] == "C":
        return vertebra
    if vertebra == "T1":
        return "C8"
    if vertebra == "S1":
        return "L5"
    if vertebra[0] == "S":
        return None
    return above(vertebra)


def joints_supplied(nerves: Iterable[str], joints: Sequence[str] = ()) -> tuple[str, ...]:
    """The joints both of whose nerves are in `nerves` (one side), cranial to caudal.

    An S1 branch adds nothing. With an L6 the caller gives the joints to consider.

    >>> joints_supplied(["L3", "L4", "L5", "S1"])
    ('L4-L5', 'L5-S1')
    >>> joints_supplied(["L1", "L2", "L4", "L5"])
    ('L2-L3', 'L5-S1')
    >>> joints_supplied(["C4", "C5", "C6"])
    ('C4-C5', 'C5-C6')
    >>> joints_supplied(["T11", "T12"]), joints_supplied(["T12", "L1"]), joints_supplied(["L3", "L5"])
    (('T12-L1',), ('L1-L2',), ())
    """
    have = set(nerves)
    candidates: Sequence[str] = joints or ([*ALL_JOINTS] if "L6" not in have else [*_SIX_LUMBAR_JOINTS])
    return tuple(name for name in candidates if (needed := nerves_of_joint(name)) and have.issuperset(needed))


ALL_JOINTS: tuple[str, ...] = tuple(joint(a, b) for a, b in zip(SPINE, SPINE[1:], strict=False) if a[0] != "S")
_SIX_LUMBAR_JOINTS: tuple[str, ...] = (*ALL_JOINTS[:-1], "L5-L6", "L6-S1")
