"""A coded document as a Bundle of type collection: the whole answer, put together from its resources."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace

from extractor.errors import InputError
from extractor.fhir.claim import claim
from extractor.fhir.elements import (
    QUERY_SYSTEM,
    STATUS_SYSTEM,
    Ids,
    Json,
    billing_concept,
    coding,
    concept,
    entry,
    reference,
    without_empty,
)
from extractor.fhir.procedure import procedure
from extractor.fhir.provenance import provenance, supported
from extractor.fhir.source import Source, read_source
from extractor.fhir.validation import checked, must_be_installed
from extractor.fhir.vocabulary import vocabulary
from extractor.schema import CodingResult, Note, Query, Suggestion

CodeOne = Callable[[Note], CodingResult]
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", re.ASCII)


def code_resource(
    body: bytes, code: CodeOne, *, recorded: str | None = None, date_of_service: str | None = None
) -> Json:
    """The Bundle for a FHIR resource in JSON: a DocumentReference, a Composition, or a Bundle with one of them.

    `recorded` is an instant for Provenance.recorded and Claim.created. Without it they say that it is not known: the
    clock is never asked, so that the same input gives the same bytes. `date_of_service` is for documents without a day.

    Raises InputError, in one line that names the element and never shows what stands in it.
    """
    must_be_installed()
    _must_be_instant(recorded)
    source = read_source(body)
    return answer(source, code(source.note(date_of_service)), recorded, date_of_service)


def code_note(note: Note, code: CodeOne, *, recorded: str | None = None) -> Json:
    """The Bundle for a note that is plain text."""
    must_be_installed()
    _must_be_instant(recorded)
    return answer(Source(text=note.text, id=note.id, day=note.date_of_service), code(note), recorded)


def _must_be_instant(recorded: str | None) -> None:
    if recorded is not None and not _INSTANT.fullmatch(recorded):
        raise InputError("recorded is not an instant like 2026-01-31T08:00:00Z")


def answer(
    source: Source, result: CodingResult, recorded: str | None = None, date_of_service: str | None = None
) -> Json:
    """The checked Bundle of a document and its coding."""
    if source.day is None and source.written is None:
        source = replace(source, day=date_of_service)
    return checked(bundle(source, result, recorded))


def bundle(source: Source, result: CodingResult, recorded: str | None = None) -> Json:
    """The Bundle, not yet checked. The same arguments give the same Bundle."""
    ids = Ids([_listed(source), result.model_dump(), recorded])
    text = text_document(ids.of("text"), source)
    procedures = [
        procedure(ids.of("Procedure", number), done, result, source, source.day, text)
        for number, done in enumerate(result.procedures)
    ]
    lines = claim(ids.of("Claim"), result, source, source.day, procedures, recorded) if result.claim else None
    about = [*([lines] if lines else []), *procedures, text]
    queries = [_question(ids.of("query", number), query, source, about) for number, query in enumerate(result.queries)]
    outcome = _outcome(ids.of("outcome"), result, source)
    told = [*([lines] if lines else []), *procedures, *queries, outcome]
    things = supported(result, lines, procedures, queries)
    origin = provenance(ids.of("Provenance"), result, told, things, text, source.origin, recorded)
    return {
        "resourceType": "Bundle",
        "id": ids.of("Bundle"),
        "type": "collection",
        "entry": [entry(resource) for resource in (*told, text, origin)],
    }


def _listed(source: Source) -> list[object]:
    return [getattr(source, name) for name in source.__slots__]


def text_document(text_id: str, source: Source) -> Json:
    """A DocumentReference with the text that all offsets refer to, as it was read."""
    data = source.text.encode()
    attachment = {"contentType": "text/plain; charset=utf-8", "data": b64encode(data).decode(), "size": len(data)}
    context = without_empty(
        [
            ("encounter", list(source.encounters)),
            ("period", {"start": source.day} if source.day else None),
            ("related", [source.origin] if source.origin else []),
        ]
    )
    return without_empty(
        [
            ("resourceType", "DocumentReference"),
            ("id", text_id),
            ("status", "current"),
            ("subject", source.subject),
            ("description", "The text that was coded; offsets of evidence count its characters"),
            ("content", [{"attachment": attachment}]),
            ("context", context),
        ]
    )


def _question(query_id: str, query: Query, source: Source, about: list[Json]) -> Json:
    """A question as a message that is ready to be sent to the author of the note."""
    return without_empty(
        [
            ("resourceType", "CommunicationRequest"),
            ("id", query_id),
            ("status", "draft"),
            ("subject", source.subject),
            ("about", [reference(one) for one in about]),
            ("encounter", source.encounters[0] if source.encounters else None),
            ("payload", [{"contentString": query.question}]),
            ("recipient", list(source.authors)),
            ("reasonCode", [concept("", coding(QUERY_SYSTEM, query.id))]),
        ]
    )


def _outcome(outcome_id: str, result: CodingResult, source: Source) -> Json:
    """The status of the coding, what had to be assumed, warnings, modifiers to consider, and the codes that were
    considered and not given."""
    status = concept(vocabulary()["status"][result.status], coding(STATUS_SYSTEM, result.status))
    review = result.status == "review"
    issues = [_issue("warning" if review else "information", "business-rule" if review else "informational", status)]
    issues += [_issue("warning", "informational", concept(remark)) for remark in source.remarks]
    issues += [_issue("warning", "business-rule", concept(warning)) for warning in result.warnings]
    issues += [
        _issue("information", "informational", billing_concept(one.modifier, _considered(line.code, one)))
        for line in result.claim
        for one in line.suggested
    ]
    issues += [
        _issue("information", "informational", billing_concept(one.code, f"{one.code} not given: {one.reason}"))
        for one in result.rejected
    ]
    return {"resourceType": "OperationOutcome", "id": outcome_id, "issue": issues}


def _considered(code: str, suggestion: Suggestion) -> str:
    return f"{code}: consider {suggestion.modifier}. {suggestion.reason}"


def _issue(severity: str, code: str, details: Json) -> Json:
    return {"severity": severity, "code": code, "details": details}
