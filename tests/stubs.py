"""A coder for the tests of the frame: it reads nothing, and answers for a few marked texts as the true one might."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from extractor.errors import InputError
from extractor.schema import CodeLine, CodingResult, Evidence, Query, Versions

SECRET = "Zebediah Quince"  # stands in notes, and must never stand in an error


def stub_code(
    text: str, id: str = "note", profile: str | None = None, date_of_service: str | None = None
) -> CodingResult:
    """One line for the first "facet", a query for "side?", a fault for "crash"; else no_code."""
    if profile not in (None, "cpt", "medicare"):
        raise InputError(f"unknown profile {profile}")
    if "crash" in text:
        raise ValueError(f"cannot read {text}")
    versions = Versions(engine="stub", patterns="0", codes=date_of_service or "2026", profile=profile or "cpt")
    lines, queries = [], []
    if (start := text.find("facet")) >= 0:
        evidence = [Evidence(start=start, end=start + 5, text=text[start : start + 5], section="body")]
        lines = [CodeLine(code="64493", side="left", joints=["L4-L5"], label="first", evidence=evidence)]
    if (start := text.find("side?")) >= 0:
        evidence = [Evidence(start=start, end=start + 5, text=text[start : start + 5])]
        queries = [Query(id="missing_side", question="Which side?", evidence=evidence)]
    status = "review" if queries else "coded" if lines else "no_code"
    return CodingResult(id=id, status=status, lines=lines, queries=queries, versions=versions)


class StubCoder:
    """Called like `extractor.coder.Coder`."""

    def __init__(self, profile: str = "cpt", patterns: object = None) -> None:
        stub_code("", profile=profile)
        self.profile = profile

    def code(
        self, text: str, id: str = "note", profile: str | None = None, date_of_service: str | None = None
    ) -> CodingResult:
        return stub_code(text, id, profile or self.profile, date_of_service)


def rough_code(
    text: str, id: str = "note", profile: str | None = None, date_of_service: str | None = None
) -> CodingResult:
    """The stub, in a process that some notes end or hold up."""
    if "die" in text:
        os._exit(9)
    if "pause" in text:
        time.sleep(1)
    if "slow" in text:
        time.sleep(60)
    return stub_code(text, id, profile, date_of_service)


def load_rough() -> Callable[..., CodingResult]:
    """Importable, so that workers find it."""
    return rough_code


def load_nothing() -> Callable[..., CodingResult]:
    """A coder that cannot be built."""
    raise InputError("unknown profile gold")


def load_slow_reader() -> Callable[..., CodingResult]:
    """The stub, in a process in which no FHIR resource is ever read to its end."""
    from extractor.fhir import answer

    def never(*_: object, **__: object) -> None:
        time.sleep(60)

    answer.code_resource = never  # type: ignore[assignment]
    return stub_code
