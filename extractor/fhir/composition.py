"""The text of a FHIR Composition: its sections in order, each under its title.

Rules: FHIR R4 Composition and Documents (hl7.org/fhir/documents.html): what a person reads is the narrative of the
sections. A section without one is read from the resources that it lists. No resource is read twice, so what is read
of a body is never longer than the body.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from extractor.errors import InputError
from extractor.fhir.attachments import document_text
from extractor.fhir.elements import Json
from extractor.fhir.narrative import narrative_text
from extractor.fhir.pointers import Index

_DEEPEST = 20  # sections in sections
_LONGEST_TITLE = 200


def composition_text(record: Json, index: Index) -> tuple[str, list[str]]:
    """The text, and remarks on what could not be read; InputError when there is no text at all."""
    reader = _Reader(index)
    parts = list(reader.sections(record.get("section"), "Composition.section", 1))
    if not any(body for _, body in parts):
        whole = narrative_text(record.get("text"), "Composition.text")
        parts = [("", whole)] if whole else []
    if not parts:
        raise InputError("Composition.section: no section holds a text")
    return "\n\n".join("\n".join(filter(None, part)) for part in parts), reader.remarks()


class _Reader:
    def __init__(self, index: Index) -> None:
        self._index = index
        self._seen: set[int] = set()
        self._remarks: list[str] = []
        self._unread = 0
        self._first_unread = ""

    def remarks(self) -> list[str]:
        """What had to be assumed, and how many listed resources gave no text."""
        if not self._unread:
            return self._remarks
        told = f"{self._unread} listed resources are not at hand or have no text (first: {self._first_unread})"
        return [*self._remarks, told]

    def sections(self, listed: object, element: str, depth: int) -> Iterator[tuple[str, str]]:
        """Title and text of each section and of those inside it."""
        if depth > _DEEPEST:
            raise InputError(f"Composition.section: more than {_DEEPEST} sections in each other")
        for number, section in enumerate(listed if isinstance(listed, list) else []):
            if not isinstance(section, dict):
                continue
            place = f"{element}[{number}]"
            body = narrative_text(section.get("text"), f"{place}.text") or "\n".join(self._entries(section, place))
            title = _title(section)
            if title or body:
                yield title, body
            yield from self.sections(section.get("section"), f"{place}.section", depth + 1)

    def _entries(self, section: Json, place: str) -> Iterator[str]:
        listed = section.get("entry")
        for number, reference in enumerate(listed if isinstance(listed, list) else []):
            resource = self._index.target(reference)
            if resource is not None:
                if id(resource) in self._seen:
                    continue
                self._seen.add(id(resource))  # before it is read, as one without a text takes as long
            text = self._resource(resource, f"{place}.entry[{number}]") if resource else ""
            if text:
                yield text
            else:
                self._unread += 1
                self._first_unread = self._first_unread or f"{place}.entry[{number}]"

    def _resource(self, resource: Json, place: str) -> str:
        if resource.get("resourceType") != "DocumentReference":
            return narrative_text(resource.get("text"), f"{place}.text")
        try:
            text, remarks = document_text(resource, place)
        except InputError as error:
            raise InputError(f"{place}: {error}") from None
        self._remarks += [f"{place}: {remark}" for remark in remarks]
        return text


def _title(section: Json) -> str:
    """The title as a header; the name of the code where there is no title.

    >>> _title({"title": "Procedure"}), _title({"code": {"text": "Plan:"}}), _title({"title": 7})
    ('Procedure:', 'Plan:', '')
    """
    code: Any = section.get("code")
    names = [section.get("title")]
    if isinstance(code, dict):
        listed = code.get("coding")
        codings = listed if isinstance(listed, list) else []
        names += [code.get("text"), *(one.get("display") for one in codings if isinstance(one, dict))]
    title = next((name for name in names if isinstance(name, str) and name.strip()), "")
    line = " ".join(title[:_LONGEST_TITLE].split())
    return line if not line or line.endswith(":") else f"{line}:"
