"""Reading -> procedures: one record per kind of thing done, merged from all its mentions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from extractor import anatomy
from extractor.agents import AgentReader, SentenceView, injectate_names
from extractor.assembly import counted, facet, guidance
from extractor.assembly.corrections import without_corrected
from extractor.assembly.families import FAMILY_OF, Anchor, Session
from extractor.assembly.families import find as find_families
from extractor.assembly.neighbours import foramina, interspaces, muscles_of, sacral_nerves, said_side
from extractor.assembly.sides import Sided, bind
from extractor.assembly.sites import SiteSet
from extractor.assembly.statements import Statement, make, with_copies
from extractor.assembly.zones import PROCEDURAL, with_zones
from extractor.mentions import Reading
from extractor.records import Agent, Family, Flag, Procedure, Side, Span
from extractor.rows import AssemblyRows

_TEMPERATURE = re.compile(r"(?<![\d.])([3-9]\d)(?:\.\d)?\s*(?:\u00b0|degrees?|deg\b|celsius|centigrade|C\b)", re.IGNORECASE)
_MEASURED = re.compile(r"\d\s*(?:mL|cc)\b", re.IGNORECASE)  # drawn up, not taken at home
_DRUG_KINDS = frozenset({"body", "injectate", "skin", "contrast", "anesthesia", "sedation", "prep", "addendum", "impression", "findings", "complications", "comment"})


@dataclass(frozen=True, slots=True)
class Assembled:
    """Procedures of one note, and what was read on the way (for entities and evidence)."""

    procedures: tuple[Procedure, ...]
    reading: Reading
    agents: tuple[Agent, ...]
    diagnosis_side: str


def assemble(reading: Reading, agents: AgentReader, rows: AssemblyRows) -> Assembled:
    """All procedures done or begun at this encounter; none when the note tells of none."""
    reading = without_corrected(with_zones(reading))
    drugs = _agents(reading, agents)
    session = find_families(reading)
    sided = bind(reading)
    diagnosis = _diagnosis_side(reading)
    if _nothing_done(reading, drugs):
        return Assembled((), reading, drugs, diagnosis)
    begun = min((s.index for s in reading.sentences if s.zone == "body" and "needlework" in s.cues), default=1 << 30)
    statements = with_copies(make(reading, sided.levels, *_acting(reading), begun), sided.copies, _single(sided.title_sides))
    if any(agent.drug_class == "neurolytic" and agent.role == "injectate" for agent in drugs):
        session = replace(session, technique="chemical_neurolysis")
    session = _with_inferred(session, reading, statements, bool(injectate_names(drugs)))
    if not session.families:
        return Assembled((), reading, drugs, diagnosis)
    shared = _shared(reading, session, drugs, sided)
    titled = any(a.zone == "title" for a in session.anchors)
    procedures = [
        procedure
        for family in _families(session, statements, reading)
        if (procedure := _one(family, reading, session, sided, statements, shared, rows))
        and (titled or _tangible(procedure, shared) or _stated_today(procedure, session, reading))
        and not _only_contrast(procedure, session, shared)
    ]
    addressed = _addendum(reading, sided, procedures)
    return Assembled(tuple(addressed), reading, drugs, diagnosis)


def _with_inferred(session: Session, reading: Reading, statements: Sequence[Statement], injected: bool) -> Session:
    """Needles at transverse processes or nerves tell of a medial branch block even where nobody names one."""
    if session.families or session.out_of_scope or any(a.family.startswith("other:") for a in session.anchors):
        return session
    telling = {"needlework", "performed"} if injected else {"needlework"}
    worked = {s.index for s in reading.sentences if s.zone == "body" and s.cues & telling}
    kinds = {s.kind for s in statements if not s.denied and (s.sentence in worked or (injected and worked and s.zone in {"body", "neutral"}))}
    if kinds & {"bone", "nerve", "joint"}:
        return replace(session, families=("facet",))
    if not worked:
        return session
    reported = [
        FAMILY_OF[hit.value]
        for hit in reading.targets
        if hit.value in FAMILY_OF and "performed" in reading.sentences[hit.sentence].cues and "planned" not in hit.cues
    ]
    if not reported and injected:
        first = min(worked)
        reported = [
            FAMILY_OF[hit.value]
            for hit in reading.targets
            if hit.value in FAMILY_OF and hit.value in PROCEDURAL and hit.sentence < first
            and reading.sentences[hit.sentence].zone in {"plan", "planned", "indication"}
        ]
    if not reported and injected and not any(h.value.startswith("other:") for h in reading.targets if h.sentence in worked):
        silent = {"plan", "planned", "consent", "discharge", "diagnosis"}
        reported = [
            FAMILY_OF[hit.value]
            for hit in reading.targets
            if hit.value in FAMILY_OF and hit.value != "epidural" and reading.sentences[hit.sentence].zone not in silent
        ]
    return replace(session, families=tuple(dict.fromkeys(reported))) if reported else session


@dataclass(frozen=True, slots=True)
class _Shared:
    """Facts of the whole session."""

    guidance: guidance.Guidance
    agents: tuple[Agent, ...]
    injectate: tuple[Agent, ...]
    discontinued: bool
    unfilled: tuple[Span, ...]
    intent: str
    temperature: float | None
    title_side: str
    body_side: str
    generic: bool  # the body speaks of joints without naming them ("the remaining levels")
    each: bool  # ... or of "each target"


def _tangible(procedure: Procedure, shared: _Shared) -> bool:
    """False for a kind that is only named in passing: no level, no drug and no guidance go with it."""
    return bool(procedure.joints or procedure.nerves or shared.injectate or (shared.guidance.modalities and procedure.side != "unspecified"))


def _stated_today(procedure: Procedure, session: Session, reading: Reading) -> bool:
    """True when the note says that this kind was performed today, whatever else it leaves out."""
    return any(
        FAMILY_OF.get(a.hit.value) == procedure.family and reading.sentences[a.hit.sentence].cues >= {"performed", "today"}
        for a in session.anchors
    )


def _only_contrast(procedure: Procedure, session: Session, shared: _Shared) -> bool:
    """True for an epidurogram: contrast through the foramen, and no drug."""
    titled = any(a.family == "other:epidurogram" and a.zone == "title" for a in session.anchors)
    return titled and procedure.family in {"transforaminal", "interlaminar", "caudal"} and not shared.injectate


def _agents(reading: Reading, reader: AgentReader) -> tuple[Agent, ...]:
    views = []
    for sentence in reading.sentences:
        zone = sentence.zone
        if zone in {"body", "neutral", "title", "addendum", "impression", "guidance", "laterality"}:
            kind = sentence.kind if sentence.kind in _DRUG_KINDS else "title" if zone == "title" else "body"
            views.append(SentenceView(sentence.start, sentence.end, kind, "performed"))
        elif zone == "medications" and _MEASURED.search(reading.text, sentence.start, sentence.end):
            views.append(SentenceView(sentence.start, sentence.end, "injectate", "performed"))
        elif zone in {"history", "plan", "consent", "finding", "exam", "teaching", "planned"}:
            assertion = "planned" if zone in {"plan", "planned"} else "historical" if zone == "history" else "hypothetical"
            views.append(SentenceView(sentence.start, sentence.end, sentence.kind or zone, assertion))
        else:
            views.append(SentenceView(sentence.start, sentence.end, sentence.kind or zone, "performed"))
    used = [hit for hit in reading.agents if hit.start not in reading.denied_agents]
    return reader.read(reading.text, views, used)


def _nothing_done(reading: Reading, drugs: Sequence[Agent]) -> bool:
    """True when the note says so, or when nothing in it tells of an act at this encounter."""
    injected = bool(injectate_names(drugs))
    told = [s for s in reading.sentences if s.zone in {"body", "title", "neutral"}]
    acts = [s for s in told if ("needlework" in s.cues and s.zone == "body") or s.cues >= {"performed", "today"}]
    acts += [s for s in told if s.zone == "title" and "performed" in s.cues]
    placed = {hit.sentence for hit in (*reading.levels, *reading.sides)}
    said = any("nothing_done" in s.cues and s.index not in placed for s in reading.sentences if s.zone not in {"history", "consent"})
    cancelled = any("cancelled" in s.cues for s in reading.sentences if s.zone not in {"history", "consent"})
    contact = any("contact" in s.cues and not ({"today"} <= s.cues and not s.cues & {"planned", "historical"}) for s in reading.sentences[:4])
    if contact and sum("needlework" in s.cues for s in told) < 3:
        return True
    stopped = any("discontinued" in s.cues for s in told)
    if (said and not stopped) or (cancelled and not injected):
        return True
    return not acts and not injected


def _shared(reading: Reading, session: Session, drugs: tuple[Agent, ...], sided: Sided) -> _Shared:
    injectate = tuple(agent for agent in drugs if agent.role == "injectate")
    stopped = any(
        "discontinued" in s.cues and s.zone in {"body", "neutral", "title", "complications", "findings", "planned", "comment", "impression"}
        for s in reading.sentences
    )
    intents = {a.hit.value.partition(":")[2] for a in session.anchors if a.family == "intent" and a.zone in {"title", "body", "neutral"}}
    leveled = {hit.sentence for hit in reading.levels}
    return _Shared(
        guidance=guidance.find(reading),
        agents=drugs,
        injectate=injectate,
        discontinued=stopped and not injectate_names(drugs),
        unfilled=_unfilled(reading),
        intent="diagnostic" if intents == {"diagnostic"} else "therapeutic" if intents == {"therapeutic"} else "",
        temperature=_temperature(reading),
        title_side=_single(sided.title_sides),
        body_side=_single(sided.body_sides),
        each=any("each" in s.cues and s.zone in {"body", "neutral"} for s in reading.sentences),
        generic=any(s.zone in {"body", "neutral"} and s.cues & {"repeat", "generic"} and s.index not in leveled for s in reading.sentences),
    )


def _acting(reading: Reading) -> tuple[frozenset[int], frozenset[int]]:
    """Sentences that tell of an act, name a target in scope, or stand under a header of their own in the body; and
    those of them that tell of an act or name a procedure.
    """
    named = {hit.sentence for hit in reading.targets if hit.value in FAMILY_OF}
    telling = {"needlework", "performed", "located", "repeat", "generic", "each", "checked"}
    acting = {
        s.index
        for s in reading.sentences
        if s.cues & telling or s.index in named or (s.kind == "body" and s.first_in_section)
    }
    doing = {hit.sentence for hit in reading.targets if hit.value in PROCEDURAL}
    telling_only = {s.index for s in reading.sentences if s.cues & telling or s.index in doing}
    worked = {s.index for s in reading.sentences if "needlework" in s.cues}
    following: set[int] = set()
    for s in reading.sentences:
        goes_on = reading.text[s.start].islower()
        if s.index - 1 in worked or (goes_on and s.index - 1 in telling_only | following):
            if s.end - s.start <= (90 if goes_on else 45):
                following.add(s.index)
    return frozenset(acting | following), frozenset(telling_only | following)


def _single(hits: Iterable) -> str:  # type: ignore[type-arg]
    values = {hit.value for hit in hits if hit.value in {"left", "right", "bilateral"}}
    if values == {"left", "right"} or "bilateral" in values and len(values) > 1:
        return ""
    return next(iter(values), "")


def _unfilled(reading: Reading) -> tuple[Span, ...]:
    """Template blanks that stand where a side or level belongs."""
    result = []
    filled = {hit.sentence for hit in reading.levels}
    named = {hit.sentence for hit in reading.targets if hit.value in FAMILY_OF}
    for cue in reading.cues:
        if cue.category != "unfilled":
            continue
        sentence = reading.sentences[cue.sentence]
        line_start = reading.text.rfind("\n", 0, cue.start) + 1
        if not reading.text[line_start : cue.start].strip() or not reading.text[cue.end : cue.end + 1].strip(" \n*") and sentence.end - cue.end < 2 and reading.text[line_start : line_start + 1] == "*":
            continue  # stars that frame a heading
        follows = any(cue.end <= hit.start <= cue.end + 25 for hit in reading.targets if hit.sentence == sentence.index and hit.value in FAMILY_OF)
        if sentence.zone in {"title", "body", "neutral"} and follows and sentence.index in filled:
            result.append(Span(cue.start, cue.end, sentence.section))
        elif sentence.zone == "laterality" or (sentence.zone in {"title", "body", "neutral"} and sentence.index in named and sentence.index not in filled):
            result.append(Span(cue.start, cue.end, sentence.section))
    return tuple(result)


def _temperature(reading: Reading) -> float | None:
    """The highest lesion temperature told in the body, in degrees Celsius."""
    found = [
        float(match.group(1))
        for sentence in reading.sentences
        if sentence.zone in {"body", "neutral", "title"}
        for match in _TEMPERATURE.finditer(reading.text, sentence.start, sentence.end)
    ]
    return max(found, default=None)


def _families(session: Session, statements: Sequence[Statement], reading: Reading) -> tuple[Family, ...]:
    """The session's families, with the nerves of the sacroiliac joint told from facet nerves (ruling: 64451 is one code)."""
    families = list(session.families)
    sacral = sacral_nerves(statements)
    if sacral and "sacral_lateral_branch" not in families and {"facet", "sacroiliac_joint"} & set(families):
        entered = any(a.family == "joint" and a.zone in {"title", "body", "neutral"} for a in session.anchors)
        if "sacroiliac_joint" in families and not entered:
            families.remove("sacroiliac_joint")
        families.append("sacral_lateral_branch")
    if "sacral_lateral_branch" in families and "sacroiliac_joint" in families:
        entered = any(a.hit.value == "sacroiliac_joint" and a.zone == "title" for a in session.anchors)
        branch_title = any(a.family == "sacral_lateral_branch" and a.zone == "title" for a in session.anchors)
        injected = any(
            a.family == "sacroiliac_joint" and reading.sentences[a.hit.sentence].cues >= {"needlework", "performed"}
            for a in session.anchors
            if a.zone == "body"
        )
        if (branch_title or not entered) and not injected:
            families.remove("sacroiliac_joint")
    if session.technique in {"thermal_rf", "pulsed_rf"} and "sacroiliac_joint" in families:
        families[families.index("sacroiliac_joint")] = "sacral_lateral_branch"
    return tuple(dict.fromkeys(families))


def _one(
    family: Family,
    reading: Reading,
    session: Session,
    sided: Sided,
    statements: Sequence[Statement],
    shared: _Shared,
    rows: AssemblyRows,
) -> Procedure | None:
    mine = _mine(family, reading, session, statements)
    base = Procedure(
        family=family,
        imaging=shared.guidance.modalities,
        no_imaging=shared.guidance.denied,
        guidance_evidence=shared.guidance.evidence,
        agents=shared.agents,
        intent=shared.intent,  # type: ignore[arg-type]
        discontinued=shared.discontinued,
        flags=tuple(Flag("unfilled_template", (span,)) for span in shared.unfilled),
        evidence=_named(family, session, reading),
        region=_region(session),
    )
    if family == "facet":
        return _facet(base, reading, session, mine, shared, "sacral_lateral_branch" in _families(session, statements, reading))
    families = _families(session, statements, reading)
    side = said_side(family, session, sided, reading, shared.title_side, shared.body_side)
    if family == "sacroiliac_joint":
        return replace(base, targets=("sacroiliac_joint",), side=side)
    if family == "sacral_lateral_branch":
        technique = session.technique if session.technique != "injection" else "injection"
        return replace(
            base,
            targets=("sacral_lateral_branch",),
            side=side,
            technique=technique,
            cooled=session.cooled,
            temperature=shared.temperature,
            nerves=_nerve_sites(mine),
            flags=base.flags + ((Flag("technique_conflict"),) if "sacroiliac_joint" in families else ()),
        )
    if family == "transforaminal":
        joints, flags = foramina(mine, shared.title_side, shared.body_side)
        return replace(base, targets=("epidural_transforaminal",), joints=joints.sided_sites(), flags=base.flags + flags)
    if family == "interlaminar":
        joints, flags = interspaces(mine)
        return replace(base, targets=("epidural_interlaminar",), joints=joints.sided_sites(), flags=base.flags + flags)
    if family == "caudal":
        return replace(base, targets=("epidural_caudal",))
    return replace(base, targets=("trigger_point",), muscles=muscles_of(reading, rows.muscles))


def _facet(base: Procedure, reading: Reading, session: Session, mine: Sequence[Statement], shared: _Shared, sacral_too: bool) -> Procedure | None:
    titled = {a.hit.value for a in session.anchors if a.zone == "title"}
    told = {a.hit.value for a in session.anchors if a.zone in {"body", "neutral", "impression"}}
    kinds = {s.kind for s in mine if s.zone in {"body", "neutral"} and not s.denied}
    nerve_words = {"medial_branch", "medial_branch_block"}
    by_nerve = bool(titled & nerve_words) or (not titled & {"facet_injection"} and (bool(told & nerve_words) or bool(kinds & {"nerve", "bone"})))
    if not by_nerve and kinds & {"nerve", "bone"} and told & nerve_words and "joint" not in kinds:
        by_nerve = True
    entered = "intra_articular" in told | titled and ("joint" in kinds or bool(titled & {"facet_injection"}))
    by_joint = (bool(titled & {"facet_injection"}) or not by_nerve or entered) and not (
        by_nerve and not entered and not ({"joint"} & kinds and "facet_injection" in titled)
    )
    if session.technique != "injection":
        by_joint, by_nerve = session.technique == "prp", session.technique != "prp"
    if not by_nerve and not by_joint:
        by_joint = True
    statements = mine
    if sacral_too:
        statements = [s for s in mine if not _sacral_only(s, mine)]
        if not statements:
            return None
    found = facet.read(
        statements,
        by_joint=by_joint,
        by_nerve=by_nerve,
        title_side=shared.title_side,
        body_side=shared.body_side,
        generic_body=shared.generic,
        each_body=shared.each,
    )
    if sacral_too and not found.joints and not found.nerves:
        return None
    doubts = counted.doubts(reading, found)
    targets = (("facet_joint",) if by_joint else ()) + (("medial_branch",) if by_nerve else ())
    return replace(
        base,
        technique=session.technique,
        cooled=session.cooled,
        temperature=shared.temperature,
        targets=targets,
        joints=found.joints.sided_sites(),
        nerves=found.nerves.sided_sites(),
        flags=base.flags + tuple(found.flags) + doubts + ((Flag("technique_conflict"),) if session.mixed_technique else ()),
    )


def _sacral_only(statement: Statement, mine: Sequence[Statement]) -> bool:
    """True for the L5 dorsal ramus (or ala) of a sacral lateral branch block: no L4 branch stands with it."""
    others = {n for s in mine if not s.denied and s.kind in {"nerve", "bone", "bare"} for n in s.nerves}
    return not any(n[0] in "CT" or n in {"L1", "L2", "L3", "L4"} for n in others)


def _nerve_sites(statements: Sequence[Statement]) -> tuple:  # type: ignore[type-arg]
    sites = SiteSet()
    for s in statements:
        if not s.denied and s.kind in {"nerve", "bone", "sacral", "bare"}:
            for name in s.nerves:
                if name in {"L5", "S1", "S2", "S3", "S4"}:
                    sites.add(name, s.side, [Span(s.mention.start, s.mention.end)])
    return sites.sided_sites()


_OWN: dict[str, set[str]] = {
    "facet": {"joint", "nerve", "bone"},
    "sacral_lateral_branch": {"sacral", "nerve", "bone"},
    "transforaminal": {"foramen"},
    "interlaminar": {"interspace"},
}


def _mine(family: Family, reading: Reading, session: Session, statements: Sequence[Statement]) -> list[Statement]:
    """The statements that belong to one family: by their own noun, else by the target named nearest."""
    families = set(session.families)
    result = []
    for s in statements:
        if len(families) == 1 and family in families:
            if family not in {"transforaminal", "interlaminar"} or s.kind not in {"joint", "nerve", "bone"} or s.zone == "title":
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
        if statement.kind in _OWN.get(family, set()) and statement.kind in {"joint", "nerve", "bone", "foramen", "interspace"}:
            if family == "facet" or statement.kind not in _OWN.get("facet", set()) or "facet" not in families:
                return family
    same = [a for a in session.anchors if a.hit.value in FAMILY_OF and a.hit.sentence == statement.sentence]
    before = [a for a in same if a.hit.start < statement.mention.start]
    if same:
        return FAMILY_OF[(before[-1] if before else same[0]).hit.value]
    earlier = [a for a in session.anchors if a.hit.value in FAMILY_OF and a.hit.start < statement.mention.start and FAMILY_OF[a.hit.value] in families]
    return FAMILY_OF[earlier[-1].hit.value] if earlier else ""


def _named(family: Family, session: Session, reading: Reading) -> tuple[Span, ...]:
    return tuple(
        Span(a.hit.start, a.hit.end, reading.sentences[a.hit.sentence].section)
        for a in session.anchors
        if (FAMILY_OF.get(a.hit.value) == family or (a.family == "technique" and family in {"facet", "sacral_lateral_branch"}))
        and a.zone in {"title", "body", "neutral", "impression"}
    )


def _region(session: Session) -> str:
    for zone in ("title", "body", "neutral"):
        for anchor in session.anchors:
            if anchor.zone == zone and anchor.family.startswith("region:"):
                return anchor.family.partition(":")[2]
    return ""


def _diagnosis_side(reading: Reading) -> str:
    return _single(hit for hit in reading.sides if reading.sentences[hit.sentence].zone in {"diagnosis", "indication"})


def _addendum(reading: Reading, sided: Sided, procedures: list[Procedure]) -> list[Procedure]:
    """A correcting addendum governs the body: its side replaces the side, its levels the levels (ruling 7)."""
    notes = [s for s in reading.sentences if s.zone == "addendum"]
    if not notes:
        return procedures
    spared = {hit.sentence for hit in reading.sides if "negated_side" in hit.cues}
    spoken = {s.index: s.cues for s in notes if "negated" not in s.cues or s.index in spared}
    telling = {index for index, cues in spoken.items() if "performed" in cues} or set(spoken)
    said = [hit for hit in reading.sides if hit.sentence in telling and "negated_side" not in hit.cues]
    values = {hit.value for hit in said if hit.value in {"left", "right", "bilateral"}}
    levels = [lv for lv in sided.levels if lv.zone == "addendum" and lv.side and "negated" not in lv.hit.cues]
    side = levels[0].side if levels else next(iter(values)) if len(values) == 1 else ""
    if not side:
        return procedures
    return [_resided(p, side) for p in procedures]  # type: ignore[arg-type]


def _resided(procedure: Procedure, side: Side) -> Procedure:
    return replace(
        procedure,
        side=side if procedure.side != "unspecified" else procedure.side,
        joints=tuple(replace(site, side=side) for site in procedure.joints),
        nerves=tuple(replace(site, side=side) for site in procedure.nerves),
        flags=tuple(flag for flag in procedure.flags if flag.query != "side_conflict"),
    )
