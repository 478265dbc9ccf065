"""The document layer as JSON: status, lines, claim, imaging, injectate, target, queries, why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from extractor.coding.lines import ClaimLine
from extractor.errors import InputError
from extractor.evaluation.formats.common import Record, an_object, objects, optional, required, strings
from extractor.evaluation.records import Coding, Line

STATUSES = ("coded", "review", "no_code")
SUMMARY = ("imaging", "injectate", "target")
KEYS = frozenset({"status", "lines", "claim", "summary", *SUMMARY, "queries", "why"})


def coding(value: Mapping[str, Any], where: str) -> Coding:
    """The coding in a JSON object; `InputError` names the key that is wrong.

    The three lists of the summary may stand in the object itself or under "summary"; queries may be ids or objects with
    an "id". A list that is absent or null is `None`: the layer does not say.

    >>> coding({"status": "review", "queries": [{"id": "missing_side"}]}, "gold").queries
    ('missing_side',)
    """
    summary = an_object(value, "summary", where)
    lists = {key: _list(summary if key in summary else value, key, where) for key in SUMMARY}
    claim = (
        None if value.get("claim") is None else tuple(_claim(line, where) for line in objects(value, "claim", where))
    )
    status = required(value, "status", where)
    if status not in STATUSES:
        raise InputError(f'{where}: key "status" is none of {", ".join(STATUSES)}')
    return Coding(
        status=status,
        lines=tuple(_line(line, where) for line in objects(value, "lines", where)),
        claim=claim,
        imaging=lists["imaging"],
        injectate=lists["injectate"],
        target=lists["target"],
        queries=_queries(value, where),
        why=optional(value, "why", where),
    )


def plain(coding: Coding) -> Record:
    """The coding as a JSON object, the lists of the summary in the object itself."""
    found: Record = {
        "status": coding.status,
        "lines": [{"code": line.code, "side": line.side, "joints": list(line.joints)} for line in coding.lines],
    }
    if coding.claim is not None:
        found["claim"] = [
            {"code": line.code, "modifiers": list(line.modifiers), "units": line.units} for line in coding.claim
        ]
    for key in (*SUMMARY, "queries"):
        values: tuple[str, ...] | None = getattr(coding, key)
        if values is not None:
            found[key] = list(values)
    if coding.why:
        found["why"] = coding.why
    return found


def nested(coding: Coding) -> Record:
    """The coding as a JSON object, the lists of the summary under "summary" as in a `CodingResult`."""
    found = plain(coding)
    summary = {key: found.pop(key) for key in SUMMARY if key in found}
    return found | ({"summary": summary} if summary else {})


def optional_coding(record: Mapping[str, Any], key: str, where: str) -> Coding | None:
    """The coding under a key; `None` when it is absent or null."""
    if record.get(key) is None:
        return None
    return coding(an_object(record, key, where), where)


def _list(value: Mapping[str, Any], key: str, where: str) -> tuple[str, ...] | None:
    return None if value.get(key) is None else strings(value, key, where)


def _line(line: Record, where: str) -> Line:
    return Line(
        required(line, "code", where), optional(line, "side", where) or "unspecified", strings(line, "joints", where)
    )


def _claim(line: Record, where: str) -> ClaimLine:
    units = line.get("units", 1)
    if isinstance(units, bool) or not isinstance(units, int):
        raise InputError(f'{where}: key "units" is not a whole number')
    return ClaimLine(required(line, "code", where), strings(line, "modifiers", where), units)


def _queries(value: Mapping[str, Any], where: str) -> tuple[str, ...] | None:
    queries = value.get("queries")
    if queries is None:
        return None
    if isinstance(queries, list) and any(isinstance(query, dict) for query in queries):
        return tuple(required(query, "id", where) for query in objects(value, "queries", where))
    return strings(value, "queries", where)
