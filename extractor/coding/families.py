"""Every family that is not a facet: sacroiliac, transforaminal, epidural, trigger points, and single codes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from extractor.coding.codebook import CodeBook
from extractor.coding.codetable import EpiduralCodes
from extractor.coding.counting import Level, count, is_joint
from extractor.coding.facts import agent_asks, guided, imaging_asks, is_destruction, sided, stopped, whole_side, words
from extractor.coding.ladder import is_upper, lines_of, place
from extractor.coding.lines import Ask, Line, Part, Rejected, make_line
from extractor.coding.neighbours import firsts
from extractor.records import Family, Procedure, Side, Span

Coder = Callable[[Sequence[Procedure], CodeBook], Part]


def code_family(family: Family, procedures: Sequence[Procedure], book: CodeBook) -> Part:
    """The part of one family (any but facet)."""
    return _CODERS[family](procedures, book)


def single_code(procedure: Procedure, book: CodeBook) -> str | None:
    """The code of a technique that has one code at any site, or none of its own."""
    single = book.table.single
    if procedure.technique == "prp":
        return single.prp
    if procedure.technique == "injection" or (_sacral(procedure) and is_destruction(procedure, book)):
        return None
    return single.unlisted


def code_single(procedures: Sequence[Procedure], book: CodeBook) -> Part:
    """Platelet-rich plasma, and techniques that no code describes at their target."""
    lines: list[Line] = []
    asks: list[Ask] = []
    for procedure in procedures:
        code = single_code(procedure, book)
        if code is None:
            continue
        lines.append(_line(book, code, [procedure], whole_side([procedure])))
        if code == book.table.single.unlisted:
            asks.append(Ask("unlisted_technique", (), words(procedure, False)))
    return Part(tuple(lines), tuple(asks))


def _sacral(procedure: Procedure) -> bool:
    # Radiofrequency "of the sacroiliac joint" is done on its nerves.
    return procedure.family in ("sacral_lateral_branch", "sacroiliac_joint")


def _line(book: CodeBook, code: str, procedures: Sequence[Procedure], side: Side, joints: tuple[str, ...] = ()) -> Line:
    spans = [span for item in procedures for span in words(item)]
    return make_line(book, code, side, joints, evidence=spans, stopped=stopped(procedures))


def _sacroiliac_joint(procedures: Sequence[Procedure], book: CodeBook) -> Part:
    burnt = [item for item in procedures if item.technique != "injection"]
    entered = [item for item in procedures if item.technique == "injection"]
    asks: list[Ask] = []
    lines: list[Line] = []
    rejected: list[Rejected] = []
    if burnt:
        part = _sacral_denervation(burnt, book)
        lines += part.lines
        asks += part.asks
    for item in entered:
        blind = item.no_imaging and not item.imaging and not item.discontinued
        unfit = bool(item.imaging) and not guided(item)
        code = book.table.single.trigger_few if blind or unfit else book.table.single.sacroiliac_joint
        lines.append(_line(book, code, [item], whole_side([item])))
        if blind or unfit:
            rejected.append(Rejected(book.table.single.sacroiliac_joint, book.reason("imaging-needed")))
        asks += imaging_asks(item)
    return Part(tuple(lines), (*asks, *agent_asks(entered)), tuple(rejected))


def _sacral_denervation(procedures: Sequence[Procedure], book: CodeBook) -> Part:
    asks: list[Ask] = []
    for item in procedures:
        asks += imaging_asks(item)
        if item.technique == "chemical_neurolysis":
            asks.append(Ask("unlisted_technique", (), words(item, False)))
    return Part((_line(book, book.table.single.sacral_denervation, procedures, whole_side(procedures)),), tuple(asks))


def _sacral_lateral_branch(procedures: Sequence[Procedure], book: CodeBook) -> Part:
    burnt = [item for item in procedures if item.technique != "injection"]
    blocked = [item for item in procedures if item.technique == "injection"]
    lines: tuple[Line, ...] = ()
    asks: list[Ask] = []
    rejected: list[Rejected] = []
    if burnt:
        part = _sacral_denervation(burnt, book)
        lines += part.lines
        asks += part.asks
    for item in blocked:
        side = whole_side([item])
        done = lines[0].side if burnt else None
        if done is not None and ("unspecified" in (side, done) or done in (side, "bilateral")):
            why = book.reason("denervation-includes-block", joints=_nerves([item]))
            rejected.append(Rejected(book.table.single.sacral_block, why))
            continue
        lines += (_line(book, book.table.single.sacral_block, [item], side),)
        asks += imaging_asks(item)
        asks += agent_asks([item])
    if any(site.site == "L5" for item in procedures for site in item.nerves):
        why = book.reason("sacral-set-is-one")
        rejected += [Rejected(code, why) for code in firsts(book.table.ladders.facet_guided, ["L5-S1"])]
    return Part(lines, tuple(asks), tuple(rejected))


def _nerves(procedures: Sequence[Procedure]) -> str:
    return ", ".join(dict.fromkeys(site.site for item in procedures for site in item.nerves))


def _transforaminal(procedures: Sequence[Procedure], book: CodeBook) -> Part:
    ladder = book.table.ladders.transforaminal
    sites = [site for item in procedures for site in sided(item.joints, item)]
    placed = place(count(sites, ()).levels, ladder)

    def evidence(level: Level) -> tuple[Span, ...]:
        treating = [item for item in procedures if any(site.site == level.joint for site in item.joints)]
        return (*level.evidence, *(span for item in treating for span in words(item, False)))

    lines = lines_of(placed, ladder, book, evidence, stopped=stopped(procedures))
    asks = [ask for item in procedures for ask in imaging_asks(item)] + agent_asks(procedures)
    for item in procedures:
        if not item.joints:
            asks.append(Ask("missing_level", (), item.evidence))
            if item.side == "unspecified":
                asks.append(Ask("missing_side", (), item.evidence))
        bare = [site for site in item.joints if not is_joint(site.site) and not site.site.startswith("S")]
        asks += [Ask("ambiguous_level", (site.site,), site.evidence) for site in bare]
    if placed.mixed:
        asks.append(Ask("region_mix", tuple(level.joint for _, level in placed.codes)))
    return Part(lines, tuple(asks))


def _epidural(procedures: Sequence[Procedure], book: CodeBook) -> Part:
    """Interlaminar and caudal: once a region. Imaging that is not mentioned is asked, imaging denied is coded."""
    lines: list[Line] = []
    asks = agent_asks(procedures)
    for item in procedures:
        spaces = tuple(dict.fromkeys(site.site for site in item.joints)) if item.family == "interlaminar" else ()
        if item.family == "interlaminar" and not spaces:
            asks.append(Ask("missing_level", (), item.evidence))
        asks += [Ask("ambiguous_level", (space,), item.evidence) for space in spaces if not is_joint(space)]
        plain = item.no_imaging and not item.imaging
        if not plain:
            asks += imaging_asks(item)
        unfit = bool(item.imaging) and not guided(item)
        regions: dict[str, tuple[str, ...]] = {}
        for space in spaces:
            key = "cervicothoracic" if is_upper(space) else "lumbar"
            regions[key] = (*regions.get(key, ()), space)
        if not spaces:
            named = "lumbar" if item.family == "caudal" else _REGIONS.get(item.region)
            if named is None:
                asks.append(Ask("missing_region", (), item.evidence))
            else:
                regions[named] = ()
        for key, joints in regions.items():
            codes: EpiduralCodes = getattr(book.table.epidural, key)
            code = codes.without_imaging if plain or unfit else codes.with_imaging
            lines.append(_line(book, code, [item], "unspecified", joints))
    return Part(tuple(lines), tuple(asks))


_REGIONS: Mapping[str, str] = {
    "cervical": "cervicothoracic",
    "thoracic": "cervicothoracic",
    "lumbar": "lumbar",
    "sacral": "lumbar",
}


def _trigger_point(procedures: Sequence[Procedure], book: CodeBook) -> Part:
    single = book.table.single
    known = [item.muscles for item in procedures if item.muscles is not None]
    complete = len(known) == len(procedures)
    many = sum(known) >= single.trigger_many_from
    code, other = (single.trigger_many, single.trigger_few) if many else (single.trigger_few, single.trigger_many)
    asks = agent_asks(procedures)
    if not complete and not many:
        asks.append(Ask("missing_muscle", (), tuple(span for item in procedures for span in item.evidence)))
    rejected = (Rejected(other, book.reason("muscles-once")),) if complete or many else ()
    return Part((_line(book, code, procedures, "unspecified"),), tuple(asks), rejected)


_CODERS: Mapping[Family, Coder] = {
    "sacroiliac_joint": _sacroiliac_joint,
    "sacral_lateral_branch": _sacral_lateral_branch,
    "transforaminal": _transforaminal,
    "interlaminar": _epidural,
    "caudal": _epidural,
    "trigger_point": _trigger_point,
}
