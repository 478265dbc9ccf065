"""Facet joints and their medial branches: injections, denervation, and what falls outside both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from extractor.coding import neighbours
from extractor.coding.codebook import CodeBook
from extractor.coding.codetable import Ladder
from extractor.coding.counting import (
    Count,
    Level,
    count,
    has_no_own_code,
    is_joint,
    minus,
    supplies,
    without,
)
from extractor.coding.facts import agent_asks, guided, imaging_asks, is_destruction, sided, stopped, whole_side, words
from extractor.coding.ladder import lines_of, place
from extractor.coding.lines import Ask, Line, Part, Rejected, joined, make_line
from extractor.records import Procedure, SidedSite, Span

Mode = Literal["guided", "ultrasound", "denervation", "unguided", "prp", "unlisted"]


@dataclass(frozen=True, slots=True)
class FacetCoding:
    """The facet part of the coding and the levels it counted, for the coverage warnings."""

    part: Part
    injected: tuple[Level, ...] = ()
    denervated: tuple[Level, ...] = ()


def mode_of(procedure: Procedure, book: CodeBook) -> Mode:
    """Which ladder or single code a facet procedure belongs to."""
    if procedure.technique == "prp":
        return "prp"
    if is_destruction(procedure, book):
        return "denervation"
    if procedure.technique != "injection":
        return "unlisted"
    if guided(procedure):
        return "guided"
    if "ultrasound" in procedure.imaging:
        return "ultrasound"
    if procedure.imaging:
        return "unlisted"
    return "unguided" if procedure.no_imaging and not procedure.discontinued else "guided"


def code_facet(procedures: Sequence[Procedure], book: CodeBook) -> FacetCoding:
    """All facet procedures of a session together: joints are counted over them, not one by one."""
    groups: dict[Mode, list[Procedure]] = {}
    for procedure in procedures:
        groups.setdefault(mode_of(procedure, book), []).append(procedure)
    ladders = book.table.ladders
    burnt, burnt_count = _denervation(groups.get("denervation", []), book)
    taken = burnt_count.levels
    parts = [burnt]
    injected: list[Level] = []
    pairs: tuple[tuple[Mode, Ladder], ...] = (
        ("guided", ladders.facet_guided),
        ("ultrasound", ladders.facet_ultrasound),
    )
    for mode, ladder in pairs:
        part, counted = _injections(groups.get(mode, []), ladder, taken, book)
        parts.append(part)
        injected += counted.levels
    parts += [
        _unguided(groups.get("unguided", []), taken, book),
        _prp(groups.get("prp", []), book),
        _unlisted(groups.get("unlisted", []), book),
    ]
    return FacetCoding(joined(parts), tuple(injected), taken)


def _counted(procedures: Sequence[Procedure]) -> tuple[Count, list[Ask]]:
    """The count over all sites that are joints or nerves, and what is wrong with the others."""
    joints: list[SidedSite] = []
    nerves: list[SidedSite] = []
    asks: list[Ask] = []
    for procedure in procedures:
        for site in sided(procedure.joints, procedure):
            if is_joint(site.site):
                joints.append(site)
            else:
                asks.append(Ask("ambiguous_level", (site.site,), site.evidence))
        nerves += sided(procedure.nerves, procedure)
        if not procedure.joints and not procedure.nerves:
            asks.append(Ask("missing_level", (), procedure.evidence))
            if procedure.side == "unspecified":
                asks.append(Ask("missing_side", (), procedure.evidence))
    return count(joints, nerves), asks


def _laddered(
    counted: Count, procedures: Sequence[Procedure], ladder: Ladder, book: CodeBook
) -> tuple[tuple[Line, ...], list[Ask], list[Rejected]]:
    """Lines of the counted joints, with the doubts that the count itself raises."""
    proper = [level for level in counted.levels if not has_no_own_code(level.joint)]
    uppermost = [level for level in counted.levels if has_no_own_code(level.joint)]
    placed = place(proper, ladder)
    intents = {procedure.intent for procedure in procedures}
    diagnostic = "diagnostic" in intents and "therapeutic" not in intents

    def evidence(level: Level) -> tuple[Span, ...]:
        return (*level.evidence, *(span for item in procedures if _treats(item, level) for span in words(item, False)))

    halted = stopped(procedures)
    lines = lines_of(placed, ladder, book, evidence, diagnostic, halted)
    asks: list[Ask] = []
    for level in uppermost:
        lines += (make_line(book, book.table.single.unlisted, level.side, evidence=evidence(level), stopped=halted),)
        asks.append(Ask("unlisted_technique", (level.joint,), level.evidence))
    if placed.mixed:
        asks.append(Ask("region_mix", tuple(level.joint for level in proper), _words_of(proper)))
    sacral = [level for level in proper if level.joint.startswith("S")]
    if sacral:
        asks.append(Ask("transitional_anatomy", tuple(level.joint for level in sacral), _words_of(sacral)))
    if counted.leftovers:
        sites = tuple(dict.fromkeys(site.site for site in counted.leftovers))
        spans = tuple(span for site in counted.leftovers for span in site.evidence)
        asks += [Ask("single_nerve", sites, spans)] if counted.lone else []
        asks.append(Ask("incomplete_joint", sites, spans))
    return lines, asks, neighbours.of_counting(proper, placed, ladder, book)


def _denervation(procedures: Sequence[Procedure], book: CodeBook) -> tuple[Part, Count]:
    counted, asks = _counted(procedures)
    lines, doubts, rejected = _laddered(counted, procedures, book.table.ladders.facet_denervation, book)
    for procedure in procedures:
        asks += imaging_asks(procedure)
        if procedure.technique == "chemical_neurolysis":
            asks.append(Ask("unlisted_technique", (), words(procedure, False)))
    return Part(lines, (*asks, *doubts), tuple(rejected)), counted


def _injections(
    procedures: Sequence[Procedure], ladder: Ladder, taken: Sequence[Level], book: CodeBook
) -> tuple[Part, Count]:
    kept, dropped = _apart_from(procedures, taken, book, ladder)
    whole, asks = _counted(kept)
    counted = without(whole, taken)
    lines, doubts, rejected = _laddered(counted, kept, ladder, book)
    dropped = dropped or _shared(whole, counted, ladder, book)
    for procedure in kept:
        asks += imaging_asks(procedure, others_fit=True)
    asks += agent_asks(kept)
    guided_ladder, seen = book.table.ladders.facet_guided, book.table.ladders.facet_ultrasound
    joints = [level.joint for level in counted.levels if not has_no_own_code(level.joint)]
    if ladder is seen:
        why = book.reason("ultrasound-has-own-codes")
        rejected += [Rejected(code, why) for code in neighbours.firsts(guided_ladder, joints)]
    elif any("ultrasound" in procedure.imaging for procedure in kept):
        why = book.reason("fluoroscopy-governs")
        rejected += [Rejected(code, why) for code in neighbours.firsts(seen, joints)]
    return Part(lines, (*asks, *doubts), (*dropped, *rejected)), counted


def _apart_from(
    procedures: Sequence[Procedure], taken: Sequence[Level], book: CodeBook, ladder: Ladder
) -> tuple[list[Procedure], list[Rejected]]:
    """The injections that do more than the denervation of the same session, and the codes of those that do not."""
    kept = [procedure for procedure in procedures if not _inside(procedure, taken)]
    if len(kept) == len(procedures):
        return kept, []
    names = [level.joint for level in taken if not has_no_own_code(level.joint)]
    why = book.reason("denervation-includes-block", joints=", ".join(names))
    return kept, [Rejected(code, why) for code in neighbours.firsts(ladder, names)]


def _inside(procedure: Procedure, taken: Sequence[Level]) -> bool:
    """True when every site was denervated as well; a block that names no site belongs to the denervation beside it."""
    if not taken:
        return False

    def covered(site: SidedSite, nerve: bool) -> bool:
        rest = [other for other in taken if (supplies(site.site, other.joint) if nerve else other.joint == site.site)]
        side = site.side
        for other in rest:
            left = minus(side, other.side)
            if left is None:
                return True
            side = left
        return nerve and site.site.startswith("S")

    return all(covered(site, False) for site in sided(procedure.joints, procedure)) and all(
        covered(site, True) for site in sided(procedure.nerves, procedure)
    )


def _shared(whole: Count, rest: Count, ladder: Ladder, book: CodeBook) -> list[Rejected]:
    left = {(level.joint, level.side) for level in rest.levels}
    names = [level.joint for level in whole.levels if (level.joint, level.side) not in left]
    why = book.reason("denervation-includes-block", joints=", ".join(names))
    return [Rejected(code, why) for code in neighbours.firsts(ladder, [n for n in names if not has_no_own_code(n)])[:1]]


def _unguided(procedures: Sequence[Procedure], taken: Sequence[Level], book: CodeBook) -> Part:
    """Without imaging no facet code stands; trigger points are the customary candidate, for a coder to decide."""
    kept = [procedure for procedure in procedures if not _inside(procedure, taken)]
    if not kept:
        return Part()
    asks = [ask for procedure in kept for ask in imaging_asks(procedure)]
    names = [site.site for procedure in kept for site in procedure.joints if is_joint(site.site)]
    names = names or [level.joint for level in _counted(kept)[0].levels]
    why = book.reason("imaging-needed")
    codes = neighbours.firsts(book.table.ladders.facet_guided, [name for name in names if not has_no_own_code(name)])
    line = make_line(
        book,
        book.table.single.trigger_few,
        "unspecified",
        evidence=[span for item in kept for span in words(item)],
        stopped=stopped(kept),
    )
    return Part((line,), (*asks, *agent_asks(kept)), tuple(Rejected(code, why) for code in codes))


def _prp(procedures: Sequence[Procedure], book: CodeBook) -> Part:
    if not procedures:
        return Part()
    counted, _ = _counted(procedures)
    joints = [level.joint for level in counted.levels if not has_no_own_code(level.joint)]
    why = book.reason("prp-has-own-code")
    line = make_line(
        book,
        book.table.single.prp,
        whole_side(procedures),
        evidence=[span for item in procedures for span in words(item)],
        stopped=stopped(procedures),
    )
    rejected = tuple(Rejected(code, why) for code in neighbours.firsts(book.table.ladders.facet_guided, joints))
    return Part((line,), (), rejected)


def _unlisted(procedures: Sequence[Procedure], book: CodeBook) -> Part:
    if not procedures:
        return Part()
    spans = tuple(span for item in procedures for span in words(item, False))
    counted, _ = _counted(procedures)
    joints = [level.joint for level in counted.levels if not has_no_own_code(level.joint)]
    line = make_line(
        book,
        book.table.single.unlisted,
        whole_side(procedures),
        evidence=[span for item in procedures for span in words(item)],
        stopped=stopped(procedures),
    )
    rejected: list[Rejected] = []
    if any(item.technique in ("pulsed_rf", "thermal_rf") for item in procedures):
        why = book.reason("not-thermal")
        rejected = [Rejected(c, why) for c in neighbours.firsts(book.table.ladders.facet_denervation, joints)]
    return Part((line,), (Ask("unlisted_technique", (), spans), *agent_asks(procedures)), tuple(rejected))


def _treats(procedure: Procedure, level: Level) -> bool:
    return any(site.site == level.joint for site in procedure.joints) or any(
        supplies(site.site, level.joint) for site in procedure.nerves
    )


def _words_of(levels: Sequence[Level]) -> tuple[Span, ...]:
    return tuple(span for level in levels for span in level.evidence)
