"""The tables of vocabulary.toml, and the check of required bindings, which fhir.resources leaves out."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from functools import lru_cache
from importlib.resources import files
from typing import Any

from extractor.errors import InputError


@lru_cache(maxsize=1)
def vocabulary() -> dict[str, Any]:
    """All tables, read once."""
    return tomllib.loads(files("extractor.fhir").joinpath("vocabulary.toml").read_text(encoding="utf-8"))


def codes_of(element: str) -> list[str] | None:
    """The codes that an element such as "Claim.use" may hold; None when it is bound to no listed value set.

    >>> codes_of("Claim.use")
    ['claim', 'preauthorization', 'predetermination']
    >>> codes_of("Claim.created") is None
    True
    """
    tables = vocabulary()
    name = tables["bindings"].get(element)
    codes: list[str] | None = tables["value_sets"][name] if name else None
    return codes


def must_be_bound(element: str, value: object) -> None:
    """Raises InputError when `value` is no code of the required binding of `element`. None (no value) passes.

    >>> must_be_bound("Bundle.type", "bogus")
    Traceback (most recent call last):
    extractor.errors.InputError: Bundle.type: not a code of http://hl7.org/fhir/ValueSet/bundle-type
    """
    codes = codes_of(element)
    if value is not None and codes is not None and value not in codes:
        name = vocabulary()["bindings"][element]
        raise InputError(f"{element}: not a code of http://hl7.org/fhir/ValueSet/{name}")


def check_bindings(resource: dict[str, Any]) -> None:
    """Raises InputError for the first code in a resource, or in one inside it, that its required binding forbids."""
    for element, value in elements(resource):
        must_be_bound(element, value)


def elements(resource: dict[str, Any]) -> Iterator[tuple[str, object]]:
    """Path and value of every simple element, of resources inside as well; paths begin with the resource's type.

    >>> list(elements({"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Claim", "use": "claim"}}]}))
    [('Bundle.resourceType', 'Bundle'), ('Claim.resourceType', 'Claim'), ('Claim.use', 'claim')]
    """
    stack: list[tuple[str, object]] = [("", resource)]
    while stack:
        path, value = stack.pop()
        if isinstance(value, dict):
            base = str(value.get("resourceType", path))
            stack += [(f"{base}.{name}", part) for name, part in reversed(value.items())]
        elif isinstance(value, list):
            stack += [(path, part) for part in reversed(value)]
        else:
            yield path, value
