"""The coded proposal as a draft Claim.

Claim and not ChargeItem: modifiers, the number of a line and the link to a Procedure have elements of their own there,
and its status can be draft. Source: FHIR R4 Claim and ChargeItem.
"""

from __future__ import annotations

from collections.abc import Sequence

from extractor.claimlinks import claimed_side, line_links
from extractor.fhir.elements import (
    JOINT,
    Json,
    absent,
    billing_concept,
    coding,
    concept,
    instant,
    joint_kind,
    laterality,
    reference,
    site,
    without_empty,
)
from extractor.fhir.source import Source
from extractor.fhir.vocabulary import vocabulary
from extractor.schema import ClaimLine, CodeLine, CodingResult, ProcedureOut, Side


def claim(
    claim_id: str,
    result: CodingResult,
    source: Source,
    day: str | None,
    procedures: Sequence[Json],
    recorded: str | None,
) -> Json:
    """The Claim of a result that has claim lines. `procedures` are the resources of `result.procedures`."""
    links = line_links(result)
    institutional = result.versions.profile in vocabulary()["claim"]["institutional_profiles"]
    kind = "institutional" if institutional else "professional"
    return without_empty(
        [
            ("resourceType", "Claim"),
            ("id", claim_id),
            ("status", "draft"),
            ("type", concept("", coding("claim_type", kind))),
            ("use", "claim"),
            ("patient", source.subject or absent()),
            *instant("created", recorded).items(),
            ("provider", absent()),
            ("priority", absent()),
            ("procedure", [_used(number, one) for number, one in enumerate(procedures, start=1)]),
            ("insurance", [{"sequence": 1, "focal": True, "coverage": absent()}]),
            (
                "item",
                [
                    _item(number, item, lines, result, source, day)
                    for number, (item, lines) in enumerate(zip(result.claim, links, strict=True), start=1)
                ],
            ),
        ]
    )


def _used(number: int, procedure: Json) -> Json:
    return {"sequence": number, "procedureReference": reference(procedure)}


def _item(
    number: int, item: ClaimLine, lines: Sequence[CodeLine], result: CodingResult, source: Source, day: str | None
) -> Json:
    year = result.versions.codes
    used = _sources_of(lines, result.procedures)
    kind = joint_kind(result.procedures[used[0] - 1].family if used else "")
    joints = [site(joint, kind, claimed_side(item) or line.side) for line in lines for joint in line.joints]
    return without_empty(
        [
            ("extension", [{"url": JOINT, "valueCodeableConcept": joint} for joint in joints]),
            ("sequence", number),
            ("procedureSequence", used),
            ("productOrService", billing_concept(item.code, lines[0].label if lines else "", year)),
            ("modifier", [billing_concept(modifier, version=year) for modifier in item.modifiers]),
            ("servicedDate", day),
            ("quantity", {"value": item.units}),
            ("bodySite", _body_site(joints, item, lines)),
            ("encounter", list(source.encounters)),
        ]
    )


def _body_site(joints: Sequence[Json], item: ClaimLine, lines: Sequence[CodeLine]) -> Json | None:
    """One place for the line: its joint, or the names of its joints with their side if it is one."""
    if len(joints) == 1:
        return joints[0]
    sides: set[Side] = {claimed_side(item) or line.side for line in lines}
    side = sides.pop() if len(sides) == 1 else "unspecified"
    return concept(", ".join(joint["text"] for joint in joints), extension=laterality(side)) or None


def _sources_of(lines: Sequence[CodeLine], procedures: Sequence[ProcedureOut]) -> list[int]:
    """Numbers of the procedures that the lines were coded from: the words that name them are evidence of the lines."""
    spans = {(one.start, one.end) for line in lines for one in line.evidence}
    return [
        number
        for number, done in enumerate(procedures, start=1)
        if any((one.start, one.end) in spans for one in done.evidence)
    ]
