"""Small questions that every family asks of a procedure: its sites with sides, its imaging, its drug, its words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from extractor.coding.codebook import CodeBook
from extractor.coding.counting import union
from extractor.coding.lines import Ask, Stop
from extractor.records import Procedure, Side, SidedSite, Span

QUALIFYING = frozenset({"fluoroscopy", "ct"})
_ANESTHESIA = frozenset({"skin_anesthetic", "injectate"})


def sided(sites: Sequence[SidedSite], procedure: Procedure) -> list[SidedSite]:
    """The sites; where one has no side of its own, the side of the whole procedure holds."""
    return [replace(site, side=procedure.side) if site.side == "unspecified" else site for site in sites]


def whole_side(procedures: Iterable[Procedure]) -> Side:
    """The side of services that are not counted by level."""
    side: Side = "unspecified"
    for procedure in procedures:
        side = union(side, procedure.side)
        for site in (*procedure.joints, *procedure.nerves):
            side = union(side, site.side)
    return side


def words(procedure: Procedure, sites: bool = True) -> tuple[Span, ...]:
    """The spans that speak for the procedure: its name, its guidance, its technique and (all) its sites."""
    spans = (*procedure.evidence, *procedure.guidance_evidence, *procedure.technique_evidence)
    if not sites:
        return spans
    return (*spans, *(span for site in (*procedure.joints, *procedure.nerves) for span in site.evidence))


def guided(procedure: Procedure) -> bool:
    """Fluoroscopy or CT was used, whatever else was."""
    return not QUALIFYING.isdisjoint(procedure.imaging)


def is_destruction(procedure: Procedure, book: CodeBook) -> bool:
    """Thermal radiofrequency (cooled included) or a neurolytic drug; pulsed or lukewarm lesions are not."""
    if procedure.technique == "chemical_neurolysis":
        return True
    if procedure.technique != "thermal_rf":
        return False
    warm = procedure.temperature is None or procedure.temperature >= book.table.thermal_minimum_celsius
    return procedure.cooled or warm


def imaging_asks(procedure: Procedure, others_fit: bool = False) -> list[Ask]:
    """What to ask about imaging where fluoroscopy or CT is expected; `others_fit` when ultrasound has its own code."""
    if guided(procedure):
        return [Ask("guidance_conflict", (), procedure.guidance_evidence)] if procedure.no_imaging else []
    if procedure.imaging:
        return [] if others_fit else [Ask("guidance_conflict", (), procedure.guidance_evidence)]
    if procedure.discontinued:
        return []  # nothing says how far it came, and discontinued is asked anyway
    return [Ask("missing_imaging", (), procedure.guidance_evidence or procedure.evidence)]


def stopped(procedures: Sequence[Procedure]) -> Stop:
    """Whether all of some procedures were broken off. Anesthesia had begun where a drug at the skin or at the target is
    documented (Noridian, Novitas: a local anesthetic counts); sedation alone does not settle it.

    >>> from extractor.records import Agent
    >>> numbed = Procedure("facet", discontinued=True, agents=(Agent("lidocaine", "skin_anesthetic", 0, 0),))
    >>> stopped([numbed]), stopped([Procedure("facet", discontinued=True)]), stopped([numbed, Procedure("facet")])
    ('after_anesthesia', 'unknown', '')
    """
    if not procedures or not all(item.discontinued for item in procedures):
        return ""
    numbed = any(agent.role in _ANESTHESIA for item in procedures for agent in item.agents)
    return "after_anesthesia" if numbed else "unknown"


def agent_asks(procedures: Sequence[Procedure]) -> list[Ask]:
    """Ask for the drug when an injection was carried through and none of the group has one at the target."""
    through = [item for item in procedures if item.technique == "injection" and not item.discontinued]
    if not through or any(agent.role == "injectate" for item in through for agent in item.agents):
        return []
    return [Ask("missing_agent", (), tuple(span for item in through for span in item.evidence))]
