"""The small pieces that FHIR resources are made of, and the addresses of our own extensions and code systems."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from extractor.fhir.vocabulary import vocabulary
from extractor.schema import Side

Json = dict[str, Any]

BASE = "https://facetcode.invalid/fhir"  # a name, not an address: .invalid (RFC 2606) can never be anyone's
EVIDENCE = f"{BASE}/StructureDefinition/evidence"
JOINT = f"{BASE}/StructureDefinition/joint"
LATERALITY = f"{BASE}/StructureDefinition/laterality"
STATUS_SYSTEM = f"{BASE}/CodeSystem/coding-status"
QUERY_SYSTEM = f"{BASE}/CodeSystem/query"
PROCEDURE_SYSTEM = f"{BASE}/CodeSystem/procedure"
SITE_SYSTEM = f"{BASE}/CodeSystem/site"
DATA_ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"

_NO_STRING = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")  # R4 datatypes: string
_LONGEST_STRING = 1 << 20


def is_string(text: str) -> bool:
    r"""Whether a text may stand in a FHIR string: not blank, at most 1,048,576 characters, no control characters but
    tab and line ends.

    >>> is_string("L4-5\tfacet"), is_string("L4\x0b5"), is_string(" ")
    (True, False, False)
    """
    return bool(text.strip()) and len(text) <= _LONGEST_STRING and not _NO_STRING.search(text)


def coding(system: str, code: str, display: str = "", version: str = "") -> Json:
    """A Coding; `system` is a name of vocabulary.toml or an address."""
    found = {"system": vocabulary()["systems"].get(system, system), "version": version, "code": code}
    return without_empty((found | {"display": display}).items())


def concept(text: str = "", *codings: Json, extension: Sequence[Json] = ()) -> Json:
    """A CodeableConcept."""
    return without_empty({"extension": list(extension), "coding": list(codings), "text": text}.items())


def billing_concept(code: str, text: str = "", version: str = "") -> Json:
    """A procedure code or modifier: CPT begins with a digit, HCPCS Level II with a letter. Only the number and our own
    text: the descriptors of CPT are not ours."""
    cpt = code[:1].isdigit()
    return concept(text, coding("cpt" if cpt else "hcpcs", code, version=version if cpt else ""))


def absent() -> Json:
    """What stands in a required element whose value we cannot know: the data-absent-reason "unknown"."""
    return {"extension": [{"url": DATA_ABSENT, "valueCode": "unknown"}]}


def site(name: str, kind: str, side: Side) -> Json:
    """A joint, nerve or other place with its side. `kind` is a word of vocabulary.toml, [sites]."""
    told = "" if side == "unspecified" else side
    code = f"{kind.split()[-1]}-{name}"
    return concept(" ".join(filter(None, (told, name, kind))), coding(SITE_SYSTEM, code), extension=laterality(side))


def joint_kind(family: str) -> str:
    """What the joints of a family are called.

    >>> joint_kind("facet"), joint_kind("caudal")
    ('facet joint', 'level')
    """
    kinds = vocabulary()["sites"]
    kind: str = kinds.get(family, kinds["other"])
    return kind


def laterality(side: Side) -> list[Json]:
    """The extension that tells a side; none when it is not known."""
    row = vocabulary()["laterality"].get(side)
    return [{"url": LATERALITY, "valueCodeableConcept": concept("", coding("snomed", **row))}] if row else []


def instant(name: str, recorded: str | None) -> Json:
    """A required time: `recorded`, or that it is not known."""
    return {name: recorded} if recorded is not None else {f"_{name}": absent()}


class Ids:
    """Ids that are made from the content alone, so that the same input gives the same ids."""

    def __init__(self, content: object) -> None:
        written = json.dumps(content, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
        self._seed = sha256(written.encode()).hexdigest()

    def of(self, kind: str, number: int = 0) -> str:
        """The id of the resource of this kind and number."""
        return str(uuid5(uuid5(NAMESPACE_URL, BASE), f"{self._seed}/{kind}/{number}"))


def entry(resource: Json) -> Json:
    """The resource as an entry of a Bundle."""
    return {"fullUrl": f"urn:uuid:{UUID(resource['id'])}", "resource": resource}


def reference(resource: Json) -> Json:
    """A reference to another entry of the same Bundle."""
    return {"reference": f"urn:uuid:{UUID(resource['id'])}"}


def without_empty(pairs: Iterable[tuple[str, Any]]) -> Json:
    """An object without the elements that have no value: FHIR allows neither null nor empty lists."""
    return {name: value for name, value in pairs if value is not None and value != [] and value != {} and value != ""}
