"""Every answer is checked before it leaves: the R4B models of fhir.resources, and the required bindings.

fhir.resources 8 has models for R4B and none for R4; see docs/fhir.md for what differs.
"""

from __future__ import annotations

from typing import Any

from extractor.errors import InputError
from extractor.fhir.elements import EVIDENCE, Json
from extractor.fhir.vocabulary import check_bindings


def must_be_installed() -> None:
    """Raises InputError when the extra `fhir` is missing."""
    _models()


_ALIKE = 3  # pieces of evidence that stand for all: they are made alike, and checking each takes longer than coding


def checked(bundle: Json, *, every_evidence: bool = False) -> Json:
    """The same Bundle, when it is valid. InputError names the first element that is not, never its content.

    `every_evidence` hands all evidence to the models, not only the first pieces.
    """
    models = _models()
    from pydantic import ValidationError

    try:
        models.Bundle.model_validate(bundle if every_evidence else _abridged(bundle))
    except ValidationError as error:
        place = error.errors(include_input=False, include_url=False, include_context=False)[0]["loc"]
        raise InputError(f"no valid FHIR can be made of this: {'.'.join(map(str, place))}") from None
    check_bindings(bundle)
    return bundle


def _abridged(value: Any) -> Any:
    """A copy with only the first pieces of evidence."""
    if isinstance(value, dict):
        return {name: _abridged(part) for name, part in value.items()}
    if isinstance(value, list):
        alike = bool(value) and isinstance(value[0], dict) and value[0].get("url") == EVIDENCE
        return [_abridged(part) for part in (value[:_ALIKE] if alike else value)]
    return value


def _models() -> Any:
    try:
        from fhir.resources.R4B import bundle
    except ImportError:
        raise InputError("FHIR needs fhir.resources: pip install 'facetcode[fhir]'") from None
    return bundle
