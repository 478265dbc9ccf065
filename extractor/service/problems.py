"""Errors as `application/problem+json` (RFC 9457). None quotes the request: fields and reasons, never values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from extractor.errors import FacetcodeError, InputError
from extractor.service.models import Problem
from extractor.service.worker import Busy, NoteFault, TooLong, TooSlow

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER = "1"  # seconds
_MOST_FIELDS = 5  # wrong fields that one answer names

# name -> HTTP status and title; the name is the end of the problem's type
KINDS: Mapping[str, tuple[int, str]] = {
    "not-json": (400, "The body is not JSON"),
    "wrong-host": (400, "The Host header is not one of this service"),
    "no-token": (401, "A token is needed"),
    "not-found": (404, "There is nothing here"),
    "wrong-method": (405, "This method is not for this path"),
    "request-timeout": (408, "The request took too long to come in"),
    "too-large": (413, "Too large"),
    "wrong-media-type": (415, "The body must be JSON"),
    "wrong-request": (422, "The request is wrong"),
    "note-too-slow": (422, "The note takes too long to code"),
    "fault": (500, "A fault of the service"),
    "note-fault": (500, "The note could not be coded, by a fault of the service"),
    "busy": (503, "Too busy"),
    "not-ready": (503, "Not ready"),
    "store-unavailable": (503, "The decisions could not be kept"),
}
_OF_STATUS = {status: name for name, (status, _) in reversed(list(KINDS.items()))}


class ServiceError(Exception):
    """An answer that is an error. `kind` is a name of `KINDS`; `detail` never holds words of the request."""

    def __init__(self, kind: str, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(kind)
        self.kind, self.detail = kind, detail
        self.status, self.title = KINDS[kind]
        again = {"Retry-After": RETRY_AFTER} if self.status == 503 else {}
        self.headers = again | dict(headers or {})

    def problem(self, request_id: str) -> Problem:
        return Problem(
            type=f"urn:facetcode:problem:{self.kind}",
            title=self.title,
            status=self.status,
            detail=self.detail,
            request_id=request_id,
        )


def body_of(problem: Problem) -> bytes:
    """The problem as JSON."""
    return problem.model_dump_json(exclude_none=True).encode()


def of_status(status: int, headers: Mapping[str, str] | None = None) -> ServiceError:
    """The error for a status that the framework chose."""
    name = _OF_STATUS.get(status, "fault" if status >= 500 else "wrong-request")
    return ServiceError(name, f"{KINDS[name][1]}.", headers)


def of_coding(error: FacetcodeError) -> ServiceError:
    """The error for a note that was not coded."""
    if isinstance(error, Busy):
        return ServiceError("busy", f"{str(error).capitalize()}.")
    if isinstance(error, TooSlow):
        return ServiceError("note-too-slow", f"The note {error}. It would again: shorten or split it.")
    if isinstance(error, TooLong):
        return ServiceError("too-large", f"{error}.")
    if isinstance(error, NoteFault):
        return ServiceError("note-fault", f"The note: {error}.")
    if isinstance(error, InputError):
        return ServiceError("wrong-request", f"{error}")
    return ServiceError("fault", "A fault of the service.")


def of_validation(errors: Iterable[Mapping[str, Any]], known: frozenset[str]) -> ServiceError:
    """The error for a request that does not fit its model. `errors` are pydantic's, of which only place and message are
    taken, and of a place only the names that are in `known`: keys of the request may be words of a note.

    >>> wrong = [{"type": "extra_forbidden", "loc": ("body", "Mr. Quince"), "msg": "Extra inputs are not permitted"}]
    >>> of_validation(wrong, frozenset({"body"})).detail
    'body.?: Extra inputs are not permitted.'
    """
    found = list(errors)
    if any(error["type"] == "json_invalid" for error in found):
        return ServiceError("not-json", "The body is not valid JSON.")
    told = [f"{_place(error['loc'], known)}: {error['msg']}" for error in found[:_MOST_FIELDS]]
    more = [f"and {len(found) - _MOST_FIELDS} more"] if len(found) > _MOST_FIELDS else []
    return ServiceError("wrong-request", f"{'; '.join(told + more)}.")


def _place(parts: Iterable[Any], known: frozenset[str]) -> str:
    return ".".join(str(part) if isinstance(part, int) or part in known else "?" for part in parts)
