"""Procedures and lines -> the published result, with every offset mapped back to the text as given."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from extractor.agents import injectate_names
from extractor.schema import (
    AgentOut,
    AssertionName,
    ClaimLine,
    CodeLine,
    CodingResult,
    Entity,
    Evidence,
    ProcedureOut,
    Query,
    Rejected,
    SiteOut,
    Suggestion,
    Summary,
    Versions,
)

if TYPE_CHECKING:
    from extractor.assembly.procedures import Assembled
    from extractor.coding import Coding
    from extractor.entities import Found
    from extractor.mentions import Reading, Sentence
    from extractor.records import Agent, Procedure, SidedSite, Span
    from extractor.text import CleanText

_IMAGING_ORDER = ("fluoroscopy", "ct", "ultrasound", "mri")
_ZONE_ASSERTION: Mapping[str, AssertionName] = {
    "history": "historical",
    "finding": "historical",
    "imaging_findings": "historical",
    "diagnosis": "historical",
    "indication": "historical",
    "medications": "historical",
    "allergies": "historical",
    "exam": "historical",
    "plan": "planned",
    "planned": "planned",
    "discharge": "planned",
    "consent": "hypothetical",
    "teaching": "hypothetical",
}


def build_result(
    id: str,
    note: CleanText,
    assembled: Assembled,
    found: Sequence[Found],
    coding: Coding,
    versions: Mapping[str, str | None],
    descriptors: Mapping[str, str] | None = None,
) -> CodingResult:
    """The pydantic result of one note. `descriptors` are those of a file of the user's, by code."""
    known = descriptors or {}
    quote = _Quoter(note, assembled.reading)
    procedures = assembled.procedures
    return CodingResult(
        id=id,
        status=coding.status,
        lines=[
            CodeLine(
                code=line.code,
                side=line.side,
                joints=list(line.joints),
                label=line.label,
                descriptor=known.get(line.code, ""),
                rule=line.rule,
                reasons=list(line.reasons),
                evidence=quote.all(line.evidence),
            )
            for line in coding.lines
        ],
        claim=[
            ClaimLine(
                code=c.code,
                modifiers=list(c.modifiers),
                units=c.units,
                suggested=[Suggestion(modifier=s.modifier, reason=s.reason) for s in c.suggested],
            )
            for c in coding.claim
        ],
        summary=_summary(procedures),
        queries=[Query(id=q.id, question=q.question, evidence=quote.all(q.evidence)) for q in coding.queries],
        warnings=list(coding.warnings),
        rejected=[Rejected(code=r.code, reason=r.reason) for r in coding.rejected],
        procedures=[_procedure(procedure, quote) for procedure in procedures],
        entities=_entities(found, quote),
        versions=Versions(**versions),
    )


class _Quoter:
    """Turns spans of the clean text into quotes of the text as given."""

    def __init__(self, note: CleanText, reading: Reading) -> None:
        self.note = note
        self.reading = reading
        self.starts = [sentence.start for sentence in reading.sentences]

    def sentence(self, offset: int) -> Sentence | None:
        index = bisect_right(self.starts, offset) - 1
        return self.reading.sentences[index] if index >= 0 else None

    def one(self, span: Span) -> Evidence:
        start, end = self.note.span(span.start, span.end)
        sentence = self.sentence(span.start)
        section = span.section or (sentence.section if sentence else "")
        return Evidence(start=start, end=end, text=self.note.given[start:end], section=section)

    def all(self, spans: Iterable[Span]) -> list[Evidence]:
        unique = {(span.start, span.end): span for span in spans}
        return [self.one(unique[key]) for key in sorted(unique)]


def _summary(procedures: Iterable[Procedure]) -> Summary:
    imaging: dict[str, None] = {}
    targets: dict[str, None] = {}
    agents: dict[Agent, None] = {}
    any_procedure = False
    for procedure in procedures:
        any_procedure = True
        imaging.update(dict.fromkeys(procedure.imaging))
        targets.update(dict.fromkeys(procedure.targets))
        agents.update(dict.fromkeys(procedure.agents))
    modalities = [name for name in _IMAGING_ORDER if name in imaging]
    return Summary(
        imaging=modalities or (["none_documented"] if any_procedure else []),
        injectate=list(injectate_names(agents)),
        target=list(targets),
    )


def _site(site: SidedSite, quote: _Quoter) -> SiteOut:
    return SiteOut(site=site.site, side=site.side, evidence=quote.all(site.evidence))


def _procedure(procedure: Procedure, quote: _Quoter) -> ProcedureOut:
    return ProcedureOut(
        family=procedure.family,
        technique=procedure.technique,
        targets=list(procedure.targets),
        joints=[_site(site, quote) for site in procedure.joints],
        nerves=[_site(site, quote) for site in procedure.nerves],
        side=procedure.side,
        imaging=list(procedure.imaging),
        agents=[_agent(agent, quote) for agent in procedure.agents],
        intent=procedure.intent,
        discontinued=procedure.discontinued,
        evidence=quote.all(procedure.evidence),
    )


def _agent(agent: Agent, quote: _Quoter) -> AgentOut:
    start, end = quote.note.span(agent.start, agent.end)
    sentence = quote.sentence(agent.start)
    return AgentOut(
        name=agent.name,
        role=agent.role,
        drug_class=agent.drug_class,
        concentration=agent.concentration,
        dose=agent.dose,
        volume=agent.volume,
        per=agent.per,
        evidence=Evidence(
            start=start, end=end, text=quote.note.given[start:end], section=sentence.section if sentence else ""
        ),
    )


def _entities(found: Sequence[Found], quote: _Quoter) -> list[Entity]:
    result = []
    for item in found:
        start, end = quote.note.span(item.start, item.end)
        sentence = quote.sentence(item.start)
        result.append(
            Entity(
                label=item.label,
                start=start,
                end=end,
                text=quote.note.given[start:end],
                value=item.value,
                section=sentence.section if sentence else "",
                assertion=_assertion(sentence, item.cues, item.boxed),
                attributes=item.attributes,
            )
        )
    return result


def _assertion(sentence: Sentence | None, cues: frozenset[str], boxed: str) -> AssertionName:
    return decided(sentence, cues, boxed)[0]


def decided(
    sentence: Sentence | None, cues: frozenset[str], boxed: str
) -> tuple[AssertionName, Literal["box", "cue", "word", "zone"]]:
    """How a span is asserted, and what decided it: its check box, a cue that denies it, its own words, or its sentence.

    >>> decided(None, frozenset({"negated"}), "")
    ('negated', 'cue')
    """
    if boxed == "unchecked":
        return "negated", "box"
    if "negated" in cues:
        return "negated", "cue"
    if sentence is None:
        return "performed", "zone"
    told = sentence.zone in {"body", "neutral", "title"}
    if told and ("found" in cues or ("taken" in cues and not sentence.cues & {"performed", "needlework"})):
        return "historical", "word"
    return _ZONE_ASSERTION.get(sentence.zone, "performed"), "zone"
