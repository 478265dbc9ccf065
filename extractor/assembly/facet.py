"""Facet joints and medial branches: which were treated, from title, body and addendum together.

The body governs over the title (ruling 7), a generic body leaves the title standing, a correcting addendum governs
both. Nerve names and bone sites are two views of one thing: they are merged, and when they cannot both be true the
difference becomes a query.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace

from extractor import anatomy
from extractor.assembly.sites import SiteSet, joints_of
from extractor.assembly.statements import Statement
from extractor.records import Flag, Span

_BEFORE = 2  # sentences right before the first act that still belong to it


@dataclass
class View:
    """What one zone (title, body, addendum) says about the facet family."""

    joints: SiteSet = field(default_factory=SiteSet)
    nerves: SiteSet = field(default_factory=SiteSet)
    bones: SiteSet = field(default_factory=SiteSet)
    listed: SiteSet = field(default_factory=SiteSet)  # joints that a bare list of vertebrae may mean
    bare_nerves: SiteSet = field(default_factory=SiteSet)  # vertebrae without a noun
    pairs: SiteSet = field(
        default_factory=SiteSet
    )  # "L4-5 medial branch block": one pair that may name a joint or two nerves

    def __bool__(self) -> bool:
        return any((self.joints, self.nerves, self.bones, self.listed, self.bare_nerves, self.pairs))


@dataclass
class Facets:
    """The result: joints and nerves with sides, and doubts."""

    joints: SiteSet
    nerves: SiteSet
    flags: list[Flag]
    by_joint: bool = False  # joints were entered themselves
    by_nerve: bool = False


def read(
    statements: Sequence[Statement],
    *,
    by_joint: bool,
    by_nerve: bool,
    title_side: str,
    body_side: str,
    generic_body: bool,
    each_body: bool = False,
    correcting: bool = False,
    both_spoken: bool = False,
    planned_side: str = "",
    widened: bool = False,
    begun: int = 1 << 30,
) -> Facets:
    """Resolve the statements of the family. `title_side`/`body_side` are the one side that zone speaks of ("" none
    or several); `both_spoken`: the body speaks of work on both sides; `widened`: a needle sentence without a level
    does; `begun` is the first sentence of needle work."""
    allowed = [s for s in statements if not s.denied]
    title = _view((s for s in allowed if s.zone == "title"), by_joint, by_nerve)
    told_body = [s for s in allowed if s.zone in {"body", "neutral"}]
    told_body, announced = _after_announcing(told_body, begun)
    body = _view(_firm(told_body, title, by_joint, by_nerve), by_joint, by_nerve, title.nerves.names)
    if not title and not body:
        title = _view((s for s in allowed if s.zone == "impression"), by_joint, by_nerve)
    if not title and not body:
        title = _view((s for s in allowed if s.zone == "planned"), by_joint, by_nerve)
    addendum = _view((s for s in allowed if s.zone == "addendum"), by_joint, by_nerve)
    denied = _view(
        (replace(s, side="") if s.zone == "addendum" else s for s in statements if s.denied and s.zone != "planned"),
        by_joint,
        by_nerve,
    )
    flags: list[Flag] = list(announced)
    title_flags: list[Flag] = []
    body_flags: list[Flag] = []
    named = {joint for sites in (title.joints, title.listed) for joint in sites.names}
    body_joints, body_nerves = _settle(body, title, by_joint, by_nerve, body_flags, named | title.pairs.names)
    told = set(joints_of(body_joints, body_nerves))
    title_joints, title_nerves = _settle(title, None, by_joint, by_nerve, title_flags, told)
    clear = bool(title_joints or title_nerves) and not title_flags
    if clear and set(joints_of(body_joints, body_nerves)) == set(joints_of(title_joints, title_nerves)):
        body_flags = [flag for flag in body_flags if flag.query != "ambiguous_level"]
    default = title_side or body_side or planned_side
    aside = _view((s for s in allowed if s.zone == "laterality"), by_joint, by_nerve)  # "Sides: at L4-5 both joints"
    if aside and (body_joints or body_nerves):
        body_joints = body_joints.filled(aside.joints, "")
        body_nerves = body_nerves.filled(aside.nerves, "")
    if body_joints or body_nerves:
        body_default = default
        body_joints = body_joints.filled(title_joints, body_default)
        body_nerves = body_nerves.filled(title_nerves, body_default)
    if both_spoken and (title_joints or title_nerves):
        body_joints, body_nerves = body_joints.widened(title_joints), body_nerves.widened(title_nerves)
    explicit = {side for s in allowed if s.zone in {"body", "neutral"} and (side := s.side)}
    if (
        title_side in {"left", "right"}
        and explicit
        and title_side not in explicit
        and "bilateral" not in explicit
        and (body_joints or body_nerves)
    ):
        spans = tuple(Span(*s.source) for s in allowed if s.source and s.zone in {"title", "body", "neutral"})
        flags.append(Flag("side_conflict", spans))
    elif title_side in {"left", "right"} and {"left", "right"} <= {
        s.side for s in allowed if s.zone == "body" and not s.copied
    }:
        flags.append(Flag("side_conflict", tuple(Span(*s.source) for s in allowed if s.source and s.zone == "body")))
    if widened and explicit & {"left", "right"} and len(explicit) == 1 and not title_side and not planned_side:
        spans = tuple(Span(*s.source) for s in allowed if s.source and s.zone in {"body", "neutral"})
        flags.append(Flag("side_conflict", spans))
    told_sides = {side for _, side in (*body_joints.spans, *body_nerves.spans)}
    if title_side == "bilateral" and not title and len(told_sides) == 1 and told_sides <= {"left", "right"}:
        spans = tuple(Span(*s.source) for s in allowed if s.source and s.zone in {"body", "neutral"})
        flags.append(Flag("side_conflict", spans))
    title_joints = title_joints.filled(body_joints, default)
    title_nerves = title_nerves.filled(body_nerves, default)
    body_joints, body_nerves = _without(body_joints, body_nerves, denied)
    title_left = _without(title_joints, title_nerves, denied)
    chosen = _choose(
        (title_joints, title_nerves), title_left, (body_joints, body_nerves), denied, generic_body, each_body, flags
    )
    flags += body_flags if body_joints or body_nerves else title_flags
    later_joints, later_nerves = _settle(addendum, None, by_joint, by_nerve, [], set())
    if joints_of(later_joints, later_nerves) and set(joints_of(later_joints, later_nerves)) != set(joints_of(*chosen)):
        if not correcting:
            flags.append(_flag("level_conflict", (later_joints, later_nerves), chosen))
        else:
            chosen = later_joints.filled(chosen[0], default), later_nerves.filled(chosen[1], default)
            flags = [flag for flag in flags if flag.query != "level_conflict"]
    also = (title, body, _view((s for s in allowed if s.zone in {"planned", "impression"}), by_joint, by_nerve))
    joints = chosen[0].quoting([sites for view in also for sites in (view.joints, view.listed, view.pairs)])
    nerves = chosen[1].quoting([sites for view in also for sites in (view.nerves, view.bones, view.bare_nerves)])
    return Facets(joints, nerves, flags, by_joint, by_nerve)


def _after_announcing(told: list[Statement], worked: int) -> tuple[list[Statement], tuple[Flag, ...]]:
    """The body without what was announced on the other side before its first act: that differs, and is asked."""
    begun = min((s.sentence for s in told if s.zone == "body"), default=0)
    begun = min(begun - _BEFORE, worked)
    early = [s for s in told if s.sentence < begun]
    acted = [s for s in told if s.sentence >= begun]
    before, after = {s.side for s in early if s.side}, {s.side for s in acted if s.side}
    same = {v for s in early for v in s.joints or s.nerves} & {v for s in acted for v in s.joints or s.nerves}
    if same and len(before) == 1 and len(after) == 1 and before | after == {"left", "right"}:
        spans = tuple(Span(*s.source) for s in told if s.source)
        return acted, (Flag("side_conflict", spans),)
    return told, ()


def _firm(told: Sequence[Statement], title: View, by_joint: bool, by_nerve: bool) -> Sequence[Statement]:
    """The statements of the body; where those in sentences that tell of an act agree with the title, only these.

    "The L4-5 facets are only mildly degenerated" in the middle of a body adds no joint.
    """
    firm = [s for s in told if s.zone == "body"]
    if len(firm) == len(told) or not firm or not title:
        return told
    named = _joints_named(title, by_joint, by_nerve)
    if named and _joints_named(_view(firm, by_joint, by_nerve), by_joint, by_nerve) == named:
        return firm
    return told


def _joints_named(view: View, by_joint: bool, by_nerve: bool) -> set[str]:
    return set(joints_of(*_settle(view, None, by_joint, by_nerve, [], set())))


def _view(
    statements: Iterable[Statement], by_joint: bool, by_nerve: bool, known: Collection[str] = frozenset()
) -> View:
    """What statements say together. `known`: the nerves that the title names ("to the junction of the processes for the
    right L3" means the nerve where the title names it, and not the one on the bone)."""
    view = View()
    rows = list(statements)
    bony: dict[int, set[str]] = {}
    for s in rows:
        if s.kind == "bone":
            bony.setdefault(s.sentence, set()).update(s.nerves)
    count = Counter(s.sentence for s in rows)
    for index, nerves in bony.items():
        if count[index] != 2:
            nerves.clear()  # only "L3   R   L4 SAP" tells a nerve with the bone that it lies on
    explicit = any(row.kind == "joint" and row.joints for row in rows)
    for s in rows:
        evidence = [Span(s.mention.start, s.mention.end)]
        if s.source:
            evidence.append(Span(*s.source))
        if (
            s.kind == "bone"
            and by_joint
            and not by_nerve
            and s.tight
            and s.mention.noun == "superior_articular_process"
        ):
            _put(view.joints, s.listed, s.side, evidence)  # "between the articular processes at L four five"
        elif s.kind == "bone":
            _put(view.bones, s.nerves, s.side, evidence)
        elif s.kind == "joint":
            if s.joints:
                _put(view.joints, s.joints, s.side, evidence)
            elif s.listed:
                _put(view.listed, s.listed, s.side, evidence)
        elif s.kind == "nerve":
            _nerve(view, s, evidence, rows)
        elif s.kind == "bare":
            here = bony.get(s.sentence)
            named = set(s.vertebrae) <= set(known) and not {anatomy.nerve_at_bone(v) for v in s.vertebrae} <= set(known)
            on_bone = here is not None and not named and not set(s.vertebrae) <= here
            _bare(view, s, evidence, on_bone, by_joint, by_nerve, explicit)
    return view


def _nerve(view: View, s: Statement, evidence: list[Span], rows: Sequence[Statement]) -> None:
    if s.mention.noun == "third_occipital_nerve":
        _put(view.nerves, s.nerves, s.side, evidence)
    elif s.pairs_only and len(s.mention.items) > 1:
        _put(view.joints, s.joints, s.side, evidence)
    elif s.pairs_only and s.mention.noun in {"medial_branch", "nerve"}:
        _put(view.pairs, s.joints, s.side, evidence)
    else:
        _put(view.nerves, s.vertebrae, s.side, evidence)


def _bare(
    view: View,
    s: Statement,
    evidence: list[Span],
    on_bone: bool,
    by_joint: bool,
    by_nerve: bool,
    explicit: bool,
) -> None:
    singles = not s.joints
    if by_nerve and not by_joint:
        if singles and on_bone:
            _put(view.bones, [n for v in s.vertebrae if (n := anatomy.nerve_at_bone(v))], s.side, evidence)
        elif s.pairs_only:
            _put(view.joints if len(s.mention.items) > 1 else view.pairs, s.joints, s.side, evidence)
        else:
            _put(view.bare_nerves, s.vertebrae, s.side, evidence)
    elif s.joints:
        if not (explicit and any(item.joined == "range" for item in s.mention.items)):
            _put(view.joints, s.joints, s.side, evidence)
    elif s.listed:
        _put(view.joints if s.tight else view.listed, s.listed, s.side, evidence)


def _put(sites: SiteSet, names: Iterable[str], side: str, evidence: list[Span]) -> None:
    for name in names:
        sites.add(name, side, evidence)


def _settle(
    view: View, title: View | None, by_joint: bool, by_nerve: bool, flags: list[Flag], other: set[str]
) -> tuple[SiteSet, SiteSet]:
    """Joints and nerves of one view; the pairs, bones and bare lists are read in the light of what else is said."""
    joints, nerves = SiteSet(), SiteSet()
    if by_nerve:
        nerves = _merged_nerves(view, title, flags)
        named_in_title = title is not None and bool(title.nerves or title.bones)
        if not nerves and not by_joint and not named_in_title:
            joints = view.joints
        if not nerves and view.pairs:
            joints, nerves = _pairs(view.pairs, joints, flags, other)
        if by_joint and view.joints:
            joints = view.joints
    elif view.joints:
        joints = view.joints
    elif view.pairs:
        joints = view.pairs
    elif view.listed:
        joints = view.listed
        flags.append(Flag("ambiguous_level", tuple(span for spans in view.listed.spans.values() for span in spans)))
    if by_joint and by_nerve and not joints and view.listed:
        joints = view.listed
        flags.append(Flag("ambiguous_level", tuple(span for spans in view.listed.spans.values() for span in spans)))
    return joints, nerves


def _pairs(pairs: SiteSet, joints: SiteSet, flags: list[Flag], other: set[str]) -> tuple[SiteSet, SiteSet]:
    """ "L4-5 medial branch block": the joint or two nerves. Several pairs, or the same joints told elsewhere, name
    joints; a lone pair is read as two nerves (ruling 5) and asked about.
    """
    if len(pairs.names) > 1 or pairs.names <= other:
        return pairs, SiteSet()
    nerves = SiteSet()
    if not other:
        flags.append(Flag("ambiguous_level", tuple(span for spans in pairs.spans.values() for span in spans)))
    for (pair, side), evidence in pairs.spans.items():
        for name in pair.split("-"):
            nerves.add(name, side, evidence)
    return joints, nerves


def _both_sides(nerves: SiteSet, bare: SiteSet) -> SiteSet:
    """Nerves by name with the sides that bare vertebrae add ("medial branches left, the same right L2 to L5")."""
    merged = SiteSet(dict(nerves.spans))
    for (site, side), evidence in bare.spans.items():
        if site in nerves.names and side in {"left", "right"} - nerves.sides and "bilateral" not in nerves.sides:
            merged.add(site, side, evidence)
    return merged


def _merged_nerves(view: View, title: View | None, flags: list[Flag]) -> SiteSet:
    """Nerves by name and by bone site as one set."""
    if view.nerves:
        view.nerves = _both_sides(view.nerves, view.bare_nerves)
        named, bare = view.nerves.names, view.bare_nerves.names
        if title and bare - named and named | bare == title.nerves.names:
            return view.nerves.joined(view.bare_nerves)  # "L3 ... | L4 ... | L5 (ala) ...", and the title names them
    if not view.nerves:
        named_in_title = bool(title and (title.nerves or title.bones))
        if view.bare_nerves and not named_in_title and view.bones.names < view.bare_nerves.names:
            return view.bare_nerves if not view.joints and not view.pairs else view.bones
        return view.bones
    named, bony = view.nerves.names, view.bones.names
    extra = bony - named
    if not extra or not bony:
        return view.nerves
    known = (title.nerves.names | title.bones.names) if title else set()
    beside = named == {"TON"} and len(extra) > 1  # the third occipital nerve lies on a joint, those below on pillars
    if named < bony or extra <= known or extra <= {"L5"} or beside:
        merged = SiteSet()
        for source in (view.nerves, view.bones):
            for (site, side), evidence in source.spans.items():
                merged.add(site, side, evidence)
        return merged
    flags.append(Flag("level_conflict", tuple(span for spans in view.bones.spans.values() for span in spans)))
    return view.nerves


def _without(joints: SiteSet, nerves: SiteSet, denied: View) -> tuple[SiteSet, SiteSet]:
    denied_nerves = SiteSet()
    for source in (denied.nerves, denied.bones, denied.bare_nerves):
        for (site, side), evidence in source.spans.items():
            denied_nerves.add(site, side, evidence)
    return joints.without(denied.joints), nerves.without(denied_nerves)


def _choose(
    title: tuple[SiteSet, SiteSet],
    title_left: tuple[SiteSet, SiteSet],
    body: tuple[SiteSet, SiteSet],
    denied: View,
    generic_body: bool,
    each_body: bool,
    flags: list[Flag],
) -> tuple[SiteSet, SiteSet]:
    in_body = joints_of(*body)
    if not (body[0] or body[1]):
        return title_left
    if not (title[0] or title[1]):
        return body
    if title[1].names == {"TON"} and not title[0]:
        return body  # the title names one nerve and calls the others "medial branch blocks"
    left = joints_of(*title_left)
    if set(in_body) == set(left) and _nerves_agree(title_left, body):
        if _sides_conflict(left, in_body):
            flags.append(_flag("side_conflict", title, body))
        return body
    if set(in_body) < set(left) or (not in_body and left):
        partial = _unfinished(body[1])
        speaks = (generic_body and body[0]) or ((generic_body or each_body) and partial)
        if speaks and not _opposed(left, in_body):
            return title_left
    flags.append(_flag("level_conflict", title, body))
    return body


def _opposed(title: dict[str, str], body: dict[str, str]) -> bool:
    """True when a joint stands on the left in one and on the right in the other."""
    return any({title.get(joint), side} == {"left", "right"} for joint, side in body.items())


def _unfinished(nerves: SiteSet) -> bool:
    """True when a nerve of the set completes no joint: the body names only some of the targets."""
    names = nerves.names
    used = {n for joint in anatomy.joints_supplied(names) for n in anatomy.nerves_of_joint(joint)}
    return bool(names - used - {"S1"})


def _nerves_agree(title: tuple[SiteSet, SiteSet], body: tuple[SiteSet, SiteSet]) -> bool:
    """Where no joint is complete the nerves themselves must agree."""
    if joints_of(*title) or joints_of(*body):
        return True
    return not title[1] or not body[1] or title[1].names == body[1].names


def _sides_conflict(title: dict[str, str], body: dict[str, str]) -> bool:
    return any(side and title.get(joint) and title[joint] != side for joint, side in body.items())


def _flag(query: str, title: tuple[SiteSet, SiteSet], body: tuple[SiteSet, SiteSet]) -> Flag:
    spans = [span for pair in (title, body) for sites in pair for found in sites.spans.values() for span in found]
    return Flag(query, tuple(sorted(set(spans), key=lambda s: (s.start, s.end))))
