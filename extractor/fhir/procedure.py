"""What was done, as Procedure resources: one for each procedure that was assembled from the note.

No CPT code stands here: several codes of the claim may belong to one procedure, and codings of one concept have to be
synonyms. The lines of the Claim refer to the Procedure.
"""

from __future__ import annotations

from extractor.fhir.elements import (
    PROCEDURE_SYSTEM,
    Json,
    absent,
    coding,
    concept,
    joint_kind,
    laterality,
    reference,
    site,
    without_empty,
)
from extractor.fhir.source import Source
from extractor.fhir.vocabulary import vocabulary
from extractor.schema import CodingResult, ProcedureOut, SiteOut


def procedure(
    procedure_id: str, done: ProcedureOut, result: CodingResult, source: Source, day: str | None, text: Json
) -> Json:
    """One Procedure; `text` is the DocumentReference with the note's text."""
    drugs = [
        {"resourceType": "Medication", "id": f"drug-{number}", "code": concept(name)}
        for number, name in enumerate(_injected(done), start=1)
    ]
    return without_empty(
        [
            ("resourceType", "Procedure"),
            ("id", procedure_id),
            ("contained", drugs),
            ("status", _status(done, result)),
            ("category", _category(done.intent)),
            ("code", _code(done)),
            ("subject", source.subject or absent()),
            ("encounter", source.encounters[0] if source.encounters else None),
            ("performedDateTime", day),
            ("bodySite", _sites(done)),
            ("report", [reference(text)]),
            ("note", [{"text": f"Imaging: {', '.join(done.imaging)}"}] if done.imaging else []),
            ("usedReference", [{"reference": f"#{drug['id']}"} for drug in drugs]),
        ]
    )


def _status(done: ProcedureOut, result: CodingResult) -> str:
    if done.discontinued:
        return "stopped"
    open_queries = {query.id for query in result.queries}
    return "unknown" if open_queries & set(vocabulary()["unknown_status"]["queries"]) else "completed"


def _category(intent: str) -> Json | None:
    row = vocabulary()["category"].get(intent)
    return concept(intent, *([coding("snomed", **row)] if row else [])) or None


def _code(done: ProcedureOut) -> Json:
    words = f"{done.family}, {done.technique}".replace("_", " ")
    code = f"{done.family}.{done.technique}".replace("_", "-")
    return concept(words, coding(PROCEDURE_SYSTEM, code))


def _sites(done: ProcedureOut) -> list[Json]:
    """Its joints and nerves, each with its side; without any the target and the side of the whole."""
    sites = [_site(one, joint_kind(done.family), done) for one in done.joints]
    sites += [_site(one, vocabulary()["sites"]["nerve"], done) for one in done.nerves]
    if sites:
        return sites
    told = "" if done.side == "unspecified" else f"{done.side} "
    return [concept(told + target.replace("_", " "), extension=laterality(done.side)) for target in done.targets]


def _site(one: SiteOut, kind: str, done: ProcedureOut) -> Json:
    return site(one.site, kind, done.side if one.side == "unspecified" else one.side)


def _injected(done: ProcedureOut) -> list[str]:
    """Generic names of what was injected at the target, each once."""
    return list(dict.fromkeys(agent.name for agent in done.agents if agent.role == "injectate"))
