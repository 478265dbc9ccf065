"""Which family each level statement belongs to, where a session has several."""

from __future__ import annotations

from collections.abc import Sequence

from extractor.assembly.families import FAMILY_OF, Session
from extractor.assembly.neighbours import sacral_nerves
from extractor.assembly.statements import Statement
from extractor.mentions import Reading
from extractor.records import Family


def families_of(session: Session, statements: Sequence[Statement], reading: Reading) -> tuple[Family, ...]:
    """The session's families, with the nerves of the sacroiliac joint told from facet nerves (ruling: 64451 is one
    code)."""
    families = list(session.families)
    if sacral_nerves(statements) and {"facet", "sacroiliac_joint"} & set(families):
        families.append("sacral_lateral_branch")
    if {"sacral_lateral_branch", "sacroiliac_joint"} <= set(families) and not _joint_injected_too(session, reading):
        families.remove("sacroiliac_joint")
    if session.technique in {"thermal_rf", "pulsed_rf"} and "sacroiliac_joint" in families:
        families[families.index("sacroiliac_joint")] = "sacral_lateral_branch"
    return tuple(dict.fromkeys(families))


def _joint_injected_too(session: Session, reading: Reading) -> bool:
    """True when the sacroiliac joint itself was injected beside its nerves, not only named as what they supply."""
    if any(
        a.family == "sacroiliac_joint"
        and a.zone == "body"
        and reading.sentences[a.hit.sentence].cues >= {"needlework", "performed"}
        for a in session.anchors
    ):
        return True
    titled = {a.family for a in session.anchors if a.zone == "title"}
    return (
        "sacroiliac_joint" in titled
        and "sacral_lateral_branch" not in titled
        and "joint" in {a.family for a in session.anchors}
    )


_OWN: dict[str, set[str]] = {
    "facet": {"joint", "nerve", "bone"},
    "sacral_lateral_branch": {"sacral", "nerve", "bone"},
    "transforaminal": {"foramen"},
    "interlaminar": {"interspace"},
}


def statements_of(family: Family, session: Session, statements: Sequence[Statement]) -> list[Statement]:
    """The statements that belong to one family: by their own noun, else by the target named nearest."""
    families = set(session.families)
    result = []
    for s in statements:
        if len(families) == 1 and family in families:
            if (
                family not in {"transforaminal", "interlaminar"}
                or s.kind not in {"joint", "nerve", "bone"}
                or s.zone == "title"
            ):
                result.append(s)
            continue
        owner = _owner(s, session, families)
        if owner == family or (family == "sacral_lateral_branch" and s.kind == "sacral"):
            result.append(s)
        elif family == "sacral_lateral_branch" and "sacral_lateral_branch" not in families:
            result.append(s)
    return result


def _owner(statement: Statement, session: Session, families: set[Family]) -> str:
    for family in families:
        if statement.kind in _OWN.get(family, set()) and statement.kind in {
            "joint",
            "nerve",
            "bone",
            "foramen",
            "interspace",
        }:
            if family == "facet" or statement.kind not in _OWN.get("facet", set()) or "facet" not in families:
                return family
    named = [(a.hit, owner) for a in session.anchors if (owner := _family_of(a.hit.value, families))]
    same = [(hit, owner) for hit, owner in named if hit.sentence == statement.sentence]
    before = [(hit, owner) for hit, owner in same if hit.start < statement.mention.start]
    if same:
        return (before[-1] if before else same[0])[1]
    earlier = [owner for hit, owner in named if hit.start < statement.mention.start and owner in families]
    return earlier[-1] if earlier else ""


def _family_of(value: str, families: set[Family]) -> str:
    """The family that a target names; the epidural space is that of the epidural of the session."""
    if value == "epidural_space":
        return next((family for family in ("interlaminar", "transforaminal", "caudal") if family in families), "")
    return FAMILY_OF.get(value, "")
