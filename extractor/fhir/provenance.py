"""Where the proposal comes from: the software with its versions, the text, and the words that support each thing.

The words are extensions of `Provenance.entity`, published in docs/fhir/StructureDefinition-evidence.json.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain

from extractor.claimlinks import line_links
from extractor.fhir.elements import EVIDENCE, Json, coding, concept, instant, is_string, reference, without_empty
from extractor.schema import CodingResult, Evidence, ProcedureOut

UNIT = "codepoint"
_SOFTWARE = "software"
_OF_THE_NOTE = {"text", "date_of_service"}  # stamps that are no version of the software


@dataclass(frozen=True, slots=True)
class Supported:
    """One thing that words of the note support: `lines` are the numbers of lines when it is a Claim."""

    target: Json
    evidence: Sequence[Evidence]
    lines: Sequence[int] = field(default_factory=tuple)
    rule: str = ""


def supported(
    result: CodingResult, claim: Json | None, procedures: Sequence[Json], queries: Sequence[Json]
) -> Iterator[Supported]:
    """What the result says, with the resource that says it."""
    links = line_links(result)
    for line in result.lines if claim else ():
        numbers = [number for number, lines in enumerate(links, start=1) if any(one is line for one in lines)]
        yield Supported(reference(claim or {}), line.evidence, numbers, line.rule)
    for number, supply in enumerate(result.supplies if claim else (), start=len(result.claim) + 1):
        yield Supported(reference(claim or {}), supply.evidence, [number])
    for done, resource in zip(result.procedures, procedures, strict=True):
        yield Supported(reference(resource), _of_procedure(done))
    for query, resource in zip(result.queries, queries, strict=True):
        yield Supported(reference(resource), query.evidence, rule=query.id)


def provenance(
    provenance_id: str,
    result: CodingResult,
    targets: Sequence[Json],
    things: Iterable[Supported],
    text: Json,
    origin: Json | None,
    recorded: str | None,
) -> Json:
    """The Provenance of everything in `targets`. `text` is the DocumentReference that offsets refer to."""
    evidence = [_evidence(thing, one) for thing in things for one in thing.evidence]
    return without_empty(
        [
            ("resourceType", "Provenance"),
            ("id", provenance_id),
            ("contained", [_software(result)]),
            ("target", [reference(target) for target in targets]),
            *instant("recorded", recorded).items(),
            ("activity", concept("Codes proposed from the text of a note")),
            (
                "agent",
                [{"type": concept("", coding("agent_type", "assembler")), "who": {"reference": f"#{_SOFTWARE}"}}],
            ),
            (
                "entity",
                [
                    without_empty([("extension", evidence), ("role", "source"), ("what", reference(text))]),
                    *([{"role": "source", "what": origin}] if origin else []),
                ],
            ),
        ]
    )


def _software(result: CodingResult) -> Json:
    told = {
        name: str(value).lower() if value is True else value
        for name, value in result.versions.model_dump(exclude=_OF_THE_NOTE).items()
        if value
    }
    return {
        "resourceType": "Device",
        "id": _SOFTWARE,
        "deviceName": [{"name": "facetcode", "type": "model-name"}],
        "version": [{"type": concept(name), "value": value} for name, value in told.items()],
    }


def _of_procedure(done: ProcedureOut) -> list[Evidence]:
    """The words of a procedure and of its places, each once, in the order of the text."""
    sites = chain.from_iterable(one.evidence for one in (*done.joints, *done.nerves))
    unique = {(one.start, one.end): one for one in chain(done.evidence, sites)}
    return [unique[key] for key in sorted(unique)]


def _evidence(thing: Supported, words: Evidence) -> Json:
    """One stretch of the text. A quote that no FHIR string can hold is left out; its offsets stay."""
    parts = [
        {"url": "target", "valueReference": thing.target},
        *({"url": "line", "valuePositiveInt": number} for number in thing.lines),
        *([{"url": "rule", "valueString": thing.rule}] if thing.rule else []),
        {"url": "start", "valueUnsignedInt": words.start},
        {"url": "end", "valueUnsignedInt": words.end},
        {"url": "unit", "valueCode": UNIT},
        *([{"url": "quote", "valueString": words.text}] if is_string(words.text) else []),
        *([{"url": "section", "valueString": words.section}] if is_string(words.section) else []),
    ]
    return {"url": EVIDENCE, "extension": parts}
