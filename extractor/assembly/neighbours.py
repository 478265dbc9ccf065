"""The neighbours of the facet family: foramina, interspaces, sacral nerves, sides of joints without levels, muscles."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from extractor import anatomy
from extractor.assembly.families import FAMILY_OF, Session
from extractor.assembly.sides import Sided
from extractor.assembly.sites import SiteSet
from extractor.assembly.statements import Statement
from extractor.mentions import Reading
from extractor.records import Family, Flag, Side, Span
from extractor.rows import MuscleRow, alternation

_SIDE: dict[str, Side] = {"left": "left", "right": "right", "bilateral": "bilateral"}


def foramina(statements: Sequence[Statement], title_side: str, body_side: str) -> tuple[SiteSet, tuple[Flag, ...]]:
    """Foramina as joint names ("L4-L5"); a root named alone stands for the foramen below its vertebra, S1 for
    itself."""
    title = _foramina([s for s in statements if s.zone == "title" and not s.denied])
    body = _foramina([s for s in statements if s.zone in {"body", "neutral"} and not s.denied])
    denied = _foramina([s for s in statements if s.denied])
    field = _foramina(
        [s for s in statements if s.zone == "laterality" and not s.denied]
    )  # "Location: left L4-5 foramen"
    chosen = (body or title or field).without(denied)
    flags: tuple[Flag, ...] = ()
    if title and body and title.names != body.names:
        if body.names < title.names:
            chosen = title.without(denied)
        else:
            flags = (Flag("level_conflict", tuple(sp for found in body.spans.values() for sp in found)),)
    if (
        title
        and body
        and title.sides
        and body.sides
        and len(title.sides | body.sides) > 1
        and title.sides.isdisjoint(body.sides)
    ):
        flags += (Flag("side_conflict", tuple(sp for found in body.spans.values() for sp in found)),)
    return chosen.filled(title, title_side or body_side), flags


def _foramina(statements: Sequence[Statement]) -> SiteSet:
    sites = SiteSet()
    for s in statements:
        evidence = [Span(s.mention.start, s.mention.end)] + ([Span(*s.source)] if s.source else [])
        for item in s.mention.items:
            if item.joined:
                for name in anatomy.joints_between(item.top, item.bottom):
                    sites.add(name, s.side, evidence)
    paired = bool(sites)
    beside = {s.source for s in statements if any(item.joined for item in s.mention.items)}
    for s in statements:
        evidence = [Span(s.mention.start, s.mention.end)] + ([Span(*s.source)] if s.source else [])
        for item in s.mention.items:
            if item.joined or (paired and item.top != "S1"):
                continue
            if item.top[0] == "S":
                own_side = s.source is not None and s.source not in beside  # "right L5-S1 and right S1"
                apart = s.kind in {"sacral", "interspace"} or not paired or "L5-S1" not in sites.names or own_side
                if item.top == "S1" and s.kind in {"foramen", "sacral", "nerve", "bare", "interspace"} and apart:
                    sites.add("S1", s.side, evidence)
            elif s.kind in {"foramen", "bare", "nerve", "interspace"}:
                lower = anatomy.below(item.top)
                upper = anatomy.above(item.top)
                if item.top[0] == "C" and upper:
                    sites.add(anatomy.joint(upper, item.top), s.side, evidence)
                elif lower:
                    sites.add(anatomy.joint(item.top, lower), s.side, evidence)
    return sites


def interspaces(statements: Sequence[Statement]) -> tuple[SiteSet, tuple[Flag, ...]]:
    """The interspace of an interlaminar epidural: the body's, else the title's."""
    views = []
    for zones in ({"body", "neutral"}, {"title"}, {"impression", "planned", "laterality"}):
        sites = SiteSet()
        for s in statements:
            if s.zone in zones and not s.denied and s.kind in {"interspace", "bare"}:
                for item in s.mention.items:
                    if item.joined == "pair":
                        sites.add(anatomy.joint(item.top, item.bottom), "", [Span(s.mention.start, s.mention.end)])
        views.append(sites)
    body, title, other = views
    flags: tuple[Flag, ...] = ()
    if body and title and body.names.isdisjoint(title.names):
        flags = (Flag("level_conflict", tuple(sp for found in body.spans.values() for sp in found)),)
    if title and len(body.names) > len(title.names) and title.names <= body.names:
        body = title
    return body or title or other, flags


def sacral_nerves(statements: Sequence[Statement]) -> bool:
    """True when two or more of the S1-S3 branches were treated: the nerves of the sacroiliac joint."""
    names = {
        v
        for s in statements
        if not s.denied and s.kind in {"nerve", "sacral", "bare", "bone"} and s.zone in {"title", "body", "neutral"}
        for v in s.vertebrae
        if v in {"S1", "S2", "S3"} and s.kind != "bone" and (s.kind != "bare" or not s.joints)
    }
    return len(names & {"S2", "S3"}) >= 1 and len(names) >= 2


_DASHES = re.compile(r"[ \t]*(?:\|[ \t]*-+[ \t]*)+(?:\||$)", re.MULTILINE)
_THEN = re.compile(r"(?:and )?then (?:on |to )?(?:the )?(?:left|right)\b", re.IGNORECASE)


def said_side(
    family: Family, session: Session, sided: Sided, reading: Reading, title_side: str, body_side: str
) -> Side:
    """The side of a procedure without levels: the side in the sentences that name it, else that of title or body."""
    anchors = [a for a in session.anchors if FAMILY_OF.get(a.hit.value) == family]
    left_out = {s.index for s in reading.sentences if "untreated_side" in s.cues and "needlework" not in s.cues}
    anchors = [a for a in anchors if a.hit.sentence not in left_out] or anchors
    for zones in ({"title"}, {"body", "neutral", "impression"}):
        values = []
        for anchor in anchors:
            index = anchor.hit.sentence
            if anchor.zone not in zones:
                continue
            near = [
                h
                for h in reading.sides
                if h.sentence == index and h.value in {"left", "right", "bilateral"} and h.boxed != "unchecked"
            ]
            if {h.value for h in near if h.boxed == "checked"} == {"left", "right"}:
                return "bilateral"  # "Right [x]  Left [x]"
            if near:
                closest = min(
                    near,
                    key=lambda h: (
                        abs(h.start - anchor.hit.start)
                        if h.start <= anchor.hit.start
                        else 12 + h.start - anchor.hit.end
                    ),
                )
                values.append(closest.value)
        if "bilateral" in values or {"left", "right"} <= set(values):
            return "bilateral"
        if values:
            found = values[0]
            begun = min(anchor.hit.start for anchor in anchors)
            later = [copy for copy in sided.copies if not copy.weak and copy.at > begun]
            if any(copy.side not in (found, "") for copy in later) and zones != {"title"}:
                return "bilateral"
            again = [a.hit.sentence for a in anchors if "repeat" in reading.sentences[a.hit.sentence].cues]
            if (
                again
                and zones != {"title"}
                and any({hit.value, found} == {"left", "right"} and hit.sentence < again[0] for hit in sided.body_sides)
            ):
                return "bilateral"  # "... the right joint. ... repeated on the left sacroiliac joint"
            return _SIDE[found]
    if any(copy.side == "other" and not copy.weak for copy in sided.copies):
        return "bilateral"
    told = {hit.sentence: hit.value for hit in sided.body_sides}
    for index, side in told.items():
        if _THEN.match(reading.text, reading.sentences[index].start) and {side, told.get(index - 1)} == {
            "left",
            "right",
        }:
            return "bilateral"  # "did the right first | then the left"
    return _SIDE.get(title_side or body_side, "unspecified")


@dataclass(frozen=True, slots=True)
class Muscles:
    """Distinct muscles that were injected (each side its own), and the words that name them."""

    number: int | None = None  # None when none is named
    evidence: tuple[Span, ...] = ()


def muscles_of(reading: Reading, rows: Sequence[MuscleRow], within: Collection[int] = ()) -> Muscles:
    """The muscles named where something was injected.

    `within` are the only sentences to look at, where given. Where the body names no muscle, those of the examination
    are the ones that were injected; so they are where it names fewer than the points that it counts.
    """
    told = _muscles(reading, rows, frozenset({"title", "body", "neutral"}), within)
    if within:
        return told
    examined = _muscles(reading, rows, _EXAMINED, within)
    counted = max(
        (int(cue.category.rpartition("_")[2]) for cue in reading.cues if cue.category.startswith("counted_sites_")),
        default=0,
    )
    counted = max(counted, _stated(reading))
    few = (told.number or 0) < counted and told.number is not None
    return examined if not told.number or (few and (examined.number or 0) > (told.number or 0)) else told


def muscle_sentences(reading: Reading, rows: Sequence[MuscleRow]) -> frozenset[int]:
    """Sentences of a session with trigger points that name a muscle and no level."""
    if not any(hit.value == "trigger_point" for hit in reading.targets):
        return frozenset()
    pattern = alternation(tuple(row.phrase for row in rows))
    leveled = {hit.sentence for hit in reading.levels}
    return frozenset(
        s.index for s in reading.sentences if s.index not in leveled and pattern.search(reading.text, s.start, s.end)
    )


_EXAMINED = frozenset({"exam", "finding", "indication", "planned"})
_STATED = re.compile(
    r"\b(two|three|four|five|six|seven|eight|[2-8]) (?:different |separate |distinct )?muscles\b", re.IGNORECASE
)
_SPARED_REACH = 60  # characters between a muscle and the words that leave it out
_LEFT_OUT = re.compile(
    r"\b(?:not|never|nor) (?:inj|treat|needl|touch|done|enter)\w*"
    r"|\bno (?:tps?|trigger points?|taut band|inj\w*|needle)\b"
    r"|\b(?:left alone|spared|skipped|deferred|omitted)\b|^\W{1,4}(?:none|nil|no)\b",
    re.IGNORECASE,
)
_AND = re.compile(r"[\s,/&+]*(?:(?:and|or|the|left|right|bilateral|l|r|both)[\s,/&+]+)*", re.IGNORECASE)
_SPARING = re.compile(
    r"\b(?:not|never|spar\w+|except|skipp\w+|(?:did not|didn't) (?:inject|treat|touch|needle)"
    r"|no trigger points? (?:in|of)) (?:(?:the|her|his|left|right|l|r) )*$",
    re.IGNORECASE,
)
_NUMBERS = ("two", "three", "four", "five", "six", "seven", "eight")


def _stated(reading: Reading) -> int:
    """The number of muscles that the note gives: "into each of the three muscles"; 0 for none."""
    told = [s for s in reading.sentences if s.zone in {"title", "body", "neutral", "planned"}]
    found = [match[1].lower() for s in told for match in _STATED.finditer(reading.text, s.start, s.end)]
    return max((int(word) if word.isdigit() else _NUMBERS.index(word) + 2 for word in found), default=0)


def _spared(text: str, named: Sequence[re.Match[str]], end: int) -> set[int]:
    """Where muscles begin of which a sentence says that they were left out: "rhomboid palpated, not injected"."""
    result: set[int] = set()
    following = end
    denied = False  # the muscle after it, for "trapezius and rhomboid were not injected"
    for match in reversed(named):
        gap = text[match.end() : min(following, match.end() + _SPARED_REACH)]
        denied = bool(_LEFT_OUT.search(gap)) or (denied and _AND.fullmatch(gap) is not None)
        if denied or _SPARING.search(text, max(0, match.start() - _SPARED_REACH), match.start()):
            result.add(match.start())
        following = match.start()
    return result


def _muscles(reading: Reading, rows: Sequence[MuscleRow], zones: frozenset[str], within: Collection[int]) -> Muscles:
    names = {row.phrase: row.muscle for row in rows}
    pattern = alternation(tuple(names))
    found: set[tuple[str, str]] = set()
    spans: list[Span] = []
    for sentence in reading.sentences:
        if sentence.zone not in zones or (within and sentence.index not in within):
            continue
        if "finding" in sentence.cues and "performed" not in sentence.cues and "finding" not in zones:
            continue
        if "unchecked" in sentence.cues and "checked" not in sentence.cues:
            continue  # a row of a list of muscles without a tick
        sides = [h for h in reading.sides if h.sentence == sentence.index and h.value in _SIDE]
        named = list(pattern.finditer(reading.text, sentence.start, sentence.end))
        spared = _spared(reading.text, named, sentence.end)
        for match in named:
            if match.start() in spared or _DASHES.match(reading.text, match.end()):
                continue  # "| rhomboid | - | - |"
            before = [h for h in sides if h.end <= match.start()]
            side = before[-1].value if before else ""
            name = names[" ".join(match.group(0).lower().split())]
            spans.append(Span(match.start(), match.end(), sentence.section))
            for each in ("left", "right") if side == "bilateral" else (side,):
                found.add((name, each))
    sided = {(name, side) for name, side in found if side}
    plain = {name for name, side in found if not side and name not in {n for n, _ in sided}}
    return Muscles(len(sided) + len(plain) or None, tuple(spans))
