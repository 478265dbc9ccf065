"""A FHIR DocumentReference in NDJSON (FHIR Bulk Data Access) as a note. Its text is read in `extractor.fhir`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from extractor.batch.readers.items import BadRecord, Columns, Item, Remark, incoming
from extractor.errors import InputError
from extractor.fhir.attachments import day_of_service, day_written, document_text

DOCUMENT = "DocumentReference"
MOST_TYPES = 50  # of other resources that are counted one by one
_TYPE_NAME = re.compile(r"[A-Za-z]{1,40}")


def resource_type(record: object, columns: Columns) -> str | None:
    """The kind of FHIR resource; None for a record that is no resource (the `text` of a resource is never a string).

    >>> resource_type({"resourceType": "Patient", "id": "1"}, Columns())
    'Patient'
    >>> resource_type({"resourceType": "x", "id": "1", "text": "Facet injection."}, Columns()) is None
    True
    """
    if not isinstance(record, dict) or "resourceType" not in record or isinstance(record.get(columns.text), str):
        return None
    kind = record["resourceType"]
    return kind if isinstance(kind, str) and _TYPE_NAME.fullmatch(kind) else "other"


def left_out(counts: Counter[str]) -> str:
    """What to tell about resources that are no documents.

    >>> left_out(Counter({"Patient": 2, "Encounter": 1}))
    '3 resources that are no DocumentReference were left out (Encounter 1, Patient 2)'
    """
    each = ", ".join(f"{kind} {count}" for kind, count in sorted(counts.items()))
    return f"{counts.total()} resources that are no {DOCUMENT} were left out ({each})"


def note_items(record: Any, where: str) -> Iterator[Item]:
    """The note of a DocumentReference, and what had to be assumed of its text."""
    try:
        text, remarks = document_text(record, where)
    except InputError as error:
        yield BadRecord(where, str(error))
        return
    for remark in remarks:
        yield Remark(where, remark)
    found = {"id": record["id"]} if "id" in record else {}
    day = day_of_service(record) or day_written(record)
    yield incoming(where, found | {"text": text, "date_of_service": day})
