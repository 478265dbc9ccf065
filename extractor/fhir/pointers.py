"""Which resource a reference points to: one of the same Bundle, or one contained in the document."""

from __future__ import annotations

import re
from collections.abc import Sequence

from extractor.fhir.elements import Json

_TYPED = re.compile(r"(?:.*/)?([A-Z][A-Za-z]{1,63})/[A-Za-z0-9.-]{1,64}(?:/_history/[A-Za-z0-9.-]{1,64})?", re.DOTALL)
_LONGEST = 2000


class Index:
    """The resources beside a document, by the addresses under which references name them."""

    def __init__(self, entries: Sequence[Json], document: Json) -> None:
        self._found: dict[str, Json] = {}
        self._addresses: dict[int, object] = {}
        for entry in entries:
            resource = entry.get("resource")
            if isinstance(resource, dict):
                self._addresses[id(resource)] = entry.get("fullUrl")
                self._add(entry.get("fullUrl"), resource)
                self._add(f"{resource.get('resourceType')}/{resource.get('id')}", resource)
        contained = document.get("contained")
        for resource in contained if isinstance(contained, list) else []:
            if isinstance(resource, dict):
                self._add(f"#{resource.get('id')}", resource)

    def _add(self, address: object, resource: Json) -> None:
        if isinstance(address, str):
            self._found.setdefault(address, resource)

    def address(self, resource: Json) -> object:
        """The fullUrl under which a resource stands in the Bundle."""
        return self._addresses.get(id(resource))

    def target(self, reference: object) -> Json | None:
        """The resource that a Reference points to, if it is at hand."""
        address = reference.get("reference") if isinstance(reference, dict) else None
        return self._found.get(address) if isinstance(address, str) else None

    def type_of(self, reference: Json) -> str | None:
        """The type of the resource that a Reference points to, as far as it is told.

        >>> index = Index([], {})
        >>> index.type_of({"reference": "https://a.b/fhir/Patient/1"}), index.type_of({"reference": "urn:uuid:1"})
        ('Patient', None)
        """
        target = self.target(reference)
        told = target.get("resourceType") if target else reference.get("type")
        if isinstance(told, str):
            return told
        address = reference.get("reference")
        typed = _TYPED.fullmatch(address) if isinstance(address, str) and len(address) <= _LONGEST else None
        return typed[1] if typed else None
