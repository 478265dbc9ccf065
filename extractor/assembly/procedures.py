"""Reading -> procedures: one record per kind of thing done, merged from all its mentions."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from extractor.agents import AgentReader, injectate_names
from extractor.assembly import counted, disagreement, encounter, facet, unread
from extractor.assembly.addendum import corrected_by_addendum
from extractor.assembly.corrections import without_corrected
from extractor.assembly.encounter import Encounter
from extractor.assembly.families import FAMILY_OF, Session, is_technique
from extractor.assembly.families import find as find_families
from extractor.assembly.neighbours import foramina, interspaces, muscle_sentences, muscles_of, said_side
from extractor.assembly.ownership import families_of, statements_of
from extractor.assembly.seen import PROCEDURAL
from extractor.assembly.sides import Sided, bind
from extractor.assembly.sites import SiteSet
from extractor.assembly.skin_sites import without_skin_sites
from extractor.assembly.statements import Statement, make, with_copies
from extractor.assembly.stops import with_stopped_kinds, without_stopped_levels
from extractor.assembly.zones import with_zones
from extractor.mentions import Reading
from extractor.records import Agent, Family, Flag, Procedure, Side, Span
from extractor.rows import AssemblyRows

_BESIDE = frozenset({"sacroiliac_joint", "trigger_point", "caudal"})
_FACET_NOUNS = frozenset({"medial_branch", "dorsal_ramus", "facet_joint", "third_occipital_nerve"})
_ACT = re.compile(r"\b(?:injection|block|ablation|denervation|epidural)s?\b", re.IGNORECASE)
_EPIDURALS = frozenset({"interlaminar", "transforaminal", "caudal"})
_INTO = re.compile(
    r"\b(?:into|inside|entering)\b[^.;]{0,60}\bjoints?\b|\bjoints?\b[^.;]{0,20}\bentered\b", re.IGNORECASE
)
_LESIONS = frozenset({"thermal_rf", "pulsed_rf"})
_ANATOMY = frozenset({"facet_joint", "medial_branch"})


@dataclass(frozen=True, slots=True)
class Assembled:
    """Procedures of one note, and what was read on the way (for entities and evidence)."""

    procedures: tuple[Procedure, ...]
    reading: Reading
    agents: tuple[Agent, ...]
    diagnosis_side: str
    kinds: Mapping[int, str] = field(default_factory=dict)  # what levels were taken for, by where they begin


_TOLD_AFTER = frozenset({"body", "neutral", "impression", "complications"})
_SIDELESS = frozenset({"sacroiliac_joint", "trigger_point", "interlaminar", "caudal"})  # nothing else has a side


def assemble(reading: Reading, agents: AgentReader, rows: AssemblyRows) -> Assembled:
    """All procedures done or begun at this encounter; none when the note tells of none."""
    if not reading.levels and not any(hit.value in FAMILY_OF or is_technique(hit.value) for hit in reading.targets):
        return Assembled((), with_zones(reading), (), "")
    reading = without_stopped_levels(without_skin_sites(without_corrected(with_zones(reading))))
    drugs = encounter.agents_of(reading, agents)
    session = find_families(reading)
    sided = bind(reading, muscle_sentences(reading, rows.muscles))
    diagnosis = encounter.diagnosis_side(reading)
    if encounter.nothing_done(reading, drugs):
        return Assembled((), reading, drugs, diagnosis)
    begun = min((s.index for s in reading.sentences if s.zone == "body" and "needlework" in s.cues), default=1 << 30)
    title_side = encounter.single(encounter.of_all_regions(reading, sided.title_sides))
    injected = bool(injectate_names(drugs))
    made = make(reading, sided.levels, *encounter.acting(reading), begun, rows.bones, injected)
    statements = with_copies(made, sided.copies, title_side)
    if any(agent.drug_class == "neurolytic" and agent.role == "injectate" for agent in drugs):
        session = replace(session, technique="chemical_neurolysis")
    elif session.technique == "injection" and any(a.drug_class == "biologic" and a.role == "injectate" for a in drugs):
        session = replace(session, technique="prp")
    session = _with_inferred(session, reading, statements, injected, rows)
    if not session.families:
        doubtful = () if session.out_of_scope else unread.unnamed(reading, drugs)
        return Assembled(doubtful, reading, drugs, diagnosis)
    shared = encounter.read(reading, session, drugs, sided)
    titled = any(a.zone == "title" for a in session.anchors)
    procedures = [
        procedure
        for family in families_of(session, statements, reading)
        if (procedure := _one(family, reading, session, sided, statements, shared, rows))
        and (
            titled
            or procedure.discontinued
            or _tangible(procedure, shared)
            or _stated_today(procedure, session, reading)
        )
        and not encounter.only_contrast(procedure, session, shared)
    ]
    procedures = with_stopped_kinds(procedures, reading)
    addressed = [_on_diagnosed_side(p, diagnosis) for p in corrected_by_addendum(reading, sided, procedures)]
    kinds = {s.mention.start: s.kind for s in statements}
    return Assembled(tuple(unread.asked(addressed, reading, rows)), reading, drugs, diagnosis, kinds)


def _through_foramina(session: Session, reading: Reading, statements: Sequence[Statement]) -> bool:
    """Only the word "epidural" names the procedure, and the needles went to foramina: not an interlaminar one."""
    if any(a.hit.value == "epidural_interlaminar" for a in session.anchors):
        return False
    entered = [s for s in statements if s.zone == "body" and not s.denied]
    if any(s.kind == "interspace" for s in entered):
        return False
    return any(
        s.mention.noun == "neural_foramen" and "needlework" in reading.sentences[s.sentence].cues for s in entered
    )


def _in_interspace(reading: Reading, statements: Sequence[Statement]) -> bool:
    """True where a needle with loss of resistance went to an interspace, whatever else was done in the session."""
    spaces = {h.sentence for h in reading.targets if h.value == "epidural_space" and "negated" not in h.cues}
    return any(
        s.kind == "interspace"
        and not s.denied
        and s.zone == "body"
        and s.sentence in spaces
        and "needlework" in reading.sentences[s.sentence].cues
        for s in statements
    )


_SIDED: frozenset[Family] = frozenset({"facet", "transforaminal", "sacroiliac_joint", "sacral_lateral_branch"})


def _on_diagnosed_side(procedure: Procedure, side: str) -> Procedure:
    """Where no side of the procedure is told, the side of the diagnosis is the candidate, and asked (ruling: sides)."""
    sites = (*procedure.joints, *procedure.nerves)
    if procedure.family not in _SIDED or side not in {"left", "right", "bilateral"}:
        return procedure
    if procedure.side != "unspecified" or any(site.side != "unspecified" for site in sites):
        return procedure
    told: Side = side  # type: ignore[assignment]
    return replace(
        procedure,
        side=told if not sites else procedure.side,
        joints=tuple(replace(site, side=told) for site in procedure.joints),
        nerves=tuple(replace(site, side=told) for site in procedure.nerves),
        flags=(*procedure.flags, Flag("missing_side", procedure.evidence)),
    )


def _with_inferred(
    session: Session, reading: Reading, statements: Sequence[Statement], injected: bool, rows: AssemblyRows
) -> Session:
    """Needles at transverse processes or nerves tell of a medial branch block even where nobody names one."""
    if session.families and injected and set(session.families) <= _BESIDE and session.technique == "injection":
        entered = {
            s.sentence for s in statements if s.kind == "joint" and s.joints and s.zone == "body" and not s.denied
        }
        if any("needlework" in reading.sentences[index].cues for index in entered):
            return replace(session, families=("facet", *session.families))  # joints entered beside what is named
    if session.families and not _EPIDURALS & set(session.families) and _in_interspace(reading, statements):
        return replace(session, families=(*session.families, "interlaminar"))
    if session.families == ("interlaminar",) and _through_foramina(session, reading, statements):
        return replace(session, families=("transforaminal",))
    if session.families or session.out_of_scope:
        return session
    if session.technique != "injection" and any(
        s.mention.noun in _FACET_NOUNS and not s.denied and s.zone in {"title", "body", "neutral"} for s in statements
    ):
        return replace(session, families=("facet",))  # "left L3, L4, L5 medial branch RFA"
    if session.technique in _LESIONS and any(
        s.kind in {"bare", "joint"} and not s.denied and s.zone in {"title", "body"} for s in statements
    ):
        return replace(session, families=("facet",))  # "lumbar RFA left L3, L4, L5": nothing else is lesioned by level
    telling = {"needlework", "performed"} if injected else {"needlework"}
    worked = {s.index for s in reading.sentences if s.zone == "body" and s.cues & telling}
    others = [a for a in session.anchors if a.family.startswith("other:") and a.family != "other:epidurogram"]
    if any(a.family == "other:other_block" and not a.hit.cues for a in others):
        return session
    if any(a.zone == "title" or (a.hit.sentence in worked and a.family != "other:needling") for a in others):
        return session
    kinds = {
        s.kind
        for s in statements
        if not s.denied and (s.sentence in worked or (injected and worked and s.zone in {"body", "neutral"}))
    }
    if kinds & {"bone", "nerve", "joint"}:
        return replace(session, families=("facet",))
    inside = any(hit.value == "intra_articular" and not hit.cues for hit in reading.targets)
    if inside and worked and any(s.joints and s.kind == "bare" and not s.denied for s in statements):
        return replace(session, families=("facet",))  # "IA inj R L4-5 + L5-S1"
    if "foramen" in kinds:
        return replace(session, families=("transforaminal",))
    if any(hit.value == "other:surgery" and not hit.cues for hit in reading.targets):
        return session  # leads and catheters go through the epidural space too
    if any(
        hit.value == "epidural_space" and hit.sentence in worked and "negated" not in hit.cues
        for hit in reading.targets
    ):
        return replace(session, families=("interlaminar",))
    if "interspace" in kinds and any(hit.value == "epidural" and "negated" not in hit.cues for hit in reading.targets):
        return replace(session, families=("interlaminar",))
    if not worked:
        return session
    awaited = any(
        hit.value in PROCEDURAL and reading.sentences[hit.sentence].zone == "planned" for hit in reading.targets
    )  # a needle passes through muscles on its way
    if (
        injected
        and not awaited
        and session.technique == "injection"
        and muscles_of(reading, rows.muscles, worked).number
    ):
        return replace(session, families=("trigger_point",))
    reported = [
        FAMILY_OF[hit.value]
        for hit in reading.targets
        if hit.value in FAMILY_OF
        and hit.boxed != "unchecked"
        and "performed" in reading.sentences[hit.sentence].cues
        and "planned" not in hit.cues
    ]
    stopped = any("discontinued" in s.cues and s.zone in _TOLD_AFTER for s in reading.sentences)
    if not reported and (injected or stopped):
        first = min(worked)
        reported = [
            FAMILY_OF[hit.value]
            for hit in reading.targets
            if hit.value in FAMILY_OF
            and hit.boxed != "unchecked"
            and hit.value in PROCEDURAL
            and hit.sentence < first
            and reading.sentences[hit.sentence].zone in {"plan", "planned", "indication"}
        ]
        if stopped and not reported:  # a person is asked in any case; the sentence that brought the patient names it
            reported = [
                FAMILY_OF[hit.value]
                for hit in reading.targets
                if hit.value in FAMILY_OF
                and hit.boxed != "unchecked"
                and "negated" not in hit.cues
                and hit.sentence < first
                and _ACT.search(
                    reading.text, reading.sentences[hit.sentence].start, reading.sentences[hit.sentence].end
                )
            ]
    if (
        not reported
        and injected
        and not any(
            h.value.startswith("other:") for h in reading.targets if h.sentence in worked or h.boxed == "checked"
        )
    ):
        silent = {"plan", "planned", "consent", "discharge", "diagnosis"}
        named = [
            hit
            for hit in reading.targets
            if hit.value in FAMILY_OF
            and hit.value != "epidural"
            and hit.boxed != "unchecked"
            and not hit.cues & {"historical", "negated"}
            and reading.sentences[hit.sentence].zone not in silent
        ]
        done = [hit for hit in named if hit.value not in _ANATOMY] or named  # "facet" in a finding is no injection
        last = max((hit.sentence for hit in done if hit.sentence <= min(worked)), default=None)
        nearest = [hit for hit in done if last is None or hit.sentence == last]
        reported = [FAMILY_OF[hit.value] for hit in nearest]
    return replace(session, families=tuple(dict.fromkeys(reported))) if reported else session


def _tangible(procedure: Procedure, shared: Encounter) -> bool:
    """False for a kind that is only named in passing: no level, no drug and no guidance go with it."""
    return bool(
        procedure.joints
        or procedure.nerves
        or shared.injectate
        or (shared.guidance.modalities and procedure.side != "unspecified")
    )


def _stated_today(procedure: Procedure, session: Session, reading: Reading) -> bool:
    """True when the note says that this kind was performed today, whatever else it leaves out."""
    return any(
        FAMILY_OF.get(a.hit.value) == procedure.family
        and reading.sentences[a.hit.sentence].cues >= {"performed", "today"}
        for a in session.anchors
    )


def _one(
    family: Family,
    reading: Reading,
    session: Session,
    sided: Sided,
    statements: Sequence[Statement],
    shared: Encounter,
    rows: AssemblyRows,
) -> Procedure | None:
    mine = statements_of(family, session, statements)
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
        return _facet(
            base, reading, session, mine, shared, "sacral_lateral_branch" in families_of(session, statements, reading)
        )
    families = families_of(session, statements, reading)
    side = said_side(family, session, sided, reading, shared.title_side, shared.body_side)
    if family == "sacroiliac_joint":
        if side == "unspecified" and shared.both_spoken and not set(families) - _SIDELESS:
            side = "bilateral"  # "Right joint first, ... Left joint, same approach"
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
        return replace(
            base, targets=("epidural_transforaminal",), joints=joints.sided_sites(), flags=base.flags + flags
        )
    if family == "interlaminar":
        joints, flags = interspaces(mine)
        return replace(base, targets=("epidural_interlaminar",), joints=joints.sided_sites(), flags=base.flags + flags)
    if family == "caudal":
        return replace(base, targets=("epidural_caudal",))
    muscles = muscles_of(reading, rows.muscles)
    return replace(base, targets=("trigger_point",), muscles=muscles.number, evidence=base.evidence + muscles.evidence)


def _facet(
    base: Procedure, reading: Reading, session: Session, mine: Sequence[Statement], shared: Encounter, sacral_too: bool
) -> Procedure | None:
    titled = {a.hit.value for a in session.anchors if a.zone == "title"}
    told = {a.hit.value for a in session.anchors if a.zone in {"body", "neutral", "impression"}}
    kinds = {s.kind for s in mine if s.zone in {"body", "neutral"} and not s.denied}
    nerve_words = {"medial_branch", "medial_branch_block"}
    by_nerve = bool(titled & nerve_words) or (
        not titled & {"facet_injection"} and (bool(told & nerve_words) or bool(kinds & {"nerve", "bone"}))
    )
    if not by_nerve and kinds & {"nerve", "bone"} and told & nerve_words and "joint" not in kinds:
        by_nerve = True
    entered = "intra_articular" in told | titled and ("joint" in kinds or bool(titled & {"facet_injection"}))
    entered = entered or (by_nerve and not titled & nerve_words and _entered(mine, reading))
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
        both_spoken=shared.both_spoken,
        widened=shared.widened and session.families == ("facet",),
        planned_side=shared.planned_side,
        begun=min((s.index for s in reading.sentences if s.zone == "body" and "needlework" in s.cues), default=1 << 30),
        correcting=any(s.zone == "addendum" and s.cues & {"correction", "amended"} for s in reading.sentences),
    )
    if sacral_too and not found.joints and not found.nerves:
        return None
    alone = session.families == ("facet",)
    doubts = counted.doubts(
        reading, found, {j for s in mine if s.denied for j in s.joints}, alone
    ) + disagreement.doubts(reading, found)
    if session.technique in {"thermal_rf", "pulsed_rf"} and any(
        "no_lesion" in s.cues and s.zone in {"title", "body", "neutral", "complications"} for s in reading.sentences
    ):
        doubts += (Flag("technique_conflict"),)
    if session.technique == "thermal_rf" and not any(
        s.cues & {"rf_gear", "heat", "no_lesion"} for s in reading.sentences if s.zone in {"body", "neutral", "title"}
    ):
        doubts += (Flag("technique_conflict"),)  # ablation is named, and nothing of it is told
    targets = (("facet_joint",) if by_joint else ()) + (("medial_branch",) if by_nerve else ())
    return replace(
        base,
        technique=session.technique,
        cooled=session.cooled,
        temperature=shared.temperature,
        targets=targets,
        joints=found.joints.sided_sites(),
        nerves=found.nerves.sided_sites(),
        flags=base.flags
        + tuple(found.flags)
        + doubts
        + ((Flag("technique_conflict"),) if session.mixed_technique else ()),
    )


def _entered(mine: Sequence[Statement], reading: Reading) -> bool:
    """True where the body tells that a needle went into a joint, in a sentence that names no nerve."""
    nerves = {s.sentence for s in mine if s.kind in {"nerve", "bone"}}
    return any(
        s.kind == "joint"
        and s.joints
        and s.zone == "body"
        and not s.denied
        and s.sentence not in nerves
        and "needlework" in reading.sentences[s.sentence].cues
        and _INTO.search(reading.text, reading.sentences[s.sentence].start, reading.sentences[s.sentence].end)
        for s in mine
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


def _named(family: Family, session: Session, reading: Reading) -> tuple[Span, ...]:
    return tuple(
        Span(a.hit.start, a.hit.end, reading.sentences[a.hit.sentence].section)
        for a in session.anchors
        if (
            FAMILY_OF.get(a.hit.value) == family
            or (a.family == "technique" and family in {"facet", "sacral_lateral_branch"})
        )
        and a.zone in {"title", "body", "neutral", "impression"}
    )


def _region(session: Session) -> str:
    for zone in ("title", "body", "neutral"):
        for anchor in session.anchors:
            if anchor.zone == zone and anchor.family.startswith("region:"):
                return anchor.family.partition(":")[2]
    return ""
