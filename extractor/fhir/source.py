"""What is taken from a FHIR document: its text, its day, and who and what it refers to. Nothing else is kept.

Reading is lenient, so that R4, R4B and R5 are read alike: only what is used is looked at. Errors name an element and
never show what stands in it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Set
from dataclasses import dataclass
from typing import NoReturn

from extractor.batch.readers.items import note_from
from extractor.errors import InputError
from extractor.fhir.attachments import day_of_service, day_written, document_text, period_start
from extractor.fhir.composition import composition_text
from extractor.fhir.elements import Json, is_string, without_empty
from extractor.fhir.pointers import Index
from extractor.fhir.vocabulary import must_be_bound
from extractor.schema import Note

LARGEST = 32 * 2**20  # bytes of a body; a note of 1 MB as base64 has 1.4
_MOST_COPIES = 20  # references of one kind; an encounter is repeated in every line of the claim
NAMELESS = "note"  # id of a document that has none
_ID = re.compile(r"[A-Za-z0-9.-]{1,64}")
_REFERENCE = re.compile(r"[^\s#\x00-\x20\ud800-\udfff][^\s\x00-\x20\ud800-\udfff]{0,2000}")  # "#id" points inside
_URI = re.compile(r"\S+")
_TYPE = re.compile(r"[A-Za-z]{1,64}")
_PEOPLE = frozenset({"Practitioner", "PractitionerRole"})


@dataclass(frozen=True, slots=True)
class Source:
    """One document. References are as they came in; `origin` refers to the document itself.

    `day` is the day of service as the document tells it; `written` the day on which it was written.
    """

    text: str
    id: str = NAMELESS
    day: str | None = None
    written: str | None = None
    subject: Json | None = None
    encounters: tuple[Json, ...] = ()
    authors: tuple[Json, ...] = ()
    origin: Json | None = None
    remarks: tuple[str, ...] = ()

    def note(self, date_of_service: str | None = None) -> Note:
        """The note to code. `date_of_service` is for documents that bring no day of their own."""
        day = self.day or self.written or date_of_service
        return note_from({"id": self.id, "text": self.text, "date_of_service": day})


def is_json(data: bytes) -> bool:
    """Whether the bytes look like a FHIR resource in JSON and not like a note."""
    return data.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"{" and b'"resourceType"' in data


def read_source(body: bytes) -> Source:
    """The document in a DocumentReference, a Composition, or a Bundle that holds one. Raises InputError."""
    record = _parsed(body)
    if record.get("resourceType") == "Bundle":
        found, index = _in_bundle(record)
    else:
        found, index = record, Index([], record)
    kind = found.get("resourceType")
    if kind == "DocumentReference":
        return _from_reference(found, index)
    if kind == "Composition":
        return _from_composition(found, index)
    raise InputError("resourceType: DocumentReference, Composition or a Bundle with one of them can be read")


def _parsed(body: bytes) -> Json:
    if len(body) > LARGEST:
        raise InputError(f"the resource is longer than {LARGEST // 2**20} MB")
    try:
        record = json.loads(body.decode("utf-8-sig"), parse_constant=_no_constant)
    except (ValueError, RecursionError):  # their messages would show the document
        raise InputError("the resource is not valid JSON in UTF-8") from None
    if not isinstance(record, dict):
        raise InputError("the resource is not a JSON object")
    return record


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _in_bundle(bundle: Json) -> tuple[Json, Index]:
    """The document of a Bundle, and where the other resources of it are found."""
    must_be_bound("Bundle.type", bundle.get("type"))
    listed = bundle.get("entry")
    entries = [entry for entry in (listed if isinstance(listed, list) else []) if isinstance(entry, dict)]
    resources = [entry.get("resource") for entry in entries]
    if bundle.get("type") == "document":
        first = resources[0] if resources else None
        if not isinstance(first, dict) or first.get("resourceType") != "Composition":
            raise InputError("Bundle.entry: a document begins with its Composition")
        return first, Index(entries, first)
    if bundle.get("type") != "collection":
        raise InputError("Bundle.type: only document and collection can be read")
    found = [
        resource
        for resource in resources
        if isinstance(resource, dict) and resource.get("resourceType") in ("DocumentReference", "Composition")
    ]
    if len(found) != 1:
        raise InputError("Bundle.entry: exactly one DocumentReference or Composition is needed")
    return found[0], Index(entries, found[0])


def _from_reference(record: Json, index: Index) -> Source:
    must_be_bound("DocumentReference.status", record.get("status"))
    must_be_bound("DocumentReference.docStatus", record.get("docStatus"))
    if record.get("docStatus") == "entered-in-error":
        raise InputError("DocumentReference.docStatus: the document is marked as entered in error")
    try:
        text, remarks = document_text(record, "DocumentReference")
    except InputError as error:
        raise InputError(f"DocumentReference: {error}") from None
    if record.get("status") == "superseded":
        remarks.append("the document is marked as superseded")
    context = record.get("context")  # an object with encounters in R4, a list of references in R5
    return Source(
        text=text,
        id=_id(record),
        day=day_of_service(record),
        written=day_written(record),
        subject=_patient(record, index),
        encounters=_copies(context.get("encounter") if isinstance(context, dict) else context, index, {"Encounter"}),
        authors=_copies(record.get("author"), index, _PEOPLE),
        origin=_origin(record, index, record.get("masterIdentifier"), record.get("identifier")),
        remarks=tuple(remarks),
    )


def _from_composition(record: Json, index: Index) -> Source:
    must_be_bound("Composition.status", record.get("status"))
    if record.get("status") == "entered-in-error":
        raise InputError("Composition.status: the document is marked as entered in error")
    text, remarks = composition_text(record, index)
    events = record.get("event")
    periods = [event.get("period") for event in events if isinstance(event, dict)] if isinstance(events, list) else []
    return Source(
        text=text,
        id=_id(record),
        day=next((day for period in periods if (day := period_start(period))), None),
        written=day_written(record),
        subject=_patient(record, index),
        encounters=_copies([record.get("encounter")], index, {"Encounter"}),
        authors=_copies(record.get("author"), index, _PEOPLE),
        origin=_origin(record, index, record.get("identifier")),
        remarks=tuple(remarks),
    )


def _id(record: Json) -> str:
    given = record.get("id")
    return given if isinstance(given, str) and _ID.fullmatch(given) else NAMELESS


def _origin(record: Json, index: Index, *identifiers: object) -> Json | None:
    """A reference to the document: the address that it has in its Bundle, else its type and id; and its identifier."""
    address = index.address(record)
    note_id = _id(record)
    own = f"{record['resourceType']}/{note_id}" if record.get("id") == note_id else None
    named = _first_identifier(*identifiers)
    usable = address if isinstance(address, str) and _REFERENCE.fullmatch(address) else own
    return without_empty([("reference", usable), ("identifier", named)]) or None


def _patient(record: Json, index: Index) -> Json | None:
    return next(iter(_copies([record.get("subject")], index, {"Patient"}, unknown_too=True)), None)


def _copies(given: object, index: Index, types: Set[str], unknown_too: bool = False) -> tuple[Json, ...]:
    """Copies of the references in a list that point to a resource of one of the types."""
    found: list[Json] = []
    for one in given if isinstance(given, list) else []:
        if isinstance(one, dict) and len(found) < _MOST_COPIES:
            kind = index.type_of(one)
            if kind in types or (kind is None and unknown_too):
                found += filter(None, [_copy(one, index.target(one))])
    return tuple(found)


def _copy(given: Json, target: Json | None) -> Json | None:
    """A Reference with what identifies its target; its display (mostly a name) only when there is nothing else.

    A target that is contained in the document ("#id") is known by its identifier alone.
    """
    address, kind, display = given.get("reference"), given.get("type"), given.get("display")
    usable = address if isinstance(address, str) and _REFERENCE.fullmatch(address) else None
    told = target.get("identifier") if target and usable is None else None
    copied = without_empty(
        [
            ("reference", usable),
            ("type", kind if isinstance(kind, str) and _TYPE.fullmatch(kind) else None),
            ("identifier", _first_identifier(given.get("identifier"), told)),
        ]
    )
    if "reference" in copied or "identifier" in copied:
        return copied
    return {"display": display} if isinstance(display, str) and is_string(display) else None


def _first_identifier(*given: object) -> Json | None:
    flat = [one for some in given for one in (some if isinstance(some, list) else [some])]
    return next((found for one in flat if (found := _identifier(one))), None)


def _identifier(given: object) -> Json | None:
    if not isinstance(given, dict):
        return None
    kept = {name: given.get(name) for name in ("system", "value")}
    found = {name: value for name, value in kept.items() if isinstance(value, str) and is_string(value)}
    if not _URI.fullmatch(found.get("system", "")):
        found.pop("system", None)
    return found if "value" in found else None
